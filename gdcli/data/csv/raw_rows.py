"""The rows of a block of CSV text as they stand in the file, which are passed on unchanged.

Where rows and cells end is decided by the same rule as in parsing (see :mod:`gdcli.data.csv.quotes`).
"""

import csv
from collections.abc import Callable, Collection
from itertools import compress, pairwise

import numpy as np

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.base.records import record
from gdcli.data.csv.chunks import Chunk
from gdcli.data.csv.dialect import Dialect
from gdcli.data.csv.quotes import find_quoted

_CR, _LF = 13, 10


@record(eq=False)
class RawRows:
    """The text of each row without its line end, and the line ``ends``: one for all rows, or a list of one per row.

    The last row's end is b"" if the file stops there.
    """

    rows: list[bytes]
    ends: bytes | list[bytes]


def raw_rows(chunk: Chunk, dialect: Dialect, count: int) -> RawRows:
    """The text of each row of a chunk, blank lines left out. Raises DataError unless there are ``count`` rows, the
    number that parsing found.
    """
    found = _split_evenly(chunk.text, dialect) or _split_one_by_one(chunk.text, dialect)
    # The last one: a lone '""' is a row for one parser and a blank line for the other.
    for blank in (None, _is_blank, _is_void):
        kept = found if blank is None else _without(found, blank, dialect)
        if len(kept.rows) == count:
            return kept
    where = f"{quoted(chunk.name)}, line {chunk.first_line} or after"
    raise DataError(f"{where}: the rows cannot be told apart; is a quote out of place?")


def raw_cells(row: bytes, dialect: Dialect) -> list[bytes]:
    """The cells of a row, quotes and blanks included."""
    separator = dialect.separator.encode()
    if dialect.quote.encode() not in row:
        return row.split(separator)
    places = np.flatnonzero(np.frombuffer(row, dtype=np.uint8) == ord(separator))
    places = places[~find_quoted(row, dialect.separator, dialect.quote).inside(places)]
    bounds = [-1, *places.tolist(), len(row)]
    return [row[start + 1 : end] for start, end in pairwise(bounds)]


def quoted_cell(cell: bytes, dialect: Dialect) -> bytes:
    """A text as a CSV cell: in quotes if it holds the separator, a quote or a line end."""
    quote = dialect.quote.encode()
    if any(mark in cell for mark in (dialect.separator.encode(), quote, b"\r", b"\n")):
        return quote + cell.replace(quote, quote + quote) + quote
    return cell


def moved_cell(cell: bytes, before: Dialect, after: Dialect) -> bytes:
    """A raw cell written for dialect ``after``: unchanged, or quoted anew if its quotes or separators differ there."""
    quote = before.quote.encode()
    is_quoted = cell.startswith(quote) and cell.endswith(quote)
    if before.quote == after.quote and (after.separator.encode() not in cell or is_quoted):
        return cell
    text = [cell.decode("utf-8")]
    reader = csv.reader(text, delimiter=before.separator, quotechar=before.quote, skipinitialspace=True)
    return quoted_cell(next(reader, [""])[0].encode(), after)


def _split_evenly(text: bytes, dialect: Dialect) -> RawRows | None:
    """Split where all lines end alike and none ends in quotes; the common case, at the speed of ``bytes.split``."""
    returns = text.count(b"\r")
    end = b"\n" if not returns else b"\r" if dialect.newline == b"\r" else b"\r\n"
    feeds = text.count(b"\n") if returns else 0
    if (end == b"\r" and feeds) or (end == b"\r\n" and not text.count(end) == feeds == returns):
        return None
    if dialect.quote.encode() in text and _any_inside(text, dialect, end[-1]):
        return None
    rows = text.split(end)
    if not rows[-1]:
        rows.pop()
        return RawRows(rows, end)
    return RawRows(rows, [end] * (len(rows) - 1) + [b""])


def _any_inside(text: bytes, dialect: Dialect, line_end: int) -> bool:
    marks = find_quoted(text, dialect.separator, dialect.quote)
    return bool(marks.inside(np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == line_end)).any())


def _split_one_by_one(text: bytes, dialect: Dialect) -> RawRows:
    """Split after each CR, LF or CRLF outside quotes."""
    data = np.frombuffer(text, dtype=np.uint8)
    places = np.flatnonzero((data == _CR) | (data == _LF))
    places = places[~find_quoted(text, dialect.separator, dialect.quote).inside(places)]
    rows: list[bytes] = []
    ends: list[bytes] = []
    start = 0
    for place in places.tolist():
        if place < start:  # the LF of a CRLF
            continue
        after = place + (2 if text[place : place + 2] == b"\r\n" else 1)
        rows.append(text[start:place])
        ends.append(text[place:after])
        start = after
    if start < len(text):
        rows.append(text[start:])
        ends.append(b"")
    return RawRows(rows, ends)


def without_rows(found: RawRows, places: Collection[int]) -> RawRows:
    """The rows without those whose indices are in ``places``."""
    return _those(found, [place not in places for place in range(len(found.rows))])


def _without(found: RawRows, blank: Callable[[bytes, str], bool], dialect: Dialect) -> RawRows:
    separator = dialect.separator.encode()
    return _those(found, [separator in row or not blank(row, dialect.quote) for row in found.rows])


def _those(found: RawRows, kept: list[bool]) -> RawRows:
    rows = list(compress(found.rows, kept))
    return RawRows(rows, found.ends if isinstance(found.ends, bytes) else list(compress(found.ends, kept)))


def _is_blank(row: bytes, quote: str) -> bool:
    return not row.strip()


def _is_void(row: bytes, quote: str) -> bool:
    return not row.decode("utf-8").replace(quote, "").strip()
