"""A CSV file whose rows are read from any block on, by any process that finds it under its path."""

import csv
import io
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from typing import IO, TYPE_CHECKING

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.base.records import record
from gdcli.data.csv.chunks import BLOCK_BYTES, cut
from gdcli.data.csv.dialect import Dialect, Header, count_lines
from gdcli.data.paths import Opened, open_path
from gdcli.data.source import OtherFileError, Place

if TYPE_CHECKING:
    from gdcli.data.csv.block import CsvBlock

# Bytes in which a row's end is looked for, then in more; after the last there is no guessing.
_WINDOWS = (1 << 16, 1 << 20, 1 << 24)

# So many rows with as many fields as the header tell a row's end from a line end in a quoted cell.
_ROWS_ALIKE = 4

_LINES_TRIED = 100


@record
class CsvFile:
    """A CSV file that any process can open by its ``path``; its ``size`` in bytes tells whether it is the same file.

    The rows begin after ``rows`` bytes. ``header`` holds none of the file's text.
    """

    name: str
    path: str
    size: int
    rows: int
    header: Header
    block_bytes: int = BLOCK_BYTES

    @property
    def bytes(self) -> int:
        """The number of bytes of all rows."""
        return self.size - self.rows

    @property
    def start(self) -> Place:
        """The beginning of the first block."""
        return Place(0, 0, self.header.lines + 1)

    def blocks(self, start: Place) -> Generator[tuple["CsvBlock", Place | None], None, None]:
        """Yield the blocks from a place on; see :class:`gdcli.data.source.RangeReader`."""
        from gdcli.data.csv.block import CsvBlock, expect

        expect(self.bytes)
        raw = self._open().raw
        with closing(raw):
            raw.seek(self.rows + start.at)
            chunks = cut(raw, self.name, self.header, self.block_bytes, start.at, start.line)
            for number, chunk in enumerate(chunks, start.block + 1):
                lines = count_lines(chunk.text, self.header.dialect.newline)
                after = Place(number, chunk.place - self.header.size + chunk.size, chunk.first_line + lines)
                yield CsvBlock(chunk, self.header.dialect), after if after.at < self.bytes else None

    def count_blocks(self) -> int:
        """The most likely number of blocks."""
        with self._locator() as locator:
            return locator.blocks

    def guess(self, block: int) -> int:
        """The likely place of block number ``block``'s first byte, counted from the end of the header."""
        with self._locator() as locator:
            return locator.start_of(block)

    @contextmanager
    def _locator(self) -> "Iterator[BlockLocator]":
        """Open a BlockLocator for this file."""
        with closing(self._open().raw) as raw:
            yield BlockLocator(self, raw)

    def _open(self) -> Opened:
        try:
            found = open_path(self.path)
        except DataError as error:
            raise OtherFileError(str(error)) from None
        if found.size != self.size:
            found.raw.close()
            has = "no regular file" if found.size is None else f"of {found.size:,} bytes"
            raise OtherFileError(f"{quoted(self.path)} is {has} there, and of {self.size:,} bytes here")
        return found


class BlockLocator:
    """Finds where a file's blocks begin, from the lines near each place. Only quoted line ends can make it wrong."""

    def __init__(self, file: CsvFile, raw: IO[bytes]) -> None:
        self._file, self._raw = file, raw

    @property
    def blocks(self) -> int:
        """The most likely number of blocks."""
        file = self._file
        count = -(-file.bytes // file.block_bytes)
        while count > 1 and self.start_of(count - 1) >= file.bytes:  # the row there is the last one
            count -= 1
        return count

    def start_of(self, block: int) -> int:
        """The most likely place of a block's first byte, counted from the end of the header."""
        file = self._file
        at = block * file.block_bytes
        if not at:
            return 0
        for size in _WINDOWS:
            self._raw.seek(file.rows + at - 1)
            text = self._raw.read(size)
            found = _row_end(text, file.header.dialect)
            if found is not None:
                return at - 1 + found
            if len(text) < size:
                return file.bytes
        return at


def _row_end(text: bytes, dialect: Dialect) -> int | None:
    """The place after the first line end that rows follow, or else after the first one; or None."""
    first = found = text.find(dialect.newline) + 1
    if dialect.quote.encode() not in text:
        return found or None
    for _ in range(_LINES_TRIED):
        if not found or _begins_with_rows(text[found : found + _WINDOWS[0]], dialect):
            break
        found = text.find(dialect.newline, found) + 1
    return found or first or None


def _begins_with_rows(text: bytes, dialect: Dialect) -> bool:
    """Whether the lines of a text, the last one perhaps cut off, have as many fields as the header."""
    lines = io.StringIO(text.decode("utf-8", errors="replace"), newline="")
    reader = csv.reader(lines, delimiter=dialect.separator, quotechar=dialect.quote, skipinitialspace=True)
    try:
        rows = list(islice(reader, _ROWS_ALIKE + 1))[:-1]
    except csv.Error:
        return False
    if dialect.comment:
        rows = [row for row in rows if row and not row[0].startswith(dialect.comment)]
    return all(len(row) == len(dialect.names) for row in rows if row)
