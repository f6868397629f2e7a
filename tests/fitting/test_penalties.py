"""Penalised fits against coordinate descent and a plain loop."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli.api import fit_data as fit
from gdcli.base.errors import UsageError
from gdcli.engine.lasso import gap, lasso_minimum
from gdcli.engine.penalty import Penalty, penalized, ridge
from gdcli.engine.quadratic import Quadratic, SquaredError
from gdcli.fitting.results import Fit
from tests.oracles.penalties import FEATURES, HOUSING, cost, descended, solved, standardized

PENALTIES = [(0.1, 0.0), (1e-6, 0.0), (30.0, 0.0), (0.0, 0.1), (0.0, 1e-6), (0.0, 5.0), (0.01, 0.3), (0.2, 0.02)]
RATE = 0.05


def housing(l2: float, l1: float, **options: Any) -> Fit:
    options = {"learning_rate": RATE, "iterations": 100} | options
    return fit(str(HOUSING), target="price", features=FEATURES, l2=l2, l1=l1, **options)


def slopes(result: Fit, what: str = "optimum") -> np.ndarray:
    return np.array([getattr(coefficient, what) for coefficient in result.coefficients])


@pytest.mark.parametrize(("l2", "l1"), PENALTIES)
def test_the_optimum_is_that_of_coordinate_descent(l2: float, l1: float) -> None:
    data, result = standardized(), housing(l2, l1)
    expected = solved(data, l2, l1)
    assert slopes(result) * data.widths / data.unit == pytest.approx(expected, rel=1e-10, abs=1e-12)
    assert (slopes(result) == 0).tolist() == (expected == 0).tolist()
    mean = float(data.t.mean())
    assert result.optimum.cost == pytest.approx(cost(data, expected, mean, l2, l1), rel=1e-12)
    assert result.intercept is not None
    c = data.unit * (mean - (expected / data.widths) @ data.means)
    assert result.intercept.optimum == pytest.approx(c, rel=1e-9)


@pytest.mark.parametrize(("l2", "l1"), PENALTIES)
def test_every_iteration_is_that_of_a_plain_loop(l2: float, l1: float) -> None:
    data, rate = standardized(), min(RATE, 0.9 / (2.0 + l2))
    result = housing(l2, l1, learning_rate=rate, iterations=30, every=1)
    best, mean = solved(data, l2, l1), float(data.t.mean())
    for row, (c, expected) in zip(result.trace, descended(data, l2, l1, rate, 30), strict=True):
        assert np.array(row.slopes) * data.widths / data.unit == pytest.approx(expected, rel=1e-9, abs=1e-14)
        assert row.cost == pytest.approx(cost(data, expected, c, l2, l1), rel=1e-12)
        above = cost(data, expected, c, l2, l1) - cost(data, best, mean, l2, l1)
        assert row.gap == pytest.approx(above, rel=1e-6, abs=1e-10 * result.optimum.cost)


def test_slopes_become_exactly_zero_and_the_fit_converges() -> None:
    result = housing(0.0, 0.3, iterations=2000)
    assert result.descent.converged
    assert slopes(result, "value")[1:4].tolist() == [0.0, 0.0, 0.0]
    assert slopes(result, "value")[[0, 4]] == pytest.approx(slopes(result)[[0, 4]], rel=1e-9)


def test_the_rmse_and_r2_are_without_the_penalty() -> None:
    data, result = standardized(), housing(0.1, 0.05)
    assert result.intercept is not None
    assert result.penalty is not None
    prediction = result.intercept.value + (data.Z * data.widths + data.means) @ slopes(result, "value")
    error = float(((data.t * data.unit - prediction) ** 2).mean())
    assert result.penalty.mean_squared_error == pytest.approx(error, rel=1e-9)
    assert result.rmse == pytest.approx(error**0.5, rel=1e-9)
    assert result.r2 == pytest.approx(1 - error / (data.t * data.unit).var(), rel=1e-9)
    share = (
        0.1 * (standard := slopes(result, "value") * data.widths / data.unit) @ standard + 0.05 * abs(standard).sum()
    )
    assert result.cost == pytest.approx(error + share * data.unit**2, rel=1e-9)


def test_the_forecast_and_the_stable_rate_know_the_ridge() -> None:
    data = standardized()
    H = 2 * (data.Z.T @ data.Z / len(data.t) + 0.5 * np.eye(len(FEATURES)))
    result = housing(0.5, 0.0, learning_rate=0.02, every=1, iterations=200)
    assert result.learning_rate.largest_stable == pytest.approx(2 / np.linalg.eigvalsh(H)[-1], rel=1e-10)
    within = [row.iteration for row in result.trace if row.gap is not None and row.gap <= 0.01 * result.optimum.cost]
    assert result.learning_rate.iterations_to_1_percent == within[0] > 0


def test_a_rate_that_only_the_ridge_makes_unstable_is_called_so() -> None:
    assert not housing(0.0, 0.0, learning_rate=0.3).diverged
    assert housing(10.0, 0.0, learning_rate=0.3).diverged


def test_newton_takes_one_step_to_the_ridge() -> None:
    result = housing(0.1, 0.0, optimizer="newton", learning_rate=1.0, iterations=1)
    assert slopes(result, "value") == pytest.approx(slopes(result), rel=1e-9)


def test_with_an_l1_penalty_nothing_is_foreseen_but_the_largest_stable_rate() -> None:
    rate = housing(0.0, 0.1).learning_rate
    assert (rate.best, rate.behaviour, rate.iterations_to_1_percent) == (None, None, None)
    assert rate.largest_stable == pytest.approx(housing(0.0, 0.0).learning_rate.largest_stable or 0, rel=1e-12)


def test_the_tolerance_is_on_the_whole_cost() -> None:
    result = housing(0.0, 0.1, iterations=5000, tolerance=1e-8)
    assert result.descent.stopped.value == "tolerance"
    assert result.descent.iterations < 5000


def test_without_an_intercept_every_slope_is_penalised() -> None:
    table = pd.read_csv(HOUSING)
    X, y = table[list(FEATURES)].to_numpy(float), table["price"].to_numpy(float)
    W, u = np.sqrt((X**2).mean(axis=0)), np.sqrt((y**2).mean())
    expected = np.linalg.solve((X / W).T @ (X / W) / len(y) + 0.1 * np.eye(X.shape[1]), (X / W).T @ (y / u) / len(y))
    assert slopes(housing(0.1, 0.0, intercept=False)) == pytest.approx(expected * u / W, rel=1e-9)


def test_collinear_columns_share_as_the_ridge_says() -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=50)
    table = pd.DataFrame({"a": x, "b": 2 * x, "y": 3 * x + random.normal(size=50)})
    result = fit(table, target="y", l2=0.1)
    z = (x - x.mean()) / x.std(ddof=1)
    t = table["y"] / table["y"].std()
    each = float(z @ (t - t.mean())) / 50 / (2 * (z @ z) / 50 + 0.1)
    assert [c.standardized for c in fit(table, target="y", l2=0.1, iterations=5000).coefficients] == pytest.approx(
        [each, each], rel=1e-9
    )
    assert slopes(result) * np.array([1, 2]) == pytest.approx(slopes(result)[:1].repeat(2), rel=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_the_minimum_of_more_columns_than_rows_fulfils_its_conditions(seed: int) -> None:
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(8, 12)), random.normal(size=8)
    X[:, 5] = X[:, 1] - 2 * X[:, 2]
    problem, penalty = Quadratic(X, y, np.array(0.0), np.array(8.0)), Penalty(0.0, 0.2, intercept=False)
    best = lasso_minimum(problem, penalty)
    gradient = -2 / 8 * X.T @ (y - X @ best)
    assert np.count_nonzero(best) > 1
    assert np.abs(gradient).max() <= 0.2 + 1e-13
    assert gradient[best != 0] == pytest.approx(-0.2 * np.sign(best[best != 0]), rel=1e-11)


@pytest.mark.parametrize("intercept", [True, False])
def test_the_penalised_gradient_is_the_numerical_derivative(intercept: bool) -> None:
    random = np.random.default_rng(5)
    problem = Quadratic(random.normal(size=(5, 3)), random.normal(size=5), np.array(0.7), np.array(5.0))
    objective = penalized(SquaredError(problem), penalty := Penalty(0.3, 0.4, intercept))
    theta, h = np.array([0.5, -1.0, 2.0]), 1e-6
    slope = [(objective.at(theta + h * e).cost - objective.at(theta - h * e).cost) / (2 * h) for e in np.eye(3)]
    assert penalty.steepest(theta, objective.at(theta).gradient) == pytest.approx(slope, rel=1e-8)


def test_a_gap_keeps_its_digits_where_the_costs_agree_in_all_of_theirs() -> None:
    random = np.random.default_rng(6)
    data = Quadratic(random.normal(size=(6, 3)), random.normal(size=6), np.array(1e3), np.array(6.0))
    penalty = Penalty(0.1, 0.05)
    problem = ridge(data, penalty)
    best = lasso_minimum(problem, penalty)
    off = np.array([1e-9, 0.0, 0.0])
    curvature = float(data.R1[:, 0] @ data.R1[:, 0]) / 6
    assert gap(problem, penalty, best + off, best) == pytest.approx(1e-18 * curvature, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"l2": -1.0}, "--l2 takes a number of 0 or more"),
        ({"l1": float("nan")}, "--l1 takes a number of 0 or more"),
        ({"l2": 0.1, "inference": True}, "--inference is about least squares"),
        ({"l1": 0.1, "explain": True}, "leave out --l2 and --l1"),
        ({"l1": 0.1, "optimizer": "adam"}, "the optimizer gd only"),
        ({"l1": 0.1, "learning_rate": "auto"}, "not known with --l1"),
    ],
)
def test_what_a_penalty_does_not_go_with_is_wrong_usage(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        fit(str(HOUSING), target="price", **options)


@pytest.mark.parametrize("scale", ["standard", "minmax", "none"])
def test_the_surface_of_a_picture_is_the_penalised_cost(scale: str) -> None:
    options = {"target": "price", "features": "sqft", "iterations": 1, "picture": True, "scale": scale}
    l2 = 5e5 if scale == "none" else 0.3
    picture = fit(str(HOUSING), l2=l2, learning_rate=1e-8, **options).picture
    assert picture is not None
    assert (surface := picture.surface) is not None
    x, y = pd.read_csv(HOUSING)[["sqft", "price"]].to_numpy(float).T
    width = {"standard": x.std(ddof=1), "minmax": np.ptp(x), "none": 1.0}[scale]
    for m, c in [(0.0, 0.0), (100.0, 2e4), (250.0, -9e4)]:
        # A·β² with β = m·width/s, in units of s²: s cancels.
        expected = float(((y - c - m * x) ** 2).mean()) + l2 * (m * width) ** 2
        assert surface.cost + float(surface.gap(m, c)) == pytest.approx(expected, rel=1e-9)
    assert fit(str(HOUSING), l1=0.1, **options).picture.surface is None


@pytest.mark.parametrize("penalty", [{"l2": 1e-12}, {"l1": 1e-9}])
def test_columns_of_very_different_size_are_told_apart_without_scaling(penalty: dict[str, float]) -> None:
    random = np.random.default_rng(8)
    a, b = random.normal(size=40), random.normal(size=40)
    table = pd.DataFrame({"a": 1e9 * a, "b": 1e-6 * b, "y": a + b})
    result = fit(table, target="y", scale="none", learning_rate=1e-19, iterations=1, **penalty)
    # cost = (mean of squares) + penalty, whose pull on the small column is of the size of its curvature.
    X = np.column_stack([np.ones(40), table["a"] / 1e9, table["b"] / 1e-6])
    A, B = penalty.get("l2", 0.0) / 1e-12, penalty.get("l1", 0.0) / 2 / 1e-6
    expected = np.linalg.solve(X.T @ X / 40 + np.diag([0, 0, A]), X.T @ table["y"] / 40 - [0, 0, B])
    assert slopes(result) * [1e9, 1e-6] == pytest.approx(expected[1:], rel=1e-9)


def test_a_column_that_is_constant_without_the_rows_held_out_has_no_slope() -> None:
    i = np.arange(20)
    table = pd.DataFrame({"x": i, "d": i == 7, "y": 2 * i + i % 3 + 9 * (i == 7)}).astype(float)
    found = [fit(table, target="y", l1=0.1, learning_rate=0.1, holdout=0.3, seed=seed) for seed in range(6)]
    assert all(slopes(one)[0] > 1 for one in found)
    assert len({slopes(one)[1] == 0 for one in found}) == 2
