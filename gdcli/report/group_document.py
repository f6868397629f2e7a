"""The data of the report on groups: a JSON document for each group, and a row for each group and term."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gdcli.base.schema import to_json
from gdcli.fitting.group_results import GroupFits, Verdict
from gdcli.fitting.results import INTERCEPT, Coefficient, Fit, Optimum
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
    rows = (
        (*key, one.term, one.value, one.optimum, one.standardized, *(_certain(one, names)), int(fits.count[i]),
         fits.verdict[i].value, *(_validation(fits, i, checked)))
        for key, one, i in _rows(fits)
    )  # fmt: skip
    header = [*_HEADER, *names, *_LAST, *checked]
    return Sheet([*group_headers(fits.by, header), *header], rows)


def groups_columns(fits: GroupFits, digits: int) -> list[TableColumn]:
    """The columns of the table of groups, one cell per group and term, numbers to about ``digits`` digits."""
    rows = list(_rows(fits))
    both = numbers.column([v for _, one, _ in rows for v in (one.value, one.optimum)], digits)
    standardized = numbers.column([one.standardized for _, one, _ in rows], digits, relative=True)
    cells, names, checked = [both[::2], both[1::2], standardized], certainty_of(fits), validation_of(fits)
    headers = group_headers(fits.by, [*_HEADER, *names, *_LAST, *checked])
    columns = [TableColumn(name, [key[j] for key, *_ in rows], left=True) for j, name in enumerate(headers)]
    columns.append(TableColumn("term", [one.term for _, one, _ in rows], left=True))
    cells += certainty_cells([one for _, one, _ in rows], digits) if names else []
    cells.append([str(fits.count[i]) for *_, i in rows])
    columns += [TableColumn(name, column) for name, column in zip([*_HEADER[1:], *names, "rows"], cells, strict=True)]
    columns.append(TableColumn("verdict", [fits.verdict[i].value for *_, i in rows], left=True))
    figures = [_validation(fits, i, checked) for *_, i in rows]
    for j, name in enumerate(checked):
        values = [figure[j] for figure in figures]
        costs = (
            numbers.column(values, digits) if name == _VALIDATION[1] else ["" if v is None else str(v) for v in values]
        )
        columns.append(TableColumn(name, costs))
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


def _certain(one: Coefficient, names: Sequence[str]) -> list[float | None]:
    return [getattr(one.certainty, name, None) for name in names]


def _validation(fits: GroupFits, i: int, names: Sequence[str]) -> list[float | None]:
    """A group's figures in the columns on validation; those that it lacks are None."""
    fit = fits.fits[i] if names else None
    found: dict[str, float | None] = {}
    if fit is not None:
        found = {"validation_rows": fit.holdout and fit.holdout.rows, "validation_cost": validation_cost(fit)}
    return [found.get(name) for name in names]


def _rows(fits: GroupFits) -> Iterator[tuple[tuple[str, ...], Coefficient, int]]:
    """Yield group, coefficient and the group's place."""
    terms = [term.label for term in fits.terms]
    slopes = [as_lists(fits.slopes), as_lists(fits.optimal_slopes), as_lists(fits.standardized)]
    intercepts = [as_lists(fits.intercepts), as_lists(fits.optimal_intercepts)]
    for i, key in enumerate(fits.groups):
        fit = fits.fits[i] if fits.fits else None
        known = {} if fit is None else {one.term: one.certainty for one in fit.coefficients}
        for j, term in enumerate(terms):
            yield key, Coefficient(term, slopes[0][i][j], slopes[1][i][j], slopes[2][i][j], known.get(term)), i
        if fits.intercept:
            own = None if fit is None or fit.intercept is None else fit.intercept.certainty
            yield key, Coefficient(INTERCEPT, intercepts[0][i], intercepts[1][i], None, own), i


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
