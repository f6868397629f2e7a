"""The terminal: notes, warnings and progress on stderr, and the Rich consoles that tables are printed on."""

import io
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

# Off a terminal nothing is cut or wrapped: wider than any table.
_UNLIMITED = 1_000_000

PLAIN_TERMINALS = {"", "dumb", "unknown"}

_ASCII_LOCALES = {"C", "POSIX"}


def render_table(
    draw: "Callable[[Console], None]", encoding: str = "utf-8", terminal: bool = False, colour: bool = False
) -> str:
    """Return the text that ``draw`` prints on a Rich console, to be written in one piece.

    For a terminal it is as wide as that, for a file or a pipe as wide as the content needs.
    """
    from rich.console import Console

    kept = _Kept(encoding)
    console = Console(
        file=kept,
        force_terminal=terminal,
        color_system=("auto" if terminal and not is_plain_terminal() else "standard") if colour else None,
        no_color=not colour,
        width=terminal_columns() if terminal else _UNLIMITED,
        height=25,  # of no use, but without it Rich takes a dumb terminal to be 80 columns wide
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    draw(console)
    return kept.getvalue()


class _Kept(io.StringIO):
    """Text in memory that is to go where an encoding is in force."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


def wants_colour(terminal: bool) -> bool:
    """Return whether stdout is to be coloured: as ``--color`` says, else as the environment says, else a terminal
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
    """Return whether the environment names a terminal without colours."""
    return os.environ.get("TERM", "") in PLAIN_TERMINALS


def table_encoding(stream: Any) -> str:
    """Return the encoding whose characters a table may use: ASCII under LC_ALL=C, where Python itself takes UTF-8.

    So under LANG=C. (LC_CTYPE says nothing there: Python has set it to UTF-8 by now, see PEP 538.)
    """
    encoding: str = getattr(stream, "encoding", None) or "utf-8"
    locale = os.environ.get("LC_ALL") or os.environ.get("LANG")
    return "ascii" if locale in _ASCII_LOCALES else encoding


def terminal_columns() -> int:
    """Return how wide the terminal of stdout is; COLUMNS goes before what it says."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError, AttributeError):
        return 80
