"""Ctrl-C, SIGTERM and a closing terminal as the exception :class:`gdcli.base.errors.Interrupted`."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from gdcli.base.errors import ExitCode, Interrupted

_CODES = {"SIGINT": ExitCode.INTERRUPTED, "SIGTERM": ExitCode.TERMINATED, "SIGHUP": ExitCode.TERMINATED}

_received: ExitCode | None = None

_held = False


@contextmanager
def raised() -> Iterator[None]:
    """Raise Interrupted in this block when a signal arrives. What the caller ignores (nohup, &) stays ignored."""
    global _received
    _received = None
    before = {}
    for name in _CODES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, _raise)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held() -> Iterator[Callable[[], bool]]:
    """Only note the first signal that arrives in this block; a second one is raised. The value tells of the first."""
    global _held, _received
    _held, _received = True, None  # an earlier one was raised and dealt with
    try:
        yield lambda: _received is not None
    finally:
        _held = False


def received() -> ExitCode:
    """Return the exit code of the signal that came last; of Ctrl-C where none did."""
    return _received or ExitCode.INTERRUPTED


def restore_defaults() -> None:
    """Let a further signal end the process at once: nothing is left to tidy up."""
    for name in _CODES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is _raise:
            signal.signal(number, signal.SIG_DFL)


def _raise(number: int, frame: FrameType | None) -> None:
    global _received
    first = _received is None
    _received = _CODES[signal.Signals(number).name]
    if _held and first:
        return
    raise Interrupted(_received)
