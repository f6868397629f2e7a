"""Files that gdfit writes appear whole or not at all.

A regular file is written under a temporary name in the same folder, flushed to the disk and renamed. What is no
regular file (a FIFO, /dev/null, a descriptor such as /dev/stdout) cannot be renamed over and is written directly.
"""

import codecs
import contextlib
import io
import os
import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, Literal, NoReturn, TextIO, overload

from gdcli.base.errors import DataError
from gdcli.base.names import harmless, quoted
from gdcli.base.patterns import pattern
from gdcli.base.records import record

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_SUFFIX = ".gdfit-tmp"

_RANDOM_BYTES = 8

# A file name may have 255 bytes; this leaves room for the dots, the random digits and the suffix.
_LONGEST_STEM = 200

_MOST_LINKS = 40  # the kernel's own limit

_LONGEST_PATH = 4096  # the kernel's limit: the end of a path says most

_BUFFER = 1 << 16

_DESCRIPTOR = pattern(r"/(dev|proc/\d+)/fd/(\d+)")

_STANDARD_DESCRIPTORS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}

# The temporary names of this process that are still to be renamed or removed.
_unfinished: set[str] = set()


@record
class _Target:
    """The file that a path leads to: ``descriptor`` if that is open already, ``old`` its status if it exists."""

    shown: str
    path: str
    descriptor: int | None
    old: os.stat_result | None

    @property
    def direct(self) -> bool:
        """Whether there is nothing that a rename could replace."""
        return self.descriptor is not None or (self.old is not None and not stat.S_ISREG(self.old.st_mode))


@overload
def whole_file(path: str | os.PathLike[str], mode: Literal["w"] = "w") -> contextlib.AbstractContextManager[TextIO]: ...


@overload
def whole_file(path: str | os.PathLike[str], mode: Literal["wb"]) -> contextlib.AbstractContextManager[BinaryIO]: ...


def whole_file(path: str | os.PathLike[str], mode: str = "w") -> contextlib.AbstractContextManager[Any]:
    """Context with a file open for writing that appears, whole, when the block ends; not at all after an exception.

    Text is UTF-8 without newline translation. Symbolic links are followed; the mode is the old file's or what umask
    says. Raises DataError if the file cannot be written; BrokenPipeError passes if it is a pipe.
    """
    target = _locate(os.fspath(path))
    return _written_directly(target, mode) if target.direct else _written_aside(target, mode)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise DataError if ``path`` cannot be written. Called before the work whose result it is to hold."""
    target = _locate(os.fspath(path))
    if not target.direct:
        _check_folder(target)


def remove_unfinished() -> None:
    """Remove temporary files that an interruption left behind. Called at the end of the process."""
    for temporary in tuple(_unfinished):
        _remove(temporary)


def _locate(path: str) -> _Target:
    """Follow the links of ``path`` one by one: a descriptor among them is known by its name only."""
    if not path:
        raise DataError("cannot write a file without a name")
    followed = _in_real_folder(path)
    try:
        for _ in range(_MOST_LINKS):
            descriptor = _descriptor(followed)
            if descriptor is not None:
                return _Target(path, followed, descriptor, None)
            if not os.path.islink(followed):
                break
            followed = _in_real_folder(os.path.join(os.path.dirname(followed), os.readlink(followed)))
        old = os.stat(followed) if os.path.lexists(followed) else None
    except OSError as error:
        _refuse(path, error)
    if path.endswith(os.sep) or (old is not None and stat.S_ISDIR(old.st_mode)):
        raise DataError(f"cannot write {_named(path)}: it is a folder")
    return _Target(path, followed, None, old)


def _in_real_folder(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)


def _descriptor(path: str) -> int | None:
    if path in _STANDARD_DESCRIPTORS:
        return _STANDARD_DESCRIPTORS[path]
    match = _DESCRIPTOR.fullmatch(path)
    return int(match[2]) if match and match[1] in {"dev", f"proc/{os.getpid()}"} else None


def _check_folder(target: _Target) -> None:
    folder = os.path.dirname(target.path)
    if not os.path.isdir(folder):
        raise DataError(f"cannot write {_named(target.shown)}: no folder {_named(folder)}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DataError(f"cannot write {_named(target.shown)}: the folder {_named(folder)} is not writable")
    if target.old is not None and not os.access(target.path, os.W_OK):
        raise DataError(f"cannot write {_named(target.shown)}: the file is read-only")


def _named(path: str) -> str:
    return quoted(path, longest=_LONGEST_PATH)


def _refuse(path: str, error: OSError) -> NoReturn:
    reason = (error.strerror or str(error)).lower()
    raise DataError(f"cannot write {_named(path)}: {reason}") from error


class Complete(io.FileIO):
    """An open descriptor that takes all that is written to it: one that does not block is waited for."""

    def write(self, data: Any, /) -> int:
        view = memoryview(data).cast("B")
        while view:
            written = super().write(view)
            if written is None:
                _wait_for(self)
            else:
                view = view[written:]
        return len(memoryview(data).cast("B"))


def _wait_for(stream: io.FileIO) -> None:
    import select

    poll = select.poll()
    poll.register(stream.fileno(), select.POLLOUT)
    poll.poll()


class _Named(Complete):
    """An open file whose errors name it."""

    def __init__(self, descriptor: int, shown: str) -> None:
        super().__init__(descriptor, "w")
        self.shown = shown

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            _refuse(self.shown, error)

    def close(self) -> None:
        try:
            super().close()
        except OSError as error:
            _refuse(self.shown, error)


class _Screen(_Named):
    """A terminal: control characters are shown as escapes."""

    def __init__(self, descriptor: int, shown: str) -> None:
        super().__init__(descriptor, shown)
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def write(self, data: Any, /) -> int:
        super().write(harmless(self._decoder.decode(bytes(data))).encode("utf-8"))
        return len(data)


def _stream(descriptor: int, shown: str, mode: str) -> IO[Any]:
    raw = (_Screen if os.isatty(descriptor) else _Named)(descriptor, shown)
    buffered = io.BufferedWriter(raw, _BUFFER)
    if mode == "wb":
        return buffered
    # What UTF-8 cannot hold (a file's name in another encoding) is shown as an escape.
    return io.TextIOWrapper(buffered, encoding="utf-8", errors="backslashreplace", newline="")


def _close_quietly(stream: IO[Any]) -> None:
    # An exception is on its way already: the buffer that cannot be flushed now is not news.
    with contextlib.suppress(OSError, DataError, ValueError):
        stream.close()


@contextmanager
def _written_directly(target: _Target, mode: str) -> Iterator[IO[Any]]:
    try:
        # Opening /dev/stdout anew would begin at the start of a file that the shell opened for appending.
        known = target.descriptor
        descriptor = os.open(target.path, os.O_WRONLY) if known is None else os.dup(known)
    except OSError as error:
        _refuse(target.shown, error)
    stream = _stream(descriptor, target.shown, mode)
    try:
        yield stream
        stream.close()
    except BaseException:
        _close_quietly(stream)
        raise


@contextmanager
def _written_aside(target: _Target, mode: str) -> Iterator[IO[Any]]:
    _check_folder(target)
    _remove_stale(target.path)
    temporary = _Temporary(target)
    stream = None
    try:
        stream = _stream(temporary.create(), target.shown, mode)
        yield stream
        _finish(stream, temporary.name, target)
        _unfinished.discard(temporary.name)
    except BaseException:
        if stream is not None:
            _close_quietly(stream)
        _remove(temporary.name)
        raise
    finally:
        temporary.unlock()


class _Temporary:
    """A temporary file beside its target. As long as its writer lives, a second descriptor keeps it locked.

    The name is random, and no number of a process is in it: another container may have the same one.
    """

    def __init__(self, target: _Target) -> None:
        self._target = target
        self._lock: int | None = None
        self.name = ""

    def create(self) -> int:
        """Create the file, and lock it before another process can take it for a stale one."""
        while True:
            self.name = _temporary_name(self._target.path)
            _unfinished.add(self.name)
            try:
                descriptor = _create(self.name, self._target)
            except FileExistsError:
                _unfinished.discard(self.name)
                continue
            self._lock = os.dup(descriptor)
            if _locked(self._lock) and os.fstat(descriptor).st_nlink:
                return descriptor
            os.close(descriptor)
            self.unlock()
            _remove(self.name)

    def unlock(self) -> None:
        """Close the descriptor that holds the lock."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _remove(temporary: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(temporary)
    _unfinished.discard(temporary)  # last: an interruption before it leaves the name for remove_unfinished


def _create(temporary: str, target: _Target) -> int:
    """Create the temporary file, with the old file's owner and mode, or the mode that umask says."""
    old = target.old
    try:
        mode = 0o666 if old is None else stat.S_IMODE(old.st_mode) & 0o600
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), mode)
        if old is not None and hasattr(os, "fchmod"):
            # Only root may give files away; for anyone else the owner stays who writes, as after any rename.
            with contextlib.suppress(PermissionError):
                os.fchown(descriptor, old.st_uid, old.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
    except FileExistsError:
        raise
    except OSError as error:
        _refuse(target.shown, error)
    return descriptor


def _finish(stream: IO[Any], temporary: str, target: _Target) -> None:
    try:
        stream.flush()
        os.fsync(stream.fileno())
        stream.close()
        os.replace(temporary, target.path)
    except OSError as error:
        _refuse(target.shown, error)


def _temporary_name(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{_stem(name)}.{os.urandom(_RANDOM_BYTES).hex()}{_SUFFIX}")


def _stem(name: str) -> str:
    encoded = os.fsencode(name)
    if len(encoded) <= _LONGEST_STEM:
        return name
    return f"{os.fsdecode(encoded[:_LONGEST_STEM])}~{zlib.crc32(encoded):08x}"


def _remove_stale(path: str) -> None:
    """Remove the temporary files of killed processes that wrote the same file: those without a lock."""
    folder, name = os.path.split(path)
    pattern = re.compile(re.escape(f".{_stem(name)}.") + rf"[0-9a-f]{{{2 * _RANDOM_BYTES}}}" + re.escape(_SUFFIX))
    with contextlib.suppress(OSError):
        for entry in os.listdir(folder):
            if pattern.fullmatch(entry):
                _remove_unlocked(os.path.join(folder, entry))


def _remove_unlocked(temporary: str) -> None:
    if fcntl is None:
        return
    with contextlib.suppress(OSError):
        # A lock over a network needs a file that is open for writing.
        descriptor = os.open(temporary, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(temporary)
        finally:
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Lock a file; return False if another process has. If the file system has no locks, no process removes it."""
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
    return True
