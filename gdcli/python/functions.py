"""The functions of ``import gdcli``: keywords become options, data of any kind inputs, and records results."""

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from gdcli.ingest.given_data import inputs_of
from gdcli.python.keywords import (
    FitKeywords,
    ScoreKeywords,
    SummaryKeywords,
    SweepKeywords,
    TableKeywords,
    fields_of,
)
from gdcli.python.kinds import OneOrMore, checked
from gdcli.python.results import (
    CurveResult,
    DescriptionResult,
    FitResult,
    GroupsResult,
    GroupSweepsResult,
    ScoreResult,
    SweepResult,
    with_report,
)
from gdcli.python.words import in_python_words, python_words

if TYPE_CHECKING:
    from gdcli.ingest.summary import Summary
    from gdcli.models.model import Model


class ConvergenceWarning(UserWarning):
    """A descent diverged: its result has no coefficients."""


def fit(data: Any, *, target: Any = None, **options: Unpack[FitKeywords]) -> FitResult:
    """Fit a regression by gradient descent.

    ``data`` is a path (or a pattern such as ``sales-*.csv``), a DataFrame of pandas or polars, a table of pyarrow or
    DuckDB, a dict of columns, a pair of arrays ``(X, y)``, a summary, or a list of them; ``options`` are those of the
    command line, by the same names or by those of the records. Raises DataError and UsageError; a descent that
    diverged is a result, with a ConvergenceWarning.
    """
    from gdcli.api import parse_options, run_fit
    from gdcli.report.verdict import verdict

    inputs, target = inputs_of(data, None if target is None else str(target))
    values = _named({"target": target, **fields_of(options, FitKeywords, "fit")})
    if values.get("test") is not None:
        values["test"] = _one_input(values["test"], target)
    if values.get("by"):
        raise TypeError("fit() makes one fit: fit_by() makes one of each group")
    with in_python_words():
        asked, starts = parse_options(values)
        found = run_fit(inputs, asked, start=starts.get(()))
    if found.diverged:
        warnings.warn(
            f"no convergence: {python_words(' '.join(verdict(found).sentences))}", ConvergenceWarning, stacklevel=2
        )

    def drawn() -> FitResult:
        from gdcli.fitting.picture import MOST_POINTS

        again, begun = parse_options({**values, "picture": True, "points": MOST_POINTS})
        with in_python_words():
            return with_report(FitResult, run_fit(inputs, again, start=begun.get(())))

    return with_report(FitResult, found, drawn)


def fit_by(data: Any, *, target: Any = None, **options: Unpack[FitKeywords]) -> GroupsResult:
    """Fit each group of rows that have the same text in the columns ``by``, in one pass: arrays with a row for each.

    The other arguments are those of ``fit``. Diverged descents have no numbers (NaN).
    """
    from gdcli.api import parse_options, run_groups

    inputs, target = inputs_of(data, None if target is None else str(target))
    values = _named({"target": target, **fields_of(options, FitKeywords, "fit_by")})
    if values.get("test") is not None:
        values["test"] = _one_input(values["test"], target)
    if not values.get("by"):
        raise TypeError("fit_by() takes the columns of the groups: by='region'")
    with in_python_words():
        asked, starts = parse_options(values)
        found = run_groups(inputs, asked, starts=starts, with_memory=True)

    def drawn() -> GroupsResult:
        again, begun = parse_options({**values, "picture": True})
        with in_python_words():
            return with_report(GroupsResult, run_groups(inputs, again, starts=begun))

    return with_report(GroupsResult, found, drawn)


def sweep(data: Any, *, target: Any = None, rates: OneOrMore = (), **options: Unpack[SweepKeywords]) -> SweepResult:
    """Compare learning rates side by side: ``rates``, or seven around the largest stable one."""
    from gdcli.fitting.options import FitOptions
    from gdcli.fitting.sweep import run_sweep

    inputs, target = inputs_of(data, None if target is None else str(target))
    values = _named({"target": target, **fields_of(options, SweepKeywords, "sweep")})
    rates = _several("sweep", "rates", rates)
    if values.get("by"):
        raise TypeError("sweep() compares rates for all rows: sweep_by() does so for each group")
    with in_python_words():
        return with_report(SweepResult, run_sweep(inputs, FitOptions.of(**values), rates))


def sweep_by(
    data: Any, *, target: Any = None, rates: OneOrMore = (), **options: Unpack[SweepKeywords]
) -> GroupSweepsResult:
    """Compare learning rates for each group of rows that have the same text in the columns ``by``.

    The other arguments are those of ``sweep``.
    """
    from gdcli.base.listener import Listener
    from gdcli.fitting.options import FitOptions
    from gdcli.fitting.sweep import run_group_sweeps

    inputs, target = inputs_of(data, None if target is None else str(target))
    values = _named({"target": target, **fields_of(options, SweepKeywords, "sweep_by")})
    rates = _several("sweep_by", "rates", rates)
    if not values.get("by"):
        raise TypeError("sweep_by() takes the columns of the groups: by='region'")
    with in_python_words():
        return with_report(GroupSweepsResult, run_group_sweeps(inputs, FitOptions.of(**values), rates, Listener()))


def describe(data: Any, *, target: Any = None, **options: Unpack[TableKeywords]) -> DescriptionResult:
    """Describe each column: how a fit would read it, its figures, and what stands in the way."""
    from gdcli.data.columns import ColumnOptions
    from gdcli.ingest.describe import run_describe

    inputs, target = inputs_of(data, None if target is None else str(target))
    values = _named(fields_of(options, TableKeywords, "describe"))
    with in_python_words():
        reading = _reading(values)
        return with_report(DescriptionResult, run_describe(inputs, ColumnOptions(target=target, **values), reading))


def summarize(data: Any, **options: Unpack[SummaryKeywords]) -> "Summary":
    """Reduce rows to a summary, a few kilobytes that ``fit`` takes in their place. ``data`` as in ``fit``.

    >>> summarize("sales.csv").save("sales.summary.json")
    """
    from gdcli.data.columns import ColumnOptions
    from gdcli.ingest.summarize import run_summarize

    inputs, _ = inputs_of(data)
    values = _named(fields_of(options, SummaryKeywords, "summarize"))
    with in_python_words():
        reading = _reading(values)
        return run_summarize(inputs, ColumnOptions(target=None, **values, summary=True), reading)


def score(
    model: "Model | FitResult | GroupsResult | str | os.PathLike[str]", data: Any, **options: Unpack[ScoreKeywords]
) -> ScoreResult:
    """Measure how well a model (a path, a loaded one, or a fit, of groups too) predicts rows whose target is known."""
    from gdcli.base.listener import Listener
    from gdcli.data.csv.options import CSV_FIELDS, CsvOptions
    from gdcli.ingest.read import ReadOptions
    from gdcli.models.model import Model
    from gdcli.models.model_file import load_model
    from gdcli.models.score import score_files

    values = _named(fields_of(options, ScoreKeywords, "score"))
    with in_python_words():
        if isinstance(model, str | os.PathLike):
            name, loaded = os.fspath(model), load_model(model)
        else:
            name, loaded = "the model", model.model if isinstance(model, FitResult | GroupsResult) else model
        if not isinstance(loaded, Model):
            raise TypeError(f"score() takes a model's path, a loaded model or a fit, not {type(model).__name__}")
        inputs, _ = inputs_of(data, loaded.target)
        csv = CsvOptions.of({name: values.get(name) for name in CSV_FIELDS}, loaded.csv)
        reading = ReadOptions(csv, values.get("jobs"))
        found = score_files(loaded, name, inputs, values.get("weights"), reading, Listener())
    return with_report(ScoreResult, found)


def curve(
    polynomial: Sequence[float] | str, start: float = 10.0, rates: OneOrMore = (), iterations: int = 10
) -> CurveResult:
    """Walk down a polynomial: ``"x^2 - 3x"``, or its coefficients, the lowest power first, ``(0, -3, 1)``."""
    from gdcli.engine.polynomial_text import parse_polynomial
    from gdcli.fitting.curve import walk_down

    polynomial = checked("curve", "polynomial", polynomial, Sequence[float] | str)
    start = checked("curve", "start", start, float)
    rates = _several("curve", "rates", rates)
    iterations = checked("curve", "iterations", iterations, int)
    with in_python_words():
        polynomial = parse_polynomial(polynomial) if isinstance(polynomial, str) else polynomial
        return with_report(CurveResult, walk_down(tuple(polynomial), start, rates, iterations))


def _several(function: str, name: str, value: Any) -> tuple[float, ...]:
    """One number or several, as a tuple."""
    found = checked(function, name, value, OneOrMore)
    return found if isinstance(found, tuple) else (found,)


def _one_input(data: Any, target: str | None) -> Any:
    """The one input that data of any kind are. Raises TypeError for several."""
    inputs, _ = inputs_of(data, target)
    if len(inputs) != 1:
        raise TypeError(f"test= takes one file or table, not {len(inputs)}")
    return inputs[0]


def _reading(values: dict[str, Any]) -> Any:
    """How to read, taken out of the values."""
    from gdcli.data.csv.options import CSV_FIELDS, CsvOptions
    from gdcli.ingest.read import ReadOptions

    csv = CsvOptions.of({name: values.pop(name) for name in CSV_FIELDS if name in values})
    return ReadOptions(csv, values.pop("jobs", None), dask=values.pop("dask", None))


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with names of columns as texts: a frame may have numbers, or tuples, for names."""
    texts = ("features", "exclude", "categorical", "by")
    named = {name: tuple(map(str, value)) if name in texts else value for name, value in values.items()}
    return named | {name: str(named[name]) for name in ("weights", "event") if named.get(name) is not None}
