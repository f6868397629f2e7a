"""The interface through which a long job reports while it runs. The default ignores all reports."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext


class Listener:
    """Receives notes, warnings and progress; the command line prints them on stderr."""

    def note(self, message: str) -> None:
        """Take a remark that a careful user wants to know (silenced by ``--quiet``)."""

    def warn(self, message: str) -> None:
        """Take a remark that must not be missed."""

    def reading(self, done: int, total: int | None) -> None:
        """Take the bytes read so far, and the total, None if unknown."""

    def descending(self, done: int, total: int, what: str = "iteration") -> None:
        """Take the number of iterations (or of ``what`` else is counted) done, and the number of all to do."""

    def defer_interrupts(self) -> AbstractContextManager[Callable[[], bool]]:
        """Context in which a request to stop is recorded, not raised; yields a function that tells whether it came."""
        return nullcontext(lambda: False)
