"""A path or stdin as a stream of UTF-8 bytes: decompressed, without byte-order mark, whatever the encoding was.

Compression is known by its first bytes, not by the file's name, so that stdin works like a file.
"""

import codecs
import io
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

from gdcli.base.errors import DataError, UsageError
from gdcli.base.names import STDIN, quoted
from gdcli.base.patterns import pattern
from gdcli.base.records import record
from gdcli.data import paths
from gdcli.data.archives import LONGEST_MAGIC, decompressed
from gdcli.data.watch import Watch

if TYPE_CHECKING:
    from gdcli.data.ahead import ReadAhead

_STEP = 1 << 17

# Bytes in which the end of a line is looked for.
_LOOK = 1 << 16

_LINE_END = pattern(rb"\r\n?|\n")

_UTF8_NAMES = {"utf-8", "utf-8-sig"}

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Readable(Protocol):
    """The part of a binary file's interface that the program needs: ``read``.

    Some streams also have ``look(at, size)``: up to ``size`` bytes that begin ``at`` bytes from here, and stay to be
    read; none if they are not known yet.
    """

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes, fewer only at the end."""
        ...


def line_end(stream: Readable, at: int, newline: bytes) -> int:
    """The number of bytes from here to the end of the line that byte ``at`` lies in; 0 if the stream cannot look there.

    A block that is read up to there at once needs no copy.
    """
    look = getattr(stream, "look", None)
    found = look(at, _LOOK).find(newline) if look else -1
    return at + found + 1 if found >= 0 else 0


@record(eq=False, frozen=False)
class Stream:
    """An open input. ``position`` tells how many bytes of ``size`` (None if unknown) were taken from the disk.

    The text is the content of ``file`` after ``mark`` bytes, unless an ``obstacle`` says why not ("is compressed").
    ``watch`` knows a regular file as it was when it was opened.
    """

    name: str
    text: Readable
    size: int | None
    position: Callable[[], int]
    close: Callable[[], None]
    file: IO[bytes] | None = None
    mark: int = 0
    obstacle: str = ""
    watch: Watch | None = None

    def peek(self, size: int) -> bytes:
        """The first bytes of the text, which stay to be read."""
        taken = self.text.read(size)
        self.text = _Rejoined(taken, self.text)
        return taken

    def skip_lines(self, count: int) -> int:
        """Leave out ``count`` lines, or all if there are fewer; the number of their bytes."""
        size, data = 0, b""
        while count and (more := self.text.read(_STEP)):
            data += more
            end = len(data) - data.endswith(b"\r")  # which may be half a CRLF
            ends = list(islice(_LINE_END.finditer(data, 0, end), count))
            count -= len(ends)
            taken = end if count else ends[-1].end()
            size, data = size + taken, data[taken:]
        if count:
            size, data = size + len(data), b""
        self.text = _Rejoined(data, self.text)
        return size

    def read_all(self) -> bytes:
        """The whole text of a JSON file, which is no data, and close the input. Raises DataError for a bomb."""
        from gdcli.base.schema import LARGEST_FILE

        parts, left = [], LARGEST_FILE
        while part := self.text.read(1 << 20):
            parts.append(part)
            left -= len(part)
            if left < 0:
                raise DataError(
                    f"{quoted(self.name)} begins like a gdfit file, but none is larger than {LARGEST_FILE >> 20} MiB"
                )
        self.close()
        return b"".join(parts)

    def check_end(self, rewritten: bool = False) -> None:
        """Raise DataError if the input, read to its end, is no longer what it was when it was opened.

        A file of lines may have grown, which its watch tells; one that is only ever ``rewritten`` may not.
        """
        if self.watch is not None:
            self.watch.check(self.name, None if rewritten else self.position())
        elif self.size is not None and not rewritten and self.position() < self.size:
            raise DataError(f"{quoted(self.name)} ended after {self.position():,} of {self.size:,} bytes")


def check_exists(path: str) -> None:
    """Raise DataError if a file or URL cannot be opened; ``-`` always can."""
    if path != STDIN:
        paths.check_can_open(path)


def open_stream(path: str, encoding: str | None = None, grew: Callable[[str], object] = str) -> Stream:
    """Open a path or a URL, or stdin for ``-``; ``grew`` is told the name of a file that grows until it is read.

    Raises DataError if it cannot be opened or is empty, UsageError for an encoding that does not exist.
    """
    if path == STDIN:
        if sys.stdin is None:
            raise DataError("no data on standard input")
        raw = cast("IO[bytes]", sys.stdin.buffer)
        return _stream(raw, "standard input", None, encoding, lambda: None, Watch.of(raw, None, grew))
    raw, size = paths.open_path(path)
    try:
        return _stream(raw, path, size, encoding, raw.close, Watch.of(raw, path, grew))
    except BaseException:
        raw.close()
        raise


def _stream(
    raw: IO[bytes],
    name: str,
    size: int | None,
    encoding: str | None,
    close: Callable[[], None],
    watch: Watch | None,
) -> Stream:
    counted = _Counted(raw, name, regular=watch is not None)
    magic = counted.read(LONGEST_MAGIC)
    if not magic:
        raise DataError(f"{quoted(name)} is empty" if name != "standard input" else "no data on standard input")
    whole = _Rejoined(magic, counted)
    archive = decompressed(whole, magic, name)
    if archive is not None:
        from gdcli.data.ahead import ReadAhead

        ahead = ReadAhead(archive.piece)
        close = partial(_close_both, ahead, close)
    text, mark = _decoded(whole if archive is None else ahead, encoding, name)
    obstacle = ""
    if size is None:
        obstacle = "can only be read from its beginning"
    elif archive is not None:
        obstacle = "is compressed"
    elif isinstance(text, _Transcoded):
        obstacle = "is not UTF-8"
    return Stream(name, text, size, lambda: counted.count, close, None if obstacle else raw, mark, obstacle, watch)


def _close_both(ahead: "ReadAhead", close: Callable[[], None]) -> None:
    ahead.close()
    close()


class _Counted(io.RawIOBase):
    """The bytes of an input, counted: as many as are asked for, however small the pieces in which they come.

    The first empty read is the end: a terminal would wait for another one. A regular file has no pieces.
    """

    def __init__(self, raw: IO[bytes], name: str, regular: bool = False) -> None:
        self.raw, self.name, self.regular, self.count, self.ended = raw, name, regular, 0, False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return b"".join(iter(partial(self.read, _STEP), b""))
        if self.regular:
            data = self._whole(size)
            self.count += len(data)
            return data
        view, filled = memoryview(bytearray(size)), 0
        while filled < size and not self.ended:
            filled += self._piece(view[filled:])
        self.count += filled
        return bytes(view[:filled])

    def look(self, at: int, size: int, /) -> bytes:
        if not self.regular:
            return b""
        here = self.raw.tell()
        self.raw.seek(here + at)
        data = self._whole(size)
        self.raw.seek(here)
        return data

    def _whole(self, size: int) -> bytes:
        """Read at once, without the copy that pieces need."""
        try:
            return self.raw.read(size)
        except OSError as error:
            raise DataError(f"cannot read {quoted(self.name)}: {error.strerror or error}") from None

    def _piece(self, view: memoryview) -> int:
        """Read into ``view`` what there is, at least a byte before the end; the number of bytes read."""
        while True:
            try:
                found: int | None = cast("io.BufferedReader", self.raw).readinto1(view)
            except OSError as error:
                raise DataError(f"cannot read {quoted(self.name)}: {error.strerror or error}") from None
            if found is not None:
                self.ended = found == 0
                return found
            _wait_for(self.raw)


def _wait_for(raw: IO[bytes]) -> None:
    """Wait until an input that does not block has something to read."""
    import select

    try:
        poll = select.poll()
        poll.register(raw.fileno(), select.POLLIN)
        poll.poll()
    except (AttributeError, OSError):  # a system without poll, or no descriptor
        time.sleep(0.01)


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were already taken."""

    def __init__(self, taken: bytes, rest: Readable) -> None:
        self.taken, self.rest = taken, rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if not self.taken:
            return self.rest.read(size)
        if size < 0:
            data, self.taken = self.taken + self.rest.read(-1), b""
            return data
        data, self.taken = self.taken[:size], self.taken[size:]
        return data if len(data) == size else data + self.rest.read(size - len(data))

    def look(self, at: int, size: int, /) -> bytes:
        look = getattr(self.rest, "look", None)
        return cast("bytes", look(at - len(self.taken), size)) if look and at >= len(self.taken) else b""

    def readinto(self, buffer: Any, /) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _decoded(stream: Readable, encoding: str | None, name: str) -> tuple[Readable, int]:
    """The stream as UTF-8 without byte-order mark, and that one's bytes. UTF-8 itself is passed on, and checked
    block by block.
    """
    start = stream.read(4)
    mark, detected = next(((m, e) for m, e in _BYTE_ORDER_MARKS if start.startswith(m)), (b"", "utf-8"))
    chosen = detected if encoding is None else codec_name(encoding)
    if chosen not in _UTF8_NAMES:
        return _Transcoded(_Rejoined(start, stream), chosen, name), 0
    left_out = len(mark) if detected == "utf-8" else 0
    return _Rejoined(start[left_out:], stream), left_out


def codec_name(encoding: str) -> str:
    """Python's name of a text encoding, as ``utf-8`` for ``UTF8``. Raises UsageError if it knows no such encoding."""
    try:
        codec = codecs.lookup(encoding)
        "".encode(encoding)
    except (LookupError, ValueError):
        raise UsageError(f"there is no text encoding {quoted(encoding)} (try utf-8, latin-1, cp1252)") from None
    return codec.name


class _Transcoded:
    """A stream of UTF-8 made from one in another encoding."""

    def __init__(self, stream: Readable, encoding: str, name: str) -> None:
        self.stream, self.encoding, self.name = stream, encoding, name
        self.decoder = codecs.getincrementaldecoder(encoding)()
        self.taken, self.ready, self.first = 0, bytearray(), True

    def read(self, size: int, /) -> bytes:
        while len(self.ready) < size:
            data = self.stream.read(size)
            pending = len(self.decoder.getstate()[0])
            try:
                text = self.decoder.decode(data, final=not data)
            except UnicodeError as error:  # UTF-16 without its mark is no UnicodeDecodeError, and has no place
                place = self.taken - pending + getattr(error, "start", 0)
                raise DataError(
                    f"{quoted(self.name)} is not {self.encoding}: byte {place} cannot be decoded; "
                    "give the right --encoding"
                ) from None
            self.taken += len(data)
            if self.first and text:
                text, self.first = text.removeprefix("\ufeff"), False
            self.ready += text.encode("utf-8", errors="surrogatepass")
            if not data:
                break
        taken = bytes(self.ready[:size])
        del self.ready[:size]
        return taken
