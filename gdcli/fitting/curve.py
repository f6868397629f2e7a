"""The walk down a curve: gradient descent on a polynomial of one variable, with several learning rates at once.

    x ← x − η y'(x)

Where each walk goes is told from the shape of the curve, which is known exactly: its stationary points and what it
does at both ends. Near a minimum x* the distance x − x* is multiplied by 1 − η·y''(x*) in every step; further off the
slope is what it is, so that a rate which is stable near the minimum may still fly off from a distant start.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from enum import Enum

import numpy as np

from gdcli import __version__
from gdcli.base.errors import UsageError
from gdcli.base.listener import Listener
from gdcli.base.records import record
from gdcli.engine import schedules
from gdcli.engine import spectrum as spectra
from gdcli.engine.arrays import Array, Mask
from gdcli.engine.descent import DIVERGENCE_FACTOR, Step, Stopped, StopRule, after, descend
from gdcli.engine.optimizers import GradientDescent
from gdcli.engine.polynomial import Polynomial, StationaryKind, StationaryPoint, ends, stationary_points
from gdcli.engine.spectrum import Behaviour, Spectrum

DEFAULT_START = 10.0

DEFAULT_ITERATIONS = 10

# Shares of the way to the minimum in the first step of the default rates: slow, good, overshooting, diverging.
CURVE_SHARES = (0.2, 0.8, 1.8, 2.2)

_DEFAULT_DIGITS = 2

# The stationary points of a polynomial this long take a moment; whole numbers grow with the degree.
MOST_COEFFICIENTS = 51

# The share of the start's distance within which a walk has arrived: a gap of 1e-6 on a parabola, as for "converged".
ARRIVED = 1e-3

# Nearer to a stationary point, relative to its x, is at it: the slope there is rounding.
_RESTING = 1e-9

_PROGRESS_STEP = 1024

_ROUNDING = 8 * float(np.finfo(np.float64).eps)


class Outcome(Enum):
    """How a walk ends; the value is the word in the JSON."""

    REACHED = "reached"
    """At the minimum, or within ``ARRIVED`` of the start's distance from it, with a rate that is stable there."""
    APPROACHING = "approaching"
    """Closer to a minimum than one step before; or uphill of an inflection, where the slope vanishes too."""
    UNSETTLED = "unsettled"
    """Jumping around a minimum without coming closer."""
    STUCK = "stuck"
    """The slope is zero, and yet it is no minimum."""
    FALLING = "falling"
    """On a side to which the curve falls without end."""
    DIVERGED = "diverged"
    """Thrown up and out by ever longer steps."""


@record
class Shape:
    """The shape of a curve: its stationary points from left to right, and the signs of y' at x → −∞ and x → ∞."""

    points: tuple[StationaryPoint, ...]
    ends: tuple[int, int]

    @property
    def flat(self) -> bool:
        """Whether y is a constant."""
        return self.ends == (0, 0)

    @property
    def falls_left(self) -> bool:
        """Whether y → −∞ for x → −∞."""
        return self.ends[0] > 0

    @property
    def falls_right(self) -> bool:
        """Whether y → −∞ for x → ∞."""
        return self.ends[1] < 0

    @property
    def minima(self) -> tuple[StationaryPoint, ...]:
        """The local minima."""
        return tuple(point for point in self.points if point.kind is StationaryKind.MINIMUM)

    @property
    def lowest(self) -> tuple[StationaryPoint, ...]:
        """The global minima; none if the curve falls without end."""
        if self.falls_left or self.falls_right or not self.minima:
            return ()
        bottom = min(point.y for point in self.minima)
        sizes = [abs(point.y) for point in self.minima if math.isfinite(point.y)]
        level = bottom + _ROUNDING * max(sizes, default=0.0)
        return tuple(point for point in self.minima if point.y <= level)

    def downhill(self, x: float) -> StationaryPoint | None:
        """The stationary point at x, or the next one on the way down from x; None if the curve falls without end."""
        after_x = bisect_left(self.points, x, key=lambda point: point.x)
        if after_x < len(self.points) and self.points[after_x].x == x:
            return self.points[after_x]
        slope = self.points[after_x - 1].right if after_x else self.ends[0]
        target = after_x - 1 if slope > 0 else after_x
        return self.points[target] if slope and 0 <= target < len(self.points) else None

    def nearest(self, x: float) -> StationaryPoint | None:
        """The stationary point nearest to x; None if the curve has none."""
        return min(self.points, key=lambda point: abs(point.x - x), default=None)


@record(eq=False)
class Walk:
    """The descent with one learning rate: ``x``, ``y`` and ``slope`` (k+1,) at iterations 0 … k.

    It ends early, as diverged, at a y far from the start's or too large for a float; then the last values may be
    infinite or NaN.

    ``origin`` is the stationary point downhill of the start. ``target`` is the one at the end or downhill of it; None
    after divergence, or if the curve falls without end there. ``valley`` is the target, or the origin if there is no
    target, if that point is a minimum, else None. ``behaviour`` is that of the rate in the valley; None if there is no
    valley, or y'' is 0 in it.
    """

    learning_rate: float
    x: Array
    y: Array
    slope: Array
    stopped: Stopped
    outcome: Outcome
    target: StationaryPoint | None
    origin: StationaryPoint | None
    valley: StationaryPoint | None
    behaviour: Behaviour | None

    @property
    def iterations(self) -> int:
        """The number of steps."""
        return len(self.x) - 1

    @property
    def factor(self) -> float | None:
        """1 − η·y'': the factor per step of the distance from the valley's minimum, close to it; None if unknown."""
        if self.behaviour is None or self.valley is None:
            return None
        factor = 1.0 - self.learning_rate * self.valley.curvature
        return factor if math.isfinite(factor) else None

    @property
    def moved(self) -> bool:
        """Whether x changed at all."""
        return bool((self.x != self.x[0]).any())

    @property
    def distances(self) -> Array | None:
        """|x − x*| (k+1,) from the target; None without one."""
        return None if self.target is None else np.abs(self.x - self.target.x)

    @property
    def crossings(self) -> int:
        """The number of steps that cross the target; 0 without a target."""
        if self.target is None:
            return 0
        sides = np.sign(self.x - self.target.x)
        return int(np.count_nonzero(np.diff(sides[sides != 0])))

    @property
    def arrived_at(self) -> int | None:
        """The iteration from which on x stays at the minimum; None if it does not."""
        if self.outcome is not Outcome.REACHED or self.target is None:
            return None
        away = np.flatnonzero(np.abs(self.x - self.target.x) > _arrival(self.x, self.target))
        return min(int(away[-1]) + 1, self.iterations) if len(away) else 0


@record(eq=False)
class Curve:
    """A polynomial, lowest power first, and one walk down it for each rate.

    ``automatic``: the rates were chosen here, as none were given.
    """

    version: str
    polynomial: tuple[float, ...]
    shape: Shape
    start: float
    iterations: int
    automatic: bool
    walks: tuple[Walk, ...]

    def y(self, x: Array) -> Array:
        """The curve's height at each x, infinite or nan if it is too large for a float."""
        return _value_and_slope(Polynomial(self.polynomial), np.asarray(x))[0]


def walk_down(
    polynomial: Sequence[float],
    start: float = DEFAULT_START,
    learning_rates: Sequence[float] = (),
    iterations: int = DEFAULT_ITERATIONS,
    listener: Listener | None = None,
) -> Curve:
    """The curve with a walk from ``start`` for each rate, or for four instructive rates if none are given."""
    objective = _checked(polynomial, start, learning_rates, iterations)
    shape = Shape(stationary_points(polynomial), ends(polynomial))
    rates = list(learning_rates) or curve_rates(objective, shape, start)
    steps, lost = _descend(objective, shape, start, rates, iterations, listener or Listener())
    walks = [_walk(shape, rate, steps[:, i], lost[i]) for i, rate in enumerate(rates)]
    return Curve(
        version=__version__,
        polynomial=tuple(map(float, polynomial)),
        shape=shape,
        start=float(start),
        iterations=iterations,
        automatic=not learning_rates,
        walks=tuple(walks),
    )


def curve_rates(objective: Polynomial, shape: Shape, start: float) -> list[float]:
    """Four rates: a slow, a good, an overshooting and a diverging one, as shares of 1/s.

    s is the slope at the start over its distance from the minimum, so that 1/s would step there at once, or y'' at the
    minimum if that is steeper; on a parabola both are the same. Without a minimum the distance is that from 0.
    """
    target = shape.downhill(start)
    if target is None or target.kind is StationaryKind.MAXIMUM:
        target = min(shape.minima, key=lambda point: abs(point.x - start), default=None)
    slope = float(_value_and_slope(objective, np.array(start))[1])
    way = start - target.x if target is not None else math.copysign(max(1.0, abs(start)), slope)
    steepness = max(slope / way if way else 0.0, target.curvature if target is not None else 0.0)
    rates = [float(f"{share / steepness:.{_DEFAULT_DIGITS}g}") for share in CURVE_SHARES] if steepness > 0 else []
    return rates if rates and all(0 < rate < math.inf for rate in rates) else list(CURVE_SHARES)


def _checked(polynomial: Sequence[float], start: float, rates: Sequence[float], iterations: int) -> Polynomial:
    if not polynomial or not all(map(math.isfinite, polynomial)):
        raise UsageError("a polynomial needs one coefficient at least, and finite ones only")
    if len(polynomial) > MOST_COEFFICIENTS:
        raise UsageError(f"a polynomial of {len(polynomial)} coefficients is too long: at most {MOST_COEFFICIENTS}")
    objective = Polynomial(polynomial)
    if not objective.finite:
        raise UsageError("the polynomial's coefficients are so large that those of its slope overflow")
    if not math.isfinite(start) or iterations < 0 or not all(0 < rate < math.inf for rate in rates):
        raise UsageError("the start must be finite, rates finite and above zero, iterations zero or more")
    return objective


def _value_and_slope(polynomial: Polynomial, x: Array) -> tuple[Array, Array]:
    with np.errstate(over="ignore", invalid="ignore"):
        _, y, slope = polynomial.at(x[..., np.newaxis])
    return y, slope[..., 0]


# --- the descent of all rates as one stack


def _descend(
    objective: Polynomial, shape: Shape, start: float, rates: Sequence[float], iterations: int, listener: Listener
) -> tuple[Array, list[int | None]]:
    """x, y and y' of every iteration (k, rates, 3), and the iteration at which each rate diverged."""
    lost = np.full(len(rates), -1)
    steps = descend(
        objective,
        GradientDescent(),
        schedules.constant(np.array(rates)[:, np.newaxis]),
        np.full((len(rates), 1), float(start)),
        (_divergence_of_walks(lost, _scale(shape, objective, start)), after(iterations)),
    )
    row = np.dtype((np.float64, (len(rates), 3)))
    with np.errstate(over="ignore", invalid="ignore"):
        path: Array = np.fromiter(_rows(steps, iterations, listener), row)
    return path, [int(k) if k >= 0 else None for k in lost]


def _rows(steps: Iterator[Step], iterations: int, listener: Listener) -> Iterator[Array]:
    for step in steps:
        if step.iteration % _PROGRESS_STEP == 0:
            listener.descending(step.iteration, iterations)
        yield np.concatenate([step.theta, step.cost[:, np.newaxis], step.gradient], axis=1)


def _scale(shape: Shape, objective: Polynomial, start: float) -> float:
    """The largest |y(start) − y| over the stationary points; infinite if there are none.

    From ``DIVERGENCE_FACTOR`` times that on, the curve has nothing but its highest power left.
    """
    y = float(_value_and_slope(objective, np.array(start))[0])
    return max(max((abs(y - point.y) for point in shape.points), default=math.inf), _ROUNDING * abs(y))


def _divergence_of_walks(lost: Array, scale: float) -> StopRule:
    """The rule that stops a walk which has diverged, and notes the iteration in ``lost``.

    A walk has diverged if y is no number, or ``DIVERGENCE_FACTOR`` × ``scale`` away from the start's.
    """
    limit = min(DIVERGENCE_FACTOR * scale, float(np.finfo(np.float64).max))
    first = math.nan

    def diverged(step: Step) -> Mask:
        nonlocal first
        if step.iteration == 0:
            first = float(step.cost[0])
        here: Mask = ~(np.abs(step.cost - first) <= limit)
        lost[here & (lost < 0)] = step.iteration
        return here

    return StopRule(Stopped.DIVERGED, diverged)


# --- the outcome of a walk


def _walk(shape: Shape, rate: float, steps: Array, lost: int | None) -> Walk:
    """The walk of a rate, whose steps (k, 3) beyond divergence do not count."""
    x, y, slope = np.ascontiguousarray(steps[: None if lost is None else lost + 1].T)
    origin, target = shape.downhill(float(x[0])), shape.downhill(float(x[-1]))
    if lost is not None:
        outcome, target = Outcome.FALLING if target is None else Outcome.DIVERGED, None
    elif _rests(x, slope, origin):
        target = shape.nearest(float(x[-1]))
        outcome = Outcome.REACHED if target is not None and target.kind is StationaryKind.MINIMUM else Outcome.STUCK
    else:
        outcome = Outcome.FALLING if target is None else _on_the_way(rate, x, target)
    judged = origin if target is None else target
    valley = judged if judged is not None and judged.kind is StationaryKind.MINIMUM else None
    stopped = Stopped.ITERATIONS if lost is None else Stopped.DIVERGED
    return Walk(rate, x, y, slope, stopped, outcome, target, origin, valley, _behaviour(valley, rate))


def _rests(x: Array, slope: Array, origin: StationaryPoint | None) -> bool:
    """Whether the walk ends at slope zero, or began at a stationary point and was moved by rounding only."""
    if slope[-1] == 0:
        return True
    at_origin = origin is not None and origin.x == x[0]
    return at_origin and bool((np.abs(x - x[0]) <= _RESTING * abs(x[0])).all())


def _on_the_way(rate: float, x: Array, target: StationaryPoint) -> Outcome:
    if target.kind is StationaryKind.INFLECTION:
        return Outcome.APPROACHING
    if _behaviour(target, rate) is Behaviour.UNSTABLE:
        return Outcome.UNSETTLED
    distances = np.abs(x - target.x)
    if distances[-1] <= _arrival(x, target):
        return Outcome.REACHED
    closer = len(x) == 1 or distances[-1] < distances[-2]
    return Outcome.APPROACHING if closer else Outcome.UNSETTLED


def _arrival(x: Array, target: StationaryPoint) -> float:
    """The distance from the target at which a walk has arrived."""
    return max(ARRIVED * abs(float(x[0]) - target.x), _RESTING * abs(target.x))


def _behaviour(valley: StationaryPoint | None, rate: float) -> Behaviour | None:
    """Judge a rate by y'' at a minimum, the only eigenvalue there; None if that is zero or there is no minimum."""
    if valley is None or valley.largest_stable_rate is None:
        return None
    found: Behaviour = spectra.behaviour(Spectrum(np.array([valley.curvature]), np.eye(1), np.zeros(1)), rate)
    return found
