"""The problem of a loss other than the squared error: its mean over the rows themselves.

The triangle of the same rows still gives the scaling, which columns are collinear, and XᵀX, from which the bound on the
curvature comes: no eigenvalue of the Hessian is above L = λmax(max loss'' · XᵀX/N + 2A), with 2A for each slope.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from gdcli.base.cores import usable_cores
from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.base.names import quoted
from gdcli.engine import least_squares as optima
from gdcli.engine import newton
from gdcli.engine.arrays import Array
from gdcli.engine.batches import Batches, BatchSteps
from gdcli.engine.column import Column
from gdcli.engine.forecast import UNKNOWN, Forecast, Unknown
from gdcli.engine.lasso import corner_gap
from gdcli.engine.losses.contract import Loss
from gdcli.engine.losses.squared import Squared
from gdcli.engine.objective import CurvedObjective, Objective, Point
from gdcli.engine.optimizers import Optimizer, OptimizerKind, OptimizerState
from gdcli.engine.penalty import penalized_curved, ridge
from gdcli.engine.row_objective import RowObjective
from gdcli.engine.scaling import standard_deviations
from gdcli.engine.schedules import Schedule
from gdcli.engine.triangle import Triangle
from gdcli.fitting.options import FitOptions
from gdcli.fitting.problem import Problem
from gdcli.fitting.row_view import row_sums, view_of
from gdcli.fitting.target import Target, target_of
from gdcli.ingest.aggregate import Aggregate
from gdcli.ingest.kept_rows import ask_all
from gdcli.ingest.read import Dataset

# Operations whose rounding a residual carries, on numbers of the size of the target and of the terms.
_OPERATIONS = 4

# If a Newton step moves predictions by more than this and the cost falls no more, it is on its way to infinity.
_STILL_MOVING = 1e-3

# Closer than this share of the cost a difference of two costs is rounding, and the second-order term is exact enough.
_CLOSE = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class _KeptRows:
    """All rows that were kept, by folds, and their target as the loss takes it."""

    reduced: Aggregate
    target: Target
    jobs: int | None
    threads: ThreadPoolExecutor

    def objective(self, problem: Problem, function: Loss, folds: Sequence[int]) -> RowObjective:
        """The mean loss over the rows of the given folds, as a function of the problem's scaled θ."""
        view = view_of(problem, self.target, folds)
        groups = [row_sums(group, view, function, self.jobs, self.threads) for group in self.reduced.groups]
        weight = sum(self.reduced.folds[fold].weight for fold in folds)
        return RowObjective(groups, weight, problem.scaling.target_scale, function.degree)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RowProblem(Problem):
    """A :class:`Problem` with another loss. ``optimum`` is still that of (penalized) least squares. ``lowest`` is the
    minimum of this loss, with its cost in file units, and ``found`` the same on the scaled problem; both are None if
    it does not exist or was not sought. ``curvature`` is L, None if the loss has no bound.
    """

    kept: _KeptRows
    rows: RowObjective
    function: Loss
    curvature: float | None
    lowest: optima.Solution | None = None
    found: newton.Minimum | None = None

    @property
    def loss(self) -> str:
        return self.function.name

    @property
    def needs_rows(self) -> bool:
        return True

    @property
    def cost_scale(self) -> float:
        return self.scaling.target_scale**self.function.degree

    @property
    def objective(self) -> CurvedObjective:
        return penalized_curved(self.rows, self.penalty)

    @property
    def minimum(self) -> optima.Solution | None:
        return self.lowest

    def gap(self, theta: Array) -> float | None:
        """The gap cost(θ) − cost(θ*) ≥ 0 for scaled θ, in the cost's units; None if no minimum is known.

        Close to θ*, where the difference is rounding, it is ½(θ − θ*)ᵀH(θ − θ*) plus what the penalty's B·Σ|β| adds.
        """
        if self.lowest is None or self.found is None:
            return None
        best, distance = self.found, theta - self.found.theta
        close = 0.5 * float(distance @ best.hessian @ distance)
        if self.penalty.l1:
            close += corner_gap(self.penalty, theta, best.theta, best.gradient)
        if close <= _CLOSE * best.cost:
            return close * self.cost_scale
        return max(float(self.objective.value(theta)) * self.cost_scale - self.lowest.cost, 0.0)

    def mean_loss(self, theta: Array) -> float:
        return float(self.rows.value(theta)) * self.cost_scale

    def recedes(self, direction: Array) -> bool:
        """Whether the cost never rises along a direction of θ, however far: there is no minimum then."""
        if self.penalty:  # which rises along every slope
            direction = direction.copy()
            self.penalty.slopes(direction)[...] = 0.0
        return self.rows.recedes(direction)

    def newton_direction(self, point: Point) -> Array:
        """The Newton step, halved until the cost falls."""
        return newton.newton_step(self.objective, point, self.optimum.null_space)

    def forecast(self, optimizer: Optimizer, state: OptimizerState) -> Forecast:
        """The forecast from the curvature's bound L: plain descent is stable below 2/L; of others nothing is known."""
        if optimizer.kind is not OptimizerKind.GRADIENT or self.curvature is None:
            return UNKNOWN
        return Unknown(largest_stable=2.0 / self.curvature)

    @property
    def automatic(self) -> float | None:
        """1/L, at which the cost falls at every step; None if the loss has no bound L."""
        return None if self.curvature is None else 1.0 / self.curvature

    @property
    def target_deviation(self) -> float:
        return float(standard_deviations(self.triangle)[-1]) if self.function.degree else 1.0

    def targets(self, name: str, columns: Sequence[Column], X: Array) -> Array:
        target = self.kept.target
        y = self.values(target.column, columns, X)
        return y if target.event is None else (y == target.event).astype(np.float64)

    @property
    def classes(self) -> tuple[str, str] | None:
        return self.kept.target.classes

    @property
    def parameter(self) -> float | None:
        return self.function.parameter

    def held_out(self, reading: Dataset, fold: int = 1) -> Objective:
        return self.kept.objective(self, self.function, [fold])

    def restricted_to(self, other: Problem, folds: Sequence[int]) -> Problem:
        """The problem of this loss over the rows of the given folds; its minimum is not sought."""
        return _with_loss(other, self.kept, self.function, folds)


def over_rows(problem: Problem, reading: Dataset, target: Target, options: FitOptions, listener: Listener) -> Problem:
    """The problem with the loss that was asked for, on the same rows and scaling as the squared-error ``problem``."""
    jobs = options.machine.jobs
    kept = _KeptRows(reading.reduced, target, jobs, ThreadPoolExecutor(jobs or usable_cores()))
    folds = [0] if options.checks.holds_out else range(len(reading.reduced.folds))
    function = _loss_of(problem, kept, folds, options, listener)
    if target.classes is not None:
        listener.note(f"the event is {quoted(target.classes[1])}, the other class {quoted(target.classes[0])}")
    found = _with_loss(problem, kept, function, folds)
    if not function.smooth:
        return found
    found = _with_minimum(found)
    if found.lowest is None:
        listener.warn(_without_optimum(function.name, target))
    return found


def _with_loss(problem: Problem, kept: _KeptRows, function: Loss, folds: Sequence[int]) -> RowProblem:
    """A squared-error problem over the rows of some folds, with its loss replaced."""
    common: dict[str, Any] = {field.name: getattr(problem, field.name) for field in fields(Problem)}
    rows, curvature = kept.objective(problem, function, folds), _curvature(problem, function.bound)
    return RowProblem(**common, kept=kept, rows=rows, function=function, curvature=curvature)


def _loss_of(problem: Problem, kept: _KeptRows, folds: Sequence[int], options: FitOptions, listener: Listener) -> Loss:
    """The loss that was asked for; one that takes a parameter gets its default from the residuals."""
    _, loss, given = options.model.loss
    name, form = loss.name, loss.parameter_form
    if form is None:
        return loss()
    if form.default is not None:
        return loss(form.default if given is None else given)
    least = optima.optimum(problem.triangle, problem.scaling) if problem.penalty else problem.optimum
    rounding = _rounding(problem.triangle, least.slopes)
    # As large as any residual at m = c = 0: with a smaller one the way to a target far from zero may take for ever.
    larger = f"{name}:{_largest(problem.triangle) or 1.0:.2g}"
    if given is None:
        given, words = loss.default_parameter(kept.objective(problem, Squared(), folds).median_residual(least.theta))
        if given <= rounding:
            raise DataError(
                f"--loss {name}: half of the least-squares residuals are zero{' up to rounding' if given else ''}, "
                f"so give {form.word}, as in {larger}"
            )
        listener.note(f"{name}: {words}")
    elif given <= rounding:
        raise DataError(
            f"--loss {name}:{given:g} is below the rounding of the residuals, about {rounding:.2g}: "
            f"give a larger one, as in {larger}"
        )
    return loss(given)


def _rounding(triangle: Triangle, slopes: Array) -> float:
    """The size of residuals that are nothing but rounding, of numbers as far from zero as the target's."""
    low, high, mean = triangle.minimum, triangle.maximum, triangle.mean.astype(np.float64)
    spread = np.where(triangle.known, np.maximum(high - mean, mean - low), 0.0)
    terms = np.abs(slopes) @ spread[:-1]
    return _OPERATIONS * float(np.finfo(np.float64).eps) * (_largest(triangle) + float(terms))


def _largest(triangle: Triangle) -> float:
    """The largest |y|."""
    return max(abs(float(triangle.minimum[-1])), abs(float(triangle.maximum[-1])))


def _curvature(problem: Problem, bound: float | None) -> float | None:
    """L for a bound on the loss's curvature."""
    if bound is None:
        return None
    if not problem.penalty.l2:
        # The spectrum is that of squared errors, (2/N) XᵀX.
        return bound * float(problem.spectrum.eigenvalues[0]) / 2.0
    steepest = ridge(problem.data, replace(problem.penalty, l2=2.0 * problem.penalty.l2 / bound))
    return bound * float(np.linalg.norm(steepest.R1, 2)) ** 2 / float(steepest.weight)


def _without_optimum(name: str, target: Target) -> str:
    if target.classes is not None:
        return (
            "the columns separate the two classes, so there is no optimum: "
            "the further the coefficients go, the lower the cost"
        )
    return f"--loss {name} has no optimum on these rows: the cost falls without end along some direction"


def _with_minimum(problem: RowProblem) -> RowProblem:
    """The problem with its minimum, found by Newton's method, if it has one."""
    least, function = problem.optimum, problem.function
    # Robust losses begin beside their optimum; from 0 the others cannot overflow.
    start = least.theta if function.degree else np.zeros_like(problem.start)
    found = newton.newton_minimum(problem.objective, start, least.null_space, problem.penalty, problem.recedes)
    if found is None:
        return problem
    moved = np.linalg.norm(problem.quadratic.R1 @ found.step) / np.sqrt(problem.quadratic.weight)
    if not function.degree and moved > _STILL_MOVING:
        return problem
    m, c = problem.scaling.to_file(found.theta)
    cost = found.cost * problem.cost_scale
    lowest = replace(least, slopes=m, intercept=float(c), theta=found.theta, cost=cost)
    return replace(problem, lowest=lowest, found=found)


def batch_steps(
    problem: Problem,
    reading: Dataset,
    options: FitOptions,
    optimizer: Optimizer,
    rates: Schedule,
    pause: Callable[[int], bool],
) -> BatchSteps:
    """The steps of a problem on batches, an epoch at a time; ``pause(iteration)`` says whether to stop there."""
    assert options.descent.batch_size is not None
    penalty, pull = problem.penalty, None
    if penalty.l2:
        pull = np.zeros_like(problem.start)
        penalty.slopes(pull)[...] = 2.0 * penalty.l2
    view = view_of(problem, target_of(reading, options), [0])
    batches = Batches(
        blocks=[rows for found in ask_all(reading.reduced.groups, view.blocks) for rows in found],
        loss=problem.function if isinstance(problem, RowProblem) else Squared(),
        intercept=problem.scaling.intercept,
        weight=problem.triangle.weight,
        target_scale=problem.scaling.target_scale,
        size=options.descent.batch_size,
        seed=options.descent.seed,
    )
    iterations = options.descent.iterations
    return BatchSteps(batches, optimizer, rates, iterations, problem.before, penalty.proximal, pull, pause)
