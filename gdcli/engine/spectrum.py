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
from gdcli.engine.arrays import Array
from gdcli.engine.quadratic import Quadratic

# A factor this close to −1 does not shrink in any number of iterations that can be run.
STABILITY_MARGIN = 1e-12

# Iteration counts beyond this are not told apart from never.
FORECAST_LIMIT = 10**18

_GRID = 64

_COARSE_ROUNDS, _FINE_ROUNDS = 4, 8


class Behaviour(Enum):
    """What a learning rate does, over the eigenvalues λ > 0."""

    MONOTONE = "monotone"
    OSCILLATING = "oscillating"
    UNSTABLE = "unstable"


@record(eq=False)
class Spectrum:
    """``eigenvalues`` λ > 0 (r,), largest first; ``vectors`` (r, p) their eigenvectors in scaled coordinates;
    ``distances`` (r,) of the start from the optimum along each.
    """

    eigenvalues: Array
    vectors: Array
    distances: Array

    @property
    def largest_stable(self) -> float:
        """2/λmax: the rate from which on gradient descent does not settle. Not itself stable."""
        return 2.0 / float(self.eigenvalues[0])

    @property
    def condition_number(self) -> float:
        """λmax/λmin."""
        return float(self.eigenvalues[0] / self.eigenvalues[-1])

    @property
    def whitened(self) -> "Spectrum":
        """The spectrum in the coordinates √λ·θ, in which all eigenvalues are 1; the gaps along the vectors stay."""
        return Spectrum(np.ones_like(self.eigenvalues), self.vectors, np.sqrt(self.eigenvalues) * self.distances)

    def solve(self, gradient: Array) -> Array:
        """H⁺ · gradient (…, p), with the Hessian's pseudo-inverse: zero along what the data do not determine."""
        step: Array = ((gradient @ self.vectors.T) / self.eigenvalues) @ self.vectors
        return step


def spectrum(problem: Quadratic, rank: int, distance: Array, slopes: tuple[Array, Array] | None = None) -> Spectrum:
    """The spectrum of a problem of known rank, for a start ``distance`` = θ₀ − θ* (p,) from the optimum.

    ``slopes`` are the singular values and right vectors without the intercept, None if unknown. They suffice for
    centred columns, whose slopes nothing ties to the intercept.
    """
    if slopes is None:
        _, singular, Vt = np.linalg.svd(problem.R1, full_matrices=False)
    else:
        singular, Vt = _beside_intercept(problem.R1[0, 0], *slopes)
    vectors = Vt[:rank]
    return Spectrum(2.0 / problem.weight * singular[:rank] ** 2, vectors, vectors @ distance)


def _beside_intercept(first: float, singular: Array, Vt: Array) -> tuple[Array, Array]:
    """The decomposition of the block-diagonal matrix of ``first`` and a decomposed one."""
    rank, p = Vt.shape
    vectors = np.zeros((rank + 1, p + 1))
    at = int(np.searchsorted(-singular, -first))
    vectors[at, 0] = 1.0
    vectors[:at, 1:], vectors[at + 1 :, 1:] = Vt[:at], Vt[at:]
    return np.insert(singular, at, first), vectors


def behaviour(spectrum: Spectrum, learning_rate: float) -> Behaviour:
    """The behaviour of a rate of plain gradient descent."""
    smallest_factor = 1.0 - learning_rate * float(spectrum.eigenvalues[0])
    if smallest_factor <= -1.0 + STABILITY_MARGIN:
        return Behaviour.UNSTABLE
    return Behaviour.OSCILLATING if smallest_factor < 0 else Behaviour.MONOTONE


def gaps(spectrum: Spectrum, learning_rate: float, iteration: int) -> Array:
    """The gap (r,) along each eigenvector at an iteration, in squared scaled target units."""
    with np.errstate(over="ignore"):  # an unstable rate's gap is soon infinite
        by_vector: Array = np.exp(_log_gaps(spectrum, np.array([learning_rate]), iteration)[0])
    return by_vector


def iterations_to(spectrum: Spectrum, learning_rate: float, gap: float) -> int | None:
    """The first iteration whose gap is at most ``gap``, exactly; None if the rate is unstable or there is none."""
    if behaviour(spectrum, learning_rate) is Behaviour.UNSTABLE:
        return None
    rate = np.array([learning_rate])
    limit = _log(gap)

    def reached(iteration: int) -> bool:
        return float(_log_total(spectrum, rate, iteration)[0]) <= limit

    return first(reached)


def best_rate(spectrum: Spectrum, gap: float) -> tuple[float, int | None]:
    """The stable rate that is first within ``gap``, and the iteration at which it is, None if there is none.

    Gaps are in squared scaled target units. At later iterations the gap stays below the limit.

    For a fixed iteration the gap is a convex function of the rate, and its minimum over the rates falls with the
    iteration: so bisect over the iteration, with a search by shrinking grids inside. Below 1/λmax a larger rate is
    better along every eigenvector, hence the search is over 1 ≤ η·λmax < 2. Of all rates within the gap at that
    iteration, the one that is then closest to the optimum is returned.
    """
    largest = float(spectrum.eigenvalues[0])
    limit = _log(gap)

    def lowest(iteration: int, rounds: int) -> tuple[float, float]:
        low, high = math.log(10 * STABILITY_MARGIN), 0.0  # of log(2 − η·λmax)
        for _ in range(rounds):
            grid = np.linspace(low, high, _GRID)
            rates = (2.0 - np.exp(grid)) / largest
            totals = _log_total(spectrum, rates, iteration)
            at = int(np.argmin(totals))
            low, high = grid[max(at - 1, 0)], grid[min(at + 1, _GRID - 1)]
        return float(rates[at]), float(totals[at])

    iteration = first(lambda k: lowest(k, _COARSE_ROUNDS)[1] <= limit)
    if not iteration:
        worst_case = 2.0 / float(spectrum.eigenvalues[0] + spectrum.eigenvalues[-1])
        return 1.0 / largest if iteration == 0 else worst_case, iteration
    return lowest(iteration, _FINE_ROUNDS)[0], iteration


def _log_gaps(spectrum: Spectrum, rates: Array, iteration: int) -> Array:
    """log(½ λᵢ (1 − ηλᵢ)²ᵏ cᵢ²) of shape (rates, r)."""
    with np.errstate(divide="ignore"):
        start = np.log(0.5 * spectrum.eigenvalues * spectrum.distances**2)
        if iteration == 0:
            return np.broadcast_to(start, (len(rates), len(start)))
        products = rates[:, np.newaxis] * spectrum.eigenvalues
        # log1p keeps the digits of 1 − ηλ where ηλ is tiny: they decide after 10⁹ iterations.
        shrinking = np.log(np.abs(1.0 - products), where=products > 0.5, out=np.log1p(-np.minimum(products, 0.5)))
        return start + 2.0 * iteration * shrinking


def _log_total(spectrum: Spectrum, rates: Array, iteration: int) -> Array:
    """log(gap) for each rate; −inf where the gap is zero."""
    logs = _log_gaps(spectrum, rates, iteration)
    top = logs.max(axis=1)
    finite = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        total: Array = finite + np.log(np.exp(logs - finite[:, np.newaxis]).sum(axis=1))
    return total


def first(reached: Callable[[int], bool]) -> int | None:
    """The smallest iteration for which a predicate that stays true becomes true; None past the limit."""
    if reached(0):
        return 0
    high = 1
    while not reached(high):
        high *= 2
        if high > FORECAST_LIMIT:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if reached(middle):
            high = middle
        else:
            low = middle
    return high


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf
