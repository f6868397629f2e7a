"""Rows of many lanes, reduced side by side to a triangle for each lane.

Lanes of equal size go to LAPACK as one stack.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gdcli.base.records import NamedTuple
from gdcli.engine.arrays import Array, Extended, Mask, NDArray
from gdcli.engine.column import MISSING, Column, gaps_among, sorted_levels
from gdcli.engine.qr import SLICE_ROWS, triangularize
from gdcli.engine.triangle import OF_LANES, Triangle, empty

LanePlaces = NDArray[np.intp]

# Rows that are reduced at once: with a dozen columns they stay in the cache.
_AT_ONCE = 1 << 14


class LaneRows(NamedTuple):
    """Rows ``X`` (n, q) over ``columns`` of the lanes ``places`` (n,); ``weights`` (n,) or None.

    NaN stands for a missing number; an indicator column tells where, see ``lane_rows``.
    """

    columns: tuple[Column, ...]
    X: Array
    places: LanePlaces
    weights: Array | None


def lane_rows(columns: Sequence[Column], X: Array, places: LanePlaces, weights: Array | None) -> LaneRows:
    """The rows of positive weight, with an indicator column for each numeric column in which some cell is NaN."""
    if weights is not None:
        positive = weights > 0
        X, places, weights = X[positive], places[positive], weights[positive]
    with np.errstate(over="ignore", invalid="ignore"):
        gaps = [j for j in np.flatnonzero(np.isnan(X.sum(axis=0))).tolist() if np.isnan(X[:, j]).any()]
    if gaps:
        X = np.column_stack([X, np.isnan(X[:, gaps])])
        columns = (*columns, *(Column(columns[j].name, MISSING) for j in gaps))
    return LaneRows(tuple(columns), X, places, weights)


def from_lane_rows(parts: Sequence[LaneRows], lanes: int) -> Triangle:
    """The triangles of ``lanes`` lanes, R (lanes, q+1, q+1), of the rows of all parts. Levels that a part lacks are
    zero in its rows.
    """
    columns = tuple(sorted_levels(list(dict.fromkeys(column for part in parts for column in part.columns))))
    places, found = np.concatenate([part.places for part in parts]), empty(columns, lanes)
    X = np.concatenate([_over(columns, part) for part in parts])
    w = None if parts[0].weights is None else np.concatenate([part.weights for part in parts])
    numeric = np.array([column.level is None for column in columns])
    for chosen, rows in _of_one_size(places, lanes):
        of_size = _of_rows(X[rows], numeric, None if w is None else w[rows], bool(gaps_among(columns)))
        for name, values in zip(OF_LANES, of_size, strict=True):
            getattr(found, name)[chosen] = values
    return found


def _of_one_size(places: LanePlaces, lanes: int) -> Iterator[tuple[LanePlaces, LanePlaces]]:
    """Yield lanes (k,) that have equally many rows, a few at a time, and the places (k, c) of their rows, in order."""
    sizes = np.bincount(places, minlength=lanes)
    by_size = np.argsort(sizes, kind="stable")
    rank = np.empty_like(by_size)
    rank[by_size] = np.arange(lanes)
    # Whole numbers, each there once, are sorted in half the time that a stable order of the lanes takes.
    bits = len(places).bit_length()
    keys = rank[places] << bits | np.arange(len(places))
    keys.sort()
    order, sizes = keys & (1 << bits) - 1, sizes[by_size]
    first = np.cumsum(sizes) - sizes
    start = int(np.searchsorted(sizes, 1))
    while start < lanes:
        size = int(sizes[start])
        stop = min(int(np.searchsorted(sizes, size, side="right")), start + max(1, _AT_ONCE // size))
        yield by_size[start:stop], order[first[start] :][: (stop - start) * size].reshape(-1, size)
        start = stop


def _of_rows(X: Array, numeric: Mask, w: Array | None, gaps: bool) -> tuple[NDArray[Any], ...]:
    """The arrays ``OF_LANES`` of lanes with the rows ``X`` (k, c, q), of ``numeric`` columns (q,) and others, and with
    the weights ``w`` (k, c) or None; only with ``gaps`` a number may be missing.
    """
    k, c, q = X.shape
    missing = np.isnan(X) if gaps else None
    values = X if missing is None else np.where(missing, 0.0, X)
    known = c if missing is None else c - missing.sum(axis=1)
    means = np.where(numeric, values.sum(axis=1) / np.maximum(known, 1), 0.0)
    A = np.ones((k, c, q + 1))
    np.subtract(X, means[:, np.newaxis], out=A[..., 1:])
    lowest = highest = values
    if missing is not None:
        A[..., 1:][missing] = 0.0
        lowest, highest = np.where(missing, np.inf, X), np.where(missing, -np.inf, X)
    weight = np.full(k, float(c))
    if w is not None:
        A *= np.sqrt(w)[..., np.newaxis]
        weight = w.sum(axis=1)
    return _triangles(A), means, weight, np.full(k, c), lowest.min(axis=1), highest.max(axis=1)


def _over(columns: tuple[Column, ...], rows: LaneRows) -> Array:
    """The rows over more columns: levels that they lack are zero."""
    if rows.columns == columns:
        return rows.X
    X = np.zeros((len(rows.X), len(columns)))
    X[:, [columns.index(column) for column in rows.columns]] = rows.X
    return X


def _triangles(A: Extended) -> Extended:
    """The R (k, q, q) of matrices ``A`` (k, c, q). Long ones go in slices, whose triangles are then their rows."""
    k, c, q = A.shape
    size = max(SLICE_ROWS, 4 * q)
    if c <= size:
        return triangularize(_padded(A, max(c, q)))
    slices = -(-c // size)
    return _triangles(triangularize(_padded(A, slices * size).reshape(-1, size, q)).reshape(k, slices * q, q))


def _padded(A: Extended, rows: int) -> Extended:
    """The matrices (k, c, q) with rows of zeros below, which change nothing, up to so many."""
    return A if A.shape[1] == rows else np.pad(A, ((0, 0), (0, rows - A.shape[1]), (0, 0)))
