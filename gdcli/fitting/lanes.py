"""Validation on rows that were not fitted: a holdout, and cross-validation, all from the same pass over the data."""

import math
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.base.names import quoted
from gdcli.base.records import NamedTuple, replace
from gdcli.engine.arrays import Array
from gdcli.engine.descent import Step, Stopped, StopRule, after, descend
from gdcli.engine.optimizers import OptimizerKind
from gdcli.engine.penalty import UNPENALIZED, Penalty, side_by_side_penalty
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.choices import RateRule
from gdcli.fitting.folds import folds_of_triangles, training_rows
from gdcli.fitting.learning_rate import learning_rate_of
from gdcli.fitting.options import FitOptions
from gdcli.fitting.prepare import prepare
from gdcli.fitting.problem import Problem, build_problem
from gdcli.fitting.results import CrossValidation, Holdout, LearningRate, TriedPenalty
from gdcli.ingest.read import Dataset

# Progress is told this often.
_PROGRESS_STEP = 4096

# Numbers in the Hessians of candidates side by side: 64 MB.
_MOST_CURVATURES = 1 << 23


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
        self._options = options
        self.best: Step | None = None
        self._best_cost = math.inf
        self._since = 0

    def cost(self, theta: Array) -> float:
        """The mean loss over the rows held out, in the cost's units."""
        return float(self._cost(theta))

    @property
    def rule(self) -> StopRule:
        """The stop rule of ``--patience N``: N iterations without a lower held-out cost.

        It also remembers the step of the lowest cost as ``best``.
        """
        return StopRule(Stopped.PATIENCE, self._lost_patience)

    def _lost_patience(self, step: Step) -> bool:
        cost = self.cost(step.theta)
        if self.best is None or cost < self._best_cost:
            self.best, self._best_cost, self._since = step, cost if math.isfinite(cost) else math.inf, 0
        else:
            self._since += 1
        patience = self._options.checks.patience
        return patience is not None and self._since >= patience

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


class Candidate(NamedTuple):
    """A learning rate, the first one of a schedule or of a search, and a penalty to cross-validate."""

    rate: float
    penalty: Penalty


def cross_validate(
    reading: Dataset, whole: Problem, candidates: Sequence[Candidate], options: FitOptions, listener: Listener
) -> tuple[CrossValidation, ...]:
    """The validation of each candidate: for each fold a descent on all rows but the fold's, judged on the fold's rows.

    They descend side by side. The costs are mean losses: a penalty is for the descent only. Columns are scaled, and
    missing cells filled, by the training rows alone. The design columns are those of all rows; one that is constant in
    the training rows has coefficient 0 there.
    """
    at_once = max(1, len(candidates))
    if options.descent.optimizer.kind is OptimizerKind.SECOND_ORDER:
        matrices = len(reading.reduced.folds) * len(whole.start) ** 2
        at_once = max(1, _MOST_CURVATURES // matrices)
    parts = [candidates[i : i + at_once] for i in range(0, len(candidates), at_once)]
    return tuple(found for part in parts for found in _validated(reading, whole, part, options, listener))


def _validated(
    reading: Dataset, whole: Problem, candidates: Sequence[Candidate], options: FitOptions, listener: Listener
) -> Iterator[CrossValidation]:
    """Yield the validation of each candidate, all side by side."""
    folds = len(reading.reduced.folds)
    shape = len(candidates), folds
    best_mean, best_iteration = np.full(shape[0], np.inf), np.zeros(shape[0], np.intp)
    best_costs = np.full(shape, np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        for iteration, costs in _costs(reading, whole, candidates, options):
            means = costs.mean(axis=1)
            better = means < best_mean
            if better.any():
                best_mean[better], best_costs[better], best_iteration[better] = means[better], costs[better], iteration
            if iteration % _PROGRESS_STEP == 0:
                listener.descending(iteration, options.descent.iterations)
    for last, mean, reached, best in zip(costs, best_mean, best_iteration.tolist(), best_costs, strict=True):
        yield CrossValidation(
            folds=folds,
            seed=options.descent.seed,
            rows=tuple(fold.count for fold in reading.reduced.folds),
            iterations=options.descent.iterations,
            costs=_finite_or_none(last),
            mean=_mean(last),
            standard_error=_standard_error(last),
            best_iteration=reached if math.isfinite(mean) else None,
            best_costs=_finite_or_none(best),
            best_mean=_mean(best),
            best_standard_error=_standard_error(best),
        )


def _costs(
    reading: Dataset, whole: Problem, candidates: Sequence[Candidate], options: FitOptions
) -> Iterator[tuple[int, Array]]:
    """Yield each iteration and its validation costs (candidates, folds): a lane for each candidate and fold."""
    training, target = training_rows(reading), whole.triangle.columns[-1]

    def problems_with(penalty: Penalty) -> list[Problem]:
        own = _with(options, penalty, options.descent.learning_rate)
        return [build_problem(rows, target, whole.terms, own) for rows in training]

    problems, penalties = problems_with(UNPENALIZED), [candidate.penalty for candidate in candidates]
    penalty = side_by_side_penalty(penalties)
    if whole.row_loss is not None:
        folds = whole.row_loss.folds(problems, penalty)
    else:
        curved = options.descent.optimizer.kind is OptimizerKind.SECOND_ORDER
        spectra = [[one.spectrum for one in problems_with(own)] for own in penalties] if curved else []
        folds = folds_of_triangles(reading, problems, penalty, spectra)
    optimizer = options.descent.optimizer.on(folds.newton, options.model.intercept)
    rates = np.array([candidate.rate for candidate in candidates])[:, np.newaxis, np.newaxis]
    steps = descend(
        folds.objective,
        optimizer,
        options.descent.rates(rates),
        np.tile(np.stack([problem.start for problem in problems]), (len(candidates), 1, 1)),
        (after(options.descent.iterations),),
        proximal=penalty.proximal,
        search=options.search_on(folds.objective, optimizer, penalty),
    )
    for step in steps:
        yield step.iteration, folds.judged(step.theta)


def _finite_or_none(costs: Array) -> tuple[float | None, ...]:
    """The costs, None for one that is not finite."""
    return tuple(cost if math.isfinite(cost) else None for cost in costs.tolist())


def _mean(costs: Array) -> float | None:
    return float(costs.mean()) if np.isfinite(costs).all() else None


def _standard_error(costs: Array) -> float | None:
    return float(costs.std(ddof=1) / math.sqrt(len(costs))) if np.isfinite(costs).all() else None


class Choice(NamedTuple):
    """The ``options`` with the best penalty and learning rate, the result of every pair that was ``tried``, and the
    ``validation`` of the best one, None if every pair's descent is unstable.
    """

    options: FitOptions
    tried: tuple[TriedPenalty, ...]
    validation: CrossValidation | None


def choose_by_folds(reading: Dataset, options: FitOptions, listener: Listener) -> Choice:
    """The best of all pairs of a penalty and a learning rate.

    It has the lowest mean validation cost at the last iteration, whether the descent has converged or not; of equal
    ones it is the first.
    """
    rates = options.descent.candidates or (options.descent.learning_rate,)
    pairs = [_with(options, penalty, rate) for penalty, rate in product(options.model.penalties, rates)]
    problem = prepare(reading, pairs[0], Listener())  # its notes come with the fit
    known = [learning_rate_of(_repenalized(problem, reading, own), own) for own in pairs]
    stable = [i for i, rate in enumerate(known) if rate.behaviour is not Behaviour.UNSTABLE]
    candidates = [Candidate(known[i].given, pairs[i].model.penalty) for i in stable]
    validations = dict(zip(stable, cross_validate(reading, problem, candidates, options, listener), strict=True))
    found = [validations.get(i) for i in range(len(pairs))]
    tried = tuple(map(_tried, pairs, known, found))
    means = [math.inf if one.mean is None else one.mean for one in tried]
    best = means.index(min(means))
    return Choice(pairs[best], tried, found[best])


def _with(options: FitOptions, penalty: Penalty, rate: float | RateRule | None) -> FitOptions:
    model = replace(options.model, l2=(float(penalty.l2),), l1=(float(penalty.l1),))
    return replace(options, model=model, descent=replace(options.descent, learning_rate=rate, candidates=()))


def _repenalized(problem: Problem, reading: Dataset, options: FitOptions) -> Problem:
    """A problem of all rows with the penalty of ``options``; the minimum of a loss over the rows is not sought."""
    other = build_problem(reading.fitted, problem.triangle.columns[-1], problem.terms, options)
    return other if problem.row_loss is None else replace(other, row_loss=problem.row_loss.with_penalty_of(other))


def _tried(options: FitOptions, rate: LearningRate, found: CrossValidation | None) -> TriedPenalty:
    penalty = options.model.penalty
    mean, error = (None, None) if found is None else (found.mean, found.standard_error)
    return TriedPenalty(float(penalty.l2), float(penalty.l1), mean, error, rate.given)
