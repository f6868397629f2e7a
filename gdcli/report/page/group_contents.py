"""What a page of groups is told: the descents of the first groups, with one rate or several, and a table of them."""

from collections.abc import Mapping
from typing import Any

from gdcli.base.names import count_of, printable
from gdcli.base.records import replace
from gdcli.fitting.group_results import GroupFits
from gdcli.fitting.groups import MOST_SHOWN
from gdcli.fitting.picture import Picture
from gdcli.fitting.results import Fit
from gdcli.fitting.sweep import GroupSweeps, Sweep, SweepRate
from gdcli.report import numbers
from gdcli.report.heading import columns_named, group_name, source_of
from gdcli.report.page.bundle import lesson_page
from gdcli.report.page.contents import TypedCommand, common_contents, finite_list, report_markup, term_text
from gdcli.report.report import Report
from gdcli.report.sentences import cost_unit, joined

# Colours of curves; the next ones are dashed.
_TONES = 6

# The curve of a diverging rate is drawn up to this multiple of the cost at the start.
_OUTWARD = 30.0


def page_of_groups(fits: GroupFits, report: Report, command: TypedCommand | None) -> bytes:
    """The lesson page of the fits of groups as HTML in UTF-8; the first fits are ``shown`` and have a ``picture``."""
    names = {term.label: printable(term_text(term)) for term in fits.terms}
    contents = {
        **common_contents(fits, command),
        "groups": {
            "shown": [_of_fit(fits, i, fit, fit.picture, names) for i, fit in fits.shown.items() if fit.picture],
            "left": len(fits.groups) - len(fits.shown),
            "unit": cost_unit(fits.loss, printable(fits.target)),
            "header": ["group", "cost", "above its minimum", *names.values(), *(["c"] if fits.intercept else [])],
            "rows": None,
            "terms": list(names.values()),
            "intercept": fits.intercept,
        },
    }
    title = _title(fits.target, fits.features, fits.by)
    return lesson_page(title, report_markup(report, command, fits.version), contents)


def page_of_group_sweeps(found: GroupSweeps, report: Report, command: TypedCommand | None) -> bytes:
    """The page of the sweeps of groups as HTML in UTF-8; its table has a row for each group that is drawn."""
    known = [(key, sweep) for key, sweep in zip(found.groups, found.sweeps, strict=True) if sweep is not None]
    drawn, first = known[:MOST_SHOWN], known[0][1]
    rows = sum(sweep.rows.used for _, sweep in known)
    contents = {
        **common_contents(first, command),
        "source": source_of(first.files, replace(first.rows, read=rows, used=rows)),
        "groups": {
            "shown": [_of_sweep(found.by, key, sweep) for key, sweep in drawn],
            "left": len(found.groups) - len(drawn),
            "unit": cost_unit(first.loss, printable(first.target)),
            "header": ["group", "fastest", "within 1 % after", "stable below"],
            "rows": [[group_name(found.by, key), *_rates(sweep)] for key, sweep in drawn],
        },
    }
    title = _title(first.target, first.features, found.by)
    return lesson_page(title, report_markup(report, command, first.version), contents)


def _title(target: str, features: tuple[str, ...], by: tuple[str, ...]) -> str:
    return f"{printable(target)} from {columns_named(features)}, by {joined([printable(name) for name in by])}"


def _of_fit(fits: GroupFits, i: int, fit: Fit, picture: Picture, names: Mapping[str, str]) -> dict[str, Any]:
    """The descent of a group at the iterations that were recorded."""
    iterations, tested = picture.iterations.tolist(), picture.validation
    curves = [{"iterations": iterations, "costs": finite_list(picture.costs)}]
    if tested is not None:
        held_out = {"name": "rows held out", "kind": "kept-0"}
        curves.append({"iterations": iterations, "costs": finite_list(tested)} | held_out)
    return {
        "name": group_name(fits.by, fits.groups[i]),
        "facts": f"{count_of(int(fits.count[i]), 'row')}, {fits.verdict[i].value}",
        "curves": curves,
        "gaps": finite_list(picture.gaps),
        # A perfect fit's is rounding.
        "minimum": fit.optimum.cost if fit.optimum.cost == fit.optimum.gap_measure else None,
        "slopes": {names[term]: finite_list(picture.slopes[:, j]) for j, term in enumerate(picture.terms)},
        "intercepts": None if picture.intercepts is None else finite_list(picture.intercepts),
    }


def _of_sweep(by: tuple[str, ...], key: tuple[str, ...], sweep: Sweep) -> dict[str, Any]:
    """The descents of a group, one for each rate, as far as they did not diverge."""
    return {
        "name": group_name(by, key),
        "facts": count_of(sweep.rows.used, "row"),
        "curves": [_curve(i, rate, sweep) for i, rate in enumerate(sweep.rates) if rate.costs],
        "minimum": sweep.optimum.cost,
    }


def _curve(i: int, rate: SweepRate, sweep: Sweep) -> dict[str, Any]:
    top = max(rate.costs[0][1], sweep.optimum.cost or 0.0) * _OUTWARD
    kept = [(k, cost) for k, cost in rate.costs if cost <= top]
    return {
        "iterations": [k for k, _ in kept],
        "costs": [cost for _, cost in kept],
        "name": f"{numbers.rate(numbers.rounded_rate(rate.learning_rate))}{' (fastest)' if rate.best else ''}",
        "kind": f"tone-{i % _TONES}{' again' if i >= _TONES else ''}",
    }


def _rates(sweep: Sweep) -> list[str]:
    """The fastest rate, its iterations, and the largest stable rate as texts; empty if they are not known."""
    best = "" if sweep.best is None else numbers.rate(numbers.rounded_rate(sweep.best))
    after = "" if sweep.best_iterations is None else numbers.count(sweep.best_iterations)
    limit = "" if sweep.largest_stable is None else numbers.rate(numbers.rounded_below(sweep.largest_stable))
    return [best, after, limit]
