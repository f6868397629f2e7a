"""The report on a score: a few lines for people, and the machine formats."""

import math
from typing import TYPE_CHECKING, Any

from gdcli.base.names import count_of, printable
from gdcli.base.schema import readable
from gdcli.engine.losses import LOSSES, measure_keys
from gdcli.engine.losses.contract import Domain, Measure
from gdcli.models.score import Demands, Score
from gdcli.report import numbers
from gdcli.report.delimited import as_delimited
from gdcli.report.page import Page
from gdcli.report.sentences import UNCENTERED

if TYPE_CHECKING:
    from rich.console import Console

SCORE_SCHEMA = "gdfit.score/1"

_MEASURES = ("cost", "rmse", "mae", "r2", "mean_error")


def score_as_json(score: Score, demands: Demands) -> str:
    """Return the score as a JSON object, one key per line; what does not exist is null."""
    document: dict[str, Any] = {
        "schema": SCORE_SCHEMA,
        "version": score.version,
        "model": score.model,
        "files": list(score.files),
        "target": score.target,
        "weights": score.weights,
        "rows": {
            "read": score.rows.read,
            "used": score.rows.used,
            "dropped": score.rows.dropped,
            "dropped_by_column": dict(score.rows.dropped_by_column),
            "skipped": score.rows.skipped,
            "filled": dict(score.rows.filled),
        },
        "loss": score.loss,
        "r2_uncentered": None if score.r2 is None else False,
        **{name: _finite(getattr(score, name)) for name in _MEASURES},
        **{key: _finite(score.measures.get(key)) for key in measure_keys()},
        "demands": {"max_rmse": demands.max_rmse, "min_r2": demands.min_r2, "met": not score.unmet(demands)},
    }
    return readable(document)


def score_as_csv(score: Score, separator: str = ",") -> str:
    """Return a header and one row, to append to others; what does not exist is an empty cell."""
    own = {key: value for key, value in score.measures.items() if value is not None}
    row = (score.rows.read, score.rows.used, *(getattr(score, name) for name in _MEASURES), *own.values())
    return as_delimited(["rows_read", "rows_used", *_MEASURES, *own], [row], separator)


def score_as_markdown(score: Score, digits: int = 6) -> str:
    """Return the measures as a Markdown table."""
    lines = [("measure", "value"), ("---", "---:"), *((label, value) for label, value, _ in _facts(score, digits))]
    return "".join(f"| {label} | {value} |\n" for label, value in lines)


def format_score(score: Score, page: Page, digits: int = 6) -> list[str]:
    """Return the lines that people read."""
    facts = [("R^2" if label == "R²" and not page.unicode else label, *rest) for label, *rest in _facts(score, digits)]
    width = max(len(value) for _, value, _ in facts)
    indent = max(len(label) for label, _, _ in facts) + 2
    lines = [line for label, value, note in facts for line in page.wrapped(
        page.shown(f"{label:{indent}}{f'{value:>{width}}  {note}' if note else f'{value:>{width}}'}".rstrip()), indent
    )]  # fmt: skip
    weighted = f", weighted by {printable(score.weights)}" if score.weights is not None else ""
    title = f"{printable(score.target)} as predicted by {printable(score.model)}{weighted}"
    return [*page.wrapped(page.shown(title)), "", *lines]


def print_score(score: Score, console: "Console", digits: int = 6) -> None:
    """Print the report."""
    from rich.text import Text

    page = Page(console.width if console.is_terminal else None, console.encoding)
    console.print(Text("\n".join(format_score(score, page, digits)), no_wrap=True, overflow="ignore"), soft_wrap=True)


def _facts(score: Score, digits: int) -> list[tuple[str, str, str]]:
    """Return label, value and remark of each measure. Those in target units have one format."""
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


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
