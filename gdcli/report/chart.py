"""The cost curve in the terminal, drawn with plotext from characters; returned as text.

plotext is imported by the functions, so this module costs nothing. Iteration 0 has its place on the logarithmic axis,
half a decade before iteration 1.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gdcli.base.errors import UsageError
from gdcli.base.names import count_of
from gdcli.base.records import record
from gdcli.report import numbers
from gdcli.report.paper import Page

if TYPE_CHECKING:
    from gdcli.fitting.curve import Curve
    from gdcli.fitting.group_results import GroupFits
    from gdcli.fitting.results import Fit
    from gdcli.fitting.sweep import GroupSweeps, Sweep

WIDEST = 80

_NARROWEST = 20

_HEIGHT = 16

# Iterations up to which the axis is linear. Costs within a decade are linear, too.
_LINEAR_UP_TO = 20

_LOGARITHMIC_FROM = 10.0

_BEFORE_ONE = 0.5

# A diverging curve beside others is drawn up to this multiple of the cost at the start.
_OUTWARD = 30.0

_HEIGHT_TICKS = 5

_SIGNS = "123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

_DOTS, _ASCII_DOTS = "braille", "*"

_COLOURS = ("blue+", "orange+", "green+", "magenta+", "cyan+", "yellow+")

_ASCII_FRAME = str.maketrans("─│┌┐└┘├┤┬┴┼", "-|+++++++++")


@record
class _Series:
    """A curve: iterations and costs; its name if there are several curves."""

    iterations: Sequence[int]
    costs: Sequence[float]
    name: str = ""


@record
class _Words:
    """The labels of a chart: the quantity, its unit, the quantity across, the name of the lowest value, and of what
    there are several curves.
    """

    quantity: str
    unit: str
    across: str
    best: str
    several: str = "learning rates"


def require_plotext() -> None:
    """Raise UsageError if plotext is not installed. Called before any data are read."""
    try:
        import plotext  # type: ignore[import-untyped]
    except ImportError:
        plotext = None
    if not hasattr(plotext, "build"):  # version 6 is another library
        raise UsageError("--chart needs plotext 5: pip install 'gdfit[plot]'")


def chart_of_fit(fit: "Fit", page: Page, colour: bool = False) -> str:
    """The chart of a fit's cost against the iteration, as text. The fit must have a ``picture``."""
    picture = fit.picture
    assert picture is not None
    series = [_Series(picture.iterations.tolist(), picture.costs.tolist())]
    from gdcli.report.sentences import cost_unit

    words = _Words("cost", cost_unit(fit.loss, page.shown(fit.target), _square(page)), "iteration", "minimum")
    return _chart(words, series, fit.optimum.cost, page, colour)


def chart_of_groups(fits: "GroupFits", page: Page, colour: bool = False) -> str:
    """The chart of the first groups' cost against the iteration, as text. Their fits must have a ``picture``."""
    from gdcli.report.sentences import cost_unit

    series = [
        _Series(fit.picture.iterations.tolist(), fit.picture.costs.tolist(), page.shown(" ".join(fits.groups[i])))
        for i, fit in fits.shown.items()
        if fit.picture is not None
    ]
    words = _Words(
        "cost", cost_unit(fits.loss, page.shown(fits.target), _square(page)), "iteration", "minimum", "groups"
    )
    return _chart(words, series, None, page, colour)


def chart_of_sweep(sweep: "Sweep", page: Page, colour: bool = False) -> str:
    """The chart of the cost against the iteration, a line per learning rate, as text."""
    series = [
        _Series([k for k, _ in rate.costs], [cost for _, cost in rate.costs], f"{rate.learning_rate:.6g}")
        for rate in sweep.rates
        if rate.costs
    ]
    from gdcli.report.sentences import cost_unit

    words = _Words("cost", cost_unit(sweep.loss, page.shown(sweep.target), _square(page)), "iteration", "minimum")
    return _chart(words, series, sweep.optimum.cost, page, colour)


def chart_of_group_sweeps(found: "GroupSweeps", page: Page, colour: bool = False) -> str:
    """The charts of the first groups' sweeps, one below the other under their names, as text."""
    from gdcli.fitting.groups import MOST_SHOWN
    from gdcli.report.heading import group_name

    known = [(key, sweep) for key, sweep in zip(found.groups, found.sweeps, strict=True) if sweep is not None]
    charts = [
        f"{page.shown(group_name(found.by, key))}\n{chart_of_sweep(sweep, page, colour)}"
        for key, sweep in known[:MOST_SHOWN]
    ]
    left = len(found.groups) - len(charts)
    return "\n".join([*charts, *([f"{count_of(left, 'group')} more, not drawn.\n"] if left else [])])


def chart_of_curve(curve: "Curve", page: Page, colour: bool = False) -> str:
    """The chart of y after each step, a line per learning rate, as text."""
    series = [_Series(range(len(walk.y)), walk.y.tolist(), numbers.rate(walk.learning_rate)) for walk in curve.walks]
    lowest = min((point.y for point in curve.shape.lowest), default=None)
    return _chart(_Words("y", "", "step", "lowest minimum"), series, lowest, page, colour)


def _square(page: Page) -> str:
    return "²" if page.unicode else "^2"


def _chart(words: _Words, series: Sequence[_Series], best: float | None, page: Page, colour: bool) -> str:
    """Draw the series and the minimum as a line; return the lines of the chart under one or more that explain it."""
    import plotext

    last = max(int(one.iterations[-1]) for one in series)
    heights = _Heights([_finite(one.costs) for one in series], best)
    width = min(WIDEST, page.width or WIDEST)
    if width < _NARROWEST:
        return ""
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)
    plotext.plotsize(width, _HEIGHT)
    if best is not None and heights.low <= best <= heights.high:
        ends = [_place(0, last), _place(max(last, 1), last)]
        plotext.plot(ends, [heights.place(best)] * 2, marker="─" if page.unicode else "-")
    for i, one in enumerate(series):
        _draw(plotext, one, i, len(series), heights, last, page, colour)
    plotext.xlim(_place(0, last), _place(max(last, 1), last))
    plotext.ylim(heights.place(heights.low), heights.place(heights.high))
    ticks = _iteration_ticks(last, width)
    plotext.xticks([_place(k, last) for k in ticks], [f"{k:,}" for k in ticks])
    marks = heights.ticks()
    plotext.yticks([heights.place(v) for v in marks], [numbers.tick(v) for v in marks])
    text: str = plotext.build()
    plotext.clear_figure()
    if not colour:
        text = plotext.uncolorize(text)
    lines = [line.rstrip() for line in text.splitlines()]
    if not page.unicode:
        lines = [line.translate(_ASCII_FRAME) for line in lines]
    return "".join(line + "\n" for line in [*_heading(words, series, best, heights, last, width, page), *lines])


def _draw(
    plotext: Any, one: _Series, i: int, of: int, heights: "_Heights", last: int, page: Page, colour: bool
) -> None:
    points = [(k, cost) for k, cost in zip(one.iterations, one.costs, strict=True) if math.isfinite(cost)]
    marker = (_DOTS if page.unicode else _ASCII_DOTS) if of == 1 else _SIGNS[i % len(_SIGNS)]
    settings = {"color": _COLOURS[i % len(_COLOURS)]} if colour else {}
    xs = [_place(k, last) for k, _ in points]
    ys = [heights.place(cost) for _, cost in points]
    cut = next((n for n, (_, cost) in enumerate(points) if cost > heights.high), len(points))
    if cut < len(points) and cut:  # as far as the frame
        share = (heights.place(heights.high) - ys[cut - 1]) / (ys[cut] - ys[cut - 1])
        xs[cut] = xs[cut - 1] + share * (xs[cut] - xs[cut - 1])
        ys[cut] = heights.place(heights.high)
        cut += 1
    plotext.plot(xs[:cut], ys[:cut], marker=marker, **settings)


class _Heights:
    """The cost axis: logarithmic if all costs are positive and span a decade. Diverging costs are cut off."""

    def __init__(self, costs: Sequence[Sequence[float]], best: float | None) -> None:
        every = [cost for one in costs for cost in one] or [0.0]
        first = max((one[0] for one in costs if one), default=0.0)
        top = max(first, best or 0.0)
        kept = [cost for cost in every if cost <= _OUTWARD * top] if top > 0 and len(costs) > 1 else every
        self.low, self.high = min(kept), max(kept)
        self.logarithmic = self.low > 0 and self.high >= _LOGARITHMIC_FROM * self.low
        if best is not None and (not self.logarithmic or best >= self.low / _LOGARITHMIC_FROM):
            self.low, self.high = min(self.low, best), max(self.high, best)
        self.logarithmic = self.logarithmic and self.low > 0
        if self.low == self.high:
            self.low, self.high = self.low - (abs(self.low) or 1.0) / 2, self.high + (abs(self.high) or 1.0) / 2

    def place(self, cost: float) -> float:
        """Where on the axis a cost is."""
        return math.log10(max(cost, self.low * 1e-3)) if self.logarithmic else cost

    def ticks(self) -> list[float]:
        """A few costs from the lowest to the highest."""
        low, high = self.place(self.low), self.place(self.high)
        steps = [low + i * (high - low) / (_HEIGHT_TICKS - 1) for i in range(_HEIGHT_TICKS)]
        return [10.0**step for step in steps] if self.logarithmic else steps


def _finite(costs: Sequence[float]) -> list[float]:
    return [cost for cost in costs if math.isfinite(cost)]


def _place(iteration: int, last: int) -> float:
    """Where on the axis an iteration is."""
    if last <= _LINEAR_UP_TO:
        return float(iteration)
    return math.log10(iteration) + _BEFORE_ONE if iteration else 0.0


def _iteration_ticks(last: int, width: int) -> list[int]:
    """0 and the iterations to be named; as many as there is room for."""
    if last <= _LINEAR_UP_TO:
        step = 1 if last <= width // 8 else 5
        return [*(k for k in range(0, last, step) if last - k > step // 2), last]
    powers = [10**i for i in range(len(str(last)))]
    every = -(-len(powers) * 8 // width)
    ticks = [0, *powers[::every]]
    if last not in ticks:
        while _place(last, last) - _place(ticks[-1], last) < 0.1 * _place(last, last):
            ticks.pop()
        ticks.append(last)
    return ticks


def _heading(
    words: _Words,
    series: Sequence[_Series],
    best: float | None,
    heights: _Heights,
    last: int,
    width: int,
    page: Page,
) -> list[str]:
    """Say what is drawn, on which scales, and which sign is which curve."""
    sentence = f"{words.quantity}{words.unit} against {words.across}"
    logarithmic = [
        name for name, scaled in ((words.quantity, heights.logarithmic), (words.across, last > _LINEAR_UP_TO)) if scaled
    ]
    if logarithmic:
        sentence += f", {' and '.join(logarithmic)} on {'a log scale' if len(logarithmic) == 1 else 'log scales'}"
    if best is not None:
        inside = heights.low <= best <= heights.high
        rule = ("─" if page.unicode else "-") * 3 + " " if inside else ""
        sentence += f"; {rule}the {words.best}, {numbers.tick(best)}{'' if inside else ', is below the frame'}"
    lines = Page(width, page.encoding).wrapped(sentence)
    if len(series) > 1:
        names = [f"{_SIGNS[i % len(_SIGNS)]}={one.name}" for i, one in enumerate(series)]
        lines += Page(width, page.encoding).wrapped(f"{words.several} {', '.join(names)}")
    return lines
