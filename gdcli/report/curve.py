"""The report on a walk down a curve: a table of the steps and a verdict per rate.

Every sentence is made from the numbers of this walk. In tables a column has one format from top to bottom; on a
terminal digits give way first, then whole columns, and a line says so.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from gdcli.engine.descent import Stopped
from gdcli.engine.polynomial import StationaryKind, StationaryPoint
from gdcli.fitting.curve import Curve, Outcome, Shape, Walk
from gdcli.fitting.trace import SHOW_ALL, thinned
from gdcli.report import numbers
from gdcli.report.curve_verdict import curve_verdict, falling_sides, in_digits, lies_alone, shown_limit, shown_rate
from gdcli.report.grid import Grid, GridColumn
from gdcli.report.page import Page
from gdcli.report.report import Report, Sheet
from gdcli.report.sentences import joined

CURVE_SCHEMA = "gdfit.curve/1"

_HEADER = ("learning_rate", "iteration", "x", "y", "slope")

_QUANTITIES = ("x", "y", "slope")

# What a terminal is offered: rather no slope than less than four digits, rather fewer digits than no y.
_LAYOUTS = (_QUANTITIES, 4), (_QUANTITIES[:2], 3), (_QUANTITIES[:1], 3)

_MOST_MINIMA = 6

_MOST_NAMED_RATES = 6

# Between two columns of a Grid.
_SPACE = 2

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

# --- for programs


def curve_report(curve: Curve, digits: int = 6, *, fewer: bool = True) -> Report:
    """The report on a curve: a row for each rate and step.

    ``fewer`` allows fewer digits if the steps do not fit on a terminal with all of them.
    """
    from gdcli.report.chart import chart_of_curve
    from gdcli.report.plots import picture_of_curve

    rows = ((walk.learning_rate, *step.values()) for walk in curve.walks for step in _steps(walk))
    return Report(
        document=lambda: _document(curve, digits),
        sheet=lambda: Sheet(_HEADER, rows),
        columns=lambda: _columns(curve, digits),
        text=lambda page: render_curve(curve, page, digits, fewer=fewer),
        chart=lambda page: chart_of_curve(curve, page, page.colors is not None),
        picture=lambda kind: picture_of_curve(curve, kind),
    )


def _columns(curve: Curve, digits: int) -> list[GridColumn]:
    """The table that a terminal without end would show."""
    rows = shown_iterations(curve)
    cells = [[str(k) for k in rows], *(c for walk in curve.walks for c in _cells(walk, rows, _QUANTITIES, digits))]
    names = [f"{q} (lr {numbers.rate(walk.learning_rate)})" for walk in curve.walks for q in _QUANTITIES]
    return [GridColumn(name, column) for name, column in zip(["step", *names], cells, strict=True)]


def _document(curve: Curve, digits: int) -> dict[str, Any]:
    """The curve and its walks. Only verdicts are rounded, to ``digits``."""
    shape = curve.shape
    return {
        "schema": CURVE_SCHEMA,
        "version": curve.version,
        "polynomial": list(curve.polynomial),
        "start": curve.start,
        "iterations": curve.iterations,
        "automatic_rates": curve.automatic,
        "falls_without_end": {"left": shape.falls_left, "right": shape.falls_right},
        "minima": [{**_point(p), **_limits(p), "lowest": p in shape.lowest} for p in shape.minima],
        "maxima": [_point(p) for p in shape.points if p.kind is StationaryKind.MAXIMUM],
        "inflections": [_point(p) for p in shape.points if p.kind is StationaryKind.INFLECTION],
        "rates": [_walk(curve, walk, digits) for walk in curve.walks],
    }


def _point(point: StationaryPoint) -> dict[str, float | None]:
    return {"x": _number(point.x), "y": _number(point.y), "curvature": _number(point.curvature)}


def _limits(point: StationaryPoint | None) -> dict[str, float | None]:
    if point is None:
        return {"largest_stable": None, "best": None}
    return {"largest_stable": point.largest_stable_rate, "best": point.best_rate}


def _walk(curve: Curve, walk: Walk, digits: int) -> dict[str, Any]:
    return {
        "learning_rate": walk.learning_rate,
        "behaviour": walk.behaviour and walk.behaviour.value,
        "outcome": walk.outcome.value,
        "verdict": curve_verdict(curve, walk, digits),
        "stopped": walk.stopped.value,
        "minimum": None if walk.valley is None else _number(walk.valley.x),
        **_limits(walk.valley),
        "steps": _steps(walk),
    }


def _steps(walk: Walk) -> list[dict[str, Any]]:
    """The steps as they stand in the JSON."""
    values = zip(walk.x.tolist(), walk.y.tolist(), walk.slope.tolist(), strict=True)
    return [
        {"iteration": k, **{name: _number(value) for name, value in zip(_QUANTITIES, step, strict=True)}}
        for k, step in enumerate(values)
    ]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


# --- the report for people


def render_curve(curve: Curve, page: Page, digits: int = 6, *, fewer: bool = True) -> RenderableType:
    """The report: the curve, the steps and a verdict for each rate."""
    return Group(
        _sentences(page, [polynomial_text(curve, page), *format_shape(curve.shape, digits)]),
        Text(),
        render_steps(curve, page, digits, fewer=fewer),
        Text(),
        render_verdicts(curve, page, digits),
    )


def polynomial_text(curve: Curve, page: Page) -> str:
    """``y = x² - 2x, slope y' = 2x - 2; start at x = 10``."""
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


def render_steps(curve: Curve, page: Page, digits: int = 6, *, fewer: bool = True) -> RenderableType:
    """The table of the steps, as much of it as fits, and notes under it."""
    rows = shown_iterations(curve)
    walks, names, groups = _that_fit(curve, rows, page, digits, fewer=fewer)
    step = GridColumn("step", [str(k) for k in rows])
    label = " " * step.width + "".join(_label(walk, columns, page) for walk, columns in zip(walks, groups, strict=True))
    parts: list[RenderableType] = [
        Text(label, style="bold", no_wrap=True, overflow="ignore"),
        Grid([step, *(column for columns in groups for column in columns)], page),
    ]
    notes = _notes(curve, rows, walks, names, page)
    return Group(*parts, _sentences(page, notes, "dim")) if notes else Group(*parts)


def _that_fit(
    curve: Curve, rows: Sequence[int], page: Page, digits: int, *, fewer: bool
) -> tuple[Sequence[Walk], Sequence[str], list[list[GridColumn]]]:
    """The walks that fit, their columns' names, and these: digits go first, then slope and y, then rates."""
    room = math.inf if page.width is None else page.width - max(len("step"), len(str(rows[-1])))
    for names, fewest in _LAYOUTS:
        last = min(digits, fewest) if fewer else digits
        for precision, small in [(digits, True), *((d, False) for d in range(digits, last - 1, -1))]:
            groups = [_group(walk, rows, names, precision, small) for walk in curve.walks]
            if sum(map(_width, groups)) <= room:
                return curve.walks, names, groups
    while len(groups) > 1 and sum(map(_width, groups)) > room:
        groups.pop()
    return curve.walks[: len(groups)], names, groups


def _group(walk: Walk, rows: Sequence[int], names: Sequence[str], digits: int, small: bool) -> list[GridColumn]:
    """The columns of a walk; the first one makes room for the rate above them."""
    cells = _cells(walk, rows, names, digits, small)
    columns = [GridColumn(name, column) for name, column in zip(names, cells, strict=True)]
    missing = _SPACE + len(shown_rate(walk)) - _width(columns)
    if missing > 0:
        columns[0] = GridColumn(names[0].rjust(columns[0].width + missing), cells[0])
    return columns


def _width(columns: Sequence[GridColumn]) -> int:
    """The width with the space before each column."""
    return sum(_SPACE + column.width for column in columns)


def _label(walk: Walk, columns: Sequence[GridColumn], page: Page) -> str:
    """The rate between rules, over its columns."""
    room = _width(columns) - _SPACE
    name, rule = f" {shown_rate(walk)} ", "─" if page.unicode else "-"
    return " " * _SPACE + (name.center(room, rule) if room >= len(name) else name.strip().rjust(room))


def _cells(walk: Walk, rows: Sequence[int], names: Sequence[str], digits: int, small: bool = True) -> list[list[str]]:
    """The cells of some columns; blank after the walk's end, and for numbers too large for a float."""
    shown = [k for k in rows if k < len(walk.x)]
    columns = []
    for name in names:
        values = [_number(float(getattr(walk, name)[k])) for k in shown]
        cells = _shortened(_column(walk, values, digits, small))
        columns.append([*cells, *[""] * (len(rows) - len(shown))])
    return columns


def _column(walk: Walk, values: Sequence[float | None], digits: int, small: bool) -> list[str]:
    """Numbers that keep their digits on the way to infinity, and on that to zero if ``small`` ones shall.

    Powers of ten are worth it on the first way only.
    """
    cells = numbers.column(values, digits)
    if walk.stopped is Stopped.DIVERGED or (small and not any("e" in cell for cell in cells)):
        return cells
    return numbers.column(values, digits, relative=True)


def _shortened(cells: Sequence[str]) -> list[str]:
    """Drop the decimals that are zero in all cells."""
    decimals = [cell.rpartition(".")[2] for cell in cells if cell.strip()]
    if not decimals or any("e" in cell or "." not in cell for cell in cells if cell.strip()):
        return list(cells)
    extra = min(len(part) - len(part.rstrip("0")) for part in decimals)
    dropped = extra + 1 if extra == len(decimals[0]) else extra
    return [cell[: len(cell) - dropped] if cell.strip() else "" for cell in cells]


def shown_iterations(curve: Curve) -> list[int]:
    """The iterations of the table: all, or a geometric choice with the end of each walk."""
    longest = max(walk.iterations for walk in curve.walks)
    if longest <= SHOW_ALL:
        return list(range(longest + 1))
    return sorted({*thinned(longest), *(walk.iterations for walk in curve.walks)})


def _notes(curve: Curve, rows: Sequence[int], walks: Sequence[Walk], names: Sequence[str], page: Page) -> list[str]:
    notes = []
    missing = list(_QUANTITIES[len(names) :])
    rates = [shown_rate(walk) for walk in curve.walks[len(walks) :]]
    if len(rates) > _MOST_NAMED_RATES:
        rates = [*rates[: _MOST_NAMED_RATES - 1], f"{len(rates) - _MOST_NAMED_RATES + 1} more rates"]
    if missing or rates:
        notes.append(
            f"Left out to fit {page.width} columns: {joined([*missing, *rates])}. "
            "A wider terminal, a pipe or --format csv shows all."
        )
    if len(rows) <= rows[-1]:
        notes.append(f"{len(rows)} of {rows[-1] + 1:,} steps; --format csv has all.")
    return notes


def render_verdicts(curve: Curve, page: Page, digits: int = 6) -> RenderableType:
    """A verdict per rate, in sentences broken between words."""
    indent = max(len(shown_rate(walk)) for walk in curve.walks) + 2
    text = Text(no_wrap=True, overflow="ignore")
    for walk in curve.walks:
        lines = _wrapped(page, f"{shown_rate(walk):{indent}}{curve_verdict(curve, walk, digits)}", indent)
        text.append("\n" if text else "")
        text.append(shown_rate(walk), style=_style(walk))
        text.append("\n".join(lines)[len(shown_rate(walk)) :])
    return text


def _style(walk: Walk) -> str:
    if walk.outcome is Outcome.REACHED:
        return "bold green"
    return "bold yellow" if walk.outcome is Outcome.APPROACHING else "bold red"


def _sentences(page: Page, sentences: Sequence[str], style: str = "") -> Text:
    lines = [line for sentence in sentences for line in _wrapped(page, sentence)]
    return Text("\n".join(lines), style=style, no_wrap=True, overflow="ignore")


def _wrapped(page: Page, sentence: str, indent: int = 0) -> list[str]:
    """A sentence as lines, with ``x = 10`` and ``lr 0.1`` on one of them."""
    tied = page.shown(sentence).replace(" = ", "\xa0=\xa0").replace("lr ", "lr\xa0")
    return [line.replace("\xa0", " ") for line in page.wrapped(tied, indent)]
