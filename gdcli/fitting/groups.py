"""One fit per group of rows, all in the same single pass: source → design → triangles by group → a fit each.

Squared-error fits descend as one stack, where nothing else is asked of them. Otherwise each group is a dataset of its
own, and its fit is like any other: whatever a fit can do, it can do for groups.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import Protocol, TypeVar

import numpy as np

from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.base.names import count_of, listed, quoted
from gdcli.base.records import replace
from gdcli.data.group_keys import Key, in_order
from gdcli.engine.column import Column, gaps_among
from gdcli.engine.triangle import Triangle, fill, lanes_at
from gdcli.fitting.fit import Recorder, fit_reading
from gdcli.fitting.folds import lacking_rows
from gdcli.fitting.group_columns import group_fits_of
from gdcli.fitting.group_results import GroupFits, Verdict
from gdcli.fitting.options import FitOptions, Show
from gdcli.fitting.prepare import check_levels, check_sizes, levels_there
from gdcli.fitting.results import Fit
from gdcli.fitting.side_by_side import fit_side_by_side, side_by_side, too_few_rows
from gdcli.fitting.start import Start
from gdcli.fitting.target import target_of
from gdcli.fitting.terms import compared_with_baseline, has_compared_parts, tell_terms, terms_of
from gdcli.ingest.grouped import Grouped
from gdcli.ingest.kept_rows import rows_of_group
from gdcli.ingest.read import Dataset, check_rows

# Warnings about groups that are told; the rest is counted.
_MOST_TOLD = 3

_MOST_NAMED = 5

# Groups of which a report shows more than a line.
MOST_SHOWN = 12


class GroupRecorders(Protocol):
    """A source of recorders for the iterations of all groups."""

    def begin(self, by: Sequence[str], terms: Sequence[str], validation: bool) -> None:
        """Receive the names of the group columns and of the terms of all groups, and whether rows are held out."""
        ...

    def of_group(self, key: Key) -> Sequence[Recorder]:
        """The recorders of one group's iterations."""
        ...


def fit_groups(
    reading: Dataset,
    options: FitOptions,
    listener: Listener,
    recorders: GroupRecorders | None = None,
    starts: Mapping[Key, Start] = MappingProxyType({}),
    with_memory: bool = False,
) -> GroupFits:
    """The fits of all groups. Raises DataError and UsageError; a diverged group and one with too few rows are results.

    ``starts`` gives the start of groups that go on from an earlier fit. ``with_memory``: each fit has its optimizer's
    memory.
    """
    check_rows(reading)
    grouped = reading.reduced.grouped
    assert grouped is not None, "the rows were read by group"
    keys = list(grouped.place)
    keys = [keys[i] for i in in_order(keys)]
    _check_magnitudes(grouped.triangle, reading)
    if reading.test is not None:
        keys = _groups_fitted(reading, grouped, keys, listener)
    parts = has_compared_parts(reading.design, options.model.intercept)
    alone = parts or recorders is not None or bool(starts) or options.show.every is not None
    alone = alone or (with_memory and options.descent.optimizer.rule.memories > 0)
    if side_by_side(options) and not alone:
        lanes = lanes_at(grouped.triangle, [grouped.place[key] for key in keys])
        found, saturated = fit_side_by_side(reading, fill(lanes), keys, options, listener)
        if _shows(options):
            found = replace(found, shown=_shown(reading, grouped, found, options))
    else:
        found, saturated = _one_by_one(reading, grouped, keys, options, listener, recorders, starts)
    _tell_terms(reading, grouped, found.features, options, listener)
    if saturated:
        listener.warn(
            f"{saturated:,} of {count_of(len(keys), 'group')} have as many coefficients as rows: such fits say nothing "
            "about other rows. Fit fewer columns (-x), or more rows."
        )
    return found


def _tell_terms(
    reading: Dataset, grouped: Grouped, features: Collection[str], options: FitOptions, listener: Listener
) -> None:
    """Tell of the text columns among ``features``, which have a term in a group, and of the columns without any."""
    design, stack, intercept = reading.design, grouped.triangle, options.model.intercept
    there = stack.maximum.reshape(-1, grouped.folds, len(stack.columns)).max(axis=1) > 0
    compared = compared_with_baseline(design, intercept)
    levels: dict[str, list[str]] = {}
    references: dict[str, str | None] = {}
    for name in (name for name in design.features if name in design.text and name in features):
        places = [i for i, column in enumerate(stack.columns) if column.name == name]
        levels[name] = [stack.columns[i].level or "" for i in places]
        first = {*np.argmax(there[:, places], axis=1).tolist()}
        if name in compared:
            references[name] = levels[name][first.pop()] if len(first) == 1 else None
    whole = terms_of(_range_of(stack), design, intercept=True).left_out
    lacking = [name for name in design.features if name not in features]
    left_out = {name: whole.get(name, "it is the same in all rows of each group fitted") for name in lacking}
    tell_terms(design, levels, references, left_out, listener)


def _shows(options: FitOptions) -> bool:
    """Whether a report has more to show of a group than a line."""
    return options.show.picture or options.show.explain or options.show.every is not None


def _groups_fitted(reading: Dataset, grouped: Grouped, keys: Sequence[Key], listener: Listener) -> list[Key]:
    """The groups with rows to fit; those that only the file to test on has are told, as nothing predicts their rows."""
    stack = grouped.triangle
    held = np.arange(len(stack.count)) % grouped.folds > 0
    most = [stack.maximum[fold].max(axis=0, initial=-np.inf) for fold in (~held, held)]
    check_levels(reading, *(levels_there(stack.columns, maximum) for maximum in most))
    rows = {key: [fold.count for fold in grouped.folds_of(key)] for key in keys}
    lost = [key for key in keys if not rows[key][0] and rows[key][1]]
    if lost:
        untested = count_of(sum(rows[key][1] for key in lost), "row")
        listener.warn(
            f"{untested} of {quoted(reading.test or '')} test nothing, as no row fitted is of their group "
            f"({_named(reading.design.by, lost)})"
        )
    return [key for key in keys if key not in {*lost}]


def _check_magnitudes(stack: Triangle, reading: Dataset) -> None:
    """Refuse columns whose squares, or products with others, overflow."""
    largest = np.maximum(np.abs(stack.minimum), np.abs(stack.maximum))[stack.count > 0]
    largest = np.where(np.isfinite(largest), largest, 0.0).max(axis=0, initial=0.0)
    check_sizes(dict(zip(stack.columns, largest.tolist(), strict=True)), reading.design.source)


# --- one group after the other


class _GroupListener(Listener):
    """Keeps what the fits of groups have to say, to be told once."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._notes: Counter[str] = Counter()
        self._warnings: dict[str, list[Key]] = {}
        self.key: Key = ()
        self.asked: Callable[[], bool] = lambda: False

    def note(self, message: str) -> None:
        self._notes[message] += 1

    def warn(self, message: str) -> None:
        self._warnings.setdefault(message, []).append(self.key)

    def defer_interrupts(self) -> AbstractContextManager[Callable[[], bool]]:
        return nullcontext(self.asked)

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
    """The first few groups by their keys, and the number of all, for a message."""
    names = [" ".join(f"{name}={text}" for name, text in zip(by, key, strict=True)) for key in keys]
    return f"{count_of(len(keys), 'group')}: {listed(names, _MOST_NAMED)}"


def reading_of_group(reading: Dataset, grouped: Grouped, key: Key) -> Dataset:
    """A dataset with the rows of one group alone."""
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
    starts: Mapping[Key, Start],
) -> tuple[GroupFits, int]:
    """The fits of all groups, and the number of saturated ones."""
    options = _with_event(reading, grouped, options)
    shows, plain = _shows(options), Show(every=options.show.every)
    shown: dict[int, Fit] = {}
    collected = _GroupListener(listener)
    columns = _columns(reading, grouped)
    if recorders is not None:
        used = set().union(*(_terms(reading_of_group(reading, grouped, key), options) for key in keys))
        labels = [column.label for column in columns if column in used]
        recorders.begin(reading.design.by, labels, options.checks.holds_out)
    choosing = len(options.model.penalties) > 1 or bool(options.descent.candidates)
    fits: list[Fit | None] = []
    reasons: dict[int, str] = {}

    def fit_one(i: int, key: Key) -> Fit | None:
        own = reading_of_group(reading, grouped, key)
        if _too_few(own, options):
            return None
        listeners = () if recorders is None else recorders.of_group(key)
        checked = replace(options, show=replace(options.show, points=0) if len(shown) < MOST_SHOWN else plain)
        if options.checks.cv is not None and not choosing and (reason := lacking_rows(own)):
            reasons[i] = reason
            checked = replace(checked, checks=replace(options.checks, cv=None))
        if own.test is not None and not own.reduced.folds[1].count:
            reasons[i] = f"no row of {quoted(own.test)} is of this group"
            own = replace(own, reduced=replace(own.reduced, folds=own.reduced.folds[:1]), test=None)
            checked = replace(checked, checks=replace(options.checks, test=None, patience=None))
        start = starts.get(key)
        fit = fit_reading(own, _going_on(checked, start), listeners, collected, start)
        if shows and len(shown) < MOST_SHOWN:
            shown[i] = fit
        return fit

    # A request to stop waits for the end of an iteration, or of a group, so that what is done by then is a result.
    with listener.defer_interrupts() as collected.asked:
        for i, collected.key in enumerate(keys):
            try:
                fits.append(fit_one(i, collected.key))
            except DataError as error:
                if starts:
                    raise DataError(f"{_named(reading.design.by, [collected.key])}: {error}") from None
                reasons[i] = str(error)
                fits.append(None)
            listener.descending(i + 1, len(keys), "group")
            if collected.asked():
                break
    left, keys = len(keys) - len(fits), keys[: len(fits)]
    known = [fit for fit in fits if fit is not None]
    if not known:
        if reasons:
            raise DataError(f"no group could be fitted: {_named(reading.design.by, [keys[i] for i in reasons])}: "
                            f"{next(iter(reasons.values()))}")  # fmt: skip
        raise too_few_rows(reading, max(sum(fold.count for fold in grouped.folds_of(key)) for key in keys))
    collected.tell(reading.design.by, len(known))
    found = group_fits_of(reading, grouped, keys, fits, reasons, columns, options, shown)
    return replace(found, left=left), 0  # each saturated fit has been told of


def _going_on(options: FitOptions, start: Start | None) -> FitOptions:
    """The options with the rate of an earlier descent, unless one is given or searched."""
    if start is None or options.descent.learning_rate is not None:
        return options
    return replace(options, descent=replace(options.descent, learning_rate=start.rate))


def _shown(reading: Dataset, grouped: Grouped, found: GroupFits, options: FitOptions) -> dict[int, Fit]:
    """The first fits once more, each by itself, with what a report shows of them."""
    some = [i for i, verdict in enumerate(found.verdict) if verdict is not Verdict.TOO_FEW_ROWS][:MOST_SHOWN]
    options = replace(options, show=replace(options.show, points=0))
    readings = {i: reading_of_group(reading, grouped, found.groups[i]) for i in some}
    return {i: fit_reading(own, options, (), Listener()) for i, own in readings.items()}


class _OfGroup(Protocol):
    """A result for a group: the features with a term, and whether a request to stop ended it."""

    @property
    def features(self) -> tuple[str, ...]: ...

    @property
    def interrupted(self) -> bool: ...


T = TypeVar("T", bound=_OfGroup)


def each_group(
    reading: Dataset,
    options: FitOptions,
    listener: Listener,
    work: Callable[[Dataset, FitOptions, Listener], T],
) -> tuple[tuple[Key, ...], tuple[T | None, ...], dict[int, str]]:
    """The keys of all groups in order, the results of ``work`` for each, and by index the reasons why one has none."""
    check_rows(reading)
    grouped = reading.reduced.grouped
    assert grouped is not None, "the rows were read by group"
    keys = list(grouped.place)
    keys = [keys[i] for i in in_order(keys)]
    options, collected = _with_event(reading, grouped, options), _GroupListener(listener)
    found: list[T | None] = []
    reasons: dict[int, str] = {}
    for i, key in enumerate(keys):
        collected.key = key
        try:
            found.append(work(reading_of_group(reading, grouped, key), options, collected))
        except DataError as error:
            reasons[i] = str(error)
            found.append(None)
        listener.descending(i + 1, len(keys), "group")
        last = found[-1]
        if last is not None and last.interrupted:
            break
    keys = keys[: len(found)]
    collected.tell(reading.design.by, len(keys) - len(reasons))
    if len(reasons) == len(keys):
        raise DataError(f"nothing can be done with any of {count_of(len(keys), 'group')}: {reasons[0]}")
    _tell_terms(reading, grouped, {name for one in found if one for name in one.features}, options, listener)
    return tuple(keys), tuple(found), reasons


def _with_event(reading: Dataset, grouped: Grouped, options: FitOptions) -> FitOptions:
    """The options with one event for all groups: the classes are those of all rows."""
    if not options.model.loss.classes:
        return options
    stack = grouped.triangle
    whole = replace(reading.reduced, folds=(_range_of(stack),))
    classes = target_of(replace(reading, reduced=whole), options).classes
    assert classes is not None
    return replace(options, model=replace(options.model, event=classes[1]))


def _range_of(stack: Triangle) -> Triangle:
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
    whole = own.fitted
    if whole.count < 2 or any(options.model.penalties):
        return bool(whole.count < 2)
    return bool(whole.count < len(_terms(own, options)) + int(options.model.intercept))


def _terms(own: Dataset, options: FitOptions) -> tuple[Column, ...]:
    """The terms of one group; none if it has no row, or nothing to fit."""
    try:
        return terms_of(own.fitted, own.design, options.model.intercept).columns
    except DataError:
        return ()


def _columns(reading: Dataset, grouped: Grouped) -> tuple[Column, ...]:
    """The columns that are a term of at least one group, in the file's order."""
    order = {name: i for i, name in enumerate(reading.design.features)}
    gaps = {indicator for _, indicator in gaps_among(grouped.triangle.columns)}
    found = [c for i, c in enumerate(grouped.triangle.columns) if i not in gaps and c.name in order]
    return tuple(sorted(found, key=lambda column: order[column.name]))
