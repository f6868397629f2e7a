"""The logistic loss, for a target of two classes."""

import math

import numpy as np

from gdcli.engine.arrays import Array
from gdcli.engine.losses.contract import Domain, Link, Loss, Measure, probability

# Exponents below this do not overflow.
_FARTHEST = 700.0

# Factors of one product, at most: its logarithm is cheap then beside the other work.
_MOST_FACTORS = 64

# Below this mean the rounding of 1 + x would show in the sum of ln(1 + x).
_SMALL = 1e-3


def area_under_curve(z: Array, y: Array, w: Array) -> float | None:
    """The weighted share of pairs of an event and another row in which the event has the larger prediction.

    Ties count half (Hanley & McNeil, Radiology 143, 1982). None if one class is missing.
    """
    _, place = np.unique(z, return_inverse=True)
    events = np.bincount(place, w * (y == 1))
    others = np.bincount(place, w * (y == 0))
    pairs = float(events.sum() * others.sum())
    below = np.cumsum(others) - 0.5 * others
    return float(events @ below) / pairs if pairs > 0 else None


def _log_loss(z: Array, y: Array) -> Array:
    return Logistic().value_and_slope(z, y)[0]


def _right_class(z: Array, y: Array) -> Array:
    right: Array = ((z >= 0) == (y == 1)).astype(np.float64)
    return right


class Logistic(Loss):
    """ln(1 + eᶻ) − y·z for y of 0 and 1: minus the log-likelihood of an event of probability 1/(1 + e⁻ᶻ)."""

    name = "logistic"
    cost_name = "log loss"
    link = Link.LOGIT
    domain = Domain.CLASSES
    bound = 0.25
    measures = (
        Measure("log_loss", "log loss", "mean of -ln(probability of what happened)", by_row=_log_loss),
        Measure("accuracy", "accuracy", "the more likely class is the right one", by_row=_right_class, share=True),
        Measure(
            "auc",
            "AUC",
            "chance that a random event gets a higher probability than another row",
            over_rows=area_under_curve,
            share=True,
            absent="only one class is there",
        ),
    )

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        small = np.exp(-np.abs(z))  # in 0 … 1, whatever the sign of z
        value = np.maximum(z, 0.0)
        value -= y * z
        value += np.log1p(small)
        return value, probability(z, small) - y

    def total_and_slope(self, z: Array, y: Array, weights: Array | None) -> tuple[Array, Array]:
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
        lost = total < _SMALL * z.shape[-1]  # where 1 + small has lost what there is to sum
        if lost.any():
            total[lost] = np.log1p(small[lost]).sum(axis=-1)
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


def _sum_of_logs(values: Array, largest: float) -> Array:
    """Σ ln v (…) of numbers (…, n) above 1 whose logarithms are at most ``largest``.

    The logarithm of a product of many costs as much as that of one of them.
    """
    together = min(_MOST_FACTORS, int(_FARTHEST / largest))
    n = values.shape[-1]
    whole = n // together * together
    factors = values[..., :whole].reshape(*values.shape[:-1], together, whole // together)
    logs = np.log(np.multiply.reduce(factors, axis=-2)).sum(axis=-1) + np.log(values[..., whole:]).sum(axis=-1)
    return np.asarray(logs)
