"""The comment lines of a CSV text (``--comment``): those outside quotes that begin with a certain text.

They become empty lines before anything is parsed, so that all parsers agree, and the lines after them keep their
numbers. Quotes within them mean nothing.
"""

import re

from gdcli.data.csv.dialect import Dialect
from gdcli.data.csv.quotes import Places, find_quoted


def without_comments(text: bytes, dialect: Dialect) -> bytes:
    """The text with an empty line in place of each comment. The text must begin outside quotes."""
    stretches = comment_stretches(text, dialect)
    if not stretches:
        return text
    bounds = [0, *(place for stretch in stretches for place in stretch), len(text)]
    return b"".join(text[start:end] for start, end in zip(bounds[::2], bounds[1::2], strict=True))


def masked(text: bytes, dialect: Dialect) -> bytes:
    """The text, as long as before. If a comment holds a quote, all comments are overwritten with blanks."""
    stretches = comment_stretches(text, dialect)
    quote = dialect.quote.encode()
    if not any(quote in text[start:end] for start, end in stretches):
        return text
    plain = bytearray(text)
    for start, end in stretches:
        plain[start:end] = b" " * (end - start)
    return bytes(plain)


def comment_stretches(text: bytes, dialect: Dialect) -> list[tuple[int, int]]:
    """The (start, end) of each comment in the text, in bytes. Its line end is not included."""
    mark, quote = dialect.comment.encode(), dialect.quote.encode()
    if not mark or mark not in text:
        return []
    first = [(0, _end_of_line(text))] if text.startswith(mark) else []
    # The mark comes first in the pattern, so that it is looked for at the speed of bytes.find.
    line = re.compile(re.escape(mark) + rb"(?<=[\r\n]" + re.escape(mark) + rb")[^\r\n]*")
    found = first + [match.span() for match in line.finditer(text)]
    if not found or quote not in text:
        return found
    if any(quote in text[start:end] for start, end in found):
        return _one_by_one(text, dialect)
    marks = find_quoted(text, dialect.separator, dialect.quote)
    return [stretch for stretch in found if not _is_quoted(stretch[0], marks.opens, marks.closes)]


def _is_quoted(place: int, opens: Places, closes: Places) -> bool:
    after = int(opens.searchsorted(place))
    return after > 0 and bool(place < closes[after - 1])


def _end_of_line(text: bytes) -> int:
    found = re.search(rb"[\r\n]|\Z", text)
    assert found is not None
    return found.start()


def _one_by_one(text: bytes, dialect: Dialect) -> list[tuple[int, int]]:
    """The exact rule where comments hold quotes: a comment or a quoted cell hides what begins within it."""
    q, mark = re.escape(dialect.quote.encode()), re.escape(dialect.comment.encode())
    # Both alternatives begin with a fixed byte, which makes the search ten times as fast.
    either = re.compile(mark + rb"(?<=[\r\n]" + mark + rb")[^\r\n]*|" + q)
    cell = re.compile(q + rb"[^" + q + rb"]*(?:" + q + q + rb"[^" + q + rb"]*)*(?:" + q + rb"|\Z)")
    ends, blank = dialect.separator.encode() + b"\r\n", b"" if dialect.separator == " " else b" "
    found = [(0, _end_of_line(text))] if text.startswith(dialect.comment.encode()) else []
    at = found[0][1] if found else 0
    while match := either.search(text, at):
        at = match.end()
        if match[0] != dialect.quote.encode():
            found.append(match.span())
            continue
        before = match.start() - 1
        while before >= 0 and text[before : before + 1] == blank:
            before -= 1
        if before < 0 or text[before] in ends:
            closed = cell.match(text, match.start())
            assert closed is not None
            at = closed.end()
    return found
