"""Sums over rows of a loss and its derivatives, for many lanes in one look at the rows.

Rows are kept as they are in the file, less a shift; scaling them is a map of θ instead. So problems on several scales
(the folds of a cross-validation) share the same rows, and so do several θ of one problem: each is a lane. Rows are cut
into slices that stay in the cache, a fixed number of which is a task; sums run over the slices of a task, over the
tasks of a group, then over the groups, in their order: the same bits for any number of threads, whether a group is in
this process or on a worker.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from enum import IntEnum
from functools import partial
from typing import Protocol

import numpy as np

from gdcli.base.cores import usable_cores
from gdcli.base.records import NamedTuple, record
from gdcli.engine.arrays import Array, NDArray
from gdcli.engine.losses.contract import Loss

# An array of a number per row takes 256 kB: the few that a loss needs stay in the cache. Of several lanes as many rows
# are evaluated at once. Fewer rows wait more often for the interpreter, which the threads share.
LOSS_SLICE_ROWS = 32768

# Slices in one task of a thread: its start (some 20 µs) is little beside its work (some 500 µs).
TASK_SLICES = 2

# Results of tasks that wait for those before them; a thread that waits for this one instead loses more than a task.
_AHEAD_BYTES = 16 << 20

# Bits by which a median is selected in each pass: the sums that a group sends for them take 16 kB.
DIGIT_BITS = 11

DropPages = Callable[[int, int], None]
"""Drops the cached pages of rows start to stop of a memory-mapped block."""

Indices = NDArray[np.intp]


class Role(IntEnum):
    """What a row is to a problem: none of its rows, one that is fitted, or one that the fit is judged by."""

    NONE = 0
    FITTED = 1
    JUDGED = 2


_FITTED, _JUDGED = int(Role.FITTED), int(Role.JUDGED)  # NumPy compares with these at once

_ALL, _NONE = slice(None), slice(0)


class Lanes(NamedTuple):
    """Points ``theta`` (L, p) to evaluate, each on the problem of the index in ``problem`` (L,)."""

    theta: Array
    problem: Indices


@record(eq=False)
class RowBlock:
    """A block of rows as they are kept: ``X`` (n, q) in C order, ``y`` (n,), ``weights`` (n,) or None for 1 each.

    The other fields map X to p scaled columns for each of several problems (v), to which the rows have the ``roles``
    (v,). Column number j of a problem is its ``offset`` (v, p) there plus its ``factor`` (v, k) number i times column
    ``places[i]`` of X, for each i with ``terms[i]`` = j (k,): one such i, one more if gaps are filled, and several of a
    polynomial. A column without any i (a level that no row of the block has) is its offset in every row.
    """

    X: Array
    y: Array
    weights: Array | None
    offset: Array
    terms: Indices
    places: Indices
    factor: Array
    roles: NDArray[np.int8]
    release: DropPages | None = None

    def slope(self, m: Array, problem: Indices) -> Array:
        """The slopes (L, q) of X's columns for slopes ``m`` (L, p) of the columns scaled for each lane's problem."""
        found = np.zeros((len(m), self.X.shape[1]))
        np.add.at(found.T, self.places, (m[:, self.terms] * self.factor[problem]).T)
        return found

    def product(self, total: Array, XtS: Array, problem: Indices) -> Array:
        """X'ᵀs (L, p) for the columns X' scaled for each lane's problem, from Σs (L,) and Xᵀs (L, q)."""
        found: Array = self.offset[problem] * total[:, np.newaxis]
        np.add.at(found.T, self.terms, (XtS[:, self.places] * self.factor[problem]).T)
        return found

    def scaled(self, order: Indices, target_scale: float, out: Array) -> None:
        """Write the columns of the first problem, times ``target_scale``, to ``out`` (n, p).

        ``order`` (n,) has the numbers of the rows.
        """
        X, offset, factor = self.X.take(order, axis=0), self.offset[0] * target_scale, self.factor[0] * target_scale
        if np.array_equal(self.terms, np.arange(len(offset))) and np.array_equal(self.places, np.arange(X.shape[1])):
            np.multiply(X, factor, out=out)  # the same at once
            out += offset
            return
        out[:] = offset
        for i, term in enumerate(self.terms.tolist()):
            out[:, term] += X[:, self.places[i]] * factor[i]


class _Slice(NamedTuple):
    """Some rows of a block."""

    X: Array
    y: Array
    weights: Array | None


class _Task(NamedTuple):
    """Slices of a block for one thread: rows ``start`` to ``stop``. ``shared``: all problems are fitted to them."""

    block: RowBlock
    start: int
    stop: int
    shared: bool

    def slices(self) -> Iterator[_Slice]:
        block = self.block
        for first in range(self.start, self.stop, LOSS_SLICE_ROWS):
            rows = slice(first, min(first + LOSS_SLICE_ROWS, self.stop))
            yield _Slice(block.X[rows], block.y[rows], None if block.weights is None else block.weights[rows])


class _Lines:
    """The lanes that rows of a block matter to, as lines over its columns: slopes (k, q) and intercepts (k,).

    ``fitted`` selects those of all lanes that are fitted to these rows, ``judged`` those judged by them. The former
    come first, ``n`` of them. ``problem`` (k,) are the indices of their problems.
    """

    def __init__(self, sums: "RowSums", task: _Task, lanes: Lanes, judged: bool = False) -> None:
        theta, self.problem = lanes
        self.n = len(theta)
        self.fitted: slice | Indices = _ALL
        self.judged: slice | Indices = _NONE
        if not task.shared:
            roles = task.block.roles[self.problem]
            self.fitted = mine = np.flatnonzero(roles == _FITTED)
            self.judged = others = np.flatnonzero(roles == _JUDGED) if judged else mine[:0]
            order, self.n = np.concatenate([mine, others]), len(mine)
            theta, self.problem = theta[order], self.problem[order]
        slopes = theta[:, 1:] if sums.intercept else theta
        scale = sums.target_scale[self.problem]
        c = np.vecdot(task.block.offset[self.problem], slopes)
        if sums.intercept:
            c += theta[:, 0]
        c *= scale
        self._m = task.block.slope(slopes, self.problem) * scale[:, np.newaxis]
        self._c = c[:, np.newaxis]
        self._out = np.empty((len(theta), min(task.stop - task.start, LOSS_SLICE_ROWS)))

    def at(self, X: Array) -> Array:
        """The predictions (k, n) for rows (n, q), in the place of those before."""
        z = np.matmul(self._m, X.T, out=self._out[:, : len(X)])
        z += self._c
        return z


class RowSums:
    """Sums over some rows of a loss and of its derivatives by θ (p,), for each lane; an intercept comes first in θ.

    The loss is in file units, those of y. θ is for the scaled target, and a problem's ``target_scale`` (v,) converts
    its predictions to file units: z = target_scale·X'θ.
    Several that are evaluated one at a time may share their ``threads``.
    """

    def __init__(
        self,
        blocks: Sequence[RowBlock],
        loss: Loss,
        intercept: bool,
        target_scale: Array,
        jobs: int | None = 1,
        threads: ThreadPoolExecutor | None = None,
    ) -> None:
        self.loss, self.intercept, self.target_scale = loss, intercept, target_scale
        self._tasks = [task for block in blocks for task in _tasks(block)]
        # Fewer rows take less time than to hand them to a thread.
        enough = sum(len(block.y) for block in blocks) > LOSS_SLICE_ROWS
        several = len(self._tasks) > 1 and jobs != 1 and enough
        self._pool = (threads or ThreadPoolExecutor(max_workers=jobs)) if several else None
        self._fewest = 2 * (jobs or usable_cores())

    def ask(self, question: "Question") -> Callable[[], Array]:
        """A function that evaluates the question when it is called, and returns its answer; see :class:`LossSums`."""
        return partial(question, self)

    def gradient(self, lanes: Lanes) -> Array:
        """For each lane Σ w·loss over the rows that judge it, the same over those fitted, and the derivatives of the
        latter by the terms of X'θ, in file units (L, 2 + p).
        """
        L, p = lanes.theta.shape
        first = 2 + int(self.intercept)

        def summed(task: _Task) -> Array:
            lines = _Lines(self, task, lanes, judged=True)
            n = lines.n
            cost, total, XtS = np.zeros(len(lines.problem)), np.zeros(n), np.zeros((n, task.block.X.shape[1]))
            for rows in task.slices():
                value, slope = self._total_and_slope(lines.at(rows.X), rows)
                cost += value
                total += slope[:n].sum(axis=-1)
                XtS += slope[:n] @ rows.X
            found = np.zeros((L, 2 + p))
            found[lines.judged, 0], found[lines.fitted, 1] = cost[n:], cost[:n]
            if self.intercept:
                found[lines.fitted, 2] = total
            found[lines.fitted, first:] = task.block.product(total, XtS, lines.problem[:n])
            return found

        return self._total(summed, L, 2 + p)

    def _total_and_slope(self, z: Array, rows: _Slice) -> tuple[Array, Array]:
        """Σw·loss (k,) and w times its derivative by z (k, n); z (k, n) may be overwritten."""
        at_once = max(1, LOSS_SLICE_ROWS // max(len(rows.y), 1))
        if at_once >= len(z):
            return self.loss.total_and_slope(z, rows.y, rows.weights)
        total = np.empty(len(z))
        for i in range(0, len(z), at_once):
            some = slice(i, i + at_once)
            total[some], z[some] = self.loss.total_and_slope(z[some], rows.y, rows.weights)
        return total, z

    def recession(self, lanes: Lanes) -> Array:
        """The sums Σ w·rise and Σ w·|u| (L, 2) for the change u of the predictions along directions θ of lanes."""

        def summed(task: _Task) -> Array:
            lines = _Lines(self, task, lanes)
            found = np.zeros((len(lanes.theta), 2))
            for rows in task.slices():
                change = lines.at(rows.X)
                for i, part in enumerate((self.loss.rise(change, rows.y), np.abs(change))):
                    found[lines.fitted, i] += part.sum(axis=-1) if rows.weights is None else part @ rows.weights
            return found

        return self._total(summed, len(lanes.theta), 2)

    def hessian(self, lanes: Lanes) -> Array:
        """The matrices Σ w·loss''·x'x'ᵀ (L, p, p)."""
        return self._hessian(lanes, self.loss.curvature)

    def hessian_above(self, lanes: Lanes) -> Array:
        """Σ w·a·x'x'ᵀ (L, p, p), a being the curvature of a parabola that touches a row's loss and lies above it."""
        return self._hessian(lanes, self.loss.curvature_above)

    def _hessian(self, lanes: Lanes, curvature_of: Callable[[Array, Array], Array]) -> Array:
        L, p = lanes.theta.shape

        def summed(task: _Task) -> Array:
            lines = _Lines(self, task, lanes)
            k, q = lines.n, task.block.X.shape[1]
            total, sums, inner = np.zeros(k), np.zeros((k, q)), np.zeros((k, q, q))
            for rows in task.slices():
                curvature = curvature_of(lines.at(rows.X), rows.y)
                if rows.weights is not None:
                    curvature *= rows.weights
                total += curvature.sum(axis=-1)
                sums += curvature @ rows.X
                for own, by_row in zip(inner, curvature, strict=True):
                    own += (rows.X * by_row[:, np.newaxis]).T @ rows.X
            crossed = task.block.product(total, sums, lines.problem)
            each = [self._scaled(task.block, *one) for one in zip(lines.problem, total, crossed, inner, strict=True)]
            found = np.zeros((L, p, p))
            found[lines.fitted] = np.reshape(each, (k, p, p))
            return found

        return self._total(summed, L, p, p)

    def _scaled(self, block: RowBlock, problem: np.intp, total: float, crossed: Array, inner: Array) -> Array:
        """Σκ·x'x'ᵀ (p, p) of x' = offset + factor·x, from Σκ, Σκ·x' and Σκ·xxᵀ (q, q); an intercept comes first."""
        offset, factor = block.offset[problem], block.factor[problem]
        scaled = np.outer(offset, crossed) + np.outer(crossed - offset * total, offset)
        own = inner[np.ix_(block.places, block.places)] * factor
        np.add.at(scaled, np.ix_(block.terms, block.terms), own * factor[:, np.newaxis])
        if not self.intercept:
            return scaled
        found = np.empty((1 + len(scaled), 1 + len(scaled)))
        found[0, 0] = total
        found[0, 1:] = found[1:, 0] = crossed
        found[1:, 1:] = scaled
        return found

    def residuals(self, lanes: Lanes, prefixes: Sequence[int], shift: int) -> Array:
        """Histograms (k, 2^DIGIT_BITS) by weight of one digit of one lane's |y − z|, one for each of k prefixes.

        The digit is the DIGIT_BITS bits from bit ``shift`` up of a residual's 64 bits, which order numbers ≥ 0 by size.
        A histogram counts the residuals whose bits above that digit equal its prefix.
        """

        def summed(task: _Task) -> Array:
            lines = _Lines(self, task, lanes)
            found = np.zeros((len(prefixes), 1 << DIGIT_BITS))
            for rows in task.slices() if lines.n else ():
                bits = np.abs(rows.y - lines.at(rows.X)[0]).view(np.uint64) >> np.uint64(shift)
                above, digit = bits >> np.uint64(DIGIT_BITS), (bits & np.uint64((1 << DIGIT_BITS) - 1)).astype(np.intp)
                for k, prefix in enumerate(prefixes):
                    counted = above == prefix
                    weights = None if rows.weights is None else rows.weights[counted]
                    found[k] += np.bincount(digit[counted], weights, 1 << DIGIT_BITS)
            return found

        return self._total(summed, len(prefixes), 1 << DIGIT_BITS)

    def _total(self, summed: Callable[[_Task], Array], *shape: int) -> Array:
        def done(task: _Task) -> Array:
            with np.errstate(over="ignore", invalid="ignore"):  # the way to infinity is watched elsewhere
                found = summed(task)
            if (release := task.block.release) is not None:
                release(task.start, task.stop)
            return found

        total = np.zeros(shape)
        ahead = max(self._fewest, _AHEAD_BYTES // max(total.nbytes, 1))
        for part in map(done, self._tasks) if self._pool is None else self._side_by_side(self._pool, done, ahead):
            total += part
        return total

    def _side_by_side(self, pool: ThreadPoolExecutor, done: Callable[[_Task], Array], ahead: int) -> Iterator[Array]:
        """Yield the results of all tasks in order, of which so many are done ahead: each may be many matrices."""
        running: deque[Future[Array]] = deque()
        for task in self._tasks:
            running.append(pool.submit(done, task))
            if len(running) > ahead:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


Question = Callable[[RowSums], Array]
"""A function of the sums over some rows, evaluated in the process that holds the rows."""


class LossSums(Protocol):
    """The sums over one group of rows, in this process (:class:`RowSums`) or on a worker."""

    def ask(self, question: Question) -> Callable[[], Array]:
        """Submit a question; the function returned waits for the answer and returns it, an array of sums."""
        ...


def _tasks(block: RowBlock) -> Iterator[_Task]:
    n, rows, shared = len(block.y), TASK_SLICES * LOSS_SLICE_ROWS, bool((block.roles == Role.FITTED).all())
    for start in range(0, n, rows):
        yield _Task(block, start, min(start + rows, n), shared)
