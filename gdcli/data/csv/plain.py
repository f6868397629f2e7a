"""A block of CSV text through NumPy alone: half as fast as pandas, and nothing has to be imported for it.

What is not made of digits alone is read by Python, each such text once.
"""

import math
from collections.abc import Collection, Iterator

import numpy as np

from gdcli.base.records import NamedTuple
from gdcli.data.cells import absent_numbers, stripped
from gdcli.data.csv.chunks import Chunk
from gdcli.data.csv.dialect import Dialect
from gdcli.data.csv.digits import LAST, PAD, Words, numbers_at, words_of
from gdcli.data.csv.quotes import Places, find_quoted
from gdcli.data.csv.unsure import UnsureError, without_header
from gdcli.data.table import Coded, Table
from gdcli.engine.arrays import Array, NDArray

# Bytes of text looked at together: what is made of them stays in the cache, and each call of NumPy is long enough that
# two threads seldom wait for the interpreter. Slices of a quarter took them half as long again.
_SLICE = 1 << 19

# Cells other than digits that a block may have, each counted once: beyond them pandas is faster.
_MOST_OTHERS = 1 << 12

_EACH = slice(None), slice(None)

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
    numbers = np.empty((len(numeric), whole.count(dialect.newline) + 1))  # or fewer: quotes may hold line ends
    others = _Others(missing, dialect)
    texts = {name: _Texts() for name in text}
    row = place_in_text = 0
    for piece in _slices(whole, dialect.newline):
        cells = _cells(piece, dialect)
        after = row + len(cells.ends)
        if columns:
            chosen = cells if columns == list(range(fields)) else _Cells(*(one[:, columns] for one in cells))
            found = _numbers(piece, _Cells(*(np.ravel(one) for one in chosen)), others)
            numbers[:, row:after] = found.reshape(-1, len(columns)).T
        for name, column in texts.items():
            column.add(piece, cells.starts[:, place[name]], cells.ends[:, place[name]], place_in_text)
        row, place_in_text = after, place_in_text + len(piece) - len(PAD)
    numbers = numbers[:, :row]
    if absent := absent_numbers(missing, dialect.numbers):
        numbers[np.isin(numbers, absent)] = math.nan
    found_texts = {name: column.coded(whole, dialect.quote, missing) for name, column in texts.items()}
    return without_header(Table(row, dict(zip(numeric, numbers, strict=True)), found_texts), dialect, missing)


def _check(text: bytes, dialect: Dialect) -> None:
    """Raise UnsureError for what takes more than a look at separators and line ends."""
    form = dialect.numbers
    if (
        not text
        or dialect.newline != b"\n"
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
    fields, rows = len(dialect.names), np.count_nonzero(kinds == newline)
    if len(ends) != rows * fields or (kinds[at[fields - 1 :: fields]] != newline).any():
        raise UnsureError
    starts = np.empty_like(ends)
    starts[0], starts[1:] = len(PAD), ends[:-1]
    starts[1:] += 1
    if b"\r" in piece:
        ends[fields - 1 :: fields] -= data[ends[fields - 1 :: fields] - 1] == ord("\r")
    if fields == 1 and np.isin(data[starts], list(b" \t\r\n")).any():
        raise UnsureError  # a line of blanks is no row
    before = places[at - 1]
    before[0] *= at[0] > 0
    marks = np.where(before >= starts, before, ends)  # the last of several, so that another is no digit
    return _Cells(*(one.reshape(rows, fields) for one in (starts, marks, ends)))


def _inside_quotes(piece: bytes, places: Places, dialect: Dialect) -> NDArray[np.bool_]:
    """A mask (n,) of the places inside of quotes. Raises UnsureError unless those stand around whole cells."""
    quotes = find_quoted(piece[len(PAD) :], dialect.separator, dialect.quote)
    if not quotes.plain or quotes.closes[-1] >= len(piece) - len(PAD):
        raise UnsureError
    return quotes.inside(places - len(PAD))


def _text(cell: bytes, quote: str) -> str:
    """The text in a cell, without quotes around it."""
    text = cell.decode()
    return text[1:-1].replace(quote + quote, quote) if quote and text.startswith(quote) else text


class _Texts:
    """A column of texts, slice by slice: where each is in the chunk, and its last characters as words (k, n)."""

    def __init__(self) -> None:
        self._starts: list[Places] = []
        self._ends: list[Places] = []
        self._words: list[Words] = []

    def add(self, piece: bytes, starts: Places, ends: Places, place: int) -> None:
        """Take the cells of a slice that begins at a place in the chunk."""
        words, lengths = words_of(piece), ends - starts
        parts = range(0, min(int(lengths.max()), len(PAD)), 8)
        found = [words[ends - (k + 8)] & LAST.take(np.clip(lengths - k, 0, 8)) for k in parts]
        self._words.append(np.reshape(found, (len(parts), len(starts))).astype(np.uint64, copy=False))
        self._starts.append(starts + (place - len(PAD)))
        self._ends.append(ends + (place - len(PAD)))

    def coded(self, text: bytes, quote: str, missing: frozenset[str]) -> Coded:
        """The column, each of its texts looked at once."""
        starts, ends = np.concatenate(self._starts), np.concatenate(self._ends)
        first, alike = self._alike() if (ends - starts).max() <= len(PAD) else _EACH
        levels: dict[str, int] = {}
        found = [
            levels.setdefault(_text(text[start:end], quote), len(levels))
            for start, end in zip(starts[first].tolist(), ends[first].tolist(), strict=True)
        ]
        return stripped(np.array(found, dtype=np.intp)[alike], list(levels), missing)

    def _alike(self) -> tuple[Places | slice, Places | slice]:
        """The rows of texts that differ, and of each row (n,) the place among them; all rows, if only sums agree."""
        most = max(map(len, self._words))
        words = np.hstack([np.pad(found, ((0, most - len(found)), (0, 0))) for found in self._words])
        key = np.zeros(words.shape[1], dtype=np.uint64)
        for part in words:
            key *= _MIXER
            key ^= part
        order = key.argsort()
        is_first = np.ones(len(key), dtype=bool)
        np.not_equal(key[order[1:]], key[order[:-1]], out=is_first[1:])
        first = order[is_first]
        alike = np.empty_like(order)
        alike[order] = np.cumsum(is_first) - 1
        return _EACH if any((part[first][alike] != part).any() for part in words) else (first, alike)


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


def _numbers(piece: bytes, cells: _Cells, others: _Others) -> Array:
    """The numbers (n,) in the cells of a slice."""
    values, odd = numbers_at(piece, *cells)
    left = np.flatnonzero(odd)
    if len(left):
        values[left] = math.nan  # of an empty cell
        for i in left[cells.starts[left] < cells.ends[left]].tolist():
            values[i] = others[piece[cells.starts[i] : cells.ends[i]]]
    return values
