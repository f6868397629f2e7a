"""Whether a table has too many columns for this machine, found before the work begins."""

import contextlib
import os
from functools import cache
from pathlib import Path

from gdcli.errors import DataError
from gdcli.text import quoted

# Triangles that are in memory at a time while the last one is decomposed; measured on 2,000 columns.
_TRIANGLES = 12
# A block's columns, and the matrix made of them.
_MATRICES = 2
_BYTES = 8
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def check_room(source: str, columns: int, rows: int = 0, folds: int = 1) -> None:
    """Raise DataError where so many design columns, in blocks of so many rows, do not fit into the memory."""
    needed = _BYTES * columns * (_MATRICES * rows + (_TRIANGLES + folds - 1) * columns)
    if needed > memory():
        raise DataError(
            f"{quoted(source)}: {columns:,} columns (each level of a text column is one) need {needed / 1e9:,.0f} GB "
            f"of memory, and there are {memory() / 1e9:,.0f} GB.\nChoose some with --feature, or leave out the largest "
            "with --exclude."
        )


@cache
def memory() -> int:
    """Return the bytes of memory that this process may use."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")] if hasattr(os, "sysconf") else [1 << 62]
    with contextlib.suppress(OSError, ValueError):  # no such group, or "max"
        limits.append(int(_CGROUP_LIMIT.read_text()))
    return min(limits)
