"""The pass over all blocks: each is reduced, 64 fold into a section, and sections merge.

Threads and the workers of a cluster use these functions in the same order: hence the same bits.
"""

from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from gdcli.base.parallel import merge_left, merge_sections, ordered_map
from gdcli.base.records import record
from gdcli.data.design import Design
from gdcli.data.memory import check_room, check_room_for_groups
from gdcli.data.table import Block
from gdcli.engine.column import Column
from gdcli.ingest.aggregate import (
    Aggregate,
    Piece,
    in_fold,
    join_short,
    merge_aggregates,
    piece_of,
    reduce_if_long,
    seal_section,
)
from gdcli.ingest.plan import Plan

if TYPE_CHECKING:
    from gdcli.ingest.summary import Summary


@record
class Part:
    """A block with its ``number`` in its file and the number of the ``file``, both from 0."""

    file: int
    number: int
    block: Block


@record
class Reduction:
    """The reduction of blocks to aggregates: a design of the columns, and a plan of folds and rows to keep."""

    design: Design
    plan: Plan

    def reduce(self, part: Part) -> Aggregate | Piece:
        """The aggregate of a block, or a piece with its rows if these are too few for one. Raises CellError."""
        summary: Summary | None = part.block.summary
        if summary is not None:
            return in_fold(summary.reduced_for(self.design), self.plan, part.file)
        rows, file, number = self.design.rows(part.block), part.file, part.number
        del part  # the text of the block takes as much memory as its rows
        piece = piece_of(rows, self.plan, file, number)
        return reduce_if_long(piece, self.plan)

    def merge_section(self, parts: Iterable[Aggregate | Piece], jobs: int | None = 1) -> Aggregate | None:
        """The aggregate of the parts of one section, merged and sealed; None if there are no parts."""
        whole = merge_left(join_short(parts, self.plan, self.check), partial(self.merge, jobs=jobs, wait=True))
        return None if whole is None else seal_section(self.checked(whole))

    def merge(self, left: Aggregate, right: Aggregate, jobs: int | None = 1, wait: bool = False) -> Aggregate:
        """The aggregate of the rows of ``left`` and ``right`` together. Raises DataError if it has too many columns."""
        self.check(dict.fromkeys([*left.columns, *right.columns]))
        return self.checked(merge_aggregates(left, right, self.plan, jobs, wait))

    def checked(self, found: Aggregate) -> Aggregate:
        """The aggregate, unchanged. Raises DataError if its groups do not fit into the memory."""
        if found.grouped is not None:
            columns, lanes = len(found.columns), found.grouped.lanes
            check_room_for_groups(self.design.source, columns, lanes, self.plan.folds)
        return found

    def check(self, columns: Collection[Column]) -> None:
        """Raise DataError if there are too many columns for the memory, or too many levels of one text column."""
        self.design.check_levels(columns)
        check_room(self.design.source, len(columns), folds=self.plan.folds)

    def of_all(self, parts: Iterator[Part], jobs: int | None) -> Aggregate | None:
        """The aggregate of all parts, reduced over threads; None if there are none."""
        merge_section, merge = partial(self.merge_section, jobs=jobs), partial(self.merge, jobs=jobs)
        return merge_sections(ordered_map(self.reduce, parts, jobs), merge_section, merge)
