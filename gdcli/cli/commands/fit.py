"""``gdfit fit``: parse → run → report."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from gdcli.base.errors import ExitCode, Interrupted
from gdcli.cli import options
from gdcli.cli.fit_options import command_line, fit_length, fit_values
from gdcli.cli.help import Command
from gdcli.cli.inputs import input_files

if TYPE_CHECKING:
    from gdcli.cli.outlets import LinesRecorder, Stdout
    from gdcli.cli.output import Output
    from gdcli.fitting.fit import Recorder
    from gdcli.fitting.results import Fit
    from gdcli.report.verdict import RateCommand as Again

# A table holds up to so many iterations; more are printed as plain lines, as they come.
LONGEST_TABLE = 1000

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
    if values["by"]:
        from gdcli.cli.commands import by

        by.check_options(context)
        return by.run(inputs, values, Output.of(context, values, inputs))
    output = Output.of(context, values, inputs)
    if values["resume"] is not None:
        output.check_kept("the model to resume", values["resume"])
    if values["explain"] and not output.has_table:
        raise click.UsageError("--explain is for people: give it with the table format only.")
    return run(inputs, values, output, command_line(context, values))


def run(inputs: Sequence[str], values: Mapping[str, Any], output: "Output", again: "Again") -> int:
    """Fit, write the result, and return the exit code. Files are complete before stdout gets the result."""
    from gdcli.cli.outlets import Stdout

    stdout = Stdout(for_people=output.table_on_stdout, patient=bool(output.files))
    with ExitStack() as stack:
        lines = _lines(values, output, stdout, stack)
        fit = _fit(inputs, values, output, stdout, lines)
        _save_model(fit, output)
        output.drawing.write(lambda kind: _picture(fit, kind))
        _write_result(fit, output, stdout, lines, again)
    stdout.finish()
    return _exit_code(fit, output, again)


def _lines(values: Mapping[str, Any], output: "Output", stdout: "Stdout", stack: ExitStack) -> "LinesRecorder | None":
    """Return what prints the iterations as they come, where they are too many for a table."""
    rows = values["iterations"] if values["epochs"] is None else values["epochs"]
    if not (output.has_table and output.every and rows // output.every > LONGEST_TABLE):
        return None
    from gdcli.base.atomic import whole_file
    from gdcli.cli.outlets import LinesRecorder
    from gdcli.cli.terminal import terminal_columns

    if output.path is not None:
        return LinesRecorder(stack.enter_context(whole_file(output.path)), output.digits, None, output.every)
    return LinesRecorder(stdout, output.digits, terminal_columns() if stdout.terminal else None, output.every)


def _fit(
    inputs: Sequence[str],
    values: Mapping[str, Any],
    output: "Output",
    stdout: "Stdout",
    lines: "LinesRecorder | None",
) -> "Fit":
    """Read and descend; the trace file is complete afterwards."""
    from gdcli.api import parse_options, run_fit
    from gdcli.base.names import printable
    from gdcli.cli.progress import Narrator
    from gdcli.engine.descent import Stopped

    if output.format == "table":
        import gdcli.report.fit  # noqa: F401  # here, while importing is cheap
    shown = {"every": output.every if lines is None else None} | output.drawing.values
    options, resume = parse_options(fit_values(values) | shown | {"resume": values["resume"]})
    with Narrator(output.quiet) as narrator, ExitStack() as stack:
        recorders: list[Recorder] = [] if lines is None else [lines]
        if output.trace is not None:
            recorders.append(_trace(output.trace, output, stdout, stack))
        if stdout.terminal and (output.trace_on_stdout or (lines is not None and output.path is None)):
            recorders.insert(0, narrator)
        fit = run_fit(inputs, options, recorders, narrator, resume)
    if output.trace_path is not None and fit.descent.stopped is Stopped.INTERRUPTED:
        reached = f"the iterations up to {fit.descent.iterations:,}"
        narrator.note(f"--trace {printable(output.trace_path)} has {reached}, where the descent was interrupted")
    return fit


def _save_model(fit: "Fit", output: "Output") -> None:
    """Write the model, unless the descent diverged or was interrupted."""
    from gdcli.engine.descent import Stopped

    if output.save is not None and not fit.diverged and fit.descent.stopped is not Stopped.INTERRUPTED:
        from gdcli.base.atomic import whole_file
        from gdcli.models.model_file import model_as_json

        with whole_file(output.save) as stream:
            stream.write(model_as_json(fit))


def _trace(path: str, output: "Output", stdout: "Stdout", stack: ExitStack) -> "Recorder":
    """Return what writes every iteration, to a file or instead of the result."""
    from gdcli.base.atomic import whole_file
    from gdcli.cli.outlets import TraceRecorder
    from gdcli.report.formats import TRACE_WRITERS

    if output.trace_on_stdout:
        return TraceRecorder(stdout, TRACE_WRITERS[".csv"])
    return TraceRecorder(stack.enter_context(whole_file(path)), TRACE_WRITERS[output.trace_ending])


def _picture(fit: "Fit", kind: str) -> bytes:
    from gdcli.report.plots import picture_of_fit

    return picture_of_fit(fit, kind)


def _write_result(
    fit: "Fit", output: "Output", stdout: "Stdout", lines: "LinesRecorder | None", again: "Again"
) -> None:
    if lines is not None:
        lines.finish()
    if output.path is None:
        if output.has_result:
            write = stdout.draw if output.format == "table" else stdout.write
            write(_text(fit, output, again, stdout, lines is None))
        return
    text = _text(fit, output, again, None, lines is None)
    if lines is not None:
        lines.stream.write(text)
    elif text:
        from gdcli.base.atomic import whole_file

        with whole_file(output.path) as stream:
            stream.write(text)


def _text(fit: "Fit", output: "Output", again: "Again", stdout: "Stdout | None", iterations: bool) -> str:
    """Return the result in its format, for stdout or for a file."""
    if output.format == "table":
        from gdcli.cli.terminal import render_table, wants_colour
        from gdcli.report.fit import print_fit

        page = (stdout.encoding, stdout.terminal, wants_colour(stdout.terminal)) if stdout else ("utf-8", False, False)
        text = render_table(
            lambda console: print_fit(fit, console, digits=output.digits, command=again, iterations=iterations),
            *page,
        )
        if output.drawing.chart:
            from gdcli.cli.drawing import chart_under
            from gdcli.report.chart import chart_of_fit

            text += chart_under(lambda paper, colour: chart_of_fit(fit, paper, colour), *page)
        return text
    from gdcli.report import formats

    if output.format == "json":
        return formats.fit_as_json(fit)
    if output.format == "markdown":
        return formats.fit_as_markdown(fit, output.digits)
    return formats.fit_as_csv(fit, "\t" if output.format == "tsv" else ",")


def _exit_code(fit: "Fit", output: "Output", again: "Again") -> int:
    """Say on stderr what stdout does not say, and return the exit code."""
    from gdcli.cli import signals
    from gdcli.cli.failures import say
    from gdcli.engine.descent import Stopped
    from gdcli.report.verdict import verdict

    if fit.descent.stopped is Stopped.INTERRUPTED:
        raise Interrupted(signals.received())
    if fit.diverged:
        if not output.table_on_stdout:
            say("Error: " + "\n".join(verdict(fit, again)))
        return ExitCode.DIVERGED
    if fit.descent.converged:
        return ExitCode.OK
    if output.strict:
        say(f"Error: --strict: {verdict(fit)[0]}")
        return ExitCode.UNMET
    if not output.quiet and output.format != "table":
        say(f"note: {verdict(fit)[0]}")
    return ExitCode.OK
