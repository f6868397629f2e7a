"""Squared-error fits of many groups as one stack: each its own scaling, optimum and forecast, one descent for all.

Each group's fit is that of its rows alone, with the first level that the group has as reference of a text column.
Columns that say nothing in a group (constant, or a level it lacks) have coefficient 0 there.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from gdcli.base.errors import DataError
from gdcli.base.names import count_of, quoted
from gdcli.data.group_keys import Key
from gdcli.engine.arrays import Array, Mask, NDArray
from gdcli.engine.descent import Step, Stopped, descend
from gdcli.engine.objective import Objective
from gdcli.engine.optimizers import OptimizerKind
from gdcli.engine.quadratic import SquaredError
from gdcli.engine.spectrum import Behaviour, Spectrum, best_rate, iterations_to
from gdcli.engine.stack_descent import Ends
from gdcli.engine.stacked import AlongEigenvectors, StackedProblem, active, problem_of
from gdcli.engine.triangle import Triangle, lanes_at
from gdcli.fitting.choices import RateRule
from gdcli.fitting.group_columns import group_fits
from gdcli.fitting.group_results import GroupFits, Verdict
from gdcli.fitting.options import FitOptions
from gdcli.fitting.problem import CONVERGED_DISTANCE, CONVERGED_GAP, PERFECT, WITHIN
from gdcli.fitting.terms import compared_with_baseline
from gdcli.ingest.read import Dataset

# Slopes that are zero up to rounding are at a distance of rounding.
_ROUNDING = 1e-12


def side_by_side(options: FitOptions) -> bool:
    """Whether these options allow the fits of all groups to descend as one stack."""
    descent, checks = options.descent, options.checks
    own = options.model.loss.needs_rows or descent.batch_size is not None
    checked = checks.cuts or checks.inference or any(options.model.penalties) or descent.start
    known = descent.rate is not RateRule.SEARCH and (descent.rate is not RateRule.AUTO or descent.optimizer.plain)
    return known and not own and not checked


def fit_side_by_side(
    reading: Dataset, stack: Triangle, keys: Sequence[Key], options: FitOptions
) -> tuple[GroupFits, int]:
    """The fits of all groups, a lane each, and the number of saturated ones. Raises DataError."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _fit(reading, stack, keys, options)


def _fit(reading: Dataset, stack: Triangle, keys: Sequence[Key], options: FitOptions) -> tuple[GroupFits, int]:
    chosen = reading.design
    compared = compared_with_baseline(chosen, options.model.intercept)
    own = active(stack, compared, options.model.intercept)
    coefficients = own.sum(axis=1) + int(options.model.intercept)
    enough = stack.count >= np.maximum(2, coefficients)
    if not enough.any():
        raise DataError(
            f"{quoted(chosen.source)}: each of {count_of(len(keys), 'group')} has too few rows: "
            f"the largest has {int(stack.count.max())} and needs one for each coefficient, 2 at least"
        )
    order = {name: i for i, name in enumerate(chosen.features)}
    used = own[enough].any(axis=0)
    places = sorted(np.flatnonzero(used).tolist(), key=lambda i: order[stack.columns[i].name])
    terms = tuple(stack.columns[i] for i in places)
    if not terms and not options.model.intercept:
        raise DataError("there is no feature left, and no intercept: nothing to fit")
    model = options.model
    problem = problem_of(
        lanes_at(stack, np.flatnonzero(enough)), places, own[enough][:, places], model.scale, model.intercept
    )
    found = _descended(problem, options)
    figures: dict[str, Any] = {name: _spread(values, enough) for name, values in found.items()}
    references = {name: _references(stack, name) for name in compared if _places(stack, name)}
    fits = group_fits(
        reading,
        keys,
        terms,
        stack.columns[:-1],
        references,
        options,
        count=stack.count,
        means=stack.mean[:, places].astype(np.float64) if chosen.fills else None,
        **figures,
    )
    return fits, int(np.count_nonzero(stack.count[enough] <= coefficients[enough]))


def _descended(problem: StackedProblem, options: FitOptions) -> dict[str, Any]:
    """Descend from zero in all groups at once; return each figure as an array (g, …), NaN if a group has none."""
    scaling, g = problem.scaling, len(problem.cost)
    size = scaling.target_scale**2
    start = np.zeros_like(problem.theta)
    distance = np.matvec(problem.vectors, start - problem.theta)
    perfect = problem.cost <= PERFECT * problem.mean_square
    start_gap = 0.5 * np.vecdot(problem.eigenvalues * distance, distance) * size
    measure = np.where(perfect, start_gap, problem.cost)

    plain = options.descent.optimizer.plain
    within = WITHIN * measure / size
    best, rate = np.full(g, np.nan), np.full(g, np.nan)
    spectrum = Spectrum(problem.eigenvalues, problem.vectors, distance)
    if isinstance(options.descent.rate, RateRule):
        best, _ = best_rate(spectrum, within)
        rate = best
    else:
        rate = np.full(g, float(options.descent.rate))
    behaviour, largest_stable = _forecast(problem, rate, options)
    unstable = np.array([found is Behaviour.UNSTABLE for found in behaviour], dtype=bool)
    arrival = iterations_to(spectrum, rate, within) if plain and options.constant else None

    ends = Ends(~unstable, options.descent.iterations, options.descent.tolerance, PERFECT * problem.mean_square / size)
    last, theta = _descend(problem, distance, rate, ends, options)
    diverged = unstable | (ends.stopped == Stopped.DIVERGED)
    m, c = scaling.to_file(theta)
    off = theta - problem.theta
    residual = np.matvec(problem.quadratic.R1, off)
    gap = np.vecdot(residual, residual) / problem.quadratic.weight * size
    cost = last.cost * size
    variance = problem.variance if options.model.intercept else problem.mean_square
    verdict = np.full(g, Verdict.NOT_CONVERGED)
    verdict[_converged(problem, off, gap, measure)] = Verdict.CONVERGED
    verdict[diverged] = Verdict.DIVERGED
    verdict[unstable] = Verdict.UNSTABLE
    spread = problem.deviation[:, -1:]
    standardized = m * problem.deviation[:, :-1] / np.where(spread > 0, spread, np.nan)
    without = {"slopes": m, "intercepts": c, "standardized": standardized, "cost": cost, "gap": gap}
    without["r2"] = 1.0 - cost / np.where(variance > 0, variance, np.nan)
    for values in without.values():
        values[diverged] = np.nan
    return without | {
        "optimal_slopes": problem.slopes,
        "optimal_intercepts": problem.intercept,
        "optimal_cost": problem.cost,
        "gap_measure": measure,
        "perfect": perfect,
        "verdict": verdict,
        "stopped": ends.stopped,
        "iterations": ends.iterations,
        "rate": rate,
        "behaviour": behaviour,
        "largest_stable": largest_stable,
        "best": best,
        "iterations_to_1_percent": np.full(g, -1) if arrival is None else arrival,
    }


def _descend(
    problem: StackedProblem, distance: Array, rate: Array, ends: Ends, options: FitOptions
) -> tuple[Step, Array]:
    """The last step, and θ there. The descent runs along the eigenvectors if the optimizer is linear: it is faster."""
    along = AlongEigenvectors(problem, distance)
    optimizer = options.descent.optimizer.on(along.newton_direction, options.model.intercept)
    rates = options.descent.rates(rate[:, np.newaxis])
    linear = optimizer.kind.has_forecast
    objective: Objective = along if linear else SquaredError(problem.quadratic)
    start = np.zeros_like(distance if linear else problem.theta)
    steps = descend(objective, optimizer, rates, start, (ends.rule,), search=ends.corrected)
    (last,) = deque(steps, maxlen=1)
    if not linear:
        return last, last.theta
    return last, np.matvec(np.swapaxes(problem.vectors, 1, 2), last.theta)


def _forecast(problem: StackedProblem, rate: Array, options: FitOptions) -> tuple[NDArray[np.object_], Array]:
    """The forecast behaviour of each group's rate (None if unknown) and the largest stable one.

    Both depend on the largest eigenvalue only, and on its product with the rate.
    """
    optimizer = options.descent.optimizer.rule
    unit = Spectrum(np.ones(1), np.ones((1, 1)), np.ones(1))
    forecast = optimizer.forecast(unit, optimizer.init(np.zeros(1)))
    steepest = problem.eigenvalues.max(axis=1)
    if optimizer.kind is OptimizerKind.SECOND_ORDER:
        steepest = np.ones_like(steepest)
    behaviour = np.full(len(rate), None, dtype=object)
    if options.constant:
        behaviour[:] = [forecast.behaviour(h) for h in (rate * steepest).tolist()]
    limit = np.nan if forecast.largest_stable is None else forecast.largest_stable
    return behaviour, limit / steepest


def _converged(problem: StackedProblem, off: Array, gap: Array, measure: Array) -> Mask:
    """Judge each group as ``problem.converged`` does."""
    determined = np.where(problem.eigenvalues > 0, np.matvec(problem.vectors, off), 0.0)
    first = 1 if problem.scaling.intercept else 0
    distance = np.linalg.norm(np.matvec(np.swapaxes(problem.vectors, 1, 2), determined)[:, first:], axis=1)
    near = distance <= CONVERGED_DISTANCE * np.linalg.norm(problem.theta[:, first:], axis=1) + _ROUNDING
    converged: Mask = (gap <= CONVERGED_GAP * measure) & near
    return converged


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
