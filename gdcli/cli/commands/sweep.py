"""``gdfit sweep``: several learning rates side by side."""

from typing import TYPE_CHECKING, Any

import click

from gdcli.cli import options
from gdcli.cli.fit_options import fit_values
from gdcli.cli.help import Command
from gdcli.cli.inputs import input_files

if TYPE_CHECKING:
    from gdcli.report.page import Page

EXAMPLES = (
    ("gdfit sweep housing.csv --target price", "seven rates around the largest stable one"),
    ("gdfit sweep housing.csv -t price --lr 0.001 --lr 0.01 --lr 0.1", "these three"),
)


@click.command("sweep", cls=Command, examples=EXAMPLES, listens=True)
@options.file_arguments
@options.column_options
@options.sweep_options
@options.input_options
@options.output_options
@options.plot_options
@options.quiet_option
@options.digits_option
@click.pass_context
def command(context: click.Context, /, files: tuple[str, ...], **values: Any) -> int:
    """Compare learning rates: one pass over the data, then a descent with each rate. A rate that diverges is a row,
    not a failure.
    """
    from gdcli.base.errors import ExitCode, Interrupted
    from gdcli.cli.progress import Narrator, start_collecting
    from gdcli.cli.results import Destination
    from gdcli.cli.signals import received
    from gdcli.fitting.options import FitOptions
    from gdcli.fitting.sweep import run_sweep
    from gdcli.report import sweep as report
    from gdcli.report.plots import picture_of_sweep

    for name in ("l2", "l1"):
        if len(values[name]) > 1:
            raise click.UsageError(f"a sweep compares rates with one penalty: give --{name} once.")
    inputs = input_files(context, files)
    destination = Destination.of(values, inputs)
    if destination.format == "table":
        import gdcli.report.fit  # noqa: F401  # here, while importing is cheap
    chosen = FitOptions.of(**fit_values(values))
    start_collecting()
    with Narrator(destination.quiet) as narrator:
        sweep = run_sweep(inputs, chosen, values["rates"], narrator)
    digits = values["digits"]

    def text(form: str) -> str:
        if form == "json":
            return report.sweep_as_json(sweep)
        if form == "markdown":
            return report.sweep_as_markdown(sweep, digits)
        return report.sweep_as_csv(sweep, "\t" if form == "tsv" else ",")

    def chart(page: "Page", colour: bool) -> str:
        from gdcli.report.chart import chart_of_sweep

        return chart_of_sweep(sweep, page, colour)

    destination.drawing.write(lambda kind: picture_of_sweep(sweep, kind))
    destination.write(lambda console: report.print_sweep(sweep, console, digits), text, chart)
    if sweep.interrupted:
        raise Interrupted(received())
    return ExitCode.OK
