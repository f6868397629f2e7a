"""The least-squares minimum of a scaled problem, and which columns are collinear.

Rank is always judged on the *standardized* problem, whatever scaling the descent uses: columns of very different
size are not collinear. With full rank the triangle is solved by back substitution; otherwise the minimum is the one
of least norm on the descent's own scaled problem, where descent from zero goes. That problem loses what is judged to be
rounding (``determined_part``), so that no descent goes below its minimum.
"""

import numpy as np

from gdcli.base.records import record, replace
from gdcli.engine.arrays import Array, Extended, Mask, PerLane, over_columns, single
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
    """``slopes`` (…, p) and ``intercept`` (…) in file units; ``theta`` the same on the descent's scaled problem.

    ``cost`` (…) is the mean squared error there, in squared target units. ``rank`` (…) counts independent design
    columns; ``row_space`` (…, k, p or p+1) is an orthonormal basis, in scaled units, of the directions that change the
    prediction, None if all do. ``standardized`` are the singular values (…, r) and right vectors (…, r, p) of the
    standardized problem's slopes. A lane of lower rank than others has zeros in the place of what it lacks.
    """

    slopes: Array
    intercept: PerLane
    theta: Array
    cost: PerLane
    rank: PerLane
    row_space: Array | None
    standardized: tuple[Array, Array]

    @property
    def collinear(self) -> tuple[tuple[int, ...], ...]:
        """Groups of places of design columns that depend on each other. Of a single lane."""
        return _groups(self.standardized[1], len(self.slopes))

    @property
    def null_space(self) -> Array:
        """An orthonormal basis (p − rank, len(theta)), in scaled units, of the directions that change no prediction."""
        if self.row_space is None:
            return np.zeros((0, len(self.theta)))
        return np.linalg.qr(self.row_space.T, mode="complete")[0][:, len(self.row_space) :].T

    def determined(self, theta: Array) -> Array:
        """θ (…, p), or of one lane rows of the scaled columns (n, p), without the part along the null space."""
        return theta if self.row_space is None else np.vecmat(np.matvec(self.row_space, theta), self.row_space)


def optimum(triangle: Triangle, scaling: Scaling, own: Mask | None = None, scaled: Quadratic | None = None) -> Solution:
    """The least-squares solution for a triangle whose last column is the target; ``own`` as in ``scale``.

    ``scaled`` is the problem on the descent's scale, target included, if it is known: it spares a copy if that is the
    standardized one.
    """
    problem, standard = scaled, scaling
    if problem is None or scaling.kind != "standard":
        problem, standard = scale(triangle, "standard", scaling.intercept, own=own)
    first = 1 if scaling.intercept else 0
    p = problem.R1.shape[-1] - first
    if not scaling.intercept and problem.z.shape[-1] >= p:
        problem = compact(problem)
    R, z = problem.R1[..., first:, first:], problem.z[..., first:]
    U, singular, V = np.linalg.svd(R, full_matrices=False)
    share = np.vecmat(z, U)
    del U  # of a wide table it is large
    kept = singular > _rounding(triangle, standard, singular, V)
    rank = kept.sum(axis=-1)
    full = rank == p
    width = standard.scale.astype(np.longdouble) / over_columns(standard.target_scale)
    slopes, residual = np.zeros_like(width), np.zeros_like(rank, dtype=np.float64)
    if not full.all():
        slopes = np.vecmat(np.where(kept, share / np.where(kept, singular, 1.0), 0.0), V) / width
        residual = np.linalg.norm(np.where(kept, 0.0, share), axis=-1)
        # What a column of zeros has of them is rounding.
        there = (R != 0).any(axis=-2, keepdims=True)
        slopes = np.where(there[..., 0, :], slopes, 0.0)
        singular, V = _first_of(kept, singular, np.where(there, V, 0.0))
    if full.any():
        # From the triangle itself: dividing it by the scales first would cost a digit.
        of = (triangle.R[..., 1 : p + 1, 1:-1], triangle.R[..., 1 : p + 1, -1]) if scaling.intercept else (R, z)
        solved = _back_substituted(*of) / (1.0 if scaling.intercept else width)
        slopes = np.where(over_columns(full), solved, slopes)
    m, mean = slopes.astype(np.float64), triangle.mean
    c: PerLane = _left_of(mean[..., -1], slopes * mean[..., :-1]) if scaling.intercept else np.zeros_like(residual)
    theta = scaling.through(m, _left_of(mean[..., -1], slopes * _offset(triangle, scaling)))
    row_space = None
    if not full.all():
        row_space = _row_space(V, triangle, scaling, standard)
        theta = np.where(over_columns(full), theta, np.vecmat(np.matvec(row_space, theta), row_space))
        found_m, found_c = scaling.to_file(theta)
        m, c = np.where(over_columns(full), m, found_m), np.where(full, c, found_c)
    cost = (problem.rho**2 + residual**2) / problem.weight * standard.target_scale**2
    return Solution(m, single(c), theta, single(cost), single(rank), row_space, (singular, V))


def _first_of(kept: Mask, singular: Array, V: Array) -> tuple[Array, Array]:
    """The singular values (…, r) and vectors (…, r, p) that are kept, zeros in lanes with fewer than others."""
    order = np.argsort(~kept, axis=-1, kind="stable")[..., : int(kept.sum(axis=-1).max())]
    there = np.take_along_axis(kept, order, axis=-1)
    singular = np.where(there, np.take_along_axis(singular, order, axis=-1), 0.0)
    return singular, np.where(there[..., np.newaxis], np.take_along_axis(V, order[..., np.newaxis], axis=-2), 0.0)


def _row_space(V: Array, triangle: Triangle, scaling: Scaling, standard: Scaling) -> Array:
    """An orthonormal basis (…, k, len(θ)) of the directions along ``V`` (…, r, p), and of the intercept if any."""
    first = 1 if scaling.intercept else 0
    *lanes, r, p = V.shape
    basis = np.zeros((*lanes, first + r, first + p))
    basis[..., :first, :first] = 1.0
    basis[..., first:, first:] = V
    basis = _on_scale_of(scaling, standard, basis, triangle)
    found = np.swapaxes(np.linalg.qr(np.swapaxes(basis, -1, -2))[0], -1, -2)
    # What a row or a column of zeros has of it is rounding.
    return np.where((basis != 0).any(axis=-1, keepdims=True) & (basis != 0).any(axis=-2, keepdims=True), found, 0.0)


def determined_part(
    problem: Quadratic, triangle: Triangle, scaling: Scaling, best: Solution, own: Mask | None = None
) -> Quadratic:
    """The problem without the directions that are judged to be rounding, so that no descent falls below the optimum.

    Otherwise a very long descent would tell columns apart that are collinear up to the rounding of their values.
    """
    if best.row_space is None:
        return problem
    first, V = 1 if scaling.intercept else 0, best.standardized[1]
    rows, standard = scale(triangle, "standard", scaling.intercept, own=own)
    R1 = rows.R1.copy()
    R1[..., first:] = (R1[..., first:] @ np.swapaxes(V, -1, -2)) @ V
    full = np.asarray(best.rank == V.shape[-1])[..., np.newaxis, np.newaxis]
    return replace(problem, R1=np.where(full, problem.R1, _on_scale_of(scaling, standard, R1, triangle)))


def _on_scale_of(scaling: Scaling, standard: Scaling, rows: Array, triangle: Triangle) -> Array:
    """Linear functions of θ, the ``rows`` (…, k, p), from standardized coordinates to those of another scaling.

    Slopes are longer there by the ratio of the scales, and the prediction at the means is θ₀ + slopes · offset.
    """
    ratio = (standard.scale / scaling.scale)[..., np.newaxis, :]
    if not scaling.intercept:
        return rows * ratio
    offset = (_offset(triangle, scaling).astype(np.float64) / scaling.scale)[..., np.newaxis, :]
    # A column of zeros does not count: it stays one.
    there = (rows[..., 1:] != 0).any(axis=-2, keepdims=True)
    slopes = rows[..., 1:] * ratio + rows[..., :1] * np.where(there, offset, 0.0)
    return np.concatenate([rows[..., :1], slopes], axis=-1)


def _offset(triangle: Triangle, scaling: Scaling) -> Extended:
    """The means (…, p) less the centres of a scaling."""
    target = np.zeros((*scaling.center.shape[:-1], 1))
    offset: Extended = triangle.mean_from(np.concatenate([scaling.center, target], axis=-1))[..., :-1]
    return offset - scaling.center_low


def _left_of(whole: Extended, terms: Extended) -> Array:
    """Numbers (…) less the sum of others (…, p), in their precision; 0 if that is nothing but their rounding."""
    left = (whole - terms.sum(axis=-1)).astype(np.float64)
    rounding = _ROUNDING * (np.abs(whole) + np.abs(terms).sum(axis=-1)).astype(np.float64)
    return np.where(np.abs(left) <= rounding, 0.0, left)


def _back_substituted(R: Extended, z: Extended) -> Extended:
    """The solution x (…, p) of R x = z for an upper triangular R (…, p, p), in extended precision if there is any."""
    x = z.astype(np.longdouble)
    with np.errstate(divide="ignore", invalid="ignore"):  # in lanes of lower rank
        for i in reversed(range(x.shape[-1])):
            row = R[..., i, i:].astype(np.longdouble)
            x[..., i] = (x[..., i] - np.vecdot(row[..., 1:], x[..., i + 1 :])) / row[..., 0]
    return x


def _rounding(triangle: Triangle, standard: Scaling, singular: Array, V: Array) -> Array:
    """The size (…, k) below which each singular value of the standardized columns counts as zero.

    Along a direction (a row of ``V``) values bring their own rounding from the file, which is most in columns far from
    zero: one unit in the last place of each column, as far as the direction has a share in it.
    """
    size = np.maximum(np.abs(triangle.minimum), np.abs(triangle.maximum))[..., :-1]
    unit = (np.spacing(size) / standard.scale)[..., np.newaxis, :]
    shares = V * unit
    shares *= shares
    brought = np.sqrt(shares.sum(axis=-1)) * np.sqrt(over_columns(triangle.weight))
    least: Array = np.maximum(RANK_TOLERANCE * singular.max(axis=-1, keepdims=True, initial=0.0), brought)
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
