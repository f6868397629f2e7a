"""--l2 and --l1 on the command line, in saved models and along the other commands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.oracles.penalties import FEATURES, HOUSING, cost, descended, solved, standardized

ASKED = (HOUSING, "--target", "price", *(word for name in FEATURES for word in ("-x", name)), "--lr", 0.05)


def test_the_table_says_what_the_penalty_costs_and_how_many_slopes_are_zero(gdfit: Callable[..., Any]) -> None:
    done = gdfit(*ASKED, "--l1", 0.3, "--l2", 0.01, "-n", 2000)
    data = standardized()
    slopes = solved(data, 0.01, 0.3)
    penalty = (0.01 * (slopes**2).sum() + 0.3 * abs(slopes).sum()) * data.unit**2
    zeros = np.count_nonzero(slopes == 0)
    (line,) = [line for line in done.out.splitlines() if line.startswith("penalty")]
    assert (
        line.split(maxsplit=1)[1] == f"{penalty:,.0f} of the cost, from l2 0.01 and l1 0.3; {zeros} of 5 slopes are 0"
    )
    assert "Converged" in done.out


def test_the_json_has_the_penalty_and_the_mean_squared_error(gdfit: Callable[..., Any]) -> None:
    done = json.loads(gdfit(*ASKED, "--l2", 0.1, "-n", 50, "--format", "json").out)
    data = standardized()
    c, slopes = descended(data, 0.1, 0.0, 0.05, 50)[-1]
    assert done["penalty"] == {
        "l2": 0.1,
        "l1": 0.0,
        "mean_squared_error": pytest.approx(cost(data, slopes, c, 0.0, 0.0), rel=1e-11),
        "mean_loss": pytest.approx(cost(data, slopes, c, 0.0, 0.0), rel=1e-11),
    }
    assert done["cost"] == pytest.approx(cost(data, slopes, c, 0.1, 0.0), rel=1e-11)
    assert json.loads(gdfit(*ASKED, "-n", 1, "--format", "json").out)["penalty"] is None


@pytest.mark.parametrize("penalty", [("--l2", 0.1), ("--l1", 0.2), ("--l1", 0.2, "--l2", 0.1)])
def test_a_resumed_descent_keeps_its_penalty(gdfit: Callable[..., Any], tmp_path: Path, penalty: tuple[Any]) -> None:
    whole = json.loads(gdfit(*ASKED, *penalty, "-n", 50, "--format", "json").out)
    gdfit(*ASKED, *penalty, "-n", 20, "--save", tmp_path / "model.json")
    rest = json.loads(gdfit(*ASKED, "--resume", tmp_path / "model.json", "-n", 30, "--format", "json").out)
    assert rest["coefficients"] == whole["coefficients"]
    assert (rest["cost"], rest["penalty"]) == (whole["cost"], whole["penalty"])
    other = gdfit(*ASKED, "--resume", tmp_path / "model.json", "--l2", 7)
    assert (other.code, "the model was fitted with --l2" in other.err) == (2, True)


def test_a_sweep_descends_on_the_penalised_cost(gdfit: Callable[..., Any]) -> None:
    done = json.loads(gdfit("sweep", *ASKED, "--l2", 0.1, "-n", 40, "--format", "json").out)
    data = standardized()
    c, slopes = descended(data, 0.1, 0.0, 0.05, 40)[-1]
    (rate,) = done["rates"]
    assert rate["cost"] == pytest.approx(cost(data, slopes, c, 0.1, 0.0), rel=1e-11)


def test_a_sweep_with_an_l1_penalty_counts_the_iterations_that_it_cannot_foresee(gdfit: Callable[..., Any]) -> None:
    words = ("sweep", *ASKED, "--l1", 0.3, "--lr", 0.003, "--lr", 2.5, "-n", 200)
    done = json.loads(gdfit(*words, "--format", "json").out)
    data = standardized()
    best = cost(data, solved(data, 0.0, 0.3), float(data.t.mean()), 0.0, 0.3)
    slow, usual, wild = done["rates"]
    for rate in (slow, usual):
        costs = [cost(data, slopes, c, 0.0, 0.3) for c, slopes in descended(data, 0.0, 0.3, rate["learning_rate"], 200)]
        within = [k for k, value in enumerate(costs) if value <= 1.01 * best]
        assert rate["cost"] == pytest.approx(costs[-1], rel=1e-11)
        assert rate["iterations_to_1_percent"] == (within[0] if within else None)
    assert slow["iterations_to_1_percent"] is None
    assert usual["best"]
    assert (wild["cost"], wild["diverged_at"] is not None) == (None, True)
    assert (done["best"], done["best_iterations"], {rate["behaviour"] for rate in done["rates"]}) == (
        None,
        None,
        {None},
    )
    table = gdfit(*words)
    assert "With an l1 penalty no more is known beforehand." in table.out
    assert "Of the rates shown 0.05 gets there first." in table.out


def test_a_sweep_with_an_l1_penalty_chooses_rates_around_the_largest_stable(gdfit: Callable[..., Any]) -> None:
    largest = json.loads(gdfit("sweep", HOUSING, "-t", "price", "-n", 1, "--format", "json").out)["largest_stable"]
    done = json.loads(gdfit("sweep", HOUSING, "-t", "price", "--l1", 0.3, "-n", 1, "--format", "json").out)
    assert done["largest_stable"] == pytest.approx(largest, rel=1e-12)
    rates = [rate["learning_rate"] for rate in done["rates"]]
    assert len(rates) == 6
    assert rates[-2] < largest < rates[-1]


def test_the_validation_cost_is_without_the_penalty(gdfit: Callable[..., Any]) -> None:
    plain = gdfit(*ASKED, "--holdout", 0.3, "-n", 0, "--start", "sqft=100", "--format", "json")
    penalised = gdfit(
        *ASKED, "--holdout", 0.3, "-n", 0, "--start", "sqft=100", "--l2", 3, "--l1", 2, "--format", "json"
    )
    one, other = json.loads(plain.out), json.loads(penalised.out)
    assert other["holdout"] == one["holdout"]
    assert other["cost"] > 2 * one["cost"]


def test_folds_are_descended_on_with_the_penalty_and_judged_without(gdfit: Callable[..., Any]) -> None:
    rows = {}
    for penalty in ((), ("--l1", 1000.0)):
        done = json.loads(gdfit(*ASKED, "--cv", 3, "-n", 2000, *penalty, "--format", "json").out)
        rows[penalty] = done["cross_validation"]
    data = standardized()
    # With all slopes at zero the prediction is the mean: what is left is the variance, in each fold.
    folds = rows["--l1", 1000.0]
    total = sum(n * mse for n, mse in zip(folds["rows"], folds["costs"], strict=True)) / sum(folds["rows"])
    assert total == pytest.approx(float((data.t * data.unit).var()), rel=0.01)
    assert rows[()]["mean"] < 0.6 * total


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--l2", "-1"), "--l2 takes a number of 0 or more"),
        (("--l1", "nan"), "not a finite number"),
        (("--l1", "0.1", "--optimizer", "momentum"), "proximal steps"),
    ],
)
def test_a_penalty_that_cannot_be_is_wrong_usage(gdfit: Callable[..., Any], words: tuple[str], said: str) -> None:
    done = gdfit(HOUSING, "--target", "price", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
