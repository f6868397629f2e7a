"""Newton's method with step halving on a convex cost: its minimum, or that there is none. θ may be a stack (…, p).

Nocedal & Wright, Numerical Optimization, 2nd ed. 2006, sections 3.1 and 3.3; Albert & Anderson, On the existence of
maximum likelihood estimates in logistic regression models, Biometrika 71, 1984.
"""

from collections.abc import Callable

import numpy as np

from gdcli.base.records import record
from gdcli.engine.arrays import Array
from gdcli.engine.lasso import lasso_minimum as penalized_minimum
from gdcli.engine.objective import CurvedObjective, Point
from gdcli.engine.penalty import UNPENALIZED, Penalty
from gdcli.engine.quadratic import Quadratic

MOST_NEWTON_STEPS = 100

# A step that promises a share of the cost below this is rounding.
_NOTHING_LEFT = 1e-20

_MOST_HALVINGS = 40

_FIRST_STEPS = 4  # they say little of a minimum that is far away, and most fits need few more

_ROUNDING = 1e-14  # of the cost, a mean of many

_SUFFICIENT = 1e-4  # of the slope's promise (Armijo)

# Directions that are flatter than this share of the steepest are stepped along as if they were not.
_FLATTEST = 1e-13

# Where nothing is curved: the step is as long as can be without overflow, and no use.
_PLANE = 1e-30


@record(eq=False)
class Minimum:
    """The minimum of a cost: ``theta`` (p,), the ``cost`` there, and the next ``step`` (p,) of Newton's method.

    ``gradient`` (p,) and ``hessian`` (p, p) are those of the smooth part. If the cost falls no further but the step is
    long, the minimum is at infinity: each step of Newton's method then changes the prediction by about 1, and the cost
    falls to nothing as e⁻ᵏ.
    """

    theta: Array
    cost: float
    gradient: Array
    hessian: Array
    step: Array


def direction(hessian: Array, gradient: Array, null_space: Array) -> Array:
    """H⁻¹ · gradient (…, p), with nothing along the rows of ``null_space`` (…, k, p), which the data do not determine.

    It is NaN where the Hessian is not finite.
    """
    finite = np.asarray(np.isfinite(hessian).all(axis=(-2, -1)))
    known = np.where(finite[..., np.newaxis, np.newaxis], hessian, 1.0)
    eigenvalues, vectors = _decomposed(known)
    step: Array = np.matvec(vectors, np.vecmat(gradient, vectors) / eigenvalues)
    step -= np.vecmat(np.matvec(null_space, step), null_space)
    return np.where(finite[..., np.newaxis], step, np.nan)


def proximal_direction(hessian: Array, gradient: Array, null_space: Array, theta: Array, penalty: Penalty) -> Array:
    """The step d (p,) to subtract from θ (p,) that minimizes −∇·d + ½ dᵀHd + B·Σ|β − d|, to rounding.

    As a sum of squares in θ' = θ − d: ‖R(θ' − θ) + r‖² with RᵀR = H/2 and 2Rᵀr = ∇ (Lee, Sun & Saunders, Proximal
    Newton-type methods, SIAM J. Optim. 24, 2014).
    """
    eigenvalues, vectors = _decomposed(hessian)
    R = np.sqrt(eigenvalues / 2.0)[:, np.newaxis] * vectors.T
    r = (gradient @ vectors) / np.sqrt(2.0 * eigenvalues)
    R -= (R @ null_space.T) @ null_space
    model = Quadratic(R, R @ theta - r, np.asarray(0.0), np.asarray(1.0))
    return theta - penalized_minimum(model, penalty)


def _decomposed(hessian: Array) -> tuple[Array, Array]:
    """The eigenvalues (…, p), none too flat, and the eigenvectors (…, p, p) as columns."""
    eigenvalues, vectors = np.linalg.eigh(hessian)
    return np.maximum(eigenvalues, np.maximum(_FLATTEST * eigenvalues[..., -1:], _PLANE)), vectors


def newton_step(objective: CurvedObjective, point: Point, null_space: Array, penalty: Penalty = UNPENALIZED) -> Array:
    """The Newton step (…, p) to subtract from θ, halved until the cost falls; zero if no such step lowers it.

    If it had to be halved, a second step is tried, with a parabola above each row's loss in place of the loss itself,
    and the step to the lower cost is returned: far from the optimum of Huber's loss every row may be without curvature.
    ``objective`` and the gradient of ``point`` contain the penalty; only its B·Σ|β| is missing from the gradient, and
    only a single θ (p,) may have that part.
    """
    step, whole = _halved_step(objective, point, null_space, penalty, above=False)
    if whole.all():
        return step
    # The objective does not look at the rows for lanes that are not finite.
    rest = point._replace(theta=np.where(whole[..., np.newaxis], np.nan, point.theta))
    other, _ = _halved_step(objective, rest, null_space, penalty, above=True)
    lower = objective.value(rest.theta - other) < objective.value(rest.theta - step)
    return np.where(lower[..., np.newaxis], other, step)


def _halved_step(
    objective: CurvedObjective, point: Point, null_space: Array, penalty: Penalty, above: bool
) -> tuple[Array, Array]:
    """The step (…, p), halved until the cost falls, and whether it is the full one (…)."""
    theta, cost, gradient = point
    step = _whole_step(objective.hessian(theta, above), gradient, null_space, theta, penalty)
    return _halved(objective, theta, cost, step, _promised(theta, gradient, step, penalty))


def _whole_step(hessian: Array, gradient: Array, null_space: Array, theta: Array, penalty: Penalty) -> Array:
    if penalty.l1:
        return proximal_direction(hessian, gradient, null_space, theta, penalty)
    return direction(hessian, gradient, null_space)


def _promised(theta: Array, gradient: Array, step: Array, penalty: Penalty) -> Array:
    """The fall (…) of the cost along a step if its smooth part were a plane."""
    return np.asarray(np.vecdot(gradient, step) + penalty.corner(theta) - penalty.corner(theta - step))


def _halved(objective: CurvedObjective, theta: Array, cost: Array, step: Array, promised: Array) -> tuple[Array, Array]:
    """The step (…, p), halved until the cost falls enough, and whether the full step did (…); zero if no step does.

    A rise within the rounding of the cost is accepted: near the minimum only the gradient is precise enough.
    """
    highest = cost + _ROUNDING * np.abs(cost)
    left = ~np.isnan(cost)  # a lane whose cost is NaN comes to nothing
    whole = low = np.zeros_like(left)
    for halvings in range(_MOST_HALVINGS):
        low = objective.value(theta - step) <= highest - _SUFFICIENT * promised
        whole = whole if halvings else low
        left = left & ~low
        if not left.any():
            break
        step = np.where(left[..., np.newaxis], step / 2.0, step)
        promised = np.where(left, promised / 2.0, promised)
    return np.where(low[..., np.newaxis], step, 0.0), whole


def newton_minimum(
    objective: CurvedObjective,
    theta: Array,
    null_space: Array,
    penalty: Penalty = UNPENALIZED,
    recedes: Callable[[Array], bool] | None = None,
) -> Minimum | None:
    """The minimum of the cost by Newton's method from θ; None if the cost has no minimum.

    It is judged to have none if the numbers overflow on the way, or if the cost ``recedes`` along the direction of a
    step: if it never rises again along it, however far. The steps on a cost without a minimum approach such directions,
    with an error that falls as the curvature along them.
    """
    point = objective.at(theta)
    for iteration in range(MOST_NEWTON_STEPS):
        if not (np.isfinite(point.cost) and np.isfinite(point.gradient).all()):
            return None
        step = newton_step(objective, point, null_space, penalty)
        promised = _promised(point.theta, point.gradient, step, penalty)
        nothing_left = bool(promised <= _NOTHING_LEFT * np.abs(point.cost))
        if recedes is not None and iteration >= _FIRST_STEPS and recedes(-step):
            return None
        point = objective.at(point.theta - step)
        if nothing_left:
            break
    theta, cost, gradient = point
    hessian = objective.hessian(theta)
    next_step = _whole_step(hessian, gradient, null_space, theta, penalty)
    return Minimum(theta, float(cost), gradient, hessian, next_step)
