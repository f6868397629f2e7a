"""Notes, warnings and progress on stderr."""

import gc
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from gdcli.base.listener import Listener
from gdcli.cli.failures import say
from gdcli.cli.signals import defer_interrupts
from gdcli.cli.terminal import PLAIN_TERMINALS, color_system, table_encoding

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


# Shorter work needs no progress line; a longer one is redrawn ten times a second.
_PATIENCE = 0.5

_REDRAW = 0.1

# The columns of a bar, and those of the text to the right of it; a terminal without room for both has the text alone.
_LONGEST_BAR, _SHORTEST_BAR, _LONGEST_TEXT = 30, 10, 54

# Erases the whole line, with a ^C that the terminal may have added. A progress line leaves room for it.
_ERASED = "\r\x1b[K"

_AFTER_PROGRESS = len("^C") + 1

_UNITS = ("B", "kB", "MB", "GB", "TB")


class Narrator(Listener):
    """Prints notes, warnings and progress on stderr. A context manager: its end removes the progress line."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._line = ""
        self._width = 0 if quiet else progress_width()
        self._lock = threading.RLock()
        self._next: float | None = None  # from the first report on: how long the imports take is no measure of the work
        self._phase, self._began, self._first = "", 0.0, 0

    def __enter__(self) -> "Narrator":
        return self

    def __exit__(self, *exception: object) -> None:
        self.erase()

    def note(self, message: str) -> None:
        """Print a remark, unless ``quiet``."""
        if not self._quiet:
            self._say(f"note: {message}")

    def warn(self, message: str) -> None:
        """Print a warning."""
        self._say(f"warning: {message}")

    def reading(self, done: int, total: int | None) -> None:
        """Show how many bytes are read, how fast, and how long the rest will take."""
        start_collecting()
        if self._due("reading", done):
            speed = self._speed(done)
            of = f" of {in_bytes(total)}" if total is not None else ""
            rate = f", {in_bytes(speed)}/s" if speed else ""
            self._draw(f"reading {in_bytes(done)}{of}{rate}{self._left(done, total, speed)}", done, total)

    def descending(self, done: int, total: int, what: str = "iteration") -> None:
        """Show how many iterations, or groups, are done, and how long the rest will take."""
        start_collecting()
        if self._due("descending", done):
            left = self._left(done, total, self._speed(done))
            self._draw(f"{what} {done:,} of {total:,}{left}", done, total)

    def defer_interrupts(self) -> "AbstractContextManager[Callable[[], bool]]":
        """Context in which the first signal is recorded, not raised; yields a function that tells whether it came."""
        return defer_interrupts()

    def erase(self) -> None:
        """Remove the progress line, so that something else can be printed."""
        with self._lock:
            if self._line:
                _write_stderr(_ERASED)
                self._line = ""

    def begin(self, shape: object) -> None:
        """As a recorder: remove the progress line for good, because the iterations themselves are printed."""
        self.erase()
        self._width = 0

    def wants(self, number: int) -> bool:
        """Always False: iterations are printed by another recorder."""
        return False

    def record(self, row: object) -> None:
        """Do nothing: iterations are printed by another recorder."""

    def _say(self, message: str) -> None:
        with self._lock:
            self.erase()
            say(message)

    def _due(self, phase: str, done: int) -> bool:
        """Whether the line is to be redrawn; remember when a phase began."""
        if not self._width:
            return False
        now = time.monotonic()
        if phase != self._phase:
            self._phase, self._began, self._first = phase, now, done
        if self._next is None:
            self._next = now + _PATIENCE
        return now >= self._next

    def _speed(self, done: int) -> float:
        elapsed = time.monotonic() - self._began
        return (done - self._first) / elapsed if elapsed > 0 else 0.0

    @staticmethod
    def _left(done: int, total: int | None, speed: float) -> str:
        return f", {in_time((total - done) / speed)} left" if total is not None and speed > 0 and total > done else ""

    def _draw(self, text: str, done: int, total: int | None) -> None:
        """Draw the line anew, with a bar where the end is known."""
        room = min(self._width - _LONGEST_TEXT - 1, _LONGEST_BAR)
        bar = "" if total is None or room < _SHORTEST_BAR else f"{progress_bar(done, total, room)} "
        with self._lock:
            self._next = time.monotonic() + _REDRAW
            self._line = bar + text[: self._width - (room + 1 if bar else 0)]
            _write_stderr(_ERASED + self._line)


def start_collecting() -> None:
    """Turn garbage collection on again, except for the objects that the imports made.

    Called with the first block, when the imports are over. From here on freed memory is kept for the next blocks, too.
    """
    if not gc.isenabled():
        from gdcli.base.allocator import keep_freed_memory

        keep_freed_memory()
        gc.freeze()
        gc.enable()


def progress_bar(done: int, total: int, width: int) -> str:
    """A bar of ``width`` columns, in the colors and the characters of stderr's terminal. Rich is imported here, where
    the work has taken so long that nobody notices.
    """
    from rich.progress_bar import ProgressBar

    from gdcli.report.paper import Page
    from gdcli.report.screen import BAR, NOTE
    from gdcli.report.writers import drawn

    encoding = table_encoding(sys.stderr)
    # In ASCII only the color would tell what is done from what is not.
    page = Page(width, encoding, color_system(True) if encoding.startswith("utf") else None)
    bar = ProgressBar(total, done, width, style=NOTE, complete_style=BAR, finished_style=BAR)
    return drawn(bar, page).rstrip("\n").ljust(width)


def progress_width() -> int:
    """The width of a progress line in columns; 0 if stderr is no terminal, or one that cannot rewrite a line."""
    if sys.stderr is None or os.environ.get("TERM") in PLAIN_TERMINALS:
        return 0
    try:
        return max(os.get_terminal_size(sys.stderr.fileno()).columns - _AFTER_PROGRESS, 0) if sys.stderr.isatty() else 0
    except (OSError, ValueError):
        return 0


def in_bytes(count: float) -> str:
    """A number of bytes as text: ``340 B``, ``12.5 kB``, ``110 MB``."""
    units = iter(_UNITS)
    unit = next(units)
    while count >= 1000 and unit != _UNITS[-1]:
        count, unit = count / 1000, next(units)
    return f"{count:.0f} {unit}" if unit == _UNITS[0] or count >= 100 else f"{count:.1f} {unit}"


def in_time(seconds: float) -> str:
    """Seconds as text of minutes, or of hours: ``0:07``, ``12:30``, ``1:05:00``."""
    minutes, left = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def _write_stderr(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        return
