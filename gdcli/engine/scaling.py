"""From a triangle to the problem that is descended on, and back to the units of the file.

Each design column becomes x' = (x − centre)/scale, the target y' = y/target_scale (not centred, so that m = c = 0
is still the start). θ holds the intercept first, where there is one, then a slope per column.

    standard   centre = mean, scale = sample standard deviation (n−1); without intercept centre 0, root mean square
    minmax     centre = min, scale = max − min
    none       centre = 0, scale = 1, and the target as in the file
"""

from collections.abc import Sequence

import numpy as np

from gdcli.base.records import record
from gdcli.engine.arrays import Array, Mask, PerLane, over_columns, single
from gdcli.engine.qr import triangularize
from gdcli.engine.quadratic import Quadratic
from gdcli.engine.triangle import Triangle


@record(eq=False)
class Scaling:
    """The map between file units and scaled units; ``center``, ``scale`` and ``center_low`` have shape (…, p).

    ``target_scale`` (…) is a number, or an array of one for each lane. Columns are centred at ``center`` +
    ``center_low``: the mean of a column far from zero lies between two numbers, and a descent from the nearest one is
    not the same.
    """

    kind: str
    center: Array
    scale: Array
    target_scale: PerLane
    intercept: bool
    center_low: Array

    def centered(self, X: Array) -> Array:
        """Columns ``X`` (…, p) in file units less their centres."""
        less: Array = (X - self.center) - self.center_low
        return less

    def to_file(self, theta: Array) -> tuple[Array, Array]:
        """Slopes m (…, p) and intercept c (…) in file units; c is zero without an intercept."""
        slopes = theta[..., 1:] if self.intercept else theta
        m = slopes * (over_columns(self.target_scale) / self.scale)
        c = theta[..., 0] * self.target_scale if self.intercept else np.zeros(theta.shape[:-1])
        return m, c - np.vecdot(m, self.center) - np.vecdot(m, self.center_low)

    def to_scaled(self, m: Array, c: float) -> Array:
        """θ (…, p) for slopes m (p,) and intercept c in file units."""
        slopes = m.astype(np.longdouble)
        value = c + np.vecdot(slopes, self.center) + np.vecdot(slopes, self.center_low)
        return self.through(m, np.asarray(value, dtype=np.float64))

    def through(self, m: Array, value: PerLane) -> Array:
        """θ (…, p) for slopes m (…, p) in file units and the prediction (…) at the centre."""
        slopes = m * self.scale / over_columns(self.target_scale)
        return np.concatenate([over_columns(value / self.target_scale), slopes], -1) if self.intercept else slopes


def standard_deviations(triangle: Triangle) -> Array:
    """The weighted sample standard deviations (…, q): √(Σw(x−µ)²/Σw · n/(n−1))."""
    n, weight = over_columns(triangle.count), over_columns(triangle.weight)
    several = n > 1
    factor = np.sqrt(n / np.where(several, n - 1, 1) / np.where(several, weight, 1.0))
    return np.where(triangle.constant | ~several, 0.0, _lengths(triangle) * factor)


def scale(
    triangle: Triangle, kind: str = "standard", intercept: bool = True, target: bool = True, own: Mask | None = None
) -> tuple[Quadratic, Scaling]:
    """The squared error in scaled units, and the scaling, for a triangle whose last column is the target.

    ``kind`` is "standard", "minmax" or "none"; without ``target`` the target keeps its units. A constant column is
    divided by 1 if its deviation or range is the divisor. ``own`` (…, p) marks the columns that have a coefficient, all
    but those that are constant beside an intercept if None; the others become zero.
    """
    mean, deviation = triangle.mean.astype(np.float64), standard_deviations(triangle)
    root_mean_square = np.hypot(_lengths(triangle) / np.sqrt(over_columns(triangle.weight)), mean)
    center = center_low = np.zeros_like(mean[..., :-1])
    width = np.ones_like(center)
    target_scale: PerLane = np.ones(mean.shape[:-1])
    if kind != "none" and target:
        target_scale = _divisor((deviation if intercept else root_mean_square)[..., -1])
    if kind == "standard":
        width = _divisor((deviation if intercept else root_mean_square)[..., :-1])
        if intercept:
            center, center_low = mean[..., :-1], triangle.mean_from(mean)[..., :-1].astype(np.float64)
    elif kind == "minmax":
        width = _divisor((triangle.maximum - triangle.minimum)[..., :-1])
        center = triangle.minimum[..., :-1]
    scaling = Scaling(kind, center, width, single(target_scale), intercept, center_low)
    if own is None and intercept:
        own = ~triangle.constant[..., :-1]
    return scale_as(triangle, scaling, own), scaling


def scale_as(triangle: Triangle, scaling: Scaling, own: Mask | None = None) -> Quadratic:
    """The squared error over a triangle's rows by a given ``scaling``: held-out rows by that of the training rows.

    Columns that are not marked in ``own`` (…, p) become zero: they explain nothing, and their coefficient stays 0. With
    None all are kept.
    """
    extended, p = triangle.R.copy(), len(triangle.columns) - 1
    # The first row carries the means: √N · (mean − centre).
    less = triangle.mean_from(_with_target(scaling.center, 0.0)) - _with_target(scaling.center_low, 0.0)
    extended[..., 0, 1:] = less * extended[..., 0, :1]
    extended[..., 1:] /= _with_target(scaling.scale, scaling.target_scale)[..., np.newaxis, :]
    if own is not None:
        np.copyto(extended[..., 1:-1], 0.0, where=~own[..., np.newaxis, :])
    R = extended.astype(np.float64, copy=False)
    first = 0 if scaling.intercept else 1
    # With no more rows than columns nothing is left over.
    rho = np.asarray(R[..., p + 1, -1] if R.shape[-2] > p + 1 else 0.0)
    return Quadratic(R[..., : p + 1, first:-1], R[..., : p + 1, -1], rho, np.asarray(triangle.weight))


def _with_target(values: Array, target: PerLane) -> Array:
    """The values (…, p+1) of the design columns and of the target."""
    last = np.broadcast_to(over_columns(target), (*values.shape[:-1], 1))
    return np.concatenate([values, last], axis=-1)


def _lengths(triangle: Triangle) -> Array:
    """The Euclidean lengths (…, q) of the columns less their means."""
    lengths: Array = np.linalg.norm(triangle.R[..., 1:, 1:].astype(np.float64, copy=False), axis=-2)
    return lengths


def stacked(problems: Sequence[Quadratic]) -> Quadratic:
    """The problems, which have the same columns, as one problem with a leading axis."""
    most = max(len(problem.z) for problem in problems)
    short = [most - len(problem.z) for problem in problems]
    return Quadratic(
        np.stack([np.pad(problem.R1, ((0, n), (0, 0))) for problem, n in zip(problems, short, strict=True)]),
        np.stack([np.pad(problem.z, (0, n)) for problem, n in zip(problems, short, strict=True)]),
        np.array([problem.rho for problem in problems]),
        np.array([problem.weight for problem in problems]),
    )


def compact(problem: Quadratic) -> Quadratic:
    """A problem with the same cost at every θ, whose ``R1`` is square (…, p, p) and upper triangular."""
    *lanes, rows, p = problem.R1.shape
    full = np.zeros((*lanes, rows + 1, p + 1))
    full[..., :-1, :p], full[..., :-1, p], full[..., -1, p] = problem.R1, problem.z, problem.rho
    R = triangularize(full).astype(np.float64)
    return Quadratic(R[..., :p, :p], R[..., :p, p], R[..., p, p], problem.weight)


def _divisor(values: Array) -> Array:
    """The values with 1 in place of 0."""
    return np.where(values > 0, values, 1.0)
