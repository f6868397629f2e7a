"""Blocks of columns, as every source gives them, whatever it reads."""

from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gdcli.data.number_format import NumberFormat
from gdcli.engine.arrays import Array


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A text column: ``codes`` (n,) are places in ``levels``, −1 where the cell is missing."""

    codes: NDArray[np.integer]
    levels: tuple[str, ...]


class BadRow(NamedTuple):
    """A row that was left out: its place among the rows of the block, from 0, and why, with its line."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Some rows of some columns. A missing number is NaN; there are no infinite ones.

    ``skipped`` are the bad rows that are not among the ``rows``. ``late`` is the first row that has a column of which
    the source did not know when it was opened, and that column's name.
    ``filled`` counts missing cells that were filled, by column.
    """

    rows: int
    numeric: Mapping[str, Array]
    text: Mapping[str, Coded]
    skipped: tuple[BadRow, ...] = ()
    late: tuple[int, str] | None = None
    filled: Mapping[str, int] = field(default_factory=dict)


class Block(Protocol):
    """Some consecutive rows of a source, not yet parsed.

    ``numbers`` tells how it writes these.
    """

    @property
    def numbers(self) -> NumberFormat:
        """How numbers are written."""
        ...

    def table(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Table:
        """Parse the named columns as numbers and as text; cells in ``missing`` have no value.

        Raises CellError for the first row or cell that cannot be used, NotNumericError where it is a cell of a
        numeric column that is not a number.
        """
        ...

    def head(self) -> "Block":
        """Return the first few rows, to take a quick look at."""
        ...

    @property
    def separator(self) -> str:
        """The separator of CSV text; empty elsewhere."""
        ...

    @property
    def skips(self) -> bool:
        """Whether bad rows are left out."""
        ...

    @property
    def whole(self) -> bool:
        """Whether no further block can follow."""
        ...

    def header_lines(self, names: Collection[str]) -> list[int]:
        """Return the first line that has all the names among its cells; without names the first that is as wide as most
        rows are, and wider than the header. Empty if there is none, or no text.
        """
        ...

    def below(self, line: int) -> "tuple[Block, tuple[str, ...], frozenset[str]] | None":
        """Return the rows under a header on some line, its names and those that are unnamed; None if there is none."""
        ...

    def reread(self, changes: Mapping[str, str | None]) -> "Block | None":
        """Return the same rows under other CSV options, by their names in ``CsvOptions``; None if there are none here.

        Raises UsageError for options that contradict each other.
        """
        ...

    def where(self, row: int) -> str:
        """Return the place of a row of this block for a message: ``'housing.csv', line 17``."""
        ...


class Source(Protocol):
    """A table of rows: a file, stdin, a DataFrame."""

    name: str
    names: tuple[str, ...]
    unnamed: frozenset[str]

    def blocks(self) -> Generator[Block, None, None]:
        """Yield the blocks in order; once only, unless the source is opened again."""
        ...

    def progress(self) -> tuple[int, int | None]:
        """Return the bytes read so far, and of how many."""
        ...
