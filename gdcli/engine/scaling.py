"""From a triangle to the problem that is descended on, and back to the units of the file.

Each design column becomes x' = (x − centre)/scale, the target y' = y/target_scale (not centred, so that m = c = 0
is still the start). θ holds the intercept first, where there is one, then a slope per column.

    standard   centre = mean, scale = sample standard deviation (n−1); without intercept centre 0, root mean square
    minmax     centre = min, scale = max − min
    none       centre = 0, scale = 1, and the target as in the file
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gdcli.base.records import record
from gdcli.engine.arrays import Array
from gdcli.engine.qr import triangularize
from gdcli.engine.quadratic import Quadratic
from gdcli.engine.triangle import Triangle


@record(eq=False)
class Scaling:
    """The map between file units and scaled units; ``center``, ``scale`` and ``center_low`` have shape (p,).

    Columns are centred at ``center`` + ``center_low``: the mean of a column far from zero lies between two numbers, and
    a descent from the nearest one is not the same.
    """

    kind: str
    center: Array
    scale: Array
    target_scale: float
    intercept: bool
    center_low: Array

    def centered(self, X: Array) -> Array:
        """Columns ``X`` (…, p) in file units less their centres."""
        less: Array = (X - self.center) - self.center_low
        return less

    def to_file(self, theta: Array) -> tuple[Array, Array]:
        """Slopes m (…, p) and intercept c (…) in file units; c is zero without an intercept."""
        slopes = theta[..., 1:] if self.intercept else theta
        m = slopes * (self.target_scale / self.scale)
        c = theta[..., 0] * self.target_scale if self.intercept else np.zeros(theta.shape[:-1])
        return m, c - m @ self.center - m @ self.center_low

    def to_scaled(self, m: Array, c: float) -> Array:
        """θ for slopes m (p,) and intercept c in file units."""
        slopes = m.astype(np.longdouble)
        return self.through(m, float(c + slopes @ self.center + slopes @ self.center_low))

    def through(self, m: Array, value: float) -> Array:
        """θ for slopes m (p,) in file units and the prediction at the centre."""
        slopes = m * self.scale / self.target_scale
        return np.concatenate([[value / self.target_scale], slopes]) if self.intercept else slopes


def standard_deviations(triangle: Triangle) -> Array:
    """The weighted sample standard deviations (q,): √(Σw(x−µ)²/Σw · n/(n−1))."""
    n = triangle.count
    if n < 2:
        return np.zeros(len(triangle.columns))
    centered = np.linalg.norm(triangle.R[1:, 1:].astype(np.float64), axis=0)
    return np.where(triangle.constant, 0.0, centered * np.sqrt(n / (n - 1) / triangle.weight))


def scale(
    triangle: Triangle, kind: str = "standard", intercept: bool = True, target: bool = True
) -> tuple[Quadratic, Scaling]:
    """The squared error in scaled units, and the scaling, for a triangle whose last column is the target.

    ``kind`` is "standard", "minmax" or "none"; without ``target`` the target keeps its units. A constant column is
    divided by 1 if its deviation or range is the divisor; with an intercept it becomes zero.
    """
    mean, deviation = triangle.mean.astype(np.float64), standard_deviations(triangle)
    centered = np.linalg.norm(triangle.R[1:, 1:].astype(np.float64), axis=0)
    root_mean_square = np.hypot(centered / np.sqrt(triangle.weight), mean)
    p = len(triangle.columns) - 1
    center, center_low, width = np.zeros(p), np.zeros(p), np.ones(p)
    target_scale = 1.0
    if kind != "none" and target:
        target_scale = float(_divisor((deviation if intercept else root_mean_square)[p:])[0])
    if kind == "standard":
        width = _divisor((deviation if intercept else root_mean_square)[:p])
        if intercept:
            center = mean[:p]
            center_low = triangle.mean_from(mean)[:p].astype(np.float64)
    elif kind == "minmax":
        width = _divisor(triangle.maximum[:p] - triangle.minimum[:p])
        center = triangle.minimum[:p]

    scaling = Scaling(kind, center, width, target_scale, intercept, center_low)
    return scale_as(triangle, scaling, constant=triangle.constant if intercept else None), scaling


def scale_as(triangle: Triangle, scaling: Scaling, constant: NDArray[np.bool_] | None = None) -> Quadratic:
    """The squared error over a triangle's rows by a given ``scaling``: held-out rows by that of the training rows.

    Columns marked in ``constant`` (p+1,), the target last, become zero: beside the intercept they explain nothing, and
    their coefficient stays 0. The target is never set to zero.
    """
    extended = triangle.R.copy()
    # The first row carries the means: √N · (mean − centre).
    less = triangle.mean_from(np.append(scaling.center, 0.0)) - np.append(scaling.center_low, 0.0)
    extended[0, 1:] = less * extended[0, 0]
    extended[:, 1:] /= np.append(scaling.scale, scaling.target_scale)
    if constant is not None:
        extended[:, 1:-1][:, constant[:-1]] = 0.0
    R = extended.astype(np.float64)
    first, p = 0 if scaling.intercept else 1, len(triangle.columns) - 1
    # With no more rows than columns nothing is left over.
    rho = np.asarray(R[p + 1, -1] if len(R) > p + 1 else 0.0)
    return Quadratic(R[: p + 1, first:-1], R[: p + 1, -1], rho, np.asarray(triangle.weight))


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
    """A problem with the same cost at every θ, whose ``R1`` is square (p, p) and upper triangular."""
    p = problem.R1.shape[1]
    full = np.zeros((len(problem.z) + 1, p + 1))
    full[:-1, :p], full[:-1, p], full[-1, p] = problem.R1, problem.z, problem.rho
    R = triangularize(full).astype(np.float64)
    return Quadratic(R[:p, :p], R[:p, p], R[p, p], problem.weight)


def _divisor(values: Array) -> Array:
    """The values with 1 in place of 0."""
    return np.where(values > 0, values, 1.0)
