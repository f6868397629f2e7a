"""The learning rate of a fit, and its forecast before the first step."""

import numpy as np

from gdcli.engine.arrays import Array
from gdcli.engine.forecast import UNKNOWN, Forecast, limited
from gdcli.fitting.choices import RateRule
from gdcli.fitting.options import FitOptions
from gdcli.fitting.problem import DOMINANT_WEIGHT, Problem
from gdcli.fitting.results import INTERCEPT, LearningRate


def forecast_of(problem: Problem, options: FitOptions) -> Forecast:
    """The forecast of the optimizer's rates before the first step; steps on batches have none: all figures are None."""
    if options.descent.batch_size is not None:
        return UNKNOWN
    optimizer = options.descent.optimizer.rule
    state = optimizer.init(problem.start) if problem.state is None else problem.state
    found = problem.forecast(optimizer, state)
    return limited(found) if options.model.penalty.l1 or not options.constant else found


def learning_rate_of(problem: Problem, options: FitOptions) -> LearningRate:
    """The learning rate and its forecast, as the record that the result holds."""
    forecast = forecast_of(problem, options)
    best, best_iterations = forecast.best_rate(problem.within)
    automatic = options.descent.rate is RateRule.AUTO
    rate = (problem.automatic or best) if automatic else options.descent.rate
    if options.searching:
        rate = problem.trial
    assert isinstance(rate, int | float), "the options say which rate it is where no best one is known"
    return LearningRate(
        given=float(rate),
        automatic=automatic,
        searched=options.searching,
        behaviour=forecast.behaviour(rate),
        largest_stable=forecast.largest_stable,
        best=best,
        iterations_to_1_percent=forecast.iterations_to(rate, problem.within),
        best_iterations=best_iterations,
        condition_number=forecast.condition_number,
        slowest=_slowest(problem, forecast.gaps(rate, options.descent.iterations), options),
        bound=problem.needs_rows and forecast.largest_stable is not None,
    )


def _slowest(problem: Problem, left: Array | None, options: FitOptions) -> tuple[tuple[str, float], ...]:
    """The terms of the direction in which most of the gap is ``left`` at the end, largest weight first."""
    if left is None:
        return ()
    direction = problem.spectrum.vectors[int(np.argmax(left))]
    names = [*([INTERCEPT] if options.model.intercept else []), *problem.labels]
    order = np.argsort(-np.abs(direction), kind="stable")
    return tuple((names[i], float(direction[i])) for i in order if abs(direction[i]) >= DOMINANT_WEIGHT)
