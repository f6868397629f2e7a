"""Errors as one or two lines on stderr and an exit code; and the end of stdout."""

import contextlib
import os
import sys

from gdcli.base.errors import DataError, ExitCode, GdfitError, Interrupted
from gdcli.base.names import printable

_LONGEST_MESSAGE = 2000


def report(error: BaseException) -> int:
    """Print an error's message on stderr and return its exit code: the only place that decides both."""
    if os.environ.get("GDFIT_DEBUG"):
        _print_traceback(error)
    if isinstance(error, (KeyboardInterrupt, BrokenPipeError)):
        drop_stdout()  # flushing it could wait for a reader that has gone
    else:
        _flush_what_can_be()
    message, code = _explained(error)
    if message:
        say(message)
    return code


def say(message: str) -> None:
    """Print a message on stderr, with nothing in it that could act on a terminal. A closed stderr is no error."""
    if sys.stderr is None:
        return
    lines = "".join(printable(line) + "\n" for line in message.rstrip("\n").split("\n"))
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(lines)
        sys.stderr.flush()


def flush_stdout() -> None:
    """Flush stdout, so that a full disk or a closed pipe is noticed here."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise stdout_error(error) from error


def stdout_error(error: OSError) -> DataError:
    """The error with the message for a failed write to stdout."""
    return DataError(f"cannot write standard output: {(error.strerror or str(error)).lower()}")


def check_stdout() -> None:
    """Raise DataError if stdout is closed (``>&-``). Called before the work whose result it would get."""
    if sys.stdout is None:
        raise DataError("cannot write standard output: it is closed; -o FILE writes the result to a file")


def drop_stdout() -> None:
    """Discard the buffered text of stdout."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()


def drop_stdout_if_broken() -> None:
    """Discard the buffered text of stdout if it cannot be flushed, lest the interpreter report that at its exit."""
    _flush_what_can_be()


def remove_unfinished_files() -> None:
    """Remove the temporary files that an interruption left, if there are any."""
    files = sys.modules.get("gdcli.base.atomic")
    if files is not None:
        files.remove_unfinished()


def _explained(error: BaseException) -> tuple[str, int]:
    from click.exceptions import Abort, ClickException

    if isinstance(error, SystemExit):
        return "", error.code if isinstance(error.code, int) else ExitCode.DATA
    if isinstance(error, (KeyboardInterrupt, Abort)):
        return "Interrupted.", error.exit_code if isinstance(error, Interrupted) else ExitCode.INTERRUPTED
    if isinstance(error, BrokenPipeError):
        return "", ExitCode.OK
    if isinstance(error, GdfitError):
        return f"Error: {error}", error.exit_code
    if isinstance(error, ClickException):
        return _in_clicks_words(error), error.exit_code
    return f"Error: {_unforeseen(error)}", ExitCode.DATA


def _in_clicks_words(error: object) -> str:
    import io

    words = io.StringIO()
    error.show(file=words)  # type: ignore[attr-defined]
    return words.getvalue().replace("\n\t", " ")  # a list of choices


def _unforeseen(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, RecursionError):
        return "the input is nested too deeply"
    if isinstance(error, OSError):
        where = f"{str(error.filename)!r}: " if error.filename is not None else ""
        return f"{where}{(error.strerror or str(error) or type(error).__name__).lower()}"
    said = " ".join(str(error).split())[:_LONGEST_MESSAGE]
    return (
        f"unexpected {type(error).__name__}{': ' if said else ''}{said}\n"
        "This is a fault in gdfit; GDFIT_DEBUG=1 shows where it happened."
    )


def _flush_what_can_be() -> None:
    try:
        flush_stdout()
    except (OSError, ValueError, DataError):
        drop_stdout()


def _print_traceback(error: BaseException) -> None:
    import traceback

    with contextlib.suppress(OSError, ValueError, AttributeError):
        traceback.print_exception(error)
