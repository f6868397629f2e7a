"""`gdfit curve` as a process of its own, off a terminal and on one."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
CURVE = [sys.executable, "-W", "error", "-m", "gdcli", "curve"]


class Done(NamedTuple):
    """How a process ended."""

    code: int
    out: str
    err: str


def environment(**changes: str) -> dict[str, str]:
    unwanted = {"COLUMNS", "GDFIT_DEBUG", "LC_ALL"}
    mine = {name: value for name, value in os.environ.items() if name not in unwanted}
    return {**mine, "PYTHONPATH": str(ROOT), "TERM": "xterm", "NO_COLOR": "1", **changes}


@pytest.fixture
def started(tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Start it, stdin and all as given, without waiting for its end."""

    def start(*args: str, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        words = [*CURVE, *args]
        return subprocess.Popen(
            words, stdin=stdin, stdout=pipe, stderr=pipe, text=True, cwd=tmp_path, env=environment()
        )

    return start


@pytest.fixture
def curve(tmp_path: Path) -> Callable[..., Done]:
    """Run it in an empty folder, all streams pipes."""

    def run(*args: str, **changes: str) -> Done:
        done = subprocess.run(
            [*CURVE, *args], stdin=subprocess.DEVNULL, capture_output=True, cwd=tmp_path, env=environment(**changes)
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def on_terminal(tmp_path: Path) -> Callable[..., Done]:
    """Run it on a pseudo-terminal of a given width; stderr is a pipe."""

    def run(*args: str, columns: int = 80, **changes: str) -> Done:
        outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            [*CURVE, *args], stdin=inner, stdout=inner, stderr=subprocess.PIPE, cwd=tmp_path, env=environment(**changes)
        )
        os.close(inner)
        screen = b""
        while True:
            try:
                piece = os.read(outer, 65536)
            except OSError:  # what Linux says when the other end is closed
                break
            if not piece:
                break
            screen += piece
        os.close(outer)
        err = process.communicate()[1]
        return Done(process.returncode, screen.decode().replace("\r\n", "\n"), err.decode())

    return run
