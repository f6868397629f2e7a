"""Summaries: the triangle of a table as a small JSON file that stands for its rows in every later fit.

It holds (q+1)² numbers, the columns' names, levels, minima and maxima, and the counts: no row.
"""

import math
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gdcli import __version__
from gdcli.base.errors import DataError
from gdcli.base.names import count_of, listed, quoted, shell_word
from gdcli.base.records import field, record, replace
from gdcli.base.schema import from_json, parse_json, readable, to_json
from gdcli.data.columns import POLICIES, ColumnOptions, choose, missing_words, require
from gdcli.data.design import Design
from gdcli.data.expressions.computed import Computed
from gdcli.data.expressions.stored import check_stored_levels, computed_as_json, computed_from
from gdcli.data.expressions.terms import is_expression
from gdcli.data.name_lists import with_names
from gdcli.data.source import FileMark, RangeReader, RowWriter, Source
from gdcli.data.table import Block
from gdcli.engine.arrays import Array, Extended
from gdcli.engine.column import MISSING, Column
from gdcli.engine.triangle import Triangle, select, square
from gdcli.ingest.aggregate import Aggregate
from gdcli.ingest.powers import as_powers, moved_to_origins
from gdcli.ingest.stored_summary import StoredSummary, StoredTriangle
from gdcli.ingest.summary_block import SummaryBlock, SummaryRange, no_rows

if TYPE_CHECKING:
    import os

SUMMARY_SCHEMA = "gdfit.summary/1"

# The relative rounding error allowed in sums over many rows.
_ROUNDING = 1e-9

_MOST_ROWS = 10**18


@record(eq=False)
class Summary(Source):
    """The source that a summary file is: an aggregate that stands for its rows, and the columns. ``names`` are all
    columns, ``text`` those that hold text.

    ``missing`` is the policy for missing cells; with ``mean`` they are gaps still, which a fit fills. ``marks`` are the
    files that the rows came from; older summaries, and stdin, have none. ``computed`` are the columns that were
    computed from others.
    """

    name: str
    files: tuple[str, ...]
    names: tuple[str, ...]
    text: frozenset[str]
    weights: str | None
    reduced: Aggregate
    missing: str = "drop"
    marks: tuple[FileMark, ...] = ()
    dates: Mapping[str, str] = field(default_factory=dict)
    computed: Mapping[str, Computed] = field(default_factory=dict)

    @property
    def has_rows(self) -> bool:
        """False: a summary only stands for rows."""
        return False

    @property
    def stands_for(self) -> tuple[FileMark, ...]:
        """The files that the summary was made from."""
        return self.marks

    def blocks(self) -> Generator[Block, None, None]:
        """Yield the summary as the one block that it is."""
        yield SummaryBlock(self)

    def rewriter(self, columns: Sequence[str], only: bool, classes: tuple[str, str] | None) -> RowWriter:
        """Raise DataError: there are no rows to write."""
        raise no_rows(self)

    def for_workers(self) -> RangeReader:
        """The summary itself, which is sent to the workers."""
        return SummaryRange(self)

    def design(self, options: ColumnOptions) -> Design:
        """The design of a fit, or another summary, whose first input is this one. Raises DataError, UsageError."""
        if options.weights not in (None, self.weights):
            raise DataError(self._other_weights(options.weights))
        # The weights are in the triangle, but no column of it.
        named = self.names if options.weights is None else (*self.names, options.weights)
        try:
            options = self._without_target_s_columns(with_names(options, named, self.name))
            chosen = choose(named, self.name, options)
        except DataError as error:
            raise self._without_rows(options) or error from None
        if chosen.computed and (refused := self._without_rows(options)):
            raise refused
        target, features = chosen.target, chosen.features
        for name in options.categorical:
            if name not in self.text:
                raise DataError(
                    f"{quoted(self.name)} holds {quoted(name)} as numbers: summarize it again with --categorical"
                )
        if target in self.text:
            raise DataError(f"the target {quoted(target or '')} is text in {quoted(self.name)}: it has to be numbers")
        return Design(
            source=self.name,
            target=target,
            features=features,
            weights=self.weights,
            text=self.text & frozenset(features),
            ignored=(),
            missing_words=missing_words(options),
            missing=options.missing,
            max_levels=options.max_levels,
            named=bool(options.features),
            dates=self.dates,
            computed={name: one for name, one in self.computed.items() if name in (*features, target)},
        )

    def _without_target_s_columns(self, options: ColumnOptions) -> ColumnOptions:
        """The options without what shares a column with a computed target, unless it was chosen as a feature."""
        target = self.computed.get(options.target or "")
        if target is None or options.features:
            return options
        sharing = [name for name, term in self.computed.items() if {*term.columns} & {*target.columns}]
        gone = [name for name in self.names if name in (*target.columns, *sharing) and name != options.target]
        return replace(options, exclude=(*options.exclude, *gone))

    def _without_rows(self, options: ColumnOptions) -> DataError | None:
        """The error of a term that would have to be computed, if there is one."""
        for text in (*options.features, *([] if options.target is None else [options.target])):
            if text not in self.names and is_expression(text):
                return DataError(
                    f"{quoted(self.name)} is a summary, which holds no rows to compute {quoted(text)} from: "
                    f"summarize its files again with -x {shell_word(text)}"
                )
        return None

    def reduced_for(self, design: Design) -> Aggregate:
        """The aggregate of the summary's rows, over the columns of a design. Raises DataError if one is not there."""
        if design.weights != self.weights:
            raise DataError(self._other_weights(design.weights))
        wanted = [*design.features, *([design.target] if design.target is not None else [])]
        for name in wanted:
            require(name, self.names, self.name)
            if self.dates.get(name) != design.dates.get(name):
                raise DataError(
                    f"{quoted(self.name)} and {quoted(design.source)} do not both hold {quoted(name)} as dates"
                )
            if as_powers(self.computed.get(name)) != as_powers(design.computed.get(name)):
                raise DataError(
                    f"{quoted(self.name)} and {quoted(design.source)} do not hold the same {quoted(name)}: "
                    f"summarize the files of both together"
                )
            if (name in self.text) != (name in design.text):
                kinds = ("numbers", "text") if name in design.text else ("text", "numbers")
                raise DataError(
                    f"{quoted(self.name)} holds {quoted(name)} as {kinds[0]}, {quoted(design.source)} as {kinds[1]}"
                )
        self._check_gaps(wanted, design)
        triangle = moved_to_origins(self.reduced.triangle, self.computed, design.computed)
        columns = [column for name in wanted for column in triangle.columns if column.name == name]
        reduced = self.reduced
        filled = {name: count for name, count in reduced.filled.items() if name in wanted}
        folds = (select(triangle, columns),)
        return Aggregate(folds, reduced.read, reduced.complete, reduced.missing, filled=filled)

    def _check_gaps(self, wanted: Sequence[str], design: Design) -> None:
        """Raise DataError if a fit would treat missing cells in another way than the summary did."""
        again = "summarize its files again with"
        gaps = [name for name in wanted if name in self.reduced.filled]
        if design.target in gaps:
            raise DataError(
                f"{quoted(self.name)} holds {count_of(self.reduced.filled[gaps[-1]], 'row')} without "
                f"{quoted(gaps[-1])}, which cannot be the target: {again} --missing drop"
            )
        if gaps and not design.fills:
            raise DataError(
                f"{quoted(self.name)} was summarized with --missing mean and lacks cells of {listed(gaps, 5)}: "
                "give --missing mean here too"
            )
        if not design.fills or self.missing == "mean":
            return
        texts = [column.name for column in self.reduced.triangle.columns if column.level == MISSING]
        if texts:
            raise DataError(
                f"{quoted(self.name)}: {quoted(texts[0])} holds the text {quoted(MISSING)}, which is what "
                f"--missing mean calls missing cells: {again} it and --na {shell_word(MISSING)}"
            )
        dropped = [name for name in self.names if self.reduced.missing.get(name)]
        if dropped:
            raise DataError(
                f"{quoted(self.name)} was summarized without the rows that lack a cell of {listed(dropped, 5)}: "
                f"{again} --missing mean"
            )

    def save(self, path: "str | os.PathLike[str]") -> None:
        """Write the summary to a file, whole or not at all."""
        from gdcli.base.atomic import whole_file

        with whole_file(path) as stream:
            stream.write(summary_as_json(self))

    def _other_weights(self, wanted: str | None) -> str:
        has = "without weights" if self.weights is None else f"with the weights of {quoted(self.weights)}"
        needs = "none are" if wanted is None else f"{quoted(wanted)} is"
        return f"{quoted(self.name)} was summarized {has}, but {needs} asked for"


def summary_as_json(summary: Summary) -> str:
    """The JSON text of a summary. R is split into a float and its rounding, so that no digit is lost."""
    reduced = summary.reduced
    triangle = reduced.triangle
    with np.errstate(over="ignore"):
        R = square(triangle.R)
        rounded = R.astype(np.float64)
    if not np.isfinite(rounded).all():
        name = triangle.columns[max(int(np.argmin(np.isfinite(rounded).all(axis=0))) - 1, 0)].label
        raise DataError(f"the numbers of {quoted(name)} are too large to be summarized")
    content = {
        "schema": SUMMARY_SCHEMA,
        "version": __version__,
        "files": summary.files,
        "sources": summary.marks,
        "columns": [
            {"name": name, "kind": "text", "levels": [c.level for c in triangle.columns if c.name == name]}
            if name in summary.text
            else {"name": name, "kind": "numeric"}
            for name in summary.names
        ],
        "weights": summary.weights,
        "missing": summary.missing,
        "dates": summary.dates,
        **computed_as_json(summary.computed),
        "rows": {
            "read": reduced.read,
            "used": reduced.complete,
            "dropped": reduced.read - reduced.complete,
            "dropped_by_column": reduced.missing,
            "filled": reduced.filled,
        },
        "triangle": StoredTriangle(
            columns=tuple((column.name, column.level) for column in triangle.columns),
            count=triangle.count,
            weight=triangle.weight,
            shift=tuple(triangle.shift.tolist()),
            minimum=_bounds(triangle, triangle.minimum),
            maximum=_bounds(triangle, triangle.maximum),
            R=_upper(rounded),
            R_rounding=_upper((R - rounded).astype(np.float64)),
        ),
    }
    return readable(to_json(content))


def load_summary(data: bytes, name: str) -> Summary:
    """The summary in a file's bytes. Raises DataError if it is damaged."""
    content = parse_json(data, name, "summary")
    if content.get("schema") != SUMMARY_SCHEMA:
        raise DataError(
            f"{quoted(name)} is not a gdfit summary ({SUMMARY_SCHEMA}): it says {quoted(str(content.get('schema')))}"
        )
    try:
        return _summary(content, name)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{quoted(name)} is damaged or was edited by hand: {error}") from None


def check_same_names(first: Source, other: Source) -> None:
    """Raise DataError if two inputs differ in their columns: merging summaries would lose one silently."""
    odd = sorted(set(first.names) ^ set(other.names))
    if odd:
        raise DataError(
            f"{quoted(first.name)} and {quoted(other.name)} differ in {listed(odd, 5)}: "
            "name the columns to keep with --feature"
        )


def _bounds(triangle: Triangle, values: Array) -> tuple[float | None, ...]:
    """Minima or maxima; None for a column in which no cell has a value."""
    return tuple(value if known else None for value, known in zip(values.tolist(), triangle.known, strict=True))


def _bounds_of(values: Sequence[float | None], may_lack: Sequence[bool], none: float, name: str) -> Array:
    """Minima or maxima of a file, with ``none`` for None, which only columns with gaps may have."""
    if len(values) != len(may_lack):
        raise ValueError(f"{name} has the wrong size")
    if any(value is None and not lacks for value, lacks in zip(values, may_lack, strict=True)):
        raise ValueError(f"{name} is not a number")
    return np.array([none if value is None else value for value in values])


def _upper(R: Array | Extended) -> tuple[tuple[float, ...], ...]:
    """The rows of a triangle from the diagonal on."""
    return tuple(tuple(R[i, i:].tolist()) for i in range(len(R)))


def _square(rows: Sequence[Sequence[float]], size: int) -> Extended:
    if [len(row) for row in rows] != [*range(size, 0, -1)]:
        raise ValueError("R has the wrong size")
    R = np.zeros((size, size), dtype=np.longdouble)
    for i, row in enumerate(rows):
        R[i, i:] = row
    return R


def _check(reduced: Aggregate) -> None:
    """Raise ValueError if the numbers contradict each other, as no rows could."""
    triangle = reduced.triangle
    if not 1 <= triangle.count <= reduced.complete <= reduced.read <= _MOST_ROWS:
        raise ValueError("the counts of the rows do not fit each other")
    if not math.isclose(float(triangle.R[0, 0]), math.sqrt(max(triangle.weight, 0.0)), rel_tol=_ROUNDING):
        raise ValueError("the counts do not fit the triangle")
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.maximum(np.abs(triangle.minimum), np.abs(triangle.maximum))
        width = triangle.maximum - triangle.minimum + _ROUNDING * size
        mean = triangle.mean
        deviation = np.sqrt((triangle.R[1:, 1:] ** 2).sum(axis=0) / triangle.weight)
        possible = triangle.known & (deviation <= width)
        possible &= (triangle.minimum - width <= mean) & (mean <= triangle.maximum + width)
    for column, indicator in triangle.gaps:
        none_known = float(triangle.minimum[indicator]) == 1.0 and not triangle.R[:, 1 + column].any()
        if not triangle.known[column]:
            possible[column] = none_known
    if not possible.all():
        name = triangle.columns[int(np.argmin(possible))].label
        raise ValueError(f"the numbers of {quoted(name)} contradict each other")


def _summary(content: Mapping[str, Any], name: str) -> Summary:
    stored = from_json(StoredSummary, content)
    names = tuple(column.name for column in stored.columns)
    text = frozenset(column.name for column in stored.columns if column.kind == "text")
    columns = tuple(Column(column, level) for column, level in stored.triangle.columns)
    if len(set(columns)) != len(columns) or {c.name for c in columns} - set(names) or len(set(names)) != len(names):
        raise ValueError("the columns of the triangle are not those of the summary")
    if stored.missing not in POLICIES:
        raise ValueError(f"this gdfit knows no policy {quoted(stored.missing)} for missing cells")
    gaps = {column for column in columns if column.level == MISSING and stored.missing == "mean"}
    if any((column.level is None) == (column.name in text) for column in columns if column not in gaps):
        raise ValueError("levels and kinds of columns do not fit")
    if {n for n in names if n not in text} - {c.name for c in columns if c.level is None}:
        raise ValueError("the triangle lacks a column")
    may_lack = [column.level is None and Column(column.name, MISSING) in gaps for column in columns]
    rows, triangle = stored.rows, _triangle(stored.triangle, columns, may_lack)
    reduced = Aggregate((triangle,), rows.read, rows.used, dict(rows.dropped_by_column), filled=dict(rows.filled))
    if {column.name for column in gaps} - set(reduced.filled):
        raise ValueError("the gaps and their counts do not fit each other")
    _check(reduced)
    computed = computed_from(stored.computed)
    inputs = {column for term in computed.values() for column in term.columns}
    if set(computed) - set(names) or any(term.categories and name not in text for name, term in computed.items()):
        raise ValueError("the computed columns do not fit the columns")
    for of, term in computed.items():
        check_stored_levels(term, [column.level or "" for column in columns if column.name == of and term.categories])
    if set(stored.dates) - set(names) - inputs or text.intersection(stored.dates):
        raise ValueError("the dates do not fit the columns")
    return Summary(
        name=name,
        files=stored.files,
        names=names,
        text=text,
        weights=stored.weights,
        reduced=reduced,
        missing=stored.missing,
        marks=stored.sources,
        dates=stored.dates,
        computed=computed,
    )


def _triangle(stored: StoredTriangle, columns: tuple[Column, ...], may_lack: Sequence[bool]) -> Triangle:
    size = len(columns) + 1
    if len(stored.shift) != len(columns):
        raise ValueError("shift has the wrong size")
    return Triangle(
        columns=columns,
        R=_square(stored.R, size) + _square(stored.R_rounding, size),
        shift=np.array(stored.shift),
        weight=stored.weight,
        count=stored.count,
        minimum=_bounds_of(stored.minimum, may_lack, np.inf, "minimum"),
        maximum=_bounds_of(stored.maximum, may_lack, -np.inf, "maximum"),
    )
