"""The mean squared error as an objective, from a triangle. θ may be a stack of shape (…, p)."""

import numpy as np

from gdcli.base.records import NamedTuple, record
from gdcli.engine.arrays import Array
from gdcli.engine.blas import WIDE
from gdcli.engine.objective import Point

# Rows of a panel of R₁: of 2,000 columns 1 MB, which stays in the cache.
_PANEL_ROWS = 64


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
        self._floor = problem.rho**2 / weight
        self._share = 1.0 / weight
        self._panels: list[_Panel] = []
        if problem.R1.ndim == 2 and problem.R1.shape[1] > WIDE:
            self._panels = _panels(problem)
            return
        transposed = np.swapaxes(problem.R1, -1, -2)
        self._gradient = np.ascontiguousarray((-2.0 / weight)[..., np.newaxis, np.newaxis] * transposed)

    def value(self, theta: Array) -> Array:
        """The cost (…) at θ."""
        if self._panels:
            return self.at(theta).cost
        residual = self.problem.z - np.matvec(self.problem.R1, theta)
        cost: Array = np.vecdot(residual, residual) * self._share + self._floor
        return cost

    def at(self, theta: Array) -> Point:
        """The point at θ."""
        if self._panels:
            return self._by_panels(theta)
        residual = self.problem.z - np.matvec(self.problem.R1, theta)
        cost = np.vecdot(residual, residual) * self._share + self._floor
        return Point(theta, cost, np.matvec(self._gradient, residual))

    def _by_panels(self, theta: Array) -> Point:
        """The point at θ, with one look at R₁ in memory: each panel is still in the cache for the gradient."""
        gradient, squares = np.zeros_like(theta), np.zeros(theta.shape[:-1])
        for rows, z, first in self._panels:
            residual = z - theta[..., first:] @ rows.T
            squares += np.vecdot(residual, residual)
            gradient[..., first:] += residual @ rows
        return Point(theta, squares * self._share + self._floor, (-2.0 * self._share) * gradient)


class _Panel(NamedTuple):
    """Consecutive rows of R₁ without the columns before the ``first``, which are zero there, and their part of z."""

    rows: Array
    z: Array
    first: int


def _panels(problem: Quadratic) -> list[_Panel]:
    """The rows of a wide R₁ (r, p), which is a triangle unless its columns are collinear, in panels."""
    found = []
    for start in range(0, len(problem.z), _PANEL_ROWS):
        rows, z = problem.R1[start : start + _PANEL_ROWS], problem.z[start : start + _PANEL_ROWS]
        first = 0 if rows[:, :start].any() else min(start, rows.shape[1])
        found.append(_Panel(rows[:, first:], z, first))
    return found
