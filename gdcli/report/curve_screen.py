"""The screen on a walk down a curve: a table of the steps and a verdict per rate.

Every sentence is made from the numbers of this walk. On a terminal digits give way first, then whole columns, and a
line says so.
"""

import math
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from gdcli.fitting.curve import Curve, Outcome, Walk
from gdcli.report.curve_shape import format_shape, polynomial_text
from gdcli.report.curve_steps import QUANTITIES, shown_iterations, step_cells
from gdcli.report.curve_verdict import curve_verdict, shown_rate
from gdcli.report.grid import Grid, GridColumn
from gdcli.report.paper import Page
from gdcli.report.sentences import joined

# What a terminal is offered: rather no slope than less than four digits, rather fewer digits than no y.
_LAYOUTS = (QUANTITIES, 4), (QUANTITIES[:2], 3), (QUANTITIES[:1], 3)

_MOST_NAMED_RATES = 6

# Between two columns of a Grid.
_SPACE = 2


def render_curve(curve: Curve, page: Page, digits: int = 6, *, fewer: bool = True) -> RenderableType:
    """The report: the curve, the steps and a verdict for each rate."""
    return Group(
        _sentences(page, [polynomial_text(curve, page), *format_shape(curve.shape, digits)]),
        Text(),
        render_steps(curve, page, digits, fewer=fewer),
        Text(),
        render_verdicts(curve, page, digits),
    )


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
    cells = step_cells(walk, rows, names, digits, small)
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


def _notes(curve: Curve, rows: Sequence[int], walks: Sequence[Walk], names: Sequence[str], page: Page) -> list[str]:
    notes = []
    missing = list(QUANTITIES[len(names) :])
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
