"""The rows of an input are all of its rows, in however small pieces, and however late, it arrives."""

import json
import os
import pty
import socket
import subprocess
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from gdcli.data.streams import open_stream

ROOT = Path(__file__).resolve().parents[2]
ROWS = 30_000
TABLE = ("x,y\n" + "".join(f"{i},{2 * i + i % 3}\n" for i in range(ROWS))).encode()
FIT = ("-t", "y", "-n", "1", "--format", "json", "--jobs", "1", "-q")


def send_in_pieces(descriptor: int, end: bytes) -> None:
    """Send the table piece by piece, the reader being faster now and then, and close what takes it."""
    time.sleep(0.2)  # there is nothing yet when gdfit looks for the first time
    for start in range(0, len(TABLE), 4000):
        data = TABLE[start : start + 4000]
        while data:
            data = data[os.write(descriptor, data) :]
        if start % 80_000 == 0:
            time.sleep(0.005)
    if end:
        os.write(descriptor, end)
        time.sleep(30)  # a terminal that stays open; the process that has its end does not wait for it
    os.close(descriptor)


def ends_of(way: str) -> tuple[int, int]:
    """Return the reading end of a pipe or socket that does not block, or of a terminal, and its writing end."""
    if way == "terminal":
        sender, reader = pty.openpty()
        tty.setraw(reader)
        attributes = termios.tcgetattr(reader)
        attributes[3] |= termios.ICANON  # with Ctrl-D as the end
        termios.tcsetattr(reader, termios.TCSANOW, attributes)
    elif way == "socket":
        sender, reader = (end.detach() for end in socket.socketpair())
    else:
        reader, sender = os.pipe()
    os.set_blocking(reader, way == "terminal")
    return reader, sender


def gdfit(stdin: int, *words: str) -> tuple[int, bytes, bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "gdcli", *words]
    done = subprocess.run(command, stdin=stdin, capture_output=True, env=environment, timeout=25)
    return done.returncode, done.stdout, done.stderr


def sent_by(way: str, words: tuple[str, ...]) -> tuple[int, bytes, bytes]:
    """Let gdfit read the table that is sent to it in pieces."""
    reader, sender = ends_of(way)
    end = b"\x04" if way == "terminal" else b""
    threading.Thread(target=send_in_pieces, args=(sender, end), daemon=True).start()
    try:
        return gdfit(reader, *words)
    finally:
        os.close(reader)


@pytest.mark.parametrize("way", ["pipe", "socket", "terminal"])
def test_a_fit_of_standard_input_has_all_rows_though_it_does_not_block(way: str) -> None:
    code, out, err = sent_by(way, ("-", *FIT))
    assert (code, err) == (0, b"")
    assert json.loads(out)["rows"]["read"] == ROWS


def test_predict_writes_a_line_for_each_row_of_an_input_that_does_not_block(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(TABLE)
    model = tmp_path / "model.json"
    assert gdfit(subprocess.DEVNULL, str(tmp_path / "a.csv"), *FIT, "--save", str(model))[0] == 0
    code, out, err = sent_by("pipe", ("predict", str(model), "-", "--only"))
    assert (code, err, out.count(b"\n")) == (0, b"", ROWS + 1)


class Dribble:
    """A file of fsspec's kind that gives a few bytes at a time, less than it is asked for."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def read(self, size: int = -1) -> bytes:
        taken = self._data[self._at : self._at + min(size, 777)]
        self._at += len(taken)
        return taken

    def tell(self) -> int:
        return self._at

    def seek(self, place: int, whence: int = 0) -> int:
        self._at = place
        return place

    def close(self) -> None:
        pass


@pytest.fixture
def dribbled(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    from fsspec.implementations.memory import MemoryFileSystem

    system = MemoryFileSystem()
    system.pipe("/dribbled.csv", TABLE)
    monkeypatch.setattr(MemoryFileSystem, "open", lambda self, path, *args, **settings: Dribble(TABLE))
    yield "memory://dribbled.csv"
    system.rm("/dribbled.csv")


def test_a_remote_file_that_gives_less_than_it_is_asked_for_is_read_to_its_end(dribbled: str) -> None:
    stream = open_stream(dribbled)
    assert len(stream.text.read(5000)) == 5000
    assert 5000 + len(stream.text.read(len(TABLE))) == len(TABLE)
    stream.check_end()
