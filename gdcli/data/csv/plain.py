"""A block of CSV text through NumPy alone: half as fast as pandas, and nothing has to be imported for it.

What is not made of digits alone is read by Python, each such text once.
"""

import math
from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np

from gdcli.data.cells import absent_numbers, stripped
from gdcli.data.csv.chunks import Chunk
from gdcli.data.csv.dialect import Dialect
from gdcli.data.csv.digits import LAST, PAD, numbers_at, words_of
from gdcli.data.csv.quotes import Places, find_quoted
from gdcli.data.csv.unsure import UnsureError, without_header
from gdcli.data.table import Table
from gdcli.engine.arrays import Array, NDArray

# Bytes of text looked at together: what is made of them stays in the cache.
_SLICE = 1 << 17

# Cells other than digits that a block may have, each counted once: beyond them pandas is faster.
_MOST_OTHERS = 1 << 12

# An odd number of 64 bits, by which words are made into one: 2⁶⁴ divided by the golden ratio.
_MIXER = np.uint64(0x9E3779B97F4A7C15)


class _Cells(NamedTuple):
    """Where the cells of some rows begin and end in a slice, and their decimal marks, or their ends without one: (n,)
    or (rows, fields) each.
    """

    starts: Places
    marks: Places
    ends: Places


def parse_plain(
    chunk: Chunk, dialect: Dialect, numeric: Collection[str], text: Collection[str], missing: frozenset[str]
) -> Table:
    """The named columns of a chunk. Raises UnsureError unless all cells are as plain as the parser needs them."""
    _check(chunk.text, dialect)
    place = {name: i for i, name in enumerate(dialect.names)}
    columns, fields = [place[name] for name in numeric], len(place)
    whole = chunk.text
    if fields > 1 and whole.endswith((b"\n\n", b"\n\r\n")):
        whole = whole.rstrip(b"\r\n")
    rows = whole.count(dialect.newline) + (bool(whole) and not whole.endswith(dialect.newline))
    numbers = np.empty((len(numeric), rows))
    others = _Others(missing, dialect)
    levels = [_Levels(dialect.quote) for _ in text]
    codes = np.empty((len(levels), rows), dtype=np.intp)
    row = 0
    for piece in _slices(whole, dialect.newline):
        cells = _cells(piece, dialect)
        after = row + len(cells.ends)
        if columns:
            chosen = cells if columns == list(range(fields)) else _Cells(*(one[:, columns] for one in cells))
            found = _numbers(piece, _Cells(*(np.ravel(one) for one in chosen)), others)
            numbers[:, row:after] = found.reshape(-1, len(columns)).T
        for known, column, name in zip(levels, codes, text, strict=True):
            i = place[name]
            column[row:after] = _codes(piece, cells.starts[:, i], cells.ends[:, i], known)
        row = after
    if absent := absent_numbers(missing, dialect.numbers):
        numbers[np.isin(numbers, absent)] = math.nan
    texts_of = {
        name: stripped(column, list(known.levels), missing)
        for name, known, column in zip(text, levels, codes, strict=True)
    }
    return without_header(Table(rows, dict(zip(numeric, numbers, strict=True)), texts_of), dialect, missing)


def _check(text: bytes, dialect: Dialect) -> None:
    """Raise UnsureError for what takes more than a look at separators and line ends."""
    form = dialect.numbers
    if (
        dialect.newline != b"\n"
        or b"\0" in text
        or (form.thousands is not None and form.thousands.encode() in text)
        or (b"\r" in text and text.count(b"\r") != text.count(b"\r\n"))
    ):
        raise UnsureError
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            raise UnsureError from None


def _slices(text: bytes, newline: bytes) -> Iterator[bytes]:
    """Whole rows of a text, after some bytes of padding."""
    start = 0
    while start < len(text):
        end = text.rfind(newline, start, start + _SLICE) + 1 or text.find(newline, start + _SLICE) + 1
        yield PAD + text[start:end] if end else PAD + text[start:] + newline
        start = end or len(text)


def _cells(piece: bytes, dialect: Dialect) -> _Cells:
    """The cells (rows, fields) of a slice. Raises UnsureError if a row has more or fewer."""
    data = np.frombuffer(piece, np.uint8)
    separator, mark, newline = ord(dialect.separator), ord(dialect.numbers.decimal), dialect.newline[0]
    found = data == separator
    found |= data == newline
    found |= data == mark
    places = np.flatnonzero(found)
    if dialect.quote and dialect.quote.encode() in piece:
        places = places[~_inside_quotes(piece, places, dialect)]
    kinds = data[places]
    at = np.flatnonzero(kinds != mark)
    ends = places[at]
    fields = len(dialect.names)
    rows = piece.count(dialect.newline)
    if len(ends) != rows * fields or (kinds[at].reshape(rows, fields)[:, -1] != newline).any():
        raise UnsureError
    starts = np.empty_like(ends)
    starts[0], starts[1:] = len(PAD), ends[:-1]
    starts[1:] += 1
    if b"\r" in piece:
        ends.reshape(rows, fields)[:, -1] -= data[ends[fields - 1 :: fields] - 1] == ord("\r")
    if fields == 1 and np.isin(data[starts], list(b" \t\r\n")).any():
        raise UnsureError  # a line of blanks is no row
    marked = np.empty(len(at), dtype=bool)
    marked[0], marked[1:] = at[0] > 0, np.diff(at) > 1
    marks = np.where(marked, places[at - 1], ends)  # the last of several, so that another is no digit
    return _Cells(*(one.reshape(rows, fields) for one in (starts, marks, ends)))


def _inside_quotes(piece: bytes, places: Places, dialect: Dialect) -> NDArray[np.bool_]:
    """A mask (n,) of the places inside of quotes. Raises UnsureError for quotes that are not around cells of a line."""
    quotes = find_quoted(piece[len(PAD) :], dialect.separator, dialect.quote)
    if not quotes.plain or quotes.closes[-1] >= len(piece) - len(PAD):
        raise UnsureError
    return quotes.inside(places - len(PAD))


def _text(cell: bytes, quote: str) -> str:
    """The text in a cell, without quotes around it."""
    text = cell.decode()
    return text[1:-1].replace(quote + quote, quote) if quote and text.startswith(quote) else text


class _Levels(dict[bytes, int]):
    """The index of each cell's text among ``levels``, those of all cells that were asked for."""

    def __init__(self, quote: str) -> None:
        super().__init__()
        self._quote, self.levels = quote, dict[str, int]()

    def __missing__(self, cell: bytes) -> int:
        self[cell] = self.levels.setdefault(_text(cell, self._quote), len(self.levels))
        return self[cell]


class _Others(dict[bytes, float]):
    """The numbers in cells that are more than digits; NaN for a missing one. Raises UnsureError if there is none."""

    def __init__(self, missing: frozenset[str], dialect: Dialect) -> None:
        super().__init__()
        self._missing, self._dialect = missing, dialect

    def __missing__(self, cell: bytes) -> float:
        text = _text(cell, self._dialect.quote).strip()
        value = math.nan if text in self._missing or not text else self._dialect.numbers.value(text)
        if value is None or math.isinf(value) or len(self) >= _MOST_OTHERS:
            raise UnsureError
        self[cell] = value
        return value


def _codes(piece: bytes, starts: Places, ends: Places, known: _Levels) -> Places:
    """The places (n,) of the texts in the cells of a slice's column, the same texts looked up once."""
    words, lengths = words_of(piece), ends - starts
    parts = [
        words[ends - (k + 8)] & LAST.take(np.clip(lengths - k, 0, 8))
        for k in range(0, min(int(lengths.max()), len(PAD)), 8)
    ] or [np.zeros(len(starts), dtype=np.uint64)]
    key = parts[0].copy()
    for part in parts[1:]:
        key *= _MIXER
        key ^= part
    order = key.argsort()
    is_first = np.ones(len(key), dtype=bool)
    np.not_equal(key[order[1:]], key[order[:-1]], out=is_first[1:])
    first = order[is_first]
    alike = np.empty_like(order)
    alike[order] = np.cumsum(is_first) - 1
    if lengths.max() > len(PAD) or any((part[first][alike] != part).any() for part in parts):
        first = alike = np.arange(len(starts))  # texts that only seem alike: each by itself
    texts = [piece[start:end] for start, end in zip(starts[first].tolist(), ends[first].tolist(), strict=True)]
    found: Places = np.fromiter(map(known.__getitem__, texts), np.intp, len(texts))[alike]
    return found


def _numbers(piece: bytes, cells: _Cells, others: _Others) -> Array:
    """The numbers (n,) in the cells of a slice."""
    values, odd = numbers_at(piece, *cells)
    left = np.flatnonzero(odd)
    if len(left):
        values[left] = math.nan  # of an empty cell
        for i in left[cells.starts[left] < cells.ends[left]].tolist():
            values[i] = others[piece[cells.starts[i] : cells.ends[i]]]
    return values
