"""Validation for people: what the rows held out say, and the table of a cross-validation."""

import math
from typing import TYPE_CHECKING

from gdcli.fitting.results import CrossValidation, Fit, Holdout, TriedPenalty
from gdcli.report import numbers

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gdcli.report.paper import Page


def format_holdout(fit: Fit, held: Holdout, digits: int = 6) -> str | None:
    """The line on the validation cost: at the end, at its lowest, and of the iteration kept."""
    if held.cost is None or held.best_iteration is None or held.best_cost is None:
        return None
    last = fit.descent.iterations
    lowest = numbers.number(held.best_cost, digits)
    if held.patience is not None:
        kept = f"{lowest} at iteration {held.kept}, the lowest, which is kept"
        if held.kept == last or not fit.trace or fit.trace[-1].validation is None:
            return kept
        return f"{kept}; {numbers.number(fit.trace[-1].validation, digits)} at iteration {last}, the last"
    if held.best_iteration == last:
        return f"{lowest} at iteration {last}, the last and the lowest"
    end = numbers.number(held.cost, digits)
    return f"{end} at iteration {last}, the last; lowest {lowest} at iteration {held.best_iteration}"


def render_cross_validation(found: CrossValidation, page: "Page", digits: int = 6) -> "RenderableType":
    """The table of the folds, and under it what it says."""
    from rich.console import Group
    from rich.text import Text

    from gdcli.report.grid import Grid, GridColumn

    folds = [str(i + 1) for i in range(found.folds)]
    columns = [
        GridColumn("fold", [*folds, "mean", "std error"], left=True),
        GridColumn("rows", [*(f"{rows:,}" for rows in found.rows), "", ""]),
    ]
    at_end = [*found.costs, found.mean, found.standard_error]
    at_best = [*found.best_costs, found.best_mean, found.best_standard_error]
    both = numbers.column([*at_end, *at_best], digits)
    columns.append(GridColumn(f"cost at {found.iterations}", both[: len(at_end)]))
    if found.best_iteration not in (None, found.iterations):
        columns.append(GridColumn(f"cost at {found.best_iteration}", both[len(at_end) :]))
    # Of the rows nobody needs the number.
    if page.width is not None and Grid(columns, page).width > page.width:
        columns = [column for column in columns if column.header != "rows"]
    lines = [line for text in format_cross_validation(found, page, digits) for line in page.wrapped(text)]
    parts: list[RenderableType] = [Grid(columns, page), Text("\n".join(lines), no_wrap=True, overflow="ignore")]
    return Group(*([_penalties(found, page, digits), Text()] if found.penalties else []), *parts)


def _penalties(found: CrossValidation, page: "Page", digits: int) -> "RenderableType":
    """The table of the penalties to choose from; the one chosen is that of the lowest cost."""
    from rich.console import Group
    from rich.text import Text

    from gdcli.report.grid import Grid, GridColumn

    tried = found.penalties
    both = numbers.column([value for one in tried for value in (one.mean, one.standard_error)], digits)
    means = [math.inf if one.mean is None else one.mean for one in tried]
    lowest = means.index(min(means))
    columns = [
        GridColumn("l2", [f"{one.l2:g}" for one in tried]),
        GridColumn("l1", [f"{one.l1:g}" for one in tried]),
        GridColumn("validation cost", both[::2]),
        GridColumn("std error", both[1::2]),
        GridColumn("", [_said(one, i == lowest) for i, one in enumerate(tried)], left=True),
    ]
    given = [columns[0]] * any(one.l2 for one in tried) + [columns[1]] * any(one.l1 for one in tried)
    note = f"The penalty is chosen by its mean validation cost at iteration {found.iterations}, over the same folds."
    return Group(
        Grid([*given, *columns[2:]], page), Text("\n".join(page.wrapped(note)), no_wrap=True, overflow="ignore")
    )


def _said(one: TriedPenalty, lowest: bool) -> str:
    if one.mean is None:
        return "too large for this rate"
    return "chosen" if lowest else ""


def format_cross_validation(found: CrossValidation, page: "Page", digits: int = 6) -> list[str]:
    """Say what the folds say: the mean validation cost, and at which iteration it is lowest."""
    name = f"{found.folds}-fold cross-validation (seed {found.seed})"
    lost = [str(i + 1) for i, cost in enumerate(found.costs) if cost is None]
    if lost:
        where = f"fold {lost[0]}" if len(lost) == 1 else f"{len(lost)} of {found.folds} folds"
        return [f"{name}: without the rows of {where} the descent diverged."]
    at = _mean(found.mean, found.standard_error, page, digits)
    if found.best_iteration == found.iterations:
        return [f"{name}: validation cost {at} (standard error) at iteration {found.iterations}, the last and lowest."]
    lowest = _mean(found.best_mean, found.best_standard_error, page, digits)
    return [
        f"{name}: validation cost {at} (standard error) at iteration {found.iterations}; "
        f"lowest {lowest} at iteration {found.best_iteration}."
    ]


def _mean(mean: float | None, error: float | None, page: "Page", digits: int) -> str:
    sign = "±" if page.unicode else "+-"
    shown = [numbers.number(math.nan if value is None else value, digits) for value in (mean, error)]
    return f"{shown[0]} {sign} {shown[1]}"
