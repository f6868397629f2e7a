"""The steps of a walk as cells of a table; in each column numbers have one format from top to bottom."""

from collections.abc import Sequence

from gdcli.engine.descent import Stopped
from gdcli.fitting.curve import Curve, Walk
from gdcli.fitting.trace import SHOW_ALL, thinned
from gdcli.report import numbers

QUANTITIES = ("x", "y", "slope")


def step_cells(
    walk: Walk, rows: Sequence[int], names: Sequence[str], digits: int, small: bool = True
) -> list[list[str]]:
    """The cells of a walk's table: a list for each of ``names``, with a cell for each iteration in ``rows``.

    A cell is blank after the walk's end, and if its number is too large for a float. With ``small``, numbers on their
    way to zero keep their digits.
    """
    shown = [k for k in rows if k < len(walk.x)]
    columns = []
    for name in names:
        values = [numbers.finite(float(getattr(walk, name)[k])) for k in shown]
        cells = _shortened(_column(walk, values, digits, small))
        columns.append([*cells, *[""] * (len(rows) - len(shown))])
    return columns


def _column(walk: Walk, values: Sequence[float | None], digits: int, small: bool) -> list[str]:
    """Numbers that keep their digits on the way to infinity, and on that to zero if ``small`` ones shall.

    Powers of ten are worth it on the first way only.
    """
    cells = numbers.column(values, digits)
    if walk.stopped is Stopped.DIVERGED or (small and not any("e" in cell for cell in cells)):
        return cells
    return numbers.column(values, digits, relative=True)


def _shortened(cells: Sequence[str]) -> list[str]:
    """Drop the decimals that are zero in all cells."""
    decimals = [cell.rpartition(".")[2] for cell in cells if cell.strip()]
    if not decimals or any("e" in cell or "." not in cell for cell in cells if cell.strip()):
        return list(cells)
    extra = min(len(part) - len(part.rstrip("0")) for part in decimals)
    dropped = extra + 1 if extra == len(decimals[0]) else extra
    return [cell[: len(cell) - dropped] if cell.strip() else "" for cell in cells]


def shown_iterations(curve: Curve) -> list[int]:
    """The iterations that the table shows: all of a short walk, else a geometric choice and the end of each walk."""
    longest = max(walk.iterations for walk in curve.walks)
    if longest <= SHOW_ALL:
        return list(range(longest + 1))
    return sorted({*thinned(longest), *(walk.iterations for walk in curve.walks)})
