"""What all pictures share: style, colours, axes, and the bytes of a file.

Colours are Okabe and Ito's (https://jfly.uni-koeln.de/color/), told apart with any kind of colour vision; markers and
line styles say the same once more.
"""

import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullFormatter

from gdcli.engine.arrays import Array
from gdcli.report.plots.labels import FONT, CountTicks, Decades, Numbers, further_fonts, is_plain_number

BLACK, BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = (
    "#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9",
)  # fmt: skip

GREY, PALE = "#666666", "#BBBBBB"

COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)

DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)))

MARKERS = ("o", "s", "^", "D", "v", "P", "X")

_CHARACTERS_PER_INCH = 12  # of a title

# Iterations up to which an axis is linear and shows each of them.
LINEAR_UP_TO = 20

# From one decade on a linear axis has its lower end flat.
_LOGARITHMIC_FROM = 10.0

# Two decades have room for 2 and 5 between the powers of ten.
_FEW_DECADES = 100.0

# An optimum further below the lowest cost is left out: a perfect fit's is rounding.
_FURTHEST = 1e6

# Numbers with a power of ten beside each other.
_MOST_POWERS = 3

_DPI = 150

# Small panels side by side, and the characters that the name of one has room for.
_PANELS_ACROSS, _LONGEST_PANEL_NAME = 4, 34

_CANVASES: dict[str, tuple[Any, dict[str, Any]]] = {
    ".png": (FigureCanvasAgg, {"dpi": _DPI}),
    ".svg": (FigureCanvasSVG, {"metadata": {"Date": None}}),
    ".pdf": (FigureCanvasPdf, {"metadata": {"CreationDate": None}}),
}

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it speaks of caches and fonts on stderr


@contextmanager
def in_style() -> Iterator[None]:
    """Context in which figures have gdfit's style, not the user's own; a figure must be rendered inside, too."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "text.parse_math": False,  # a $ in a column's name is a $
                "font.family": [FONT, *further_fonts()],
                "font.size": 10,
                "axes.titlesize": 11,
                "axes.titlelocation": "left",
                "axes.titlepad": 8,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.edgecolor": GREY,
                "axes.axisbelow": True,
                "axes.grid": True,
                "grid.color": "#E6E6E6",
                "grid.linewidth": 0.8,
                "xtick.color": GREY,
                "ytick.color": GREY,
                "xtick.labelcolor": BLACK,
                "ytick.labelcolor": BLACK,
                "legend.frameon": False,
                "legend.fontsize": 9,
                "lines.linewidth": 1.8,
                "lines.markersize": 5,
                "svg.hashsalt": "gdfit",
                "svg.fonttype": "none",  # text stays text: small, found by a search, read aloud
            }
        )
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, its size in inches, whose parts do not overlap."""
    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1))
    FigureCanvasAgg(figure)
    return figure


def new_panels(count: int) -> tuple[Figure, list[Axes], list[Axes]]:
    """A figure with small panels side by side: itself, the panels, and those at the left edge."""
    across = min(_PANELS_ACROSS, count)
    down = -(-count // across)
    figure = new_figure(max(3.6 * across, 6.0), 2.7 * down + 0.9)
    grid = figure.subplots(down, across, squeeze=False)
    for axes in grid.flat[count:]:
        axes.set_visible(False)
    return figure, list(grid.flat[:count]), list(grid[:, 0])


def panel_title(axes: Axes, name: str, facts: str) -> None:
    """Write the name of a small panel, and the facts beneath it."""
    name = name if len(name) <= _LONGEST_PANEL_NAME else f"{name[: _LONGEST_PANEL_NAME - 1]}…"
    axes.set_title(f"{name}\n{facts}", fontsize=9)


def render_figure(figure: Figure, kind: str) -> bytes:
    """The figure as a file's bytes; the same ones every time."""
    canvas, settings = _CANVASES[kind]
    stream = io.BytesIO()
    figure.set_canvas(canvas(figure))
    figure.savefig(stream, format=kind.removeprefix("."), **settings)
    return stream.getvalue()


def set_title(figure: Figure, title: str, facts: Sequence[str]) -> None:
    """Write the title, and the facts beneath it."""
    longest = int(figure.get_figwidth() * _CHARACTERS_PER_INCH)
    lines = [line if len(line) <= longest else f"{line[: longest - 1]}…" for line in (title, " · ".join(facts))]
    figure.suptitle("\n".join(lines), x=0.012, ha="left", fontsize=11, linespacing=1.5)


# --- axes


def linear_axis(axis: Any, most: int = 6, whole: bool = False) -> None:
    """Set the ticks of a linear axis whose limits are set, at whole numbers only if ``whole``."""
    if axis.axis_name == "x" and not all(map(is_plain_number, axis.get_view_interval())):
        most = min(most, _MOST_POWERS)
    axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10] if whole else [1, 2, 2.5, 5, 10], integer=whole))
    axis.set_major_formatter(Numbers())


def iteration_axis(axes: Axes, last: int) -> None:
    """Lay iterations 0 … last along x: evenly if they are few, else logarithmic from 1 on, with 0 left of it."""
    if last <= LINEAR_UP_TO:
        axes.set_xlabel("iteration")
        axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))
        axes.xaxis.set_major_formatter(CountTicks())
        pad = 0.02 * max(last, 1)
        axes.set_xlim(-pad, max(last, 1) + pad)
        return
    axes.set_xlabel("iteration (log scale from 1 on)")
    axes.set_xscale("symlog", linthresh=1.0, linscale=0.5)
    powers = [10**i for i in range(len(str(last)))]
    between = [i * power for power in powers for i in (2, 5)] if last < 1000 else []
    axes.xaxis.set_major_locator(FixedLocator([0, *sorted(v for v in [*powers, *between] if v <= last)]))
    all_between = [i * power for power in powers for i in range(2, 10)]
    axes.xaxis.set_minor_locator(FixedLocator([v for v in all_between if v <= last]))
    axes.xaxis.set_major_formatter(CountTicks())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(-0.06, last * 1.06)


def positive_axis(axes: Axes, values: Array, also: Sequence[float] = ()) -> bool:
    """Lay positive values along y; return whether the axis is logarithmic, as it is if they span a decade.

    The axis also shows the values of ``also`` that are not decades away.
    """
    finite = values[np.isfinite(values)]
    above = finite[finite > 0]
    logarithmic = bool(len(above)) and above.max() >= _LOGARITHMIC_FROM * above.min()
    if not logarithmic:
        linear_axis(axes.yaxis)
        span = [*finite, *also]
        low, high = min(span, default=0.0), max(span, default=1.0)
        pad = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
        axes.set_ylim(low - pad if low - pad > 0 or low < 0 else min(0.0, low) - 0.02 * high, high + pad)
        return False
    low, high = float(above.min()), float(above.max())
    low = min([low, *(v for v in also if low / _FURTHEST <= v)])
    pad = (high / low) ** 0.06
    axes.set_yscale("log")
    axes.set_ylim(low / pad, high * pad)
    few = high / low < _FEW_DECADES
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,), numticks=8))
    axes.yaxis.set_major_formatter(Decades())
    axes.yaxis.set_minor_formatter(NullFormatter())
    return True


def spread(wanted: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Places between ``low`` and ``high``, one for each wanted one, as near to it as they can be.

    Neighbours are at least ``apart``: those that are too near are put side by side around their middle, until none is.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    groups: list[tuple[float, list[int]]] = []  # the middle of each, and its members from low to high
    for i in order:
        groups.append((min(max(wanted[i], low), high), [i]))
        while len(groups) > 1 and _top(groups[-2], apart) + apart > _bottom(groups[-1], apart):
            (_, first), (_, second) = groups[-2:]
            both = [*first, *second]
            middle = sum(wanted[j] for j in both) / len(both)
            half = apart * (len(both) - 1) / 2
            groups[-2:] = [(max(min(middle, high - half), low + half), both)]
    places = [0.0] * len(wanted)
    for group in groups:
        for n, i in enumerate(group[1]):
            places[i] = _bottom(group, apart) + n * apart
    return places


def _bottom(group: tuple[float, list[int]], apart: float) -> float:
    return group[0] - apart * (len(group[1]) - 1) / 2


def _top(group: tuple[float, list[int]], apart: float) -> float:
    return group[0] + apart * (len(group[1]) - 1) / 2


def finite_start(values: Array) -> Array:
    """The rows of ``values`` (k, …) before the first that is not finite; the first row in any case."""
    lost = ~np.isfinite(values).all(axis=1)
    return values[: max(int(np.argmax(lost)), 1)] if lost.any() else values
