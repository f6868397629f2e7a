"""The keywords of the Python functions: the options by their names, and those of the command line."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, get_type_hints

from gdcli.python.kinds import OneOrMore, checked

Names = str | Sequence[str]


class ColumnKeywords(TypedDict, total=False):
    """Which columns, and how they are read."""

    features: Names
    feature: Names
    exclude: Names
    categorical: Names
    dates: Names
    date: Names
    weights: Names | None
    max_levels: int
    na: Names
    keep_na: bool
    missing: str


class CsvKeywords(TypedDict, total=False):
    """How text files are read, and by how many threads."""

    separator: str | None
    sep: str | None
    encoding: str | None
    header: bool
    skip_rows: int
    decimal: str
    thousands: str | None
    quotechar: str
    comment: str | None
    on_bad_row: str
    jobs: int | None


class TableKeywords(ColumnKeywords, CsvKeywords, total=False):
    """The options of everything that reads a table."""


class SummaryKeywords(TableKeywords, total=False):
    """The options of a summary."""

    dask: str | None


class CostKeywords(TableKeywords, total=False):
    """The options of a fit and of a sweep: the cost, and where the descent begins."""

    formula: str | None
    dask: str | None
    intercept: bool
    iterations: int
    scale: str
    l2: OneOrMore
    l1: OneOrMore
    start: Mapping[str, float]


class SweepKeywords(CostKeywords, total=False):
    """The options of a sweep."""

    by: Names
    loss: str | None
    event: Names | None
    memory: str | int | None
    optimizer: str | None
    schedule: str | None
    seed: int
    cv: int | None


class FitKeywords(SweepKeywords, total=False):
    """The options of a fit."""

    learning_rate: float | str | Sequence[float] | None
    lr: float | str | Sequence[float] | None
    epochs: int | None
    batch_size: int | None
    tolerance: float | None
    tol: float | None
    holdout: float | None
    test: Any
    patience: int | None
    inference: bool
    every: int | None
    explain: bool
    picture: bool
    points: int
    resume: "str | os.PathLike[str] | None"


class ScoreKeywords(CsvKeywords, total=False):
    """The options of a score."""

    weights: Names | None


# Names of the command line, and of the records' fields.
_FIELDS = {
    "feature": "features",
    "date": "dates",
    "sep": "separator",
    "lr": "learning_rate",
    "tol": "tolerance",
}

_SEVERAL = ("features", "exclude", "categorical", "dates", "na", "by", "l2", "l1")


def fields_of(given: Mapping[str, Any], known: type, function: str) -> dict[str, Any]:
    """The keywords as fields of the options, by the fields' names, lists as tuples.

    Raises TypeError for an unknown name, for a field given under two names, and for a value of the wrong kind.
    """
    kinds = get_type_hints(known)
    names = set(kinds)
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in names:
            raise TypeError(_unknown(name, names, function))
        field = _FIELDS.get(name, name)
        if field in found:
            raise TypeError(f"{function}() got {field!r} under two names, of which {name!r} is one")
        value = checked(function, name, value, kinds[name])
        found[field] = _tuple(value) if field in _SEVERAL else value
    return found


def _tuple(value: Any) -> tuple[Any, ...]:
    """One value or several, names as texts: a frame may have numbers for names."""
    several = value if isinstance(value, list | tuple | set | frozenset) else () if value is None else (value,)
    return tuple(several)


def _unknown(name: str, names: set[str], function: str) -> str:
    from gdcli.base.names import did_you_mean
    from gdcli.cli.foreign_names import name_here

    here = name_here(name, {f"--{known.replace('_', '-')}": None for known in names})
    if here is not None and here[0].startswith("--"):
        keyword = here[0].lstrip("-").replace("-", "_")
        meant = f" It is called {keyword!r} here." if len(here) == 1 else f" Here it is {keyword}={here[1]!r}."
    else:
        meant = did_you_mean(name, sorted(names))
    return f"{function}() has no option {name!r}.{meant}"
