"""Rows of many lanes, reduced side by side to a triangle for each lane.

Lanes of similar size are padded with rows of zeros, which change nothing, and go to LAPACK as one stack.
"""

from collections.abc import Sequence

import numpy as np

from gdcli.base.records import NamedTuple
from gdcli.engine.arrays import Array, NDArray
from gdcli.engine.column import MISSING, Column, gaps_among, sorted_levels
from gdcli.engine.qr import SLICE_ROWS, triangularize
from gdcli.engine.triangle import Triangle, empty, lanes_among

LanePlaces = NDArray[np.intp]

# Sizes are rounded up to multiples of this, so that many lanes share one call.
_PADDING = 8


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
    q, places = len(columns), np.concatenate([part.places for part in parts])
    if not len(places):
        return empty(columns, lanes)
    order = np.argsort(places, kind="stable")
    X, count = np.concatenate([_over(columns, part) for part in parts])[order], np.bincount(places, minlength=lanes)
    touched = np.flatnonzero(count)
    count = count[touched]
    first = np.cumsum(count) - count
    known, missing = count[:, np.newaxis], np.isnan(X) if gaps_among(columns) else None
    values = X
    if missing is not None:
        values = np.where(missing, 0.0, X)
        known = known - np.add.reduceat(missing.astype(np.intp), first, axis=0)
    numeric = np.array([column.level is None for column in columns])
    means = np.where(numeric, np.add.reduceat(values, first, axis=0) / np.maximum(known, 1), 0.0)
    A = np.empty((len(X), q + 1))
    A[:, 0] = 1.0
    np.subtract(X, np.repeat(means, count, axis=0), out=A[:, 1:])
    if missing is not None:
        A[:, 1:][missing] = 0.0
    weight = count.astype(np.float64)
    if parts[0].weights is not None:
        w = np.concatenate([part.weights for part in parts])[order]
        A *= np.sqrt(w)[:, np.newaxis]
        weight = np.add.reduceat(w, first)

    # Unlike minimum and maximum these pass over NaN.
    minimum, maximum = np.fmin.reduceat(X, first, axis=0), np.fmax.reduceat(X, first, axis=0)
    if missing is not None:
        minimum, maximum = np.where(known > 0, minimum, np.inf), np.where(known > 0, maximum, -np.inf)
    found = Triangle(columns, _of_runs(A, count), means, weight, count, minimum, maximum)
    return found if len(touched) == lanes else lanes_among(found, touched, lanes)


def _over(columns: tuple[Column, ...], rows: LaneRows) -> Array:
    """The rows over more columns: levels that they lack are zero."""
    if rows.columns == columns:
        return rows.X
    X = np.zeros((len(rows.X), len(columns)))
    X[:, [columns.index(column) for column in rows.columns]] = rows.X
    return X


def _of_runs(A: Array, count: LanePlaces) -> Array:
    """The R (k, q, q) of each run of rows of ``A`` (n, q): of the first ``count[0]`` rows, the next ``count[1]`` …

    Long runs go in slices, whose triangles are then the rows of shorter ones.
    """
    q = A.shape[1]
    size = max(SLICE_ROWS, 4 * q)
    if int(count.max()) > size:
        slices = -(-count // size)
        lengths = np.full(int(slices.sum()), size)
        lengths[np.cumsum(slices) - 1] = count - (slices - 1) * size
        return _of_runs(_of_runs(A, lengths).reshape(-1, q), slices * q)
    found = np.empty((len(count), q, q))
    padded = -(-count // _PADDING) * _PADDING
    for length in np.unique(padded).tolist():
        chosen = padded == length
        block = np.zeros((np.count_nonzero(chosen), max(length, q), q))
        rows = np.arange(length) < count[chosen, np.newaxis]
        block[:, :length][rows] = A if chosen.all() else A[np.repeat(chosen, count)]
        found[chosen] = triangularize(block)
    return found
