"""The columns of a triangle, levels of text columns among them, and their order."""

import math
import re
from collections.abc import Sequence

from gdcli.base.patterns import pattern
from gdcli.base.records import NamedTuple

# The level of cells without a value: a text column's last one; beside a numeric column the indicator of its gaps.
MISSING = "(missing)"

_NUMBER = pattern(r"-?\d{1,300}(\.\d+)?", re.ASCII)


class Column(NamedTuple):
    """A numeric column (``level`` None), or the indicator of one level of a text column (or of a column's gaps)."""

    name: str
    level: str | None = None

    @property
    def label(self) -> str:
        """``sqft``, or ``type[Residential]``."""
        return self.name if self.level is None else f"{self.name}[{self.level}]"


def gaps_among(columns: Sequence[Column]) -> list[tuple[int, int]]:
    """The places (column, indicator) of each numeric column with an indicator of its missing cells."""
    if all(column.level != MISSING for column in columns):
        return []
    place = {column: i for i, column in enumerate(columns)}
    indicators = [(place.get(Column(c.name)), i) for c, i in place.items() if c.level == MISSING]
    return [(column, indicator) for column, indicator in indicators if column is not None]


def sorted_levels(columns: Sequence[Column]) -> list[Column]:
    """The columns ordered by first appearance of their name, and the levels of one name by ``level_order``."""
    order: dict[str, int] = {}
    for column in columns:
        order.setdefault(column.name, len(order))
    return sorted(columns, key=lambda column: (order[column.name], level_order(column.level or "")))


def level_order(level: str) -> tuple[bool, float, str]:
    """The sort key of a level: numbers come first, by size, then texts, then the level of missing cells.

    Missing cells come last because the first level is the reference.
    """
    return level == MISSING, float(level) if _NUMBER.fullmatch(level) else math.inf, level
