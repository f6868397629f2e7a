"""The picture of the fits of groups: the cost of each against the iteration, side by side."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gdcli.base.names import count_of
from gdcli.fitting.group_results import GroupFits
from gdcli.fitting.results import Fit
from gdcli.report.plots.canvas import (
    BLACK,
    BLUE,
    LINEAR_UP_TO,
    VERMILION,
    iteration_axis,
    new_panels,
    panel_title,
    positive_axis,
    set_title,
)
from gdcli.report.plots.labels import shown
from gdcli.report.sentences import cost_unit


def draw_groups(fits: GroupFits) -> Figure:
    """The figure of the first groups that have a fit; the title counts the others."""
    drawn = list(fits.shown)
    figure, panels, left_edge = new_panels(len(drawn))
    for axes, i in zip(panels, drawn, strict=True):
        _draw_one(axes, fits, i, fits.shown[i])
    for axes in left_edge:
        axes.set_ylabel(f"cost{cost_unit(fits.loss, shown(fits.target))}")
    left = len(fits.groups) - len(drawn)
    more = [f"{count_of(left, 'group')} more, not drawn"] if left else []
    names = ", ".join(shown(name) for name in fits.by)
    facts = [count_of(len(fits.groups), "group"), count_of(fits.rows.used, "row"), *more]
    set_title(figure, f"{shown(fits.target)} by {names}: the cost at each iteration (dashed: the optimum)", facts)
    return figure


def _draw_one(axes: Axes, fits: GroupFits, i: int, fit: Fit) -> None:
    picture = fit.picture
    assert picture is not None
    finite = np.isfinite(picture.costs)
    iterations, costs = picture.iterations[finite], picture.costs[finite]
    last = int(picture.iterations[-1])
    drawn = [costs]
    axes.plot(iterations, costs, color=BLUE, marker="o" if last <= LINEAR_UP_TO else None, zorder=3)
    if picture.validation is not None:
        held = picture.validation[finite]
        axes.plot(iterations, held, color=VERMILION, linestyle=(0, (5, 2)), label="rows held out", zorder=3)
        axes.legend(loc="best")
        drawn.append(held[np.isfinite(held)])
    iteration_axis(axes, last)
    axes.set_xlabel("iteration")
    best = fit.optimum.cost
    positive_axis(axes, np.concatenate(drawn), [] if best is None else [best])
    if best is not None:
        axes.axhline(best, color=BLACK, linestyle=(0, (5, 3)), linewidth=1.2)
    name = " ".join(shown(text) for text in fits.groups[i])
    panel_title(axes, name, f"{count_of(int(fits.count[i]), 'row')}, {fits.verdict[i].value}")
