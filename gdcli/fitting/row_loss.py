"""A loss other than the squared error as a part of a problem: its objective over the rows, its bound, its minimum."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from gdcli.base.records import record, replace
from gdcli.engine import newton
from gdcli.engine.arrays import Array
from gdcli.engine.forecast import UNKNOWN, Forecast, Unknown
from gdcli.engine.lasso import corner_gap
from gdcli.engine.least_squares import Solution
from gdcli.engine.losses.contract import Loss
from gdcli.engine.objective import CurvedObjective, Point
from gdcli.engine.optimizers import Optimizer, OptimizerKind
from gdcli.engine.penalty import Penalty, penalized_curved, ridge
from gdcli.engine.row_objective import RowObjective
from gdcli.fitting.row_view import row_sums, view_of
from gdcli.fitting.target import Target
from gdcli.ingest.aggregate import Aggregate

if TYPE_CHECKING:
    from gdcli.fitting.problem import Problem

# Closer than this share of the cost a difference of two costs is rounding, and the second-order term is exact enough.
_CLOSE = 1e-8


@record(eq=False)
class FoldsOfRows:
    """All rows that were kept, by folds, and their target as the loss takes it."""

    reduced: Aggregate
    target: Target
    jobs: int | None
    threads: ThreadPoolExecutor

    def objective(self, problem: "Problem", function: Loss, folds: Sequence[int]) -> RowObjective:
        """The mean loss over the rows of the given folds, as a function of the problem's scaled θ."""
        view = view_of(problem, self.target, folds)
        groups = [row_sums(group, view, function, self.jobs, self.threads) for group in self.reduced.groups]
        weight = sum(self.reduced.folds[fold].weight for fold in folds)
        return RowObjective(groups, weight, problem.scaling.target_scale, function.degree)


@record(eq=False)
class RowLoss:
    """The mean of ``function`` over the rows of some folds, on a problem's scale.

    ``curvature`` is L, None if the loss has no bound. ``minimum`` has its cost in file units, ``found`` is the same on
    the scaled problem; both are None if there is no minimum or it was not sought.
    """

    kept: FoldsOfRows
    rows: RowObjective
    function: Loss
    curvature: float | None
    minimum: Solution | None = None
    found: newton.Minimum | None = None

    def objective(self, penalty: Penalty) -> CurvedObjective:
        """The mean loss with a penalty."""
        return penalized_curved(self.rows, penalty)

    def gap(self, theta: Array, penalty: Penalty, cost_scale: float) -> float | None:
        """The gap cost(θ) − cost(θ*) ≥ 0 for scaled θ, in the cost's units; None if no minimum is known.

        Close to θ*, where the difference is rounding, it is ½(θ − θ*)ᵀH(θ − θ*) plus what the penalty's B·Σ|β| adds.
        """
        if self.minimum is None or self.found is None:
            return None
        best, distance = self.found, theta - self.found.theta
        close = 0.5 * float(distance @ best.hessian @ distance)
        if penalty.l1:
            close += corner_gap(penalty, theta, best.theta, best.gradient)
        if close <= _CLOSE * best.cost:
            return close * cost_scale
        return max(float(self.objective(penalty).value(theta)) * cost_scale - self.minimum.cost, 0.0)

    def newton_direction(self, point: Point, penalty: Penalty, null_space: Array) -> Array:
        """The Newton step (p,) at a point, halved until the cost falls."""
        return newton.newton_step(self.objective(penalty), point, null_space)

    def forecast(self, optimizer: Optimizer) -> Forecast:
        """The forecast from the curvature's bound L: plain descent is stable below 2/L; of others nothing is known."""
        if optimizer.kind is not OptimizerKind.GRADIENT or self.curvature is None:
            return UNKNOWN
        return Unknown(largest_stable=2.0 / self.curvature)

    def recedes(self, direction: Array, penalty: Penalty) -> bool:
        """Whether the cost never rises along a direction of θ, however far: there is no minimum then."""
        if penalty:  # which rises along every slope
            direction = direction.copy()
            penalty.slopes(direction)[...] = 0.0
        return self.rows.recedes(direction)

    def restricted_to(self, problem: "Problem", folds: Sequence[int]) -> "RowLoss":
        """The same loss over the rows of the given folds, on another problem's scale; its minimum is not sought."""
        return row_loss_of(problem, self.kept, self.function, folds)


def row_loss_of(problem: "Problem", kept: FoldsOfRows, function: Loss, folds: Sequence[int]) -> RowLoss:
    """A loss over the rows of the given folds, on a problem's scale; its minimum is not sought."""
    return RowLoss(kept, kept.objective(problem, function, folds), function, _curvature(problem, function.bound))


def _curvature(problem: "Problem", bound: float | None) -> float | None:
    """L for a bound on the loss's curvature."""
    if bound is None:
        return None
    if not problem.penalty.l2:
        # The spectrum is that of squared errors, (2/N) XᵀX.
        return bound * float(problem.spectrum.eigenvalues[0]) / 2.0
    steepest = ridge(problem.data, replace(problem.penalty, l2=2.0 * problem.penalty.l2 / bound))
    return bound * float(np.linalg.norm(steepest.R1, 2)) ** 2 / float(steepest.weight)
