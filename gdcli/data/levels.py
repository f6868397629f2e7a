"""Levels that a report can show: neither too many of them nor too long."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from gdcli.data.table import Block, Table
from gdcli.errors import CellError
from gdcli.text import quoted, shell_word

# Characters of a column's name or of a level: either stands in every table of the report.
LONGEST_NAME = 1000


def check_lengths(table: Table, block: Block) -> None:
    """Raise CellError where a text is too long to tell rows apart by it in a report."""
    for name, column in table.text.items():
        for i, level in enumerate(column.levels):
            if len(level) > LONGEST_NAME:
                row = int(np.argmax(column.codes == i))
                raise CellError(
                    f"{block.where(row)}, column {quoted(name)}: {too_long(level)} for a level; shorten it, or "
                    f"leave the column out with --exclude {shell_word(name)}"
                )


def too_long(text: str) -> str:
    """Say that a text is too long, of which the use is to follow."""
    return f"{quoted(text, 20)}, of {len(text):,} characters, is too long (more than {LONGEST_NAME:,})"


def too_many_levels(source: str, wide: Mapping[str, Sequence[str]], rows: int | None) -> str:
    """Word what is wrong with text columns of too many levels."""
    parts = []
    for name, levels in wide.items():
        kind = "looks like an identifier"
        if rows is None or 2 * len(levels) <= rows:
            kind += " or free text"
        parts.append(f"column {quoted(name)} has {len(levels)} different texts ({kind})")
    return f"{quoted(source)}: {'; '.join(parts)}"


def left_out(wide: Iterable[str]) -> str:
    """Word the advice to leave columns out."""
    leave_out = " ".join(f"--exclude {shell_word(name)}" for name in wide)
    return f"leave out what is no category with {leave_out}, or allow more with --max-levels"
