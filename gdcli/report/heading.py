"""The heading of a report: what was fitted, from what, and how."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from gdcli.base.names import called, count_of, printable
from gdcli.engine.catalog import SQUARED
from gdcli.engine.losses import LOSSES
from gdcli.engine.losses.contract import Link
from gdcli.engine.optimizers import PLAIN_DESCENT
from gdcli.engine.schedules import CONSTANT
from gdcli.fitting.results import Fit
from gdcli.report import numbers
from gdcli.report.paper import Page
from gdcli.report.screen import StyledLine, titled
from gdcli.report.sentences import how_long, joined

if TYPE_CHECKING:
    from gdcli.ingest.counts import RowCounts

# The linear quantity of a target y: with the event of a logistic fit.
_LEFT_SIDES = {Link.IDENTITY: "{y}", Link.LOGIT: "P({y} = {event})", Link.LOG: "{y}"}

_LINEAR = {Link.IDENTITY: "{}", Link.LOGIT: "logit {}", Link.LOG: "log E({})"}

# Columns that a title names, and the characters that it has for them.
_MOST_NAMED, _LONGEST_NAMES = 3, 30


def heading(fit: Fit, page: Page, digits: int) -> list[StyledLine]:
    """The lines above a report: the fit's title, then rows, loss, learning rate and iterations.

    The squared loss, which is the usual one, is named only if there is room.
    """
    title = fit_title(fit, page)
    files = [*fit.files, *([] if fit.holdout is None or fit.holdout.file is None else [fit.holdout.file])]
    plain = [source_of(files, fit.rows), _loss(fit, digits), *_ways(fit)]
    short = [source_of(files, fit.rows, os.path.basename), *plain[1:]]
    choices = [plain, short]
    if fit.loss == SQUARED:
        choices = [plain, [plain[0], *plain[2:]], short, [short[0], *short[2:]]]
    in_a_line = next((found for one in choices if len(found := titled(page, title, one)) == 1), None)
    return in_a_line or titled(page, title, plain if page.holds(plain[0]) else short)


def fit_title(fit: Fit, page: Page) -> str:
    """The title of a fit: ``price = m · sqft + c``, ``P(sex = male) from 5 columns``."""
    link = LOSSES[fit.loss].link
    left = _LEFT_SIDES[link].format(
        y=page.in_column([fit.target])[0], event="" if fit.classes is None else fit.classes[1]
    )
    if len(fit.trace_terms) > 1:
        return f"{left} from {columns_named(fit.features)}"
    [name] = page.in_column(list(term_names(fit).values()) or [""])
    name = f"({name})" if " " in name else name
    right = [part for part in (f"m · {name}" if name else "", "c" if fit.intercept is not None else "") if part]
    return f"{_LINEAR[link].format(left)} = {' + '.join(right) or '0'}"


def columns_named(names: Sequence[str]) -> str:
    """Column names for a sentence: ``sqft and beds``, ``6 columns`` if they are many, ``no column`` if none."""
    if not names:
        return "no column"
    named = joined([printable(name) for name in names])
    short = len(names) <= _MOST_NAMED and len(named) <= _LONGEST_NAMES
    return named if short else count_of(len(names), "column")


def group_name(by: Sequence[str], key: Sequence[str]) -> str:
    """The name of a group that people read: ``region = north``, ``region = north and year = 2024``."""
    return joined([f"{printable(name)} = {printable(text)}" for name, text in zip(by, key, strict=True)])


def term_names(fit: Fit) -> Mapping[str, str]:
    """The names that people read, by the term's label: ``type = Residential`` for ``type[Residential]``."""
    names = {}
    for label in fit.trace_terms:
        column = next((name for name in fit.features if label.startswith(f"{name}[") and label.endswith("]")), None)
        names[label] = label if column is None else f"{column} = {label[len(column) + 1 : -1]}"
    return names


def source_of(files: Sequence[str], rows: "RowCounts", path: Callable[[str], str] = os.fspath) -> str:
    """The source of a fit as text: ``housing.csv, 932 rows``. ``path`` words each file's name."""
    used = count_of(rows.used, "row") if rows.used == rows.read else f"{rows.used:,} of {count_of(rows.read, 'row')}"
    names = [printable(called(path(name))) for name in files]
    if not names:
        return used
    return f"{names[0] if len(names) == 1 else count_of(len(names), 'file')}, {used}"


def _loss(fit: Fit, digits: int) -> str:
    form = LOSSES[fit.loss].parameter_form
    if form is not None and fit.parameter is not None:
        return f"{fit.loss} loss, {form.symbol} = {numbers.without_zeros(fit.parameter, digits)}"
    return "squared error" if fit.loss == SQUARED else f"{fit.loss} loss"


def _ways(fit: Fit) -> list[str]:
    """Weights, scaling and penalty if they are not the usual ones; optimizer, learning rate, iterations."""
    descent, penalty = fit.descent, fit.penalty
    weights = fit.state.weights if fit.state is not None else None
    given = [f"{name} {value:g}" for name, value in zip(("l2", "l1"), penalty or (), strict=False) if value]
    optimizer = descent.optimizer
    return [
        *([f"weighted by {printable(weights)}"] if weights else []),
        *([f"scale {descent.scale}"] if descent.scale != "standard" and fit.trace_terms else []),
        *given,
        *([optimizer] if optimizer != PLAIN_DESCENT else []),
        _rate(fit),
        *([descent.schedule] if descent.schedule != CONSTANT else []),
        how_long(fit),
    ]


def _rate(fit: Fit) -> str:
    rate = fit.learning_rate
    if rate.searched:
        return "lr search"
    shown = numbers.rate(numbers.rounded_rate(rate.given, 4) if rate.automatic else rate.given)
    return f"lr auto ({shown})" if rate.automatic else f"lr {shown}"
