"""Tables for people, whose cells are separated by runs of blanks and tabs."""

import re

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.data.streams import Readable

_STEP = 1 << 20

# A quote that is open for longer than this was never closed.
_LONGEST = 64 << 20

_OTHER_SEPARATORS = b",;|\t"


def parted_by_blanks(start: bytes, quote: str, comment: str = "") -> bool:
    """Whether a text that begins with ``start`` is a table whose cells are separated by blanks.

    Its first two lines must have equally many words, more than one, and the first no other separator.
    """
    lines = [line for line in start.splitlines() if line.strip()]
    if comment:
        lines = [line for line in lines if not line.startswith(comment.encode())]
    if len(lines) < 2 or any(mark in lines[0] for mark in _OTHER_SEPARATORS):
        return False
    mark = re.escape(quote.encode())
    first, second = (re.findall(mark + rb"[^" + mark + rb"]*" + mark + rb"|[^ \t]+", line) for line in lines[:2])
    return len(first) == len(second) > 1


class Squeezed:
    """A stream in which each run of blanks and tabs outside quotes is one blank, and none where lines begin or end."""

    def __init__(self, stream: Readable, name: str, quote: str, comment: str = "") -> None:
        self._stream, self._name, self._quote = stream, name, quote.encode()
        mark = re.escape(comment.encode())
        # Quotes in a comment mean nothing.
        self._comment = re.compile(rb"(?:(?<=[\r\n])|\A)" + mark + rb"[^\r\n]*" if mark else rb"(?!)")
        self._pending, self._ready, self._ended = b"", bytearray(), False

    def read(self, size: int, /) -> bytes:
        while len(self._ready) < size and not self._ended:
            data = self._stream.read(_STEP)
            self._ended = not data
            self._pending += data
            # Whole lines, and whole quoted cells: up to the last line end with an even number of quotes before it.
            end = self._pending.rfind(b"\n") + 1 or self._pending.rfind(b"\r", 0, -1) + 1
            end = len(self._pending) if self._ended else end
            if not self._ended and self._quotes(end) % 2:
                if len(self._pending) > _LONGEST:
                    raise DataError(f"{quoted(self._name)}: a quote is not closed within 64 MiB")
                continue
            self._ready += self._squeezed(self._pending[:end])
            self._pending = self._pending[end:]
        taken = bytes(self._ready[:size])
        del self._ready[:size]
        return taken

    def _quotes(self, end: int) -> int:
        if self._quote not in self._pending:
            return 0
        return self._comment.sub(b"", self._pending[:end]).count(self._quote)

    def _squeezed(self, lines: bytes) -> bytes:
        if self._quote in lines:
            quote = re.escape(self._quote)
            lines = self._comment.sub(lambda found: found[0].replace(self._quote, b" "), lines)
            cells = re.compile(rb"(" + quote + rb"[^" + quote + rb"]*" + quote + rb")|[ \t]*(\r\n|\r|\n)[ \t]*|[ \t]+")
            text = cells.sub(lambda found: found[1] or found[2] or b" ", lines)
        else:
            text = re.sub(rb"[ \t]+", b" ", lines)
            for end in (b"\n", b"\r"):
                text = text.replace(b" " + end, end).replace(end + b" ", end)
        return text.strip(b" ")
