"""The fits of groups as columns of numbers: what they have in common, and the figures of those that descended alone."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gdcli import __version__
from gdcli.data.group_keys import Key
from gdcli.engine.arrays import Array
from gdcli.engine.column import Column
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.choices import RateRule
from gdcli.fitting.group_results import GroupFits, Verdict
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import Coefficient, Fit
from gdcli.fitting.terms import compared_with_baseline
from gdcli.ingest.grouped import Grouped
from gdcli.ingest.read import Dataset

# The figures of a group by the names of their columns, and where they are in its fit; None becomes NaN.
_FIGURES: Mapping[str, Callable[[Fit], float | None]] = {
    "intercepts": lambda fit: fit.intercept.value if fit.intercept else _through_zero(fit),
    "optimal_intercepts": lambda fit: fit.intercept.optimum if fit.intercept else _through_zero(fit),
    "cost": lambda fit: fit.cost,
    "gap": lambda fit: fit.optimum.gap,
    "r2": lambda fit: fit.r2,
    "optimal_cost": lambda fit: fit.optimum.cost,
    "gap_measure": lambda fit: fit.optimum.gap_measure,
    "rate": lambda fit: fit.learning_rate.given,
    "largest_stable": lambda fit: fit.learning_rate.largest_stable,
    "best": lambda fit: fit.learning_rate.best,
}


def group_fits(
    reading: Dataset,
    keys: Sequence[Key],
    terms: Sequence[Column],
    columns: Sequence[Column],
    references: Mapping[str, tuple[str, ...]],
    options: FitOptions,
    **figures: Any,
) -> GroupFits:
    """The fits of all groups: what they have in common, and their ``figures``.

    ``terms`` are those that a fit has, ``columns`` all levels of all groups; ``references`` may name columns that no
    fit has.
    """
    chosen = reading.design
    features = tuple(name for name in chosen.features if any(name == term.name for term in terms))
    levels = {name: tuple(c.level or "" for c in columns if c.name == name) for name in features if name in chosen.text}
    return GroupFits(
        version=__version__,
        files=reading.files,
        target=chosen.predicted,
        by=chosen.by,
        groups=tuple(keys),
        features=features,
        terms=tuple(terms),
        levels=levels,
        references={name: found for name, found in references.items() if name in levels},
        left_out=tuple(name for name in chosen.features if name not in features),
        intercept=options.model.intercept,
        rows=reading.reduced.rows,
        optimizer=options.descent.optimizer.word,
        schedule=options.descent.schedule.word,
        scale=options.model.scale,
        tolerance=options.descent.tolerance,
        automatic=options.descent.rate is RateRule.AUTO,
        missing_words=tuple(sorted(chosen.missing_words)),
        missing=chosen.missing,
        weights=chosen.weights,
        dates={name: spelling for name, spelling in chosen.dates.items() if name in chosen.columns},
        computed={name: one for name, one in chosen.computed.items() if name in (*features, chosen.target)},
        csv=options.csv.said,
        **figures,
    )


def group_fits_of(
    reading: Dataset,
    grouped: Grouped,
    keys: Sequence[Key],
    fits: Sequence[Fit | None],
    reasons: Mapping[int, str],
    columns: Sequence[Column],
    options: FitOptions,
    shown: Mapping[int, Fit],
) -> GroupFits:
    """The ``fits`` of all groups as one GroupFits, whose arrays have NaN for a group without a fit."""
    chosen, known = reading.design, [fit for fit in fits if fit is not None]
    used = {term for fit in known for term in fit.trace_terms}
    terms = tuple(column for column in columns if column.label in used)
    references = {}
    for name in compared_with_baseline(chosen, options.model.intercept):
        if found := [column.level or "" for column in columns if column.name == name]:
            references[name] = tuple(found[0] if f is None else f.reference_levels.get(name, found[0]) for f in fits)
    counts = np.array([[fold.count for fold in grouped.folds_of(key)] for key in keys], dtype=np.intp)
    return group_fits(
        reading,
        keys,
        terms,
        columns,
        references,
        options,
        **{name: _numbers(fits, figure) for name, figure in _FIGURES.items()},
        count=counts.sum(axis=1),
        asked=max(fit.descent.asked for fit in known),
        held=counts[:, 1:].sum(axis=1) if options.checks.holds_out else None,
        means=np.array([_means(fit, terms) for fit in fits]) if chosen.fills else None,
        slopes=_of_terms(fits, terms, lambda one: one.value),
        standardized=_of_terms(fits, terms, lambda one: one.standardized),
        optimal_slopes=_of_terms(fits, terms, lambda one: one.optimum),
        perfect=np.array([fit is not None and fit.optimum.relative_gap is None for fit in fits]),
        verdict=np.array([_verdict(fit, i in reasons) for i, fit in enumerate(fits)], dtype=object),
        stopped=np.array([fit and fit.descent.stopped for fit in fits], dtype=object),
        iterations=np.array([-1 if fit is None else fit.descent.iterations for fit in fits]),
        behaviour=np.array([fit and fit.learning_rate.behaviour for fit in fits], dtype=object),
        iterations_to_1_percent=np.array([_arrival(fit) for fit in fits]),
        fits=tuple(fits),
        reasons=dict(reasons),
        loss=known[0].loss,
        loss_word=options.model.loss.word,
        classes=known[0].classes,
        parameter=None if known[0].parameter is None else float(np.median([fit.parameter or 0.0 for fit in known])),
        shown=shown,
        every=options.show.every is not None,
    )


def _means(fit: Fit | None, terms: Sequence[Column]) -> list[float]:
    """The numbers that fill the missing cells of numeric terms, NaN without a fit."""
    return [math.nan if fit is None else fit.state.means.get(term.name, 0.0) for term in terms]


def _through_zero(fit: Fit) -> float | None:
    """The intercept of a fit without one."""
    return None if fit.diverged else 0.0


def _numbers(fits: Sequence[Fit | None], value: Callable[[Fit], float | None]) -> Array:
    """One number (g,) per fit, NaN if the fit has none."""
    found = (None if fit is None else value(fit) for fit in fits)
    return np.array([math.nan if one is None else one for one in found])


def _of_terms(
    fits: Sequence[Fit | None], terms: Sequence[Column], value: Callable[[Coefficient], float | None]
) -> Array:
    """One number (g, p) per fit and term: 0 for a term that a fit does not have, NaN if the number does not exist."""
    found = np.full((len(fits), len(terms)), np.nan)
    place = {term.label: j for j, term in enumerate(terms)}
    for i, fit in enumerate(fits):
        if fit is None:
            continue
        found[i] = math.nan if fit.diverged else 0.0
        for one in fit.coefficients:
            known = value(one)
            found[i, place[one.term]] = math.nan if known is None else known
    return found


def _verdict(fit: Fit | None, failed: bool) -> Verdict:
    if fit is None:
        return Verdict.NO_FIT if failed else Verdict.TOO_FEW_ROWS
    if fit.learning_rate.behaviour is Behaviour.UNSTABLE:
        return Verdict.UNSTABLE
    if fit.diverged:
        return Verdict.DIVERGED
    return Verdict.CONVERGED if fit.descent.converged else Verdict.NOT_CONVERGED


def _arrival(fit: Fit | None) -> int:
    found = None if fit is None else fit.learning_rate.iterations_to_1_percent
    return -1 if found is None else found
