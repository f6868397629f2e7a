"""Trace files: every iteration as CSV, TSV or JSON lines, written as they come.

Numbers round-trip (Python's shortest repr). What does not exist is null in JSON and an empty cell elsewhere; NaN and
infinity do not exist.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Protocol, TextIO

from gdcli.base.schema import dumps
from gdcli.fitting.results import TraceRow, TraceShape
from gdcli.report.delimited import as_delimited, row_writer
from gdcli.report.report import group_headers

_FLOAT = float.__repr__  # of NumPy's floats too, whose own repr says np.float64(…)


class TraceWriter(Protocol):
    """Writes iterations as they come."""

    def __init__(self, stream: TextIO, shape: TraceShape) -> None: ...

    def write(self, row: TraceRow, key: Sequence[str] = ()) -> None:
        """Write one iteration, of the group with this key."""
        ...


class CsvTrace:
    """``iteration,m,c,cost``, or ``m[NAME]`` for each of several terms; no ``c`` without an intercept.

    A learning rate that changes follows as ``learning_rate``, and ``validation_cost`` if rows are held out. The columns
    of groups come first.
    """

    separator = ","

    def __init__(self, stream: TextIO, shape: TraceShape) -> None:
        self._write, self._shape = stream.write, shape
        slopes = ["m"] if len(shape.terms) == 1 else [f"m[{term}]" for term in shape.terms]
        c, validation = ["c"] if shape.intercept else [], ["validation_cost"] if shape.validation else []
        rate = ["learning_rate"] if shape.scheduled else []
        header = ["iteration", *slopes, *c, "cost", *rate, *validation]
        row_writer(stream, self.separator).writerow([*group_headers(shape.by, header), *header])

    def write(self, row: TraceRow, key: Sequence[str] = ()) -> None:
        values = _values(row, self._shape)
        line = f"{row.iteration}{self.separator}{self.separator.join(map(_FLOAT, values))}\n"
        if key:
            self._write(as_delimited([*key, ""], (), self.separator).removesuffix("\n"))
        # The letter n stands in "inf" and "nan", and in no finite number.
        self._write(self._without_nonfinite(line) if "n" in line else line)

    def _without_nonfinite(self, line: str) -> str:
        cells = line.rstrip("\n").split(self.separator)
        return self.separator.join("" if "n" in cell else cell for cell in cells) + "\n"


class TsvTrace(CsvTrace):
    """The columns of :class:`CsvTrace`, separated by tabs."""

    separator = "\t"


class JsonLinesTrace:
    """``{"iteration":0,"m":{"sqft":0.0},"c":0.0,"cost":…}`` per line; ``c`` is null without an intercept. A ``group``
    comes first if there are several.
    """

    def __init__(self, stream: TextIO, shape: TraceShape) -> None:
        self._write, self._shape = stream.write, shape
        self._by = shape.by
        names = [dumps(term).replace("%", "%%") for term in shape.terms]
        slopes = ",".join(f"{name}:%s" for name in names)
        c = "%s" if shape.intercept else "null"
        more = ',"learning_rate":%s' if shape.scheduled else ""
        more += ',"validation_cost":%s' if shape.validation else ""
        self._line = f'"iteration":%d,"m":{{{slopes}}},"c":{c},"cost":%s{more}}}\n'

    def write(self, row: TraceRow, key: Sequence[str] = ()) -> None:
        values = _values(row, self._shape)
        self._write(f'{{"group":{dumps(dict(zip(self._by, key, strict=True)))},' if key else "{")
        if math.isfinite(sum(values)):
            self._write(self._line % (row.iteration, *map(_FLOAT, values)))
        else:
            self._write(self._line % (row.iteration, *_texts_or_null(values)))


TRACE_WRITERS: dict[str, type[TraceWriter]] = {".csv": CsvTrace, ".tsv": TsvTrace, ".jsonl": JsonLinesTrace}


class TraceRecorder:
    """Writes every iteration to an open stream."""

    def __init__(self, stream: TextIO, kind: type[TraceWriter]) -> None:
        self._stream, self._kind = stream, kind
        self._writer: TraceWriter | None = None

    def begin(self, shape: TraceShape) -> None:
        """Write the header."""
        self._writer = self._kind(self._stream, shape)

    def wants(self, number: int) -> bool:
        """Always True: every iteration is written."""
        return True

    def record(self, row: TraceRow) -> None:
        """Write an iteration."""
        assert self._writer is not None
        self._writer.write(row)


class GroupTraces:
    """Writes every iteration of every group to an open stream, over the terms of all of them."""

    def __init__(self, stream: TextIO, kind: type[TraceWriter]) -> None:
        self._stream, self._kind = stream, kind
        self._by: tuple[str, ...] = ()
        self._terms: list[str] = []
        self._validation = False
        self._writer: TraceWriter | None = None

    def begin(self, by: Sequence[str], terms: Sequence[str], validation: bool) -> None:
        """Set the names of the group columns, the terms of all groups, and whether rows are held out of any."""
        self._by, self._terms, self._validation = tuple(by), list(terms), validation

    def of_group(self, key: Sequence[str]) -> "Sequence[_GroupTrace]":
        """A list of one recorder, which writes the iterations of the group with this key."""
        return [_GroupTrace(self, key)]

    def writer(self, shape: TraceShape) -> TraceWriter:
        """The writer that all groups share, made at the first call.

        The ``shape`` of that call says which columns stand beside the terms.
        """
        if self._writer is None:
            shape = shape._replace(terms=tuple(self._terms), by=self._by, validation=self._validation)
            self._writer = self._kind(self._stream, shape)
        return self._writer

    def places(self, terms: Sequence[str]) -> list[int]:
        """The index of each term among the terms of all groups."""
        return [self._terms.index(term) for term in terms]

    def spread(self, row: TraceRow, places: Sequence[int]) -> TraceRow:
        """A group's row with the terms of all groups: a slope of 0 for each term that the group lacks.

        ``places`` are the indices of the group's own terms.
        """
        slopes = [0.0] * len(self._terms)
        for place, slope in zip(places, row.slopes, strict=True):
            slopes[place] = slope
        return row._replace(slopes=tuple(slopes))


class _GroupTrace:
    """Writes every iteration of one group."""

    def __init__(self, traces: GroupTraces, key: Sequence[str]) -> None:
        self._traces, self._key = traces, key
        self._writer: TraceWriter | None = None
        self._places: list[int] = []

    def begin(self, shape: TraceShape) -> None:
        self._writer, self._places = self._traces.writer(shape), self._traces.places(shape.terms)

    def wants(self, number: int) -> bool:
        return True

    def record(self, row: TraceRow) -> None:
        assert self._writer is not None
        self._writer.write(self._traces.spread(row, self._places), self._key)


def _values(row: TraceRow, shape: TraceShape) -> tuple[float, ...]:
    """The numbers of an iteration in the order of the columns."""
    _, slopes, intercept, cost, _, held_out, rate = row
    values = (*slopes, cost) if intercept is None else (*slopes, intercept, cost)
    if shape.scheduled:
        values = (*values, math.nan if rate is None else rate)
    return (*values, math.nan if held_out is None else held_out) if shape.validation else values


def _texts_or_null(values: Iterable[float]) -> list[str]:
    return [_FLOAT(value) if math.isfinite(value) else "null" for value in values]
