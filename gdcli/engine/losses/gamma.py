"""The gamma loss, for targets above 0 whose spread grows with their mean: costs, durations, amounts."""

import numpy as np

from gdcli.engine.arrays import Array
from gdcli.engine.losses.contract import Domain, Link, Loss, Measure


def _deviance(z: Array, y: Array) -> Array:
    return 2.0 * Gamma().value_and_slope(z, y)[0]


class Gamma(Loss):
    """y·e⁻ᶻ − 1 + z − ln y for y > 0: half the deviance, so that a perfect fit costs 0."""

    name = "gamma"
    cost_name = "half the mean deviance"
    link = Link.LOG
    domain = Domain.POSITIVE
    measures = (Measure("mean_deviance", "deviance", "mean gamma deviance", by_row=_deviance),)

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        ratio = self.curvature(z, y)
        return ratio - 1.0 + z - np.log(y), 1.0 - ratio

    def curvature(self, z: Array, y: Array) -> Array:
        ratio: Array = y * np.exp(-z)
        return ratio
