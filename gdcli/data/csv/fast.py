"""A block of CSV text as columns through pandas' C parser, which is fast.

It refuses whatever it is not sure of: a row with another number of fields than the header, a number that does not
parse.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, cast

import numpy as np
import pandas as pd

from gdcli.base.records import replace
from gdcli.data.cells import absent_numbers, is_number, parsed, stripped
from gdcli.data.csv.chunks import Chunk
from gdcli.data.csv.dialect import Dialect
from gdcli.data.csv.quotes import Quoted, find_quoted
from gdcli.data.csv.unsure import UnsureError, without_header
from gdcli.data.number_format import PLAIN_NUMBERS, NumberFormat
from gdcli.data.table import Coded, Table
from gdcli.engine.arrays import Array

# Before 3.1 pandas gives a neighbour of the nearest double now and then, unless it takes the longest way, and misses a
# field too many where it begins another piece.
_OLD = tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1)

# What no number looks like: it tells pandas that a column is text.
_MARK = "\x7f"


_OF_BOOLEANS = b"TtFf"

# Rows: copying fewer takes less time than pandas takes to name a column.
_SHORT = 8192

# Bytes that pandas gets first.
_FIRST = 3 << 18

_NO_ASCII, _LARGEST_BYTE = 0x80, 0xFF

# Bytes, and lines, by which columns of many different texts are told.
_LOOK_BYTES, _FEW_LINES = 1 << 14, 20


class _Bytes:
    """A line and the text below it for pandas to read, without the detour over text that it takes for an io.BytesIO.

    pandas asks for 256 KiB at a time, and takes more, too. It makes room for as many cells as it gets bytes: with more
    of them at first it does not have to move what it has, time and again, which is a twentieth of its work.
    """

    def __init__(self, line: bytes, text: bytes) -> None:
        self._first, self._rest = line + text[:_FIRST], memoryview(text)[_FIRST:]

    def read(self, size: int = -1) -> bytes:
        found, self._first = self._first, b""
        if not found:
            size = len(self._rest) if size < 0 else size
            found, self._rest = bytes(self._rest[:size]), self._rest[size:]
        return found

    def __iter__(self) -> Iterator[bytes]:
        raise NotImplementedError  # pandas asks for it, and uses read()


def parse_fast(
    chunk: Chunk, dialect: Dialect, numeric: Collection[str], text: Collection[str], missing: frozenset[str]
) -> Table:
    """The named columns of a chunk, parsed by pandas. Raises UnsureError if its result might be wrong."""
    form = dialect.numbers
    # pandas would take 1.7 for 17 if dots separate thousands: texts are told apart by our own rule.
    as_texts = form.thousands is not None and form.thousands.encode() in chunk.text
    kinds = {**dict.fromkeys(numeric, "category" if as_texts else np.float64), **dict.fromkeys(text, "category")}
    frame = read_frame(chunk, dialect, kinds, missing)
    if as_texts:
        numbers = {name: parsed(coded_column(frame[name].array, missing), missing, form) for name in numeric}
    else:
        numbers = _columns_of(frame, numeric)
        if form != PLAIN_NUMBERS and (absent := absent_numbers(missing, form)):
            numbers = {name: np.where(np.isin(values, absent), np.nan, values) for name, values in numbers.items()}
    if any(_has_infinite(values) for values in numbers.values()):
        raise UnsureError
    texts = {name: coded_column(frame[name].array, missing) for name in text}
    return without_header(Table(len(frame), numbers, texts), dialect, missing)


def _columns_of(frame: pd.DataFrame, names: Collection[str]) -> dict[str, Array]:
    """Columns of numbers. Short ones are copied all at once, if the frame has no others."""
    found: Iterable[Array]
    if len(names) == len(frame.columns) and len(frame) < _SHORT:
        found = frame.to_numpy().T
    else:
        found = (column.to_numpy() for _, column in frame.items())
    columns = dict(zip(frame.columns, found, strict=True))
    return {name: columns[name] for name in names}


def read_frame(chunk: Chunk, dialect: Dialect, kinds: Mapping[str, Any], missing: frozenset[str]) -> pd.DataFrame:
    """The columns in ``kinds``, each with its dtype (None: inferred by pandas). Raises UnsureError."""
    marks = find_quoted(chunk.text, dialect.separator, dialect.quote)
    data = np.frombuffer(chunk.text, dtype=np.uint8)
    least, most = data.min(initial=_LARGEST_BYTE), data.max(initial=0)  # a tenth of the time of looking for a byte
    if not marks.plain or not least:
        raise UnsureError
    # pandas loses the empty first cell of a row after a blank line that a lone CR ends. (A single byte is found ten
    # times as fast as two.)
    if b"\r" in chunk.text and b"\r" + dialect.separator.encode() in chunk.text:
        raise UnsureError
    if most >= _NO_ASCII:
        try:
            chunk.text.decode("utf-8")
        except UnicodeDecodeError:
            raise UnsureError from None
    place = {name: i for i, name in enumerate(dialect.names)}
    kinds = _with_objects(kinds, chunk.text[:_LOOK_BYTES], dialect)
    fields = len(dialect.names)
    partial = len(kinds) < fields
    # A row of zeros (a mark for texts) goes first: it makes every row with too many fields an error (pandas otherwise
    # judges by the first one), keeps an all-"True" column from becoming ones, and "01" and "1.0" from becoming one
    # category, 1. Without those letters pandas may read numbers in pieces, which stay in the cache; elsewhere it has
    # to see the whole column.
    first = [_MARK if kinds.get(name) in ("category", object) else "0" for name in dialect.names]
    words = _missing_words(kinds, place, missing, dialect)
    letters = most >= min(_OF_BOOLEANS) and any(letter in chunk.text for letter in _OF_BOOLEANS)
    whole = letters or not all(kind is np.float64 for kind in kinds.values())
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
    # pandas fills a row with too few fields up with empty ones, which are missing numbers; of a row with too many it
    # makes an error, but with `usecols` it swallows what is too much without a word.
    last = dialect.names[-1]
    none_short = kinds.get(last) is np.float64 and not np.isnan(frame[place[last]].to_numpy()).any()
    if partial and not none_short:
        sure = _is_rectangular(chunk.text, marks, dialect, rows)
    else:
        none_long = not partial
        sure = (none_short and none_long) or _count_separators(chunk.text, marks, dialect) == rows * (fields - 1)
    if not sure:
        raise UnsureError
    frame = frame.iloc[1:]
    frame.columns = pd.Index(sorted(kinds, key=place.__getitem__), dtype=object)  # pandas' texts take longer to make
    return frame


def _with_objects(kinds: Mapping[str, Any], text: bytes, dialect: Dialect) -> Mapping[str, Any]:
    """The ``kinds``, with object in place of category for a column whose cells in the ``text`` mostly differ.

    pandas sorts categories and looks at them time and again: of a block of identifiers it takes five times as long. Of
    few texts it takes as long, but lets other threads run meanwhile.
    """
    texts = [name for name, kind in kinds.items() if kind == "category"]
    rows = [line.split(dialect.separator.encode()) for line in text.splitlines()[:-1]] if texts else []
    if len(rows) < _FEW_LINES:
        return kinds
    place = {name: i for i, name in enumerate(dialect.names)}
    different = {name: len({row[place[name]] for row in rows if place[name] < len(row)}) for name in texts}
    return {**kinds, **{name: object for name in texts if 2 * different[name] > len(rows)}}


def _dtypes(kinds: Mapping[str, Any], place: Mapping[str, int]) -> Any:
    """The types for pandas: one if all columns agree, which takes it half the time among thousands."""
    if all(kind is np.float64 for kind in kinds.values()):
        return np.float64
    return {place[name]: kind for name, kind in kinds.items() if kind is not None}


def _missing_words(
    kinds: Mapping[str, Any], place: Mapping[str, int], missing: frozenset[str], dialect: Dialect
) -> list[str] | dict[int, list[str]]:
    """The words for pandas: one list if all columns agree, which spares it a list for each of thousands."""
    of_kind = {kind: _missing_as(kind, missing, dialect.numbers) for kind in set(kinds.values())}
    lists = list(of_kind.values())
    if all(words == lists[0] for words in lists):
        return lists[0] if lists else []
    return {place[name]: of_kind[kind] for name, kind in kinds.items()}


@lru_cache(maxsize=8)
def _missing_as(kind: object, missing: frozenset[str], form: NumberFormat) -> list[str]:
    """The missing words for pandas; it takes 999 for 999.0 too, which is right among plain, finite numbers only."""
    numbers = kind is np.float64 and form == PLAIN_NUMBERS
    return sorted(word for word in missing if not is_number(word) or (numbers and math.isfinite(float(word))))


def _count_separators(text: bytes, marks: Quoted, dialect: Dialect) -> int:
    """The number of separators outside quotes."""
    found = np.frombuffer(text, dtype=np.uint8) == ord(dialect.separator)
    total = int(np.count_nonzero(found))
    return total - int(marks.inside(np.flatnonzero(found)).sum()) if len(marks.opens) else total


def _is_rectangular(text: bytes, marks: Quoted, dialect: Dialect, rows: int) -> bool:
    """Whether each of the rows has as many fields as the header: every k-th separator or line end is a line end."""
    fields = len(dialect.names)
    if not len(marks.opens) and text.endswith(dialect.newline):
        row = dialect.separator.encode() * (fields - 1) + dialect.newline
        if text.translate(None, bytes(set(range(256)) - set(row))) == row * rows:  # a third of the time of the rest
            return True
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
    """A text column from a column of ``read_frame``: codes (n,), and the levels without blanks around them.

    Cells that are one of the ``missing`` words have the code −1, and no level.
    """
    if isinstance(column, pd.Categorical):
        # By way of an array of objects: pandas takes twenty times as long to iterate over its own.
        codes, levels = column.codes, np.asarray(column.categories, dtype=object).tolist()
        at = levels.index(_MARK)
        if not (codes == at).any():
            codes = codes - (codes > at)
            del levels[at]
    else:
        codes, found = pd.factorize(np.asarray(column, dtype=object))
        levels = found.tolist()
    return stripped(codes, levels, missing)


def odd_columns(
    chunk: Chunk, dialect: Dialect, numeric: Collection[str], text: Collection[str], missing: frozenset[str]
) -> list[str]:
    """The ``numeric`` columns of a chunk that may have a cell that is not a finite number. Raises UnsureError."""
    frame = read_frame(chunk, dialect, {**dict.fromkeys(numeric), **dict.fromkeys(text, "category")}, missing)
    kinds = pd.api.types
    return [
        name
        for name in numeric
        if not kinds.is_numeric_dtype(frame[name]) or _has_infinite(np.asarray(frame[name], dtype=np.float64))
    ]


def parse_inferred(
    chunk: Chunk, dialect: Dialect, numeric: Collection[str], text: Collection[str], missing: frozenset[str]
) -> Table:
    """The named columns of a chunk, as from ``parse_fast``, but a cell of a numeric column that is no number is +∞.

    pandas infers the dtype of each numeric column, so that a bad cell slows down its own column, not the block.
    """
    if not numeric and not text:  # of an intercept alone only the number of rows is wanted
        return replace(parse_inferred(chunk, dialect, (), dialect.names[-1:], missing), text={})
    kinds = {**dict.fromkeys(numeric), **dict.fromkeys(text, "category")}
    frame = read_frame(chunk, dialect, kinds, missing)
    numbers = {name: _inferred(frame[name], missing, dialect.numbers) for name in numeric}
    texts = {name: coded_column(frame[name].array, missing) for name in text}
    return without_header(Table(len(frame), numbers, texts), dialect, missing)


def _inferred(column: "pd.Series[Any]", missing: frozenset[str], form: NumberFormat) -> Array:
    if pd.api.types.is_numeric_dtype(column):
        numbers: Array = np.asarray(column, dtype=np.float64)
        if absent := absent_numbers(missing, form):
            numbers = np.where(np.isin(numbers, absent), np.nan, numbers)
        if np.isinf(numbers).any() and any(math.isinf(form.value(word) or 0.0) for word in missing):
            raise UnsureError  # whether a cell says ``inf``, which means missing, or another infinity
        return numbers
    codes, cells = column.factorize()
    return parsed(
        stripped(np.asarray(codes), [str(cell) for cell in np.asarray(cells, dtype=object).tolist()], missing),
        missing,
        form,
    )
