"""``gdfit score``: how well a saved model predicts rows whose target is known."""

from typing import Any

import click

from gdcli.base.errors import ExitCode
from gdcli.cli import options
from gdcli.cli.help import Command
from gdcli.cli.inputs import input_files
from gdcli.cli.model_options import model_argument, reading_options
from gdcli.cli.options import COLUMNS, option
from gdcli.cli.types import Number

DEMANDS = "Demands"

EXAMPLES = (
    ("gdfit score model.json today.csv", "RMSE, MAE, R² and bias on today's rows"),
    ("gdfit score model.json today.csv --max-rmse 30000 -q || mail -s alarm me", "an alarm, for cron"),
    ("gdfit score model.json today.csv --format json | jq .rmse", "in a pipeline"),
)


@click.command("score", cls=Command, examples=EXAMPLES)
@model_argument
@options.file_arguments
@option("--max-rmse", metavar="X", type=Number(), group=DEMANDS, common=True, help="Exit with 4 when RMSE is above X.")
@option("--min-r2", metavar="X", type=Number(), group=DEMANDS, common=True, help="Exit with 4 when R² is below X.")
@option(
    "--weights",
    metavar="COLUMN",
    group=COLUMNS,
    common=True,
    help="Weights of the rows, 0 or more.  [default: all the same, also for a weighted fit]",
)
@options.output_options
@options.quiet_option
@options.digits_option
@reading_options
@click.pass_context
def command(context: click.Context, /, model: str, files: tuple[str, ...], **values: Any) -> int:
    """Measure how well a saved model predicts the rows of FILE, whose target is known. FILE is CSV or JSON lines,
    compressed or not, or Parquet; '-' or none is standard input. Rows without a prediction or a target are
    counted, and not used.
    """
    from gdcli.cli.failures import say
    from gdcli.cli.output import Output
    from gdcli.cli.progress import Narrator
    from gdcli.ingest.read import ReadOptions
    from gdcli.models.group_model import load_any_model
    from gdcli.models.score import Demands, score_files
    from gdcli.report.score import score_report

    inputs = input_files(context, files)
    output = Output.of(context, values, [model, *inputs])
    loaded = load_any_model(model)
    reading = ReadOptions(options.chosen_csv_options(values, loaded.csv), values["jobs"])
    with Narrator(output.quiet) as narrator:
        score = score_files(loaded, model, inputs, values["weights"], reading, narrator)
    demands = Demands(values["max_rmse"], values["min_r2"])
    output.write(score_report(score, demands, output.digits))
    unmet = score.unmet(demands)
    if unmet:
        say(f"Error: {'; '.join(unmet)}")
    return ExitCode.UNMET if unmet else ExitCode.OK
