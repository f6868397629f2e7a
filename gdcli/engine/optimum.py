"""The least-squares minimum of a scaled problem, and which columns are collinear.

Rank is always judged on the *standardised* problem, whatever scaling the descent uses: columns of very different
size are not collinear. With full rank the triangle is solved by back substitution; otherwise the minimum is the one
of least norm on the descent's own scaled problem, where descent from zero goes.
"""

from dataclasses import dataclass

import numpy as np

from gdcli.engine.scaling import Scaling, compact, scale, standard_deviations
from gdcli.engine.triangle import Array, Extended, Triangle

# Below this share of the largest, a singular value is rounding; columns far from zero arrive with more of it.
RANK_TOLERANCE = 1e-13
# An intercept below this share of the terms that it is the difference of is nothing else.
_ROUNDING = 1e-15
# Entries of the projection on the null space below this are rounding.
_NEGLIGIBLE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """``slopes`` (p,) and ``intercept`` in file units; ``theta`` the same on the descent's scaled problem.

    ``cost`` is the mean squared error there, in squared target units. ``rank`` counts independent design columns;
    ``null_space`` (p − rank, p or p+1) is an orthonormal basis, in scaled units, of the directions that do not
    change the prediction; ``collinear`` lists groups of places of design columns that depend on each other.
    ``standardized`` are the singular values (p,) and right vectors (p, p) of the standardised problem's slopes.
    """

    slopes: Array
    intercept: float
    theta: Array
    cost: float
    rank: int
    null_space: Array
    collinear: tuple[tuple[int, ...], ...]
    standardized: tuple[Array, Array]


def optimum(triangle: Triangle, scaling: Scaling) -> Optimum:
    """Solve the least-squares problem of a triangle whose last column is the target."""
    problem, standard = scale(triangle, "standard", scaling.intercept)
    if not scaling.intercept:
        problem = compact(problem)
    first = 1 if scaling.intercept else 0
    R, z = problem.R1[first:, first:], problem.z[first:]
    p = R.shape[1]
    U, singular, Vt = np.linalg.svd(R)
    # Judged along each direction: a column far from zero blurs its own share of it only.
    blur = np.linalg.norm(Vt * _rounding(triangle, scaling.intercept), axis=1)
    kept = singular > blur * singular.max(initial=0.0)
    rank = int(kept.sum())
    width = standard.scale.astype(np.longdouble) / standard.target_scale
    residual = 0.0
    if rank < p:
        slopes = (Vt[kept].T @ ((U[:, kept].T @ z) / singular[kept])) / width
        residual = float(np.linalg.norm(U[:, ~kept].T @ z))
    elif scaling.intercept:
        # From the triangle itself: dividing it by the scales first would cost a digit.
        slopes = _back_substituted(triangle.R[1:-1, 1:-1], triangle.R[1:-1, -1])
    else:
        slopes = _back_substituted(R, z) / width
    # The intercept is a small difference of large numbers where columns are far from zero: extended precision.
    mean = triangle.mean
    c = float(mean[-1] - slopes @ mean[:-1]) if scaling.intercept else 0.0
    if abs(c) <= _ROUNDING * float(abs(mean[-1]) + np.abs(slopes) @ np.abs(mean[:-1])):
        c = 0.0
    m = slopes.astype(np.float64)
    null_space = _null_space(Vt[~kept], standard, scaling)
    theta = scaling.to_scaled(m, c)
    if rank < p:
        theta = theta - null_space.T @ (null_space @ theta)
        m, c = _in_file_units(scaling, theta)
    cost = float((problem.rho**2 + residual**2) / problem.weight) * standard.target_scale**2
    return Optimum(m, c, theta, cost, rank, null_space, _groups(Vt[~kept]), (singular, Vt))


def _in_file_units(scaling: Scaling, theta: Array) -> tuple[Array, float]:
    m, c = scaling.to_file(theta)
    return m, float(c)


def _back_substituted(R: Array | Extended, z: Array | Extended) -> Extended:
    """Solve R x = z for an upper triangular R (p, p), in extended precision where the platform has it."""
    x = z.astype(np.longdouble)
    for i in reversed(range(len(x))):
        row = R[i, i:].astype(np.longdouble)
        x[i] = (x[i] - row[1:] @ x[i + 1 :]) / row[0]
    return x


def _rounding(triangle: Triangle, intercept: bool) -> Array:
    """Return for each standardised column (p,) the relative size below which its singular values count as zero."""
    rounding = np.full(len(triangle.columns) - 1, RANK_TOLERANCE)
    if not intercept:
        return rounding
    deviation = standard_deviations(triangle)[:-1]
    far = np.abs(triangle.mean[:-1].astype(np.float64)) / np.where(deviation > 0, deviation, np.inf)
    return rounding * np.maximum(1.0, far)


def _null_space(directions: Array, standard: Scaling, scaling: Scaling) -> Array:
    """Return null directions (k, p) of the standardised problem as an orthonormal basis of the descent's problem."""
    slopes = directions / standard.scale  # in file units, up to the target's scale
    basis = slopes * scaling.scale
    if scaling.intercept:
        # The prediction stays: δc = −δm·mean, and c = θ₀ − m·centre.
        basis = np.hstack([(slopes @ (scaling.center - standard.center))[:, np.newaxis], basis])
    return np.linalg.qr(basis.T)[0].T


def _groups(null_vectors: Array) -> tuple[tuple[int, ...], ...]:
    """Return the sets of columns that depend on each other, from an orthonormal null basis (k, p).

    The projection on the null space is block-diagonal over independent sets, whatever basis the SVD chose.
    """
    if not len(null_vectors):
        return ()
    linked = np.abs(null_vectors.T @ null_vectors) > _NEGLIGIBLE
    groups: list[tuple[int, ...]] = []
    seen: set[int] = set()
    for start in np.flatnonzero(np.diagonal(linked)):
        if int(start) in seen:
            continue
        group, frontier = {int(start)}, [int(start)]
        while frontier:
            reached = {int(j) for j in np.flatnonzero(linked[frontier.pop()])} - group
            group |= reached
            frontier.extend(reached)
        seen |= group
        groups.append(tuple(sorted(group)))
    return tuple(group for group in groups if len(group) > 1)  # a single one is a constant column
