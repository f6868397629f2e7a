"""``gdfit predict``: a saved model's predictions beside the rows of a file."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from gdcli.base.errors import ExitCode
from gdcli.cli import options
from gdcli.cli.help import Command
from gdcli.cli.inputs import input_files
from gdcli.cli.model_options import model_argument, output_option, reading_options
from gdcli.cli.options import OUTPUT, option

EXAMPLES = (
    ("gdfit housing.csv -t price --lr auto --save model.json", "fit and save a model"),
    ("gdfit predict model.json tomorrow.csv -o predicted.csv", "the rows, with a column price_predicted"),
    ("zcat new.csv.gz | gdfit predict model.json --only", "the predictions alone, in a pipeline"),
)


@click.command("predict", cls=Command, examples=EXAMPLES)
@model_argument
@options.file_arguments
@option(
    "--column", metavar="NAME", group=OUTPUT, common=True, help="The new column's name.  [default: TARGET_predicted]"
)
@option("--only", is_flag=True, group=OUTPUT, common=True, help="Write the predictions alone.")
@option(
    "--as",
    "kind",
    type=click.Choice(("probability", "class")),
    default="probability",
    group=OUTPUT,
    common=True,
    help="Of a logistic model: the event's probability, or the likelier class.  [default: probability]",
)
@option("--strict", is_flag=True, group=OUTPUT, common=True, help="Exit with 4 when a row could not be predicted.")
@output_option
@options.quiet_option
@reading_options
@click.pass_context
def command(context: click.Context, /, model: str, files: tuple[str, ...], **values: Any) -> int:
    """Write the rows of FILE with one column more: what a saved model predicts. A row that lacks a value, or has one
    that the model does not know, gets an empty cell. FILE is CSV or JSON lines, compressed or not, or Parquet, of which
    CSV is made; '-' or none is standard input.
    """
    inputs = input_files(context, files)
    path = _output_path(values["output"], model, inputs)
    return run(model, inputs, path, values)


def run(model: str, inputs: Sequence[str], path: str | None, values: dict[str, Any]) -> int:
    """Predict, and say on stderr which rows could not be."""
    from gdcli.cli.failures import say
    from gdcli.cli.progress import Narrator
    from gdcli.models.group_model import load_any_model
    from gdcli.models.predict import PredictOptions, predict_files

    loaded = load_any_model(model)
    csv = options.chosen_csv_options(values, loaded.csv)
    classes = values["kind"] == "class"
    chosen = PredictOptions(values["column"], values["only"], classes, csv, values["jobs"])
    with Narrator(values["quiet"]) as narrator:
        if path is None and sys.stdout is not None and sys.stdout.isatty():
            narrator.begin(None)  # rows and a progress line would fight over the terminal
        with _written(path) as write:
            tally = predict_files(loaded, inputs, chosen, write, narrator)
        if tally.unpredicted and not values["strict"]:
            narrator.note(str(tally))
    if tally.unpredicted and values["strict"]:
        say(f"Error: --strict: {tally}")
        return ExitCode.UNMET
    return ExitCode.OK


def _output_path(path: str | None, model: str, inputs: Sequence[str]) -> str | None:
    """Return where the rows go, None for stdout; refuse what could not be written later."""
    from gdcli.base.atomic import check_writable, same_file
    from gdcli.base.names import printable
    from gdcli.cli.failures import check_stdout
    from gdcli.cli.output import STDOUT

    if path is None or path == STDOUT:
        check_stdout()
        return None
    if any(same_file(path, one) for one in (model, *inputs)):
        raise click.UsageError(f"--output {printable(path)} would overwrite an input.")
    check_writable(path)
    return path


@contextmanager
def _written(path: str | None) -> Iterator[Callable[[bytes], object]]:
    """Yield what takes the bytes of the result: a whole file, or stdout."""
    if path is not None:
        from gdcli.base.atomic import whole_file

        with whole_file(path, "wb") as stream:
            yield stream.write
        return
    from gdcli.cli.outlets import Stdout

    stdout = Stdout(for_people=False)
    raw = None if stdout.terminal else getattr(sys.stdout, "buffer", None)
    yield (lambda data: stdout.write(data.decode("utf-8"))) if raw is None else _guarded(raw.write)
    stdout.finish()


def _guarded(write: Callable[[bytes], object]) -> Callable[[bytes], object]:
    """Return ``write`` with the errors of stdout worded; that a reader has gone is not one of them."""
    from gdcli.cli.failures import stdout_error

    def guarded(data: bytes) -> object:
        try:
            return write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise stdout_error(error) from error

    return guarded
