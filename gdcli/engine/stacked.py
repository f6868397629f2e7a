"""The scaled problems of many groups as one stack: optimum, spectrum, and the descent along the eigenvectors.

As in ``scaling``, ``optimum`` and ``spectrum``, with a leading axis g. One singular value decomposition of each group's
scaled R₁ = U S Vᵀ says all: λ = (2/N)σ², and θ* = V S⁺ Uᵀz. In the coordinates u = Vᵀ(θ − θ₀) the gradient is
λ·(u + d) with d = Vᵀ(θ₀ − θ*), number by number: an optimizer that is linear in the gradient descends there exactly as
it does in θ, at O(p).
"""

from collections.abc import Sequence

import numpy as np

from gdcli.base.records import record, replace
from gdcli.engine.arrays import Array, Mask
from gdcli.engine.least_squares import RANK_TOLERANCE
from gdcli.engine.objective import Point
from gdcli.engine.quadratic import Quadratic
from gdcli.engine.triangle import Triangle


@record(eq=False)
class Scalings:
    """The scalings of g groups, as in Scaling.

    ``center``, ``scale`` and ``center_low`` have shape (g, p), ``target_scale`` (g,).
    """

    center: Array
    scale: Array
    target_scale: Array
    intercept: bool
    center_low: Array

    def to_file(self, theta: Array) -> tuple[Array, Array]:
        """Slopes m (g, p) and intercepts c (g,) in file units; c is zero without an intercept."""
        slopes = theta[:, 1:] if self.intercept else theta
        m = slopes * (self.target_scale[:, np.newaxis] / self.scale)
        if not self.intercept:
            return m, np.zeros(len(m))
        return m, theta[:, 0] * self.target_scale - np.vecdot(m, self.center) - np.vecdot(m, self.center_low)

    def through(self, m: Array, value: Array) -> Array:
        """θ (g, p) or (g, 1 + p) for slopes m (g, p) in file units and the predictions (g,) at the centres."""
        slopes = m * self.scale / self.target_scale[:, np.newaxis]
        if not self.intercept:
            return slopes
        return np.concatenate([(value / self.target_scale)[:, np.newaxis], slopes], axis=1)


@record(eq=False)
class StackedProblem:
    """The scaled and solved problems of g groups, as known before the first step.

    ``slopes`` (g, p) and ``intercept`` (g,) are the optimum in file units, ``theta`` the same on the scaled problem,
    ``cost`` (g,) its mean squared error, ``mean_square`` (g,) mean(y²) and ``variance`` (g,) the target's Σ(y − ȳ)²/N,
    in squared target units. ``eigenvalues`` (g, k) belong to the rows of ``vectors`` (g, k, k); both are 0 along
    directions that the data do not determine. ``deviation`` (g, p+1) are the columns' standard deviations, the target's
    last.
    """

    quadratic: Quadratic
    scaling: Scalings
    slopes: Array
    intercept: Array
    theta: Array
    cost: Array
    mean_square: Array
    variance: Array
    eigenvalues: Array
    vectors: Array
    deviation: Array


def active(stack: Triangle, compared: Sequence[str], intercept: bool) -> Mask:
    """A mask (g, p) of the columns, without the target, that have a coefficient of their own in a group.

    A column that is constant in the group has none (without an intercept: one that is zero). Neither has the baseline
    of a text column in ``compared``: the first of its levels that the group has.
    """
    varying = ~stack.constant if intercept else ~stack.constant | (stack.minimum != 0)
    found: Mask = varying[:, :-1]
    present = stack.maximum[:, :-1] > 0
    for name in compared:
        levels = [i for i, column in enumerate(stack.columns[:-1]) if column.name == name and column.level is not None]
        if levels:
            first = np.argmax(present[:, levels], axis=1)
            found[np.arange(len(found)), np.array(levels)[first]] = False
    return found


def problem_of(stack: Triangle, places: list[int], active: Mask, kind: str, intercept: bool) -> StackedProblem:
    """The scaled and solved problem of each group: the columns at ``places``, and the target; ``active`` (g, p) marks
    the columns that count.

    Every group has at least two rows.
    """
    keep = [*places, len(stack.columns) - 1]
    mean, R = stack.mean.astype(np.float64), stack.R[:, :, [0, *(i + 1 for i in keep)]].astype(np.float64)
    mean, mean_low = mean[:, keep], stack.mean_from(mean)[:, keep].astype(np.float64)
    constant, N = stack.constant[:, keep], stack.weight
    n = stack.count[:, np.newaxis]
    centered = np.linalg.norm(R[:, 1:, 1:], axis=1)
    deviation = np.where(constant, 0.0, centered * np.sqrt(n / (n - 1) / N[:, np.newaxis]))
    mean_square = (centered / np.sqrt(N)[:, np.newaxis]) ** 2 + mean**2
    typical = deviation if intercept else np.sqrt(mean_square)

    def offset(scaling: Scalings) -> Array:
        """The means (g, p) less the centres; 0 for columns that do not count."""
        less = (mean[:, :-1] - scaling.center) + (mean_low[:, :-1] - scaling.center_low)
        return np.where(active, less, 0.0)

    def scaled(scaling: Scalings) -> Quadratic:
        A = R.copy()
        A[:, 0, 1:-1] = offset(scaling) * A[:, 0, :1]
        A[:, 0, -1] = mean[:, -1] * A[:, 0, 0]
        A[:, :, 1:-1] *= (active / scaling.scale)[:, np.newaxis]
        A[:, :, -1] /= scaling.target_scale[:, np.newaxis]
        return Quadratic(A[:, :-1, 0 if intercept else 1 : -1], A[:, :-1, -1], A[:, -1, -1], N)

    none = np.zeros_like(mean[:, :-1])
    target_scale = _divisor(typical[:, -1])
    standard = Scalings(none, _divisor(typical[:, :-1]), target_scale, intercept, none)
    if intercept:
        # A column that does not count is not shifted either: it stands for zeros.
        center, center_low = (np.where(active, values[:, :-1], 0.0) for values in (mean, mean_low))
        standard = replace(standard, center=center, center_low=center_low)
    scaling = standard
    if kind == "minmax":
        low, high = stack.minimum[:, places], stack.maximum[:, places]
        scaling = Scalings(np.where(active, low, 0.0), _divisor(high - low), target_scale, intercept, none)
    elif kind == "none":
        scaling = Scalings(none, np.ones_like(none), np.ones_like(target_scale), intercept, none)

    quadratic = scaled(standard)
    U, singular, Vt = np.linalg.svd(quadratic.R1, full_matrices=False)
    kept = singular > _rounding(stack, places, standard, singular, Vt)
    share = np.where(kept, np.matvec(np.swapaxes(U, 1, 2), quadratic.z), 0.0)
    own = np.pad(active, ((0, 0), (int(intercept), 0)), constant_values=True)
    theta = np.where(own, np.matvec(np.swapaxes(Vt, 1, 2), share / np.where(kept, singular, 1.0)), 0.0)
    residual = quadratic.z - np.matvec(quadratic.R1, theta)
    cost = (quadratic.rho**2 + np.vecdot(residual, residual)) / N * standard.target_scale**2
    slopes, c = standard.to_file(theta)
    rank, full = kept.sum(axis=1), bool(kept.all())
    R1 = quadratic.R1
    if not full:
        # As in optimum.determined_part; then the kept singular values come first.
        null = np.where(kept[:, :, np.newaxis], 0.0, Vt)
        R1 = np.where(own[:, np.newaxis], _without(null[:, np.newaxis], R1), 0.0)
    if kind != "standard":
        quadratic = scaled(scaling)
        R1 = quadratic.R1 if full else _on_scale_of(scaling, standard, R1, offset(scaling))
    if kind != "standard" or not full:
        quadratic = replace(quadratic, R1=R1)
        _, singular, Vt = np.linalg.svd(R1, full_matrices=False)
        kept = np.arange(kept.shape[1]) < rank[:, np.newaxis]
    if kind != "standard":
        at_center = theta[:, 0] * target_scale - np.vecdot(slopes, offset(scaling))
        theta = scaling.through(slopes, at_center)
        if not full:
            theta = np.where(own, _without(np.where(kept[:, :, np.newaxis], 0.0, Vt), theta), 0.0)
        slopes, c = scaling.to_file(theta)
    vectors = np.where(kept[:, :, np.newaxis] & own[:, np.newaxis], Vt, 0.0)
    eigenvalues = np.where(kept, (2.0 / N)[:, np.newaxis] * singular**2, 0.0)
    variance = np.where(constant[:, -1], 0.0, centered[:, -1] ** 2 / N)
    return StackedProblem(
        quadratic, scaling, slopes, c, theta, cost, mean_square[:, -1], variance, eigenvalues, vectors, deviation
    )


def _rounding(stack: Triangle, places: list[int], standard: Scalings, singular: Array, Vt: Array) -> Array:
    """The size (g, k) below which each singular value of the standardized columns counts as zero: see ``optimum``."""
    size = np.maximum(np.abs(stack.minimum), np.abs(stack.maximum))[:, places]
    brought = np.pad(np.spacing(size) / standard.scale, ((0, 0), (int(standard.intercept), 0)))
    along = np.linalg.norm(Vt * brought[:, np.newaxis], axis=2) * np.sqrt(stack.weight)[:, np.newaxis]
    least: Array = np.maximum(RANK_TOLERANCE * singular[:, :1], along)
    return least


def _on_scale_of(scaling: Scalings, standard: Scalings, rows: Array, offset: Array) -> Array:
    """Linear functions of θ, the ``rows`` (g, n, k), from standardized coordinates to another scaling's: see optimum.

    ``offset`` (g, p) are the means less the centres there.
    """
    ratio = (standard.scale / scaling.scale)[:, np.newaxis]
    if not scaling.intercept:
        return rows * ratio
    slopes = rows[:, :, 1:] * ratio + rows[:, :, :1] * (offset / scaling.scale)[:, np.newaxis]
    return np.concatenate([rows[:, :, :1], slopes], axis=2)


def _without(null: Array, vectors: Array) -> Array:
    """Vectors (…, k) less their parts along orthonormal rows (…, n, k)."""
    less: Array = vectors - np.matvec(np.swapaxes(null, -1, -2), np.matvec(null, vectors))
    return less


class AlongEigenvectors:
    """The mean squared errors of all groups as a function of u = Vᵀ(θ − θ₀) (g, k), in squared scaled target units.

    cost = cost* + ½ Σ λᵢ (uᵢ + dᵢ)²,  ∇cost = λ·(u + d), with the start's ``distance`` d = Vᵀ(θ₀ − θ*) (g, k)
    """

    def __init__(self, problem: StackedProblem, distance: Array) -> None:
        self._distance = distance
        self._eigenvalues = problem.eigenvalues
        self._least = problem.cost / problem.scaling.target_scale**2

    def at(self, theta: Array) -> Point:
        """The point at u (g, k): costs (g,) and gradients (g, k)."""
        left = theta + self._distance
        gradient = self._eigenvalues * left
        return Point(theta, 0.5 * np.vecdot(gradient, left) + self._least, gradient)

    def value(self, theta: Array) -> Array:
        """The costs (g,) at u."""
        return self.at(theta).cost

    def newton_direction(self, point: Point) -> Array:
        """H⁺ · gradient (g, k)."""
        return point.gradient / _divisor(self._eigenvalues)


def _divisor(values: Array) -> Array:
    """The values with 1 in place of 0."""
    return np.where(values > 0, values, 1.0)
