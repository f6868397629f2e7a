"""The figures of a summary's columns, from its triangle."""

from collections import Counter

import numpy as np

from gdcli.data.design import Design
from gdcli.engine.column import MISSING
from gdcli.engine.triangle import fill
from gdcli.ingest.figures import Described, Figures
from gdcli.ingest.summary import Summary


def described_summary(summary: Summary, chosen: Design) -> Described:
    """The figures of a design's columns over the rows that the summary stands for, weighted as in the summary."""
    reduced = summary.reduced_for(chosen)
    whole = reduced.triangle
    means = dict(zip(whole.columns, np.asarray(whole.mean, dtype=np.float64).tolist(), strict=True))
    gaps = {whole.columns[indicator] for _, indicator in whole.gaps}
    triangle = fill(whole, [column for column in whole.columns if column not in gaps], means)
    squares = (triangle.R[1:, 1:] ** 2).sum(axis=0) * (triangle.count / triangle.weight)
    norms = np.asarray(np.sqrt(squares), dtype=np.float64)
    mean = np.asarray(triangle.mean, dtype=np.float64)
    columns: dict[str, Figures] = {}
    # Where numbers are multiplied with levels, what a level adds up to counts no rows.
    products = {name for name, term in summary.computed.items() if term.categories and term.numbers is not None}
    for j, column in enumerate(triangle.columns):
        missing = reduced.filled.get(column.name, 0) or reduced.missing.get(column.name, 0)
        if column.level is None:
            columns[column.name] = Figures(
                count=reduced.complete - reduced.filled.get(column.name, 0),
                missing=missing,
                mean=float(mean[j]),
                norm=float(norms[j]),
                minimum=float(triangle.minimum[j]),
                maximum=float(triangle.maximum[j]),
                values=None,
            )
            continue
        if column.name in products:
            columns[column.name] = Figures(count=reduced.complete, missing=missing, values=None)
            continue
        before = columns.get(column.name, Figures(missing=missing))
        cells = round(float(mean[j]) * triangle.count)
        counted = 0 if column.level == MISSING and missing else cells
        values = (before.values or Counter()) + Counter({column.level: counted})
        columns[column.name] = Figures(count=before.count + counted, missing=missing, values=values)
    return Described(reduced.read, reduced.complete, 0, columns)
