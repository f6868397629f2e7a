"""Counts of rows read, used, dropped and skipped, and the phrases that tell them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gdcli.base.listener import Listener
from gdcli.base.names import count_of, quoted
from gdcli.data.table import BadRow

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class RowCounts:
    """The counts of rows read, used and dropped; a row lacking several cells counts for each column.

    ``skipped`` bad rows are not among those read. ``filled`` counts, by column, the cells without a value in rows that
    were used: the mean took their place, or the level of missing text.
    """

    read: int
    used: int
    dropped: int
    dropped_by_column: Mapping[str, int]
    skipped: int = 0
    filled: Mapping[str, int] = field(default_factory=dict)


# Bad rows that are named.
MOST_NAMED_ROWS = 3


@dataclass(frozen=True, slots=True)
class SkippedRows:
    """The count of bad rows left out, and the first few with place and reason."""

    count: int = 0
    first: tuple[str, ...] = ()

    def __add__(self, later: "SkippedRows") -> "SkippedRows":
        return SkippedRows(self.count + later.count, (*self.first, *later.first)[:MOST_NAMED_ROWS])

    def __str__(self) -> str:
        more = f"; and {self.count - len(self.first):,} more" if self.count > len(self.first) else ""
        return f"skipped {count_of(self.count, 'bad row')}: {'; '.join(self.first)}{more}"


def skipped_of(rows: Sequence[BadRow]) -> SkippedRows:
    """The bad rows of a block as a count with the first few reasons."""
    return SkippedRows(len(rows), tuple(bad.reason for bad in rows[:MOST_NAMED_ROWS]))


def tell_gaps(rows: RowCounts, listener: Listener) -> None:
    """Tell the listener how many rows were dropped and cells filled, if any."""
    for said in (dropped(rows), filled_cells(rows.filled)):
        if said:
            listener.note(said)


def dropped(rows: RowCounts) -> str:
    """The phrase that says how many rows were dropped, and for which columns; empty if none were."""
    if not rows.dropped:
        return ""
    by_column = _by_column(rows.dropped_by_column)
    return f"dropped {rows.dropped:,} of {count_of(rows.read, 'row')} with missing values ({by_column})"


def filled_cells(counts: Mapping[str, int]) -> str:
    """The phrase that says how many missing cells are filled, by column; empty if none are."""
    return f"filled {count_of(sum(counts.values()), 'missing cell')} ({_by_column(counts)})" if counts else ""


def _by_column(counts: Mapping[str, int]) -> str:
    """The columns with their counts, the largest first, for a message."""
    return ", ".join(f"{quoted(name)} {count:,}" for name, count in sorted(counts.items(), key=lambda c: -c[1]))
