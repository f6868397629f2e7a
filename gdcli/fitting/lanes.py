"""Validation on rows that were not fitted: a holdout, and cross-validation, all from the same pass over the data."""

import math
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import product

import numpy as np

from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.base.names import quoted
from gdcli.base.records import replace
from gdcli.engine.arrays import Array
from gdcli.engine.descent import Step, Stopped, after, descend
from gdcli.engine.objective import LaneObjective, Objective, Point
from gdcli.engine.optimizers import NewtonDirection
from gdcli.engine.penalty import Penalty, penalized
from gdcli.engine.quadratic import SquaredError
from gdcli.engine.scaling import stacked
from gdcli.engine.spectrum import Behaviour
from gdcli.engine.triangle import merge
from gdcli.fitting.choices import RateRule
from gdcli.fitting.learning_rate import learning_rate_of
from gdcli.fitting.options import FitOptions
from gdcli.fitting.prepare import prepare
from gdcli.fitting.problem import Problem, build_problem
from gdcli.fitting.results import CrossValidation, Holdout, TriedPenalty
from gdcli.ingest.read import Dataset

# Progress is told this often.
_PROGRESS_STEP = 4096


class HoldoutWatch:
    """A follower of the validation cost along a descent, which stops it when patience runs out."""

    def __init__(self, problem: Problem, reading: Dataset, options: FitOptions) -> None:
        self._rows = reading.reduced.folds[1].count
        self._file = reading.test
        if not self._rows and self._file is not None:
            raise DataError(f"no row of {quoted(self._file)}, the file to test on, has a value in every column")
        if not self._rows:
            raise DataError(f"--holdout {options.checks.holdout:g} holds out no row of {problem.triangle.count}")
        self._cost = problem.held_out(reading)
        self._cost_scale = problem.cost_scale
        self._options = options
        self.best: Step | None = None
        self._best_cost = math.inf
        self._since = 0

    def cost(self, theta: Array) -> float:
        """The mean loss over the rows held out, in the cost's units."""
        return float(self._cost.value(theta)) * self._cost_scale

    def rule(self, step: Step) -> Stopped | None:
        """Stop rule of ``--patience N``: Stopped.PATIENCE after N iterations without a lower held-out cost, else None.

        It also remembers the step of the lowest cost as ``best``.
        """
        cost = self.cost(step.theta)
        if self.best is None or cost < self._best_cost:
            self.best, self._best_cost, self._since = step, cost if math.isfinite(cost) else math.inf, 0
        else:
            self._since += 1
        patience = self._options.checks.patience
        if patience is not None and self._since >= patience:
            return Stopped.PATIENCE
        return None

    def result(self, kept: Step, diverged: bool) -> Holdout:
        """The validation as a record; ``kept`` is the step whose parameters are the result."""
        return Holdout(
            share=self._options.checks.holdout,
            seed=self._options.descent.seed if self._file is None else None,
            file=self._file,
            rows=self._rows,
            cost=None if diverged else self.cost(kept.theta),
            best_iteration=None if diverged or self.best is None else self.best.iteration,
            best_cost=None if diverged else self._best_cost,
            patience=self._options.checks.patience,
            kept=kept.iteration,
        )


def cross_validate(
    reading: Dataset, whole: Problem, rate: float, options: FitOptions, listener: Listener
) -> CrossValidation:
    """The validation costs of a descent for each fold, on all rows but the fold's, judged on the fold's rows.

    These costs are mean losses: a penalty is for the descent only. Columns are scaled, and missing cells filled, by the
    training rows alone. The design columns are those of all rows; one that is constant in the training rows has
    coefficient 0 there.
    """
    folds = reading.reduced.folds
    problems = fold_problems(reading, whole, options)
    best_mean, best_iteration, best_costs = math.inf, 0, np.full(len(folds), np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        for iteration, costs in _side_by_side(problems, reading, rate, options):
            mean = float(costs.sum()) / len(folds)
            if mean < best_mean:
                best_mean, best_iteration, best_costs = mean, iteration, costs
            if iteration % _PROGRESS_STEP == 0:
                listener.descending(iteration, options.descent.iterations)
    return CrossValidation(
        folds=len(folds),
        seed=options.descent.seed,
        rows=tuple(fold.count for fold in folds),
        iterations=options.descent.iterations,
        costs=_finite_or_none(costs),
        mean=_mean(costs),
        standard_error=_standard_error(costs),
        best_iteration=best_iteration if math.isfinite(best_mean) else None,
        best_costs=_finite_or_none(best_costs),
        best_mean=_mean(best_costs),
        best_standard_error=_standard_error(best_costs),
    )


def fold_problems(reading: Dataset, whole: Problem, options: FitOptions) -> list[Problem]:
    """One problem for each fold: that of the rows of all other folds. Raises DataError for too few rows."""
    folds, target = reading.reduced.folds, whole.triangle.columns[-1]
    empty = [i for i, fold in enumerate(folds) if not fold.count]
    if empty:
        raise DataError(f"--cv {len(folds)} leaves fold {empty[0] + 1} without a row: make fewer folds")
    problems = []
    for i in range(len(folds)):
        others = [j for j in range(len(folds)) if j != i]
        training = reduce(merge, [folds[j] for j in others])
        if training.count < 2:
            raise DataError(f"--cv {len(folds)} leaves {training.count} row to fit: there are too few rows")
        problems.append(whole.restricted_to(build_problem(training, target, whole.terms, options), others))
    return problems


def _side_by_side(
    problems: Sequence[Problem], reading: Dataset, rate: float, options: FitOptions
) -> Iterator[tuple[int, Array]]:
    """Yield each iteration and its validation costs (folds,): a lane for each fold."""
    objective, validation = objective_of_lanes(problems, options), _validation(problems, reading)
    scales = np.array([problem.cost_scale for problem in problems])
    optimizer = options.descent.optimizer.on(newton_of_lanes(problems), options.model.intercept)
    steps = descend(
        objective,
        optimizer,
        options.descent.rates(rate),
        np.stack([problem.start for problem in problems]),
        (after(options.descent.iterations),),
        proximal=options.model.penalty.proximal,
        search=options.search_on(objective, optimizer),
    )
    for step in steps:
        yield step.iteration, validation.value(step.theta) * scales


def objective_of_lanes(problems: Sequence[Problem], options: FitOptions) -> Objective:
    """The objective of all problems side by side, a lane each.

    Squared errors are small enough to be stacked; other losses are evaluated lane by lane on the rows.
    """
    if options.model.loss.needs_rows:
        return LaneObjective([problem.objective for problem in problems])
    return penalized(SquaredError(stacked([problem.data for problem in problems])), options.model.penalty)


def _validation(problems: Sequence[Problem], reading: Dataset) -> Objective:
    """The mean losses over the rows of each fold, on the scale of the problem without them."""
    if problems[0].needs_rows:
        return LaneObjective([problem.held_out(reading, fold) for fold, problem in enumerate(problems)])
    folds = reading.reduced.folds
    return SquaredError(stacked([problem.scaled(fold) for fold, problem in zip(folds, problems, strict=True)]))


def newton_of_lanes(problems: Sequence[Problem]) -> NewtonDirection:
    """The function from a point of all lanes to the directions of Newton's method (L, p), one for each problem."""

    def direction(point: Point) -> Array:
        return np.stack([one.newton_direction(Point(*own)) for one, *own in zip(problems, *point, strict=True)])

    return direction


def _finite_or_none(costs: Array) -> tuple[float | None, ...]:
    """The costs, None for one that is not finite."""
    return tuple(cost if math.isfinite(cost) else None for cost in costs.tolist())


def _mean(costs: Array) -> float | None:
    return float(costs.mean()) if np.isfinite(costs).all() else None


def _standard_error(costs: Array) -> float | None:
    return float(costs.std(ddof=1) / math.sqrt(len(costs))) if np.isfinite(costs).all() else None


def choose_by_folds(
    reading: Dataset, options: FitOptions, listener: Listener
) -> tuple[FitOptions, tuple[TriedPenalty, ...]]:
    """The options with the best penalty and learning rate, and the result of every pair that was tried.

    The best pair has the lowest mean validation cost at the last iteration, whether the descent has converged or not;
    of equal ones it is the first.
    """
    pairs = list(product(options.model.penalties, options.descent.candidates or (options.descent.learning_rate,)))
    tried = tuple(_tried(reading, _with(options, penalty, rate), listener) for penalty, rate in pairs)
    means = [math.inf if one.mean is None else one.mean for one in tried]
    return _with(options, *pairs[means.index(min(means))]), tried


def _with(options: FitOptions, penalty: Penalty, rate: float | RateRule | None) -> FitOptions:
    model = replace(options.model, l2=(penalty.l2,), l1=(penalty.l1,))
    return replace(options, model=model, descent=replace(options.descent, learning_rate=rate, candidates=()))


def _tried(reading: Dataset, options: FitOptions, listener: Listener) -> TriedPenalty:
    problem = prepare(reading, options, Listener())  # its notes come with the fit
    rate, penalty = learning_rate_of(problem, options), options.model.penalty
    if rate.behaviour is Behaviour.UNSTABLE:
        return TriedPenalty(penalty.l2, penalty.l1, None, None, rate.given)
    found = cross_validate(reading, problem, rate.given, options, listener)
    return TriedPenalty(penalty.l2, penalty.l1, found.mean, found.standard_error, rate.given)
