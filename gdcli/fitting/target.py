"""The target as a loss takes it: numbers, counts, or two classes, one of them the event."""

from collections.abc import Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, assert_never

import numpy as np

from gdcli.base.errors import DataError
from gdcli.base.names import listed, quoted, shell_word
from gdcli.base.records import record
from gdcli.engine.arrays import Array
from gdcli.engine.column import Column
from gdcli.engine.losses.contract import REST, Domain
from gdcli.engine.triangle import Triangle
from gdcli.fitting.options import FitOptions
from gdcli.ingest.read import Dataset

if TYPE_CHECKING:
    from gdcli.ingest.kept_rows import KeptRows

_MOST_LEVELS = 5


@record
class Target:
    """A target as a loss uses it; ``column`` stands for it in a triangle.

    ``classes`` are the two classes of a logistic fit, the event last, or None. ``event`` and ``other`` are the numbers
    of these classes in the rows, None for a class that is no single number.
    """

    column: Column
    classes: tuple[str, str] | None = None
    event: float | None = None
    other: float | None = None

    def of(self, rows: "KeptRows") -> Array:
        """The target y (n,) of a block's rows; with two classes 1 for the event and 0 for the other."""
        if self.column not in rows.target:  # a level that none of these rows has
            return np.zeros(len(rows.Y))
        y: Array = rows.Y[:, rows.target.index(self.column)]
        if self.event is None or (self.event == 1.0 and self.other == 0.0):
            return y
        event: Array = (y == self.event).astype(np.float64)
        return event


def target_of(reading: Dataset, options: FitOptions) -> Target:
    """The target in the form that the loss uses. Raises DataError for values that the loss cannot use."""
    name, triangle = reading.design.predicted, reading.reduced.triangle
    loss = options.model.loss.kind
    column = Column(name)
    match loss.domain:
        case Domain.NUMBERS | Domain.COUNTS | Domain.POSITIVE:
            lowest = triangle.minimum[[triangle.columns.index(column)]]
            if not loss.domain.contains(lowest).all():
                raise DataError(
                    f"--loss {loss.name} is for {loss.domain.value}: {quoted(name)} goes down to {lowest[0]:g}"
                )
            return Target(column)
        case Domain.CLASSES:
            return _two_classes(reading, triangle, name, options)
    assert_never(loss.domain)


def _two_classes(reading: Dataset, triangle: Triangle, name: str, options: FitOptions) -> Target:
    from gdcli.ingest.kept_rows import ask_all

    found: dict[str, tuple[Column, float | None]]
    if name in reading.design.text:
        found = {column.level or "": (column, None) for column in triangle.columns if column.name == name}
    else:
        at = triangle.columns.index(Column(name))
        values = sorted({float(triangle.minimum[at]), float(triangle.maximum[at])})
        others = ask_all(reading.reduced.groups, partial(_first_other, known=values))
        values = sorted({*values, *chain(*others)})
        found = {f"{value:.17g}": (Column(name), value) for value in values}
    labels = list(found)
    wanted = options.model.event
    if len(labels) > 2 and wanted is not None and (event := _matching(wanted, found)) is not None:
        return Target(found[event][0], (REST.format(event), event), found[event][1])
    if len(labels) != 2:
        what = f"only {quoted(labels[0])}" if len(labels) == 1 else f"also others than {listed(labels[:2])}"
        if len(labels) > 2 and name in reading.design.text:
            what = f"{listed(labels, _MOST_LEVELS)}; --event {shell_word(labels[0])} fits one against the rest"
        raise DataError(f"--loss {options.model.loss.word} needs a target of two values; {quoted(name)} has {what}")
    event = labels[1] if wanted is None else _matching(wanted, found)
    if event is None:
        raise DataError(f"--event: {quoted(name)} is never {quoted(wanted or '')}, but {listed(labels)}")
    other = labels[0] if event == labels[1] else labels[1]
    return Target(found[event][0], (other, event), found[event][1], found[other][1])


def _first_other(blocks: "Sequence[KeptRows]", known: Sequence[float]) -> list[float]:
    """A value of the target that is not known, in a list, or none."""
    for block in blocks:
        y = block.Y[:, 0]
        odd = y[~np.isin(y, known)]
        if len(odd):
            return [float(odd[0])]
    return []


def _matching(wanted: str, found: "dict[str, tuple[Column, float | None]]") -> str | None:
    """The label that a word means: the same text, or the same number in any spelling."""
    for label, (_, value) in found.items():
        if wanted == label or (value is not None and _number(wanted) == value):
            return label
    return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
