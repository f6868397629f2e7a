"""The picture of a score: predictions beside what happened, for a sample of the rows."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gdcli.base.names import count_of
from gdcli.engine.arrays import Array
from gdcli.engine.losses import LOSSES
from gdcli.engine.losses.contract import Domain
from gdcli.models.score import Score
from gdcli.models.scored_rows import ScoredRows
from gdcli.report.plots.canvas import BLUE, GREY, VERMILION, linear_axis, new_figure, set_title
from gdcli.report.plots.labels import label_number, shown

# Rows that are drawn, at most; all rows of the sample count for calibration and ROC.
_MOST_DRAWN = 1000

# Groups of rows of about the same probability, and the least rows of one.
_MOST_GROUPS, _LEAST_ROWS = 10, 5


def draw_score(score: Score) -> Figure:
    """The figure of a score: predicted against actual and the residuals.

    Of a logistic model it shows the calibration and the ROC curve instead.
    """
    sample = score.sample
    assert sample is not None
    figure = new_figure(10.4, 5.0)
    left, right = figure.subplots(1, 2)
    if LOSSES[score.loss].domain is Domain.CLASSES:
        _draw_calibration(left, sample)
        _draw_roc(right, score, sample)
        drawn = len(sample.y)
    else:
        few = sample.smallest(_MOST_DRAWN)
        _draw_predictions(left, score, few)
        _draw_residuals(right, score, few)
        drawn = len(few.y)
    rows = count_of(score.rows.used, "row")
    facts = [rows if drawn >= score.rows.used else f"a sample of {drawn:,} of {rows}"]
    if score.r2 is not None and LOSSES[score.loss].domain is not Domain.CLASSES:
        facts.append(f"R² {score.r2:.4g}")
    set_title(figure, f"{shown(score.target)} as predicted by {shown(score.model)}", facts)
    return figure


def _draw_predictions(axes: Axes, score: Score, rows: ScoredRows) -> None:
    """Predicted values against the actual ones, on axes of one scale."""
    low, high = _span(np.concatenate([rows.prediction, rows.y]))
    axes.plot([low, high], [low, high], color=GREY, linewidth=1.2, label="predicted = actual", zorder=3)
    axes.scatter(rows.y, rows.prediction, s=_size(rows), color=BLUE, alpha=_opacity(rows), linewidths=0, zorder=2)
    axes.set(xlim=(low, high), ylim=(low, high), title="Predicted against actual")
    axes.set_aspect("equal")
    axes.set_xlabel(f"actual {shown(score.target)}")
    axes.set_ylabel(f"predicted {shown(score.target)}")
    axes.legend(loc="upper left")
    _linear(axes)


def _draw_residuals(axes: Axes, score: Score, rows: ScoredRows) -> None:
    """Residuals against the predictions, with the means of groups of neighbours: a bend says that a term lacks."""
    residual = rows.y - rows.prediction
    axes.axhline(0, color=GREY, linewidth=1.2, zorder=3)
    axes.scatter(rows.prediction, residual, s=_size(rows), color=BLUE, alpha=_opacity(rows), linewidths=0, zorder=2)
    groups = _groups(rows.prediction)
    if len(groups) > 1:
        x = [float(np.average(rows.prediction[at], weights=rows.weights[at])) for at in groups]
        means = [float(np.average(residual[at], weights=rows.weights[at])) for at in groups]
        axes.plot(x, means, color=VERMILION, marker="s", markersize=5, label="mean of nearby rows", zorder=4)
        axes.legend(loc="upper left")
    axes.set(title="Residuals against predicted", xlabel=f"predicted {shown(score.target)}")
    axes.set_ylabel("actual minus predicted")
    _linear(axes)


def _draw_calibration(axes: Axes, rows: ScoredRows) -> None:
    """The share of events among rows of about the same probability, with two standard errors, against that one."""
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1.2, label="perfectly calibrated")
    groups = _groups(rows.prediction)
    expected = np.array([np.average(rows.prediction[at], weights=rows.weights[at]) for at in groups])
    share = np.array([np.average(rows.y[at], weights=rows.weights[at]) for at in groups])
    error = 2 * np.sqrt(share * (1 - share) / np.array([len(at) for at in groups]))
    axes.errorbar(
        expected, share, yerr=error, color=BLUE, marker="o", markersize=5, capsize=3, label="share ± 2 standard errors"
    )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), title="Calibration")
    axes.set_aspect("equal")
    axes.set_xlabel("predicted probability")
    axes.set_ylabel("share of events")
    axes.legend(loc="upper left")


def _draw_roc(axes: Axes, score: Score, rows: ScoredRows) -> None:
    """The share of events found against the share of false alarms, over all thresholds."""
    x, y = roc_points(rows)
    auc = score.measures.get("auc")
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1.2, label="by chance")
    axes.plot(x, y, color=BLUE, label="model" if auc is None else f"model, AUC {label_number(auc)}")
    axes.set(xlim=(0, 1), ylim=(0, 1), title="ROC")
    axes.set_aspect("equal")
    axes.set_xlabel("false alarms: share of other rows")
    axes.set_ylabel("share of events found")
    axes.legend(loc="lower right")


def roc_points(rows: ScoredRows) -> tuple[Array, Array]:
    """The points of the ROC curve: the shares (k,) of the other class and of the events at or above each threshold.

    Both run from 0 to 1. Rows with equal linear predictions z are one step.
    """
    order = np.argsort(-rows.z, kind="stable")
    z, events = rows.z[order], (rows.weights * (rows.y == 1))[order]
    others = (rows.weights * (rows.y == 0))[order]
    last = np.append(np.flatnonzero(np.diff(z)), len(z) - 1)
    found, alarms = np.cumsum(events)[last], np.cumsum(others)[last]
    return (
        np.concatenate([[0.0], alarms / max(float(alarms[-1]), 1e-300)]),
        np.concatenate([[0.0], found / max(float(found[-1]), 1e-300)]),
    )


def _groups(values: Array) -> "list[np.ndarray[tuple[int], np.dtype[np.intp]]]":
    """The places of rows in groups of neighbours, equal values in one group."""
    order = np.argsort(values, kind="stable")
    count = max(1, min(_MOST_GROUPS, len(values) // _LEAST_ROWS))
    edges = values[order][[len(values) * i // count for i in range(1, count)]]
    which = np.searchsorted(np.unique(edges), values, side="right")
    return [np.flatnonzero(which == i) for i in np.unique(which)]


def _span(values: Array) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    room = 0.04 * (high - low) or abs(high) * 0.04 or 1.0
    return low - room, high + room


def _size(rows: ScoredRows) -> float:
    return 24.0 if len(rows.y) <= 200 else 12.0


def _opacity(rows: ScoredRows) -> float:
    return 0.8 if len(rows.y) <= 200 else 0.45


def _linear(axes: Axes) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        linear_axis(axis)
