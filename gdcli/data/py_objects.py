"""Cells that are Python objects, as in JSON or in a DataFrame of mixed kinds, by the rules of CSV's texts."""

import math
import sys
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from gdcli.base.errors import CellError, NotNumericError
from gdcli.base.names import quoted
from gdcli.base.records import record
from gdcli.data.cells import absent_numbers, stripped
from gdcli.data.number_format import PLAIN_NUMBERS
from gdcli.data.table import Coded
from gdcli.engine.arrays import Array

_NUMBERS = (int, float, np.integer, np.floating, Decimal)


@record
class Fault:
    """A cell that cannot be used: its row, and why; ``text`` is its content, if that is a text."""

    row: int
    reason: str
    text: str | None
    kind: type[CellError]


def numbers_of(values: Sequence[object], missing: frozenset[str]) -> tuple[Array, list[Fault]]:
    """The cells as numbers (n,), NaN for a missing one, and a fault for each cell that is not a number."""
    try:
        # Of plain numbers alone, by far the most common, NumPy makes the nearest floats at once.
        plain = set(map(type, values)) <= {int, float}
        numbers = np.array(values, dtype=np.float64) if plain else _one_by_one(values, missing)
    except OverflowError:
        numbers = _one_by_one(values, missing)
    faults = []
    for row in np.flatnonzero(~np.isfinite(numbers)).tolist():
        cell = values[row]
        if _is_missing(cell) or (isinstance(cell, str) and cell.strip() in missing):
            continue
        shown, text = quoted(_shown(cell)), cell if isinstance(cell, str) else None
        if math.isnan(numbers[row]):
            faults.append(Fault(row, f"{shown} is not a number", text, NotNumericError))
        else:
            faults.append(Fault(row, f"the value {shown} is infinite", text, NotNumericError))
    return without_absent(numbers, missing), faults


def without_absent(numbers: Array, missing: frozenset[str]) -> Array:
    """The numbers, with NaN for each that stands for a missing value, such as -999."""
    absent = absent_numbers(missing, PLAIN_NUMBERS)
    return np.where(np.isin(numbers, absent), np.nan, numbers) if absent else numbers


def texts_of(values: Sequence[object], missing: frozenset[str]) -> Coded:
    """The cells as a text column. 1, True and 1.0, which Python takes for equal, are three levels."""
    if set(map(type, values)) != {str}:
        values = [None if _is_missing(value) else str(value) for value in values]
    place: dict[object, int] = {}
    codes = np.array([-1 if v is None else place.setdefault(v, len(place)) for v in values], dtype=np.intp)
    return stripped(codes, [str(level) for level in place], missing)


def _one_by_one(values: Sequence[object], missing: frozenset[str]) -> Array:
    return np.array([_number(value, missing) for value in values], dtype=np.float64)


def _number(value: object, missing: frozenset[str]) -> float:
    """The number of a cell; NaN also if it has none."""
    if isinstance(value, str):
        text = value.strip()
        number = None if text in missing else PLAIN_NUMBERS.value(text)
        return math.nan if number is None else number
    if isinstance(value, bool | np.bool_) or not isinstance(value, _NUMBERS):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except ValueError:  # a signalling NaN
        return math.nan


def _is_missing(value: object) -> bool:
    if isinstance(value, float | Decimal):
        return value != value
    pandas = sys.modules.get("pandas")  # without it there are no such values
    return value is None or (pandas is not None and (value is pandas.NA or value is pandas.NaT))


def _shown(cell: object) -> str:
    try:
        return str(cell)
    except ValueError:  # Python refuses to write integers of more digits
        return "a number of more than 4300 digits"
