"""A model of a logarithm is scored in its own scale, and with Duan's smearing in the scale of the number itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli import load_model

SAMPLE = Path(__file__).parents[2] / "sample_data"


def test_a_model_of_a_logarithm_is_scored_in_both_scales(gdfit: Callable[..., Any], tmp_path: Path) -> None:
    housing = SAMPLE / "housing.csv"
    for function, log, exp in (("log", np.log, np.exp), ("log10", np.log10, lambda z: 10.0**z)):
        model = tmp_path / f"{function}.json"
        target = f"{function}(price)"
        gdfit(housing, "-t", target, "-x", "log(sqft)", "--optimizer", "newton", "--save", model, "-q")
        document = json.loads(gdfit("score", model, housing, "--format", "json").out)
        frame = pd.read_csv(housing)
        z, fitted = log(frame["price"]), load_model(model).predict(frame)
        factor = np.mean(exp(z - fitted))
        error = frame["price"] - factor * exp(fitted)
        assert document["rmse"] == pytest.approx(np.sqrt(np.mean((z - fitted) ** 2)))
        assert document["own_scale"] == {
            "name": "price",
            "smearing": pytest.approx(factor),
            "rmse": pytest.approx(np.sqrt(np.mean(error**2))),
            "r2": pytest.approx(1 - np.mean(error**2) / frame["price"].var(ddof=0)),
        }
        assert "Duan's smearing" in gdfit("score", model, housing).out


def test_a_model_of_the_target_itself_has_one_scale(gdfit: Callable[..., Any], tmp_path: Path) -> None:
    housing, model = SAMPLE / "housing.csv", tmp_path / "m.json"
    gdfit(housing, "-t", "price", "-x", "sqft", "--save", model, "-q")
    assert "own_scale" not in json.loads(gdfit("score", model, housing, "--format", "json").out)
