"""What a cell means: whether it is a number, and how texts become levels."""

import re

import numpy as np
from numpy.typing import NDArray

from gdcli.data.table import Coded

_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity)", re.IGNORECASE | re.ASCII)


def is_number(text: str) -> bool:
    """Whether a cell parses as a number, by the rule of pandas' parser: ASCII digits, no underscores."""
    return _NUMBER.fullmatch(text) is not None


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
