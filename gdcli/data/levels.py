"""Levels that a report can show: neither too many of them nor too long."""

import re
from collections.abc import Mapping

import numpy as np

from gdcli.data.table import Block, Table
from gdcli.errors import CellError
from gdcli.text import quoted, shell_word

# Characters of a column's name or of a level: either stands in every table of the report.
LONGEST_NAME = 1000
_DATE = r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?([T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}([T ].*)?|\d{1,2}:\d{2}.*"


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


def too_many_levels(source: str, wide: Mapping[str, list[str]], rows: int | None) -> str:
    """Word the error of text columns that have too many levels."""
    parts = []
    for name, levels in wide.items():
        if sum(re.fullmatch(_DATE, level) is not None for level in levels[:100]) > len(levels[:100]) // 2:
            kind = "looks like dates or times"
        elif rows is not None and len(levels) > rows // 2:
            kind = "looks like an identifier"
        else:
            kind = "looks like an identifier or free text"
        parts.append(f"column {quoted(name)} has {len(levels)} different texts ({kind})")
    leave_out = " ".join(f"--exclude {shell_word(name)}" for name in wide)
    most = max(len(levels) for levels in wide.values())
    return (
        f"{quoted(source)}: {'; '.join(parts)}.\n"
        f"Leave {'it' if len(wide) == 1 else 'them'} out with {leave_out}, or allow more with --max-levels {most}."
    )
