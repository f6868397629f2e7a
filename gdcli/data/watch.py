"""A regular file as it was when it was opened, to notice that it changed while it was read."""

import os
import stat
from collections.abc import Callable
from typing import IO

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.base.records import record

# A line end in UTF-16 and UTF-32 has zeros around it.
_LINE_END = 4


@record
class Watch:
    """An open regular file with its status ``before`` it was read; ``path`` is None for standard input.

    ``grew`` is called with the file's name if the file grew meanwhile.
    """

    raw: IO[bytes]
    path: str | None
    before: os.stat_result
    grew: Callable[[str], object]

    @classmethod
    def of(cls, raw: IO[bytes], path: str | None, grew: Callable[[str], object]) -> "Watch | None":
        """The watch of an open input, which begins now; None if the input is no regular file."""
        try:
            status = os.fstat(raw.fileno())
        except (OSError, ValueError):
            return None
        return cls(raw, path, status, grew) if stat.S_ISREG(status.st_mode) else None

    def check(self, name: str, taken: int | None) -> None:
        """Raise DataError, which calls the file ``name``, if it was replaced or changed since it was opened.

        A file that only grew is no error if the first ``taken`` bytes, up to the end of a line, were read:
        ``grew(name)`` is called instead. With ``taken`` None growth is an error too.
        """
        now, before = self._now(), self.before
        if (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns):
            return
        if (now.st_dev, now.st_ino) != (before.st_dev, before.st_ino):
            raise _changed(name, "was replaced")
        if now.st_size < before.st_size:
            raise _changed(name, f"shrank from {before.st_size:,} to {now.st_size:,} bytes")
        if now.st_size == before.st_size or taken is None or taken < before.st_size:
            raise _changed(name, "was written to")
        if taken < now.st_size and not self._ends_a_line(taken):
            raise _changed(name, "grew")  # the last row was half written
        self.grew(name)

    def _now(self) -> os.stat_result:
        if self.path is not None:
            try:
                return os.stat(self.path)
            except OSError:  # removed: what was opened is still whole
                pass
        return self.before if self.raw.closed else os.fstat(self.raw.fileno())

    def _ends_a_line(self, taken: int) -> bool:
        end = os.pread(self.raw.fileno(), _LINE_END, max(taken - _LINE_END, 0)).rstrip(b"\0")
        return end.endswith((b"\n", b"\r"))


def _changed(name: str, how: str) -> DataError:
    return DataError(f"{quoted(name)} {how} while it was read: read it again when nobody writes to it")
