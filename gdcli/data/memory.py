"""Memory: how much there is, and whether a table has too many columns for it, before the work begins."""

import contextlib
import os
import re
from functools import cache

from gdcli.base.errors import DataError, UsageError
from gdcli.base.names import quoted
from gdcli.base.patterns import pattern

# Triangles that are in memory at a time while the last one is decomposed; measured on 2,000 columns.
_TRIANGLES = 10

# Of each group: the triangle that grows, the rows that wait for it, and what its fit is made of.
_COPIES = 12

# A block's columns, and the matrix made of them.
_MATRICES = 2

_BYTES = 8

_SIZE = pattern(r"(\d+(?:\.\d+)?) ?([KMGT])?B?", re.IGNORECASE)

_CGROUP_LIMIT, _CGROUP_USED = "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"

_MEMINFO = "/proc/meminfo"


def check_room(source: str, columns: int, rows: int = 0, folds: int = 1) -> None:
    """Raise DataError if the triangles of ``columns`` design columns do not fit into the memory."""
    needed = _BYTES * columns * (_MATRICES * rows + (_TRIANGLES + folds - 1) * columns)
    if needed > memory():
        raise DataError(
            f"{quoted(source)}: {columns:,} columns (each level of a text column is one) need {needed / 1e9:,.0f} GB "
            f"of memory, and there are {memory() / 1e9:,.0f} GB.\nChoose some with --feature, or leave out the largest "
            "with --exclude."
        )


def check_room_for_groups(source: str, columns: int, lanes: int, folds: int = 1) -> None:
    """Raise DataError if a triangle for each group, and for each of its folds, does not fit into the memory."""
    needed = _BYTES * (columns + 1) ** 2 * _COPIES * lanes
    if needed > memory():
        groups = f"{lanes // folds:,} groups" + (f" in {folds} folds" if folds > 1 else "")
        raise DataError(
            f"{quoted(source)}: {groups} of {columns:,} columns need {needed / 1e9:,.0f} GB of memory, and there are "
            f"{memory() / 1e9:,.0f} GB.\nFit fewer columns (-x), or group by another one (--by)."
        )


@cache
def memory() -> int:
    """The bytes of memory that this process may use at most: the machine's, or its control group's limit if smaller."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")] if hasattr(os, "sysconf") else [1 << 62]
    with contextlib.suppress(OSError, ValueError):  # no such group, or "max"
        limits.append(int(_text(_CGROUP_LIMIT)))
    return min(limits)


def available() -> int:
    """The bytes of memory that are free for this process now."""
    free = [memory()]
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = _text(_MEMINFO).splitlines()
        free.append(1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")))
    with contextlib.suppress(OSError, ValueError):  # no such group, or "max"
        free.append(max(0, int(_text(_CGROUP_LIMIT)) - int(_text(_CGROUP_USED))))
    return min(free)


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def size_of(size: int | str) -> int:
    """The bytes of a size such as ``50M`` or ``1.5GB`` (powers of 1000). Raises UsageError for other words."""
    found = _SIZE.fullmatch(str(size).strip())
    if found is None:
        raise UsageError(f"a size of memory is a number with K, M, G or T, such as 500M or 2G, not {quoted(str(size))}")
    return int(float(found[1]) * 1000 ** " KMGT".index((found[2] or " ").upper()))
