"""Each of many lanes of rows is what its rows are alone: the triangle, the scaling, the optimum, the spectrum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdcli.engine.column import Column
from gdcli.engine.lane_rows import from_lane_rows, lane_rows
from gdcli.engine.least_squares import determined_part, optimum
from gdcli.engine.scaling import scale
from gdcli.engine.spectrum import spectrum
from gdcli.engine.triangle import Triangle, fill, from_rows, lanes_among, lanes_at, merge, separate, together

COLUMNS = (Column("a"), Column("t", "q"), Column("b"), Column("year"), Column("y"))


def rows_of(seed: int, lanes: int, gaps: bool, weighted: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Rows X (n, 5), the lane of each, and weights. Lane 1 has a constant column, lane 2 two that are collinear."""
    random = np.random.default_rng(seed)
    places = np.repeat(np.arange(lanes), random.integers(8, 40, lanes))
    random.shuffle(places)
    X = random.normal(size=(len(places), 5))
    X[:, 1] = X[:, 1] > 0
    X[:, 2] += 5  # a gap is no zero among its numbers
    X[:, 3] = 2000 + 5 * X[:, 3]
    X[places == 1, 0] = 3.0
    X[places == 2, 2] = 2 * X[places == 2, 0] + 1
    if gaps:
        X[random.uniform(size=len(X)) < 0.1, 2] = np.nan
        X[(places == 2), 2] = np.nan
    return X, places, random.choice([0.0, 0.5, 2.0], len(X)) if weighted else None


def lanes_of(X: np.ndarray, places: np.ndarray, weights: np.ndarray | None, lanes: int) -> Triangle:
    """The triangles of two parts of the rows, merged, of which the second has all lanes in another order."""
    half, turned = len(X) // 2, np.arange(lanes)[::-1]
    parts = [
        from_lane_rows(
            [lane_rows(COLUMNS, X[some], of[places[some]], None if weights is None else weights[some])], lanes
        )
        for some, of in ((slice(half), np.arange(lanes)), (slice(half, None), turned))
    ]
    return merge(parts[0], lanes_among(parts[1], turned, lanes))


KINDS = [("standard", True), ("standard", False), ("minmax", True), ("none", True), ("none", False)]

CASES = [(False, False), (False, True), (True, False), (True, True)]


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(CASES), st.sampled_from(KINDS))
def test_a_lane_is_what_its_rows_are_alone(seed: int, case: tuple[bool, bool], how: tuple[str, bool]) -> None:
    kind, intercept = how
    X, places, weights = rows_of(seed, 6, *case)
    lanes = fill(lanes_of(X, places, weights, 6), COLUMNS)
    problem, scaling = scale(lanes, kind, intercept)
    best = optimum(lanes, scaling)
    known = spectrum(determined_part(problem, lanes, scaling, best), best.rank + intercept, -best.theta)
    for i in range(6):
        own = places == i
        triangle = fill(from_rows(X[own], COLUMNS, None if weights is None else weights[own]), COLUMNS)
        assert lanes.count[i] == triangle.count
        assert lanes.weight[i] == pytest.approx(triangle.weight, rel=1e-15)
        np.testing.assert_allclose(lanes.mean[i], triangle.mean.astype(float), rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(lanes.constant[i], triangle.constant)
        alone, own_scaling = scale(triangle, kind, intercept)
        np.testing.assert_allclose(scaling.scale[i], own_scaling.scale, rtol=1e-12)
        least = optimum(triangle, own_scaling)
        assert best.rank[i] == least.rank
        # The columns are as far from collinear as 1/condition.
        own_spectrum = spectrum(
            determined_part(alone, triangle, own_scaling, least), least.rank + intercept, -least.theta
        )
        slack = 1e-15 * own_spectrum.condition_number
        size = np.abs(least.theta).max()
        np.testing.assert_allclose(best.theta[i], least.theta, rtol=1e-12, atol=(1e-13 + slack) * size)
        assert best.cost[i] == pytest.approx(least.cost, rel=1e-12, abs=1e-25)
        there = known.eigenvalues[i] > 0
        np.testing.assert_allclose(
            known.eigenvalues[i, there], own_spectrum.eigenvalues, rtol=1e-12 + slack, atol=1e-14
        )
        np.testing.assert_array_equal(best.theta[i][int(intercept) :][lanes.constant[i, :-1] & intercept], 0.0)


def test_the_rows_of_all_lanes_together_are_those_of_one() -> None:
    X, places, weights = rows_of(3, 5, gaps=True, weighted=True)
    lanes = lanes_of(X, places, weights, 5)
    both, one = fill(together(lanes), COLUMNS), fill(from_rows(X, COLUMNS, weights), COLUMNS)
    assert (both.count, both.weight) == (one.count, pytest.approx(one.weight))
    assert optimum(both, scale(both)[1]).slopes == pytest.approx(optimum(one, scale(one)[1]).slopes, rel=1e-10)
    np.testing.assert_array_equal(both.maximum, one.maximum)


def test_lanes_are_taken_by_their_places_and_separated_in_their_order() -> None:
    X, places, _ = rows_of(4, 4, gaps=False, weighted=False)
    lanes = lanes_of(X, places, None, 4)
    for place, triangle in zip((2, 0), separate(lanes_at(lanes, (2, 0))), strict=True):
        expected = from_rows(X[places == place], COLUMNS)
        assert triangle.count == expected.count
        np.testing.assert_allclose(triangle.mean.astype(float), expected.mean.astype(float), rtol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
def test_lanes_of_any_size_stand_for_their_rows(weighted: bool) -> None:
    sizes, random = [0, 1, 3, 40, 1500, 40, 0, 600, 3, 513], np.random.default_rng(8)
    places = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = random.normal(size=(len(places), 5))
    weights = random.uniform(0.5, 2.0, len(places)) if weighted else None
    columns = [Column(name) for name in "abcdy"]
    lanes = from_lane_rows([lane_rows(columns, X, places, weights)], len(sizes))
    assert lanes.count.tolist() == sizes
    for i in range(len(sizes)):
        own = places == i
        w = np.ones(sizes[i]) if weights is None else weights[own]
        A = np.column_stack([np.ones(sizes[i]), X[own] - lanes.shift[i]]) * np.sqrt(w)[:, np.newaxis]
        # Whatever signs the rows of R have, RᵀR is AᵀA.
        np.testing.assert_allclose(lanes.R[i].T @ lanes.R[i], A.T @ A, atol=1e-12 * (1 + sizes[i]))
        if sizes[i]:
            np.testing.assert_array_equal(
                [lanes.minimum[i], lanes.maximum[i]], [X[own].min(axis=0), X[own].max(axis=0)]
            )


@settings(max_examples=20, derandomize=True, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(CASES))
def test_the_spectrum_of_lanes_is_the_same_from_the_decomposition_of_their_optimum(
    seed: int, case: tuple[bool, bool]
) -> None:
    X, places, weights = rows_of(seed, 6, *case)
    lanes = fill(lanes_of(X, places, weights, 6), COLUMNS)
    problem, scaling = scale(lanes)
    best = optimum(lanes, scaling)
    problem = determined_part(problem, lanes, scaling, best)
    anew, taken = (spectrum(problem, best.rank + 1, -best.theta, known) for known in (None, best.standardized))
    np.testing.assert_allclose(taken.eigenvalues, anew.eigenvalues, rtol=1e-12, atol=1e-14)
    # Of each eigenvector the sign is free; the distances along it turn with it.
    for one in (anew, taken):
        H = np.swapaxes(one.vectors, -1, -2) @ (one.eigenvalues[..., np.newaxis] * one.vectors)
        rows = np.swapaxes(problem.R1, -1, -2) @ problem.R1
        np.testing.assert_allclose(H, (2 / problem.weight)[:, np.newaxis, np.newaxis] * rows, atol=1e-12)
        np.testing.assert_allclose(one.distances, np.matvec(one.vectors, -best.theta), atol=1e-12)
