"""Losses. A loss sees a prediction and y, row by row, and nothing else: its value, its slope and its curvature, the
first and second derivative with respect to the prediction. X, the weights and 1/N live in the objective.

The prediction z is linear, z = c + m·x; what is predicted of y is the inverse link of z (McCullagh & Nelder,
Generalized Linear Models, 2nd ed. 1989; Huber, Robust estimation of a location parameter, Ann. Math. Stat. 35, 1964).
"""

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np

from gdcli.engine.triangle import Array
from gdcli.errors import UsageError

SQUARED = "squared"


class Loss(Protocol):
    """``bound`` is the largest curvature anywhere, None where there is none.

    ``scales_target`` says whether dividing y by a number only divides the coefficients by it.
    """

    name: str
    bound: float | None
    scales_target: bool

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        """Return the loss (n,) and its derivative by z (n,)."""
        ...

    def curvature(self, z: Array, y: Array) -> Array:
        """Return the second derivative by z (n,)."""
        ...

    def curvature_above(self, z: Array, y: Array) -> Array:
        """Return the curvature (n,) of a parabola that touches the loss at z and is nowhere below it.

        Where there is none, the loss's own.
        """
        ...


class Squared:
    """(y − z)²."""

    name = SQUARED
    bound: float | None = 2.0
    scales_target = True

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        residual = z - y
        return residual * residual, 2.0 * residual

    def curvature(self, z: Array, y: Array) -> Array:
        return np.full_like(z, 2.0)

    def curvature_above(self, z: Array, y: Array) -> Array:
        return self.curvature(z, y)


class Huber:
    """½r² for |r| ≤ δ, δ(|r| − ½δ) outside, with r = y − z: squares near the fit, absolute values far from it."""

    name = "huber"
    bound: float | None = 1.0
    scales_target = True

    def __init__(self, delta: float) -> None:
        self.delta = delta

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        residual = z - y
        slope = np.clip(residual, -self.delta, self.delta)
        return slope * (residual - 0.5 * slope), slope

    def curvature(self, z: Array, y: Array) -> Array:
        return (np.abs(z - y) <= self.delta).astype(np.float64)

    def curvature_above(self, z: Array, y: Array) -> Array:
        above: Array = self.delta / np.maximum(np.abs(z - y), self.delta)  # iteratively reweighted least squares
        return above


class Logistic:
    """ln(1 + eᶻ) − y·z for y of 0 and 1: minus the log-likelihood of an event of probability 1/(1 + e⁻ᶻ)."""

    name = "logistic"
    bound: float | None = 0.25
    scales_target = False

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        small = np.exp(-np.abs(z))  # in 0 … 1, whatever the sign of z
        value = np.maximum(z, 0.0)
        value -= y * z
        value += np.log1p(small)
        return value, _probability(z, small) - y

    def curvature(self, z: Array, y: Array) -> Array:
        small = np.exp(-np.abs(z))
        curvature: Array = small / (1.0 + small) ** 2
        return curvature

    def curvature_above(self, z: Array, y: Array) -> Array:
        return np.full_like(z, 0.25)


class Poisson:
    """eᶻ − y + y·(ln y − z) for counts y ≥ 0: half the deviance, so that a perfect fit costs 0."""

    name = "poisson"
    bound: float | None = None
    scales_target = False

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        mean = np.exp(z)
        logs = np.log(y, out=np.zeros_like(y), where=y > 0)
        return mean - y + y * (logs - z), mean - y

    def curvature(self, z: Array, y: Array) -> Array:
        return np.exp(z)

    def curvature_above(self, z: Array, y: Array) -> Array:
        return self.curvature(z, y)


def _probability(z: Array, small: Array) -> Array:
    """Return 1/(1 + e⁻ᶻ) from e^−|z|."""
    probability: Array = np.where(z >= 0, 1.0, small) / (1.0 + small)
    return probability


def identity(z: Array) -> Array:
    """The prediction itself."""
    return z


def expit(z: Array) -> Array:
    """1/(1 + e⁻ᶻ), without overflow."""
    return _probability(z, np.exp(-np.abs(z)))


def exponential(z: Array) -> Array:
    """eᶻ; infinite where that is too large."""
    with np.errstate(over="ignore"):
        mean: Array = np.exp(z)
    return mean


LOSSES: dict[str, type[Squared] | type[Huber] | type[Logistic] | type[Poisson]] = {
    SQUARED: Squared,
    "huber": Huber,
    "logistic": Logistic,
    "poisson": Poisson,
}
INVERSE_LINKS: dict[str, Callable[[Array], Array]] = {
    SQUARED: identity,
    "huber": identity,
    "logistic": expit,
    "poisson": exponential,
}


def parse_loss(word: str) -> tuple[str, float | None]:
    """Return the name and the parameter of ``name`` or ``huber:δ``. Raises UsageError for any other word."""
    name, colon, text = word.partition(":")
    if name not in LOSSES:
        raise UsageError(f"there is no loss {name!r}; there are {', '.join(LOSSES)}")
    if not colon:
        return name, None
    if name != Huber.name:
        raise UsageError(f"the loss {name} takes no parameter, so leave out ':{text}'")
    try:
        delta = float(text)
    except ValueError:
        delta = math.nan
    if not 0 < delta < math.inf:
        raise UsageError(f"huber:DELTA takes a number above 0, in target units, not {text!r}")
    return name, delta
