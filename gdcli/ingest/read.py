"""The reading of all inputs: source → design → triangle, in one pass and in constant memory."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, nullcontext
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Union, cast

from gdcli.base.cores import usable_cores
from gdcli.base.errors import DataError, UsageError
from gdcli.base.listener import Listener
from gdcli.base.names import STDIN, listed, quoted
from gdcli.base.parallel import put_back
from gdcli.base.records import NamedTuple, field, record, replace
from gdcli.data.columns import ColumnOptions, require
from gdcli.data.csv.options import CsvOptions
from gdcli.data.decision import design
from gdcli.data.design import Design
from gdcli.data.memory import available, check_room
from gdcli.data.paths import is_url
from gdcli.data.source import FileMark, Source
from gdcli.data.streams import check_exists, codec_name, open_stream
from gdcli.data.table import Block
from gdcli.engine.triangle import Triangle
from gdcli.ingest.aggregate import Aggregate
from gdcli.ingest.counts import behind_quotes, gap_advice
from gdcli.ingest.formats import open_input
from gdcli.ingest.inputs import Inputs
from gdcli.ingest.one_pass import Part, Reduction
from gdcli.ingest.plan import Plan

if TYPE_CHECKING:
    import pandas as pd

    from gdcli.ingest.remote import Numbered
    from gdcli.ingest.row_store import RowStore
    from gdcli.ingest.summary import Summary

InputData = Union[str, "os.PathLike[str]", "pd.DataFrame", Source]


@record
class ReadOptions:
    """The options of reading: of CSV text, the number of threads, and the plan of the pass.

    ``dask`` is the address of a cluster that reads instead. ``keeps_rows``: all rows are kept, in memory as far as they
    and the blocks in work take no more than ``memory`` bytes (None: half of what is free). ``test`` is one more input,
    held out of what is fitted.
    """

    csv: CsvOptions = field(default_factory=CsvOptions)
    jobs: int | None = None
    plan: Plan = field(default_factory=Plan)
    dask: str | None = None
    keeps_rows: bool = False
    memory: int | None = None
    test: "InputData | None" = None

    def __post_init__(self) -> None:
        if self.dask is not None:
            from gdcli.ingest.connection import check_address

            check_address(self.dask)
            if self.jobs is not None:
                raise UsageError("--jobs counts threads here; with --dask the cluster decides: leave out one")

    def row_store(self) -> "RowStore | None":
        """A new store for the rows, or None if they are not kept."""
        if not self.keeps_rows:
            return None
        from gdcli.ingest.row_store import RowStore

        in_work = (self.jobs or usable_cores()) + 1
        return RowStore(available() // 2 if self.memory is None else self.memory, in_work)


@record
class Dataset:
    """The design and the aggregate of all inputs. Rows that are kept, perhaps on a cluster, live until the end of a
    ``with`` block.

    ``files`` are the names of the inputs. ``marks`` are the files that the rows came from; for a summary they are those
    that it was made of. ``test`` is the name of the input that is held out, not one of ``files``.
    """

    design: Design
    reduced: Aggregate
    files: tuple[str, ...]
    marks: tuple[FileMark, ...] = ()
    held: ExitStack = field(default_factory=ExitStack)
    test: str | None = None

    @property
    def fitted(self) -> Triangle:
        """The rows of the files to fit, a drawn holdout among them."""
        return self.reduced.triangle if self.test is None else self.reduced.folds[0]

    def __enter__(self) -> "Dataset":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.held.__exit__(kind, error, trace)


class _Input(NamedTuple):
    """An input that was opened, numbered from 0."""

    file: int
    source: Source


def read(data: Sequence[InputData], columns: ColumnOptions, options: ReadOptions, listener: Listener) -> Dataset:
    """The dataset of all inputs, read once. Raises DataError, CellError, UsageError."""
    if not data:
        raise UsageError("there is nothing to read: give a path, or a list of them that is not empty")
    if options.csv.encoding is not None:
        codec_name(options.csv.encoding)
    tested = None if options.test is None else len(data)
    data = data if options.test is None else [*data, options.test]
    for item in data:
        if isinstance(item, str | os.PathLike):
            check_exists(os.fspath(item))
    store = options.row_store()
    options = replace(options, plan=replace(options.plan, store=store, tested=tested))
    inputs = Inputs(listener)
    with ExitStack() as held, closing(store) if store else nullcontext():
        whole = _reduced(data, _opened(data, options, listener, inputs), columns, options, listener, held)
        if store is not None:
            whole = replace(whole, held=held.pop_all())
    if whole.reduced.skipped.count:
        listener.warn(str(whole.reduced.skipped))
    if whole.reduced.misquoted:
        listener.warn(behind_quotes(whole.reduced.misquoted))
    inputs.tell_growth(whole.reduced.read)
    return replace(whole, marks=tuple(inputs.marks))


def _reduced(
    data: Sequence[InputData],
    inputs: Iterator[_Input],
    columns: ColumnOptions,
    options: ReadOptions,
    listener: Listener,
    held: ExitStack,
) -> Dataset:
    with closing(_parts(inputs, listener)) as parts:
        first = next(parts, None)
        if first is None or first[1].file == options.plan.tested:
            name = "standard input" if isinstance(data[0], str) and data[0] == STDIN else _name(data[0])
            raise DataError(f"{quoted(name)} has a header but no rows")
        source, part = first
        chosen = _design(source, part.block, columns)
        for note in chosen.notes:
            listener.note(note)
        if chosen.dotted:
            listener.warn(
                f"{quoted(source.name)}: every number with a dot has three digits after it in "
                f"{listed(map(quoted, chosen.dotted))}; if 1.234 means 1234: --decimal , --thousands ."
            )
        check_room(chosen.source, len(chosen.features), folds=options.plan.folds)
        check = partial(_check, first=source, chosen=chosen, columns=columns, plan=options.plan)
        reduction = Reduction(chosen, options.plan)
        if options.dask is None:
            checked = _checked(put_back([first], parts), check)
            del first, part  # or the first block would stay in memory as long as there are others
            whole = reduction.of_all(checked, options.jobs)
        else:
            from gdcli.ingest.cluster import reduced_on
            from gdcli.ingest.connection import connect

            again = put_back([_Input(part.file, source)], inputs)
            del first, part
            client = held.enter_context(connect(options.dask, listener))
            sources: list[Source] = []
            whole = reduced_on(client, reduction, _with_rows(again, check, sources), _size(data), listener)
            for one in sources:
                one.check_unchanged()
    assert whole is not None  # there is at least the first part
    names, fitted = tuple(_name(item) for item in data), options.plan.tested
    return Dataset(chosen, whole, names[:fitted], test=None if fitted is None else names[fitted])


def check_rows(reading: Dataset) -> None:
    """Raise DataError if the dataset has no complete row."""
    reduced = reading.reduced
    name = quoted(reading.design.source) if len(reading.files) == 1 else f"{len(reading.files)} files"
    if reduced.read == 0:
        raise DataError(f"{name} has a header but no rows")
    if reduced.complete == 0:
        column, count = max(reduced.missing.items(), key=lambda item: item[1], default=("", 0))
        empty = f"column {quoted(column)} lacks {'all' if count == reduced.read else f'{count:,}'} of its values"
        advice = gap_advice(reduced.rows, reading.design)
        raise DataError(f"no row of {name} has a value in every column: {empty}{advice and f'; {advice}'}")


def open_source(item: InputData, options: ReadOptions, listener: Listener, inputs: Inputs) -> Source:
    """The source that reads a path (``-`` is stdin) or a DataFrame; an item that is a source already, as it is.

    A file or summary is added to ``inputs``.
    """
    if not isinstance(item, str | os.PathLike):
        source = _in_memory(item)
        if not source.has_rows:
            inputs.add(source.name, source)
        return source
    stream = open_stream(os.fspath(item), options.csv.encoding, inputs.grew)
    try:
        source = open_input(stream, options.csv, listener)
    except BaseException:
        stream.close()
        raise
    inputs.add(os.fspath(item), source)
    return source


def _in_memory(item: "pd.DataFrame | Source") -> Source:
    if hasattr(type(item), "blocks"):  # a frame may have a column of that name, its class has none
        return cast("Source", item)
    from gdcli.data.data_frame import FrameSource

    return FrameSource(cast("pd.DataFrame", item))


def _opened(data: Sequence[InputData], options: ReadOptions, listener: Listener, inputs: Inputs) -> Iterator[_Input]:
    """Yield all inputs, which are opened one after the other."""
    for file, item in enumerate(data):
        if file == options.plan.tested:
            inputs.fate = "are both fitted and tested on"
        yield _Input(file, open_source(item, options, listener, inputs))


def _parts(inputs: Iterable[_Input], listener: Listener) -> Generator[tuple[Source, Part], None, None]:
    """Yield the blocks of all inputs, each with its source."""
    for file, source in inputs:
        with closing(source.blocks()) as blocks:
            for number, block in enumerate(blocks):
                listener.reading(*source.progress())
                yield source, Part(file, number, block)
                del block  # before the next one is read


def _with_rows(
    inputs: Iterable[_Input], check: Callable[[Source], None], sources: list[Source]
) -> "Iterator[Numbered]":
    """Yield the inputs that hold rows, as the readers that the workers of a cluster get, and note the ``sources``."""
    from gdcli.ingest.remote import Numbered

    for file, source in inputs:
        reader = source.for_workers()
        if reader is not None:
            check(source)
            sources.append(source)
            yield Numbered(file, reader)


def _size(data: Sequence[InputData]) -> int | None:
    """The bytes of all inputs, or None if they are not known before they are opened."""
    paths = [os.fspath(item) for item in data if isinstance(item, str | os.PathLike)]
    unknown = any(path == STDIN or is_url(path) for path in paths)
    return None if unknown else sum(os.path.getsize(path) for path in paths)


def _design(source: Source, first: Block, columns: ColumnOptions) -> Design:
    summary: Summary | None = first.summary
    if summary is not None:
        if columns.by:
            raise DataError(f"{quoted(source.name)} is a summary and holds no rows, which groups are made of")
        return summary.design(columns)
    return design(first, source.names, source.unnamed, source.name, columns)


def _checked(parts: Iterable[tuple[Source, Part]], check: Callable[[Source], None]) -> Iterator[Part]:
    """Yield the parts, and check the source of each once."""
    checked = None
    for source, part in parts:
        if source is not checked:
            check(source)
            checked = source
        yield part
        del part


def _check(source: Source, first: Source, chosen: Design, columns: ColumnOptions, plan: Plan) -> None:
    """Raise DataError if an input does not fit the first one or the options."""
    if source.has_rows and first.has_rows:
        _check_same_columns(first, source)
    elif source.has_rows:
        for name in chosen.columns:
            require(name, source.names, source.name)
    elif not first.has_rows and columns.summary and not columns.features:
        from gdcli.ingest.summary import check_same_names

        check_same_names(first, source)
    if source.has_rows:
        return
    if (plan.folds > 1 and plan.tested is None) or chosen.by:
        parts = "groups" if chosen.by else "folds"
        raise DataError(f"{quoted(source.name)} is a summary and holds no rows, which {parts} are made of")
    if plan.store is not None:
        raise DataError(
            f"{quoted(source.name)} is a summary and holds no rows, which every --loss but squared needs, and "
            "--batch-size: give the files that it was made from"
        )


def _check_same_columns(first: Source, other: Source) -> None:
    """Raise DataError if two inputs differ in the names of their columns; their order may differ."""
    if sorted(first.names) == sorted(other.names):
        return
    lacking = [name for name in first.names if name not in other.names]
    surplus = [name for name in other.names if name not in first.names]
    difference = " and ".join(
        f"{verb} {listed(names, 5)}" for verb, names in (("lacks", lacking), ("also has", surplus)) if names
    )
    raise DataError(f"{quoted(other.name)} {difference or 'repeats columns'}, unlike {quoted(first.name)}")


def _name(item: InputData) -> str:
    return os.fspath(item) if isinstance(item, str | os.PathLike) else _in_memory(item).name
