"""Counts of rows read, used, dropped and skipped, and the phrases that tell them."""

from collections.abc import Mapping, Sequence

from gdcli.base.listener import Listener
from gdcli.base.names import count_of, quoted, shell_word
from gdcli.base.records import field, record
from gdcli.data.design import Design
from gdcli.data.table import BadRow

# Columns that one advice leaves out.
_MOST_LEFT_OUT = 5


@record
class RowCounts:
    """The counts of rows read, used and dropped. ``dropped_by_column`` counts a row lacking several cells for each.

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


@record
class SkippedRows:
    """The number of bad rows left out, and the place and reason of each of the first few."""

    count: int = 0
    first: tuple[str, ...] = ()

    def __add__(self, later: "SkippedRows") -> "SkippedRows":
        return SkippedRows(self.count + later.count, (*self.first, *later.first)[:MOST_NAMED_ROWS])

    def __str__(self) -> str:
        more = f"; and {self.count - len(self.first):,} more" if self.count > len(self.first) else ""
        return f"skipped {count_of(self.count, 'bad row')}: {'; '.join(self.first)}{more}"


def behind_quotes(place: str) -> str:
    """The warning about a cell with text behind its closing quote, in a column that is not used."""
    return f"{place}, which is not used: text follows the quote that closes the cell, and others may be cut wrongly"


def skipped_of(rows: Sequence[BadRow]) -> SkippedRows:
    """The bad rows of a block as a count with the first few reasons."""
    return SkippedRows(len(rows), tuple(bad.reason for bad in rows[:MOST_NAMED_ROWS]))


def tell_gaps(rows: RowCounts, chosen: Design, listener: Listener) -> None:
    """Tell the listener how missing cells were treated, if there were any, and how to keep most of the rows."""
    if said := drop_phrase(rows):
        advice = gap_advice(rows, chosen) if 2 * rows.dropped > rows.read else ""
        listener.note(f"{said}; {advice}" if advice else said)
    if said := fill_phrase(rows.filled):
        listener.note(said)


def gap_advice(rows: RowCounts, chosen: Design) -> str:
    """The advice that keeps at least half of the rows: --missing mean, or --exclude for the columns with most gaps.

    Empty if neither is sure to. Each missing cell of the columns that remain costs at most one row.
    """
    counts, features = dict(rows.dropped_by_column), chosen.features
    in_others = sum(count for name, count in counts.items() if name not in features)
    advice = []
    if not chosen.fills and 2 * in_others <= rows.read and any(counts.get(name, 0) < rows.read for name in features):
        advice.append("--missing mean fills the gaps")
    out: list[str] = []
    for name in sorted(features, key=lambda name: -counts.get(name, 0)):
        if 2 * sum(counts.values()) <= rows.read:
            break
        out.append(name)
        counts.pop(name, None)
    if out and not chosen.named and len(out) <= min(_MOST_LEFT_OUT, len(features) - 1):
        words = " ".join(f"--exclude {shell_word(name)}" for name in out)
        advice.append(f"{words} leaves out {'the column' if len(out) == 1 else 'the columns'} with most of them")
    return "; ".join(advice)


def drop_phrase(rows: RowCounts) -> str:
    """The phrase "dropped 3 of 10 rows with missing values ('a' 2, 'b' 1)"; "" if no row was dropped."""
    if not rows.dropped:
        return ""
    by_column = _by_column(rows.dropped_by_column)
    return f"dropped {rows.dropped:,} of {count_of(rows.read, 'row')} with missing values ({by_column})"


def fill_phrase(counts: Mapping[str, int]) -> str:
    """The phrase "filled 3 missing cells ('a' 2, 'b' 1)" for the counts by column; "" without counts."""
    return f"filled {count_of(sum(counts.values()), 'missing cell')} ({_by_column(counts)})" if counts else ""


def _by_column(counts: Mapping[str, int]) -> str:
    """The columns with their counts, the largest first, for a message."""
    return ", ".join(f"{quoted(name)} {count:,}" for name, count in sorted(counts.items(), key=lambda c: -c[1]))
