"""Forecasts of a descent with momentum on a squared error, from its recurrences.

The gap is not monotone: it can come within a limit in passing and swing out again. What counts is the iteration from
which on it stays within. An upper bound on all later gaps says where to begin; from there one looks back.
"""

import numpy as np

from gdcli.base.records import record
from gdcli.engine.arrays import Array, NDArray, PerLane, single
from gdcli.engine.recurrence import Motion, Recurrence, motion
from gdcli.engine.spectrum import STABILITY_MARGIN, Behaviour, Spectrum, behaviour_of, count_or_none, first

# Iterations in the first look, each way; each later look is twice as long.
_FIRST_LOOK = 32

# Numbers (rates × eigenvectors × iterations) in one look, unless the first look is more.
_AT_ONCE = 1 << 18

# Numbers in all, for a forecast: about a second.
_IN_ALL = 1 << 26

# Numbers in all, for the search of the best rate: about half a second.
_IN_ALL_FOR_BEST = 1 << 25

_FEWEST_RATES = 32  # rates in the first grid, at least

_MOST_RATES = 4096  # rates in the first grid, at most

_RATES_AT_ONCE = 1 << 14  # numbers (rates × eigenvectors) in the first grid

_NEAR_THE_LIMIT = 4  # one more rate just below the limit for each 4 of a grid

_MOST_NEAR_THE_LIMIT = 64  # rates just below the limit, at most

_PER_SWING = 16  # rates of the second grid for each swing of the gap over the rates

_FINER = 33  # rates around the best one in each later grid

_ROUNDS = 6  # later grids


@record
class Arrival:
    """The first arrival among several rates: the iteration from which on one stays within a limit.

    ``which`` is the index of this rate, ``gap`` its gap at that iteration.
    """

    iteration: int
    which: int
    gap: float


class _TooLongError(Exception):
    """More iterations than can be looked at."""


class _Search:
    """Looks for the rate that is within a limit first, to stay."""

    def __init__(self, limit: float, in_all: int) -> None:
        self._limit = limit
        self._left = in_all

    def arrival(self, moving: Motion, last: int | None = None) -> Arrival | None:
        """The first arrival within the limit, to stay; None if there is none (by ``last``) or it takes too long."""
        if last is None:
            # The bound holds from iteration 1 on; that the start is within as well is looked at.
            last = count_or_none(first(lambda k: (moving.upper_bound(int(k) + 1) <= self._limit).any()))
            last = None if last is None else last + 1
        if last is None:
            return None
        try:
            staying = self._staying(moving, last)
            return None if not len(staying) else self._earliest(moving, staying, last)
        except _TooLongError:
            return None

    def _staying(self, moving: Motion, start: int) -> NDArray[np.intp]:
        """The places of the rates whose gaps are within the limit from an iteration on."""
        staying = np.arange(len(moving.e0))
        look = _FIRST_LOOK
        while len(staying):
            some = moving.of(staying)
            certain = some.upper_bound(start) <= self._limit
            if certain.all():
                break
            look = self._longest(some, look)
            within = (self._gaps(some, start, start + look - 1) <= self._limit).all(axis=0)
            staying = staying[certain | within]
            start, look = start + look, 2 * look
        return staying

    def _earliest(self, moving: Motion, staying: NDArray[np.intp], arrival: int) -> Arrival:
        """The first arrival among the rates that stay from ``arrival`` on."""
        look = _FIRST_LOOK
        while arrival > 0:
            some = moving.of(staying)
            low = max(arrival - self._longest(some, look), 0)
            outside = self._gaps(some, low, arrival - 1) > self._limit
            # So many iterations before the arrival each of them has been within.
            earlier = np.where(outside.any(axis=0), np.argmax(outside[::-1], axis=0), arrival - low)
            most = int(earlier.max())
            staying, arrival, look = staying[earlier == most], arrival - most, 2 * look
            if arrival > low:
                break
        gaps = moving.of(staying).gaps(arrival, arrival)[0].sum(axis=-1)
        at = int(np.argmin(gaps))
        return Arrival(arrival, int(staying[at]), float(gaps[at]))

    def _longest(self, moving: Motion, look: int) -> int:
        return min(look, max(_AT_ONCE // moving.e0.size, _FIRST_LOOK))

    def _gaps(self, moving: Motion, low: int, high: int) -> Array:
        """The gaps (iterations, rates)."""
        self._left -= moving.e0.size * (high - low + 1)
        if self._left < 0:
            raise _TooLongError
        gaps: Array = moving.gaps(low, high).sum(axis=-1)
        return gaps


class MomentumForecast:
    """The forecast of a descent with momentum, which starts with a ``velocity`` b (r,).

    A rate is ``oscillating`` where along some eigenvector the roots are complex or negative, so that the distance
    there swings about zero. With β = 0 all is as for plain descent. Of many lanes only stable rates and the behaviour
    are known: to look for an arrival takes as long as some descents.
    """

    def __init__(self, recurrence: Recurrence, spectrum: Spectrum, velocity: Array) -> None:
        self._recurrence, self._spectrum, self._velocity = recurrence, spectrum, velocity
        self._steepest = single(spectrum.eigenvalues[..., 0])
        self.largest_stable: PerLane = recurrence.limit / self._steepest
        self.condition_number: PerLane = spectrum.condition_number

    def behaviour(self, learning_rate: PerLane) -> PerLane:
        """The behaviour (…) of a rate; the largest eigenvalue alone decides it."""
        h = learning_rate * self._steepest
        return behaviour_of(h >= self._recurrence.limit - STABILITY_MARGIN, h > self._recurrence.bends[0])

    def gaps(self, learning_rate: float, iteration: int) -> Array | None:
        """The gap (r,) along each eigenvector at an iteration, in squared scaled target units."""
        with np.errstate(over="ignore", invalid="ignore"):  # an unstable rate's gap is soon infinite
            by_vector = self._motion(np.array([learning_rate])).gaps(iteration, iteration)[0, 0]
        finite: Array = np.nan_to_num(by_vector, nan=np.inf, posinf=np.inf)
        return finite

    def iterations_to(self, learning_rate: PerLane, gap: float) -> PerLane:
        """The first iteration from which on the gap is at most ``gap``, exactly.

        None (of several rates −1) for an unstable rate, or if it would take too many iterations to look at.
        """
        if self._spectrum.eigenvalues.ndim > 1:
            return None
        if np.ndim(learning_rate):
            found = (self._arrival(rate, gap) for rate in learning_rate)
            return np.array([-1 if one is None else one for one in found])
        return self._arrival(learning_rate, gap)

    def _arrival(self, learning_rate: float, gap: float) -> int | None:
        if self.behaviour(learning_rate) is Behaviour.UNSTABLE:
            return None
        if gap <= 0:
            return 0 if self._at_start <= gap else None
        found = _Search(gap, _IN_ALL).arrival(self._motion(np.array([learning_rate])))
        return None if found is None else found.iteration

    def best_rate(self, gap: float) -> tuple[float | None, int | None]:
        """The stable rate that is first to come within ``gap`` and stay there, and the iteration from which on it does.

        After k iterations e_k is a polynomial of degree k in the rate, which swings the faster the nearer it is to the
        ends of the stable interval. So the first grid is h = limit·½(1 − cos φ), with more rates just below the limit.
        The next has as many φ as the iteration found calls for. Ever finer grids around the rate that arrives first
        follow. Of rates that arrive at the same iteration, the one nearest to the optimum then is the best.
        """
        if self._spectrum.eigenvalues.ndim > 1:
            return None, None
        r = len(self._spectrum.eigenvalues)
        rates = self._grid(min(max(_RATES_AT_ONCE // r, _FEWEST_RATES), _MOST_RATES))
        search = _Search(gap, _IN_ALL_FOR_BEST)
        found = search.arrival(self._motion(rates)) if gap > 0 else None
        if found is None or not found.iteration:
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
        """A grid of ``many`` rates over the stable interval, and more just below its end."""
        limit = self._recurrence.limit
        near = min(many // _NEAR_THE_LIMIT, _MOST_NEAR_THE_LIMIT)
        around = 0.5 * limit * (1.0 - np.cos(np.linspace(0.0, np.pi, many + 2)[1:-1]))
        below = limit - np.geomspace(10 * STABILITY_MARGIN, 0.01 * limit, near)
        rates: Array = np.unique(np.concatenate([around, below])) / self._steepest
        return rates
