"""Ctrl-C, SIGTERM and a closing terminal as the exception :class:`gdcli.base.errors.Interrupted`."""

import signal
import sys
from _thread import start_new_thread
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import sleep
from types import FrameType
from typing import Any

from gdcli.base.errors import ExitCode, Interrupted

_CODES = {"SIGINT": ExitCode.INTERRUPTED, "SIGTERM": ExitCode.TERMINATED, "SIGHUP": ExitCode.HUNG_UP}

_received: ExitCode | None = None

_held = False

# The signal that was raised and is not handled yet.
_raised: ExitCode | None = None

# Seconds until a signal is raised again whose exception was lost.
_AGAIN = 0.01


@contextmanager
def raise_interrupts() -> Iterator[None]:
    """Context in which SIGINT, SIGTERM and SIGHUP raise Interrupted. Those ignored before (nohup, &) stay ignored."""
    global _received, _raised
    _received = _raised = None
    before = {}
    unraisable = sys.unraisablehook
    sys.unraisablehook = partial(_raise_again, otherwise=unraisable)
    for name in _CODES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, _raise)
    try:
        yield
    finally:
        sys.unraisablehook = unraisable
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def defer_interrupts() -> Iterator[Callable[[], bool]]:
    """Context in which the first signal is recorded, not raised; yields a function that tells whether it came.

    A second one is raised.
    """
    global _held, _received, _raised
    _held, _received, _raised = True, None, None  # an earlier one was raised and dealt with
    try:
        yield lambda: _received is not None
    finally:
        _held = False


def last_exit_code() -> ExitCode:
    """The exit code of the signal that came last; that of Ctrl-C if none did."""
    return _received or ExitCode.INTERRUPTED


def cause_of(error: BaseException) -> BaseException:
    """The interruption that led to an error, or the error itself if there was none.

    An import that a signal ends may fail with any error.
    """
    return error if _raised is None else Interrupted(_raised)


def restore_defaults() -> None:
    """Restore the signals' default actions, so that a further one ends the process at once."""
    for name in _CODES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is _raise:
            signal.signal(number, signal.SIG_DFL)


def _raise(number: int, frame: FrameType | None) -> None:
    global _received, _raised
    first = _received is None
    _received = _CODES[signal.Signals(number).name]
    if _held and first:
        return
    _raised = _received
    raise Interrupted(_received)


def _raise_again(unraisable: "sys.UnraisableHookArgs", otherwise: Callable[[Any], object]) -> None:
    """Raise a signal anew that arrived where Python drops exceptions: in a callback of its garbage, or of an import."""
    if not isinstance(unraisable.exc_value, Interrupted):
        otherwise(unraisable)
        return
    code = unraisable.exc_value.exit_code
    number = next(getattr(signal, name) for name in _CODES if _CODES[name] == code)

    def later() -> None:
        sleep(_AGAIN)
        signal.raise_signal(number)

    start_new_thread(later, ())
