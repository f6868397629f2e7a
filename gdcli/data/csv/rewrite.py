"""Rows written again as CSV, each with its prediction: in the marks and the order of the first input.

The bytes of CSV rows stay as they are; rows that are no text, such as those of Parquet, become CSV.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from gdcli.data.csv.dialect import Dialect
from gdcli.data.csv.raw_rows import RawRows, moved_cell, raw_cells, raw_rows, without_rows
from gdcli.data.row_texts import alternating, cell, check_new_columns, check_same_columns, prediction_cells, text_cell
from gdcli.data.source import RowText, RowWriter, Source
from gdcli.data.table import Block, Table
from gdcli.engine.arrays import Array

if TYPE_CHECKING:
    from gdcli.data.csv.block import CsvBlock


class CsvRows:
    """The writer of CSV text: rows in a ``dialect``, between line ``end``s, under a ``line`` of names."""

    def __init__(
        self,
        first: Source,
        dialect: Dialect,
        end: bytes,
        line: bytes,
        columns: Sequence[str],
        only: bool,
        classes: tuple[str, str] | None,
    ) -> None:
        self._first, self._dialect, self._end, self._only = first, dialect, end, only
        self._separator = dialect.separator.encode()
        self._count = len(columns)
        name = self._separator.join(text_cell(column, dialect) for column in columns)
        head = name + end if only else line + self._separator + name + end
        self.header = head if dialect.header else b""
        self._classes = None if classes is None else [text_cell(one, dialect) for one in classes]

    def beside(self, source: Source) -> RowText:
        """The function that writes the blocks of an input; see :class:`gdcli.data.source.RowWriter`."""
        check_same_columns(self._first, source)
        if self._only:
            return lambda block, table, predictions: b"".join(self._texts(predictions, b"", self._end, b'""'))
        rows = source.csv_rows(self._dialect, self._end) or self._cells
        return lambda block, table, predictions: self._joined(rows(block, table), predictions)

    def _joined(self, raw: RawRows, predictions: Array) -> bytes:
        """The text of rows, each with its prediction before its line end."""
        if isinstance(raw.ends, bytes):
            return alternating(raw.rows, self._texts(predictions, self._separator, raw.ends, b""))
        texts = self._texts(predictions, self._separator, b"", b"")
        ends = [row_end or self._end for row_end in raw.ends]
        return b"".join(part for row in zip(raw.rows, texts, ends, strict=True) for part in row)

    def _texts(self, predictions: Array, before: bytes, after: bytes, missing: bytes) -> list[bytes]:
        starts = [before, *[self._separator] * (self._count - 1)]
        return prediction_cells(predictions, self._classes, starts, after, missing)

    def _cells(self, block: Block, table: Table) -> RawRows:
        """The rows of a block that is no text."""
        columns = [[cell(value, self._dialect) for value in found] for found in block.cells(self._dialect.names)]
        return RawRows([self._separator.join(row) for row in zip(*columns, strict=True)], self._end)


def rewriter_of_cells(source: Source, columns: Sequence[str], only: bool, classes: tuple[str, str] | None) -> RowWriter:
    """The writer for a source whose rows are no text: plain CSV under its column names."""
    if not only:
        check_new_columns(source, columns)
    dialect = Dialect(",", '"', b"\n", source.names, frozenset())
    line = b",".join(text_cell(name, dialect) for name in source.names)
    return CsvRows(source, dialect, b"\n", line, columns, only, classes)


def block_rows(ours: Dialect, target: tuple[Dialect, bytes] | None, block: Block, table: Table) -> RawRows:
    """The text of each row of a CSV block in dialect ``ours``, bad rows left out.

    ``target`` is a dialect and a line end to write the rows in, with its order of columns; None: as they are.
    """
    raw = raw_rows(cast("CsvBlock", block).chunk, ours, table.rows + len(table.skipped))
    if table.skipped:
        raw = without_rows(raw, {bad.row for bad in table.skipped})
    if target is None:
        return raw
    dialect, end = target
    order = _order(ours.names, dialect.names)
    return RawRows([_moved(row, ours, dialect, order) for row in raw.rows], end)


def _moved(row: bytes, ours: Dialect, theirs: Dialect, order: Sequence[int]) -> bytes:
    """A row with its cells in another order, between the separators of another dialect."""
    cells = raw_cells(row, ours)
    if (ours.separator, ours.quote) != (theirs.separator, theirs.quote):
        cells = [moved_cell(cell, ours, theirs) for cell in cells]
    return theirs.separator.encode().join([cells[i] for i in order])


def _order(ours: Sequence[str], theirs: Sequence[str]) -> list[int]:
    """The place here of each of their columns; of equal names the first is the first."""
    places: dict[str, list[int]] = {}
    for i, name in enumerate(ours):
        places.setdefault(name, []).append(i)
    return [places[name].pop(0) for name in theirs]
