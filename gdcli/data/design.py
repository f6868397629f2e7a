"""Which columns are used and how: from the header and the first block to a matrix of numbers for each block.

A column most of whose cells in the first block are numbers is numeric; the others are text, and become one
indicator column per level. Which level is the reference is only known at the end, so all of them are kept here.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gdcli.base.errors import CellError, DataError, UsageError
from gdcli.base.names import quoted, shell_word
from gdcli.data.cells import check_lengths, left_out_levels, missing_option, too_many_levels
from gdcli.data.columns import ColumnOptions, choose
from gdcli.data.dates import ISO, as_numbers
from gdcli.data.doubts import header_below
from gdcli.data.judging import judge_columns
from gdcli.data.memory import check_room
from gdcli.data.name_lists import with_names
from gdcli.data.proposals import DoubtError, OpenQuestion, advised
from gdcli.data.table import BadRow, Block, Coded, Table
from gdcli.engine.arrays import Array
from gdcli.engine.column import MISSING, Column, level_order


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The complete rows of a block: ``X`` (n, q) over ``columns``, ``weights`` (n,) or None.

    ``read`` rows were in the block, of which ``complete`` (read,) marks those in ``X`` (None: all of them);
    ``missing`` counts those dropped for want of a value, by column. ``filled`` counts the gaps that are to be filled:
    NaN in ``X``, or the level of missing text. ``by`` are the rows' groups, a column each; ``skipped`` are bad rows
    that do not count as read. ``misquoted`` is the place of a cell that is not used, with text behind its quotes.
    """

    X: Array
    columns: tuple[Column, ...]
    weights: Array | None
    read: int
    complete: NDArray[np.bool_] | None
    missing: Mapping[str, int]
    by: tuple[Coded, ...] = ()
    skipped: tuple[BadRow, ...] = ()
    filled: Mapping[str, int] = field(default_factory=dict)
    misquoted: str = ""


@dataclass(frozen=True, slots=True)
class Design:
    """The columns chosen, in the file's order, and which of them are numbers and which are text. ``dates`` are texts
    that become numbers, by their spelling. In the ``dotted`` columns each dot may be one of thousands.

    A summary has no target: there all columns are alike. ``named``: the features were chosen, not all that there are.
    """

    source: str
    target: str | None
    features: tuple[str, ...]
    weights: str | None
    text: frozenset[str]
    ignored: tuple[str, ...]
    missing_words: frozenset[str]
    missing: str
    max_levels: int
    by: tuple[str, ...] = ()
    named: bool = False
    dates: Mapping[str, str] = field(default_factory=dict)
    dotted: tuple[str, ...] = ()

    @property
    def fills(self) -> bool:
        """Whether features' missing cells are filled."""
        return self.missing == "mean"

    @property
    def predicted(self) -> str:
        """The target of a fit, which has one."""
        assert self.target is not None
        return self.target

    def rows(self, block: Block) -> Rows:
        """Parse a block and return its complete rows as numbers, the target last."""
        named = [name for name in (*self.features, self.target, self.weights) if name is not None]
        numeric = [name for name in named if name not in self.text and name not in self.dates]
        text = [*(name for name in named if name in self.text or name in self.dates), *self.by]
        table = block.table(dict.fromkeys(numeric), dict.fromkeys(text), self.missing_words)
        if self.dates:
            table = self._with_dates(table, block)
        if table.late is not None and not self.named:
            row, late = table.late
            raise CellError(
                f"{block.where(row)}: the column {quoted(late)} begins here, and none of the first rows has it; "
                "choose columns with --feature, or let the first row have them all"
            )
        check_lengths(table, block)
        masks = _masks(table)
        gaps = {name: masks.pop(name) for name in self.features if name in masks} if self.fills else {}
        complete, missing = self._complete(masks, block)
        weights = None if self.weights is None else table.numeric[self.weights]
        if weights is not None and (weights < 0).any():
            row = int(np.argmax(weights < 0))
            raise CellError(
                f"{block.where(row)}, column {quoted(self.weights or '')}: "
                f"a weight is not negative, this one is {weights[row]:g}"
            )
        columns: list[Column] = []
        parts: list[Array] = []
        for name in self.features:
            if name in self.text:
                self._add_levels(name, table, complete, columns, parts)
                if self.fills and MISSING in table.text[name].levels:
                    raise CellError(_stands_for_missing(block, name, table.text[name]))
            else:
                columns.append(Column(name))
                parts.append(_complete_rows(table.numeric[name], complete))
        if self.target in self.text:
            self._add_levels(self.target or "", table, complete, columns, parts)
        elif self.target is not None:
            columns.append(Column(self.target))
            parts.append(_complete_rows(table.numeric[self.target], complete))
        if not parts:
            raise DataError(f"{quoted(self.source)}: no column is left")
        X = np.empty((len(parts[0]), len(parts)), order="F")
        for j, part in enumerate(parts):
            X[:, j] = part
        kept = None if weights is None else _complete_rows(weights, complete)
        by = tuple(_complete_codes(table.text[name], complete) for name in self.by)
        counts = {name: int(np.count_nonzero(_complete_rows(gap, complete))) for name, gap in gaps.items()}
        filled = {name: count for name, count in counts.items() if count}
        return Rows(X, tuple(columns), kept, table.rows, complete, missing, by, table.skipped, filled, table.misquoted)

    def _with_dates(self, table: Table, block: Block) -> Table:
        """The table with its dates as numbers."""
        found = as_numbers(table, {name: how for name, how in self.dates.items() if name not in self.by})
        for name, how in self.dates.items():
            if name in found.numeric and np.isinf(found.numeric[name]).any():
                row = int(np.argmax(np.isinf(found.numeric[name])))
                cell = table.text[name].levels[int(table.text[name].codes[row])]
                kind = "in ISO 8601" if how == ISO else f"by the format {quoted(how)}"
                raise CellError(
                    f"{block.where(row)}, column {quoted(name)}: {quoted(cell)} is no date {kind}; "
                    f"if it means a missing value: {missing_option(cell)}"
                )
        return found

    def _add_levels(
        self,
        name: str,
        table: Table,
        complete: NDArray[np.bool_] | None,
        columns: list[Column],
        parts: list[Array],
    ) -> None:
        """Append an indicator for each level that the complete rows have, in sorted order."""
        found = table.text[name]
        codes = found.codes if complete is None else found.codes[complete]
        gaps = codes < 0
        present = np.flatnonzero(np.bincount(codes[~gaps], minlength=len(found.levels)))
        in_order = sorted(((found.levels[i], i) for i in present.tolist()), key=lambda one: level_order(one[0]))
        if gaps.any():
            in_order.append((MISSING, -1))
        self._check_levels({name: [level for level, _ in in_order]}, table)
        check_room(self.source, len(columns) + len(in_order), len(codes))
        columns += [Column(name, level) for level, _ in in_order]
        parts += [(codes == i).astype(np.float64) for _, i in in_order]

    def _complete(
        self, masks: Mapping[str, NDArray[np.bool_]], block: Block
    ) -> tuple[NDArray[np.bool_] | None, dict[str, int]]:
        """A mask of the complete rows (None: all are), and the counts of rows that lack a value, by column."""
        if not masks:
            return None, {}
        if self.missing == "error":
            for name, mask in masks.items():
                if name != self.target:
                    raise CellError(
                        f"{block.where(int(np.argmax(mask)))}, column {quoted(name)}: the cell has no value; "
                        "--missing drop leaves such rows out, --missing mean fills in the column's mean"
                    )
        counts = {name: int(np.count_nonzero(mask)) for name, mask in masks.items()}
        return ~np.logical_or.reduce(list(masks.values())), counts

    def _check_levels(self, levels: Mapping[str, list[str]], table: Table) -> None:
        """Raise DataError for a text column with too many levels; all such columns of this block in one message."""
        if all(len(found) <= self.max_levels for found in levels.values()):
            return
        found_here = {name: list(table.text[name].levels) for name in self.features if name in self.text}
        wide = {name: found for name, found in found_here.items() if len(found) > self.max_levels}
        raise DataError(
            f"{too_many_levels(self.source, wide or levels, table.rows)}: {left_out_levels(wide or levels)}"
        )

    def check_levels(self, columns: Iterable[Column]) -> None:
        """Raise DataError if the levels of all blocks together are too many."""
        levels: dict[str, list[str]] = {}
        for column in columns:
            if column.level is not None:
                levels.setdefault(column.name, []).append(column.level)
        wide = {name: found for name, found in levels.items() if len(found) > self.max_levels}
        if wide:
            raise DataError(f"{too_many_levels(self.source, wide, None)}: {left_out_levels(wide)}")


def _masks(table: Table) -> dict[str, NDArray[np.bool_]]:
    """Masks of the missing cells (n,), by column, of the columns that have any."""
    with np.errstate(over="ignore", invalid="ignore"):
        masks = {name: np.isnan(v) for name, v in table.numeric.items() if not np.isfinite(v.sum())}
    masks |= {name: c.codes < 0 for name, c in table.text.items()}
    return {name: mask for name, mask in masks.items() if mask.any()}


def _stands_for_missing(block: Block, name: str, column: Coded) -> str:
    where = block.where(int(np.argmax(column.codes == column.levels.index(MISSING))))
    return (
        f"{where}, column {quoted(name)}: the text {quoted(MISSING)} is what --missing mean calls missing cells; "
        f"if it means the same: --na {shell_word(MISSING)}"
    )


_Values = TypeVar("_Values", Array, NDArray[np.bool_])


def _complete_rows(values: _Values, complete: NDArray[np.bool_] | None) -> _Values:
    """The values of the complete rows; of all if there is no mask."""
    return values if complete is None else values[complete]


def _complete_codes(column: Coded, complete: NDArray[np.bool_] | None) -> Coded:
    return column if complete is None else Coded(column.codes[complete], column.levels)


def design(
    block: Block, names: tuple[str, ...], unnamed: Collection[str], source: str, options: ColumnOptions
) -> Design:
    """Decide from the first block how each column is read. Raises DataError with advice that was tried on it."""
    question = OpenQuestion(block, names, frozenset(unnamed), source, options)
    try:
        return _decided(question)
    except DoubtError as doubt:
        raise advised(question, doubt, _attempt) from None


def design_of_readable(question: OpenQuestion) -> tuple[Design | None, dict[str, str]]:
    """The design of the columns that can be read, None if there are none; and the error of each of the others.

    The question excludes columns, but names no features. Raises DataError for a doubt about the table.
    """
    asked, doubts = question, dict[str, DoubtError]()
    chosen: Design | None = None
    while chosen is None and not (asked.options.summary and set(asked.names) <= set(asked.options.exclude)):
        try:
            chosen = _decided(asked)
        except DoubtError as doubt:
            if not doubt.columns:
                raise advised(asked, doubt, _attempt) from None
            doubts |= dict.fromkeys(doubt.columns, doubt)
            options = asked.options
            lost: dict[str, Any] = {"target": None, "summary": True} if options.target in doubt.columns else {}
            lost |= {"weights": None} if options.weights in doubt.columns else {}
            asked = replace(asked, options=replace(options, exclude=(*options.exclude, *doubt.columns), **lost))
    beside = chosen.features[:1] if chosen is not None else ()
    return chosen, {name: _alone(question, name, doubt, beside) for name, doubt in doubts.items()}


def _alone(question: OpenQuestion, name: str, doubt: DoubtError, beside: Collection[str]) -> str:
    """The error of one column without the others, so that its advice need not mend those.

    It stands ``beside`` one that can be read, as a column of its own could not be left out.
    """
    options = question.options
    if name == options.weights:
        return str(doubt)
    target = name if name == options.target else None
    exclude = tuple(other for other in question.names if other != name and other not in beside)
    alone = replace(options, target=target, summary=target is None, weights=None, exclude=exclude)
    asked = replace(question, options=alone)
    if len(doubt.columns) > 1:
        try:
            _decided(asked)
        except DoubtError as own:
            doubt = own
    return str(advised(asked, doubt, _attempt))


def _attempt(question: OpenQuestion) -> float | DoubtError:
    """The share of the first block's rows that a design reads, or what stands in its way."""
    try:
        rows = _decided(question).rows(question.block)
    except DoubtError as doubt:
        return doubt
    return len(rows.X) / max(rows.read + len(rows.skipped), 1)


def _decided(question: OpenQuestion) -> Design:
    """The design of a question. Raises DoubtError."""
    block, names, source = question.block, question.names, question.source
    try:
        options = with_names(question.options, names, source)
        target, features = choose(names, source, options)
    except UsageError:
        raise
    except DataError as error:
        raise header_below(error, question) from None
    if options.summary and not features:
        raise DataError(f"{quoted(source)}: no column is left to summarize")
    question = replace(question, options=options)
    check_room(source, sum(name not in question.unnamed for name in features))
    judged = judge_columns(question, [name for name in (*features, target, options.weights) if name is not None])
    empty = _empty_columns(block, [name for name in features if name in question.unnamed], judged.words)
    return Design(
        source=source,
        target=target,
        features=tuple(name for name in features if name not in empty),
        weights=options.weights,
        text=judged.text - empty,
        ignored=tuple(name for name in features if name in empty),
        missing_words=judged.words,
        missing=options.missing,
        max_levels=options.max_levels,
        by=tuple(dict.fromkeys(options.by)),
        named=bool(options.features),
        dates=judged.dates,
        dotted=judged.dotted,
    )


def _empty_columns(block: Block, names: list[str], words: frozenset[str]) -> frozenset[str]:
    if not names:
        return frozenset()
    table = block.table([], names, words)
    return frozenset(name for name, column in table.text.items() if not (column.codes >= 0).any())
