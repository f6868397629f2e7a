"""Forecasts of a descent with momentum on a squared error, from its recurrences.

The gap is not monotone, so that the first iteration within a limit has to be looked for: by leaps, where a lower bound
shows that none of many iterations is within it, and one by one elsewhere.
"""

from typing import NamedTuple

import numpy as np

from gdcli.engine.recurrence import Motion, Recurrence, motion
from gdcli.engine.spectrum import MOST_ITERATIONS, STABILITY_MARGIN, Behaviour, Spectrum, first
from gdcli.engine.triangle import Array

# The first leap is over so many iterations, each later one over as many as lie behind.
_FIRST_LEAP = 64
# So many numbers (rates × eigenvectors × iterations), and at least so many iterations, are looked at in one go.
_AT_ONCE, _FEWEST_AT_ONCE = 1 << 18, 32
# So many are looked at in all, by a forecast and by the search for the best rate: about a second, and half of one.
_IN_ALL, _IN_ALL_FOR_BEST = 1 << 26, 1 << 25
# The rates that the search for the best begins with: at least, at most, their numbers (× r), and one in so many more
# just below the limit. Then so many for each of the swings over the rates, and so many around the best of them, in each
# of so many rounds.
_FEWEST_RATES, _MOST_RATES, _RATES_AT_ONCE, _NEAR_THE_LIMIT = 32, 256, 1 << 14, 4
_PER_SWING, _FINER, _ROUNDS = 16, 33, 6


class Arrival(NamedTuple):
    """The first iteration at which any of several rates is within a limit, which of them it is, and its gap then."""

    iteration: int
    which: int
    gap: float


class _TooLongError(Exception):
    """More iterations than can be looked at."""


class _Search:
    """Looks for the first iteration at which any of several rates has its gap within a limit."""

    def __init__(self, limit: float, in_all: int) -> None:
        self._limit = limit
        self._left = in_all

    def arrival(self, moving: Motion, last: int = MOST_ITERATIONS) -> Arrival | None:
        """Return who arrives first from iteration 1 to ``last``; None if nobody does, or if that takes too long."""
        low, high = 1, _FIRST_LEAP
        try:
            while low <= last:
                found = self._between(moving, low, min(high, last))
                if found is not None:
                    return found
                low, high = high + 1, 2 * high
        except _TooLongError:
            return None
        return None

    def _between(self, moving: Motion, low: int, high: int) -> Arrival | None:
        possible = np.flatnonzero(moving.least(low, high) <= self._limit)
        if not len(possible):
            return None
        some = moving.of(possible)
        if high - low >= max(_AT_ONCE // some.e0.size, _FEWEST_AT_ONCE):
            middle = (low + high) // 2
            found = self._between(some, low, middle) or self._between(some, middle + 1, high)
        else:
            found = self._look(some, low, high)
        return None if found is None else found._replace(which=int(possible[found.which]))

    def _look(self, moving: Motion, low: int, high: int) -> Arrival | None:
        self._left -= moving.e0.size * (high - low + 1)
        if self._left < 0:
            raise _TooLongError
        gaps = moving.gaps(low, high).sum(axis=-1)
        within = (gaps <= self._limit).any(axis=1)
        if not within.any():
            return None
        at = int(np.argmax(within))
        which = int(np.argmin(gaps[at]))
        return Arrival(low + at, which, float(gaps[at, which]))


class MomentumForecast:
    """What can be said of the rates of a descent with momentum, which starts with a ``velocity`` b (r,).

    A rate is ``oscillating`` where along some eigenvector the roots are complex or negative, so that the distance
    there swings about zero. With β = 0 all is as for plain descent.
    """

    def __init__(self, recurrence: Recurrence, spectrum: Spectrum, velocity: Array) -> None:
        self._recurrence, self._spectrum, self._velocity = recurrence, spectrum, velocity
        self._steepest = float(spectrum.eigenvalues[0])
        self.largest_stable: float | None = recurrence.limit / self._steepest
        self.condition_number: float | None = spectrum.condition_number

    def behaviour(self, learning_rate: float) -> Behaviour | None:
        """Classify a rate: all depends on the largest eigenvalue."""
        h = learning_rate * self._steepest
        if h >= self._recurrence.limit - STABILITY_MARGIN:
            return Behaviour.UNSTABLE
        return Behaviour.OSCILLATING if h > self._recurrence.bends[0] else Behaviour.MONOTONE

    def gaps(self, learning_rate: float, iteration: int) -> Array | None:
        """Return the gap (r,) after so many iterations, by eigenvector, in squared scaled target units."""
        with np.errstate(over="ignore", invalid="ignore"):  # an unstable rate's gap is soon infinite
            by_vector = self._motion(np.array([learning_rate])).gaps(iteration, iteration)[0, 0]
        finite: Array = np.nan_to_num(by_vector, nan=np.inf, posinf=np.inf)
        return finite

    def iterations_to(self, learning_rate: float, gap: float) -> int | None:
        """Return the first iteration whose gap is at most ``gap``, exactly.

        None for an unstable rate, and where there are more iterations to look at than can be.
        """
        if self.behaviour(learning_rate) is Behaviour.UNSTABLE:
            return None
        if self._at_start <= gap:
            return 0
        found = _Search(gap, _IN_ALL).arrival(self._motion(np.array([learning_rate]))) if gap > 0 else None
        return None if found is None else found.iteration

    def settled(self, learning_rate: float, gap: float) -> int | None:
        """Return an iteration from which on no gap is more than ``gap``; from a bound, so that it may be a late one."""
        if self.behaviour(learning_rate) is Behaviour.UNSTABLE:
            return None
        moving = self._motion(np.array([learning_rate]))
        return first(lambda k: float(moving.most(k)[0]) <= gap) if gap > 0 else None

    def best_rate(self, gap: float) -> tuple[float | None, int | None]:
        """Return the stable rate that reaches ``gap`` first, and the iteration at which it does.

        After k iterations e_k is a polynomial of degree k in the rate, which swings the faster the nearer it is to the
        ends of the stable interval: so look at h = limit·½(1 − cos φ), and more just below the limit; again with as
        many φ as the iteration found calls for; and then ever closer around the rate that arrives first. Of equals,
        the best is the one that is then nearest to the optimum.
        """
        r = len(self._spectrum.eigenvalues)
        rates = self._grid(min(max(_RATES_AT_ONCE // r, _FEWEST_RATES), _MOST_RATES))
        search = _Search(gap, _IN_ALL_FOR_BEST)
        found = search.arrival(self._motion(rates)) if 0 < gap < self._at_start else None
        if found is None:
            middle = 0.5 * self._recurrence.limit / self._steepest
            return middle, self.iterations_to(middle, gap)
        best, iteration = rates[found.which], found.iteration
        affordable = _IN_ALL_FOR_BEST // (4 * iteration * r)
        finer = self._grid(min(_PER_SWING * iteration, affordable))
        for _ in range(1 + _ROUNDS):
            rates = np.unique(np.append(finer, best))
            found = search.arrival(self._motion(rates), iteration)
            if found is not None:
                best, iteration = rates[found.which], found.iteration
            at = int(np.searchsorted(rates, best))
            finer = np.linspace(rates[max(at - 1, 0)], rates[min(at + 1, len(rates) - 1)], _FINER)
        return float(best), iteration

    @property
    def _at_start(self) -> float:
        return float(0.5 * self._spectrum.eigenvalues @ self._spectrum.distances**2)

    def _motion(self, rates: Array) -> Motion:
        return motion(self._recurrence, self._spectrum, self._velocity, rates)

    def _grid(self, many: int) -> Array:
        """Return so many rates over the stable interval, and more just below its end."""
        limit = self._recurrence.limit
        around = 0.5 * limit * (1.0 - np.cos(np.linspace(0.0, np.pi, many + 2)[1:-1]))
        below = limit - np.geomspace(10 * STABILITY_MARGIN, 0.01 * limit, min(many, _MOST_RATES) // _NEAR_THE_LIMIT)
        rates: Array = np.unique(np.concatenate([around, below])) / self._steepest
        return rates
