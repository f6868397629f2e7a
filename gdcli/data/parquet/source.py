"""Parquet as a source of rows, through pyarrow: only the columns that are used are read, block by block.

A block has a fixed number of rows, whatever the file's row groups: the result is the same for any number of threads.
The index says where each row group begins, so that other processes begin at any block without a guess.
"""

from collections.abc import Callable, Collection, Generator, Sequence
from threading import Lock
from typing import Any
from weakref import finalize

import numpy as np

from gdcli.base.errors import CellError, DataError, NotNumericError
from gdcli.base.names import quoted, shell_word
from gdcli.base.records import record
from gdcli.data.parquet.arrow import coded_texts, open_parquet, worded
from gdcli.data.paths import located
from gdcli.data.py_objects import numbers_of, without_absent
from gdcli.data.source import OtherFileError, Place, RangeReader, RowWriter, Source
from gdcli.data.streams import Stream, open_stream
from gdcli.data.table import Block, Table
from gdcli.engine.arrays import Array

# Blocks of about eight megabytes of numbers, whichever of the columns are read: of a wide table they have few rows.
_BLOCK_CELLS = 1 << 20

_MOST_ROWS, _LEAST_ROWS = 1 << 16, 1 << 10

_HEAD_ROWS = 1000

ParquetData = Callable[[Collection[str]], Any]
"""Some columns of a block's rows, as an Arrow table."""


class ParquetSource(Source):
    """An open Parquet file. Its index stands at its end: what cannot be read from there is copied first.

    A block has ``block_rows``, by default as many as are about eight megabytes.
    """

    def __init__(self, stream: Stream, block_rows: int | None = None) -> None:
        self._stream = stream
        self.name = stream.name
        self._file = open_parquet(stream)
        finalize(self, stream.close)  # the blocks read from it, and each of them holds the source
        self.schema = self._file.schema_arrow
        self.rows: int = self._file.metadata.num_rows
        self.names = tuple(self.schema.names)
        twice = [name for name in self.names if self.names.count(name) > 1]
        if twice:
            raise DataError(f"{quoted(self.name)} has more than one column named {quoted(twice[0])}")
        default = min(max(_BLOCK_CELLS // max(len(self.names), 1), _LEAST_ROWS), _MOST_ROWS)
        self._block_rows = block_rows or default
        self._begun = 0
        self._lock = Lock()
        self._first = 0
        self._reader = _Reader(self._file, (), self._block_rows, 0)

    def blocks(self) -> Generator["ParquetBlock", None, None]:
        """Yield the blocks of rows, which are read when they are asked for something."""
        return self.blocks_from(0)

    def blocks_from(self, first: int) -> Generator["ParquetBlock", None, None]:
        """Yield the blocks from number ``first`` on. Of the rows before it only those in its row group are read."""
        self._first = first
        for number, start in enumerate(range(first * self._block_rows, self.rows, self._block_rows), first):
            self._begun = min(start + self._block_rows, self.rows)
            yield ParquetBlock(self, start, self._begun - start, _Held(self, number))
        self._stream.check_end(rewritten=True)

    def progress(self) -> tuple[int, int | None]:
        """The bytes, about, that the rows read so far take in the file, and the file's size in bytes."""
        size = self._stream.size
        return 0 if size is None else size * self._begun // max(self.rows, 1), size

    def for_workers(self) -> RangeReader | None:
        """The file for other processes; see :class:`gdcli.data.source.Source`."""
        stream = self._stream
        if stream.obstacle or stream.size is None:
            raise DataError(
                f"{quoted(self.name)} {stream.obstacle}, so the workers of a cluster cannot read it in parts: "
                "give uncompressed files, or leave out --dask"
            )
        if not self.rows:
            return None
        return ParquetFile(self.name, located(self.name), stream.size, self.rows, self._block_rows)

    def check_unchanged(self) -> None:
        """Raise DataError if the file changed since it was opened; see :class:`gdcli.data.source.Source`."""
        self._stream.check_end(rewritten=True)

    def rewriter(self, columns: Sequence[str], only: bool, classes: tuple[str, str] | None) -> RowWriter:
        """The writer of the rows as CSV; see :class:`gdcli.data.source.Source`."""
        from gdcli.data.csv.rewrite import rewriter_of_cells

        return rewriter_of_cells(self, columns, only, classes)

    def read(self, number: int, columns: Collection[str]) -> Any:
        """An Arrow table of a block. Asking for blocks about in order, with the same columns, is fast."""
        with self._lock, worded(self.name):
            if not self._reader.has(number, columns):
                self._reader = _Reader(self._file, columns, self._block_rows, self._first)
            return self._reader.take(number)


@record
class ParquetFile:
    """A Parquet file that any process can open by its ``path``: its ``size`` in bytes, and its numbers of ``rows`` and
    of rows in a block (``block_rows``).
    """

    name: str
    path: str
    size: int
    rows: int
    block_rows: int

    @property
    def bytes(self) -> int:
        """The number of bytes of all rows, each taken to be equally long."""
        return self.rows * self._row_bytes

    @property
    def start(self) -> Place:
        """The beginning of the first block."""
        return self._place(0)

    def blocks(self, start: Place) -> Generator[tuple["ParquetBlock", Place | None], None, None]:
        """Yield the blocks from a place on; see :class:`gdcli.data.source.RangeReader`."""
        last = self.count_blocks() - 1
        for number, block in enumerate(self._open().blocks_from(start.block), start.block):
            yield block, self._place(number + 1) if number < last else None

    def count_blocks(self) -> int:
        """The number of blocks."""
        return -(-self.rows // self.block_rows)

    def guess(self, block: int) -> int:
        """The place of block number ``block``'s first byte, if all rows are equally long."""
        return self._place(block).at

    @property
    def _row_bytes(self) -> int:
        return max(self.size // self.rows, 1)

    def _place(self, block: int) -> Place:
        row = min(block * self.block_rows, self.rows)
        return Place(block, row * self._row_bytes, row + 1)

    def _open(self) -> ParquetSource:
        try:
            stream = open_stream(self.path)
        except DataError as error:
            raise OtherFileError(str(error)) from None
        if stream.size != self.size:
            stream.close()
            has = "no regular file" if stream.size is None else f"of {stream.size:,} bytes"
            raise OtherFileError(f"{quoted(self.path)} is {has} there, and of {self.size:,} bytes here")
        stream.name = self.name
        return ParquetSource(stream, self.block_rows)


class _Reader:
    """A reader of the given columns from the ``first`` block on. Blocks that it passes over are kept until taken."""

    def __init__(self, file: Any, columns: Collection[str], block_rows: int, first: int) -> None:
        self._columns, self._block_rows = frozenset(columns), block_rows
        groups, self._before = _groups_from(file.metadata, first * block_rows)
        batches = file.iter_batches(batch_size=block_rows, row_groups=groups, columns=list(columns))
        self._batches = batches if columns else iter(())
        self._next, self._waiting, self._rest, self._rows = first, dict[int, Any](), list[Any](), 0

    def has(self, number: int, columns: Collection[str]) -> bool:
        """Whether ``take`` can still give the block, with all of the columns."""
        return self._columns.issuperset(columns) and (number >= self._next or number in self._waiting)

    def take(self, number: int) -> Any:
        """A block as an Arrow table, once."""
        while self._next <= number:
            self._waiting[self._next] = self._block()
            self._next += 1
        return self._waiting.pop(number)

    def _block(self) -> Any:
        """The next rows; how the library cuts them does not matter."""
        import pyarrow

        while self._rows < self._block_rows and (batch := next(self._batches, None)) is not None:
            rows = batch.slice(min(self._before, batch.num_rows))
            self._before -= batch.num_rows - rows.num_rows
            self._rest.append(rows)
            self._rows += rows.num_rows
        table = pyarrow.Table.from_batches(self._rest)
        rest = table.slice(self._block_rows)
        self._rest, self._rows = rest.to_batches(), rest.num_rows
        return table.slice(0, self._block_rows).combine_chunks()


def _groups_from(metadata: Any, row: int) -> tuple[list[int], int]:
    """The row groups from that of a row on, and the rows in them before it."""
    group = before = 0
    while group < metadata.num_row_groups and before + metadata.row_group(group).num_rows <= row:
        before += metadata.row_group(group).num_rows
        group += 1
    return list(range(group, metadata.num_row_groups)), row - before


class _Held:
    """The columns of a block, kept when they were asked for once."""

    def __init__(self, source: ParquetSource, number: int) -> None:
        self._source, self._number, self._table = source, number, None

    def __call__(self, columns: Collection[str]) -> Any:
        table: Any = self._table
        if table is None or not set(table.column_names).issuperset(columns):
            self._table = table = self._source.read(self._number, columns)
        return table


class ParquetBlock(Block):
    """``rows`` consecutive rows of a Parquet file, beginning with row ``start``."""

    def __init__(self, source: ParquetSource, start: int, rows: int, data: ParquetData) -> None:
        self._source, self._start, self._rows, self._data = source, start, rows, data

    def table(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Table:
        """The named columns, parsed; see :class:`gdcli.data.table.Block`."""
        for name in (*numeric, *text):
            self._check_type(name)
        wanted = dict.fromkeys([*numeric, *text])
        data: Any = self._data(wanted) if wanted else None
        with worded(self._source.name):
            return Table(
                rows=self._rows,
                numeric={name: self._numbers(data.column(name), name, missing) for name in numeric},
                text={name: coded_texts(data.column(name), missing) for name in text},
            )

    def head(self) -> Block:
        """A block of the first few rows."""
        rows = min(self._rows, _HEAD_ROWS)
        return ParquetBlock(self._source, self._start, rows, lambda columns: self._data(columns).slice(0, rows))

    @property
    def whole(self) -> bool:
        """Whether no further block can follow."""
        return self._rows == self._source.rows

    def where(self, place: int) -> str:
        """The number of a row for a message; rows count from 1."""
        return f"{quoted(self._source.name)}, row {self._start + place + 1}"

    def cells(self, names: Collection[str]) -> list[list[Any]]:
        """The values of the named columns, one list per column; None for a missing one."""
        data = self._data(names)
        with worded(self._source.name):
            return [data.column(name).to_pylist() for name in names]

    def _check_type(self, name: str) -> None:
        from pyarrow import types

        kind = self._source.schema.field(name).type
        kind = kind.value_type if types.is_dictionary(kind) else kind
        binary = types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)
        if types.is_nested(kind) or binary:
            raise CellError(
                f"{quoted(self._source.name)}, column {quoted(name)}: {kind} is neither a number nor a text; "
                f"fit without the column (--exclude {shell_word(name)})"
            )

    def _numbers(self, column: Any, name: str, missing: frozenset[str]) -> Array:
        import pyarrow

        place = f"column {quoted(name)}"
        if pyarrow.types.is_boolean(column.type):
            raise NotNumericError(f"{self.where(0)}, {place}: True and False are not numbers")
        if not (pyarrow.types.is_integer(column.type) or pyarrow.types.is_floating(column.type)):
            numbers, faults = numbers_of(column.to_pylist(), missing)
            if faults:
                raise faults[0].kind(f"{self.where(faults[0].row)}, {place}: {faults[0].reason}")
            return numbers
        numbers = np.asarray(column.cast(pyarrow.float64(), safe=False).to_numpy(), dtype=np.float64)
        infinite = np.flatnonzero(np.isinf(numbers))
        if len(infinite):
            raise NotNumericError(f"{self.where(int(infinite[0]))}, {place}: the value is infinite")
        return without_absent(numbers, missing)
