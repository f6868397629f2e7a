"""The verdict on a walk down a curve, in sentences made from its numbers."""

import math

from gdcli.base.names import count_of
from gdcli.engine.polynomial import StationaryKind, StationaryPoint
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.curve import Curve, Outcome, Shape, Walk
from gdcli.report import numbers

_FACTOR_DIGITS = 4


def curve_verdict(curve: Curve, walk: Walk, digits: int = 6) -> str:
    """One or two sentences on how a walk ended, and why."""
    if walk.outcome is Outcome.STUCK:
        return _stuck(curve, walk, digits)
    if walk.outcome is Outcome.REACHED:
        return _reached(curve, walk, digits)
    if walk.outcome is Outcome.DIVERGED:
        return _diverged(curve, walk, digits)
    if not walk.iterations:
        return f"No step taken: downhill of x = {in_digits(curve.start, digits)} {_below(curve, walk, digits)}."
    if not walk.moved:
        return f"Does not move: lr * slope is so small that x = {in_digits(curve.start, digits)} stays the same number."
    if walk.outcome is Outcome.FALLING:
        return _falling(curve, walk, digits)
    if walk.outcome is Outcome.UNSETTLED:
        return _unsettled(curve, walk, digits)
    return _approaching(curve, walk, digits)


def _stuck(curve: Curve, walk: Walk, digits: int) -> str:
    if walk.target is None:
        return "The curve is flat: its slope is 0 everywhere, and no rate moves x."
    how = "Landed on" if walk.moved else "Stuck at"
    where = f"{how} the {walk.target.kind.value} at x = {in_digits(walk.target.x, digits)}, where the slope is 0"
    if walk.target.kind is StationaryKind.MAXIMUM:
        return f"{where}: no rate leads away from it. A start beside it would."
    side = "left" if walk.target.right > 0 else "right"
    return f"{where}, though the curve falls on to the {side}: no rate leads away from it. A start on that side would."


def _reached(curve: Curve, walk: Walk, digits: int) -> str:
    where, arrived = _named(curve, walk.target, digits), walk.arrived_at
    if not arrived:
        return f"Starts at {where}, where the slope is 0, and stays."
    text = f"{_leaves(curve, walk, digits)}eaches {where}{_crossing(walk)}: "
    if walk.behaviour is Behaviour.UNSTABLE:
        return f"{text}a lucky hit at step {arrived}, for near it this rate is unstable."
    return f"{text}within 0.1 % of the start's distance from step {arrived} on.{_on_factor(walk, digits)}"


def _approaching(curve: Curve, walk: Walk, digits: int) -> str:
    assert walk.target is not None
    assert walk.distances is not None
    x, steps = in_digits(float(walk.x[-1]), digits), count_of(walk.iterations, "step")
    if walk.target.kind is StationaryKind.INFLECTION:
        side = "left" if walk.target.right > 0 else "right"
        return (
            f"Creeps towards the inflection at x = {in_digits(walk.target.x, digits)} in ever smaller steps: "
            f"the slope is 0 there, though the curve falls on to the {side}. After {steps} x = {x}."
        )
    first, last = float(walk.distances[0]), float(walk.distances[-1])
    left = f"{numbers.percent(last / first)} of the distance is left" if last <= first else f"x = {x}"
    where = f"{_named(curve, walk.target, digits)}{_crossing(walk)}"
    begin = "Comes closer to" if walk.origin is walk.target else f"{_leaves(curve, walk, digits)}uns towards"
    return f"{begin} {where}: after {steps} {left}.{_on_factor(walk, digits)}"


def _unsettled(curve: Curve, walk: Walk, digits: int) -> str:
    assert walk.target is not None
    assert walk.distances is not None
    away, steps = in_digits(float(walk.distances[-1]), digits), count_of(walk.iterations, "step")
    text = f"Does not settle at {_named(curve, walk.target, digits)}: "
    if walk.behaviour is not Behaviour.UNSTABLE:
        return f"{text}{away} away after {steps}, no closer than the step before."
    first = in_digits(float(walk.distances[0]), digits)
    return (
        f"{text}{away} away after {steps}, {first} at the start.{_on_factor(walk, digits)}{_on_stability(walk, digits)}"
    )


def _falling(curve: Curve, walk: Walk, digits: int) -> str:
    points = curve.shape.points
    left = walk.x[-1] < points[0].x if points else curve.shape.falls_left
    text = f"alls without end to the {'left' if left else 'right'}, where the curve has no minimum"
    begin = "F"
    if walk.valley is not None:
        begin = f"Leaps out of the valley of the minimum at x = {in_digits(walk.valley.x, digits)} and f"
    elif walk.origin is not None and walk.origin.kind is StationaryKind.INFLECTION:
        begin = f"Leaps over the inflection at x = {in_digits(walk.origin.x, digits)} and f"
    return f"{begin}{text}: {_last_height(walk, digits)}."


def _diverged(curve: Curve, walk: Walk, digits: int) -> str:
    if not walk.iterations:
        return f"Cannot start: at x = {in_digits(curve.start, digits)} y or its slope is too large for a number."
    how = "with its first step" if walk.iterations == 1 else "in steps that overshoot and grow"
    text = f"Diverges {how}: {_last_height(walk, digits)}."
    if walk.valley is None:
        return text
    if walk.behaviour is Behaviour.UNSTABLE:
        near = f"the minimum at x = {in_digits(walk.valley.x, digits)}"
        how = _on_factor(walk, digits, near) or f" This rate is far too large near {near}."
        return f"{text}{how}{_on_stability(walk, digits)}"
    where = f"x = {in_digits(curve.start, digits)}"
    if walk.valley.largest_stable_rate is None:
        return f"{text} From {where} the slope is too steep for this rate."
    limit = shown_limit(walk.valley.largest_stable_rate, digits)
    near = f"Near x = {in_digits(walk.valley.x, digits)} rates below {limit} are stable"
    return f"{text} {near}, but from {where} the slope is too steep for this rate."


def _last_height(walk: Walk, digits: int) -> str:
    """Say how high the last step is, or that no number is large enough."""
    x, y, slope = float(walk.x[-1]), float(walk.y[-1]), float(walk.slope[-1])
    if math.isfinite(x) and math.isfinite(y) and math.isfinite(slope):
        return f"at step {walk.iterations} y = {in_digits(y, digits)}"
    return f"at step {walk.iterations} the numbers are too large to compute with"


def _below(curve: Curve, walk: Walk, digits: int) -> str:
    if walk.target is None:
        return "the curve falls without end"
    if walk.target.kind is StationaryKind.MINIMUM:
        return f"lies {_named(curve, walk.target, digits)}"
    return f"lies the inflection at x = {in_digits(walk.target.x, digits)}"


def _named(curve: Curve, point: StationaryPoint | None, digits: int) -> str:
    """``the minimum at x = 1``, or ``a local minimum …`` if the curve is lower elsewhere."""
    assert point is not None
    shape, where = curve.shape, f"minimum at x = {in_digits(point.x, digits)}"
    if point in shape.lowest:
        return f"the {where}" if lies_alone(shape) else f"the lowest {where}"
    if shape.lowest:
        return f"a local {where} (not the lowest one, which is at x = {in_digits(shape.lowest[0].x, digits)})"
    return f"a local {where} ({falling_sides(shape)} the curve falls without end)"


def _leaves(curve: Curve, walk: Walk, digits: int) -> str:
    """Begin a sentence whose verb starts with an r, with the valley that the walk came from."""
    if walk.origin is None or walk.origin is walk.target or walk.origin.kind is not StationaryKind.MINIMUM:
        return "R"
    return f"Leaps out of the valley of x = {in_digits(walk.origin.x, digits)} and r"


def _crossing(walk: Walk) -> str:
    crossings = walk.crossings
    if crossings == 0:
        return " from one side"
    times = {1: "once", 2: "twice"}.get(crossings, f"{crossings:,} times")
    return f", stepping over it {times}"


def _on_factor(walk: Walk, digits: int, near: str = "it") -> str:
    factor = walk.factor
    if factor is None:
        return ""
    shown = in_digits(factor, min(digits, _FACTOR_DIGITS))
    if abs(float(shown)) == 1:  # a little less or more than 1 makes all the difference
        shown = "almost 1" if factor == 1 else numbers.rate(factor)
    return f" Near {near} each step multiplies the distance by {shown}."


def _on_stability(walk: Walk, digits: int) -> str:
    limit = None if walk.valley is None else walk.valley.largest_stable_rate
    return "" if limit is None else f" Rates below {shown_limit(limit, digits)} are stable there."


def lies_alone(shape: Shape) -> bool:
    """Whether all minima are equally low, so that the curve is nowhere lower than at any of them."""
    return len(shape.lowest) == len(shape.minima)


def falling_sides(shape: Shape) -> str:
    """The sides on which the curve falls without end: "on both sides", "to the left", "to the right" or ""."""
    if shape.falls_left and shape.falls_right:
        return "on both sides"
    return "to the left" if shape.falls_left else "to the right" if shape.falls_right else ""


def shown_rate(walk: Walk) -> str:
    """The learning rate of a walk as text, such as ``lr 0.1``."""
    return f"lr {numbers.rate(walk.learning_rate)}"


def in_digits(value: float, digits: int) -> str:
    """A number for a sentence, without zeros at its end."""
    return f"{value + 0.0:.{digits}g}"


def shown_limit(rate: float, digits: int) -> str:
    """The text of ``rate``, rounded to ``digits`` significant digits, never up."""
    return numbers.rate(numbers.rounded_rate(rate, digits))
