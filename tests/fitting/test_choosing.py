"""Several penalties with --cv: the best is fitted, from the same pass over the data."""

import json
from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest

from gdcli import api
from gdcli.api import fit_data as fit
from gdcli.base.errors import UsageError
from gdcli.fitting import lanes
from tests.oracles.penalties import FEATURES, HOUSING, Standardized, solved, standardized

L2, L1, FOLDS = (0.0, 0.003, 1.0), (0.0, 0.02), 4
ASKED = (HOUSING, "--target", "price", *(word for name in FEATURES for word in ("-x", name)), "--lr", 0.05)


@cache
def validation_cost(l2: float, l1: float) -> float:
    """The mean over the folds of the mean squared error of what the other folds' optimum predicts."""
    whole = standardized()
    X, y = whole.Z * whole.widths + whole.means, whole.t * whole.unit
    # The draws as documented: one block of one file, seed 0.
    fold = (np.random.Generator(np.random.Philox(key=0, counter=[0, 0, 0, 0])).random(len(y)) * FOLDS).astype(int)
    costs = []
    for i in range(FOLDS):
        rest, held = fold != i, fold == i
        means, widths, unit = X[rest].mean(axis=0), X[rest].std(axis=0, ddof=1), y[rest].std(ddof=1)
        train = Standardized((X[rest] - means) / widths, y[rest] / unit, widths, means, unit)
        predicted = y[rest].mean() + unit * ((X[held] - means) / widths) @ solved(train, l2, l1)
        costs.append(float(((y[held] - predicted) ** 2).mean()))
    return float(np.mean(costs))


def test_the_penalty_of_the_lowest_validation_cost_is_fitted(gdfit: Callable[..., Any]) -> None:
    values = [word for name, given in (("--l2", L2), ("--l1", L1)) for value in given for word in (name, value)]
    found = json.loads(gdfit(*ASKED, *values, "--cv", FOLDS, "-n", 2000, "--format", "json").out)
    tried = found["cross_validation"]["penalties"]
    expected = {(l2, l1): validation_cost(l2, l1) for l2, l1 in product(L2, L1)}
    assert [(one["l2"], one["l1"]) for one in tried] == list(expected)
    assert [one["mean"] for one in tried] == pytest.approx(list(expected.values()), rel=1e-6)
    best = min(expected, key=lambda pair: expected[pair])
    assert best != (0.0, 0.0)
    assert (found["penalty"]["l2"], found["penalty"]["l1"]) == best
    data, widths = standardized(), standardized().widths
    slopes = np.array([row["optimum"] for row in found["coefficients"]]) * widths / data.unit
    assert slopes == pytest.approx(solved(data, *best), rel=1e-9, abs=1e-12)


def test_with_newtons_method_penalties_too_many_for_the_memory_are_tried_in_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lanes, "_MOST_CURVATURES", 2 * FOLDS * (len(FEATURES) + 1) ** 2)  # two of the three at once
    options = {"optimizer": "newton", "learning_rate": 1.0, "iterations": 2}
    result = fit(str(HOUSING), target="price", features=FEATURES, l2=L2, cv=FOLDS, **options)
    assert result.cross_validation is not None
    tried = result.cross_validation.penalties
    assert [one.l2 for one in tried] == list(L2)
    assert [one.mean for one in tried] == pytest.approx([validation_cost(l2, 0.0) for l2 in L2], rel=1e-9)


def test_the_data_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read, calls = api.read_noted, []
    monkeypatch.setattr(api, "read_noted", lambda *words: calls.append(words) or read(*words))
    result = fit(str(HOUSING), target="price", l2=(0.0, 0.1, 1.0), cv=3, iterations=5)
    assert len(calls) == 1
    assert result.cross_validation is not None
    assert len(result.cross_validation.penalties) == 3


def test_a_penalty_that_makes_the_rate_unstable_is_not_chosen(gdfit: Callable[..., Any]) -> None:
    done = gdfit(*ASKED, "--l2", 100, "--l2", 0.1, "--cv", 3, "-n", 50)
    assert done.code == 0
    lines = [line.split() for line in done.out.splitlines()]
    assert ["100", "too", "large", "for", "this", "rate"] in lines
    assert [line[-1] for line in lines if line and line[0] == "0.1"] == ["chosen"]


def test_the_best_rate_is_taken_for_each_penalty_with_auto() -> None:
    result = fit(str(HOUSING), target="price", features=FEATURES, l2=(0.0, 50.0), cv=3, learning_rate="auto")
    assert result.cross_validation is not None
    assert all(one.mean is not None for one in result.cross_validation.penalties)


def test_several_penalties_without_folds_are_wrong_usage(gdfit: Callable[..., Any]) -> None:
    done = gdfit(*ASKED, "--l2", 0, "--l2", 1)
    assert (done.code, done.out) == (2, "")
    assert "add --cv K" in done.err
    with pytest.raises(UsageError, match="--l1 is given 2 times"):
        fit(str(HOUSING), target="price", l1=(0.1, 0.2))


def test_one_penalty_with_folds_lists_none_to_choose_from() -> None:
    result = fit(str(HOUSING), target="price", l2=0.1, cv=3, iterations=5)
    assert result.cross_validation is not None
    assert result.cross_validation.penalties == ()


def test_of_several_learning_rates_the_one_with_the_lowest_validation_cost_is_chosen(csv_file) -> None:
    random = np.random.default_rng(3)
    a, b = random.normal(size=(2, 60))
    path = csv_file(
        "y,a,b\n" + "\n".join(f"{p - q},{p},{q}" for p, q in zip(a, b + random.normal(size=60), strict=True))
    )
    common = {"target": "y", "cv": 3, "iterations": 15}
    rates = (0.001, 0.3, 0.02)
    alone = [fit(path, **common, learning_rate=rate) for rate in rates]
    means = [one.cross_validation.mean for one in alone]
    chosen = fit(path, **common, learning_rate=rates)
    assert [one.mean for one in chosen.cross_validation.penalties] == means
    assert [one.learning_rate for one in chosen.cross_validation.penalties] == list(rates)
    assert chosen.descent.learning_rate == rates[means.index(min(means))]
    both = fit(path, **common, learning_rate=rates, l2=(0.0, 0.5))
    assert len(both.cross_validation.penalties) == 6
