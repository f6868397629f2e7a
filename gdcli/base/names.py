"""Names and cells from files, made safe and readable in messages and tables."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

# Control characters, and the marks that change the direction of text.
_ACTING = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f]|\r(?!\n)|\x1b"
)

_CLOSE_ENOUGH = 0.6  # difflib's own default cutoff

_LONGEST = 120  # characters of a name or a cell in a message

_LONGEST_WORD = 4096  # characters of a word of a command: as long as a path may be


def printable(text: str) -> str:
    """``text`` with everything that could act on a terminal shown as an escape (``\\n``, ``\\x1b``)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def harmless(text: str) -> str:
    """A text with its control characters, except line ends and tabs, shown as escapes."""
    return _ACTING.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def shortened(text: str, longest: int = _LONGEST) -> str:
    """``text`` printable, and cut off past ``longest`` characters."""
    shown = printable(text[: longest + 1])
    return shown if len(shown) <= longest else f"{shown[:longest]}…"


def quoted(text: str, longest: int = _LONGEST) -> str:
    """``text`` printable, in single quotes, shortened past ``longest`` characters."""
    return f"'{shortened(text, longest)}'"


def listed(names: Iterable[str], most: int = 10) -> str:
    """The names as one comma-separated list, each shortened, at most ``most`` of them."""
    names = list(names)
    more = f", … ({len(names) - most} more)" if len(names) > most else ""
    return ", ".join(shortened(name) for name in names[:most]) + more


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """`` Did you mean 'x'?`` for the closest of ``names``; empty if none is close."""
    from difflib import get_close_matches

    by_lower = {other.lower(): other for other in reversed(names)}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=_CLOSE_ENOUGH)
    return f" Did you mean {quoted(by_lower[close[0]])}?" if close else ""


def count_of(count: int, singular: str, plural: str | None = None) -> str:
    """``1 row``, ``1,234 rows``."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def shell_word(text: str) -> str:
    """A text as one word for the shell, ready to paste, with nothing in it that acts on a terminal.

    Unprintable characters are written as in bash and zsh, ``$'\\x1b'``. A text too long to paste is cut off.
    """
    from shlex import quote

    if len(text) > _LONGEST_WORD:
        text = f"{text[:_LONGEST_WORD]}…"
    return quote(text) if text.isprintable() else f"$'{''.join(map(_escaped, text))}'"


def _escaped(character: str) -> str:
    if character in "\\'":
        return "\\" + character
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", errors="surrogateescape"))


STDIN = "-"
