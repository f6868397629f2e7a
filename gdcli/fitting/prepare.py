"""The problem of all rows that were read, with its checks, notes and warnings."""

from collections.abc import Mapping, Sequence

import numpy as np

from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.base.names import count_of, listed, quoted, shell_word
from gdcli.engine.arrays import Array
from gdcli.engine.column import Column
from gdcli.fitting.options import FitOptions
from gdcli.fitting.problem import Problem, build_problem
from gdcli.fitting.target import target_of
from gdcli.fitting.terms import tell_terms, terms_of
from gdcli.ingest.read import Dataset, check_rows
from gdcli.ingest.sizes import size_fault

# Unknown texts that an error names.
_MOST_LEVELS = 5


def _check_rows(reading: Dataset) -> None:
    check_rows(reading)
    count = reading.fitted.count
    if count < 2:
        name = quoted(reading.design.source) if len(reading.files) == 1 else f"{len(reading.files)} files"
        weights = " with a weight above 0" if reading.design.weights else ""
        rows = "usable row" if count == 1 else "usable rows"
        raise DataError(f"{name} has {count} {rows}{weights}: a fit needs at least 2")


def _check_magnitudes(reading: Dataset) -> None:
    """Refuse columns whose squares, or products with others, overflow."""
    largest: dict[Column, float] = {}
    for fold in reading.reduced.folds:
        sizes = np.where(fold.known, np.maximum(np.abs(fold.minimum), np.abs(fold.maximum)), 0.0)
        for column, size in zip(fold.columns, sizes.tolist(), strict=True):
            largest[column] = max(largest.get(column, 0.0), size)
    check_sizes(largest, reading.design.source)


def check_sizes(largest: Mapping[Column, float], source: str) -> None:
    """Raise DataError for a column whose ``largest`` value is too large or too small to be squared."""
    for column, size in largest.items():
        if fault := size_fault(column.name, size):
            raise DataError(f"{quoted(source)}: {fault}")


def levels_there(columns: Sequence[Column], maximum: Array) -> set[Column]:
    """The indicators among ``columns`` that are 1 in a row, by the maximum (q,) of each column."""
    return {column for column, most in zip(columns, maximum.tolist(), strict=True) if most > 0}


def check_levels(reading: Dataset, fitted: set[Column], held: set[Column]) -> None:
    """Refuse levels that only the file to test on has: they have no coefficient, so there is no error to measure."""
    test = reading.test or ""
    for name in sorted(reading.design.text):
        new = sorted(column.level or "" for column in held - fitted if column.name == name)
        if new:
            unknown = listed(map(quoted, new), _MOST_LEVELS)
            raise DataError(
                f"{quoted(test)}: no row fitted has {unknown} in {quoted(name)}, so there is nothing to predict "
                f"such rows with: leave them out, or the column with --exclude {shell_word(name)}"
            )


def prepare(reading: Dataset, options: FitOptions, listener: Listener) -> Problem:
    """The problem of all rows that were read; its notes and warnings go to the listener.

    Raises DataError if there is nothing to fit.
    """
    _check_rows(reading)
    _check_magnitudes(reading)
    if reading.test is not None and not reading.design.by:
        check_levels(reading, *(levels_there(fold.columns, fold.maximum) for fold in reading.reduced.folds))
    chosen, whole = reading.design, reading.fitted
    terms = terms_of(whole, chosen, options.model.intercept)
    target = target_of(reading, options)
    fitted = reading.reduced.folds[0] if options.checks.holds_out else whole
    if fitted.count < 2:
        raise DataError(f"--holdout {options.checks.holdout:g} leaves {fitted.count} of {whole.count} rows to fit")
    problem = build_problem(fitted, target.column, terms, options)
    if options.model.loss.needs_rows:
        from gdcli.fitting.row_problem import over_rows

        problem = over_rows(problem, reading, target, options, listener)
    if not chosen.by:  # of groups one note tells it of all
        tell_terms(chosen, terms.levels, terms.references, terms.left_out, listener)
    if chosen.computed:
        from gdcli.fitting.near_powers import note_of_powers

        if told := note_of_powers(problem.triangle, chosen):
            listener.note(told)
    if not terms.columns:
        listener.note("no feature is left: fitting the intercept only")
    if problem.saturated:
        coefficients = len(problem.labels) + int(options.model.intercept)
        listener.warn(
            f"{count_of(coefficients, 'coefficient')} for {count_of(problem.triangle.count, 'row')}: such a fit says "
            "nothing about other rows. Fit fewer columns (-x), more rows, or with a penalty (--l2 0.01)."
        )
    for group in problem.collinear:
        how = "sharing as the penalty says" if options.model.penalty else "fitted with the smallest coefficients"
        listener.note(
            f"collinear columns, {how}: {listed(group)} "
            "(what they explain together is determined, each one's share is not)"
        )
    return problem
