"""What holds for any rows: how triangles merge, scaling and its way back, forecasts, and pairs in order."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdcli.engine.column import Column
from gdcli.engine.descent import after, descend
from gdcli.engine.losses.logistic import area_under_curve
from gdcli.engine.scaling import Scaling, scale
from gdcli.engine.schedules import constant
from gdcli.engine.spectrum import Spectrum
from gdcli.engine.triangle import Triangle, from_rows, merge, select
from gdcli.fitting.choices import OptimizerChoice
from tests.engine.bowls import Bowl, bowl

COLUMNS = [Column("a"), Column("b"), Column("c", "x"), Column("c", "y")]
seeds = st.integers(0, 2**32 - 1)
derandomized = settings(derandomize=True, max_examples=40, deadline=None)


def rows_of(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two numeric columns, one of them far from zero, and two levels; weights, of which some are 0."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(count, 2)) * [1.0, 1e3] + [0.0, 1.7e9]
    levels = np.eye(3)[random.integers(0, 3, count)][:, :2]
    return np.column_stack([numbers, levels]), random.choice([0.0, 0.5, 1.0, 2.0], count)


def assert_same_rows(one: Triangle, other: Triangle) -> None:
    """Both stand for the same rows: the exact figures equal, RᵀR equal but for rounding."""
    assert one.columns == other.columns
    assert (one.count, one.weight) == (other.count, other.weight)
    np.testing.assert_array_equal(one.minimum, other.minimum)
    np.testing.assert_array_equal(one.maximum, other.maximum)
    grams = []
    for triangle in (one, other):
        R = triangle.R.copy()
        step = np.where(one.known, triangle.shift - one.shift, 0.0)
        R[0, 1:] += step * R[0, 0]
        grams.append(R.T @ R)
    norms = np.sqrt(np.diagonal(grams[0]))
    scale_of = np.outer(norms, norms)
    np.testing.assert_allclose(
        (grams[0] / np.where(scale_of > 0, scale_of, 1)).astype(float),
        (grams[1] / np.where(scale_of > 0, scale_of, 1)).astype(float),
        atol=1e-12,
    )


@derandomized
@given(seeds, st.tuples(*[st.integers(0, 7)] * 3))
def test_merging_associates(seed: int, counts: tuple[int, int, int]) -> None:
    a, b, c = (
        from_rows(X, COLUMNS, weights) for X, weights in (rows_of(seed + i, count) for i, count in enumerate(counts))
    )
    assert_same_rows(merge(merge(a, b), c), merge(a, merge(b, c)))


@derandomized
@given(seeds, st.permutations(COLUMNS), st.integers(1, 4))
def test_to_select_and_to_merge_commute(seed: int, order: list[Column], count: int) -> None:
    wanted = order[:count]
    a, b = (from_rows(*_with_columns(seed + i, 6)) for i in range(2))
    assert_same_rows(select(merge(a, b), wanted), merge(select(a, wanted), select(b, wanted)))


def _with_columns(seed: int, count: int) -> tuple[np.ndarray, list[Column], np.ndarray]:
    X, weights = rows_of(seed, count)
    return X, COLUMNS, weights


@derandomized
@given(seeds, st.booleans(), st.sampled_from(["standard", "minmax", "none"]))
def test_scaling_and_its_way_back_are_the_identity(seed: int, intercept: bool, kind: str) -> None:
    random = np.random.default_rng(seed)
    X = random.normal(size=(9, 4)) * [1.0, 1e-3, 1e3, 2.0] + [0.0, 5.0, -1e4, 3.0]
    scaling: Scaling = scale(from_rows(X, [Column(name) for name in "abcy"]), kind, intercept)[1]
    scaled = scaling.centered(X[:, :3]) / scaling.scale
    if kind == "minmax":
        np.testing.assert_array_equal(scaled.min(axis=0), np.zeros(3))
        np.testing.assert_allclose(scaled.max(axis=0), np.ones(3), rtol=1e-15)
    elif kind == "none":
        np.testing.assert_array_equal(scaled, X[:, :3])
    elif intercept:
        np.testing.assert_allclose(scaled.mean(axis=0), np.zeros(3), atol=1e-11)
        np.testing.assert_allclose(scaled.std(axis=0, ddof=1), np.ones(3), rtol=1e-11)
    theta = random.normal(size=3 + intercept)
    m, c = scaling.to_file(theta)
    np.testing.assert_allclose(scaling.to_scaled(m, float(c)), theta, rtol=1e-9, atol=1e-9)
    # The prediction of a row is the same in both units.
    left = float(X[0, :3] @ m + c) / scaling.target_scale
    right = float(scaling.centered(X[0, :3]) / scaling.scale @ (theta[1:] if intercept else theta)) + (
        theta[0] if intercept else 0.0
    )
    assert left == pytest.approx(right, rel=1e-8, abs=1e-8)


@derandomized
@given(
    st.lists(st.floats(0.01, 10), min_size=1, max_size=4),
    st.floats(0.01, 1.3),
    st.sampled_from(["gd", "momentum:0.5", "momentum:0.9"]),
    st.integers(0, 30),
)
def test_a_forecast_is_what_the_descent_then_does(
    eigenvalues: list[float], share: float, word: str, iterations: int
) -> None:
    """The forecast knows the gap along each axis, the descent that of all axes."""
    problem = bowl(eigenvalues)
    optimizer = OptimizerChoice.of(word).rule
    start = np.zeros(len(eigenvalues))
    forecast = optimizer.forecast(problem.spectrum, optimizer.init(start))
    rate = share * forecast.largest_stable
    *_, last = descend(problem, optimizer, constant(rate), start, (after(iterations),))
    expected = float(np.sum(forecast.gaps(rate, iterations)))
    assert problem.gap(last.theta) == pytest.approx(expected, rel=1e-7, abs=1e-12 * (1 + problem.gap(start)))


@derandomized
@given(
    st.lists(
        st.tuples(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), st.booleans(), st.sampled_from([0.0, 1.0, 2.5])), max_size=8
    )
)
def test_the_area_under_the_curve_is_the_share_of_pairs_counted(rows: list[tuple[float, bool, float]]) -> None:
    won = pairs = 0.0
    for (z, event, w), (other_z, other_event, other_w) in product(rows, rows):
        if event and not other_event:
            pairs += w * other_w
            won += w * other_w * (1.0 if z > other_z else 0.5 if z == other_z else 0.0)
    found = area_under_curve(*(np.array([row[i] for row in rows], dtype=float) for i in range(3)))
    assert found == (None if pairs == 0 else pytest.approx(won / pairs, rel=1e-12))


@pytest.mark.parametrize("root", ["fast", "slow"])
def test_along_one_root_of_momentum_the_gap_shrinks_by_that_root_alone(root: str) -> None:
    """With a velocity that puts the start on one root of r² − (1 + β − ηλ)r + β, the other one never shows."""
    curvature, beta, rate, distance = 1.0, 0.5, 0.05, 3.0
    middle = (1 + beta - rate * curvature) / 2
    half = math.sqrt(middle**2 - beta)
    r = middle - half if root == "fast" else middle + half
    # One step: v₁ = βv₀ + λd, and d₁ = d − ηv₁ is to be r·d.
    velocity = ((1 - r) / rate - curvature) / beta * distance
    problem = Bowl(np.array([[curvature]]), np.zeros(1))
    optimizer = OptimizerChoice.of(f"momentum:{beta}").rule
    fresh = optimizer.init(np.zeros(1))
    state = tuple(np.array([velocity]) if np.shape(part) == (1,) else part for part in fresh)
    start = np.array([distance])
    steps = descend(problem, optimizer, constant(rate), start, (after(30),), state)
    gaps = [problem.gap(step.theta) for step in steps]
    expected = [0.5 * curvature * (r**k * distance) ** 2 for k in range(31)]
    assert gaps == pytest.approx(expected, rel=1e-6)
    spectrum = Spectrum(np.array([curvature]), np.eye(1), np.array([distance]))
    forecast = optimizer.forecast(spectrum, state)
    assert [float(np.sum(forecast.gaps(rate, k))) for k in range(31)] == pytest.approx(expected, rel=1e-6)
    first = next(k for k, gap in enumerate(expected) if gap <= 0.01 * expected[0])
    assert forecast.iterations_to(rate, 0.01 * expected[0]) == first
