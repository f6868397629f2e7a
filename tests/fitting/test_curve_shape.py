"""The curve itself: its value and slope, and where the slope vanishes."""

import math
import random
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from gdcli.engine.polynomial import Polynomial, StationaryKind, ends, stationary_points
from gdcli.fitting.curve import Shape


def kinds(*coefficients: float) -> list[tuple[float, str]]:
    return [(point.x, point.kind.value) for point in stationary_points(coefficients)]


def shape_of(*coefficients: float) -> Shape:
    return Shape(stationary_points(coefficients), ends(coefficients))


def test_value_and_slope_of_a_stack_are_those_of_the_polynomial_and_its_derivative():
    x = np.array([[-2.0], [0.0], [3.0]])
    _, y, slope = Polynomial([1.0, -2.0, 0.5, 4.0]).at(x)
    assert y.tolist() == [1 - 2 * v + 0.5 * v**2 + 4 * v**3 for v in (-2, 0, 3)]
    assert slope.tolist() == [[-2 + v + 12 * v**2] for v in (-2, 0, 3)]


def test_the_slope_of_a_constant_is_zero():
    _, y, slope = Polynomial([5.0]).at(np.array([[7.0]]))
    assert (y.tolist(), slope.tolist()) == ([5.0], [[0.0]])


def test_a_parabola_has_one_minimum_with_its_curvature():
    (point,) = stationary_points([0, 0, 1])
    assert (point.x, point.y, point.curvature, point.kind) == (0.0, 0.0, 2.0, StationaryKind.MINIMUM)
    assert (point.best_rate, point.largest_stable_rate) == (0.5, 1.0)


def test_a_curve_with_two_wells_has_a_maximum_between_them():
    root = math.sqrt(0.5)
    assert kinds(0, 0, -1, 0, 1) == [(-root, "minimum"), (0.0, "maximum"), (root, "minimum")]


@pytest.mark.parametrize("coefficients", [[5], [0], [0, 0, 0], [3, 2], [0, 1, 0, 1]])
def test_where_the_slope_never_vanishes_or_always_there_is_no_point(coefficients):
    assert kinds(*coefficients) == []


def test_zeros_behind_the_last_power_do_not_count():
    assert kinds(0, 0, 1, 0, 0) == kinds(0, 0, 1)


# (x − a)ᵏ written out: companion-matrix eigenvalues would scatter these roots.
@pytest.mark.parametrize(
    ("coefficients", "x", "kind"),
    [
        ([0, 0, 0, 1], 0.0, "inflection"),
        ([0, 0, 0, 0, 1], 0.0, "minimum"),
        ([-1, 3, -3, 1], 1.0, "inflection"),
        ([1, -4, 6, -4, 1], 1.0, "minimum"),
        ([-1, 4, -6, 4, -1], 1.0, "maximum"),
        ([-0.001, 0.03, -0.3, 1], 0.1, "inflection"),
        ([0.0001, -0.004, 0.06, -0.4, 1], 0.1, "minimum"),
        ([-1, 5, -10, 10, -5, 1], 1.0, "inflection"),
    ],
)
def test_a_flat_stationary_point_is_found_once_exactly_and_without_curvature(coefficients, x, kind):
    (point,) = stationary_points(coefficients)
    assert (point.x, point.y, point.curvature, point.kind.value) == (x, 0.0, 0.0, kind)
    assert point.best_rate is None
    assert point.largest_stable_rate is None


def test_a_flat_point_beside_a_minimum_is_told_from_it():
    # y' = 4x²(x − 3): y = x⁴ − 4x³
    assert kinds(0, 0, 0, -4, 1) == [(0.0, "inflection"), (3.0, "minimum")]


def test_stationary_points_are_where_the_slope_changes_sign():
    random.seed(5)
    for _ in range(200):
        coefficients = [random.randint(-20, 20) / 10 for _ in range(random.randint(2, 9))]
        polynomial, points = Polynomial(coefficients), stationary_points(coefficients)
        between = [-1e4, *((a.x + b.x) / 2 for a, b in pairwise(points)), 1e4]
        signs = np.sign(polynomial.at(np.array(between)[:, np.newaxis]).gradient[:, 0]).tolist()
        if points:
            assert signs[:-1] == [point.left for point in points]
            assert signs[1:] == [point.right for point in points]
            assert list(points) == sorted(points, key=lambda point: point.x)
        else:
            assert len(set(signs)) == 1


def test_roots_are_the_nearest_floats_also_far_out_and_far_in():
    assert kinds(0, -2e150, 1) == [(1e150, "minimum")]
    assert kinds(0, -2e-150, 1) == [(1e-150, "minimum")]
    assert kinds(0, -2 / 3, 1) == [(0.3333333333333333, "minimum")]


def test_wells_that_nearly_touch_are_told_apart():
    # y' = 4(x − 1)(x − 1.0001)(x − 1.0002), written out in decimals
    roots = [Fraction(1), Fraction("1.0001"), Fraction("1.0002")]
    slope = [Fraction(4)]
    for root in roots:
        slope = [a - root * b for a, b in zip([Fraction(0), *slope], [*slope, Fraction(0)], strict=True)]
    y = [0.0, *(float(c / i) for i, c in enumerate(slope, start=1))]
    points = stationary_points(y)
    assert [point.kind.value for point in points] == ["minimum", "maximum", "minimum"]
    assert [point.x for point in points] == pytest.approx([float(root) for root in roots], abs=1e-6)


def test_the_many_minima_of_a_chebyshev_polynomial_are_all_found():
    # T₂₀ has its extrema at cos(kπ/20).
    coefficients = np.polynomial.chebyshev.cheb2poly([0] * 20 + [1]).tolist()
    points = stationary_points(coefficients)
    assert [point.x for point in points] == pytest.approx([math.cos(k * math.pi / 20) for k in range(19, 0, -1)])
    assert [point.y for point in points] == pytest.approx([(-1.0) ** k for k in range(19, 0, -1)])
    assert sum(point.kind is StationaryKind.MINIMUM for point in points) == 10


@pytest.mark.parametrize(
    ("coefficients", "left", "right"),
    [([0, 0, 1], 0, 0), ([0, 0, -1], 1, 1), ([0, 1], 1, 0), ([0, -1], 0, 1), ([0, 0, 0, -2, 0], 0, 1), ([7], 0, 0)],
)
def test_the_highest_power_says_on_which_sides_a_curve_falls_without_end(coefficients, left, right):
    shape = shape_of(*coefficients)
    assert (shape.falls_left, shape.falls_right) == (bool(left), bool(right))
    assert shape.flat == (coefficients == [7])


def test_downhill_is_the_next_stationary_point_or_no_end():
    shape = shape_of(0, -3, 0, 1)  # x³ − 3x: maximum at −1, minimum at 1, falls to the left
    maximum, minimum = shape.points
    assert [shape.downhill(x) for x in (-5.0, -1.0, -0.5, 1.0, 9.0)] == [None, maximum, minimum, minimum, minimum]
    assert shape.downhill(math.inf) is minimum
    assert shape.downhill(-math.inf) is None
    assert shape_of(5).downhill(0.0) is None
    assert shape_of(0, 0, 0, 1).downhill(2.0).kind is StationaryKind.INFLECTION
    assert shape_of(0, 0, 0, 1).downhill(-2.0) is None


def test_the_lowest_minimum_is_told_from_the_others_and_equals_are_all_lowest():
    lowest = shape_of(0, 1, -2, 0.3, 1).lowest
    assert [point.x for point in lowest] == [pytest.approx(-1.2162256)]
    tiny = shape_of(0, 1e-9, -2e-9, 0.3e-9, 1e-9).lowest
    assert [point.x for point in tiny] == [pytest.approx(-1.2162256)]
    assert len(shape_of(0, 0, -1, 0, 1).lowest) == 2
    assert shape_of(0, -3, 0, 1).lowest == ()
