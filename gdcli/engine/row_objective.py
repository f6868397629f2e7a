"""The objective over rows, for losses that no triangle stands for: cost(θ) = (1/N) Σ w·loss(z, y), z = c + m·x.

Rows are kept as they are in the file, less a shift; scaling them is a map of θ instead, so that several problems (the
folds of a cross-validation) share the same rows. They are cut into slices that stay in the cache, a fixed number of
which is a task; sums run over the slices of a task, over the tasks of a group, then over the groups, in their order:
the same bits for any number of threads, whether a group is in this process or on a worker.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gdcli.base.records import record
from gdcli.engine.arrays import Array
from gdcli.engine.losses.contract import Loss
from gdcli.engine.objective import Point

# 8192 rows of a dozen columns take 800 kB, which stays in the L2 cache between X·m and Xᵀ·slope.
LOSS_SLICE_ROWS = 8192

# Slices in one task of a thread: its start (some 20 µs) is little beside its work.
TASK_SLICES = 8

# Bits by which a median is selected in each pass: the sums that a group sends for them take 16 kB.
DIGIT_BITS = 11

# The loss counts as flat along a direction if its rise is below this share of the change of the predictions.
_NO_RISE = 1e-10

# Bytes for the cached results of the last points.
_REMEMBERED_BYTES = 1 << 18

DropPages = Callable[[int, int], None]
"""Drops the cached pages of rows start to stop of a memory-mapped block."""


@record(eq=False)
class RowBlock:
    """A block of rows as they are kept: ``X`` (n, q) in C order, ``y`` (n,), ``weights`` (n,) or None for 1 each.

    The other fields map X to p scaled columns. Number j is ``offset[j]`` plus ``factor[i]`` times column ``places[i]``
    of X, for each i with ``terms[i]`` = j (k,): one such i, one more if gaps are filled, and several of a polynomial. A
    column without any i (a level that no row of the block has) is ``offset[j]`` in every row.
    """

    X: Array
    y: Array
    weights: Array | None
    offset: Array
    terms: NDArray[np.intp]
    places: NDArray[np.intp]
    factor: Array
    release: DropPages | None = None

    def slope(self, m: Array) -> Array:
        """The slopes (q,) of X's columns for slopes m (p,) of the scaled ones."""
        found = np.zeros(self.X.shape[1])
        np.add.at(found, self.places, m[self.terms] * self.factor)
        return found

    def product(self, total: float, XtS: Array) -> Array:
        """X'ᵀs (p,) for the scaled columns X' from Σs and Xᵀs (q,)."""
        found: Array = self.offset * total
        np.add.at(found, self.terms, XtS[self.places] * self.factor)
        return found

    def scaled(self, order: NDArray[np.intp], target_scale: float, out: Array) -> None:
        """Write p scaled columns of the rows numbered ``order`` (n,), times ``target_scale``, to ``out`` (n, p)."""
        X, offset, factor = self.X.take(order, axis=0), self.offset * target_scale, self.factor * target_scale
        if np.array_equal(self.terms, np.arange(len(offset))) and np.array_equal(self.places, np.arange(X.shape[1])):
            np.multiply(X, factor, out=out)  # the same at once
            out += offset
            return
        out[:] = offset
        for i, term in enumerate(self.terms.tolist()):
            out[:, term] += X[:, self.places[i]] * factor[i]


@record
class _Slice:
    block: RowBlock
    rows: slice

    @property
    def features(self) -> Array:
        return self.block.X[self.rows]

    @property
    def y(self) -> Array:
        return self.block.y[self.rows]

    @property
    def weights(self) -> Array | None:
        return None if self.block.weights is None else self.block.weights[self.rows]


class RowSums:
    """Sums over some rows of a loss and of its derivatives by θ (p,); an intercept comes first in θ.

    The loss is in file units, those of y. θ is for the scaled target, and ``target_scale`` converts its predictions to
    file units: z = target_scale·X'θ.
    Several that are evaluated one at a time may share their ``threads``.
    """

    def __init__(
        self,
        blocks: Sequence[RowBlock],
        loss: Loss,
        intercept: bool,
        target_scale: float = 1.0,
        jobs: int | None = 1,
        threads: ThreadPoolExecutor | None = None,
    ) -> None:
        self.loss, self.intercept, self.target_scale = loss, intercept, target_scale
        self._tasks = [task for block in blocks for task in _tasks(block)]
        several = len(self._tasks) > 1 and jobs != 1
        self._pool = (threads or ThreadPoolExecutor(max_workers=jobs)) if several else None

    def ask(self, question: "Question") -> Callable[[], Array]:
        """A function that evaluates the question when it is called, and returns its answer; see :class:`LossSums`."""
        return partial(question, self)

    def gradient(self, theta: Array) -> Array:
        """The sum Σ w·loss, then its derivatives by the terms of X'θ, in file units (1 + p,)."""
        first = 1 if self.intercept else 0

        def summed(task: Sequence[_Slice]) -> Array:
            block = task[0].block
            m, c = self._line(block, theta)
            cost, total, XtS = 0.0, 0.0, np.zeros(len(m))
            for rows in task:
                X = rows.features
                z = X @ m
                z += c
                value, slope = self.loss.total_and_slope(z, rows.y, rows.weights)
                cost += value
                total += float(slope.sum())
                XtS += slope @ X
            found = np.empty(1 + len(theta))
            found[0] = cost
            found[1 : 1 + first] = total
            found[1 + first :] = block.product(total, XtS)
            return found

        return self._total(summed, 1 + len(theta))

    def recession(self, direction: Array) -> Array:
        """The sums Σ w·rise and Σ w·|u| (2,) for the change u of the predictions along a direction of θ."""

        def summed(task: Sequence[_Slice]) -> Array:
            m, c = self._line(task[0].block, direction)
            found = np.zeros(2)
            for rows in task:
                change = rows.features @ m + c
                both = self.loss.rise(change, rows.y), np.abs(change)
                found += [part.sum() if rows.weights is None else part @ rows.weights for part in both]
            return found

        return self._total(summed, 2)

    def hessian(self, theta: Array) -> Array:
        """The matrix Σ w·loss''·x'x'ᵀ (p, p)."""
        return self._hessian(theta, self.loss.curvature)

    def hessian_above(self, theta: Array) -> Array:
        """Σ w·a·x'x'ᵀ (p, p), a being the curvature of a parabola that touches a row's loss and lies above it."""
        return self._hessian(theta, self.loss.curvature_above)

    def _hessian(self, theta: Array, curvature_of: Callable[[Array, Array], Array]) -> Array:
        first = 1 if self.intercept else 0

        def summed(task: Sequence[_Slice]) -> Array:
            block = task[0].block
            m, c = self._line(block, theta)
            total, sums, inner = 0.0, np.zeros(len(m)), np.zeros((len(m), len(m)))
            for rows in task:
                X = rows.features
                curvature = curvature_of(X @ m + c, rows.y)
                if rows.weights is not None:
                    curvature *= rows.weights
                total += float(curvature.sum())
                sums += curvature @ X
                inner += (X * curvature[:, np.newaxis]).T @ X
            # Of x' = offset + factor·x: Σκ·x'x'ᵀ.
            crossed = block.product(total, sums)
            found = np.empty((len(theta), len(theta)))
            scaled = np.outer(block.offset, crossed) + np.outer(crossed - block.offset * total, block.offset)
            own = inner[np.ix_(block.places, block.places)] * block.factor
            np.add.at(scaled, np.ix_(block.terms, block.terms), own * block.factor[:, np.newaxis])
            found[first:, first:] = scaled
            if self.intercept:
                found[0, 0] = total
                found[0, 1:] = found[1:, 0] = crossed
            return found

        return self._total(summed, len(theta), len(theta))

    def residuals(self, theta: Array, prefixes: Sequence[int], shift: int) -> Array:
        """Histograms (k, 2^DIGIT_BITS) by weight of one digit of the residuals |y − z|, one for each of k prefixes.

        The digit is the DIGIT_BITS bits from bit ``shift`` up of a residual's 64 bits, which order numbers ≥ 0 by size.
        A histogram counts the residuals whose bits above that digit equal its prefix.
        """

        def summed(task: Sequence[_Slice]) -> Array:
            m, c = self._line(task[0].block, theta)
            found = np.zeros((len(prefixes), 1 << DIGIT_BITS))
            for rows in task:
                bits = np.abs(rows.y - (rows.features @ m + c)).view(np.uint64) >> np.uint64(shift)
                above, digit = bits >> np.uint64(DIGIT_BITS), (bits & np.uint64((1 << DIGIT_BITS) - 1)).astype(np.intp)
                for k, prefix in enumerate(prefixes):
                    counted = above == prefix
                    weights = None if rows.weights is None else rows.weights[counted]
                    found[k] += np.bincount(digit[counted], weights, 1 << DIGIT_BITS)
            return found

        return self._total(summed, len(prefixes), 1 << DIGIT_BITS)

    def _line(self, block: RowBlock, theta: Array) -> tuple[Array, float]:
        """Slopes (q,) and an intercept for the rows of a block as they are kept."""
        slopes = theta[1:] if self.intercept else theta
        c = float(block.offset @ slopes) + (float(theta[0]) if self.intercept else 0.0)
        return block.slope(slopes) * self.target_scale, c * self.target_scale

    def _total(self, summed: Callable[[Sequence[_Slice]], Array], *shape: int) -> Array:
        def done(task: Sequence[_Slice]) -> Array:
            with np.errstate(over="ignore", invalid="ignore"):  # the way to infinity is watched elsewhere
                found = summed(task)
            if (release := task[0].block.release) is not None:
                release(task[0].rows.start, task[-1].rows.stop)
            return found

        total = np.zeros(shape)
        for part in map(done, self._tasks) if self._pool is None else self._pool.map(done, self._tasks):
            total += part
        return total


Question = Callable[[RowSums], Array]
"""A function of the sums over some rows, evaluated in the process that holds the rows."""


class LossSums(Protocol):
    """The sums over one group of rows, in this process (:class:`RowSums`) or on a worker."""

    def ask(self, question: Question) -> Callable[[], Array]:
        """Submit a question; the function returned waits for the answer and returns it, an array of sums."""
        ...


class RowObjective:
    """The mean loss over groups of rows as a function of θ (p,); an intercept comes first in θ.

    The loss is in file units; the cost is divided by ``target_scale`` to the power ``degree``, the loss's. ``weight``
    is N, the sum of the weights. The sums of groups are added in order, whichever process took them.
    """

    def __init__(self, groups: Sequence[LossSums], weight: float, target_scale: float = 1.0, degree: int = 2) -> None:
        self._groups, self.weight, self.target_scale, self.degree = groups, weight, target_scale, degree
        # A line search, the report of an iteration, and a descent by Newton's method after the search for the optimum
        # by the same come back to the same points.
        self._evaluations, self._hessians = _Remembered(), _Remembered()

    def value(self, theta: Array) -> Array:
        """The cost at θ."""
        return self._evaluated(theta)[0]

    def at(self, theta: Array) -> Point:
        """The point at θ."""
        return Point(theta, *self._evaluated(theta))

    def _evaluated(self, theta: Array) -> tuple[Array, Array]:
        total = self._evaluations.at(theta, self._gradient) / self.weight
        return total[0] / self.target_scale**self.degree, total[1:] / self.target_scale ** (self.degree - 1)

    def _gradient(self, theta: Array) -> Array:
        return self._total(partial(RowSums.gradient, theta=theta))

    def _hessian(self, theta: Array) -> Array:
        return self._total(partial(RowSums.hessian, theta=theta))

    def hessian(self, theta: Array, above: bool = False) -> Array:
        """The matrix of second derivatives (p, p) at θ, or that of the parabolas ``above`` the losses."""
        if above:
            return self._total(partial(RowSums.hessian_above, theta=theta)) / self.weight
        return self._hessians.at(theta, self._hessian) / self.weight

    def recedes(self, direction: Array) -> bool:
        """Whether the cost never rises along a direction of θ, however far; False if no prediction changes."""
        rise, change = self._total(partial(RowSums.recession, direction=direction)).tolist()
        return bool(rise <= _NO_RISE * change and change > 0)

    def median_residual(self, theta: Array) -> float:
        """The weighted median of |y − z|, in file units: the mean of the lower and the upper median.

        It is selected digit by digit, with one pass over the rows for each digit, so that no residual is kept.
        """
        half: float | None = None
        found, below = [0, 0], [0.0, 0.0]
        for shift in range(-(-64 // DIGIT_BITS) * DIGIT_BITS - DIGIT_BITS, -1, -DIGIT_BITS):
            prefixes = sorted(set(found))
            counts = self._total(partial(RowSums.residuals, theta=theta, prefixes=prefixes, shift=shift))
            half = float(counts.sum()) / 2.0 if half is None else half
            for k in range(2):
                row = counts[prefixes.index(found[k])]
                upto = below[k] + np.cumsum(row)
                # Rounding of the weights' sums may leave none above half: then it is the last one that is there.
                digit = min(
                    int(np.searchsorted(upto, half, side="right" if k else "left")), int(np.flatnonzero(row)[-1])
                )
                below[k] = float(upto[digit - 1]) if digit else below[k]
                found[k] = found[k] << DIGIT_BITS | digit
        return float(np.array(found, dtype=np.uint64).view(np.float64).mean())

    def _total(self, question: Question) -> Array:
        """The sums over all groups."""
        answers = [group.ask(question) for group in self._groups]
        total = answers[0]()
        for answer in answers[1:]:
            total = total + answer()
        return total


class _Remembered:
    """The values computed at the last few points."""

    def __init__(self) -> None:
        self._values: dict[bytes, Array] = {}

    def at(self, theta: Array, compute: Callable[[Array], Array]) -> Array:
        """The values at θ, computed unless they are remembered."""
        key = theta.tobytes()
        found = self._values.pop(key, None)
        if found is None:
            found = compute(theta)
            while self._values and (len(self._values) + 1) * found.nbytes > _REMEMBERED_BYTES:
                self._values.pop(next(iter(self._values)))
        self._values[key] = found
        return found


def _tasks(block: RowBlock) -> Iterator[list[_Slice]]:
    n = len(block.y)
    slices = [_Slice(block, slice(start, min(start + LOSS_SLICE_ROWS, n))) for start in range(0, n, LOSS_SLICE_ROWS)]
    for i in range(0, len(slices), TASK_SLICES):
        yield slices[i : i + TASK_SLICES]
