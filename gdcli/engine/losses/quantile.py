"""The pinball loss, whose minimum is a quantile (Koenker & Bassett, Regression quantiles, Econometrica 46, 1978)."""

import numpy as np

from gdcli.engine.arrays import Array
from gdcli.engine.losses.contract import Loss, Measure, ParameterForm


def _covered(z: Array, y: Array) -> Array:
    return (y <= z).astype(np.float64)


class Quantile(Loss):
    """τ·r for r ≥ 0, (τ − 1)·r below, with r = y − z: a share τ of the rows comes to lie below the fit.

    The slope jumps at r = 0, where 0 of all the subgradients −τ … 1 − τ is taken.
    """

    name = "quantile"
    cost_name = "mean pinball loss"
    degree = 1
    smooth = False
    parameter_form = ParameterForm("TAU", "tau", "τ", "a number between 0 and 1", limit=1.0, default=0.5)
    measures = (
        Measure("coverage", "coverage", "of the rows are not above the prediction", by_row=_covered, share=True),
    )

    def __init__(self, tau: float) -> None:
        super().__init__(tau)
        self.tau = tau

    def value_and_slope(self, z: Array, y: Array) -> tuple[Array, Array]:
        slope = self.slope(z.copy(), y)
        return slope * (z - y), slope

    def slope(self, z: Array, y: Array) -> Array:
        z -= y
        slope: Array = (z > 0).astype(np.float64)
        slope -= self.tau
        slope[z == 0] = 0.0
        return slope

    def curvature(self, z: Array, y: Array) -> Array:
        return np.zeros_like(z)

    def rise(self, change: Array, y: Array) -> Array:
        rise: Array = np.maximum((1.0 - self.tau) * change, -self.tau * change)
        return rise
