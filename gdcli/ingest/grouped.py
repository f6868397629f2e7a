"""Rows by group, in the same pass: a triangle for each group, and for each of its folds where there are some."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gdcli.base.records import record, replace
from gdcli.data.design import Rows
from gdcli.data.group_keys import Key, combined
from gdcli.engine.column import Column
from gdcli.engine.triangle import Triangle
from gdcli.engine.triangles import Triangles, lane_rows, merge_lanes, no_lanes, reduced, triangles_of

LaneOfRow = NDArray[np.intp]


@record(eq=False)
class Grouped:
    """The triangles of each ``--by`` group and fold. Fold i of a group is lane ``place[key] · folds + i``."""

    place: Mapping[Key, int]
    folds: int
    triangles: Triangles

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of all rows so far, each once. They are in order only if no row waits to be reduced."""
        several = (self.triangles.columns, *(rows.columns for rows in self.triangles.waiting))
        return tuple(dict.fromkeys(column for columns in several for column in columns))

    def folds_of(self, key: Key) -> tuple[Triangle, ...]:
        """The triangles of one group, one per fold."""
        first = self.place[key] * self.folds
        return triangles_of(self.triangles, range(first, first + self.folds))

    def sealed(self) -> "Grouped":
        """The same groups with all waiting rows reduced to triangles."""
        return replace(self, triangles=reduced(self.triangles))


def grouped_of(rows: Rows, fold: LaneOfRow | None, folds: int) -> tuple[Grouped, LaneOfRow]:
    """The ``--by`` groups of a block's rows, still to be reduced, and the lane (n,) of each row.

    ``fold`` is the fold (n,) of each row; None if there is one.
    """
    places, keys = combined(rows.by)
    lanes = places.astype(np.intp) if fold is None else places * folds + fold
    found = lane_rows(rows.columns, rows.X, lanes, rows.weights)
    place = {key: i for i, key in enumerate(keys)}
    waiting = replace(no_lanes(rows.columns), waiting=(found,), lanes=len(keys) * folds)
    return Grouped(place, folds, waiting), lanes


def merge_grouped(left: Grouped, right: Grouped) -> Grouped:
    """The groups of both operands, merged; groups that only the second has come last."""
    place = dict(left.place)
    groups = np.array([place.setdefault(key, len(place)) for key in right.place], dtype=np.intp)
    lanes = (groups[:, np.newaxis] * left.folds + np.arange(left.folds)).ravel()
    return Grouped(place, left.folds, merge_lanes(left.triangles, right.triangles, lanes, len(place) * left.folds))
