"""``gdfit predict``: a saved model's predictions beside the rows of a file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from gdcli.base.errors import ExitCode
from gdcli.cli import options
from gdcli.cli.help import Command
from gdcli.cli.inputs import input_files
from gdcli.cli.model_options import model_argument, output_option, reading_options
from gdcli.cli.options import OUTPUT, option
from gdcli.cli.types import Number

if TYPE_CHECKING:
    from gdcli.cli.output import Output

EXAMPLES = (
    ("gdfit housing.csv -t price --lr auto --save model.json", "fit and save a model"),
    ("gdfit predict model.json tomorrow.csv -o predicted.csv", "the rows, with a column price_predicted"),
    ("zcat new.csv.gz | gdfit predict model.json --only", "the predictions alone, in a pipeline"),
)


@click.command("predict", cls=Command, examples=EXAMPLES)
@model_argument
@options.file_arguments
@option(
    "--column", metavar="NAME", group=OUTPUT, common=True, help="Name of the new column.  [default: TARGET_predicted]"
)
@option("--only", is_flag=True, group=OUTPUT, common=True, help="Write the predictions alone.")
@option(
    "--as",
    "kind",
    type=click.Choice(("probability", "class")),
    default="probability",
    group=OUTPUT,
    common=True,
    help="Write the event's probability, or the more likely class (logistic models).  [default: probability]",
)
@option(
    "--interval",
    metavar="PERCENT",
    type=Number(positive=True),
    group=OUTPUT,
    common=True,
    help="Add intervals of this confidence, such as 95: _low and _high for one new value, _mean_low and _mean_high for "
    "the mean (least squares; scipy: pip install 'gdfit[stats]').",
)
@option("--strict", is_flag=True, group=OUTPUT, common=True, help="Exit with 4 when a row could not be predicted.")
@output_option
@options.quiet_option
@reading_options
@click.pass_context
def command(context: click.Context, /, model: str, files: tuple[str, ...], **values: Any) -> int:
    """Write the rows of FILE with one extra column: what a saved model predicts. A row that lacks a value, or has one
    that the model does not know, gets an empty cell. FILE is CSV or JSON lines, compressed or not, or Parquet
    (written as CSV); '-' or none is standard input.
    """
    from gdcli.cli.output import Output

    inputs = input_files(context, files)
    return run(model, inputs, Output.of(context, values, [model, *inputs]), values)


def run(model: str, inputs: Sequence[str], output: "Output", values: dict[str, Any]) -> int:
    """Write the predictions, say on stderr which rows have none, and return the exit code."""
    from gdcli.cli.failures import say
    from gdcli.cli.progress import Narrator
    from gdcli.models.model_file import load_model
    from gdcli.models.predict import PredictOptions, predict_files

    loaded = load_model(model)
    csv = options.chosen_csv_options(values, loaded.csv)
    classes = values["kind"] == "class"
    chosen = PredictOptions(
        column=values["column"],
        only=values["only"],
        classes=classes,
        interval=None if values["interval"] is None else values["interval"] / 100,
        csv=csv,
        jobs=values["jobs"],
    )
    with Narrator(values["quiet"]) as narrator:
        if output.path is None and output.stdout.terminal:
            narrator.begin(None)  # rows and a progress line would fight over the terminal
        with output.byte_stream() as write:
            tally = predict_files(loaded, inputs, chosen, write, narrator)
        if tally.unpredicted and not values["strict"]:
            narrator.note(str(tally))
    if tally.unpredicted and values["strict"]:
        say(f"Error: --strict: {tally}")
        return ExitCode.UNMET
    return ExitCode.OK
