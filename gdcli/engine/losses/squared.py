"""Squared errors."""

import numpy as np

from gdcli.engine.arrays import Array
from gdcli.engine.catalog import SQUARED
from gdcli.engine.losses.contract import Loss


class Squared(Loss):
    """(y − z)²."""

    name = SQUARED
    cost_name = "mean squared error"
    degree = 2
    bound = 2.0

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        residual = z - y
        return residual * residual, 2.0 * residual

    def slope(self, z: Array, y: Array) -> Array:
        z -= y
        z *= 2.0
        return z

    def curvature(self, z: Array, y: Array) -> Array:
        return np.full_like(z, 2.0)
