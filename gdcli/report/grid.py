"""Tables on a terminal: columns of cells, aligned."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from gdcli.report.paper import Page

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.text import Text

# A box of Rich's with a line under the header alone.
_RULE = "    \n    \n {0}{0} \n    \n    \n    \n    \n    \n"

# Between two columns; as drawn by Rich with the box and padding below.
SPACE = 2


class GridColumn:
    """A column of a table: names to the left, numbers (cells of one length) to the right."""

    def __init__(self, header: str, cells: Sequence[str], *, left: bool = False) -> None:
        self.header, self.cells, self.left = header, cells, left
        widths = [cell_len(text) for text in (header, *cells)]
        self.width = max(widths)  # in terminal columns
        # Rich justifies no text that it may not wrap.
        spaces = [" " * (self.width - width) for width in widths]
        padded = [text + space if left else space + text for text, space in zip((header, *cells), spaces, strict=True)]
        self.head, self.body = padded[0], "\n".join(padded[1:])


class Grid:
    """A Rich table that is as wide as its columns, on any console."""

    def __init__(self, columns: Sequence[GridColumn], page: Page) -> None:
        from rich.box import Box
        from rich.table import Table

        self.width = sum(column.width for column in columns) + SPACE * (len(columns) - 1)
        self.table = Table(
            box=Box(_RULE.format("─" if page.unicode else "-"), ascii=not page.unicode),
            show_edge=False,
            pad_edge=False,
            collapse_padding=True,
            header_style="bold",
        )
        for column in columns:
            self.table.add_column(literal(column.head), no_wrap=True, width=column.width)
        # One cell holds the whole column: Rich takes 0.4 ms for a row, however short its cells are.
        self.table.add_row(*(literal(column.body) for column in columns))

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        yield from console.render(self.table, options.update(width=self.width))


# --- pieces


def literal(text: str, style: str = "") -> "Text":
    """A text that Rich neither wraps nor cuts."""
    from rich.text import Text

    return Text(text, style=style, no_wrap=True, overflow="ignore")
