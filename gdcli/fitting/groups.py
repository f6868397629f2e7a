"""One fit per group of rows, all in the same single pass: source → design → triangles by group → a fit each.

Squared-error fits descend as one stack, where nothing else is asked of them. Otherwise each group is a dataset of its
own, and its fit is like any other: whatever a fit can do, it can do for groups.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from gdcli import __version__
from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.base.names import count_of, listed, quoted
from gdcli.data.group_keys import Key, in_order
from gdcli.engine.arrays import Array
from gdcli.engine.column import Column, gaps_among
from gdcli.engine.descent import Stopped
from gdcli.engine.spectrum import Behaviour
from gdcli.engine.triangle import Triangle
from gdcli.engine.triangles import Triangles, fill_lanes, take_lanes
from gdcli.fitting.choices import RateRule
from gdcli.fitting.fit import Recorder, fit_reading
from gdcli.fitting.group_results import GroupFits, Verdict
from gdcli.fitting.options import FitOptions
from gdcli.fitting.prepare import LARGEST
from gdcli.fitting.results import Coefficient, Fit
from gdcli.fitting.side_by_side import fit_side_by_side, side_by_side
from gdcli.fitting.start import Start
from gdcli.fitting.target import target_of
from gdcli.fitting.terms import compared_with_baseline, has_compared_parts, note_of_categories, terms_of
from gdcli.ingest.grouped import Grouped
from gdcli.ingest.kept_rows import rows_of_group
from gdcli.ingest.read import Dataset, check_rows

# Warnings about groups that are told; the rest is counted.
_MOST_TOLD = 3

_MOST_NAMED = 5


class GroupRecorders(Protocol):
    """Takes the iterations of all groups."""

    def begin(self, by: Sequence[str], terms: Sequence[str]) -> None:
        """Take the columns of the groups, and the terms that some group has."""
        ...

    def of_group(self, key: Key) -> Sequence[Recorder]:
        """The recorders of one group's iterations."""
        ...


def fit_groups(
    reading: Dataset,
    options: FitOptions,
    listener: Listener,
    recorders: GroupRecorders | None = None,
    resume: "Mapping[Key, Start] | None" = None,
) -> GroupFits:
    """Fit each group. Raises DataError, UsageError; divergence is a result, and so are too few rows."""
    check_rows(reading)
    grouped = reading.reduced.grouped
    assert grouped is not None, "the rows were read by group"
    keys = list(grouped.place)
    keys = [keys[i] for i in in_order(keys)]
    _check_magnitudes(grouped.triangles, reading)
    parts = has_compared_parts(reading.design, options.model.intercept)
    if side_by_side(options) and not parts and recorders is None and resume is None:
        stack = fill_lanes(take_lanes(grouped.triangles, [grouped.place[key] for key in keys]))
        found, saturated = fit_side_by_side(reading, stack, keys, options)
    else:
        found, saturated = _one_by_one(reading, grouped, keys, options, listener, recorders, resume or {})
    own = {name: first[0] if len({*first}) == 1 else None for name, first in found.references.items()}
    if told := note_of_categories(reading.design, found.levels, own):
        listener.note(told)
    if saturated:
        listener.warn(
            f"{saturated:,} of {count_of(len(keys), 'group')} have as many coefficients as rows: such fits say nothing "
            "about other rows. Fit fewer columns (-x), or more rows."
        )
    return found


def _check_magnitudes(stack: Triangles, reading: Dataset) -> None:
    """Refuse columns whose squares, or products with others, overflow."""
    largest = np.maximum(np.abs(stack.minimum), np.abs(stack.maximum))[stack.count > 0]
    largest = np.where(np.isfinite(largest), largest, 0.0).max(axis=0, initial=0.0)
    for column, size in zip(stack.columns, largest.tolist(), strict=True):
        if size > LARGEST or 0 < size < 1 / LARGEST:
            extreme = "large" if size > LARGEST else "small"
            raise DataError(
                f"{quoted(reading.design.source)}: the values of {quoted(column.name)} are too {extreme} to compute "
                f"with (up to {size:g}); give them in another unit"
            )


# --- one group after the other


class _GroupListener(Listener):
    """Keeps what the fits of groups have to say, to be told once."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._notes: Counter[str] = Counter()
        self._warnings: dict[str, list[Key]] = {}
        self.key: Key = ()

    def note(self, message: str) -> None:
        self._notes[message] += 1

    def warn(self, message: str) -> None:
        self._warnings.setdefault(message, []).append(self.key)

    def defer_interrupts(self) -> AbstractContextManager[Any]:
        return self._listener.defer_interrupts()

    def tell(self, by: Sequence[str], fitted: int) -> None:
        """Tell the notes that all fits share, and the warnings with their groups."""
        for message, count in self._notes.items():
            if count == fitted:
                self._listener.note(message)
        for message, keys in list(self._warnings.items())[:_MOST_TOLD]:
            self._listener.warn(f"{message} ({_named(by, keys)})")
        if len(self._warnings) > _MOST_TOLD:
            more = count_of(len(self._warnings) - _MOST_TOLD, "warning")
            self._listener.warn(f"and {more} more about other groups")


def _named(by: Sequence[str], keys: Sequence[Key]) -> str:
    """Some groups by their texts, and how many they are."""
    names = [" ".join(f"{name}={text}" for name, text in zip(by, key, strict=True)) for key in keys]
    return f"{count_of(len(keys), 'group')}: {listed(names, _MOST_NAMED)}"


def reading_of_group(reading: Dataset, grouped: Grouped, key: Key) -> Dataset:
    """The rows of one group as a dataset of its own."""
    folds = grouped.folds_of(key)
    count = sum(fold.count for fold in folds)
    reduced = replace(
        reading.reduced,
        folds=folds,
        grouped=None,
        read=count,
        complete=count,
        missing={},
        head=None,
        points=None,
        groups=tuple(rows_of_group(rows, key) for rows in reading.reduced.groups),
    )
    return replace(reading, reduced=reduced)


def _one_by_one(
    reading: Dataset,
    grouped: Grouped,
    keys: Sequence[Key],
    options: FitOptions,
    listener: Listener,
    recorders: GroupRecorders | None,
    resume: "Mapping[Key, Start]",
) -> tuple[GroupFits, int]:
    """The fits of all groups, and the number of saturated ones."""
    options = _with_event(reading, grouped, options)
    collected = _GroupListener(listener)
    columns = _columns(reading, grouped)
    if recorders is not None:
        used = set().union(*(_terms(reading_of_group(reading, grouped, key), options) for key in keys))
        recorders.begin(reading.design.by, [column.label for column in columns if column in used])
    fits: list[Fit | None] = []
    reasons: dict[int, str] = {}
    few: set[int] = set()
    for i, key in enumerate(keys):
        own = reading_of_group(reading, grouped, key)
        collected.key = key
        try:
            if _too_few(own, options):
                few.add(i)
                fits.append(None)
                continue
            listeners = () if recorders is None else recorders.of_group(key)
            fits.append(fit_reading(own, options, listeners, collected, resume.get(key)))
        except DataError as error:
            reasons[i] = str(error)
            fits.append(None)
        listener.descending(i + 1, len(keys))
        last = fits[-1]
        if last is not None and last.descent.stopped is Stopped.INTERRUPTED:
            raise KeyboardInterrupt
    known = [fit for fit in fits if fit is not None]
    if not known:
        if reasons:
            raise DataError(f"no group could be fitted: {_named(reading.design.by, [keys[i] for i in reasons])}: "
                            f"{next(iter(reasons.values()))}")  # fmt: skip
        largest = max(sum(fold.count for fold in grouped.folds_of(key)) for key in keys)
        raise DataError(
            f"{quoted(reading.design.source)}: each of {count_of(len(keys), 'group')} has too few rows: "
            f"the largest has {largest} and needs one for each coefficient, 2 at least"
        )
    collected.tell(reading.design.by, len(known))
    found = _together(reading, grouped, keys, fits, reasons, columns, options)
    return found, sum(fit.saturated for fit in known)


def _with_event(reading: Dataset, grouped: Grouped, options: FitOptions) -> FitOptions:
    """The options with one event for all groups: the classes are those of all rows."""
    if not options.model.loss.classes:
        return options
    stack = grouped.triangles
    whole = replace(reading.reduced, folds=(_range_of(stack),))
    classes = target_of(replace(reading, reduced=whole), options).classes
    assert classes is not None
    return replace(options, model=replace(options.model, event=classes[1]))


def _range_of(stack: Triangles) -> Triangle:
    """The minimum and the maximum of all rows, as far as a triangle says them; it has nothing else."""
    some = stack.count > 0
    return Triangle(
        stack.columns,
        np.zeros((1, len(stack.columns) + 1), dtype=np.longdouble),
        np.zeros(len(stack.columns)),
        float(stack.weight.sum()),
        int(stack.count.sum()),
        stack.minimum[some].min(axis=0),
        stack.maximum[some].max(axis=0),
    )


def _too_few(own: Dataset, options: FitOptions) -> bool:
    """Whether a group lacks a row for each coefficient, or the second one; a penalty determines any number of them."""
    whole = own.reduced.triangle
    if whole.count < 2 or any(options.model.penalties):
        return whole.count < 2
    return whole.count < len(_terms(own, options)) + int(options.model.intercept)


def _terms(own: Dataset, options: FitOptions) -> tuple[Column, ...]:
    """The terms of one group; none if it has no row, or nothing to fit."""
    try:
        return terms_of(own.reduced.triangle, own.design, options.model.intercept).columns
    except DataError:
        return ()


def _columns(reading: Dataset, grouped: Grouped) -> tuple[Column, ...]:
    """All columns that may be terms of some group, in the file's order."""
    order = {name: i for i, name in enumerate(reading.design.features)}
    gaps = {indicator for _, indicator in gaps_among(grouped.triangles.columns)}
    found = [c for i, c in enumerate(grouped.triangles.columns) if i not in gaps and c.name in order]
    return tuple(sorted(found, key=lambda column: order[column.name]))


def _together(
    reading: Dataset,
    grouped: Grouped,
    keys: Sequence[Key],
    fits: Sequence[Fit | None],
    reasons: Mapping[int, str],
    columns: Sequence[Column],
    options: FitOptions,
) -> GroupFits:
    """The fits of all groups as columns of numbers."""
    chosen, known = reading.design, [fit for fit in fits if fit is not None]
    used = {term for fit in known for term in fit.trace_terms}
    terms = tuple(column for column in columns if column.label in used)
    features = tuple(name for name in chosen.features if any(name == term.name for term in terms))
    levels = {name: tuple(c.level or "" for c in columns if c.name == name) for name in features if name in chosen.text}
    compared = [name for name in compared_with_baseline(chosen, options.model.intercept) if name in levels]
    first = known[0]
    return GroupFits(
        version=__version__,
        files=reading.files,
        target=chosen.predicted,
        by=chosen.by,
        groups=tuple(keys),
        features=features,
        terms=terms,
        levels=levels,
        references={name: tuple(_reference(name, fit, levels) for fit in fits) for name in compared},
        left_out=tuple(name for name in chosen.features if name not in features),
        intercept=options.model.intercept,
        rows=reading.reduced.rows,
        count=np.array([sum(fold.count for fold in grouped.folds_of(key)) for key in keys], dtype=np.intp),
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
        means=np.array([_means(fit, terms) for fit in fits]) if chosen.fills else None,
        slopes=_of_terms(fits, terms, lambda one: one.value),
        standardized=_of_terms(fits, terms, lambda one: one.standardized),
        optimal_slopes=_of_terms(fits, terms, lambda one: one.optimum),
        intercepts=_numbers(fits, lambda fit: fit.intercept.value if fit.intercept else _through_zero(fit)),
        optimal_intercepts=_numbers(fits, lambda fit: fit.intercept.optimum if fit.intercept else _through_zero(fit)),
        cost=_numbers(fits, lambda fit: fit.cost),
        gap=_numbers(fits, lambda fit: fit.optimum.gap),
        r2=_numbers(fits, lambda fit: fit.r2),
        optimal_cost=_numbers(fits, lambda fit: fit.optimum.cost),
        gap_measure=_numbers(fits, lambda fit: fit.optimum.gap_measure),
        perfect=np.array([fit is not None and fit.optimum.relative_gap is None for fit in fits]),
        verdict=np.array([_verdict(fit, i in reasons) for i, fit in enumerate(fits)], dtype=object),
        stopped=np.array([fit and fit.descent.stopped for fit in fits], dtype=object),
        iterations=np.array([-1 if fit is None else fit.descent.iterations for fit in fits]),
        rate=_numbers(fits, lambda fit: fit.learning_rate.given),
        behaviour=np.array([fit and fit.learning_rate.behaviour for fit in fits], dtype=object),
        largest_stable=_numbers(fits, lambda fit: fit.learning_rate.largest_stable),
        best=_numbers(fits, lambda fit: fit.learning_rate.best),
        iterations_to_1_percent=np.array([_arrival(fit) for fit in fits]),
        fits=tuple(fits),
        reasons=dict(reasons),
        loss=first.loss,
        classes=first.classes,
        parameter=None if first.parameter is None else float(np.median([fit.parameter or 0.0 for fit in known])),
    )


def _reference(name: str, fit: Fit | None, levels: Mapping[str, Sequence[str]]) -> str:
    """A group's reference level; one that has a single level only has none but that."""
    return levels[name][0] if fit is None else fit.reference_levels.get(name, levels[name][0])


def _means(fit: Fit | None, terms: Sequence[Column]) -> list[float]:
    """The numbers that fill the missing cells of numeric terms, NaN without a fit."""
    return [math.nan if fit is None else fit.state.means.get(term.name, 0.0) for term in terms]


def _through_zero(fit: Fit) -> float | None:
    """The intercept of a fit without one."""
    return None if fit.diverged else 0.0


def _numbers(fits: Sequence[Fit | None], value: Callable[[Fit], float | None]) -> Array:
    """A number of each fit, NaN where it does not exist."""
    found = (None if fit is None else value(fit) for fit in fits)
    return np.array([math.nan if one is None else one for one in found])


def _of_terms(
    fits: Sequence[Fit | None], terms: Sequence[Column], value: Callable[[Coefficient], float | None]
) -> Array:
    """A number of each term of each fit (g, p): 0 for a term that a fit does not have, NaN where it does not exist."""
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
