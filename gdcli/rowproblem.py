"""A problem that no triangle stands for: the mean of another loss over the rows themselves.

The triangle of the same rows still gives the scaling, which columns are collinear, and XᵀX, from which the bound on the
curvature comes: no eigenvalue of the Hessian is above L = max loss'' · λmax(XᵀX/N).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from gdcli.engine import newton
from gdcli.engine import optimum as optima
from gdcli.engine.forecast import UNKNOWN, Forecast, Unknown
from gdcli.engine.losses import Huber, Logistic, Loss, Poisson, Squared, parse_loss
from gdcli.engine.objective import Valued
from gdcli.engine.optimizers import PLAIN, Optimizer, State
from gdcli.engine.rowwise import RowBlock, RowObjective
from gdcli.engine.scaling import standard_deviations
from gdcli.engine.triangle import Array
from gdcli.errors import DataError
from gdcli.listener import Listener
from gdcli.problem import Problem
from gdcli.reading import Reading
from gdcli.reduced import KeptRows
from gdcli.settings import FitOptions
from gdcli.targets import Target
from gdcli.text import quoted

# Huber's default: 95 % of least squares' efficiency on normal errors, with the median absolute residual for their
# scale (Huber & Ronchetti, Robust Statistics, 2nd ed. 2009; R's MASS::rlm).
_EFFICIENT, _NORMAL_MEDIAN = 1.345, 0.6745
# A Newton step that still moves predictions so far, where the cost falls no more, is on its way to infinity.
_STILL_MOVING = 1e-3
# Closer than this share of the cost a difference of two costs is rounding, and the second-order term is exact enough.
_CLOSE = 1e-8


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RowProblem(Problem):
    """As a :class:`Problem`, whose ``optimum`` is that of least squares; ``lowest`` is the minimum of this loss, with
    its cost in file units, and ``hessian`` (p, p) is there; both None where there is none.
    """

    rows: RowObjective
    function: Loss
    target: Target
    lowest: optima.Optimum | None
    hessian: Array | None

    @property
    def loss(self) -> str:
        return self.function.name

    @property
    def objective(self) -> Valued:
        return self.rows

    @property
    def minimum(self) -> optima.Optimum | None:
        return self.lowest

    def gap(self, theta: Array) -> float | None:
        """cost(θ) − cost(θ*), and close to θ* the second-order term ½(θ − θ*)ᵀH(θ − θ*) of that."""
        if self.lowest is None or self.hessian is None:
            return None
        distance = theta - self.lowest.theta
        quadratic = 0.5 * float(distance @ self.hessian @ distance) * self.unit
        if quadratic <= _CLOSE * self.lowest.cost:
            return quadratic
        return max(float(self.rows.value(theta)) * self.unit - self.lowest.cost, 0.0)

    def mean_squared_error(self, theta: Array) -> float | None:
        return None

    def solve(self, gradient: Array) -> Array:
        """Return the Newton step where the gradient was taken last, halved until the cost falls."""
        theta, cost = self.rows.latest
        return newton.newton_step(self.rows, theta, cost, gradient, self.optimum.null_space)

    def forecast(self, optimizer: Optimizer, state: State) -> Forecast:
        """Return what the bound says of plain descent: it is stable below 2/L. Of others nothing is known."""
        if optimizer.name != PLAIN or self.curvature is None:
            return UNKNOWN
        return Unknown(largest_stable=2.0 / self.curvature)

    @property
    def curvature(self) -> float | None:
        """L, where the loss has a bound."""
        bound = self.function.bound
        # The spectrum is that of squared errors, (2/N) XᵀX.
        return None if bound is None else bound * float(self.spectrum.eigenvalues[0]) / 2.0

    @property
    def automatic(self) -> float | None:
        """1/L: the cost falls at every step."""
        return None if self.curvature is None else 1.0 / self.curvature

    @property
    def target_deviation(self) -> float:
        return float(standard_deviations(self.triangle)[-1]) if self.function.scales_target else 1.0

    @property
    def classes(self) -> tuple[str, str] | None:
        return self.target.classes

    @property
    def delta(self) -> float | None:
        return self.function.delta if isinstance(self.function, Huber) else None

    def held_out(self, reading: Reading, options: FitOptions) -> Valued:
        blocks = row_blocks(self, self.target, reading.reduced.blocks, [1])
        weight, unit = reading.reduced.folds[1].weight, self.scaling.target_scale
        return RowObjective(blocks, self.function, self.scaling.intercept, weight, unit, options.jobs)


def over_rows(
    problem: Problem,
    reading: Reading,
    target: Target,
    options: FitOptions,
    listener: Listener,
    folds: Sequence[int] = (0,),
) -> Problem:
    """Return the problem of the same rows, those of some ``folds``, and scaling with the loss that was asked for."""
    name, parameter = parse_loss(options.loss_word)
    blocks = row_blocks(problem, target, reading.reduced.blocks, folds)
    weight, unit = problem.triangle.weight, problem.scaling.target_scale

    def objective(loss: Loss) -> RowObjective:
        return RowObjective(blocks, loss, options.intercept, weight, unit, options.jobs)

    function: Loss
    if name == Huber.name:
        delta = parameter or _usual_delta(objective(Squared()), blocks, problem, options)
        if parameter is None:
            listener.note(f"huber: δ = {delta:.6g}, 1.345 · median |r| / 0.6745 of the least-squares residuals r")
        function = Huber(delta)
    else:
        function = Logistic() if name == Logistic.name else Poisson()
    if target.classes is not None:
        listener.note(f"the event is {quoted(target.classes[1])}, the other class {quoted(target.classes[0])}")
    rows = objective(function)
    lowest, hessian = _lowest(rows, function, problem)
    if lowest is None:
        listener.warn(_without_optimum(name, target))
    common: dict[str, Any] = {field.name: getattr(problem, field.name) for field in fields(Problem)}
    return RowProblem(**common, rows=rows, function=function, target=target, lowest=lowest, hessian=hessian)


def _without_optimum(name: str, target: Target) -> str:
    if target.classes is not None:
        return (
            "the columns separate the two classes, so there is no optimum: "
            "the further the coefficients go, the lower the cost"
        )
    return f"--loss {name} has no optimum on these rows: the cost falls without end along some direction"


def _lowest(rows: RowObjective, function: Loss, problem: Problem) -> tuple[optima.Optimum | None, Array | None]:
    """Return the minimum and the Hessian there, by Newton's method."""
    null_space, scaling = problem.optimum.null_space, problem.scaling
    # Robust losses begin beside their optimum; from 0 the others cannot overflow.
    start = problem.optimum.theta if function.scales_target else np.zeros_like(problem.start)
    found = newton.minimum(rows, start, null_space)
    if found is None:
        return None, None
    moved = np.linalg.norm(problem.quadratic.R1 @ found.step) / np.sqrt(problem.quadratic.weight)
    if not function.scales_target and moved > _STILL_MOVING:
        return None, None
    m, c = scaling.to_file(found.theta)
    cost = found.cost * problem.unit
    best = replace(problem.optimum, slopes=m, intercept=float(c), theta=found.theta, cost=cost)
    return best, found.hessian


def _usual_delta(rows: RowObjective, blocks: Sequence[RowBlock], problem: Problem, options: FitOptions) -> float:
    """Return 1.345 · median |r| / 0.6745 in target units."""
    residuals = rows.each(lambda z, y: np.abs(y - z), problem.optimum.theta)
    weights = np.concatenate([np.ones(len(b.y)) if b.weights is None else b.weights for b in blocks])
    delta = _EFFICIENT * _median(residuals, weights) / _NORMAL_MEDIAN
    if not delta > 0:
        raise DataError("--loss huber: half of the least-squares residuals are zero, so give δ, as in huber:1.5")
    return delta


def _median(values: Array, weights: Array) -> float:
    """Return the weighted median: the mean of the lower and the upper one."""
    order = np.argsort(values, kind="stable")
    values, below = values[order], np.cumsum(weights[order])
    half = below[-1] / 2.0
    lower, upper = np.searchsorted(below, half, side="left"), np.searchsorted(below, half, side="right")
    return 0.5 * float(values[lower] + values[min(upper, len(values) - 1)])


def row_blocks(problem: Problem, target: Target, kept: Sequence[KeptRows], folds: Sequence[int]) -> list[RowBlock]:
    """Return the rows of some folds, with the way to the problem's scaled columns."""
    return [
        _block(problem, target, rows, start, stop) for rows in kept for start, stop in _runs(rows.bounds, sorted(folds))
    ]


def _runs(bounds: Sequence[int], folds: Sequence[int]) -> list[tuple[int, int]]:
    """Return where the rows of some folds, which are neighbours, begin and end."""
    runs: list[tuple[int, int]] = []
    for fold in folds:
        start, stop = bounds[fold], bounds[fold + 1]
        if start < stop and runs and runs[-1][1] == start:
            runs[-1] = runs[-1][0], stop
        elif start < stop:
            runs.append((start, stop))
    return runs


def _block(problem: Problem, target: Target, rows: KeptRows, start: int, stop: int) -> RowBlock:
    scaling, taken = problem.scaling, slice(start, stop)
    place = {column: i for i, column in enumerate(rows.columns)}
    found = np.array([place.get(column, -1) for column in problem.terms.columns], dtype=np.intp)
    constant = _constant(problem)
    shift = np.where(found >= 0, np.append(rows.shift, 0.0)[found], 0.0)
    terms = np.flatnonzero((found >= 0) & ~constant)

    def release(first: int, last: int) -> None:
        for pages in rows.pages:
            pages.drop(start + first, start + last)

    return RowBlock(
        X=rows.X[taken],
        y=target.of(rows)[taken],
        weights=None if rows.weights is None else rows.weights[taken],
        offset=np.where(constant, 0.0, (shift - scaling.center) / scaling.scale),
        terms=terms,
        places=found[terms],
        factor=1.0 / scaling.scale[terms],
        release=release if rows.pages else None,
    )


def _constant(problem: Problem) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Return which terms have one value only in the rows fitted: beside an intercept they say nothing."""
    constant = problem.triangle.constant[:-1]
    return constant if problem.scaling.intercept else np.zeros_like(constant)
