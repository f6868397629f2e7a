"""What a cell means: whether it is a number, and how texts become levels."""

import math

import numpy as np
from numpy.typing import NDArray

from gdcli.data.numberformat import PLAIN, NumberFormat
from gdcli.data.table import Coded
from gdcli.engine.triangle import Array


def is_number(text: str) -> bool:
    """Whether a cell parses as a number, by the rule of pandas' parser: ASCII digits, no underscores."""
    return PLAIN.is_number(text)


def absent_numbers(missing: frozenset[str], form: NumberFormat) -> list[float]:
    """Return the numbers that stand for a missing value, however they are written."""
    values = [form.value(word) for word in missing]
    return [value for value in values if value is not None and math.isfinite(value)]


def parsed(column: Coded, missing: frozenset[str], form: NumberFormat) -> Array:
    """Return texts as numbers: NaN where missing, infinite where a text is none."""
    absent = absent_numbers(missing, form)
    values = [form.value(level) for level in column.levels]
    lookup = np.array(
        [math.inf if value is None else math.nan if value in absent else value for value in values] + [math.nan]
    )
    numbers: Array = lookup[column.codes]
    return numbers


def stripped(codes: NDArray[np.integer], levels: list[str], missing: frozenset[str]) -> Coded:
    """Return codes for levels without blanks around them; what is then missing or equal is so."""
    clean = [level.strip() for level in levels]
    if clean == levels and not missing.intersection(levels):
        return Coded(codes, tuple(levels))
    kept = tuple(dict.fromkeys(level for level in clean if level not in missing))
    place = {level: i for i, level in enumerate(kept)}
    lookup = np.array([place.get(level, -1) for level in clean] + [-1])  # the last one for code −1
    return Coded(lookup[codes], kept)


def coded(values: list[str], missing: frozenset[str]) -> Coded:
    """Return a list of texts as codes and levels."""
    place: dict[str, int] = {}
    codes = np.array([-1 if v in missing else place.setdefault(v, len(place)) for v in values], dtype=np.intp)
    return Coded(codes, tuple(place))
