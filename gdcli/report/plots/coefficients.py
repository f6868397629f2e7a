"""Several terms: each standardized coefficient against the iteration, named at its end."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import SymmetricalLogLocator

from gdcli.base.records import record
from gdcli.engine.arrays import Array, NDArray
from gdcli.engine.losses import LOSSES
from gdcli.fitting.picture import Picture
from gdcli.fitting.results import Fit
from gdcli.report.plots.canvas import (
    COLOURS,
    DASHES,
    GREY,
    LINEAR_UP_TO,
    MARKERS,
    PALE,
    finite_start,
    iteration_axis,
    linear_axis,
    spread,
)
from gdcli.report.plots.labels import Decades, label_number, shown

MOST_NAMED_PATHS = 12

_LONGEST = 26

_MARKS = 5

_NAME_SIZE = 9

# Between two names, in lines of text; and from the frame, as a share of its width.
_APART = 1.25

_OFFSET = 0.06

# Coefficients on their way out are drawn on a logarithmic scale beyond 1.
_FAR = 30.0


def draw_coefficients(figure: Figure, axes: Axes, fit: Fit, picture: Picture) -> None:
    """Draw each term's standardized coefficient against the iteration, the largest ones in colour and by name."""
    values = finite_start(picture.standardized)
    iterations = picture.iterations[: len(values)]
    best = picture.standardized_optimum
    size = np.abs(best) if fit.diverged else np.maximum(np.abs(values[-1]), np.abs(best) * 1e-3)
    named = sorted(np.argsort(-size, kind="stable")[:MOST_NAMED_PATHS].tolist())
    axes.axhline(0.0, color=GREY, linewidth=0.8)
    for i in range(len(picture.terms)):
        if i not in named:
            axes.plot(iterations, values[:, i], color=PALE, linewidth=0.8, zorder=2)
    looks = {}
    for n, i in enumerate(named):
        looks[i] = look = _Look(COLOURS[n % len(COLOURS)], MARKERS[n % len(MARKERS)])
        axes.plot(
            iterations, values[:, i], color=look.colour, linestyle=DASHES[n // len(COLOURS) % len(DASHES)], zorder=3,
            marker=look.marker, markevery=_marked(iterations, n / len(named)), markersize=4.5,
            label=shown(picture.terms[i], _LONGEST),
        )  # fmt: skip
    last = int(picture.iterations[-1])
    iteration_axis(axes, last)
    unit = f"sd of {shown(fit.target)} per sd" if LOSSES[fit.loss].degree else "per sd"
    axes.set_ylabel(f"standardized coefficient\n({unit})")
    _limit(axes, values, best, fit)
    _name_ends(figure, axes, picture, values[-1], looks)
    p = len(picture.terms)
    which = "" if p <= MOST_NAMED_PATHS else f", the {MOST_NAMED_PATHS} largest of {p} by name"
    axes.set_title(f"The coefficients{which}")


@record
class _Look:
    colour: str
    marker: str


def _marked(iterations: NDArray[np.int64], offset: float) -> list[int]:
    """The places of a few iterations, evenly spaced as they are drawn; shifted for each line."""
    if iterations[-1] <= LINEAR_UP_TO:
        return list(range(len(iterations)))
    decades = math.log10(iterations[-1])
    wanted = 10 ** ((np.arange(_MARKS) + offset) / _MARKS * decades)
    return sorted(set(np.searchsorted(iterations, wanted).tolist()))


def _limit(axes: Axes, values: Array, best: Array, fit: Fit) -> None:
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    if fit.diverged and max(-low, high) > _FAR:
        axes.set_yscale("symlog", linthresh=1.0)
        axes.yaxis.set_major_locator(SymmetricalLogLocator(base=10.0, linthresh=1.0))
        axes.yaxis.set_major_formatter(Decades())
        axes.set_ylabel(axes.get_ylabel() + ", log scale beyond ±1")
        return
    extent = (high - low) or 1.0
    for value in sorted(best.tolist(), key=abs):
        if max(high, value) - min(low, value) <= 2.0 * extent:
            low, high = min(low, value), max(high, value)
    pad = 0.05 * ((high - low) or 1.0)
    axes.set_ylim(low - pad, high + pad)
    linear_axis(axes.yaxis)


def _name_ends(figure: Figure, axes: Axes, picture: Picture, ends: Array, looks: dict[int, _Look]) -> None:
    """Mark each named term's optimum on the right edge, and write its name beside it, none over another."""
    figure.draw_without_rendering()  # the layout: how high the axes are
    height = axes.get_window_extent().height
    apart = _APART * _NAME_SIZE * figure.dpi / 72 / height
    named = list(looks)
    low, high = axes.get_ylim()
    ways = axes.transAxes.inverted()
    heights = [float(ways.transform(axes.transData.transform((1.0, ends[i])))[1]) for i in named]
    places = spread(heights, apart, 0.0, 1.0)
    edge = axes.get_yaxis_transform()
    for i, height, place in zip(named, heights, places, strict=True):
        best = float(picture.standardized_optimum[i])
        inside = low <= best <= high
        if inside:
            axes.plot(
                [1.0], [best], transform=edge, clip_on=False, color=looks[i].colour, marker=looks[i].marker,
                markerfacecolor="white", markersize=6, linestyle="none", zorder=5, gid=f"optimum {i}",
            )  # fmt: skip
        name = shown(picture.terms[i], _LONGEST)
        axes.annotate(
            name if inside or math.isnan(best) else f"{name} (optimum {label_number(best)})",
            xy=(1.0, height), xycoords="axes fraction", xytext=(1.0 + _OFFSET, place), textcoords="axes fraction",
            color=looks[i].colour, fontsize=_NAME_SIZE, va="center", ha="left", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": looks[i].colour, "linewidth": 0.8, "shrinkA": 1, "shrinkB": 4,
                        "relpos": (0.0, 0.5)},
        )  # fmt: skip
    if not any(low <= picture.standardized_optimum[i] <= high for i in named):
        return
    handle = axes.plot([], [], color=GREY, marker="o", markerfacecolor="white", linestyle="none", label="optimum")
    axes.legend(handles=handle, loc="lower left", bbox_to_anchor=(1.0 + _OFFSET - 0.02, 1.015), borderaxespad=0.0)
