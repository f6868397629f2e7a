"""The data of a fit's report: the JSON document, and the coefficients as rows and columns.

Names from the file are data here and stay as they are; each format quotes them as it needs.
"""

from typing import Any

from gdcli.base.records import replace
from gdcli.base.schema import to_json
from gdcli.engine.losses import parameters_as_json
from gdcli.fitting.results import (
    INTERCEPT,
    Certainty,
    Coefficient,
    Fit,
    TraceRow,
)
from gdcli.report import numbers
from gdcli.report.certainty import certainty_cells
from gdcli.report.report import Sheet, sheet_of
from gdcli.report.screen import TableColumn

FIT_SCHEMA = "gdfit.fit/1"

_HEADER = ("term", "coefficient", "optimum", "standardized")

# Of each coefficient with --inference, in this order in every format.
CERTAINTY = ("std_error", "t", "p", "low", "high")


def fit_sheet(fit: Fit) -> Sheet | None:
    """One row per coefficient, the intercept last; None after divergence."""
    if fit.diverged:
        return None
    certain = fit.inference is not None
    rows = ((c.term, c.value, c.optimum, c.standardized, *(_certain(c) if certain else ())) for c in _coefficients(fit))
    return sheet_of([*_HEADER, *(CERTAINTY if certain else ())], rows)


def fit_columns(fit: Fit, digits: int = 6) -> list[TableColumn]:
    """The columns of the coefficient table, one cell per coefficient, to about ``digits`` digits; [] if diverged."""
    if fit.diverged:
        return []
    rows = _coefficients(fit)
    both = numbers.mixed([v for c in rows for v in (c.value, c.optimum)], digits)
    standardized = numbers.column([c.standardized for c in rows], digits, relative=True)
    cells = [both[::2], both[1::2], standardized]
    header = [*_HEADER]
    if fit.inference is not None:
        header += CERTAINTY
        cells += certainty_cells([row.certainty for row in rows], digits)
    terms = TableColumn(header[0], [c.term for c in rows], left=True)
    return [terms, *(TableColumn(name, column) for name, column in zip(header[1:], cells, strict=True))]


def fit_document(fit: Fit) -> dict[str, Any]:
    """The JSON object of a fit: the keys of the contract in its order, then all others."""
    descent, rate, best, batches = fit.descent, fit.learning_rate, fit.optimum, fit.descent.batches
    document: dict[str, Any] = to_json(
        {
            "schema": FIT_SCHEMA,
            "version": fit.version,
            "files": fit.files,
            "target": fit.target,
            "features": fit.features,
            "loss": fit.loss,
            "reference_levels": fit.reference_levels,
            "rows": fit.rows,
            "intercept": None
            if fit.intercept is None
            else _value_and_optimum(fit.intercept) | _certainty(fit.intercept.certainty),
            "coefficients": [
                {"term": c.term, **_value_and_optimum(c), "standardized": c.standardized} | _certainty(c.certainty)
                for c in fit.coefficients
            ],
            "cost": fit.cost,
            "rmse": fit.rmse,
            "r2": fit.r2,
            "optimum": to_json(best) | ({"gap_measure": None} if best.cost is None else {}),
            "descent": {
                "optimizer": descent.optimizer,
                "learning_rate": descent.learning_rate,
                "iterations": descent.iterations,
                "converged": descent.converged,
                "stopped": descent.stopped,
                "scale": descent.scale,
                "tolerance": descent.tolerance,
                "schedule": descent.schedule,
                "batch_size": None if batches is None else batches.size,
                "epochs": None if batches is None else descent.iterations / batches.in_epoch,
                "seed": None if batches is None else batches.seed,
            },
            "learning_rate": {
                "given": rate.given,
                "behaviour": rate.behaviour,
                "largest_stable": rate.largest_stable,
                "best": rate.best,
                "iterations_to_1_percent": rate.iterations_to_1_percent,
                "automatic": rate.automatic,
                "searched": rate.searched,
                "best_iterations": rate.best_iterations,
                "condition_number": rate.condition_number,
                "largest_stable_is_bound": rate.bound,
                "slowest": dict(rate.slowest),
            },
            "trace": [_trace_row(fit, row) for row in fit.trace],
            "left_out": fit.left_out,
            "collinear": fit.collinear,
            **parameters_as_json(fit.loss, fit.parameter),
            "event": None if fit.classes is None else fit.classes[1],
            "classes": fit.classes,
            "r2_uncentered": None if fit.r2 is None else fit.intercept is None,
            "inference": fit.inference,
            "holdout": fit.holdout,
            "penalty": fit.penalty,
            "cross_validation": fit.cross_validation,
        },
        nulls=True,
    )
    return document


def _trace_row(fit: Fit, row: TraceRow) -> dict[str, Any]:
    known = {
        "iteration": row.iteration,
        "m": dict(zip(fit.trace_terms, row.slopes, strict=True)),
        "c": row.intercept,
        "cost": row.cost,
    }
    if row.learning_rate is not None:
        known["learning_rate"] = row.learning_rate
    return known if fit.holdout is None else known | {"validation_cost": row.validation}


def _value_and_optimum(coefficient: Coefficient) -> dict[str, float | None]:
    return {"value": coefficient.value, "optimum": coefficient.optimum}


def _coefficients(fit: Fit) -> list[Coefficient]:
    intercept = fit.intercept
    last = [] if intercept is None else [replace(intercept, term=INTERCEPT, standardized=None)]
    return [*fit.coefficients, *last]


def _certain(coefficient: Coefficient) -> list[float | None]:
    return [getattr(coefficient.certainty, name, None) for name in CERTAINTY]


def _certainty(certainty: Certainty | None) -> dict[str, float | None]:
    """The keys that a coefficient has with --inference."""
    return {} if certainty is None else {name: getattr(certainty, name) for name in CERTAINTY}
