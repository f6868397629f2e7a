"""A path or stdin as a stream of UTF-8 bytes: decompressed, without byte-order mark, whatever the encoding was.

Compression is known by its first bytes, not by the file's name, so that stdin works like a file.
"""

import codecs
import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any, Protocol, cast

from gdcli.data import paths
from gdcli.errors import DataError, UsageError
from gdcli.text import quoted

STDIN = "-"
_LONGEST_MAGIC = 6
_COMPRESSED_STEP = 1 << 17
_LINE_END = re.compile(rb"\r\n?|\n")
# After the name and the block size comes the first block, or the end of an empty archive.
_BZIP2 = re.compile(rb"BZh[1-9](1A|\x17r)")
_UTF8_NAMES = {"utf-8", "utf-8-sig"}
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Readable(Protocol):
    """What the rest of the program needs of a stream."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, fewer only at the end."""
        ...


@dataclass(slots=True, eq=False)
class Stream:
    """An open input. ``position`` tells how many bytes of ``size`` (None if unknown) were taken from the disk.

    The text is what ``file`` holds after ``mark`` bytes; or it is not, and an ``obstacle`` says why ("is compressed").
    """

    name: str
    text: Readable
    size: int | None
    position: Callable[[], int]
    close: Callable[[], None]
    file: IO[bytes] | None = None
    mark: int = 0
    obstacle: str = ""

    def peek(self, size: int) -> bytes:
        """Return the first bytes of the text, which stay to be read."""
        taken = self.text.read(size)
        self.text = _Rejoined(taken, self.text)
        return taken

    def skip_lines(self, count: int) -> int:
        """Leave out so many lines, or all there are; return their bytes."""
        data, ends = b"", []
        while count:
            ends = [found.end() for found in islice(_LINE_END.finditer(data), count)]
            if len(ends) == count and ends[-1] < len(data):  # at the very end a CR may be half a CRLF
                break
            more = self.text.read(_COMPRESSED_STEP)
            if not more:
                break
            data += more
        size = (ends[-1] if len(ends) == count else len(data)) if count else 0
        self.text = _Rejoined(data[size:], self.text)
        return size

    def read_all(self) -> bytes:
        """Return the whole text (of a JSON file, not of data), and close the input."""
        parts = []
        while part := self.text.read(1 << 20):
            parts.append(part)
        self.close()
        return b"".join(parts)


def check_exists(path: str) -> None:
    """Raise where a path cannot be an input, before any work is done."""
    if path != STDIN:
        paths.check_exists(path)


def open_stream(path: str, encoding: str | None = None) -> Stream:
    """Open a path or a URL, or stdin for ``-``.

    Raises DataError where it cannot be opened or is empty, UsageError for an encoding that does not exist.
    """
    if path == STDIN:
        if sys.stdin is None:
            raise DataError("no data on standard input")
        return _stream(cast("IO[bytes]", sys.stdin.buffer), "standard input", None, encoding, lambda: None)
    raw, size = paths.opened(path)
    try:
        return _stream(raw, path, size, encoding, raw.close)
    except BaseException:
        raw.close()
        raise


def _stream(raw: IO[bytes], name: str, size: int | None, encoding: str | None, close: Callable[[], None]) -> Stream:
    counted = _Counted(raw, name)
    magic = counted.read(_LONGEST_MAGIC)
    if not magic:
        raise DataError(f"{quoted(name)} is empty" if name != "standard input" else "no data on standard input")
    whole = _Rejoined(magic, counted)
    data = _decompressed(whole, magic, name)
    text, mark = _decoded(data, encoding, name)
    obstacle = ""
    if size is None:
        obstacle = "can only be read from its beginning"
    elif data is not whole:
        obstacle = "is compressed"
    elif isinstance(text, _Transcoded):
        obstacle = "is not UTF-8"
    return Stream(name, text, size, lambda: counted.count, close, None if obstacle else raw, mark, obstacle)


class _Counted(io.RawIOBase):
    """Counts the bytes that pass, and words the errors of the disk."""

    def __init__(self, raw: IO[bytes], name: str) -> None:
        self.raw, self.name, self.count = raw, name, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        try:
            data = self.raw.read(size)
        except OSError as error:
            raise DataError(f"cannot read {quoted(self.name)}: {error.strerror or error}") from None
        self.count += len(data)
        return data


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

    def readinto(self, buffer: Any, /) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Compressed:
    """Words the errors of damaged archives."""

    def __init__(self, opened: Any, name: str) -> None:
        self.opened, self.name = opened, name

    def read(self, size: int, /) -> bytes:
        try:
            return cast("bytes", self.opened.read(size))
        except DataError:
            raise
        except Exception as error:  # each library has errors of its own for the same thing
            reason = "it ends too early" if isinstance(error, EOFError) else str(error)
            raise DataError(f"{quoted(self.name)} cannot be decompressed: {reason}") from None


def _decompressed(stream: _Rejoined, magic: bytes, name: str) -> Readable:
    """Return the stream decompressed; the libraries are imported when needed."""
    opened: Any
    if magic.startswith(b"\x1f\x8b"):
        import gzip

        opened = gzip.GzipFile(fileobj=stream, mode="rb")
    elif _BZIP2.match(magic):
        import bz2

        opened = bz2.BZ2File(stream)
    elif magic.startswith(b"\xfd7zXZ\x00"):
        import lzma

        opened = lzma.LZMAFile(cast("IO[bytes]", stream))  # noqa: SIM115 (closed with the file below it)
    elif magic.startswith(b"\x28\xb5\x2f\xfd"):
        opened = _zstandard(stream, name)
    else:
        return stream
    return _Compressed(opened, name)


def _zstandard(stream: _Rejoined, name: str) -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.ZstdFile(stream)
    try:
        import zstandard
    except ImportError:
        raise DataError(f"{quoted(name)} is compressed with zstd: pip install 'gdfit[zstd]' to read it") from None
    return _Zstandard(stream, zstandard.ZstdDecompressor())


class _Zstandard:
    """Frames of zstd one after the other; unlike the library's own reader it notices that the last one is cut off."""

    def __init__(self, stream: _Rejoined, decompressor: Any) -> None:
        self.stream, self.decompressor = stream, decompressor
        self.frame: Any = decompressor.decompressobj()
        self.ready, self.begun, self.rest = bytearray(), False, b""

    def read(self, size: int, /) -> bytes:
        while len(self.ready) < size:
            data = self.rest or self.stream.read(_COMPRESSED_STEP)
            self.rest = b""
            if not data:
                if self.begun:
                    raise EOFError
                break
            self.ready += self.frame.decompress(data)
            self.begun = not self.frame.eof
            if self.frame.eof:
                self.rest = self.frame.unused_data
                self.frame = self.decompressor.decompressobj()
        taken = bytes(self.ready[:size])
        del self.ready[:size]
        return taken


def _decoded(stream: Readable, encoding: str | None, name: str) -> tuple[Readable, int]:
    """Return the stream as UTF-8 without byte-order mark, and that one's bytes. UTF-8 itself is passed on, and checked
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
    """Return Python's name of a text encoding, or raise UsageError."""
    try:
        codec = codecs.lookup(encoding)
        "".encode(encoding)
    except (LookupError, ValueError):
        raise UsageError(f"there is no text encoding {quoted(encoding)} (try utf-8, latin-1, cp1252)") from None
    return codec.name


class _Transcoded:
    """Another encoding as UTF-8."""

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
