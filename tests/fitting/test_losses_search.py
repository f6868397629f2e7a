"""--lr search, and --lr auto where there is no bound on the curvature: a rate for each iteration over the rows."""

import csv
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli.api import fit_data as fit

TARGETS = {"huber:0.8": "number", "logistic": "answer", "poisson": "count"}


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 2))
    z = 0.8 * x[:, 0] - 0.5 * x[:, 1] + 1.2
    chance = 1 / (1 + np.exp(-z))
    columns = {"number": z + rng.standard_t(2, size=300), "answer": (rng.random(300) < chance).astype(int)}
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], **columns, "count": rng.poisson(np.exp(z))})


def searched(frame: pd.DataFrame, loss: str, **options: Any) -> Any:
    options = {"learning_rate": "search", "iterations": 300, "every": 1} | options
    return fit(frame, target=TARGETS[loss], features=["a", "b"], loss=loss, **options)


@pytest.mark.parametrize("optimizer", ["gd", "newton"])
@pytest.mark.parametrize("loss", TARGETS)
def test_the_cost_never_rises_and_the_optimum_is_reached(frame: pd.DataFrame, loss: str, optimizer: str) -> None:
    result = searched(frame, loss, optimizer=optimizer, iterations=300 if optimizer == "gd" else 12)
    costs = [row.cost for row in result.trace]
    assert all(later <= earlier * (1 + 1e-14) for earlier, later in pairwise(costs))
    assert result.descent.converged
    for c in result.coefficients:
        assert c.value == pytest.approx(c.optimum, rel=1e-6)
    assert all(row.learning_rate is not None and row.learning_rate > 0 for row in result.trace)


def test_poisson_rates_are_the_first_halves_to_lower_the_cost_enough(frame: pd.DataFrame) -> None:
    X = frame[["a", "b"]].to_numpy()
    Z, y = np.column_stack([np.ones(len(X)), (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)]), frame["count"].to_numpy()

    def cost(theta: np.ndarray) -> float:
        return float((np.exp(Z @ theta) - y * (Z @ theta)).mean())

    result = searched(frame, "poisson", iterations=15, learning_rate="auto")
    theta, trial = np.zeros(3), 1.0
    for row in result.trace:
        gradient = Z.T @ (np.exp(Z @ theta) - y) / len(y)
        while cost(theta - trial * gradient) > cost(theta) - 0.3 * trial * gradient @ gradient:
            trial /= 2
        assert row.learning_rate == trial
        theta, trial = theta - trial * gradient, 2 * trial


def test_newtons_steps_are_taken_from_where_the_descent_is_not_from_where_the_search_looked(
    frame: pd.DataFrame,
) -> None:
    X = frame[["a", "b"]].to_numpy()
    Z, y = np.column_stack([np.ones(len(X)), (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)]), frame["answer"].to_numpy()
    result, theta = searched(frame, "logistic", optimizer="newton", iterations=5), np.zeros(3)
    for row in result.trace:
        assert np.array(row.slopes) == pytest.approx(theta[1:] / X.std(axis=0, ddof=1), rel=1e-9)
        probability = 1 / (1 + np.exp(-Z @ theta))
        hessian = (Z.T * (probability * (1 - probability))) @ Z
        theta = theta - row.learning_rate * np.linalg.solve(hessian, Z.T @ (probability - y))


def test_automatic_rates_of_poisson_are_searched_and_said_to_be(
    gdfit: Callable[..., Any], tmp_path: Path, frame: pd.DataFrame
) -> None:
    frame.to_csv(data := tmp_path / "t.csv", index=False)
    words = (data, "-t", "count", "-x", "a", "-x", "b", "--loss", "poisson", "--lr", "auto", "-n", 20)
    done = json.loads(gdfit(*words, "--format", "json", "--trace", tmp_path / "trace.csv").out)
    same = json.loads(gdfit(*words[:-3], "search", *words[-2:], "--format", "json").out)
    assert (done["learning_rate"]["automatic"], done["learning_rate"]["searched"]) == (True, True)
    assert (same["learning_rate"]["automatic"], same["learning_rate"]["searched"]) == (False, True)
    assert done["coefficients"] == same["coefficients"]
    table = gdfit(*words)
    assert "The curvature of poisson has no bound to take a rate from: each iteration's was searched." in " ".join(
        table.out.split()
    )
    with open(tmp_path / "trace.csv", newline="") as stream:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(stream)]
    assert len(rates) == 21
    assert min(rates) > 0
    assert done["descent"]["learning_rate"] == rates[-1]


@pytest.mark.parametrize("loss", TARGETS)
def test_each_fold_has_rates_of_its_own(frame: pd.DataFrame, loss: str) -> None:
    far = searched(frame, loss, cv=3, iterations=300).cross_validation
    near = searched(frame, loss, cv=3, iterations=12, optimizer="newton", learning_rate=1.0).cross_validation
    assert far.costs == pytest.approx(near.costs, rel=1e-6)
