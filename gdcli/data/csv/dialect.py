"""The dialect of a CSV file: separator, line ends and column names, from the header line."""

import csv
import io
import re
import sys
from collections.abc import Sequence

from gdcli.base.errors import DataError
from gdcli.base.names import listed, quoted
from gdcli.base.patterns import pattern
from gdcli.base.records import record
from gdcli.data.csv.options import BLANKS, CsvOptions, is_separator
from gdcli.data.csv.stretches import quoted_stretches
from gdcli.data.csv.whitespace import Squeezed, parted_by_blanks
from gdcli.data.number_format import PLAIN_NUMBERS, NumberFormat
from gdcli.data.streams import Readable, Stream

SEPARATORS = ",;\t|"

SEPARATOR_NAMES = {"\t": "tab", " ": "blank", ",": "comma", ";": "semicolon", "|": "bar"}

_HEADER_STEP = 1 << 16

# A header longer than this is a file without line ends.
_LONGEST_HEADER = 64 << 20

_LINE_END = pattern(rb"\r\n?|\n")

# Bytes in which lines are counted at a time: what is noted of each stays in the cache.
_COUNTED = 1 << 20


@record
class Dialect:
    """The form of a CSV file. ``names`` are the header's cells; one without a name is ``column3`` and in ``unnamed``.

    Without a ``header`` the names are x1, x2 … ``skip_bad`` leaves out bad rows instead of raising. With an empty
    ``quote`` nothing is quoted. Lines that begin with ``comment`` are none of the table, unless that is empty.
    """

    separator: str
    quote: str
    newline: bytes
    names: tuple[str, ...]
    unnamed: frozenset[str]
    numbers: NumberFormat = PLAIN_NUMBERS
    header: bool = True
    skip_bad: bool = False
    comment: str = ""


@record
class Header:
    """A dialect and the place of the first row: ``lines`` lines and ``size`` bytes lie before it.

    ``rest`` holds the bytes after the header that were read already. ``line`` is the header's line with its line end,
    b"" without a header. ``in_comment`` tells whether the names stand in the comment above the rows.
    """

    dialect: Dialect
    line: bytes
    rest: bytes
    lines: int
    size: int
    in_comment: bool = False


# The first line that spreadsheets write for each other.
_SEPARATOR_LINE = pattern(r"(\"?)sep=(.)\1[\r\n]*", re.IGNORECASE)


def open_table(stream: Stream, options: CsvOptions) -> Header:
    """The header of a stream, which is read up to the first row. Raises DataError if there is no header."""
    size = stream.skip_lines(options.skip_rows)
    separator, quote = options.separator, options.quotechar
    if separator == BLANKS or (
        separator is None and parted_by_blanks(stream.peek(_HEADER_STEP), quote, options.comment or "")
    ):
        stream.text = Squeezed(stream.text, stream.name, quote, options.comment or "")
        stream.obstacle = stream.obstacle or "is separated by blanks"
        return read_header(stream.text, stream.name, options, " ", size)
    return read_header(stream.text, stream.name, options, options.separator, size)


def remarks(name: str, header: Header, options: CsvOptions) -> tuple[str | None, str | None]:
    """A note on the separator and the names found in a file, and a warning if its header is most likely a row.

    Each is None if there is nothing to say.
    """
    dialect, warning, found = header.dialect, None, []
    if options.separator is None and dialect.separator != ",":
        kind = SEPARATOR_NAMES.get(dialect.separator, quoted(dialect.separator))
        found.append(f"the separator is the {kind} (--sep sets it)")
    if header.in_comment:
        found.append("its column names stand in the comment above the rows (else: --no-header)")
    note = f"{quoted(name)}: {'; '.join(found)}" if found else None
    numbers = _numbers_among(dialect.names, options) if dialect.header else []
    if numbers:
        warning = (
            f"{quoted(name)}: the first line looks like data, as it holds {listed(numbers, 3)}; "
            "it was taken for the column names (--no-header if it is a row)"
        )
    return note, warning


def read_header(
    stream: Readable, name: str, options: CsvOptions, separator: str | None = None, skipped: int = 0
) -> Header:
    """The header on the first line of the table, after ``skipped`` bytes. Raises DataError if there is none.

    Blank lines and comments above it do not count, and a line such as ``sep=;`` names the separator.
    """
    csv.field_size_limit(sys.maxsize)
    top = _Top(stream, name, options, skipped)
    line = top.line(separator)
    if (mark := _SEPARATOR_LINE.fullmatch(line)) and is_separator(mark[2]):
        top.take(line)
        separator = separator or mark[2]
        line = top.line(separator)
    chosen = separator or _most_frequent(line, options)
    cells = _cells(line, chosen, options)
    numbered = [f"x{i}" for i in range(1, len(cells) + 1)]
    above = top.comment_cells(chosen) if options.header and _numbers_among(cells, options) else []
    in_comment = bool(above) and _names_columns(above, len(cells), options)
    names = above if in_comment else cells if options.header else numbered
    dialect = Dialect(
        separator=chosen,
        quote=options.quotechar,
        newline=b"\r" if line.endswith("\r") else b"\n",
        names=tuple(cell or f"column{i}" for i, cell in enumerate(names, 1)),
        unnamed=frozenset(f"column{i}" for i, cell in enumerate(names, 1) if not cell),
        numbers=options.numbers,
        header=options.header,
        skip_bad=options.on_bad_row == "skip",
        comment=options.comment or "",
    )
    taken = b""
    if in_comment:
        taken = top.comment + dialect.newline
    elif options.header:
        if (column := _continued(line, chosen, options.quotechar)) is not None:
            raise DataError(
                f"{quoted(name)}, line {top.lines + 1}, column {quoted(cells[column])}: text follows the quote that "
                "closes the name; put all of it in quotes"
            )
        taken = top.take(line)
    return Header(dialect, taken, top.data, top.lines, top.size, in_comment)


class _Top:
    """The text of a file down to its first row: ``data`` was read, ``size`` bytes and ``lines`` were taken off it.

    ``comment`` is the last comment among them, without its mark.
    """

    def __init__(self, stream: Readable, name: str, options: CsvOptions, size: int) -> None:
        self._stream, self._name, self._options = stream, name, options
        self._mark = (options.comment or "").encode()
        empty = rb"[ \t]*(?:\r\n?|\n)"
        comment = re.escape(self._mark) + rb"([^\r\n]*)(?:\r\n?|\n)"
        self._above = re.compile(rb"(?:" + empty + (rb"|" + comment if self._mark else rb"|(?!)()") + rb")+")
        self.data, self.size, self.lines, self._ended = b"", size, options.skip_rows, False
        self.comment = b""

    def line(self, separator: str | None) -> str:
        """The first line that is neither blank nor a comment, with its end. Raises DataError for none."""
        self._leave_out_lines()
        if not self.data:
            skipped = self._options.skip_rows
            after = f" after {skipped} skipped ones" if skipped else ""
            nothing = "blank lines and comments" if self._mark else "blank lines"
            raise DataError(f"{quoted(self._name)} has no header line{after}: it holds nothing but {nothing}")
        separators, quote = separator or SEPARATORS, self._options.quotechar
        end = _line_end(self.data, separators, quote)
        while end is None and self._more():
            end = _line_end(self.data, separators, quote)
        end = len(self.data) if end is None else end
        marks = quoted_stretches(self.data, separators, quote)
        if marks and marks[-1][1] == len(self.data) == end:
            raise DataError(
                f"{quoted(self._name)}, line {self.lines + 1}: a quote opened in the header is never closed"
            )
        line = self.data[:end]
        try:
            decoded = line.decode("utf-8")
        except UnicodeDecodeError as error:
            place = self.size + error.start
            raise DataError(undecodable(self._name, self.lines + 1, place, line[error.start])) from None
        if "\0" in decoded:
            raise DataError(
                f"{quoted(self._name)} has a NUL byte in its first line: is it a text file? (--encoding utf-16?)"
            )
        return decoded

    def take(self, line: str) -> bytes:
        """The bytes of the first line, taken off the data."""
        taken = line.encode()
        self._take(len(taken))
        return taken

    def comment_cells(self, separator: str) -> list[str]:
        """The cells of the last comment."""
        try:
            return _cells(self.comment.decode("utf-8"), separator, self._options)
        except UnicodeDecodeError:
            return []

    def _leave_out_lines(self) -> None:
        while True:
            # A CR at the end of what was read may be half a CRLF.
            end = len(self.data) - (self.data.endswith(b"\r") and not self._ended)
            if found := self._above.match(self.data, 0, end):
                self._note_comment(found[1])
                self._take(found.end())
            elif self._is_line() or not self._more():
                break
        if not self._is_line():  # the last line of all, without an end
            self._note_comment(self.data[len(self._mark) :] if self.data.startswith(self._mark) else None)
            self._take(len(self.data))

    def _is_line(self) -> bool:
        """Whether the data begin with a line that is neither blank nor a comment."""
        cut_off = not self._ended and self._mark.startswith(self.data)
        comment = bool(self._mark) and (self.data.startswith(self._mark) or cut_off)
        return bool(self.data.strip(b" \t\r\n")) and not comment

    def _note_comment(self, comment: bytes | None) -> None:
        self.comment = self.comment if comment is None else comment.strip()

    def _take(self, size: int) -> None:
        taken = self.data[:size]
        self.size += size
        self.lines += taken.count(b"\n") or taken.count(b"\r")
        self.data = self.data[size:]

    def _more(self) -> bool:
        """Read on; False at the end."""
        if len(self.data) >= _LONGEST_HEADER:
            raise DataError(f"the first line of {quoted(self._name)} does not end within 64 MiB: is it a CSV file?")
        more = b"" if self._ended else self._stream.read(max(_HEADER_STEP, len(self.data)))
        self.data, self._ended = self.data + more, not more
        return bool(more)


def _cells(line: str, separator: str, options: CsvOptions) -> list[str]:
    text = io.StringIO(line, newline="")
    cells = next(csv.reader(text, delimiter=separator, quotechar=options.quotechar, skipinitialspace=True), [])
    return [cell.strip() for cell in cells]


def _continued(line: str, separator: str, quote: str) -> int | None:
    """The first column whose name goes on behind its closing quote, counted from 0; None if none does."""
    text = line.encode()
    for start, close in quoted_stretches(text, separator, quote):
        after = text[close + 1 :]
        if separator != " ":
            after = after.lstrip(b" ")
        if after and not after.startswith((separator.encode(), b"\r", b"\n")):
            before = csv.reader([text[:start].decode()], delimiter=separator, quotechar=quote, skipinitialspace=True)
            return max(len(next(before, [])) - 1, 0)
    return None


def _numbers_among(cells: Sequence[str], options: CsvOptions) -> list[str]:
    return [cell for cell in cells if options.numbers.is_number(cell)]


def _names_columns(comment: Sequence[str], columns: int, options: CsvOptions) -> bool:
    """Whether a comment above a row of ``columns`` cells is a header: one name for each, no number and none twice."""
    names = set(comment) - {""}
    return len(names) == len(comment) == columns and not _numbers_among(comment, options)


def count_lines(text: bytes, newline: bytes) -> int:
    """The number of physical lines that end in a text (lines inside quoted fields count too)."""
    import numpy as np  # the header alone, which completion reads, needs none

    data = np.frombuffer(text, dtype=np.uint8)
    pieces = (data[start : start + _COUNTED] for start in range(0, len(data), _COUNTED))
    return sum(int(np.count_nonzero(piece == newline[0])) for piece in pieces)


def undecodable(name: str, line: int, place: int, byte: int) -> str:
    """The message about a ``byte`` that is not UTF-8; ``place`` is its index in the file's text, from 0."""
    return (
        f"{quoted(name)}, line {line}: byte 0x{byte:02X} at {place} is not UTF-8; "
        "name the file's encoding, for example --encoding latin-1"
    )


def _line_end(text: bytes, separators: str, quote: str) -> int | None:
    """The place after the first line end outside quotes."""
    marks = iter(quoted_stretches(text, separators, quote))
    start, close = next(marks, (len(text), len(text)))
    for found in _LINE_END.finditer(text):
        while close < found.start():
            start, close = next(marks, (len(text), len(text)))
        if start < found.start() < close:
            continue
        # A lone CR at the very end may be half a CRLF.
        return None if found[0] == b"\r" and found.end() == len(text) else found.end()
    return None


def _most_frequent(header: str, options: CsvOptions) -> str:
    """The separator that occurs most often outside quotes, not the decimal mark or the mark of a comment if
    another one is there; the comma if none is.
    """
    text = header.encode()
    marks = quoted_stretches(text, SEPARATORS, options.quotechar)
    outside = bytearray(text)
    for start, end in marks:
        outside[start : end + 1] = b"\0" * (end + 1 - start)
    counts = {separator: outside.count(separator.encode()) for separator in SEPARATORS}
    others = (options.decimal, (options.comment or "")[:1])
    candidates = [separator for separator in SEPARATORS if separator not in others and counts[separator]]
    return max(candidates or SEPARATORS, key=lambda separator: counts[separator])
