"""The walk: its steps, and what becomes of it."""

import math

import numpy as np
import pytest

from gdcli.base.errors import UsageError
from gdcli.engine.descent import Stopped
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.curve import Curve, Outcome, Walk, walk_down

PARABOLA = (0, 0, 1)


def only(*coefficients: float, start: float = 10, lr: float, n: int = 10) -> Walk:
    return walk_down(coefficients, start, [lr], n).walks[0]


def plain(coefficients, x, rate, n):
    """The walk in plain arithmetic."""
    slope = [i * c for i, c in enumerate(coefficients)][1:]
    xs = [x]
    for _ in range(n):
        x = x - rate * sum(c * x**i for i, c in enumerate(slope))
        xs.append(x)
    return xs


@pytest.mark.parametrize(
    ("rate", "xs"),
    [(0.1, [10, 8, 6.4, 5.12, 4.096]), (0.4, [10, 2, 0.4, 0.08, 0.016]), (2, [10, -30, 90, -270, 810])],
)
def test_the_articles_walks_down_a_parabola_come_out_as_arithmetic_has_them(rate, xs):
    walk = only(*PARABOLA, lr=rate, n=4)
    assert walk.x.tolist() == pytest.approx(xs, rel=1e-14)
    assert walk.y.tolist() == pytest.approx([x**2 for x in xs], rel=1e-13)
    assert walk.slope.tolist() == pytest.approx([2 * x for x in xs], rel=1e-13)


def test_many_rates_walk_as_each_does_alone():
    rates = [0.001, 0.018, 0.039, 5.0]
    curve = walk_down([0, 1, -2, 0.3, 1], 3, rates, 50)
    for walk, rate in zip(curve.walks, rates, strict=True):
        alone = only(0, 1, -2, 0.3, 1, start=3, lr=rate, n=50)
        assert walk.x.tolist() == alone.x.tolist()
        assert walk.x.tolist() == pytest.approx(plain([0, 1, -2, 0.3, 1], 3, rate, walk.iterations), rel=1e-10)
        assert (walk.outcome, walk.behaviour, walk.stopped) == (alone.outcome, alone.behaviour, alone.stopped)


def test_it_takes_exactly_as_many_steps_as_asked_also_where_nothing_moves_any_more():
    assert [walk.iterations for walk in walk_down(PARABOLA, 10, [0.1, 0.5], 1000).walks] == [1000, 1000]
    assert walk_down(PARABOLA, 10, [0.1], 0).walks[0].x.tolist() == [10.0]


@pytest.mark.parametrize(
    ("rate", "behaviour", "factor"),
    [
        (0.1, Behaviour.MONOTONE, 0.8),
        (0.5, Behaviour.MONOTONE, 0.0),
        (0.9, Behaviour.OSCILLATING, -0.8),
        (1.0, Behaviour.UNSTABLE, -1.0),
        (2.0, Behaviour.UNSTABLE, -3.0),
    ],
)
def test_the_second_derivative_tells_how_a_rate_behaves(rate, behaviour, factor):
    walk = only(*PARABOLA, lr=rate, n=3)
    assert walk.behaviour is behaviour
    assert walk.factor == pytest.approx(factor)
    assert walk.distances[1:] == pytest.approx(abs(factor) * walk.distances[:-1])


def test_where_the_minimum_is_flat_the_second_derivative_says_nothing():
    walk = only(0, 0, 0, 0, 1, lr=0.001)
    assert (walk.behaviour, walk.factor) == (None, None)
    assert walk.outcome is Outcome.APPROACHING


def test_a_walk_has_reached_the_minimum_when_a_thousandth_of_the_distance_is_left():
    # 0.8³⁰ is 0.00124, 0.8³¹ is 0.00099
    assert only(*PARABOLA, lr=0.1, n=30).outcome is Outcome.APPROACHING
    walk = only(*PARABOLA, lr=0.1, n=31)
    assert (walk.outcome, walk.arrived_at) == (Outcome.REACHED, 31)
    assert only(*PARABOLA, lr=0.1, n=500).arrived_at == 31


def test_a_rate_on_the_limit_does_not_settle_and_does_not_diverge():
    walk = only(*PARABOLA, lr=1, n=1000)
    assert (walk.outcome, walk.stopped) == (Outcome.UNSETTLED, Stopped.ITERATIONS)
    assert set(walk.x.tolist()) == {10.0, -10.0}
    assert walk.crossings == 1000


def test_a_walk_diverges_a_million_times_as_high_as_its_start():
    # y grows ninefold a step: 9⁶ < 10⁶ < 9⁷
    walk = only(*PARABOLA, lr=2, n=100)
    assert (walk.outcome, walk.stopped, walk.iterations) == (Outcome.DIVERGED, Stopped.DIVERGED, 7)
    assert walk.target is None
    assert walk.valley.x == 0


@pytest.mark.parametrize("constant", [1.0, -100.0, 1e6])
def test_divergence_does_not_depend_on_the_height_of_the_whole_curve(constant):
    assert only(constant, 0, 1, lr=2, n=100).iterations == 7


def test_one_rate_that_diverges_leaves_the_others_alone():
    curve = walk_down(PARABOLA, 10, [2, 0.1, 1e308], 20)
    assert [walk.iterations for walk in curve.walks] == [7, 20, 1]
    assert curve.walks[1].x.tolist() == only(*PARABOLA, lr=0.1, n=20).x.tolist()


def test_numbers_too_large_for_a_float_end_the_walk():
    walk = only(0, 0, 0, 0, 1, lr=1e300)
    assert (walk.outcome, walk.iterations) == (Outcome.DIVERGED, 1)
    assert not math.isfinite(walk.y[-1])
    assert only(*PARABOLA, start=1e200, lr=0.1).outcome is Outcome.DIVERGED
    assert only(0, 1e300, lr=1e308).outcome is Outcome.FALLING


def test_a_rate_that_is_stable_near_the_minimum_may_still_fly_off_from_far_away():
    walk = only(0, 0, -1, 0, 1, lr=0.1)  # y'' = 4 at the minima: stable below 0.5
    assert walk.behaviour is Behaviour.MONOTONE
    assert walk.outcome is Outcome.DIVERGED


def test_a_walk_may_end_in_another_valley_than_it_started_in():
    walk = only(0, 1, -2, 0.3, 1, start=3, lr=0.039, n=20)
    assert walk.outcome is Outcome.REACHED
    assert walk.origin.x == pytest.approx(0.6958, abs=1e-4)
    assert walk.target.x == pytest.approx(-1.2162, abs=1e-4)
    assert walk.valley is walk.target


@pytest.mark.parametrize(
    ("coefficients", "start", "outcome"),
    [
        ((0, 0, -1, 0, 1), 0.0, Outcome.STUCK),  # a maximum
        ((0, 0, 0, 1), 0.0, Outcome.STUCK),  # an inflection
        ((5,), 3.0, Outcome.STUCK),  # flat
        (PARABOLA, 0.0, Outcome.REACHED),
        ((1, -2, 1), 1.0, Outcome.REACHED),
    ],
)
def test_where_the_slope_is_zero_nothing_moves(coefficients, start, outcome):
    walk = only(*coefficients, start=start, lr=0.1)
    assert walk.outcome is outcome
    assert not walk.moved


def test_a_start_at_a_minimum_that_no_float_hits_rests_there_as_well():
    # y' is not 0 at the float next to √½, so that x moves by rounding.
    walk = only(0, 0, -1, 0, 1, start=math.sqrt(0.5), lr=0.1)
    assert walk.outcome is Outcome.REACHED
    assert walk.arrived_at == 0


def test_a_start_at_a_maximum_that_no_float_hits_is_stuck_there():
    walk = only(0, 0, 1, 0, -1, start=math.sqrt(0.5), lr=0.1)
    assert walk.outcome is Outcome.STUCK


def test_a_step_may_land_on_a_maximum_and_stay_there():
    walk = only(0, 0, 2, 0, -1, start=-0.5, lr=1)  # −½ − (−1½) = 1
    assert walk.x.tolist()[1:] == [1.0] * 10
    assert walk.outcome is Outcome.STUCK
    assert walk.moved


def test_a_walk_towards_an_inflection_only_comes_near():
    walk = only(0, 0, 0, 1, lr=0.01, n=5000)
    assert walk.outcome is Outcome.APPROACHING
    assert 0 < walk.x[-1] < 0.01
    assert (np.diff(walk.x) < 0).all()


@pytest.mark.parametrize(
    ("coefficients", "start", "stopped"),
    [
        ((0, 1), 3.0, Stopped.ITERATIONS),  # a straight line falls no faster than before
        ((0, 0, -1), 3.0, Stopped.DIVERGED),
        ((0, 0, 0, 1), -1.0, Stopped.DIVERGED),
    ],
)
def test_where_there_is_no_minimum_downhill_a_walk_falls_without_end(coefficients, start, stopped):
    walk = only(*coefficients, start=start, lr=0.5, n=50)
    assert (walk.outcome, walk.stopped, walk.target) == (Outcome.FALLING, stopped, None)


def test_the_default_rates_on_a_parabola_are_slow_good_overshooting_and_diverging():
    curve = walk_down(PARABOLA)
    assert curve.automatic
    assert [walk.learning_rate for walk in curve.walks] == [0.1, 0.4, 0.9, 1.1]
    assert [walk.behaviour for walk in curve.walks] == [
        Behaviour.MONOTONE,
        Behaviour.MONOTONE,
        Behaviour.OSCILLATING,
        Behaviour.UNSTABLE,
    ]


@pytest.mark.parametrize(
    "coefficients", [(0, 0, 50), (7, -3, 0.001), (0, 0, 0, 0, 1), (0, 0, -1, 0, 1), (0, 0, 0, 0, 0, 0, 2)]
)
def test_the_default_rates_suit_the_curve_and_the_start(coefficients):
    curve = walk_down(coefficients)
    assert [walk.outcome for walk in curve.walks[:2]] != [Outcome.DIVERGED] * 2
    slow, good, overshooting, diverging = (curve.shape.downhill(10.0).x - walk.x for walk in curve.walks)
    assert 0.75 < slow[1] / slow[0] < 0.85
    assert 0.15 < good[1] / good[0] < 0.25
    assert -0.85 < overshooting[1] / overshooting[0] < -0.75
    assert diverging[1] / diverging[0] < -1.15
    assert abs(diverging[2]) > abs(diverging[1])


@pytest.mark.parametrize(
    "coefficients", [(5,), (0, 1), (0, 0, -1), (0, 0, 0, 1), (0, 1e-320), (0, 0, 1e-320), (0, 0, 8e307)]
)
def test_there_are_default_rates_for_every_curve(coefficients):
    assert all(0 < walk.learning_rate < math.inf for walk in walk_down(coefficients).walks)


def test_heights_of_the_curve_are_given_for_a_picture():
    curve: Curve = walk_down([1, 0, 2], 3, [0.1])
    assert curve.y(np.array([[-1.0, 0.0], [1.0, 1e200]])).tolist() == [[3.0, 1.0], [3.0, math.inf]]
    assert (curve.polynomial, curve.start, curve.iterations) == ((1.0, 0.0, 2.0), 3.0, 10)


@pytest.mark.parametrize(
    "arguments",
    [
        ([], 10, [0.1]),
        ([math.nan], 10, [0.1]),
        ([1, math.inf], 10, [0.1]),
        ([0, 0, 1e308], 10, [0.1]),
        ([1] * 52, 10, [0.1]),
        ([0, 0, 1], math.nan, [0.1]),
        ([0, 0, 1], 10, [0.0]),
        ([0, 0, 1], 10, [-1.0]),
        ([0, 0, 1], 10, [math.inf]),
        ([0, 0, 1], 10, [0.1], -1),
    ],
)
def test_what_is_no_polynomial_no_start_or_no_rate_is_wrong_usage(arguments):
    with pytest.raises(UsageError):
        walk_down(*arguments)
