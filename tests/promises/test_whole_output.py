"""Nothing written to stdout is lost without a word, whether it has a buffer, blocks, or is full."""

import fcntl
import os
import resource
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = 20_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole")
    (path / "a.csv").write_text("x,y\n" + "".join(f"{i},{2 * i + i % 3}\n" for i in range(ROWS)))
    done = started(path, ["a.csv", "-t", "y", "-n", "1", "-q", "--save", "m.json"], subprocess.DEVNULL)
    assert done.communicate(timeout=60) == (None, b"")
    return path


def started(folder: Path, words: list[str], out: int, unbuffered: str = "", limit: int = -1) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": unbuffered}
    return subprocess.Popen(
        [sys.executable, "-m", "gdcli", *words],
        stdout=out,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )


def wait_until_full(pipe: int) -> None:
    """Wait until a pipe holds something, and takes no more for a while."""
    held, since = 0, time.monotonic()
    while not held or time.monotonic() < since + 0.3:
        found = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]
        if found != held:
            held, since = found, time.monotonic()
        time.sleep(0.02)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("words", "lines"),
    [(["predict", "m.json", "a.csv"], ROWS + 1), (["a.csv", "-t", "y", "-n", "9000", "--trace", "-"], 9002)],
)
def test_a_pipe_that_does_not_block_gets_every_line(folder, words, lines, unbuffered):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    process = started(folder, words, writer, unbuffered)
    os.close(writer)
    wait_until_full(reader)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read().count(b"\n") == lines
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_file_that_takes_only_a_part_is_an_error(folder, unbuffered):
    with open(folder / "out", "wb") as out:
        process = started(folder, ["predict", "m.json", "a.csv"], out.fileno(), unbuffered, limit=100_000)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1, b"Error: cannot write standard output: file too large\n")
