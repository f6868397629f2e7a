"""A learning rate for each iteration, by backtracking: as large as lowers the cost enough.

From the trial η on the rate is halved until, with d the whole way that it leads,

    cost(θ + d) ≤ cost(θ) + c·(∇·d + h(θ + d) − h(θ))

where h is the part of the cost that is not in the gradient (B·Σ|β|), else zero. (Armijo, Pacific J. Math. 16, 1966;
Nocedal & Wright, Numerical Optimization, 2nd ed., section 3.1; with h: Tseng & Yun, Math. Program. 117, 2009.)
"""

import numpy as np

from gdcli.engine.arrays import Array
from gdcli.engine.descent import Step
from gdcli.engine.objective import Objective
from gdcli.engine.optimizers import Optimizer
from gdcli.engine.penalty import Penalty

# The share c of the decrease that the gradient promises: up to 1.4/λ along an eigenvector, which hardly overshoots.
_SHARE = 0.3

# Two costs nearer than this share of them differ by rounding.
_ROUNDING = 4 * float(np.finfo(np.float64).eps)

# 2⁻²⁰⁰ of the trial is no step at all.
_MOST_HALVINGS = 200


class Backtracking:
    """Finds the rate of each step in turn; its first trial is twice the rate before. One is for one descent."""

    def __init__(self, objective: Objective, optimizer: Optimizer, penalty: Penalty) -> None:
        self._objective, self._optimizer, self._penalty = objective, optimizer, penalty
        self._trial: Array | None = None

    def __call__(self, step: Step, first: float | Array) -> float | Array:
        """The rate with which to go on; of a stack (…, p), one each, of shape (…, 1).

        ``first`` is the first trial of all.
        """
        trial = np.full((*np.shape(step.cost), 1), first) if self._trial is None else self._trial
        rate, promised = self._accepted(step, trial)
        # Where rounding alone decides, anything would be accepted.
        clear = -promised > _ROUNDING * np.abs(step.cost)
        self._trial = np.where(clear[..., np.newaxis], 2.0 * rate, rate)
        return rate if step.theta.ndim > 1 else float(rate[0])

    def _accepted(self, step: Step, rate: Array) -> tuple[Array, Array]:
        """The rates, halved until they are small enough, and the decrease that the gradient promises."""
        # The optimizers that are searched with have steps in proportion to the rate.
        update, _state = self._optimizer.step(step.point, step.state, 1.0)
        for _ in range(_MOST_HALVINGS):
            there = self._penalty.proximal(step.theta + rate * update, rate)
            corner = self._penalty.corner(there) - self._penalty.corner(step.theta)
            promised = np.asarray(np.vecdot(step.gradient, there - step.theta) + corner)
            cost = self._objective.value(there)
            enough = cost <= step.cost + _SHARE * promised + _ROUNDING * np.abs(step.cost)
            if np.all(enough):
                break
            rate = np.where(np.asarray(enough)[..., np.newaxis], rate, rate / 2.0)
        return rate, promised
