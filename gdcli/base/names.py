"""Names and cells from files, made safe and readable in messages and tables."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gdcli.base.patterns import pattern

if TYPE_CHECKING:
    pass

# Control characters, and the marks that change the direction of text.
_ACTING = pattern(
    r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f]|\r(?!\n)|\x1b"
)

_CLOSE_ENOUGH = 0.6  # difflib's own default cutoff

_COMPARED = 12  # names that are close enough to be ranked

_SHORTEST_START = 3  # letters of a name that may be the start of another

_MOST_MEANT = 3  # names that a message offers

_STANDS_OUT = 0.08  # likeness by which the best name must lead to stand alone

_LONGEST = 120  # characters of a name or a cell in a message

# Characters that mean nothing to a shell, by the rule of shlex.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-")

_LONGEST_WORD = 4096  # characters of a word of a command: as long as a path may be


def printable(text: str) -> str:
    """``text`` with everything that could act on a terminal shown as an escape (``\\n``, ``\\x1b``)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def harmless(text: str) -> str:
    """A text with control characters (but line ends and tabs) and marks of text direction shown as escapes."""
    return _ACTING.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def shortened(text: str, longest: int = _LONGEST) -> str:
    """``text`` printable, and cut off past ``longest`` characters."""
    shown = printable(text[: longest + 1])
    return shown if len(shown) <= longest else f"{shown[:longest]}…"


def quoted(text: str, longest: int = _LONGEST) -> str:
    """``text`` printable, in single quotes, shortened past ``longest`` characters."""
    return f"'{shortened(text, longest)}'"


def listed(names: Iterable[str], most: int = 10) -> str:
    """The names as one comma-separated text, each shortened; after ``most`` of them "… (3 more)" counts the rest."""
    names = list(names)
    more = f", … ({len(names) - most} more)" if len(names) > most else ""
    return ", ".join(shortened(name) for name in names[:most]) + more


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """The question `` Did you mean 'x'?``, with a blank before it, about the likeliest of ``names`` (up to three if
    none stands out); "" if none is close to ``name``.
    """
    return or_listed(likely(name, names))


def or_listed(names: Iterable[str]) -> str:
    """The question `` Did you mean 'x' or 'y'?``, with a blank before it, about all the names; "" without names."""
    shown = [quoted(name) for name in names]
    both = " or ".join(filter(None, (", ".join(shown[:-1]), shown[-1]))) if shown else ""
    return f" Did you mean {both}?" if both else ""


def likely(name: str, names: Sequence[str]) -> list[str]:
    """At most three names about equally similar to a mistyped one, the most similar first."""
    from difflib import get_close_matches

    by_plain: dict[str, str] = {}
    for other in names:
        by_plain.setdefault(_plain(other), other)
    given = _plain(name)
    close = {*get_close_matches(given, by_plain, n=_COMPARED, cutoff=_CLOSE_ENOUGH)}
    close |= {other for other in by_plain if len(given) >= _SHORTEST_START and other.startswith(given)}
    ranked = sorted(((_likeness(given, other), other) for other in close), key=lambda one: -one[0])
    return [by_plain[other] for likeness, other in ranked[:_MOST_MEANT] if likeness > ranked[0][0] - _STANDS_OUT]


def _plain(name: str) -> str:
    """A name in lower case and without the marks between words, for comparing."""
    return re.sub(r"[\s_.-]+", "", name.lower()) or name


def _likeness(given: str, other: str) -> float:
    """How likely one name stands for another, 1 for the same; a slip at the first letter is rare."""
    if other.startswith(given):
        return 0.9 + 0.1 * len(given) / len(other)
    first = 0.0 if given[:1] == other[:1] else 0.1
    return 1 - _slips(given, other) / max(len(given), len(other)) - first


def _slips(a: str, b: str) -> int:
    """The fewest insertions, deletions, substitutions and swaps of neighbours that lead from a to b."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        earlier, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, earlier[j - 2] + 1)
            row.append(best)
    return row[-1]


def count_of(count: int, singular: str, plural: str | None = None) -> str:
    """A count with its noun, as ``1 row`` or ``1,234 rows``. The plural of None adds an s."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def shell_word(text: str) -> str:
    """A text as one word for the shell, ready to paste, with nothing in it that acts on a terminal.

    Unprintable characters are written as in bash and zsh, ``$'\\x1b'``. A text too long to paste is cut off.
    """
    if text and _PLAIN.issuperset(text) and len(text) <= _LONGEST_WORD:
        return text
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


def called(name: str) -> str:
    """What people call an input: standard input by its name, not by its dash."""
    return "standard input" if name == STDIN else name
