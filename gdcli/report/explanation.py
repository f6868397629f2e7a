"""The arithmetic of the first iterations, step by step."""

from collections.abc import Mapping, Sequence

from gdcli.fitting.results import ExplainedStep, Explanation
from gdcli.report import numbers
from gdcli.report.paper import Page
from gdcli.report.screen import HEADING, NOTE, StyledLine, TableColumn, TextTable, sentences

_SCALES = {
    "standard": "(value - mean) / standard deviation",
    "minmax": "(value - minimum) / (maximum - minimum)",
}


def explanation_blocks(
    explanation: Explanation, target: str, names: Mapping[str, str], page: Page, digits: int = 6
) -> list[Sequence[StyledLine]]:
    """Blocks of lines: the setting, then one block for each iteration explained.

    A block shows the errors of a few rows, then the update of each parameter. ``names`` maps terms to the names that
    people read.
    """
    setting = sentences(page, format_setting(explanation, target, digits))
    return [setting, *(_step_lines(explanation, step, names, page, digits) for step in explanation.steps)]


def format_setting(explanation: Explanation, target: str, digits: int = 6) -> list[str]:
    """The three lines above the arithmetic: the iterations shown and their units, the gradient, the update of θ.

    The target's scale is written with ``digits`` significant digits.
    """
    if explanation.scale == "none":
        where = "in the units of the file"
    else:
        divisor = numbers.number(explanation.target_scale, digits)
        where = f"worked out on scaled columns: {_SCALES[explanation.scale]}; {target} / {divisor}"
    shown = len(explanation.steps)
    which = "Iteration 1" if shown == 1 else f"Iterations 1 to {shown}"
    mean = "weighted mean" if explanation.weighted else "mean"
    return [
        f"{which}, {where}.",
        f"error = {target} - prediction; gradient = -2 · {mean}(error · column) over all {explanation.rows:,} rows, "
        f"for the intercept -2 · {mean}(error);",
        f"new = old - lr · gradient, with lr {numbers.rate(explanation.learning_rate)}.",
    ]


def _step_lines(
    explanation: Explanation, step: ExplainedStep, names: Mapping[str, str], page: Page, digits: int
) -> list[StyledLine]:
    lines = sentences(page, [f"Iteration {step.iteration}"], HEADING)
    if step.rows:
        lines += _row_lines(explanation, step, names, page, digits)
    terms = step.terms
    columns = {
        "parameter": TableColumn(
            "parameter", page.in_column([names.get(term.term, term.term) for term in terms]), left=True
        ),
        "old": TableColumn("old", numbers.column([term.value for term in terms], digits)),
        "mean": TableColumn("mean(error·column)", numbers.column([term.mean_error_product for term in terms], digits)),
        "gradient": TableColumn("gradient", numbers.column([term.gradient for term in terms], digits)),
        "step": TableColumn("lr·gradient", numbers.column([term.step for term in terms], digits)),
        "new": TableColumn("new", numbers.column([term.updated for term in terms], digits)),
    }
    table = TextTable(
        page, list(columns.values()), leaving=[columns[name] for name in ("mean", "step", "old", "gradient")]
    )
    before, after = numbers.column([step.cost_before, step.cost_after], digits, relative=True)
    cost = f"cost before {before.strip()}, after {after.strip()}"
    return [*lines, *table.lines(), *sentences(page, [cost])]


def _row_lines(
    explanation: Explanation, step: ExplainedStep, names: Mapping[str, str], page: Page, digits: int
) -> list[StyledLine]:
    rows = step.rows
    heads = page.in_column([names.get(term, term) for term in explanation.terms])
    columns = [TableColumn(name, numbers.column([row.x[i] for row in rows], digits)) for i, name in enumerate(heads)]
    last = [
        TableColumn("target", numbers.column([row.target for row in rows], digits)),
        TableColumn("prediction", numbers.column([row.prediction for row in rows], digits)),
        TableColumn("error", numbers.column([row.error for row in rows], digits)),
    ]
    table = TextTable(page, [*columns, *last], leaving=columns[::-1])
    kept = len(columns) - len(table.missing)
    more = f", {kept} of {len(columns)} columns" if table.missing else ""
    note = f"The first {len(rows)} of {explanation.rows:,} rows{more}."
    return [*table.lines(), *sentences(page, [note], NOTE), []]
