"""Rows written again, each with its prediction: in the form, the marks and the order of the first input.

CSV stays CSV and JSON lines stay JSON lines, the bytes of a row as they are; the rows of Parquet become CSV.
"""

from gdcli.base.schema import dumps
from gdcli.data.jsonl.source import JsonLinesBlock
from gdcli.data.row_texts import Beside, alternating, check_same_columns, prediction_texts
from gdcli.data.table import Block, Source, Table
from gdcli.engine.arrays import Array


class JsonRows:
    """JSON lines: the prediction is a key more of each object, null where there is none."""

    header = b""

    def __init__(self, first: Source, column: str, only: bool, classes: tuple[str, str] | None) -> None:
        self._first, self._only = first, only
        self._key = dumps(column).encode() + b": "
        self._classes = None if classes is None else [dumps(name).encode() for name in classes]

    def beside(self, source: Source) -> Beside:
        """Return what writes the blocks of an input."""
        check_same_columns(self._first, source)
        return self._write

    def _write(self, block: Block, table: Table, predictions: Array) -> bytes:
        texts = prediction_texts(predictions, self._classes, self._key, b"}\n", b"null")
        if self._only:
            return b"{" + b"{".join(texts)
        assert isinstance(block, JsonLinesBlock)
        lines = [line for line in (line.strip(b" \t\r") for line in block.chunk.text.split(b"\n")) if line]
        left_out = {bad.row for bad in table.skipped}
        lines = [line for row, line in enumerate(lines) if row not in left_out]
        return alternating([line[:-1].rstrip() + (b", " if line[1:-1].strip() else b"") for line in lines], texts)
