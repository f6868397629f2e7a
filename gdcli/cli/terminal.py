"""The terminal of stdout: how wide it is, its colors and its characters."""

import os
import sys
from typing import Any, Literal

PLAIN_TERMINALS = {"", "dumb", "unknown"}

_ASCII_LOCALES = {"C", "POSIX"}


def color_system(terminal: bool) -> Literal["auto", "standard"] | None:
    """Rich's color system for stdout, None for no colors.

    "auto" on a ``terminal`` that has colors; "standard" (16 colors) if they are forced on a file, a pipe or a plain
    terminal.
    """
    if not _wants_color(terminal):
        return None
    return "auto" if terminal and not is_plain_terminal() else "standard"


def _wants_color(terminal: bool) -> bool:
    """Whether stdout is to be colored: as ``--color`` says, else as the environment says, else if it is a terminal
    (https://no-color.org, https://force-color.org).
    """
    import click

    context = click.get_current_context(silent=True)
    if context is not None and context.color is not None:
        return context.color
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (terminal and not is_plain_terminal())


def is_plain_terminal() -> bool:
    """Whether the environment variable TERM names a terminal without colors."""
    return os.environ.get("TERM", "") in PLAIN_TERMINALS


def table_encoding(stream: Any) -> str:
    """The encoding whose characters a table may use: ASCII under LC_ALL=C, where Python itself takes UTF-8.

    So under LANG=C. (LC_CTYPE says nothing there: Python has set it to UTF-8 by now, see PEP 538.)
    """
    encoding: str = getattr(stream, "encoding", None) or "utf-8"
    locale = os.environ.get("LC_ALL") or os.environ.get("LANG")
    return "ascii" if locale in _ASCII_LOCALES else encoding


def terminal_columns() -> int:
    """The width of stdout's terminal in columns; the variable COLUMNS takes precedence, 80 if unknown."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError, AttributeError):
        return 80
