"""``gdfit score``: how well a saved model predicts rows whose target is known."""

from collections.abc import Callable
from typing import Any

import click

from gdcli.base.errors import ExitCode
from gdcli.base.names import printable
from gdcli.cli import options
from gdcli.cli.help import Command
from gdcli.cli.inputs import input_files
from gdcli.cli.model_options import model_argument, reading_options
from gdcli.cli.options import COLUMNS, OUTPUT, F, option
from gdcli.cli.types import Number, file_type
from gdcli.engine.catalog import DEMAND_ENTRIES

DEMANDS = "Demands"

EXAMPLES = (
    ("gdfit score model.json today.csv", "RMSE, MAE, R² and bias on today's rows"),
    ("gdfit score model.json today.csv --max-rmse 30000 -q || mail -s alarm me", "an alarm, for cron"),
    ("gdfit score model.json today.csv --format json | jq .rmse", "in a pipeline"),
    ("gdfit score model.json today.csv --plot score.svg", "predicted against actual, and the residuals"),
    ("gdfit score old.json new.json today.csv", "two models side by side, on the same rows"),
)


demand_options: Callable[[F], F] = options.bundle(
    *(
        option(
            entry.option,
            metavar="X",
            type=Number(),
            group=DEMANDS,
            common=entry.key in ("rmse", "r2"),
            help=f"Exit with 4 when {entry.label} is {'above' if entry.sense == 'max' else 'below'} X.",
        )
        for entry in DEMAND_ENTRIES
    )
)


@click.command("score", cls=Command, examples=EXAMPLES)
@model_argument
@options.file_arguments
@demand_options
@option(
    "--weights",
    metavar="COLUMN",
    group=COLUMNS,
    common=True,
    help="Weights of the rows, 0 or more.  [default: all the same, also for a weighted fit]",
)
@options.output_options
@option(
    "--plot",
    metavar="FILE",
    type=file_type(),
    group=OUTPUT,
    help="Draw predicted against actual and the residuals (logistic models: calibration and ROC) of a sample: .png, "
    ".svg or .pdf (matplotlib: pip install 'gdfit[plot]').",
)
@options.quiet_option
@options.digits_option
@reading_options
@click.pass_context
def command(context: click.Context, /, model: str, files: tuple[str, ...], **values: Any) -> int:
    """Measure how well a saved model predicts the rows of FILE, whose target is known; several models are compared on
    the same rows. FILE is CSV or JSON lines,
    compressed or not, or Parquet; '-' or none is standard input. Rows without a prediction or a target are
    counted, and not used.
    """
    from gdcli.cli.failures import say
    from gdcli.cli.output import Output
    from gdcli.cli.progress import Narrator
    from gdcli.ingest.read import ReadOptions
    from gdcli.models.model_file import load_model
    from gdcli.models.score import Demands, score_models
    from gdcli.report.score import score_report, scores_report

    models, data = _apart(model, files)
    if values["plot"] is not None and len(models) > 1:
        raise click.UsageError("--plot draws one model: score them one by one.")
    inputs = input_files(context, data)
    output = Output.of(context, values, [*models, *inputs])
    if output.is_page:
        raise click.UsageError("--plot draws a score as .png, .svg or .pdf; a page is for a fit or a sweep.")
    loaded = {path: load_model(path) for path in models}
    demands = Demands(**{entry.name: values[entry.name] for entry in DEMAND_ENTRIES})
    for path, one in loaded.items():
        demands.check_loss(one.loss, path)
    reading = ReadOptions(options.chosen_csv_options(values, loaded[model].csv), values["jobs"])
    with Narrator(output.quiet) as narrator:
        scores = score_models(loaded, inputs, values["weights"], reading, narrator)
    several = len(scores) > 1
    report = (
        scores_report(scores, demands, output.digits) if several else score_report(scores[0], demands, output.digits)
    )
    output.write(report)
    unmet = [
        f"{printable(score.model)}: {said}" if several else said for score in scores for said in score.unmet(demands)
    ]
    if unmet:
        say(f"Error: {'; '.join(unmet)}")
    return ExitCode.UNMET if unmet else ExitCode.OK


def _apart(model: str, files: tuple[str, ...]) -> tuple[list[str], tuple[str, ...]]:
    """The models and the files among the arguments; models come first and are known by their content."""
    from gdcli.ingest.own_formats import is_model_file

    models, rest = [model], list(files)
    while rest and is_model_file(rest[0]):
        models.append(rest.pop(0))
    return models, tuple(rest)
