"""The data of a fit's report: the JSON document, and the coefficients as rows and columns.

Names from the file are data here and stay as they are; each format quotes them as it needs.
"""

from dataclasses import replace
from typing import Any

from gdcli.engine.losses import parameters_as_json
from gdcli.fitting.results import (
    INTERCEPT,
    Certainty,
    Coefficient,
    CrossValidation,
    Fit,
    Holdout,
    Inference,
    TraceRow,
)
from gdcli.report import numbers
from gdcli.report.certainty import certainty_cells
from gdcli.report.grid import GridColumn
from gdcli.report.report import Sheet

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
    return Sheet([*_HEADER, *(CERTAINTY if certain else ())], rows)


def fit_columns(fit: Fit, digits: int = 6) -> list[GridColumn]:
    """The same as columns of texts, numbers to about ``digits`` digits; none after divergence."""
    if fit.diverged:
        return []
    rows = _coefficients(fit)
    both = numbers.column([v for c in rows for v in (c.value, c.optimum)], digits)
    standardized = numbers.column([c.standardized for c in rows], digits, relative=True)
    cells = [both[::2], both[1::2], standardized]
    header = [*_HEADER]
    if fit.inference is not None:
        header += CERTAINTY
        cells += certainty_cells(rows, digits)
    terms = GridColumn(header[0], [c.term for c in rows], left=True)
    return [terms, *(GridColumn(name, column) for name, column in zip(header[1:], cells, strict=True))]


def fit_document(fit: Fit) -> dict[str, Any]:
    """The JSON object of a fit: the keys of the contract in its order, then all others."""
    descent, rate, best = fit.descent, fit.learning_rate, fit.optimum
    return {
        "schema": FIT_SCHEMA,
        "version": fit.version,
        "files": list(fit.files),
        "target": fit.target,
        "features": list(fit.features),
        "loss": fit.loss,
        "reference_levels": dict(fit.reference_levels),
        "rows": {
            "read": fit.rows.read,
            "used": fit.rows.used,
            "dropped": fit.rows.dropped,
            "dropped_by_column": dict(fit.rows.dropped_by_column),
            "skipped": fit.rows.skipped,
            "filled": dict(fit.rows.filled),
        },
        "intercept": None
        if fit.intercept is None
        else _value_and_optimum(fit.intercept) | _certainty(fit.intercept.certainty),
        "coefficients": [
            {"term": c.term, **_value_and_optimum(c), "standardized": numbers.finite(c.standardized)}
            | _certainty(c.certainty)
            for c in fit.coefficients
        ],
        "cost": numbers.finite(fit.cost),
        "rmse": numbers.finite(fit.rmse),
        "r2": numbers.finite(fit.r2),
        "optimum": {
            "cost": numbers.finite(best.cost),
            "gap": numbers.finite(best.gap),
            "relative_gap": numbers.finite(best.relative_gap),
            "gap_measure": None if best.cost is None else numbers.finite(best.gap_measure),
        },
        "descent": {
            "optimizer": descent.optimizer,
            "learning_rate": numbers.finite(descent.learning_rate),
            "iterations": descent.iterations,
            "converged": descent.converged,
            "stopped": descent.stopped.value,
            "scale": descent.scale,
            "tolerance": numbers.finite(descent.tolerance),
            "schedule": descent.schedule,
            "batch_size": None if descent.batches is None else descent.batches.size,
            "epochs": None if descent.batches is None else descent.iterations / descent.batches.in_epoch,
            "seed": None if descent.batches is None else descent.batches.seed,
        },
        "learning_rate": {
            "given": numbers.finite(rate.given),
            "behaviour": rate.behaviour and rate.behaviour.value,
            "largest_stable": numbers.finite(rate.largest_stable),
            "best": numbers.finite(rate.best),
            "iterations_to_1_percent": rate.iterations_to_1_percent,
            "automatic": rate.automatic,
            "searched": rate.searched,
            "best_iterations": rate.best_iterations,
            "condition_number": numbers.finite(rate.condition_number),
            "largest_stable_is_bound": rate.bound,
            "slowest": {term: numbers.finite(weight) for term, weight in rate.slowest},
        },
        "trace": [_trace_row(fit, row) for row in fit.trace],
        "left_out": list(fit.left_out),
        "collinear": [list(group) for group in fit.collinear],
        **{key: numbers.finite(value) for key, value in parameters_as_json(fit.loss, fit.parameter).items()},
        "event": None if fit.classes is None else fit.classes[1],
        "classes": None if fit.classes is None else list(fit.classes),
        "r2_uncentered": None if fit.r2 is None else fit.intercept is None,
        "inference": None if fit.inference is None else _inference(fit.inference),
        "holdout": None if fit.holdout is None else _holdout(fit.holdout),
        "penalty": None if fit.penalty is None else fit.penalty._asdict(),
        "cross_validation": None if fit.cross_validation is None else _cross_validation(fit.cross_validation),
    }


def _inference(found: Inference) -> dict[str, Any]:
    return {
        "residual_sd": numbers.finite(found.residual_sd),
        "degrees_of_freedom": found.degrees_of_freedom,
        "r2": numbers.finite(found.r2),
        "adjusted_r2": numbers.finite(found.adjusted_r2),
        "f": numbers.finite(found.f),
        "f_p": numbers.finite(found.f_p),
        "f_degrees_of_freedom": found.f_degrees_of_freedom,
        "confidence": found.confidence,
        "applies": found.applies,
        "iterations_to_apply": found.iterations_to_apply,
        "best_iterations_to_apply": found.best_iterations_to_apply,
    }


def _holdout(held: Holdout) -> dict[str, Any]:
    return {
        "share": held.share,
        "seed": held.seed,
        "rows": held.rows,
        "cost": numbers.finite(held.cost),
        "best_iteration": held.best_iteration,
        "best_cost": numbers.finite(held.best_cost),
        "patience": held.patience,
        "kept": held.kept,
    }


def _cross_validation(found: CrossValidation) -> dict[str, Any]:
    return {
        "folds": found.folds,
        "seed": found.seed,
        "rows": list(found.rows),
        "iterations": found.iterations,
        "costs": [numbers.finite(cost) for cost in found.costs],
        "mean": numbers.finite(found.mean),
        "standard_error": numbers.finite(found.standard_error),
        "best_iteration": found.best_iteration,
        "best_costs": [numbers.finite(cost) for cost in found.best_costs],
        "best_mean": numbers.finite(found.best_mean),
        "best_standard_error": numbers.finite(found.best_standard_error),
        "penalties": [
            {name: numbers.finite(value) for name, value in one._asdict().items()} for one in found.penalties
        ],
    }


def _trace_row(fit: Fit, row: TraceRow) -> dict[str, Any]:
    known: dict[str, Any] = {
        "iteration": row.iteration,
        "m": {term: numbers.finite(slope) for term, slope in zip(fit.trace_terms, row.slopes, strict=True)},
        "c": numbers.finite(row.intercept),
        "cost": numbers.finite(row.cost),
    }
    if row.learning_rate is not None:
        known["learning_rate"] = numbers.finite(row.learning_rate)
    return known if fit.holdout is None else known | {"validation_cost": numbers.finite(row.validation)}


def _value_and_optimum(coefficient: Coefficient) -> dict[str, float | None]:
    return {"value": numbers.finite(coefficient.value), "optimum": numbers.finite(coefficient.optimum)}


def _coefficients(fit: Fit) -> list[Coefficient]:
    intercept = fit.intercept
    last = [] if intercept is None else [replace(intercept, term=INTERCEPT, standardized=None)]
    return [*fit.coefficients, *last]


def _certain(coefficient: Coefficient) -> list[float | None]:
    return [getattr(coefficient.certainty, name, None) for name in CERTAINTY]


def _certainty(certainty: Certainty | None) -> dict[str, float | None]:
    """The keys that a coefficient has with --inference."""
    return {} if certainty is None else {name: numbers.finite(getattr(certainty, name)) for name in CERTAINTY}
