"""``python -m gdcli``, and the console script ``gdfit``."""

import contextlib
import io
import os
import signal
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run gdfit on the process's arguments and leave with its exit code."""
    # Until signals are dealt with, Ctrl-C ends the process as SIGTERM does: without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from gdcli.cli import main as run

    for name in ("stdout", "stderr"):
        _complete(name)
    code = run()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    # Everything is written, and stdout is flushed. Leaving at once spares the 15-50 ms that it takes to take pandas
    # apart, and keeps a late Ctrl-C from printing a traceback.
    os._exit(int(code))


def _complete(name: str) -> None:
    """Let a standard stream take all that is written to it.

    One without a buffer (PYTHONUNBUFFERED), or one that does not block, says how much it took, which nobody reads.
    """
    stream = getattr(sys, name)
    with contextlib.suppress(OSError, ValueError, AttributeError):
        buffered = isinstance(stream.buffer, io.BufferedWriter)
        if buffered and os.get_blocking(stream.fileno()):
            return
        from gdcli.base.atomic import Complete

        raw = Complete(stream.fileno(), "w", closefd=False)
        whole = io.TextIOWrapper(
            io.BufferedWriter(raw) if buffered else raw,
            encoding=stream.encoding,
            errors=stream.errors,
            line_buffering=stream.line_buffering,
            write_through=not buffered,
        )
        setattr(sys, name, whole)


if __name__ == "__main__":
    main()
