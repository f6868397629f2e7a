"""Blocks read for predictions: every row is kept, and a cell of numbers that holds none is infinite."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from gdcli.base.errors import CellError
from gdcli.base.records import replace
from gdcli.data.cells import parsed
from gdcli.data.csv.block import CsvBlock
from gdcli.data.dates import as_numbers
from gdcli.data.table import Block, Coded, Table
from gdcli.engine.arrays import Array
from gdcli.engine.column import MISSING


def read_leniently(
    block: Block,
    numeric: Sequence[str],
    text: Sequence[str],
    missing: frozenset[str],
    dates: Mapping[str, str] = MappingProxyType({}),
) -> Table:
    """The ``numeric`` and ``text`` columns of a block. In a numeric column NaN stands for a missing cell, and +∞ for a
    cell that is not a finite number.

    ``dates`` maps numeric columns to the ``strptime`` format that turns their dates into days. Raises CellError only
    for a row with too many or too few fields, a row that cannot be decoded, or a cell that holds a list or an object.
    """
    dated = [name for name in numeric if name in dates]
    if dated:
        table = read_leniently(block, [name for name in numeric if name not in dates], [*text, *dated], missing)
        return as_numbers(table, {name: dates[name] for name in dated})
    if isinstance(block, CsvBlock):
        inferred = block.inferred(numeric, text, missing)
        return _all_as_text(block, numeric, text, missing) if inferred is None else _marked(inferred)
    try:
        table = block.table(numeric, text, missing)
    except CellError:
        return _all_as_text(block, numeric, text, missing)
    return _all_as_text(block, numeric, text, missing) if table.skipped else table  # perhaps for text among numbers


def _all_as_text(block: Block, numeric: Sequence[str], text: Sequence[str], missing: frozenset[str]) -> Table:
    table = block.table([], [*numeric, *text], missing)
    numbers = {name: parsed(table.text[name], missing, block.numbers) for name in numeric}
    return _marked(replace(table, numeric=numbers, text={name: table.text[name] for name in text}))


def _marked(table: Table) -> Table:
    """The table with +∞ in place of −∞."""
    numbers = {name: np.where(np.isinf(found), np.inf, found) for name, found in table.numeric.items()}
    return replace(table, numeric=numbers)


def fill_gaps(table: Table, means: Mapping[str, Array | float], text: Iterable[str]) -> Table:
    """A table with the missing cells filled: numbers with the mean in ``means``, texts of the columns ``text`` with
    the level MISSING.

    A mean is one number or an array (n,) of one per row. A mean that is NaN fills nothing.
    """
    numeric, texts, counts = dict(table.numeric), dict(table.text), {}
    for name, mean in means.items():
        gaps = np.isnan(numeric[name])
        if gaps.any():
            numeric[name] = np.where(gaps, mean, numeric[name])
            counts[name] = int(np.count_nonzero(gaps) - np.count_nonzero(np.isnan(numeric[name])))
    for name in text:
        column = texts[name]
        gaps = column.codes < 0
        if gaps.any():
            codes = column.codes.astype(np.intp)
            codes[gaps] = len(column.levels)
            texts[name] = Coded(codes, (*column.levels, MISSING))
            counts[name] = int(np.count_nonzero(gaps))
    return replace(table, numeric=numeric, text=texts, filled={name: count for name, count in counts.items() if count})
