"""The fitted model as readable JSON, and its predictions.

A model file is data only: reading one checks every value and executes nothing.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gdcli.base.names import quoted
from gdcli.base.records import field, record
from gdcli.data.expressions.computed import Computed
from gdcli.data.expressions.nodes import PolyTerm
from gdcli.data.expressions.stored import StoredComputed, check_stored_levels, computed_from
from gdcli.engine.catalog import SQUARED
from gdcli.engine.column import MISSING
from gdcli.fitting.results import DescentState
from gdcli.models.inputs_of_model import input_columns, read_terms_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from gdcli.data.table import Block, Coded, Table
    from gdcli.engine.arrays import Array
    from gdcli.engine.inference import RowSpread

MODEL_SCHEMA = "gdfit.model/1"


@record
class ModelTerm:
    """A slope in file units: of a numeric column (``level`` None), or of the rows where a text column has a level."""

    column: str
    level: str | None
    coefficient: float


@record
class Effect:
    """The effect of a column on a prediction: either ``slope`` or ``by_level`` is given, the other is None.

    ``slope`` is multiplied by the column's number. ``by_level`` maps each level of a text to what it adds (in an
    interaction, to the factor of its numbers). A row whose text is not in ``by_level`` has no prediction.
    """

    column: str
    slope: float | None
    by_level: Mapping[str, float] | None


@record
class Model:
    """A fitted model. ``intercept`` is 0.0 if the fit had none; ``levels`` lists all levels of each text column.

    ``classes`` are the two of a logistic model, the event last; ``parameter`` is the loss's. ``content`` is the whole
    file, for people and for ``--resume``.
    """

    target: str
    intercept: float
    terms: tuple[ModelTerm, ...]
    levels: Mapping[str, tuple[str, ...]]
    missing_words: frozenset[str]
    state: DescentState
    content: Mapping[str, Any]
    loss: str = SQUARED
    classes: tuple[str, str] | None = None
    parameter: float | None = None
    row_spread: "RowSpread | None" = None

    @property
    def csv(self) -> Mapping[str, Any]:
        """The CSV options of the fit, which are the defaults for files read with the model."""
        return self.state.csv

    @property
    def dates(self) -> Mapping[str, str]:
        """The spelling of dates, such as a format, by the name of the column of dates."""
        return self.state.dates

    @property
    def has_intercept(self) -> bool:
        """Whether the model was fitted with an intercept."""
        return self.content["intercept"] is not None

    @property
    def fills(self) -> bool:
        """Whether a prediction fills missing cells, numbers by the mean of the rows fitted."""
        return self.state.missing == "mean"

    def fills_text(self, name: str) -> bool:
        """Whether a missing text of the column is a level of its own, as it was among the rows fitted."""
        return self.fills and MISSING in self.levels[name]

    @property
    def computed(self) -> Mapping[str, Computed]:
        """The computed terms, and the target if it is computed, by name."""
        return self.state.computed

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the terms, each text column once, in the model's order."""
        return tuple(dict.fromkeys([term.column for term in self.terms] + list(self.levels)))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the input columns that a prediction needs, in the model's order."""
        return input_columns(self.features, self.computed)

    @property
    def effects(self) -> tuple[Effect, ...]:
        """The effect of each feature, in the order in which a prediction adds them."""
        slopes = {term.column: term.coefficient for term in self.terms if term.level is None}
        by_level = {name: dict.fromkeys(levels, 0.0) for name, levels in self.levels.items()}
        for term in self.terms:
            if term.level is not None:
                by_level[term.column][term.level] = term.coefficient
        return tuple(Effect(name, slopes.get(name), by_level.get(name)) for name in self.features)

    def predict(self, frame: "pd.DataFrame") -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        """The predictions (n,) for the rows of a DataFrame; NaN if a value is missing or unknown.

        Of a logistic model that is the event's probability.
        """
        import numpy as np

        from gdcli.data.data_frame import FrameSource

        source = FrameSource(frame)
        self.require_columns(source.names, source.name)
        if not self.columns:
            return self.predicted(np.full(len(frame), self.intercept))
        found = [self.predict_block(block) for block in source.blocks()]
        return np.concatenate(found) if found else np.empty(0)

    def require_columns(self, names: Sequence[str], source: str, also: Sequence[str] = ()) -> None:
        """Raise DataError if a column that the model needs (or one of ``also``) is missing, or is there twice."""
        from gdcli.data.columns import require_once

        require_once((*self.columns, *input_columns(also, self.computed)), names, source)

    def predict_block(self, block: "Block") -> "Array":
        """The predictions (n,) for a block of rows, in the target's units; probabilities if the model is logistic.

        NaN for a row with a cell that is no number, a level that the model does not know, or a missing cell (unless
        the fit filled those); also if the sum overflows.
        """
        return self.predict_table(self.table(block))

    def table(self, block: "Block", also: Sequence[str] = (), text: Sequence[str] = ()) -> "Table":
        """The table of all rows of a block: the model's columns, and the columns that a score needs besides.

        ``also`` are its columns of numbers, ``text`` those of text. Missing cells of the model's columns are filled if
        the fit filled them.
        """
        names, texts = [*self.features, *also, *text], [*self.levels, *text]
        table = read_terms_of(block, names, texts, self.computed, self.missing_words, self.state.dates)
        if not self.fills:
            return table
        from gdcli.data.lenient import fill_gaps

        return fill_gaps(table, self.state.means, [name for name in self.levels if self.fills_text(name)])

    def predict_table(self, table: "Table") -> "Array":
        """The predictions (n,) for parsed rows, NaN for a row without one (or whose sum overflows)."""
        return self.predicted(self.linear(table))

    def predicted(self, z: "Array") -> "Array":
        """The predictions (n,) of the target from z = c + m·x (n,): z itself, probabilities or means."""
        return predicted_by(self.loss, z)

    def linear(self, table: "Table") -> "Array":
        """The linear prediction c + m·x (n,) for parsed rows, NaN for a row without one (or whose sum overflows).

        c + m₁x₁ + m₂x₂ …, added in this order, as in the exported expressions.
        """
        import numpy as np

        prediction = np.full(table.rows, self.intercept)
        with np.errstate(over="ignore", invalid="ignore"):
            for effect in self.effects:
                if effect.slope is not None:
                    prediction += effect.slope * table.numeric[effect.column]
                else:
                    added = _by_level(table.text[effect.column], effect.by_level or {})
                    prediction += added * table.numeric.get(effect.column, 1.0)
            if not math.isfinite(prediction.sum()):
                prediction[~np.isfinite(prediction)] = np.nan
        return prediction

    def rows_of(self, table: "Table") -> "Array":
        """The values (n, p) of the model's terms for parsed rows; NaN for a missing cell or an unknown level."""
        import numpy as np

        X = np.empty((table.rows, len(self.terms)))
        for j, term in enumerate(self.terms):
            value = table.numeric.get(term.column, 1.0)
            X[:, j] = value if term.level is None else value * _by_level(table.text[term.column], self._indicator(term))
        return X

    def _indicator(self, term: ModelTerm) -> Mapping[str, float]:
        return {level: float(level == term.level) for level in self.levels[term.column]}

    def missing_by_column(self, table: "Table") -> dict[str, int]:
        """The number of parsed rows in which a column has no value that the model knows, by column without zeros."""
        import numpy as np

        counts = {}
        for effect in self.effects:
            missing = ~np.isfinite(table.numeric.get(effect.column, np.zeros(table.rows)))
            if effect.by_level is not None:
                missing |= np.isnan(_by_level(table.text[effect.column], effect.by_level))
            counts[effect.column] = int(np.count_nonzero(missing))
        return {name: count for name, count in counts.items() if count}


def predicted_by(loss: str, z: "Array") -> "Array":
    """The predictions (n,) of a model with this loss from the linear ones z (n,): z itself, probabilities or means."""
    import numpy as np

    from gdcli.engine.losses import LOSSES

    prediction = LOSSES[loss].link.inverse(z)
    if prediction is not z:
        prediction[~np.isfinite(prediction)] = np.nan
    return prediction


def _by_level(column: "Coded", by_level: Mapping[str, float]) -> "Array":
    """Each row's value, NaN for a level that is not there."""
    import numpy as np

    values = np.array([by_level.get(level, math.nan) for level in column.levels] + [math.nan])  # the last for code −1
    found: Array = values[column.codes]
    return found


def check_dates(dates: Mapping[str, str], levels: Mapping[str, tuple[str, ...]]) -> None:
    """Raise ValueError if a column of dates is a text column too, or has no spelling."""
    if any(name in levels or not spelling for name, spelling in dates.items()):
        raise ValueError("the dates do not fit the levels")


def check_terms(terms: Sequence[tuple[str, str | None]], levels: Mapping[str, tuple[str, ...]]) -> None:
    """Raise ValueError if a (column, level) pair is there twice, or its level is unknown among its column's."""
    known = {name: frozenset(found) for name, found in levels.items()}
    if len(set(terms)) < len(terms):
        raise ValueError("a term is there twice")
    for column, level in terms:
        if (level is None) == (column in known) or (level or "") not in known.get(column, ("",)):
            raise ValueError(f"the term {quoted(column)} does not fit its levels")


def computed_of_model(
    stored: Iterable[StoredComputed],
    terms: Sequence[tuple[str, str | None]],
    levels: Mapping[str, Sequence[str]],
    target: str,
) -> dict[str, Computed]:
    """The computed terms of a model file, by name. Raises ValueError if they do not fit its terms or its target."""
    found = computed_from(stored)
    with_levels = {column for column, level in terms if level is not None}
    without = {column for column, level in terms if level is None}
    for name, term in found.items():
        if name in (without if term.categories else with_levels) or (name == target and term.categories):
            raise ValueError(f"the computed term {quoted(name)} does not fit its levels")
        if isinstance(term.numbers, PolyTerm) and not term.numbers.coefficients:
            raise ValueError(f"the polynomial of {quoted(name)} lacks its coefficients")
        check_stored_levels(term, levels.get(name, ()))
    return found


@record
class MissingPart:
    """The part of a model file on missing cells: the words that mean one, the policy, and the means that fill them."""

    words: tuple[str, ...]
    policy: str
    means: Mapping[str, float] = field(default_factory=dict)
