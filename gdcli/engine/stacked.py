"""The scaled problems of many groups as one stack: optimum, spectrum, and the descent along the eigenvectors.

As in ``scaling``, ``optimum`` and ``spectrum``, with a leading axis g. One singular value decomposition of each group's
scaled R₁ = U S Vᵀ says all: λ = (2/N)σ², and θ* = V S⁺ Uᵀz. In the coordinates u = Vᵀ(θ − θ₀) the gradient is
λ·(u + d) with d = Vᵀ(θ₀ − θ*), number by number: an optimiser that is linear in the gradient descends there exactly as
it does in θ, at O(p).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdcli.engine.optimum import RANK_TOLERANCE
from gdcli.engine.scaling import Quadratic
from gdcli.engine.stack import Stack
from gdcli.engine.triangle import Array

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Scalings:
    """As Scaling, for each group: ``center`` and ``scale`` (g, p), ``target_scale`` (g,)."""

    center: Array
    scale: Array
    target_scale: Array
    intercept: bool

    def to_file(self, theta: Array) -> tuple[Array, Array]:
        """Return slopes m (g, p) and intercepts c (g,) in file units; c is zero without an intercept."""
        slopes = theta[:, 1:] if self.intercept else theta
        m = slopes * (self.target_scale[:, np.newaxis] / self.scale)
        if not self.intercept:
            return m, np.zeros(len(m))
        return m, theta[:, 0] * self.target_scale - np.vecdot(m, self.center)

    def to_scaled(self, m: Array, c: Array) -> Array:
        """Return θ (g, p) or (g, 1 + p) for slopes m (g, p) and intercepts c (g,) in file units."""
        slopes = m * self.scale / self.target_scale[:, np.newaxis]
        if not self.intercept:
            return slopes
        first = (c + np.vecdot(m, self.center)) / self.target_scale
        return np.concatenate([first[:, np.newaxis], slopes], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class StackedProblem:
    """What is known of all groups before the first step.

    ``slopes`` (g, p) and ``intercept`` (g,) are the optimum in file units, ``theta`` the same on the scaled problem,
    ``cost`` (g,) its mean squared error, ``mean_square`` (g,) mean(y²) and ``variance`` (g,) the target's Σ(y − ȳ)²/N,
    in squared target units. ``eigenvalues`` (g, k) belong to the rows of ``vectors`` (g, k, k); both are 0 where the
    data determine nothing. ``deviation`` (g, p+1) are the columns' standard deviations, the target's last.
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


def active(stack: Stack, text: frozenset[str], intercept: bool) -> Mask:
    """Return which columns but the target (g, p) have a coefficient of their own in a group.

    Those that are constant there have none (without an intercept: that are zero), nor, beside an intercept, has the
    first of a text column's levels that the group has: its reference.
    """
    if not intercept:
        own: Mask = (~stack.constant | (stack.minimum != 0))[:, :-1]
        return own
    found = ~stack.constant[:, :-1]
    present = stack.maximum[:, :-1] > 0
    for name in text:
        levels = [i for i, column in enumerate(stack.columns[:-1]) if column.name == name and column.level is not None]
        if levels:
            first = np.argmax(present[:, levels], axis=1)
            found[np.arange(len(found)), np.array(levels)[first]] = False
    return found


def problem_of(stack: Stack, places: list[int], active: Mask, kind: str, intercept: bool) -> StackedProblem:
    """Scale the columns at ``places`` and the target, and solve; ``active`` (g, p) marks the columns that count.

    Every group has at least two rows.
    """
    keep = [*places, len(stack.columns) - 1]
    mean, R = stack.mean[:, keep], stack.R[:, :, [0, *(i + 1 for i in keep)]]
    constant, N = stack.constant[:, keep], stack.weight
    n = stack.count[:, np.newaxis]
    centered = np.linalg.norm(R[:, 1:, 1:], axis=1)
    deviation = np.where(constant, 0.0, centered * np.sqrt(n / (n - 1) / N[:, np.newaxis]))
    mean_square = (centered / np.sqrt(N)[:, np.newaxis]) ** 2 + mean**2
    typical = deviation if intercept else np.sqrt(mean_square)

    def scaled(scaling: Scalings) -> Quadratic:
        A = R.copy()
        A[:, 0, 1:-1] = (mean[:, :-1] - scaling.center) * A[:, 0, :1]
        A[:, 0, -1] = mean[:, -1] * A[:, 0, 0]
        A[:, :, 1:-1] *= (active / scaling.scale)[:, np.newaxis]
        A[:, :, -1] /= scaling.target_scale[:, np.newaxis]
        return Quadratic(A[:, :-1, 0 if intercept else 1 : -1], A[:, :-1, -1], A[:, -1, -1], N)

    none = np.zeros_like(mean[:, :-1])
    target_scale = _divisor(typical[:, -1])
    # A column that does not count is not shifted either: it stands for zeros.
    means = np.where(active, mean[:, :-1], 0.0)
    standard = Scalings(means if intercept else none, _divisor(typical[:, :-1]), target_scale, intercept)
    scaling = standard
    if kind == "minmax":
        low, high = stack.minimum[:, places], stack.maximum[:, places]
        scaling = Scalings(np.where(active, low, 0.0), _divisor(high - low), target_scale, intercept)
    elif kind == "none":
        scaling = Scalings(none, np.ones_like(none), np.ones_like(target_scale), intercept)

    quadratic = scaled(standard)
    U, singular, Vt = np.linalg.svd(quadratic.R1, full_matrices=False)
    kept = singular > _blur(Vt, mean, deviation, intercept) * singular[:, :1]
    share = np.where(kept, np.matvec(np.swapaxes(U, 1, 2), quadratic.z), 0.0)
    own = np.pad(active, ((0, 0), (int(intercept), 0)), constant_values=True)
    theta = np.where(own, np.matvec(np.swapaxes(Vt, 1, 2), share / np.where(kept, singular, 1.0)), 0.0)
    residual = quadratic.z - np.matvec(quadratic.R1, theta)
    cost = (quadratic.rho**2 + np.vecdot(residual, residual)) / N * standard.target_scale**2
    slopes, c = standard.to_file(theta)
    if kind != "standard":
        quadratic = scaled(scaling)
        theta = np.where(own, _shortest(scaling.to_scaled(slopes, c), Vt, kept, standard, scaling), 0.0)
        slopes, c = scaling.to_file(theta)
        rank = kept.sum(axis=1)
        _, singular, Vt = np.linalg.svd(quadratic.R1, full_matrices=False)
        kept = np.arange(kept.shape[1]) < rank[:, np.newaxis]
    vectors = np.where(kept[:, :, np.newaxis] & own[:, np.newaxis], Vt, 0.0)
    eigenvalues = np.where(kept, (2.0 / N)[:, np.newaxis] * singular**2, 0.0)
    variance = np.where(constant[:, -1], 0.0, centered[:, -1] ** 2 / N)
    return StackedProblem(
        quadratic, scaling, slopes, c, theta, cost, mean_square[:, -1], variance, eigenvalues, vectors, deviation
    )


def _blur(Vt: Array, mean: Array, deviation: Array, intercept: bool) -> Array:
    """Return for each direction (g, k) the share below which its singular value counts as zero: see ``optimum``."""
    p = mean.shape[1] - 1
    rounding = np.full((len(mean), p), RANK_TOLERANCE)
    if intercept:
        far = np.abs(mean[:, :-1]) / np.where(deviation[:, :-1] > 0, deviation[:, :-1], np.inf)
        rounding = np.pad(rounding * np.maximum(1.0, far), ((0, 0), (1, 0)), constant_values=RANK_TOLERANCE)
    blur: Array = np.linalg.norm(Vt * rounding[:, np.newaxis], axis=2)
    return blur


def _shortest(theta: Array, Vt: Array, kept: Mask, standard: Scalings, scaling: Scalings) -> Array:
    """Return θ without its part along the null directions, which ``Vt`` has on the standardised problem."""
    if kept.all():
        return theta
    null = np.where(kept[:, :, np.newaxis], 0.0, Vt)
    first = 1 if scaling.intercept else 0
    slopes = null[:, :, first:] / standard.scale[:, np.newaxis]
    basis = slopes * scaling.scale[:, np.newaxis]
    if scaling.intercept:
        # The prediction stays, as in optimum._null_space.
        c = null[:, :, :1] + np.vecdot(slopes, (scaling.center - standard.center)[:, np.newaxis])[..., np.newaxis]
        basis = np.concatenate([c, basis], axis=2)
    gram = basis @ np.swapaxes(basis, 1, 2)
    along = np.matvec(np.linalg.pinv(gram, hermitian=True), np.matvec(basis, theta))
    shortest: Array = theta - np.matvec(np.swapaxes(basis, 1, 2), along)
    return shortest


class AlongEigenvectors:
    """The mean squared errors of all groups as a function of u = Vᵀ(θ − θ₀) (g, k), in squared scaled target units.

    cost = cost* + ½ Σ λᵢ (uᵢ + dᵢ)²,  ∇cost = λ·(u + d), with the start's ``distance`` d = Vᵀ(θ₀ − θ*) (g, k)
    """

    def __init__(self, problem: StackedProblem, distance: Array) -> None:
        self._distance = distance
        self._eigenvalues = problem.eigenvalues
        self._least = problem.cost / problem.scaling.target_scale**2

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        """Return the costs (g,) and the gradients (g, k)."""
        left = theta + self._distance
        gradient = self._eigenvalues * left
        return 0.5 * np.vecdot(gradient, left) + self._least, gradient

    def solve(self, gradient: Array) -> Array:
        """Return H⁺ · gradient (g, k)."""
        return gradient / _divisor(self._eigenvalues)


def _divisor(values: Array) -> Array:
    """Return the values with 1 in place of 0."""
    return np.where(values > 0, values, 1.0)
