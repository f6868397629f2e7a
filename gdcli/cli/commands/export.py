"""``gdfit export``: a saved model as an expression of another language."""

from typing import Any

import click

from gdcli.base.errors import DataError, ExitCode
from gdcli.base.names import listed, quoted
from gdcli.cli.help import Command
from gdcli.cli.model_options import model_argument, output_option
from gdcli.cli.options import OUTPUT, option

# The names of EXPORTERS: its module loads NumPy, which help and completion do without.
LANGUAGES = ("sql", "sql:sqlite", "sql:duckdb", "sql:postgres", "sql:mysql", "python", "mlr")

EXAMPLES = (
    ('sqlite3 sales.db "SELECT *, $(gdfit export model.json --to sql:sqlite) FROM homes"', "predictions in a database"),
    ("mlr --csv put '$p = '\"$(gdfit export model.json --to mlr)\" homes.csv", "a new field p with Miller"),
    ("gdfit export model.json --to python -o model.txt", "Python, for a mapping named row"),
)


@click.command("export", cls=Command, examples=EXAMPLES)
@model_argument
@option(
    "--to",
    "language",
    metavar="LANGUAGE",
    type=click.Choice(LANGUAGES),
    required=True,
    group=OUTPUT,
    common=True,
    help="Language: python, mlr, sql, or the dialect of an engine: sql:sqlite, sql:duckdb, sql:postgres, sql:mysql.",
)
@output_option
@click.pass_context
def command(context: click.Context, /, model: str, **values: Any) -> int:
    """Write a saved model as one expression, c + m1*x1 + …, of SQL, Python or Miller's DSL. A row that predict gives
    no prediction gives NULL, nan or an empty field; a column that is not there is an error. In sql, sql:duckdb and
    sql:postgres the columns of numbers must have a numeric type; sql:sqlite and sql:mysql read text too.
    """
    from gdcli.cli.output import Output
    from gdcli.models.export import EXPORTERS
    from gdcli.models.model_file import load_model

    output = Output.of(context, values, [model])
    loaded = load_model(model)
    if loaded.dates:
        raise DataError(
            f"{quoted(model)} reads dates as days since 1970-01-01 ({listed(map(quoted, loaded.dates))}), "
            "which no expression does: use gdfit predict"
        )
    output.write_text(f"{EXPORTERS[values['language']](loaded)}\n")
    return ExitCode.OK
