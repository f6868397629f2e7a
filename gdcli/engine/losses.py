"""Losses. A loss sees a prediction and y, row by row, and nothing else: its value, its slope and its curvature, the
first and second derivative with respect to the prediction. X, the weights and 1/N live in the objective.

The prediction z is linear, z = c + m·x; what is predicted of y is the inverse link of z (McCullagh & Nelder,
Generalized Linear Models, 2nd ed. 1989; Huber, Robust estimation of a location parameter, Ann. Math. Stat. 35, 1964).
"""

import math
from enum import Enum
from typing import Protocol, Self

import numpy as np

from gdcli.base.errors import UsageError
from gdcli.engine.arrays import Array

SQUARED = "squared"

# Exponents below this do not overflow.
_FARTHEST = 700.0

# So many factors make logarithms cheap beside the other work.
_MOST_FACTORS = 64

# Huber's default: 95 % of least squares' efficiency on normal errors, with the median absolute residual for their
# scale (Huber & Ronchetti, Robust Statistics, 2nd ed. 2009; R's MASS::rlm).
_EFFICIENT, _NORMAL_MEDIAN = 1.345, 0.6745

# Below this mean the rounding of 1 + x would show in the sum of ln(1 + x).
_SMALL = 1e-3

# The class of all other texts, if one of several classes is fitted against the rest.
REST = "not {}"


class Domain(Enum):
    """What a target is to a loss."""

    NUMBERS = "numbers"
    COUNTS = "numbers that are not negative"
    CLASSES = "two classes: y is 1 for the event and 0 for the other"


class Loss(Protocol):
    """The contract of a loss: whatever else differs between losses is asked of them, nowhere of their names.

    ``bound`` is the largest curvature anywhere, or None. ``scales_target``: dividing y by a number only divides the
    coefficients by it. ``domain``: what the target has to be. ``parameter``: what ``name:PARAMETER`` stands for, a
    number above 0 in target units, or None if the loss has none.
    """

    name: str
    bound: float | None
    scales_target: bool
    domain: Domain
    parameter: str | None

    @classmethod
    def of(cls, parameter: float | None) -> Self:
        """The loss with its parameter, None if it has none."""
        ...

    @staticmethod
    def default_parameter(median: float) -> tuple[float, str]:
        """The parameter for a median |residual| of least squares, and how it was computed, for a note."""
        ...

    @staticmethod
    def inverse_link(z: Array) -> Array:
        """The prediction (n,) of y for z (n,)."""
        ...

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        """Return the loss (n,) and its derivative by z (n,)."""
        ...

    def total_and_slope(self, z: Array, y: Array, weights: Array | None) -> tuple[float, Array]:
        """Return Σw·loss and w times its derivative by z (n,); the weights are 1 where there are none.

        z may be overwritten.
        """
        ...

    def slope(self, z: Array, y: Array) -> Array:
        """Return the derivative by z (n,) alone, of a few rows; it may be infinite where that overflows.

        z may be overwritten.
        """
        ...

    def curvature(self, z: Array, y: Array) -> Array:
        """Return the second derivative by z (n,)."""
        ...

    def rise(self, change: Array, y: Array) -> Array:
        """Growth (n,) of the loss per step far along a change of z (n,): 0 where it never rises, |change| at most."""
        ...

    def curvature_above(self, z: Array, y: Array) -> Array:
        """Return the curvature (n,) of a parabola that touches the loss at z and is nowhere below it.

        Where there is none, the loss's own.
        """
        ...


class _Summed:
    """What losses share: the sum over rows from the value and the slope of each, a target of numbers, no parameter."""

    domain = Domain.NUMBERS
    parameter: str | None = None

    @classmethod
    def of(cls, parameter: float | None) -> Self:
        return cls()

    @staticmethod
    def default_parameter(median: float) -> tuple[float, str]:
        raise NotImplementedError

    @staticmethod
    def inverse_link(z: Array) -> Array:
        return z

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        raise NotImplementedError

    def total_and_slope(self, z: Array, y: Array, weights: Array | None) -> tuple[float, Array]:
        value, slope = self.value_and_slope(z, y)
        if weights is None:
            return float(value.sum()), slope
        slope *= weights
        return float(weights @ value), slope

    def rise(self, change: Array, y: Array) -> Array:
        return np.abs(change)  # both ways


class Squared(_Summed):
    """(y − z)²."""

    name = SQUARED
    bound: float | None = 2.0
    scales_target = True

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        residual = z - y
        return residual * residual, 2.0 * residual

    def slope(self, z: Array, y: Array) -> Array:
        z -= y
        z *= 2.0
        return z

    def curvature(self, z: Array, y: Array) -> Array:
        return np.full_like(z, 2.0)

    def curvature_above(self, z: Array, y: Array) -> Array:
        return self.curvature(z, y)


class Huber(_Summed):
    """½r² for |r| ≤ δ, δ(|r| − ½δ) outside, with r = y − z: squares near the fit, absolute values far from it."""

    name = "huber"
    bound: float | None = 1.0
    scales_target = True
    parameter: str | None = "DELTA"

    def __init__(self, delta: float) -> None:
        self.delta = delta

    @classmethod
    def of(cls, parameter: float | None) -> Self:
        assert parameter is not None
        return cls(parameter)

    @staticmethod
    def default_parameter(median: float) -> tuple[float, str]:
        delta = _EFFICIENT * median / _NORMAL_MEDIAN
        return delta, f"δ = {delta:.6g}, {_EFFICIENT} · median |r| / {_NORMAL_MEDIAN} of the least-squares residuals r"

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        residual = z - y
        slope = np.clip(residual, -self.delta, self.delta)
        return slope * (residual - 0.5 * slope), slope

    def slope(self, z: Array, y: Array) -> Array:
        z -= y
        slope: Array = np.minimum(np.maximum(z, -self.delta), self.delta)
        return slope

    def curvature(self, z: Array, y: Array) -> Array:
        return (np.abs(z - y) <= self.delta).astype(np.float64)

    def curvature_above(self, z: Array, y: Array) -> Array:
        above: Array = self.delta / np.maximum(np.abs(z - y), self.delta)  # iteratively reweighted least squares
        return above


class Logistic(_Summed):
    """ln(1 + eᶻ) − y·z for y of 0 and 1: minus the log-likelihood of an event of probability 1/(1 + e⁻ᶻ)."""

    name = "logistic"
    bound: float | None = 0.25
    scales_target = False
    domain = Domain.CLASSES

    @staticmethod
    def inverse_link(z: Array) -> Array:
        return _probability(z, np.exp(-np.abs(z)))  # without overflow

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        small = np.exp(-np.abs(z))  # in 0 … 1, whatever the sign of z
        value = np.maximum(z, 0.0)
        value -= y * z
        value += np.log1p(small)
        return value, _probability(z, small) - y

    def total_and_slope(self, z: Array, y: Array, weights: Array | None) -> tuple[float, Array]:
        if weights is not None:
            return super().total_and_slope(z, y, weights)
        sign = np.multiply(y, -2.0)
        sign += 1.0
        away = np.multiply(z, sign, out=z)  # from what y is: the loss is ln(1 + e^away) whichever that is
        farthest = float(away.max(initial=0.0))
        if not farthest < _FARTHEST:
            away *= sign  # z again
            return super().total_and_slope(away, y, weights)
        small = np.exp(away)
        odds = small + 1.0
        total = _sum_of_logs(odds, math.log1p(math.exp(farthest)))
        if total < _SMALL * len(z):  # where 1 + small has lost what there is to sum
            total = float(np.log1p(small).sum())
        small /= odds
        small *= sign
        return total, small

    def slope(self, z: Array, y: Array) -> Array:
        slope: Array = 1.0 / (1.0 + np.exp(-z))  # of an infinite exponential 0
        slope -= y
        return slope

    def curvature(self, z: Array, y: Array) -> Array:
        small = np.exp(-np.abs(z))
        curvature: Array = small / (1.0 + small) ** 2
        return curvature

    def curvature_above(self, z: Array, y: Array) -> Array:
        return np.full_like(z, 0.25)

    def rise(self, change: Array, y: Array) -> Array:
        rise: Array = np.maximum(change, 0.0) - y * change
        return rise


class Poisson(_Summed):
    """eᶻ − y + y·(ln y − z) for counts y ≥ 0: half the deviance, so that a perfect fit costs 0."""

    name = "poisson"
    bound: float | None = None
    scales_target = False
    domain = Domain.COUNTS

    @staticmethod
    def inverse_link(z: Array) -> Array:
        with np.errstate(over="ignore"):  # infinite where that is too large
            mean: Array = np.exp(z)
        return mean

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        mean = np.exp(z)
        logs = np.log(y, out=np.zeros_like(y), where=y > 0)
        return mean - y + y * (logs - z), mean - y

    def slope(self, z: Array, y: Array) -> Array:
        return np.exp(z) - y

    def curvature(self, z: Array, y: Array) -> Array:
        return np.exp(z)

    def curvature_above(self, z: Array, y: Array) -> Array:
        return self.curvature(z, y)

    def rise(self, change: Array, y: Array) -> Array:
        rise: Array = np.where(y > 0, np.abs(change), np.maximum(change, 0.0))
        return rise


def _sum_of_logs(values: Array, largest: float) -> float:
    """Return Σ ln v of numbers (n,) above 1, of which no logarithm is above ``largest``.

    The logarithm of a product of many costs as much as that of one of them.
    """
    together = min(_MOST_FACTORS, int(_FARTHEST / largest))
    whole = len(values) // together * together
    products = np.multiply.reduce(values[:whole].reshape(together, -1), axis=0)
    return float(np.log(products).sum() + np.log(values[whole:]).sum())


def _probability(z: Array, small: Array) -> Array:
    """Return 1/(1 + e⁻ᶻ) from e^−|z|."""
    probability: Array = np.where(z >= 0, 1.0, small) / (1.0 + small)
    return probability


LOSSES: dict[str, type[Loss]] = {loss.name: loss for loss in (Squared, Huber, Logistic, Poisson)}


def parse_loss(word: str) -> tuple[str, float | None]:
    """The name and the parameter of ``name`` or ``name:PARAMETER``. Raises UsageError for any other word."""
    name, colon, text = word.partition(":")
    if name not in LOSSES:
        raise UsageError(f"there is no loss {name!r}; there are {', '.join(LOSSES)}")
    if not colon:
        return name, None
    form = LOSSES[name].parameter
    if form is None:
        raise UsageError(f"the loss {name} takes no parameter, so leave out ':{text}'")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise UsageError(f"{name}:{form} takes a number above 0, in target units, not {text!r}")
    return name, value
