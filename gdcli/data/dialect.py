"""How a CSV file is written: its separator and line ends, and the column names, from the header line."""

import csv
import io
import sys
from dataclasses import dataclass

from gdcli.data.fields import quoted_stretches
from gdcli.data.stream import Readable
from gdcli.errors import DataError, UsageError
from gdcli.text import quoted

SEPARATORS = ",;\t|"
SEPARATOR_NAMES = {"\t": "tab", " ": "blank", ",": "comma", ";": "semicolon", "|": "bar"}
_HEADER_STEP = 1 << 16
# A header longer than this is a file without line ends.
_LONGEST_HEADER = 64 << 20


@dataclass(frozen=True, slots=True)
class Dialect:
    """``names`` are the header's cells; an unnamed column is called ``column3`` and is listed in ``unnamed``."""

    separator: str
    quote: str
    newline: bytes
    names: tuple[str, ...]
    unnamed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Header:
    """A dialect, and where the rows start: ``rest`` was read already, ``lines`` and ``size`` lie before it."""

    dialect: Dialect
    rest: bytes
    lines: int
    size: int


def separator_option(text: str | None) -> str | None:
    """Return the character that ``--sep`` means: ``tab`` and ``\\t`` are a tab."""
    if text is None:
        return None
    character = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(character) != 1 or not character.isascii() or character.isalnum() or character in "\r\n\"'.+-":
        raise UsageError(f"a separator is one character like , ; | or tab, not {quoted(text)}")
    return character


def read_header(stream: Readable, name: str, separator: str | None) -> Header:
    """Read the first line that is not blank. Raises DataError where there is none."""
    csv.field_size_limit(sys.maxsize)
    start, blank_lines, data = _without_blank_lines(stream)
    if not data:
        raise DataError(f"{quoted(name)} has no header line: it holds nothing but blank lines")
    end = _line_end(data, separator or SEPARATORS)
    while end is None and len(data) < _LONGEST_HEADER:
        more = stream.read(max(_HEADER_STEP, len(data)))
        if not more:
            end = len(data)
        data += more
        end = end or _line_end(data, separator or SEPARATORS)
    marks = quoted_stretches(data, separator or SEPARATORS)
    if marks and marks[-1][1] == len(data) == end:
        raise DataError(f"{quoted(name)}, line {blank_lines + 1}: a quote opened in the header is never closed")
    if end is None:
        raise DataError(f"the first line of {quoted(name)} does not end within 64 MiB: is it a CSV file?")
    line = data[:end]
    newline = b"\r" if line.endswith(b"\r") else b"\n"
    try:
        decoded = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(undecodable(name, blank_lines + 1, start + error.start, line[error.start])) from None
    if "\0" in decoded:
        raise DataError(f"{quoted(name)} has a NUL byte in its first line: is it a text file? (--encoding utf-16?)")
    chosen = separator or _most_frequent(decoded)
    cells = next(csv.reader(io.StringIO(decoded, newline=""), delimiter=chosen, skipinitialspace=True), [])
    names = [cell.strip() for cell in cells]
    unnamed = frozenset(f"column{i}" for i, cell in enumerate(names, 1) if not cell)
    dialect = Dialect(
        separator=chosen,
        quote='"',
        newline=newline,
        names=tuple(cell or f"column{i}" for i, cell in enumerate(names, 1)),
        unnamed=unnamed,
    )
    return Header(dialect, data[end:], blank_lines + line.count(newline), start + end)


def count_lines(text: bytes, newline: bytes) -> int:
    """Return how many physical lines end in a text (lines inside quoted fields count too)."""
    import numpy as np  # the header alone, which completion reads, needs none

    return int(np.count_nonzero(np.frombuffer(text, dtype=np.uint8) == newline[0]))


def undecodable(name: str, line: int, place: int, byte: int) -> str:
    """Word the error of a byte that is not UTF-8."""
    return (
        f"{quoted(name)}, line {line}: byte 0x{byte:02X} at {place} is not UTF-8; "
        "name the file's encoding, for example --encoding latin-1"
    )


def _without_blank_lines(stream: Readable) -> tuple[int, int, bytes]:
    """Return how many bytes and lines of nothing but blanks come first, and the start of the text after them."""
    skipped, lines = 0, 0
    data = stream.read(_HEADER_STEP)
    while data:
        stripped = data.lstrip(b"\r\n \t")
        if stripped:
            # Leading blanks (a tab may be a separator) of the first line with text belong to it.
            at = len(data) - len(stripped)
            at = max(data.rfind(b"\n", 0, at), data.rfind(b"\r", 0, at)) + 1
            head = data[:at]
            return skipped + at, lines + (head.count(b"\n") or head.count(b"\r")), data[at:]
        skipped, lines = skipped + len(data), lines + (data.count(b"\n") or data.count(b"\r"))
        data = stream.read(_HEADER_STEP)
    return skipped, lines, b""


def _line_end(text: bytes, separators: str) -> int | None:
    """Return the place after the first line end outside quotes."""
    marks = quoted_stretches(text, separators)
    at = 0
    while True:
        ends = [place for place in (text.find(b"\n", at), text.find(b"\r", at)) if place >= 0]
        if not ends:
            return None
        at = min(ends)
        inside = [(o, c) for o, c in marks if o < at < c]
        if not inside:
            break
        at = inside[0][1]
    if text[at : at + 1] == b"\n" or text[at + 1 : at + 2] not in (b"\n", b""):
        return at + 1
    return at + 2 if text[at + 1 : at + 2] == b"\n" else None  # a lone CR at the very end may be half a CRLF


def _most_frequent(header: str) -> str:
    """Return the separator that occurs most often outside quotes; the comma where none does."""
    text = header.encode()
    marks = quoted_stretches(text, SEPARATORS)
    outside = bytearray(text)
    for start, end in marks:
        outside[start : end + 1] = b"\0" * (end + 1 - start)
    counts = {separator: outside.count(separator.encode()) for separator in SEPARATORS}
    return max(SEPARATORS, key=lambda separator: counts[separator])
