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
    # Of most cells their type says all: a call for each is most of the time of a million rows.
    writer.writerows([v if type(v) in _AS_THEY_ARE else _cell(v) for v in row] for row in rows)
    return stream.getvalue()


# Types whose values the writer turns into these very texts; a subclass may have a text of its own.
_AS_THEY_ARE = (str, int)


def _cell(value: Any) -> str:
    if isinstance(value, float):  # NumPy's floats too, whose own repr says np.float64(…)
        return float.__repr__(value) if math.isfinite(value) else ""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
