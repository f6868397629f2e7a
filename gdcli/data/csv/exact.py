"""A block of CSV text cell by cell: the right answer, or the first row that is bad, named and with a way out.

Bad is a row with another number of fields than the header, one that repeats the header, one with a NUL byte, and one
with a cell in a numeric column that is no finite number.
"""

import csv
import io
import math
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice

import numpy as np

from gdcli.base.errors import CellError, NotNumericError
from gdcli.base.names import count_of, quoted, shell_word
from gdcli.base.patterns import pattern
from gdcli.data.cells import absent_numbers, coded, missing_option
from gdcli.data.csv.chunks import Chunk
from gdcli.data.csv.dialect import SEPARATOR_NAMES, Dialect, count_lines, undecodable
from gdcli.data.csv.quotes import continued_cells, find_quoted
from gdcli.data.number_format import NUMBER_FORMATS, NumberFormat
from gdcli.data.table import BadRow, Table
from gdcli.engine.arrays import Array

_LINE_END = pattern(rb"\r\n?|\n")

_DIGITS = b"0123456789+-eE"

# What comments begin with in tables.
COMMENT_MARKS = ("#", "%", "//", "--", "!")


class _BadRowError(Exception):
    """The error of a bad row: its ``reason``, and a ``hint`` at what to do."""

    def __init__(self, reason: str, hint: str, column: str | None = None, kind: type[CellError] = CellError) -> None:
        super().__init__(reason)
        self.reason = reason if column is None else f"column {quoted(column)}: {reason}"
        self.hint, self.separator, self.kind = hint, ": " if column is None else ", ", kind


def parse_carefully(
    chunk: Chunk, dialect: Dialect, numeric: Collection[str], text: Collection[str], missing: frozenset[str]
) -> Table:
    """The named columns of a chunk. A bad row is left out if the dialect skips bad rows; else it raises CellError."""
    _check_closed(chunk, dialect)
    wanted = _Wanted(dialect, tuple(numeric), tuple(text), missing)
    continued, misquoted = _continued(chunk, dialect, {*numeric, *text})
    rows = list(records(chunk, dialect))
    if not continued and b"\0" not in chunk.text and _are_alike(rows, dialect):
        with suppress(_BadRowError):
            return wanted.table([cells for _, cells in rows], (), misquoted)
    skipped = _bad_rows(chunk, enumerate(rows), wanted, continued)
    out = {bad.row for bad in skipped}
    return wanted.table([cells for row, (_, cells) in enumerate(rows) if row not in out], skipped, misquoted)


def check_bad_rows(
    chunk: Chunk,
    dialect: Dialect,
    numeric: Collection[str],
    text: Collection[str],
    missing: frozenset[str],
    places: Collection[int],
) -> tuple[BadRow, ...]:
    """The bad ones among the rows at ``places``, in rising order; raises CellError for the first one unless the dialect
    skips them. A look at so few rows takes a fifth of the time of parsing them all.
    """
    wanted = _Wanted(dialect, tuple(numeric), tuple(text), missing)
    rows = ((row, found) for row, found in enumerate(records(chunk, dialect)) if row in places)
    return _bad_rows(chunk, islice(rows, len(places)), wanted, {})


class _Wanted:
    """The columns to parse; the texts in ``missing`` have no value."""

    def __init__(self, dialect: Dialect, numeric: Sequence[str], text: Sequence[str], missing: frozenset[str]) -> None:
        self.dialect, self.missing = dialect, missing
        place = {name: i for i, name in enumerate(dialect.names)}
        self.numeric = {name: place[name] for name in numeric}
        self.text = {name: place[name] for name in text}
        self.absent = absent_numbers(missing, dialect.numbers)

    def table(self, rows: list[list[str]], skipped: tuple[BadRow, ...], misquoted: str) -> Table:
        """The table of rows that are as wide as the header. Raises _BadRowError for a cell that is no number."""
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(self.dialect.names)
        return Table(
            rows=len(rows),
            numeric={
                name: self._numbers([cell.strip() for cell in columns[i]], name) for name, i in self.numeric.items()
            },
            text={name: coded([cell.strip() for cell in columns[i]], self.missing) for name, i in self.text.items()},
            skipped=skipped,
            misquoted=misquoted,
        )

    def _numbers(self, cells: list[str], name: str) -> Array:
        """The numbers of a column, at once if they are of digits alone: then ``float`` has the rule of our formats."""
        form = self.dialect.numbers
        known = [cell for cell in cells if cell not in self.missing]
        if form.thousands is None and not "".join(known).encode().translate(None, _DIGITS + form.decimal.encode()):
            with suppress(ValueError):
                values = map(float, known if form.decimal == "." else [one.replace(form.decimal, ".") for one in known])
                numbers = np.full(len(cells), math.nan)
                numbers[[cell not in self.missing for cell in cells]] = np.fromiter(values, np.float64, len(known))
                if not np.isinf(numbers).any():
                    return np.where(np.isin(numbers, self.absent), np.nan, numbers) if self.absent else numbers
        return np.array([self.number(cell, name) for cell in cells], dtype=np.float64)

    def check_numbers(self, cells: list[str]) -> None:
        """Raise _BadRowError for the first cell of a row that is no number."""
        for name, i in self.numeric.items():
            self.number(cells[i].strip(), name)

    def number(self, cell: str, name: str) -> float:
        """The number in a cell, NaN if it has none. Raises _BadRowError."""
        if cell in self.missing or not cell:
            return math.nan
        form = self.dialect.numbers
        value = form.value(cell)
        if value is None:
            raise _BadRowError(f"{quoted(cell)} is not a number", _reading(cell, name, form), name, NotNumericError)
        if math.isinf(value):
            hint = f"to treat it as missing: {missing_option(cell)}"
            raise _BadRowError(f"the value {quoted(cell)} is infinite", hint, name, NotNumericError)
        return math.nan if value in self.absent else value


def _are_alike(rows: list[tuple[int, list[str]]], dialect: Dialect) -> bool:
    """Whether all rows are as wide as the header, and none repeats it."""
    fields, first = (
        len(dialect.names),
        {dialect.names[0], "" if dialect.names[0] in dialect.unnamed else dialect.names[0]},
    )
    return all(len(cells) == fields and not (dialect.header and cells[0].strip() in first) for _, cells in rows)


def _bad_rows(
    chunk: Chunk, rows: Iterable[tuple[int, tuple[int, list[str]]]], wanted: _Wanted, continued: dict[int, str]
) -> tuple[BadRow, ...]:
    """The bad ones among (index, (line, cells)) of rows, or raise CellError for the first of them."""
    skipped: list[BadRow] = []
    for row, (line, cells) in rows:
        try:
            _check_row(cells, wanted.dialect)
            if line in continued:
                raise _BadRowError(
                    "text follows the quote that closes the cell", "put all of it in quotes", continued[line]
                )
            wanted.check_numbers(cells)
        except _BadRowError as bad:
            reason = f"{quoted(chunk.name)}, line {line}{bad.separator}{bad.reason}"
            if not wanted.dialect.skip_bad:
                whole_row = bad.separator == ": "
                raise bad.kind(f"{reason}; {bad.hint}", reason if whole_row else "", bad.hint) from None
            skipped.append(BadRow(row, reason))
    return tuple(skipped)


def _continued(chunk: Chunk, dialect: Dialect, used: Collection[str]) -> tuple[dict[int, str], str]:
    """The lines of rows in which text follows the closing quote of a column that is used, and its name; and the place
    of the first such cell of another column, empty if there is none.
    """
    found, elsewhere = {}, ""
    for start, columns in continued_cells(chunk.text, dialect.separator, dialect.quote).items():
        names = [dialect.names[column] for column in sorted(columns) if column < len(dialect.names)]
        line = chunk.first_line + len(_LINE_END.findall(chunk.text, 0, start))
        if name := next((name for name in names if name in used), None):
            found[line] = name
        elif names and not elsewhere:
            elsewhere = f"{quoted(chunk.name)}, line {line}, column {quoted(names[0])}"
    return found, elsewhere


def records(chunk: Chunk, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of each row that is not blank, by Python's csv module."""
    csv.field_size_limit(sys.maxsize)
    text = check_utf8(chunk, dialect)
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):  # a lone CR ends a line too, as it does for pandas
            taken.append(line)
            yield line

    blanks = dialect.separator != " "  # else two blanks in a row hold an empty cell
    reader = csv.reader(lines(), delimiter=dialect.separator, quotechar=dialect.quote, skipinitialspace=blanks)
    before = 0
    for cells in reader:
        line, before = chunk.first_line + before, reader.line_num
        # A row of one quoted nothing is a row; a line of blanks and tabs is none, as for pandas.
        if len(cells) > 1 or any(piece.strip(" \t\r\n") for piece in taken):
            yield line, cells
        taken.clear()


def check_utf8(chunk: Chunk, dialect: Dialect) -> str:
    """The chunk's text, or raise CellError for the first byte that is not UTF-8."""
    try:
        return chunk.text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = chunk.first_line + count_lines(chunk.text[: error.start], dialect.newline)
        byte = chunk.text[error.start]
        raise CellError(undecodable(chunk.name, line, chunk.place + error.start, byte)) from None


def _check_closed(chunk: Chunk, dialect: Dialect) -> None:
    """Raise CellError if the last quoted field never closes."""
    marks = find_quoted(chunk.text, dialect.separator, dialect.quote)
    if len(marks.closes) and marks.closes[-1] == len(chunk.text):
        line = chunk.first_line + count_lines(chunk.text[: marks.opens[-1]], dialect.newline)
        raise CellError(f"{quoted(chunk.name)}, line {line}: the quote opened here is never closed")


def _check_row(cells: list[str], dialect: Dialect) -> None:
    fields = len(dialect.names)
    if len(cells) != fields:
        last = quoted(cells[-1] if len(cells) <= fields else cells[fields])
        which = f"the first one too many is {last}" if len(cells) > fields else f"the last one is {last}"
        kind = SEPARATOR_NAMES.get(dialect.separator, quoted(dialect.separator))
        header = "header" if dialect.header else "first row"
        # A title has fewer fields than the table below it.
        title = ", leave out what stands above the header with --skip-rows" if len(cells) > fields else ""
        mark = next((mark for mark in COMMENT_MARKS if cells and cells[0].startswith(mark)), None)
        comment = "" if mark is None else f", leave out lines that begin so with --comment {shell_word(mark)}"
        raise _BadRowError(
            f"{count_of(len(cells), 'field')} where the {header} has {fields} ({which})",
            f"correct the row{comment}{title}, or give another separator than the {kind} with --sep",
        )
    if any("\0" in cell for cell in cells):
        raise _BadRowError("there is a NUL byte in this row", "is the file damaged, or --encoding utf-16?")
    if dialect.header and _names(cells, dialect) == dialect.names:
        raise _BadRowError("the header is repeated here", "remove the line, or leave it out with --on-bad-row skip")


def _names(cells: list[str], dialect: Dialect) -> tuple[str, ...]:
    """The column names, if a row were the header."""
    named = zip((cell.strip() for cell in cells), dialect.names, strict=True)
    return tuple(name if not cell and name in dialect.unnamed else cell for cell, name in named)


def _reading(cell: str, name: str, form: NumberFormat) -> str:
    """The advice on a format that reads a cell as a number, and all the numbers before it as they are read now."""
    for other in NUMBER_FORMATS:
        value = other.value(cell)
        if value is not None and other.decimal == form.decimal and form.thousands is None:
            return f"--thousands {shell_word(other.thousands or '')} reads it as {value:.15g}"
    as_missing = f"if it means a missing value: {missing_option(cell)}"
    return f"{as_missing}, if the column is text: --categorical {shell_word(name)}"
