"""The records of a description: a table, and each of its columns."""

from gdcli import __version__
from gdcli.base.records import record
from gdcli.engine.column import level_order
from gdcli.ingest.figures import Figures


@record
class ColumnDescription:
    """A column: its ``role`` (target, feature, weights, left out), how it is read (``kind``: number, date, category;
    ``doubtful`` if a fit refuses it, for the reason and with the advice in ``doubt``), and its figures.
    """

    name: str
    role: str
    kind: str
    figures: Figures
    doubt: str = ""
    date_format: str | None = None

    @property
    def baseline(self) -> str | None:
        """The level that the others are compared with; None if the column is the target or no category."""
        values = self.figures.values
        return min(values, key=level_order) if self.kind == "category" and self.role != "target" and values else None

    def commonest(self, most: int) -> list[tuple[str, int]]:
        """The texts with the most cells and their counts; of equally many the first in the order of levels."""
        values = self.figures.values
        return sorted(values.items(), key=lambda one: (-one[1], level_order(one[0])))[:most] if values else []


@record
class Description:
    """A table, column by column, and its numbers of rows: ``read``, ``complete`` (with a value in every column that is
    used), and bad ones ``skipped``.
    """

    files: tuple[str, ...]
    target: str | None
    read: int
    complete: int
    skipped: int
    columns: tuple[ColumnDescription, ...]
    named: bool = False
    version: str = __version__
