"""The mean squared error as an objective, from a triangle. θ may be a stack of shape (…, p)."""

import numpy as np

from gdcli.base.records import record
from gdcli.engine.arrays import Array
from gdcli.engine.objective import Point


@record(eq=False)
class Quadratic:
    """The mean squared error as a function of θ: (‖z − R₁θ‖² + ρ²)/N, in squared *scaled* target units.

    ``R1`` (r, p), ``z`` (r,), ``rho`` a scalar, ``weight`` = N the number of rows or the sum of their weights. A
    stack of problems has the same with leading axes: (…, r, p), (…, r), (…), (…).
    """

    R1: Array
    z: Array
    rho: Array
    weight: Array


class SquaredError:
    """The mean squared error of all rows, from their triangle: exact, at O(p²) whatever the number of rows.

    cost = (‖z − R₁θ‖² + ρ²)/N,  ∇cost = −(2/N) R₁ᵀ(z − R₁θ)
    """

    def __init__(self, problem: Quadratic) -> None:
        self.problem = problem
        weight = np.asarray(problem.weight)
        transposed = np.swapaxes(problem.R1, -1, -2)
        self._gradient = np.ascontiguousarray((-2.0 / weight)[..., np.newaxis, np.newaxis] * transposed)
        self._floor = problem.rho**2 / weight
        self._share = 1.0 / weight

    def value(self, theta: Array) -> Array:
        """The cost (…) at θ."""
        residual = self.problem.z - np.matvec(self.problem.R1, theta)
        cost: Array = np.vecdot(residual, residual) * self._share + self._floor
        return cost

    def at(self, theta: Array) -> Point:
        """The point at θ."""
        residual = self.problem.z - np.matvec(self.problem.R1, theta)
        cost = np.vecdot(residual, residual) * self._share + self._floor
        return Point(theta, cost, np.matvec(self._gradient, residual))
