"""Which rows of a descent a table shows: of its iterations, or of epochs of many iterations each."""

from bisect import bisect_left

from gdcli.fitting.results import TraceRow, TraceShape

# All iterations are shown up to this number; beyond it about twenty, or three per decade if that is more.
SHOW_ALL = 30

_FINE, _COARSE = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0)

_MOST_FINE = 24


class TableRows:
    """A recorder of the rows of the table: each K-th row, or a geometric choice; always the first and the last.

    ``last`` is the largest number that a row may have, ``every`` is K or None for the geometric choice.
    """

    def __init__(self, last: int, every: int | None) -> None:
        self._rows: list[tuple[int, TraceRow]] = []
        self._number = 0
        self._every = every
        self._chosen = thinned(last)

    def begin(self, shape: TraceShape) -> None:
        """Nothing to prepare."""

    def wants(self, number: int) -> bool:
        """Whether the table may show the row of this number (the first few are kept in case the descent ends early)."""
        self._number = number
        if self._every is not None:
            return number % self._every == 0
        if number <= SHOW_ALL:
            return True
        at = bisect_left(self._chosen, number)
        return at < len(self._chosen) and self._chosen[at] == number

    def record(self, row: TraceRow) -> None:
        """Keep a row."""
        self._rows.append((self._number, row))

    def shown(self) -> tuple[TraceRow, ...]:
        """The rows of the table, once the descent has ended."""
        last, _ = self._rows[-1]
        if self._every is not None or last <= SHOW_ALL:
            return tuple(row for _, row in self._rows)
        chosen = {*thinned(last), last}
        return tuple(row for number, row in self._rows if number in chosen)


def thinned(iterations: int) -> list[int]:
    """The numbers 0, 1, 2, 5, 10, 20, 50 … up to ``iterations`` and that itself, twice as dense where few rows result.

    The dense choice for a smaller number of iterations contains the sparse one, so that a descent that stops early
    finds all its rows among those kept.
    """
    fine = _series(iterations, _FINE)
    return fine if len(fine) <= _MOST_FINE else _series(iterations, _COARSE)


def _series(iterations: int, mantissas: tuple[float, ...]) -> list[int]:
    chosen = {0, iterations}
    decade = 1
    while decade <= iterations:
        chosen |= {int(m * decade) for m in mantissas if m * decade <= iterations}
        decade *= 10
    return sorted(chosen)
