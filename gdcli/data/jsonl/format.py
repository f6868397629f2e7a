"""The format of JSON lines, and of JSON arrays, which are refused."""

import re
from typing import TYPE_CHECKING, NoReturn

from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.base.names import quoted
from gdcli.base.patterns import pattern
from gdcli.data.csv.options import CsvOptions
from gdcli.data.formats import ALL_OPTIONS, Format
from gdcli.data.streams import Stream

if TYPE_CHECKING:
    from gdcli.data.jsonl.source import JsonLinesSource

# A brace alone begins a column's name in CSV too: after it an object has a key, perhaps cut off, or ends.
_OBJECT = pattern(rb"\s*\{\s*(\}|\"(?:[^\"\\\r\n]|\\.)*(?:\"\s*(?::|\Z)|\\?\Z)|\Z)", re.DOTALL)

_ARRAY = pattern(rb"\s*\[\s*[\[{\]]")

# Objects name their keys again and again: a few tell.
_FEW_BYTES = 1 << 16


def _is_object(start: bytes, options: CsvOptions) -> bool:
    """Whether a text begins with an object, and no option says that it is CSV."""
    return _OBJECT.match(start) is not None and (options.separator is None or "separator" in options.inherited)


def _open(stream: Stream, options: CsvOptions, listener: Listener) -> "JsonLinesSource":
    from gdcli.data.jsonl.source import JsonLinesSource

    return JsonLinesSource(stream, options)


def _column_names(stream: Stream, options: CsvOptions) -> tuple[str, ...]:
    """The keys of the first lines; the last one may be cut off."""
    from gdcli.data.jsonl.lines import lines_of, names_of

    lines = lines_of(stream.text.read(_FEW_BYTES).decode("utf-8", "replace"), 1)
    return names_of(line.content for line in lines if line.content is not None)


def _refuse_array(stream: Stream, options: CsvOptions, listener: Listener) -> NoReturn:
    raise DataError(
        f"{quoted(stream.name)} is a JSON array: gdfit reads JSON lines, an object on each (jq -c '.[]' writes them)"
    )


JSON_LINES = Format("JSON lines", _is_object, _open, _column_names, ALL_OPTIONS - {"on_bad_row", "encoding"})

JSON_ARRAY = Format("a JSON array", lambda start, options: _ARRAY.match(start) is not None, _refuse_array, refuses=())
