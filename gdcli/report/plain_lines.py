"""Iterations as plain lines of fixed width, written as they come: for more of them than a Rich table should hold.

A column's width is fixed before its first number is known, so all numbers are scientific: their decimal points
stand under each other whatever comes.
"""

import math
from operator import itemgetter
from typing import TextIO

from gdcli.fitting.results import TraceRow, TraceShape
from gdcli.report.iteration_table import columns_leaving, on_missing
from gdcli.report.paper import Page, places_that_stay, text_width

_AROUND_DIGITS = 6  # sign, point, e+09

_SPACE = "  "

# Up to a billion iterations keep their column.
_ITERATION_WIDTH = 9

_GAP, _GAP_DIGITS = "above min %", 3


class PlainLines:
    """Writes a header and then a line per iteration: ``iteration``, the slopes, ``c``, ``cost`` and ``above min %``.

    Beside ``cost`` stand a rate that changes, ``lr``, and with rows held out ``validation``. ``width`` is the
    terminal's, None for no limit: columns that do not fit are left out whole, the least important terms first.
    """

    def __init__(self, stream: TextIO, shape: TraceShape, digits: int = 6, width: int | None = None) -> None:
        self._write = stream.write
        self._page = Page(width, stream.encoding or "utf-8")
        self._to_percent = 100.0 / shape.gap_measure if shape.gap_measure > 0 else 0.0
        number, gap = (digits + _AROUND_DIGITS, digits - 1), (len(_GAP), _GAP_DIGITS - 1)
        names = ["m"] if len(shape.terms) == 1 else self._page.in_column(shape.terms)
        slopes = [(max(number[0], text_width(name)), number[1]) for name in names]
        others = ({"c": number} if shape.intercept else {}) | {"cost": number}
        others |= {"lr": number} if shape.scheduled else {}
        others |= {"validation": number} if shape.validation else {}
        others |= {_GAP: gap} if self._to_percent else {}

        columns = [*slopes, *others.values()]
        importance = shape.importance or [0.0] * len(names)
        stay = places_that_stay(
            [wide + len(_SPACE) for wide, _ in columns],
            columns_leaving(importance, list(others)),
            None if width is None else width - _ITERATION_WIDTH,
        )
        without = [name for i, name in enumerate(others, len(names)) if i not in stay]
        self._notes = on_missing([i for i in stay if i < len(names)], importance, without)
        place = {name: len(names) + 1 + i for i, name in enumerate(("c", "cost", _GAP, "validation", "lr"))}
        sources = [*range(1, len(names) + 1), *(place[name] for name in others)]
        self._pick = itemgetter(0, *(sources[i] for i in stay))
        cells, header = [columns[i] for i in stay], [[*names, *others][i] for i in stay]
        self._line = _SPACE.join([f"%{_ITERATION_WIDTH}d", *(f"%{wide}.{after}e" for wide, after in cells)]) + "\n"
        heads = [" " * (wide - text_width(name)) + name for name, (wide, _) in zip(header, cells, strict=True)]
        self._write(_SPACE.join(["iteration", *heads]) + "\n")

    def write(self, row: TraceRow) -> None:
        """Write one iteration."""
        iteration, slopes, intercept, cost, gap, validation, rate = row
        percent = math.nan if gap is None else gap * self._to_percent
        self._write(self._line % self._pick((iteration, *slopes, intercept, cost, percent, validation, rate)))

    def finish(self) -> None:
        """Write, under the lines, the names of the columns left out, and the way to see them."""
        for note in self._notes:
            self._write("\n".join(self._page.wrapped(note)) + "\n")


class LinesRecorder:
    """Writes each K-th row as a plain line of fixed width."""

    def __init__(self, stream: TextIO, digits: int, width: int | None, every: int) -> None:
        self.stream = stream
        self._digits, self._width, self._every = digits, width, every
        self._lines: PlainLines | None = None

    def begin(self, shape: TraceShape) -> None:
        """Write the header."""
        self._lines = PlainLines(self.stream, shape, self._digits, self._width)

    def wants(self, number: int) -> bool:
        """Whether iteration ``number`` is one of each K-th that are written."""
        return number % self._every == 0

    def record(self, row: TraceRow) -> None:
        """Write an iteration."""
        assert self._lines is not None
        self._lines.write(row)

    def finish(self) -> None:
        """Write the names of the columns left out, and a blank line."""
        assert self._lines is not None
        self._lines.finish()
        self.stream.write("\n")
