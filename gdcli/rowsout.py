"""Rows written again, each with its prediction: in the form, the marks and the order of the first input.

CSV stays CSV and JSON lines stay JSON lines, the bytes of a row as they are; the rows of Parquet become CSV.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gdcli.data.cells import CsvBlock
from gdcli.data.dialect import Dialect
from gdcli.data.jsonlines import JsonLinesBlock, JsonLinesSource
from gdcli.data.parquet import ParquetBlock
from gdcli.data.rows import RawRows, moved_cell, quoted_cell, raw_cells, raw_rows, without_rows
from gdcli.data.source import CsvSource
from gdcli.data.table import Block, Source, Table
from gdcli.engine.triangle import Array
from gdcli.errors import DataError
from gdcli.jsonfile import dumps
from gdcli.text import listed, quoted

Beside = Callable[[Block, Table, Array], bytes]
"""Writes the rows of a block, of which a table was parsed, with their predictions (n,); NaN is an empty cell."""


def rows_out(first: Source, column: str, only: bool, classes: tuple[str, str] | None) -> "CsvRows | JsonRows":
    """Return what writes rows as the first input has them, with a further ``column``, or this ``only``.

    With ``classes`` predictions are probabilities of the second one, and the likelier class is written.
    """
    if column in first.names and not only and (not isinstance(first, CsvSource) or first.dialect.header):
        raise DataError(f"{quoted(first.name)} has a column {quoted(column)} already; name another with --column")
    form = JsonRows if isinstance(first, JsonLinesSource) else CsvRows
    return form(first, column, only, classes)


def _check_same_columns(first: Source, other: Source) -> None:
    """The columns may stand in another order, but must have the same names."""
    if isinstance(first, JsonLinesSource) != isinstance(other, JsonLinesSource):
        json, table = (first, other) if isinstance(first, JsonLinesSource) else (other, first)
        raise DataError(
            f"{quoted(json.name)} is JSON lines and {quoted(table.name)} is not: predict each by a command of its own"
        )
    here, there = Counter(first.names), Counter(other.names)
    if here == there:
        return
    parts = (("lacks", here - there), ("also has", there - here))
    difference = " and ".join(f"{verb} {listed(names, 5)}" for verb, names in parts if names)
    raise DataError(f"{quoted(other.name)} {difference}, unlike {quoted(first.name)}")


class CsvRows:
    """CSV text."""

    def __init__(self, first: Source, column: str, only: bool, classes: tuple[str, str] | None) -> None:
        self._first, self._only = first, only
        if isinstance(first, CsvSource):
            self._dialect, line = first.dialect, first.header.line
            self._end = _line_end(first)
            line = line.rstrip(b"\r\n")
        else:
            self._dialect = Dialect(",", '"', b"\n", first.names, frozenset())
            self._end = b"\n"
            line = b",".join(_text_cell(name, self._dialect) for name in first.names)
        self._separator = self._dialect.separator.encode()
        cell = _text_cell(column, self._dialect)
        head = cell + self._end if only else line + self._separator + cell + self._end
        self.header = head if self._dialect.header else b""
        self._classes = None if classes is None else [_text_cell(name, self._dialect) for name in classes]

    def beside(self, source: Source) -> Beside:
        """Return what writes the blocks of an input."""
        _check_same_columns(self._first, source)
        order = _order(source.names, self._dialect.names)
        if self._only:
            return lambda block, table, predictions: b"".join(self._texts(predictions, b"", self._end, b'""'))
        if not isinstance(source, CsvSource):
            return lambda block, table, predictions: self._joined(self._cells(block), predictions)
        theirs = (self._dialect.separator, self._dialect.quote, self._dialect.names, self._end)
        ours = source.dialect
        moved = (ours.separator, ours.quote, ours.names, _line_end(source)) != theirs

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
            return _alternating(raw.rows, self._texts(predictions, self._separator, raw.ends, b""))
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
        columns = [[_cell(value, self._dialect) for value in found] for found in block.cells(self._dialect.names)]
        return RawRows([self._separator.join(row) for row in zip(*columns, strict=True)], self._end)


class JsonRows:
    """JSON lines: the prediction is a key more of each object, null where there is none."""

    header = b""

    def __init__(self, first: Source, column: str, only: bool, classes: tuple[str, str] | None) -> None:
        self._first, self._only = first, only
        self._key = dumps(column).encode() + b": "
        self._classes = None if classes is None else [dumps(name).encode() for name in classes]

    def beside(self, source: Source) -> Beside:
        """Return what writes the blocks of an input."""
        _check_same_columns(self._first, source)
        return self._write

    def _write(self, block: Block, table: Table, predictions: Array) -> bytes:
        texts = prediction_texts(predictions, self._classes, self._key, b"}\n", b"null")
        if self._only:
            return b"{" + b"{".join(texts)
        assert isinstance(block, JsonLinesBlock)
        lines = [line for line in (line.strip(b" \t\r") for line in block.chunk.text.split(b"\n")) if line]
        left_out = {bad.row for bad in table.skipped}
        lines = [line for row, line in enumerate(lines) if row not in left_out]
        return _alternating([line[:-1].rstrip() + (b", " if line[1:-1].strip() else b"") for line in lines], texts)


def prediction_texts(
    predictions: Array, classes: Sequence[bytes] | None, before: bytes, after: bytes, missing: bytes
) -> list[bytes]:
    """Return each prediction's text between ``before`` and ``after``, and ``missing`` there for a NaN."""
    if classes is None:
        return _numbers(predictions, before, after, missing)
    which = np.where(np.isnan(predictions), 2, predictions >= 0.5).astype(np.intp)
    cells = [before + cell + after for cell in (*classes, missing)]
    return [cells[i] for i in which.tolist()]


def _numbers(predictions: Array, before: bytes, after: bytes, missing: bytes) -> list[bytes]:
    """Return each number's shortest text between ``before`` and ``after``, and ``missing`` there for a NaN.

    The text of the whole list is made and cut at once: half the time of a call of ``repr`` for each number.
    """
    texts = repr(predictions.tolist())[1:-1].encode()
    cut_at = after + b"\0" + before
    whole = before + texts.replace(b", ", cut_at) + after
    if b"nan" in texts:
        # Numbers hold no letter but the e of their exponent.
        whole = whole.replace(before + b"nan" + after, before + missing + after)
    return whole.split(b"\0")


def _alternating(rows: list[bytes], texts: list[bytes]) -> bytes:
    parts = [b""] * (2 * len(rows))
    parts[0::2], parts[1::2] = rows, texts
    return b"".join(parts)


def _order(ours: Sequence[str], theirs: Sequence[str]) -> list[int]:
    """Return the place here of each of their columns; of equal names the first is the first."""
    places: dict[str, list[int]] = {}
    for i, name in enumerate(ours):
        places.setdefault(name, []).append(i)
    return [places[name].pop(0) for name in theirs]


def _line_end(source: CsvSource) -> bytes:
    line = source.header.line
    return line[len(line.rstrip(b"\r\n")) :] or source.dialect.newline


def _text_cell(text: str, dialect: Dialect) -> bytes:
    return quoted_cell(text.encode("utf-8", "replace"), dialect)


def _cell(value: Any, dialect: Dialect) -> bytes:
    """Return a value as a cell: a float by its shortest text, nothing for a missing one."""
    return b"" if value is None or value != value else _text_cell(str(value), dialect)
