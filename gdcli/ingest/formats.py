"""The registry of input formats: an input is of the first one whose ``sniff`` knows it."""

from typing import TYPE_CHECKING

from gdcli.base.listener import Listener
from gdcli.data.csv.format import CSV
from gdcli.data.csv.options import CsvOptions
from gdcli.data.formats import FOREIGN, PEEK_BYTES, Format
from gdcli.data.jsonl.format import JSON_ARRAY, JSON_LINES
from gdcli.data.parquet.format import PARQUET
from gdcli.data.streams import Stream
from gdcli.ingest.own_formats import MODEL, SUMMARY

if TYPE_CHECKING:
    from gdcli.data.source import Source

FORMATS: tuple[Format, ...] = (
    SUMMARY,
    MODEL,
    *FOREIGN,
    JSON_ARRAY,
    PARQUET,
    JSON_LINES,
    CSV,
)


def format_of(stream: Stream, options: CsvOptions) -> Format:
    """The format of an open input. Raises UsageError for an option that means nothing in it."""
    start = stream.peek(PEEK_BYTES)
    found = next(one for one in FORMATS if one.sniff(start, options))
    found.check_options(stream.name, options)
    return found


def open_input(stream: Stream, options: CsvOptions, listener: Listener) -> "Source":
    """The source that reads an open input. If this raises, the caller has to close the stream."""
    return format_of(stream, options).open(stream, options, listener)
