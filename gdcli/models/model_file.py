"""A fitted model as a JSON file, and back."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.base.schema import (
    LARGEST_FILE,
    json_list,
    json_number,
    json_object,
    json_text,
    numbers,
    parse_json,
    readable,
    words,
)
from gdcli.data.csv.options import said_of
from gdcli.engine.catalog import SCALES
from gdcli.engine.losses import LOSSES, parameter_keys, parameters_as_json
from gdcli.engine.losses.contract import Domain, Loss
from gdcli.fitting.results import DescentState, Fit
from gdcli.models.model import MODEL_SCHEMA, Model, ModelTerm, dates_of

if TYPE_CHECKING:
    import os


_LACKING = "the loss lacks what belongs to it"


def model_as_json(fit: Fit) -> str:
    """Return the model of a fit, which must not have diverged, as JSON text; the same fit gives the same bytes."""
    if fit.diverged:
        raise ValueError("a fit that diverged is no model")
    return readable(_content(fit))


def _content(fit: Fit) -> dict[str, Any]:
    state, descent, rate, best = fit.state, fit.descent, fit.learning_rate, fit.optimum
    return {
        "schema": MODEL_SCHEMA,
        "version": fit.version,
        "files": list(fit.files),
        "target": fit.target,
        "loss": fit.loss,
        "classes": None if fit.classes is None else list(fit.classes),
        **parameters_as_json(fit.loss, fit.parameter),
        "intercept": None if fit.intercept is None else fit.intercept.value,
        "terms": [
            {"column": column, "level": level, "coefficient": coefficient.value}
            for (column, level), coefficient in zip(state.terms, fit.coefficients, strict=True)
        ],
        "levels": {name: list(levels) for name, levels in state.levels.items()},
        "reference_levels": dict(fit.reference_levels),
        "left_out": list(fit.left_out),
        "missing": {"policy": state.missing, "words": list(state.missing_words), "means": dict(state.means)},
        "dates": dict(state.dates),
        "csv": dict(state.csv),
        "weights": state.weights,
        "rows": asdict(fit.rows) | {"dropped_by_column": dict(fit.rows.dropped_by_column)},
        "cost": fit.cost,
        "penalty": None if fit.penalty is None else fit.penalty._asdict(),
        "rmse": fit.rmse,
        "r2": fit.r2,
        "optimum": {"cost": best.cost, "gap": best.gap, "relative_gap": _finite(best.relative_gap)},
        "descent": {
            "optimizer": descent.optimizer,
            "learning_rate": descent.learning_rate,
            "iterations": descent.iterations,
            "scale": descent.scale,
            "schedule": descent.schedule,
            "batch_size": None if descent.batches is None else descent.batches.size,
            "seed": None if descent.batches is None else descent.batches.seed,
            "tolerance": descent.tolerance,
            "converged": descent.converged,
            "stopped": descent.stopped.value,
        },
        "learning_rate": {
            "behaviour": rate.behaviour and rate.behaviour.value,
            "largest_stable": _finite(rate.largest_stable),
            "best": _finite(rate.best),
            "iterations_to_1_percent": rate.iterations_to_1_percent,
            "searched": rate.searched,
        },
        "state": {
            "iteration": state.iteration,
            "theta": list(state.theta),
            "center": list(state.center),
            "scale": list(state.scale),
            "target_scale": state.target_scale,
            "optimizer": [list(memory) for memory in state.optimizer],
        },
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def load_model(path: "str | os.PathLike[str]") -> Model:
    """Read a model file. Raises DataError where it is not one, or is damaged."""
    name = str(path)
    return model_of(read_content(name), name)


def read_content(path: str) -> dict[str, Any]:
    """Return the JSON object in a model file, not checked yet. Raises DataError where there is none."""
    return parse_json(_read(path), path, "model")


def model_of(content: dict[str, Any], name: str) -> Model:
    """Return the model that a file holds; ``name`` is the file's. Raises DataError where it is none, or is damaged."""
    schema = content.get("schema")
    if schema != MODEL_SCHEMA:
        what = "it has no schema" if schema is None else f"its schema is {quoted(str(schema))}"
        hint = "; it is a summary, which gdfit fits like a CSV file" if str(schema).startswith("gdfit.summary/") else ""
        if str(schema).startswith("gdfit.groups/"):
            hint = "; it holds a model per group (--by), which predict and score apply"
        raise DataError(f"{quoted(name)} is not a gdfit model ({MODEL_SCHEMA}): {what}{hint}")
    try:
        return _model(content)
    except KeyError as error:
        detail = f"{quoted(str(error.args[0]))} is missing"
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        detail = str(error)
    raise DataError(f"{quoted(name)} is damaged or was edited by hand: {detail}")


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


def _model(content: Mapping[str, Any]) -> Model:
    """Check every value that is ever used. Raises KeyError, TypeError, ValueError, OverflowError."""
    loss = json_text(content["loss"], "loss")
    if loss not in LOSSES:
        raise ValueError(f"this gdfit knows no loss {quoted(loss)}")
    pair, parameter = _classes(content, LOSSES[loss]), _parameter(content, LOSSES[loss])
    levels = {name: words(found, "levels") for name, found in json_object(content["levels"], "levels").items()}
    terms = tuple(_term(term) for term in json_list(content["terms"], "terms"))
    _check_levels(terms, levels)
    descent = json_object(content["descent"], "descent")
    json_object(content.get("learning_rate") or {}, "learning_rate")
    if descent["scale"] not in SCALES:
        raise ValueError(f"there is no scale {quoted(str(descent['scale']))}")
    json_number(content["cost"], "cost")
    penalty = content.get("penalty")
    for name in () if penalty is None else ("l2", "l1"):
        if json_number(json_object(penalty, "penalty")[name], name) < 0:
            raise ValueError(f"the penalty's {name} is below zero")
    words(content["left_out"], "left_out")
    state = _state(content, terms, levels)
    intercept = content["intercept"]
    if len(state.theta) != len(terms) + (intercept is not None):
        raise ValueError("the state does not fit the terms")
    return Model(
        target=json_text(content["target"], "target"),
        intercept=0.0 if intercept is None else json_number(intercept, "intercept"),
        terms=terms,
        levels=levels,
        missing_words=frozenset(state.missing_words),
        state=state,
        content=content,
        loss=loss,
        classes=pair,
        parameter=parameter,
    )


def _classes(content: Mapping[str, Any], loss: type[Loss]) -> tuple[str, str] | None:
    """The two classes of a model, the event last; None if its loss has none."""
    if (content.get("classes") is not None) != (loss.domain is Domain.CLASSES):
        raise ValueError(_LACKING)
    if content.get("classes") is None:
        return None
    found = words(content["classes"], "classes")
    if len(set(found)) != 2:
        raise ValueError("there are not two classes")
    return found[0], found[1]


def _parameter(content: Mapping[str, Any], loss: type[Loss]) -> float | None:
    """The parameter of a model's loss; None if it takes none."""
    form, given = loss.parameter_form, {key: content.get(key) for key in parameter_keys()}
    if {key for key, value in given.items() if value is not None} != (set() if form is None else {form.key}):
        raise ValueError(_LACKING)
    if form is None:
        return None
    if not 0 < (parameter := json_number(given[form.key], form.key)) < form.limit:
        raise ValueError(f"{form.key} is not {form.wanted}")
    return parameter


def _state(
    content: Mapping[str, Any], terms: Sequence[ModelTerm], levels: Mapping[str, tuple[str, ...]]
) -> DescentState:
    state, missing = json_object(content["state"], "state"), json_object(content["missing"], "missing")
    iteration, weights = state["iteration"], content["weights"]
    if isinstance(iteration, bool) or not isinstance(iteration, int) or iteration < 0:
        raise ValueError("iteration is not a count")
    checked = DescentState(
        terms=tuple((term.column, term.level) for term in terms),
        center=numbers(state["center"], "center"),
        scale=numbers(state["scale"], "scale"),
        target_scale=json_number(state["target_scale"], "target_scale"),
        theta=numbers(state["theta"], "theta"),
        iteration=iteration,
        optimizer=tuple(numbers(memory, "optimizer") for memory in json_list(state["optimizer"], "optimizer")),
        levels=levels,
        missing_words=words(missing["words"], "missing words"),
        missing=json_text(missing["policy"], "missing policy"),
        weights=None if weights is None else json_text(weights, "weights"),
        csv=said_of(content.get("csv", {})),
        means={
            name: json_number(mean, "a mean") for name, mean in json_object(missing.get("means", {}), "means").items()
        },
        dates=dates_of(content, levels),
    )
    if checked.missing == "mean" and set(checked.means) != {term.column for term in terms if term.level is None}:
        raise ValueError("the means do not fit the terms")
    if not len(checked.center) == len(checked.scale) == len(terms):
        raise ValueError("the state does not fit the terms")
    if min(*checked.scale, checked.target_scale, 1.0) <= 0:
        raise ValueError("a scale is not above zero")
    return checked


def _term(term: Any) -> ModelTerm:
    found = json_object(term, "a term")
    level = found["level"]
    return ModelTerm(
        json_text(found["column"], "a term's column"),
        None if level is None else json_text(level, "a term's level"),
        json_number(found["coefficient"], "a coefficient"),
    )


def _check_levels(terms: Sequence[ModelTerm], levels: Mapping[str, tuple[str, ...]]) -> None:
    known = {name: frozenset(found) for name, found in levels.items()}
    if len({(term.column, term.level) for term in terms}) < len(terms):
        raise ValueError("a term is there twice")
    for term in terms:
        if (term.level is None) == (term.column in known) or (term.level or "") not in known.get(term.column, ("",)):
            raise ValueError(f"the term {quoted(term.column)} does not fit its levels")
