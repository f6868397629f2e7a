"""The fitted model as readable JSON, and what it predicts.

A model file is data only: reading one checks every value and executes nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from gdcli.data.csvoptions import said_of
from gdcli.engine.triangle import MISSING
from gdcli.errors import DataError
from gdcli.jsonfile import LARGEST_FILE, number, numbers, parse_json, readable, words
from gdcli.result import Fit, State
from gdcli.text import quoted

if TYPE_CHECKING:
    import os

    import numpy as np
    import pandas as pd

    from gdcli.data.table import Block, Coded, Table
    from gdcli.engine.triangle import Array

SCHEMA = "gdfit.model/1"
SCALES = ("standard", "minmax", "none")
LOSSES = ("squared", "huber", "logistic", "poisson")


@dataclass(frozen=True, slots=True)
class ModelTerm:
    """A slope in file units: of a numeric column (``level`` None), or of the rows where a text column has a level."""

    column: str
    level: str | None
    coefficient: float


class Effect(NamedTuple):
    """What a column adds to a prediction: ``slope`` times its number, or what ``by_level`` says of its text.

    A text that is not in ``by_level`` has no prediction; one of the two is None.
    """

    column: str
    slope: float | None
    by_level: Mapping[str, float] | None


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model. ``intercept`` is 0.0 where there is none; ``levels`` lists all levels of each text column.

    ``classes`` are the two of a logistic model, the event last; ``delta`` belongs to Huber's loss. ``content`` is the
    whole file, for people and for ``--resume``.
    """

    target: str
    intercept: float
    terms: tuple[ModelTerm, ...]
    levels: Mapping[str, tuple[str, ...]]
    missing_words: frozenset[str]
    state: State
    content: Mapping[str, Any]
    loss: str = "squared"
    classes: tuple[str, str] | None = None
    delta: float | None = None

    @property
    def csv(self) -> Mapping[str, Any]:
        """What was said about the files that it was fitted to: how later ones are read, unless it is said again."""
        return self.state.csv

    @property
    def dates(self) -> Mapping[str, str]:
        """The spelling of the columns of dates."""
        return self.state.dates

    @property
    def has_intercept(self) -> bool:
        """Whether the model was fitted with an intercept."""
        return self.content["intercept"] is not None

    @property
    def fills(self) -> bool:
        """Whether missing cells are filled."""
        return self.state.missing == "mean"

    def fills_text(self, name: str) -> bool:
        """Whether missing texts of a column are a level, as they were among the rows fitted."""
        return self.fills and MISSING in self.levels[name]

    @property
    def columns(self) -> tuple[str, ...]:
        """The input columns that a prediction needs, in the model's order."""
        return tuple(dict.fromkeys([term.column for term in self.terms] + list(self.levels)))

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What each of the columns adds, in the order in which it is added."""
        slopes = {term.column: term.coefficient for term in self.terms if term.level is None}
        by_level = {name: dict.fromkeys(levels, 0.0) for name, levels in self.levels.items()}
        for term in self.terms:
            if term.level is not None:
                by_level[term.column][term.level] = term.coefficient
        return tuple(Effect(name, slopes.get(name), by_level.get(name)) for name in self.columns)

    def predict(self, frame: "pd.DataFrame") -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        """Return the predictions (n,) for the rows of a DataFrame; NaN where a value is missing or unknown.

        Of a logistic model that is the event's probability.
        """
        import numpy as np

        from gdcli.data.frames import FrameSource

        source = FrameSource(frame)
        self.require_columns(source.names, source.name)
        if not self.columns:
            return self.predicted(np.full(len(frame), self.intercept))
        found = [self.predict_block(block) for block in source.blocks()]
        return np.concatenate(found) if found else np.empty(0)

    def require_columns(self, names: Sequence[str], source: str, also: Sequence[str] = ()) -> None:
        """Raise DataError where a column that the model needs (or one of ``also``) is not there, or is there twice."""
        from gdcli.data.columns import require_once

        require_once((*self.columns, *also), names, source)

    def predict_block(self, block: "Block") -> "Array":
        """Return the predictions (n,) for a block of rows; NaN where a value is missing, no number, or unknown."""
        return self.predict_table(self.table(block))

    def table(self, block: "Block", also: Sequence[str] = (), text: Sequence[str] = ()) -> "Table":
        """Parse the model's columns, and those of numbers and of ``text`` that a score needs ``also``, for all rows.

        Missing cells of the model's columns are filled, where those of its rows were.
        """
        from gdcli.data.lenient import read_leniently

        numeric = [name for name in (*self.columns, *also) if name not in self.levels]
        table = read_leniently(
            block, list(dict.fromkeys(numeric)), [*self.levels, *text], self.missing_words, self.state.dates
        )
        if not self.fills:
            return table
        from gdcli.data.gaps import filled

        return filled(table, self.state.means, [name for name in self.levels if self.fills_text(name)])

    def predict_table(self, table: "Table") -> "Array":
        """Return the predictions (n,) for parsed rows, NaN where there is none (as for a sum that overflows)."""
        return self.predicted(self.linear(table))

    def predicted(self, z: "Array") -> "Array":
        """Return what z = c + m·x predicts of the target: z itself, a probability, a mean count."""
        import numpy as np

        from gdcli.engine.losses import LOSSES

        prediction = LOSSES[self.loss].inverse_link(z)
        if prediction is not z:
            prediction[~np.isfinite(prediction)] = np.nan
        return prediction

    def linear(self, table: "Table") -> "Array":
        """Return c + m·x (n,) for parsed rows, NaN where there is none (as for a sum that overflows).

        c + m₁x₁ + m₂x₂ …, added in this order, as in the exported expressions.
        """
        import numpy as np

        prediction = np.full(table.rows, self.intercept)
        with np.errstate(over="ignore", invalid="ignore"):
            for effect in self.effects:
                if effect.slope is not None:
                    prediction += effect.slope * table.numeric[effect.column]
                else:
                    prediction += _by_level(table.text[effect.column], effect.by_level or {})
            if not math.isfinite(prediction.sum()):
                prediction[~np.isfinite(prediction)] = np.nan
        return prediction

    def missing_by_column(self, table: "Table") -> dict[str, int]:
        """Return in how many of the parsed rows a column has no value that the model knows, where there are any."""
        import numpy as np

        counts = {}
        for effect in self.effects:
            if effect.by_level is None:
                missing = ~np.isfinite(table.numeric[effect.column])
            else:
                missing = np.isnan(_by_level(table.text[effect.column], effect.by_level))
            counts[effect.column] = int(np.count_nonzero(missing))
        return {name: count for name, count in counts.items() if count}


def _by_level(column: "Coded", by_level: Mapping[str, float]) -> "Array":
    """Return each row's value, NaN for a level that is not there."""
    import numpy as np

    values = np.array([by_level.get(level, math.nan) for level in column.levels] + [math.nan])  # the last for code −1
    found: Array = values[column.codes]
    return found


def model_as_json(fit: Fit) -> str:
    """Return the model of a fit, which must not have diverged, as JSON text; the same fit gives the same bytes."""
    if fit.diverged:
        raise ValueError("a fit that diverged is no model")
    return readable(_content(fit))


def _content(fit: Fit) -> dict[str, Any]:
    state, descent, rate, best = fit.state, fit.descent, fit.learning_rate, fit.optimum
    return {
        "schema": SCHEMA,
        "version": fit.version,
        "files": list(fit.files),
        "target": fit.target,
        "loss": fit.loss,
        "classes": None if fit.classes is None else list(fit.classes),
        "delta": fit.delta,
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
    if schema != SCHEMA:
        what = "it has no schema" if schema is None else f"its schema is {quoted(str(schema))}"
        hint = "; it is a summary, which gdfit fits like a CSV file" if str(schema).startswith("gdfit.summary/") else ""
        if str(schema).startswith("gdfit.groups/"):
            hint = "; it holds a model per group (--by), which predict and score apply"
        raise DataError(f"{quoted(name)} is not a gdfit model ({SCHEMA}): {what}{hint}")
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
    loss, classes, delta = content["loss"], content.get("classes"), content.get("delta")
    if loss not in LOSSES:
        raise ValueError(f"this gdfit knows no loss {quoted(str(loss))}")
    if (classes is not None) != (loss == "logistic") or (delta is not None) != (loss == "huber"):
        raise ValueError("the loss lacks what belongs to it")
    pair = None if classes is None else words(classes, "classes")
    if pair is not None and len(set(pair)) != 2:
        raise ValueError("there are not two classes")
    if delta is not None and not number(delta, "delta") > 0:
        raise ValueError("delta is not above zero")
    levels = {name: words(found, "levels") for name, found in _dict(content["levels"], "levels").items()}
    terms = tuple(_term(term) for term in _list(content["terms"], "terms"))
    _check_levels(terms, levels)
    descent = _dict(content["descent"], "descent")
    _dict(content.get("learning_rate") or {}, "learning_rate")
    if descent["scale"] not in SCALES:
        raise ValueError(f"there is no scale {quoted(str(descent['scale']))}")
    number(content["cost"], "cost")
    penalty = content.get("penalty")
    for name in () if penalty is None else ("l2", "l1"):
        if number(_dict(penalty, "penalty")[name], name) < 0:
            raise ValueError(f"the penalty's {name} is below zero")
    words(content["left_out"], "left_out")
    state = _state(content, terms, levels)
    intercept = content["intercept"]
    if len(state.theta) != len(terms) + (intercept is not None):
        raise ValueError("the state does not fit the terms")
    return Model(
        target=_text(content["target"], "target"),
        intercept=0.0 if intercept is None else number(intercept, "intercept"),
        terms=terms,
        levels=levels,
        missing_words=frozenset(state.missing_words),
        state=state,
        content=content,
        loss=loss,
        classes=None if pair is None else (pair[0], pair[1]),
        delta=delta,
    )


def _state(content: Mapping[str, Any], terms: Sequence[ModelTerm], levels: Mapping[str, tuple[str, ...]]) -> State:
    state, missing = _dict(content["state"], "state"), _dict(content["missing"], "missing")
    iteration, weights = state["iteration"], content["weights"]
    if isinstance(iteration, bool) or not isinstance(iteration, int) or iteration < 0:
        raise ValueError("iteration is not a count")
    checked = State(
        terms=tuple((term.column, term.level) for term in terms),
        center=numbers(state["center"], "center"),
        scale=numbers(state["scale"], "scale"),
        target_scale=number(state["target_scale"], "target_scale"),
        theta=numbers(state["theta"], "theta"),
        iteration=iteration,
        optimizer=tuple(numbers(memory, "optimizer") for memory in _list(state["optimizer"], "optimizer")),
        levels=levels,
        missing_words=words(missing["words"], "missing words"),
        missing=_text(missing["policy"], "missing policy"),
        weights=None if weights is None else _text(weights, "weights"),
        csv=said_of(content.get("csv", {})),
        means={name: number(mean, "a mean") for name, mean in _dict(missing.get("means", {}), "means").items()},
        dates=dates_of(content, levels),
    )
    if checked.missing == "mean" and set(checked.means) != {term.column for term in terms if term.level is None}:
        raise ValueError("the means do not fit the terms")
    if not len(checked.center) == len(checked.scale) == len(terms):
        raise ValueError("the state does not fit the terms")
    if min(*checked.scale, checked.target_scale, 1.0) <= 0:
        raise ValueError("a scale is not above zero")
    return checked


def dates_of(content: Mapping[str, Any], levels: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The spelling of the columns of dates in a model file, by column. Raises ValueError."""
    dates = {name: _text(spelling, "dates") for name, spelling in _dict(content.get("dates", {}), "dates").items()}
    if any(name in levels or not spelling for name, spelling in dates.items()):
        raise ValueError("the dates do not fit the levels")
    return dates


def _term(term: Any) -> ModelTerm:
    found = _dict(term, "a term")
    level = found["level"]
    return ModelTerm(
        _text(found["column"], "a term's column"),
        None if level is None else _text(level, "a term's level"),
        number(found["coefficient"], "a coefficient"),
    )


def _check_levels(terms: Sequence[ModelTerm], levels: Mapping[str, tuple[str, ...]]) -> None:
    known = {name: frozenset(found) for name, found in levels.items()}
    if len({(term.column, term.level) for term in terms}) < len(terms):
        raise ValueError("a term is there twice")
    for term in terms:
        if (term.level is None) == (term.column in known) or (term.level or "") not in known.get(term.column, ("",)):
            raise ValueError(f"the term {quoted(term.column)} does not fit its levels")


def _dict(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not an object")
    return value


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{name} is not a list")
    return value


def _text(value: Any, name: str) -> str:
    return words([value], name)[0]
