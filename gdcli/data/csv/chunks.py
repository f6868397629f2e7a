"""A stream of text cut into blocks of whole rows.

Cuts are at multiples of 8 MiB after the header, each moved to the next line end outside quotes: they depend on the
text alone, so that a file, its .gz and stdin give the same blocks, and with them the same result to the last bit.
"""

from collections.abc import Iterator

from gdcli.base.errors import CellError
from gdcli.base.names import quoted
from gdcli.base.records import record
from gdcli.data.csv.comments import masked, without_comments
from gdcli.data.csv.dialect import Dialect, Header, count_lines
from gdcli.data.csv.quotes import find_quoted
from gdcli.data.streams import Readable, line_end

BLOCK_BYTES = 8 << 20

_STEP = 1 << 16

# DOS ends a file with a Ctrl-Z.
_END = b"\x1a"

# A row longer than this is most likely a quote that was opened and never closed.
LONGEST_ROW = 64 << 20


@record(eq=False)
class Chunk:
    """Whole rows of text, with empty lines for comments.

    ``first_line`` counts from 1 in the file; ``place`` is the first byte's, in decoded text. ``left_out`` counts the
    bytes there that are not in the text.
    """

    name: str
    text: bytes
    first_line: int
    place: int
    left_out: int = 0

    @property
    def size(self) -> int:
        """The number of bytes that the chunk spans in the decoded text, comments left out of ``text`` included."""
        return len(self.text) + self.left_out


def cut(
    stream: Readable,
    name: str,
    header: Header,
    block_bytes: int = BLOCK_BYTES,
    start: int = 0,
    line: int | None = None,
) -> Iterator[Chunk]:
    """Yield the rows after a header as chunks of about ``block_bytes`` bytes.

    With a ``start`` the first chunk begins that many bytes after the header, in line ``line`` of the file. A block must
    begin at this byte, and the stream must stand there.
    """
    dialect = header.dialect
    rest, target = b"" if start else header.rest, block_bytes * (start // block_bytes + 1)
    line = header.lines + 1 if line is None else line
    while True:
        wanted = target - start
        text, rest, ended = _next(stream, rest, wanted, dialect)
        if text is None:
            raise CellError(_endless(name, line, rest, dialect))
        if text:
            rows = text[: -len(_END)] if ended and not rest and text.endswith(_END) else text
            rows = without_comments(rows, dialect)
            found = Chunk(name, rows, line, header.size + start, len(text) - len(rows))
            line += count_lines(text, dialect.newline)
            start += len(text)
            del text, rows  # the next block is read into their memory, unless somebody works on this one still
            yield found
            del found
        if ended and not rest:
            return
        while target <= start:
            target += block_bytes


def _next(stream: Readable, taken: bytes, wanted: int, dialect: Dialect) -> tuple[bytes | None, bytes, bool]:
    """The text up to the first row end at or after ``wanted`` bytes, the text after it, and whether the
    stream has ended. The text is None if a row does not end.
    """
    left = max(wanted - len(taken), 0)
    end = line_end(stream, left - 1, dialect.newline) if left else 0
    body = stream.read(end or left)
    ended = len(body) < (end or left)
    # The common case, in which the block is not copied, or once: no quotes, and a line ends soon.
    if left and not _holds_quote(taken, dialect) and not _holds_quote(body, dialect):
        if body.endswith(dialect.newline):
            return taken + body if taken else body, b"", ended
        ahead = b"" if ended else stream.read(_STEP)
        end = ahead.find(dialect.newline) + 1
        if end and not _holds_quote(ahead[:end], dialect):
            return b"".join((taken, body, ahead[:end])), ahead[end:], False
        body += ahead
    text = taken + body
    while True:
        found = row_end(text, wanted - 1, dialect)
        if found is not None:
            return text[:found], text[found:], ended
        if ended:
            return text, b"", True
        if len(text) - wanted > LONGEST_ROW:
            return None, text, False
        more = stream.read(max(_STEP, len(text) - wanted))
        ended = not more
        text += more


def row_end(text: bytes, at: int, dialect: Dialect) -> int | None:
    """The index just after the first line end at or after ``at`` that is outside quotes; None if there is none."""
    found = text.find(dialect.newline, at)
    if found < 0 or not _holds_quote(text, dialect):
        return found + 1 if found >= 0 else None
    marks = find_quoted(masked(text, dialect), dialect.separator, dialect.quote)
    while found >= 0:
        after = int(marks.opens.searchsorted(found))
        if after == 0 or marks.closes[after - 1] < found:
            return found + 1
        found = text.find(dialect.newline, int(marks.closes[after - 1]))
    return None


def _holds_quote(text: bytes, dialect: Dialect) -> bool:
    return bool(dialect.quote) and dialect.quote.encode() in text


def _endless(name: str, line: int, text: bytes, dialect: Dialect) -> str:
    """The error of a row that does not end, with the line of the quote that swallowed it."""
    marks = find_quoted(masked(text, dialect), dialect.separator, dialect.quote)
    if len(marks.opens):
        line += text.count(dialect.newline, 0, int(marks.opens[-1]))
        return f"{quoted(name)}, line {line}: the quote opened here is not closed within 64 MiB"
    return f"{quoted(name)}, line {line}: this row does not end within 64 MiB: is it a CSV file?"
