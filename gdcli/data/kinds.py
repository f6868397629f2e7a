"""What kind of table an input is, known by its first bytes, whatever its name; and which options have a place there."""

import re
from enum import Enum

from gdcli.data.csvoptions import CsvOptions
from gdcli.errors import DataError, UsageError
from gdcli.text import quoted, shell_word

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


class Kind(Enum):
    """The value is what a user calls it."""

    CSV = "CSV"
    JSON_LINES = "JSON lines"
    PARQUET = "Parquet"


# What of the options for CSV text means something elsewhere.
_SHARED = {Kind.JSON_LINES: ("on_bad_row", "encoding"), Kind.PARQUET: ()}


def kind_of(start: bytes, name: str, options: CsvOptions) -> Kind:
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
    kind = Kind.PARQUET if start.startswith(b"PAR1") else Kind.JSON_LINES if json else Kind.CSV
    if kind is not Kind.CSV:
        default = CsvOptions()
        for field, option in OPTION_OF.items():
            said = field not in options.inherited
            if said and field not in _SHARED[kind] and getattr(options, field) != getattr(default, field):
                raise UsageError(f"{quoted(name)} is {kind.value}, where {option} means nothing: leave it out")
    return kind
