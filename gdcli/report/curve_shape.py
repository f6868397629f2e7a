"""A curve in words: its formula, its minima and the rates that suit them."""

import math
from collections.abc import Sequence
from fractions import Fraction

from gdcli.engine.polynomial import StationaryPoint
from gdcli.fitting.curve import Curve, Shape
from gdcli.report import numbers
from gdcli.report.curve_verdict import falling_sides, in_digits, lies_alone, shown_limit
from gdcli.report.paper import Page

_MOST_MINIMA = 6

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def polynomial_text(curve: Curve, page: Page) -> str:
    """The formula of a curve, its slope and its start: ``y = x² - 2x, slope y' = 2x - 2; start at x = 10``."""
    # In decimal arithmetic, so that 3 × 0.3 is 0.9.
    slope = [float(i * Fraction(repr(c))) for i, c in enumerate(curve.polynomial)][1:]
    y, dy = (_terms(coefficients, page.unicode) for coefficients in (curve.polynomial, slope))
    return f"y = {y}, slope y' = {dy}; start at x = {numbers.rate(curve.start)}"


def _terms(coefficients: Sequence[float], unicode: bool) -> str:
    """A polynomial as it is written, the highest power first."""
    text = ""
    for power, c in reversed(list(enumerate(coefficients))):
        if c == 0:
            continue
        sign = ("-" if c < 0 else "") if not text else (" - " if c < 0 else " + ")
        size = "" if abs(c) == 1 and power else numbers.rate(abs(c))
        if size and power and "e" in size:
            size += "·" if unicode else "*"
        text += sign + size + _power(power, unicode)
    return text or "0"


def _power(power: int, unicode: bool) -> str:
    if power < 2:
        return "x" * power
    return "x" + (str(power).translate(_SUPERSCRIPTS) if unicode else f"^{power}")


def format_shape(shape: Shape, digits: int = 6) -> list[str]:
    """A sentence on each minimum, with the rates that suit it, and one on the sides without a minimum."""
    lines = [_on_minimum(shape, point, digits) for point in shape.minima[:_MOST_MINIMA]]
    if len(shape.minima) > _MOST_MINIMA:
        lines.append(f"{len(shape.minima) - _MOST_MINIMA} more minima to the right: --format json lists them.")
    if shape.flat:
        lines.append("The curve is flat: its slope is 0 everywhere.")
    elif sides := falling_sides(shape):
        none = "" if shape.minima else "There is no minimum: "
        lines.append(f"{none}{'the' if none else 'The'} curve falls without end {sides}.")
    return lines


def _on_minimum(shape: Shape, point: StationaryPoint, digits: int) -> str:
    name = "Minimum" if lies_alone(shape) else "Lowest minimum" if point in shape.lowest else "Local minimum"
    where = f"{name} at x = {in_digits(point.x, digits)}"
    if not (math.isfinite(point.y) and math.isfinite(point.curvature)):
        return f"{where}, where y or y'' is too large for a number."
    where += f", y = {in_digits(point.y, digits)}, where y'' = {in_digits(point.curvature, digits)}"
    if point.best_rate is None or point.largest_stable_rate is None:
        return f"{where}: near it no rate overshoots, and steps get ever smaller."
    limit, best = shown_limit(point.largest_stable_rate, digits), in_digits(point.best_rate, digits)
    return f"{where}: near it rates below {limit} (2/y'') are stable, and {best} (1/y'') is best."
