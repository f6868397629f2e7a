"""``gdfit sweep``: several learning rates side by side."""

from typing import Any

import click

from gdcli.cli import options
from gdcli.cli.fit_options import fit_values, typed_command
from gdcli.cli.help import Command
from gdcli.cli.inputs import input_files
from gdcli.cli.types import Number

EXAMPLES = (
    ("gdfit sweep housing.csv --target price", "seven rates around the largest stable one"),
    ("gdfit sweep housing.csv -t price --lr 0.001 --lr 0.01 --lr 0.1", "these three"),
    ("gdfit sweep housing.csv -t price --optimizer momentum --cv 5", "of another optimizer, with validation costs"),
)


rates_options = options.bundle(
    options.option(
        "--lr", "rates", metavar="RATE", type=Number(positive=True), multiple=True, group=options.DESCENT, common=True,
        help="Learning rate; repeatable.  [default: seven around the largest stable one]",
    ),
    options.iterations_option,
    options.optimizer_options,
    options.scale_option,
    options.l2_option,
    options.l1_option,
    options.start_option,
)  # fmt: skip


@click.command("sweep", cls=Command, examples=EXAMPLES, listens=True)
@options.file_arguments
@options.column_options
@options.by_option
@rates_options
@options.loss_options
@options.folds_options
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
    from gdcli.fitting.sweep import run_group_sweeps, run_sweep
    from gdcli.report.sweep import format_reasons, group_sweeps_report, sweep_report

    for name in ("l2", "l1"):
        if len(values[name]) > 1:
            raise click.UsageError(f"a sweep compares rates with one penalty: give --{name} once.")
    inputs = input_files(context, files)
    output = Output.of(context, values, inputs)
    chosen = FitOptions.of(**fit_values(values) | output.shown | {"every": None})
    plain = chosen.descent.optimizer.plain and chosen.descent.schedule.constant and not chosen.model.loss.needs_rows
    if output.is_page and not values["by"] and (any(values["l1"]) or not plain):
        raise click.UsageError(
            "a page repeats plain descents of squared errors without an l1 penalty: draw a picture (.png) instead."
        )
    start_collecting()
    typed = typed_command(context) if output.is_page else None
    if values["by"]:
        with Narrator(output.quiet) as narrator:
            found = run_group_sweeps(inputs, chosen, values["rates"], narrator)
            for reason in () if output.format == "table" else format_reasons(found):
                narrator.note(f"no sweep of {reason}")
        output.write(group_sweeps_report(found, output.digits, typed))
        if any(sweep is not None and sweep.interrupted for sweep in found.sweeps):
            raise Interrupted(last_exit_code())
        return ExitCode.OK
    with Narrator(output.quiet) as narrator:
        sweep = run_sweep(inputs, chosen, values["rates"], narrator)
    output.write(sweep_report(sweep, output.digits, typed))
    if sweep.interrupted:
        raise Interrupted(last_exit_code())
    return ExitCode.OK
