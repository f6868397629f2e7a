"""The screen of a summary: what was summarized, and the fit that uses it."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gdcli.base.names import count_of, listed, printable, shell_word
from gdcli.report.screen import COMMAND, HEADING, Screen, Span, StyledLine, TableColumn, TextTable, sentences

if TYPE_CHECKING:
    from gdcli.ingest.summary import Summary
    from gdcli.report.paper import Page

# Columns that the screen has a row for, and levels of one that it names.
_MOST_COLUMNS, _MOST_LEVELS = 20, 3


def summary_screen(summary: "Summary", gaps: Sequence[str], path: str, page: "Page") -> Screen:
    """The columns of a summary that was written to ``path``, what became of gaps in its rows, and a fit of it."""
    rows = summary.reduced.rows
    head = f"{listed(summary.files, 3)}: {count_of(rows.used, 'row')} of {count_of(len(summary.names), 'column')}"
    if summary.weights is not None:
        head += f", weighted by {printable(summary.weights)}"
    if not rows.dropped:
        head += ", none dropped"
    lost = [f"{said[0].upper()}{said[1:]}." for said in gaps]
    return Screen(
        sentences(page, [head], HEADING),
        _table(summary, page).lines(),
        sentences(page, [*_left_out(summary), *lost]),
        _end(summary, path, page),
    )


def _table(summary: "Summary", page: "Page") -> TextTable:
    shown = summary.names[:_MOST_COLUMNS]
    kinds = ["text" if name in summary.text else "date" if name in summary.dates else "number" for name in shown]
    levels = [_levels(summary, name) for name in shown]
    columns = [TableColumn("column", page.in_column(shown), left=True), TableColumn("type", kinds, left=True)]
    if not any(levels):
        return TextTable(page, columns)
    counts = TableColumn("levels", [f"{len(own):,}" if own else "" for own in levels])
    named = TableColumn("", page.in_column([_named(own) for own in levels]), left=True)
    return TextTable(page, [*columns, counts, named], leaving=[named])


def _levels(summary: "Summary", name: str) -> list[str]:
    """The levels of a column of text; none of another."""
    if name not in summary.text:
        return []
    return [column.level or "" for column in summary.reduced.columns if column.name == name]


def _named(levels: list[str]) -> str:
    """The first few levels, and how many there are beside them."""
    more = len(levels) - _MOST_LEVELS
    return ", ".join(levels[:_MOST_LEVELS]) + (f" and {more:,} more" if more > 0 else "")


def _left_out(summary: "Summary") -> list[str]:
    """What the table has no row for."""
    rest = summary.names[_MOST_COLUMNS:]
    kinds = Counter("text" if name in summary.text else "numbers" for name in rest)
    counted = " and ".join(f"{count:,} of {kind}" for kind, count in kinds.items())
    return [f"And {count_of(len(rest), 'column')} more: {counted}."] if rest else []


def _end(summary: "Summary", path: str, page: "Page") -> list[StyledLine]:
    """Where the summary is, and a fit of it: one of its columns of numbers by the others."""
    written = f"Written to {printable(path)}"
    apart = {*summary.text, *summary.reduced.filled, *summary.computed, *summary.dates}
    target = next((name for name in summary.names if name not in apart), None)
    if target is None or len(summary.names) == 1:
        return sentences(page, [f"{written}."])
    words = ["gdfit", path, "-t", target, *(["--missing", "mean"] if summary.reduced.filled else []), "--lr", "auto"]
    command = " ".join(map(shell_word, words))
    return [
        *sentences(page, [f"{written}, which stands for these rows in every later fit, such as:"]),
        [Span(f"  {page.shown(command)}", COMMAND)],
    ]
