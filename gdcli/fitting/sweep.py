"""Several learning rates at once: one pass over the data, then all descents as one stack."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from gdcli import __version__
from gdcli.base.listener import Listener
from gdcli.base.records import record, replace
from gdcli.data.group_keys import Key
from gdcli.engine.arrays import Array, NDArray
from gdcli.engine.catalog import SQUARED
from gdcli.engine.descent import DIVERGENCE_FACTOR, after, descend
from gdcli.engine.forecast import Forecast
from gdcli.engine.optimizers import PLAIN_DESCENT
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.folds import lacking_rows
from gdcli.fitting.groups import each_group
from gdcli.fitting.lanes import Candidate, cross_validate
from gdcli.fitting.learning_rate import forecast_of
from gdcli.fitting.lesson import Lesson, lesson_of
from gdcli.fitting.options import FitOptions
from gdcli.fitting.prepare import prepare
from gdcli.fitting.problem import PERFECT, Problem, converged
from gdcli.fitting.results import Optimum
from gdcli.fitting.trace import thinned
from gdcli.ingest.counts import RowCounts
from gdcli.ingest.noted import read_noted
from gdcli.ingest.read import Dataset, InputData

# The rates that are shown unless some are given, as shares of the largest stable one: from far too careful to too
# large. Half of it, 1/λmax, is the largest that does not overshoot. The best rate joins them.
SWEEP_SHARES = (0.01, 0.05, 0.2, 0.5, 0.95, 1.05)

# Of an optimizer whose stable rates are not known: its default rate, and what is up to a hundred times off.
_UNKNOWN_SHARES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)

_SHOWN_DIGITS = 3

_PROGRESS_STEP = 1024


@record
class SweepRate:
    """One rate's descent. ``costs`` are pairs (iteration, cost) on a thinned grid, up to divergence.

    ``cost`` and ``gap`` after the last iteration are None if it diverged, at iteration ``diverged_at``. ``behaviour``
    is None if it cannot be forecast; ``iterations_to_1_percent`` is then the number that the descent took.
    ``validation`` is the mean cost of a cross-validation at the last iteration, ``validation_error`` its standard
    error.
    """

    learning_rate: float
    behaviour: Behaviour | None
    best: bool
    cost: float | None
    gap: float | None
    relative_gap: float | None
    converged: bool
    iterations_to_1_percent: int | None
    diverged_at: int | None
    costs: tuple[tuple[int, float], ...]
    validation: float | None = None
    validation_error: float | None = None


@record
class Sweep:
    """The descents of several learning rates on the same data. ``gap_measure`` as in :class:`Optimum`.

    ``best`` is the best of all rates and ``largest_stable`` the largest stable one; each is None if it is not known
    before the descent. ``bound``: the largest stable rate is a bound, below which every rate is stable. ``folds`` is
    the number of folds of a cross-validation. ``lesson`` stands for all rows if a picture was asked for.
    """

    version: str
    files: tuple[str, ...]
    target: str
    features: tuple[str, ...]
    scale: str
    rows: RowCounts
    optimum: Optimum
    iterations: int
    interrupted: bool
    largest_stable: float | None
    best: float | None
    best_iterations: int | None
    condition_number: float | None
    rates: tuple[SweepRate, ...]
    optimizer: str = PLAIN_DESCENT
    loss: str = SQUARED
    bound: bool = False
    folds: int | None = None
    lesson: Lesson | None = None


@record
class GroupSweeps:
    """A sweep for each group of the columns ``by``; None if it failed, for a reason in ``reasons`` by index."""

    by: tuple[str, ...]
    groups: tuple[Key, ...]
    sweeps: tuple[Sweep | None, ...]
    reasons: Mapping[int, str]


def run_sweep(
    data: Sequence[InputData], options: FitOptions, rates: Sequence[float], listener: Listener | None = None
) -> Sweep:
    """The sweep of data read once: a descent with each of ``rates``, or with instructive ones if ``rates`` is empty."""
    listener = listener or Listener()
    with (
        read_noted(data, options.columns, options.reading, listener) as reading,
        np.errstate(over="ignore", invalid="ignore"),
    ):
        return sweep_reading(reading, options, rates, listener)


def run_group_sweeps(
    data: Sequence[InputData], options: FitOptions, rates: Sequence[float], listener: Listener
) -> GroupSweeps:
    """The sweep of each group, from data read once."""
    with (
        read_noted(data, options.columns, options.reading, listener) as reading,
        np.errstate(over="ignore", invalid="ignore"),
    ):
        keys, found, reasons = each_group(
            reading, options, listener, lambda own, chosen, told: sweep_reading(own, chosen, rates, told)
        )
        return GroupSweeps(reading.design.by, keys, found, reasons)


def sweep_reading(reading: Dataset, options: FitOptions, rates: Sequence[float], listener: Listener) -> Sweep:
    """The sweep of a dataset that was read already."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _sweep(reading, options, rates, listener)


def _sweep(reading: Dataset, options: FitOptions, rates: Sequence[float], listener: Listener) -> Sweep:
    problem = prepare(reading, options, listener)
    forecast = forecast_of(problem, options)
    best, best_iterations = forecast.best_rate(problem.within)
    chosen = sorted(set(rates)) or _default_rates(forecast.largest_stable, best, options)
    path = _descend(problem, np.array(chosen), options, listener)
    found = _rates(problem, forecast, path, chosen)
    nearest = min(range(len(chosen)), key=lambda i: _slowness(found[i]))
    # Where every rate is unstable none of them gets there, so none is the best.
    marked = tuple(
        replace(rate, best=i == nearest and rate.behaviour is not Behaviour.UNSTABLE and rate.diverged_at is None)
        for i, rate in enumerate(found)
    )
    if options.checks.cv is not None and not path.interrupted and _has_folds(reading, listener):
        marked = _validated(reading, problem, marked, options, listener)
    lowest = problem.minimum
    return Sweep(
        version=__version__,
        files=reading.files,
        target=reading.design.predicted,
        features=tuple(name for name in reading.design.features if name not in problem.terms.left_out),
        scale=options.model.scale,
        rows=reading.reduced.rows,
        optimum=Optimum(None if lowest is None else lowest.cost, None, None, problem.gap_measure),
        iterations=path.iterations[-1],
        interrupted=path.interrupted,
        largest_stable=forecast.largest_stable,
        best=best,
        best_iterations=best_iterations,
        condition_number=None if problem.needs_rows else problem.spectrum.condition_number,
        rates=marked,
        optimizer=options.descent.optimizer.word,
        loss=problem.loss,
        bound=problem.needs_rows and forecast.largest_stable is not None,
        folds=options.checks.cv,
        lesson=_lesson(problem, reading, options) if options.show.picture and not problem.needs_rows else None,
    )


def _lesson(problem: Problem, reading: Dataset, options: FitOptions) -> Lesson:
    from gdcli.fitting.picture import sample_points

    single = len(problem.terms.columns) == 1
    points = sample_points(problem, reading.design, reading.reduced.points, options) if single else None
    return lesson_of(problem, points)


def _has_folds(reading: Dataset, listener: Listener) -> bool:
    """Whether the rows can be cross-validated; a group of rows that cannot is swept all the same, with a warning."""
    lacking = lacking_rows(reading) if reading.design.by else None
    if lacking:
        listener.warn(f"no validation: {lacking}")
    return not lacking


def _validated(
    reading: Dataset, problem: Problem, rates: Sequence[SweepRate], options: FitOptions, listener: Listener
) -> tuple[SweepRate, ...]:
    """The rates with their validation costs; one that diverges has none."""
    stable = [i for i, one in enumerate(rates) if one.diverged_at is None and one.behaviour is not Behaviour.UNSTABLE]
    candidates = [Candidate(rates[i].learning_rate, problem.penalty) for i in stable]
    found = list(rates)
    for i, one in zip(stable, cross_validate(reading, problem, candidates, options, listener), strict=True):
        found[i] = replace(rates[i], validation=one.mean, validation_error=one.standard_error)
    return tuple(found)


def _default_rates(largest_stable: float | None, best: float | None, options: FitOptions) -> list[float]:
    """The rates of a sweep for which none are given."""
    if largest_stable is not None:
        return sweep_rates(largest_stable, best)
    return [_rounded(share * options.descent.optimizer.rule.default_rate) for share in _UNKNOWN_SHARES]


def sweep_rates(largest_stable: float, best: float | None) -> list[float]:
    """Six rates around the largest stable one, in order, and ``best`` unless it is None.

    The best one replaces a rate that reads the same when rounded.
    """
    rates = {rate: rate for rate in (_rounded(share * largest_stable) for share in SWEEP_SHARES)}
    return sorted((rates | ({} if best is None else {_rounded(best): best})).values())


def _rounded(rate: float) -> float:
    return float(f"{rate:.{_SHOWN_DIGITS}g}")


@record(eq=False)
class _Path:
    """The stack's way: costs (k, rates) at some iterations, the last θ (rates, p), where each rate diverged, and from
    where on it was within 1 %: a rate that swings out again is not there.
    """

    iterations: list[int]
    costs: Array
    theta: Array
    diverged_at: list[int | None]
    within_at: list[int | None]
    interrupted: bool


def _descend(problem: Problem, rates: Array, options: FitOptions, listener: Listener) -> _Path:
    keep = set(thinned(options.descent.iterations))
    smallest = PERFECT * problem.mean_square / problem.cost_scale
    diverged, within = np.full(len(rates), -1), np.full(len(rates), -1)
    steps = descend(
        problem.objective,
        options.descent.optimizer.on(problem.newton_direction, options.model.intercept),
        options.descent.rates(rates[:, np.newaxis]),
        np.tile(problem.start, (len(rates), 1)),
        (after(options.descent.iterations),),
        proximal=problem.penalty.proximal,
        # One that has diverged stays where it is: rows are not looked at again for it.
        search=lambda step, rate: np.where(diverged[:, np.newaxis] < 0, rate, 0.0),
    )
    near = -math.inf if problem.minimum is None else problem.minimum.cost / problem.cost_scale + problem.within
    iterations: list[int] = []
    costs: list[Array] = []
    limit = math.inf
    interrupted = False
    last = None
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            for last in steps:
                if last.iteration == 0:
                    limit = DIVERGENCE_FACTOR * max(float(last.cost[0]), smallest)
                lost = ~(last.cost <= limit)
                if lost.any():
                    diverged[lost & (diverged < 0)] = last.iteration
                within = np.where(last.cost <= near, np.where(within < 0, last.iteration, within), -1)
                if last.iteration in keep:
                    iterations.append(last.iteration)
                    costs.append(last.cost)
                if last.iteration % _PROGRESS_STEP == 0:
                    listener.descending(last.iteration, options.descent.iterations)
    except KeyboardInterrupt:
        interrupted = True
        if last is None:
            raise
    assert last is not None
    if iterations[-1] != last.iteration:
        iterations.append(last.iteration)
        costs.append(last.cost)
    return _Path(
        iterations,
        np.array(costs) * problem.cost_scale,
        last.theta,
        _iteration_or_none(diverged),
        _iteration_or_none(within),
        interrupted,
    )


def _iteration_or_none(iterations: NDArray[np.intp]) -> list[int | None]:
    """The iteration numbers, None for an event that never happened."""
    return [int(k) if k >= 0 else None for k in iterations]


def _rates(problem: Problem, forecast: Forecast, path: _Path, rates: Sequence[float]) -> list[SweepRate]:
    """The result of each rate; what is foreseen of them is told of all at once."""
    behaviours, foreseen = forecast.behaviour(np.array(rates)), forecast.iterations_to(np.array(rates), problem.within)
    arrivals = [None] * len(rates) if foreseen is None else _iteration_or_none(foreseen)
    kinds = [None] * len(rates) if behaviours is None else behaviours.tolist()
    return [_rate(problem, path, i, *one) for i, one in enumerate(zip(rates, kinds, arrivals, strict=True))]


def _rate(
    problem: Problem, path: _Path, i: int, rate: float, behaviour: Behaviour | None, foreseen: int | None
) -> SweepRate:
    diverged_at = path.diverged_at[i]
    known = [k for k in range(len(path.iterations)) if diverged_at is None or path.iterations[k] < diverged_at]
    cost = None if diverged_at is not None else float(path.costs[-1, i])
    gap = None if diverged_at is not None else problem.gap(path.theta[i])
    lowest = problem.minimum
    return SweepRate(
        learning_rate=rate,
        behaviour=behaviour,
        best=False,
        cost=cost,
        gap=gap,
        relative_gap=None if gap is None or lowest is None or problem.perfect else gap / lowest.cost,
        converged=gap is not None and behaviour is not Behaviour.UNSTABLE and converged(problem, path.theta[i], gap),
        iterations_to_1_percent=path.within_at[i] if behaviour is None else foreseen,
        diverged_at=diverged_at,
        costs=tuple((path.iterations[k], float(path.costs[k, i])) for k in known),
    )


def _slowness(rate: SweepRate) -> tuple[float, ...]:
    """Order rates by the iterations they need, equal ones by the gap that is left, or by the cost."""
    needed = (rate.iterations_to_1_percent, rate.gap, rate.cost)
    return tuple(math.inf if value is None else value for value in needed)
