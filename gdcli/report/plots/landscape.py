"""One term: the line after ever more iterations through the points, and the path down the cost over m and c."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

from gdcli.base.records import record
from gdcli.engine.arrays import Array
from gdcli.engine.losses import LOSSES
from gdcli.engine.losses.contract import Link
from gdcli.fitting.picture import ALL_UP_TO, CostGrid, Picture, Surface
from gdcli.fitting.results import Fit
from gdcli.report.plots.canvas import (
    BLACK,
    BLUE,
    DASHES,
    GREEN,
    GREY,
    MARKERS,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    finite_start,
    linear_axis,
)
from gdcli.report.plots.labels import label_numbers, shown
from gdcli.report.sentences import cost_unit

# The last line is vermilion; those before it take turns.
_EARLIER = (BLUE, GREEN, PURPLE, ORANGE, SKY, BLACK)

_MARGIN, _JITTER = 0.04, 0.06

# Points of a curve.
_BENDS = 200

# So few are drawn over the lines; of more, each is smaller and paler.
_FEW_POINTS = 50

_CROWDS = (_FEW_POINTS, 1.0, 5.0), (300, 0.7, 4.0), (1500, 0.4, 3.0), (math.inf, 0.25, 2.5)

# Lines that would make the axis of the points longer than this many times are cut off.
_MOST_STRETCHED = 2.5

_CORNERS = 180

_MOST_LEVELS = 12

# Around the path so much of its extent is in view, for the landscape to be seen.
_AROUND = 0.3

# An ellipse is in view up to this share of the start's gap, where the path keeps so much of one of the axes.
_SHARES, _SMALLEST_PATH = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001), 0.3

# A diverging path is drawn up to this multiple of the gap at the start.
_OUTWARD = 40.0

_LANDSCAPE = LinearSegmentedColormap.from_list("landscape", ["#FFFFFF", "#D6E4F0", "#9DBBD6", "#6C8FB3"])


@record
class Look:
    """The label, colour, dash and marker of a fitted line, and of its place on the path; ``last`` marks the end."""

    label: str
    colour: str
    dash: Any
    marker: str
    last: bool


def looks(picture: Picture) -> dict[int, Look]:
    """The look of each line to draw, by the index of its iteration in the picture."""
    places = picture.lines
    found = {}
    for n, place in enumerate(places):
        last = n == len(places) - 1
        colour = VERMILION if last else _EARLIER[n % len(_EARLIER)]
        dash = "-" if last else DASHES[1 + n % (len(DASHES) - 1)]
        found[place] = Look(f"{picture.iterations[place]:,}", colour, dash, MARKERS[n % len(MARKERS)], last)
    return found


def draw_lines(axes: Axes, fit: Fit, picture: Picture) -> None:
    """Draw the points, and the line (of terms of one column, the curve) after 0, 1, 10, … iterations and at the end."""
    curve = picture.curve
    points = picture.points if curve is None else curve.points
    if points is not None and len(points):
        count = len(points)
        alpha, size = next((alpha, size) for most, alpha, size in _CROWDS if count <= most)
        axes.plot(
            *_apart(fit, points).T, color=GREY, linestyle="none", marker="o", markersize=size, alpha=alpha,
            markeredgewidth=0, zorder=5 if count <= _FEW_POINTS else 2, gid="points",
        )  # fmt: skip
    if curve is None:
        assert picture.span is not None
        low, high = picture.span
        pad = _MARGIN * (high - low) or 1.0
        x = np.linspace(low - pad, high + pad, 2 if _is_straight(fit) else _BENDS)
        lines = {place: _line(fit, picture, place, x) for place in looks(picture)}
    else:
        x, lines = curve.x, dict(zip(picture.lines, curve.lines, strict=True))
    low, high = _heights(points, [y for y in lines.values() if np.isfinite(y).all()], fit)
    for place, look in looks(picture).items():
        y = lines[place]
        if not np.isfinite(y).all() or y.max() < low or y.min() > high:
            continue
        axes.plot(
            x, y, color=look.colour, linestyle=look.dash, linewidth=3.0 if look.last else 1.8,
            zorder=3 if look.last else 4, label=look.label,
        )  # fmt: skip
    if fit.classes is not None:
        low, high = -_JITTER - _MARGIN, 1 + _JITTER + _MARGIN
    axes.set_xlim(float(x[0]), float(x[-1]))
    axes.set_ylim(low, high)
    linear_axis(axes.xaxis, whole=points is not None and bool((points[:, 0] % 1 == 0).all()))
    linear_axis(axes.yaxis)
    axes.set_xlabel(shown(picture.terms[0] if curve is None else curve.column))
    axes.set_ylabel(shown(fit.target) if fit.classes is None else f"P({shown(fit.target)} = {shown(fit.classes[1])})")
    what = "line" if curve is None and _is_straight(fit) else "curve"
    jittered = "" if fit.classes is None or points is None else ", moved a little up or down"
    axes.set_title(f"The {what}, and {_sample(fit, points)}{jittered}")


def _is_straight(fit: Fit) -> bool:
    return LOSSES[fit.loss].link is Link.IDENTITY


def _apart(fit: Fit, points: Array) -> Array:
    """The points; those of two classes moved a little up or down, always alike, so that none hides another."""
    if fit.classes is None:
        return points
    moved = np.random.default_rng(0).uniform(-_JITTER, _JITTER, len(points))
    return np.column_stack([points[:, 0], points[:, 1] + moved])


def explain_looks(figure: Figure | SubFigure, lines: Axes, picture: Picture) -> None:
    """Draw one legend for both panels: the ``lines`` and the marked places on the path."""
    drawn = {str(line.get_label()) for line in lines.get_lines()}
    handles = [
        Line2D(
            [], [], color=look.colour, linestyle=look.dash, marker=look.marker, markersize=8,
            markeredgecolor="white", linewidth=3.0 if look.last else 1.8,
            label=look.label if look.label in drawn else f"{look.label} (out of view)",
        )
        for look in looks(picture).values()
    ]  # fmt: skip
    if picture.surface is not None or (picture.grid is not None and picture.grid.optimum is not None):
        handles.append(Line2D([], [], color=BLACK, marker="*", markersize=11, linestyle="none", label="optimum"))
    figure.legend(
        handles=handles, title="after so many iterations", title_fontsize=9, loc="outside lower center",
        ncols=len(handles), handlelength=3.2, columnspacing=1.4,
    )  # fmt: skip


def _sample(fit: Fit, points: Array | None) -> str:
    if points is None:
        return "no points: a summary holds no rows"
    of = fit.rows.used - (0 if fit.holdout is None else fit.holdout.rows)
    which = "points" if fit.holdout is None else "points not held out"
    return f"all {of:,} {which}" if len(points) >= of else f"{len(points):,} of {of:,} {which}"


def _line(fit: Fit, picture: Picture, place: int, x: Array) -> Array:
    c = 0.0 if picture.intercepts is None else picture.intercepts[place]
    with np.errstate(over="ignore", invalid="ignore"):
        y: Array = LOSSES[fit.loss].link.inverse(picture.slopes[place, 0] * x + c)
    return y


def _heights(points: Array | None, lines: list[Array], fit: Fit) -> tuple[float, float]:
    """The limits of y: the points', and those lines' that do not stretch them too much."""
    if points is not None and len(points):
        low, high = float(points[:, 1].min()), float(points[:, 1].max())
    else:
        last = lines[-1] if lines else np.array([0.0, 1.0])
        spread = math.sqrt(fit.optimum.cost or 0.0)
        low, high = float(last.min()) - 2 * spread, float(last.max()) + 2 * spread
    extent = (high - low) or abs(high) or 1.0
    for y in sorted(lines, key=lambda y: float(np.abs(y - (low + high) / 2).max())):
        both = min(low, float(y.min())), max(high, float(y.max()))
        if both[1] - both[0] <= _MOST_STRETCHED * extent:
            low, high = both
    pad = _MARGIN * ((high - low) or extent)
    return low - pad, high + pad


# --- the landscape


def draw_landscape(axes: Axes, fit: Fit, picture: Picture, surface: Surface) -> None:
    """Draw the cost over m and c with the path; if there is no intercept, the cost over m alone."""
    if picture.intercepts is None:
        _draw_valley(axes, fit, picture, surface)
        return
    whole = np.column_stack(surface.scales.of(picture.slopes[:, 0], picture.intercepts))
    path, unit, surface = whole[: _in_view(picture)], surface.scales.unit**2, surface.scaled
    start = float(picture.gaps[0]) / unit
    (left, right), (bottom, top) = _window(path, surface, start)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    corners = surface.gap(np.array([left, left, right, right]), np.array([bottom, top, bottom, top]))
    levels = gap_levels(start, float(corners.max()), fit.optimum.gap_measure / unit)
    if surface.variance > 0 and levels:
        _draw_levels(axes, surface, levels, fit, unit)
    _draw_path(axes, fit, picture, whole, len(path), (surface.slope, surface.intercept))


def draw_grid(axes: Axes, fit: Fit, picture: Picture, grid: CostGrid) -> None:
    """Draw the cost on a grid around the path, with the path."""
    assert picture.intercepts is not None
    whole = np.column_stack(grid.scales.of(picture.slopes[:, 0], picture.intercepts))
    lowest = float(np.nanmin(grid.costs)) if fit.optimum.cost is None else fit.optimum.cost
    levels = gap_levels(float(picture.costs[0]) - lowest, float(np.nanmax(grid.costs)) - lowest, abs(lowest))
    if levels:
        costs = [lowest, *(lowest + gap for gap in levels)]
        axes.contourf(
            grid.slopes, grid.intercepts, grid.costs, levels=[-math.inf, *costs[1:], math.inf],
            colors=[_LANDSCAPE(i / len(levels)) for i in range(len(levels) + 1)], zorder=1,
        )  # fmt: skip
        axes.contour(
            grid.slopes, grid.intercepts, grid.costs, levels=costs[1:], colors="#55789B", linewidths=0.6, zorder=1
        )
        _explain_levels(axes, costs, fit)
    axes.set_xlim(grid.slopes[0], grid.slopes[-1])
    axes.set_ylim(grid.intercepts[0], grid.intercepts[-1])
    _draw_path(axes, fit, picture, whole, len(finite_start(whole)), grid.optimum)


def _draw_path(
    axes: Axes, fit: Fit, picture: Picture, whole: Array, in_view: int, optimum: tuple[float, float] | None
) -> None:
    """Draw the first ``in_view`` points of the path, and label the axes."""
    path = whole[:in_view]
    # The next step is drawn as far as the frame.
    axes.plot(*finite_start(whole[: in_view + 1]).T, color=BLACK, linewidth=1.0, zorder=3, gid="path")
    few = path[: ALL_UP_TO + 1]
    axes.plot(*few.T, color=BLACK, linestyle="none", marker=".", markersize=3, zorder=3)
    _mark_lines(axes, picture, path)
    if optimum is not None:
        axes.plot(
            [optimum[0]], [optimum[1]], color=BLACK, marker="*", markersize=11, linestyle="none",
            markeredgecolor="white", markeredgewidth=0.6, zorder=7, label="optimum",
        )  # fmt: skip
    linear_axis(axes.xaxis, 5)
    linear_axis(axes.yaxis)
    scaled = fit.descent.scale != "none"
    if scaled:  # so that right angles are seen as such
        axes.set_aspect("equal", adjustable="datalim" if picture.grid is None else "box")
    axes.set_xlabel("slope m on the scaled problem" if scaled else _slope_label(fit, picture))
    axes.set_ylabel("intercept c on the scaled problem" if scaled else f"intercept c ({shown(fit.target)})")
    dots = "" if len(few) == len(path) else f" up to {picture.iterations[len(few) - 1]}"
    axes.set_title(f"The path over the cost, a dot per iteration{dots}")
    axes.grid(False)


def _slope_label(fit: Fit, picture: Picture) -> str:
    return f"slope m ({shown(fit.target, 20)} per {shown(picture.terms[0], 20)})"


def _draw_levels(axes: Axes, surface: Surface, levels: list[float], fit: Fit, unit: float) -> None:
    """Fill the ellipses of the levels from the largest to the smallest, and explain their colours."""
    colours = [_LANDSCAPE(i / len(levels)) for i in range(len(levels) + 1)]
    axes.set_facecolor(colours[-1])
    for i in reversed(range(len(levels))):
        ellipse = np.column_stack(surface.level(levels[i], _CORNERS))
        axes.add_patch(
            Polygon(ellipse, facecolor=colours[i], edgecolor="#55789B", linewidth=0.6, zorder=1, gid=f"level {i}")
        )
    _explain_levels(axes, [unit * surface.cost, *(unit * (surface.cost + gap) for gap in levels)], fit)


def _explain_levels(axes: Axes, costs: list[float], fit: Fit) -> None:
    """Draw the scale of the colours, from the lowest cost on."""
    colours = [_LANDSCAPE(i / (len(costs) - 1)) for i in range(len(costs))]
    top = costs[-1] + (costs[-1] - costs[-2])
    norm = BoundaryNorm([*costs, top], len(colours))
    bar = axes.figure.colorbar(
        ScalarMappable(norm, ListedColormap(colours)), ax=axes, spacing="uniform", drawedges=True, pad=0.02, aspect=28
    )
    bar.set_ticks(costs, labels=_told_apart(costs))
    bar.ax.tick_params(length=0, labelsize=9)
    bar.outline.set_edgecolor(GREY)
    bar.set_label(f"cost{cost_unit(fit.loss, shown(fit.target))}")


def _told_apart(costs: list[float]) -> list[str]:
    labels: list[str] = []
    for digits in (3, 4, 5, 6, 8):
        labels = label_numbers(costs, digits)
        if len(set(labels)) == len(labels):
            break
    return labels


def gap_levels(start: float, largest: float, measure: float) -> list[float]:
    """The gaps of the contours: 0.01, 0.03, 0.1 … × the ``start``'s gap, below the ``largest`` on the picture.

    ``measure`` replaces a start gap that is next to zero. [] if no contour can be drawn.
    """
    unit = start if start > 1e-9 * measure else measure
    if not (unit > 0 and math.isfinite(largest)):
        return []
    for factors in ((1.0, 3.0), (1.0,)):
        found = [f * 10.0**power * unit for power in range(-2, 40) for f in factors]
        found = [gap for gap in found if gap < largest]
        if len(found) <= _MOST_LEVELS:
            return found
    return found[:: -(-len(found) // _MOST_LEVELS)]


def _in_view(picture: Picture) -> int:
    """The number of the path's points to draw: all before the first whose gap is far above the start's."""
    limit = _OUTWARD * max(float(picture.gaps[0]), float(np.nanmin(picture.gaps)))
    out = ~(picture.gaps <= limit) if limit > 0 else ~np.isfinite(picture.gaps)
    return max(int(np.argmax(out)), 1) if out.any() else len(picture.gaps)


def _window(path: Array, surface: Surface, start: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """The limits of m and c: the path's, and as much of an ellipse as leaves the path a good part of them."""
    best = (surface.slope, surface.intercept)
    narrow = tuple(_around(path[:, i], best[i]) for i in range(2))
    if not (surface.variance > 0 and start > 0):
        return narrow[0], narrow[1]
    extent = [max(float(np.ptp([*path[:, i], best[i]])), 0.0) for i in range(2)]
    for share in _SHARES:
        half = math.sqrt(share * start) / math.sqrt(surface.variance)
        halves = (half, half * math.hypot(math.sqrt(surface.variance), surface.mean))
        wide = [
            (min(narrow[i][0], best[i] - 1.1 * halves[i]), max(narrow[i][1], best[i] + 1.1 * halves[i]))
            for i in range(2)
        ]
        if max(extent[i] / (wide[i][1] - wide[i][0]) for i in range(2)) >= _SMALLEST_PATH:
            return wide[0], wide[1]
    return narrow[0], narrow[1]


def _around(values: Array, best: float) -> tuple[float, float]:
    low, high = min(float(values.min()), best), max(float(values.max()), best)
    pad = _AROUND * (high - low) or 0.5 * abs(best) or 1.0
    return low - pad, high + pad


def _mark_lines(axes: Axes, picture: Picture, path: Array) -> None:
    for place, look in looks(picture).items():
        if place < len(path):
            axes.plot(
                *path[place], color=look.colour, marker=look.marker, linestyle="none",
                markersize=13 if look.last else 11 if place == 0 else 8, markeredgecolor="white",
                zorder=5 if look.last else 6, label=look.label,
            )  # fmt: skip


def _draw_valley(axes: Axes, fit: Fit, picture: Picture, surface: Surface) -> None:
    """Draw the cost over m, and the steps on it."""
    path = picture.slopes[: _in_view(picture), 0]
    low, high = _around(path, surface.slope)
    m = np.linspace(low, high, 400)
    axes.plot(m, surface.cost + surface.gap(m, 0.0), color=GREY, zorder=2)
    costs = picture.costs[: len(path)]
    axes.plot(path, costs, color=BLACK, linewidth=1.0, marker=".", markersize=3, zorder=3)
    _mark_lines(axes, picture, np.column_stack([path, costs]))
    axes.plot(
        [surface.slope], [surface.cost], color=BLACK, marker="*", markersize=11, linestyle="none",
        markeredgecolor="white", markeredgewidth=0.6, zorder=7, label="optimum",
    )  # fmt: skip
    axes.set_xlim(low, high)
    linear_axis(axes.xaxis, 5)
    linear_axis(axes.yaxis)
    axes.set_xlabel(_slope_label(fit, picture))
    axes.set_ylabel(f"cost ({shown(fit.target)}²)")
    axes.set_title("The steps down the cost")
