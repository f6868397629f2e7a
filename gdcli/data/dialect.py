"""How a CSV file is written: its separator and line ends, and the column names, from the header line."""

import csv
import io
import re
import sys
from dataclasses import dataclass

from gdcli.data.blanks import Squeezed, parted_by_blanks
from gdcli.data.csvoptions import BLANKS, CsvOptions
from gdcli.data.fields import quoted_stretches
from gdcli.data.numberformat import PLAIN, NumberFormat
from gdcli.data.stream import Readable, Stream
from gdcli.errors import DataError
from gdcli.text import listed, quoted, shell_word

SEPARATORS = ",;\t|"
SEPARATOR_NAMES = {"\t": "tab", " ": "blank", ",": "comma", ";": "semicolon", "|": "bar"}
_HEADER_STEP = 1 << 16
# A header longer than this is a file without line ends.
_LONGEST_HEADER = 64 << 20


@dataclass(frozen=True, slots=True)
class Dialect:
    """``names`` are the header's cells; an unnamed column is called ``column3`` and is listed in ``unnamed``.

    Without a ``header`` the names are x1, x2 … ``skip_bad`` leaves out bad rows instead of raising. Where the ``quote``
    is empty, nothing is quoted.
    """

    separator: str
    quote: str
    newline: bytes
    names: tuple[str, ...]
    unnamed: frozenset[str]
    numbers: NumberFormat = PLAIN
    header: bool = True
    skip_bad: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """A dialect, and where the rows start: ``rest`` was read already, ``lines`` and ``size`` lie before it.

    ``line`` are the header's bytes, with their line end; without a header there are none.
    """

    dialect: Dialect
    line: bytes
    rest: bytes
    lines: int
    size: int


# The first line that spreadsheets write for each other.
_SEPARATOR_LINE = re.compile(r"\"?sep=([,;|\t])\"?", re.IGNORECASE)


def open_table(stream: Stream, options: CsvOptions) -> Header:
    """Read up to the first row; what the stream gives then are the rows. Raises DataError where there is no header."""
    size = stream.skip_lines(options.skip_rows)
    separator, quote = options.separator, options.quotechar
    if separator == BLANKS or (separator is None and parted_by_blanks(stream.peek(_HEADER_STEP), quote)):
        stream.text = Squeezed(stream.text, stream.name, quote)
        stream.obstacle = stream.obstacle or "is parted by blanks"
        return read_header(stream.text, stream.name, options, " ", size)
    return read_header(stream.text, stream.name, options, options.separator, size)


def remarks(name: str, dialect: Dialect, options: CsvOptions) -> tuple[str | None, str | None]:
    """Return a note on what was found out about a file, and a warning where its header is most likely none."""
    note = warning = None
    if options.separator is None and dialect.separator != ",":
        kind = SEPARATOR_NAMES[dialect.separator]
        note = f"{quoted(name)}: the separator is the {kind} (--sep sets it)"
    numbers = [name for name in dialect.names if dialect.numbers.is_number(name)] if dialect.header else []
    if numbers:
        warning = (
            f"{quoted(name)}: the first line looks like data, as it holds {listed(numbers, 3)}; "
            "it was taken for the column names (--no-header if it is a row)"
        )
    return note, warning


def read_header(
    stream: Readable, name: str, options: CsvOptions, separator: str | None = None, skipped: int = 0
) -> Header:
    """Read the first line that is not blank, after ``skipped`` bytes. Raises DataError where there is none."""
    csv.field_size_limit(sys.maxsize)
    separators, quote = separator or SEPARATORS, options.quotechar
    start, blank_lines, data = _without_blank_lines(stream)
    start, blank_lines = start + skipped, blank_lines + options.skip_rows
    if not data:
        after = f" after {options.skip_rows} skipped ones" if options.skip_rows else ""
        raise DataError(f"{quoted(name)} has no header line{after}: it holds nothing but blank lines")
    end = _line_end(data, separators, quote)
    while end is None and len(data) < _LONGEST_HEADER:
        more = stream.read(max(_HEADER_STEP, len(data)))
        if not more:
            end = len(data)
        data += more
        end = end or _line_end(data, separators, quote)
    marks = quoted_stretches(data, separators, quote)
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
    if mark := _SEPARATOR_LINE.fullmatch(decoded.strip()):
        raise DataError(
            f"{quoted(name)}, line {blank_lines + 1} says how the cells are parted and is no header: "
            f"--skip-rows {blank_lines + 1} --sep {shell_word(mark[1])} reads what follows"
        )
    chosen = separator or _most_frequent(decoded, quote, options.decimal)
    text = io.StringIO(decoded, newline="")
    cells = next(csv.reader(text, delimiter=chosen, quotechar=quote, skipinitialspace=True), [])
    numbered = [f"x{i}" for i in range(1, len(cells) + 1)]
    names = [cell.strip() for cell in cells] if options.header else numbered
    dialect = Dialect(
        separator=chosen,
        quote=quote,
        newline=newline,
        names=tuple(cell or f"column{i}" for i, cell in enumerate(names, 1)),
        unnamed=frozenset(f"column{i}" for i, cell in enumerate(names, 1) if not cell),
        numbers=options.numbers,
        header=options.header,
        skip_bad=options.on_bad_row == "skip",
    )
    if not options.header:
        return Header(dialect, b"", data, blank_lines, start)
    return Header(dialect, line, data[end:], blank_lines + line.count(newline), start + end)


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


def _line_end(text: bytes, separators: str, quote: str) -> int | None:
    """Return the place after the first line end outside quotes."""
    marks = quoted_stretches(text, separators, quote)
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


def _most_frequent(header: str, quote: str, decimal: str) -> str:
    """Return the separator that occurs most often outside quotes, not the decimal mark if another one is there; the
    comma where none is.
    """
    text = header.encode()
    marks = quoted_stretches(text, SEPARATORS, quote)
    outside = bytearray(text)
    for start, end in marks:
        outside[start : end + 1] = b"\0" * (end + 1 - start)
    counts = {separator: outside.count(separator.encode()) for separator in SEPARATORS}
    candidates = [separator for separator in SEPARATORS if separator != decimal and counts[separator]]
    return max(candidates or SEPARATORS, key=lambda separator: counts[separator])
