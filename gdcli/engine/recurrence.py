"""Momentum on a squared error, exactly: a recurrence of two numbers along every eigenvector.

With e the distance to the optimum along an eigenvector, v = η × the velocity there, and h = η·λ, one iteration is

    e ← (1 − a·h)·e − b·v        v ← h·e + β·v        heavy ball: a = 1, b = β     Nesterov: a = 1 + β, b = β²

so that e_{k+1} = t·e_k − d·e_{k−1} with t = 1 + β − a·h and d = β − (a·β − b)·h. With the roots z of z² − t·z + d

    e_k = s_k·e₁ − d·s_{k−1}·e₀,    s_k = (z₁ᵏ − z₂ᵏ)/(z₁ − z₂),    gap_k = ½ Σ λᵢ e_{k,i}²

(Polyak, Some methods of speeding up the convergence of iteration methods, 1964; Goh, "Why Momentum Really Works",
Distill 2017.) Real positive roots shrink the distance without overshooting; complex ones swing about the optimum, a
negative one jumps across it.
"""

import math

import numpy as np

from gdcli.base.records import NamedTuple, record
from gdcli.engine.arrays import Array, NDArray
from gdcli.engine.spectrum import Spectrum

# A bound is believed up to its rounding.
_ROUNDING = 1e-9

# Roots that are closer are bounded as if they were this far apart: with s_k ≤ k, that is right for k up to its inverse.
_CLOSEST = 1e-7

# A bound takes log|z₁| for no less, so that k·|z|ᵏ⁻¹, of two equal roots, is below |z|ᵏ over their least distance.
_LEAST_SIZE = math.log(1e-3)

# A logarithm whose exp is zero in double precision.
_LOG_ZERO = -750.0


@record
class Recurrence:
    """One iteration along an eigenvector, as above. The roots are complex where h is between the two ``bends``."""

    beta: float
    a: float
    b: float
    bends: tuple[float, float]

    @property
    def limit(self) -> float:
        """The smallest h at which the iteration does not converge: 1 + t + d = 0, so that a root is −1."""
        return 2.0 * (1.0 + self.beta) / self._steepness

    @property
    def _steepness(self) -> float:
        return self.a * (1.0 + self.beta) - self.b

    def trace(self, h: Array) -> Array:
        """t, the sum of the roots."""
        return 1.0 + self.beta - self.a * h

    def determinant(self, h: Array) -> Array:
        """d, the product of the roots."""
        return self.beta - (self.a * self.beta - self.b) * h

    def discriminant(self, h: Array) -> Array:
        """t² − 4d, in factors that keep its digits if it is small."""
        return self.a**2 * (h - self.bends[0]) * (h - self.bends[1])

    def margin(self, h: Array) -> Array:
        """1 − |t| + d = (1 − |z₁|)(1 ∓ |z₂|), accurate even if it is small."""
        return np.where(self.trace(h) >= 0, h, self._steepness * (self.limit - h))

    def matrix(self, h: Array) -> Array:
        """The 2 × 2 matrix of an iteration at each h, row by row (4, …)."""
        return np.stack([1.0 - self.a * h, np.full_like(h, -self.b), h, np.full_like(h, self.beta)])


def heavy_ball(beta: float) -> Recurrence:
    """b ← β·b + g; θ ← θ − η·b. Stable below h = 2(1 + β); complex from (1 − √β)² to (1 + √β)²."""
    root = math.sqrt(beta)
    return Recurrence(beta, 1.0, beta, (((1.0 - beta) / (1.0 + root)) ** 2, (1.0 + root) ** 2))


def nesterov(beta: float) -> Recurrence:
    """b ← β·b + g; θ ← θ − η·(g + β·b). Stable below 2(1 + β)/(1 + 2β); complex from ((1 − β)/(1 + β))² to 1."""
    return Recurrence(beta, 1.0 + beta, beta**2, (((1.0 - beta) / (1.0 + beta)) ** 2, 1.0))


class Motion(NamedTuple):
    """The recurrences of several rates along all eigenvectors, solved. All arrays have the shape (rates, r).

    ``matrix`` (4, rates, r) is that of an iteration, row by row; ``weight`` is ½λ. ``size`` is log|z₁|; for real roots,
    |z₁| ≥ |z₂|, there are the signs of z₁ and of z₂/z₁, ``ratio`` = log|z₂/z₁| and q = 1 − z₂/z₁, and for complex ones
    (``swings``) the angle of z₁. |e_k| is at most ``slow``·|z₁|ᵏ + ``fast``·|z₂|ᵏ.
    """

    weight: Array
    e0: Array
    v0: Array
    matrix: Array
    d: Array
    size: Array
    sign: Array
    ratio_sign: Array
    ratio: Array
    q: Array
    swings: NDArray[np.bool_]
    angle: Array
    slow: Array
    fast: Array

    def of(self, rates: NDArray[np.intp]) -> "Motion":
        """The motion of the rates with the indices ``rates`` alone."""
        return Motion._make(values[..., rates, :] for values in self)

    def gaps(self, first: int, last: int) -> Array:
        """The gaps (iterations, rates, r) along each eigenvector from iteration ``first`` to ``last``, both included.

        The first gap is in closed form; m known ones times the m-th power of the matrix are m more.
        """
        e, v = np.empty((2, last - first + 1, *self.e0.shape))
        e[0], v[0] = self._state(first)
        power, m = self.matrix, 1
        while m < len(e):
            known = slice(0, min(m, len(e) - m))
            e[m : 2 * m], v[m : 2 * m] = _times(power, e[known], v[known])
            power, m = _squared(power), 2 * m
        by_vector: Array = self.weight * e**2
        return by_vector

    def upper_bound(self, first: int) -> Array:
        """An upper bound (rates,) on the gap from iteration ``first`` on."""
        size = np.maximum(self.size, _LEAST_SIZE)
        e = self.slow * np.exp(first * size) + self.fast * np.exp(first * (size + self.ratio))
        bound: Array = np.vecdot(e**2, self.weight) * (1.0 + _ROUNDING)
        return bound

    def _state(self, k: int) -> tuple[Array, Array]:
        """The distances e_k and velocities v_k (rates, r) at iteration k, from Mᵏ = s_k·M − d·s_{k−1}·1."""
        if k == 0:
            return self.e0, self.v0
        s, before = self._s(k), self.d * self._s(k - 1)
        e1, v1 = _times(self.matrix, self.e0, self.v0)
        return s * e1 - before * self.e0, s * v1 - before * self.v0

    def _s(self, k: int) -> Array:
        """s_k: |z|ᵏ⁻¹ sin(k·φ)/sin φ for a pair of complex roots, else z₁ᵏ⁻¹ (1 − (z₂/z₁)ᵏ)/(1 − z₂/z₁).

        The last is k·z₁ᵏ⁻¹ if the two roots are equal.
        """
        odd = k % 2 == 1
        rest = -np.expm1(self.ratio * k)
        if odd:
            rest = np.where(self.ratio_sign < 0, 2.0 - rest, rest)
        with np.errstate(divide="ignore", invalid="ignore"):
            straight = np.where(self.q > 0, rest / self.q, k) * (1.0 if odd else self.sign)
            swinging = np.sin(self.angle * k) / np.sin(self.angle)
        s: Array = np.exp(self.size * max(k - 1, 0)) * np.where(self.swings, swinging, straight)
        return s


def motion(recurrence: Recurrence, spectrum: Spectrum, velocity: Array, rates: Array) -> Motion:
    """The solved recurrences (rates, r) of the learning rates (rates,) along r eigenvectors.

    ``velocity`` (r,) is the optimizer's memory b at the start, along each eigenvector.
    """
    h = rates[:, np.newaxis] * spectrum.eigenvalues
    e0, v0 = np.broadcast_to(spectrum.distances, h.shape), rates[:, np.newaxis] * velocity
    matrix = recurrence.matrix(h)
    e1, _ = _times(matrix, e0, v0)
    t, d, discriminant = recurrence.trace(h), recurrence.determinant(h), recurrence.discriminant(h)
    swings, width = discriminant < 0, np.sqrt(np.abs(discriminant))
    with np.errstate(divide="ignore", invalid="ignore"):
        larger = 0.5 * (np.abs(t) + width)  # |z₁| of real roots
        # 1 − |z₁| is the small root of w² − (2 − |t|)·w + (1 − |t| + d): its digits decide after 10⁹ iterations.
        short = 2.0 * recurrence.margin(h) / (2.0 - np.abs(t) + width)
        size = np.where(short < 0.5, np.log1p(-np.minimum(short, 0.5)), np.log(larger))
        q = np.where(larger > 0, width / larger, 1.0)
        quotient = np.where(larger > 0, d / larger**2, 0.0)  # z₂/z₁
        ratio = np.where(q < 0.5, np.log1p(-np.minimum(q, 0.5)), np.log(np.abs(quotient)))
        sign = np.where(t < 0, -1.0, 1.0)
        z1, apart = sign * larger, np.maximum(width, _CLOSEST)
        slow, fast = np.abs(e1 - z1 * quotient * e0) / apart, np.abs(z1 * e0 - e1) / apart
        size = np.where(swings, 0.5 * np.log(np.abs(d)), size)
        # e_k = |z|ᵏ (e₀ cos kφ + … sin kφ) for complex roots, with imaginary part width/2.
        turned = (2.0 * e1 - t * e0) / apart
    return Motion(
        weight=np.broadcast_to(0.5 * spectrum.eigenvalues, h.shape),
        e0=e0,
        v0=v0,
        matrix=matrix,
        d=d,
        size=np.maximum(size, _LOG_ZERO),
        sign=sign,
        ratio_sign=np.where(quotient < 0, -1.0, 1.0),
        ratio=np.maximum(ratio, _LOG_ZERO),
        q=q,
        swings=swings,
        angle=np.arctan2(width, t),
        slow=np.where(swings, np.hypot(e0, turned), slow),
        fast=np.where(swings, 0.0, fast),
    )


def _times(matrix: Array, e: Array, v: Array) -> tuple[Array, Array]:
    return matrix[0] * e + matrix[1] * v, matrix[2] * e + matrix[3] * v


def _squared(matrix: Array) -> Array:
    a, b, c, d = matrix
    return np.stack([a * a + b * c, b * (a + d), c * (a + d), b * c + d * d])
