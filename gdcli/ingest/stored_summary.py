"""The fields of a summary file, as records: written by their fields, and checked by their annotations when read."""

from collections.abc import Mapping

from gdcli.base.records import field, record
from gdcli.data.expressions.stored import StoredComputed
from gdcli.data.source import FileMark


@record
class StoredColumn:
    """A column in a summary file; ``kind`` is text or numeric."""

    name: str
    kind: str


@record
class StoredRows:
    """The counts of rows that a summary file holds, as in RowCounts."""

    read: int
    used: int
    dropped_by_column: Mapping[str, int]
    filled: Mapping[str, int] = field(default_factory=dict)


@record
class StoredTriangle:
    """The triangle in a summary file."""

    columns: tuple[tuple[str, str | None], ...]
    count: int
    weight: float
    shift: tuple[float, ...]
    minimum: tuple[float | None, ...]
    maximum: tuple[float | None, ...]
    R: tuple[tuple[float, ...], ...]
    R_rounding: tuple[tuple[float, ...], ...]


@record
class StoredSummary:
    """The fields of a summary file that are read. Fields with a default are missing in older files."""

    columns: tuple[StoredColumn, ...]
    files: tuple[str, ...]
    weights: str | None
    rows: StoredRows
    triangle: StoredTriangle
    missing: str = "drop"
    sources: tuple[FileMark, ...] = ()
    dates: Mapping[str, str] = field(default_factory=dict)
    computed: tuple[StoredComputed, ...] = ()
