"""File names with wildcards, for shells that were told to leave them alone: ``'sales-2024-*.csv'``."""

import glob
import os
from collections.abc import Sequence
from typing import TypeGuard, TypeVar

from gdcli.data.paths import LONGEST_PATH, is_url, matching_urls
from gdcli.data.stream import STDIN
from gdcli.errors import DataError
from gdcli.text import quoted

T = TypeVar("T")


def matched(items: Sequence[T | str]) -> list[T | str]:
    """Return the items, each path with ``*``, ``?`` or ``[…]`` replaced by the names that it matches, in sorted order.

    A path that exists as it is stands for itself, whatever is in it; what is no path is passed on. Raises DataError for
    a pattern that matches nothing.
    """
    return [name for item in items for name in (_names(os.fspath(item)) if _is_pattern(item) else [item])]


def _is_pattern(item: object) -> TypeGuard[str | os.PathLike[str]]:
    if not isinstance(item, str | os.PathLike):
        return False
    path = os.fspath(item)
    if is_url(path):  # where a question mark parts the query from the address
        return glob.has_magic(path.replace("?", ""))
    return glob.has_magic(path) and not os.path.lexists(path)


def _names(pattern: str) -> list[str]:
    try:
        names = matching_urls(pattern) if is_url(pattern) else sorted(glob.glob(pattern, recursive=True))
    except ValueError:  # a NUL in it
        names = []
    if not names:
        raise DataError(f"cannot read {quoted(pattern, LONGEST_PATH)}: no such file, and none that it matches")
    # A file that is really called so.
    return [os.path.join(os.curdir, name) if name == STDIN else name for name in names]
