"""Objectives: functions of θ to minimize, and a point on one. θ may be a stack of shape (…, p)."""

from typing import NamedTuple, Protocol

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
    """A convex objective with a Hessian."""

    def hessian(self, theta: Array, above: bool = False) -> Array:
        """The matrix of second derivatives (…, p, p) at θ; with ``above`` that of a parabola above each row's loss."""
        ...
