"""Compressed inputs, decompressed piece by piece: gzip, bzip2, xz and zstd, also several streams one after the other.

No piece of input may become more than some 64 MiB at a time, whatever an archive holds, and an archive that ends within
a stream, or goes on with what is no stream, is an error.
"""

import sys
from collections.abc import Callable
from typing import Any, Protocol, cast

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.base.patterns import pattern

LONGEST_MAGIC = 6

# After the name and the block size comes the first block, or the end of an empty archive.
_BZIP2 = pattern(rb"BZh[1-9](1A|\x17r)")

_GZIP = b"\x1f\x8b"

_XZ = b"\xfd7zXZ\x00"

# A frame, or one that is to be skipped: pzstd begins so.
_ZSTD = pattern(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")

_STEP = 1 << 20

# Bytes that a decompressor may return at a time. As much as can be, for the interpreter's lock changes hands each time.
_MOST_OUT = 1 << 22

# Four bytes of zstd may stand for 128 KiB, and its library gives all that a piece of input stands for at once.
_ZSTD_STEP = 1 << 11

# The window that a stream looks back upon is memory: 128 MiB are the most that `zstd -d` itself takes without asking.
_WINDOW_LOG = 27

_XZ_MEMORY = 1 << 28


class _Input(Protocol):
    """The compressed bytes."""

    def read(self, size: int, /) -> bytes: ...


class _Decompressor(Protocol):
    """One stream's decompressor, as those of the standard library."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Archive:
    """A compressed input, whose errors name it."""

    def __init__(self, streams: "_Streams", name: str) -> None:
        self._streams, self._name = streams, name

    def piece(self) -> bytes:
        """The next decompressed bytes, some MiB at most; none at the end. Raises DataError if it is damaged."""
        try:
            return self._streams.piece()
        except (DataError, MemoryError):
            raise
        except Exception as error:  # each library has errors of its own for the same thing
            raise DataError(f"{quoted(self._name)} cannot be decompressed: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "it ends too early"
    said = str(error)
    # zstd's words for a window beyond the limit, and xz's.
    if "too much memory" in said or "Memory usage limit" in said:
        return "it needs too much memory (zstd --long, xz --lzma2=dict): decompress it first and give the result"
    return said.removeprefix("Error -3 while decompressing data: ")  # zlib's number for all damage


def decompressed(stream: Any, magic: bytes, name: str) -> "Archive | None":
    """The decompressed stream of an input that begins with ``magic``, or None if it is no archive."""
    new = _decompressor_for(magic, name)
    padding = b"\0" if magic.startswith((_GZIP, _XZ)) else b""
    return None if new is None else Archive(_Streams(stream, new, padding), name)


def _decompressor_for(magic: bytes, name: str) -> Callable[[], _Decompressor] | None:
    """The class of the streams that begin so; the libraries are imported when needed."""
    if magic.startswith(_GZIP):
        return _Gzip
    if _BZIP2.match(magic):
        import bz2

        return bz2.BZ2Decompressor
    if magic.startswith(_XZ):
        import lzma

        return lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
    if _ZSTD.match(magic):
        return _zstd(name)
    return None


def _zstd(name: str) -> Callable[[], _Decompressor]:
    if sys.version_info >= (3, 14):
        from compression import zstd

        options = {zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
        return lambda: zstd.ZstdDecompressor(options=options)
    try:
        import zstandard
    except ImportError:
        raise DataError(f"{quoted(name)} is compressed with zstd: pip install 'gdfit[zstd]' to read it") from None
    library = zstandard.ZstdDecompressor(max_window_size=1 << _WINDOW_LOG)
    return lambda: _Zstandard(library.decompressobj())


class _Gzip:
    """A member of a gzip file as a :class:`_Decompressor`, with its header and its checksum.

    The standard library's reader takes a quarter more time, and for each 8 KiB the interpreter's lock.
    """

    def __init__(self) -> None:
        import zlib

        self._member, self.needs_input = zlib.decompressobj(zlib.MAX_WBITS | 16), True

    @property
    def eof(self) -> bool:
        return self._member.eof

    @property
    def unused_data(self) -> bytes:
        return self._member.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        found = self._member.decompress(self._member.unconsumed_tail or data, max_length)
        self.needs_input = len(found) < max_length
        return found


class _Zstandard:
    """A frame of the package zstandard as a :class:`_Decompressor`: it takes little input at a time instead."""

    def __init__(self, frame: Any) -> None:
        self._frame, self._waiting, self.unused_data = frame, memoryview(b""), b""

    @property
    def eof(self) -> bool:
        return bool(self._frame.eof)

    @property
    def needs_input(self) -> bool:
        return not self._waiting

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        left = self._waiting or memoryview(data)  # there is no new data before it is asked for
        found, size = [], 0
        while left and size < max_length and not self.eof:
            found.append(cast("bytes", self._frame.decompress(left[:_ZSTD_STEP])))
            size, left = size + len(found[-1]), left[_ZSTD_STEP:]
        self._waiting = left
        if self.eof:
            self.unused_data = self._frame.unused_data + bytes(left)
        return b"".join(found)


class _Streams:
    """Compressed streams one after the other; unlike the readers of the libraries it lets nothing else follow.

    Only ``padding`` may, a byte that the format allows there.
    """

    def __init__(self, stream: _Input, new: Callable[[], _Decompressor], padding: bytes) -> None:
        self._stream, self._new, self._current, self._padding = stream, new, new(), padding

    def piece(self) -> bytes:
        """The next decompressed bytes, none at the end."""
        while True:
            data = b""
            if self._current.eof:
                data = self._current.unused_data.lstrip(self._padding)
                while not data:
                    data = self._stream.read(_STEP)
                    if not data:
                        return b""
                    data = data.lstrip(self._padding)
                self._current = self._new()
            elif self._current.needs_input:
                data = self._stream.read(_STEP)
                if not data:
                    raise EOFError
            found = self._current.decompress(data, _MOST_OUT)
            if found:
                return found
