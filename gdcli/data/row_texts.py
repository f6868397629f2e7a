"""Predictions as text, and what the writers of CSV and of JSON lines share."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from gdcli.base.errors import DataError
from gdcli.base.names import listed, quoted
from gdcli.data.csv.dialect import Dialect
from gdcli.data.csv.raw_rows import quoted_cell
from gdcli.data.source import Source
from gdcli.engine.arrays import Array


def check_new_columns(source: Source, columns: Sequence[str]) -> None:
    """Raise DataError if the source already has one of the ``columns`` that predictions are to be written to."""
    for column in source.names:
        if column not in columns:
            continue
        raise DataError(f"{quoted(source.name)} has a column {quoted(column)} already; name another with --column")


def check_same_columns(first: Source, other: Source) -> None:
    """Raise DataError unless both sources have the same column names, in any order, and are written in one form."""
    if first.written_as != other.written_as:
        odd, table = (other, first) if first.written_as == Source.written_as else (first, other)
        raise DataError(
            f"{quoted(odd.name)} is {odd.written_as} and {quoted(table.name)} is not: "
            "predict each by a command of its own"
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
    """The text of each prediction (n,) between ``before`` and ``after``; a NaN is written as ``missing``.

    With ``classes`` predictions are probabilities of the second class, and the likelier class is the text.
    """
    if classes is None:
        return _numbers(predictions, before, after, missing)
    which = np.where(np.isnan(predictions), 2, predictions >= 0.5).astype(np.intp)
    cells = [before + cell + after for cell in (*classes, missing)]
    return [cells[i] for i in which.tolist()]


def prediction_cells(
    predictions: Array, classes: Sequence[bytes] | None, before: Sequence[bytes], after: bytes, missing: bytes
) -> list[bytes]:
    """The n texts of predictions (n,) or (n, k), one per row. Each of the k cells has its ``before`` in front of it;
    ``after`` ends the row.
    """
    if predictions.ndim == 1:
        return prediction_texts(predictions, classes, before[0], after, missing)
    last = predictions.shape[1] - 1
    cells = [
        prediction_texts(predictions[:, j], classes, start, after if j == last else b"", missing)
        for j, start in enumerate(before)
    ]
    return [b"".join(row) for row in zip(*cells, strict=True)]


def _numbers(predictions: Array, before: bytes, after: bytes, missing: bytes) -> list[bytes]:
    """Each number's shortest text between ``before`` and ``after``; ``missing`` between them for a NaN.

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
    """The rows as one text, each followed by its own of the ``texts``."""
    parts = [b""] * (2 * len(rows))
    parts[0::2], parts[1::2] = rows, texts
    return b"".join(parts)


def text_cell(text: str, dialect: Dialect) -> bytes:
    """A text as a CSV cell in UTF-8, in quotes if it needs them."""
    return quoted_cell(text.encode("utf-8", "replace"), dialect)


def cell(value: Any, dialect: Dialect) -> bytes:
    """A value as a CSV cell: a float by its shortest text, b"" for None or NaN."""
    return b"" if value is None or value != value else text_cell(str(value), dialect)
