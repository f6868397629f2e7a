"""The table of the iterations: the parameters on their way, the cost, and the minimum that they go to."""

import math
from collections.abc import Mapping, Sequence

from gdcli.engine.descent import Stopped
from gdcli.fitting.results import Fit, TraceRow
from gdcli.report import numbers
from gdcli.report.heading import term_names
from gdcli.report.paper import Page
from gdcli.report.screen import NOTE, BarColumn, Span, StyledLine, TableColumn, TextTable, sentences
from gdcli.report.sentences import joined

# Terms that stay beside the bars where there is no room for all.
_STRONGEST = 3

# From two decades on the lower end of bars would be empty on a linear scale.
_LOGARITHMIC_FROM = 100.0

# Costs that span so much show nothing of the smaller ones in one format.
_DECADES = 1e5

# Rows that are alike from which on one line stands for them.
_MANY = 2

# Rows that a table of an advised --every has.
_ADVISED_ROWS = 20

_LONGEST_NOTE = 40


def iteration_lines(fit: Fit, page: Page, digits: int, *, every: bool, advise: bool) -> list[StyledLine]:
    """The lines of the table of iterations, as many columns as fit, and the notes under it.

    Rows at the end that print alike become one line, unless ``every`` is true. With ``advise`` that line names the
    option that shows them all.
    """
    rows = list(fit.trace)
    closed = fit.optimum.cost is not None and not fit.diverged and bool(rows)
    if closed:
        rows.append(_minimum(fit))
    columns = _Columns(fit, rows, page, digits)
    table = columns.table(page)
    alike = 0 if every else alike_rows([c for c in table.columns if c in columns.numbers], len(fit.trace))
    between: dict[int, StyledLine] = {len(rows) - alike - 1: []} if closed else {}
    if alike:
        first, last = len(fit.trace) - alike - 1, len(fit.trace) - 1
        columns.drop(first, last)
        between[first] = [Span(_on_alike(fit, alike, page, advise), NOTE)]
    table = columns.table(page, {len(rows) - alike - 1: NOTE} if closed else {}, between)
    kept = [i for i, term in enumerate(columns.terms) if term in table.columns]
    without = [name for name, column in columns.others.items() if column not in table.columns]
    notes = on_missing(kept, columns.importance, without)
    if fit.descent.stopped is Stopped.INTERRUPTED:
        notes.append(f"Interrupted: iteration {fit.descent.iterations:,} is as far as the descent came.")
    return [*table.lines(), *sentences(page, notes, NOTE)]


class _Columns:
    """The columns of the table: the iteration, the terms, the others by name, and bars of the cost."""

    def __init__(self, fit: Fit, rows: Sequence[TraceRow], page: Page, digits: int) -> None:
        names = [f"{row.iteration:,}" for row in fit.trace] + ["minimum"] * (len(rows) - len(fit.trace))
        self.iteration = TableColumn("iteration", names)
        self.terms = _term_columns(fit, rows, page, digits)
        self.others = _other_columns(fit, rows, digits)
        self.bars = _bars(rows, page)
        self.importance = _importance(fit)

    @property
    def numbers(self) -> list[TableColumn]:
        """The columns of numbers."""
        return [*self.terms, *self.others.values()]

    def table(
        self, page: Page, styles: Mapping[int, str] | None = None, between: Mapping[int, StyledLine] | None = None
    ) -> TextTable:
        """As many of them as fit."""
        those = [*self.numbers, *self.bars]
        order = columns_leaving(self.importance, [*self.others, *([""] * len(self.bars))])
        return TextTable(
            page, [self.iteration, *those], leaving=[those[i] for i in order], rows=styles, between=between
        )

    def drop(self, first: int, last: int) -> None:
        """Leave out the rows from ``first`` to before ``last``."""
        for column in (self.iteration, *self.numbers, *self.bars):
            column.drop(first, last)


def _minimum(fit: Fit) -> TraceRow:
    """The minimum as a row."""
    slopes = {c.term: c.optimum for c in fit.coefficients}
    perfect = fit.optimum.relative_gap is None and fit.optimum.gap is not None
    cost = 0.0 if perfect or fit.optimum.cost is None else fit.optimum.cost
    intercept = None if fit.intercept is None else fit.intercept.optimum
    found = tuple(math.nan if slopes.get(term) is None else slopes[term] for term in fit.trace_terms)
    return TraceRow(0, found, intercept, cost, 0.0)  # type: ignore[arg-type]


def _term_columns(fit: Fit, rows: Sequence[TraceRow], page: Page, digits: int) -> list[TableColumn]:
    names = ["m"] if len(fit.trace_terms) == 1 else page.in_column(list(term_names(fit).values()))
    # A descent on its way to infinity spans decades, of which each row keeps its digits.
    return [
        TableColumn(name, numbers.column([row.slopes[i] for row in rows], digits, relative=not fit.diverged))
        for i, name in enumerate(names)
    ]


def _other_columns(fit: Fit, rows: Sequence[TraceRow], digits: int) -> dict[str, TableColumn]:
    relative = not fit.diverged
    perfect = fit.optimum.gap is not None and fit.optimum.relative_gap is None  # then the cost shrinks by decades
    columns = {}
    if fit.intercept is not None:
        columns["c"] = numbers.column([row.intercept for row in rows], digits, relative=relative)
    costs = [row.cost for row in rows]
    if relative and max(costs, default=0.0) > _DECADES * min(costs, default=0.0) > 0:
        columns["cost"] = numbers.mixed(costs, digits)
    else:
        columns["cost"] = numbers.column(costs, digits, relative=relative and not perfect)
    if any(row.learning_rate is not None for row in rows):
        columns["lr"] = numbers.column([row.learning_rate for row in rows], digits, relative=True)
    if fit.holdout is not None:
        columns["validation"] = numbers.column([row.validation for row in rows], digits, relative=relative)
    if any(row.gap is not None for row in fit.trace) and fit.optimum.gap_measure > 0 and not fit.diverged:
        columns["above min %"] = numbers.percents(_shares(fit, rows))
    return {name: TableColumn(name, cells) for name, cells in columns.items()}


def _shares(fit: Fit, rows: Sequence[TraceRow]) -> list[float | None]:
    """The gaps as shares of the minimum. One that is 0 by rounding counts as small as those beside it."""
    shares = [None if row.gap is None else row.gap / fit.optimum.gap_measure for row in rows]
    smallest = min((share for share in shares if share), default=0.0)
    tiny = 100 * smallest < numbers.SMALLEST_PERCENT
    return [smallest if share == 0 and tiny and i < len(fit.trace) else share for i, share in enumerate(shares)]


def _bars(rows: Sequence[TraceRow], page: Page) -> list[BarColumn]:
    """The cost as bars, on a logarithmic scale if it spans decades; none off a terminal."""
    costs = [row.cost for row in rows]
    finite = [cost for cost in costs if math.isfinite(cost)]
    if page.width is None or len(costs) < 2 or not finite or max(finite) <= 0:
        return []
    low, high = min(finite), max(finite)
    above = [cost for cost in finite if cost > 0]
    if high < _LOGARITHMIC_FROM * min(above):
        base = min(low, 0.0)
        return [BarColumn(page, [(min(cost, high) - base) / (high - base) for cost in map(_number, costs)])]
    bottom, span = math.log(min(above)), math.log(high) - math.log(min(above))
    shares = [0.0 if c <= 0 else 1.0 if c >= high else (math.log(c) - bottom) / span for c in map(_number, costs)]
    return [BarColumn(page, [max(share, 1e-9) if cost else 0.0 for share, cost in zip(shares, costs, strict=True)],
                      "log scale")]  # fmt: skip


def _number(cost: float) -> float:
    return math.inf if math.isnan(cost) else cost


def alike_rows(columns: Sequence[TableColumn], rows: int) -> int:
    """The number of rows to replace by one line: those before the last row that print like it, except the first.

    0 if they are few. ``rows`` is the number of rows of the table.
    """
    last = rows - 1
    first = last
    while first > 0 and all(column.cells[first - 1] == column.cells[last] for column in columns):
        first -= 1
    return last - first - 1 if last - first - 1 >= _MANY else 0


def _on_alike(fit: Fit, alike: int, page: Page, advise: bool) -> str:
    sign = f"{page.shown('⋮'):>{len('iteration')}}  "
    if page.width is not None and page.width < 80:
        return f"{sign}{alike:,} rows alike"
    step = numbers.rounded_up(max(fit.descent.iterations // _ADVISED_ROWS, 1))
    how = f"; --every {step} shows them" if advise and fit.descent.batches is None else ""
    return f"{sign}no digit shown changes any more ({alike:,} rows{how})"


def _importance(fit: Fit) -> list[float]:
    """|standardized coefficient| by term of the trace; zero if it is not known."""
    known = {c.term: abs(c.standardized or 0.0) for c in fit.coefficients}
    return [known.get(term, 0.0) for term in fit.trace_terms]


def columns_leaving(importance: Sequence[float], others: Sequence[str]) -> list[int]:
    """The indices of the columns in the order in which a narrow terminal leaves them out.

    Terms come first in the table, then ``others``; a bar has the name "". Of several terms the strongest stay longest,
    the intercept leaves early. The cost always stays.
    """
    terms = len(importance)
    ranked = sorted(range(terms), key=lambda i: importance[i])  # the weakest first
    place = {name: [terms + i] for i, name in enumerate(others)}
    bar, gap, lr, c, validation = (place.get(name, []) for name in ("", "above min %", "lr", "c", "validation"))
    if terms <= 1:
        return [*bar, *gap, *lr, *c, *validation, *ranked]
    return [*ranked[:-_STRONGEST], *c, *bar, *ranked[-_STRONGEST:-1], *gap, *lr, *validation, *ranked[-1:]]


def on_missing(kept: Sequence[int], importance: Sequence[float], without: Sequence[str]) -> list[str]:
    """A sentence on the terms and columns that are left out, with the option that shows them; [] if none are.

    ``kept`` are the indices of the terms shown, ``without`` the names of the other columns left out.
    """
    terms = len(importance)
    if terms > 1 and list(without) == ["c"]:
        without = []  # nobody looks for the intercept of several terms on its way
    parts = []
    if len(kept) < terms:
        weakest = min((importance[i] for i in kept), default=0.0)
        strongest = kept and all(importance[i] <= weakest for i in range(terms) if i not in kept)
        count = f"{len(kept)} " if len(kept) != 1 else ""
        parts.append(f"the {count}strongest of {terms} terms" if strongest else f"{len(kept)} of {terms} terms")
    if without:
        parts.append(f"without {joined(without)}")
    text = ", ".join(parts)
    return [f"{text[0].upper()}{text[1:]}; --trace FILE has all, every iteration."] if parts else []
