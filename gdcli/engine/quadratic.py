"""What is descended on: ``value_and_gradient(θ)``, here from a triangle. θ may be a stack of shape (…, p)."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gdcli.engine.arrays import Array


@dataclass(frozen=True, slots=True, eq=False)
class Quadratic:
    """The mean squared error as a function of θ: (‖z − R₁θ‖² + ρ²)/N, in squared *scaled* target units.

    ``R1`` (r, p), ``z`` (r,), ``rho`` a scalar, ``weight`` = N the number of rows or the sum of their weights. A
    stack of problems has the same with leading axes: (…, r, p), (…, r), (…), (…).
    """

    R1: Array
    z: Array
    rho: Array
    weight: Array


class Objective(Protocol):
    """A function of θ (…, p) to be minimised, in scaled units."""

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        """Return the cost (…) and its gradient (…, p) at θ."""
        ...


class Valued(Objective, Protocol):
    """An objective whose cost is to be had alone."""

    def value(self, theta: Array) -> Array:
        """Return the cost (…) at θ."""
        ...


class Curved(Valued, Protocol):
    """A convex objective with a Hessian, for one θ (p,)."""

    def hessian(self, theta: Array, above: bool = False) -> Array:
        """Return the matrix of second derivatives (p, p) at θ, or that of parabolas ``above`` the rows' losses."""
        ...


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
        """Return the cost (…) at θ."""
        residual = self.problem.z - np.matvec(self.problem.R1, theta)
        cost: Array = np.vecdot(residual, residual) * self._share + self._floor
        return cost

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        """Return the cost (…) and its gradient (…, p) at θ."""
        residual = self.problem.z - np.matvec(self.problem.R1, theta)
        cost = np.vecdot(residual, residual) * self._share + self._floor
        return cost, np.matvec(self._gradient, residual)
