"""How a stack of groups descends: each group ends on its own, and may have a rate of its own.

The loop is that of ``descent``; a group that has ended goes on with the rate 0 until all have.
"""

import numpy as np

from gdcli.engine.arrays import Array, NDArray
from gdcli.engine.descent import DIVERGENCE_FACTOR, Step, Stopped


class Ends:
    """The ends of the groups' descents: an iteration and a reason for each.

    ``running`` (g,) marks the groups that still descend; ``iterations`` (g,) and ``stopped`` (g,) are the ends of the
    others. :meth:`corrected` and :meth:`rule` are the loop's correction of the rates and its stop rule.
    """

    def __init__(self, running: NDArray[np.bool_], iterations: int, tolerance: float | None, smallest: Array) -> None:
        self.running = running.copy()
        self.iterations = np.full(len(running), iterations)
        self.stopped = np.full(len(running), Stopped.ITERATIONS)
        self._last, self._tolerance, self._smallest = iterations, tolerance, smallest
        self._limit = smallest

    def corrected(self, step: Step, learning_rate: float | Array) -> Array:
        """The rates (g, 1) after this step, 0 for groups that have ended; groups that end at this step are recorded."""
        if step.iteration == 0:
            self._limit = DIVERGENCE_FACTOR * np.maximum(step.cost, self._smallest)
        self._end(~(step.cost <= self._limit), step.iteration, Stopped.DIVERGED)
        if self._tolerance is not None:
            small = np.linalg.norm(step.gradient, axis=-1) < self._tolerance
            self._end(small, step.iteration, Stopped.TOLERANCE)
        return np.where(self.running[:, np.newaxis], learning_rate, 0.0)

    def rule(self, step: Step) -> Stopped | None:
        """Stopped.ITERATIONS at the last iteration, or if no group descends any more; else None."""
        return Stopped.ITERATIONS if step.iteration >= self._last or not self.running.any() else None

    def _end(self, found: NDArray[np.bool_], iteration: int, why: Stopped) -> None:
        ending = found & self.running
        if ending.any():
            self.running &= ~ending
            self.iterations[ending], self.stopped[ending] = iteration, why
