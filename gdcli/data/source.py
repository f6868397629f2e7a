"""A CSV file, or stdin, as a source of rows."""

from collections.abc import Generator

from gdcli.data.chunks import cut
from gdcli.data.csvoptions import CsvOptions
from gdcli.data.dialect import open_table
from gdcli.data.stream import Stream
from gdcli.data.table import Block


class CsvSource:
    """An open CSV file, compressed or not; its header is read on opening."""

    def __init__(self, stream: Stream, options: CsvOptions) -> None:
        self._stream = stream
        self.header = open_table(stream, options)
        self.name = self._stream.name
        self.dialect = self.header.dialect
        self.names = self.dialect.names
        self.unnamed = self.dialect.unnamed

    def blocks(self) -> Generator[Block, None, None]:
        """Yield the blocks of rows, and close the file."""
        from gdcli.data.cells import CsvBlock

        try:
            for chunk in cut(self._stream.text, self.name, self.header):
                yield CsvBlock(chunk, self.dialect)
        finally:
            self._stream.close()

    def progress(self) -> tuple[int, int | None]:
        """Return the bytes taken from the disk so far, and of how many."""
        return self._stream.position(), self._stream.size
