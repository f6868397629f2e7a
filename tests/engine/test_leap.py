"""The end of plain descents without the steps before it, against the loop that takes them all."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdcli.engine.descent import Step, Stopped, StopRule, after, below, descend, divergence
from gdcli.engine.leap import leap
from gdcli.engine.optimizers import GradientDescent
from gdcli.engine.schedules import constant
from gdcli.engine.spectrum import AlongEigenvectors, Spectrum


def lanes_of(seed: int, lanes: int, p: int, decades: int) -> Spectrum:
    """Lanes with eigenvalues over some decades; some lack the last one, some start at the optimum along the first."""
    random = np.random.default_rng(seed)
    eigenvalues = -np.sort(-(10.0 ** random.uniform(-decades, 0, (lanes, p))))
    eigenvalues[random.uniform(size=lanes) < 0.2, 1:] = 0.0
    distances = random.normal(size=(lanes, p))
    distances[random.uniform(size=lanes) < 0.2, 0] = 0.0
    return Spectrum(eigenvalues, np.broadcast_to(np.eye(p), (lanes, p, p)), np.where(eigenvalues > 0, distances, 0.0))


def both(along: AlongEigenvectors, rates: np.ndarray, p: int, iterations: int, *more: StopRule) -> tuple[Step, Step]:
    with np.errstate(over="ignore", invalid="ignore"):
        leapt = leap(along, rates, iterations, (divergence(0.0), *more))
        rules = (divergence(0.0), *more, after(iterations))
        steps = descend(along, GradientDescent(), constant(rates[:, np.newaxis]), np.zeros((len(rates), p)), rules)
        (walked,) = deque(steps, maxlen=1)
    return leapt, walked


def assert_same(leapt: Step, walked: Step) -> None:
    assert leapt.stopped.tolist() == walked.stopped.tolist()
    assert leapt.ended.tolist() == walked.ended.tolist()
    assert leapt.iteration == walked.iteration
    there = walked.stopped != Stopped.DIVERGED
    np.testing.assert_allclose(leapt.theta[there], walked.theta[there], rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(leapt.cost[there], walked.cost[there], rtol=1e-10)
    np.testing.assert_allclose(leapt.gradient[there], walked.gradient[there], rtol=1e-8, atol=1e-13)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    lanes=st.integers(1, 30),
    p=st.integers(1, 5),
    decades=st.integers(0, 6),
    iterations=st.sampled_from([0, 1, 2, 3, 17, 200]),
    largest=st.sampled_from([0.5, 1.9, 2.5, 30.0]),
)
def test_a_leap_ends_where_and_why_the_loop_does_though_some_rates_diverge(
    seed: int, lanes: int, p: int, decades: int, iterations: int, largest: float
) -> None:
    found = lanes_of(seed, lanes, p, decades)
    rates = np.random.default_rng(seed).uniform(0, largest, lanes) / found.eigenvalues[:, 0]
    assert_same(*both(AlongEigenvectors(found, 0.5), rates, p, iterations))


@settings(max_examples=40, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    lanes=st.integers(1, 30),
    decades=st.integers(0, 4),
    iterations=st.sampled_from([0, 1, 30, 300]),
    tolerance=st.sampled_from([1e-1, 1e-3, 1e-6]),
)
def test_a_leap_at_stable_rates_ends_each_lane_at_its_first_small_gradient(
    seed: int, lanes: int, decades: int, iterations: int, tolerance: float
) -> None:
    found = lanes_of(seed, lanes, 3, decades)
    rates = np.random.default_rng(seed).uniform(0, 2, lanes) / found.eigenvalues[:, 0]
    assert_same(*both(AlongEigenvectors(found, 0.5), rates, 3, iterations, below(tolerance)))


def test_a_descent_without_distance_along_what_diverges_does_not_diverge() -> None:
    found = Spectrum(np.array([[1.0, 0.1]]), np.eye(2)[np.newaxis], np.array([[0.0, 1.0]]))
    leapt, walked = both(AlongEigenvectors(found, 0.0), np.array([10.0]), 2, 5000)
    assert_same(leapt, walked)
    assert leapt.stopped.tolist() == [Stopped.ITERATIONS]
    assert leapt.theta[0] == pytest.approx([0.0, -1.0])


def test_a_trillion_iterations_are_as_exact_as_few() -> None:
    found = Spectrum(np.array([[1.0, 1e-12]]), np.eye(2)[np.newaxis], np.array([[1.0, 1.0]]))
    last = leap(AlongEigenvectors(found, 0.0), np.array([1.5]), 10**12, ())
    assert last.theta[0] == pytest.approx([-1.0, np.expm1(10**12 * np.log1p(-1.5e-12))], rel=1e-15)
