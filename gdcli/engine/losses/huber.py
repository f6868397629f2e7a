"""Huber's loss (Robust estimation of a location parameter, Ann. Math. Stat. 35, 1964)."""

import numpy as np

from gdcli.engine.arrays import Array
from gdcli.engine.losses.contract import Loss, ParameterForm

# The default: 95 % of least squares' efficiency on normal errors, with the median absolute residual for their scale
# (Huber & Ronchetti, Robust Statistics, 2nd ed. 2009; R's MASS::rlm).
_EFFICIENT = 1.345
_NORMAL_MEDIAN = 0.6745


class Huber(Loss):
    """½r² for |r| ≤ δ, δ(|r| − ½δ) outside, with r = y − z: squares near the fit, absolute values far from it."""

    name = "huber"
    cost_name = "mean Huber loss"
    degree = 2
    bound = 1.0
    parameter_form = ParameterForm("DELTA", "delta", "δ", "a number above 0, in target units")

    def __init__(self, delta: float) -> None:
        super().__init__(delta)
        self.delta = delta

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
