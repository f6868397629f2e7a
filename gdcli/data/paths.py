"""A path, or a URL such as s3://bucket/sales.csv, as an open file. URLs go through fsspec, imported for them alone."""

import io
import os
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Any, TypeGuard, TypeVar

from gdcli.base.errors import DataError
from gdcli.base.names import STDIN, quoted
from gdcli.base.records import NamedTuple

# A path is told whole; Linux has none longer.
LONGEST_PATH = 4096

_URL = "://"

# Addresses whose packages the extra ``url`` brings; fsspec itself says what others need.
_INSTALLED_BY_EXTRA = ("http://", "https://", "s3://", "s3a://")

# The libraries behind fsspec explain themselves at length.
_LONGEST_REASON = 200

_BUFFER = 1 << 16

T = TypeVar("T")


class Opened(NamedTuple):
    """A file open for reading, and its size in bytes; None if it can only be read from its beginning."""

    raw: IO[bytes]
    size: int | None


def is_url(path: str) -> bool:
    """Whether a path is a URL. It is not if a file of this very name exists."""
    return _URL in path and not os.path.lexists(path)


def located(path: str) -> str:
    """The path of a file for processes in other folders: absolute; a URL stays as it is."""
    return path if is_url(path) else os.path.abspath(path)


def open_path(path: str) -> Opened:
    """The file at a path or URL, open for reading, and its size. Raises DataError if it cannot be opened."""
    if is_url(path):
        return _opened_url(path)
    try:
        raw = open(path, "rb")  # noqa: SIM115 (closed by whoever reads it)
        status = os.fstat(raw.fileno())
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    return Opened(raw, status.st_size if stat.S_ISREG(status.st_mode) else None)


def check_can_open(path: str) -> None:
    """Raise DataError if a file or URL cannot be opened. Called before any work is done; a named pipe is not opened."""
    try:
        # A named pipe may be opened once only.
        if not is_url(path) and not stat.S_ISREG(os.stat(path).st_mode):
            return
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    open_path(path).raw.close()


def matching_urls(pattern: str) -> list[str]:
    """The URLs that a pattern matches, in sorted order."""

    def found() -> list[str]:
        system, path = _system(pattern)
        return sorted(str(system.unstrip_protocol(name)) for name in system.glob(path))

    return _asked(pattern, found)


def _opened_url(url: str) -> Opened:
    def found() -> Opened:
        system, path = _system(url)
        raw, size = system.open(path, "rb"), system.size(path)
        if size and url.startswith("http"):
            try:
                raw.seek(size - 1)
                raw.read(1)
                raw.seek(0)
            except ValueError:  # a server that gives files from their beginning only
                return Opened(system.open(path, "rb", block_size=0), None)
        return Opened(raw, size)

    open_path = _asked(url, found)
    return Opened(io.BufferedReader(_Worded(open_path.raw, url), _BUFFER), open_path.size)


def _system(url: str) -> Any:
    from fsspec.core import url_to_fs

    return url_to_fs(url)


def _asked(url: str, ask: Callable[[], T]) -> T:
    """The result of ``ask``, a call of a file system; any error becomes a DataError."""
    try:
        return ask()
    except FileNotFoundError as error:
        raise _unreadable(url, error) from None
    except ImportError as error:
        known = url.startswith(_INSTALLED_BY_EXTRA) or (error.name or "").startswith("fsspec")
        lacking = "pip install 'gdfit[url]'" if known else _reason(error)
        raise DataError(f"cannot read {quoted(url, LONGEST_PATH)}: to read such addresses: {lacking}") from None
    except Exception as error:
        raise DataError(f"cannot read {quoted(url, LONGEST_PATH)}: {_reason(error)}") from None


class _Worded(io.RawIOBase):
    """A remote file whose errors are DataErrors. It is buffered: a read gives as many bytes as it asks for."""

    def __init__(self, raw: IO[bytes], url: str) -> None:
        self._raw, self._url = raw, url

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = _asked(self._url, lambda: self._raw.read(len(buffer)))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, place: int, whence: int = os.SEEK_SET, /) -> int:
        return _asked(self._url, lambda: self._raw.seek(place, whence))

    def tell(self) -> int:
        return _asked(self._url, self._raw.tell)

    def close(self) -> None:
        with suppress(Exception):  # nothing was written; some of fsspec's own wrappers cannot be closed at all
            self._raw.close()
        super().close()


def _reason(error: Exception) -> str:
    said = " ".join(str(error).split()) or type(error).__name__
    return said if len(said) <= _LONGEST_REASON else said[:_LONGEST_REASON] + "…"


def _unreadable(path: str, error: OSError | ValueError) -> DataError:
    reason = getattr(error, "strerror", None) or str(error)
    reason = "no such file" if isinstance(error, FileNotFoundError) else reason.lower()
    return DataError(f"cannot read {quoted(path, LONGEST_PATH)}: {reason}")


def matched(items: Sequence[T | str]) -> list[T | str]:
    """The items, each path with ``*``, ``?`` or ``[…]`` replaced by the names that it matches, in sorted order.

    A path that exists as it is stands for itself; other items than paths are passed on. Raises DataError for
    a pattern that matches nothing.
    """
    return [name for item in items for name in (_names(os.fspath(item)) if _is_pattern(item) else [item])]


def _is_pattern(item: object) -> TypeGuard[str | os.PathLike[str]]:
    if not isinstance(item, str | os.PathLike):
        return False
    path = os.fspath(item)
    if not any(mark in path for mark in "*?["):
        return False
    if is_url(path):  # where a question mark begins the query
        return "*" in path or "[" in path
    return not os.path.lexists(path)


def _names(pattern: str) -> list[str]:
    import glob

    try:
        names = matching_urls(pattern) if is_url(pattern) else sorted(glob.glob(pattern, recursive=True))
    except ValueError:  # a NUL in it
        names = []
    if not names:
        raise DataError(f"cannot read {quoted(pattern, LONGEST_PATH)}: no such file, and none that it matches")
    # A file that is really called so.
    return [os.path.join(os.curdir, name) if name == STDIN else name for name in names]
