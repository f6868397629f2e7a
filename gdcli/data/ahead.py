"""A stream that is read in a thread of its own, ahead of who reads it: decompressing takes as long as parsing.

A short stream is read without a thread.
"""

from collections import deque
from collections.abc import Callable
from threading import Condition, Thread

# Bytes that are read without a thread.
_ALONE = 1 << 20

# Bytes that may wait to be read: what is decompressed while pandas is imported.
_MOST_WAITING = 5 << 23


class ReadAhead:
    """A stream whose bytes a thread reads in advance, as the pieces that ``next_piece`` returns, an empty one last.

    An error of the stream is raised by the ``read`` that met it.
    """

    def __init__(self, next_piece: Callable[[], bytes]) -> None:
        self._next_piece = next_piece
        self._thread: Thread | None = None
        self._change = Condition()
        self._pieces: deque[bytes] = deque()
        self._waiting, self._wanted, self._ended, self._closed = 0, 0, False, False
        self._error: BaseException | None = None
        self._alone = _ALONE

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes, fewer only at the end."""
        parts: list[bytes] = []
        left = size
        self._begin(size)
        while left and (piece := self._piece(left)):
            parts.append(piece)
            left -= len(piece)
        return b"".join(parts)

    def look(self, at: int, size: int, /) -> bytes:
        """Up to ``size`` bytes that begin ``at`` bytes from here, and stay to be read."""
        self._begin(at + size)
        with self._change:
            self._wanted = at + size
            self._change.notify_all()
            self._change.wait_for(lambda: self._waiting >= self._wanted or self._ended)
            self._wanted = 0
            found, end = [], self._waiting
            for piece in reversed(self._pieces):
                end -= len(piece)
                found.append(piece[max(at - end, 0) : max(at + size - end, 0)])
                if end <= at:
                    break
        return b"".join(reversed(found))

    def close(self) -> None:
        """End the thread; nothing is read after that."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _begin(self, size: int) -> None:
        """Read a short stream, and begin the thread for a longer one."""
        while self._thread is None and not self._ended and self._waiting < size:
            if self._alone > 0:
                self._alone -= self._fetch()
            else:
                self._thread = Thread(target=self._run, name="decompress", daemon=True)
                self._thread.start()

    def _piece(self, most: int) -> bytes:
        """The next bytes, empty at the end."""
        with self._change:
            self._change.wait_for(lambda: self._pieces or self._ended)
            if not self._pieces:
                if self._error is not None:
                    raise self._error
                return b""
            piece = self._pieces.popleft()
            if len(piece) > most:
                self._pieces.appendleft(piece[most:])
            self._waiting -= min(most, len(piece))
            self._change.notify_all()
        return piece[:most]

    def _fetch(self) -> int:
        """Read the next piece, or meet the end or an error; the number of bytes read."""
        try:
            piece, error = self._next_piece(), None
        except BaseException as found:
            piece, error = b"", found
        with self._change:
            if piece:
                self._pieces.append(piece)
            self._waiting += len(piece)
            self._error, self._ended = error, not piece
            self._change.notify_all()
        return len(piece)

    def _run(self) -> None:
        """Read on until the end, an error, or nobody reads any more."""
        while not self._ended:
            self._fetch()
            with self._change:
                self._change.wait_for(lambda: self._waiting < max(_MOST_WAITING, self._wanted) or self._closed)
                self._ended = self._ended or self._closed
