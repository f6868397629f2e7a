"""Missing cells filled as a fit with ``--missing mean`` filled its own."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from gdcli.data.table import Coded, Table
from gdcli.engine.triangle import MISSING, Array


def filled(table: Table, means: Mapping[str, Array | float], text: Iterable[str]) -> Table:
    """Return a table whose missing numbers have the mean of their column (one, or each row's own (n,); a NaN fills
    nothing), and whose missing texts in some columns have a level of their own.
    """
    numeric, texts, counts = dict(table.numeric), dict(table.text), {}
    for name, mean in means.items():
        gaps = np.isnan(numeric[name])
        if gaps.any():
            numeric[name] = np.where(gaps, mean, numeric[name])
            counts[name] = int(np.count_nonzero(gaps) - np.count_nonzero(np.isnan(numeric[name])))
    for name in text:
        column = texts[name]
        gaps = column.codes < 0
        if gaps.any():
            codes = column.codes.astype(np.intp)
            codes[gaps] = len(column.levels)
            texts[name] = Coded(codes, (*column.levels, MISSING))
            counts[name] = int(np.count_nonzero(gaps))
    return replace(table, numeric=numeric, text=texts, filled={name: count for name, count in counts.items() if count})
