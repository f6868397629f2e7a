"""Rows written again, each with its prediction: in the form, the marks and the order of the first input.

CSV stays CSV and JSON lines stay JSON lines, the bytes of a row as they are; the rows of Parquet become CSV.
"""

from collections.abc import Sequence

from gdcli.data.csv.dialect import Dialect
from gdcli.data.csv.fast import CsvBlock
from gdcli.data.csv.raw_rows import RawRows, moved_cell, raw_cells, raw_rows, without_rows
from gdcli.data.csv.source import CsvSource
from gdcli.data.parquet import ParquetBlock
from gdcli.data.row_texts import Beside, alternating, cell, check_same_columns, line_end, prediction_texts, text_cell
from gdcli.data.table import Block, Source, Table
from gdcli.engine.arrays import Array


class CsvRows:
    """CSV text."""

    def __init__(self, first: Source, column: str, only: bool, classes: tuple[str, str] | None) -> None:
        self._first, self._only = first, only
        if isinstance(first, CsvSource):
            self._dialect, line = first.dialect, first.header.line
            self._end = line_end(first)
            line = line.rstrip(b"\r\n")
        else:
            self._dialect = Dialect(",", '"', b"\n", first.names, frozenset())
            self._end = b"\n"
            line = b",".join(text_cell(name, self._dialect) for name in first.names)
        self._separator = self._dialect.separator.encode()
        cell = text_cell(column, self._dialect)
        head = cell + self._end if only else line + self._separator + cell + self._end
        self.header = head if self._dialect.header else b""
        self._classes = None if classes is None else [text_cell(name, self._dialect) for name in classes]

    def beside(self, source: Source) -> Beside:
        """Return what writes the blocks of an input."""
        check_same_columns(self._first, source)
        order = _order(source.names, self._dialect.names)
        if self._only:
            return lambda block, table, predictions: b"".join(self._texts(predictions, b"", self._end, b'""'))
        if not isinstance(source, CsvSource):
            return lambda block, table, predictions: self._joined(self._cells(block), predictions)
        theirs = (self._dialect.separator, self._dialect.quote, self._dialect.names, self._end)
        ours = source.dialect
        moved = (ours.separator, ours.quote, ours.names, line_end(source)) != theirs

        def write(block: Block, table: Table, predictions: Array) -> bytes:
            assert isinstance(block, CsvBlock)
            raw = raw_rows(block.chunk, ours, table.rows + len(table.skipped))
            if table.skipped:
                raw = without_rows(raw, {bad.row for bad in table.skipped})
            if moved:
                raw = RawRows([self._in_order(row, ours, order) for row in raw.rows], self._end)
            return self._joined(raw, predictions)

        return write

    def _joined(self, raw: RawRows, predictions: Array) -> bytes:
        """Return the rows, each with its prediction before its line end."""
        if isinstance(raw.ends, bytes):
            return alternating(raw.rows, self._texts(predictions, self._separator, raw.ends, b""))
        texts = self._texts(predictions, self._separator, b"", b"")
        ends = [row_end or self._end for row_end in raw.ends]
        return b"".join(part for row in zip(raw.rows, texts, ends, strict=True) for part in row)

    def _texts(self, predictions: Array, before: bytes, after: bytes, missing: bytes) -> list[bytes]:
        return prediction_texts(predictions, self._classes, before, after, missing)

    def _in_order(self, row: bytes, ours: Dialect, order: Sequence[int]) -> bytes:
        """Return a row with its cells in the first file's order, between the first file's separators."""
        cells = raw_cells(row, ours)
        if (ours.separator, ours.quote) != (self._dialect.separator, self._dialect.quote):
            cells = [moved_cell(cell, ours, self._dialect) for cell in cells]
        return self._separator.join([cells[i] for i in order])

    def _cells(self, block: Block) -> RawRows:
        """Return rows that are no text yet."""
        assert isinstance(block, ParquetBlock)
        columns = [[cell(value, self._dialect) for value in found] for found in block.cells(self._dialect.names)]
        return RawRows([self._separator.join(row) for row in zip(*columns, strict=True)], self._end)


def _order(ours: Sequence[str], theirs: Sequence[str]) -> list[int]:
    """Return the place here of each of their columns; of equal names the first is the first."""
    places: dict[str, list[int]] = {}
    for i, name in enumerate(ours):
        places.setdefault(name, []).append(i)
    return [places[name].pop(0) for name in theirs]
