"""The command line. :func:`main` is the one place where exceptions become messages and exit codes.

The parts are imported when needed: ``gdfit --help`` loads neither NumPy nor pandas nor Rich.
"""

import gc
import os
import sys
from collections.abc import Sequence

# The work is cut into blocks, one thread each; threads inside BLAS would only compete with them.
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def main(args: Sequence[str] | None = None) -> int:
    """Run gdfit on ``args`` (default: the process's) and return the exit code, never an exception."""
    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    # pandas imports pyarrow if it is installed, which takes as long as half of a small fit. Only the reader of
    # Parquet needs it, and restores it (data/parquet/arrow.py).
    hidden = sys.modules.keys().isdisjoint({"pandas", "pyarrow"})
    if hidden:
        sys.modules["pyarrow"] = None  # type: ignore[assignment]
    collecting = gc.isenabled()
    gc.disable()  # importing makes no garbage, but collecting meanwhile costs 40-60 ms; see console.start_collecting
    try:
        return _main(sys.argv[1:] if args is None else list(args))
    finally:
        if collecting:
            gc.enable()
        if hidden and sys.modules.get("pyarrow", sys) is None:
            del sys.modules["pyarrow"]


def _main(args: list[str]) -> int:
    from gdcli.cli import failures, signals

    with signals.raise_interrupts():
        try:
            code = _dispatch(args)
            failures.flush_stdout()
        except BaseException as error:
            failures.remove_unfinished_files()
            signals.restore_defaults()
            code = failures.report(signals.cause_of(error))
    failures.drop_stdout_if_broken()
    return code


def _dispatch(args: list[str]) -> int:
    """Parse and run. Not ``group.main``: that turns Ctrl-C and closed pipes into exit codes of its own."""
    from click.exceptions import Exit

    from gdcli.cli.group import group
    from gdcli.cli.help import help_width

    shell = os.environ.get("_GDFIT_COMPLETE")
    if shell:
        from gdcli.cli.completion.answers import answer, encode_answer

        answered = encode_answer(answer(shell, args))
        if sys.stdout is not None:
            sys.stdout.buffer.write(answered)
        return 0
    try:
        with group.make_context("gdfit", args, terminal_width=help_width()) as context:
            return int(group.invoke(context) or 0)
    except Exit as done:
        return done.exit_code
