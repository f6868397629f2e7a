"""A CSV file, or stdin, as a source of rows."""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.base.records import replace
from gdcli.data.csv.chunks import cut
from gdcli.data.csv.dialect import Dialect, open_table
from gdcli.data.csv.options import CsvOptions
from gdcli.data.paths import located
from gdcli.data.source import RangeReader, RowWriter, Source
from gdcli.data.streams import Stream
from gdcli.data.table import Block, Table

if TYPE_CHECKING:
    from gdcli.data.csv.raw_rows import RawRows


# Bytes of text for a byte of a compressed file, at least.
_UNPACKED = 3


class CsvSource(Source):
    """An open CSV file, compressed or not; its header is read on opening."""

    def __init__(self, stream: Stream, options: CsvOptions) -> None:
        self._stream = stream
        self.header = open_table(stream, options)
        self.name = self._stream.name
        self.dialect = self.header.dialect
        self.names = self.dialect.names

    @property
    def unnamed(self) -> frozenset[str]:
        """The columns that have no name in the header."""
        return self.dialect.unnamed

    def blocks(self) -> Generator[Block, None, None]:
        """Yield the blocks of rows, and close the file. Raises DataError if it changed meanwhile."""
        from gdcli.data.csv.block import CsvBlock, expect

        expect((self._stream.size or 0) * (_UNPACKED if self._stream.obstacle else 1))
        try:
            for chunk in cut(self._stream.text, self.name, self.header):
                expect(len(chunk.text), len(chunk.text))
                yield CsvBlock(chunk, self.dialect)
                del chunk
            self._stream.check_end()
        finally:
            self._stream.close()

    def for_workers(self) -> RangeReader | None:
        """The file, closed here, for other processes; see :class:`gdcli.data.source.Source`."""
        from gdcli.data.csv.ranges import CsvFile

        stream, header = self._stream, self.header
        stream.close()
        if stream.obstacle or stream.size is None:
            raise DataError(
                f"{quoted(self.name)} {stream.obstacle}, so the workers of a cluster cannot read it in parts: "
                "give uncompressed files in UTF-8, or leave out --dask"
            )
        rows = stream.mark + header.size
        file = CsvFile(self.name, located(self.name), stream.size, rows, replace(header, line=b"", rest=b""))
        return file if file.bytes else None

    def check_unchanged(self) -> None:
        """Raise DataError if the file changed since it was opened; see :class:`gdcli.data.source.Source`."""
        self._stream.check_end(rewritten=True)

    def rewriter(self, columns: Sequence[str], only: bool, classes: tuple[str, str] | None) -> RowWriter:
        """The writer of the rows in the same dialect; see :class:`gdcli.data.source.Source`."""
        from gdcli.data.csv.rewrite import CsvRows
        from gdcli.data.row_texts import check_new_columns

        if self.dialect.header and not only:
            check_new_columns(self, columns)
        return CsvRows(self, self.dialect, self._line_end, self.header.line.rstrip(b"\r\n"), columns, only, classes)

    def csv_rows(self, dialect: Dialect, end: bytes) -> "Callable[[Block, Table], RawRows]":
        """The function that gives a block's rows as CSV text in a dialect; see :class:`gdcli.data.source.Source`."""
        from gdcli.data.csv.rewrite import block_rows

        ours = self.dialect
        marks = (ours.separator, ours.quote, ours.names, self._line_end)
        same = marks == (dialect.separator, dialect.quote, dialect.names, end)
        return partial(block_rows, ours, None if same else (dialect, end))

    @property
    def _line_end(self) -> bytes:
        line = self.header.line
        return line[len(line.rstrip(b"\r\n")) :] or self.dialect.newline

    def progress(self) -> tuple[int, int | None]:
        """The bytes read from the disk so far, and the file's size (None if it is unknown)."""
        return self._stream.position(), self._stream.size
