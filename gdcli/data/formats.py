"""Formats of inputs: what a format has to say of itself, and the files of other programs, which are refused by name."""

import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, NoReturn

from gdcli.base.errors import DataError, UsageError
from gdcli.base.listener import Listener
from gdcli.base.names import quoted, shell_word
from gdcli.base.patterns import pattern
from gdcli.base.records import record
from gdcli.data.csv.options import CsvOptions
from gdcli.data.streams import Stream

if TYPE_CHECKING:
    from gdcli.data.source import Source

# Enough of a text's start to tell.
PEEK_BYTES = 256

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

ALL_OPTIONS = frozenset(OPTION_OF)


def no_names(stream: Stream, options: CsvOptions) -> tuple[str, ...]:
    """An empty tuple: the column names of this format cannot be read quickly."""
    return ()


@record
class Format:
    """A format of inputs. ``sniff`` tells from a file's first bytes (``PEEK_BYTES``), whatever its name, whether it is
    of this format; ``open`` gives its source, or raises DataError. ``column_names`` are for completion: they have to be
    there within a blink, without NumPy. ``refuses`` are the CSV options that mean nothing in such a file.

    Modules that are needed to open a file are imported by ``open``.
    """

    name: str
    sniff: Callable[[bytes, CsvOptions], bool]
    open: Callable[[Stream, CsvOptions, Listener], "Source"]
    column_names: Callable[[Stream, CsvOptions], tuple[str, ...]] = no_names
    refuses: Collection[str] = ALL_OPTIONS

    def check_options(self, file: str, options: CsvOptions) -> None:
        """Raise UsageError if one of the options, unless a model brought it along, means nothing in such a file."""
        default = CsvOptions()
        for field, option in OPTION_OF.items():
            said = field not in options.inherited and getattr(options, field) != getattr(default, field)
            if said and field in self.refuses:
                raise UsageError(f"{quoted(file)} is {self.name}, where {option} means nothing: leave it out")


def _foreign(beginning: bytes, name: str, command: str) -> Format:
    """The format of another program's files, which ``command`` turns into a table."""
    known = pattern(beginning, re.DOTALL)

    def begins(start: bytes, options: CsvOptions) -> bool:
        return known.match(start) is not None

    def refuse(stream: Stream, options: CsvOptions, listener: Listener) -> NoReturn:
        way_out = command.format(shell_word(stream.name))
        raise DataError(f"{quoted(stream.name)} is {name}, no table that gdfit reads; to make one of it: {way_out}")

    return Format(name, begins, refuse, refuses=())


_SHEET = "libreoffice --headless --convert-to csv {}"

_PANDAS = """python3 -c 'import pandas, sys; pandas.{}.to_csv(sys.argv[2], index=False)' {{}} data.csv"""

FOREIGN = (
    _foreign(rb"PK\x03\x04.{26}mimetype.*opendocument", "an OpenDocument file", _SHEET),
    _foreign(rb"PK\x03\x04", "a zip archive or an Excel workbook (.xlsx)", _SHEET),
    _foreign(rb"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)", _SHEET),
    _foreign(
        rb"<stata_dta>|[\x71-\x73][\x01\x02]\x01\x00", "a Stata file (.dta)", _PANDAS.format("read_stata(sys.argv[1])")
    ),
    _foreign(rb"\$FL[23]", "an SPSS file (.sav)", _PANDAS.format("read_spss(sys.argv[1])")),
    _foreign(rb"ARROW1|FEA1", "a Feather file", _PANDAS.format("read_feather(sys.argv[1])")),
    _foreign(rb"%PDF-", "a PDF", "save its table as CSV in the program that made it"),
    _foreign(
        rb"\s*<(?i:!doctype html|html|table)",
        "HTML",
        _PANDAS.format("read_html(sys.argv[1])[0]"),
    ),
)
