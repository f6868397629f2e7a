"""``python -m gdcli``, and the console script ``gdfit``."""

import contextlib
import os
import sys
from typing import NoReturn

from gdcli.cli import main as run


def main() -> NoReturn:
    """Run gdfit on the process's arguments and leave with its exit code."""
    code = run()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    # Everything is written, and stdout is flushed. Leaving at once spares the 15-50 ms that it takes to take pandas
    # apart, and keeps a late Ctrl-C from printing a traceback.
    os._exit(int(code))


if __name__ == "__main__":
    main()
