"""The picture of a sweep: the cost curve of each rate, and the rates on an axis that shows where stable ends."""

import math
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from gdcli.base.names import count_of
from gdcli.base.records import record
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.groups import MOST_SHOWN
from gdcli.fitting.sweep import GroupSweeps, Sweep, SweepRate
from gdcli.report import numbers
from gdcli.report.plots.canvas import (
    BLACK,
    COLOURS,
    DASHES,
    GREY,
    LINEAR_UP_TO,
    iteration_axis,
    new_figure,
    new_panels,
    panel_title,
    positive_axis,
    set_title,
)
from gdcli.report.plots.labels import CountTicks, Decades, label_number, shown
from gdcli.report.sentences import cost_unit

_BEHAVIOURS = {Behaviour.MONOTONE: "o", Behaviour.OSCILLATING: "^", Behaviour.UNSTABLE: "X", None: "s"}

# More rates than this are told apart by the order of one colour scale.
_MOST_COLOURS = 2 * len(COLOURS)

# The light end of that scale is lost on white.
_DARKEST_SHARE = 0.85

_LEGEND_COLUMNS = 4

_MOST_IN_LEGEND = 24

_RATE_DIGITS = 4

# The curve of a diverging rate is drawn up to this multiple of the cost at the start.
_OUTWARD = 30.0

_UNSTABLE_SHADE = "#F2E6E0"


@record
class _Look:
    colour: Any
    dash: Any


def draw_sweep(sweep: Sweep) -> Figure:
    """The figure of a sweep: the cost curve of each rate, and the rates on an axis with the stable limit."""
    figure = new_figure(13.0, 6.6)
    left, right = figure.subplots(1, 2, width_ratios=[1.15, 1.0])
    looks = _looks(sweep)
    _draw_costs(left, sweep, looks)
    _draw_rates(right, sweep, looks)
    _explain(figure, sweep, looks)
    names = [shown(name) for name in sweep.features[:3]]
    more = len(sweep.features) - len(names)
    columns = ", ".join([*names, *([f"{more} more"] if more else [])]) or "the intercept alone"
    set_title(
        figure,
        f"{shown(sweep.target)} from {columns}: {count_of(len(sweep.rates), 'learning rate')}",
        [
            count_of(sweep.rows.used, "row"),
            f"{'interrupted after ' if sweep.interrupted else ''}{count_of(sweep.iterations, 'iteration')}",
            *([] if sweep.largest_stable is None else [f"stable below {_limit(sweep.largest_stable)}"]),
            *([] if sweep.best is None else [f"best {_rate(sweep.best)}"]),
        ],
    )
    return figure


def draw_group_sweeps(found: GroupSweeps) -> Figure:
    """The figure of the sweeps of groups: the cost curves of the first ones, a panel for each; the title counts the
    others. Rates that differ between the groups are told apart by one colour scale, from the smallest on.
    """
    known = [(key, sweep) for key, sweep in zip(found.groups, found.sweeps, strict=True) if sweep is not None]
    drawn = known[:MOST_SHOWN]
    figure, panels, left_edge = new_panels(len(drawn))
    first = drawn[0][1]
    same = len({tuple(rate.learning_rate for rate in sweep.rates) for _, sweep in drawn}) == 1
    for axes, (key, sweep) in zip(panels, drawn, strict=True):
        _draw_costs(axes, sweep, _looks(sweep) if same else _by_size(sweep))
        axes.set_ylabel("")
        axes.set_xlabel("iteration")
        panel_title(axes, " ".join(map(shown, key)), _fastest(sweep))
    for axes in left_edge:
        axes.set_ylabel(f"cost{cost_unit(first.loss, shown(first.target))}")
    looks = _looks(first) if same else _by_size(first)
    names = [_rate(rate.learning_rate) for rate in first.rates]
    if not same:
        names = ["each group's smallest rate", *[""] * (len(names) - 2), "its largest"]
    lines = [
        Line2D([], [], color=look.colour, linestyle=look.dash, label=name)
        for look, name in zip(looks, names, strict=True)
        if name
    ]
    figure.legend(handles=lines, loc="outside lower center", ncols=2 * _LEGEND_COLUMNS, handlelength=3.4)
    left = len(found.groups) - len(drawn)
    by = ", ".join(shown(name) for name in found.by)
    facts = [count_of(len(found.groups), "group"), count_of(first.iterations, "iteration")]
    more = [f"{count_of(left, 'group')} more, not drawn"] if left else []
    set_title(
        figure,
        f"{shown(first.target)} by {by}: the cost with each rate (bold: the fastest of these; dashed: the optimum)",
        [*facts, *more],
    )
    return figure


def _fastest(sweep: Sweep) -> str:
    """The best rate of a group, and where stable ends, as far as they are known."""
    marked = next((rate.learning_rate for rate in sweep.rates if rate.best), None)
    best = sweep.best if sweep.best is not None else marked
    known = [] if best is None else [f"fastest {_rate(best)}"]
    return ", ".join(
        [*known, *([] if sweep.largest_stable is None else [f"stable below {_limit(sweep.largest_stable)}"])]
    )


def _by_size(sweep: Sweep) -> list[_Look]:
    """The looks of rates by their order: one colour scale, unstable rates dashed."""
    colours, n = mpl.colormaps["cividis"], len(sweep.rates)
    unstable = [rate.behaviour is Behaviour.UNSTABLE for rate in sweep.rates]
    return [_Look(colours(_DARKEST_SHARE * i / max(n - 1, 1)), DASHES[1 if unstable[i] else 0]) for i in range(n)]


def _looks(sweep: Sweep) -> list[_Look]:
    n = len(sweep.rates)
    if n <= _MOST_COLOURS:
        return [_Look(COLOURS[i % len(COLOURS)], DASHES[i // len(COLOURS) % len(DASHES)]) for i in range(n)]
    return _by_size(sweep)


def _draw_costs(axes: Axes, sweep: Sweep, looks: list[_Look]) -> None:
    best = sweep.optimum.cost
    first = next((rate.costs[0][1] for rate in sweep.rates if rate.costs), best or 0.0)
    top = _OUTWARD * max(first, best or 0.0)
    seen: list[float] = []
    marker = "." if sweep.iterations <= LINEAR_UP_TO else None
    for i, (rate, look) in enumerate(zip(sweep.rates, looks, strict=True)):
        if not rate.costs:
            continue
        iterations, costs = np.array(rate.costs).T
        seen += [cost for cost in costs if cost <= top]
        axes.plot(
            iterations, costs, color=look.colour, linestyle=look.dash, marker=marker,
            linewidth=_width(rate), zorder=4 if rate.best else 3, label=_name(rate), gid=f"rate {i}",
        )  # fmt: skip
    iteration_axis(axes, sweep.iterations)
    positive_axis(axes, np.array(seen), [] if best is None else [best])
    axes.set_ylabel(f"cost{cost_unit(sweep.loss, shown(sweep.target))}")
    if best is None:
        axes.set_title("The cost with each rate")
        return
    low, _ = axes.get_ylim()
    below = "" if best >= low else " (below the frame)"
    axes.axhline(best, color=BLACK, linestyle=(0, (5, 3)), linewidth=1.2, zorder=2)
    axes.set_title(f"The cost with each rate; dashed the optimum, {label_number(best)}{below}")


def _draw_rates(axes: Axes, sweep: Sweep, looks: list[_Look]) -> None:
    rates = sweep.rates
    known = [rate.iterations_to_1_percent for rate in rates if rate.iterations_to_1_percent is not None]
    highest = max([*known, sweep.iterations, 1])
    never = 10.0 ** (math.ceil(math.log10(highest) + 0.15) + 0.5)
    all_rates = [rate.learning_rate for rate in rates]
    all_rates += [rate for rate in (sweep.largest_stable, sweep.best) if rate is not None]
    pad = (max(all_rates) / min(all_rates)) ** 0.06 * 1.05
    axes.set_xscale("log")
    axes.set_xlim(min(all_rates) / pad, max(all_rates) * pad)
    axes.set_yscale("symlog", linthresh=1.0, linscale=0.5)
    axes.set_ylim(-0.15, never * 2.2)
    if sweep.largest_stable is not None:
        if not sweep.bound:
            axes.axvspan(sweep.largest_stable, axes.get_xlim()[1], color=_UNSTABLE_SHADE, zorder=0)
        axes.axvline(sweep.largest_stable, color=BLACK, linewidth=1.4, zorder=2)
    axes.axhline(sweep.iterations, color=GREY, linestyle=(0, (1, 2)), linewidth=1.4, zorder=2)
    for i, (rate, look) in enumerate(zip(rates, looks, strict=True)):
        height = never if rate.iterations_to_1_percent is None else rate.iterations_to_1_percent
        axes.plot(
            [rate.learning_rate], [height], color=look.colour, marker=_BEHAVIOURS[rate.behaviour],
            markersize=9, markeredgecolor="white", markeredgewidth=0.6, linestyle="none", zorder=4, gid=f"rate {i}",
        )  # fmt: skip
    if sweep.best is not None and sweep.best_iterations is not None:
        axes.plot(
            [sweep.best], [sweep.best_iterations], color=BLACK, marker="*", markersize=17, markerfacecolor="none",
            linestyle="none", zorder=5, gid="best",
        )  # fmt: skip
    powers = [10**i for i in range(math.ceil(math.log10(highest)) + 1)]
    counts, at_top = CountTicks(), "never" if sweep.best is not None else "later"  # what was not foreseen was counted
    axes.yaxis.set_major_locator(FixedLocator([0, *powers, never]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: at_top if y == never else counts(y)))
    axes.yaxis.set_minor_locator(FixedLocator([i * power for power in powers[:-1] for i in range(2, 10)]))
    axes.yaxis.set_minor_formatter(NullFormatter())
    few = max(all_rates) / min(all_rates) < 100
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,), numticks=9))
    axes.xaxis.set_major_formatter(Decades())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("learning rate")
    axes.set_ylabel("iterations to within 1 % of the optimum")
    axes.set_title("Which rates work")


def _explain(figure: Figure, sweep: Sweep, looks: list[_Look]) -> None:
    """Draw the legend: the rates, then the signs of the right panel."""
    shown_rates = range(len(sweep.rates))
    if len(sweep.rates) > _MOST_IN_LEGEND:
        step = -(-len(sweep.rates) // _MOST_IN_LEGEND)
        shown_rates = range(0, len(sweep.rates), step)
    handles = [
        Line2D(
            [], [], color=looks[i].colour, linestyle=looks[i].dash, marker=_BEHAVIOURS[sweep.rates[i].behaviour],
            markeredgecolor="white", markersize=8, linewidth=_width(sweep.rates[i]),
            label=_name(sweep.rates[i]),
        )
        for i in shown_rates
    ]  # fmt: skip
    star: dict[str, Any] = {"marker": "*", "markersize": 13, "markerfacecolor": "none", "linestyle": "none"}
    dotted: dict[str, Any] = {"linestyle": (0, (1, 2)), "linewidth": 1.4}
    signs = [
        *(
            []
            if sweep.best is None
            else [Line2D([], [], color=BLACK, label=f"best of all: {_rate(sweep.best)}", **star)]
        ),
        *(
            []
            if sweep.largest_stable is None
            else [Line2D([], [], color=BLACK, linewidth=1.4, label=f"stable left of {_limit(sweep.largest_stable)}")]
        ),
        Line2D([], [], color=GREY, label=f"{count_of(sweep.iterations, 'iteration')} were run", **dotted),
    ]
    figure.legend(
        handles=[*handles, *signs], loc="outside lower center", ncols=_LEGEND_COLUMNS, handlelength=3.4,
        columnspacing=1.8,
    )  # fmt: skip


def _width(rate: SweepRate) -> float:
    return 3.2 if rate.best and rate.behaviour is not Behaviour.UNSTABLE else 1.8


def _limit(largest_stable: float) -> str:
    return label_number(numbers.rounded_below(largest_stable, _RATE_DIGITS), _RATE_DIGITS)


def _rate(learning_rate: float) -> str:
    return label_number(numbers.rounded_rate(learning_rate, _RATE_DIGITS), _RATE_DIGITS)


def _name(rate: SweepRate) -> str:
    words = [rate.behaviour.value] if rate.behaviour is not None else []
    words = [f"diverged at {rate.diverged_at:,}"] if rate.diverged_at is not None else words
    words += ["the best of these"] if rate.best else []
    return ": ".join([_rate(rate.learning_rate), *([", ".join(words)] if words else [])])
