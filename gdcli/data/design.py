"""Which columns are used and how: from the header and the first block to a matrix of numbers for each block.

A column most of whose cells in the first block are numbers is numeric; the others are text, and become one
indicator column per level. Which level is the reference is only known at the end, so all of them are kept here.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

import numpy as np

from gdcli.base.errors import CellError, DataError
from gdcli.base.names import listed, quoted, shell_word
from gdcli.base.records import field, record, replace
from gdcli.data.cells import check_lengths, left_out_levels, missing_option, too_many_levels
from gdcli.data.dates import ISO, as_numbers
from gdcli.data.expressions.computed import Computed, check_values, placed, with_computed
from gdcli.data.memory import check_room
from gdcli.data.table import BadRow, Block, Coded, Table
from gdcli.engine.arrays import Array, NDArray
from gdcli.engine.column import MISSING, Column, level_order


@record(eq=False)
class Rows:
    """The complete rows of a block: ``numbers`` (n,) of each of the ``columns``, a target last, and ``weights`` (n,) or
    None.

    ``read`` is the number of rows in the block without the bad ones, which are ``skipped``; the mask ``complete``
    (read,) marks the complete rows, None if all are. ``missing`` is, by column, the number of rows that lack its value
    and are therefore dropped; ``filled`` the number of missing cells that are kept to be filled: NaN in ``numbers``, or
    a level of their own if the column is text. ``by`` holds each ``--by`` column (n,). ``misquoted`` is the place of a
    cell with text behind its closing quote in a column that is not used; empty if there is none.
    """

    numbers: tuple[Array, ...]
    columns: tuple[Column, ...]
    weights: Array | None
    read: int
    complete: NDArray[np.bool_] | None
    missing: Mapping[str, int]
    by: tuple[Coded, ...] = ()
    skipped: tuple[BadRow, ...] = ()
    filled: Mapping[str, int] = field(default_factory=dict)
    misquoted: str = ""

    @property
    def count(self) -> int:
        """The number of complete rows, n."""
        return len(self.numbers[0])

    @property
    def matrix(self) -> Array:
        """The numbers as a new matrix (n, q) that lies in columns."""
        X = np.empty((self.count, len(self.numbers)), order="F")
        for j, numbers in enumerate(self.numbers):
            X[:, j] = numbers
        return X


@record
class Design:
    """The choice of columns: which are the target (None for a summary), the features and the weights.

    ``features`` are in the file's order, or as given if one is computed, interactions last; ``named`` if the user chose
    them, instead of taking all columns. ``computed`` are the features, or target, that are expressions of columns.
    ``text`` are the columns and computed terms that have levels; ``dates`` the columns of dates, which become numbers
    of days, with the format of each.

    ``ignored`` columns have neither name nor values. In ``dotted`` columns each dot may be a thousands separator.
    ``crossed`` features were given as a*b. ``missing`` is the policy for missing cells: drop, error or mean.
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
    computed: Mapping[str, Computed] = field(default_factory=dict)
    crossed: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read, other than those of ``by``."""
        return self._columns_of([*self.features, self.target, self.weights])

    def _columns_of(self, names: Iterable[str | None]) -> tuple[str, ...]:
        found = [name for name in names if name is not None]
        return tuple(dict.fromkeys(c for n in found for c in (self.computed[n].columns if n in self.computed else [n])))

    @property
    def notes(self) -> tuple[str, ...]:
        """The sentences that tell a user how some columns were read; empty if there is nothing to tell."""
        notes = []
        if self.ignored:
            notes.append(f"left out the columns without name and values: {listed(self.ignored)}")
        if self.dates:
            notes.append(f"read as days since 1970-01-01: {listed(map(quoted, self.dates))}")
        if self.crossed:
            first = self.crossed[0]
            notes.append(
                f"{quoted(first)} is the columns and their product, as in R; the product alone is "
                f"{quoted(first.replace('*', ':'))}"
            )
        return tuple(notes)

    @property
    def fills(self) -> bool:
        """Whether features' missing cells are filled."""
        return self.missing == "mean"

    @property
    def predicted(self) -> str:
        """The name of the target. Only for the design of a fit: that of a summary has none."""
        assert self.target is not None
        return self.target

    def rows(self, block: Block) -> Rows:
        """Parse a block and return its complete rows as numbers, the target last."""
        named = self.columns
        numeric = [name for name in named if name not in self.text and name not in self.dates]
        text = [*(name for name in named if name in self.text or name in self.dates), *self.by]
        table = block.table(dict.fromkeys(numeric), dict.fromkeys(text), self.missing_words)
        if self.dates:
            table = self.with_dates(table, block)
        if table.late is not None and not self.named:
            row, late = table.late
            raise CellError(
                f"{block.where(table.place(row))}: the column {quoted(late)} begins here, and none of the first rows "
                "has it; choose columns with --feature, or let the first row have them all"
            )
        check_lengths(table, block)
        if self.computed:
            table = check_values(table, self.computed.values(), block)
        masks = _masks(table)
        columns_of_target = self._columns_of([self.target, self.weights])
        if self.computed:
            table = with_computed(table, self.computed.values())
        gaps = {}
        if self.fills:
            masks = {name: mask for name, mask in masks.items() if name in columns_of_target or name in self.by}
            gaps = {name: mask for name, mask in _masks(table).items() if name in self.features}
            self._check_gaps(gaps, table, block)
        complete, missing = self._complete(masks, table, block)
        weights = None if self.weights is None else table.numeric[self.weights]
        if weights is not None and (weights < 0).any():
            row = int(np.argmax(weights < 0))
            raise CellError(
                f"{block.where(table.place(row))}, column {quoted(self.weights or '')}: "
                f"a weight is not negative, this one is {weights[row]:g}"
            )
        columns: list[Column] = []
        parts: list[Array] = []
        for name in self.features:
            if name in self.text:
                self._add_levels(name, table, complete, columns, parts)
                if self.fills and MISSING in table.text[name].levels:
                    raise CellError(_stands_for_missing(table, block, name))
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
        kept = None if weights is None else _complete_rows(weights, complete)
        by = tuple(_complete_codes(table.text[name], complete) for name in self.by)
        counts = {name: int(np.count_nonzero(_complete_rows(gap, complete))) for name, gap in gaps.items()}
        filled = {name: count for name, count in counts.items() if count}
        return Rows(
            tuple(parts),
            tuple(columns),
            kept,
            table.rows,
            complete,
            missing,
            by,
            table.skipped,
            filled,
            table.misquoted,
        )

    def placed(self, block: Block) -> "Design":
        """The design with the places of its polynomials, by the first block."""
        columns = dict.fromkeys(c for one in self.computed.values() if one.is_polynomial for c in one.columns)
        if not columns:
            return self
        dated = [name for name in columns if name in self.dates]
        table = block.table([name for name in columns if name not in dated], dated, self.missing_words)
        table = self.with_dates(table, block)
        computed = {name: placed(one, table.numeric, table.rows) for name, one in self.computed.items()}
        return replace(self, computed=computed)

    def with_dates(self, table: Table, block: Block) -> Table:
        """The table with its dates as numbers. Raises CellError for a text that is no date."""
        found = as_numbers(table, {name: how for name, how in self.dates.items() if name not in self.by})
        for name, how in self.dates.items():
            if name in found.numeric and np.isinf(found.numeric[name]).any():
                row = int(np.argmax(np.isinf(found.numeric[name])))
                cell = table.text[name].levels[int(table.text[name].codes[row])]
                kind = "in ISO 8601" if how == ISO else f"by the format {quoted(how)}"
                raise CellError(
                    f"{block.where(table.place(row))}, column {quoted(name)}: {quoted(cell)} is no date {kind}; "
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
        times = self.computed[name].numbers if name in self.computed else None
        values = 1.0 if times is None else _complete_rows(table.numeric[name], complete)
        in_order = sorted(((found.levels[i], i) for i in present.tolist()), key=lambda one: level_order(one[0]))
        if gaps.any():
            in_order.append((MISSING, -1))
        self._check_levels({name: [level for level, _ in in_order]}, table)
        check_room(self.source, len(columns) + len(in_order), len(codes))
        columns += [Column(name, level) for level, _ in in_order]
        parts += [np.where(codes == i, values, 0.0) for _, i in in_order]

    def _check_gaps(self, gaps: Mapping[str, NDArray[np.bool_]], table: Table, block: Block) -> None:
        """Raise CellError for a missing number that is multiplied with categories: there is no one mean to fill in."""
        for name in gaps:
            if name in self.text and name in table.numeric and np.isnan(table.numeric[name]).any():
                row = int(np.argmax(np.isnan(table.numeric[name])))
                raise CellError(
                    f"{block.where(table.place(row))}: a cell that {quoted(name)} needs has no value, and --missing "
                    "mean has no mean for it, as each category has its own; --missing drop leaves such rows out"
                )

    def _complete(
        self, masks: Mapping[str, NDArray[np.bool_]], table: Table, block: Block
    ) -> tuple[NDArray[np.bool_] | None, dict[str, int]]:
        """A mask of the complete rows (None: all are), and the counts of rows that lack a value, by column."""
        if not masks:
            return None, {}
        if self.missing == "error":
            for name, mask in masks.items():
                if name != self.target:
                    filled = ", --missing mean fills in the column's mean" if name in self.features else ""
                    row = int(np.argmax(mask))
                    raise CellError(
                        f"{block.where(table.place(row))}, column {quoted(name)}: the cell has no value; "
                        f"--missing drop leaves such rows out{filled}"
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
            f"{too_many_levels(self.source, wide or levels, table.rows)}: {self._fewer_levels(wide or levels)}"
        )

    def check_levels(self, columns: Iterable[Column]) -> None:
        """Raise DataError if the levels of all blocks together are too many."""
        levels: dict[str, list[str]] = {}
        for column in columns:
            if column.level is not None:
                levels.setdefault(column.name, []).append(column.level)
        wide = {name: found for name, found in levels.items() if len(found) > self.max_levels}
        if wide:
            raise DataError(f"{too_many_levels(self.source, wide, None)}: {self._fewer_levels(wide)}")

    def _fewer_levels(self, wide: Collection[str]) -> str:
        """The advice on too many levels: a computed term was asked for, so that it is not to be left out."""
        return "allow more with --max-levels" if self.computed.keys() & wide else left_out_levels(wide)


def _masks(table: Table) -> dict[str, NDArray[np.bool_]]:
    """Masks of the missing cells (n,), by column, of the columns that have any."""
    with np.errstate(over="ignore", invalid="ignore"):
        masks = {name: np.isnan(v) for name, v in table.numeric.items() if not np.isfinite(v.sum())}
    masks |= {name: c.codes < 0 for name, c in table.text.items()}
    return {name: mask for name, mask in masks.items() if mask.any()}


def _stands_for_missing(table: Table, block: Block, name: str) -> str:
    column = table.text[name]
    where = block.where(table.place(int(np.argmax(column.codes == column.levels.index(MISSING)))))
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
