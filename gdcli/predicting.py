"""``predict``: rows in, the same rows with a prediction out, block by block, in constant memory.

The bytes of the input's cells are passed on as they are; only what has to be known is parsed. Blocks are worked on in
threads and written in order.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from gdcli.data.cells import CsvBlock
from gdcli.data.chunks import Chunk, cut
from gdcli.data.csvoptions import CsvOptions
from gdcli.data.dialect import Dialect, Header, open_table
from gdcli.data.rows import RawRows, moved_cell, quoted_cell, raw_cells, raw_rows, without_rows
from gdcli.data.stream import Stream, check_exists, open_stream
from gdcli.data.table import Table
from gdcli.engine.triangle import Array
from gdcli.errors import DataError, UsageError
from gdcli.groupmodel import AnyModel
from gdcli.listener import Listener
from gdcli.parallel import ordered_map
from gdcli.reading import tell_remarks
from gdcli.reduced import Skipped, skipped_of
from gdcli.text import count_of, listed, quoted

# Enough of a file's start to tell gdfit's own JSON from a table.
_PEEK_BYTES = 256
# So many unknown levels are named.
_MOST_LEVELS = 3


@dataclass(frozen=True, slots=True)
class PredictOptions:
    """``column`` is the new column's name (None: TARGET_predicted); ``only`` leaves out the input's own columns.

    With ``classes`` a logistic model's predictions are the likelier class instead of the event's probability.
    """

    column: str | None = None
    only: bool = False
    classes: bool = False
    csv: CsvOptions = field(default_factory=CsvOptions)
    jobs: int | None = None


@dataclass(slots=True)
class Tally:
    """How many rows there were, and how many of them have no prediction, by the column that is to blame."""

    rows: int = 0
    unpredicted: int = 0
    by_column: Counter[str] = field(default_factory=Counter)
    unknown: dict[str, list[str]] = field(default_factory=dict)
    skipped: Skipped = field(default_factory=Skipped)

    def add(self, other: "Tally") -> None:
        """Count the rows of another tally too."""
        self.rows += other.rows
        self.unpredicted += other.unpredicted
        self.skipped += other.skipped
        self.by_column.update(other.by_column)
        for name, levels in other.unknown.items():
            self.unknown[name] = sorted({*self.unknown.get(name, ()), *levels})[: _MOST_LEVELS + 1]

    def __str__(self) -> str:
        reasons = [self._reason(name, count) for name, count in self.by_column.most_common()]
        why = f" ({', '.join(reasons)})" if reasons else ""
        return f"{self.unpredicted:,} of {count_of(self.rows, 'row')} could not be predicted{why}"

    def _reason(self, name: str, count: int) -> str:
        levels = self.unknown.get(name, [])
        known = f", unknown: {', '.join(quoted(level, 30) for level in levels[:_MOST_LEVELS])}" if levels else ""
        return f"{quoted(name)} {count:,}{known}{', …' if len(levels) > _MOST_LEVELS else ''}"


@dataclass(frozen=True, slots=True)
class _Text:
    """A CSV file whose header was read; ``header`` is its line, without its end; empty where there is none."""

    stream: Stream
    name: str
    parsed: Header
    header: bytes
    end: bytes

    @property
    def dialect(self) -> Dialect:
        return self.parsed.dialect

    def chunks(self, listener: Listener) -> Iterator[Chunk]:
        """Yield the blocks of rows."""
        for chunk in cut(self.stream.text, self.name, self.parsed):
            yield chunk
            listener.reading(self.stream.position(), self.stream.size)


def predict_files(
    model: AnyModel,
    files: Sequence[str],
    options: PredictOptions,
    write: Callable[[bytes], object],
    listener: Listener,
) -> Tally:
    """Write the rows of all files with their predictions under the first one's header. Raises DataError, UsageError."""
    if options.classes and model.classes is None:
        raise UsageError(f"a model with the loss {model.loss} predicts no classes, so --as class has no place")
    for path in files:
        check_exists(path)
    tally = Tally()
    first: _Text | None = None
    for path in files:
        with closing(open_stream(path, options.csv.encoding)) as stream:
            text = _open_table(stream, options, listener)
            model.require_columns(text.dialect.names, text.name)
            if first is None:
                first = text
                write(_header(first, model, options))
            else:
                _check_same_columns(first, text)
            worker = _Worker(model, options, first, text)
            jobs = options.jobs or os.cpu_count() or 1
            for part, counted in ordered_map(worker.predict, text.chunks(listener), jobs):
                write(part)
                tally.add(counted)
    if tally.skipped.count:
        listener.warn(str(tally.skipped))
    return tally


def _open_table(stream: Stream, options: PredictOptions, listener: Listener) -> _Text:
    encoding = getattr(stream.text, "encoding", None)  # where the text is not UTF-8 already
    start = stream.peek(_PEEK_BYTES)
    if start.lstrip().startswith(b"{") and b'"gdfit.' in start:
        kind = "summary, which holds no rows" if b'"gdfit.summary/' in start else "model: one only, before the data"
        raise DataError(f"{quoted(stream.name)} is a gdfit {kind}")
    parsed = open_table(stream, options.csv)
    header = parsed.line.rstrip(b"\r\n")
    if encoding is not None:
        listener.note(f"{quoted(stream.name)} is {encoding}; its rows are written as UTF-8")
    tell_remarks(stream.name, parsed.dialect, options.csv, listener)
    return _Text(stream, stream.name, parsed, header, parsed.line[len(header) :] or parsed.dialect.newline)


def _header(first: _Text, model: AnyModel, options: PredictOptions) -> bytes:
    column = f"{model.target}_predicted" if options.column is None else options.column
    separator = first.dialect.separator.encode()
    cell = quoted_cell(column.encode("utf-8", "replace"), first.dialect)
    if not first.dialect.header:
        return b""
    if options.only:
        return cell + first.end
    if column in first.dialect.names:
        raise DataError(f"{quoted(first.name)} has a column {quoted(column)} already; name another with --column")
    return first.header + separator + cell + first.end


def _check_same_columns(first: _Text, other: _Text) -> None:
    """The columns may stand in another order, but must have the same names."""
    here, there = Counter(first.dialect.names), Counter(other.dialect.names)
    if here == there:
        return
    parts = (("lacks", here - there), ("also has", there - here))
    difference = " and ".join(f"{verb} {listed(names, 5)}" for verb, names in parts if names)
    raise DataError(f"{quoted(other.name)} {difference}, unlike {quoted(first.name)}")


class _Worker:
    """Predicts blocks of one file, for the separator, order and line ends of the first."""

    def __init__(self, model: AnyModel, options: PredictOptions, first: _Text, text: _Text) -> None:
        self._model, self._only = model, options.only
        self._classes = model.classes if options.classes else None
        self._dialect, self._written = text.dialect, first.dialect
        self._separator, self._end = first.dialect.separator.encode(), first.end
        ours, theirs = text.dialect, first.dialect
        ours_as_theirs = (ours.separator, ours.quote, ours.names, text.end)
        self._moved = ours_as_theirs != (theirs.separator, theirs.quote, theirs.names, first.end)
        self._order = _order(ours.names, theirs.names)

    def predict(self, chunk: Chunk) -> tuple[bytes, Tally]:
        """Return the block's rows with their predictions, and the count of those without."""
        table = self._model.table(CsvBlock(chunk, self._dialect))
        predictions = self._model.predict_table(table)
        tally = _tally(self._model, table, predictions)
        if not table.rows:
            return b"", tally
        if self._only:
            return b"".join(self._texts(predictions, b"", self._end, b'""')), tally
        raw = raw_rows(chunk, self._dialect, table.rows + len(table.skipped))
        if table.skipped:
            raw = without_rows(raw, {bad.row for bad in table.skipped})
        if self._moved:
            raw = RawRows([self._in_order(row) for row in raw.rows], self._end)
        return self._beside(raw, predictions), tally

    def _beside(self, raw: RawRows, predictions: Array) -> bytes:
        """Return the rows, each with its prediction before its line end."""
        if isinstance(raw.ends, bytes):
            parts = [b""] * (2 * len(raw.rows))
            parts[0::2] = raw.rows
            parts[1::2] = self._texts(predictions, self._separator, raw.ends, b"")
            return b"".join(parts)
        texts = self._texts(predictions, self._separator, b"", b"")
        ends = [row_end or self._end for row_end in raw.ends]
        return b"".join(part for row in zip(raw.rows, texts, ends, strict=True) for part in row)

    def _texts(self, predictions: Array, before: bytes, after: bytes, missing: bytes) -> list[bytes]:
        """Return each prediction's text between ``before`` and ``after``, and ``missing`` there for a NaN."""
        if self._classes is None:
            return _numbers(predictions, before, after, missing)
        other, event = (quoted_cell(name.encode("utf-8", "replace"), self._written) for name in self._classes)
        which = np.where(np.isnan(predictions), 2, predictions >= 0.5).astype(np.intp)
        cells = [before + cell + after for cell in (other, event, missing)]
        return [cells[i] for i in which.tolist()]

    def _in_order(self, row: bytes) -> bytes:
        """Return a row with its cells in the first file's order, between the first file's separators."""
        cells = raw_cells(row, self._dialect)
        if (self._dialect.separator, self._dialect.quote) != (self._written.separator, self._written.quote):
            cells = [moved_cell(cell, self._dialect, self._written) for cell in cells]
        return self._separator.join([cells[i] for i in self._order])


def _order(ours: Sequence[str], theirs: Sequence[str]) -> list[int]:
    """Return the place here of each of their columns; of equal names the first is the first."""
    places: dict[str, list[int]] = {}
    for i, name in enumerate(ours):
        places.setdefault(name, []).append(i)
    return [places[name].pop(0) for name in theirs]


def _numbers(predictions: Array, before: bytes, after: bytes, missing: bytes) -> list[bytes]:
    """Return each number's shortest text between ``before`` and ``after``, and ``missing`` there for a NaN.

    The text of the whole list is made and cut at once: half the time of a call of ``repr`` for each number.
    """
    texts = repr(predictions.tolist())[1:-1].encode()
    cut_at = after + b"\0" + before
    whole = before + texts.replace(b", ", cut_at) + after
    if b"nan" in texts:
        # Numbers hold no letter but the e of their exponent.
        whole = whole.replace(before + b"nan" + after, before + missing + after)
    return whole.split(b"\0")


def _tally(model: AnyModel, table: Table, predictions: Array) -> Tally:
    without = int(np.count_nonzero(np.isnan(predictions)))
    found = Tally(table.rows, without, skipped=skipped_of(table.skipped))
    if without:
        found.by_column.update(model.missing_by_column(table))
        found.unknown = _unknown_levels(model, table)
    return found


def _unknown_levels(model: AnyModel, table: Table) -> dict[str, list[str]]:
    """Return the first few of the levels that the model does not know, by column."""
    unknown: dict[str, list[str]] = {}
    for effect in model.effects:
        if effect.by_level is not None:
            column = table.text[effect.column]
            there = np.unique(column.codes[column.codes >= 0]).tolist()
            new = [column.levels[i] for i in there if column.levels[i] not in effect.by_level]
            if new:
                unknown[effect.column] = sorted(new)[: _MOST_LEVELS + 1]
    return unknown
