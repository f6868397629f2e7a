"""Newton's method with step halving on a convex cost: its minimum, or that there is none.

Nocedal & Wright, Numerical Optimization, 2nd ed. 2006, sections 3.1 and 3.3; Albert & Anderson, On the existence of
maximum likelihood estimates in logistic regression models, Biometrika 71, 1984.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gdcli.engine.triangle import Array

MOST_ITERATIONS = 100
# A step that promises a share of the cost below this is rounding.
_NOTHING_LEFT = 1e-20
_MOST_HALVINGS = 40
_ROUNDING = 1e-14  # of the cost, a mean of many
_SUFFICIENT = 1e-4  # of the slope's promise (Armijo)
# Directions that are flatter than this share of the steepest are stepped along as if they were not.
_FLATTEST = 1e-13


class Curved(Protocol):
    """A convex function of θ (p,) with a Hessian."""

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]: ...

    def value(self, theta: Array) -> Array: ...

    def hessian(self, theta: Array, above: bool = False) -> Array: ...


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """``theta`` (p,) of the lowest ``cost``, the ``hessian`` there, and the ``step`` that would come next.

    Where the cost falls no further but that step is long, the minimum is at infinity: each step of Newton's method goes
    on by about 1 in the prediction there, and the cost falls to nothing as e⁻ᵏ.
    """

    theta: Array
    cost: float
    hessian: Array
    step: Array


def direction(hessian: Array, gradient: Array, null_space: Array) -> Array:
    """Return H⁻¹ · gradient, with nothing along the rows of ``null_space`` (k, p), which the data do not determine."""
    eigenvalues, vectors = np.linalg.eigh(hessian)
    floor = _FLATTEST * max(float(eigenvalues[-1]), np.finfo(np.float64).tiny)
    step: Array = vectors @ ((gradient @ vectors) / np.maximum(eigenvalues, floor))
    step -= null_space.T @ (null_space @ step)
    return step


def newton_step(objective: Curved, theta: Array, cost: float, gradient: Array, null_space: Array) -> Array:
    """Return the step to subtract from θ: Newton's, halved until the ``cost`` there falls.

    Where it had to be halved, the better of that and of the same with the curvature of a parabola above each row's
    loss: of Huber's loss far from its optimum no row may be left that has a curvature of its own.
    """
    whole = direction(objective.hessian(theta), gradient, null_space)
    step = _halved(objective, theta, cost, gradient, whole)
    if step is whole:
        return step
    above = direction(objective.hessian(theta, above=True), gradient, null_space)
    other = _halved(objective, theta, cost, gradient, above)
    return min((step, other), key=lambda taken: float(objective.value(theta - taken)))


def _halved(objective: Curved, theta: Array, cost: float, gradient: Array, step: Array) -> Array:
    """Return the step, halved until the cost falls enough; zero where it never does.

    What is lost in the rounding of the cost does not count: near the minimum it says nothing, the gradient much.
    """
    promised, slack = float(gradient @ step), _ROUNDING * abs(cost)
    for _ in range(_MOST_HALVINGS):
        if float(objective.value(theta - step)) <= cost + slack - _SUFFICIENT * promised:
            return step
        step, promised = step / 2.0, promised / 2.0
    return np.zeros_like(step)


def minimum(objective: Curved, theta: Array, null_space: Array) -> Minimum | None:
    """Return where Newton's method comes from θ, None where the numbers overflow on the way."""
    cost, gradient = objective.value_and_gradient(theta)
    for _ in range(MOST_ITERATIONS):
        if not (np.isfinite(cost) and np.isfinite(gradient).all()):
            return None
        step = newton_step(objective, theta, float(cost), gradient, null_space)
        if float(gradient @ step) <= _NOTHING_LEFT * abs(float(cost)):
            break
        theta = theta - step
        cost, gradient = objective.value_and_gradient(theta)
    hessian = objective.hessian(theta)
    return Minimum(theta, float(cost), hessian, direction(hessian, gradient, null_space))
