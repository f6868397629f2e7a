"""The contract of a source of rows, which each input format fulfils."""

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Protocol

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.base.records import NamedTuple, record
from gdcli.data.table import Block, Table
from gdcli.engine.arrays import Array

if TYPE_CHECKING:
    from gdcli.data.csv.dialect import Dialect
    from gdcli.data.csv.raw_rows import RawRows


@record
class FileMark:
    """A file's name, its size in bytes and its time of change in UTC (ISO 8601): what tells it from others later."""

    name: str
    size: int
    modified: str


class Place(NamedTuple):
    """The beginning of a block: its number (from 0), its first byte's place (from 0, after the header), and its line
    (from 1).
    """

    block: int
    at: int
    line: int


class OtherFileError(DataError):
    """A file is gone, or is another one than was seen first."""


class RangeReader(Protocol):
    """A reader of a file's blocks from any block on. It is sent to workers, and works wherever the file is found."""

    @property
    def bytes(self) -> int:
        """The number of bytes of all rows."""
        ...

    @property
    def start(self) -> Place:
        """The beginning of the first block."""
        ...

    def blocks(self, start: Place) -> Generator[tuple[Block, Place | None], None, None]:
        """Yield the blocks from a place on, each with the beginning of the next one (None: it is the last).

        Raises OtherFileError.
        """
        ...

    def count_blocks(self) -> int:
        """The most likely number of blocks."""
        ...

    def guess(self, block: int) -> int:
        """The likely place of block number ``block``'s first byte, counted from the end of the header."""
        ...


RowText = Callable[[Block, Table, Array], bytes]
"""The text of a block's rows, given its table and predictions (n,); NaN becomes an empty cell."""


class RowWriter(Protocol):
    """Writes rows again, each with its prediction, in the form of the first input."""

    header: bytes

    def beside(self, source: "Source") -> RowText:
        """The function that writes the blocks of an input. Raises DataError if its columns are others."""
        ...


class Source(Protocol):
    """A table of rows: a file, stdin, a DataFrame; or a summary, whose one block is an aggregate already.

    ``written_as`` is the form that ``rewriter`` writes: only inputs of one form go into one output.
    """

    name: str
    names: tuple[str, ...]
    written_as: str = "CSV"

    @property
    def unnamed(self) -> frozenset[str]:
        """The columns that have no name in the header."""
        return frozenset()

    @property
    def has_rows(self) -> bool:
        """Whether rows can be read; False for a summary."""
        return True

    @property
    def stands_for(self) -> tuple[FileMark, ...]:
        """The files that a summary was made from; none for a source of rows."""
        return ()

    def blocks(self) -> Generator[Block, None, None]:
        """Yield the blocks in order; once only, unless the source is opened again."""
        ...

    def progress(self) -> tuple[int, int | None]:
        """The bytes read so far, and the total (None if it is unknown)."""
        return 0, None

    def rewriter(self, columns: Sequence[str], only: bool, classes: tuple[str, str] | None) -> RowWriter:
        """The writer of this source's rows with new ``columns`` appended; with ``only``, of the new columns alone.

        The columns are predictions (n,), or (n, k) if there are k.

        With ``classes`` predictions are probabilities of the second one, and the likelier class is written.
        Raises DataError if the source has a column of the same name.
        """
        ...

    def csv_rows(self, dialect: "Dialect", end: bytes) -> "Callable[[Block, Table], RawRows] | None":
        """The function that gives a block's rows as CSV text in a dialect; None: they are no text, but cells."""
        return None

    def check_unchanged(self) -> None:
        """Raise DataError if the file, read by the workers of a cluster, is no longer the one that was opened here."""
        return

    def for_workers(self) -> RangeReader | None:
        """The reader to send to the workers of a cluster; None if the source has no row.

        Raises DataError if they cannot read it: it is compressed, no file, or neither CSV nor Parquet.
        """
        raise DataError(f"{quoted(self.name)} is neither CSV nor Parquet, and no other can --dask read: leave that out")
