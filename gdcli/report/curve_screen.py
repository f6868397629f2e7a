"""The screen on a walk down a curve: a table of the steps and a verdict per rate.

Every sentence is made from the numbers of this walk. On a terminal digits give way first, then whole columns, and a
line says so.
"""

import math
from collections.abc import Sequence

from gdcli.base.names import count_of
from gdcli.fitting.curve import Curve, Outcome, Walk
from gdcli.report.curve_shape import format_shape, polynomial_text
from gdcli.report.curve_steps import QUANTITIES, shown_iterations, step_cells
from gdcli.report.curve_verdict import curve_verdict, shown_rate
from gdcli.report.iteration_table import alike_rows
from gdcli.report.paper import Page
from gdcli.report.screen import HEADING, NOTE, SPACE, Screen, Span, StyledLine, TableColumn, TextTable
from gdcli.report.sentences import joined
from gdcli.report.verdict import MARKS, State

# What a terminal is offered: rather no slope than less than three digits, rather fewer digits than no y.
_LAYOUTS = (QUANTITIES, 3), (QUANTITIES[:2], 3), (QUANTITIES[:1], 3)

_MOST_NAMED_RATES = 6


def curve_screen(curve: Curve, page: Page, digits: int = 6, *, fewer: bool = True) -> Screen:
    """The screen of a curve: its formula, its minima, and the table of the steps with each rate."""
    title = _tied(page, [polynomial_text(curve, page)], HEADING)
    return Screen(
        [*title, *_tied(page, format_shape(curve.shape, digits))], step_lines(curve, page, digits, fewer=fewer)
    )


def step_lines(curve: Curve, page: Page, digits: int = 6, *, fewer: bool = True) -> list[StyledLine]:
    """The lines of the table of steps, and the notes under it; columns that do not fit are left out."""
    rows = shown_iterations(curve)
    walks, names, groups = _that_fit(curve, rows, page, digits, fewer=fewer)
    step = TableColumn("step", [f"{k:,}" for k in rows])
    label = [Span(" " * step.width)]
    for walk, columns in zip(walks, groups, strict=True):
        label.append(Span(_label(walk, columns, page), f"{HEADING} {MARKS[_state(walk)][1]}"))
    columns = [column for columns in groups for column in columns]
    between = {}
    if alike := alike_rows(columns, len(rows)):
        first = len(rows) - alike - 1
        for column in (step, *columns):
            column.drop(first, len(rows) - 1)
        said = f"{page.shown('⋮'):>{step.width}}  {count_of(alike, 'step')} alike"
        between[first] = [Span(said, NOTE)]
    table = TextTable(page, [step, *columns], between=between)
    return [label, *table.lines(), *_tied(page, _notes(curve, rows, walks, names, page), NOTE)]


def _that_fit(
    curve: Curve, rows: Sequence[int], page: Page, digits: int, *, fewer: bool
) -> tuple[Sequence[Walk], Sequence[str], list[list[TableColumn]]]:
    """The walks that fit into the page's width, their columns' names, and the columns of each walk.

    If there is no room, digits are left out first, then slope and y, then whole walks.
    """
    room = math.inf if page.width is None else page.width - max(len("step"), len(f"{rows[-1]:,}"))
    for names, fewest in _LAYOUTS:
        last = min(digits, fewest) if fewer else digits
        for precision, small in [(digits, True), *((d, False) for d in range(digits, last - 1, -1))]:
            groups = [_group(walk, rows, names, precision, small) for walk in curve.walks]
            if sum(map(_width, groups)) <= room:
                return curve.walks, names, groups
    while len(groups) > 1 and sum(map(_width, groups)) > room:
        groups.pop()
    return curve.walks[: len(groups)], names, groups


def _group(walk: Walk, rows: Sequence[int], names: Sequence[str], digits: int, small: bool) -> list[TableColumn]:
    """The columns of a walk; the first one makes room for the rate above them."""
    cells = step_cells(walk, rows, names, digits, small)
    columns = [TableColumn(name, column) for name, column in zip(names, cells, strict=True)]
    missing = SPACE + len(shown_rate(walk)) - _width(columns)
    if missing > 0:
        columns[0] = TableColumn(names[0].rjust(columns[0].width + missing), cells[0])
    return columns


def _width(columns: Sequence[TableColumn]) -> int:
    """The width with the space before each column."""
    return sum(SPACE + column.width for column in columns)


def _label(walk: Walk, columns: Sequence[TableColumn], page: Page) -> str:
    """The rate between rules, over its columns."""
    room = _width(columns) - SPACE
    name, rule = f" {shown_rate(walk)} ", page.rule
    return " " * SPACE + (name.center(room, rule) if room >= len(name) else name.strip().rjust(room))


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


def verdict_of_walks(curve: Curve, page: Page, digits: int = 6) -> list[StyledLine]:
    """The lines of the verdicts: for each rate a mark and sentences on how its walk ended."""
    marks = [page.shown(MARKS[_state(walk)][0]) for walk in curve.walks]
    names = [f"{mark} {shown_rate(walk)}" for mark, walk in zip(marks, curve.walks, strict=True)]
    indent = max(map(len, names)) + 2
    lines: list[StyledLine] = []
    for name, walk in zip(names, curve.walks, strict=True):
        first, *more = _wrapped(page, f"{name:{indent}}{curve_verdict(curve, walk, digits)}", indent)
        style = f"{HEADING} {MARKS[_state(walk)][1]}"
        lines += [[Span(name, style), Span(first[len(name) :])], *([Span(line)] for line in more)]
    return lines


def _state(walk: Walk) -> State:
    if walk.outcome is Outcome.REACHED:
        return State.CONVERGED
    return State.NEAR if walk.outcome is Outcome.APPROACHING else State.DIVERGED


def _tied(page: Page, texts: Sequence[str], style: str = "") -> list[StyledLine]:
    return [[Span(line, style)] for text in texts for line in _wrapped(page, text)]


def _wrapped(page: Page, sentence: str, indent: int = 0) -> list[str]:
    """A sentence as lines, with ``x = 10`` and ``lr 0.1`` on one of them."""
    tied = page.shown(sentence).replace(" = ", "\xa0=\xa0").replace("lr ", "lr\xa0")
    return [line.replace("\xa0", " ") for line in page.wrapped(tied, indent)]
