"""Cells: whether one is a number, and how texts become levels."""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from gdcli.base.errors import CellError
from gdcli.base.names import quoted, shell_word
from gdcli.data.number_format import PLAIN_NUMBERS, NumberFormat
from gdcli.data.table import Block, Coded, Table
from gdcli.engine.arrays import Array, NDArray


def is_number(text: str) -> bool:
    """Whether a cell parses as a number, by the rule of pandas' parser: ASCII digits, no underscores."""
    return PLAIN_NUMBERS.is_number(text)


@lru_cache(maxsize=8)
def absent_numbers(missing: frozenset[str], form: NumberFormat) -> tuple[float, ...]:
    """The numbers among the words for a missing value: a cell that equals one, as -999.0 does -999, is missing."""
    values = [form.value(word) for word in missing]
    return tuple(value for value in values if value is not None and math.isfinite(value))


def parsed(column: Coded, missing: frozenset[str], form: NumberFormat) -> Array:
    """The numbers (n,) in a text column: NaN for a missing cell, +∞ for a text that is no number."""
    absent = absent_numbers(missing, form)
    values = [form.value(level) for level in column.levels]
    lookup = np.array(
        [math.inf if value is None else math.nan if value in absent else value for value in values] + [math.nan]
    )
    numbers: Array = lookup[column.codes]
    return numbers


def stripped(codes: NDArray[np.integer], levels: list[str], missing: frozenset[str]) -> Coded:
    """The text column with the given codes and levels, without blanks around the levels. Levels that are then equal
    become one; cells whose level is then a word for a missing value have the code −1.
    """
    clean = [level.strip() for level in levels]
    if clean == levels and not missing.intersection(levels):
        return Coded(codes, tuple(levels))
    kept = tuple(dict.fromkeys(level for level in clean if level not in missing))
    place = {level: i for i, level in enumerate(kept)}
    lookup = np.array([place.get(level, -1) for level in clean] + [-1])  # the last one for code −1
    return Coded(lookup[codes], kept)


def coded(values: list[str], missing: frozenset[str]) -> Coded:
    """The text column (codes and levels) of a list of texts, one per row."""
    place: dict[str, int] = {}
    codes = np.array([-1 if v in missing else place.setdefault(v, len(place)) for v in values], dtype=np.intp)
    return Coded(codes, tuple(place))


# Characters of a column's name or of a level: either stands in every table of the report.
# Nobody pastes a longer text (characters).
LONGEST_PASTED = 200
LONGEST_NAME = 1000


def check_lengths(table: Table, block: Block) -> None:
    """Raise CellError if a level of a text column is too long to be shown in a report."""
    for name, column in table.text.items():
        if max(map(len, column.levels), default=0) > LONGEST_NAME:
            i, level = next((i, level) for i, level in enumerate(column.levels) if len(level) > LONGEST_NAME)
            row = int(np.argmax(column.codes == i))
            raise CellError(
                f"{block.where(table.place(row))}, column {quoted(name)}: {too_long(level)} for a level; shorten it, "
                f"or leave the column out with --exclude {shell_word(name)}"
            )


def too_long(text: str) -> str:
    """The phrase "'abc…', of 1,234 characters, is too long (more than 1,000)", to be completed with "for a level"."""
    return f"{quoted(text, 20)}, of {len(text):,} characters, is too long (more than {LONGEST_NAME:,})"


def too_many_levels(source: str, wide: Mapping[str, Sequence[str]], rows: int | None) -> str:
    """The message about text columns with too many levels, without advice. ``wide`` holds the levels by column."""
    parts = []
    for name, levels in wide.items():
        kind = "looks like an identifier"
        if rows is None or 2 * len(levels) <= rows:
            kind += " or free text"
        parts.append(f"column {quoted(name)} has {len(levels)} different texts ({kind})")
    return f"{quoted(source)}: {'; '.join(parts)}"


def left_out_levels(wide: Iterable[str]) -> str:
    """The advice to leave out columns with --exclude, or to allow more levels with --max-levels."""
    leave_out = " ".join(f"--exclude {shell_word(name)}" for name in wide)
    return f"leave out what is no category with {leave_out}, or allow more with --max-levels"


def missing_option(cell: str) -> str:
    """The option ``--na CELL``, by which a text means a missing value; ``--on-bad-row skip`` if it is too long."""
    return f"--na {shell_word(cell)}" if len(cell) <= LONGEST_PASTED else "--on-bad-row skip"
