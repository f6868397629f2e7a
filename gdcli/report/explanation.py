"""The arithmetic of the first iterations, step by step."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.text import Text

from gdcli.base.names import count_of
from gdcli.fitting.results import ExplainedStep, Explanation
from gdcli.report import numbers
from gdcli.report.grid import Grid, GridColumn
from gdcli.report.paper import Page

_SCALES = {
    "standard": "each column less its mean, over its standard deviation",
    "minmax": "each column from 0 at its minimum to 1 at its maximum",
}


def render_explanation(explanation: Explanation, target: str, page: Page, digits: int = 6) -> RenderableType:
    """The iterations one after the other: some rows with their errors, then each parameter's update."""
    parts: list[RenderableType] = [_lines(format_setting(explanation, target, digits), page)]
    for step in explanation.steps:
        parts += [Text(), *_render_step(explanation, step, page, digits)]
    return Group(*parts)


def format_setting(explanation: Explanation, target: str, digits: int = 6) -> list[str]:
    """Say on which problem the arithmetic is done, and by which formulas."""
    if explanation.scale == "none":
        where = "in the units of the file"
    else:
        divisor = numbers.number(explanation.target_scale, digits)
        where = f"on the scaled problem: {_SCALES[explanation.scale]}; {target} divided by {divisor}"
    mean = "the weighted mean" if explanation.weighted else "the mean"
    shown = len(explanation.steps)
    return [
        f"The first {count_of(shown, 'iteration')} of {explanation.iterations:,}, {where}.",
        f"error = {target} - prediction; each slope's gradient is -2 x {mean} of error * column over all "
        f"{explanation.rows:,} rows, the intercept's -2 x {mean} of error;",
        f"new = value - lr x gradient, with lr {numbers.rate(explanation.learning_rate)}.",
    ]


def _render_step(explanation: Explanation, step: ExplainedStep, page: Page, digits: int) -> Iterable[RenderableType]:
    yield _lines([f"Iteration {step.iteration}"], page, "bold")
    if step.rows:
        rows = step.rows
        columns = [
            GridColumn(page.shown(name), numbers.column([row.x[i] for row in rows], digits))
            for i, name in enumerate(explanation.terms)
        ]
        last = [
            GridColumn("target", numbers.column([row.target for row in rows], digits)),
            GridColumn("prediction", numbers.column([row.prediction for row in rows], digits)),
            GridColumn("error", numbers.column([row.error for row in rows], digits)),
        ]
        kept = list(columns)
        while kept and page.width is not None and Grid([*kept, *last], page).width > page.width:
            kept.pop()
        yield Grid([*kept, *last], page)
        more = f", {len(kept)} of {len(columns)} columns" if len(kept) < len(columns) else ""
        yield _lines([f"The first {len(rows)} of {explanation.rows:,} rows{more}."], page, "dim")
    terms = step.terms
    table = [
        GridColumn("parameter", [page.shown(term.term) for term in terms], left=True),
        GridColumn("value", numbers.column([term.value for term in terms], digits)),
        GridColumn("mean(error*x)", numbers.column([term.mean_error_product for term in terms], digits)),
        GridColumn("gradient", numbers.column([term.gradient for term in terms], digits)),
        GridColumn("lr*gradient", numbers.column([term.step for term in terms], digits)),
        GridColumn("new", numbers.column([term.updated for term in terms], digits)),
    ]
    for header in ("mean(error*x)", "lr*gradient", "value"):
        if page.width is not None and Grid(table, page).width > page.width:
            table = [column for column in table if column.header != header]
    yield Grid(table, page)
    before, after = (numbers.number(cost, digits) for cost in (step.cost_before, step.cost_after))
    yield _lines([f"cost before {before}, after {after}"], page)


def _lines(sentences: list[str], page: Page, style: str = "") -> Text:
    lines = [line for sentence in sentences for line in page.wrapped(page.shown(sentence))]
    return Text("\n".join(lines), style=style, no_wrap=True, overflow="ignore")
