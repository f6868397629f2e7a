"""Objects written again, each with its prediction as a key more, null if there is none."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from gdcli.base.schema import dumps
from gdcli.data.row_texts import alternating, check_new_columns, check_same_columns, prediction_cells
from gdcli.data.source import RowText, Source
from gdcli.data.table import Block, Table
from gdcli.engine.arrays import Array

if TYPE_CHECKING:
    from gdcli.data.jsonl.source import JsonLinesBlock


class JsonRows:
    """The writer of JSON lines; the bytes of an object stay as they are."""

    header = b""

    def __init__(self, first: Source, columns: Sequence[str], only: bool, classes: tuple[str, str] | None) -> None:
        if not only:
            check_new_columns(first, columns)
        self._first, self._only = first, only
        keys = [dumps(column).encode() + b": " for column in columns]
        self._keys = [keys[0], *(b", " + key for key in keys[1:])]
        self._classes = None if classes is None else [dumps(name).encode() for name in classes]

    def beside(self, source: Source) -> RowText:
        """The function that writes the blocks of an input; see :class:`gdcli.data.source.RowWriter`."""
        check_same_columns(self._first, source)
        return self._write

    def _write(self, block: Block, table: Table, predictions: Array) -> bytes:
        texts = prediction_cells(predictions, self._classes, self._keys, b"}\n", b"null")
        if self._only:
            return b"{" + b"{".join(texts)
        text = cast("JsonLinesBlock", block).chunk.text
        lines = [line for line in (line.strip(b" \t\r") for line in text.split(b"\n")) if line]
        left_out = {bad.row for bad in table.skipped}
        lines = [line for row, line in enumerate(lines) if row not in left_out]
        return alternating([line[:-1].rstrip() + (b", " if line[1:-1].strip() else b"") for line in lines], texts)
