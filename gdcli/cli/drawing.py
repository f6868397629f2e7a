"""The pictures that a command was asked for: a file, and a chart under the table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from gdcli.base.atomic import ending_of, is_special
from gdcli.base.names import printable

if TYPE_CHECKING:
    from gdcli.report.page import Page


@dataclass(frozen=True, slots=True)
class Drawing:
    """``path`` is the picture's file, None without one; ``chart`` asks for one in characters."""

    path: str | None = None
    chart: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any], has_table: bool) -> "Drawing":
        """Take the options of a command, and refuse what could not be drawn later.

        A command need not have them.
        """
        drawing = cls(values.get("plot"), values.get("chart") or False)
        if drawing.path is not None:
            drawing._check_kind()
        if drawing.chart:
            if not has_table:
                raise click.UsageError("--chart goes under the table: give it with the table format only.")
            from gdcli.report.chart import require_plotext

            require_plotext()
        return drawing

    @property
    def kind(self) -> str:
        """The ending that says what kind of picture it is; PNG where the name cannot say (/dev/stdout, a pipe)."""
        from gdcli.report.plots import KINDS

        ending = ending_of(self.path or "")
        return ending if ending in KINDS else KINDS[0]

    @property
    def values(self) -> dict[str, Any]:
        """The options of a fit that is to be drawn, by their names."""
        if self.path is None and not self.chart:
            return {}
        from gdcli.fitting.picture import MOST_POINTS

        return {"picture": True, "points": 0 if self.path is None else MOST_POINTS}

    def write(self, picture: Callable[[str], bytes]) -> None:
        """Write the picture, where one was asked for; ``picture`` returns it by its kind."""
        if self.path is None:
            return
        from gdcli.base.atomic import whole_file

        drawn = picture(self.kind)
        with whole_file(self.path, "wb") as stream:
            stream.write(drawn)

    def _check_kind(self) -> None:
        from gdcli.report.plots import KINDS, require_matplotlib

        path = self.path or ""
        if ending_of(path) not in KINDS and not is_special(path):
            raise click.UsageError(f"--plot {printable(path)}: its name must end in one of {' '.join(KINDS)}.")
        require_matplotlib()


def chart_under(
    draw: "Callable[[Page, bool], str]", encoding: str = "utf-8", terminal: bool = False, colour: bool = False
) -> str:
    """Return what comes under a table: a blank line and the chart that ``draw`` returns for a page, coloured or not."""
    from gdcli.cli.terminal import terminal_columns
    from gdcli.report.page import Page

    page = Page(terminal_columns() if terminal else None, encoding)
    return "\n" + draw(page, colour)
