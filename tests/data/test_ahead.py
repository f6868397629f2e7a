"""Compressed inputs are decompressed ahead, in a thread of their own, which changes nothing that is read."""

import io
import threading
import time

import pytest

from gdcli.base.errors import DataError
from gdcli.data.ahead import _MOST_WAITING, _PIECE, ReadAhead

CONTENT = bytes(range(251)) * (5 * _PIECE // 251)


def threads() -> int:
    return sum(one.name == "decompress" for one in threading.enumerate())


class Broken(io.BytesIO):
    """A stream that breaks where others end."""

    def read(self, size=-1, /):
        data = super().read(size)
        if len(data) < size:
            raise DataError("it ends too early")
        return data


@pytest.mark.parametrize("size", [7_777, _PIECE - 1, _PIECE, _PIECE + 1, 3 * _PIECE, 9 * _PIECE])
def test_reading_ahead_gives_the_bytes_of_the_stream_in_the_sizes_asked_for(size):
    ahead = ReadAhead(io.BytesIO(CONTENT))
    pieces = list(iter(lambda: ahead.read(size), b""))
    assert b"".join(pieces) == CONTENT
    assert {len(piece) for piece in pieces[:-1]} <= {size}
    assert ahead.read(size) == b""
    ahead.close()
    assert threads() == 0


def test_a_short_stream_needs_no_thread():
    ahead = ReadAhead(io.BytesIO(b"x,y\n1,2\n"))
    assert (ahead.read(4), ahead.read(8 << 20), ahead.read(1)) == (b"x,y\n", b"1,2\n", b"")
    assert threads() == 0


def test_an_error_comes_after_the_bytes_before_it():
    ahead = ReadAhead(Broken(CONTENT))
    whole = len(CONTENT) // _PIECE * _PIECE
    assert ahead.read(whole) == CONTENT[:whole]
    for _ in range(2):
        with pytest.raises(DataError, match="it ends too early"):
            ahead.read(1)
    ahead.close()


def test_no_more_than_a_block_waits_and_closing_ends_the_thread_before_the_end_is_reached():
    stream = io.BytesIO(bytes(20 * _PIECE))
    ahead = ReadAhead(stream)
    ahead.read(2 * _PIECE)
    for _ in range(200):
        if stream.tell() >= 2 * _PIECE + _MOST_WAITING:
            break
        time.sleep(0.01)
    time.sleep(0.05)
    assert 2 * _PIECE + _MOST_WAITING <= stream.tell() <= 3 * _PIECE + _MOST_WAITING
    ahead.close()
    assert threads() == 0
