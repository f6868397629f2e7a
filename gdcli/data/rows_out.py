"""The writer of rows with predictions, by the form of the first input."""

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.data.csv.rewrite import CsvRows
from gdcli.data.csv.source import CsvSource
from gdcli.data.jsonl.rewrite import JsonRows
from gdcli.data.jsonl.source import JsonLinesSource
from gdcli.data.table import Source


def rows_out(first: Source, column: str, only: bool, classes: tuple[str, str] | None) -> "CsvRows | JsonRows":
    """Return what writes rows as the first input has them, with a further ``column``, or this ``only``.

    With ``classes`` predictions are probabilities of the second one, and the likelier class is written.
    """
    if column in first.names and not only and (not isinstance(first, CsvSource) or first.dialect.header):
        raise DataError(f"{quoted(first.name)} has a column {quoted(column)} already; name another with --column")
    form = JsonRows if isinstance(first, JsonLinesSource) else CsvRows
    return form(first, column, only, classes)
