"""The penalty on the slopes of the scaled problem, A·Σβ² + B·Σ|β|; the intercept is free.

It is added to an objective's value once, whatever the loss (``Penalized``). The quadratic part is smooth and goes into
the gradient; Σ|β| has a corner at 0 and becomes a step of its own after each update, which makes slopes exactly zero
(``Penalty.proximal``; Parikh & Boyd, Proximal Algorithms, 2014, sections 4.2 and 6.5.2).

Of a squared error with A all is still known: the triangle with the rows √(N·A)·I below it is the triangle of the
penalized problem (``ridge``; Hoerl & Kennard, Ridge regression, Technometrics 12, 1970).
"""

from collections.abc import Sequence

import numpy as np

from gdcli.base.records import record, replace
from gdcli.engine.arrays import Array
from gdcli.engine.objective import CurvedObjective, Objective, Point
from gdcli.engine.quadratic import Quadratic
from gdcli.engine.scaling import compact


@record
class Penalty:
    """``l2`` = A ≥ 0 and ``l1`` = B ≥ 0, for a target in standard deviations; ``intercept``: θ₀ is free.

    For lanes with penalties of their own both are arrays (…) of the lanes' shape.
    """

    l2: float | Array = 0.0
    l1: float | Array = 0.0
    intercept: bool = True

    def __bool__(self) -> bool:
        return bool(np.any(self.l2) or np.any(self.l1))

    def slopes(self, theta: Array) -> Array:
        """The part of θ (…, p) that is penalized."""
        slopes: Array = theta[..., 1:] if self.intercept else theta
        return slopes

    def corner(self, theta: Array) -> Array:
        """The part B·Σ|β| (…) of the penalty at θ (…, p)."""
        value: Array = self.l1 * np.abs(self.slopes(theta)).sum(axis=-1)
        return value

    def value(self, theta: Array) -> Array:
        """The penalty A·Σβ² + B·Σ|β| (…) at θ (…, p)."""
        slopes = self.slopes(theta)
        value: Array = self.l2 * np.vecdot(slopes, slopes) + self.corner(theta)
        return value

    def proximal(self, theta: Array, learning_rate: Array | float) -> Array:
        """θ (…, p) with each slope moved by η·B towards zero; a slope nearer to zero than that becomes zero."""
        if isinstance(self.l1, int | float) and not self.l1:
            return theta
        slopes = self.slopes(theta)
        moved = np.sign(slopes) * np.maximum(np.abs(slopes) - learning_rate * _of_lanes(self.l1), 0.0) + 0.0  # no −0
        return np.concatenate([theta[..., :1], moved], axis=-1) if self.intercept else moved

    def steepest(self, theta: Array, gradient: Array) -> Array:
        """The subgradient of least norm, shaped like θ, of the cost with B·Σ|β|: zero at the minimum alone.

        ``gradient`` is that of the cost without B·Σ|β|.
        """
        if not self.l1:
            return gradient
        slopes, slope_gradient = self.slopes(theta), self.slopes(gradient)
        at_corner = np.sign(slope_gradient) * np.maximum(np.abs(slope_gradient) - self.l1, 0.0)
        found = np.where(slopes == 0, at_corner, slope_gradient + self.l1 * np.sign(slopes))
        return np.concatenate([gradient[..., :1], found], axis=-1) if self.intercept else found

    def pull(self, theta: Array) -> Array:
        """The gradient (…, p) of A·Σβ² at θ (…, p)."""
        gradient = np.zeros_like(theta)
        self.slopes(gradient)[...] = 2.0 * _of_lanes(self.l2) * self.slopes(theta)
        return gradient


UNPENALIZED = Penalty()


def side_by_side_penalty(penalties: Sequence[Penalty]) -> Penalty:
    """The penalties as one, for lanes (penalties, k): each for k of them."""
    l2, l1 = [one.l2 for one in penalties], [one.l1 for one in penalties]
    return Penalty(_if_different(l2), _if_different(l1), penalties[0].intercept)


def _if_different(values: Sequence[float | Array]) -> float | Array:
    """The values (n, 1), or the first one if all are the same."""
    found = np.array(values)[:, np.newaxis]
    return found if (found != found[0]).any() else values[0]


def _of_lanes(values: float | Array) -> Array:
    """The values of lanes (…), for arrays (…, p)."""
    return np.asarray(values)[..., np.newaxis]


def penalized(objective: Objective, penalty: Penalty) -> Objective:
    """The objective with the penalty added; the objective itself if the penalty is zero."""
    return PenalizedObjective(objective, penalty) if penalty else objective


def penalized_curved(objective: CurvedObjective, penalty: Penalty) -> CurvedObjective:
    """The objective with the penalty added, for Newton's method; the objective itself if the penalty is zero."""
    return PenalizedCurved(objective, penalty) if penalty else objective


class PenalizedObjective:
    """An objective with the penalty added; the gradient is that of the smooth part, without B·Σ|β|."""

    def __init__(self, objective: Objective, penalty: Penalty) -> None:
        self.objective, self.penalty = objective, penalty

    def value(self, theta: Array) -> Array:
        """The cost (…) at θ."""
        cost: Array = self.objective.value(theta) + self.penalty.value(theta)
        return cost

    def at(self, theta: Array) -> Point:
        """The point at θ."""
        _, cost, gradient = self.objective.at(theta)
        return Point(theta, cost + self.penalty.value(theta), gradient + self.penalty.pull(theta))


class PenalizedCurved(PenalizedObjective):
    """A :class:`PenalizedObjective` with the Hessian of the smooth part."""

    def __init__(self, objective: CurvedObjective, penalty: Penalty) -> None:
        super().__init__(objective, penalty)
        self._curved = objective

    def hessian(self, theta: Array, above: bool = False) -> Array:
        """The Hessian (…, p, p) at θ with 2A for each slope; with ``above`` that of parabolas above the losses."""
        each = self.penalty.pull(np.ones_like(theta))[..., np.newaxis, :]
        return self._curved.hessian(theta, above) + each * np.eye(theta.shape[-1])


def ridge(problem: Quadratic, penalty: Penalty) -> Quadratic:
    """The problem with A·Σβ² added: ‖z − R₁θ‖² + N·A·Σβ² is the sum of squares of more rows."""
    if not penalty.l2:
        return problem
    p = problem.R1.shape[1]
    rows = np.sqrt(problem.weight * penalty.l2) * np.eye(p)[1 if penalty.intercept else 0 :]
    more = np.zeros(len(rows))
    return compact(replace(problem, R1=np.vstack([problem.R1, rows]), z=np.concatenate([problem.z, more])))
