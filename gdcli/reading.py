"""From files to one triangle: source → design → triangle, in one pass and in constant memory."""

import os
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Union

from gdcli.data.csvoptions import CsvOptions
from gdcli.data.design import ColumnOptions, Design, design, require
from gdcli.data.room import check_room
from gdcli.data.stream import STDIN, Stream, check_exists, codec_name, open_stream
from gdcli.data.table import Block, Source
from gdcli.engine.blas import threads_for
from gdcli.engine.triangle import Column
from gdcli.errors import DataError, UsageError
from gdcli.listener import Listener
from gdcli.parallel import fold_groups, fold_left, ordered_map
from gdcli.reduced import Piece, Reduced, Sampling, join_short, merge_reduced, piece_of, reduce_if_long
from gdcli.result import Rows as RowCounts
from gdcli.summary import SCHEMA as SUMMARY_SCHEMA
from gdcli.summary import Summary, check_same_names, load_summary
from gdcli.text import count_of, listed, quoted

if TYPE_CHECKING:
    import pandas as pd

    from gdcli.data.dialect import Dialect

Data = Union[str, "os.PathLike[str]", "pd.DataFrame", Summary]

# Enough of a file's start to tell gdfit's own JSON from a table.
_PEEK_BYTES = 256


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read: CSV text, the number of threads, and which rows go to which fold."""

    csv: CsvOptions = field(default_factory=CsvOptions)
    jobs: int | None = None
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True)
class Reading:
    """All input, reduced."""

    design: Design
    reduced: Reduced
    files: tuple[str, ...]


class _Part(NamedTuple):
    """A block, numbered from 0 in its file, or a whole summary; ``source`` is where it comes from."""

    file: int
    block: int
    content: Block | Summary
    source: Source | Summary


def read(data: Sequence[Data], columns: ColumnOptions, options: ReadOptions, listener: Listener) -> Reading:
    """Read every row of every input once. Raises DataError, CellError, UsageError."""
    if not data:
        raise UsageError("there is nothing to read: give a path, or a list of them that is not empty")
    if options.csv.encoding is not None:
        codec_name(options.csv.encoding)
    for item in data:
        if isinstance(item, str | os.PathLike):
            check_exists(os.fspath(item))
    with closing(_parts(data, options, listener)) as parts:
        return _read(parts, data, columns, options, listener)


def _read(
    parts: Generator[_Part, None, None],
    data: Sequence[Data],
    columns: ColumnOptions,
    options: ReadOptions,
    listener: Listener,
) -> Reading:
    first = next(parts, None)
    if first is None:
        name = "standard input" if isinstance(data[0], str) and data[0] == STDIN else _name(data[0])
        raise DataError(f"{quoted(name)} has a header but no rows")
    chosen = _design(first, columns)
    if chosen.ignored:
        listener.note(f"left out the columns without name and values: {listed(chosen.ignored)}")

    check_room(chosen.source, len(chosen.features), folds=options.sampling.folds)

    def reduce(part: _Part) -> Reduced | Piece:
        if isinstance(part.content, Summary):
            return part.content.reduced_for(chosen)
        return reduce_if_long(
            piece_of(chosen.rows(part.content), options.sampling, part.file, part.block), options.sampling
        )

    def check(columns: Collection[Column]) -> None:
        chosen.check_levels(columns)
        check_room(chosen.source, len(columns), folds=options.sampling.folds)

    def merge_checked(left: Reduced, right: Reduced) -> Reduced:
        check(dict.fromkeys([*left.folds[0].columns, *right.folds[0].columns]))
        return merge_reduced(left, right, options.sampling)

    def group(blocks: Iterator[Reduced | Piece]) -> Reduced | None:
        return fold_left(join_short(blocks, options.sampling, check), merge_checked)

    jobs = options.jobs or os.cpu_count() or 1
    checked = _checked(chain([first], parts), first, chosen, columns, options)
    with threads_for(len(chosen.features)):
        whole = fold_groups(ordered_map(reduce, checked, jobs), group, merge_checked)
    assert whole is not None  # there is at least the first part
    if whole.skipped.count:
        listener.warn(str(whole.skipped))
    return Reading(chosen, whole, tuple(_name(item) for item in data))


def read_noted(data: Sequence[Data], columns: ColumnOptions, options: ReadOptions, listener: Listener) -> Reading:
    """Read every row once, and tell the listener how many were dropped."""
    reading = read(data, columns, options, listener)
    if reading.reduced.rows.dropped:
        listener.note(dropped(reading.reduced.rows))
    return reading


def dropped(rows: RowCounts) -> str:
    """Say how many rows were dropped, and for which columns; nothing where none were."""
    if not rows.dropped:
        return ""
    by_column = ", ".join(
        f"{quoted(name)} {count:,}" for name, count in sorted(rows.dropped_by_column.items(), key=lambda c: -c[1])
    )
    return f"dropped {rows.dropped:,} of {count_of(rows.read, 'row')} with missing values ({by_column})"


def check_rows(reading: Reading) -> None:
    """Raise DataError where no row is left."""
    reduced = reading.reduced
    name = quoted(reading.design.source) if len(reading.files) == 1 else f"{len(reading.files)} files"
    if reduced.read == 0:
        raise DataError(f"{name} has a header but no rows")
    if reduced.complete == 0:
        column, count = max(reduced.missing.items(), key=lambda item: item[1], default=("", 0))
        empty = f"column {quoted(column)} lacks {'all' if count == reduced.read else f'{count:,}'} of its values"
        raise DataError(f"no row of {name} has a value in every column: {empty}; leave it out with --exclude")


def open_source(item: Data, options: ReadOptions, listener: Listener) -> Source | Summary:
    """Open a path, ``-`` for stdin, or a DataFrame; a summary is known by its content, whatever its name."""
    if isinstance(item, Summary):
        return item
    if not isinstance(item, str | os.PathLike):
        from gdcli.data.frames import FrameSource

        return FrameSource(item)
    stream = open_stream(os.fspath(item), options.csv.encoding)
    try:
        return _source(stream, options, listener)
    except BaseException:
        stream.close()
        raise


def is_own(start: bytes) -> bool:
    """Whether a file that begins so is one of gdfit's own."""
    return start.lstrip().startswith(b"{") and b'"gdfit.' in start[:_PEEK_BYTES]


def is_summary(start: bytes) -> bool:
    """Whether a file that begins so is a summary."""
    return is_own(start) and f'"{SUMMARY_SCHEMA.split("/")[0]}/'.encode() in start[:_PEEK_BYTES]


def _source(stream: Stream, options: ReadOptions, listener: Listener) -> Source | Summary:
    start = stream.peek(_PEEK_BYTES)
    if is_own(start):
        content = stream.read_all()
        if is_summary(start):
            return load_summary(content, stream.name)
        raise DataError(
            f"{quoted(stream.name)} is a gdfit model, not data; to use it: gdfit predict {stream.name} FILE"
        )
    # A summary needs nothing of this.
    from gdcli.data.source import CsvSource

    source = CsvSource(stream, options.csv)
    tell_remarks(source.name, source.dialect, options.csv, listener)
    return source


def tell_remarks(name: str, dialect: "Dialect", options: CsvOptions, listener: Listener) -> None:
    """Tell the listener what a careful user wants to know of how a file is read."""
    from gdcli.data.dialect import remarks

    note, warning = remarks(name, dialect, options)
    if note is not None:
        listener.note(note)
    if warning is not None:
        listener.warn(warning)


def _parts(data: Sequence[Data], options: ReadOptions, listener: Listener) -> Generator[_Part, None, None]:
    """Yield the blocks of all inputs, which are opened one after the other."""
    for file, item in enumerate(data):
        source = open_source(item, options, listener)
        if isinstance(source, Summary):
            yield _Part(file, 0, source, source)
            continue
        with closing(source.blocks()) as blocks:
            for number, block in enumerate(blocks):
                listener.reading(*source.progress())
                yield _Part(file, number, block, source)


def _design(first: _Part, columns: ColumnOptions) -> Design:
    source = first.source
    if isinstance(source, Summary):
        return source.design(columns)
    assert not isinstance(first.content, Summary)
    return design(first.content, source.names, source.unnamed, source.name, columns)


def _checked(
    parts: Iterator[_Part], first: _Part, chosen: Design, columns: ColumnOptions, options: ReadOptions
) -> Iterator[_Part]:
    """Yield the parts, each input's columns checked against the first one's."""
    source = first.source
    for part in parts:
        if part.source is not source:
            source = part.source
            if isinstance(source, Summary) and isinstance(first.source, Summary):
                if columns.summary and not columns.features:
                    check_same_names(first.source, source)
            elif isinstance(source, Summary) or isinstance(first.source, Summary):
                for name in (*chosen.features, chosen.target, chosen.weights):
                    if name is not None and not isinstance(source, Summary):
                        require(name, source.names, source.name)
            else:
                _check_same_columns(first.source, source)
        if isinstance(part.content, Summary) and options.sampling.folds > 1:
            raise DataError(f"{quoted(part.content.name)} is a summary and holds no rows, which folds are made of")
        if isinstance(part.content, Summary) and options.sampling.rows:
            raise DataError(
                f"{quoted(part.content.name)} is a summary and holds no rows, which every --loss but squared needs: "
                "give the files that it was made from"
            )
        yield part


def _check_same_columns(first: Source, other: Source) -> None:
    """The columns may stand in another order, but must have the same names."""
    if sorted(first.names) == sorted(other.names):
        return
    lacking = [name for name in first.names if name not in other.names]
    surplus = [name for name in other.names if name not in first.names]
    difference = " and ".join(
        f"{verb} {listed(names, 5)}" for verb, names in (("lacks", lacking), ("also has", surplus)) if names
    )
    raise DataError(f"{quoted(other.name)} {difference or 'repeats columns'}, unlike {quoted(first.name)}")


def _name(item: Data) -> str:
    if isinstance(item, Summary):
        return item.name
    return os.fspath(item) if isinstance(item, str | os.PathLike) else "DataFrame"
