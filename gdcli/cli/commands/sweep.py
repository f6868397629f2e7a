"""``gdfit sweep``: several learning rates side by side."""

from typing import Any

import click

from gdcli.cli import options
from gdcli.cli.fit_options import fit_values, typed_command
from gdcli.cli.help import Command
from gdcli.cli.inputs import input_files

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
    from gdcli.cli.output import Output
    from gdcli.cli.progress import Narrator, start_collecting
    from gdcli.cli.signals import last_exit_code
    from gdcli.fitting.options import FitOptions
    from gdcli.fitting.sweep import run_sweep
    from gdcli.report.sweep import sweep_report

    for name in ("l2", "l1"):
        if len(values[name]) > 1:
            raise click.UsageError(f"a sweep compares rates with one penalty: give --{name} once.")
    inputs = input_files(context, files)
    output = Output.of(context, values, inputs)
    if output.is_page and any(values["l1"]):
        raise click.UsageError("a page repeats descents without an l1 penalty: leave out --l1, or draw a picture.")
    chosen = FitOptions.of(**fit_values(values) | output.shown | {"every": None})
    start_collecting()
    with Narrator(output.quiet) as narrator:
        sweep = run_sweep(inputs, chosen, values["rates"], narrator)
    typed = typed_command(context) if output.is_page else None
    output.write(sweep_report(sweep, output.digits, typed))
    if sweep.interrupted:
        raise Interrupted(last_exit_code())
    return ExitCode.OK
