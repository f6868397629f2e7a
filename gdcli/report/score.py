"""The report on a score: the measures, a line for each."""

from collections.abc import Sequence
from typing import Any

from gdcli.base.names import count_of, printable
from gdcli.base.schema import to_json
from gdcli.engine.catalog import DEMAND_ENTRIES, DemandEntry
from gdcli.engine.losses import LOSSES, measure_keys
from gdcli.engine.losses.contract import Domain, Measure
from gdcli.models.score import Demands, Score
from gdcli.models.scored_rows import Spread
from gdcli.report import numbers
from gdcli.report.heading import source_of
from gdcli.report.paper import Page
from gdcli.report.report import Report, Sheet, sheet_of
from gdcli.report.screen import HEADING, NOTE, Screen, Span, StyledLine, TableColumn, TextTable, sentences, titled
from gdcli.report.sentences import UNCENTERED

SCORE_SCHEMA = "gdfit.score/1"

_MEASURES = ("cost", "rmse", "mae", "r2", "mean_error")


def score_report(score: Score, demands: Demands, digits: int = 6) -> Report:
    """The report on a score: in CSV a header and one row, to append to others."""
    from gdcli.report.plots import picture_of_score

    return Report(
        document=lambda: _document(score, demands),
        sheet=lambda: _sheet(score),
        columns=lambda: _columns(score, digits),
        screen=lambda page: score_screen(score, page, digits),
        picture=None if score.sample is None else lambda kind: picture_of_score(score, kind),
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
            **({} if score.own_scale is None else {"own_scale": score.own_scale}),
            "residuals": None if score.residuals is None else _residuals(score.residuals),
            "demands": {**demands.limits, "met": not score.unmet(demands)},
        },
        nulls=True,
    )
    return document


def _residuals(found: Spread) -> dict[str, Any]:
    return {name: value if name == "sampled" else numbers.finite(value) for name, value in found._asdict().items()}


def scores_report(scores: Sequence[Score], demands: Demands, digits: int = 6) -> Report:
    """The report on the scores of several models on the same rows: a line for each."""
    return Report(
        document=lambda: [_document(score, demands) for score in scores],
        sheet=lambda: _compared(scores),
        columns=lambda: _side_by_side(scores, digits),
        screen=lambda page: _comparison(scores, page, digits),
        verdict=lambda page: sentences(page, _bests(scores)),
    )


def _compared(scores: Sequence[Score]) -> Sheet:
    """A row for each model; the measures of losses that a model does not have are empty."""
    keys = [key for key in measure_keys() if any(score.measures.get(key) is not None for score in scores)]
    rows = [
        (
            *(score.model, score.rows.read, score.rows.used),
            *map(score.measures.get, keys),
            *(getattr(score, name) for name in _MEASURES),
        )
        for score in scores
    ]
    return sheet_of(["model", "rows_read", "rows_used", *keys, *_MEASURES], rows)


def _side_by_side(scores: Sequence[Score], digits: int) -> list[TableColumn]:
    """A column for each measure, over the models."""
    columns = [TableColumn("model", [printable(score.model) for score in scores], left=True)]
    columns.append(TableColumn("rows", [f"{score.rows.used:,}" for score in scores]))
    for entry in DEMAND_ENTRIES:
        values = [score.value(entry.key) for score in scores]
        other_costs = entry.key == "cost" and len({score.loss for score in scores}) > 1
        if all(value is None for value in values) or other_costs or entry.key == "mean_error":
            continue
        columns.append(TableColumn(entry.label, numbers.column(values, digits)))
    if _have_several_targets(scores) and (name := _common_scale(scores)):
        columns.append(TableColumn(f"RMSE of {name}", numbers.column(list(map(_rmse_in_its_scale, scores)), digits)))
    return columns


def _have_several_targets(scores: Sequence[Score]) -> bool:
    return len({score.target for score in scores}) > 1


def _common_scale(scores: Sequence[Score]) -> str:
    """What all targets are, or are the logarithms of; empty if that differs."""
    first, *others = {score.target if score.own_scale is None else score.own_scale.name for score in scores}
    return "" if others else printable(first)


def _rmse_in_its_scale(score: Score) -> float:
    """The RMSE in the scale of what the target is, or is the logarithm of."""
    return score.rmse if score.own_scale is None else score.own_scale.rmse


def _comparison(scores: Sequence[Score], page: Page, digits: int) -> Screen:
    columns = _side_by_side(scores, digits)
    columns[0].cells = page.in_column([score.model for score in scores])
    targets = dict.fromkeys(printable(score.target) for score in scores)
    title = f"{' and '.join(targets)}, predicted by {count_of(len(scores), 'model')} on the same rows"
    table = TextTable(page, columns, leaving=columns[:2:-1])
    return Screen(titled(page, title, [source_of(scores[0].files, scores[0].rows)]), table.lines())


def _bests(scores: Sequence[Score]) -> list[str]:
    """Say which model is best by the measures that are worst when large, in a scale that all models have."""
    if _have_several_targets(scores):
        if not (name := _common_scale(scores)):
            return ["The models predict different targets, so their errors do not compare."]
        return [f"Best RMSE of {name}: {printable(min(scores, key=_rmse_in_its_scale).model)}"]
    best = [
        f"{entry.label}: {_best(scores, entry)}"
        for entry in DEMAND_ENTRIES
        if entry.key in ("rmse", "log_loss", "mean_deviance") and _best(scores, entry)
    ]
    return [f"Best {'; '.join(best)}"] if best else []


def _best(scores: Sequence[Score], entry: DemandEntry) -> str:
    """The model with the best value of a measure that all have, empty if there is none."""
    values = [score.value(entry.key) for score in scores]
    if any(value is None for value in values):
        return ""
    found = min(zip(scores, values, strict=True), key=lambda one: one[1] or 0.0)
    return printable(found[0].model)


def _sheet(score: Score) -> Sheet:
    own = {key: value for key, value in score.measures.items() if value is not None}
    row = (score.rows.read, score.rows.used, *(getattr(score, name) for name in _MEASURES), *own.values())
    return sheet_of(["rows_read", "rows_used", *_MEASURES, *own], [row])


def _columns(score: Score, digits: int) -> list[TableColumn]:
    facts = _facts(score, digits)
    labels, values = [label for label, _, _ in facts], [value for _, value, _ in facts]
    return [TableColumn("measure", labels, left=True), TableColumn("value", values)]


def score_screen(score: Score, page: Page, digits: int = 6) -> Screen:
    """The screen of a score: the model, the files and the rows, and a line for each measure."""
    facts = [tuple(map(page.shown, fact)) for fact in _facts(score, digits)]
    indent = max(len(label) for label, _, _ in facts) + 2
    width = max(len(value) for _, value, _ in facts)
    lines: list[StyledLine] = []
    for label, value, note in facts:
        begin = f"{label:{indent}}{value:>{width}}"
        first, *more = page.wrapped(f"{begin}  {note}", indent) if note else [begin.rstrip()]
        lines.append([Span(first[: len(begin)]), Span(first[len(begin) :], NOTE)])
        lines += [[Span(line, NOTE)] for line in more]
    weighted = [f"weighted by {printable(score.weights)}"] if score.weights is not None else []
    title = f"{printable(score.target)} as predicted by {printable(score.model)}"
    numeric = LOSSES[score.loss].domain is not Domain.CLASSES
    spread = _spread_lines(score.residuals, page, digits) if score.residuals is not None and numeric else []
    return Screen(titled(page, title, [source_of(score.files, score.rows), *weighted]), lines, spread)


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
        *_own_scale(score, digits),
    ]


def _own_scale(score: Score, digits: int) -> list[tuple[str, str, str]]:
    """The measures in the scale of what the target is the logarithm of, if it is one."""
    own = score.own_scale
    if own is None:
        return []
    undone = "10^" if score.target.startswith("log10") else "2^" if score.target.startswith("log2") else "exp"
    smeared = numbers.number(own.smearing, digits)
    remark = f"predicted as {undone}(prediction) times {smeared}, Duan's smearing: the mean of {undone}(residual) here"
    return [
        (f"RMSE of {own.name}", numbers.number(own.rmse, digits), remark),
        (f"R² of {own.name}", "" if own.r2 is None else numbers.decimal(own.r2, digits), ""),
    ]


def _spread_lines(found: Spread, page: Page, digits: int) -> list[StyledLine]:
    """The residuals as minimum, quartiles and maximum, each under its name."""
    names = ["min", "1st quartile", "median", "3rd quartile", "max"]
    values = [cell.strip() for cell in numbers.column(list(found[:5]), digits, relative=True)]
    of = "; quartiles of a sample of 10,000 rows" if found.sampled else ""
    columns = [TableColumn(name, [value]) for name, value in zip(names, values, strict=True)]
    table = TextTable(page, columns, leaving=[columns[i] for i in (1, 3, 2)])
    return [*sentences(page, [f"residuals (target minus prediction{of})"], HEADING), *table.lines()]


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
