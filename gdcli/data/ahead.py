"""A stream that is read in a thread of its own, ahead of who reads it: decompressing takes as long as parsing.

A short stream is read without a thread.
"""

from collections import deque
from threading import Condition, Thread
from typing import Protocol

# Bytes that are read without a thread, and then at a time.
_PIECE = 1 << 20

# Bytes that may wait to be read: a block.
_MOST_WAITING = 1 << 23


class _Input(Protocol):
    def read(self, size: int, /) -> bytes: ...


class ReadAhead:
    """A stream whose bytes a thread reads in advance. An error of the stream is raised by the ``read`` that met it."""

    def __init__(self, stream: _Input) -> None:
        self._stream = stream
        self._thread: Thread | None = None
        self._change = Condition()
        self._pieces: deque[bytes] = deque()
        self._waiting, self._ended, self._closed = 0, False, False
        self._error: BaseException | None = None

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes, fewer only at the end."""
        parts: list[bytes] = []
        if self._thread is None:
            parts = [self._stream.read(min(size, _PIECE))]
            if len(parts[0]) < _PIECE or len(parts[0]) == size:
                return parts[0]
            self._thread = Thread(target=self._run, name="decompress", daemon=True)
            self._thread.start()
        left = size - sum(map(len, parts))
        while left and (piece := self._piece(left)):
            parts.append(piece)
            left -= len(piece)
        return b"".join(parts)

    def close(self) -> None:
        """End the thread; nothing is read after that."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        if self._thread is not None:
            self._thread.join()

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

    def _run(self) -> None:
        """Read on until the end, an error, or nobody reads any more."""
        try:
            while not self._ended:
                piece = self._stream.read(_PIECE)
                with self._change:
                    self._pieces.append(piece)
                    self._waiting += len(piece)
                    self._ended = len(piece) < _PIECE
                    self._change.notify_all()
                    self._change.wait_for(lambda: self._waiting < _MOST_WAITING or self._closed)
                    self._ended = self._ended or self._closed
        except BaseException as error:
            with self._change:
                self._error, self._ended = error, True
                self._change.notify_all()
