"""The contract of a loss: everything that differs between losses, asked of them and nowhere of their names.

A loss sees linear predictions z = c + m·x (…, n), one or several of each row, and y (n,): its value, its slope and its
curvature, the first and second derivative by z. X, the weights and 1/N live in the objective (McCullagh & Nelder,
Generalized Linear Models, 2nd ed. 1989).
"""

import math
from collections.abc import Callable
from enum import Enum

import numpy as np

from gdcli.base.records import record
from gdcli.engine.arrays import Array, Mask

# The class of all other texts, if one of several classes is fitted against the rest.
REST = "not {}"


class Domain(Enum):
    """The targets that a loss is for; the value completes "is for …"."""

    NUMBERS = "numbers"
    COUNTS = "counts"
    POSITIVE = "numbers above 0"
    CLASSES = "two classes"

    def contains(self, y: Array) -> Mask:
        """Whether each y (n,) is such a target. Of two classes y is 1 for the event and 0 for the other."""
        if self is Domain.POSITIVE:
            return y > 0
        return y >= 0 if self is Domain.COUNTS else np.isfinite(y)


class Link(Enum):
    """The function of the predicted target that is linear, z."""

    IDENTITY = "identity"
    LOGIT = "logit"
    LOG = "log"

    def inverse(self, z: Array) -> Array:
        """The predictions (n,) of y for z (n,): z itself, a probability, or a mean."""
        if self is Link.IDENTITY:
            return z
        if self is Link.LOGIT:
            return probability(z, np.exp(-np.abs(z)))  # without overflow
        with np.errstate(over="ignore"):  # infinite if that is too large
            mean: Array = np.exp(z)
        return mean


@record
class ParameterForm:
    """The parameter of a loss, a number above 0 and below ``limit``: ``name:WORD`` on the command line, ``key`` in
    JSON, ``symbol`` in a report. ``wanted`` completes "takes …". ``default`` is its value if none is given; None: it is
    computed from the least-squares residuals, in target units.
    """

    word: str
    key: str
    symbol: str
    wanted: str
    limit: float = math.inf
    default: float | None = None


@record
class Measure:
    """A measure of a model of one loss, for ``score``: ``key`` in JSON and CSV, ``label`` and ``remark`` in the report.

    It is the weighted mean of ``by_row`` of (z, y), or ``over_rows`` of all (z, y, weights), None if it has no value:
    then ``absent`` is the remark. A ``share`` is a number between 0 and 1.
    """

    key: str
    label: str
    remark: str
    by_row: Callable[[Array, Array], Array] | None = None
    over_rows: Callable[[Array, Array, Array], float | None] | None = None
    share: bool = False
    absent: str = ""


class Loss:
    """A loss, and what every loss has unless it says otherwise: the sum over rows, targets that are numbers.

    ``cost_name``: the cost in words. ``bound``: the largest curvature anywhere, or None. ``smooth``: whether the slope
    has no jumps; with jumps there is no curvature, and so no Newton's method, no minimum and no search for a rate.
    ``degree``: the power of the target's unit that the loss has, loss(k·z, k·y) = kᵈ·loss(z, y); 0 if the target is
    never divided by a number. ``parameter`` is the number that a loss with a ``parameter_form`` was given.
    """

    name: str
    cost_name: str
    link = Link.IDENTITY
    domain = Domain.NUMBERS
    degree: int = 0
    bound: float | None = None
    smooth = True
    parameter_form: ParameterForm | None = None
    measures: tuple[Measure, ...] = ()

    def __init__(self, parameter: float | None = None) -> None:
        self.parameter = parameter

    @staticmethod
    def default_parameter(median: float) -> tuple[float, str]:
        """The parameter for a median |residual| of least squares, and how it was computed, for a note."""
        raise NotImplementedError

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        """The loss and its derivative by z, both shaped like z."""
        raise NotImplementedError

    def total_and_slope(self, z: Array, y: Array, weights: Array | None) -> tuple[Array, Array]:
        """Σw·loss (…) and w times its derivative by z (…, n), with weights of 1 if there are none.

        z (…, n) may be overwritten.
        """
        value, slope = self.value_and_slope(z, y)
        if weights is None:
            return np.asarray(value.sum(axis=-1)), slope
        slope *= weights
        return np.asarray(np.vecdot(value, weights)), slope

    def slope(self, z: Array, y: Array) -> Array:
        """The derivative by z (n,) alone, for a few rows; infinite if that overflows. z may be overwritten."""
        return self.value_and_slope(z, y)[1]

    def curvature(self, z: Array, y: Array) -> Array:
        """The second derivative by z, shaped like z."""
        raise NotImplementedError

    def curvature_above(self, z: Array, y: Array) -> Array:
        """The curvature, shaped like z, of a parabola that touches the loss at z and is nowhere below it.

        The loss's own curvature if there is none.
        """
        return self.curvature(z, y)

    def rise(self, change: Array, y: Array) -> Array:
        """Growth of the loss per step far along a change of z (…, n): 0 if it never rises, |change| at most."""
        return np.abs(change)  # both ways


def probability(z: Array, small: Array) -> Array:
    """1/(1 + e⁻ᶻ) (n,) from e^−|z|."""
    found: Array = np.where(z >= 0, 1.0, small) / (1.0 + small)
    return found
