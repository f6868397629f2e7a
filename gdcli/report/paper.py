"""What a report is written on: how wide it is, and which characters it has.

Nothing here cuts a word or a number, and off a terminal no name either. What is too wide for a terminal is left out by
whole columns (``columns_that_fit``), and sentences break between words.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len, set_cell_size

from gdcli.base.names import printable

# A number stays with its percent sign.
_BETWEEN_WORDS = re.compile(r" (?!%)")


# A name in a table takes half of the terminal at most, but never fewer columns than this.
_NAME_SHARE, _SHORTEST_NAME = 2, 24


@dataclass(frozen=True, slots=True)
class Page:
    """``width`` is in terminal columns, None for a file or a pipe; ``colors`` is Rich's color system, None for none."""

    width: int | None = None
    encoding: str = "utf-8"
    colors: Literal["auto", "standard"] | None = None

    @property
    def unicode(self) -> bool:
        """Whether every character can be written."""
        return self.encoding.lower().startswith("utf")

    def shown(self, name: str) -> str:
        """A name that is safe on a terminal: control and unencodable characters are shown as escapes."""
        name = printable(name)
        if self.unicode or name.isascii():
            return name
        return name.encode(self.encoding, "backslashreplace").decode(self.encoding)

    def in_column(self, names: Sequence[str]) -> list[str]:
        """Names as :meth:`shown`, on a terminal those that are long without their middles; different ones stay
        different.
        """
        full = [self.shown(name) for name in names]
        if self.width is None:
            return full
        room = max(self.width // _NAME_SHARE, _SHORTEST_NAME)
        for tail in (room // 2, room // 4, room - room // 4):
            short = [_without_middle(name, room, tail, "…" if self.unicode else "..") for name in full]
            if len(set(short)) == len(set(full)):
                return short
        return full

    def wrapped(self, sentence: str, indent: int = 0) -> list[str]:
        """A sentence as lines that break between words; those after the first are indented."""
        if self.width is None or cell_len(sentence) <= self.width:
            return [sentence]
        lines: list[str] = []
        line = ""
        for word in _BETWEEN_WORDS.split(sentence):
            longer = f"{line} {word}" if line else word
            if line.strip() and cell_len(longer) > self.width:
                lines.append(line)
                longer = " " * indent + word
            line = longer
        return [*lines, line]


def columns_that_fit(
    terms: Sequence[int], importance: Sequence[float], others: Mapping[str, int], room: int | None
) -> tuple[list[int], list[str]]:
    """The places of the terms and the names of the ``others`` that fit: cost, and c, lr, validation, gap if any.

    Widths count the space before each column; ``room`` is their total width, None for no limit. Terms are left
    out first, down to the most important one; for its sake the gap goes, then lr, then c, then validation.
    """
    if room is None:
        return list(range(len(terms))), list(others)
    without_terms = ["cost"]
    last = list(others)
    for leaving in ("", "gap", "lr", "c", "validation"):
        last = [name for name in last if name != leaving]
        left = room - sum(others[name] for name in last)
        if kept := _most_important(terms, importance, left):
            return kept, last
        if left >= 0 and len(last) > len(without_terms):
            without_terms = last
    return [], without_terms


def _most_important(widths: Sequence[int], importance: Sequence[float], room: int) -> list[int]:
    """The places of the terms that fit. A column wider than ``room`` by itself keeps no other one out."""
    kept: list[int] = []
    for i in sorted((i for i in range(len(widths)) if widths[i] <= room), key=lambda i: -importance[i]):
        room -= widths[i]
        if room < 0:
            break
        kept.append(i)
    return sorted(kept)


def _without_middle(name: str, room: int, tail: int, mark: str) -> str:
    """A name as it is if it fits, else shortened to its head, a mark and its tail."""
    if cell_len(name) <= room:
        return name
    end = set_cell_size(name[::-1], tail)[::-1].lstrip()
    head = set_cell_size(name, room - tail - len(mark)).rstrip()
    return f"{head}{mark}{end}"
