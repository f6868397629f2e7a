"""How many rows were read, used, dropped and skipped, and how that is said."""

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
    """How many rows were read, used and dropped; a row lacking several cells counts for each column.

    ``skipped`` bad rows are not among those read. ``filled`` counts, by column, the cells without a value in rows that
    were used: the mean took their place, or the level of missing text.
    """

    read: int
    used: int
    dropped: int
    dropped_by_column: Mapping[str, int]
    skipped: int = 0
    filled: Mapping[str, int] = field(default_factory=dict)


# So many bad rows are named.
MOST_NAMED_ROWS = 3


@dataclass(frozen=True, slots=True)
class Skipped:
    """How many bad rows were left out, and of the first few where and why."""

    count: int = 0
    first: tuple[str, ...] = ()

    def __add__(self, later: "Skipped") -> "Skipped":
        return Skipped(self.count + later.count, (*self.first, *later.first)[:MOST_NAMED_ROWS])

    def __str__(self) -> str:
        more = f"; and {self.count - len(self.first):,} more" if self.count > len(self.first) else ""
        return f"skipped {count_of(self.count, 'bad row')}: {'; '.join(self.first)}{more}"


def skipped_of(rows: Sequence[BadRow]) -> Skipped:
    """Return the bad rows of a block as a count with the first few reasons."""
    return Skipped(len(rows), tuple(bad.reason for bad in rows[:MOST_NAMED_ROWS]))


def tell_gaps(rows: RowCounts, listener: Listener) -> None:
    """Tell the listener what became of missing cells, where there were any."""
    for said in (dropped(rows), filled_cells(rows.filled)):
        if said:
            listener.note(said)


def dropped(rows: RowCounts) -> str:
    """Say how many rows were dropped, and for which columns; nothing where none were."""
    if not rows.dropped:
        return ""
    by_column = _by_column(rows.dropped_by_column)
    return f"dropped {rows.dropped:,} of {count_of(rows.read, 'row')} with missing values ({by_column})"


def filled_cells(counts: Mapping[str, int]) -> str:
    """Say how many missing cells are filled, by column; nothing where there are none."""
    return f"filled {count_of(sum(counts.values()), 'missing cell')} ({_by_column(counts)})" if counts else ""


def _by_column(counts: Mapping[str, int]) -> str:
    """Return columns with their counts, the largest first."""
    return ", ".join(f"{quoted(name)} {count:,}" for name, count in sorted(counts.items(), key=lambda c: -c[1]))
