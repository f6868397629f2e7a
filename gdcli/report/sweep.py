"""The report on a sweep: one row per learning rate."""

import math
from typing import TYPE_CHECKING, Any

from gdcli.base.schema import to_json
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.sweep import Sweep, SweepRate
from gdcli.report import numbers
from gdcli.report.grid import Grid, GridColumn
from gdcli.report.paper import Page
from gdcli.report.report import Report, Sheet
from gdcli.report.sparkline import sampled, sparkline

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gdcli.report.page.contents import TypedCommand

SWEEP_SCHEMA = "gdfit.sweep/1"

_HEADER = (
    "learning_rate",
    "behaviour",
    "best",
    "cost",
    "gap",
    "relative_gap",
    "converged",
    "iterations_to_1_percent",
    "diverged_at",
)

_LONGEST_SPARKLINE = 16

_RATE_DIGITS = 6


def sweep_report(sweep: Sweep, digits: int = 6, typed: "TypedCommand | None" = None) -> Report:
    """The report on a sweep: a row for each rate. ``typed`` is the command line for a lesson page."""
    from gdcli.report.chart import chart_of_sweep
    from gdcli.report.plots import PAGE, picture_of_sweep

    def picture(kind: str) -> bytes:
        if kind != PAGE:
            return picture_of_sweep(sweep, kind)
        from gdcli.report.page.contents import page_of_sweep

        return page_of_sweep(sweep, report, typed)

    report = Report(
        document=lambda: _document(sweep),
        sheet=lambda: Sheet(_HEADER, map(_values, sweep.rates)),
        columns=lambda: _columns(sweep, digits, Page()),
        text=lambda page: render_sweep(sweep, page, digits),
        chart=lambda page: chart_of_sweep(sweep, page, page.colors is not None),
        picture=picture,
    )
    return report


def _document(sweep: Sweep) -> dict[str, Any]:
    document: dict[str, Any] = to_json(
        {
            "schema": SWEEP_SCHEMA,
            "version": sweep.version,
            "files": sweep.files,
            "target": sweep.target,
            "features": sweep.features,
            "scale": sweep.scale,
            "rows": sweep.rows,
            "optimum": {"cost": sweep.optimum.cost, "gap_measure": sweep.optimum.gap_measure},
            "iterations": sweep.iterations,
            "interrupted": sweep.interrupted,
            "largest_stable": sweep.largest_stable,
            "best": sweep.best,
            "best_iterations": sweep.best_iterations,
            "condition_number": sweep.condition_number,
            "rates": [
                dict(zip(_HEADER, _values(rate), strict=True))
                | {"costs": [{"iteration": iteration, "cost": cost} for iteration, cost in rate.costs]}
                for rate in sweep.rates
            ],
        },
        nulls=True,
    )
    return document


def render_sweep(sweep: Sweep, page: Page, digits: int = 6) -> "RenderableType":
    """The table, as many columns of it as fit, and the sentences under it."""
    from rich.console import Group
    from rich.text import Text

    rates, *others = _columns(sweep, digits, page)
    columns = [GridColumn(rates.header, rates.cells, left=True), *others]
    # On a narrow terminal the curve goes first, then the cost: the gap says the same.
    for header in ("cost curve", "cost", "to 1 %"):
        if page.width is not None and Grid(columns, page).width > page.width:
            columns = [column for column in columns if column.header != header]
    lines = [line for sentence in format_rate_meaning(sweep) for line in page.wrapped(page.shown(sentence))]
    return Group(Grid(columns, page), Text(), Text("\n".join(lines), no_wrap=True, overflow="ignore"))


def format_rate_meaning(sweep: Sweep) -> list[str]:
    """The findings of the sweep in sentences."""
    largest = numbers.rate(numbers.rounded_below(sweep.largest_stable))
    sentences = [f"Rates up to {largest} are stable for this data; above, each step overshoots by more than the last."]
    if sweep.best is None:
        sentences = [f"Rates up to {largest} are stable for this data; with an l1 penalty no more is known beforehand."]
    if sweep.interrupted:
        sentences.insert(0, f"Interrupted: iteration {sweep.iterations} is as far as the descents came.")
    if sweep.best is not None and sweep.best_iterations is not None:
        count = numbers.count(sweep.best_iterations)
        unit = "iteration" if sweep.best_iterations == 1 else "iterations"
        sentences.append(
            f"The best is {sweep.best:.{_RATE_DIGITS}g}: within 1 % of the optimum's cost after {count} {unit}."
        )
    marked = next((rate for rate in sweep.rates if rate.best), None)
    if marked is not None and not (sweep.best and math.isclose(marked.learning_rate, sweep.best, rel_tol=1e-6)):
        sentences.append(f"Of the rates shown {marked.learning_rate:.{_RATE_DIGITS}g} gets there first.")
    return sentences


def _columns(sweep: Sweep, digits: int, page: Page) -> list[GridColumn]:
    rates = sweep.rates
    measure = sweep.optimum.gap_measure
    shares = [None if rate.gap is None or measure <= 0 else rate.gap / measure for rate in rates]
    return [
        GridColumn("lr", [f"{rate.learning_rate:.{_RATE_DIGITS}g}" for rate in rates]),
        GridColumn("behaviour", [_behaviour(rate) for rate in rates], left=True),
        GridColumn("cost", numbers.column([rate.cost for rate in rates], digits, relative=True)),
        GridColumn("gap %", numbers.percents(shares)),
        GridColumn("to 1 %", [_needed(rate) for rate in rates]),
        GridColumn("cost curve", [_curve(rate, page) for rate in rates], left=True),
    ]


def _behaviour(rate: SweepRate) -> str:
    if rate.diverged_at is not None:
        return f"diverged at {numbers.count(rate.diverged_at)}"
    known = "" if rate.behaviour is None else rate.behaviour.value
    return f"{known} (best)".lstrip() if rate.best else known


def _needed(rate: SweepRate) -> str:
    if rate.iterations_to_1_percent is None:
        return "never" if rate.behaviour is Behaviour.UNSTABLE or rate.diverged_at is not None else ""
    return numbers.count(rate.iterations_to_1_percent)


def _curve(rate: SweepRate, page: Page) -> str:
    costs = sampled([cost for _, cost in rate.costs], _LONGEST_SPARKLINE)
    return sparkline(costs, unicode=page.unicode).text


def _values(rate: SweepRate) -> tuple[Any, ...]:
    return (
        rate.learning_rate,
        None if rate.behaviour is None else rate.behaviour.value,
        rate.best,
        rate.cost,
        rate.gap,
        rate.relative_gap,
        rate.converged,
        rate.iterations_to_1_percent,
        rate.diverged_at,
    )
