"""What the quick parsers leave to the exact one: rows that they are not sure of, such as the header again."""

import math

import numpy as np

from gdcli.data.cells import absent_numbers
from gdcli.data.csv.dialect import Dialect
from gdcli.data.table import Table


class UnsureError(Exception):
    """A quick parser cannot vouch for its reading of this block."""


def without_header(table: Table, dialect: Dialect, missing: frozenset[str]) -> Table:
    """The table, or raise UnsureError if one of its rows may be the header again."""
    if not dialect.header:
        return table
    alike = np.ones(table.rows, dtype=bool)
    absent = absent_numbers(missing, dialect.numbers)
    for name in (*table.text, *table.numeric):
        if not alike.any():
            return table
        if name in dialect.unnamed:
            continue
        if name in table.text:
            column = table.text[name]
            code = column.levels.index(name) if name in column.levels else -1 if name in missing else -2
            alike &= column.codes == code
        else:
            values, value = table.numeric[name], dialect.numbers.value(name)
            if name in missing or value in absent:
                alike &= np.isnan(values)
            else:
                alike &= values == value if value is not None and math.isfinite(value) else np.isinf(values)
    if alike.any():
        raise UnsureError
    return table
