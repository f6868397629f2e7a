"""Writing the result of a command that has nothing else to write: to stdout, or whole to a file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from gdcli.base.atomic import check_writable, same_file
from gdcli.base.names import printable
from gdcli.cli.drawing import Drawing, chart_under
from gdcli.cli.failures import check_stdout
from gdcli.cli.output import STDOUT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from rich.console import Console

    from gdcli.report.page import Page


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a result goes and in which form; ``path`` is None for stdout. ``quiet`` silences a table on the screen."""

    format: str
    path: str | None
    quiet: bool
    drawing: Drawing = field(default_factory=Drawing)

    @classmethod
    def of(cls, values: "Mapping[str, Any]", inputs: "Sequence[str]" = ()) -> "Destination":
        """Take the output options of a command, and refuse what could not be written later."""
        path = None if values["output"] == STDOUT else values["output"]
        drawing = Drawing.of(values, values["format"] == "table")
        for name, written in (("--output", path), ("--plot", drawing.path)):
            if written is not None:
                if any(same_file(written, one) for one in inputs):
                    raise click.UsageError(f"{name} {printable(written)} would overwrite an input.")
                check_writable(written)
        if path is not None and drawing.path is not None and same_file(path, drawing.path):
            raise click.UsageError(f"--output and --plot are the same file, {printable(path)}.")
        if path is None and not (values["quiet"] and values["format"] == "table"):
            check_stdout()
        return cls(values["format"], path, values["quiet"], drawing)

    @property
    def table_on_stdout(self) -> bool:
        """Whether a table is what stdout gets."""
        return self.format == "table" and self.path is None and not self.quiet

    def write(
        self,
        draw: "Callable[[Console], None]",
        text: Callable[[str], str],
        chart: "Callable[[Page, bool], str] | None" = None,
    ) -> None:
        """Write the result: ``draw`` prints the table on a console, ``text`` returns any other format by its name.

        ``chart`` draws what stands under the table where that was asked for (see ``chart_under``).
        """
        from gdcli.base.atomic import whole_file
        from gdcli.cli.outlets import Stdout
        from gdcli.cli.terminal import render_table, wants_colour

        def under(encoding: str = "utf-8", terminal: bool = False, colour: bool = False) -> str:
            return chart_under(chart, encoding, terminal, colour) if chart is not None and self.drawing.chart else ""

        if self.path is not None:
            with whole_file(self.path) as stream:
                stream.write(render_table(draw) + under() if self.format == "table" else text(self.format))
            return
        if self.format == "table" and self.quiet:
            return
        stdout = Stdout(for_people=self.format == "table")
        if self.format == "table":
            page = stdout.encoding, stdout.terminal, wants_colour(stdout.terminal)
            stdout.draw(render_table(draw, *page) + under(*page))
        else:
            stdout.write(text(self.format))
        stdout.finish()
