"""``predict``: rows in, the same rows with a prediction out, block by block, in constant memory.

Only the columns that a prediction needs are parsed (see :mod:`gdcli.data.csv.rewrite` for the rest). Blocks are
worked on in threads and written in order.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial

import numpy as np

from gdcli.base.errors import DataError, UsageError
from gdcli.base.listener import Listener
from gdcli.base.names import count_of, quoted
from gdcli.base.parallel import ordered_map
from gdcli.base.records import field, record
from gdcli.data.csv.options import CsvOptions
from gdcli.data.source import RowText, RowWriter, Source
from gdcli.data.streams import Stream, check_exists, open_stream
from gdcli.data.table import Block, Table
from gdcli.engine.arrays import Array
from gdcli.fitting.inference import require_scipy
from gdcli.ingest.counts import SkippedRows, fill_phrase, skipped_of
from gdcli.ingest.formats import open_input
from gdcli.ingest.inputs import Inputs
from gdcli.models.model import Model
from gdcli.models.obstacle import first_obstacle, reading_of_model, refused

# The number of unknown levels that a message names.
_MOST_LEVELS = 3

# What the names of the columns of intervals end in.
_ENDS = ("_low", "_high", "_mean_low", "_mean_high")


@record
class PredictOptions:
    """``column`` is the new column's name (None: TARGET_predicted); ``only`` leaves out the input's own columns.

    With ``interval``, a share such as 0.95, each prediction has its intervals: of one new value, and of the mean.
    With ``classes`` a logistic model's predictions are the likelier class instead of the event's probability.
    """

    column: str | None = None
    only: bool = False
    classes: bool = False
    interval: float | None = None
    csv: CsvOptions = field(default_factory=CsvOptions)
    jobs: int | None = None


@record(eq=False, frozen=False)
class Tally:
    """The numbers of rows, of rows without a prediction (also by the column that lacks a value), and of filled cells.

    ``obstacle`` is the message on the first unusable cell of a block without any prediction; "" if there was no such
    block.
    """

    rows: int = 0
    unpredicted: int = 0
    by_column: Counter[str] = field(default_factory=Counter)
    unknown: dict[str, list[str]] = field(default_factory=dict)
    skipped: SkippedRows = field(default_factory=SkippedRows)
    filled: Counter[str] = field(default_factory=Counter)
    obstacle: str = ""

    def add(self, other: "Tally") -> None:
        """Add the counts of another tally to this one."""
        self.rows += other.rows
        self.unpredicted += other.unpredicted
        self.obstacle = self.obstacle or other.obstacle
        self.skipped += other.skipped
        self.by_column.update(other.by_column)
        self.filled.update(other.filled)
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


def predict_files(
    model: Model,
    files: Sequence[str],
    options: PredictOptions,
    write: Callable[[bytes], object],
    listener: Listener,
) -> Tally:
    """Write the rows of all files with their predictions under the first file's header, and return the counts.

    Raises DataError and UsageError.
    """
    if options.classes and model.classes is None:
        raise UsageError(f"a model with the loss {model.loss} predicts no classes, so --as class has no place")
    if options.interval is not None:
        _check_interval(model, options.interval)
    for path in files:
        check_exists(path)
    tally = Tally()
    column = f"{model.target}_predicted" if options.column is None else options.column
    columns = [column, *(() if options.interval is None else (f"{column}{end}" for end in _ENDS))]
    out: RowWriter | None = None
    inputs = Inputs(listener)
    for path in files:
        with closing(open_stream(path, options.csv.encoding, inputs.grew)) as stream:
            source = _open_source(stream, options, listener)
            try:
                model.require_columns(source.names, source.name)
            except DataError as error:
                raise reading_of_model(error, options.csv) from None
            if out is None:
                out = source.rewriter(columns, options.only, model.classes if options.classes else None)
                write(out.header)
            predict = partial(_predicted, model, out.beside(source), options.interval)
            with closing(source.blocks()) as blocks:
                for part, counted in ordered_map(predict, _told(blocks, source, listener), options.jobs):
                    write(part)
                    tally.add(counted)
    if tally.skipped.count:
        listener.warn(str(tally.skipped))
    inputs.tell_growth(tally.rows)
    if tally.filled:
        listener.note(fill_phrase(tally.filled))
    if tally.rows and tally.unpredicted == tally.rows:
        raise refused(tally.obstacle or quoted(files[0]), str(tally), options.csv)
    return tally


def _open_source(stream: Stream, options: PredictOptions, listener: Listener) -> Source:
    encoding = getattr(stream.text, "encoding", None)  # where the text is not UTF-8 already
    source = open_input(stream, options.csv, listener)
    if encoding is not None:
        listener.note(f"{quoted(stream.name)} is {encoding}; its rows are written as UTF-8")
    return source


def _told(blocks: Iterator[Block], source: Source, listener: Listener) -> Iterator[Block]:
    for block in blocks:
        yield block
        listener.reading(*source.progress())


def _check_interval(model: Model, share: float) -> None:
    """Raise UsageError if a model has no intervals."""
    if not 0 < share < 1:
        raise UsageError(f"--interval takes a percentage between 0 and 100, not {100 * share:g}")
    require_scipy("--interval")
    if model.row_spread is None:
        raise UsageError(
            "--interval needs a model of one fit by least squares without penalty, with degrees of freedom left and at "
            "most 100 terms, saved by this version: fit it again"
        )


def with_intervals(model: Model, table: Table, predictions: Array, share: float) -> Array:
    """The predictions with both intervals as columns (n, 5): low, high of one new value, then low, high of the mean."""
    assert model.row_spread is not None
    with np.errstate(invalid="ignore", over="ignore"):
        mean, new = model.row_spread.half_widths(model.rows_of(table), share)
        found = [predictions, predictions - new, predictions + new, predictions - mean, predictions + mean]
    return np.column_stack(found)


def _predicted(model: Model, write: RowText, interval: float | None, block: Block) -> tuple[bytes, Tally]:
    """The block's rows with their predictions, and the count of those without."""
    table = model.table(block)
    predictions = model.predict_table(table)
    shown = predictions
    if interval is not None:
        shown = with_intervals(model, table, predictions, interval)
    text = write(block, table, shown) if table.rows else b""
    counted = _tally(model, table, predictions)
    if table.rows and counted.unpredicted == table.rows:
        counted.obstacle = first_obstacle(model, block, table)
    return text, counted


def _tally(model: Model, table: Table, predictions: Array) -> Tally:
    without = int(np.count_nonzero(np.isnan(predictions)))
    found = Tally(table.rows, without, skipped=skipped_of(table.skipped), filled=Counter(table.filled))
    if without:
        found.by_column.update(model.missing_by_column(table))
        found.unknown = _unknown_levels(model, table)
    return found


def _unknown_levels(model: Model, table: Table) -> dict[str, list[str]]:
    """The first few of the levels that the model does not know, by column."""
    unknown: dict[str, list[str]] = {}
    for name, known in model.known_texts.items():
        column, texts = table.text[name], frozenset(known)
        there = np.unique(column.codes[column.codes >= 0]).tolist()
        new = [column.levels[i] for i in there if column.levels[i] not in texts]
        if new:
            unknown[name] = sorted(new)[: _MOST_LEVELS + 1]
    return unknown
