"""What kind of table an input is, known by its first bytes, whatever its name; and which options have a place there."""

import re
from enum import Enum
from typing import TYPE_CHECKING

from gdcli.base.errors import DataError, UsageError
from gdcli.base.listener import Listener
from gdcli.base.names import quoted, shell_word
from gdcli.data.csv.options import CsvOptions
from gdcli.data.streams import Stream

if TYPE_CHECKING:
    from gdcli.data.csv.source import CsvSource
    from gdcli.data.jsonl.source import JsonLinesSource
    from gdcli.data.parquet import ParquetSource

# Enough of a text's start to tell.
PEEK_BYTES = 256

_ARRAY = re.compile(rb"\s*\[\s*[\[{\]]")

# A brace alone begins a column's name in CSV too: after it an object has a key, perhaps cut off, or ends.
_OBJECT = re.compile(rb"\s*\{\s*(\}|\"(?:[^\"\\\r\n]|\\.)*(?:\"\s*(?::|\Z)|\\?\Z)|\Z)", re.DOTALL)

OPTION_OF = {
    "separator": "--sep",
    "header": "--no-header",
    "skip_rows": "--skip-rows",
    "decimal": "--decimal",
    "thousands": "--thousands",
    "quotechar": "--quotechar",
    "comment": "--comment",
    "on_bad_row": "--on-bad-row skip",
    "encoding": "--encoding",
}


def is_own(start: bytes) -> bool:
    """Whether a file that begins so is one of gdfit's own."""
    return start.lstrip().startswith(b"{") and b'"gdfit.' in start[:PEEK_BYTES]


def is_summary(start: bytes) -> bool:
    """Whether a file that begins so is a summary."""
    return is_own(start) and b'"gdfit.summary/' in start[:PEEK_BYTES]


# What other files begin with, what they are, and the command that makes a CSV of them.
_SHEET = "libreoffice --headless --convert-to csv {}"

_PANDAS = """python3 -c 'import pandas, sys; pandas.{}(sys.argv[1]).to_csv(sys.argv[2], index=False)' {{}} data.csv"""

_FOREIGN = (
    (re.compile(rb"PK\x03\x04.{26}mimetype.*opendocument", re.DOTALL), "an OpenDocument file", _SHEET),
    (re.compile(rb"PK\x03\x04"), "a zip archive or an Excel workbook (.xlsx)", _SHEET),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "an Excel workbook (.xls)", _SHEET),
    (re.compile(rb"<stata_dta>|[\x71-\x73][\x01\x02]\x01\x00"), "a Stata file (.dta)", _PANDAS.format("read_stata")),
    (re.compile(rb"\$FL[23]"), "an SPSS file (.sav)", _PANDAS.format("read_spss")),
    (re.compile(rb"ARROW1|FEA1"), "a Feather file", _PANDAS.format("read_feather")),
    (re.compile(rb"%PDF-"), "a PDF", "pdftotext -layout {} data.txt"),
    (re.compile(rb"\s*<(!doctype html|html|table)", re.IGNORECASE), "HTML", _SHEET),
)


class FileKind(Enum):
    """The value is what a user calls it."""

    CSV = "CSV"
    JSON_LINES = "JSON lines"
    PARQUET = "Parquet"


# What of the options for CSV text means something elsewhere.
_SHARED = {FileKind.JSON_LINES: ("on_bad_row", "encoding"), FileKind.PARQUET: ()}


def kind_of(start: bytes, name: str, options: CsvOptions) -> FileKind:
    """Return the kind of an input that begins so. Raises UsageError where an option has no place in it."""
    for beginning, what, command in _FOREIGN:
        if beginning.match(start):
            way_out = command.format(shell_word(name))
            raise DataError(f"{quoted(name)} is {what}, no table that gdfit reads; to make one of it: {way_out}")
    if _ARRAY.match(start):
        raise DataError(
            f"{quoted(name)} is a JSON array: gdfit reads JSON lines, an object on each (jq -c '.[]' writes them)"
        )
    json = _OBJECT.match(start) is not None and (options.separator is None or "separator" in options.inherited)
    kind = FileKind.PARQUET if start.startswith(b"PAR1") else FileKind.JSON_LINES if json else FileKind.CSV
    if kind is not FileKind.CSV:
        default = CsvOptions()
        for field, option in OPTION_OF.items():
            said = field not in options.inherited
            if said and field not in _SHARED[kind] and getattr(options, field) != getattr(default, field):
                raise UsageError(f"{quoted(name)} is {kind.value}, where {option} means nothing: leave it out")
    return kind


def source_of(stream: Stream, options: CsvOptions, listener: Listener) -> "CsvSource | JsonLinesSource | ParquetSource":
    """Return the source of an open input that is none of gdfit's own files; the stream stays the caller's to close."""
    kind = kind_of(stream.peek(PEEK_BYTES), stream.name, options)
    # A summary needs nothing of this.
    if kind is FileKind.JSON_LINES:
        from gdcli.data.jsonl.source import JsonLinesSource

        return JsonLinesSource(stream, options)
    if kind is FileKind.PARQUET:
        from gdcli.data.parquet import ParquetSource

        return ParquetSource(stream)
    from gdcli.data.csv.dialect import remarks
    from gdcli.data.csv.source import CsvSource

    source = CsvSource(stream, options)
    note, warning = remarks(source.name, source.header, options)
    if note is not None:
        listener.note(note)
    if warning is not None:
        listener.warn(warning)
    return source
