"""The records that a model file holds, of one fit or of groups, every value that is ever used checked.

A file of one fit has its coefficients in ``terms`` and in ``intercept``, a file of groups in ``groups``; the rest they
share. What a file says besides is for people.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gdcli.base.names import quoted
from gdcli.base.records import field, record
from gdcli.base.schema import from_json, json_number
from gdcli.data.csv.options import said_of
from gdcli.data.expressions.computed import Computed
from gdcli.data.expressions.nodes import PolyTerm
from gdcli.data.expressions.stored import StoredComputed, check_stored_levels, computed_from
from gdcli.engine.catalog import SCALES
from gdcli.engine.column import Column
from gdcli.engine.inference import RowSpread
from gdcli.engine.losses import LOSSES, parameter_keys
from gdcli.engine.losses.contract import Domain, Loss
from gdcli.models.model import Model

MODEL_SCHEMA = "gdfit.model/1"

GROUPS_SCHEMA = "gdfit.groups/1"

_LACKING = "the loss lacks what belongs to it"

# The keys that a file of one fit, or of groups, has to have besides those that all have.
_OF_ONE, _OF_GROUPS = ("intercept", "left_out", "weights", "cost", "descent", "state"), ("by", "groups")


@record
class StoredTerm:
    """A term: of a numeric column (``level`` None), or of the rows where a text column has a level. In a file of one
    fit it has its coefficient, in file units.
    """

    column: str
    level: str | None
    coefficient: float | None = None


@record
class MissingPart:
    """The part on missing cells: the words that mean one, the policy, and the means that fill them."""

    words: tuple[str, ...]
    policy: str
    means: Mapping[str, float] = field(default_factory=dict)


@record
class StoredDescent:
    """The part on the descent that every use of the model needs."""

    scale: str


@record
class StoredPenalty:
    """The weights of the penalty."""

    l2: float
    l1: float


@record
class StoredState:
    """The state of a descent in scaled units: θ and the optimizer's memory, with the scaling if it is known."""

    iteration: int
    theta: tuple[float, ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]
    target_scale: float
    optimizer: tuple[tuple[float, ...], ...]


@record
class StoredGroup:
    """The coefficients of a group, over all terms, and the end of its descent.

    ``theta``, and the ``optimizer``'s memory that belongs to it, are there if it has any; ``parameter`` is the loss's.
    """

    group: tuple[str, ...]
    intercept: float | None
    coefficients: tuple[float, ...]
    means: tuple[float, ...] | None = None
    cost: float | None = None
    iterations: int = 0
    learning_rate: float | None = None
    optimizer: tuple[tuple[float, ...], ...] = ()
    theta: tuple[float, ...] = ()
    parameter: float | None = None


@record
class StoredModel:
    """The fields that are read. Those with a default are missing in older files, or in files of one kind."""

    loss: str
    target: str
    terms: tuple[StoredTerm, ...]
    levels: Mapping[str, tuple[str, ...]]
    missing: MissingPart
    by: tuple[str, ...] = ()
    groups: tuple[StoredGroup, ...] = ()
    intercept: float | None = None
    left_out: tuple[str, ...] = ()
    weights: str | None = None
    cost: float | None = None
    descent: StoredDescent | None = None
    state: StoredState | None = None
    classes: tuple[str, str] | None = None
    dates: Mapping[str, str] = field(default_factory=dict)
    csv: Any = field(default_factory=dict)
    penalty: StoredPenalty | None = None
    learning_rate: Mapping[str, Any] | None = None
    computed: tuple[StoredComputed, ...] = ()
    row_spread: RowSpread | None = None


def checked_model(content: Mapping[str, Any]) -> Model:
    """The model of a file's content. Raises ValueError, OverflowError."""
    import numpy as np

    stored = from_json(StoredModel, content)
    terms = tuple(Column(term.column, term.level) for term in stored.terms)
    loss = _known_loss(stored.loss, stored.classes)
    _check_terms(terms, stored.levels)
    _check_rest(stored)
    groups = groups_of(stored, content)
    shape, fills = (len(groups), len(terms)), stored.missing.policy == "mean"
    if any(len(one.coefficients) != len(terms) for one in groups):
        raise ValueError("the coefficients do not fit the terms")
    if fills and any(one.means is None or len(one.means) != len(terms) for one in groups):
        raise ValueError("the means do not fit the terms")
    common = _parameter(content, loss)
    own = [common if one.parameter is None else one.parameter for one in groups]
    return Model(
        target=stored.target,
        by=stored.by,
        place={one.group: i for i, one in enumerate(groups)},
        terms=terms,
        intercepts=np.array([one.intercept or 0.0 for one in groups]),
        slopes=np.array([one.coefficients for one in groups]).reshape(shape),
        levels=stored.levels,
        missing_words=frozenset(stored.missing.words),
        content=content,
        has_intercept=any(one.intercept is not None for one in groups),
        means=np.array([one.means for one in groups]).reshape(shape) if fills else None,
        dates=stored.dates,
        csv=said_of(stored.csv),
        computed=_computed_terms(stored, terms),
        loss=stored.loss,
        classes=stored.classes,
        parameters=None if common is None else np.array(own),
        row_spread=stored.row_spread,
    )


def groups_of(stored: StoredModel, content: Mapping[str, Any]) -> tuple[StoredGroup, ...]:
    """The groups in a file's ``content``; the fit of all rows is one, with the key (). Raises ValueError."""
    grouped = content.get("schema") == GROUPS_SCHEMA
    for key in _OF_GROUPS if grouped else _OF_ONE:
        if key not in content:
            raise ValueError(f"'{key}' is missing")
    if not grouped:
        return (_only_group(stored),)
    by, groups = stored.by, stored.groups
    if not by or not groups or any(len(one.group) != len(by) for one in groups):
        raise ValueError("the groups do not fit their columns")
    if len({one.group for one in groups}) < len(groups):
        raise ValueError("a group is there twice")
    if set(by) & {*(term.column for term in stored.terms), *stored.levels}:
        raise ValueError("a column of the groups is a term, too")
    return groups


def _only_group(stored: StoredModel) -> StoredGroup:
    """The coefficients of a file of one fit as those of a group."""
    state, terms, means = stored.state, stored.terms, stored.missing.means
    if stored.by or stored.groups:
        raise ValueError("one fit has no groups")
    if state is None or stored.descent is None or stored.cost is None:
        raise ValueError("the end of the descent is not there")
    if len(state.theta) != len(terms) + (stored.intercept is not None):
        raise ValueError("the state does not fit the terms")
    if not len(state.center) == len(state.scale) == len(terms):
        raise ValueError("the state does not fit the terms")
    if min(*state.scale, state.target_scale, 1.0) <= 0:
        raise ValueError("a scale is not above zero")
    if stored.missing.policy == "mean" and set(means) != {term.column for term in terms if term.level is None}:
        raise ValueError("the means do not fit the terms")
    slopes = tuple(term.coefficient for term in terms if term.coefficient is not None)
    if len(slopes) < len(terms):
        raise ValueError("a term has no coefficient")
    return StoredGroup(
        (),
        stored.intercept,
        slopes,
        tuple(means.get(term.column, 0.0) for term in terms),
        stored.cost,
        state.iteration,
        None,
        state.optimizer,
        state.theta,
    )


def _check_rest(stored: StoredModel) -> None:
    """Raise ValueError if a part that not every use of the model needs is wrong."""
    if stored.descent is not None and stored.descent.scale not in SCALES:
        raise ValueError(f"there is no scale {quoted(stored.descent.scale)}")
    if stored.penalty is not None and min(stored.penalty.l2, stored.penalty.l1) < 0:
        raise ValueError("the penalty is below zero")
    if any(name in stored.levels or not spelling for name, spelling in stored.dates.items()):
        raise ValueError("the dates do not fit the levels")
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


def _known_loss(name: str, classes: tuple[str, str] | None) -> type[Loss]:
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


def _parameter(content: Mapping[str, Any], loss: type[Loss]) -> float | None:
    """The parameter of a model's loss; None if the loss takes none. Raises ValueError if one is missing or wrong."""
    form, given = loss.parameter_form, {key: content.get(key) for key in parameter_keys()}
    if {key for key, value in given.items() if value is not None} != (set() if form is None else {form.key}):
        raise ValueError(_LACKING)
    if form is None:
        return None
    of_groups = [one["parameter"] for one in content.get("groups", ()) if one.get("parameter") is not None]
    numbers = [json_number(value, form.key) for value in (given[form.key], *of_groups)]
    if not all(0 < number < form.limit for number in numbers):
        raise ValueError(f"{form.key} is not {form.wanted}")
    return numbers[0]


def _check_terms(terms: Sequence[Column], levels: Mapping[str, tuple[str, ...]]) -> None:
    """Raise ValueError if a term is there twice, or its level is unknown among its column's."""
    known = {name: frozenset(found) for name, found in levels.items()}
    if len(set(terms)) < len(terms):
        raise ValueError("a term is there twice")
    for column, level in terms:
        if (level is None) == (column in known) or (level or "") not in known.get(column, ("",)):
            raise ValueError(f"the term {quoted(column)} does not fit its levels")


def _computed_terms(stored: StoredModel, terms: Iterable[Column]) -> dict[str, Computed]:
    """The computed terms by name. Raises ValueError if they do not fit the terms or the target."""
    found = computed_from(stored.computed)
    with_levels = {column for column, level in terms if level is not None}
    without = {column for column, level in terms if level is None}
    for name, term in found.items():
        if name in (without if term.categories else with_levels) or (name == stored.target and term.categories):
            raise ValueError(f"the computed term {quoted(name)} does not fit its levels")
        if isinstance(term.numbers, PolyTerm) and not term.numbers.coefficients:
            raise ValueError(f"the polynomial of {quoted(name)} lacks its coefficients")
        check_stored_levels(term, stored.levels.get(name, ()))
    return found
