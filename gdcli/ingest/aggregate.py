"""Aggregates of blocks, and their merging: all that is kept of the rows."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from gdcli.base.records import NamedTuple, field, record, replace
from gdcli.data.design import Rows
from gdcli.data.table import BadRow
from gdcli.engine.arrays import Array, NDArray
from gdcli.engine.column import MISSING, Column, sorted_levels
from gdcli.engine.triangle import Triangle, from_columns, from_rows, merge, reduced
from gdcli.ingest.counts import RowCounts, SkippedRows, skipped_of
from gdcli.ingest.plan import Plan, fold_of

if TYPE_CHECKING:
    from gdcli.ingest.grouped import Grouped
    from gdcli.ingest.kept_rows import KeptRows, RowGroup
    from gdcli.ingest.row_store import RowStore

HEAD_ROWS = 5

# Rows that are worth a triangle of their own; a block of 8 MiB has fewer from 3,000 columns on.
_LONG = 256


@record(eq=False)
class Points:
    """A sample of rows: ``X`` (k, q) over ``columns``, with the draws (k,) that chose them."""

    columns: tuple[Column, ...]
    X: Array
    draws: Array


@record(eq=False)
class Aggregate:
    """The aggregate of rows: ``folds`` holds a triangle of the complete rows of each fold. Rows with a ``--by`` group
    are in ``grouped`` instead, which is None without ``--by``.

    Counts: rows ``read`` and ``complete``, rows ``missing`` a value (by column), cells to be ``filled`` (by column),
    bad rows ``skipped``. ``head`` holds the first few rows, ``points`` a random sample; both are None for a summary.
    Rows that are kept lie in ``blocks`` while their section grows, and then in ``groups``. ``misquoted`` is the place
    of a cell, in a column that is not used, with text behind its closing quote; "" if there is none.
    """

    folds: tuple[Triangle, ...]
    read: int
    complete: int
    missing: Mapping[str, int] = field(default_factory=dict)
    head: Points | None = None
    points: Points | None = None
    blocks: "tuple[KeptRows, ...]" = ()
    groups: "tuple[RowGroup, ...]" = ()
    skipped: SkippedRows = field(default_factory=SkippedRows)
    filled: Mapping[str, int] = field(default_factory=dict)
    misquoted: str = ""
    grouped: "Grouped | None" = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the triangles, which all have the same ones."""
        return self.folds[0].columns if self.grouped is None else self.grouped.columns

    @property
    def triangle(self) -> Triangle:
        """The triangle of the rows of all folds. Only for rows without ``--by`` groups."""
        return reduce(merge, self.folds)

    @property
    def rows(self) -> RowCounts:
        """The counts of rows and cells, without the triangles."""
        dropped = self.read - self.complete
        return RowCounts(self.read, self.complete, dropped, dict(self.missing), self.skipped.count, dict(self.filled))


def in_fold(reduced: Aggregate, plan: Plan, file: int) -> Aggregate:
    """The aggregate of an input that holds no rows to draw: all of it is in one fold, the others are empty."""
    if plan.folds == 1:
        return reduced
    none = from_rows(np.empty((0, len(reduced.columns))), reduced.columns)
    return replace(reduced, folds=(none, reduced.triangle) if file == plan.tested else (reduced.triangle, none))


class Piece(NamedTuple):
    """The rows of some blocks, not yet reduced, and ``draws`` (n,): a random number in [0, 1) for each row of ``X``.

    ``draws`` is None if the plan has neither folds nor a sample of points.
    """

    rows: Rows
    draws: Array | None


def piece_of(rows: Rows, plan: Plan, file: int, block: int) -> Piece:
    """The complete rows of a block with their draws, which decide on the fold and on the sample of points.

    ``file`` and ``block`` are numbers, from 0.
    """
    if plan.folds == 1 and not plan.points:
        return Piece(rows, None)
    draw = plan.draws(file, block, rows.read)
    return Piece(rows, draw if rows.complete is None else draw[rows.complete])


def reduce_if_long(piece: Piece, plan: Plan) -> "Aggregate | Piece":
    """The aggregate of a piece; the piece itself if it has too few rows for one and they have no ``--by`` groups."""
    return reduce_piece(piece, plan) if piece.rows.by or _is_long(piece) else piece


def join_short(
    parts: Iterable["Aggregate | Piece"], plan: Plan, check: Callable[[Collection[Column]], None]
) -> Iterator[Aggregate]:
    """Yield the aggregates among the parts as they are, and one for each run of short pieces, joined.

    Blocks of a very wide table hold few rows, and merging as many triangles costs far more than the rows.
    ``check`` raises if the columns of several pieces are too many.
    """
    short: list[Piece] = []
    for part in parts:
        if isinstance(part, Piece):
            short.append(part)
            if sum(piece.rows.count for piece in short) < _LONG:
                continue
        if short:
            yield reduce_piece(_one_piece(short, check), plan)
        if isinstance(part, Aggregate):
            yield part
    if short:
        yield reduce_piece(_one_piece(short, check), plan)


def reduce_piece(piece: Piece, plan: Plan) -> Aggregate:
    """The aggregate of a piece's rows."""
    # Values too large to square are found by their minimum and maximum; see fitting.prepare.
    with np.errstate(over="ignore", invalid="ignore"):
        return _reduced(piece, plan)


def _is_long(piece: Piece) -> bool:
    return piece.rows.count >= _LONG


def _one_piece(pieces: list[Piece], check: Callable[[Collection[Column]], None]) -> Piece:
    """The pieces joined; the list is emptied, to free their memory."""
    if len(pieces) == 1:
        return pieces.pop()
    columns = pieces[0].rows.columns
    if any(piece.rows.columns != columns for piece in pieces):
        together = dict.fromkeys(column for piece in pieces for column in piece.rows.columns)
        check(together)
        columns = tuple(sorted_levels(list(together)))
    X = np.empty((sum(piece.rows.count for piece in pieces), len(columns)), order="F")
    weights, drawn = [], []
    missing: Counter[str] = Counter()
    filled: Counter[str] = Counter()
    skipped: list[BadRow] = []
    read = start = 0
    misquoted = next((rows.misquoted for rows, _ in pieces if rows.misquoted), "")
    for rows, draw in pieces:
        X[start : start + rows.count] = spread_over(columns, rows.columns, rows.matrix)
        start += rows.count
        read += rows.read
        missing += Counter(rows.missing)
        filled += Counter(rows.filled)
        skipped += rows.skipped
        weights += [] if rows.weights is None else [rows.weights]
        drawn += [] if draw is None else [draw]
    pieces.clear()
    w = np.concatenate(weights) if weights else None
    rows = Rows(tuple(X.T), columns, w, read, None, missing, (), tuple(skipped), filled, misquoted)
    return Piece(rows, np.concatenate(drawn) if drawn else None)


def _reduced(piece: Piece, plan: Plan) -> Aggregate:
    rows, draw = piece
    first = np.column_stack([numbers[:HEAD_ROWS] for numbers in rows.numbers])
    head = Points(rows.columns, first, np.zeros(len(first)))
    points = None
    if plan.points:
        assert draw is not None
        counted = slice(None) if rows.weights is None else rows.weights > 0
        points = smallest_draws(Points(rows.columns, rows.matrix[counted], draw[counted]), plan.points)
    folds: tuple[Triangle, ...]
    grouped, lanes, fold = None, None, None
    if plan.folds > 1:
        assert draw is not None
        fold = fold_of(draw, plan.cuts)
    if rows.by:
        from gdcli.ingest.grouped import grouped_of

        grouped, lanes = grouped_of(rows, fold, plan.folds)
        folds = ()
    elif fold is not None:
        lanes = fold
        X = rows.matrix
        folds = tuple(
            from_rows(X[fold == i], rows.columns, None if rows.weights is None else rows.weights[fold == i], wait=True)
            for i in range(plan.folds)
        )
    elif rows.weights is None:
        folds = (from_columns(rows.numbers, rows.columns, wait=True),)
    else:
        folds = (from_rows(rows.matrix, rows.columns, rows.weights, wait=True),)
    blocks = () if plan.store is None else (_kept(rows, lanes, folds, grouped, plan.store),)
    skipped = skipped_of(rows.skipped)
    counts = (rows.read, rows.count, rows.missing)
    return Aggregate(folds, *counts, head, points, blocks, (), skipped, rows.filled, rows.misquoted, grouped)


def _kept(
    rows: Rows,
    lanes: NDArray[np.intp] | None,
    folds: Sequence[Triangle],
    grouped: "Grouped | None",
    store: "RowStore",
) -> "KeptRows":
    from gdcli.ingest.kept_rows import KeptRows

    taken: slice | NDArray[np.intp] = slice(None)
    bounds = [0, rows.count]
    if lanes is not None or rows.weights is not None:
        taken = np.arange(rows.count) if rows.weights is None else np.flatnonzero(rows.weights > 0)
        bounds = [0, len(taken)]
        if lanes is not None:
            count = len(folds) if grouped is None else grouped.lanes
            taken = taken[np.argsort(lanes[taken], kind="stable")]
            bounds = np.searchsorted(lanes[taken], np.arange(count + 1)).tolist()
    predicted = rows.columns[-1].name
    features = [i for i, column in enumerate(rows.columns) if column.name != predicted]
    target = [i for i, column in enumerate(rows.columns) if column.name == predicted]
    columns = [rows.columns[i] for i in features]
    gaps = [j for j, column in enumerate(columns) if column.level is None and column.name in rows.filled]
    found = next((dict(zip(each.columns, each.shift.tolist(), strict=True)) for each in folds if each.count), {})
    if grouped is not None:
        found = {
            column: _middle(rows.numbers[i][taken]) for i, column in enumerate(rows.columns) if column.level is None
        }
    shift = np.array([found.get(column, 0.0) for column in columns])
    X = np.empty((bounds[-1], len(columns) + len(gaps)))
    for j, i in enumerate(features):
        np.subtract(rows.numbers[i][taken], shift[j], out=X[:, j])
    for k, j in enumerate(gaps, len(columns)):
        missing = np.isnan(X[:, j])
        X[missing, j], X[:, k] = 0.0, missing
    columns += [Column(columns[j].name, MISSING) for j in gaps]
    X, *pages = store.keep(X)
    Y, *more = store.keep(np.column_stack([rows.numbers[i][taken] for i in target]))
    weights = None
    if rows.weights is not None:
        column, *last = store.keep(rows.weights[taken][:, np.newaxis])
        weights, more = column[:, 0], [*more, *last]
    return KeptRows(
        columns=tuple(columns),
        X=X,
        shift=np.append(shift, np.zeros(len(gaps))),
        target=tuple(rows.columns[i] for i in target),
        Y=Y,
        weights=weights,
        bounds=tuple(bounds),
        pages=tuple(part for part in [*pages, *more] if part is not None),
        place={} if grouped is None else grouped.place,
        folds=len(bounds) - 1 if grouped is None else grouped.folds,
    )


def _middle(values: Array) -> float:
    """The mean of the values that are not NaN, 0 without any."""
    found = values[~np.isnan(values)]
    return float(found.mean()) if len(found) else 0.0


def smallest_draws(points: Points, most: int) -> Points:
    """The ``most`` points with the smallest draws, or all if there are fewer; their order stays."""
    if len(points.draws) <= most:
        return points
    kept = np.sort(np.argpartition(points.draws, most)[:most])
    return Points(points.columns, points.X[kept], points.draws[kept])


def merge_aggregates(
    left: Aggregate, right: Aggregate, plan: Plan, jobs: int | None = 1, wait: bool = False
) -> Aggregate:
    """The aggregate of the rows of ``left`` and of those of ``right``, which come after them.

    ``jobs`` threads share the work; with ``wait`` rows may wait for ``seal_section`` to be reduced.
    """
    head, points = left.head, None
    if head is None or len(head.X) < HEAD_ROWS:
        head = _joined(head, right.head)
        head = None if head is None else Points(head.columns, head.X[:HEAD_ROWS], head.draws[:HEAD_ROWS])
    if plan.points:
        both = _joined(left.points, right.points)
        points = None if both is None else smallest_draws(both, plan.points)
    grouped = None
    if left.grouped is not None and right.grouped is not None:
        from gdcli.ingest.grouped import merge_grouped

        grouped = merge_grouped(left.grouped, right.grouped)
    return Aggregate(
        folds=tuple(merge(a, b, jobs, wait) for a, b in zip(left.folds, right.folds, strict=True)),
        read=left.read + right.read,
        complete=left.complete + right.complete,
        missing=Counter(left.missing) + Counter(right.missing),
        head=head,
        points=points,
        blocks=left.blocks + right.blocks,
        groups=left.groups + right.groups,
        skipped=left.skipped + right.skipped,
        filled=Counter(left.filled) + Counter(right.filled),
        misquoted=left.misquoted or right.misquoted,
        grouped=grouped,
    )


def seal_section(section: Aggregate) -> Aggregate:
    """The aggregate of a finished section: its kept blocks are one LocalRows now, and no row waits to be reduced."""
    section = replace(section, folds=tuple(reduced(fold) for fold in section.folds))
    if section.grouped is not None:
        section = replace(section, grouped=section.grouped.sealed())
    if not section.blocks:
        return section
    from gdcli.ingest.kept_rows import LocalRows

    return replace(section, blocks=(), groups=(LocalRows(section.blocks),))


def _joined(left: Points | None, right: Points | None) -> Points | None:
    """The points of both; levels that one side lacks are zero there."""
    if left is None or right is None:
        return left or right
    columns = tuple(dict.fromkeys([*left.columns, *right.columns]))
    X = np.vstack([spread_over(columns, side.columns, side.X) for side in (left, right)])
    return Points(columns, X, np.concatenate([left.draws, right.draws]))


def spread_over(columns: tuple[Column, ...], own: tuple[Column, ...], X: Array) -> Array:
    """The rows ``X`` (n, len(own)) as a matrix (n, len(columns)), with zeros in the columns that are not their own."""
    if own == columns:
        return X
    spread = np.zeros((len(X), len(columns)))
    place = {column: i for i, column in enumerate(columns)}
    spread[:, [place[column] for column in own]] = X
    return spread
