"""The least-squares minimum of a scaled problem, and which columns are collinear.

Rank is always judged on the *standardized* problem, whatever scaling the descent uses: columns of very different
size are not collinear. With full rank the triangle is solved by back substitution; otherwise the minimum is the one
of least norm on the descent's own scaled problem, where descent from zero goes. That problem loses what is judged to be
rounding (``determined_part``), so that no descent goes below its minimum.
"""

import numpy as np

from gdcli.base.records import record, replace
from gdcli.engine.arrays import Array, Extended
from gdcli.engine.quadratic import Quadratic
from gdcli.engine.scaling import Scaling, compact, scale
from gdcli.engine.triangle import Triangle

# Below this share of the largest, a singular value is rounding.
RANK_TOLERANCE = 1e-13

# An intercept below this share of the terms that it is the difference of is nothing else.
_ROUNDING = 1e-15

# Entries of the projection on the null space below this are rounding.
_NEGLIGIBLE = 1e-6


@record(eq=False)
class Solution:
    """``slopes`` (p,) and ``intercept`` in file units; ``theta`` the same on the descent's scaled problem.

    ``cost`` is the mean squared error there, in squared target units. ``rank`` counts independent design columns;
    ``row_space`` (k, p or p+1) is an orthonormal basis, in scaled units, of the directions that change the prediction,
    None if all do; ``collinear`` lists groups of places of design columns that depend on each other. ``standardized``
    are the singular values (rank,) and right vectors (rank, p) of the standardized problem's slopes.
    """

    slopes: Array
    intercept: float
    theta: Array
    cost: float
    rank: int
    row_space: Array | None
    collinear: tuple[tuple[int, ...], ...]
    standardized: tuple[Array, Array]

    @property
    def null_space(self) -> Array:
        """An orthonormal basis (p − rank, len(theta)), in scaled units, of the directions that change no prediction."""
        if self.row_space is None:
            return np.zeros((0, len(self.theta)))
        return np.linalg.qr(self.row_space.T, mode="complete")[0][:, len(self.row_space) :].T

    def determined(self, theta: Array) -> Array:
        """θ (p,), or rows of the scaled columns (n, p), without the part along the null space."""
        return theta if self.row_space is None else (theta @ self.row_space.T) @ self.row_space


def optimum(triangle: Triangle, scaling: Scaling) -> Solution:
    """The least-squares solution for a triangle whose last column is the target."""
    problem, standard = scale(triangle, "standard", scaling.intercept)
    first = 1 if scaling.intercept else 0
    p = problem.R1.shape[1] - first
    if not scaling.intercept and len(problem.z) >= p:
        problem = compact(problem)
    R, z = problem.R1[first:, first:], problem.z[first:]
    U, singular, Vt = np.linalg.svd(R, full_matrices=False)
    kept = singular > _rounding(triangle, standard, singular, Vt)
    rank, V = int(kept.sum()), Vt[kept]
    width = standard.scale.astype(np.longdouble) / standard.target_scale
    residual = 0.0
    if rank < p:
        slopes = (V.T @ ((U[:, kept].T @ z) / singular[kept])) / width
        residual = float(np.linalg.norm(U[:, ~kept].T @ z))
    elif scaling.intercept:
        # From the triangle itself: dividing it by the scales first would cost a digit.
        slopes = _back_substituted(triangle.R[1 : p + 1, 1:-1], triangle.R[1 : p + 1, -1])
    else:
        slopes = _back_substituted(R, z) / width
    m, mean = slopes.astype(np.float64), triangle.mean
    c = _left_of(mean[-1], slopes * mean[:-1]) if scaling.intercept else 0.0
    theta = scaling.through(m, _left_of(mean[-1], slopes * _offset(triangle, scaling)))
    row_space = None
    if rank < p:
        basis = np.eye(first + rank, first + p)
        basis[first:, first:] = V
        row_space = np.linalg.qr(_on_scale_of(scaling, standard, basis, triangle).T)[0].T
        theta = (theta @ row_space.T) @ row_space
        m, c = _in_file_units(scaling, theta)
    cost = float((problem.rho**2 + residual**2) / problem.weight) * standard.target_scale**2
    return Solution(m, c, theta, cost, rank, row_space, _groups(V, p), (singular[kept], V))


def determined_part(problem: Quadratic, triangle: Triangle, scaling: Scaling, best: Solution) -> Quadratic:
    """The problem without the directions that are judged to be rounding, so that no descent falls below the optimum.

    Otherwise a very long descent would tell columns apart that are collinear up to the rounding of their values.
    """
    if best.row_space is None:
        return problem
    first, V = 1 if scaling.intercept else 0, best.standardized[1]
    rows, standard = scale(triangle, "standard", scaling.intercept)
    R1 = rows.R1.copy()
    R1[:, first:] = (R1[:, first:] @ V.T) @ V
    return replace(problem, R1=_on_scale_of(scaling, standard, R1, triangle))


def _on_scale_of(scaling: Scaling, standard: Scaling, rows: Array, triangle: Triangle) -> Array:
    """Linear functions of θ, the ``rows`` (k, p), from standardized coordinates to those of another scaling.

    Slopes are longer there by the ratio of the scales, and the prediction at the means is θ₀ + slopes · offset.
    """
    if not scaling.intercept:
        return rows * (standard.scale / scaling.scale)
    slopes = rows[:, 1:] * (standard.scale / scaling.scale)
    slopes += rows[:, :1] * (_offset(triangle, scaling).astype(np.float64) / scaling.scale)
    return np.hstack([rows[:, :1], slopes])


def _offset(triangle: Triangle, scaling: Scaling) -> Extended:
    """The means (p,) less the centres of a scaling."""
    offset: Extended = triangle.mean_from(np.append(scaling.center, 0.0))[:-1] - scaling.center_low
    return offset


def _left_of(whole: np.floating, terms: Extended) -> float:
    """A number less the sum of others, in their precision; 0 if that is nothing but their rounding."""
    left = float(whole - terms.sum())
    return 0.0 if abs(left) <= _ROUNDING * float(abs(whole) + np.abs(terms).sum()) else left


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


def _rounding(triangle: Triangle, standard: Scaling, singular: Array, Vt: Array) -> Array:
    """The size (k,) below which each singular value of the standardized columns counts as zero.

    Along a direction (a row of ``Vt``) values bring their own rounding from the file, which is most in columns far from
    zero: one unit in the last place of each column, as far as the direction has a share in it.
    """
    size = np.maximum(np.abs(triangle.minimum), np.abs(triangle.maximum))[:-1]
    brought = np.linalg.norm(Vt * (np.spacing(size) / standard.scale), axis=1) * np.sqrt(triangle.weight)
    least: Array = np.maximum(RANK_TOLERANCE * singular.max(initial=0.0), brought)
    return least


def _groups(V: Array, p: int) -> tuple[tuple[int, ...], ...]:
    """The sets of columns that depend on each other, from an orthonormal basis of the row space ``V`` (k, p).

    The projection on the null space, I − VᵀV, is block-diagonal over independent sets, whatever basis the SVD chose.
    """
    if len(V) == p:
        return ()

    def linked(j: int) -> set[int]:
        share = -(V[:, j] @ V)
        share[j] += 1.0
        return set(np.flatnonzero(np.abs(share) > _NEGLIGIBLE).tolist())

    groups: list[tuple[int, ...]] = []
    seen: set[int] = set()
    for start in np.flatnonzero(1.0 - np.vecdot(V.T, V.T) > _NEGLIGIBLE).tolist():
        if start in seen:
            continue
        group, frontier = {start}, [start]
        while frontier and len(group) < p:
            reached = linked(frontier.pop()) - group
            group |= reached
            frontier.extend(reached)
        seen |= group
        groups.append(tuple(sorted(group)))
    return tuple(group for group in groups if len(group) > 1)  # a single one is a constant column
