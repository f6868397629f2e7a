"""Tables of parsed columns, and the contract of the blocks of rows that they are parsed from."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

import numpy as np

from gdcli.base.errors import NotNumericError
from gdcli.base.records import field, record
from gdcli.data.number_format import PLAIN_NUMBERS, NumberFormat
from gdcli.engine.arrays import Array, NDArray


@record(eq=False)
class Coded:
    """A text column: ``levels`` are the distinct texts, ``codes`` (n,) each row's index in them; −1: a missing cell."""

    codes: NDArray[np.integer]
    levels: tuple[str, ...]


@record
class BadRow:
    """A row that was left out: its index among the block's rows, from 0, and a message with its line and the reason."""

    row: int
    reason: str


@record(eq=False)
class Table:
    """The parsed columns of ``rows`` consecutive rows, by name: ``numeric`` ones (rows,) and ``text`` ones.

    A missing number is NaN; no number is infinite. ``skipped`` are the bad rows, which are left out. ``late`` is the
    first row with a column that the source did not know when it was opened, and that column's name; None without any.
    ``filled`` counts missing cells that were filled, by column. ``misquoted`` is the place of the first cell of a
    column that was not asked for in which text follows the closing quote, empty if there is none.
    """

    rows: int
    numeric: Mapping[str, Array]
    text: Mapping[str, Coded]
    skipped: tuple[BadRow, ...] = ()
    late: tuple[int, str] | None = None
    filled: Mapping[str, int] = field(default_factory=dict)
    misquoted: str = ""

    def place(self, row: int) -> int:
        """The place of a row of this table among all rows of its block, those skipped included."""
        for skipped in sorted(one.row for one in self.skipped):
            if skipped <= row:
                row += 1
        return row


class Block(Protocol):
    """Consecutive rows of a source, not yet parsed.

    A format defines ``table``, ``head``, ``whole`` and ``where``; the rest are for CSV text.
    """

    def table(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Table:
        """The named columns, parsed as numbers and as text; cells in ``missing`` have no value.

        Raises CellError for the first row or cell that cannot be used, NotNumericError if it is a cell of a numeric
        column that is not a finite number.
        """
        ...

    def head(self) -> "Block":
        """A block of the first few rows."""
        ...

    def sample(self, rows: Collection[int], others: int) -> "Block":
        """A block of the given ``rows`` and of ``others`` evenly among all, whose lines are unknown.

        The block itself, if it is hardly longer or the format does not take it apart.
        """
        return self

    def suspects(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Collection[str]:
        """The columns among ``numeric`` that may have a cell that is not a finite number; ``text`` is read with them.

        Raises CellError for a row that cannot be used.
        """
        try:
            return numeric if self.table(numeric, text, missing).skipped else ()
        except NotNumericError:
            return numeric

    @property
    def whole(self) -> bool:
        """Whether no further block can follow."""
        ...

    def where(self, place: int) -> str:
        """The row at a place among all of this block, from 0, for a message: ``'housing.csv', line 17``."""
        ...

    def cells(self, names: Collection[str]) -> list[list[Any]]:
        """The values of the named columns, one list per column; None for a missing one."""
        table = self.table([], dict.fromkeys(names), frozenset({""}))
        columns = [table.text[name] for name in names]
        return [[None if code < 0 else one.levels[code] for code in one.codes.tolist()] for one in columns]

    @property
    def summary(self) -> Any | None:
        """The summary that stands for the rows, if this is a summary's block; None for a block of rows."""
        return None

    @property
    def numbers(self) -> NumberFormat:
        """The format of numbers."""
        return PLAIN_NUMBERS

    @property
    def separator(self) -> str:
        """The separator of CSV text; empty for other formats."""
        return ""

    @property
    def skips(self) -> bool | None:
        """Whether bad rows are left out; None if the format has no option for that."""
        return None

    def header_lines(self, names: Collection[str]) -> list[int]:
        """The first line of text that has all the names among its cells; without names the first that is as wide as
        most rows are, and wider than the header. Empty if there is none.
        """
        return []

    def below(self, line: int) -> "tuple[Block, tuple[str, ...], frozenset[str]] | None":
        """The rows below a header on ``line``, its column names, and which of them are made up; None if impossible."""
        return None

    def reread(self, changes: Mapping[str, str | None]) -> "Block | None":
        """This block read anew with ``changes`` of fields of ``CsvOptions``; None if the format has no such options.

        Raises UsageError for options that contradict each other.
        """
        return None
