"""A model as a readable JSON file, of one fit or of groups, and back. Reading one executes nothing."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.base.schema import LARGEST_FILE, parse_json, readable, to_json
from gdcli.data.expressions.stored import computed_as_json
from gdcli.engine.losses import parameters_as_json
from gdcli.fitting.group_results import GroupFits
from gdcli.fitting.results import Fit
from gdcli.models.model import Model
from gdcli.models.stored_model import GROUPS_SCHEMA, MODEL_SCHEMA, StoredState, StoredTerm, checked_model

if TYPE_CHECKING:
    import os


def model_as_json(result: Fit | GroupFits) -> str:
    """The model of a fit, or of all groups that have one, as JSON text; the same fit gives the same bytes.

    No descent may have diverged.
    """
    if result.diverged:
        raise ValueError("a fit that diverged is no model")
    return readable(_of_fit(result) if isinstance(result, Fit) else _of_groups(result))


def _of_fit(fit: Fit) -> dict[str, Any]:
    state, descent, batches = fit.state, fit.descent, fit.descent.batches
    best, rate = fit.optimum, fit.learning_rate
    content: dict[str, Any] = to_json(
        {
            **_head(MODEL_SCHEMA, fit),
            "intercept": None if fit.intercept is None else fit.intercept.value,
            "terms": [
                StoredTerm(column, level, coefficient.value)
                for (column, level), coefficient in zip(state.terms, fit.coefficients, strict=True)
            ],
            "levels": state.levels,
            "reference_levels": fit.reference_levels,
            "left_out": fit.left_out,
            "missing": {"policy": state.missing, "words": state.missing_words, "means": state.means},
            "dates": state.dates,
            **computed_as_json(state.computed),
            "csv": state.csv,
            "weights": state.weights,
            "rows": fit.rows,
            "cost": fit.cost,
            "penalty": fit.penalty,
            "rmse": fit.rmse,
            "r2": fit.r2,
            "optimum": to_json({"cost": best.cost, "gap": best.gap, "relative_gap": best.relative_gap}, nulls=True),
            "descent": {
                "optimizer": descent.optimizer,
                "learning_rate": descent.learning_rate,
                "iterations": descent.iterations,
                "scale": descent.scale,
                "schedule": descent.schedule,
                "batch_size": None if batches is None else batches.size,
                "seed": None if batches is None else batches.seed,
                "tolerance": descent.tolerance,
                "converged": descent.converged,
                "stopped": descent.stopped,
            },
            "learning_rate": to_json(
                {
                    "behaviour": rate.behaviour,
                    "largest_stable": rate.largest_stable,
                    "best": rate.best,
                    "iterations_to_1_percent": rate.iterations_to_1_percent,
                    "searched": rate.searched,
                },
                nulls=True,
            ),
            "state": StoredState(
                state.iteration, state.theta, state.center, state.scale, state.target_scale, state.optimizer
            ),
        }
    )
    if fit.row_spread is not None:
        content["row_spread"] = to_json(fit.row_spread, nulls=True)
    return content


def _of_groups(fits: GroupFits) -> dict[str, Any]:
    content: dict[str, Any] = to_json(
        {
            **_head(GROUPS_SCHEMA, fits),
            "by": fits.by,
            "terms": [{"column": term.name, "level": term.level} for term in fits.terms],
            "levels": fits.levels,
            "left_out": fits.left_out,
            "missing": {"policy": fits.missing, "words": fits.missing_words},
            "dates": fits.dates,
            **computed_as_json(fits.computed),
            "csv": fits.csv,
            "weights": fits.weights,
            "rows": fits.rows,
            **_descent(fits),
            "groups": [_group(fits, i) for i in range(len(fits.groups)) if math.isfinite(fits.intercepts[i])],
        }
    )
    return content


def _head(schema: str, result: Fit | GroupFits) -> dict[str, Any]:
    return {
        "schema": schema,
        "version": result.version,
        "files": result.files,
        "target": result.target,
        "loss": result.loss,
        "classes": result.classes,
        **parameters_as_json(result.loss, result.parameter),
    }


def _group(fits: GroupFits, i: int) -> dict[str, Any]:
    """A group's coefficients and the end of its descent.

    The memory of the optimizer, and the scaled parameters that belong to it, are there if it has any; the parameter of
    the loss, if it has one.
    """
    own = fits.fits[i] if fits.fits else None
    found: dict[str, Any] = {
        "group": fits.groups[i],
        "rows": int(fits.count[i]),
        "intercept": float(fits.intercepts[i]) if fits.intercept else None,
        "coefficients": fits.slopes[i].tolist(),
        "cost": float(fits.cost[i]),
        "iterations": int(fits.iterations[i]) if own is None else own.state.iteration,
        "learning_rate": float(fits.rate[i]),
    }
    if own is not None and own.state.optimizer:
        found |= {"optimizer": own.state.optimizer, "theta": own.state.theta}
    if fits.means is not None:
        found["means"] = fits.means[i].tolist()
    if own is not None and own.parameter is not None:
        found["parameter"] = own.parameter
    return found


def _descent(fits: GroupFits) -> dict[str, Any]:
    """What ``--resume`` needs of the descents; nothing if groups have penalties of their own."""
    known = [fit for fit in fits.fits if fit is not None]
    penalties = {(fit.penalty.l2, fit.penalty.l1) if fit.penalty else (0.0, 0.0) for fit in known} or {(0.0, 0.0)}
    if len(penalties) > 1:
        return {}
    ((l2, l1),) = penalties
    batches = known[0].descent.batches if known else None
    rates = {float(rate) for rate in fits.rate if math.isfinite(rate)}
    return {
        "penalty": {"l2": l2, "l1": l1},
        "descent": {
            "optimizer": fits.optimizer,
            "learning_rate": rates.pop() if len(rates) == 1 else None,
            "scale": fits.scale,
            "schedule": fits.schedule,
            "batch_size": None if batches is None else batches.size,
            "seed": None if batches is None else batches.seed,
            "loss": fits.loss_word,
            "searched": any(fit.learning_rate.searched for fit in known),
        },
    }


def load_model(path: "str | os.PathLike[str]") -> Model:
    """Read a model file, of one fit or of groups. Raises DataError if it is neither, or is damaged."""
    name = str(path)
    return model_of(parse_json(_read(name), name, "model"), name)


def model_of(content: Mapping[str, Any], name: str) -> Model:
    """The model in a file's ``content``; ``name`` is the file's. Raises DataError if it holds none, or is damaged."""
    schema = content.get("schema")
    if schema not in (MODEL_SCHEMA, GROUPS_SCHEMA):
        what = "it has no schema" if schema is None else f"its schema is {quoted(str(schema))}"
        hint = "; it is a summary, which gdfit fits like a CSV file" if str(schema).startswith("gdfit.summary/") else ""
        raise DataError(f"{quoted(name)} is not a gdfit model ({MODEL_SCHEMA}): {what}{hint}")
    try:
        return checked_model(content)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{quoted(name)} is damaged or was edited by hand: {error}") from None


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:  # a ValueError: a NUL in the name
        strerror = getattr(error, "strerror", None) or str(error)
        reason = "no such file" if isinstance(error, FileNotFoundError) else strerror.lower()
        raise DataError(f"cannot read {quoted(path)}: {reason}") from None
    if len(data) > LARGEST_FILE:
        raise DataError(f"{quoted(path)} is not a gdfit model: it is larger than {LARGEST_FILE >> 20} MiB")
    if not data.lstrip().startswith(b"{"):
        raise DataError(f"{quoted(path)} is not a gdfit model: it does not begin like JSON; the model is named first")
    return data
