"""The screen that people read of a fit: the iterations, the coefficients, a few plain lines, and the verdict.

Rich draws it, within three rules. Names from the file are Text, never markup, and printable. Tables get the width
of their content, whatever Rich believes the console to be: columns that a terminal has no room for are left out
whole, and a line says so. Where the encoding is no Unicode one, everything is ASCII.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from gdcli.base.names import count_of, printable
from gdcli.engine.catalog import SQUARED
from gdcli.engine.descent import Stopped
from gdcli.engine.losses import LOSSES
from gdcli.fitting.results import Coefficient, Fit
from gdcli.report import numbers
from gdcli.report.certainty import render_certainty
from gdcli.report.grid import SPACE, Grid, GridColumn, literal
from gdcli.report.paper import Page, columns_that_fit
from gdcli.report.sentences import UNCENTERED, batches, joined, left_out
from gdcli.report.sparkline import sampled, sparkline
from gdcli.report.validation import format_holdout, render_cross_validation
from gdcli.report.verdict import COMMAND_INDENT, RateCommand, verdict

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

_LONGEST_SPARKLINE = 40


def render_fit(
    fit: Fit, page: Page, *, digits: int = 6, command: RateCommand | None = None, iterations: bool = True
) -> "RenderableType":
    """Return the report: after divergence the iterations so far and the way out, else everything."""
    from rich.console import Group
    from rich.text import Text

    parts = [render_iterations(fit, page, digits)] if iterations else []
    if fit.explanation is not None:
        from gdcli.report.explanation import render_explanation

        parts.insert(0, render_explanation(fit.explanation, page.shown(fit.target), page, digits))
    if not fit.diverged:
        parts.append(render_coefficients(fit, page, digits))
        if fit.inference is not None:
            parts.append(render_certainty(fit, fit.inference, page, digits))
        parts.append(_lines(format_summary(fit, page, digits, iterations)))
        if fit.cross_validation is not None:
            parts.append(render_cross_validation(fit.cross_validation, page, digits))
    parts.append(render_verdict(fit, page, command))
    return Group(*(part for i, one in enumerate(parts) for part in ([Text(), one] if i else [one])))


# --- the iterations


def render_iterations(fit: Fit, page: Page, digits: int = 6) -> "RenderableType":
    """Return the table of the iterations, as many columns of it as fit, and notes under it."""
    from rich.console import Group

    rows = fit.trace
    iteration = GridColumn("iteration", [str(row.iteration) for row in rows])
    # A descent on its way to infinity spans decades, of which each row keeps its digits.
    relative = not fit.diverged
    names = ["m"] if len(fit.trace_terms) == 1 else page.in_column(fit.trace_terms)
    terms = [
        GridColumn(name, numbers.column([row.slopes[i] for row in rows], digits, relative=relative))
        for i, name in enumerate(names)
    ]
    perfect = (
        fit.optimum.gap is not None and fit.optimum.relative_gap is None
    )  # then the cost itself shrinks by decades
    costs = numbers.column([row.cost for row in rows], digits, relative=relative and not perfect)
    others = {"cost": GridColumn("cost", costs)}
    if any(row.learning_rate is not None for row in rows):
        others["lr"] = GridColumn("lr", numbers.column([row.learning_rate for row in rows], digits, relative=True))
    if fit.holdout is not None:
        validation = numbers.column([row.validation for row in rows], digits, relative=relative)
        others["validation"] = GridColumn("validation", validation)
    if fit.intercept is not None:
        c = GridColumn("c", numbers.column([row.intercept for row in rows], digits, relative=relative))
        others = {"c": c, **others}
    if any(row.gap is not None for row in rows) and fit.optimum.gap_measure > 0:
        shares = [None if row.gap is None else row.gap / fit.optimum.gap_measure for row in rows]
        others["gap"] = GridColumn("gap %", numbers.percents(shares))
    room = None if page.width is None else page.width - iteration.width
    widths = {name: SPACE + column.width for name, column in others.items()}
    kept, last = columns_that_fit([SPACE + term.width for term in terms], _importance(fit), widths, room)
    notes = []
    missing = [name for i, name in enumerate(names) if i not in kept]
    if page.width is not None and (missing or len(last) < len(others)):
        notes.append(left_out(missing, len(names), [name for name in others if name not in last], page.width))
    if fit.descent.stopped is Stopped.INTERRUPTED:
        notes.append(f"Interrupted: iteration {fit.descent.iterations} is as far as the descent came.")
    grid = Grid([iteration, *(terms[i] for i in kept), *(others[name] for name in last)], page)
    return Group(grid, *(_note(note, page) for note in notes))


def _importance(fit: Fit) -> list[float]:
    """|standardized coefficient| by term of the trace; zero if it is not known."""
    known = {c.term: abs(c.standardized or 0.0) for c in fit.coefficients}
    return [known.get(term, 0.0) for term in fit.trace_terms]


# --- the coefficients


def render_coefficients(fit: Fit, page: Page, digits: int = 6) -> "RenderableType":
    """Return the table of the final coefficients in file units, and notes under it."""
    from rich.console import Group

    rows = list(fit.coefficients)
    if fit.intercept is not None:
        rows.append(Coefficient("(intercept)", fit.intercept.value, fit.intercept.optimum))
    # One format for both, to compare them line by line.
    both = numbers.column([v for c in rows for v in (c.value, c.optimum)], digits)
    columns = [
        GridColumn("term", page.in_column([c.term for c in rows]), left=True),
        GridColumn("coefficient", both[::2]),
        GridColumn("optimum", both[1::2]),
        GridColumn("standardized", numbers.column([c.standardized for c in rows], digits, relative=True)),
    ]
    if all(c.optimum is None for c in rows):
        del columns[2]
    shown = columns if fit.coefficients else columns[:-1]  # an intercept alone has no standardized coefficient
    wanted = len(shown)
    while page.width is not None and len(shown) > 2 and Grid(shown, page).width > page.width:
        shown = shown[:-1]
    notes = []
    if len(shown) < wanted:
        missing = joined([column.header for column in columns[len(shown) : wanted]])
        notes.append(
            f"Left out to fit {page.width} columns: {missing}. "
            "--format csv has every column; a wider terminal or a pipe shows all."
        )
    if fit.reference_levels:
        levels = [page.shown(f"{column}[{level}]") for column, level in fit.reference_levels.items()]
        notes.append(f"Levels are compared with {joined(levels)}.")
    return Group(Grid(shown, page), *(_note(note, page) for note in notes))


# --- plain lines


def format_summary(fit: Fit, page: Page, digits: int = 6, iterations: bool = True) -> list[str]:
    """Return the lines on rows, cost, RMSE, R², gap and the cost's way down."""
    facts = [
        ("rows", _rows(fit)),
        ("loss", format_loss(fit, digits)),
        ("cost", None if fit.cost is None else numbers.number(fit.cost, digits)),
        ("penalty", _penalty(fit, digits)),
        ("RMSE", None if fit.rmse is None else numbers.number(fit.rmse, digits)),
        ("R²" if page.unicode else "R^2", None if fit.r2 is None else numbers.decimal(fit.r2, digits) + _center(fit)),
        ("gap", _gap(fit, digits)),
        ("validation", None if fit.holdout is None else format_holdout(fit, fit.holdout, digits)),
        ("batches", batches(fit)),
        ("descent", _way_down(fit, page, iterations)),
    ]
    known = [(label, page.shown(text)) for label, text in facts if text is not None]
    indent = max(len(label) for label, _ in known) + 2
    return [line for label, text in known for line in page.wrapped(f"{label:{indent}}{text}", indent)]


def _center(fit: Fit) -> str:
    return "" if fit.intercept is not None else f", {UNCENTERED}: against 0, not the mean of {printable(fit.target)}"


def format_loss(fit: Fit, digits: int = 6) -> str | None:
    """The loss and its classes or parameter; None for squared errors."""
    form = LOSSES[fit.loss].parameter_form
    if fit.classes is not None:
        other, event = (printable(name) for name in fit.classes)
        return f"{fit.loss}, the probability of {event} (and not {other})"
    if form is not None and fit.parameter is not None:
        return f"{fit.loss}, {form.symbol} = {numbers.number(fit.parameter, digits)}"
    return None if fit.loss == SQUARED else fit.loss


def _rows(fit: Fit) -> str:
    rows = fit.rows
    held = "" if fit.holdout is None else f", {fit.holdout.rows:,} of them held out"
    used = f"{rows.read:,} read, all used" if rows.used == rows.read else f"{rows.used:,} of {rows.read:,} used"
    dropped = (
        f"; {rows.dropped:,} dropped for missing cells{_by_column(rows.dropped_by_column)}" if rows.dropped else ""
    )
    cells = count_of(sum(rows.filled.values()), "missing cell")
    filled = f"; {cells} filled{_by_column(rows.filled)}" if rows.filled else ""
    return used + held + dropped + filled


def _by_column(counts: Mapping[str, int]) -> str:
    named = ", ".join(f"{printable(name)} {count:,}" for name, count in counts.items() if count)
    return f" ({named})" if named else ""


def _penalty(fit: Fit, digits: int) -> str | None:
    found = fit.penalty
    if found is None or found.mean_loss is None or fit.cost is None:
        return None
    given = " and ".join(f"{name} {value:g}" for name, value in (("l2", found.l2), ("l1", found.l1)) if value)
    share = numbers.number(max(fit.cost - found.mean_loss, 0.0), digits)
    zero = sum(1 for c in fit.coefficients if c.value == 0)
    slopes = f"; {zero} of {len(fit.coefficients)} slopes are 0" if found.l1 else ""
    return f"{share} of the cost, from {given}{slopes}"


def _gap(fit: Fit, digits: int) -> str | None:
    best = fit.optimum
    if best.gap is None or best.cost is None:
        return None
    if best.relative_gap is not None:
        return f"{numbers.percent(best.relative_gap)} of the optimum's cost, {numbers.number(best.cost, digits)}"
    if best.gap_measure > 0:
        return f"{numbers.percent(best.gap / best.gap_measure)} of the start's gap; the optimum is a perfect fit"
    return "0 %; the start is a perfect fit"


def _way_down(fit: Fit, page: Page, iterations: bool) -> str | None:
    costs = sampled([row.cost for row in fit.trace], _LONGEST_SPARKLINE)
    if len(costs) < 2:
        return None
    drawn = sparkline(costs, unicode=page.unicode)
    spaced = ", as in the table" if iterations and len(costs) == len(fit.trace) else ""
    scale = ", log scale" if drawn.logarithmic else ""
    return f"{drawn.text}  cost from iteration {fit.trace[0].iteration} to {fit.trace[-1].iteration}{spaced}{scale}"


# --- the verdict


def render_verdict(fit: Fit, page: Page, command: RateCommand | None = None) -> "RenderableType":
    """Return the verdict's sentences, broken between words, and its commands, never broken: ready to paste."""
    style = "bold red" if fit.diverged else "green" if fit.descent.converged and not fit.saturated else "yellow"
    from rich.text import Text

    text = Text(no_wrap=True, overflow="ignore")
    for i, sentence in enumerate(verdict(fit, command)):
        is_command = sentence.startswith(COMMAND_INDENT)
        shown = page.shown(sentence)
        for line in [shown] if is_command else page.wrapped(shown):
            text.append("\n" if text else "")
            text.append(line, style="bold" if is_command else "" if i else style)
    return text


def _lines(lines: Iterable[str], style: str = "") -> "Text":
    return literal("\n".join(lines), style)


def _note(sentence: str, page: Page) -> "Text":
    return _lines(page.wrapped(page.shown(sentence)), "dim")
