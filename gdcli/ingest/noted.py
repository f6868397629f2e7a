"""The dataset that a fit begins with: read, its gaps told, its polynomials orthogonal."""

from collections.abc import Sequence

from gdcli.base.listener import Listener
from gdcli.data.columns import ColumnOptions
from gdcli.ingest.counts import tell_gaps
from gdcli.ingest.read import Dataset, InputData, ReadOptions, read


def read_noted(data: Sequence[InputData], columns: ColumnOptions, options: ReadOptions, listener: Listener) -> Dataset:
    """The dataset of all inputs for a fit; the listener is told how many rows were dropped and cells filled."""
    reading = read(data, columns, options, listener)
    tell_gaps(reading.reduced.rows, reading.design, listener)
    if not reading.design.computed:
        return reading
    from gdcli.ingest.orthogonal import with_orthogonal

    return with_orthogonal(reading)
