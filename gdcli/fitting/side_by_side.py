"""Squared-error fits of many groups as one stack: each its own scaling, optimum and forecast, one descent for all.

Each group's fit is that of its rows alone, with the first level that the group has as reference of a text column.
Columns that say nothing in a group (constant, or a level it lacks) have coefficient 0 there.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.base.names import count_of, quoted
from gdcli.base.parallel import ordered_map
from gdcli.data.group_keys import Key
from gdcli.engine.arrays import Array, Mask, NDArray
from gdcli.engine.descent import Step, Stopped, after, below, descend, divergence, when
from gdcli.engine.leap import leap
from gdcli.engine.scaling import standard_deviations
from gdcli.engine.spectrum import AlongEigenvectors, Behaviour
from gdcli.engine.triangle import Triangle, lanes_at
from gdcli.fitting.choices import RateRule
from gdcli.fitting.group_columns import group_fits
from gdcli.fitting.group_results import GroupFits, Verdict
from gdcli.fitting.learning_rate import forecast_of
from gdcli.fitting.options import FitOptions
from gdcli.fitting.problem import PERFECT, Problem, build_problem, converged
from gdcli.fitting.terms import Terms, compared_with_baseline
from gdcli.ingest.read import Dataset

# Groups whose problems are solved together: many for each call, and few enough for the cache.
_AT_ONCE = 4096


def side_by_side(options: FitOptions) -> bool:
    """Whether these options allow the fits of all groups to descend as one stack."""
    descent, checks = options.descent, options.checks
    own = options.model.loss.needs_rows or descent.batch_size is not None
    checked = checks.cuts or checks.inference or any(options.model.penalties) or descent.start
    known = descent.rate is not RateRule.SEARCH and (descent.rate is not RateRule.AUTO or descent.optimizer.plain)
    return known and not own and not checked


def fit_side_by_side(
    reading: Dataset, stack: Triangle, keys: Sequence[Key], options: FitOptions, listener: Listener
) -> tuple[GroupFits, int]:
    """The fits of all groups, a lane each, and the number of saturated ones. Raises DataError."""
    chosen = reading.design
    compared = compared_with_baseline(chosen, options.model.intercept)
    own = _own(stack, compared, options.model.intercept)
    coefficients = own.sum(axis=1) + int(options.model.intercept)
    enough = stack.count >= np.maximum(2, coefficients)
    if not enough.any():
        raise too_few_rows(reading, int(stack.count.max()))
    order = {name: i for i, name in enumerate(chosen.features)}
    used = own[enough].any(axis=0)
    places = sorted(np.flatnonzero(used).tolist(), key=lambda i: order[stack.columns[i].name])
    terms = tuple(stack.columns[i] for i in places)
    if not terms and not options.model.intercept:
        raise DataError("there is no feature left, and no intercept: nothing to fit")

    def fit_some(some: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
        # A group of which nothing has a coefficient has no largest eigenvalue: every rate is stable there.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            of_terms = Terms(terms, {}, {}), options, own[some][:, places]
            return _descended(build_problem(lanes_at(stack, some), stack.columns[-1], *of_terms), options, listener)

    fitted = np.flatnonzero(enough)
    # Those that go step by step do so together: a request to stop ends all of them at the same iteration.
    at_once = _AT_ONCE if _leaps(options) else len(fitted)
    parts = [fitted[i : i + at_once] for i in range(0, len(fitted), at_once)]
    found = list(ordered_map(fit_some, parts, options.machine.jobs))
    figures = {name: _spread(np.concatenate([part[name] for part in found]), enough) for name in found[0]}
    references = {name: _references(stack, name) for name in compared if _places(stack, name)}
    fits = group_fits(
        reading,
        keys,
        terms,
        stack.columns[:-1],
        references,
        options,
        count=stack.count,
        asked=options.descent.iterations,
        means=stack.mean[:, places].astype(np.float64) if chosen.fills else None,
        **figures,
    )
    return fits, int(np.count_nonzero(stack.count[enough] <= coefficients[enough]))


def too_few_rows(reading: Dataset, largest: int) -> DataError:
    """The error that no group has a row for each coefficient; ``largest`` is the number of rows of the largest one."""
    has = f"the largest has {count_of(largest, 'row')}, and a fit needs one for each coefficient, 2 at least"
    return DataError(f"{quoted(reading.design.source)}: no group has enough rows: {has}")


def _own(stack: Triangle, compared: Sequence[str], intercept: bool) -> Mask:
    """A mask (g, p) of the columns, without the target, that have a coefficient of their own in a group.

    A column that is constant in the group has none (without an intercept: one that is zero). Neither has the baseline
    of a text column in ``compared``: the first of its levels that the group has.
    """
    varying = ~stack.constant if intercept else ~stack.constant | (stack.minimum != 0)
    found: Mask = varying[:, :-1]
    present = stack.maximum[:, :-1] > 0
    for name in compared:
        levels = [i for i, column in enumerate(stack.columns[:-1]) if column.name == name and column.level is not None]
        if levels:
            first = np.argmax(present[:, levels], axis=1)
            found[np.arange(len(found)), np.array(levels)[first]] = False
    return found


def _leaps(options: FitOptions, stable: bool = False) -> bool:
    """Whether the descents are at their end at once; ``stable``: all their rates are known to be."""
    descent = options.descent
    return descent.optimizer.plain and descent.schedule.constant and (stable or descent.tolerance is None)


def _descended(problem: Problem, options: FitOptions, listener: Listener) -> dict[str, NDArray[Any]]:
    """Descend in all groups at once; return each figure as an array (g, …), NaN if a group has none."""
    best, g = problem.optimum, len(problem.start)
    forecast = forecast_of(problem, options)
    rate, best_rate = options.descent.rate, np.full(g, np.nan)
    if isinstance(rate, RateRule):
        best_rate, _ = forecast.best_rate(problem.within)
    rates = best_rate if isinstance(rate, RateRule) else np.full(g, float(rate))
    behaviour = _known(forecast.behaviour(rates), g, None)
    unstable = behaviour == Behaviour.UNSTABLE
    arrival = _known(forecast.iterations_to(rates, problem.within), g, -1)

    last, theta = _descend(problem, rates, options, listener, stable=not unstable.any())
    diverged = unstable | (last.stopped == Stopped.DIVERGED)
    m, c = problem.scaling.to_file(theta)
    gap, cost = problem.gap(theta), last.cost * problem.cost_scale
    verdict = np.full(g, Verdict.NOT_CONVERGED)
    verdict[converged(problem, theta, gap)] = Verdict.CONVERGED
    verdict[diverged] = Verdict.DIVERGED
    verdict[unstable] = Verdict.UNSTABLE
    deviation = standard_deviations(problem.triangle)
    spread, variance = deviation[:, -1:], problem.variance
    standardized = m * deviation[:, :-1] / np.where(spread > 0, spread, np.nan)
    without = {"slopes": m, "intercepts": c, "standardized": standardized, "cost": cost, "gap": gap}
    without["r2"] = 1.0 - cost / np.where(variance > 0, variance, np.nan)
    for values in without.values():
        values[diverged] = np.nan
    return without | {
        "optimal_slopes": best.slopes,
        "optimal_intercepts": best.intercept,
        "optimal_cost": best.cost,
        "gap_measure": problem.gap_measure,
        "perfect": problem.perfect,
        "verdict": verdict,
        "stopped": last.stopped,
        "iterations": last.ended,
        "rate": rates,
        "behaviour": behaviour,
        "largest_stable": _known(forecast.largest_stable, g, np.nan),
        "best": best_rate,
        "iterations_to_1_percent": arrival,
    }


def _known(figures: NDArray[Any] | None, lanes: int, none: object) -> NDArray[Any]:
    """The figures of all lanes; ``none`` in each if there are none."""
    return np.full(lanes, none) if figures is None else figures


def _descend(
    problem: Problem, rate: Array, options: FitOptions, listener: Listener, stable: bool
) -> tuple[Step, Array]:
    """The last step, and θ there; ``stable``: all rates are. If the optimizer is linear that is along the eigenvectors,
    and if it is plain without the steps before.
    """
    descent = options.descent
    along = AlongEigenvectors(problem.spectrum, problem.optimum.cost / problem.cost_scale)
    linear = descent.optimizer.kind.has_forecast
    rules = [divergence(PERFECT * problem.mean_square / problem.cost_scale)]
    if descent.tolerance is not None:
        rules.append(below(descent.tolerance))
    if _leaps(options, stable):
        last = leap(along, rate, descent.iterations, tuple(rules))
        return last, problem.start + along.theta(last.theta)
    with listener.defer_interrupts() as asked:
        steps = descend(
            along if linear else problem.objective,
            descent.optimizer.on(along.newton_direction, options.model.intercept),
            descent.rates(rate[:, np.newaxis]),
            np.zeros_like(problem.spectrum.distances) if linear else problem.start,
            (*rules, when(asked, Stopped.INTERRUPTED), after(descent.iterations)),
        )
        (last,) = deque(steps, maxlen=1)
    return last, problem.start + along.theta(last.theta) if linear else last.theta


def _spread(values: NDArray[Any], enough: Mask) -> NDArray[Any]:
    """The values (g, …) of all groups; a group without enough rows has NaN, or -1, False, None by their type."""
    if values.dtype == object:
        none: object = Verdict.TOO_FEW_ROWS if isinstance(values[0], Verdict) else None
    else:
        none = np.nan if values.dtype.kind == "f" else -1 if values.dtype.kind == "i" else False
    found = np.full((len(enough), *values.shape[1:]), none, dtype=values.dtype)
    found[enough] = values
    return found


def _places(stack: Triangle, name: str) -> list[int]:
    return [i for i, column in enumerate(stack.columns[:-1]) if column.name == name]


def _references(stack: Triangle, name: str) -> tuple[str, ...]:
    """Each group's reference level."""
    places = _places(stack, name)
    return tuple(stack.columns[places[i]].level or "" for i in np.argmax(stack.maximum[:, places] > 0, axis=1).tolist())
