"""The report on a description: a line for each column, and what is to be known of it before a fit."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from gdcli.base.names import called, count_of, listed, printable, quoted, shell_word
from gdcli.ingest.description import ColumnDescription, Description
from gdcli.report import numbers
from gdcli.report.report import Report, sheet_of

if TYPE_CHECKING:
    from gdcli.report.paper import Page
    from gdcli.report.screen import Screen, StyledLine, TableColumn

DESCRIBE_SCHEMA = "gdfit.describe/1"

_HEADER = ("column", "role", "type", "count", "missing", "values", "min", "mean", "sd", "max", "note")

# Levels that a note names, and that JSON holds.
_MOST_SHOWN, _MOST_WRITTEN = 5, 100

# Rows with values that a fit needs.
_LEAST_ROWS = 2

# Rows from which on numbers that count up by 1 number the rows.
_NUMBERED = 10

# Columns of numbers below this, years among them, have no commas; and whole numbers have all their digits up to that.
_WITH_COMMAS, _ALL_DIGITS = 10_000, 1e15

FitCommand = Callable[[Sequence[str]], str]
"""The command line of a fit of the same data, given the columns to leave out."""


def describe_report(found: Description, command: FitCommand, digits: int = 6) -> Report:
    """The report on a description; ``command`` gives the fit that it leads to."""
    return Report(
        document=lambda: _document(found),
        sheet=lambda: sheet_of(_HEADER, [_row(one, found) for one in found.columns]),
        columns=lambda: _columns(found, digits, notes=True),
        screen=lambda page: _screen(found, page, digits),
        verdict=lambda page: _end(found, command, page),
    )


def _document(found: Description) -> dict[str, Any]:
    return {
        "schema": DESCRIBE_SCHEMA,
        "version": found.version,
        "files": list(found.files),
        "target": found.target,
        "rows": {"read": found.read, "complete": found.complete, "skipped": found.skipped},
        "columns": [_column(one, found) for one in found.columns],
    }


def _column(one: ColumnDescription, found: Description) -> dict[str, Any]:
    common = one.commonest(_MOST_WRITTEN) if one.kind == "category" else []
    row = dict(zip(_HEADER, _row(one, found), strict=True))
    return {
        "name": row["column"],
        **{key: row[key] for key in _HEADER[1:-1]},
        "unreadable": one.figures.odd,
        "baseline": one.baseline,
        "levels": [{"level": level, "count": count} for level, count in common],
        "note": row["note"] or None,
    }


def _row(one: ColumnDescription, found: Description) -> list[Any]:
    """The cells of a column for programs, in the order of the header."""
    figures = one.figures
    shown = _NUMERIC if _has_range(one) else ()
    known = {"min": figures.minimum, "mean": figures.mean, "sd": figures.sd, "max": figures.maximum}
    cells = [numbers.finite(known[name]) if name in shown else None for name in _NUMERIC]
    described = bool(one.kind)
    counts = [figures.count, figures.missing, _different(one)] if described else [None, None, None]
    return [one.name, one.role, one.kind or None, *counts, *cells, _note(one, found)]


_NUMERIC = ("min", "mean", "sd", "max")


def _has_range(one: ColumnDescription) -> bool:
    """Whether a column has numbers: all of its cells, or most of those of a doubtful one."""
    return one.kind in ("number", "date", "doubtful") and one.figures.minimum <= one.figures.maximum


def _different(one: ColumnDescription) -> int | None:
    values = one.figures.values
    return None if values is None else len(values)


# --- notes


def _note(one: ColumnDescription, found: Description) -> str:
    """What is to be known of a column before a fit, empty if there is nothing."""
    if one.doubt:
        return one.doubt
    figures = one.figures
    if not one.kind:
        return ""
    leave_out = f"--exclude {shell_word(one.name)}" if one.role != "target" else ""
    advice = f": {leave_out}" if leave_out else ""
    if not figures.count:
        return f"has no values{advice}"
    notes = [_of_kind(one, advice)]
    if 2 * figures.missing > figures.count + figures.missing:
        share = numbers.percent(figures.missing / (figures.count + figures.missing))
        notes.append(f"lacks {share} of its values: --missing mean fills them{f', {leave_out}' if leave_out else ''}")
    return "; ".join(note for note in notes if note)


def _of_kind(one: ColumnDescription, advice: str) -> str:
    figures, different = one.figures, _different(one)
    if different == 1 or figures.minimum == figures.maximum:
        return f"is constant, so it says nothing{advice}"
    if one.kind == "category":
        if figures.values is None:
            return ""
        common = [f"{printable(level)} {count:,}" for level, count in one.commonest(_MOST_SHOWN)]
        more = len(figures.values) - len(common)
        compared = "" if one.role == "target" else f"; baseline {quoted(one.baseline or '')}"
        return f"{', '.join(common)}{f' and {more:,} more' if more else ''}{compared}"
    if one.kind == "date":
        how = "in ISO 8601" if one.date_format == "iso" else f"by {quoted(one.date_format or '')}"
        return f"dates {how}, read as days since 1970-01-01"
    if figures.first is not None and figures.first in (0, 1) and figures.count >= _NUMBERED and one.role != "target":
        return f"numbers the rows, {figures.first:,.0f} to {figures.last:,.0f}, like an identifier{advice}"
    if different == 2 and one.role == "target":
        return f"has two values, {listed(sorted(figures.values or ()))}: --loss logistic fits the probability"
    return ""


# --- for people


def _columns(found: Description, digits: int, notes: bool = False) -> "list[TableColumn]":
    from gdcli.report.screen import TableColumn

    def cells(make: Callable[[ColumnDescription], str]) -> list[str]:
        return [make(one) if one.kind else "" for one in found.columns]

    table = [TableColumn("column", [printable(one.name) for one in found.columns], left=True)]
    if found.target is not None or any(one.role != "column" for one in found.columns):
        table.append(TableColumn("role", [one.role for one in found.columns], left=True))
    table.append(TableColumn("type", cells(lambda one: one.kind), left=True))
    table.append(TableColumn("missing", cells(lambda one: f"{one.figures.missing:,}")))
    table.append(TableColumn("values", cells(_count)))
    table += [TableColumn(name, cells(partial(_figure, name=name, digits=digits))) for name in _NUMERIC]
    if notes:
        table.append(TableColumn("note", [_note(one, found) for one in found.columns], left=True))
    return table


def _count(one: ColumnDescription) -> str:
    different = _different(one)
    if different is None:
        return "many" if one.figures.count else ""
    return f"{different:,}"


def _figure(one: ColumnDescription, name: str, digits: int) -> str:
    figures = one.figures
    if not _has_range(one):
        return ""
    value = {"min": figures.minimum, "mean": figures.mean, "sd": figures.sd, "max": figures.maximum}[name]
    if value is None:
        return ""
    if one.kind == "date" and name != "sd":
        return _day(value, figures.minimum == int(figures.minimum) and figures.maximum == int(figures.maximum))
    comma = "," if max(abs(figures.minimum), abs(figures.maximum)) >= _WITH_COMMAS else ""
    if value.is_integer() and abs(value) < _ALL_DIGITS:
        return f"{value:{comma}.0f}"
    return f"{value:{comma}.{digits}g}" + (" days" if one.kind == "date" else "")


def _day(days: float, whole: bool) -> str:
    """A date, with its time of day unless all are ``whole`` days."""
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days)
    except OverflowError:
        return f"{days:,.0f} days"
    return f"{moment:%Y-%m-%d}" if whole else f"{moment:%Y-%m-%d %H:%M}"


def _screen(found: Description, page: "Page", digits: int) -> "Screen":
    from gdcli.report.screen import HEADING, Screen, TextTable, sentences

    files = listed(map(called, found.files), 3)
    heading = f"{files}: {count_of(found.read, 'row')} of {count_of(len(found.columns), 'column')}"
    if found.skipped:
        heading += f", {count_of(found.skipped, 'bad row')} skipped"
    if found.complete != found.read:
        heading += f"; {found.complete:,} complete"
    columns = _columns(found, digits)
    columns[0].cells = page.in_column([one.name for one in found.columns])
    by_name = {column.header: column for column in columns}
    leaving = [by_name[name] for name in ("sd", "mean", "min", "max", "values", "missing") if name in by_name]
    notes = [f"{printable(one.name)}: {note}" for one in found.columns if (note := _note(one, found))]
    table = TextTable(page, columns, leaving=leaving)
    return Screen(sentences(page, [heading], HEADING), table.lines(), sentences(page, notes, indent=2))


def _end(found: Description, command: FitCommand, page: "Page") -> "list[StyledLine]":
    """What comes next: a fit, or what has to be settled before."""
    from gdcli.report.screen import COMMAND, Span, sentences

    doubtful = [one.name for one in found.columns if one.doubt and one.role != "left out"]
    if doubtful:
        columns = count_of(len(doubtful), "column")
        them = "it is" if len(doubtful) == 1 else "they are"
        text = f"A fit refuses {columns} as {them}: {listed(doubtful, 5)}. The notes say what helps."
        return sentences(page, [text])
    useless = [one.name for one in found.columns if one.role != "target" and "--exclude" in _note(one, found)]
    if obstacle := _too_few(found, [one for one in found.columns if one.kind and one.name not in useless]):
        return sentences(page, [obstacle])
    return [*sentences(page, ["A fit, at the best rate:"]), [Span(f"  {page.shown(command(useless))}", COMMAND)]]


def _too_few(found: Description, kept: Sequence[ColumnDescription]) -> str:
    """What a fit of the columns ``kept`` lacks in rows, or in columns; empty if there are enough."""
    targets = [one for one in kept if one.role == "target"]
    if found.read < _LEAST_ROWS or any(one.figures.count < _LEAST_ROWS for one in targets):
        valued = f" in which {quoted(targets[0].name)} has a value" if targets else ""
        return f"A fit needs at least {_LEAST_ROWS} rows{valued}."
    if not kept:
        return "Each column is constant or empty, so there is nothing to fit."
    if found.complete < _LEAST_ROWS and any(one.figures.missing for one in kept):
        return (
            f"A fit needs at least {_LEAST_ROWS} rows with a value in each of its columns: choose columns that have "
            "them with --feature, or fill the gaps with --missing mean."
        )
    return ""
