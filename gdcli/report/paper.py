"""What a report is written on: how wide it is, and which characters it has.

Nothing here cuts a word or a number, and off a terminal no name either. What is too wide for a terminal is left out by
whole columns (``places_that_stay``), and sentences break between words.
"""

from collections.abc import Sequence
from typing import Literal

from gdcli.base.names import printable
from gdcli.base.patterns import pattern
from gdcli.base.records import record

# A number stays with its percent sign.
_BETWEEN_WORDS = pattern(r" (?!%)")


# Our own characters where the encoding has none of them.
_ASCII = {
    "·": "*", "²": "^2", "…": "...", "✓": "ok", "≈": "~", "✗": "!!", "⋮": ":", "∞": "inf", "±": "+-", "δ": "delta",
    "τ": "tau",
}  # fmt: skip

_IN_ASCII = str.maketrans(_ASCII)

# A name in a table takes half of the terminal at most, but never fewer columns than this.
_NAME_SHARE, _SHORTEST_NAME = 2, 24


@record
class Page:
    """The medium of a report: how wide it is, and which characters and colours it has.

    ``width`` is in terminal columns, None for a file or a pipe. ``colors`` is Rich's color system, None for no colours.
    """

    width: int | None = None
    encoding: str = "utf-8"
    colors: Literal["auto", "standard"] | None = None

    @property
    def unicode(self) -> bool:
        """Whether the encoding can write every character."""
        return self.encoding.lower().startswith("utf")

    @property
    def rule(self) -> str:
        """The character of horizontal rules."""
        return "─" if self.unicode else "-"

    @property
    def separator(self) -> str:
        """The separator of facts in a line."""
        return " · " if self.unicode else "; "

    def shown(self, text: str) -> str:
        """A text that is safe on a terminal: control and unencodable characters are shown as escapes."""
        text = printable(text)
        if self.unicode or text.isascii():
            return text
        return text.translate(_IN_ASCII).encode(self.encoding, "backslashreplace").decode(self.encoding)

    def in_column(self, names: Sequence[str]) -> list[str]:
        """Names as :meth:`shown`. On a terminal long ones lose their middles; different ones stay different."""
        full = [self.shown(name) for name in names]
        if self.width is None:
            return full
        room = max(self.width // _NAME_SHARE, _SHORTEST_NAME)
        for tail in (room // 2, room // 4, room - room // 4):
            short = [_without_middle(name, room, tail, "…" if self.unicode else "..") for name in full]
            if len(set(short)) == len(set(full)):
                return short
        return full

    def holds(self, text: str) -> bool:
        """Whether a text fits into one line."""
        return self.width is None or text_width(self.shown(text)) <= self.width

    def wrapped(self, sentence: str, indent: int = 0) -> list[str]:
        """A sentence as lines that break between words; those after the first are indented."""
        if self.width is None or text_width(sentence) <= self.width:
            return [sentence]
        lines: list[str] = []
        line = ""
        for word in _BETWEEN_WORDS.split(sentence):
            longer = f"{line} {word}" if line else word
            if line.strip() and text_width(longer) > self.width:
                lines.append(line)
                longer = " " * indent + word
            line = longer
        return [*lines, line]


def places_that_stay(widths: Sequence[int], leaving: Sequence[int], room: int | None) -> list[int]:
    """The indices of the columns that fit into ``room`` terminal columns; all if ``room`` is None.

    Widths count the space between columns. Columns leave in the order of ``leaving``, but first those that are too wide
    by themselves.
    """
    kept = list(range(len(widths)))
    if room is None:
        return kept
    others = sum(width for i, width in enumerate(widths) if i not in leaving)
    too_wide = [i for i in leaving if others + widths[i] > room]
    for i in dict.fromkeys([*too_wide, *leaving]):
        if sum(widths[j] for j in kept) <= room:
            break
        kept.remove(i)
    return kept


def text_width(text: str) -> int:
    """The number of terminal columns that a text takes. Rich, which knows, is not imported for ASCII texts."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _without_middle(name: str, room: int, tail: int, mark: str) -> str:
    """A name as it is if it fits, else shortened to its head, a mark and its tail."""
    if text_width(name) <= room:
        return name
    from rich.cells import set_cell_size

    end = set_cell_size(name[::-1], tail)[::-1].lstrip()
    head = set_cell_size(name, room - tail - len(mark)).rstrip()
    return f"{head}{mark}{end}"
