"""Fits, sweeps and walks with their pictures drawn, and the rows to compare them with."""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from gdcli.api import run_fit
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import Fit, TraceRow, TraceShape
from gdcli.report.plots.canvas import _DPI as DPI
from gdcli.report.plots.canvas import in_style
from gdcli.report.plots.fit import draw_fit


@pytest.fixture(autouse=True)
def style() -> Iterator[None]:
    """Pictures are drawn and laid out in gdfit's own style."""
    with in_style():
        yield


class Drawn(NamedTuple):
    """A fit and its picture."""

    fit: Fit
    figure: Figure

    def panel(self, ylabel: str) -> Axes:
        """Return the axes whose y label begins so."""
        return next(axes for axes in axes_of(self.figure) if axes.get_ylabel().startswith(ylabel))


def axes_of(figure: Figure) -> list[Axes]:
    """Return all axes, those of its parts too."""
    return [axes for part in (figure, *figure.subfigs) for axes in part.axes]


@pytest.fixture(scope="session")
def drawn() -> Callable[..., Drawn]:
    """Fit and draw; options as for FitOptions. What many tests look at is drawn once."""
    known: dict[tuple[int, str], tuple[Any, Drawn]] = {}  # with its data, so that no others come to have their id

    def draw(data: Any, **options: Any) -> Drawn:
        key = id(data), repr(options)
        if key not in known:
            fit = run_fit([data], FitOptions.of(**{"picture": True, "points": 5000, **options}))
            known[key] = data, Drawn(fit, draw_fit(fit))
        return known[key][1]

    return draw


class AllRows:
    """Records every iteration."""

    def __init__(self) -> None:
        self.rows: list[TraceRow] = []

    def begin(self, shape: TraceShape) -> None:
        pass

    def wants(self, iteration: int) -> bool:
        return True

    def record(self, row: TraceRow) -> None:
        self.rows.append(row)


@pytest.fixture
def all_rows() -> AllRows:
    """A recorder of every iteration."""
    return AllRows()


@pytest.fixture(scope="session")
def many_terms() -> pd.DataFrame:
    """24 features, some of long and odd names, and a target."""
    generator = np.random.default_rng(7)
    X = generator.normal(size=(300, 24))
    names = [f"a very long name of a column, number {i}" if i % 3 == 0 else f"$v_{i}$" for i in range(24)]
    return pd.DataFrame(X, columns=names).assign(**{"the $target$\n": X @ generator.normal(size=24) + 3.0})


@pytest.fixture
def assert_apart(monkeypatch: pytest.MonkeyPatch) -> Callable[[Figure], None]:
    """Check that no text that is drawn covers another or leaves the figure."""

    def check(figure: Figure) -> None:
        boxes = []

        def draw(text: Text, renderer: Any) -> None:
            if text.get_visible() and text.get_text().strip():
                boxes.append((text.get_text(), Text.get_window_extent(text, renderer)))

        figure.set_dpi(DPI)
        with monkeypatch.context() as patch:
            patch.setattr(Text, "draw", draw)
            figure.draw_without_rendering()  # lays out as it is done for a file, and draws nothing
        assert len(boxes) > 5
        frame = figure.bbox
        for text, box in boxes:
            assert frame.x0 - 1 <= box.x0 < box.x1 <= frame.x1 + 1, text
            assert frame.y0 - 1 <= box.y0 < box.y1 <= frame.y1 + 1, text
        for (one, first), (other, second) in combinations(boxes, 2):
            wide = min(first.x1, second.x1) - max(first.x0, second.x0)
            high = min(first.y1, second.y1) - max(first.y0, second.y0)
            assert wide <= 1 or high <= 1, (one, other)

    return check
