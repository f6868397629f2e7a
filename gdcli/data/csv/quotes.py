"""Quoted fields of a CSV text, by the rule of pandas' C parser (and RFC 4180): a quote opens a field
only at its start, a doubled quote inside stands for one, and what follows the closing quote is plain text again.
"""

import numpy as np

from gdcli.base.records import record
from gdcli.data.csv.stretches import quoted_stretches
from gdcli.engine.arrays import NDArray

Places = NDArray[np.intp]

_NONE = np.empty(0, dtype=np.intp)

_LINE_ENDS = b"\r\n"


@record(eq=False)
class Quoted:
    """The quoted stretches of a text: the places ``opens`` (k,) and ``closes`` (k,) of their quotes, in bytes.

    The close of a stretch that never closes is ``len(text)``.

    ``plain`` tells whether every quote stands right beside a separator or line end, as well-behaved writers put it.
    """

    opens: Places
    closes: Places
    plain: bool

    def inside(self, places: Places) -> NDArray[np.bool_]:
        """A mask (n,), True for each of n places in the text that lies inside a quoted field."""
        if not len(self.opens):
            return np.zeros(len(places), dtype=bool)
        last = np.searchsorted(self.opens, places, side="right") - 1
        return (last >= 0) & (places < self.closes[last])


def find_quoted(text: bytes, separator: str, quote: str) -> Quoted:
    """The quoted stretches of a text that starts outside of one."""
    mark = quote.encode()
    if not quote or mark not in text:
        return Quoted(_NONE, _NONE, plain=True)
    data = np.frombuffer(text, dtype=np.uint8)
    marks = np.flatnonzero(data == ord(quote))
    opens, closes = marks[0::2], marks[1::2]
    neighbours = np.zeros(256, dtype=bool)
    neighbours[list(separator.encode() + _LINE_ENDS + mark)] = True
    # If marks alternate and all of them stand beside a separator, a line end or another mark (doubled), then
    # alternation is right: by induction from the first, each opens or closes a field.
    starts_well = (opens == 0) | neighbours[data[opens - 1]]
    ends_well = neighbours[data[np.minimum(closes + 1, len(data) - 1)]] | (closes == len(data) - 1)
    if starts_well.all() and ends_well.all():
        if len(opens) > len(closes):
            closes = np.append(closes, len(data))
        return Quoted(opens, closes, plain=True)
    return _one_by_one(text, separator, quote)


def continued_cells(text: bytes, separator: str, quote: str) -> dict[int, set[int]]:
    """The cells in which text follows the closing quote: a set of column indices for each row with such cells.

    A row is known by its first byte's place in the text. Columns count from 0.
    """
    marks = find_quoted(text, separator, quote)
    if marks.plain:
        return {}
    ends, blank = separator.encode() + _LINE_ENDS, b"" if separator == " " else b" "
    data = np.frombuffer(text, dtype=np.uint8)
    places = np.flatnonzero(np.isin(data, list(ends)))
    places = places[~marks.inside(places)]
    line_ends = np.flatnonzero(data[places] != ord(separator))
    found: dict[int, set[int]] = {}
    for close in marks.closes.tolist():
        after = close + 1
        while text[after : after + 1] == blank:
            after += 1
        if after < len(text) and text[after] not in ends:
            count = int(places.searchsorted(close))
            before = int(line_ends.searchsorted(count))
            last = int(line_ends[before - 1]) if before else -1
            found.setdefault(int(places[last]) + 1 if before else 0, set()).add(count - last - 1)
    return found


def _one_by_one(text: bytes, separator: str, quote: str) -> Quoted:
    """The exact rule, at the price of a Python loop over the quoted fields."""
    found = quoted_stretches(text, separator, quote)
    opens = np.array([start for start, _ in found], dtype=np.intp)
    closes = np.array([end for _, end in found], dtype=np.intp)
    return Quoted(opens, closes, plain=False)
