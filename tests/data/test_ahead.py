"""Compressed inputs are decompressed ahead, in a thread of their own, which changes nothing that is read."""

import io
import threading
import time

import pytest

from gdcli.base.errors import DataError
from gdcli.data.ahead import _MOST_WAITING, ReadAhead

PIECE = 1 << 20
CONTENT = bytes(range(251)) * (5 * PIECE // 251)


def of(stream: io.BytesIO) -> ReadAhead:
    return ReadAhead(lambda: stream.read(PIECE))


def threads() -> int:
    return sum(one.name == "decompress" for one in threading.enumerate())


class Broken(io.BytesIO):
    """A stream that breaks where others end."""

    def read(self, size=-1, /):
        if self.tell() + size > len(self.getvalue()):
            raise DataError("it ends too early")
        return super().read(size)


@pytest.mark.parametrize("size", [7_777, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 9 * PIECE])
def test_reading_ahead_gives_the_bytes_of_the_stream_in_the_sizes_asked_for(size):
    ahead = of(io.BytesIO(CONTENT))
    pieces = list(iter(lambda: ahead.read(size), b""))
    assert b"".join(pieces) == CONTENT
    assert {len(piece) for piece in pieces[:-1]} <= {size}
    assert ahead.read(size) == b""
    ahead.close()
    assert threads() == 0


def test_a_short_stream_needs_no_thread():
    ahead = of(io.BytesIO(b"x,y\n1,2\n"))
    assert (ahead.read(4), ahead.read(8 << 20), ahead.read(1)) == (b"x,y\n", b"1,2\n", b"")
    assert threads() == 0


@pytest.mark.parametrize("at", [0, 5, PIECE - 3, PIECE, 3 * PIECE + 7, len(CONTENT) - 2, len(CONTENT) + 9])
def test_what_was_looked_at_stays_to_be_read(at):
    ahead = of(io.BytesIO(CONTENT))
    assert ahead.read(10) == CONTENT[:10]
    for size in (3, 2 * PIECE):
        assert ahead.look(at, size) == CONTENT[10 + at :][:size]
    assert ahead.read(len(CONTENT)) == CONTENT[10:]
    assert ahead.look(0, 1) == b""
    ahead.close()


def test_more_than_usual_is_read_ahead_for_a_look_that_needs_it():
    ahead = of(io.BytesIO(bytes(2 * _MOST_WAITING) + b"here"))
    assert ahead.look(2 * _MOST_WAITING, 9) == b"here"
    ahead.close()


def test_an_error_comes_after_the_bytes_before_it():
    ahead = of(Broken(CONTENT))
    whole = len(CONTENT) // PIECE * PIECE
    assert ahead.read(whole) == CONTENT[:whole]
    for _ in range(2):
        with pytest.raises(DataError, match="it ends too early"):
            ahead.read(1)
    ahead.close()


def test_no_more_than_five_blocks_wait_and_closing_ends_the_thread_before_the_end_is_reached():
    stream = io.BytesIO(bytes(2 * _MOST_WAITING))
    ahead = of(stream)
    ahead.read(2 * PIECE)
    for _ in range(200):
        if stream.tell() >= 2 * PIECE + _MOST_WAITING:
            break
        time.sleep(0.01)
    time.sleep(0.05)
    assert 2 * PIECE + _MOST_WAITING <= stream.tell() <= 3 * PIECE + _MOST_WAITING
    ahead.close()
    assert threads() == 0
