"""Rows by group, in the same pass: a triangle for each group, and for each of its folds where there are some."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from gdcli.base.records import record, replace
from gdcli.data.design import Rows
from gdcli.engine.arrays import NDArray
from gdcli.engine.column import Column
from gdcli.engine.lane_rows import LaneRows, from_lane_rows, lane_rows
from gdcli.engine.triangle import Triangle, empty, lanes_among, lanes_at, merge, separate

if TYPE_CHECKING:
    from gdcli.data.group_keys import Key

LaneOfRow = NDArray[np.intp]

# Rows that wait for a reduction, per row of a triangle. Fewer mean more calls, more mean more memory.
_WAITING = 3

# Fewer rows than this are not worth a reduction.
_LEAST_WAITING = 1 << 16


@record(eq=False)
class Grouped:
    """The triangles of each ``--by`` group and fold. Fold i of a group is lane ``place[key] · folds + i``.

    Rows wait until there are a few for each number that a triangle keeps: ``triangle`` has the lanes that were reduced
    so far, all of them if no rows are ``waiting``.
    """

    place: "Mapping[Key, int]"
    folds: int
    triangle: Triangle
    waiting: tuple[LaneRows, ...] = ()

    @property
    def lanes(self) -> int:
        """The number of lanes."""
        return len(self.place) * self.folds

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of all rows so far, each once. They are in order only if no row waits to be reduced."""
        several = (self.triangle.columns, *(rows.columns for rows in self.waiting))
        return tuple(dict.fromkeys(column for columns in several for column in columns))

    def folds_of(self, key: "Key") -> tuple[Triangle, ...]:
        """The triangles of one group, one per fold."""
        first = self.place[key] * self.folds
        return separate(lanes_at(self.triangle, range(first, first + self.folds)))

    def sealed(self) -> "Grouped":
        """The same groups with all waiting rows reduced to triangles."""
        before = len(self.triangle.count)
        triangle = lanes_among(self.triangle, np.arange(before), self.lanes) if before < self.lanes else self.triangle
        if self.waiting:
            triangle = merge(triangle, from_lane_rows(self.waiting, self.lanes))
        return replace(self, triangle=triangle, waiting=())


def grouped_of(rows: Rows, fold: LaneOfRow | None, folds: int) -> tuple[Grouped, LaneOfRow]:
    """The ``--by`` groups of a block's rows, still to be reduced, and the lane (n,) of each row.

    ``fold`` is the fold (n,) of each row; None if there is one.
    """
    from gdcli.data.group_keys import combined

    places, keys = combined(rows.by)
    lanes = places.astype(np.intp) if fold is None else places * folds + fold
    found = lane_rows(rows.columns, np.column_stack(rows.numbers), lanes, rows.weights)
    place = {key: i for i, key in enumerate(keys)}
    return Grouped(place, folds, empty(found.columns, 0), (found,)), lanes


def merge_grouped(left: Grouped, right: Grouped) -> Grouped:
    """The groups of both operands, merged; groups that only the second has come last."""
    place, folds = dict(left.place), left.folds
    groups = np.array([place.setdefault(key, len(place)) for key in right.place], dtype=np.intp)
    lanes = (groups[:, np.newaxis] * folds + np.arange(folds)).ravel()
    found = replace(left, place=place)
    if right.triangle.count.any():
        found = found.sealed()
        reduced = lanes_among(right.triangle, lanes[: len(right.triangle.count)], found.lanes)
        found = replace(found, triangle=merge(found.triangle, reduced))
    moved = tuple(rows._replace(places=lanes[rows.places]) for rows in right.waiting)
    found = replace(found, waiting=(*found.waiting, *moved))
    enough = max(_LEAST_WAITING, _WAITING * (len(found.columns) + 1) * found.lanes)
    return found.sealed() if sum(len(rows.X) for rows in found.waiting) >= enough else found
