"""What a lesson page is told: the triangle, where the descent begins, and the report for a colleague."""

import math
from collections.abc import Iterable
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any

from gdcli.base.names import printable, shell_word
from gdcli.base.records import NamedTuple, replace
from gdcli.engine.catalog import SQUARED
from gdcli.engine.optimizers import PLAIN_DESCENT, parse_optimizer
from gdcli.engine.schedules import CONSTANT
from gdcli.fitting.curve import Curve
from gdcli.fitting.lesson import Lesson
from gdcli.fitting.picture import Picture
from gdcli.fitting.results import Fit
from gdcli.fitting.sweep import Sweep
from gdcli.report.curve_shape import polynomial_text
from gdcli.report.heading import columns_named, fit_title, source_of, term_names
from gdcli.report.page.bundle import lesson_page
from gdcli.report.paper import Page
from gdcli.report.report import Report
from gdcli.report.writers import as_table

if TYPE_CHECKING:
    from gdcli.engine.arrays import Array
    from gdcli.engine.column import Column
    from gdcli.fitting.group_results import GroupFits

# The optimizers whose steps the page repeats.
_REPEATED = frozenset({"gd", "momentum", "nesterov", "adam", "newton"})

# Decomposing more columns than this takes a browser longer than a slider may.
_MOST_COLUMNS = 150

_POINT_DIGITS = 6


class TypedCommand(NamedTuple):
    """The user's command line in three forms, for a lesson page.

    ``typed`` is the whole. ``data`` keeps only the options that say which data are fitted. ``bare`` is ``data`` without
    its features; the page adds the rest.
    """

    typed: str
    data: str
    bare: str


def page_of_fit(fit: Fit, report: Report, command: TypedCommand | None) -> bytes:
    """The lesson page of a fit as HTML in UTF-8. The fit must have a ``picture``."""
    assert fit.picture is not None
    if command is not None and fit.state.iteration != fit.descent.iterations:
        command = _with_columns(command, fit)  # the model that it went on from had named them
    lesson, reason = fit.picture.lesson, _obstacle(fit)
    contents = {
        **common_contents(fit, command),
        "loss": fit.loss,
        "reason": reason,
        "triangle": None if reason or lesson is None else _triangle(lesson, fit.features),
        "recorded": _recorded(fit, fit.picture) if reason or lesson is None else None,
        "chosen": _chosen(fit),
        "rates": [],
    }
    return lesson_page(fit_title(fit, Page()), report_markup(report, command, fit.version), contents)


def page_of_sweep(sweep: Sweep, report: Report, command: TypedCommand | None) -> bytes:
    """The lesson page of a sweep as HTML in UTF-8, its rates side by side. The sweep must have a ``lesson``."""
    assert sweep.lesson is not None
    marked = next((rate for rate in sweep.rates if rate.best), sweep.rates[0])
    contents = {
        **common_contents(sweep, command),
        "triangle": _triangle(sweep.lesson, sweep.features),
        "chosen": {
            "rate": marked.learning_rate,
            "iterations": sweep.iterations,
            "optimizer": PLAIN_DESCENT,
            "parameter": None,
            "scale": sweep.scale,
            "l2": sweep.lesson.l2,
        },
        "rates": [rate.learning_rate for rate in sweep.rates],
    }
    title = f"{printable(sweep.target)} from {columns_named(sweep.features)}"
    return lesson_page(title, report_markup(report, command, sweep.version), contents)


def page_of_curve(curve: Curve, report: Report, command: TypedCommand | None) -> bytes:
    """The lesson page of the walks down a curve as HTML in UTF-8."""
    shape, formula = curve.shape, polynomial_text(curve, Page())
    contents = {
        "command": None if command is None else command._asdict(),
        "curve": {
            "formula": f"{formula.partition('; start')[0]}: drag the start, slide the rate, and walk.",
            "polynomial": list(curve.polynomial),
            "start": curve.start,
            "iterations": curve.iterations,
            "rate": curve.walks[0].learning_rate,
            "shape": {
                "ends": list(shape.ends),
                "points": [
                    {"x": p.x, "y": _finite(p.y), "curvature": _finite(p.curvature), "left": p.left, "right": p.right}
                    for p in shape.points
                ],
            },
        },
        "rates": [walk.learning_rate for walk in curve.walks],
    }
    return lesson_page(formula.partition(", slope")[0], report_markup(report, command, curve.version), contents)


def report_markup(report: Report, command: TypedCommand | None, version: str) -> str:
    """The report as markup: what the terminal says, sentences as paragraphs, the rest line by line."""
    parts = [f"<p><code>{escape(command.typed)}</code></p>"] if command is not None else []
    for sentences, lines in groupby(as_table(replace(report, chart=None), Page()).splitlines(), _is_sentence):
        if sentences:
            parts += [f"<p>{escape(line)}</p>" for line in lines]
        else:
            text = "\n".join(lines).strip("\n")
            parts.append(
                f'<div class="scroll" tabindex="0" role="region" aria-label="Tables">\n<pre>{escape(text)}</pre></div>'
                if text
                else ""
            )
    return "\n".join([*parts, f'<p class="facts">Written by gdfit {version}.</p>'])


def _is_sentence(line: str) -> bool:
    """Whether a line of the report is prose, which a page may break, and no row of columns: those end with no mark."""
    return line.endswith((".", ":")) and " " in line


def _with_columns(command: TypedCommand, fit: Fit) -> TypedCommand:
    target = f"-t {shell_word(fit.target)}"
    features = "".join(f" -x {shell_word(name)}" for name in fit.features)
    return command._replace(data=f"{command.bare} {target}{features}", bare=f"{command.bare} {target}")


def common_contents(result: "Fit | GroupFits | Sweep", command: TypedCommand | None) -> dict[str, Any]:
    """What every page is told: the source, the target and the command line."""
    return {
        "source": source_of(result.files, result.rows),
        "target": printable(result.target),
        "command": None if command is None else command._asdict(),
    }


def _chosen(fit: Fit) -> dict[str, Any]:
    """The settings that the page opens with."""
    name, values = parse_optimizer(fit.descent.optimizer)
    return {
        "rate": fit.learning_rate.given,
        "iterations": fit.descent.iterations,
        "optimizer": name,
        "parameter": values[0] if values else None,
        "scale": fit.descent.scale,
        "l2": fit.penalty.l2 if fit.penalty is not None else 0.0,
    }


def _obstacle(fit: Fit) -> str | None:
    """Why the page shows the recorded descent only, None if it repeats the descent itself."""
    done = fit.descent
    if fit.loss != SQUARED:
        return (
            f"With {fit.loss} loss every step looks at every row again, and this page holds none: so the learning rate "
            "cannot be changed here. The page shows the descent as it was recorded."
        )
    if done.batches is not None:
        return "Each step saw a batch of rows, and this page holds none: it shows the descent as it was recorded."
    if fit.penalty is not None and fit.penalty.l1:
        return "With an l1 penalty the page shows the descent as it was recorded."
    if done.schedule != CONSTANT or fit.learning_rate.searched:
        return "The learning rate changed on the way: the page shows the descent as it was recorded."
    if parse_optimizer(done.optimizer)[0] not in _REPEATED:
        return f"The page does not repeat the steps of {done.optimizer}: it shows the descent as it was recorded."
    if fit.state.iteration != done.iterations and fit.state.optimizer:
        return "The descent went on from a saved one, with its momentum: the page shows it as it was recorded."
    if len(fit.trace_terms) > _MOST_COLUMNS:
        return f"With more than {_MOST_COLUMNS} columns the page shows the descent as it was recorded."
    return None


def _triangle(lesson: Lesson, names: Iterable[str]) -> dict[str, Any]:
    features: dict[str, list[int]] = {}
    for j, column in enumerate(lesson.columns):
        # All levels of a text column, all powers of a polynomial are one feature.
        own = next((name for name in names if column.name.startswith(f"{name}[")), column.name)
        features.setdefault(own, []).append(j)
    q = len(lesson.R)
    return {
        "columns": [printable(term_text(column)) for column in lesson.columns],
        "words": [shell_word(column.label) for column in lesson.columns],
        "features": [
            {"name": printable(name), "word": shell_word(name), "columns": places} for name, places in features.items()
        ],
        # Rows of the upper triangle, each from its diagonal on.
        "R": [lesson.R[i, i:].tolist() for i in range(q)],
        "mean": lesson.mean.tolist(),
        "mean_low": lesson.mean_low.tolist(),
        "minimum": lesson.minimum.tolist(),
        "maximum": lesson.maximum.tolist(),
        "weight": lesson.weight,
        "count": lesson.count,
        "intercept": lesson.intercept,
        "start": {"m": list(lesson.start_slopes), "c": lesson.start_intercept},
        "points": None if lesson.points is None else [[_short(x), _short(y)] for x, y in lesson.points.tolist()],
    }


def term_text(column: "Column") -> str:
    """The name of a term that people read: ``type = Residential`` for a level."""
    return column.name if column.level is None else f"{column.name} = {column.level}"


def _recorded(fit: Fit, picture: Picture) -> dict[str, Any]:
    """The descent at the iterations that were recorded."""
    finite = finite_list
    return {
        "terms": [printable(name) for name in term_names(fit).values()],
        "iterations": picture.iterations.tolist(),
        "costs": finite(picture.costs),
        "gaps": finite(picture.gaps),
        "slopes": [finite(row) for row in picture.slopes],
        "standardized": [finite(row) for row in picture.standardized],
        "intercepts": None if picture.intercepts is None else finite(picture.intercepts),
        "minimum": {
            "cost": fit.optimum.cost,
            "m": [coefficient.optimum for coefficient in fit.coefficients],
            "c": None if fit.intercept is None else fit.intercept.optimum,
            "standardized": finite(picture.standardized_optimum),
        },
    }


def finite_list(values: "Array") -> list[float | None]:
    """An array (n,) as a list, None for what is not finite."""
    return [_finite(value) for value in values.tolist()]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _short(value: float) -> float:
    """A coordinate of a point, as exact as a picture needs it."""
    return float(f"{value:.{_POINT_DIGITS}g}")
