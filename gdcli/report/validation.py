"""Validation for people: what the rows held out say, and the table of a cross-validation."""

import math
from collections.abc import Sequence

from gdcli.fitting.results import CrossValidation, Fit, Holdout, TriedPenalty
from gdcli.report import numbers
from gdcli.report.paper import Page
from gdcli.report.screen import BAD, GOOD, StyledLine, TableColumn, TextTable, sentences


def format_holdout(fit: Fit, held: Holdout, digits: int = 6) -> str | None:
    """A line on the validation cost: at the last iteration, at its lowest, and of the iteration kept.

    None if no cost is known.
    """
    if held.cost is None or held.best_iteration is None or held.best_cost is None:
        return None
    last = numbers.count(fit.descent.iterations)
    lowest = numbers.number(held.best_cost, digits)
    if held.patience is not None:
        kept = f"{lowest} at iteration {numbers.count(held.kept)}, the lowest, which is kept"
        if held.kept == fit.descent.iterations or not fit.trace or fit.trace[-1].validation is None:
            return kept
        return f"{kept}; {numbers.number(fit.trace[-1].validation, digits)} at iteration {last}, the last"
    if held.best_iteration == fit.descent.iterations:
        return f"{lowest} at iteration {last}, the last and the lowest"
    end, where = numbers.number(held.cost, digits), numbers.count(held.best_iteration)
    return f"{end} at iteration {last}, the last; lowest {lowest} at iteration {where}"


def cross_validation_blocks(found: CrossValidation, page: Page, digits: int = 6) -> list[Sequence[StyledLine]]:
    """Blocks of lines: a table of the penalties if there were several, a table of the folds, and sentences on them."""
    folds = [str(i + 1) for i in range(found.folds)]
    rows = TableColumn("rows", [*(f"{rows:,}" for rows in found.rows), "", ""])
    at_end = [*found.costs, found.mean, found.standard_error]
    at_best = [*found.best_costs, found.best_mean, found.best_standard_error]
    both = numbers.column([*at_end, *at_best], digits)
    columns = [
        TableColumn("fold", [*folds, "mean", "std error"], left=True),
        rows,
        TableColumn(f"cost at {numbers.count(found.iterations)}", both[: len(at_end)]),
    ]
    if found.best_iteration is not None and found.best_iteration != found.iterations:
        columns.append(TableColumn(f"cost at {numbers.count(found.best_iteration)}", both[len(at_end) :]))
    # Of the rows nobody needs the number.
    table = TextTable(page, columns, leaving=[rows], between={found.folds: []})
    said = sentences(page, format_cross_validation(found, digits))
    return [*([_penalties(found, page, digits)] if found.penalties else []), [*table.lines(), *said]]


def _penalties(found: CrossValidation, page: Page, digits: int) -> list[StyledLine]:
    """The table of the penalties to choose from; the one chosen is that of the lowest cost."""
    tried = found.penalties
    both = numbers.column([value for one in tried for value in (one.mean, one.standard_error)], digits)
    means = [math.inf if one.mean is None else one.mean for one in tried]
    lowest = means.index(min(means))
    penalized, rates = any(one.l2 or one.l1 for one in tried), len({one.learning_rate for one in tried}) > 1
    columns = [
        *([TableColumn("lr", [f"{one.learning_rate:g}" for one in tried])] if rates else []),
        *([TableColumn("l2", [f"{one.l2:g}" for one in tried])] if any(one.l2 for one in tried) else []),
        *([TableColumn("l1", [f"{one.l1:g}" for one in tried])] if any(one.l1 for one in tried) else []),
        TableColumn("validation cost", both[::2]),
        TableColumn("std error", both[1::2]),
        TableColumn("", [_said(one, i == lowest) for i, one in enumerate(tried)], left=True),
    ]
    lost = {i: BAD for i, one in enumerate(tried) if one.mean is None}
    table = TextTable(page, columns, leaving=columns[-2:-1], rows=lost | {lowest: f"bold {GOOD}"})
    at = numbers.count(found.iterations)
    what, their = ("penalty" if penalized else "learning rate"), "its"
    if penalized and rates:
        what, their = "penalty and the learning rate", "their"
    chosen = f"{'is' if their == 'its' else 'are'} chosen by {their} mean validation cost"
    note = f"The {what} {chosen} at iteration {at}, over the same folds."
    return [*table.lines(), *sentences(page, [note])]


def _said(one: TriedPenalty, lowest: bool) -> str:
    if one.mean is None:
        return "too large for this rate"
    return "chosen" if lowest else ""


def format_cross_validation(found: CrossValidation, digits: int = 6) -> list[str]:
    """Sentences on the folds: the mean validation cost, and the iteration at which it is lowest."""
    name = f"{found.folds}-fold cross-validation (seed {found.seed})"
    lost = [str(i + 1) for i, cost in enumerate(found.costs) if cost is None]
    if lost:
        where = f"fold {lost[0]}" if len(lost) == 1 else f"{len(lost)} of {found.folds} folds"
        return [f"{name}: without the rows of {where} the descent diverged."]
    at = f"{_mean(found.mean, found.standard_error, digits)} (standard error)"
    last = numbers.count(found.iterations)
    if found.best_iteration is None or found.best_iteration == found.iterations:
        return [f"{name}: validation cost {at} at iteration {last}, the last and lowest."]
    lowest = _mean(found.best_mean, found.best_standard_error, digits)
    where = numbers.count(found.best_iteration)
    return [f"{name}: validation cost {at} at iteration {last}; lowest {lowest} at iteration {where}."]


def _mean(mean: float | None, error: float | None, digits: int) -> str:
    shown = [numbers.number(math.nan if value is None else value, digits) for value in (mean, error)]
    return f"{shown[0]} ± {shown[1]}"
