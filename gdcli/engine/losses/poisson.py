"""The Poisson loss, for counts."""

import numpy as np

from gdcli.engine.arrays import Array
from gdcli.engine.losses.contract import Domain, Link, Loss, Measure


def _deviance(z: Array, y: Array) -> Array:
    return 2.0 * Poisson().value_and_slope(z, y)[0]


class Poisson(Loss):
    """eᶻ − y + y·(ln y − z) for counts y ≥ 0: half the deviance, so that a perfect fit costs 0."""

    name = "poisson"
    cost_name = "half the mean deviance"
    link = Link.LOG
    domain = Domain.COUNTS
    measures = (Measure("mean_deviance", "deviance", "mean Poisson deviance", by_row=_deviance),)

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        mean = np.exp(z)
        logs = np.log(y, out=np.zeros_like(y), where=y > 0)
        return mean - y + y * (logs - z), mean - y

    def slope(self, z: Array, y: Array) -> Array:
        return np.exp(z) - y

    def curvature(self, z: Array, y: Array) -> Array:
        return np.exp(z)

    def rise(self, change: Array, y: Array) -> Array:
        rise: Array = np.where(y > 0, np.abs(change), np.maximum(change, 0.0))
        return rise
