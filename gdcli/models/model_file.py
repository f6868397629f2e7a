"""A fitted model as a JSON file, and back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.base.records import field, record
from gdcli.base.schema import LARGEST_FILE, from_json, json_number, parse_json, readable, to_json
from gdcli.data.csv.options import said_of
from gdcli.data.expressions.stored import StoredComputed, computed_as_json
from gdcli.engine.catalog import SCALES
from gdcli.engine.inference import RowSpread
from gdcli.engine.losses import LOSSES, parameter_keys, parameters_as_json
from gdcli.engine.losses.contract import Domain, Loss
from gdcli.fitting.results import DescentState, Fit
from gdcli.models.model import MODEL_SCHEMA, MissingPart, Model, ModelTerm, check_dates, check_terms, computed_of_model

if TYPE_CHECKING:
    import os


_LACKING = "the loss lacks what belongs to it"


@record
class StoredDescent:
    """The part of a model file on the descent that every use of the model needs."""

    scale: str


@record
class StoredPenalty:
    """The weights of the penalty in a model file."""

    l2: float
    l1: float


@record
class StoredState:
    """The state of the descent, in scaled units, in a model file."""

    iteration: int
    theta: tuple[float, ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]
    target_scale: float
    optimizer: tuple[tuple[float, ...], ...]


@record
class StoredModel:
    """The fields read from a model file; the rest is for people. Fields with a default are missing in older files."""

    loss: str
    target: str
    intercept: float | None
    terms: tuple[ModelTerm, ...]
    levels: Mapping[str, tuple[str, ...]]
    left_out: tuple[str, ...]
    missing: MissingPart
    weights: str | None
    cost: float
    descent: StoredDescent
    state: StoredState
    classes: tuple[str, str] | None = None
    dates: Mapping[str, str] = field(default_factory=dict)
    csv: Any = field(default_factory=dict)
    penalty: StoredPenalty | None = None
    learning_rate: Mapping[str, Any] | None = None
    computed: tuple[StoredComputed, ...] = ()
    row_spread: RowSpread | None = None


def model_as_json(fit: Fit) -> str:
    """The model of a fit, which must not have diverged, as JSON text; the same fit gives the same bytes."""
    if fit.diverged:
        raise ValueError("a fit that diverged is no model")
    return readable(_content(fit))


def _content(fit: Fit) -> dict[str, Any]:
    state, descent, batches = fit.state, fit.descent, fit.descent.batches
    best, rate = fit.optimum, fit.learning_rate
    content: dict[str, Any] = to_json(
        {
            "schema": MODEL_SCHEMA,
            "version": fit.version,
            "files": fit.files,
            "target": fit.target,
            "loss": fit.loss,
            "classes": fit.classes,
            **parameters_as_json(fit.loss, fit.parameter),
            "intercept": None if fit.intercept is None else fit.intercept.value,
            "terms": [
                {"column": column, "level": level, "coefficient": coefficient.value}
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


def load_fit_model(path: "str | os.PathLike[str]") -> Model:
    """Read a model file. Raises DataError if it is no model file, or is damaged."""
    name = str(path)
    return model_of(read_content(name), name)


def read_content(path: str) -> dict[str, Any]:
    """The JSON object in a model file, its values not checked yet. Raises DataError if it holds no JSON object."""
    return parse_json(_read(path), path, "model")


def model_of(content: dict[str, Any], name: str) -> Model:
    """The model in a file's ``content``; ``name`` is the file's. Raises DataError if it holds none, or is damaged."""
    schema = content.get("schema")
    if schema != MODEL_SCHEMA:
        what = "it has no schema" if schema is None else f"its schema is {quoted(str(schema))}"
        hint = "; it is a summary, which gdfit fits like a CSV file" if str(schema).startswith("gdfit.summary/") else ""
        if str(schema).startswith("gdfit.groups/"):
            hint = "; it holds a model per group (--by), which predict, score and --resume with that --by take"
        raise DataError(f"{quoted(name)} is not a gdfit model ({MODEL_SCHEMA}): {what}{hint}")
    try:
        return _model(content)
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


def _model(content: Mapping[str, Any]) -> Model:
    """Check every value that is ever used. Raises ValueError, OverflowError."""
    stored = from_json(StoredModel, content)
    loss = known_loss(stored.loss, stored.classes)
    check_terms([(term.column, term.level) for term in stored.terms], stored.levels)
    if stored.descent.scale not in SCALES:
        raise ValueError(f"there is no scale {quoted(stored.descent.scale)}")
    if stored.penalty is not None and min(stored.penalty.l2, stored.penalty.l1) < 0:
        raise ValueError("the penalty is below zero")
    if len(stored.state.theta) != len(stored.terms) + (stored.intercept is not None):
        raise ValueError("the state does not fit the terms")
    _check_spread(stored)
    return Model(
        target=stored.target,
        intercept=stored.intercept or 0.0,
        terms=stored.terms,
        levels=stored.levels,
        missing_words=frozenset(stored.missing.words),
        state=_state(stored),
        content=content,
        loss=stored.loss,
        classes=stored.classes,
        parameter=loss_parameter(content, loss),
        row_spread=stored.row_spread,
    )


def _check_spread(stored: StoredModel) -> None:
    """Raise ValueError if what intervals need does not fit the terms."""
    spread = stored.row_spread
    if spread is None:
        return
    widths = {len(row) for row in spread.factor}
    if not len(spread.mean) == len(spread.factor) == len(stored.terms) or len(widths) > 1:
        raise ValueError("the row_spread does not fit the terms")
    if (spread.weight is None) != (stored.intercept is None) or not (spread.weight is None or spread.weight > 0):
        raise ValueError("the weight of the row_spread does not fit the intercept")
    if spread.residual_sd < 0 or spread.degrees_of_freedom < 1:
        raise ValueError("the row_spread has no degree of freedom")


def known_loss(name: str, classes: tuple[str, str] | None) -> type[Loss]:
    """The loss class of a name. Raises ValueError if it is unknown, or if the classes do not fit it.

    ``classes`` must be two different texts for a logistic loss, and None for any other.
    """
    if name not in LOSSES:
        raise ValueError(f"this gdfit knows no loss {quoted(name)}")
    if (classes is not None) != (LOSSES[name].domain is Domain.CLASSES):
        raise ValueError(_LACKING)
    if classes is not None and len(set(classes)) != 2:
        raise ValueError("there are not two classes")
    return LOSSES[name]


def loss_parameter(content: Mapping[str, Any], loss: type[Loss]) -> float | None:
    """The parameter of a model's loss; None if the loss takes none. Raises ValueError if it is missing or wrong."""
    form, given = loss.parameter_form, {key: content.get(key) for key in parameter_keys()}
    if {key for key, value in given.items() if value is not None} != (set() if form is None else {form.key}):
        raise ValueError(_LACKING)
    if form is None:
        return None
    if not 0 < (parameter := json_number(given[form.key], form.key)) < form.limit:
        raise ValueError(f"{form.key} is not {form.wanted}")
    return parameter


def _state(stored: "StoredModel") -> DescentState:
    terms, state, missing = stored.terms, stored.state, stored.missing
    if missing.policy == "mean" and set(missing.means) != {term.column for term in terms if term.level is None}:
        raise ValueError("the means do not fit the terms")
    if not len(state.center) == len(state.scale) == len(terms):
        raise ValueError("the state does not fit the terms")
    if min(*state.scale, state.target_scale, 1.0) <= 0:
        raise ValueError("a scale is not above zero")
    check_dates(stored.dates, stored.levels)
    return DescentState(
        terms=tuple((term.column, term.level) for term in terms),
        center=state.center,
        scale=state.scale,
        target_scale=state.target_scale,
        theta=state.theta,
        iteration=state.iteration,
        optimizer=state.optimizer,
        levels=stored.levels,
        missing_words=missing.words,
        missing=missing.policy,
        weights=stored.weights,
        csv=said_of(stored.csv),
        means=missing.means,
        dates=stored.dates,
        computed=computed_of_model(
            stored.computed, [(term.column, term.level) for term in terms], stored.levels, stored.target
        ),
    )
