"""The problem of a loss other than the squared error: its mean over the rows themselves.

The triangle of the same rows still gives the scaling, which columns are collinear, and XᵀX, from which the bound on the
curvature comes: no eigenvalue of the Hessian is above L = λmax(max loss'' · XᵀX/N + 2A), with 2A for each slope.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from gdcli.base.cores import usable_cores
from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.base.names import quoted
from gdcli.base.records import replace
from gdcli.engine import least_squares as optima
from gdcli.engine import newton
from gdcli.engine.arrays import Array, NDArray
from gdcli.engine.batches import Batches, BatchSteps
from gdcli.engine.losses.contract import Loss
from gdcli.engine.losses.squared import Squared
from gdcli.engine.optimizers import Optimizer
from gdcli.engine.row_sums import Role
from gdcli.engine.schedules import Schedule
from gdcli.engine.triangle import Triangle
from gdcli.fitting.options import FitOptions
from gdcli.fitting.problem import Problem
from gdcli.fitting.row_loss import FoldsOfRows, RowLoss, curvature
from gdcli.fitting.row_view import view_of
from gdcli.fitting.target import Target, target_of
from gdcli.ingest.kept_rows import ask_all
from gdcli.ingest.read import Dataset

# Operations whose rounding a residual carries, on numbers of the size of the target and of the terms.
_OPERATIONS = 4

# If a Newton step moves predictions by more than this and the cost falls no more, it is on its way to infinity.
_STILL_MOVING = 1e-3


def over_rows(problem: Problem, reading: Dataset, target: Target, options: FitOptions, listener: Listener) -> Problem:
    """The problem with the loss that was asked for, on the same rows and scaling as the squared-error ``problem``."""
    jobs = options.machine.jobs
    kept = FoldsOfRows(reading.reduced, target, jobs, ThreadPoolExecutor(jobs or usable_cores()))
    roles = np.full((len(reading.reduced.folds), 1), Role.FITTED, np.int8)
    if options.checks.holds_out:
        roles[1] = Role.JUDGED
    function = _loss_of(problem, kept, roles, options, listener)
    if target.classes is not None:
        listener.note(f"the event is {quoted(target.classes[1])}, the other class {quoted(target.classes[0])}")
    rows = kept.objective([problem], function, roles)
    over = RowLoss(kept, rows, function, curvature(problem, function.bound))
    if function.smooth:
        over = _with_minimum(over, problem)
        if over.minimum is None:
            listener.warn(_without_optimum(function.name, target))
    return replace(problem, row_loss=over)


def _loss_of(
    problem: Problem, kept: FoldsOfRows, roles: NDArray[np.int8], options: FitOptions, listener: Listener
) -> Loss:
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
        given, words = loss.default_parameter(kept.objective([problem], Squared(), roles).median_residual(least.theta))
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


def _without_optimum(name: str, target: Target) -> str:
    if target.classes is not None:
        return (
            "the columns separate the two classes, so there is no optimum: "
            "the further the coefficients go, the lower the cost"
        )
    return f"--loss {name} has no optimum on these rows: the cost falls without end along some direction"


def _with_minimum(over: RowLoss, problem: Problem) -> RowLoss:
    """The loss with its minimum on a problem's scale, found by Newton's method, if it has one."""
    least, function, penalty = problem.optimum, over.function, problem.penalty
    # Robust losses begin beside their optimum; from 0 the others cannot overflow.
    start = least.theta if function.degree else np.zeros_like(problem.start)
    recedes = partial(over.recedes, penalty=penalty)
    found = newton.newton_minimum(over.objective(penalty), start, least.null_space, penalty, recedes)
    if found is None:
        return over
    moved = np.linalg.norm(problem.quadratic.R1 @ found.step) / np.sqrt(problem.quadratic.weight)
    if not function.degree and moved > _STILL_MOVING:
        return over
    m, c = problem.scaling.to_file(found.theta)
    cost = found.cost * problem.scaling.target_scale**function.degree
    return replace(
        over, minimum=replace(least, slopes=m, intercept=float(c), theta=found.theta, cost=cost), found=found
    )


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
    penalty = problem.penalty
    pull = penalty.pull(np.ones_like(problem.start)) if penalty.l2 else None
    roles = np.zeros((len(reading.reduced.folds), 1), np.int8)
    roles[0] = Role.FITTED
    view = view_of([problem], target_of(reading, options), roles)
    batches = Batches(
        blocks=[rows for found in ask_all(reading.reduced.groups, view.blocks) for rows in found],
        loss=Squared() if problem.row_loss is None else problem.row_loss.function,
        intercept=problem.scaling.intercept,
        weight=problem.triangle.weight,
        target_scale=problem.scaling.target_scale,
        size=options.descent.batch_size,
        seed=options.descent.seed,
    )
    iterations = options.descent.iterations
    return BatchSteps(batches, optimizer, rates, iterations, problem.before, penalty.proximal, pull, pause)
