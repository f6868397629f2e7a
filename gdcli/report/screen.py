"""Screens: lines and tables of spans with styles, from which every report for people is made.

A span is a text and a style, one of the few below: colour means something, and nothing is said by colour alone. A
screen is laid out on a :class:`Page`; Rich turns the styles into what the terminal understands. Without colours the
same lines are plain text, and Rich is not imported.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from gdcli.base.records import NamedTuple
from gdcli.report.paper import Page, places_that_stay, text_width

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

HEADING, NOTE, BAR, GOOD, WARNING, BAD, COMMAND = "bold", "dim", "cyan", "green", "yellow", "red", "bold"

# Between two columns.
SPACE = 2

# Eighths of a character, for bars that are longer than whole characters.
_EIGHTHS = " ▏▎▍▌▋▊▉"

LONGEST_BAR, _SHORTEST_BAR = 12, 6


# The right end of what stands to the right of a title.
_WIDEST = 100


class Span(NamedTuple):
    """A text without line ends, and its style."""

    text: str
    style: str = ""


StyledLine = Sequence[Span]


class TableColumn:
    """A column of a table: names to the left, numbers (cells of one length) to the right.

    ``style`` is that of all cells, ``styles`` those of single ones by their row.
    """

    def __init__(
        self,
        header: str,
        cells: Sequence[str],
        *,
        left: bool = False,
        style: str = "",
        styles: Mapping[int, str] | None = None,
    ) -> None:
        self.header, self.cells, self.left = header, cells, left
        self.style, self.styles = style, styles or {}

    @property
    def width(self) -> int:
        """The width in terminal columns."""
        return max(map(text_width, (self.header, *self.cells)))

    def drop(self, first: int, last: int) -> None:
        """Remove the cells ``first`` … ``last`` − 1; the column is then that much shorter."""
        self.cells = [*self.cells[:first], *self.cells[last:]]


class BarColumn(TableColumn):
    """Bars of shares, the largest of size 1, as long as a terminal has room for; signed if any share is negative."""

    def __init__(self, page: Page, shares: Sequence[float | None], header: str = "") -> None:
        self._page, self._shares = page, shares
        super().__init__(header, [], left=True, style=BAR)
        self.stretch(_SHORTEST_BAR)

    def stretch(self, room: int) -> None:
        """Draw the bars in at most ``room`` columns of the terminal."""
        signed = any(share is not None and share < 0 for share in self._shares)
        length = min(room - signed, LONGEST_BAR)
        self.cells = [self._drawn(share or 0.0, length, signed) for share in self._shares]

    def drop(self, first: int, last: int) -> None:
        """Remove the bars ``first`` … ``last`` − 1, and their shares."""
        self._shares = [*self._shares[:first], *self._shares[last:]]
        super().drop(first, last)

    def _drawn(self, share: float, length: int, signed: bool) -> str:
        sign = ("-" if share < 0 else " ") if signed else ""
        if not self._page.unicode:
            return sign + "#" * max(round(abs(share) * length), share != 0)
        eighths = max(round(abs(share) * length * len(_EIGHTHS)), share != 0)
        return sign + "█" * (eighths // len(_EIGHTHS)) + _EIGHTHS[eighths % len(_EIGHTHS)].strip()


class TextTable:
    """Columns side by side under their headers and a rule.

    ``leaving`` are the columns that a narrow page leaves out, the first ones first. ``rows`` maps a row's number to the
    style of the whole row. ``between`` maps it to a line that stands before that row, an empty one too.
    """

    def __init__(
        self,
        page: Page,
        columns: Sequence[TableColumn],
        *,
        leaving: Sequence[TableColumn] = (),
        rows: Mapping[int, str] | None = None,
        between: Mapping[int, StyledLine] | None = None,
    ) -> None:
        if not page.unicode:
            for column in columns:
                column.header, column.cells = page.shown(column.header), [page.shown(cell) for cell in column.cells]
        room = None if page.width is None else page.width + SPACE
        kept = places_that_stay(
            [column.width + SPACE for column in columns], [columns.index(c) for c in leaving if c in columns], room
        )
        self.columns = [columns[i] for i in kept]
        self.missing = [column for column in columns if column not in self.columns]
        for column in self.columns:
            if isinstance(column, BarColumn) and room is not None:
                column.stretch(room - sum(c.width + SPACE for c in self.columns) + column.width)
        self.width = sum(column.width + SPACE for column in self.columns) - SPACE
        self._page, self._rows, self._between = page, rows or {}, between or {}

    def lines(self) -> Iterator[StyledLine]:
        """The lines of the table: the header, the rule, and the rows with the lines between them."""
        heads = [_padded(column.header, column.width, column.left) for column in self.columns]
        yield [Span((" " * SPACE).join(heads), HEADING)]
        yield [Span(self._page.rule * self.width)]
        padded = [[_padded(text, c.width, c.left) for text in c.cells] for c in self.columns]
        plain = not (self._rows or any(c.style or c.styles for c in self.columns))
        for i, cells in enumerate(zip(*padded, strict=True)):
            if i in self._between:
                yield self._between[i]
            if plain:
                yield [Span((" " * SPACE).join(cells))]
                continue
            row = self._rows.get(i, "")
            yield _side_by_side(cells, [f"{c.style} {row} {c.styles.get(i, '')}".strip() for c in self.columns])


class Screen:
    """Blocks of lines with an empty line between them. Blocks without a line are left out."""

    def __init__(self, *blocks: Iterable[StyledLine]) -> None:
        self.lines: list[StyledLine] = []
        for block in blocks:
            found = list(block)
            if found:
                self.lines += [[Span("")]] * bool(self.lines) + found

    def plain(self) -> str:
        """The text of the screen without colours."""
        return "".join("".join(piece.text for piece in line).rstrip() + "\n" for line in self.lines)

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        from rich.segment import Segment

        for line in self.lines:
            for text, style in trimmed_line(line):
                yield Segment(text, console.get_style(style) if style else None)
            yield Segment.line()


def trimmed_line(line: StyledLine) -> list[Span]:
    """The spans of a line without blanks at its end."""
    pieces = list(line)
    while pieces and not pieces[-1].text.strip():
        pieces.pop()
    return [*pieces[:-1], Span(pieces[-1].text.rstrip(), pieces[-1].style)] if pieces else []


# --- lines


def sentences(page: Page, texts: Iterable[str], style: str = "", indent: int = 0) -> list[StyledLine]:
    """The lines of the sentences, each broken between words where a terminal's line ends."""
    return [[Span(line, style)] for text in texts for line in page.wrapped(page.shown(text), indent)]


def facts(page: Page, parts: Sequence[str], between: str = " " * 3) -> list[StyledLine]:
    """The lines of short facts side by side, broken between facts where a terminal's line ends."""
    lines = [""]
    for part in map(page.shown, parts):
        longer = f"{lines[-1]}{between}{part}" if lines[-1] else part
        if lines[-1] and page.width is not None and text_width(longer) > page.width:
            lines.append(part)
        else:
            lines[-1] = longer
    return [[Span(line)] for long in lines if long for line in page.wrapped(long, SPACE)]


def labelled(page: Page, pairs: Sequence[tuple[str, str]]) -> list[StyledLine]:
    """The lines of (label, text) pairs: labels to the left, texts to the right, broken between words."""
    indent = max((len(label) for label, _ in pairs), default=0) + 2
    return [line for label, text in pairs for line in sentences(page, [f"{label:{indent}}{text}"], indent=indent)]


def titled(page: Page, title: str, parts: Sequence[str]) -> list[StyledLine]:
    """The lines of a title and its facts: to the right of it if a terminal has room, else under it."""
    title, right = page.shown(title), page.shown(page.separator.join(parts))
    room = None if page.width is None else min(page.width, _WIDEST) - text_width(title) - text_width(right)
    if room is not None and room >= SPACE:
        return [[Span(title, HEADING), Span(" " * room), Span(right)]]
    return [*sentences(page, [title], HEADING, SPACE), *facts(page, parts, page.separator)]


# --- spans


def _side_by_side(cells: Sequence[str], styles: Sequence[str]) -> StyledLine:
    """The cells of a row with space between them; those of one style beside each other are one span."""
    spans: list[Span] = []
    for cell, style in zip(cells, styles, strict=True):
        space = " " * SPACE if spans else ""
        if spans and spans[-1].style == style:
            spans[-1] = Span(f"{spans[-1].text}{space}{cell}", style)
        else:
            spans += [Span(space)] * bool(space) + [Span(cell, style)]
    return spans


def _padded(text: str, width: int, left: bool) -> str:
    space = " " * (width - text_width(text))
    return text + space if left else space + text
