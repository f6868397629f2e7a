"""Predictions as text, and what the writers of CSV and of JSON lines share."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gdcli.base.errors import DataError
from gdcli.base.names import listed, quoted
from gdcli.data.csv.dialect import Dialect
from gdcli.data.csv.raw_rows import quoted_cell
from gdcli.data.csv.source import CsvSource
from gdcli.data.jsonl.source import JsonLinesSource
from gdcli.data.table import Block, Source, Table
from gdcli.engine.arrays import Array

Beside = Callable[[Block, Table, Array], bytes]
"""Writes the rows of a block, of which a table was parsed, with their predictions (n,); NaN is an empty cell."""


def check_same_columns(first: Source, other: Source) -> None:
    """The columns may stand in another order, but must have the same names."""
    if isinstance(first, JsonLinesSource) != isinstance(other, JsonLinesSource):
        json, table = (first, other) if isinstance(first, JsonLinesSource) else (other, first)
        raise DataError(
            f"{quoted(json.name)} is JSON lines and {quoted(table.name)} is not: predict each by a command of its own"
        )
    here, there = Counter(first.names), Counter(other.names)
    if here == there:
        return
    parts = (("lacks", here - there), ("also has", there - here))
    difference = " and ".join(f"{verb} {listed(names, 5)}" for verb, names in parts if names)
    raise DataError(f"{quoted(other.name)} {difference}, unlike {quoted(first.name)}")


def prediction_texts(
    predictions: Array, classes: Sequence[bytes] | None, before: bytes, after: bytes, missing: bytes
) -> list[bytes]:
    """Return each prediction's text between ``before`` and ``after``, and ``missing`` there for a NaN."""
    if classes is None:
        return _numbers(predictions, before, after, missing)
    which = np.where(np.isnan(predictions), 2, predictions >= 0.5).astype(np.intp)
    cells = [before + cell + after for cell in (*classes, missing)]
    return [cells[i] for i in which.tolist()]


def _numbers(predictions: Array, before: bytes, after: bytes, missing: bytes) -> list[bytes]:
    """Return each number's shortest text between ``before`` and ``after``, and ``missing`` there for a NaN.

    The text of the whole list is made and cut at once: half the time of a call of ``repr`` for each number.
    """
    texts = repr(predictions.tolist())[1:-1].encode()
    cut_at = after + b"\0" + before
    whole = before + texts.replace(b", ", cut_at) + after
    if b"nan" in texts:
        # Numbers hold no letter but the e of their exponent.
        whole = whole.replace(before + b"nan" + after, before + missing + after)
    return whole.split(b"\0")


def alternating(rows: list[bytes], texts: list[bytes]) -> bytes:
    parts = [b""] * (2 * len(rows))
    parts[0::2], parts[1::2] = rows, texts
    return b"".join(parts)


def line_end(source: CsvSource) -> bytes:
    line = source.header.line
    return line[len(line.rstrip(b"\r\n")) :] or source.dialect.newline


def text_cell(text: str, dialect: Dialect) -> bytes:
    return quoted_cell(text.encode("utf-8", "replace"), dialect)


def cell(value: Any, dialect: Dialect) -> bytes:
    """Return a value as a cell: a float by its shortest text, nothing for a missing one."""
    return b"" if value is None or value != value else text_cell(str(value), dialect)
