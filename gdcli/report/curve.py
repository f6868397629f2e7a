"""The report on a walk down a curve: its JSON, its rows, and the columns of its table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gdcli.engine.polynomial import StationaryKind, StationaryPoint
from gdcli.fitting.curve import Curve, Walk
from gdcli.report import numbers
from gdcli.report.curve_steps import QUANTITIES, shown_iterations, step_cells
from gdcli.report.curve_verdict import curve_verdict
from gdcli.report.paper import Page
from gdcli.report.report import Report, sheet_of
from gdcli.report.screen import TableColumn

if TYPE_CHECKING:
    from gdcli.report.page.contents import TypedCommand
    from gdcli.report.screen import Screen, StyledLine

CURVE_SCHEMA = "gdfit.curve/1"

_HEADER = ("learning_rate", "iteration", "x", "y", "slope")


def curve_report(curve: Curve, digits: int = 6, *, fewer: bool = True, typed: "TypedCommand | None" = None) -> Report:
    """The report on a curve: a row for each rate and step.

    ``fewer`` allows fewer digits if the steps do not fit on a terminal with all of them. ``typed`` is the command line
    for a lesson page.
    """
    from gdcli.report.chart import chart_of_curve
    from gdcli.report.plots import PAGE, picture_of_curve

    def screen(page: Page) -> "Screen":
        from gdcli.report.curve_screen import curve_screen

        return curve_screen(curve, page, digits, fewer=fewer)

    def verdict(page: Page) -> "Sequence[StyledLine]":
        from gdcli.report.curve_screen import verdict_of_walks

        return verdict_of_walks(curve, page, digits)

    def picture(kind: str) -> bytes:
        if kind != PAGE:
            return picture_of_curve(curve, kind)
        from gdcli.report.page.contents import page_of_curve

        return page_of_curve(curve, report, typed)

    rows = ((walk.learning_rate, *step.values()) for walk in curve.walks for step in _steps(walk))
    report = Report(
        document=lambda: _document(curve, digits),
        sheet=lambda: sheet_of(_HEADER, rows),
        columns=lambda: _columns(curve, digits),
        screen=screen,
        verdict=verdict,
        chart=lambda page: chart_of_curve(curve, page, page.colors is not None),
        picture=picture,
    )
    return report


def _columns(curve: Curve, digits: int) -> list[TableColumn]:
    """The table that a terminal without end would show."""
    rows = shown_iterations(curve)
    cells = [[str(k) for k in rows], *(c for walk in curve.walks for c in step_cells(walk, rows, QUANTITIES, digits))]
    names = [f"{q} (lr {numbers.rate(walk.learning_rate)})" for walk in curve.walks for q in QUANTITIES]
    return [TableColumn(name, column) for name, column in zip(["step", *names], cells, strict=True)]


def _document(curve: Curve, digits: int) -> dict[str, Any]:
    """The curve and its walks. Only verdicts are rounded, to ``digits``."""
    shape = curve.shape
    return {
        "schema": CURVE_SCHEMA,
        "version": curve.version,
        "polynomial": list(curve.polynomial),
        "start": curve.start,
        "iterations": curve.iterations,
        "automatic_rates": curve.automatic,
        "falls_without_end": {"left": shape.falls_left, "right": shape.falls_right},
        "minima": [{**_point(p), **_limits(p), "lowest": p in shape.lowest} for p in shape.minima],
        "maxima": [_point(p) for p in shape.points if p.kind is StationaryKind.MAXIMUM],
        "inflections": [_point(p) for p in shape.points if p.kind is StationaryKind.INFLECTION],
        "rates": [_walk(curve, walk, digits) for walk in curve.walks],
    }


def _point(point: StationaryPoint) -> dict[str, float | None]:
    return {"x": numbers.finite(point.x), "y": numbers.finite(point.y), "curvature": numbers.finite(point.curvature)}


def _limits(point: StationaryPoint | None) -> dict[str, float | None]:
    if point is None:
        return {"largest_stable": None, "best": None}
    return {"largest_stable": point.largest_stable_rate, "best": point.best_rate}


def _walk(curve: Curve, walk: Walk, digits: int) -> dict[str, Any]:
    return {
        "learning_rate": walk.learning_rate,
        "behaviour": walk.behaviour and walk.behaviour.value,
        "outcome": walk.outcome.value,
        "verdict": curve_verdict(curve, walk, digits),
        "stopped": walk.stopped.value,
        "minimum": None if walk.valley is None else numbers.finite(walk.valley.x),
        **_limits(walk.valley),
        "steps": _steps(walk),
    }


def _steps(walk: Walk) -> list[dict[str, Any]]:
    """The steps as they stand in the JSON."""
    values = zip(walk.x.tolist(), walk.y.tolist(), walk.slope.tolist(), strict=True)
    return [
        {"iteration": k, **{name: numbers.finite(value) for name, value in zip(QUANTITIES, step, strict=True)}}
        for k, step in enumerate(values)
    ]
