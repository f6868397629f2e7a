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


def test_there_is_no_r2_in_the_scale_of_a_constant_target(gdfit: Callable[..., Any], tmp_path: Path) -> None:
    housing, model, flat = SAMPLE / "housing.csv", tmp_path / "m.json", tmp_path / "flat.csv"
    gdfit(housing, "-t", "log(price)", "-x", "log(sqft)", "--optimizer", "newton", "--save", model, "-q")
    flat.write_text("sqft,price\n" + "1000,65536\n" * 4)
    assert json.loads(gdfit("score", model, flat, "--format", "json").out)["own_scale"]["r2"] is None


def test_a_model_of_the_target_itself_has_one_scale(gdfit: Callable[..., Any], tmp_path: Path) -> None:
    housing, model = SAMPLE / "housing.csv", tmp_path / "m.json"
    gdfit(housing, "-t", "price", "-x", "sqft", "--save", model, "-q")
    assert "own_scale" not in json.loads(gdfit("score", model, housing, "--format", "json").out)


def test_a_model_of_a_logarithm_is_compared_with_one_of_the_target_in_the_scale_of_both(
    gdfit: Callable[..., Any], tmp_path: Path
) -> None:
    housing, log, plain = SAMPLE / "housing.csv", tmp_path / "log.json", tmp_path / "plain.json"
    gdfit(housing, "-t", "log(price)", "--exclude", "*", "--optimizer", "newton", "--save", log, "-q")
    gdfit(housing, "-t", "price", "-x", "sqft", "--optimizer", "newton", "--save", plain, "-q")
    # The logarithm's RMSE is the smaller number, but its prediction is the mean: the line's is better in dollars.
    told = gdfit("score", log, plain, housing).out.splitlines()
    assert told[-1].startswith("Best RMSE of price: ")
    assert told[-1].endswith("plain.json")
    price = pd.read_csv(housing)["price"]
    assert f"{price.std(ddof=0):,.0f}" in next(line for line in told if "log.json" in line)


def test_models_of_different_targets_are_not_ranked(gdfit: Callable[..., Any], tmp_path: Path) -> None:
    housing, models = SAMPLE / "housing.csv", [tmp_path / "price.json", tmp_path / "beds.json"]
    for model in models:
        gdfit(housing, "-t", model.stem, "-x", "sqft", "--save", model, "-q")
    told = gdfit("score", *models, housing).out
    assert "predict different targets" in told
    assert "Best" not in told
