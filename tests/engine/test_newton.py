"""Newton's method with a penalty, on logistic and Huber costs written out in the test."""

import numpy as np
import pandas as pd
import pytest

from gdcli.api import fit_data as fit
from gdcli.engine import newton
from gdcli.engine.lasso import corner_gap
from gdcli.engine.objective import Point
from gdcli.engine.penalty import Penalty, penalized_curved

NOTHING = np.zeros((0, 4))


class PlainLogistic:
    """mean ln(1 + eᶻ) − y·z over a few rows."""

    def __init__(self, seed: int, collinear: bool = False, separated: bool = False) -> None:
        random = np.random.default_rng(seed)
        self.X = np.column_stack([np.ones(60), random.normal(size=(60, 3))])
        if collinear:
            self.X[:, 3] = 2.0 * self.X[:, 1]
        chance = self.X @ [0.3, 1.0, -0.7, 0.0]
        self.y = ((chance if separated else chance + random.logistic(size=60)) > 0).astype(float)

    def value(self, theta: np.ndarray) -> np.ndarray:
        z = self.X @ theta
        return np.asarray((np.logaddexp(0.0, z) - self.y * z).mean())

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        return self.X.T @ (1.0 / (1.0 + np.exp(-self.X @ theta)) - self.y) / len(self.y)

    def at(self, theta: np.ndarray) -> Point:
        return Point(theta, self.value(theta), self.gradient(theta))

    def hessian(self, theta: np.ndarray, above: bool = False) -> np.ndarray:
        probability = 1.0 / (1.0 + np.exp(-self.X @ theta))
        weight = np.full(len(self.y), 0.25) if above else probability * (1.0 - probability)
        return (self.X.T * weight) @ self.X / len(self.y)


class PlainHuber(PlainLogistic):
    """The mean of ½r² for |r| ≤ 0.1 and 0.1·(|r| − 0.05) outside: far from its minimum no row has a curvature."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.y = 40.0 + self.X @ [0.0, 3.0, 0.1, -2.0] + np.random.default_rng(seed).normal(size=60)

    def value(self, theta: np.ndarray) -> np.ndarray:
        r = np.abs(self.X @ theta - self.y)
        return np.asarray(np.where(r <= 0.1, 0.5 * r * r, 0.1 * (r - 0.05)).mean())

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        return self.X.T @ np.clip(self.X @ theta - self.y, -0.1, 0.1) / len(self.y)

    def hessian(self, theta: np.ndarray, above: bool = False) -> np.ndarray:
        r = np.abs(self.X @ theta - self.y)
        weight = 0.1 / np.maximum(r, 0.1) if above else (r <= 0.1).astype(float)
        return (self.X.T * weight) @ self.X / len(self.y)


def proximal_descent(plain: PlainLogistic, l2: float, l1: float, rate: float, iterations: int) -> np.ndarray:
    """θ ← S(θ − η∇, η·B), until it moves no more."""
    theta, each = np.zeros(4), np.array([0.0, 1.0, 1.0, 1.0])
    for _ in range(iterations):
        moved = theta - rate * (plain.gradient(theta) + 2.0 * l2 * each * theta)
        theta, before = np.sign(moved) * np.maximum(np.abs(moved) - rate * l1 * each, 0.0), theta
        if np.abs(theta - before).max() < 1e-16 * np.abs(theta).max():
            break
    return theta


def found(plain: PlainLogistic, l2: float, l1: float, null_space: np.ndarray = NOTHING) -> newton.Minimum:
    penalty = Penalty(l2, l1)
    best = newton.newton_minimum(penalized_curved(plain, penalty), np.zeros(4), null_space, penalty)
    assert best is not None
    return best


@pytest.mark.parametrize(("l2", "l1"), [(0.1, 0.0), (0.0, 0.05), (0.02, 0.1), (0.0, 1.0)])
@pytest.mark.parametrize("plain", [PlainLogistic(1), PlainHuber(2)], ids=["logistic", "huber"])
def test_the_minimum_is_that_of_a_long_proximal_descent(plain: PlainLogistic, l2: float, l1: float) -> None:
    best, expected = found(plain, l2, l1), proximal_descent(plain, l2, l1, 0.6, 40_000)
    assert best.theta == pytest.approx(expected, rel=1e-9, abs=1e-11)
    assert (best.theta[1:] == 0).tolist() == (expected[1:] == 0).tolist()


@pytest.mark.parametrize("l2", [0.0, 0.03])
@pytest.mark.parametrize("plain", [PlainLogistic(3), PlainHuber(4), PlainLogistic(5, separated=True)])
def test_the_conditions_of_a_minimum_with_corners_hold_to_rounding(plain: PlainLogistic, l2: float) -> None:
    l1 = 0.02
    theta = found(plain, l2, l1).theta
    gradient = plain.gradient(theta) + 2.0 * l2 * theta * [0.0, 1.0, 1.0, 1.0]
    assert gradient[0] == pytest.approx(0.0, abs=1e-13)
    zero = theta[1:] == 0
    assert gradient[1:][~zero] == pytest.approx(-l1 * np.sign(theta[1:][~zero]), rel=1e-10)
    assert np.abs(gradient[1:][zero]).max(initial=0.0) <= l1


def test_a_ridge_gives_separated_classes_an_optimum() -> None:
    plain = PlainLogistic(5, separated=True)
    best = found(plain, 0.01, 0.0)
    assert best.theta == pytest.approx(proximal_descent(plain, 0.01, 0.0, 1.0, 20_000), rel=1e-9)
    assert np.abs(best.step).max() < 1e-12


def test_of_collinear_columns_the_longer_one_bears_the_lasso() -> None:
    plain = PlainLogistic(6, collinear=True)
    null_space = np.array([[0.0, 2.0, 0.0, -1.0]]) / np.sqrt(5.0)
    theta = found(plain, 0.0, 0.05, null_space).theta
    assert theta == pytest.approx(proximal_descent(plain, 0.0, 0.05, 0.5, 40_000), rel=1e-8, abs=1e-10)
    assert theta[1] == 0.0 != theta[3]


@pytest.mark.parametrize(("l2", "l1"), [(0.05, 0.0), (0.0, 0.05), (0.02, 0.1)])
def test_the_gap_near_the_minimum_is_the_difference_of_costs(l2: float, l1: float) -> None:
    plain, penalty = PlainLogistic(7), Penalty(l2, l1)
    best = found(plain, l2, l1)
    off = np.array([1e-4, -2e-4, 1e-4, 3e-4])
    theta = best.theta + off
    gap = 0.5 * off @ best.hessian @ off + corner_gap(penalty, theta, best.theta, best.gradient)
    whole = penalized_curved(plain, penalty)
    assert gap == pytest.approx(float(whole.value(theta) - whole.value(best.theta)), rel=1e-3)


def test_a_first_step_with_hubers_loss_is_no_worse_than_reweighted_least_squares() -> None:
    # Few rows have curvature at the start, so that Newton's own step has to be halved.
    for seed in range(6):
        random = np.random.default_rng(seed)
        x, near = random.normal(size=40), random.random(40) < 0.2
        y = np.where(near, random.normal(0, 0.3, 40), 6 + 3 * x + random.normal(0, 0.5, 40))
        found = fit(pd.DataFrame({"x": x, "y": y}), target="y", loss="huber:1", optimizer="newton", iterations=1)
        A, root = np.column_stack([np.ones(40), x]), np.sqrt(np.minimum(1.0, 1.0 / np.abs(y)))
        left = np.abs(y - A @ np.linalg.lstsq(A * root[:, np.newaxis], y * root, rcond=None)[0])
        expected = np.where(left <= 1.0, left**2 / 2, left - 0.5).mean()
        assert found.cost is not None
        assert found.cost <= expected * (1 + 1e-9)
