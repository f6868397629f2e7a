"""The report on a score: the measures, a line for each."""

from typing import Any

from gdcli.base.names import count_of, printable
from gdcli.base.schema import to_json
from gdcli.engine.losses import LOSSES, measure_keys
from gdcli.engine.losses.contract import Domain, Measure
from gdcli.models.score import Demands, Score
from gdcli.report import numbers
from gdcli.report.grid import GridColumn, literal
from gdcli.report.paper import Page
from gdcli.report.report import Report, Sheet
from gdcli.report.sentences import UNCENTERED

SCORE_SCHEMA = "gdfit.score/1"

_MEASURES = ("cost", "rmse", "mae", "r2", "mean_error")


def score_report(score: Score, demands: Demands, digits: int = 6) -> Report:
    """The report on a score: in CSV a header and one row, to append to others."""
    return Report(
        document=lambda: _document(score, demands),
        sheet=lambda: _sheet(score),
        columns=lambda: _columns(score, digits),
        text=lambda page: literal("\n".join(format_score(score, page, digits))),
    )


def _document(score: Score, demands: Demands) -> dict[str, Any]:
    document: dict[str, Any] = to_json(
        {
            "schema": SCORE_SCHEMA,
            "version": score.version,
            "model": score.model,
            "files": score.files,
            "target": score.target,
            "weights": score.weights,
            "rows": score.rows,
            "loss": score.loss,
            "r2_uncentered": None if score.r2 is None else False,
            **{name: getattr(score, name) for name in _MEASURES},
            **{key: score.measures.get(key) for key in measure_keys()},
            "demands": {"max_rmse": demands.max_rmse, "min_r2": demands.min_r2, "met": not score.unmet(demands)},
        },
        nulls=True,
    )
    return document


def _sheet(score: Score) -> Sheet:
    own = {key: value for key, value in score.measures.items() if value is not None}
    row = (score.rows.read, score.rows.used, *(getattr(score, name) for name in _MEASURES), *own.values())
    return Sheet(["rows_read", "rows_used", *_MEASURES, *own], [row])


def _columns(score: Score, digits: int) -> list[GridColumn]:
    facts = _facts(score, digits)
    labels, values = [label for label, _, _ in facts], [value for _, value, _ in facts]
    return [GridColumn("measure", labels, left=True), GridColumn("value", values)]


def format_score(score: Score, page: Page, digits: int = 6) -> list[str]:
    """The lines that people read."""
    facts = [("R^2" if label == "R²" and not page.unicode else label, *rest) for label, *rest in _facts(score, digits)]
    width = max(len(value) for _, value, _ in facts)
    indent = max(len(label) for label, _, _ in facts) + 2
    lines = [line for label, value, note in facts for line in page.wrapped(
        page.shown(f"{label:{indent}}{f'{value:>{width}}  {note}' if note else f'{value:>{width}}'}".rstrip()), indent
    )]  # fmt: skip
    weighted = f", weighted by {printable(score.weights)}" if score.weights is not None else ""
    title = f"{printable(score.target)} as predicted by {printable(score.model)}{weighted}"
    return [*page.wrapped(page.shown(title)), "", *lines]


def _facts(score: Score, digits: int) -> list[tuple[str, str, str]]:
    """Label, value and remark of each measure. Those in target units have one format."""
    rmse, mae, bias = (
        cell.strip() for cell in numbers.column([score.rmse, score.mae, score.mean_error], digits, relative=True)
    )
    rows = ("rows", f"{score.rows.used:,}", _rows(score))
    loss = LOSSES[score.loss]
    own = [_own(measure, score.measures[measure.key], digits) for measure in loss.measures]
    if loss.domain is Domain.CLASSES:
        return [rows, *own]
    return [
        rows,
        *own,
        ("RMSE", rmse, ""),
        ("MAE", mae, ""),
        ("mean error", bias, "prediction minus target"),
        ("R²", "" if score.r2 is None else numbers.decimal(score.r2, digits), _r2(score)),
        ("cost", numbers.number(score.cost, digits), loss.cost_name),
    ]


def _own(measure: Measure, value: float | None, digits: int) -> tuple[str, str, str]:
    """Label, value and remark of a measure of the loss's own."""
    if value is None:
        return measure.label, "", measure.absent
    form = numbers.decimal if measure.share else numbers.number
    return measure.label, form(value, digits), measure.remark


def _rows(score: Score) -> str:
    rows = score.rows
    if not rows.dropped:
        return "all used"
    by_column = ", ".join(f"{printable(name)} {count:,}" for name, count in rows.dropped_by_column.items())
    return f"used of {count_of(rows.read, 'row')}; no usable value in {rows.dropped:,} ({by_column})"


def _r2(score: Score) -> str:
    if score.r2 is None:
        return "the target is constant"
    return "" if score.intercept else f"against the mean; that of the fit, without an intercept, is {UNCENTERED}"
