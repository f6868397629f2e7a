"""The format of Parquet files."""

from typing import TYPE_CHECKING

from gdcli.base.listener import Listener
from gdcli.data.csv.options import CsvOptions
from gdcli.data.formats import Format
from gdcli.data.streams import Stream

if TYPE_CHECKING:
    from gdcli.data.parquet.source import ParquetSource


def _open(stream: Stream, options: CsvOptions, listener: Listener) -> "ParquetSource":
    from gdcli.data.parquet.source import ParquetSource

    return ParquetSource(stream)


def _column_names(stream: Stream, options: CsvOptions) -> tuple[str, ...]:
    """The names in the schema."""
    from gdcli.data.parquet.arrow import open_parquet

    return tuple(open_parquet(stream).schema_arrow.names)


PARQUET = Format("Parquet", lambda start, options: start.startswith(b"PAR1"), _open, _column_names)
