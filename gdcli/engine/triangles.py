"""The triangles of many lanes of rows over the same columns; see ``triangle`` for what each one holds.

Rows wait until there are a few for each number that a triangle keeps, then all lanes are reduced side by side: what
is known of a lane (its triangle) and its new rows become the triangle of both. Lanes of similar size are padded with
rows of zeros, which change nothing, and go to LAPACK as one stack.
"""

from collections.abc import Sequence
from functools import reduce as fold_left
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdcli.base.records import record, replace
from gdcli.engine.arrays import Array
from gdcli.engine.column import MISSING, Column, gaps_among, sorted_levels
from gdcli.engine.qr import SLICE_ROWS, kept_as, triangularize
from gdcli.engine.triangle import Triangle, merge

LanePlaces = NDArray[np.intp]

# Rows that wait for a reduction, per row of a triangle. Fewer mean more calls, more mean more memory.
_WAITING = 3

# Fewer rows than this are not worth a reduction.
_LEAST_WAITING = 1 << 16

# Sizes are rounded up to multiples of this, so that many groups share one call.
_PADDING = 8


class LaneRows(NamedTuple):
    """Rows ``X`` (n, q) over ``columns``, the target last, of the lanes ``places`` (n,); ``weights`` (n,) or None.

    NaN stands for a missing number; an indicator column tells where, see ``lane_rows``.
    """

    columns: tuple[Column, ...]
    X: Array
    places: LanePlaces
    weights: Array | None


@record(eq=False)
class Triangles:
    """Lanes of rows as triangles ``R`` (g, q+1, q+1), relative to each lane's own ``shift`` (g, q).

    ``weight`` (g,), ``count`` (g,), ``minimum`` and ``maximum`` (g, q) are as in a Triangle; the target is the last
    column. As there, a cell without a value is 0, and an indicator tells where. ``waiting`` holds rows that
    were not reduced yet, of ``lanes`` lanes in all.
    """

    columns: tuple[Column, ...]
    R: Array
    shift: Array
    weight: Array
    count: LanePlaces
    minimum: Array
    maximum: Array
    waiting: tuple[LaneRows, ...] = ()
    lanes: int = 0

    @property
    def mean(self) -> Array:
        """The weighted means (g, q) over the cells that have a value, in the units of the file; NaN if none has."""
        return self.mean_from(np.zeros_like(self.shift))

    def mean_from(self, center: Array) -> Array:
        """The weighted means less a ``center`` (g, q), with all digits of the difference if the two are close."""
        weight = np.repeat(self.R[:, 0, :1], len(self.columns), axis=1)
        for column, indicator in gaps_among(self.columns):
            known = self.minimum[:, column] <= self.maximum[:, column]
            weight[:, column] = np.where(known, weight[:, column] - self.R[:, 0, 1 + indicator], np.nan)
        with np.errstate(invalid="ignore"):
            mean: Array = (self.shift - center) + self.R[:, 0, 1:] / weight
        return mean

    @property
    def constant(self) -> NDArray[np.bool_]:
        """A mask (g, q) of the columns that have one value only in a lane."""
        return self.minimum >= self.maximum


def no_lanes(columns: Sequence[Column]) -> Triangles:
    """The empty stack of triangles over ``columns``: no lanes yet."""
    q = len(columns)
    none = np.zeros((0, q))
    return Triangles(tuple(columns), np.zeros((0, q + 1, q + 1)), none, none[:, 0], np.zeros(0, np.intp), none, none)


def lane_rows(columns: Sequence[Column], X: Array, places: LanePlaces, weights: Array | None) -> LaneRows:
    """Rows with an indicator column before the target for each numeric column in which some cell is NaN."""
    with np.errstate(over="ignore", invalid="ignore"):
        gaps = [j for j in np.flatnonzero(np.isnan(X.sum(axis=0))).tolist() if np.isnan(X[:, j]).any()]
    if gaps:
        indicators = tuple(Column(columns[j].name, MISSING) for j in gaps)
        X = np.column_stack([X[:, :-1], np.isnan(X[:, gaps]), X[:, -1:]])
        columns = (*columns[:-1], *indicators, columns[-1])
    return LaneRows(tuple(columns), X, places, weights)


def absorb(stack: Triangles, rows: LaneRows, lanes: int) -> Triangles:
    """The stack with more rows, of ``lanes`` lanes in all: new lanes come last."""
    waiting = (*stack.waiting, rows)
    stack = replace(stack, waiting=waiting, lanes=lanes)
    enough = max(_LEAST_WAITING, _WAITING * (len(stack.columns) + 1) * lanes)
    return reduced(stack) if sum(len(each.X) for each in waiting) >= enough else stack


def reduced(stack: Triangles) -> Triangles:
    """The triangles with all waiting rows reduced."""
    if not stack.waiting:
        return stack
    columns = _columns([stack.columns, *(rows.columns for rows in stack.waiting)])
    known = _enlarged(stack, columns)
    X = np.concatenate([_over(columns, rows) for rows in stack.waiting])
    places = np.concatenate([rows.places for rows in stack.waiting])
    w = None if stack.waiting[0].weights is None else np.concatenate([rows.weights for rows in stack.waiting])
    if w is not None:
        X, places, w = X[w > 0], places[w > 0], w[w > 0]
    order = np.argsort(places, kind="stable")
    X, places, w = X[order], places[order], None if w is None else w[order]
    touched, first, count = np.unique(places, return_index=True, return_counts=True)
    if not len(touched):
        return known
    numeric = np.array([column.level is None for column in columns])
    sums, values = np.add.reduceat(X, first, axis=0), np.repeat(count[:, np.newaxis], len(columns), axis=1)
    missing = np.isnan(X) if gaps_among(columns) else None
    if missing is not None:
        sums = np.add.reduceat(np.where(missing, 0.0, X), first, axis=0)
        values = values - np.add.reduceat(missing.astype(np.intp), first, axis=0)
    means = np.where(numeric, sums / np.maximum(values, 1), 0.0)
    # Where a lane has no value yet, as a new one, its shift stands for nothing.
    unknown = known.minimum[touched] > known.maximum[touched]
    known.shift[touched] = np.where(unknown, means, known.shift[touched])
    A = np.empty((len(X), len(columns) + 1))
    A[:, 0] = 1.0
    np.subtract(X, known.shift[places], out=A[:, 1:])
    if missing is not None:
        A[:, 1:][missing] = 0.0
    if w is not None:
        A *= np.sqrt(w)[:, np.newaxis]
    known.R[touched] = _triangles(A, first, count, known.R[touched])
    known.weight[touched] += count if w is None else np.add.reduceat(w, first)
    known.count[touched] += count
    # Unlike minimum and maximum these pass over NaN.
    known.minimum[touched] = np.fmin(known.minimum[touched], np.fmin.reduceat(X, first, axis=0))
    known.maximum[touched] = np.fmax(known.maximum[touched], np.fmax.reduceat(X, first, axis=0))
    return known


def fill_lanes(stack: Triangles) -> Triangles:
    """The triangles with each gap filled with its column's mean in its lane, and without the indicators of gaps.

    ``R`` is no longer triangular, but the last row is still zero up to the target. A column in which a lane has no
    value is 0 in that lane.
    """
    gaps = gaps_among(stack.columns)
    if not gaps:
        return stack
    mean, stack = stack.mean, replace(stack, R=stack.R.copy(), shift=stack.shift.copy())
    lost = stack.minimum > stack.maximum
    for column, indicator in gaps:
        step = np.where(lost[:, column], 0.0, stack.shift[:, column] - mean[:, column])
        step = stack.shift[:, column] - (stack.shift[:, column] - step)  # what is left of it beside a far shift
        stack.R[:, 0, 1 + column] += step * stack.R[:, 0, 0]
        stack.R[:, :, 1 + column] -= step[:, np.newaxis] * stack.R[:, :, 1 + indicator]
        stack.shift[:, column] -= step
    keep = [i for i in range(len(stack.columns)) if i not in {indicator for _, indicator in gaps}]
    along = [0, *(i + 1 for i in keep)]
    return replace(
        stack,
        columns=tuple(stack.columns[i] for i in keep),
        R=stack.R[:, :, along],
        shift=stack.shift[:, keep],
        minimum=np.where(lost, stack.shift, stack.minimum)[:, keep],
        maximum=np.where(lost, stack.shift, stack.maximum)[:, keep],
    )


def take_lanes(stack: Triangles, places: Sequence[int] | NDArray[Any]) -> Triangles:
    """The stack of the lanes at ``places``, in this order; no rows of the stack may be waiting."""
    chosen = np.asarray(places)
    return replace(
        stack,
        R=stack.R[chosen],
        shift=stack.shift[chosen],
        weight=stack.weight[chosen],
        count=stack.count[chosen],
        minimum=stack.minimum[chosen],
        maximum=stack.maximum[chosen],
        lanes=len(stack.count[chosen]),
    )


def merge_lanes(left: Triangles, right: Triangles, places: LanePlaces, lanes: int) -> Triangles:
    """The triangles of the rows of both stacks, ``lanes`` in all; lane j of the right one is number ``places[j]``."""
    found = left
    if right.count.any():
        found = _stacked_lanes(reduced(replace(left, lanes=lanes)), right, places, lanes)
    for rows in right.waiting:
        found = absorb(found, rows._replace(places=places[rows.places]), lanes)
    return replace(found, lanes=lanes)


def _stacked_lanes(left: Triangles, right: Triangles, places: LanePlaces, lanes: int) -> Triangles:
    """As ``merge`` of each pair of triangles."""
    columns = _columns([left.columns, right.columns])
    found = _enlarged(replace(left, lanes=lanes), columns)
    filled = np.flatnonzero(right.count)
    both = take_lanes(_enlarged(replace(right, waiting=(), lanes=len(right.count)), columns), filled)
    at = places[filled]
    known, new = found.minimum[at] <= found.maximum[at], both.minimum <= both.maximum
    shift = np.where(known, found.shift[at], both.shift)
    step = np.where(new, both.shift - shift, 0.0)
    R = both.R.copy()
    R[:, 0, 1:] += step * R[:, 0, :1]
    for column, indicator in gaps_among(columns):
        R[:, :, 1 + column] -= step[:, column, np.newaxis] * R[:, :, 1 + indicator]
    found.R[at] = _with_signs(np.linalg.qr(np.concatenate([found.R[at], R], axis=1), mode="r"))  # type: ignore[arg-type]
    found.shift[at] = shift
    found.weight[at] += both.weight
    found.count[at] += both.count
    found.minimum[at] = np.minimum(found.minimum[at], both.minimum)
    found.maximum[at] = np.maximum(found.maximum[at], both.maximum)
    return found


def triangles_of(stack: Triangles, places: Sequence[int]) -> tuple[Triangle, ...]:
    """The triangle of each lane at ``places``, over the columns that any of these lanes has.

    Levels that none of their rows has are left out.
    """
    chosen = take_lanes(stack, places)
    have = (chosen.maximum.max(axis=0) > 0) | (chosen.minimum.min(axis=0) < 0)
    keep = [j for j, column in enumerate(stack.columns) if column.level is None or have[j]]
    columns, along = tuple(stack.columns[j] for j in keep), [0, *(j + 1 for j in keep)]
    return tuple(
        Triangle(
            columns,
            triangularize(chosen.R[i][:, along].astype(kept_as(len(along)))),
            chosen.shift[i, keep],
            float(chosen.weight[i]),
            int(chosen.count[i]),
            chosen.minimum[i, keep],
            chosen.maximum[i, keep],
        )
        for i in range(len(places))
    )


def total_of(stack: Triangles) -> Triangle:
    """The triangle of the rows of all lanes."""
    return fold_left(merge, triangles_of(stack, np.flatnonzero(stack.count).tolist()))


def qr_of_lanes(A: Array) -> Array:
    """The triangle (g, q, q) of each lane's rows (g, n, q)."""
    R: Array = np.linalg.qr(A, mode="r")  # type: ignore[assignment]  # stubs: mode
    return _with_signs(R)


def _columns(several: Sequence[tuple[Column, ...]]) -> tuple[Column, ...]:
    """The columns of all, those of the target last; levels of one text column are in order, and indicators of gaps."""
    target = several[0][-1].name
    together = sorted_levels(list(dict.fromkeys(column for columns in several for column in columns)))
    return (*(c for c in together if c.name != target), *(c for c in together if c.name == target))


def _over(columns: tuple[Column, ...], rows: LaneRows) -> Array:
    """The rows over more columns: levels that they lack are zero."""
    if rows.columns == columns:
        return rows.X
    X = np.zeros((len(rows.X), len(columns)))
    X[:, [columns.index(column) for column in rows.columns]] = rows.X
    return X


def _enlarged(stack: Triangles, columns: tuple[Column, ...]) -> Triangles:
    """A copy with room for all lanes and columns, nothing waiting.

    A new level was zero in all rows so far of a lane that has any. Put into a triangle, its column of zeros leaves the
    others triangular.
    """
    g, q, before = stack.lanes, len(columns), len(stack.count)
    place = np.array([columns.index(column) for column in stack.columns], dtype=np.intp)
    along = np.concatenate([[0], place + 1])
    R = np.zeros((g, q + 1, q + 1))
    R[:before, along[:, np.newaxis], along] = stack.R

    def spread(values: Array, new_lane: float) -> Array:
        found = np.full((g, q), new_lane)
        found[:before][stack.count > 0] = 0.0
        found[:before, place] = values
        return found

    shift = spread(stack.shift, 0.0)
    minimum, maximum = spread(stack.minimum, np.inf), spread(stack.maximum, -np.inf)
    weight = np.concatenate([stack.weight, np.zeros(g - before)])
    count = np.concatenate([stack.count, np.zeros(g - before, dtype=np.intp)])
    return Triangles(columns, R, shift, weight, count, minimum, maximum, (), g)


def _triangles(A: Array, first: LanePlaces, count: LanePlaces, known: Array) -> Array:
    """The R (k, q, q) of each run of rows of ``A`` (n, q) stacked under the ``known`` (k, q, q) triangle.

    Row ``first[i]`` is where the i-th run of ``count[i]`` rows begins. Long runs go in slices, whose triangles are
    then the rows of shorter ones.
    """
    q = A.shape[1]
    size = max(SLICE_ROWS, 4 * q)
    if int(count.max()) > size:
        slices = -(-count // size)
        starts = np.repeat(first, slices) + size * _within(slices)
        lengths = np.minimum(size, np.repeat(first + count, slices) - starts)
        shorter = _triangles(A, starts, lengths, np.zeros((len(starts), q, q)))
        ends = np.cumsum(slices)
        return _triangles(shorter.reshape(-1, q), (ends - slices) * q, slices * q, known)
    found = np.empty_like(known)
    padded = -(-count // _PADDING) * _PADDING
    for length in np.unique(padded).tolist():
        chosen = np.flatnonzero(padded == length)
        block = np.zeros((len(chosen), q + length, q))
        block[:, :q] = known[chosen]
        rows = np.repeat(first[chosen], count[chosen]) + _within(count[chosen])
        block[np.repeat(np.arange(len(chosen)), count[chosen]), q + _within(count[chosen])] = A[rows]
        found[chosen] = qr_of_lanes(block)
    return found


def _with_signs(R: Array) -> Array:
    """Triangles (k, q, q) whose diagonals are not negative."""
    diagonal = np.diagonal(R, axis1=1, axis2=2)
    return np.where(diagonal[:, :, np.newaxis] < 0, -R, R)


def _within(counts: LanePlaces) -> LanePlaces:
    """0, 1, … within each run of that length."""
    ends = np.cumsum(counts)
    within: LanePlaces = np.arange(int(counts.sum())) - np.repeat(ends - counts, counts)
    return within
