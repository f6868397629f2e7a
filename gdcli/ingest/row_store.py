"""The store of kept rows: in memory up to a limit, beyond it in a temporary file that is mapped into memory.

The file has no name from the start, so that it vanishes with the process, however that ends.
"""

import sys
from threading import Lock
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from gdcli.base.errors import DataError
from gdcli.base.records import record, replace
from gdcli.engine.arrays import Array

if TYPE_CHECKING:
    import mmap


@record(eq=False)
class Pages:
    """The part of a file that a matrix is mapped from: its rows of ``row_bytes`` bytes, from the ``first`` on."""

    mapped: "mmap.mmap"
    row_bytes: int
    first: int = 0

    def following(self, rows: int) -> "Pages":
        """The rest of the pages, without the first ``rows`` rows."""
        return replace(self, first=self.first + rows)

    def drop(self, start: int, stop: int) -> None:
        """Drop the cached pages of rows ``start`` to ``stop``; the next look at them maps them again."""
        import mmap

        begin, end = (self.first + start) * self.row_bytes, (self.first + stop) * self.row_bytes
        begin = begin // mmap.PAGESIZE * mmap.PAGESIZE
        if hasattr(self.mapped, "madvise"):
            self.mapped.madvise(mmap.MADV_DONTNEED, begin, end - begin)


# Times the rows kept of a block: its text and its numbers, while it is in work.
_IN_WORK = 2


class RowStore:
    """Keeps matrices, the first ones in memory: no more than ``limit`` bytes with what ``blocks`` like the next one
    take that are in work at the same time. Threads may share it.
    """

    def __init__(self, limit: int, blocks: int = 0) -> None:
        self._left = limit
        self._needed = 1 + _IN_WORK * blocks
        self._file: IO[bytes] | None = None
        self._end = 0
        self._lock = Lock()

    def __reduce__(self) -> tuple[type["RowStore"], tuple[int]]:
        """The store for another process: all in memory; the cluster moves rows out of memory if they lack room."""
        return RowStore, (sys.maxsize,)

    def keep(self, X: Array) -> tuple[Array, Pages | None]:
        """The matrix ``X`` (n, q) itself and None; or, if memory is used up, the same numbers mapped from a file, and
        their pages there.

        Raises DataError if the disk is full.
        """
        with self._lock:
            if self._needed * X.nbytes <= self._left or not X.nbytes:
                self._left -= X.nbytes
                return X, None
            self._left = 0  # the rows of one part of the file do not stay while others go
            return self._mapped(np.ascontiguousarray(X))

    def close(self) -> None:
        """Keep no more rows. Mapped rows stay valid; the disk space is freed with the last of them."""
        if self._file is not None:
            self._file.close()

    def _mapped(self, X: Array) -> tuple[Array, Pages]:
        import mmap
        import tempfile

        folder = tempfile.gettempdir()
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="gdfit-", dir=folder)  # noqa: SIM115 (ends with the store)
            # Written, not copied into the mapping: there a full disk would be a signal that kills.
            self._file.seek(self._end)
            self._file.write(X.data.cast("B"))
            self._file.flush()
            mapped = mmap.mmap(self._file.fileno(), X.nbytes, access=mmap.ACCESS_READ, offset=self._end)
        except OSError as error:
            raise DataError(
                f"the rows do not fit into a temporary file in {folder}: {error.strerror or error}; "
                "give another folder in TMPDIR, or more memory with --memory"
            ) from None
        granularity = mmap.ALLOCATIONGRANULARITY
        self._end += -(-X.nbytes // granularity) * granularity
        rows: Any = np.frombuffer(mapped, dtype=np.float64).reshape(X.shape)
        return rows, Pages(mapped, X.nbytes // len(X))
