"""``gdfit summarize``: parse → run → report."""

from collections.abc import Sequence
from typing import Any

import click

from gdcli.base.errors import ExitCode
from gdcli.cli import options
from gdcli.cli.help import Command
from gdcli.cli.inputs import input_files
from gdcli.cli.model_options import output_option

EXAMPLES = (
    ("gdfit summarize sales.csv -o sales.summary.json", "a few kilobytes, and no row of the file"),
    ("gdfit sales.summary.json --target price -x size", "any fit of its columns, without reading the file again"),
    ("gdfit summarize q.summary.json new.csv -o q.summary.json", "add today's rows"),
)


@click.command("summarize", cls=Command, examples=EXAMPLES)
@options.file_arguments
@options.summary_options
@options.input_options
@output_option
@options.quiet_option
@click.pass_context
def command(context: click.Context, /, files: tuple[str, ...], **values: Any) -> int:
    """Reduce FILE to a summary: a small JSON file that stands for its rows in every later fit, with any target and any
    features among its columns. FILE is CSV or JSON lines, compressed or not, Parquet, or another summary; '-' or none
    is standard input. Rows that lack a cell in any summarized column are left out.
    """
    from gdcli.cli.output import Output
    from gdcli.cli.progress import Narrator
    from gdcli.data.columns import ColumnOptions
    from gdcli.ingest.read import ReadOptions
    from gdcli.ingest.summarize import gap_phrases, run_summarize, summary_phrase
    from gdcli.ingest.summary import summary_as_json

    inputs = input_files(context, files)
    output = Output.of(context, values, _kept(values["output"], inputs))
    of_columns = ("features", "exclude", "weights", "categorical", "dates", "na", "keep_na", "missing", "max_levels")
    columns = ColumnOptions(target=None, **{name: values[name] for name in of_columns}, summary=True)
    reading = ReadOptions(options.chosen_csv_options(values), values["jobs"], dask=values["dask"])
    with Narrator(values["quiet"]) as narrator:
        summary = run_summarize(inputs, columns, reading, narrator)
        if not output.has_screen:
            narrator.note(summary_phrase(summary))
    output.write_text(summary_as_json(summary))
    if output.has_screen:
        from gdcli.report.summary import summary_screen

        path = values["output"]
        output.write_screen(lambda page: summary_screen(summary, gap_phrases(summary), path, page))
    return ExitCode.OK


def _kept(output: str | None, inputs: Sequence[str]) -> list[str]:
    """The inputs that the output must not overwrite: all but a summary, which may be replaced by its successor."""
    from gdcli.base.path_kinds import same_file
    from gdcli.ingest.own_formats import is_summary

    def refreshed(path: str) -> bool:
        if output is None or not same_file(output, path):
            return False
        try:
            with open(path, "rb") as stream:
                return is_summary(stream.read(1024))
        except OSError:
            return False

    return [path for path in inputs if not refreshed(path)]
