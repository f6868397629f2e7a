"""How a stack of groups descends: each group ends on its own, and may have a rate of its own.

The loop is that of ``descent``; a group that has ended goes on with the rate 0 until all have.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gdcli.engine.arrays import Array
from gdcli.engine.descent import DIVERGENCE_FACTOR, Step, Stopped
from gdcli.engine.spectrum import FORECAST_LIMIT, STABILITY_MARGIN

Counts = NDArray[np.int64]

# 2⁻⁵⁰ of the interval that a rate is searched in.
_HALVINGS = 50


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


def lane_iterations_to(eigenvalues: Array, distances: Array, rates: Array, gap: Array) -> Counts:
    """The first iteration (g,) of plain descent at which each group's gap is at most ``gap`` (g,); −1 for never.

    ``eigenvalues`` and ``distances`` (g, k) are as in a Spectrum; 0 along directions that the data do not determine.
    """
    with np.errstate(divide="ignore"):
        start = np.log(0.5 * eigenvalues * distances**2)
        limit = np.log(gap)
    shrinking = _shrinking(rates, eigenvalues)

    def reached(iteration: Counts) -> NDArray[np.bool_]:
        return _log_sum(start + 2.0 * _times(iteration, shrinking)) <= limit

    return _first(reached, len(rates))


def best_rates(eigenvalues: Array, distances: Array, gap: Array) -> tuple[Array, Counts]:
    """Two arrays (g,): each group's stable rate that first comes to a gap of at most ``gap`` (g,), and the iteration.

    The iteration is −1 for never. The search is that of ``spectrum.best_rate``. For a fixed iteration the gap is convex
    in the rate: its minimum is where the slope −2k · ½ Σ λᵢ² (1 − ηλᵢ)²ᵏ⁻¹ cᵢ² changes its sign, found by halving.
    """
    largest = eigenvalues.max(axis=1)
    with np.errstate(divide="ignore"):
        start, limit = np.log(0.5 * eigenvalues * distances**2), np.log(gap)
        slope = start + np.log(eigenvalues)

    def lowest(iteration: Counts) -> tuple[Array, Array]:
        low, high = np.full(len(gap), math.log(10 * STABILITY_MARGIN)), np.zeros(len(gap))  # of log(2 − η·λmax)
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            factor = 1.0 - ((2.0 - np.exp(middle)) / largest)[:, np.newaxis] * eigenvalues
            with np.errstate(divide="ignore"):
                logs = slope + _times(2 * iteration - 1, np.log(np.abs(factor)))
            shares = np.exp(logs - _finite(logs.max(axis=1))[:, np.newaxis])
            rising = (np.sign(factor) * shares).sum(axis=1) < 0  # beyond the minimum: a smaller rate is better
            low, high = np.where(rising, middle, low), np.where(rising, high, middle)
        rates = (2.0 - np.exp(high)) / largest
        return rates, _log_sum(start + 2.0 * _times(iteration, _shrinking(rates, eigenvalues)))

    iterations = _first(lambda k: (_log_sum(start) <= limit) | ((k > 0) & (lowest(k)[1] <= limit)), len(gap))
    rates = lowest(np.maximum(iterations, 1))[0]
    smallest = np.where(eigenvalues > 0, eigenvalues, np.inf).min(axis=1)
    # At the optimum already, or never: as in spectrum.best_rate.
    safe = np.minimum(2.0 / (largest + smallest), np.where(iterations == 0, 1.0 / largest, np.inf))
    return np.where(iterations > 0, rates, safe), iterations


def _first(reached: Callable[[Counts], NDArray[np.bool_]], groups: int) -> Counts:
    """For each group the smallest iteration for which a predicate that stays true is true; −1 for never."""
    high = np.zeros(groups, dtype=np.int64)
    done = reached(high)
    while not done.all() and int(high.max()) <= FORECAST_LIMIT:
        high = np.where(done, high, np.maximum(2 * high, 1))
        done |= reached(high)
    low = high // 2
    while (wide := done & (high - low > 1)).any():
        middle = np.where(wide, (low + high) // 2, high)
        there = reached(middle)
        high, low = np.where(wide & there, middle, high), np.where(wide & ~there, middle, low)
    return np.where(done, high, -1)


def _shrinking(rates: Array, eigenvalues: Array) -> Array:
    """log|1 − ηλᵢ| (g, k), accurate even if ηλ is tiny."""
    products = rates[:, np.newaxis] * eigenvalues
    with np.errstate(divide="ignore"):
        logs: Array = np.log(np.abs(1.0 - products), where=products > 0.5, out=np.log1p(-np.minimum(products, 0.5)))
    return logs


def _times(iteration: Counts, logs: Array) -> Array:
    """k · logs (g, r), and 0 for k = 0 whatever the logarithm."""
    k = iteration[:, np.newaxis].astype(np.float64)
    return np.where(k > 0, k, 0.0) * np.where(k > 0, logs, 0.0)


def _log_sum(logs: Array) -> Array:
    """log Σ exp over the last axis; −inf for an empty sum."""
    top = _finite(logs.max(axis=1))
    with np.errstate(divide="ignore"):
        total: Array = top + np.log(np.exp(logs - top[:, np.newaxis]).sum(axis=1))
    return total


def _finite(values: Array) -> Array:
    return np.where(np.isfinite(values), values, 0.0)
