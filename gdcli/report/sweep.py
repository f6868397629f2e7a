"""The report on a sweep: one row per learning rate."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gdcli.base.names import count_of, printable
from gdcli.base.schema import to_json
from gdcli.engine.catalog import SQUARED
from gdcli.engine.optimizers import PLAIN_DESCENT
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.sweep import GroupSweeps, Sweep, SweepRate
from gdcli.report import numbers
from gdcli.report.heading import columns_named, source_of
from gdcli.report.paper import Page
from gdcli.report.report import Report, group_headers, sheet_of
from gdcli.report.screen import BAD, BAR, GOOD, HEADING, Screen, StyledLine, TableColumn, TextTable, sentences, titled
from gdcli.report.sentences import joined
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

# With a cross-validation.
_VALIDATION = ("validation_cost", "validation_standard_error")

_MOST_REASONS = 3

# Groups whose fastest rates are said in sentences.
_MOST_GROUPS = 12

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
        sheet=lambda: sheet_of(_header(sweep), (_values(rate, sweep) for rate in sweep.rates)),
        columns=lambda: _columns(sweep, digits),
        screen=lambda page: sweep_screen(sweep, page, digits),
        verdict=lambda page: sentences(page, [" ".join(format_rate_meaning(sweep))]),
        chart=lambda page: chart_of_sweep(sweep, page, page.colors is not None),
        picture=picture,
    )
    return report


def group_sweeps_report(found: GroupSweeps, digits: int = 6, typed: "TypedCommand | None" = None) -> Report:
    """The report on the sweeps of groups: a JSON document for each group, and a table row for each group and rate.

    Groups without a sweep have neither. ``typed`` is the command line for a page.
    """
    known = [(key, sweep) for key, sweep in zip(found.groups, found.sweeps, strict=True) if sweep is not None]
    header = _header(known[0][1])
    from gdcli.report.chart import chart_of_group_sweeps
    from gdcli.report.plots import PAGE, picture_of_group_sweeps

    def picture(kind: str) -> bytes:
        if kind != PAGE:
            return picture_of_group_sweeps(found, kind)
        from gdcli.report.page.group_contents import page_of_group_sweeps

        return page_of_group_sweeps(found, report, typed)

    report = Report(
        document=lambda: [{"group": dict(zip(found.by, key, strict=True))} | _document(sweep) for key, sweep in known],
        sheet=lambda: sheet_of(
            [*group_headers(found.by, header), *header],
            ((*key, *_values(rate, sweep)) for key, sweep in known for rate in sweep.rates),
        ),
        columns=lambda: _below(found, [_columns(sweep, digits) for _, sweep in known]),
        screen=lambda page: group_sweeps_screen(found, page, digits),
        verdict=lambda page: sentences(page, format_groups_meaning(found)),
        chart=lambda page: chart_of_group_sweeps(found, page, page.colors is not None),
        picture=picture,
    )
    return report


def _below(found: GroupSweeps, tables: Sequence[Sequence[TableColumn]]) -> list[TableColumn]:
    """The columns of all groups' tables one below the other, those of the group first."""
    headers = group_headers(found.by, [column.header for column in tables[0]])
    first = [TableColumn(name, _keys(found, j), left=True) for j, name in enumerate(headers)]
    return first + [
        TableColumn(same[0].header, [cell for one in same for cell in one.cells], left=same[0].left)
        for same in zip(*tables, strict=True)
    ]


def _keys(found: GroupSweeps, j: int) -> list[str]:
    """The text of the group in the column ``j``, for each rate of each group with a sweep."""
    pairs = zip(found.groups, found.sweeps, strict=True)
    return [key[j] for key, sweep in pairs if sweep is not None for _ in sweep.rates]


def group_sweeps_screen(found: GroupSweeps, page: Page, digits: int = 6) -> Screen:
    """The screen of the sweeps of groups: a table with one row for each group and rate, as many columns as fit."""
    known = [sweep for sweep in found.sweeps if sweep is not None]
    names = page.in_column(found.by)
    columns = [TableColumn(name, page.in_column(_keys(found, j)), left=True) for j, name in enumerate(names)]
    first = known[0]
    title = f"{printable(first.target)} from {columns_named(first.features)}, by {joined(names)}"
    facts = [count_of(len(found.groups), "group"), count_of(first.iterations, "iteration")]
    return Screen(titled(page, title, facts), _table(columns, known, page, digits))


def format_groups_meaning(found: GroupSweeps) -> list[str]:
    """Sentences under the table: the fastest rate of each group, and why a group has no sweep."""
    said = [
        f"{printable(' '.join(key))}: {_shown(sweep.best)} is the fastest: "
        f"{count_of(sweep.best_iterations, 'iteration')} to within 1 %."
        for key, sweep in zip(found.groups, found.sweeps, strict=True)
        if sweep is not None and sweep.best is not None and sweep.best_iterations is not None
    ]
    return said[:_MOST_GROUPS] + [f"{reason}." for reason in format_reasons(found)]


def format_reasons(found: GroupSweeps) -> list[str]:
    """The first groups without a sweep, a text for each: its name, a colon, and the reason."""
    reasons = list(found.reasons.items())[:_MOST_REASONS]
    return [f"{printable(' '.join(found.groups[i]))}: {why}" for i, why in reasons]


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
                dict(zip(_header(sweep), _values(rate, sweep), strict=True))
                | {"costs": [{"iteration": iteration, "cost": cost} for iteration, cost in rate.costs]}
                for rate in sweep.rates
            ],
        },
        nulls=True,
    )
    return document | _more(sweep)


def _more(sweep: Sweep) -> dict[str, Any]:
    """The keys of a sweep that is not plain descent on squared errors."""
    if sweep.optimizer == PLAIN_DESCENT and sweep.loss == SQUARED:
        return {}
    return {"optimizer": sweep.optimizer, "loss": sweep.loss, "largest_stable_is_bound": sweep.bound}


def _header(sweep: Sweep) -> tuple[str, ...]:
    return _HEADER if sweep.folds is None else (*_HEADER, *_VALIDATION)


def sweep_screen(sweep: Sweep, page: Page, digits: int = 6) -> Screen:
    """The screen of a sweep: what was swept, and the table, as many columns as fit; diverged rates last, in red."""
    rates = sweep.rates
    [target] = page.in_column([sweep.target])
    title = f"{target} from {columns_named(sweep.features)}: {count_of(len(rates), 'learning rate')}"
    lost = [i for i, one in enumerate(rates) if _diverges(one)]
    apart: dict[int, StyledLine] = {lost[0]: []} if lost and lost[0] > 0 else {}
    facts = [source_of(sweep.files, sweep.rows), count_of(sweep.iterations, "iteration")]
    return Screen(titled(page, title, facts), _table([], [sweep], page, digits, apart))


def _table(
    first: Sequence[TableColumn],
    sweeps: Sequence[Sweep],
    page: Page,
    digits: int,
    between: Mapping[int, StyledLine] = MappingProxyType({}),
) -> Iterator[StyledLine]:
    """The lines of a table with a row for each rate of all ``sweeps``, ``first`` its first columns."""
    rates = [rate for sweep in sweeps for rate in sweep.rates]
    shown = [text for sweep in sweeps for text in _apart(sweep.rates, _shown)]
    styles = {i: BAD if _diverges(one) else f"{HEADING} {GOOD}" for i, one in enumerate(rates) if _marked(one)}
    word = TableColumn("", [_word(one) for one in rates], left=True)
    cost = TableColumn("cost at the end", _costs(rates, digits))
    # The curve's own colour is in the way of the row's.
    curve = TableColumn("cost on its way", [_curve(one, page) for one in rates], left=True, style=BAR, styles=styles)
    columns = [
        *first,
        TableColumn("lr", shown, left=True),
        word,
        TableColumn("within 1 % after", [_needed(one) for one in rates]),
        cost,
        *_validation_cells(sweeps, digits),
        curve,
    ]
    # On a narrow terminal the curve goes first, then the cost.
    return TextTable(page, columns, leaving=[curve, cost, word], rows=styles, between=between).lines()


def _marked(rate: SweepRate) -> bool:
    """Whether a rate's row has a colour: it is the best, or diverges."""
    return rate.best or _diverges(rate)


def format_rate_meaning(sweep: Sweep) -> list[str]:
    """The findings of the sweep in sentences."""
    found = []
    if sweep.interrupted:
        found.append(f"Interrupted: iteration {sweep.iterations:,} is as far as the descents came.")
    if sweep.best is not None and sweep.best_iterations is not None:
        count = count_of(sweep.best_iterations, "iteration")
        found.append(f"{_shown(sweep.best)} is the fastest: {count} to within 1 %.")
    marked = next((rate for rate in sweep.rates if rate.best), None)
    if marked is not None and not (sweep.best and _shown(marked.learning_rate) == _shown(sweep.best)):
        there = "gets there first" if marked.iterations_to_1_percent is not None else "is closest at the end"
        found.append(f"Of the rates shown {_shown(marked.learning_rate)} {there}.")
    found += _stable(sweep)
    if least := _least_validation(sweep):
        found.append(
            f"{sweep.folds}-fold cross-validation: the validation cost at iteration {sweep.iterations:,} is lowest "
            f"with {_shown(least.learning_rate)}."
        )
    if sweep.optimum.cost is not None and any(rate.converged for rate in sweep.rates):
        found.append(f"The minimum is {numbers.number(sweep.optimum.cost, _RATE_DIGITS).strip()}.")
    return found


def _stable(sweep: Sweep) -> list[str]:
    """What was known of the rates beforehand."""
    if sweep.largest_stable is None:
        what = f"--optimizer {sweep.optimizer}" if sweep.loss == SQUARED else f"--loss {sweep.loss}"
        return [f"Which rates are stable is not known beforehand with {what}: the descents show it."]
    largest = numbers.rate(numbers.rounded_below(sweep.largest_stable))
    if sweep.bound:
        return [f"Rates up to {largest} are certainly stable for this data, by a bound; larger ones may be so too."]
    known = [f"Rates below {largest} are stable for this data; from there on, they diverge."]
    if sweep.best is None:
        # Proximal steps, or changing rates.
        reason = "With an l1 penalty no more" if sweep.optimizer == PLAIN_DESCENT else "No more"
        known.append(f"{reason} is known beforehand.")
    return known


def _least_validation(sweep: Sweep) -> SweepRate | None:
    found = [rate for rate in sweep.rates if rate.validation is not None]
    return min(found, key=lambda rate: rate.validation or 0.0, default=None)


def _validation_cells(sweeps: Sequence[Sweep], digits: int) -> list[TableColumn]:
    """The column of validation costs, if there are any."""
    if sweeps[0].folds is None:
        return []
    costs = [rate.validation for sweep in sweeps for rate in sweep.rates]
    return [TableColumn("validation", numbers.column(costs, digits))]


def _diverges(rate: SweepRate) -> bool:
    return rate.diverged_at is not None or rate.behaviour is Behaviour.UNSTABLE


def _shown(rate: float) -> str:
    """A rate as it was given; one that was computed, to fewer digits."""
    text = f"{rate:.{_RATE_DIGITS}g}"
    return numbers.rate(rate if float(text) == rate else numbers.rounded_rate(rate))


def _apart(rates: Sequence[SweepRate], shown: Callable[[float], str]) -> list[str]:
    """The rates as shown; those that would read alike, with all their digits."""
    texts = [shown(rate.learning_rate) for rate in rates]
    return [
        numbers.rate(rate.learning_rate) if texts.count(text) > 1 else text
        for rate, text in zip(rates, texts, strict=True)
    ]


def _word(rate: SweepRate) -> str:
    if _diverges(rate):
        return "diverges"
    if rate.best:
        return "fastest"
    if rate.behaviour is Behaviour.OSCILLATING:
        return "overshoots"
    return "" if rate.behaviour is None else "steady" if rate.converged else "slow"


def _costs(rates: Sequence[SweepRate], digits: int) -> list[str]:
    """The cost at the end, or what became of it."""
    shown = _cost_cells(rates, [None if rate.converged else rate.cost for rate in rates], digits)
    return [
        f"∞, stopped at {numbers.count(rate.diverged_at)}"
        if rate.diverged_at is not None
        else "minimum"
        if rate.converged
        else cell
        for rate, cell in zip(rates, shown, strict=True)
    ]


def _cost_cells(rates: Sequence[SweepRate], costs: Sequence[float | None], digits: int) -> list[str]:
    """The costs as texts; beside those of rates that diverge the others would lose all their digits."""
    lost = [cost if _diverges(rate) else None for rate, cost in zip(rates, costs, strict=True)]
    away = [None if _diverges(rate) else cost for rate, cost in zip(rates, costs, strict=True)]
    both = zip(numbers.column(away, digits, relative=True), numbers.column(lost, digits), strict=True)
    return [one if one.strip() else other for one, other in both]


def _columns(sweep: Sweep, digits: int) -> list[TableColumn]:
    rates = sweep.rates
    measure = sweep.optimum.gap_measure
    shares = [None if rate.gap is None or measure <= 0 else rate.gap / measure for rate in rates]
    return [
        TableColumn("lr", _apart(rates, lambda rate: f"{rate:.{_RATE_DIGITS}g}")),
        TableColumn("behaviour", [_behaviour(rate) for rate in rates], left=True),
        TableColumn("cost", _cost_cells(rates, [rate.cost for rate in rates], digits)),
        TableColumn("gap %", numbers.percents(shares)),
        TableColumn("to 1 %", [_needed(rate) for rate in rates]),
        *_validation_cells([sweep], digits),
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


def _values(rate: SweepRate, sweep: Sweep) -> tuple[Any, ...]:
    validation = (numbers.finite(rate.validation), numbers.finite(rate.validation_error))
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
        *(() if sweep.folds is None else validation),
    )
