"""JSON lines as a source of rows: an object on each line, whose keys are the columns.

The columns are the keys of the first block. A key that a row lacks, or null, is a missing cell.
"""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from itertools import islice
from threading import Lock
from typing import Any

import numpy as np

from gdcli.base.errors import CellError
from gdcli.base.names import quoted, shell_word
from gdcli.base.records import replace
from gdcli.data.cells import missing_option
from gdcli.data.csv.chunks import BLOCK_BYTES, Chunk, cut
from gdcli.data.csv.dialect import Dialect, Header
from gdcli.data.csv.exact import check_utf8
from gdcli.data.csv.options import CsvOptions
from gdcli.data.jsonl.fast import quick_names, quick_table
from gdcli.data.jsonl.lines import Line, is_half, lines_of, names_of
from gdcli.data.py_objects import Fault, numbers_of, texts_of
from gdcli.data.source import RowWriter, Source
from gdcli.data.streams import Stream
from gdcli.data.table import BadRow, Block, Coded, Table
from gdcli.engine.arrays import Array

# JSON has no line end inside a text, so that quotes do not matter to where lines end.
LINES = Dialect(separator=",", quote="", newline=b"\n", names=(), unnamed=frozenset())

_HEAD_BYTES = 1 << 16

# So many objects at a time are turned into columns: they take ten times the memory.
_STEP = 4096

# The interpreter runs one thread at a time: several that only take turns with it take longer than one after the other.
_ONE_AT_A_TIME = Lock()


class JsonLinesSource(Source):
    """An open JSON lines text; its first block is read on opening."""

    written_as = "JSON lines"

    def __init__(self, stream: Stream, options: CsvOptions) -> None:
        self._stream = stream
        self.name = stream.name
        self._skip = options.on_bad_row == "skip"
        self._chunks = cut(stream.text, stream.name, Header(LINES, b"", b"", 0, 0))
        self._chunk = next(self._chunks, None)
        self._lines: list[Line] | None = None
        names = () if self._chunk is None else quick_names(self._chunk.text)
        if names is None and self._chunk is not None:
            self._lines = list(lines_of(check_utf8(self._chunk, LINES), self._chunk.first_line))
            if not self._skip:
                _raise_first(self.name, self._lines)
            names = names_of(line.content for line in self._lines if line.content is not None)
        self.names = names or ()
        for name in self.names:
            if is_half(name):
                raise CellError(f"{quoted(self.name)}: the key {quoted(name)} holds half a character, a lone surrogate")

    def blocks(self) -> Generator["JsonLinesBlock", None, None]:
        """Yield the blocks of lines, and close the file. Raises DataError if it changed meanwhile."""
        try:
            if self._chunk is not None:
                first = JsonLinesBlock(self._chunk, self.names, self._skip, self._lines)
                self._chunk = self._lines = None
                yield first
                del first
            for chunk in self._chunks:
                yield JsonLinesBlock(chunk, self.names, self._skip)
            self._stream.check_end()
        finally:
            self._stream.close()

    def progress(self) -> tuple[int, int | None]:
        """The bytes read from the disk so far, and the file's size (None if it is unknown)."""
        return self._stream.position(), self._stream.size

    def rewriter(self, columns: Sequence[str], only: bool, classes: tuple[str, str] | None) -> RowWriter:
        """The writer of the rows as JSON lines; see :class:`gdcli.data.source.Source`."""
        from gdcli.data.jsonl.rewrite import JsonRows

        return JsonRows(self, columns, only, classes)


class JsonLinesBlock(Block):
    """A chunk of lines, each an object; ``lines`` are the objects, if they were read already."""

    def __init__(self, chunk: Chunk, names: tuple[str, ...], skip: bool, lines: list[Line] | None = None) -> None:
        self.chunk, self._names, self._skip, self._lines = chunk, names, skip, lines
        self._last: tuple[tuple[object, ...], Table] | None = None

    def table(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Table:
        """The named columns, parsed; see :class:`gdcli.data.table.Block`."""
        asked = (frozenset(numeric), frozenset(text), missing)
        if self._last is None or self._last[0] != asked:
            table = quick_table(self.chunk.text, self._names, numeric, text, missing)
            self._last = asked, table or self._table(numeric, text, missing)
        return self._last[1]

    def head(self) -> Block:
        """A block of the first few rows."""
        end = self.chunk.text.find(b"\n", _HEAD_BYTES) + 1 or len(self.chunk.text)
        return JsonLinesBlock(replace(self.chunk, text=self.chunk.text[:end]), self._names, self._skip)

    @property
    def skips(self) -> bool:
        """Whether bad rows are left out."""
        return self._skip

    @property
    def whole(self) -> bool:
        """Whether no further block can follow."""
        return len(self.chunk.text) < BLOCK_BYTES

    def reread(self, changes: Mapping[str, str | None]) -> "JsonLinesBlock | None":
        """This block read anew with other options; see :class:`gdcli.data.table.Block`."""
        if set(changes) != {"on_bad_row"}:
            return None
        return JsonLinesBlock(self.chunk, self._names, changes["on_bad_row"] == "skip", self._lines)

    def where(self, place: int) -> str:
        """The line of a row for a message; see :class:`gdcli.data.table.Block`."""
        return _place(self.chunk.name, next(islice(self.lines(), place, None)).number)

    def lines(self) -> Iterator[Line]:
        """Yield the lines that are not blank."""
        if self._lines is not None:
            return iter(self._lines)
        return lines_of(check_utf8(self.chunk, LINES), self.chunk.first_line)

    def _table(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Table:
        cells = _Cells([*numeric, *text], self._names)
        with _ONE_AT_A_TIME:
            for line in self.lines():
                cells.add(line)
            cells.flush()
        if not self._skip:
            _raise_first(self.chunk.name, cells.broken.values())
        bad = {row: f"{_place(self.chunk.name, line.number)}: {line.fault}" for row, line in cells.broken.items()}
        numbers: dict[str, Array] = {}
        for name in numeric:
            numbers[name], faults = numbers_of(cells.values[name], missing)
            self._judge(name, faults, cells, bad)
        for name in text:
            self._judge(name, list(_no_texts(cells.values[name])), cells, bad)
        texts = {name: texts_of(cells.values[name], missing) for name in text}
        if not bad:
            return Table(cells.count, numbers, texts, (), cells.late)
        kept = np.array([row not in bad for row in range(cells.count)])
        return Table(
            rows=int(kept.sum()),
            numeric={name: column[kept] for name, column in numbers.items()},
            text={name: Coded(column.codes[kept], column.levels) for name, column in texts.items()},
            skipped=tuple(BadRow(row, bad[row]) for row in sorted(bad)),
            late=None if cells.late is None else (int(kept[: cells.late[0]].sum()), cells.late[1]),
        )

    def _judge(self, name: str, faults: Sequence[Fault], cells: "_Cells", bad: dict[int, str]) -> None:
        """Count the rows of faulty cells as bad, or raise the error of the first."""
        for fault in faults:
            place = _place(self.chunk.name, cells.numbers[fault.row])
            reason = f"{place}, column {quoted(name)}: {fault.reason}"
            if not self._skip:
                raise fault.kind(f"{reason}; {_hint(fault, name)}")
            bad.setdefault(fault.row, reason)


class _Cells:
    """The cells of the ``wanted`` columns, gathered line by line; None in each column for a broken line."""

    def __init__(self, wanted: Sequence[str], names: tuple[str, ...]) -> None:
        self.values: dict[str, list[Any]] = {name: [] for name in wanted}
        self.numbers: list[int] = []
        self.broken: dict[int, Line] = {}
        self.late: tuple[int, str] | None = None
        self._expected = frozenset(names)
        self._rows: list[dict[str, Any]] = []

    @property
    def count(self) -> int:
        """The number of lines."""
        return len(self.numbers)

    def add(self, line: Line) -> None:
        """Add a line."""
        if line.content is None:
            self.broken[self.count] = line
        self.numbers.append(line.number)
        self._rows.append({} if line.content is None else line.content)
        if len(self._rows) == _STEP:
            self.flush()

    def flush(self) -> None:
        """Turn the lines taken into columns."""
        rows, self._rows = self._rows, []
        for name, column in self.values.items():
            column += [row.get(name) for row in rows]
        if self.late is None and not self._expected.issuperset(set().union(*rows)):
            row = next(i for i, found in enumerate(rows) if not self._expected.issuperset(found))
            name = next(name for name in rows[row] if name not in self._expected)
            self.late = self.count - len(rows) + row, name


def _raise_first(name: str, lines: Collection[Line]) -> None:
    for line in lines:
        if line.content is None:
            raise CellError(f"{_place(name, line.number)}: {line.fault}{line.hint}")


def _no_texts(values: Sequence[object]) -> Iterator[Fault]:
    """Yield what cannot be a text either: values within values, and halves of characters."""
    kinds = set(map(type, values))
    if dict in kinds or list in kinds:
        for row, value in enumerate(values):
            if isinstance(value, dict | list):
                kind = "an object" if isinstance(value, dict) else "a list"
                yield Fault(row, f"there is {kind} in this cell", None, CellError)
    halves = {value for value in values if isinstance(value, str)} if str in kinds else set()
    halves = set(filter(is_half, halves))
    for row, value in enumerate(values) if halves else ():
        if isinstance(value, str) and value in halves:
            yield Fault(row, f"{quoted(value)} holds half a character, a lone surrogate", None, CellError)


def _hint(fault: Fault, name: str) -> str:
    as_text = f"if the column is text: --categorical {shell_word(name)}"
    if fault.text is None:
        leave_out = f"correct it, or fit without the column (--exclude {shell_word(name)})"
        return leave_out if fault.kind is CellError else as_text
    missing = missing_option(fault.text)
    if fault.kind is CellError:
        return f"to treat it as missing: {missing}"
    return f"if it means a missing value: {missing}, {as_text}"


def _place(name: str, line: int) -> str:
    return f"{quoted(name)}, line {line}"
