"""A block of CSV text, parsed by one of three parsers that agree on every block that they accept.

The exact one goes cell by cell: it gives the right answer, or names the first cell that is wrong. Two are quick, refuse
what they are not sure of, and leave that to the others: the plain one takes NumPy alone, and the fast one is twice as
fast, but needs pandas.
"""

import io
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from itertools import islice

import numpy as np

from gdcli.base.errors import DataError, UsageError
from gdcli.base.names import quoted
from gdcli.base.records import replace
from gdcli.data.csv.chunks import BLOCK_BYTES, Chunk, row_end
from gdcli.data.csv.dialect import Dialect
from gdcli.data.csv.exact import check_bad_rows, parse_carefully, records
from gdcli.data.csv.options import BLANKS
from gdcli.data.csv.unsure import UnsureError
from gdcli.data.number_format import NumberFormat
from gdcli.data.table import Block, Coded, Table

_HEAD_BYTES = 1 << 16

# Bytes of text that the plain parser reads, and the exact one, in the time that importing pandas takes. Measured.
_PLAIN_BYTES, _EXACT_BYTES = 64 << 20, 1 << 20

_taken = _read_exactly = 0


def expect(size: int, taken: int = 0) -> None:
    """Import pandas, if that pays for the texts taken so far and ``size`` bytes more; ``taken`` of them come now."""
    global _taken
    if _taken + size > _PLAIN_BYTES:
        import gdcli.data.csv.fast  # noqa: F401
    _taken += taken


def _is_worth_pandas(size: int, now: int) -> bool:
    """Whether pandas is imported already, or worth importing for ``size`` bytes and those read exactly so far.

    ``now`` are the bytes read now.
    """
    global _read_exactly
    if "pandas" in sys.modules or _read_exactly + size > _EXACT_BYTES:
        return True
    _read_exactly += now
    return False


class CsvBlock(Block):
    """A chunk of CSV text and the dialect to read it in.

    ``size`` is the number of bytes that are to be read in all, if the chunk is only the head of them (None: it is all).
    """

    def __init__(self, chunk: Chunk, dialect: Dialect, size: int | None = None) -> None:
        self.chunk, self.dialect = chunk, dialect
        self._size = len(chunk.text) if size is None else size
        self._last: tuple[tuple[object, ...], Table] | None = None

    @property
    def numbers(self) -> NumberFormat:
        """The format of numbers."""
        return self.dialect.numbers

    @property
    def separator(self) -> str:
        """The character between two fields."""
        return self.dialect.separator

    @property
    def skips(self) -> bool:
        """Whether bad rows are left out."""
        return self.dialect.skip_bad

    def table(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Table:
        """The named columns, parsed; see :class:`gdcli.data.table.Block`."""
        asked = (frozenset(numeric), frozenset(text), missing)
        if self._last is None or self._last[0] != asked:  # the first block is asked twice: by the design, and to fit
            table = self._quick(numeric, text, missing) or self._without_odd_cells(numeric, text, missing)
            if table is None:
                table = parse_carefully(self.chunk, self.dialect, numeric, text, missing)
            self._last = asked, table
        return self._last[1]

    def suspects(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Collection[str]:
        """The columns of numbers that may have a cell that is none; see :class:`gdcli.data.table.Block`."""
        table = self._quick(numeric, text, missing)
        if table is not None:
            self._last = (frozenset(numeric), frozenset(text), missing), table
            return ()
        if _is_worth_pandas(self._size, 0):
            from gdcli.data.csv.fast import odd_columns

            with suppress(UnsureError):
                return odd_columns(self.chunk, self.dialect, numeric, text, missing)
        return super().suspects(numeric, text, missing)

    def _quick(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Table | None:
        """The table by a quick parser; None if both are unsure, or the fast one not worth its import."""
        table = self._plain(numeric, text, missing)
        if table is not None:
            return table
        if not _is_worth_pandas(self._size, len(self.chunk.text)):
            return None
        from gdcli.data.csv.fast import parse_fast

        with suppress(UnsureError):
            return parse_fast(self.chunk, self.dialect, numeric, text, missing)
        return None

    def _plain(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Table | None:
        """The table by the plain parser; None if it is unsure, or if pandas is there."""
        if "pandas" in sys.modules:
            return None
        from gdcli.data.csv.plain import parse_plain

        with suppress(UnsureError):
            return parse_plain(self.chunk, self.dialect, numeric, text, missing)
        return None

    def _without_odd_cells(
        self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]
    ) -> Table | None:
        """The table without the rows in which a number is none, or raise NotNumericError for the first of them, if bad
        rows are not left out. None if anything else may be bad.
        """
        table = self.inferred(numeric, text, missing) if "pandas" in sys.modules else None
        if table is None or not table.numeric:
            return None
        odd = np.logical_or.reduce([np.isinf(numbers) for numbers in table.numeric.values()])
        places = set(np.flatnonzero(odd).tolist())
        first = places if self.skips else {min(places, default=0)}
        skipped = check_bad_rows(self.chunk, self.dialect, numeric, text, missing, first)
        if not skipped or len(skipped) != len(places):
            return None
        kept = ~odd
        return Table(
            rows=int(kept.sum()),
            numeric={name: numbers[kept] for name, numbers in table.numeric.items()},
            text={name: Coded(found.codes[kept], found.levels) for name, found in table.text.items()},
            skipped=skipped,
        )

    def inferred(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Table | None:
        """The named columns, parsed as by ``table``, but a text in a numeric column becomes +∞.

        None if the quick parsers are unsure of their results, or not worth an import for so short a text.
        """
        table = self._plain(numeric, text, missing)
        if table is not None:
            return table
        if not _is_worth_pandas(self._size, len(self.chunk.text)):
            return None
        from gdcli.data.csv.fast import parse_inferred

        with suppress(UnsureError):
            return parse_inferred(self.chunk, self.dialect, numeric, text, missing)
        return None

    def head(self) -> "CsvBlock":
        """A block of the first few rows."""
        end = row_end(self.chunk.text, _HEAD_BYTES, self.dialect) or len(self.chunk.text)
        return CsvBlock(replace(self.chunk, text=self.chunk.text[:end]), self.dialect, self._size)

    def sample(self, rows: Collection[int], others: int) -> "CsvBlock":
        """A block of some rows; see :class:`gdcli.data.table.Block`."""
        count = 0 if self._last is None or self.skips else self._last[1].rows  # skipped rows are not counted
        if count <= 2 * others:
            return self
        from gdcli.data.csv.raw_rows import raw_rows

        try:
            found = raw_rows(self.chunk, self.dialect, count)
        except DataError:
            return self
        chosen = sorted({*rows, *range(0, count, count // others)})
        ends = [found.ends] * count if isinstance(found.ends, bytes) else found.ends
        text = b"".join(found.rows[row] + ends[row] for row in chosen)
        return CsvBlock(replace(self.chunk, text=text), self.dialect, self._size)

    @property
    def whole(self) -> bool:
        """Whether no further block can follow."""
        return self._size == len(self.chunk.text) < BLOCK_BYTES

    def header_lines(self, names: Collection[str]) -> list[int]:
        """The lines that a header may stand on; see :class:`gdcli.data.table.Block`."""
        from gdcli.data.csv.misplaced_header import header_lines

        return header_lines(self.head().chunk, self.dialect, names)

    def below(self, line: int) -> "tuple[CsvBlock, tuple[str, ...], frozenset[str]] | None":
        """The rows below a header on ``line``; see :class:`gdcli.data.table.Block`."""
        from gdcli.data.csv.misplaced_header import rows_below

        found = rows_below(self.chunk, self.dialect, line)
        return None if found is None else (CsvBlock(*found), found[1].names, found[1].unnamed)

    def reread(self, changes: Mapping[str, str | None]) -> "CsvBlock":
        """This block read anew with other options; see :class:`gdcli.data.table.Block`."""
        dialect, fields = self.dialect, dict(changes)
        old = dialect.numbers
        numbers = NumberFormat(fields.get("decimal") or old.decimal, fields.get("thousands", old.thousands))
        quote = fields.get("quotechar") or dialect.quote
        skip = dialect.skip_bad or fields.get("on_bad_row") == "skip"
        if numbers.decimal == numbers.thousands or quote in (dialect.separator, numbers.decimal, numbers.thousands):
            raise UsageError("these marks contradict each other")
        chunk, comment = self.chunk, (fields.get("comment") or "").encode()
        if fields.get("separator") == BLANKS:
            from gdcli.data.csv.whitespace import Squeezed

            # between two blanks there is no column any more
            chunk = replace(chunk, text=Squeezed(io.BytesIO(chunk.text), chunk.name, quote).read(len(chunk.text)))
            named = tuple(name for name in dialect.names if name not in dialect.unnamed)
            dialect = replace(dialect, names=named, unnamed=frozenset())
        if comment:
            lines = chunk.text.splitlines(keepends=True)
            chunk = replace(chunk, text=b"".join(line for line in lines if not line.startswith(comment)))
        size = None if self._size == len(self.chunk.text) else self._size
        return CsvBlock(chunk, replace(dialect, quote=quote, numbers=numbers, skip_bad=skip), size)

    def where(self, place: int) -> str:
        """The line of a row for a message; see :class:`gdcli.data.table.Block`."""
        line, _ = next(islice(records(self.chunk, self.dialect), place, None))
        return f"{quoted(self.chunk.name)}, line {line}"
