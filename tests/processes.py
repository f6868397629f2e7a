"""gdfit as a process of its own, its streams kept apart, also on a pseudo-terminal."""

import contextlib
import fcntl
import os
import pty
import shlex
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import gdcli
from tests.screens import read_to_end

ROOT = Path(gdcli.__file__).parents[1]
FROM_SCRATCH = [sys.executable, "-m", "gdcli"]
_TIMEOUT = 120


class Done(NamedTuple):
    """How a process ended."""

    code: int
    out: str
    err: str


def environment(changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
    wanted = {"PYTHONPATH": str(ROOT), "TERM": "xterm", "NO_COLOR": None, "COLUMNS": None, "GDFIT_DEBUG": None}
    merged = {**os.environ, **wanted, **(changes or {})}
    return {name: value for name, value in merged.items() if value is not None}


@pytest.fixture(scope="session")
def forked() -> Iterator[Path]:
    """A folder with a program ``gdfit`` that runs in a fork of one process, which has imported everything already."""
    with tempfile.TemporaryDirectory(prefix="gdfit-") as folder:
        program = Path(folder, "gdfit")
        if not hasattr(os, "pidfd_open"):
            program.write_text(f"#!/bin/sh\nPYTHONPATH='{ROOT}' exec {shlex.join(FROM_SCRATCH)} \"$@\"\n")
            program.chmod(0o755)
            yield program.parent
            return
        server = subprocess.Popen(
            [sys.executable, ROOT / "tests" / "fork_server.py", folder], stdin=subprocess.PIPE, env=environment()
        )
        while not program.exists():
            assert server.poll() is None
            time.sleep(0.01)
        yield program.parent
        server.communicate(timeout=_TIMEOUT)


@pytest.fixture
def program(tmp_path: Path, forked: Path) -> Callable[..., Done]:
    """Run gdfit in an empty folder: no terminal anywhere, stdin as given."""

    def run(*args: str | Path, stdin: str | bytes | None = None, env: Mapping[str, str | None] | None = None) -> Done:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [forked / "gdfit", *map(str, args)],
            input=b"" if data is None else data,
            capture_output=True,
            cwd=tmp_path,
            env=environment(env),
            timeout=_TIMEOUT,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def shell(tmp_path: Path, forked: Path) -> Callable[..., Done]:
    """Run a line of bash with pipefail in an empty folder; ``gdfit`` is gdfit there, ``$PYTHON`` this Python."""

    def run(line: str, stdin: bytes = b"", env: Mapping[str, str | None] | None = None) -> Done:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env=environment({"PATH": f"{forked}:{os.environ['PATH']}", "PYTHON": sys.executable, **(env or {})}),
            timeout=_TIMEOUT,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def started(forked: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start gdfit in a folder, if asked for from scratch, without waiting for its end."""

    running: list[subprocess.Popen[str]] = []

    def start(
        folder: Path, *args: str, scratch: bool = False, stdin: int = subprocess.DEVNULL, **settings: Any
    ) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        command = FROM_SCRATCH if scratch else [str(forked / "gdfit")]
        process = subprocess.Popen(
            [*command, *args], stdin=stdin, stdout=pipe, stderr=pipe, cwd=folder, text=True, env=environment(),
            process_group=0, **settings,
        )  # fmt: skip
        running.append(process)
        return process

    yield start
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=_TIMEOUT)


class OnTerminal(NamedTuple):
    """How a process on a terminal ended: what the terminal got, and what went elsewhere."""

    code: int
    screen: str
    out: str
    err: str


@pytest.fixture
def terminal(tmp_path: Path, forked: Path) -> Callable[..., OnTerminal]:
    """Run gdfit with some of its streams on a pseudo-terminal of a given width; the others are pipes."""

    def run(
        *args: str | Path,
        streams: str = "stdin stdout stderr",
        columns: int = 120,
        env: Mapping[str, str | None] | None = None,
        feed: Callable[[int], None] | None = None,
    ) -> OnTerminal:
        outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        on = streams.split()
        process = subprocess.Popen(
            [forked / "gdfit", *map(str, args)],
            stdin=inner if "stdin" in on else subprocess.PIPE,
            stdout=inner if "stdout" in on else subprocess.PIPE,
            stderr=inner if "stderr" in on else subprocess.PIPE,
            cwd=tmp_path,
            env=environment(env),
        )
        os.close(inner)
        if feed is not None:
            assert process.stdin is not None
            feed(process.stdin.fileno())
        if process.stdin is not None:
            process.stdin.close()
        screen = read_to_end(outer)
        out = process.stdout.read() if process.stdout else b""
        err = process.stderr.read() if process.stderr else b""
        code = process.wait(_TIMEOUT)
        os.close(outer)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        return OnTerminal(code, screen.decode().replace("\r\n", "\n"), out.decode(), err.decode())

    return run


@pytest.fixture
def points(tmp_path: Path) -> Path:
    """y = 2x + 1 and some, in ten rows."""
    path = tmp_path / "points.csv"
    noise = [0.1, -0.2, 0.05, 0.15, -0.1, 0.0, 0.2, -0.15, -0.05, 0.1]
    path.write_text("x,y\n" + "".join(f"{i},{2 * i + 1 + e}\n" for i, e in enumerate(noise)))
    return path
