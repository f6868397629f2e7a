"""The groups that rows belong to: combinations of the texts of one column or several."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gdcli.data.cells import is_number
from gdcli.data.table import Coded
from gdcli.engine.arrays import NDArray

Key = tuple[str, ...]


def combined(by: Sequence[Coded]) -> tuple[NDArray[np.intp], list[Key]]:
    """The index (n,) of each row's group key in the list of keys, and that list. A key is one level per column.

    No cell may be missing.
    """
    codes = np.zeros(len(by[0].codes), dtype=np.int64)
    for column in by:
        codes = codes * len(column.levels) + column.codes
    present, places = np.unique(codes, return_inverse=True)
    texts: list[list[str]] = []
    for column in reversed(by):
        present, code = np.divmod(present, max(len(column.levels), 1))
        texts.append([column.levels[i] for i in code.tolist()])
    return places, list(zip(*reversed(texts), strict=True))


def in_order(keys: Sequence[Key]) -> list[int]:
    """The indices that sort the keys: by the first column, then the next; columns of numbers by their value."""
    columns = [
        [(float(text), text) for text in column] if all(map(is_number, column)) else column
        for column in zip(*keys, strict=True)
    ]
    ranked: list[Any] = list(zip(*columns, strict=True))
    return sorted(range(len(keys)), key=ranked.__getitem__)
