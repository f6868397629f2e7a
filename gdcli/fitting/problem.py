"""The scaled problem, and all that is known about it before the first step and after the last.

A squared error needs the triangle only; other losses (see ``row_loss``) go back to the rows.

reading → triangle → design columns → scaled problem, its optimum and its spectrum
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gdcli.base.allocator import return_freed_memory
from gdcli.base.errors import DataError
from gdcli.base.names import did_you_mean, listed, quoted
from gdcli.base.records import record
from gdcli.engine import least_squares as optima
from gdcli.engine import spectrum as spectra
from gdcli.engine.arrays import Array, Mask, PerLane, single
from gdcli.engine.blas import WIDE, threads_for
from gdcli.engine.catalog import SQUARED
from gdcli.engine.column import Column
from gdcli.engine.descent import Step
from gdcli.engine.forecast import Forecast
from gdcli.engine.lasso import gap, penalized_optimum
from gdcli.engine.objective import Objective, Point
from gdcli.engine.optimizers import Optimizer, OptimizerState
from gdcli.engine.penalty import UNPENALIZED, Penalty, penalized, ridge
from gdcli.engine.quadratic import Quadratic, SquaredError
from gdcli.engine.scaling import Scaling, scale, scale_as, standard_deviations
from gdcli.engine.triangle import Triangle, fill, own_means
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import INTERCEPT, Coefficient, TraceRow, TraceShape
from gdcli.fitting.terms import Terms
from gdcli.ingest.read import Dataset

if TYPE_CHECKING:
    from gdcli.fitting.row_loss import RowLoss

# "Converged" asks for both: a small gap, and slopes close to the optimum's (which ill-conditioned data fail).
CONVERGED_GAP, CONVERGED_DISTANCE = 1e-6, 0.01

WITHIN = 0.01

# A cost at the optimum below this share of mean(y²) is rounding: the fit is perfect.
PERFECT = 1e-24

# Slopes that are zero up to rounding are at a distance of rounding.
_ROUNDING = 1e-12

DOMINANT_WEIGHT = 0.25


@record(eq=False)
class Problem:
    """The scaled problem with all that is known about it before the first step.

    ``triangle`` is over the terms and the target, missing cells filled with the ``means`` of the numeric terms, which
    are those of the rows fitted; ``data`` is the mean squared error alone, ``quadratic`` has the penalty's A·Σβ² in it,
    and so have the optimum and the spectrum. ``mean_square`` is mean(y²), in squared target units. Of a descent that
    goes on ``before`` are the iterations done, and ``state`` the optimizer's. ``trial`` is the first rate that a search
    tries. ``row_loss`` is the loss that takes the place of the squared error, over the rows; ``optimum`` and
    ``spectrum`` are those of (penalized) least squares then, too.
    """

    triangle: Triangle
    means: Mapping[Column, float]
    terms: Terms
    penalty: Penalty
    data: Quadratic
    quadratic: Quadratic
    scaling: Scaling
    optimum: optima.Solution
    start: Array
    spectrum: spectra.Spectrum
    mean_square: PerLane
    before: int = 0
    state: OptimizerState | None = None
    trial: float = 1.0
    row_loss: "RowLoss | None" = None

    @property
    def loss(self) -> str:
        """The name of the loss."""
        return SQUARED if self.row_loss is None else self.row_loss.function.name

    @property
    def needs_rows(self) -> bool:
        """Whether the loss needs the rows: the triangle has all of a squared error."""
        return self.row_loss is not None

    @property
    def objective(self) -> Objective:
        """The objective to minimize on the scaled problem: the mean loss with the penalty."""
        if self.row_loss is not None:
            return self.row_loss.objective(self.penalty)
        return penalized(SquaredError(self.data), self.penalty)

    @property
    def cost_scale(self) -> PerLane:
        """The cost in file units that corresponds to a scaled cost of 1."""
        return self.scaling.target_scale**self.degree

    @property
    def degree(self) -> int:
        """The degree of the loss in the target's units; 0 if its target is not scaled."""
        return 2 if self.row_loss is None else self.row_loss.function.degree

    @property
    def minimum(self) -> optima.Solution | None:
        """The minimum of the cost; None if the cost falls without end."""
        return self.optimum if self.row_loss is None else self.row_loss.minimum

    @property
    def perfect(self) -> PerLane:
        """Whether the cost at the minimum is nothing but rounding."""
        return self.minimum is not None and self.minimum.cost <= PERFECT * self.mean_square

    @property
    def gap_measure(self) -> PerLane:
        """The cost that gaps are judged against, in the cost's units; 0 if there is no minimum."""
        if self.minimum is None:
            return 0.0
        if not np.any(self.perfect):
            return self.minimum.cost
        return single(np.where(self.perfect, self.gap(self.start), self.minimum.cost))

    def gap(self, theta: Array) -> PerLane:
        """The gap of the cost at θ to its minimum, in the cost's units; None without a minimum.

        For squared errors ‖R₁(θ − θ*)‖²/N plus the part of B·Σ|β|.
        """
        if self.row_loss is not None:
            return self.row_loss.gap(theta, self.penalty, self.cost_scale)
        return single(gap(self.quadratic, self.penalty, theta, self.optimum.theta) * self.scaling.target_scale**2)

    def mean_loss(self, theta: Array) -> float:
        """The mean loss, without the penalty, at θ (p or p+1,) of the scaled problem; in the cost's units."""
        mean = SquaredError(self.data) if self.row_loss is None else self.row_loss.rows
        return float(mean.value(theta) * self.cost_scale)

    def newton_direction(self, point: Point) -> Array:
        """H⁻¹ · gradient (p,) at a point; the step of Newton's method is against it."""
        if self.row_loss is not None:
            return self.row_loss.newton_direction(point, self.penalty, self.optimum.null_space)
        return self.spectrum.solve(point.gradient)

    def forecast(self, optimizer: Optimizer, state: OptimizerState) -> Forecast:
        """The forecast of an optimizer's rates before the first step."""
        if self.row_loss is not None:
            return self.row_loss.forecast(optimizer)
        return optimizer.forecast(self.spectrum, state)

    @property
    def automatic(self) -> float | None:
        """The rate of ``--lr auto``: 1/L, at which the cost falls at every step; None: the forecast's best rate."""
        bound = None if self.row_loss is None else self.row_loss.curvature
        return None if bound is None else 1.0 / bound

    @property
    def target_deviation(self) -> float:
        """The unit of standardized coefficients: the target's standard deviation, or 1 if it is not scaled."""
        return float(standard_deviations(self.triangle)[-1]) if self.degree else 1.0

    @property
    def classes(self) -> tuple[str, str] | None:
        """The two classes of a logistic fit, the event last; None for other losses."""
        return None if self.row_loss is None else self.row_loss.kept.target.classes

    @property
    def parameter(self) -> float | None:
        """The loss's parameter, None if it has none."""
        return None if self.row_loss is None else self.row_loss.function.parameter

    def held_out(self, reading: Dataset) -> Callable[[Array], Array]:
        """The mean loss over the rows held out, in the cost's units, as a function of θ."""
        if self.row_loss is not None:
            return self.row_loss.rows.judged
        squared = SquaredError(self.scaled(reading.reduced.folds[1]))
        return lambda theta: squared.value(theta) * self.cost_scale

    def scaled(self, held: Triangle) -> Quadratic:
        """The squared error over the rows of ``held``, with this problem's scaling and its means for missing cells."""
        return scale_as(fill(held, self.triangle.columns, self.means), self.scaling)

    def values(self, column: Column, columns: Sequence[Column], X: Array) -> Array:
        """The values (n,) of ``column`` in the rows ``X`` (n, q) over ``columns``, its mean in place of missing ones.

        Zeros if ``columns`` lack the column: it is a level that no row has.
        """
        if column not in columns:
            return np.zeros(len(X))
        found = X[:, list(columns).index(column)]
        return np.where(np.isnan(found), self.means[column], found) if column in self.means else found

    def targets(self, name: str, columns: Sequence[Column], X: Array) -> Array:
        """The values (n,) of the target ``name`` as the loss uses them, from rows ``X`` (n, q) over ``columns``."""
        target = None if self.row_loss is None else self.row_loss.kept.target
        y = self.values(Column(name) if target is None else target.column, columns, X)
        return y if target is None or target.event is None else (y == target.event).astype(np.float64)

    @property
    def saturated(self) -> bool:
        """Whether there are at least as many coefficients as rows, and no penalty."""
        return not self.penalty and len(self.labels) + int(self.scaling.intercept) >= self.triangle.count

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the terms, one for each slope."""
        return tuple(term.label for term in self.terms.columns)

    @property
    def collinear(self) -> tuple[tuple[str, ...], ...]:
        """Groups of names of terms that depend on each other."""
        labels = self.labels
        return tuple(tuple(labels[i] for i in group) for group in self.optimum.collinear)

    @property
    def within(self) -> PerLane:
        """The gap that counts as within 1 % of ``gap_measure``, in units of the scaled cost."""
        return WITHIN * self.gap_measure / self.cost_scale

    @property
    def variance(self) -> Array:
        """What R² is a share of (…), in squared target units: var(y), or mean(y²) without an intercept."""
        if not self.scaling.intercept:
            return np.asarray(self.mean_square)
        centered = self.triangle.R[..., 1:, -1].astype(np.float64)
        variance = np.sqrt(np.vecdot(centered, centered)) ** 2 / self.triangle.weight
        return np.where(self.triangle.constant[..., -1], 0.0, variance)


def build_problem(
    triangle: Triangle, target: Column, terms: Terms, options: FitOptions, own: Mask | None = None
) -> Problem:
    """The scaled problem of ``terms`` and ``target`` with its optimum and spectrum, from a triangle of rows.

    Of the triangle of many lanes it is that of all of them, without a penalty; ``own`` (…, p) marks the terms that have
    a coefficient in a lane.
    """
    means = {column: mean for column, mean in own_means(triangle).items() if column in terms.columns}
    chosen = fill(triangle, [*terms.columns, target], means)
    in_units = options.model.loss.kind.degree > 0  # those of the target, which is scaled then
    data, scaling = scale(chosen, options.model.scale, options.model.intercept, in_units, own)
    if len(terms.columns) > WIDE:
        return_freed_memory()
    with threads_for(len(terms.columns)):
        best = optima.optimum(chosen, scaling, own, data if in_units else None)
    penalty = options.model.penalty
    data = optima.determined_part(data, chosen, scaling, best, own)
    quadratic = ridge(data, penalty)
    # Decomposing a wide problem, or those of many lanes, once is enough, where the optimum's is the descent's.
    same = options.model.scale == "standard" and options.model.intercept and not penalty
    large = len(terms.columns) > WIDE or triangle.R.ndim > 2
    decomposed = best.standardized if same and large else None
    if penalty:
        best = penalized_optimum(quadratic, penalty, scaling, best)
    start = _start(terms.columns, scaling, options)
    if not np.isfinite(gap(quadratic, UNPENALIZED, start, best.theta)).all():
        raise DataError("--start is too far from any sensible value to compute with")
    spectrum = spectra.spectrum(quadratic, best.rank + int(options.model.intercept), start - best.theta, decomposed)
    mean_square = single((np.vecdot(data.z, data.z) + data.rho**2) / data.weight) * scaling.target_scale**2
    return Problem(chosen, means, terms, penalty, data, quadratic, scaling, best, start, spectrum, mean_square)


def _start(terms: tuple[Column, ...], scaling: Scaling, options: FitOptions) -> Array:
    """θ₀ (…, p) on the scaled problem, from starting values in file units."""
    labels = [term.label for term in terms]
    m, c = np.zeros(len(terms)), 0.0
    for name, value in options.descent.start.items():
        if name in labels:
            m[labels.index(name)] = value
        elif name in ("c", INTERCEPT) and options.model.intercept:
            c = value
        elif name == "m" and len(terms) == 1:
            m[0] = value
        else:
            known = [*labels, *(["c"] if options.model.intercept else [])]
            raise DataError(
                f"--start: there is no term {quoted(name)}.{did_you_mean(name, known)} Terms: {listed(known)}"
            )
    return scaling.to_scaled(m, c)


def coefficients_of(problem: Problem, m: Array | None) -> tuple[Coefficient, ...]:
    """The slopes as Coefficient records, in file units; ``m`` (p,) are the descent's slopes, None if it diverged."""
    deviation, unit = standard_deviations(problem.triangle), problem.target_deviation
    best = problem.minimum
    found = []
    for i, term in enumerate(problem.labels):
        value = None if m is None else float(m[i])
        standardized = None if value is None or not unit else value * float(deviation[i] / unit)
        found.append(Coefficient(term, value, None if best is None else float(best.slopes[i]), standardized))
    return tuple(found)


def r2(problem: Problem, cost: float) -> float | None:
    """R²: 1 − cost / var(y), or 1 − cost / mean(y²) without an intercept.

    None for a constant target, and for a loss other than the squared error.
    """
    if problem.needs_rows:
        return None
    total = float(problem.variance)
    return 1.0 - cost / total if total > 0 else None


def converged(problem: Problem, theta: Array, gap: PerLane) -> PerLane:
    """Whether θ (…, p) is close to the minimum in cost and in coefficients; False without a minimum."""
    best = problem.minimum
    if best is None or gap is None:
        return False
    first = 1 if problem.scaling.intercept else 0
    distance, least = best.determined(theta - best.theta)[..., first:], best.theta[..., first:]
    near = np.linalg.norm(distance, axis=-1) <= CONVERGED_DISTANCE * np.linalg.norm(least, axis=-1) + _ROUNDING
    return single((gap <= CONVERGED_GAP * problem.gap_measure) & near)


def shape_of(problem: Problem, validation: bool, scheduled: bool = False) -> TraceShape:
    """The facts about all of a descent's iterations, for recorders; ``scheduled``: the learning rate changes."""
    deviation, best = standard_deviations(problem.triangle), problem.minimum or problem.optimum
    importance = np.abs(best.slopes * deviation[:-1] / (problem.target_deviation or 1.0))
    return TraceShape(
        terms=problem.labels,
        intercept=problem.scaling.intercept,
        validation=validation,
        gap_measure=problem.gap_measure,
        importance=tuple(importance.tolist()),
        scheduled=scheduled,
    )


def row_of(
    problem: Problem, step: Step, validation: float | None = None, learning_rate: float | None = None
) -> TraceRow:
    """A step as a row of the trace, in file units; ``validation`` and ``learning_rate`` are stored as given."""
    m, c = problem.scaling.to_file(step.theta)
    return TraceRow(
        step.iteration,
        tuple(m.tolist()),
        float(c) if problem.scaling.intercept else None,
        float(step.cost) * problem.cost_scale,
        problem.gap(step.theta),
        validation,
        learning_rate,
    )
