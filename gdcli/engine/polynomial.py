"""A polynomial of one variable as something to walk down: its value, its slope, and where the slope vanishes.

    y = c₀ + c₁x + c₂x² + …,   y' = c₁ + 2c₂x + …        (coefficients lowest power first, as in numpy.polynomial)

The stationary points are the real roots of y', and they are found exactly: coefficients count as the decimals that
were written, Sturm's theorem isolates the roots in whole numbers, bisection leads to the nearest float. So a multiple
root, such as the flat bottom of (x − 1)⁴, is known to be one; the eigenvalues of a companion matrix scatter it.
(Basu, Pollack, Roy, Algorithms in Real Algebraic Geometry, 2006, section 2.2.2.)
"""

import math
from collections.abc import Sequence
from enum import Enum
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.polynomial import polynomial

from gdcli.base.records import record
from gdcli.engine.arrays import Array
from gdcli.engine.objective import Point

# The largest power of two that is a float: a root beyond is out of reach.
_LARGEST_ROOT = 1 << 1023


class StationaryKind(Enum):
    """The kind of a stationary point; the value is the word for it."""

    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    INFLECTION = "inflection"


@record
class StationaryPoint:
    """A point where y' = 0. ``left`` and ``right`` are the signs of y' beside it, ``curvature`` is y'' there."""

    x: float
    y: float
    curvature: float
    left: int
    right: int

    @property
    def kind(self) -> StationaryKind:
        """The kind: a minimum if y' is negative before and positive after it, an inflection if both signs agree."""
        if self.left == self.right:
            return StationaryKind.INFLECTION
        return StationaryKind.MINIMUM if self.left < 0 else StationaryKind.MAXIMUM

    @property
    def best_rate(self) -> float | None:
        """1/y'': near a minimum y' ≈ y''·(x − x*), and this rate steps to x* at once. None unless y'' > 0 there."""
        if self.kind is not StationaryKind.MINIMUM or not 0 < self.curvature < math.inf:
            return None
        rate = 1.0 / self.curvature
        return rate if math.isfinite(rate) else None

    @property
    def largest_stable_rate(self) -> float | None:
        """2/y'', from which on steps near a minimum grow instead of shrinking, itself unstable; else None."""
        best = self.best_rate
        return None if best is None or math.isinf(2.0 * best) else 2.0 * best


class Polynomial:
    """y = Σ cᵢ xⁱ as an objective: θ (…, 1) is x, the cost is y and may be negative."""

    def __init__(self, coefficients: Sequence[float]) -> None:
        c = np.array(coefficients, dtype=np.float64)
        with np.errstate(over="ignore"):
            slope = polynomial.polyder(c)
        # One row per power, so that one run of Horner's scheme gives y and y'.
        self._powers = np.zeros((len(c), 2))
        self._powers[:, 0] = c
        self._powers[: len(slope), 1] = slope

    @property
    def finite(self) -> bool:
        """Whether the coefficients of y and y' are finite."""
        return bool(np.isfinite(self._powers).all())

    def at(self, theta: Array) -> Point:
        """The point with y (…) and y' (…, 1) at x; not finite, with NumPy's warnings, if too large for a float."""
        both = np.empty((*theta.shape[:-1], 2))
        both[...] = self._powers[-1]
        for power in self._powers[-2::-1]:
            both = both * theta + power
        return Point(theta, both[..., 0], both[..., 1:])

    def value(self, theta: Array) -> Array:
        """y (…) at x."""
        return self.at(theta).cost


def ends(coefficients: Sequence[float]) -> tuple[int, int]:
    """The signs of y' for x → −∞ and x → ∞; zero for a constant."""
    degree = max((i for i, c in enumerate(coefficients) if c), default=0)
    if degree == 0:
        return 0, 0
    right = 1 if coefficients[degree] > 0 else -1
    return (right if degree % 2 else -right), right


def stationary_points(coefficients: Sequence[float]) -> tuple[StationaryPoint, ...]:
    """The points where the slope is zero, from left to right; none for a constant."""
    y = [Fraction(repr(float(c))) for c in coefficients]
    curvature = _derivative(_derivative(y))
    levels = _levels(_whole(_derivative(y)))
    sign = ends(coefficients)[0]
    points = []
    for low, high in _isolated(levels[0]) if levels else ():
        x = _nearest_float(levels[0][0], low, high)
        order = sum(_count(chain, low, high) for chain in levels)
        before, sign = sign, sign if order % 2 == 0 else -sign
        root = _written(levels[0][0], x)
        bend = _as_float(_value(curvature, root)) if order == 1 else 0.0
        points.append(StationaryPoint(x, _as_float(_value(y, root)), bend, before, sign))
    return tuple(points)


# --- exact arithmetic: lowest power first, no zeros at the end, [] is the zero polynomial

_Whole = list[int]


def _derivative(p: Sequence[Fraction]) -> list[Fraction]:
    return [i * c for i, c in enumerate(p)][1:]


def _value(p: Sequence[Fraction], x: Fraction) -> Fraction:
    total = Fraction(0)
    for c in reversed(p):
        total = total * x + c
    return total


def _whole(p: Sequence[Fraction]) -> _Whole:
    """A positive multiple of ``p`` in whole numbers."""
    denominator = math.lcm(*(c.denominator for c in p))
    return _primitive([int(c * denominator) for c in p])


def _primitive(p: _Whole) -> _Whole:
    """``p`` divided by the greatest common divisor of its coefficients, without zeros at the end."""
    while p and not p[-1]:
        p = p[:-1]
    divisor = math.gcd(*p)
    return [c // divisor for c in p]


def _divided(a: _Whole, b: _Whole) -> tuple[_Whole, _Whole]:
    """The quotient and remainder of a/b, each up to a positive factor."""
    rest, quotient = a, [0] * max(len(a) - len(b) + 1, 0)
    size, sign = abs(b[-1]), 1 if b[-1] > 0 else -1
    for shift in reversed(range(len(quotient))):
        factor = sign * rest[-1]
        rest = [size * c for c in rest]
        quotient = [size * c for c in quotient]
        quotient[shift] = factor
        for i, c in enumerate(b, shift):
            rest[i] -= factor * c
        rest = rest[:-1]
    return _primitive(quotient), _primitive(rest)


def _levels(p: _Whole) -> list[list[_Whole]]:
    """Sturm chains whose i-th belongs to the roots of ``p`` of order above i."""
    levels = []
    while len(p) > 1:
        chain = [p, _primitive([i * c for i, c in enumerate(p)][1:])]
        while rest := _divided(chain[-2], chain[-1])[1]:
            chain.append([-c for c in rest])
        p = chain[-1]  # the greatest common divisor of p and p', which has each root once less
        levels.append([_divided(member, p)[0] for member in chain])
    return levels


def _sign(p: _Whole, x: Fraction) -> int:
    """The sign of p(x): of Σ cᵢ nⁱ dᵏ⁻ⁱ for x = n/d."""
    n, d = x.numerator, x.denominator
    total, power = 0, 1
    for c in reversed(p):
        total = total * n + c * power
        power *= d
    return (total > 0) - (total < 0)


def _count(chain: Sequence[_Whole], low: Fraction, high: Fraction) -> int:
    """The number of different roots in low < x ≤ high (Sturm's theorem)."""
    return _changes(chain, low) - _changes(chain, high)


def _changes(chain: Sequence[_Whole], x: Fraction) -> int:
    signs = [sign for p in chain if (sign := _sign(p, x))]
    return sum(a != b for a, b in pairwise(signs))


def _isolated(chain: Sequence[_Whole]) -> list[tuple[Fraction, Fraction]]:
    """Intervals low < x ≤ high with one root each, from left to right."""
    p = chain[0]
    # Cauchy: no root is larger than 1 + max |cᵢ/cₙ|.
    bound = 1 << (2 + max(map(abs, p)) // abs(p[-1])).bit_length()
    top = Fraction(min(bound, _LARGEST_ROOT))
    found, waiting = [], [(-top, top, _changes(chain, -top), _changes(chain, top))]
    while waiting:
        low, high, at_low, at_high = waiting.pop()
        if at_low - at_high == 1:
            found.append((low, high))
        elif at_low > at_high:
            middle = (low + high) / 2
            between = _changes(chain, middle)
            waiting += [(middle, high, between, at_high), (low, middle, at_low, between)]
    return found


def _nearest_float(p: _Whole, low: Fraction, high: Fraction) -> float:
    """The root of ``p`` in low < x ≤ high, a simple one and alone there."""
    at_high = _sign(p, high)
    while at_high and float(low) != float(high):
        middle = (low + high) / 2
        at_middle = _sign(p, middle)
        if at_middle in (0, at_high):
            high, at_high = middle, at_middle
        else:
            low = middle
    return float(high) + 0.0  # no -0.0


def _written(p: _Whole, root: float) -> Fraction:
    """The root as the decimal that stands for it, where that is one (0.1, which no float is), or as it is."""
    decimal = Fraction(repr(root))
    return Fraction(root) if _sign(p, decimal) else decimal


def _as_float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
