"""Penalties with the other losses, against proximal descents written out and the conditions of a minimum."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from gdcli.api import fit_data as fit
from gdcli.base.errors import UsageError
from gdcli.fitting.results import Fit

N, DELTA = 300, 0.8
TARGETS = {"huber:0.8": "number", "logistic": "answer", "poisson": "count"}
BOUNDS = {"huber:0.8": 1.0, "logistic": 0.25}
PENALTIES = [(0.03, 0.0), (0.0, 0.05), (0.02, 0.02), (0.0, 10.0)]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N, 3)) * [3.0, 0.2, 1.0] + [50.0, 0.0, -7.0]
    z = 0.3 * (X[:, 0] - 50.0) - 2.0 * X[:, 1] + 0.4
    return pd.DataFrame(
        {
            "a": X[:, 0],
            "b": X[:, 1],
            "noise": X[:, 2],
            "number": 10.0 + z + rng.standard_t(2, size=N),
            "answer": (rng.random(N) < expit(z)).astype(float),
            "count": rng.poisson(np.exp(0.5 * z)).astype(float),
        }
    )


class Plain:
    """The scaled problem of a loss: ``Z`` (n, 4) with a column of ones first, ``y`` as in the file, z = unit·Zθ."""

    def __init__(self, frame: pd.DataFrame, word: str) -> None:
        X, self.y, self.word = frame[["a", "b", "noise"]].to_numpy(), frame[TARGETS[word]].to_numpy(), word
        self.means, self.widths = X.mean(axis=0), X.std(axis=0, ddof=1)
        self.Z = np.column_stack([np.ones(N), (X - self.means) / self.widths])
        self.unit = float(self.y.std(ddof=1)) if word.startswith("huber") else 1.0

    def loss(self, theta: np.ndarray) -> float:
        z = self.unit * self.Z @ theta
        if self.word == "logistic":
            return float((np.logaddexp(0.0, z) - self.y * z).mean())
        if self.word == "poisson":
            return float((np.exp(z) - self.y + self.y * (np.log(np.maximum(self.y, 1)) - z)).mean())
        r = np.abs(self.y - z)
        return float(np.where(r <= DELTA, r * r / 2, DELTA * (r - DELTA / 2)).mean())

    def cost(self, theta: np.ndarray, l2: float, l1: float) -> float:
        slopes = theta[1:]
        return self.loss(theta) + (l2 * slopes @ slopes + l1 * np.abs(slopes).sum()) * self.unit**2

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        z = self.unit * self.Z @ theta
        mean = {"logistic": expit, "poisson": np.exp}.get(self.word)
        slope = np.clip(z - self.y, -DELTA, DELTA) if mean is None else mean(z) - self.y
        return self.Z.T @ slope / N / self.unit

    def descended(self, l2: float, l1: float, rate: float, iterations: int) -> np.ndarray:
        """θ ← S(θ − η∇, η·B), from zero, until it moves no more."""
        theta, each = np.zeros(4), np.array([0.0, 1.0, 1.0, 1.0])
        for _ in range(iterations):
            moved = theta - rate * (self.gradient(theta) + 2.0 * l2 * each * theta)
            theta, before = np.sign(moved) * np.maximum(np.abs(moved) - rate * l1 * each, 0.0), theta
            if np.abs(theta - before).max() < 1e-16 * np.abs(theta).max():
                break
        return theta

    def scaled(self, result: Fit, what: str) -> np.ndarray:
        """θ of a result, whose coefficients are in file units."""
        assert result.intercept is not None
        slopes = np.array([getattr(c, what) for c in result.coefficients])
        c = getattr(result.intercept, what) + slopes @ self.means
        return np.array([c, *(slopes * self.widths)]) / self.unit


def fitted(frame: pd.DataFrame, word: str, l2: float, l1: float, **options: Any) -> Fit:
    return fit(frame, target=TARGETS[word], features=["a", "b", "noise"], loss=word, l2=l2, l1=l1, **options)


@pytest.mark.parametrize(("l2", "l1"), PENALTIES)
@pytest.mark.parametrize("word", TARGETS)
def test_the_optimum_is_that_of_a_long_proximal_descent(frame: pd.DataFrame, word: str, l2: float, l1: float) -> None:
    plain, result = Plain(frame, word), fitted(frame, word, l2, l1, iterations=0)
    expected = plain.descended(l2, l1, 0.3, 6000)
    found = plain.scaled(result, "optimum")
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-10)
    assert [c.optimum == 0 for c in result.coefficients] == (expected[1:] == 0).tolist()
    assert result.optimum.cost == pytest.approx(plain.cost(expected, l2, l1), rel=1e-10)


@pytest.mark.parametrize(("l2", "l1"), [(0.0, 0.05), (0.02, 0.02), (0.0, 10.0)])
@pytest.mark.parametrize("word", TARGETS)
def test_the_conditions_of_a_minimum_hold_at_the_optimum(frame: pd.DataFrame, word: str, l2: float, l1: float) -> None:
    plain = Plain(frame, word)
    theta = plain.scaled(fitted(frame, word, l2, l1, iterations=0), "optimum")
    gradient = plain.gradient(theta) + 2.0 * l2 * theta * [0.0, 1.0, 1.0, 1.0]
    zero = theta[1:] == 0
    assert gradient[0] == pytest.approx(0.0, abs=1e-10)
    assert gradient[1:][~zero] == pytest.approx(-l1 * np.sign(theta[1:][~zero]), rel=1e-8)
    assert np.abs(gradient[1:][zero]).max(initial=0.0) <= l1


@pytest.mark.parametrize(("l2", "l1"), PENALTIES[:3])
@pytest.mark.parametrize("word", TARGETS)
def test_every_iteration_and_its_gap_are_those_of_a_plain_loop(
    frame: pd.DataFrame, word: str, l2: float, l1: float
) -> None:
    plain = Plain(frame, word)
    result = fitted(frame, word, l2, l1, learning_rate=0.2, iterations=12, every=4)
    best = plain.cost(plain.descended(l2, l1, 0.3, 6000), l2, l1)
    assert [row.iteration for row in result.trace] == [0, 4, 8, 12]
    for row in result.trace:
        theta = plain.descended(l2, l1, 0.2, row.iteration)
        assert np.array(row.slopes) == pytest.approx(theta[1:] * plain.unit / plain.widths, rel=1e-9, abs=1e-14)
        assert row.cost == pytest.approx(plain.cost(theta, l2, l1), rel=1e-12)
        assert row.gap == pytest.approx(plain.cost(theta, l2, l1) - best, rel=1e-6, abs=1e-12)
    assert result.penalty is not None
    assert result.penalty.mean_loss == pytest.approx(plain.loss(theta), rel=1e-12)


@pytest.mark.parametrize("word", TARGETS)
def test_a_gap_keeps_its_digits_where_the_costs_agree_in_almost_all_of_theirs(frame: pd.DataFrame, word: str) -> None:
    plain, l1, off = Plain(frame, word), 0.2, 1e-11
    best = plain.descended(0.0, l1, 0.3, 6000)
    assert best[3] == 0.0
    # Off along the slope of the noise, which is zero, the cost rises as a line.
    theta = best + off * np.array([0.0, 0.0, 0.0, 1.0])
    m = theta[1:] * plain.unit / plain.widths
    start = dict(zip(["a", "b", "noise"], m.tolist(), strict=True)) | {
        "c": float(theta[0] * plain.unit - m @ plain.means)
    }
    result = fitted(frame, word, 0.0, l1, iterations=0, start=start)
    rise = (l1 + plain.gradient(best)[3]) * off * plain.unit**2
    assert result.optimum.gap == pytest.approx(rise, rel=1e-4)


@pytest.mark.parametrize(("l2", "l1"), PENALTIES[:3])
@pytest.mark.parametrize("word", TARGETS)
def test_the_automatic_rate_converges_and_slopes_become_exactly_zero(
    frame: pd.DataFrame, word: str, l2: float, l1: float
) -> None:
    plain = Plain(frame, word)
    result = fitted(frame, word, l2, l1, learning_rate="auto", iterations=600)
    assert result.descent.converged
    values, best = plain.scaled(result, "value"), plain.scaled(result, "optimum")
    assert values == pytest.approx(best, rel=1e-6, abs=1e-9)
    assert (values[1:] == 0).tolist() == (best[1:] == 0).tolist()
    assert result.optimum.gap == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("word", BOUNDS)
def test_the_bound_on_the_curvature_has_the_ridge_in_it(frame: pd.DataFrame, word: str) -> None:
    plain, A = Plain(frame, word), 0.3
    H = BOUNDS[word] * plain.Z.T @ plain.Z / N + 2.0 * A * np.diag([0.0, 1.0, 1.0, 1.0])
    L = np.linalg.eigvalsh(H)[-1]
    assert np.linalg.eigvalsh(BOUNDS[word] * plain.Z.T @ plain.Z / N)[-1] + 2.0 * A == pytest.approx(L, rel=1e-12)
    for l1 in (0.0, 0.01):
        rate = fitted(frame, word, A, l1, learning_rate="auto", iterations=1).learning_rate
        assert rate.given == pytest.approx(1.0 / L, rel=1e-12)
        assert rate.largest_stable == pytest.approx(2.0 / L, rel=1e-12)
        assert rate.bound


@pytest.mark.parametrize("rate", [1.0, "search"])
@pytest.mark.parametrize("word", TARGETS)
def test_newtons_method_comes_to_the_penalised_optimum(frame: pd.DataFrame, word: str, rate: float | str) -> None:
    result = fitted(frame, word, 0.03, 0.0, optimizer="newton", learning_rate=rate, iterations=12)
    assert [c.value for c in result.coefficients] == pytest.approx([c.optimum for c in result.coefficients], rel=1e-9)
    costs = [row.cost for row in result.trace]
    assert all(later <= earlier * (1 + 1e-12) for earlier, later in pairwise(costs))


@pytest.mark.parametrize("penalty", [{"l2": 0.01}, {"l1": 0.01}], ids=str)
def test_separated_classes_have_an_optimum_with_a_penalty(penalty: dict[str, float]) -> None:
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": ["a", "a", "b", "b"]})
    result = fit(table, target="y", loss="logistic", learning_rate="auto", iterations=2000, **penalty)
    x = (table["x"].to_numpy() - 2.5) / table["x"].std()
    assert result.descent.converged
    beta = (result.coefficients[0].optimum or 0.0) * table["x"].std()
    pull = float((x * (expit(beta * x) - np.array([0, 0, 1, 1]))).mean())  # c = −2.5·m, by symmetry
    assert pull + 2.0 * penalty.get("l2", 0.0) * beta + penalty.get("l1", 0.0) == pytest.approx(0.0, abs=1e-10)


def test_hubers_usual_delta_is_that_of_unpenalised_least_squares(frame: pd.DataFrame) -> None:
    deltas = {fit(frame, target="number", loss="huber", l2=A, iterations=0).parameter for A in (0.0, 0.1, 5.0)}
    assert len(deltas) == 1


@pytest.mark.parametrize("word", TARGETS)
def test_the_rows_held_out_are_judged_without_the_penalty(frame: pd.DataFrame, word: str) -> None:
    options: dict[str, Any] = {"holdout": 0.3, "iterations": 0, "start": {"a": 0.1}}
    plain, penalised = (fitted(frame, word, l2, l1, **options) for l2, l1 in ((0.0, 0.0), (3.0, 2.0)))
    assert penalised.holdout == plain.holdout
    assert (penalised.cost or 0.0) > (plain.cost or 0.0)


@pytest.mark.parametrize("word", TARGETS)
def test_patience_keeps_the_best_iteration_of_a_penalised_descent(frame: pd.DataFrame, word: str) -> None:
    rows = pd.concat([frame[["a", "b", "noise"]], frame[[TARGETS[word]]]], axis=1)[:80]
    rows = rows.assign(**{f"n{i}": np.random.default_rng(i).normal(size=80) for i in range(12)})
    result = fit(
        rows, target=TARGETS[word], loss=word, l2=1e-4, holdout=0.5, patience=30, learning_rate=0.3, iterations=3000
    )
    assert result.holdout is not None
    assert result.descent.stopped.value == "patience"
    assert result.holdout.kept == result.holdout.best_iteration == result.descent.iterations - 30
    assert result.holdout.cost == result.holdout.best_cost


@pytest.mark.parametrize("words", [("--l2", 0.1), ("--l1", 0.02), ("--l1", 0.02, "--l2", 0.1)], ids=str)
@pytest.mark.parametrize("word", TARGETS)
def test_a_resumed_descent_goes_on_and_predicts_as_if_it_had_never_stopped(
    gdfit: Callable[..., Any], tmp_path: Path, frame: pd.DataFrame, word: str, words: tuple[Any, ...]
) -> None:
    frame.to_csv(data := tmp_path / "t.csv", index=False)
    model, whole = tmp_path / "model.json", tmp_path / "whole.json"
    asked = (data, "-t", TARGETS[word], "-x", "a", "-x", "b", "--loss", word, "--lr", "auto", "--format", "json")
    one = json.loads(gdfit(*asked, *words, "-n", 15, "--save", whole).out)
    gdfit(*asked, *words, "-n", 9, "--save", model)
    two = json.loads(gdfit(data, "--resume", model, "-n", 6, "--format", "json", "--save", model).out)
    assert two["coefficients"] == one["coefficients"]
    assert (two["cost"], two["penalty"]) == (one["cost"], one["penalty"])
    assert gdfit("predict", model, data).out == gdfit("predict", whole, data).out
    score, other = (json.loads(gdfit("score", saved, data, "--format", "json").out) for saved in (model, whole))
    assert score == other | {"model": score["model"]}
    if word == "logistic":
        assert score["log_loss"] == pytest.approx(two["penalty"]["mean_loss"], rel=1e-9)


def test_the_table_says_what_the_penalty_costs(gdfit: Callable[..., Any], tmp_path: Path, frame: pd.DataFrame) -> None:
    frame.to_csv(data := tmp_path / "t.csv", index=False)
    words = (data, "-t", "answer", "-x", "a", "-x", "b", "-x", "noise", "--loss", "logistic", "--l1", 0.05)
    done = gdfit(*words, "--lr", "auto", "--digits", 8)
    plain = Plain(frame, "logistic")
    slopes = plain.descended(0.0, 0.05, 0.3, 6000)[1:]
    (line,) = [line for line in done.out.splitlines() if line.startswith("penalty")]
    share, said = line.split(maxsplit=1)[1].split(" of the cost, ")
    assert float(share) == pytest.approx(0.05 * np.abs(slopes).sum(), rel=1e-6)
    assert said == f"from l1 0.05; {np.count_nonzero(slopes == 0)} of 3 slopes are 0"


def test_proximal_steps_go_with_plain_descent_only(frame: pd.DataFrame) -> None:
    with pytest.raises(UsageError, match="the optimizer gd only"):
        fitted(frame, "logistic", 0.0, 0.1, optimizer="newton")
