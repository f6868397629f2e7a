"""CSV and TSV text: the one writer of all results that are rows of cells.

Numbers round-trip (Python's shortest repr). What does not exist is an empty cell; NaN and infinity do not exist.
"""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any, TextIO


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


def as_delimited(header: Sequence[str], rows: Iterable[Sequence[Any]], separator: str) -> str:
    """The text of a header and its rows: texts as they are, numbers and truth values by their texts."""
    stream = io.StringIO()
    writer = row_writer(stream, separator)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return stream.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    # NumPy's floats too, whose own repr says np.float64(…).
    return float.__repr__(value) if isinstance(value, float) else str(value)
