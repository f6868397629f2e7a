"""``gdfit describe``: what a fit would make of each column."""

from collections.abc import Sequence
from typing import Any

import click

from gdcli.base.errors import ExitCode
from gdcli.base.names import shell_word
from gdcli.cli import options
from gdcli.cli.command_line import given_words, parse
from gdcli.cli.help import Command, Option
from gdcli.cli.inputs import input_files

EXAMPLES = (
    ("gdfit describe housing.csv", "how each column is read, its figures, and what stands in the way of a fit"),
    ("gdfit describe housing.csv -t price --exclude 'l*'", "the roles of a fit, and its command"),
    ("gdfit describe data.parquet --format json | jq '.columns[] | select(.missing > 0).name'", "in a pipeline"),
)

_OF_COLUMNS = (
    *("target", "features", "exclude", "weights", "categorical", "dates", "na", "keep_na", "missing", "max_levels"),
)


@click.command("describe", cls=Command, examples=EXAMPLES)
@options.file_arguments
@options.described_column_options
@options.local_input_options
@options.output_options
@options.quiet_option
@options.digits_option
@click.pass_context
def command(context: click.Context, /, files: tuple[str, ...], **values: Any) -> int:
    """Describe each column of FILE as a fit would read it: number, date or category, missing cells, range, and what
    stands in the way, with the option that helps. FILE is CSV or JSON lines, compressed or not, Parquet, or a summary;
    '-' or none is standard input. The page to read before a fit.
    """
    from gdcli.cli.output import Output
    from gdcli.cli.progress import Narrator
    from gdcli.data.columns import ColumnOptions
    from gdcli.ingest.describe import run_describe
    from gdcli.ingest.read import ReadOptions
    from gdcli.report.describe import describe_report

    inputs = input_files(context, files)
    output = Output.of(context, values, inputs)
    columns = ColumnOptions(**{name: values[name] for name in _OF_COLUMNS})
    reading = ReadOptions(options.chosen_csv_options(values), values["jobs"])
    with Narrator(output.quiet) as narrator:
        found = run_describe(inputs, columns, reading, narrator)
    output.write(describe_report(found, lambda useless: _fit(context, useless), output.digits))
    return ExitCode.OK


def _fit(context: click.Context, useless: Sequence[str]) -> str:
    """The command line of the fit that the user's words lead to, without some columns."""
    own = [param for param in context.command.params if isinstance(param, click.Option)]
    words: list[str] = []
    for given in parse(given_words(context)[1:], own):
        if not (isinstance(given.option, Option) and given.option.group == options.OUTPUT):
            words += given.words
    target = [] if context.params.get("target") else ["-t", "COLUMN"]
    left_out = [word for name in useless for word in ("--exclude", name)]
    return " ".join(map(shell_word, ["gdfit", *words, *target, *left_out, "--lr", "auto"]))
