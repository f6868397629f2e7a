"""Blocks reduced to what fits need, and the merging of such reductions: all that is kept of the rows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np

from gdcli.data.design import Rows
from gdcli.engine.triangle import Array, Column, Triangle, from_rows, merge
from gdcli.result import Rows as RowCounts

HEAD_ROWS = 5


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which rows go where. ``folds`` cuts [0, 1) into parts: a row whose draw falls into the i-th is in fold i.

    ``points`` rows are kept as a sample: those with the smallest draws.
    """

    seed: int = 0
    cuts: tuple[float, ...] = ()
    points: int = 0

    @property
    def folds(self) -> int:
        """The number of folds; one if there are no cuts."""
        return len(self.cuts) + 1


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Some rows: ``X`` (k, q) over ``columns``, with the draws (k,) that chose them."""

    columns: tuple[Column, ...]
    X: Array
    draws: Array


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """One triangle of complete rows for each fold, and how many rows were read and lacked a value, by column.

    ``head`` holds the first few rows, ``points`` a random sample, where rows were to be had.
    """

    folds: tuple[Triangle, ...]
    read: int
    complete: int
    missing: Mapping[str, int] = field(default_factory=dict)
    head: Points | None = None
    points: Points | None = None

    @property
    def triangle(self) -> Triangle:
        """All rows as one triangle."""
        return reduce(merge, self.folds)

    @property
    def rows(self) -> RowCounts:
        """The counts alone."""
        return RowCounts(self.read, self.complete, self.read - self.complete, dict(self.missing))


def draws(seed: int, file: int, block: int, rows: int) -> Array:
    """Return a number in [0, 1) for each row of a block (n,), missing cells or not: it decides on the row's fold.

    A function of (seed, file, block, row) alone, with files, 8 MiB blocks and rows counted from 0:
    ``numpy.random.Generator(numpy.random.Philox(key=seed, counter=[0, 0, block, file])).random(rows)``.
    """
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, block, file])).random(rows)


def fold_of(draw: Array, cuts: Sequence[float]) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    """Return the fold (n,) that each draw falls into."""
    return np.searchsorted(np.asarray(cuts), draw, side="right")


def reduce_rows(rows: Rows, sampling: Sampling, file: int, block: int) -> Reduced:
    """Reduce the rows of a block."""
    # Values too large to square are found by their minimum and maximum; see problem.check_magnitudes.
    with np.errstate(over="ignore", invalid="ignore"):
        return _reduced(rows, sampling, file, block)


def _reduced(rows: Rows, sampling: Sampling, file: int, block: int) -> Reduced:
    head = Points(rows.columns, rows.X[:HEAD_ROWS].copy(), np.zeros(min(HEAD_ROWS, len(rows.X))))
    points = None
    folds: tuple[Triangle, ...]
    if sampling.folds > 1 or sampling.points:
        draw = draws(sampling.seed, file, block, rows.read)
        draw = draw if rows.complete is None else draw[rows.complete]
    if sampling.points:
        counted = slice(None) if rows.weights is None else rows.weights > 0
        points = smallest(Points(rows.columns, rows.X[counted], draw[counted]), sampling.points)
    if sampling.folds > 1:
        fold = fold_of(draw, sampling.cuts)
        folds = tuple(
            from_rows(rows.X[fold == i], rows.columns, None if rows.weights is None else rows.weights[fold == i])
            for i in range(sampling.folds)
        )
    else:
        folds = (from_rows(rows.X, rows.columns, rows.weights),)
    return Reduced(folds, rows.read, len(rows.X), rows.missing, head, points)


def smallest(points: Points, most: int) -> Points:
    """Return the points with the smallest draws, in their order."""
    if len(points.draws) <= most:
        return points
    kept = np.sort(np.argpartition(points.draws, most)[:most])
    return Points(points.columns, points.X[kept], points.draws[kept])


def merge_reduced(left: Reduced, right: Reduced, sampling: Sampling) -> Reduced:
    """Return the reduction of the rows of both."""
    head, points = left.head, None
    if head is None or len(head.X) < HEAD_ROWS:
        head = _joined(head, right.head)
        head = None if head is None else Points(head.columns, head.X[:HEAD_ROWS], head.draws[:HEAD_ROWS])
    if sampling.points:
        both = _joined(left.points, right.points)
        points = None if both is None else smallest(both, sampling.points)
    return Reduced(
        folds=tuple(merge(a, b) for a, b in zip(left.folds, right.folds, strict=True)),
        read=left.read + right.read,
        complete=left.complete + right.complete,
        missing=Counter(left.missing) + Counter(right.missing),
        head=head,
        points=points,
    )


def _joined(left: Points | None, right: Points | None) -> Points | None:
    """Return the points of both; levels that one side lacks are zero there."""
    if left is None or right is None:
        return left or right
    columns = tuple(dict.fromkeys([*left.columns, *right.columns]))
    X = np.vstack([_over(columns, left), _over(columns, right)])
    return Points(columns, X, np.concatenate([left.draws, right.draws]))


def _over(columns: tuple[Column, ...], points: Points) -> Array:
    if points.columns == columns:
        return points.X
    X = np.zeros((len(points.X), len(columns)))
    for i, column in enumerate(columns):
        if column in points.columns:
            X[:, i] = points.X[:, points.columns.index(column)]
    return X
