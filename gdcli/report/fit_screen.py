"""The report that people read: what was fitted, the iterations, the coefficients, a few plain lines, and the verdict.

Names from the file are literal and printable. Columns that a terminal has no room for are left out whole, and a line
says so. Where the encoding is no Unicode one, everything is ASCII.
"""

from collections.abc import Mapping, Sequence

from gdcli.base.names import count_of, printable
from gdcli.engine.losses import LOSSES
from gdcli.fitting.results import Fit
from gdcli.report import numbers
from gdcli.report.coefficient_table import coefficient_lines
from gdcli.report.heading import heading, term_names
from gdcli.report.paper import Page
from gdcli.report.screen import Screen, StyledLine, facts, labelled
from gdcli.report.sentences import UNCENTERED, batches


def fit_screen(fit: Fit, page: Page, digits: int, table: Sequence[StyledLine]) -> Screen:
    """The screen of a fit without its verdict; after divergence it has only the heading and the iterations.

    ``table`` are the lines of the iterations.
    """
    blocks: list[Sequence[StyledLine]] = [heading(fit, page, digits)]
    if fit.explanation is not None:
        from gdcli.report.explanation import explanation_blocks

        blocks += explanation_blocks(fit.explanation, page.in_column([fit.target])[0], term_names(fit), page, digits)
    blocks.append(table)
    if not fit.diverged:
        blocks += [coefficient_lines(fit, page, digits), summary_lines(fit, page, digits)]
        if fit.cross_validation is not None:
            from gdcli.report.validation import cross_validation_blocks

            blocks += cross_validation_blocks(fit.cross_validation, page, digits)
    return Screen(*blocks)


def summary_lines(fit: Fit, page: Page, digits: int = 6) -> list[StyledLine]:
    """The lines under the coefficients: measures, rows used, and notes such as those on missing cells."""
    pairs = [
        ("at the minimum", _at_minimum(fit, digits)),
        ("event", _event(fit)),
        ("missing", _missing(fit)),
        ("penalty", _penalty(fit, digits)),
        ("validation", _validation(fit, digits)),
        ("batches", batches(fit)),
    ]
    return [*facts(page, _facts(fit, page, digits)), *labelled(page, [(name, text) for name, text in pairs if text])]


def _validation(fit: Fit, digits: int) -> str | None:
    if fit.holdout is None:
        return None
    from gdcli.report.validation import format_holdout

    return format_holdout(fit, fit.holdout, digits)


def _facts(fit: Fit, page: Page, digits: int) -> list[str]:
    """R² and RMSE, or the cost; with inference its figures, if they describe this fit."""
    centered = fit.intercept is not None
    if fit.inference is not None and fit.inference.applies:
        from gdcli.report.certainty import format_inference

        return [*format_inference(fit.inference, digits, centered), _rows(fit)]
    found = []
    if fit.r2 is not None:
        how = "" if centered else f" ({UNCENTERED}: against 0, not the mean of {printable(fit.target)})"
        found.append(f"R² {numbers.decimal(fit.r2, digits)}{how}")
    if fit.rmse is not None:
        found.append(f"RMSE {numbers.number(fit.rmse, digits)} (in units of {page.in_column([fit.target])[0]})")
    elif fit.cost is not None:
        penalized = "" if fit.penalty is None else ", penalty included"
        found.append(f"cost {numbers.number(fit.cost, digits)} ({LOSSES[fit.loss].cost_name}{penalized})")
    return [*found, _rows(fit)]


def _at_minimum(fit: Fit, digits: int) -> str | None:
    found = fit.inference
    if found is None or found.applies:
        return None
    from gdcli.report.certainty import format_inference

    return "; ".join(format_inference(found, digits, fit.intercept is not None))


def _event(fit: Fit) -> str | None:
    if fit.classes is None:
        return None
    other, event = (printable(name) for name in fit.classes)
    return f"a positive coefficient makes {event} more likely, and {other} less"


def _rows(fit: Fit) -> str:
    rows = fit.rows
    held = ""
    if fit.holdout is not None:
        whose = "" if fit.holdout.file is None else f": {printable(fit.holdout.file)}"
        held = f", {fit.holdout.rows:,} of them held out{whose}"
    if rows.used == rows.read:
        return f"all {count_of(rows.used, 'row')} used{held}"
    return f"{rows.used:,} of {count_of(rows.read, 'row')} used{held}"


def _missing(fit: Fit) -> str | None:
    rows, parts = fit.rows, []
    if rows.dropped:
        dropped = count_of(rows.dropped, "row")
        parts.append(f"{dropped} dropped for missing cells{_by_column(rows.dropped_by_column)}")
    if cells := sum(rows.filled.values()):
        parts.append(f"{count_of(cells, 'missing cell')} filled{_by_column(rows.filled)}")
    return "; ".join(parts) or None


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
    of = count_of(len(fit.coefficients), "slope")
    slopes = f"; {zero} of {of} {'is' if zero == 1 else 'are'} 0" if found.l1 else ""
    return f"{share} of the cost, from {given}{slopes}"
