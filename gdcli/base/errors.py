"""The exceptions that users see, as a tree, and the exit codes.

Every error of a floor below the command line is raised as a :class:`GdfitError`; the command line turns it into one
message on stderr and its exit code, in one place (``gdcli.cli.main``).
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of the process."""

    OK = 0
    DATA = 1
    """The data or a file cannot be used."""
    USAGE = 2
    """Wrong usage; Click's own code."""
    DIVERGED = 3
    """The learning rate is unstable, or the descent diverged."""
    UNMET = 4
    """A demand (``--strict``, ``--min-r2`` …) was not met."""
    HUNG_UP = 129
    """The terminal was closed: 128 and the signal's number, as for the two below."""
    INTERRUPTED = 130
    TERMINATED = 143


class GdfitError(Exception):
    """An error for the person at the keyboard: one or two lines, what, where, what to do."""

    exit_code = ExitCode.DATA


class UsageError(GdfitError):
    """The options contradict each other or have impossible values."""

    exit_code = ExitCode.USAGE


class DataError(GdfitError):
    """The data, or a file, cannot be used."""


class CellError(DataError):
    """A row or a cell cannot be used; the message names its file and line.

    ``reason`` is the message without its advice, if the row alone is at fault; ``advice`` was not tried.
    """

    def __init__(self, message: str, reason: str = "", advice: str = "") -> None:
        super().__init__(message)
        self.reason, self.advice = reason, advice


class NotNumericError(CellError):
    """A cell of a numeric column is not a finite number."""


class Interrupted(KeyboardInterrupt):
    """SIGINT, SIGTERM or SIGHUP arrived; ``exit_code`` tells which."""

    def __init__(self, exit_code: ExitCode = ExitCode.INTERRUPTED) -> None:
        super().__init__()
        self.exit_code = exit_code
