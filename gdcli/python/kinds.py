"""The kinds of value that keywords take: numbers, texts, lists of numbers, as their annotations say."""

import os
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from types import UnionType
from typing import Any, get_args

OneOrMore = float | Sequence[float]

_WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "True or False",
    type(None): "None",
    Sequence[float]: "a list of numbers",
    Mapping[str, float]: "a dict of numbers",
    os.PathLike[str]: "a path",
}


def checked(function: str, name: str, value: Any, annotation: Any) -> Any:
    """The value, if it is of a kind that its annotation names; several numbers as a tuple, NumPy's as Python's.

    Raises TypeError, which says what is taken, for any other. Data (``Any``) and names of columns may be of any kind.
    """
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    if Any in kinds or Sequence[str] in kinds:
        return value
    if Sequence[float] in kinds and _are_several(value):
        value = tuple(map(_plain, value))
    value = _plain(value)
    if any(_is_a(value, kind) for kind in kinds):
        return value
    *others, last = [_WORDS[kind] for kind in kinds]
    words = f"{', '.join(others)} or {last}" if others else last
    shown = reprlib.repr(value) if isinstance(value, str | Real | tuple | None) else type(value).__name__
    raise TypeError(f"{function}() takes {name} as {words}, not {shown}")


def _are_several(value: Any) -> bool:
    alone = isinstance(value, str | bytes | Mapping) or getattr(value, "ndim", 1) == 0
    return isinstance(value, Iterable) and not alone


def _plain(value: Any) -> Any:
    """A number of NumPy's as Python's; everything else as it is."""
    return value.item() if hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0 else value


def _is_a(value: Any, kind: Any) -> bool:
    """Whether a value is of one of the kinds that have a word."""
    if kind == Sequence[float]:
        return isinstance(value, tuple) and all(_is_number(one, Real) for one in value)
    if kind == Mapping[str, float]:
        return isinstance(value, Mapping) and all(_is_number(one, Real) for one in value.values())
    if kind in (int, float):
        return _is_number(value, Integral if kind is int else Real)
    return isinstance(value, os.PathLike if kind == os.PathLike[str] else kind)


def _is_number(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
