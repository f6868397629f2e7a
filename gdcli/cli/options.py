"""The options that commands share, as bundles: decorators that add them in the order of the help."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gdcli.cli.help import Option
from gdcli.cli.types import Assignment, ColumnName, Count, Number, Rate, Size, Word, file_type
from gdcli.engine.catalog import (
    CLASS_LOSS,
    ITERATIONS,
    LOSS_ENTRIES,
    OPTIMIZER_ENTRIES,
    SCALES,
    SCHEDULE_ENTRIES,
    choices,
)
from gdcli.report.writers import WRITERS

if TYPE_CHECKING:
    from gdcli.data.csv.options import CsvOptions

_FORMATS = tuple(WRITERS)

COLORS = {"auto": None, "always": True, "never": False}

TRACE_ENDINGS = (".csv", ".tsv", ".jsonl")

DIGITS = 6

COLUMNS, DESCENT, INPUT, OUTPUT = "Columns", "Descent", "Input", "Output"

CHECKS = "Validation and inference"

F = TypeVar("F", bound=Callable[..., Any])


def chosen_csv_options(values: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> "CsvOptions":
    """The CSV options among ``values``, checked; those not given come from ``before``, a model's, if it is given."""
    from gdcli.data.csv.options import CsvOptions

    return CsvOptions.of(values, before)


def bundle(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """One decorator that applies several; the help shows their options in this order."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def _color(context: click.Context, param: click.Parameter, value: str) -> None:
    context.color = COLORS[value]


def _mapping(context: click.Context, param: click.Parameter, pairs: tuple[tuple[str, float], ...]) -> dict[str, float]:
    if len(dict(pairs)) < len(pairs):
        raise click.UsageError(f"{param.opts[0]} is given twice for the same term.")
    return dict(pairs)


def option(*names: str, group: str, common: bool = False, **settings: Any) -> Callable[[F], F]:
    """A decorator that adds an option to a group of the help. With the metavar COLUMN a file completes it."""
    if settings.get("metavar") == "COLUMN":
        settings.setdefault("type", ColumnName())
    return click.option(*names, cls=Option, group=group, common=common, **settings)


file_arguments = click.argument("files", nargs=-1, metavar="[FILE]...", type=file_type())

choice_options: Callable[[F], F] = bundle(
    option(
        "--exclude", metavar="COLUMN", multiple=True, group=COLUMNS, common=True,
        help="Leave this column out; repeatable, also a,b or 'id*'.",
    ),
    option(
        "--categorical", metavar="COLUMN", multiple=True, group=COLUMNS, common=True,
        help="Treat this column's numbers as categories; repeatable.",
    ),
    option(
        "--date", "dates", metavar="COLUMN:FORMAT", multiple=True, group=COLUMNS,
        help="Read this column's dates by a format of strptime (day:%d.%m.%Y), as days since 1970-01-01; ISO 8601 "
        "needs none; repeatable.",
    ),
    option(
        "--max-levels", metavar="N", type=Count(1), default=50, show_default=True, group=COLUMNS,
        help="Most levels of a text column; one with more looks like an identifier and is refused.",
    ),
    option("--weights", metavar="COLUMN", group=COLUMNS, help="Weights of the rows, 0 or more."),
)  # fmt: skip

column_options: Callable[[F], F] = bundle(
    option("-t", "--target", metavar="COLUMN", group=COLUMNS, common=True,
        help="The column to predict, or a number made of columns: 'log(price)'.",
    ),
    option(
        "-x", "--feature", "features", metavar="COLUMN", multiple=True, group=COLUMNS, common=True,
        help="Predict from this column, or a term of columns: 'log(sqft)'; repeatable, also a,b or 'lat*'.  "
        "[default: all but the target]",
    ),
    choice_options,
    option(
        "--no-intercept", "intercept", is_flag=True, default=True, flag_value=False, group=COLUMNS,
        help="Fit through the origin: c = 0.",
    ),
    option(
        "--formula", metavar="FORMULA", type=ColumnName(), group=COLUMNS,
        help="Target and terms as in R, instead of -t, -x and --no-intercept: 'log(price) ~ sqft + C(type)*beds - 1'.",
    ),
)  # fmt: skip

described_column_options: Callable[[F], F] = bundle(
    option(
        "-t", "--target", metavar="COLUMN", group=COLUMNS, common=True,
        help="The column that a fit is to predict.  [default: none, all columns alike]",
    ),
    option(
        "-x", "--feature", "features", metavar="COLUMN", multiple=True, group=COLUMNS, common=True,
        help="Describe this column; repeatable, also a,b or 'lat*'.  [default: all]",
    ),
    choice_options,
)  # fmt: skip

by_option: Callable[[F], F] = option(
    "--by", metavar="COLUMN", multiple=True, group=COLUMNS,
    help="Fit each group of rows with the same text in this column by itself, in one pass; repeatable: one group per "
    "combination.",
)  # fmt: skip

summary_options: Callable[[F], F] = bundle(
    option(
        "-x", "--feature", "features", metavar="COLUMN", multiple=True, group=COLUMNS, common=True,
        help="Summarize this column, or a term: 'log(sqft)'; repeatable, also a,b or 'lat*'.  [default: all]",
    ),
    choice_options,
)  # fmt: skip

iterations_option: Callable[[F], F] = option(
    "-n", "--iterations", metavar="N", type=Count(0), default=ITERATIONS, show_default=True,
    group=DESCENT, common=True, help="Number of updates.",
)  # fmt: skip

scale_option: Callable[[F], F] = option(
    "--scale", type=click.Choice(SCALES), default=SCALES[0], show_default=True, group=DESCENT, common=True,
    help="Scale the columns for the descent; results are always in the file's units.",
)  # fmt: skip

l2_option: Callable[[F], F] = option(
    "--l2", metavar="A", type=Number(), multiple=True, group=DESCENT,
    help="Add A times the sum of the squared (scaled) slopes to the cost (ridge); repeatable: --cv chooses one of "
    "several values.",
)  # fmt: skip

l1_option: Callable[[F], F] = option(
    "--l1", metavar="B", type=Number(), multiple=True, group=DESCENT,
    help="Add B times the sum of the absolute slopes to the cost (lasso), which makes some exactly 0; repeatable.",
)  # fmt: skip

start_option: Callable[[F], F] = option(
    "--start", metavar="TERM=VALUE", type=Assignment(), multiple=True, group=DESCENT, callback=_mapping,
    help="Begin here instead of at 0, in the file's units; repeatable.",
)  # fmt: skip

optimizer_options: Callable[[F], F] = bundle(
    option(
        "--optimizer", metavar="NAME", type=Word("optimizer"), group=DESCENT,
        help=f"Step: {choices('optimizer')}.  [default: {OPTIMIZER_ENTRIES[0].name}]",
    ),
    option(
        "--schedule", metavar="NAME", type=Word("schedule"), group=DESCENT,
        help=f"Change of the rate with iteration k: {choices('schedule')}.  [default: {SCHEDULE_ENTRIES[0].name}]",
    ),
)  # fmt: skip

descent_options: Callable[[F], F] = bundle(
    option(
        "--lr", "learning_rate", metavar="RATE", type=Rate(), multiple=True, group=DESCENT, common=True,
        help="Learning rate; 'auto' takes the one that comes within 1 % of the minimum first and stays there, 'search' "
        "finds one for each iteration; repeatable: --cv chooses one of several.  [default: 0.01; newton: 1]",
    ),
    iterations_option,
    option(
        "--tol", "tolerance", metavar="NORM", type=Number(positive=True), group=DESCENT, common=True,
        help="Stop when the gradient's norm is below this.  [default: off]",
    ),
    optimizer_options,
    scale_option,
    l2_option,
    l1_option,
    start_option,
)  # fmt: skip

batch_options: Callable[[F], F] = bundle(
    option(
        "--batch-size", metavar="B", type=Count(1), group=DESCENT,
        help="Rows per iteration (stochastic descent); an epoch is a pass over all rows in a new order; at its end "
        "the full cost is computed.",
    ),
    option(
        "--epochs", metavar="E", type=Count(0), group=DESCENT,
        help="Passes over all rows, instead of -n.",
    ),
)  # fmt: skip

loss_options: Callable[[F], F] = bundle(
    option(
        "--loss", metavar="NAME", type=Word("loss"), group=DESCENT,
        help=f"Loss to minimize: {choices('loss')}.  [default: {LOSS_ENTRIES[0].name}]",
    ),
    option(
        "--event", metavar="VALUE", group=DESCENT,
        help=f"Value of the target whose probability is fitted (--loss {CLASS_LOSS}).  [default: the second in order]",
    ),
    option(
        "--memory", metavar="SIZE", type=Size(), group=INPUT,
        help="Memory for the rows that must be kept (every --loss but squared, --batch-size), such as 500M or 2G; the "
        "rest goes to a temporary file.  [default: half of what is free]",
    ),
)  # fmt: skip

resume_option: Callable[[F], F] = option(
    "--resume", metavar="MODEL", type=file_type(), group=DESCENT,
    help="Continue from a saved model, with its columns, optimizer and schedule, and its rate unless another is given.",
)  # fmt: skip

folds_options: Callable[[F], F] = bundle(
    option(
        "--cv", metavar="K", type=Count(2, 100), group=CHECKS,
        help="Cross-validate in K folds, besides the fit on all rows.",
    ),
    option(
        "--seed", metavar="N", type=Count(0), default=0, show_default=True, group=CHECKS,
        help="Seed that chooses the rows of the holdout and of the folds, and the order of batches.",
    ),
)  # fmt: skip

check_options: Callable[[F], F] = bundle(
    option(
        "--holdout", metavar="SHARE", type=Number(), group=CHECKS,
        help="Keep this share of the rows (such as 0.2) out of the fit and validate every iteration on them.",
    ),
    option(
        "--test", metavar="FILE", type=file_type(), group=CHECKS,
        help="Validate every iteration on the rows of another file with the same columns, which are not fitted.",
    ),
    option(
        "--patience", metavar="K", type=Count(1), group=CHECKS,
        help="Stop when the validation cost has not improved for K iterations (with --batch-size: epochs), and keep "
        "the best.",
    ),
    folds_options,
    option(
        "--inference", is_flag=True, group=CHECKS,
        help="Add standard errors, t, p, 95 % intervals, R², F (scipy: pip install 'gdfit[stats]').",
    ),
)  # fmt: skip

csv_options: Callable[[F], F] = bundle(
    option(
        "--sep", "separator", metavar="CHAR", group=INPUT,
        help="Field separator: a character, 'tab', or 'blanks' for runs of blanks.  [default: from the first line]",
    ),
    option(
        "--no-header", "header", is_flag=True, default=None, flag_value=False, group=INPUT,
        help="Read the first line as a row; columns are x1, x2 …",
    ),
    option(
        "--skip-rows", metavar="N", type=Count(0), group=INPUT, help="Leave out the first N lines, before the header.",
    ),
    option(
        "--comment", metavar="TEXT", group=INPUT,
        help="Leave out lines that begin with this, such as '#'. The last one above a first line of numbers gives the "
        "column names, if it has one for each.",
    ),
    option("--decimal", metavar="CHAR", group=INPUT, help="Decimal mark, such as ',' in 1,5.  [default: .]"),
    option("--thousands", metavar="CHAR", group=INPUT, help="Thousands separator, such as '.' in 1.234.567."),
    option("--quotechar", metavar="CHAR", group=INPUT, help="Quote around cells.  [default: \"]"),
    option(
        "--on-bad-row", type=click.Choice(("error", "skip")), group=INPUT,
        help="Stop at a row with another number of fields, or text among numbers; or skip and count it.  "
        "[default: error]",
    ),
    option(
        "--encoding", metavar="NAME", group=INPUT,
        help="Text encoding.  [default: utf-8, or as the byte-order mark says]",
    ),
)  # fmt: skip

local_input_options: Callable[[F], F] = bundle(
    option(
        "--na", metavar="TEXT", multiple=True, group=INPUT, common=True,
        help="Treat this text as missing too (empty, NA, NaN, null … always are); repeatable.",
    ),
    option(
        "--keep-na", is_flag=True, group=INPUT,
        help="Keep NA, NaN, null and the like as values; only empty cells and those of --na are missing.",
    ),
    option(
        "--missing", type=click.Choice(("drop", "error", "mean")), default="drop", show_default=True,
        group=INPUT, common=True, help="Drop a row that lacks a cell, refuse it, or fill in the column's mean (text: "
        "a level of its own).",
    ),
    csv_options,
    option(
        "--jobs", metavar="N", type=Count(1), group=INPUT,
        help="Number of threads; the result is the same for any.  [default: all cores that gdfit may use]",
    ),
)  # fmt: skip

input_options: Callable[[F], F] = bundle(
    local_input_options,
    option(
        "--dask", metavar="ADDRESS", group=INPUT,
        help="Read with a Dask cluster: a scheduler's address (tcp://host:8786), or local:N for N processes here "
        "(pip install 'gdfit[dask]').",
    ),
)  # fmt: skip

output_options: Callable[[F], F] = bundle(
    option(
        "--format", metavar="FORMAT", type=click.Choice(_FORMATS), default=_FORMATS[0], show_default=True,
        group=OUTPUT, common=True, help=f"Format of the result: {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}.",
    ),
    option(
        "-o", "--output", metavar="FILE", type=file_type(), group=OUTPUT, common=True,
        help="Write the result to a file, whole or not at all.",
    ),
    option(
        "--color", type=click.Choice(tuple(COLORS)), default="auto", show_default=True, group=OUTPUT,
        expose_value=False, callback=_color, help="Color the table on stdout; 'auto': on a terminal, unless NO_COLOR "
        "or FORCE_COLOR is set.",
    ),
)  # fmt: skip

quiet_option: Callable[[F], F] = option(
    "-q", "--quiet", is_flag=True, group=OUTPUT, common=True, help="Leave out notes, progress and the table."
)

trace_options: Callable[[F], F] = bundle(
    option(
        "--save", metavar="FILE", type=file_type(), group=OUTPUT,
        help="Write the model, for predict, score, export and --resume.",
    ),
    option(
        "--trace", metavar="FILE", type=file_type(lambda: TRACE_ENDINGS), group=OUTPUT, common=True,
        help="Write every iteration: .csv, .tsv or .jsonl; '-' is stdout, instead of the result.",
    ),
    option(
        "--explain", is_flag=True, group=OUTPUT,
        help="Show the arithmetic of the first iterations, step by step.",
    ),
    option(
        "--every", metavar="K", type=Count(1), group=OUTPUT, common=True,
        help="Show each K-th iteration; with --batch-size each K-th epoch.  [default: up to 30 of them]",
    ),
)  # fmt: skip


def _picture_endings() -> tuple[str, ...]:
    from gdcli.report.plots import KINDS, PAGE

    return (*KINDS, PAGE)


plot_options: Callable[[F], F] = bundle(
    option(
        "--plot", metavar="FILE", type=file_type(_picture_endings), group=OUTPUT,
        help="Draw a picture: .png, .svg or .pdf (matplotlib: pip install 'gdfit[plot]'); or a page to descend in: "
        ".html.",
    ),
    option(
        "--points", "most_points", metavar="N", type=Count(0, 100_000), group=OUTPUT,
        help="Rows drawn in a picture of one feature, at most; 0 leaves them out.  [default: 5000, in a page 1000]",
    ),
    option(
        "--chart", is_flag=True, group=OUTPUT,
        help="Draw the cost curve in the terminal, under the table (plotext: pip install 'gdfit[plot]').",
    ),
)  # fmt: skip

digits_option: Callable[[F], F] = option(
    "--digits", metavar="N", type=Count(1, 17), default=DIGITS, show_default=True, group=OUTPUT,
    help="Significant digits in tables.",
)  # fmt: skip

strict_option: Callable[[F], F] = option(
    "--strict", is_flag=True, group=OUTPUT, help="Exit with 4 when the descent has not converged."
)
