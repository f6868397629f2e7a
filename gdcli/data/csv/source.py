"""A CSV file, or stdin, as a source of rows."""

from collections.abc import Generator
from dataclasses import replace

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.data.csv.chunks import cut
from gdcli.data.csv.dialect import open_table
from gdcli.data.csv.options import CsvOptions
from gdcli.data.csv.ranges import CsvFile
from gdcli.data.paths import located
from gdcli.data.streams import Stream
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
        """Yield the blocks of rows, and close the file. Raises DataError if it changed meanwhile."""
        from gdcli.data.csv.fast import CsvBlock

        try:
            for chunk in cut(self._stream.text, self.name, self.header):
                yield CsvBlock(chunk, self.dialect)
            self._stream.check_end()
        finally:
            self._stream.close()

    def file(self) -> CsvFile:
        """Return what another process needs to read the same rows. Raises DataError where that cannot be done."""
        stream, header = self._stream, self.header
        if stream.obstacle or stream.size is None:
            raise DataError(
                f"{quoted(self.name)} {stream.obstacle}, so the workers of a cluster cannot read it in parts: "
                "give uncompressed files in UTF-8, or leave out --dask"
            )
        rows = stream.mark + header.size
        return CsvFile(self.name, located(self.name), stream.size, rows, replace(header, line=b"", rest=b""))

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def progress(self) -> tuple[int, int | None]:
        """Return the bytes taken from the disk so far, and of how many."""
        return self._stream.position(), self._stream.size
