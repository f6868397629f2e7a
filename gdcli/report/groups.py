"""The report on the fits of groups: one row per group on the screen, one per group and term in other formats.

JSON is one fit a line, with the keys of a single fit as far as they exist, and the group's.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gdcli.base.names import count_of, printable
from gdcli.engine.optimizers import PLAIN_DESCENT
from gdcli.engine.schedules import CONSTANT
from gdcli.fitting.group_results import GroupFits, Verdict
from gdcli.fitting.results import INTERCEPT, Coefficient, Fit
from gdcli.report import numbers
from gdcli.report.certainty import certainty_cells
from gdcli.report.fit_document import CERTAINTY, FIT_SCHEMA, fit_document
from gdcli.report.heading import columns_named, source_of
from gdcli.report.paper import Page
from gdcli.report.report import Report, Sheet, group_headers
from gdcli.report.screen import BAD, GOOD, NOTE, WARNING, Screen, TableColumn, TextTable, sentences, titled
from gdcli.report.sentences import UNCENTERED, joined
from gdcli.report.verdict import NEAR, State

if TYPE_CHECKING:
    from gdcli.engine.arrays import Array

_MOST_NAMED = 5

_HEADER = ("term", "coefficient", "optimum", "standardized")

_LAST = ("rows", "verdict")

# Reasons why groups have no fit that are told.
_MOST_REASONS = 3

# --- the machine formats


def groups_report(fits: GroupFits, digits: int = 6) -> Report:
    """The report on the fits of groups: a document for each group, and a row for each group and term."""
    from gdcli.report.chart import chart_of_groups
    from gdcli.report.plots import picture_of_groups

    return Report(
        document=lambda: [_document(fits, i) for i in range(len(fits.groups))],
        sheet=lambda: _sheet(fits),
        columns=lambda: _columns(fits, digits),
        screen=lambda page: groups_screen(fits, page, digits),
        verdict=lambda page: sentences(page, format_group_meaning(fits)),
        chart=(lambda page: chart_of_groups(fits, page, page.colors is not None)) if fits.pictured else None,
        picture=(lambda kind: picture_of_groups(fits, kind)) if fits.pictured else None,
    )


def _sheet(fits: GroupFits) -> Sheet:
    """One row per group and term, the intercept last."""
    names = certainty_of(fits)
    rows = (
        (*key, one.term, one.value, one.optimum, one.standardized, *(_certain(one, names)), int(fits.count[i]),
         fits.verdict[i].value)
        for key, one, i in _rows(fits)
    )  # fmt: skip
    header = [*_HEADER, *names, *_LAST]
    return Sheet([*group_headers(fits.by, header), *header], rows)


def _columns(fits: GroupFits, digits: int) -> list[TableColumn]:
    """The columns of the table of groups, one cell per group and term, numbers to about ``digits`` digits."""
    rows = list(_rows(fits))
    both = numbers.column([v for _, one, _ in rows for v in (one.value, one.optimum)], digits)
    standardized = numbers.column([one.standardized for _, one, _ in rows], digits, relative=True)
    cells, names = [both[::2], both[1::2], standardized], certainty_of(fits)
    headers = group_headers(fits.by, [*_HEADER, *names, *_LAST])
    columns = [TableColumn(name, [key[j] for key, *_ in rows], left=True) for j, name in enumerate(headers)]
    columns.append(TableColumn("term", [one.term for _, one, _ in rows], left=True))
    cells += certainty_cells([one for _, one, _ in rows], digits) if names else []
    cells.append([str(fits.count[i]) for *_, i in rows])
    columns += [TableColumn(name, column) for name, column in zip([*_HEADER[1:], *names, "rows"], cells, strict=True)]
    return [*columns, TableColumn("verdict", [fits.verdict[i].value for *_, i in rows], left=True)]


def certainty_of(fits: GroupFits) -> tuple[str, ...]:
    """The names of the columns on certainty, such as the standard error; none if no fit has an inference."""
    return CERTAINTY if any(fit is not None and fit.inference is not None for fit in fits.fits) else ()


def _certain(one: Coefficient, names: Sequence[str]) -> list[float | None]:
    return [getattr(one.certainty, name, None) for name in names]


def _rows(fits: GroupFits) -> Iterator[tuple[tuple[str, ...], Coefficient, int]]:
    """Yield group, coefficient and the group's place."""
    terms = [term.label for term in fits.terms]
    slopes = [_numbers(fits.slopes), _numbers(fits.optimal_slopes), _numbers(fits.standardized)]
    intercepts = [_numbers(fits.intercepts), _numbers(fits.optimal_intercepts)]
    for i, key in enumerate(fits.groups):
        fit = fits.fits[i] if fits.fits else None
        known = {} if fit is None else {one.term: one.certainty for one in fit.coefficients}
        for j, term in enumerate(terms):
            yield key, Coefficient(term, slopes[0][i][j], slopes[1][i][j], slopes[2][i][j], known.get(term)), i
        if fits.intercept:
            own = None if fit is None or fit.intercept is None else fit.intercept.certainty
            yield key, Coefficient(INTERCEPT, intercepts[0][i], intercepts[1][i], None, own), i


def _document(fits: GroupFits, i: int) -> dict[str, Any]:
    own = fits.fits[i] if fits.fits else None
    if own is None:
        return _figures(fits, i)
    # The keys of a fit, and the group's in the same place as ever.
    first, group = fit_document(own), {"group": dict(zip(fits.by, fits.groups[i], strict=True))}
    reason = {"reason": fits.reasons[i]} if i in fits.reasons else {}
    return {"schema": FIT_SCHEMA, "version": fits.version} | group | {"verdict": fits.verdict[i].value} | first | reason


def _figures(fits: GroupFits, i: int) -> dict[str, Any]:
    behaviour, stopped, verdict = fits.behaviour[i], fits.stopped[i], fits.verdict[i]
    fitted, cost, gap, best = verdict is not Verdict.TOO_FEW_ROWS, fits.cost[i], fits.gap[i], fits.optimal_cost[i]
    arrival = int(fits.iterations_to_1_percent[i])
    values_of = [values[i].tolist() for values in (fits.slopes, fits.optimal_slopes, fits.standardized)]
    return {
        "schema": FIT_SCHEMA,
        "version": fits.version,
        "group": dict(zip(fits.by, fits.groups[i], strict=True)),
        "verdict": verdict.value,
        "files": list(fits.files),
        "target": fits.target,
        "features": list(fits.features),
        "loss": fits.loss,
        "reference_levels": {name: levels[i] for name, levels in fits.references.items()},
        "rows": {"used": int(fits.count[i])},
        "intercept": {
            "value": numbers.finite(fits.intercepts[i]),
            "optimum": numbers.finite(fits.optimal_intercepts[i]),
        }
        if fits.intercept
        else None,
        "coefficients": [
            {
                "term": term.label,
                "value": numbers.finite(value),
                "optimum": numbers.finite(optimum),
                "standardized": numbers.finite(standardized),
            }
            for term, (value, optimum, standardized) in zip(fits.terms, zip(*values_of, strict=True), strict=True)
        ],
        "cost": numbers.finite(cost),
        "rmse": numbers.finite(math.sqrt(cost)) if cost >= 0 else None,
        "r2": numbers.finite(fits.r2[i]),
        "r2_uncentered": None if numbers.finite(fits.r2[i]) is None else not fits.intercept,
        "optimum": {
            "cost": numbers.finite(best),
            "gap": numbers.finite(gap),
            "relative_gap": numbers.finite(gap / best) if best > 0 and not fits.perfect[i] else None,
            "gap_measure": numbers.finite(fits.gap_measure[i]),
        },
        "descent": {
            "optimizer": fits.optimizer,
            "learning_rate": numbers.finite(fits.rate[i]),
            "iterations": int(fits.iterations[i]) if fitted else None,
            "converged": verdict is Verdict.CONVERGED,
            "stopped": stopped and stopped.value,
            "scale": fits.scale,
            "tolerance": fits.tolerance,
            "schedule": fits.schedule,
            **dict.fromkeys(("batch_size", "epochs", "seed")),
        },
        "learning_rate": {
            "given": numbers.finite(fits.rate[i]),
            "behaviour": behaviour and behaviour.value,
            "largest_stable": numbers.finite(fits.largest_stable[i]),
            "best": numbers.finite(fits.best[i]),
            "iterations_to_1_percent": arrival if arrival >= 0 else None,
            "automatic": fits.automatic,
        },
        "left_out": list(fits.left_out),
    } | ({"reason": fits.reasons[i]} if i in fits.reasons else {})


def _numbers(values: "Array") -> Any:
    """An array as lists, with None in place of NaN."""
    found = values.astype(object)
    found[~np.isfinite(values)] = None
    return found.tolist()


# --- the table


def groups_screen(fits: GroupFits, page: Page, digits: int = 6) -> Screen:
    """The screen of the fits of groups: a table with one row per group, and as many terms as fit."""
    names = page.in_column([f"{t.name} = {t.level}" if t.level is not None else t.name for t in fits.terms])
    slopes = _numbers(fits.slopes.T)
    terms = [TableColumn(name, numbers.column(slopes[j], digits)) for j, name in enumerate(names)]
    others = [TableColumn("c", numbers.column(_numbers(fits.intercepts), digits))] if fits.intercept else []
    others += _validation(fits, digits)
    r2 = ["" if value is None else numbers.decimal(value, digits) for value in _numbers(fits.r2)]
    name = "R²" + ("" if fits.intercept else f" ({UNCENTERED})")
    others += [TableColumn(name, numbers.aligned(r2))] if any(r2) else []
    ends = [_end(fits, i) for i in range(len(fits.groups))]
    verdicts = TableColumn(
        "verdict", [f"{mark} {words}" for mark, words, _ in ends], left=True,
        styles={i: style for i, (_, _, style) in enumerate(ends)},
    )  # fmt: skip
    by = page.in_column(fits.by)
    headers = group_headers(by, ["rows", *(column.header for column in (*terms, *others, verdicts))])
    texts = [page.in_column([key[j] for key in fits.groups]) for j in range(len(by))]
    first = [TableColumn(name, cells, left=True) for name, cells in zip(headers, texts, strict=True)]
    first.append(TableColumn("rows", [f"{count:,}" for count in fits.count.tolist()]))
    importance = np.nan_to_num(np.abs(fits.standardized)).max(axis=0).tolist()
    ranked = [terms[i] for i in sorted(range(len(terms)), key=lambda i: importance[i])]  # the weakest first
    order = [*ranked[:-1], *others[::-1], first[-1], *ranked[-1:]]
    table = TextTable(page, [*first, *terms, *others, verdicts], leaving=order)
    missing = [term for term in terms if term not in table.columns]
    notes = []
    if missing:
        shown = len(terms) - len(missing)
        notes.append(f"{shown} of {count_of(len(terms), 'term')}; --format csv has all, and so has a pipe.")
    facts = [source_of(fits.files, fits.rows), *_ways(fits)]
    title = f"{page.in_column([fits.target])[0]} from {columns_named(fits.features)}, by {joined(by)}"
    return Screen(titled(page, title, facts), [*table.lines(), *sentences(page, notes, NOTE)])


def _ways(fits: GroupFits) -> list[str]:
    """The optimizer, the learning rate, and the most iterations of a group."""
    rates = fits.rate[np.isfinite(fits.rate)]
    ends = dict.fromkeys((numbers.rate(float(rate)) for rate in (rates.min(), rates.max())) if len(rates) else ())
    given = [f"lr {' to '.join(ends)}"] if ends else []
    if any(fit is not None and fit.learning_rate.searched for fit in fits.fits):
        given = ["lr search"]
    return [
        *([f"weighted by {printable(fits.weights)}"] if fits.weights else []),
        *([f"scale {fits.scale}"] if fits.scale != "standard" else []),
        *([fits.optimizer] if fits.optimizer != PLAIN_DESCENT else []),
        *(["lr auto"] if fits.automatic else given),
        *([fits.schedule] if fits.schedule != CONSTANT else []),
        count_of(int(fits.iterations.max(initial=0)), "iteration"),
    ]


def _end(fits: GroupFits, i: int) -> tuple[str, str, str]:
    """The mark, the words and the style of a group's end; the words of a single fit, in small letters."""
    verdict = fits.verdict[i]
    if verdict is Verdict.CONVERGED:
        return "✓", verdict.value, GOOD
    if verdict is Verdict.NOT_CONVERGED:
        near = fits.gap[i] <= NEAR * fits.gap_measure[i]
        return ("≈", State.NEAR.value.lower(), WARNING) if near else ("✗", State.AWAY.value.lower(), BAD)
    return ("?" if verdict in (Verdict.TOO_FEW_ROWS, Verdict.NO_FIT) else "✗"), verdict.value, BAD


def _validation(fits: GroupFits, digits: int) -> list[TableColumn]:
    """The column of validation costs at the end, if there are any."""
    found = [None if fit is None else _held_out(fit) for fit in fits.fits]
    if all(value is None for value in found):
        return []
    return [TableColumn("validation", numbers.column(found, digits))]


def _held_out(fit: Fit) -> float | None:
    if fit.holdout is not None:
        return fit.holdout.cost
    return None if fit.cross_validation is None else fit.cross_validation.mean


def format_group_meaning(fits: GroupFits) -> list[str]:
    """Sentences under the table: how many groups ended with each verdict, and advice."""
    ends = Counter(_end(fits, i)[1] for i in range(len(fits.groups)))
    ended = joined([f"{count:,} {words}" for words, count in ends.items()])
    said = [f"{count_of(len(fits.groups), 'group')}, {count_of(fits.rows.used, 'row')}: {ended}."]
    slow = fits.with_verdict(Verdict.NOT_CONVERGED)
    if slow:
        lasso = any(fit is not None and fit.penalty is not None and fit.penalty.l1 for fit in fits.fits)
        known = not (fits.automatic or lasso) and bool(np.isfinite(fits.largest_stable[slow]).all())
        automatic = ", or --lr auto: each group's best rate" if known else ""
        said.append(f"What has not converged needs more iterations (-n){automatic}.")
    if fits.with_verdict(Verdict.TOO_FEW_ROWS):
        said.append("A group needs a row for each of its coefficients, 2 at least.")
    for i in list(fits.reasons)[:_MOST_REASONS]:
        lacking = "fit" if fits.verdict[i] is Verdict.NO_FIT else "validation"
        said.append(f"No {lacking} for {_name(fits, i)}: {fits.reasons[i]}.")
    if len(fits.reasons) > _MOST_REASONS:
        said.append(f"The reasons of the other {len(fits.reasons) - _MOST_REASONS:,} are in --format json.")
    if certainty_of(fits):
        said.append("Standard errors, t, p and intervals are in --format csv and json.")
    if fits.references:
        references = [f"{name} = {fits.levels[name][0]}" for name in fits.references]
        varied = any(len(set(levels)) > 1 for levels in fits.references.values())
        lacking = " (or a group's first level, if it lacks that one)" if varied else ""
        many = len(references) > 1
        it = "them" if many else "it"
        said.append(f"Baseline{'s' * many}: {joined(references)}{lacking}; other levels are differences from {it}.")
    return said if not fits.diverged else [*said, *format_divergence(fits)]


def format_divergence(fits: GroupFits) -> list[str]:
    """Sentences after divergence: the groups without a result, and a learning rate to try."""
    lost = fits.diverged
    named = [_name(fits, i) for i in lost[:_MOST_NAMED]]
    more = f" and {len(lost) - _MOST_NAMED:,} more" if len(lost) > _MOST_NAMED else ""
    sentences = [f"The learning rate is too large for {count_of(len(lost), 'group')}: {', '.join(named)}{more}."]
    smallest = min((fits.largest_stable[i] for i in lost), default=math.nan)
    if math.isfinite(smallest):
        below = numbers.rate(numbers.rounded_below(smallest))
        sentences.append(f"Up to --lr {below} all are stable; --lr auto takes each group's best rate.")
    else:
        sentences.append("Try a smaller --lr.")
    return sentences


def _name(fits: GroupFits, i: int) -> str:
    """A group by its columns and texts."""
    return " ".join(f"{printable(by)}={printable(text)}" for by, text in zip(fits.by, fits.groups[i], strict=True))
