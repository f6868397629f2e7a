"""The data of the report on groups: a JSON document for each group, and a row for each group and term."""

from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from gdcli.base.schema import to_json
from gdcli.fitting.group_results import GroupFits, Verdict
from gdcli.fitting.results import INTERCEPT, Certainty, Fit, Optimum
from gdcli.report import numbers
from gdcli.report.certainty import certainty_cells
from gdcli.report.fit_document import CERTAINTY, FIT_SCHEMA, fit_document
from gdcli.report.report import Sheet, group_headers
from gdcli.report.screen import TableColumn

if TYPE_CHECKING:
    from gdcli.engine.arrays import Array

_HEADER = ("term", "coefficient", "optimum", "standardized")

_LAST = ("rows", "verdict")

# Of groups with rows held out; of a cross-validation there is the cost alone.
_VALIDATION = ("validation_rows", "validation_cost")


def groups_sheet(fits: GroupFits) -> Sheet:
    """One row per group and term, the intercept last."""
    names, checked = certainty_of(fits), validation_of(fits)
    header = [*_HEADER, *names, *_LAST, *checked]
    return Sheet([*group_headers(fits.by, header), *header], _columns(fits, names, checked))


def groups_columns(fits: GroupFits, digits: int) -> list[TableColumn]:
    """The columns of the table of groups, one cell per group and term, numbers to about ``digits`` digits."""
    names, checked = certainty_of(fits), validation_of(fits)
    headers = group_headers(fits.by, [*_HEADER, *names, *_LAST, *checked])
    found = iter(_columns(fits, names, checked))
    columns = [TableColumn(name, list(next(found)), left=True) for name in [*headers, _HEADER[0]]]
    values, optima = next(found), next(found)
    both = numbers.column([v for pair in zip(values, optima, strict=True) for v in pair], digits)
    cells = [both[::2], both[1::2], numbers.column(list(next(found)), digits, relative=True)]
    if names:
        certain = zip(*(next(found) for _ in names), strict=True)
        cells += certainty_cells([Certainty(*one) for one in certain], digits)
    cells.append([str(count) for count in next(found)])
    columns += [TableColumn(name, column) for name, column in zip([*_HEADER[1:], *names, "rows"], cells, strict=True)]
    columns.append(TableColumn("verdict", list(next(found)), left=True))
    for name, column in zip(checked, found, strict=True):
        figures = list(column)
        texts = ["" if figure is None else str(figure) for figure in figures]
        columns.append(TableColumn(name, numbers.column(figures, digits) if name == _VALIDATION[1] else texts))
    return columns


def certainty_of(fits: GroupFits) -> tuple[str, ...]:
    """The names of the columns on certainty, such as the standard error; none if no fit has an inference."""
    return CERTAINTY if any(fit is not None and fit.inference is not None for fit in fits.fits) else ()


def validation_of(fits: GroupFits) -> tuple[str, ...]:
    """The names of the columns on validation; none if no fit was validated."""
    known = [fit for fit in fits.fits if fit is not None]
    if any(fit.holdout is not None for fit in known):
        return _VALIDATION
    return _VALIDATION[1:] if any(fit.cross_validation is not None for fit in known) else ()


def validation_cost(fit: Fit) -> float | None:
    """The cost on rows held out at the end, or the mean one of a cross-validation; None without validation."""
    if fit.holdout is not None:
        return fit.holdout.cost
    return None if fit.cross_validation is None else fit.cross_validation.mean


def _certain(fit: Fit | None) -> dict[str, Certainty]:
    """The certainty of each term of a fit, if it is known."""
    several = [] if fit is None else [*fit.coefficients, *([] if fit.intercept is None else [fit.intercept])]
    return {one.term: one.certainty for one in several if one.certainty is not None}


def _validation(fits: GroupFits, i: int, names: Sequence[str]) -> list[float | None]:
    """A group's figures in the columns on validation; those that it lacks are None."""
    fit = fits.fits[i]
    found: dict[str, float | None] = {}
    if fit is not None:
        found = {
            "validation_rows": None if fit.holdout is None else fit.holdout.rows,
            "validation_cost": validation_cost(fit),
        }
    return [found.get(name) for name in names]


def _columns(fits: GroupFits, names: Sequence[str], checked: Sequence[str]) -> list[Iterable[Any]]:
    """The columns of the rows, one row per group and term: the group's texts, the term and its numbers, those on
    certainty (``names``), the number of rows, the verdict and the figures on validation (``checked``).

    There may be millions of rows: nothing more is made of a number than the number, and no call is for one row.
    """
    terms = [*(term.label for term in fits.terms), *([INTERCEPT] if fits.intercept else [])]

    def repeated(values: Iterable[Any]) -> Iterable[Any]:
        """The value of each group, once for each of its terms."""
        return chain.from_iterable(map(repeat, values, repeat(len(terms))))

    def of_terms(slopes: "Array", intercepts: "Array") -> list[float | None]:
        """The number of each group and term; None for NaN."""
        found: list[float | None] = as_lists(np.column_stack([slopes, intercepts])[:, : len(terms)].ravel())
        return found

    columns = [
        *(repeated(key[i] for key in fits.groups) for i in range(len(fits.by))),
        chain.from_iterable(repeat(terms, len(fits.groups))),
        of_terms(fits.slopes, fits.intercepts),
        of_terms(fits.optimal_slopes, fits.optimal_intercepts),
        of_terms(fits.standardized, np.full(len(fits.groups), np.nan)),
    ]
    if names:
        unknown = (None,) * len(names)
        known = (certain.get(term, unknown) for certain in map(_certain, fits.fits) for term in terms)
        columns += zip(*known, strict=True)
    columns += [repeated(fits.count.tolist()), repeated(verdict.value for verdict in fits.verdict)]
    if checked:
        columns += map(repeated, zip(*(_validation(fits, i, checked) for i in range(len(fits.groups))), strict=True))
    return columns


def group_document(fits: GroupFits, i: int) -> dict[str, Any]:
    """The JSON object of a group: the keys of a fit as far as they exist, and the group's."""
    first = {"schema": FIT_SCHEMA, "version": fits.version, "group": dict(zip(fits.by, fits.groups[i], strict=True))}
    own = fits.fits[i] if fits.fits else None
    # The keys of a fit, and the group's before them.
    rest = _figures(fits, i) if own is None else fit_document(own)
    reason = {"reason": fits.reasons[i]} if i in fits.reasons else {}
    return first | {"verdict": fits.verdict[i].value} | rest | reason


def _figures(fits: GroupFits, i: int) -> dict[str, Any]:
    """The keys of a fit that there are of one which descended side by side with others, or of none."""
    verdict, cost, best = fits.verdict[i], float(fits.cost[i]), float(fits.optimal_cost[i])
    gap, arrival = float(fits.gap[i]), int(fits.iterations_to_1_percent[i])
    values_of = [values[i].tolist() for values in (fits.slopes, fits.optimal_slopes, fits.standardized)]
    relative = gap / best if best > 0 and not fits.perfect[i] else None
    document: dict[str, Any] = to_json(
        {
            "files": fits.files,
            "target": fits.target,
            "features": fits.features,
            "loss": fits.loss,
            "reference_levels": {name: levels[i] for name, levels in fits.references.items()},
            "rows": {"used": int(fits.count[i])},
            "intercept": {"value": float(fits.intercepts[i]), "optimum": float(fits.optimal_intercepts[i])}
            if fits.intercept
            else None,
            "coefficients": [
                {"term": term.label, "value": value, "optimum": optimum, "standardized": standardized}
                for term, value, optimum, standardized in zip(fits.terms, *values_of, strict=True)
            ],
            "cost": cost,
            "rmse": np.sqrt(cost) if cost >= 0 else None,
            "r2": fits.r2[i],
            "r2_uncentered": not fits.intercept if np.isfinite(fits.r2[i]) else None,
            "optimum": Optimum(best, gap, relative, float(fits.gap_measure[i])),
            "descent": {
                "optimizer": fits.optimizer,
                "learning_rate": fits.rate[i],
                "iterations": int(fits.iterations[i]) if fits.iterations[i] >= 0 else None,
                "converged": verdict is Verdict.CONVERGED,
                "stopped": fits.stopped[i],
                "scale": fits.scale,
                "tolerance": fits.tolerance,
                "schedule": fits.schedule,
                **dict.fromkeys(("batch_size", "epochs", "seed")),
            },
            "learning_rate": {
                "given": fits.rate[i],
                "behaviour": fits.behaviour[i],
                "largest_stable": fits.largest_stable[i],
                "best": fits.best[i],
                "iterations_to_1_percent": arrival if arrival >= 0 else None,
                "automatic": fits.automatic,
            },
            "left_out": fits.left_out,
        },
        nulls=True,
    )
    return document


def as_lists(values: "Array") -> Any:
    """An array as lists, with None in place of NaN."""
    found = values.astype(object)
    found[~np.isfinite(values)] = None
    return found.tolist()
