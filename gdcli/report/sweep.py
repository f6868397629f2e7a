"""The report on a sweep: one row per learning rate."""

import math
from typing import TYPE_CHECKING, Any

from gdcli.base.names import count_of, printable
from gdcli.base.schema import to_json
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.sweep import Sweep, SweepRate
from gdcli.report import numbers
from gdcli.report.heading import columns_named, source_of
from gdcli.report.paper import Page
from gdcli.report.report import Report, Sheet
from gdcli.report.screen import BAD, BAR, GOOD, HEADING, Screen, StyledLine, TableColumn, TextTable, sentences, titled
from gdcli.report.sparkline import sampled, sparkline

if TYPE_CHECKING:
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
        columns=lambda: _columns(sweep, digits),
        screen=lambda page: sweep_screen(sweep, page, digits),
        verdict=lambda page: sentences(page, [" ".join(format_rate_meaning(sweep))]),
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


def sweep_screen(sweep: Sweep, page: Page, digits: int = 6) -> Screen:
    """What was swept, and the table, as many columns of it as fit: rates that diverge stand last, in red."""
    rates = sweep.rates
    title = f"{printable(sweep.target)} from {columns_named(sweep.features)}: {count_of(len(rates), 'learning rate')}"
    rate = TableColumn("lr", [_shown(one.learning_rate) for one in rates], left=True)
    word = TableColumn("", [_word(one) for one in rates], left=True)
    needed = TableColumn("within 1 % after", [_needed(one) for one in rates])
    cost = TableColumn("cost at the end", _costs(sweep, digits))
    curve = TableColumn("cost on its way", [_curve(one, page) for one in rates], left=True, style=BAR)
    lost = [i for i, one in enumerate(rates) if _diverges(one)]
    best = {i: f"{HEADING} {GOOD}" for i, one in enumerate(rates) if one.best}
    for column in (curve,):  # its own colour is in the way of the row's
        column.styles = best | dict.fromkeys(lost, BAD)
    apart: dict[int, StyledLine] = {lost[0]: []} if lost and lost[0] > 0 else {}
    # On a narrow terminal the curve goes first, then the cost.
    table = TextTable(
        page, [rate, word, needed, cost, curve], leaving=[curve, cost, word],
        rows=best | dict.fromkeys(lost, BAD), between=apart,
    )  # fmt: skip
    facts = [source_of(sweep.files, sweep.rows), count_of(sweep.iterations, "iteration")]
    return Screen(titled(page, title, facts), table.lines())


def format_rate_meaning(sweep: Sweep) -> list[str]:
    """The findings of the sweep in sentences."""
    largest = numbers.rate(numbers.rounded_below(sweep.largest_stable))
    found = []
    if sweep.interrupted:
        found.append(f"Interrupted: iteration {sweep.iterations:,} is as far as the descents came.")
    if sweep.best is not None and sweep.best_iterations is not None:
        count = count_of(sweep.best_iterations, "iteration")
        found.append(f"{_shown(sweep.best)} is the fastest: {count} to within 1 %.")
    marked = next((rate for rate in sweep.rates if rate.best), None)
    if marked is not None and not (sweep.best and math.isclose(marked.learning_rate, sweep.best, rel_tol=1e-6)):
        found.append(f"Of the rates shown {_shown(marked.learning_rate)} gets there first.")
    found.append(f"Rates below {largest} are stable for this data; from there on, they diverge.")
    if sweep.best is None:
        found.append("With an l1 penalty no more is known beforehand.")
    if sweep.optimum.cost is not None and any(rate.converged for rate in sweep.rates):
        found.append(f"The minimum is {numbers.number(sweep.optimum.cost, _RATE_DIGITS).strip()}.")
    return found


def _diverges(rate: SweepRate) -> bool:
    return rate.diverged_at is not None or rate.behaviour is Behaviour.UNSTABLE


def _shown(rate: float) -> str:
    """A rate as it was given; one that was computed, to fewer digits."""
    text = f"{rate:.{_RATE_DIGITS}g}"
    return numbers.rate(rate if float(text) == rate else numbers.rounded_rate(rate))


def _word(rate: SweepRate) -> str:
    if _diverges(rate):
        return "diverges"
    if rate.best:
        return "fastest"
    if rate.behaviour is Behaviour.OSCILLATING:
        return "overshoots"
    return "" if rate.behaviour is None else "steady" if rate.converged else "slow"


def _costs(sweep: Sweep, digits: int) -> list[str]:
    """The cost at the end, or what became of it."""
    lost = [rate.cost if _diverges(rate) else None for rate in sweep.rates]
    away = [None if _diverges(rate) or rate.converged else rate.cost for rate in sweep.rates]
    both = zip(numbers.column(away, digits, relative=True), numbers.column(lost, digits), strict=True)
    shown = [one if one.strip() else other for one, other in both]
    return [
        f"∞, stopped at {numbers.count(rate.diverged_at)}"
        if rate.diverged_at is not None
        else "minimum"
        if rate.converged
        else cell
        for rate, cell in zip(sweep.rates, shown, strict=True)
    ]


def _columns(sweep: Sweep, digits: int) -> list[TableColumn]:
    rates = sweep.rates
    measure = sweep.optimum.gap_measure
    shares = [None if rate.gap is None or measure <= 0 else rate.gap / measure for rate in rates]
    return [
        TableColumn("lr", [f"{rate.learning_rate:.{_RATE_DIGITS}g}" for rate in rates]),
        TableColumn("behaviour", [_behaviour(rate) for rate in rates], left=True),
        TableColumn("cost", numbers.column([rate.cost for rate in rates], digits, relative=True)),
        TableColumn("gap %", numbers.percents(shares)),
        TableColumn("to 1 %", [_needed(rate) for rate in rates]),
        TableColumn("cost curve", [_curve(rate, Page()) for rate in rates], left=True),
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
