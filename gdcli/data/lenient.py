"""Blocks read for predictions: every row is kept, and a cell of numbers that holds none is infinite.

pandas chooses each column's kind here, so that one bad cell costs its own column a detour over text, not the block.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from gdcli.base.errors import CellError
from gdcli.data.cells import absent_numbers, parsed, stripped
from gdcli.data.csv.fast import CsvBlock, UnsureError, coded_column, read_frame
from gdcli.data.dates import as_numbers
from gdcli.data.number_format import NumberFormat
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
    """Parse some columns, ``dates`` by their spelling as numbers; a missing number is NaN, and a cell of a numeric
    column that holds no finite one is infinite.

    Raises CellError only if a row has another number of fields than the header, or cannot be decoded, or a cell
    holds cells of its own.
    """
    dated = [name for name in numeric if name in dates]
    if dated:
        table = read_leniently(block, [name for name in numeric if name not in dates], [*text, *dated], missing)
        return as_numbers(table, {name: dates[name] for name in dated})
    if isinstance(block, CsvBlock):
        try:
            return _inferred(block, numeric, text, missing)
        except UnsureError:
            return _all_as_text(block, numeric, text, missing)
    try:
        table = block.table(numeric, text, missing)
    except CellError:
        return _all_as_text(block, numeric, text, missing)
    return _all_as_text(block, numeric, text, missing) if table.skipped else table  # perhaps for text among numbers


def _inferred(block: CsvBlock, numeric: Sequence[str], text: Sequence[str], missing: frozenset[str]) -> Table:
    kinds = {**dict.fromkeys(numeric), **dict.fromkeys(text, "category")}
    if not kinds:  # of an intercept alone only the number of rows is wanted
        kinds = {block.dialect.names[-1]: "category"}
    frame = read_frame(block.chunk, block.dialect, kinds, missing)
    return Table(
        rows=len(frame),
        numeric={name: _marked(_numbers(frame[name], missing, block.numbers)) for name in numeric},
        text={name: coded_column(frame[name].array, missing) for name in text},
    )


def _all_as_text(block: Block, numeric: Sequence[str], text: Sequence[str], missing: frozenset[str]) -> Table:
    table = block.table([], [*numeric, *text], missing)
    return Table(
        rows=table.rows,
        numeric={name: _marked(parsed(table.text[name], missing, block.numbers)) for name in numeric},
        text={name: table.text[name] for name in text},
        skipped=table.skipped,
    )


def _numbers(column: "pd.Series[Any]", missing: frozenset[str], form: NumberFormat) -> Array:
    if pd.api.types.is_numeric_dtype(column):
        numbers: Array = np.asarray(column, dtype=np.float64)
        if absent := absent_numbers(missing, form):
            numbers = np.where(np.isin(numbers, absent), np.nan, numbers)
        if np.isinf(numbers).any() and any(math.isinf(form.value(word) or 0.0) for word in missing):
            raise UnsureError  # whether a cell says ``inf``, which means missing, or another infinity
        return numbers
    codes, cells = column.factorize()
    return parsed(stripped(np.asarray(codes), [str(cell) for cell in cells], missing), missing, form)


def _marked(numbers: Array) -> Array:
    """Numbers with one infinity only."""
    return np.where(np.isinf(numbers), np.inf, numbers)


def fill_gaps(table: Table, means: Mapping[str, Array | float], text: Iterable[str]) -> Table:
    """A table whose missing numbers have the mean of their column (one, or each row's own (n,); a NaN fills
    nothing), and whose missing texts in some columns have a level of their own.
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
