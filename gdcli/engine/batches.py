"""Stochastic steps: an iteration sees one batch of rows, and an epoch is a pass over all rows in a new order.

The order is a function of (seed, epoch, block) alone, with epochs and blocks counted from 0, blocks as they were read:

    stream(i, block) = numpy.random.Generator(numpy.random.Philox(key=seed, counter=[0, i, block, epoch]))
    blocks   in the order stream(2, 0).permutation(number of blocks)
    rows     of a block in the order stream(1, block).permutation(number of its rows)

The rows in this order are cut into batches of ``size``, over the borders of blocks; the last one is what is left. The
gradient of a batch of b rows is (n/Σw)·(1/b)·Σ w·loss'(z, y)·x with n and Σw of all rows, so that over the batches of
an epoch that are whole its mean is that of all rows (Bottou, Curtis & Nocedal, Optimization methods for large-scale
machine learning, SIAM Review 60, 2018).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from gdcli.base.records import record
from gdcli.engine.arrays import Array
from gdcli.engine.descent import Proximal, Step, unchanged
from gdcli.engine.losses.contract import Loss
from gdcli.engine.objective import Point
from gdcli.engine.optimizers import Optimizer, OptimizerState
from gdcli.engine.row_sums import RowBlock
from gdcli.engine.schedules import Schedule

_ROWS, _BLOCKS = 1, 2

_UNKNOWN_COST = np.asarray(np.nan)


class _Rows(NamedTuple):
    """``A`` (n, p) times θ is the prediction in file units; ``y`` (n,), ``weights`` (n,) or None for 1 each."""

    A: Array
    y: Array
    weights: Array | None

    def part(self, start: int, stop: int | None = None) -> "_Rows":
        taken = slice(start, stop)
        return _Rows(self.A[taken], self.y[taken], None if self.weights is None else self.weights[taken])


@record(eq=False)
class Batches:
    """The rows of a descent with their loss, cut into batches of ``size`` rows in an order that ``seed`` chooses.

    ``weight`` is Σw over all rows. ``intercept``: a column of ones stands before the scaled ones. ``target_scale`` is
    as in :class:`RowObjective`.
    """

    blocks: Sequence[RowBlock]
    loss: Loss
    intercept: bool
    weight: float
    target_scale: float
    size: int
    seed: int

    @property
    def rows(self) -> int:
        """The number n of rows."""
        return sum(len(block.y) for block in self.blocks)

    @property
    def in_epoch(self) -> int:
        """The number of batches in an epoch."""
        return -(-self.rows // self.size)

    def epoch(self, number: int, done: int = 0) -> Iterator[_Rows]:
        """The rows of epoch ``number`` in its order, yielded in pieces of whole batches.

        The first ``done`` batches are left out. The last piece may end with a shorter batch.
        """
        before = done * self.size
        waiting: list[_Rows] = []
        for place in self._stream(_BLOCKS, 0, number).permutation(len(self.blocks)).tolist():
            n = len(self.blocks[place].y)
            if before >= n:
                before -= n
                continue
            rows = self._shuffled(place, number, before)
            before = 0
            lacking = (self.size - sum(len(part.y) for part in waiting)) if waiting else 0
            if len(rows.y) < lacking:
                waiting.append(rows)
                continue
            if waiting:
                yield _joined([*waiting, rows.part(0, lacking)])
            whole = lacking + (len(rows.y) - lacking) // self.size * self.size
            if lacking < whole:
                yield rows.part(lacking, whole)
            waiting = [rows.part(whole)] if whole < len(rows.y) else []
        if waiting:
            yield _joined(waiting)

    def _shuffled(self, place: int, epoch: int, before: int) -> _Rows:
        """The rows of a block in the order of an epoch, without the first few of them."""
        block, first = self.blocks[place], int(self.intercept)
        order = self._stream(_ROWS, place, epoch).permutation(len(block.y))[before:]
        A = np.empty((len(order), first + block.offset.shape[1]))
        A[:, :first] = self.target_scale
        block.scaled(order, self.target_scale, A[:, first:])
        rows = _Rows(A, block.y[order], None if block.weights is None else block.weights[order])
        if block.release is not None:
            block.release(0, len(block.y))
        return rows

    def _stream(self, purpose: int, block: int, epoch: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=self.seed, counter=[0, purpose, block, epoch]))


def _joined(parts: Sequence[_Rows]) -> _Rows:
    if len(parts) == 1:
        return parts[0]
    A, y, weights = zip(*parts, strict=True)
    return _Rows(np.concatenate(A), np.concatenate(y), None if weights[0] is None else np.concatenate(weights))


def keep_going(iteration: int) -> bool:
    """False at every iteration: the pause that never comes."""
    return False


class BatchSteps:
    """The batches from a step to the end of its epoch, as a function that returns (iteration, θ (p,), optimizer state).

    It ends earlier once the descent's ``iterations`` are done. ``before`` is the number of iterations that an earlier
    descent did, whose order is continued. ``pull`` (p,) times θ is the gradient of a penalty. ``pause(iteration)`` is
    asked between blocks; true ends it there.
    """

    def __init__(
        self,
        batches: Batches,
        optimizer: Optimizer,
        schedule: Schedule,
        iterations: int,
        before: int = 0,
        proximal: Proximal = unchanged,
        pull: Array | None = None,
        pause: Callable[[int], bool] = keep_going,
    ) -> None:
        self._batches, self._optimizer, self._schedule = batches, optimizer, schedule
        self._iterations, self._before = iterations, before
        self._proximal, self._pull, self._pause = proximal, pull, pause

    def __call__(self, step: Step) -> tuple[int, Array, OptimizerState]:
        """The iteration, θ (p,) and the optimizer's state there."""
        batches = self._batches
        epoch, done = divmod(self._before + step.iteration, batches.in_epoch)
        here = step.iteration, step.theta, step.state
        # The way to infinity is watched where the cost is taken.
        with np.errstate(over="ignore", invalid="ignore"):
            for rows in batches.epoch(epoch, done):
                here = self._through(rows.part(0, (self._iterations - here[0]) * batches.size), *here)
                if here[0] >= self._iterations or self._pause(here[0]):
                    break
        return here

    def _through(
        self, rows: _Rows, iteration: int, theta: Array, state: OptimizerState
    ) -> tuple[int, Array, OptimizerState]:
        """Take a step for each batch. An epoch is many thousands of them: nothing is looked up twice."""
        A, y, weights = rows
        batches, size, pull, proximal = self._batches, self._batches.size, self._pull, self._proximal
        slope_of, step_of, rate_at = batches.loss.slope, self._optimizer.step, self._schedule
        share = batches.rows / (batches.weight * batches.target_scale**batches.loss.degree)
        for start in range(0, len(y), size):
            X = A[start : start + size]
            slope = slope_of(X @ theta, y[start : start + size])
            if weights is not None:
                slope *= weights[start : start + size]
            gradient = slope @ X
            gradient *= share / len(slope)
            if pull is not None:
                gradient += pull * theta
            rate = rate_at(iteration)
            update, state = step_of(Point(theta, _UNKNOWN_COST, gradient), state, rate)
            theta = proximal(theta + update, rate)
            iteration += 1
        return iteration, theta, state
