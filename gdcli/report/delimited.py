"""CSV and TSV text: the one writer of all results that are rows of cells.

Numbers round-trip (Python's shortest repr). What does not exist is an empty cell; NaN and infinity do not exist.
"""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from itertools import islice
from types import NoneType
from typing import Any, TextIO

# Rows whose texts are made at once, a column after the other: several for each call, and few enough for the cache.
_AT_ONCE = 4096


class _UnixLines:
    """A stream whose lines end with LF alone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> int:
        return self._stream.write(line.removesuffix("\r\n") + "\n")


def row_writer(stream: TextIO, separator: str) -> Any:
    """A ``csv.writer`` of rows that end in LF. (With ``lineterminator="\\n"`` Python before 3.13 leaves a CR in
    a name without quotes, which other programs take for the end of the row.)
    """
    return csv.writer(_UnixLines(stream), delimiter=separator)


def as_delimited(header: Sequence[str], columns: Sequence[Iterable[Any]], separator: str) -> str:
    """The text of a header and of the columns under it, two or more: texts as they are, numbers and truth values by
    their texts.
    """
    remaining = [iter(column) for column in columns]
    parts = [_lines([[name] for name in header], separator)]
    while any(some := [list(islice(column, _AT_ONCE)) for column in remaining]):
        parts.append(_lines(some, separator))
    return "".join(parts)


def _lines(columns: Sequence[Sequence[Any]], separator: str) -> str:
    """The lines of a few rows. All is done column by column, as the cells of a column are of a kind: a call of
    Python's own for each of millions would take longer than all numbers.
    """
    texts = [_texts(column, separator) for column in columns]
    return "\n".join([*map(separator.join, zip(*texts, strict=True)), ""])


def _texts(column: Sequence[Any], separator: str) -> Sequence[str]:
    """The texts of a column's cells, in quotes if need be."""
    kinds = {*map(type, column)}
    if kinds == {int}:
        return [*map(repr, column)]
    if kinds <= {float, NoneType}:
        numbers = ["" if value is None else repr(value) for value in column]
        # The letter n stands in "inf" and "nan", and in no finite number.
        return ["" if "n" in text else text for text in numbers] if "n" in "".join(numbers) else numbers
    texts: Sequence[str] = column if kinds == {str} else [*map(_text, column)]
    together = "".join(texts)
    return [_quoted(text, separator) for text in texts] if any(c in together for c in f'{separator}"\r\n') else texts


def _text(value: Any) -> str:
    if isinstance(value, float):  # NumPy's floats too, whose own repr says np.float64(…)
        return float.__repr__(value) if math.isfinite(value) else ""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quoted(text: str, separator: str) -> str:
    """The text as Python's own writer has it beside another cell."""
    stream = io.StringIO()
    row_writer(stream, separator).writerow([text, ""])
    return stream.getvalue()[: -len(separator) - 1]
