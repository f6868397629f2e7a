"""The figures of single columns, by one pass over the rows: each block's are merged with those before it."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from gdcli.base.errors import CellError, NotNumericError
from gdcli.base.records import field, record, replace
from gdcli.data.dates import numbers_of_dates
from gdcli.data.design import Design
from gdcli.data.lenient import read_leniently
from gdcli.data.table import Block, Coded, Table
from gdcli.engine.arrays import Array
from gdcli.ingest.sizes import size_fault

# Different values of a column that are counted; there are more if it has this many.
MOST_VALUES = 10_000

# Different numbers that are counted: with more a column is no list of classes.
MOST_NUMBERS = 20

# Texts of a column that are looked at.
_SAMPLE = 1000


@record
class Figures:
    """The figures of a column's cells: ``count`` with a value, ``missing`` without one, ``odd`` that cannot be read.

    ``place`` is that of the first odd cell. Numbers and dates (as days) have a mean, a minimum, a maximum and
    ``norm``, the root of the sum of squared distances from the mean. ``values`` counts the cells of each value (None:
    too many values). ``first`` and ``last`` are the first and the last number if they count up by 1, else None.
    """

    count: int = 0
    missing: int = 0
    odd: int = 0
    place: str = ""
    mean: float = 0.0
    norm: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    values: Counter[str] | None = field(default_factory=Counter)
    first: float | None = None
    last: float | None = None

    @property
    def sd(self) -> float | None:
        """The sample standard deviation (n − 1); None for fewer than two values."""
        return self.norm / math.sqrt(self.count - 1) if self.count > 1 else None


def merged(left: Figures, right: Figures, most: int) -> Figures:
    """The figures of the cells of ``left`` and ``right`` together; ``values`` is None if more than ``most`` differ."""
    lost: dict[str, Any] = {
        "missing": left.missing + right.missing,
        "odd": left.odd + right.odd,
        "place": left.place or right.place,
    }
    if not left.count or not right.count:
        return replace(right if right.count else left, **lost)
    count, apart = left.count + right.count, right.mean - left.mean
    values = None if left.values is None or right.values is None else left.values + right.values
    counts_up = left.last is not None and right.first is not None and right.first == left.last + 1
    return Figures(
        count=count,
        mean=left.mean + apart * (right.count / count),
        norm=math.hypot(left.norm, right.norm, apart * math.sqrt(left.count * right.count / count)),
        minimum=min(left.minimum, right.minimum),
        maximum=max(left.maximum, right.maximum),
        values=None if values is None or len(values) > most else values,
        first=left.first if counts_up else None,
        last=right.last if counts_up else None,
        **lost,
    )


def of_numbers(numbers: Array) -> Figures:
    """The figures of numbers (n,). NaN is a missing cell, an infinite number an odd one."""
    odd, missing = int(np.isinf(numbers).sum()), int(np.isnan(numbers).sum())
    found = numbers[np.isfinite(numbers)]
    if not len(found):
        return Figures(missing=missing, odd=odd)
    least, most = float(found.min()), float(found.max())
    size = max(abs(least), abs(most))
    # Numbers that a fit cannot square are looked at in another unit.
    unit = size if size_fault("", size) else 1.0
    scaled = found / unit if unit != 1.0 else found
    mean = float(scaled.mean())
    up = unit == 1.0 and bool((found == np.floor(found)).all() and (np.diff(found) == 1).all())
    return Figures(
        count=len(found),
        missing=missing,
        odd=odd,
        mean=mean * unit,
        norm=math.sqrt(float(((scaled - mean) ** 2).sum())) * unit,
        minimum=least,
        maximum=most,
        values=_few(found),
        first=float(found[0]) if up else None,
        last=float(found[-1]) if up else None,
    )


def of_texts(column: Coded) -> Figures:
    """The figures of a text column: its numbers of cells, and how many have each value."""
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.levels))
    values: Counter[str] | None = None
    if np.count_nonzero(counts) <= MOST_VALUES:
        values = Counter({level: int(n) for level, n in zip(column.levels, counts.tolist(), strict=True) if n})
    return Figures(count=int(counts.sum()), missing=int((column.codes < 0).sum()), values=values)


def _few(numbers: Array) -> Counter[str] | None:
    """The counts of numbers, None if there are too many."""
    if len(np.unique(numbers[:1000])) > MOST_NUMBERS:
        return None
    found, counts = np.unique(numbers, return_counts=True)
    if len(found) > MOST_NUMBERS:
        return None
    return Counter({f"{value:.15g}": int(n) for value, n in zip(found.tolist(), counts.tolist(), strict=True)})


@record
class Described:
    """The numbers of rows ``read``, ``complete`` and ``skipped`` (bad ones), and the figures of each column by name."""

    read: int
    complete: int
    skipped: int
    columns: Mapping[str, Figures]


def described_block(block: Block, chosen: Design, doubtful: Mapping[str, bool]) -> Described:
    """The figures of a block: of the columns of a design, as it reads them, and of the ``doubtful`` columns, as numbers
    if True, else as text. Raises CellError for a row that is none of the table.
    """
    used = [name for name in (*chosen.features, chosen.target, chosen.weights) if name is not None]
    as_text = [name for name in used if name in chosen.text or name in chosen.dates]
    as_text += [name for name, numeric in doubtful.items() if not numeric]
    names = dict.fromkeys([*used, *doubtful])
    table = _table(block, [name for name in names if name not in as_text], as_text, chosen)
    figures: dict[str, Figures] = {}
    lacking = np.zeros(table.rows, dtype=bool)
    for name in names:
        if name in chosen.dates:
            numbers = numbers_of_dates(table.text[name], chosen.dates[name])
            figures[name] = replace(of_numbers(numbers), values=of_texts(table.text[name]).values)
            if figures[name].odd:
                figures[name] = replace(figures[name], place=_odd_date(name, table, block, chosen))
        elif name in as_text:
            figures[name] = of_texts(table.text[name])
            numbers = np.where(table.text[name].codes < 0, np.nan, 0.0)
        else:
            numbers = table.numeric[name]
            figures[name] = of_numbers(numbers)
            if figures[name].odd:
                figures[name] = replace(figures[name], place=_odd_number(name, block, chosen))
        if name not in chosen.features or not chosen.fills:
            lacking |= ~np.isfinite(numbers)
    return Described(table.rows, int((~lacking).sum()), len(table.skipped), figures)


def are_mostly_numbers(column: Coded, block: Block) -> bool:
    """Whether more than half of some texts of a column are numbers."""
    some = column.levels[:: -(-len(column.levels) // _SAMPLE) or 1]
    return 2 * sum(map(block.numbers.is_number, some)) > len(some)


def _odd_number(name: str, block: Block, chosen: Design) -> str:
    """The place of a column's first cell that is not a finite number."""
    try:
        block.table([name], [], chosen.missing_words)
    except NotNumericError as error:
        return str(error)
    return ""


def _odd_date(name: str, table: Table, block: Block, chosen: Design) -> str:
    """The place of a column's first text that is no date."""
    try:
        replace(chosen, dates={name: chosen.dates[name]}).with_dates(table, block)
    except CellError as error:
        return str(error)
    return ""


def _table(block: Block, numeric: list[str], text: list[str], chosen: Design) -> Table:
    """The table of a block, in which a number is infinite if its cell is none, unless such rows are left out."""
    if block.skips or not block.suspects(numeric, text, chosen.missing_words):
        return block.table(numeric, text, chosen.missing_words)
    return read_leniently(block, numeric, text, chosen.missing_words)


def merged_blocks(left: Described, right: Described) -> Described:
    """The figures of the rows of ``left`` and ``right`` together."""
    columns = {
        name: merged(one, right.columns[name], MOST_VALUES) if name in right.columns else one
        for name, one in left.columns.items()
    }
    return Described(left.read + right.read, left.complete + right.complete, left.skipped + right.skipped, columns)
