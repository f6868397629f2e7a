"""A loss other than the squared error as a part of a problem: its objective over the rows, its bound, its minimum."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from gdcli.base.records import record, replace
from gdcli.engine import newton
from gdcli.engine.arrays import Array, NDArray
from gdcli.engine.forecast import UNKNOWN, Forecast, Unknown
from gdcli.engine.lasso import corner_gap
from gdcli.engine.least_squares import Solution
from gdcli.engine.losses.contract import Loss
from gdcli.engine.objective import CurvedObjective, Point
from gdcli.engine.optimizers import Optimizer, OptimizerKind
from gdcli.engine.penalty import Penalty, penalized_curved, ridge
from gdcli.engine.row_objective import RowObjective
from gdcli.engine.row_sums import Role
from gdcli.fitting.folds import Folds
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

    def objective(self, problems: "Sequence[Problem]", function: Loss, roles: NDArray[np.int8]) -> RowObjective:
        """The mean loss over the rows as a function of scaled θ, of one problem or of several side by side.

        ``roles`` (folds, problems) says what the rows of a fold are to a problem.
        """
        view = view_of(problems, self.target, roles)
        groups = [row_sums(group, view, function, self.jobs, self.threads) for group in self.reduced.groups]
        weights = np.array([fold.weight for fold in self.reduced.folds])
        fitted, judged = ((weights[:, np.newaxis] * (roles == role)).sum(axis=0) for role in (Role.FITTED, Role.JUDGED))
        scales = np.array([problem.scaling.target_scale for problem in problems])
        return RowObjective(groups, fitted, judged, scales, function.degree)


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
        return max(float(self.objective(penalty).value(theta)) * cost_scale - float(self.minimum.cost), 0.0)

    def newton_direction(self, point: Point, penalty: Penalty, null_space: Array) -> Array:
        """The Newton step (…, p) at a point, halved until the cost falls."""
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

    def folds(self, problems: "Sequence[Problem]", penalty: Penalty) -> Folds:
        """The same loss on the problems without each fold."""
        # Number (i, j) is what the rows of fold i are to the problem without fold j.
        roles = np.where(np.eye(len(problems), dtype=bool), Role.JUDGED, Role.FITTED).astype(np.int8)
        rows = self.kept.objective(problems, self.function, roles)
        objective = penalized_curved(rows, penalty)
        unknown = [problem.optimum.null_space for problem in problems]
        most = max(map(len, unknown))
        null_space = np.stack([np.pad(found, ((0, most - len(found)), (0, 0))) for found in unknown])
        # With A > 0 all coefficients are determined.
        null_space = null_space * (np.asarray(penalty.l2) == 0)[..., np.newaxis, np.newaxis]
        return Folds(objective, rows.judged, lambda point: newton.newton_step(objective, point, null_space))

    def with_penalty_of(self, problem: "Problem") -> "RowLoss":
        """The same loss with the penalty of another problem of the same scale; its minimum is not sought."""
        return RowLoss(self.kept, self.rows, self.function, curvature(problem, self.function.bound))


def curvature(problem: "Problem", bound: float | None) -> float | None:
    """L for a ``bound`` on the loss's curvature."""
    if bound is None:
        return None
    if not problem.penalty.l2:
        # The spectrum is that of squared errors, (2/N) XᵀX.
        return bound * float(problem.spectrum.eigenvalues[0]) / 2.0
    steepest = ridge(problem.data, replace(problem.penalty, l2=2.0 * problem.penalty.l2 / bound))
    return bound * float(np.linalg.norm(steepest.R1, 2)) ** 2 / float(steepest.weight)
