"""The plan of one pass: the fold of each row, and the rows that are kept."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gdcli.base.records import record
from gdcli.engine.arrays import Array

if TYPE_CHECKING:
    from gdcli.ingest.row_store import RowStore


@record
class Plan:
    """The rule that gives each row its fold in one pass, and the rows to keep. ``cuts`` divide [0, 1): a row whose draw
    falls into part i, from 0, is in fold i.

    ``points`` rows are kept as a sample: those with the smallest draws. With a ``store`` all rows are kept there. Rows
    of the input ``tested`` draw 1 more than others: a cut at 1 holds out these, and only these.
    """

    seed: int = 0
    cuts: tuple[float, ...] = ()
    points: int = 0
    store: "RowStore | None" = None
    tested: int | None = None

    @property
    def folds(self) -> int:
        """The number of folds; one if there are no cuts."""
        return len(self.cuts) + 1

    def draws(self, file: int, block: int, rows: int) -> Array:
        """The draw of each row of a block (n,)."""
        return draws(self.seed, file, block, rows) + (file == self.tested)


def draws(seed: int, file: int, block: int, rows: int) -> Array:
    """The draws (``rows``,) of all rows of a block: random numbers in [0, 1), which decide on each row's fold.

    A function of (seed, file, block, row) alone, with files, 8 MiB blocks and rows counted from 0:
    ``numpy.random.Generator(numpy.random.Philox(key=seed, counter=[0, 0, block, file])).random(rows)``.
    """
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, block, file])).random(rows)


def fold_of(draw: Array, cuts: Sequence[float]) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    """The fold (n,) of each row, from 0, by its draw (n,)."""
    return np.searchsorted(np.asarray(cuts), draw, side="right")
