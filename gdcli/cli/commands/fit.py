"""``gdfit fit``: parse → run → report."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from gdcli.base.errors import ExitCode, Interrupted
from gdcli.base.names import printable
from gdcli.cli import options
from gdcli.cli.failures import say
from gdcli.cli.fit_options import command_line, fit_length, fit_values, typed_command
from gdcli.cli.help import Command
from gdcli.cli.inputs import input_files

if TYPE_CHECKING:
    from gdcli.cli.output import Output
    from gdcli.fitting.group_results import GroupFits
    from gdcli.fitting.results import Fit
    from gdcli.report.advice import RateCommand as Again
    from gdcli.report.page.contents import TypedCommand

EXAMPLES = (
    ("gdfit housing.csv --target price --lr 0.01", "the iterations and the coefficients"),
    ("gdfit housing.csv -t price -x sqft -x beds --lr auto", "two features, the fastest rate"),
    ("zcat sales.csv.gz | gdfit -t amount --format json | jq .r2", "in a pipeline"),
    ("gdfit housing.csv -t price -n 5000 --trace trace.csv -q", "every iteration in a file"),
)


@click.command("fit", cls=Command, examples=EXAMPLES, listens=True)
@options.file_arguments
@options.column_options
@options.by_option
@options.descent_options
@options.batch_options
@options.loss_options
@options.resume_option
@options.check_options
@options.input_options
@options.output_options
@options.trace_options
@options.plot_options
@options.quiet_option
@options.digits_option
@options.strict_option
@click.pass_context
def command(context: click.Context, /, files: tuple[str, ...], **values: Any) -> int:
    """Fit a regression by gradient descent: every iteration, the final coefficients beside the exact optimum, and
    which learning rates work. FILE is CSV or JSON lines, compressed or not, or Parquet; '-' or none is standard input.
    """
    from gdcli.cli.output import Output

    inputs = input_files(context, files)
    values |= fit_length(context, values)
    output = Output.of(context, values, [*inputs, *([] if values["test"] is None else [values["test"]])])
    if values["resume"] is not None:
        output.check_kept("the model to resume", values["resume"])
    if values["explain"] and not output.has_table:
        raise click.UsageError("--explain is for people: give it with the table format only.")
    typed = typed_command(context) if output.is_page else None
    if values["by"]:
        return _run_groups(inputs, values, output, typed)
    return run(inputs, values, output, command_line(context, values), typed)


def run(
    inputs: Sequence[str],
    values: Mapping[str, Any],
    output: "Output",
    again: "Again",
    typed: "TypedCommand | None" = None,
) -> int:
    """Fit, write the result, and return the exit code; ``again`` words the command line with another rate."""
    from gdcli.api import parse_options, run_fit
    from gdcli.cli.progress import Narrator
    from gdcli.engine.descent import Stopped
    from gdcli.report.fit import fit_report

    options, starts = parse_options(fit_values(values) | output.shown | {"resume": values["resume"]})
    with output:
        with Narrator(output.quiet) as narrator, output.recorders(narrator) as recorders:
            fit = run_fit(inputs, options, recorders, narrator, starts.get(()))
        interrupted = fit.descent.stopped is Stopped.INTERRUPTED
        if interrupted and output.trace_path is not None:
            reached = f"the iterations up to {fit.descent.iterations:,}"
            narrator.note(f"--trace {printable(output.trace_path)} has {reached}, where the descent was interrupted")
        if not (fit.diverged or interrupted):
            output.save_model(lambda: _model(fit))
        every = output.every is not None
        report = fit_report(fit, output.digits, again, iterations=not output.live, every=every, typed=typed)
        output.write(report)
    return _exit_code(fit, values, output, again)


def _exit_code(fit: "Fit", values: Mapping[str, Any], output: "Output", again: "Again") -> int:
    """Say on stderr what stdout does not say, and return the exit code."""
    from gdcli.cli import signals
    from gdcli.engine.descent import Stopped
    from gdcli.report.verdict import verdict

    if fit.descent.stopped is Stopped.INTERRUPTED:
        raise Interrupted(signals.last_exit_code())
    if fit.diverged:
        if not output.table_on_stdout:
            say(f"Error: {verdict(fit, again).text}")
        return ExitCode.DIVERGED
    return ExitCode.OK if fit.descent.converged else _not_converged(verdict(fit).sentences[0], values, output)


def _not_converged(message: str, values: Mapping[str, Any], output: "Output") -> int:
    if values["strict"]:
        say(f"Error: --strict: {message}")
        return ExitCode.UNMET
    if not output.quiet and output.format != "table":
        say(f"note: {message}")
    return ExitCode.OK


def _model(found: "Fit | GroupFits") -> str:
    """The text of a model file."""
    from gdcli.models.model_file import model_as_json

    return model_as_json(found)


# --- one fit per group


def _run_groups(
    inputs: Sequence[str], values: Mapping[str, Any], output: "Output", typed: "TypedCommand | None"
) -> int:
    """Fit each group, write the result, and return the exit code."""
    from gdcli.api import parse_options, run_groups
    from gdcli.cli.progress import Narrator
    from gdcli.report.groups import groups_report

    options, starts = parse_options(fit_values(values) | output.shown | {"resume": values["resume"]})
    with Narrator(output.quiet) as narrator, output.group_recorders() as recorders:
        fits = run_groups(inputs, options, recorders, narrator, starts, output.save is not None)
    if not (fits.diverged or fits.interrupted):
        output.save_model(lambda: _model(fits))
    output.write(groups_report(fits, output.digits, typed))
    return _exit_code_of_groups(fits, values, output)


def _exit_code_of_groups(fits: "GroupFits", values: Mapping[str, Any], output: "Output") -> int:
    """Say on stderr what stdout does not say, and return the exit code."""
    from gdcli.base.names import count_of
    from gdcli.cli import signals
    from gdcli.fitting.group_results import Verdict
    from gdcli.report.groups import format_divergence

    if fits.interrupted:
        raise Interrupted(signals.last_exit_code())
    if fits.diverged:
        if not output.table_on_stdout:
            say("Error: " + "\n".join(format_divergence(fits)))
        return ExitCode.DIVERGED
    slow = len(fits.with_verdict(Verdict.NOT_CONVERGED))
    message = f"{count_of(slow, 'group')} of {len(fits.groups):,} not converged"
    return _not_converged(message, values, output) if slow else ExitCode.OK
