"""Headers below the first line: the lines on which a table may begin, and its rows then."""

import io
import re
from collections import Counter
from collections.abc import Collection
from itertools import islice

from gdcli.base.records import replace
from gdcli.data.csv.chunks import Chunk
from gdcli.data.csv.dialect import SEPARATORS, Dialect, read_header
from gdcli.data.csv.exact import records
from gdcli.data.csv.options import CsvOptions

# First rows among which a header is looked for.
_MOST_ROWS = 50


def header_lines(chunk: Chunk, dialect: Dialect, names: Collection[str]) -> list[int]:
    """The number of a line that may be the header, alone in a list; empty if there is none.

    It is the first line that has all the names among its cells. Without names it is the first that has as many cells
    as most rows, and more than the header.
    """
    rows = list(islice(records(chunk, dialect), _MOST_ROWS))
    if not dialect.header or not rows:
        return []
    if names:
        marks = f"[{SEPARATORS}]" if len(dialect.names) == 1 else re.escape(dialect.separator)
        split = ((line, {part.strip() for cell in cells for part in re.split(marks, cell)}) for line, cells in rows)
        return [line for line, cells in split if cells.issuperset(names)][:1]
    width = Counter(len(cells) for _, cells in rows).most_common(1)[0][0]
    return [line for line, cells in rows if len(cells) == width > len(dialect.names)][:1]


def rows_below(chunk: Chunk, dialect: Dialect, line: int) -> tuple[Chunk, Dialect] | None:
    """The rows below a header on ``line``, and the dialect read there; None if the line is above the chunk."""
    above = line - chunk.first_line
    if above < 0:
        return None
    text = b"".join(chunk.text.splitlines(keepends=True)[above:])
    options = CsvOptions(
        decimal=dialect.numbers.decimal, thousands=dialect.numbers.thousands, quotechar=dialect.quote,
        on_bad_row="skip" if dialect.skip_bad else "error",
    )  # fmt: skip
    header = read_header(io.BytesIO(text), chunk.name, options)
    return replace(chunk, text=text[header.size :], first_line=line + header.lines), header.dialect
