"""The one-pass summary of rows: a QR triangle that stands for them in every squared-error fit.

Let A = [1, x₁ … x_q] be rows with a column of ones. Its QR factorization A = QR leaves a triangle R with
‖A v‖ = ‖R v‖ for every v, and the triangle of many rows is the triangle of (the triangle of some stacked on the
triangle of the others). R rather than AᵀA, because it does not square the condition number.

Numeric columns are stored relative to a shift close to their mean, so that columns far from zero (a year, a
timestamp) keep their digits; indicators of levels are stored as they are.

A cell without a value (NaN) stands for its column's shift, that is for 0, and an indicator column tells where: whatever
value s + Δ is to fill these cells in the end, Δ times the indicator makes it so.

Golub & Van Loan, Matrix Computations, 4th ed., section 5.2; Demmel et al., "Communication-optimal parallel and
sequential QR" (SIAM J. Sci. Comput. 34, 2012) for the reduction by slices.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from gdcli.base.records import record, replace
from gdcli.engine.arrays import Array, Extended, NDArray, PerLane, single
from gdcli.engine.blas import WIDE
from gdcli.engine.column import MISSING, Column, gaps_among, sorted_levels
from gdcli.engine.qr import kept_as, small, triangularize, triangularize_parts, with_rows_below, with_signs

# The fields of a triangle that have an entry for each lane.
OF_LANES = ("R", "shift", "weight", "count", "minimum", "maximum")


@record(eq=False)
class Triangle:
    """Rows reduced to (q+1)² numbers at most, q being the number of columns.

    ``R`` is upper triangular of shape (q+1, q+1), or a trapezium with no more rows than were reduced, in extended
    precision where the platform has it; its first column belongs to the ones, the others to ``columns`` less their
    ``shift`` (q,). While rows wait to be reduced, ``R`` holds them as they are. ``weight`` is the sum of the rows'
    weights, ``count`` the number of rows of positive weight; ``minimum`` and ``maximum`` (q,) are over those, and over
    the cells that have a value (infinite where none has).

    Of many lanes of rows over the same columns all arrays have leading axes: ``R`` (…, q+1, q+1) in double precision,
    ``shift`` (…, q), ``weight`` (…) and so on. A lane may have no rows.
    """

    columns: tuple[Column, ...]
    R: Extended
    shift: Array
    weight: PerLane
    count: PerLane
    minimum: Array
    maximum: Array

    @property
    def mean(self) -> Extended:
        """The weighted means (…, q) over the cells that have a value, in the units of the file; NaN if none has."""
        return self.mean_from(np.zeros_like(self.shift))

    def mean_from(self, center: Array) -> Extended:
        """The weighted means less a ``center`` (…, q), with all digits of the difference if the two are close."""
        weight = np.repeat(self.R[..., 0, :1], len(self.columns), axis=-1)
        for column, indicator in self.gaps:
            with_value = weight[..., column] - self.R[..., 0, 1 + indicator]
            weight[..., column] = np.where(self.known[..., column], with_value, np.nan)
        with np.errstate(invalid="ignore"):
            mean: Extended = (self.shift - center) + self.R[..., 0, 1:] / weight
        return mean

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """A pair of places for each numeric column with missing cells: the column's and that of their indicator."""
        return gaps_among(self.columns)

    @property
    def known(self) -> NDArray[np.bool_]:
        """A mask (…, q) of the columns that have a value in at least one row."""
        known: NDArray[np.bool_] = ~(self.minimum > self.maximum)
        return known

    @property
    def constant(self) -> NDArray[np.bool_]:
        """A mask (…, q) of the columns that have one value only; not judged on a norm, which rounding blurs."""
        return self.minimum >= self.maximum


def from_rows(X: Array, columns: Sequence[Column], weights: Array | None = None, wait: bool = False) -> Triangle:
    """Reduce the rows ``X`` (n, q) of finite numbers, or NaN where a number is missing, to their triangle.

    ``weights`` (n,) are non-negative; a row of weight 0 does not count at all. With ``wait`` the rows of a wide table
    may wait for others: ``merge`` takes them, ``reduced`` ends it.
    """
    if weights is not None:
        positive = weights > 0
        X, weights = X[positive], weights[positive]
    if len(X) == 0:
        return empty(columns)
    return _reduced(X.T, len(X), np.stack([X.mean(axis=0), X.min(axis=0), X.max(axis=0)]), columns, weights, wait)


def from_columns(numbers: Sequence[Array], columns: Sequence[Column], wait: bool = False) -> Triangle:
    """The triangle of rows as of ``from_rows``, given the ``numbers`` (n,) of each column: it spares a copy of all."""
    n = len(numbers[0])
    if n == 0:
        return empty(columns)
    return _reduced(
        numbers, n, np.array([(one.mean(), one.min(), one.max()) for one in numbers]).T, columns, None, wait
    )


def _reduced(
    numbers: Sequence[Array] | Array,
    n: int,
    known: Array,
    columns: Sequence[Column],
    weights: Array | None,
    wait: bool,
) -> Triangle:
    """The triangle of n > 0 rows of positive weight; ``known`` (3, q) are the columns' means, minima and maxima."""
    numeric = np.array([column.level is None for column in columns], dtype=bool)
    shift, minimum, maximum = np.where(numeric, known[0], 0.0), known[1], known[2]
    missing = {j: gap for j in np.flatnonzero(np.isnan(shift)).tolist() if (gap := np.isnan(numbers[j])).any()}
    for j, gap in missing.items():
        present = numbers[j][~gap]
        shift[j] = present.mean() if len(present) else 0.0
        minimum[j], maximum[j] = present.min(initial=np.inf), present.max(initial=-np.inf)
    own, order = shift, list[int]()
    if missing:
        columns, order = _with_indicators(columns, missing)
        k = len(missing)
        shift = np.append(shift, np.zeros(k))[order]
        minimum = np.append(minimum, [float(gap.all()) for gap in missing.values()])[order]
        maximum = np.append(maximum, np.ones(k))[order]
    kind = np.longdouble if small(n, len(numbers) + 1) else np.float64

    def part(start: int, stop: int) -> NDArray[np.floating]:
        """The rows A from ``start`` to ``stop``."""
        rows = slice(start, stop)
        A = _with_ones([one[rows] for one in numbers], stop - start, own, kind)
        if missing:
            A = _with_gaps(A, {j: gap[rows] for j, gap in missing.items()}, order)
        if weights is not None:
            A *= np.sqrt(weights[rows])[:, np.newaxis]
        return A

    return Triangle(
        columns=tuple(columns),
        R=part(0, n) if wait and _may_wait(n, len(columns) + 1) else triangularize_parts(part, n, len(columns) + 1),
        shift=shift,
        weight=float(n) if weights is None else float(weights.sum()),
        count=n,
        minimum=minimum,
        maximum=maximum,
    )


def _with_ones(numbers: Sequence[Array], n: int, shift: Array, kind: type[np.floating]) -> NDArray[np.floating]:
    """The rows (n, q+1) of a column of ones and of ``numbers`` (n,), one for each column, less the ``shift``."""
    # In columns, as LAPACK wants its slices so.
    A = np.empty((n, len(numbers) + 1), dtype=kind, order="F")
    A[:, 0] = 1.0
    for j, one in enumerate(numbers):  # by column: twice as fast as one call
        np.subtract(one, shift[j], out=A[:, j + 1], dtype=kind)
    return A


def _with_indicators(columns: Sequence[Column], missing: Collection[int]) -> tuple[tuple[Column, ...], list[int]]:
    """The columns with an indicator beside each of those ``missing`` values, and the places of these q+k columns
    among the old and then the new ones.
    """
    both = [*columns, *(Column(columns[j].name, MISSING) for j in missing)]
    place = {column: i for i, column in enumerate(both)}
    order = [place[column] for column in sorted_levels(both)]
    return tuple(both[i] for i in order), order


def _with_gaps(
    A: NDArray[np.floating], missing: Mapping[int, NDArray[np.bool_]], order: Sequence[int]
) -> NDArray[np.floating]:
    """The rows ``A`` (n, q+1) with 0 in the gaps, and the gaps' indicators as new columns put in the ``order``."""
    for j, gap in missing.items():
        A[gap, j + 1] = 0.0
    A = np.column_stack([A, *(gap.astype(A.dtype) for gap in missing.values())])
    return A[:, [0, *(i + 1 for i in order)]]


def merge(left: Triangle, right: Triangle, jobs: int | None = 1, wait: bool = False) -> Triangle:
    """The triangle of the rows of both sides, relative to the left one's shift.

    A column that only one side has (a level first seen late) counts as zero in the other side's rows. ``jobs`` threads
    share the work on wide triangles; ``wait`` as in ``from_rows``.
    """
    columns = left.columns
    if right.columns != columns:
        known = set(columns)
        columns = tuple(sorted_levels([*columns, *(c for c in right.columns if c not in known)]))
        left, right = _widened(left, columns), _widened(right, columns)
    if not np.any(left.count) or not np.any(right.count):
        return right if np.any(right.count) else left
    # Where the left side has no value its shift stands for nothing.
    shift = np.where(left.known, left.shift, right.shift)
    return Triangle(
        columns=columns,
        R=_stacked(left.R, right, shift, jobs, wait),
        shift=shift,
        weight=left.weight + right.weight,
        count=left.count + right.count,
        minimum=np.minimum(left.minimum, right.minimum),
        maximum=np.maximum(left.maximum, right.maximum),
    )


def _stacked(R: Extended, triangle: Triangle, shift: Array, jobs: int | None, wait: bool) -> Extended:
    """The R of the rows that R stands for, and of a triangle's relative to a shift; all these rows if they wait."""
    moved = _moved(triangle, shift)
    if R.dtype != np.float64 or R.shape[-2] < R.shape[-1] or R.ndim > 2:
        rows = np.concatenate([R, moved], axis=-2)
        return rows if wait and _may_wait(*rows.shape[-2:]) else triangularize(rows)
    found = with_rows_below(R.astype(np.float64, copy=False), moved.astype(np.float64, copy=False), jobs)
    return with_signs(found.astype(kept_as(len(R)), copy=False))


def _may_wait(n: int, q: int) -> bool:
    """Whether n rows of q columns may wait to be reduced: in a wide table, while they are fewer than a triangle's.

    Reducing them would cost as much again as merging them does.
    """
    return q > WIDE and n < q


def reduced(triangle: Triangle) -> Triangle:
    """The triangle of the same rows, none of which waits."""
    return replace(triangle, R=triangularize(triangle.R)) if triangle.R[1:, 0].any() else triangle


def fill(
    triangle: Triangle, columns: Sequence[Column] | None = None, means: Mapping[Column, PerLane] | None = None
) -> Triangle:
    """The triangle of the same rows over ``columns``, each missing cell filled with its column's number in ``means``.

    The numbers are the triangle's own means if none are given, and the columns all but the indicators. In a column
    without a number in ``means`` the fill is the column's shift. The fill is exact: its number becomes the shift,
    relative to which a filled cell is 0.
    """
    gaps = dict(triangle.gaps)
    if columns is None:
        columns = [column for i, column in enumerate(triangle.columns) if i not in gaps.values()]
    if not gaps:
        return select(triangle, columns)
    if means is None:
        means = own_means(triangle)
    shift, minimum, maximum = triangle.shift.copy(), triangle.minimum.copy(), triangle.maximum.copy()
    for i in gaps:
        shift[..., i] = means.get(triangle.columns[i], shift[..., i])
    lost = ~triangle.known
    minimum[lost] = maximum[lost] = shift[lost]
    moved = _moved(triangle, shift)
    return select(replace(triangle, R=moved, shift=shift, minimum=minimum, maximum=maximum), columns)


def own_means(triangle: Triangle) -> dict[Column, PerLane]:
    """The mean of each numeric column, 0 where no row has a value: such a column has no effect."""
    means = np.nan_to_num(triangle.mean.astype(np.float64))
    return {column: single(means[..., i]) for i, column in enumerate(triangle.columns) if column.level is None}


def select(triangle: Triangle, columns: Sequence[Column]) -> Triangle:
    """The triangle of the same rows over the given ``columns`` alone, in their order."""
    if triangle.columns == tuple(columns):
        return triangle
    place = {column: i for i, column in enumerate(triangle.columns)}
    keep = [place[column] for column in columns]
    return replace(
        triangle,
        columns=tuple(columns),
        R=triangularize(triangle.R[..., [0, *(i + 1 for i in keep)]]),
        shift=triangle.shift[..., keep],
        minimum=triangle.minimum[..., keep],
        maximum=triangle.maximum[..., keep],
    )


def lanes_at(lanes: Triangle, places: "NDArray[np.intp] | Sequence[int]") -> Triangle:
    """The triangles of the lanes at ``places``, in this order."""
    chosen = np.asarray(places, dtype=np.intp)
    return replace(lanes, **{name: getattr(lanes, name)[chosen] for name in OF_LANES})


def lanes_among(lanes: Triangle, places: NDArray[np.intp], count: int) -> Triangle:
    """The triangles of ``count`` lanes, of which those given are at ``places`` and the others have no rows."""
    found = empty(lanes.columns, count)
    for name in OF_LANES:
        getattr(found, name)[places] = getattr(lanes, name)
    return found


def separate(lanes: Triangle) -> tuple[Triangle, ...]:
    """The triangle of each lane by itself, over the columns that any of them has.

    Levels that none of the rows has are left out.
    """
    have = (lanes.maximum.max(axis=0) > 0) | (lanes.minimum.min(axis=0) < 0)
    keep = [j for j, column in enumerate(lanes.columns) if column.level is None or have[j]]
    columns, along = tuple(lanes.columns[j] for j in keep), [0, *(j + 1 for j in keep)]
    return tuple(
        Triangle(
            columns,
            triangularize(lanes.R[i][:, along].astype(kept_as(len(along)))),
            lanes.shift[i, keep],
            float(lanes.weight[i]),
            int(lanes.count[i]),
            lanes.minimum[i, keep],
            lanes.maximum[i, keep],
        )
        for i in range(len(lanes.count))
    )


def together(lanes: Triangle) -> Triangle:
    """The triangle of the rows of all lanes."""
    some = np.flatnonzero(lanes.count)
    lanes = lanes_at(lanes, some)
    first = np.argmax(lanes.known, axis=0)  # the first lane with a value in a column
    shift = lanes.shift[first, np.arange(len(first))]
    moved = _moved(lanes, np.broadcast_to(shift, lanes.shift.shape))
    return Triangle(
        lanes.columns,
        R=triangularize(moved.reshape(-1, moved.shape[-1])),
        shift=shift,
        weight=float(lanes.weight.sum()),
        count=int(lanes.count.sum()),
        minimum=lanes.minimum.min(axis=0),
        maximum=lanes.maximum.max(axis=0),
    )


def square(R: Extended) -> Extended:
    """The R (q+1, q+1) of a triangle, with rows of zeros added if it has fewer."""
    return np.vstack([R, np.zeros((R.shape[1] - len(R), R.shape[1]), dtype=R.dtype)])


def empty(columns: Sequence[Column], *lanes: int) -> Triangle:
    """The triangle of no rows, or of several ``lanes`` without rows."""
    q = len(columns)
    none = np.zeros((*lanes, q))
    return Triangle(
        tuple(columns),
        np.zeros((*lanes, q + 1, q + 1)) if lanes else np.zeros((1, q + 1), dtype=kept_as(q + 1)),
        none,
        np.zeros(lanes) if lanes else 0.0,
        np.zeros(lanes, dtype=np.intp) if lanes else 0,
        none + np.inf,
        none - np.inf,
    )


def _widened(triangle: Triangle, columns: tuple[Column, ...]) -> Triangle:
    """The triangle with zero columns put in where ``columns`` has more."""
    if triangle.columns == columns:
        return triangle
    place = {column: i for i, column in enumerate(triangle.columns)}
    source = np.array([place.get(column, -1) for column in columns])
    known = source >= 0
    R = np.zeros((*triangle.R.shape[:-1], len(columns) + 1), dtype=triangle.R.dtype)
    R[..., 0] = triangle.R[..., 0]
    R[..., 1:][..., known] = triangle.R[..., 1 + source[known]]
    if R.ndim > 2:
        R = np.pad(R, ((0, 0), (0, R.shape[-1] - R.shape[-2]), (0, 0)))
    rows = np.asarray(triangle.count)[..., np.newaxis] > 0

    def spread(values: Array, none: float = 0.0) -> Array:
        """The values (…, q); 0 for a column that is put in, ``none`` if there are no rows either."""
        return np.where(known, values[..., source], np.where(rows, 0.0, none))

    return replace(
        triangle,
        columns=columns,
        R=triangularize(R),
        shift=spread(triangle.shift),
        minimum=spread(triangle.minimum, np.inf),
        maximum=spread(triangle.maximum, -np.inf),
    )


def _moved(triangle: Triangle, shift: Array) -> Extended:
    """The triangle's R relative to another shift; no longer triangular in columns with gaps.

    x − s' = (x − s) + (s − s')·1, but in the gaps, which stay 0.
    """
    R = triangle.R.copy()
    step = np.where(triangle.known, triangle.shift - shift, 0.0)
    ones = len(R) if R.ndim == 2 and R[1:, 0].any() else 1  # only the first row of a triangle has some
    R[..., :ones, 1:] += step[..., np.newaxis, :] * R[..., :ones, :1]
    for column, indicator in triangle.gaps:
        R[..., 1 + column] -= step[..., column, np.newaxis] * R[..., 1 + indicator]
    return R
