"""Objectives: functions of θ to minimize, and a point on one. θ may be a stack of shape (…, p)."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from gdcli.engine.arrays import Array


class Point(NamedTuple):
    """Where a descent stands: θ (…, p), the ``cost`` (…) there and its ``gradient`` (…, p), in scaled units.

    With a penalty the cost is the whole, the gradient that of its smooth part. On a batch of rows the cost is NaN: no
    first-order step needs it.
    """

    theta: Array
    cost: Array
    gradient: Array


class Objective(Protocol):
    """A function of θ (…, p) to minimize, in scaled units."""

    def at(self, theta: Array) -> Point:
        """The point at θ."""
        ...

    def value(self, theta: Array) -> Array:
        """The cost (…) at θ alone."""
        ...


class CurvedObjective(Objective, Protocol):
    """A convex objective with a Hessian, for one θ (p,)."""

    def hessian(self, theta: Array, above: bool = False) -> Array:
        """The matrix of second derivatives (p, p) at θ; with ``above`` that of a parabola above each row's loss."""
        ...


class LaneObjective:
    """Several objectives of one θ (p,) each, as one objective of θ (L, p), a lane for each.

    A lane whose θ is not finite is not evaluated: its cost and gradient are NaN.
    """

    def __init__(self, objectives: Sequence[Objective]) -> None:
        self._objectives = objectives

    def at(self, theta: Array) -> Point:
        """One point with the θ (L, p), costs (L,) and gradients (L, p) of all lanes."""
        costs, gradients = np.full(len(theta), np.nan), np.full_like(theta, np.nan)
        for i, (objective, own) in enumerate(zip(self._objectives, theta, strict=True)):
            if np.isfinite(own).all():
                _, costs[i], gradients[i] = objective.at(own)
        return Point(theta, costs, gradients)

    def value(self, theta: Array) -> Array:
        """The costs (L,) at θ."""
        costs = np.full(len(theta), np.nan)
        for i, (objective, own) in enumerate(zip(self._objectives, theta, strict=True)):
            if np.isfinite(own).all():
                costs[i] = objective.value(own)
        return costs
