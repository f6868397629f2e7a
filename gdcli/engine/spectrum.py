"""What the eigenvalues of the Hessian say about a learning rate, before the first step.

For the mean squared error the Hessian is (2/N)R₁ᵀR₁, so its eigenvalues are λ = (2/N)σ² with σ the singular values
of R₁. Along each eigenvector the distance to the optimum is multiplied by 1 − η·λ in every iteration, hence

    gap_k = ½ Σ λᵢ (1 − η·λᵢ)²ᵏ cᵢ²,   cᵢ the start's distance from the optimum along eigenvector i

(Nesterov, Introductory Lectures on Convex Optimization, 2004, section 1.2.3; Goh, "Why Momentum Really Works",
Distill 2017.)
"""

import math
from collections.abc import Callable
from enum import Enum

import numpy as np

from gdcli.base.records import record
from gdcli.engine.arrays import Array, Mask, NDArray, PerLane, over_columns, single
from gdcli.engine.objective import Point
from gdcli.engine.quadratic import Quadratic

# A factor this close to −1 does not shrink in any number of iterations that can be run.
STABILITY_MARGIN = 1e-12

# Iteration counts beyond this are not told apart from never.
FORECAST_LIMIT = 10**18

# Bits of a rate's place among the stable ones: to learn whether any is within a gap, and of the best one.
_COARSE_BITS, _FINE_BITS = 20, 50

# A search looks at one place for each bit it gains; at several at once if the numbers are no more than this: a call of
# NumPy costs as much as they do.
_BITS_AT_ONCE, _AT_ONCE = 4, 2048

# The logarithm of 2 − η·λmax of the largest rate that is looked at.
_NEAREST = math.log(10 * STABILITY_MARGIN)

Counts = NDArray[np.int64]


class Behaviour(Enum):
    """What a learning rate does, over the eigenvalues λ > 0."""

    MONOTONE = "monotone"
    OSCILLATING = "oscillating"
    UNSTABLE = "unstable"


@record(eq=False)
class Spectrum:
    """``eigenvalues`` λ > 0 (…, r), largest first; ``vectors`` (…, r, p) their eigenvectors in scaled coordinates;
    ``distances`` (…, r) of the start from the optimum along each. A lane of lower rank than others ends with zeros.
    """

    eigenvalues: Array
    vectors: Array
    distances: Array

    @property
    def largest_stable(self) -> PerLane:
        """2/λmax: the rate from which on gradient descent does not settle. Not itself stable."""
        return single(2.0 / self.eigenvalues[..., 0])

    @property
    def smallest(self) -> Array:
        """λmin (…)."""
        smallest: Array = np.where(self.eigenvalues > 0, self.eigenvalues, np.inf).min(axis=-1)
        return smallest

    @property
    def condition_number(self) -> PerLane:
        """λmax/λmin."""
        return single(self.eigenvalues[..., 0] / self.smallest)

    @property
    def whitened(self) -> "Spectrum":
        """The spectrum in the coordinates √λ·θ, in which all eigenvalues are 1; the gaps along the vectors stay."""
        ones = np.where(self.eigenvalues > 0, 1.0, 0.0)
        return Spectrum(ones, self.vectors, np.sqrt(self.eigenvalues) * self.distances)

    def solve(self, gradient: Array) -> Array:
        """H⁺ · gradient (…, p), with the Hessian's pseudo-inverse: zero along what the data do not determine."""
        along = np.matvec(self.vectors, gradient) / np.where(self.eigenvalues > 0, self.eigenvalues, 1.0)
        step: Array = np.vecmat(along, self.vectors)
        return step


def spectrum(problem: Quadratic, rank: PerLane, distance: Array, slopes: tuple[Array, Array] | None = None) -> Spectrum:
    """The spectrum of a problem of known rank (…), for a start ``distance`` = θ₀ − θ* (…, p) from the optimum.

    ``slopes`` are the singular values and right vectors without the intercept, None if unknown. They suffice for
    centred columns, whose slopes nothing ties to the intercept.
    """
    if slopes is None:
        _, singular, V = np.linalg.svd(problem.R1, full_matrices=False)
    else:
        singular, V = _beside_intercept(problem.R1[..., :1, 0], *slopes)
    most = int(np.max(rank))
    eigenvalues, vectors = over_columns(2.0 / problem.weight) * singular[..., :most] ** 2, V[..., :most, :]
    if np.ndim(rank):
        known = np.arange(most) < over_columns(rank)
        # What a column of zeros has of a vector is rounding.
        there = known[..., np.newaxis] & (problem.R1 != 0).any(axis=-2, keepdims=True)
        eigenvalues, vectors = np.where(known, eigenvalues, 0.0), np.where(there, vectors, 0.0)
    return Spectrum(eigenvalues, vectors, np.matvec(vectors, distance))


class AlongEigenvectors:
    """The mean squared errors of all lanes as a function of u = V(θ − θ₀) (…, r), in squared scaled target units.

    Number by number the gradient is λ·(u + d), with the start's distance d from the optimum: an optimizer that is
    linear in the gradient descends there exactly as it does in θ, at O(p) instead of O(p²).

    cost = cost* + ½ Σ λᵢ (uᵢ + dᵢ)²,  ∇cost = λ·(u + d)
    """

    def __init__(self, spectrum: Spectrum, least: PerLane) -> None:
        self._spectrum, self._least = spectrum, least

    def at(self, theta: Array) -> Point:
        """The point at u (…, r): costs (…) and gradients (…, r)."""
        left = theta + self._spectrum.distances
        gradient = self._spectrum.eigenvalues * left
        return Point(theta, 0.5 * np.vecdot(gradient, left) + self._least, gradient)

    def value(self, theta: Array) -> Array:
        """The costs (…) at u."""
        return self.at(theta).cost

    def newton_direction(self, point: Point) -> Array:
        """H⁺ · gradient (…, r)."""
        eigenvalues = self._spectrum.eigenvalues
        direction: Array = point.gradient / np.where(eigenvalues > 0, eigenvalues, 1.0)
        return direction

    def after(self, learning_rate: Array, iterations: Counts | int) -> Array:
        """u (…, r) after so many iterations (…) of plain descent from 0 at a rate (…)."""
        products, distances = over_columns(learning_rate) * self._spectrum.eigenvalues, self._spectrum.distances
        logs = _times(iterations, _shrinking(products))
        odd = over_columns(iterations) % 2 == 1
        moved = np.where((products > 1.0) & odd, -np.exp(logs) - 1.0, np.expm1(logs))
        return np.where(distances != 0, moved * distances, 0.0)

    def theta(self, u: Array) -> Array:
        """θ − θ₀ (…, p) at u."""
        moved: Array = np.vecmat(u, self._spectrum.vectors)
        return moved


def _beside_intercept(first: Array, singular: Array, Vt: Array) -> tuple[Array, Array]:
    """The decomposition of the block-diagonal matrix of ``first`` (…, 1) and a decomposed one."""
    *lanes, rank, p = Vt.shape
    values = np.concatenate([first, singular], axis=-1)
    vectors = np.zeros((*lanes, rank + 1, p + 1))
    vectors[..., 0, 0], vectors[..., 1:, 1:] = 1.0, Vt
    order = np.argsort(-values, axis=-1, kind="stable")
    return np.take_along_axis(values, order, -1), np.take_along_axis(vectors, order[..., np.newaxis], -2)


def behaviour(spectrum: Spectrum, learning_rate: PerLane) -> PerLane:
    """The behaviour (…) of a rate of plain gradient descent."""
    with np.errstate(over="ignore"):  # an infinite factor is unstable too
        smallest_factor = 1.0 - learning_rate * spectrum.eigenvalues[..., 0]
    return behaviour_of(smallest_factor <= -1.0 + STABILITY_MARGIN, smallest_factor < 0)


def behaviour_of(unstable: PerLane, oscillating: PerLane) -> PerLane:
    """The behaviour of a rate, or an array of one for each lane."""
    kinds = np.array([Behaviour.MONOTONE, Behaviour.OSCILLATING, Behaviour.UNSTABLE])
    return kinds[np.where(unstable, 2, np.where(oscillating, 1, 0))]


def gaps(spectrum: Spectrum, learning_rate: PerLane, iteration: int) -> Array:
    """The gap (…, r) along each eigenvector at an iteration, in squared scaled target units."""
    shrinking = _shrinking(over_columns(learning_rate) * spectrum.eigenvalues)
    with np.errstate(over="ignore"):  # an unstable rate's gap is soon infinite
        by_vector: Array = np.exp(_log_start(spectrum) + _times(2 * iteration, shrinking))
    return by_vector


def iterations_to(spectrum: Spectrum, learning_rate: PerLane, gap: PerLane) -> PerLane:
    """The first iteration (…) whose gap is at most ``gap``, exactly; None if the rate is unstable or there is none.

    Of lanes, or of several rates (…) of one lane, −1 stands for None.
    """
    start, limit = _log_start(spectrum), _log(gap)
    shrinking = _shrinking(over_columns(learning_rate) * spectrum.eigenvalues)

    def reached(iteration: Counts) -> Mask:
        return _log_sum(start + _times(2 * iteration, shrinking)) <= limit

    unstable = behaviour(spectrum, learning_rate) == Behaviour.UNSTABLE
    return count_or_none(np.where(unstable, -1, first(reached, np.broadcast(learning_rate, limit).shape)))


def best_rate(spectrum: Spectrum, gap: PerLane) -> tuple[PerLane, PerLane]:
    """The stable rate (…) that is first within ``gap``, and the iteration at which it is, None (of lanes −1) if never.

    Gaps are in squared scaled target units. At later iterations the gap stays below the limit.

    For a fixed iteration the gap is a convex function of the rate, and its minimum over the rates falls with the
    iteration: so bisect over the iteration, with a search inside for the rate at which the slope of the gap,
    −2k · ½ Σ λᵢ² (1 − ηλᵢ)²ᵏ⁻¹ cᵢ², changes its sign. Below 1/λmax a larger rate is better along every eigenvector,
    hence the search is over 1 ≤ η·λmax < 2. Of all rates within the gap at that iteration, the one that is then closest
    to the optimum is returned.
    """
    eigenvalues, largest = spectrum.eigenvalues, spectrum.eigenvalues[..., 0]
    start, limit = _log_start(spectrum), _log(gap)
    with np.errstate(divide="ignore"):
        rows = eigenvalues[..., np.newaxis, :]
        slope = start[..., np.newaxis, :] + np.log(rows)
    bits = _BITS_AT_ONCE if eigenvalues.size << _BITS_AT_ONCE <= _AT_ONCE else 1
    places = np.arange(1 << bits) / (1 << bits)

    def lowest(iteration: Counts, wanted: int) -> tuple[Array, Array]:
        low, high = np.full(limit.shape, _NEAREST), np.zeros(limit.shape)  # of log(2 − η·λmax)
        for _ in range(-(-wanted // bits)):
            edges = over_columns(low) + over_columns(high - low) * places
            products = ((2.0 - np.exp(edges[..., 1:])) / over_columns(largest))[..., np.newaxis] * rows
            logs = slope + _times((2 * iteration - 1)[..., np.newaxis], _shrinking(products))
            shares = np.exp(logs - _finite(logs.max(axis=-1))[..., np.newaxis])
            rising = (np.sign(1.0 - products) * shares).sum(axis=-1) < 0  # the rate is too large
            at = rising.sum(axis=-1, keepdims=True)
            edges = np.concatenate([edges, over_columns(high)], axis=-1)
            low, high = np.take_along_axis(edges, at, -1)[..., 0], np.take_along_axis(edges, at + 1, -1)[..., 0]
        best = (2.0 - np.exp(high)) / largest
        return best, _log_sum(start + _times(2 * iteration, _shrinking(over_columns(best) * eigenvalues)))

    def within(iteration: Counts) -> Mask:
        if not iteration.any():
            return _log_sum(start) <= limit
        return lowest(iteration, _COARSE_BITS)[1] <= limit

    iterations = first(within, limit.shape)
    # At the optimum already, or never.
    worst_case = 2.0 / (largest + spectrum.smallest)
    safe = np.minimum(worst_case, np.where(iterations == 0, 1.0 / largest, np.inf))
    rates = np.where(iterations > 0, lowest(np.maximum(iterations, 1), _FINE_BITS)[0], safe)
    return single(rates), count_or_none(iterations)


def first(reached: Callable[[Counts], Mask | np.bool_], lanes: tuple[int, ...] = ()) -> Counts:
    """The smallest iteration for which a predicate that stays true becomes true, in each lane; −1 past the limit."""
    high = np.zeros(lanes, dtype=np.int64)
    done = reached(high)
    while not done.all() and high.max(initial=0) <= FORECAST_LIMIT:
        high = np.where(done, high, np.maximum(2 * high, 1))
        done = done | reached(high)
    low = high // 2
    while (wide := done & (high - low > 1)).any():
        middle = np.where(wide, (low + high) // 2, high)
        there = reached(middle)
        high, low = np.where(wide & there, middle, high), np.where(wide & ~there, middle, low)
    return np.where(done & (high <= FORECAST_LIMIT), high, -1)


def count_or_none(counts: Counts) -> PerLane:
    """The count of one lane, None if it is −1; arrays as they are."""
    return counts if counts.ndim else None if counts < 0 else int(counts)


def _log_start(spectrum: Spectrum) -> Array:
    """log(½ λᵢ cᵢ²) of shape (…, r)."""
    with np.errstate(divide="ignore"):
        start: Array = np.log(0.5 * spectrum.eigenvalues * spectrum.distances**2)
    return start


def _shrinking(products: Array) -> Array:
    """log|1 − ηλᵢ| of the ``products`` ηλᵢ, with all digits where one is tiny: they decide after 10⁹ iterations."""
    with np.errstate(divide="ignore"):
        logs: Array = np.log(np.abs(1.0 - products), where=products > 0.5, out=np.log1p(-np.minimum(products, 0.5)))
    return logs


def _times(count: Counts | int, logs: Array) -> Array:
    """count · logs (…, r) for counts (…), and 0 for none, whatever the logarithm."""
    factor = over_columns(count).astype(np.float64)
    return factor * logs if (factor > 0).all() else np.where(factor > 0, factor * np.where(factor > 0, logs, 0.0), 0.0)


def _log_sum(logs: Array) -> Array:
    """log Σ exp over the last axis; −inf for an empty sum."""
    top = _finite(logs.max(axis=-1, initial=-np.inf))
    with np.errstate(divide="ignore"):
        total: Array = top + np.log(np.exp(logs - top[..., np.newaxis]).sum(axis=-1))
    return total


def _finite(values: Array) -> Array:
    return np.where(np.isfinite(values), values, 0.0)


def _log(values: PerLane) -> Array:
    with np.errstate(divide="ignore"):
        logs: Array = np.log(np.maximum(np.asarray(values, dtype=np.float64), 0.0))
    return logs
