"""The model of many groups as readable JSON, and its predictions: each row by the coefficients of its group.

A row of a group that the model does not know has no prediction, nor has one with a level that no group had. A level
that only its own group lacks adds nothing there, like the group's reference level.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.base.records import field, record
from gdcli.base.schema import from_json, readable, to_json
from gdcli.data.csv.options import said_of
from gdcli.data.expressions.computed import Computed
from gdcli.data.expressions.stored import StoredComputed, computed_as_json
from gdcli.data.group_keys import Key, combined
from gdcli.engine.catalog import SQUARED
from gdcli.engine.column import MISSING
from gdcli.engine.losses import parameters_as_json
from gdcli.fitting.group_results import GroupFits
from gdcli.models.inputs_of_model import input_columns, read_terms_of
from gdcli.models.model import Effect, MissingPart, Model, check_dates, check_terms, computed_of_model, predicted_by
from gdcli.models.model_file import known_loss, loss_parameter, model_of, read_content

if TYPE_CHECKING:
    import os

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from gdcli.data.table import Block, Table
    from gdcli.engine.arrays import Array
    from gdcli.engine.column import Column
    from gdcli.fitting.start import GroupStart

GROUPS_SCHEMA = "gdfit.groups/1"


@record(eq=False)
class GroupModel:
    """``place`` is a group's row in ``slopes`` (g, p), which are over ``terms``, and in ``intercepts`` (g,).

    ``levels`` lists all levels of each text column, of all groups. ``means`` (g, p) fill the missing cells of numeric
    columns, None if rows with missing cells have no prediction.
    """

    target: str
    by: tuple[str, ...]
    terms: "tuple[Column, ...]"
    levels: Mapping[str, tuple[str, ...]]
    missing_words: frozenset[str]
    place: Mapping[Key, int]
    intercepts: "Array"
    slopes: "Array"
    means: "Array | None" = None
    dates: Mapping[str, str] = field(default_factory=dict)
    csv: Mapping[str, Any] = field(default_factory=dict)
    computed: Mapping[str, Computed] = field(default_factory=dict)
    loss: str = SQUARED
    classes: tuple[str, str] | None = None
    parameter: float | None = None
    has_intercept: bool = True
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the group columns, then of the terms, then of the text columns; each once."""
        return tuple(dict.fromkeys([*self.by, *(term.name for term in self.terms), *self.levels]))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the input columns that a prediction needs, those of the group first."""
        return input_columns(self.features, self.computed)

    @property
    def effects(self) -> tuple[Effect, ...]:
        """An Effect, whose numbers are 0, for each group and text column: its levels are the known texts."""
        texts = {name: [key[j] for key in self.place] for j, name in enumerate(self.by)} | dict(self.levels)
        return tuple(Effect(name, None, dict.fromkeys(found, 0.0)) for name, found in texts.items())

    def require_columns(self, names: Sequence[str], source: str, also: Sequence[str] = ()) -> None:
        """Raise DataError if a column that the model needs (or one of ``also``) is missing, or is there twice."""
        from gdcli.data.columns import require_once

        require_once((*self.columns, *input_columns(also, self.computed)), names, source)

    def table(self, block: "Block", also: Sequence[str] = (), text: Sequence[str] = ()) -> "Table":
        """The table of a block's rows: the model's columns, and those that a score needs ``also`` (``text``: as text).

        Missing cells of the model's columns are filled if the fit filled them.
        """
        names, texts = [*self.features, *also, *text], [*self.by, *self.levels, *text]
        table = read_terms_of(block, names, texts, self.computed, self.missing_words, self.dates)
        if self.means is None:
            return table
        import numpy as np

        from gdcli.data.lenient import fill_gaps

        own = np.append(self.means, np.full((1, len(self.terms)), math.nan), axis=0)[self._places(table)]
        means = {term.name: own[:, j] for j, term in enumerate(self.terms) if term.level is None}
        return fill_gaps(table, means, [name for name, levels in self.levels.items() if MISSING in levels])

    def predict(self, frame: "pd.DataFrame") -> "Array":
        """The predictions (n,) for the rows of a DataFrame, as :meth:`Model.predict`; NaN too for an unknown group."""
        import numpy as np

        from gdcli.data.data_frame import FrameSource

        source = FrameSource(frame)
        self.require_columns(source.names, source.name)
        found = [self.predict_table(self.table(block)) for block in source.blocks()]
        return np.concatenate(found) if found else np.empty(0)

    def predict_table(self, table: "Table") -> "Array":
        """The predictions (n,) for parsed rows, NaN for a row without one."""
        return self.predicted(self.linear(table))

    def predicted(self, z: "Array") -> "Array":
        """The predictions (n,) of the target from the linear ones z: see :class:`Model`."""
        return predicted_by(self.loss, z)

    def linear(self, table: "Table") -> "Array":
        """The linear prediction c + m·x (n,) by each row's group, NaN for a row without one."""
        import numpy as np

        place = self._places(table)
        # The last row is that of unknown groups, the last column that of levels without a coefficient.
        slopes = np.pad(self.slopes, ((0, 1), (0, 1)))
        prediction = np.append(self.intercepts, math.nan)[place]
        with np.errstate(over="ignore", invalid="ignore"):
            for j, term in enumerate(self.terms):
                if term.level is None:
                    prediction += slopes[place, j] * table.numeric[term.name]
            for name, known in self.levels.items():
                own = {term.level: j for j, term in enumerate(self.terms) if term.name == name}
                found = table.text[name]
                term_of = np.array([own.get(level, -1) for level in found.levels] + [-1], dtype=np.intp)
                unknown = np.array([level not in known for level in found.levels] + [True])
                added = np.where(unknown[found.codes], math.nan, slopes[place, term_of[found.codes]])
                prediction += added * table.numeric.get(name, 1.0)
            prediction[~np.isfinite(prediction)] = math.nan
        return prediction

    def missing_by_column(self, table: "Table") -> dict[str, int]:
        """The number of parsed rows in which a column has no value that the model knows, by column without zeros.

        Unknown groups count under the names of the group columns, joined by a comma.
        """
        import numpy as np

        counts = {", ".join(self.by): int(np.count_nonzero(self._places(table) < 0))}
        for name, known in self.levels.items():
            found = table.text[name]
            unknown = np.array([level not in known for level in found.levels] + [True])
            lost = unknown[found.codes] | ~np.isfinite(table.numeric.get(name, np.zeros(table.rows)))
            counts[name] = int(np.count_nonzero(lost))
        numeric = [term.name for term in self.terms if term.level is None]
        counts |= {name: int(np.count_nonzero(~np.isfinite(table.numeric[name]))) for name in numeric}
        return {name: count for name, count in counts.items() if count}

    def _places(self, table: "Table") -> "NDArray[np.intp]":
        """The place (n,) of each row's group, −1 if the group is unknown."""
        import numpy as np

        by = [table.text[name] for name in self.by]
        whole = np.logical_and.reduce([column.codes >= 0 for column in by])
        places, keys = combined([type(column)(column.codes[whole], column.levels) for column in by])
        found = np.full(table.rows, -1, dtype=np.intp)
        found[whole] = np.array([self.place.get(key, -1) for key in keys], dtype=np.intp)[places]
        return found


AnyModel = Model | GroupModel


@record
class StoredTerm:
    """A term in a file of many groups: it has a coefficient in each group."""

    column: str
    level: str | None


@record
class StoredGroup:
    """A group's texts and coefficients in a file."""

    group: tuple[str, ...]
    intercept: float | None
    coefficients: tuple[float, ...]
    means: tuple[float, ...] | None = None


@record
class StoredGroups:
    """The fields of a file of many groups that are read; the rest is for people."""

    loss: str
    target: str
    by: tuple[str, ...]
    terms: tuple[StoredTerm, ...]
    levels: Mapping[str, tuple[str, ...]]
    missing: MissingPart
    groups: tuple[StoredGroup, ...]
    dates: Mapping[str, str] = field(default_factory=dict)
    csv: Any = field(default_factory=dict)
    classes: tuple[str, str] | None = None
    computed: tuple[StoredComputed, ...] = ()


def groups_model_as_json(fits: GroupFits) -> str:
    """The model of all groups that have a fit, as JSON text; no descent may have diverged."""
    if fits.diverged:
        raise ValueError("a fit that diverged is no model")
    groups = [
        {
            "group": key,
            "rows": int(fits.count[i]),
            "intercept": float(fits.intercepts[i]) if fits.intercept else None,
            "coefficients": fits.slopes[i].tolist(),
            "cost": float(fits.cost[i]),
            "iterations": _iterations(fits, i),
            "learning_rate": float(fits.rate[i]),
        }
        | _memory(fits, i)
        | ({} if fits.means is None else {"means": fits.means[i].tolist()})
        for i, key in enumerate(fits.groups)
        if math.isfinite(fits.intercepts[i])
    ]
    return readable(
        to_json(
            {
                "schema": GROUPS_SCHEMA,
                "version": fits.version,
                "files": fits.files,
                "target": fits.target,
                "loss": fits.loss,
                "classes": fits.classes,
                **parameters_as_json(fits.loss, fits.parameter),
                "by": fits.by,
                "terms": [StoredTerm(term.name, term.level) for term in fits.terms],
                "levels": fits.levels,
                "left_out": fits.left_out,
                "missing": {"policy": fits.missing, "words": fits.missing_words},
                "dates": fits.dates,
                **computed_as_json(fits.computed),
                "csv": fits.csv,
                "weights": fits.weights,
                "rows": fits.rows,
                **_descent(fits),
                "groups": groups,
            }
        )
    )


def _iterations(fits: GroupFits, i: int) -> int:
    """The iterations of a group in all, those before it was resumed among them."""
    own = fits.fits[i] if fits.fits else None
    return int(fits.iterations[i]) if own is None else own.state.iteration


def _memory(fits: GroupFits, i: int) -> dict[str, Any]:
    """The memory of the optimizer of a group, if it has any, and the scaled parameters that belong to it."""
    own = fits.fits[i] if fits.fits else None
    if own is None or not own.state.optimizer:
        return {}
    return {"optimizer": own.state.optimizer, "theta": own.state.theta}


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


def group_starts(path: str) -> "tuple[GroupModel, dict[Key, GroupStart]]":
    """A file's model of groups, and each group's start of a further descent. Raises DataError if it holds none."""
    model = load_model(path)
    if not isinstance(model, GroupModel):
        raise DataError(f"{quoted(path)} holds one model, not one per group: leave out --by to resume it")
    if "descent" not in model.content:
        raise DataError(f"{quoted(path)} does not say how its groups descended, or each has its own penalty: fit anew")
    from gdcli.fitting.start import GroupStart

    starts = {}
    for one in model.content["groups"]:
        try:
            found = from_json(StoredStart, one)
        except ValueError as error:
            raise DataError(f"{quoted(path)} is damaged or was edited by hand: {error}") from None
        slopes = dict(zip(model.terms, found.coefficients, strict=True))
        starts[found.group] = GroupStart(
            slopes,
            found.intercept or 0.0,
            found.optimizer,
            found.theta,
            found.iterations,
            found.learning_rate,
            found.cost,
        )
    return model, starts


@record
class StoredStart:
    """The end of a group's descent in a model file, from which a further descent starts."""

    group: tuple[str, ...]
    intercept: float | None
    coefficients: tuple[float, ...]
    cost: float
    iterations: int
    learning_rate: float
    optimizer: tuple[tuple[float, ...], ...] = ()
    theta: tuple[float, ...] = ()


def load_model(path: "str | os.PathLike[str]") -> AnyModel:
    """Read a model file, of one fit or of groups. Raises DataError if it is neither, or is damaged."""
    name = str(path)
    content = read_content(name)
    if content.get("schema") != GROUPS_SCHEMA:
        return model_of(content, name)
    return group_model_of(content, name)


def group_model_of(content: Mapping[str, Any], name: str) -> GroupModel:
    """The model that a file of groups holds; ``name`` is the file's. Raises DataError if it is damaged."""
    try:
        return _group_model(content)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{quoted(name)} is damaged or was edited by hand: {error}") from None


def _group_model(content: Mapping[str, Any]) -> GroupModel:
    """Check every value that is ever used. Raises ValueError, OverflowError."""
    import numpy as np

    from gdcli.engine.column import Column

    stored = from_json(StoredGroups, content)
    loss = known_loss(stored.loss, stored.classes)
    by, groups, levels = stored.by, stored.groups, stored.levels
    terms = tuple(Column(term.column, term.level) for term in stored.terms)
    check_terms(terms, levels)
    check_dates(stored.dates, levels)
    if not by or not groups or any(len(one.group) != len(by) for one in groups):
        raise ValueError("the groups do not fit their columns")
    if len({one.group for one in groups}) < len(groups):
        raise ValueError("a group is there twice")
    if any(len(one.coefficients) != len(terms) for one in groups):
        raise ValueError("the coefficients do not fit the terms")
    if set(by) & {*(term.name for term in terms), *levels}:
        raise ValueError("a column of the groups is a term, too")
    fills, shape = stored.missing.policy == "mean", (len(groups), len(terms))
    if fills and any(one.means is None or len(one.means) != len(terms) for one in groups):
        raise ValueError("the means do not fit the terms")
    return GroupModel(
        target=stored.target,
        by=by,
        terms=terms,
        levels=levels,
        missing_words=frozenset(stored.missing.words),
        place={one.group: i for i, one in enumerate(groups)},
        intercepts=np.array([one.intercept or 0.0 for one in groups]),
        slopes=np.array([one.coefficients for one in groups]).reshape(shape),
        csv=said_of(stored.csv),
        means=np.array([one.means for one in groups]).reshape(shape) if fills else None,
        dates=stored.dates,
        computed=computed_of_model(stored.computed, terms, levels, stored.target),
        has_intercept=any(one.intercept is not None for one in groups),
        loss=stored.loss,
        classes=stored.classes,
        parameter=loss_parameter(content, loss),
        content=content,
    )
