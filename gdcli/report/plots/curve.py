"""The picture of a walk down a curve: the curve and the steps on it, one panel per rate."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gdcli.base.names import count_of
from gdcli.engine.arrays import Array
from gdcli.fitting.curve import Curve, Outcome, Walk
from gdcli.report.curve_shape import polynomial_text
from gdcli.report.paper import Page
from gdcli.report.plots.canvas import BLACK, BLUE, GREY, VERMILION, linear_axis, new_figure, set_title
from gdcli.report.plots.labels import label_number

_PANEL = (5.2, 3.9)

_CORNERS = 801

# A diverging walk is drawn up to this multiple of the distance from its start to its stationary point.
_OUTWARD = 30.0

_AROUND = 0.25


def draw_curve(curve: Curve) -> Figure:
    """The figure of a curve: the curve with the steps of a walk, a panel for each rate."""
    n = len(curve.walks)
    columns = 2 if n == 4 else min(n, 3)
    rows = -(-n // columns)
    figure = new_figure(columns * _PANEL[0] + 0.4, rows * _PANEL[1] + 1.2)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, walk in zip(panels, curve.walks, strict=False):
        _draw_walk(axes, curve, walk)
    for axes in panels[n:]:
        axes.remove()
    handles, labels = panels[0].get_legend_handles_labels()
    known = dict(zip(labels, handles, strict=True))
    for axes in panels[1:n]:
        known |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.legend(known.values(), known.keys(), loc="outside lower center", ncols=len(known))
    set_title(
        figure,
        polynomial_text(curve, Page()),
        [count_of(n, "learning rate"), f"at most {count_of(curve.iterations, 'step')}"],
    )
    return figure


def _draw_walk(axes: Axes, curve: Curve, walk: Walk) -> None:
    k = _in_view(walk)
    x, y = walk.x[:k], walk.y[:k]
    left, right = _window(walk, x)
    drawn = np.linspace(left, right, _CORNERS)
    with np.errstate(over="ignore", invalid="ignore"):
        heights = curve.y(drawn)
    axes.plot(drawn, heights, color=GREY, linewidth=1.6, zorder=2, label="the curve")
    minima = [point for point in curve.shape.minima if left <= point.x <= right]
    if minima:
        axes.plot(
            [point.x for point in minima], [point.y for point in minima], color=BLACK, marker="*", markersize=10,
            linestyle="none", zorder=6, label="minimum",
        )  # fmt: skip
    # The next step is drawn as far as the frame.
    beyond = k + int(k < len(walk.x) and bool(np.abs(walk.x[k] - x[0]) <= _OUTWARD * _OUTWARD * (right - left)))
    axes.plot(
        walk.x[:beyond],
        walk.y[:beyond],
        color=VERMILION,
        linewidth=1.0,
        marker="o",
        markersize=5,
        zorder=4,
        label="steps",
    )
    axes.plot(x[:1], y[:1], color=BLUE, marker="s", markersize=8, linestyle="none", zorder=5, label="start")
    axes.set_xlim(left, right)
    _limit_heights(axes, heights, y, minima=[point.y for point in minima])
    linear_axis(axes.xaxis)
    linear_axis(axes.yaxis)
    axes.set_xlabel("x")
    axes.set_ylabel("y")
    outside = f", {k - 1} of them in view" if k < len(walk.x) else ""
    axes.set_title(
        f"learning rate {label_number(walk.learning_rate, 6)}: {_ending(walk)}\n"
        f"{count_of(walk.iterations, 'step')}{outside}"
    )


def _in_view(walk: Walk) -> int:
    """The number of points to draw: all before the first that is not finite or far from the stationary point."""
    x = walk.x
    goal = walk.target or walk.valley or walk.origin
    center = goal.x if goal is not None else 0.0
    distance = abs(float(x[0]) - center) or max(abs(center), 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        inside = np.isfinite(x) & np.isfinite(walk.y) & (np.abs(x - center) <= _OUTWARD * distance)
    return len(x) if inside.all() else max(int(np.argmin(inside)), 1)


def _window(walk: Walk, x: Array) -> tuple[float, float]:
    """The limits of x, which hold the steps ``x`` that are drawn and the stationary points beside them."""
    also = [point.x for point in (walk.target, walk.valley, walk.origin) if point is not None]
    low, high = min([float(x.min()), *also]), max([float(x.max()), *also])
    pad = _AROUND * (high - low) or max(abs(low), 1.0)
    return low - pad, high + pad


def _limit_heights(axes: Axes, heights: Array, y: Array, minima: list[float]) -> None:
    """Set the limits of y so that they hold all steps ``y``, and no more than a part of a steep curve."""
    seen = [*y[np.isfinite(y)].tolist(), *minima]
    low, high = min(seen, default=0.0), max(seen, default=1.0)
    extent = (high - low) or max(abs(high), 1.0)
    curve = heights[np.isfinite(heights)]
    if len(curve):
        low = max(min(low, float(curve.min())), low - extent)
        high = min(max(high, float(curve.max())), high + extent / 2)
    pad = 0.06 * ((high - low) or extent)
    axes.set_ylim(low - pad, high + pad)


def _ending(walk: Walk) -> str:
    """The end of a walk in a few words."""
    where = "" if walk.target is None else f" x = {label_number(walk.target.x, 4)}"
    if walk.outcome is Outcome.REACHED:
        return f"at the minimum,{where}"
    if walk.outcome is Outcome.APPROACHING:
        return f"on its way to{where}"
    if walk.outcome is Outcome.UNSETTLED:
        away = walk.distances
        return f"{'ever further from' if away is not None and away[-1] > away[0] else 'jumping around'}{where}"
    if walk.outcome is Outcome.STUCK:
        return f"stuck at the {walk.target.kind.value},{where}" if walk.target is not None else "the slope is 0"
    return "falling without end" if walk.outcome is Outcome.FALLING else "diverged"
