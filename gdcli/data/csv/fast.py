"""A block of CSV text as columns: fast through pandas' C parser, and carefully, cell by cell, if that fails.

The fast way refuses whatever it is not sure of: a row with another number of fields than the header, a number that
does not parse. The careful way then either gives the right answer or names the first cell that is wrong. Both agree
on every block that both accept.
"""

import io
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pandas as pd

from gdcli.base.errors import UsageError
from gdcli.base.names import quoted
from gdcli.data.cells import absent_numbers, is_number, parsed, stripped
from gdcli.data.csv.chunks import BLOCK_BYTES, Chunk, row_end
from gdcli.data.csv.dialect import Dialect
from gdcli.data.csv.exact import check_utf8, parse_carefully, records
from gdcli.data.csv.misplaced_header import header_lines, rows_below
from gdcli.data.csv.options import BLANKS
from gdcli.data.csv.quotes import Quoted, find_quoted
from gdcli.data.csv.whitespace import Squeezed
from gdcli.data.number_format import PLAIN_NUMBERS, NumberFormat
from gdcli.data.table import Block, Coded, Table
from gdcli.engine.arrays import Array

_HEAD_BYTES = 1 << 16

# Before 3.1 pandas gives a neighbour of the nearest double now and then, unless it takes the longest way, and misses a
# field too many where it begins another piece.
_OLD = tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1)

# What no number looks like: it tells pandas that a column is text.
_MARK = "\x7f"


class UnsureError(Exception):
    """The fast parser cannot vouch for its reading of this block."""


class CsvBlock(Block):
    """A chunk of CSV text and how to read it."""

    def __init__(self, chunk: Chunk, dialect: Dialect) -> None:
        self.chunk, self.dialect = chunk, dialect
        self._last: tuple[tuple[object, ...], Table] | None = None

    @property
    def numbers(self) -> NumberFormat:
        """The format of numbers."""
        return self.dialect.numbers

    @property
    def separator(self) -> str:
        """The separator."""
        return self.dialect.separator

    @property
    def skips(self) -> bool:
        """Whether bad rows are left out."""
        return self.dialect.skip_bad

    def table(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Table:
        """Parse some columns; see :class:`gdcli.data.table.Block`."""
        asked = (frozenset(numeric), frozenset(text), missing)
        if self._last is None or self._last[0] != asked:  # the first block is asked twice: by the design, and to fit
            try:
                table = _parse_fast(self.chunk, self.dialect, numeric, text, missing)
            except UnsureError:
                table = parse_carefully(self.chunk, self.dialect, numeric, text, missing)
            self._last = asked, table
        return self._last[1]

    def head(self) -> "CsvBlock":
        """A block of the first few rows."""
        end = row_end(self.chunk.text, _HEAD_BYTES, self.dialect) or len(self.chunk.text)
        return CsvBlock(replace(self.chunk, text=self.chunk.text[:end]), self.dialect)

    @property
    def whole(self) -> bool:
        """Whether no further block can follow."""
        return len(self.chunk.text) < BLOCK_BYTES

    def header_lines(self, names: Collection[str]) -> list[int]:
        """The lines that a header may stand on; see :class:`gdcli.data.table.Block`."""
        return header_lines(self.head().chunk, self.dialect, names)

    def below(self, line: int) -> "tuple[CsvBlock, tuple[str, ...], frozenset[str]] | None":
        """The rows under a header on some line; see :class:`gdcli.data.table.Block`."""
        found = rows_below(self.chunk, self.dialect, line)
        return None if found is None else (CsvBlock(*found), found[1].names, found[1].unnamed)

    def reread(self, changes: Mapping[str, str | None]) -> "CsvBlock":
        """The same rows under other options; see :class:`gdcli.data.table.Block`."""
        dialect, fields = self.dialect, dict(changes)
        old = dialect.numbers
        numbers = NumberFormat(fields.get("decimal") or old.decimal, fields.get("thousands", old.thousands))
        quote = fields.get("quotechar") or dialect.quote
        skip = dialect.skip_bad or fields.get("on_bad_row") == "skip"
        if numbers.decimal == numbers.thousands or quote in (dialect.separator, numbers.decimal, numbers.thousands):
            raise UsageError("these marks contradict each other")
        chunk, comment = self.chunk, (fields.get("comment") or "").encode()
        if fields.get("separator") == BLANKS:  # between two blanks there is no column any more
            chunk = replace(chunk, text=Squeezed(io.BytesIO(chunk.text), chunk.name, quote).read(len(chunk.text)))
            named = tuple(name for name in dialect.names if name not in dialect.unnamed)
            dialect = replace(dialect, names=named, unnamed=frozenset())
        if comment:
            lines = chunk.text.splitlines(keepends=True)
            chunk = replace(chunk, text=b"".join(line for line in lines if not line.startswith(comment)))
        return CsvBlock(chunk, replace(dialect, quote=quote, numbers=numbers, skip_bad=skip))

    def where(self, row: int) -> str:
        """The place of a row for a message."""
        left_out = set() if self._last is None else {bad.row for bad in self._last[1].skipped}
        kept = (line for number, (line, _) in enumerate(records(self.chunk, self.dialect)) if number not in left_out)
        for number, line in enumerate(kept):
            if number == row:
                return f"{quoted(self.chunk.name)}, line {line}"
        return quoted(self.chunk.name)


class _Bytes:
    """Bytes for pandas to read, without the detour over text that it takes for an io.BytesIO."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = [memoryview(part) for part in parts]

    def read(self, size: int = -1) -> bytes:
        while self.parts:
            part = self.parts[0]
            if size < 0 or len(part) <= size:
                return bytes(self.parts.pop(0))
            self.parts[0] = part[size:]
            return bytes(part[:size])
        return b""

    def __iter__(self) -> Iterator[bytes]:
        raise NotImplementedError  # pandas asks for it, and uses read()


def _parse_fast(
    chunk: Chunk, dialect: Dialect, numeric: Collection[str], text: Collection[str], missing: frozenset[str]
) -> Table:
    form = dialect.numbers
    # pandas would take 1.7 for 17 if dots separate thousands: texts are told apart by our own rule.
    as_texts = form.thousands is not None and form.thousands.encode() in chunk.text
    kinds = {**dict.fromkeys(numeric, "category" if as_texts else np.float64), **dict.fromkeys(text, "category")}
    if not numeric and dialect.header and dialect.separator.join(dialect.names).encode() in chunk.text:
        raise UnsureError  # among texts, a header that is repeated would pass for a row
    frame = read_frame(chunk, dialect, kinds, missing)
    if as_texts:
        numbers = {name: parsed(coded_column(frame[name].array, missing), missing, form) for name in numeric}
    else:
        numbers = _columns_of(frame, numeric)
        if form != PLAIN_NUMBERS and (absent := absent_numbers(missing, form)):
            numbers = {name: np.where(np.isin(values, absent), np.nan, values) for name, values in numbers.items()}
    if any(_has_infinite(values) for values in numbers.values()):
        raise UnsureError
    return Table(
        rows=len(frame), numeric=numbers, text={name: coded_column(frame[name].array, missing) for name in text}
    )


def _columns_of(frame: pd.DataFrame, names: Collection[str]) -> dict[str, Array]:
    """Columns of numbers, all at once if the frame has no others."""
    if len(names) < len(frame.columns):
        return {name: frame[name].to_numpy() for name in names}
    return dict(zip(frame.columns, frame.to_numpy().T, strict=True))


def read_frame(chunk: Chunk, dialect: Dialect, kinds: Mapping[str, Any], missing: frozenset[str]) -> pd.DataFrame:
    """Parse some columns, each as its kind (a dtype; None: as what pandas takes it for), or raise UnsureError."""
    marks = find_quoted(chunk.text, dialect.separator, dialect.quote)
    if not marks.plain or b"\0" in chunk.text:
        raise UnsureError
    # pandas loses the empty first cell of a row after a blank line that a lone CR ends. (A single byte is found ten
    # times as fast as two.)
    if b"\r" in chunk.text and b"\r" + dialect.separator.encode() in chunk.text:
        raise UnsureError
    if not chunk.text.isascii():
        check_utf8(chunk, dialect)
    place = {name: i for i, name in enumerate(dialect.names)}
    fields = len(dialect.names)
    partial = len(kinds) < fields
    # A row of zeros (a mark for texts) goes first: it makes every row with too many fields an error (pandas otherwise
    # judges by the first one), keeps an all-"True" column from becoming ones, and "01" and "1.0" from becoming one
    # category, 1. Without those letters pandas may read numbers in pieces, which stay in the cache; elsewhere it has
    # to see the whole column.
    first = [_MARK if kinds.get(name) == "category" else "0" for name in dialect.names]
    words = _missing_words(kinds, place, missing, dialect)
    whole = not all(kind is np.float64 for kind in kinds.values()) or any(letter in chunk.text for letter in b"TtFf")
    try:
        frame = pd.read_csv(
            cast("Any", _Bytes(dialect.separator.join(first).encode() + b"\n", chunk.text)),
            sep=dialect.separator,
            quotechar=dialect.quote,
            header=None,
            names=range(fields),
            usecols=[place[name] for name in kinds] if partial else None,
            index_col=False,
            dtype=_dtypes(kinds, place),
            na_values=cast("Any", words),
            decimal=dialect.numbers.decimal,
            keep_default_na=False,
            low_memory=not whole and not _OLD,
            float_precision="round_trip" if _OLD else None,
        )
    except (ValueError, OverflowError, pd.errors.ParserError):
        raise UnsureError from None
    rows = len(frame) - 1
    if partial:
        # With `usecols` pandas swallows surplus fields without a word.
        sure = _is_rectangular(chunk.text, marks, dialect, rows)
    else:
        # No row has too many fields, so the total is right only if none has too few.
        sure = _count_separators(chunk.text, marks, dialect) == rows * (fields - 1)
    if not sure:
        raise UnsureError
    return frame.iloc[1:].rename(columns=dict(enumerate(dialect.names)))


def _dtypes(kinds: Mapping[str, Any], place: Mapping[str, int]) -> Any:
    """The types for pandas: one if all columns agree, which takes it half the time among thousands."""
    if all(kind is np.float64 for kind in kinds.values()):
        return np.float64
    return {place[name]: kind for name, kind in kinds.items() if kind is not None}


def _missing_words(
    kinds: Mapping[str, Any], place: Mapping[str, int], missing: frozenset[str], dialect: Dialect
) -> list[str] | dict[int, list[str]]:
    """The words for pandas: one list if all columns agree, which spares it a list for each of thousands."""
    of_kind = {kind: _missing_as(kind, missing, dialect) for kind in kinds.values()}
    lists = list(of_kind.values())
    if all(words == lists[0] for words in lists):
        return lists[0] if lists else []
    return {place[name]: of_kind[kind] for name, kind in kinds.items()}


def _missing_as(kind: object, missing: frozenset[str], dialect: Dialect) -> list[str]:
    """The missing words for pandas; it takes 999 for 999.0 too, which is right among plain numbers only."""
    numbers = kind is np.float64 and dialect.numbers == PLAIN_NUMBERS
    return sorted(word for word in missing if numbers or not is_number(word))


def _count_separators(text: bytes, marks: Quoted, dialect: Dialect) -> int:
    """The number of separators outside quotes."""
    found = np.frombuffer(text, dtype=np.uint8) == ord(dialect.separator)
    total = int(np.count_nonzero(found))
    return total - int(marks.inside(np.flatnonzero(found)).sum()) if len(marks.opens) else total


def _is_rectangular(text: bytes, marks: Quoted, dialect: Dialect, rows: int) -> bool:
    """Whether each of the rows has as many fields as the header: every k-th separator or line end is a line end."""
    fields = len(dialect.names)
    line_end = dialect.newline[0]
    data = np.frombuffer(text if text.endswith(dialect.newline) else text + dialect.newline, dtype=np.uint8)
    places = np.flatnonzero((data == ord(dialect.separator)) | (data == line_end))
    if len(marks.opens):
        places = places[~marks.inside(places)]
    ends = data[places] == line_end
    width = np.diff(places, prepend=-1)
    crlf = (width == 2) & (data[places - 1] == ord("\r"))
    blank = ends & np.concatenate([[True], ends[:-1]]) & ((width == 1) | crlf)
    ends = ends[~blank]
    return len(ends) == rows * fields and bool(ends[fields - 1 :: fields].all()) and int(ends.sum()) == rows


def _has_infinite(values: Array) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        return not math.isfinite(values.sum()) and bool(np.isinf(values).any())


def coded_column(column: object, missing: frozenset[str]) -> Coded:
    """The codes and stripped levels of a pandas Categorical from ``read_frame``."""
    categorical = cast("pd.Categorical", column)
    codes, levels = categorical.codes, [str(level) for level in categorical.categories]
    at = levels.index(_MARK)
    if not (codes == at).any():
        codes = codes - (codes > at)
        del levels[at]
    return stripped(codes, levels, missing)
