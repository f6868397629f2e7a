"""What holds for every test: limits of memory and of files, signals as usual, and no process left behind."""

import contextlib
import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

GIBIBYTE = 1 << 30
MOST_MEMORY = 6 * GIBIBYTE
LARGEST_FILE = GIBIBYTE
SECONDS_TO_END = 5.0
TASKS = "/proc/self/task"
_PR_SET_CHILD_SUBREAPER = 36
# Python's own process, which stays for as long as this one does.
STAYS = (b"multiprocessing.resource_tracker", b"multiprocessing.forkserver")

# Servers that a fixture of the whole session has started, and ends.
SERVERS: set[int] = set()


def set_limits() -> None:
    """Limit this process and all that it starts, and let signals that its parent ignores reach them."""
    for limit, most in ((resource.RLIMIT_DATA, MOST_MEMORY), (resource.RLIMIT_FSIZE, LARGEST_FILE)):
        soft, hard = resource.getrlimit(limit)
        if most < (soft if soft != resource.RLIM_INFINITY else sys.maxsize):
            resource.setrlimit(limit, (most, hard))
    # Under nohup or in the background of a script some signals are ignored, which a child would inherit; a handler that
    # does nothing it does not.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    # What a child leaves behind becomes this process's child, which then sees it.
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children() -> set[int]:
    """The processes that this one started, or that their parents left to it; none where /proc does not tell."""
    found: set[int] = set()
    with contextlib.suppress(OSError):
        for task in os.listdir(TASKS):
            with contextlib.suppress(OSError), open(f"{TASKS}/{task}/children", "rb", 0) as file:
                found.update(map(int, file.read().split()))
    return found


def command_of(process: int) -> bytes | None:
    """The command line of a process, None if it has ended. It is empty for a moment while a program is loaded."""
    try:
        state = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[0]
        line = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").strip()
    except OSError:
        return None
    return None if state in b"ZX" else line


def left_since(before: set[int]) -> dict[int, bytes]:
    """The processes that came since and still run, with their command lines."""
    new = {process: command_of(process) for process in children() - before - SERVERS}
    running = {process: line for process, line in new.items() if line is not None}
    return {process: line for process, line in running.items() if not any(name in line for name in STAYS)}


@pytest.fixture(autouse=True)
def no_orphans(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test fails that leaves a process running; the process is killed."""
    before = children()
    yield
    # A cluster replaces its workers as it likes, and examples of other pages run meanwhile; both end what they start.
    if {"cluster", "outputs"} & set(request.fixturenames):
        return
    end = time.monotonic() + SECONDS_TO_END
    while (left := left_since(before)) and time.monotonic() < end:
        time.sleep(0.02)
    for process in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    assert not left, f"left running: {[line.decode(errors='replace') for line in left.values()]}"
