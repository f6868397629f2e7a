"""The fitted model and its predictions: one set of coefficients, or one for each group of rows."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gdcli.base.records import field, record
from gdcli.data.expressions.computed import Computed
from gdcli.data.group_keys import Key
from gdcli.engine.arrays import NDArray
from gdcli.engine.catalog import SQUARED
from gdcli.engine.column import MISSING, Column
from gdcli.models.inputs_of_model import input_columns, read_terms_of

if TYPE_CHECKING:
    import numpy as np

    from gdcli.data.table import Block, Coded, Table
    from gdcli.engine.arrays import Array
    from gdcli.engine.inference import RowSpread
    from gdcli.engine.losses.contract import Loss

# The place of the only coefficients of a model without groups.
ALONE: Mapping[Key, int] = {(): 0}


@record
class Effect:
    """The effect of a column on a prediction: either ``slope`` or ``by_level`` is given, the other is None.

    ``slope`` is multiplied by the column's number. ``by_level`` maps each level of a text to what it adds (in an
    interaction, to the factor of its numbers). A row whose text is not in ``by_level`` has no prediction.
    """

    column: str
    slope: float | None
    by_level: Mapping[str, float] | None


@record(eq=False)
class Model:
    """A fitted model, with coefficients for each group of the columns ``by``; without these there is one group, ().

    ``place`` is a group's row in ``intercepts`` (g,), which are 0 if the fit had none, in ``slopes`` (g, p) over
    ``terms``, in ``parameters`` (g,) of the loss, None if it has none, and in ``means`` (g, p), which fill missing
    numbers, None if rows with missing cells have no prediction. ``levels`` lists all levels of each text column; one
    that only its own group lacks adds nothing there. ``classes`` are the two of a logistic model, the event last.
    ``csv`` are the options of the fit, the defaults for files read with the model; ``dates`` spells columns of dates.
    ``content`` is the whole file, for people and for ``--resume``.
    """

    target: str
    by: tuple[str, ...]
    place: Mapping[Key, int]
    terms: tuple[Column, ...]
    intercepts: "Array"
    slopes: "Array"
    levels: Mapping[str, tuple[str, ...]]
    missing_words: frozenset[str]
    content: Mapping[str, Any]
    has_intercept: bool = True
    means: "Array | None" = None
    dates: Mapping[str, str] = field(default_factory=dict)
    csv: Mapping[str, Any] = field(default_factory=dict)
    computed: Mapping[str, Computed] = field(default_factory=dict)
    loss: str = SQUARED
    classes: tuple[str, str] | None = None
    parameters: "Array | None" = None
    row_spread: "RowSpread | None" = None

    @property
    def fills(self) -> bool:
        """Whether a prediction fills missing cells, numbers by the mean of the rows fitted."""
        return self.means is not None

    def fills_text(self, name: str) -> bool:
        """Whether a missing text of the column is a level of its own, as it was among the rows fitted."""
        return self.fills and MISSING in self.levels[name]

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the terms, each text column once, in the model's order."""
        return tuple(dict.fromkeys([*(term.name for term in self.terms), *self.levels]))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the input columns that a prediction needs, those of the group first."""
        return input_columns((*self.by, *self.features), self.computed)

    @property
    def known_texts(self) -> dict[str, Collection[str]]:
        """The texts that the model knows, by the name of each column of groups or of levels."""
        return {name: {key[j] for key in self.place} for j, name in enumerate(self.by)} | dict(self.levels)

    def effects(self, i: int = 0) -> tuple[Effect, ...]:
        """The effect of each feature in the group at place ``i``, in the order in which a prediction adds them."""
        slopes: dict[str, float] = {}
        by_level = {name: dict.fromkeys(levels, 0.0) for name, levels in self.levels.items()}
        for term, slope in zip(self.terms, self.slopes[i].tolist(), strict=True):
            if term.level is None:
                slopes[term.name] = slope
            else:
                by_level[term.name][term.level] = slope
        return tuple(Effect(name, slopes.get(name), by_level.get(name)) for name in self.features)

    def predict(self, data: Any) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        """The predictions (n,) for the rows of ``data``, of any kind that ``fit`` takes, or an array X (n, p).

        NaN if a value is missing or unknown. Of a logistic model that is the event's probability. Raises DataError.
        """
        import numpy as np

        from gdcli.ingest.given_data import row_blocks

        found = [self.predict_table(self.table(block)) for block in row_blocks(data, self.csv, self.require_columns)]
        return np.concatenate(found) if found else np.empty(0)

    def require_columns(self, names: Sequence[str], source: str, also: Sequence[str] = ()) -> None:
        """Raise DataError if a column that the model needs (or one of ``also``) is missing, or is there twice."""
        from gdcli.data.columns import require_once

        require_once((*self.columns, *input_columns(also, self.computed)), names, source)

    def table(self, block: "Block", also: Sequence[str] = (), text: Sequence[str] = ()) -> "Table":
        """The table of all rows of a block: the model's columns, and the columns that a score needs besides.

        ``also`` are its columns of numbers, ``text`` those of text. Missing cells of the model's columns are filled if
        the fit filled them.
        """
        names, texts = [*self.by, *self.features, *also, *text], [*self.by, *self.levels, *text]
        table = read_terms_of(block, names, texts, self.computed, self.missing_words, self.dates)
        if self.means is None:
            return table
        from gdcli.data.lenient import fill_gaps

        own = _with_unknown(self.means, math.nan)[self.places(table)]
        means = {term.name: own[..., j] for j, term in enumerate(self.terms) if term.level is None}
        return fill_gaps(table, means, [name for name in self.levels if self.fills_text(name)])

    def predict_table(self, table: "Table") -> "Array":
        """The predictions (n,) for parsed rows, NaN for a row without one (or whose sum overflows)."""
        return self.predicted(self.linear(table))

    def predicted(self, z: "Array") -> "Array":
        """The predictions (n,) of the target from z = c + m·x (n,): z itself, probabilities or means."""
        import numpy as np

        from gdcli.engine.losses import LOSSES

        prediction = LOSSES[self.loss].link.inverse(z)
        if prediction is not z:
            prediction[~np.isfinite(prediction)] = np.nan
        return prediction

    def linear(self, table: "Table") -> "Array":
        """The linear prediction c + m·x (n,) for parsed rows, NaN for a row without one (or whose sum overflows).

        c + m₁x₁ + m₂x₂ …, added in this order, as in the exported expressions.
        """
        import numpy as np

        place, slopes = self.places(table), _with_unknown(self.slopes, math.nan)
        prediction = np.full(table.rows, _with_unknown(self.intercepts, math.nan)[place])
        # Two columns more for what levels add that have no coefficient: nothing, or no prediction.
        slopes = np.pad(slopes, ((0, 0), (0, 2)))
        slopes[:, -1] = math.nan
        absent, unknown = len(self.terms), len(self.terms) + 1
        own: dict[str, dict[str | None, int]] = {name: {} for name in self.features}
        for j, term in enumerate(self.terms):
            own[term.name][term.level] = j
        with np.errstate(over="ignore", invalid="ignore"):
            for name in self.features:
                if name not in self.levels:
                    prediction += slopes[place, own[name][None]] * table.numeric[name]
                    continue
                choice: dict[str | None, int] = {**dict.fromkeys(self.levels[name], absent), **own[name]}
                column = table.text[name]
                at = np.array([choice.get(level, unknown) for level in column.levels] + [unknown], dtype=np.intp)
                prediction += slopes[place, at[column.codes]] * table.numeric.get(name, 1.0)
            if not math.isfinite(prediction.sum()):
                prediction[~np.isfinite(prediction)] = np.nan
        return prediction

    def rows_of(self, table: "Table") -> "Array":
        """The values (n, p) of the model's terms for parsed rows; NaN for a missing cell or an unknown level."""
        import numpy as np

        X = np.empty((table.rows, len(self.terms)))
        for j, term in enumerate(self.terms):
            value = table.numeric.get(term.name, 1.0)
            if term.level is not None:
                value = value * _indicator(table.text[term.name], term.level, self.levels[term.name])
            X[:, j] = value
        return X

    def loss_of(self, table: "Table", rows: "NDArray[np.bool_]") -> "Loss":
        """The loss of those parsed rows for which ``rows`` (n,) is true, each with its group's parameter."""
        from gdcli.engine.losses import LOSSES

        kind = LOSSES[self.loss]
        if self.parameters is None or len({*self.parameters.tolist()}) == 1:
            return kind(None if self.parameters is None else float(self.parameters[0]))
        own: Any = _with_unknown(self.parameters, math.nan)[self.places(table)][rows]
        return kind(own)  # its formulas take an array, too

    def missing_by_column(self, table: "Table") -> dict[str, int]:
        """The number of parsed rows in which a column has no value that the model knows, by column without zeros.

        Unknown groups count under the names of the group columns, joined by a comma.
        """
        import numpy as np

        counts = {", ".join(self.by): int(np.count_nonzero(np.less(self.places(table), 0)))} if self.by else {}
        for name in self.features:
            lost = ~np.isfinite(table.numeric.get(name, np.zeros(table.rows)))
            if name in self.levels:
                lost |= np.isnan(_indicator(table.text[name], None, self.levels[name]))
            counts[name] = int(np.count_nonzero(lost))
        return {name: count for name, count in counts.items() if count}

    def places(self, table: "Table") -> "NDArray[np.intp] | int":
        """The place (n,) of each row's group, −1 if the group is unknown; without groups that of the only one."""
        if not self.by:
            return 0
        import numpy as np

        from gdcli.data.group_keys import combined

        by = [table.text[name] for name in self.by]
        whole = np.logical_and.reduce([column.codes >= 0 for column in by])
        places, keys = combined([type(column)(column.codes[whole], column.levels) for column in by])
        found = np.full(table.rows, -1, dtype=np.intp)
        found[whole] = np.array([self.place.get(key, -1) for key in keys], dtype=np.intp)[places]
        return found


def _with_unknown(values: "Array", unknown: float) -> "Array":
    """The values (g, …) of all groups, and one row more, the last, for unknown groups."""
    import numpy as np

    return np.append(values, np.full((1, *values.shape[1:]), unknown), axis=0)


def _indicator(column: "Coded", level: str | None, known: Collection[str]) -> "Array":
    """1.0 (n,) where the column has the level, NaN where it has none that is known, else 0.0."""
    import numpy as np

    known = frozenset(known)
    values = [float(found == level) if found in known else math.nan for found in column.levels]
    indicator: Array = np.array([*values, math.nan])[column.codes]  # the last for code −1
    return indicator
