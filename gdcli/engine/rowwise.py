"""The objective over rows, for losses that no triangle stands for: cost(θ) = (1/N) Σ w·loss(z, y), z = c + m·x.

Rows are cut into slices that stay in the cache, a fixed number of which is a task; sums run over the slices of a
task, then over the tasks, in their order: the same bits whatever the number of threads.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from gdcli.engine.losses import Loss
from gdcli.engine.triangle import Array

# 8192 rows of a dozen columns take 800 kB, which stays in the L2 cache between X·m and Xᵀ·slope.
SLICE_ROWS = 8192
# So many slices are one task for a thread: its start (some 20 µs) is little beside its work.
TASK_SLICES = 8

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class RowBlock:
    """Some rows, scaled: ``X`` (n, p) in C order, ``y`` (n,), ``weights`` (n,) or None for 1 each."""

    X: Array
    y: Array
    weights: Array | None

    def slices(self) -> Iterable["RowBlock"]:
        """Return the same rows as views of at most ``SLICE_ROWS``."""
        for start in range(0, len(self.y), SLICE_ROWS):
            cut = slice(start, start + SLICE_ROWS)
            yield RowBlock(self.X[cut], self.y[cut], None if self.weights is None else self.weights[cut])


class RowObjective:
    """The mean loss of rows, as a function of θ (p,), with the intercept first where there is one.

    ``weight`` is N, the sum of the weights. Costs are in the loss's units of the scaled target.
    """

    def __init__(
        self, blocks: Sequence[RowBlock], loss: Loss, intercept: bool, weight: float, jobs: int | None = 1
    ) -> None:
        slices = [part for block in blocks for part in block.slices()]
        self._tasks = [slices[i : i + TASK_SLICES] for i in range(0, len(slices), TASK_SLICES)]
        self._loss, self._intercept, self._weight = loss, intercept, weight
        several = len(self._tasks) > 1 and jobs != 1
        self._pool = ThreadPoolExecutor(max_workers=jobs) if several else None
        self.latest: tuple[Array, float] = (np.empty(0), np.inf)

    def value(self, theta: Array) -> Array:
        """Return the cost at θ."""
        return self._evaluated(theta)[0]

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        """Return the cost at θ and its gradient (p,). ``latest`` is then θ and the cost, for Newton's method."""
        cost, gradient = self._evaluated(theta)
        self.latest = theta, float(cost)
        return cost, gradient

    def _evaluated(self, theta: Array) -> tuple[Array, Array]:
        def summed(rows: RowBlock) -> Array:
            value, slope = self._loss.value_and_slope(self._predictions(rows, theta), rows.y)
            if rows.weights is None:
                cost = value.sum()
            else:
                cost = rows.weights @ value
                slope *= rows.weights
            return np.concatenate([[cost], [slope.sum()] if self._intercept else [], slope @ rows.X])

        total = self._total(summed) / self._weight
        return total[0], total[1:]

    def hessian(self, theta: Array, above: bool = False) -> Array:
        """Return the matrix of second derivatives (p, p) at θ, or that of the parabolas ``above`` the losses."""
        curvature_of = self._loss.curvature_above if above else self._loss.curvature

        def summed(rows: RowBlock) -> Array:
            curvature = curvature_of(self._predictions(rows, theta), rows.y)
            if rows.weights is not None:
                curvature *= rows.weights
            inner = (rows.X * curvature[:, np.newaxis]).T @ rows.X
            if not self._intercept:
                return inner
            cross = curvature @ rows.X
            return np.block([[curvature.sum(), cross], [cross[:, np.newaxis], inner]])

        return self._total(summed) / self._weight

    def each(self, of: Callable[[Array, Array], Array], theta: Array) -> Array:
        """Return a function of (prediction, y) for every row, in their order."""
        return np.concatenate(
            [of(self._predictions(rows, theta), rows.y) for task in self._tasks for rows in task] or [np.empty(0)]
        )

    def _predictions(self, rows: RowBlock, theta: Array) -> Array:
        if not self._intercept:
            return rows.X @ theta
        z: Array = rows.X @ theta[1:]
        z += theta[0]
        return z

    def _total(self, summed: Callable[[RowBlock], Array]) -> Array:
        def task(slices: Sequence[RowBlock]) -> Array:
            with np.errstate(over="ignore", invalid="ignore"):  # the way to infinity is watched elsewhere
                total = summed(slices[0])
                for rows in slices[1:]:
                    total = total + summed(rows)
            return total

        found = map(task, self._tasks) if self._pool is None else self._pool.map(task, self._tasks)
        total = next(iter(found))
        for part in found:
            total = total + part
        return total
