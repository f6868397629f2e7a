"""The picture of a fit: the cost and the coefficients over the iterations.

With one term that is the line through the points and the path over the cost as a landscape; with several it is each
standardized coefficient against the iteration, and the curve through the points if all are terms of one column.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gdcli.base.names import count_of
from gdcli.engine.descent import Stopped
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.picture import Picture
from gdcli.fitting.results import Fit
from gdcli.report import numbers
from gdcli.report.plots.canvas import (
    BLACK,
    BLUE,
    GREEN,
    LINEAR_UP_TO,
    VERMILION,
    iteration_axis,
    new_figure,
    positive_axis,
    set_title,
)
from gdcli.report.plots.coefficients import draw_coefficients
from gdcli.report.plots.labels import label_number, shown
from gdcli.report.plots.landscape import draw_grid, draw_landscape, draw_lines, explain_looks
from gdcli.report.sentences import cost_unit

_MOST_NAMED = 3


def draw_fit(fit: Fit) -> Figure:
    """The figure of a fit, which must have a ``picture``: its cost and its coefficients."""
    picture = fit.picture
    assert picture is not None
    if picture.surface is not None or picture.grid is not None:
        figure = new_figure(11.5, 9.0)
        upper, lower = figure.subfigures(2, 1, height_ratios=[1.45, 1.0], squeeze=False).flat
        axes = upper.subplot_mosaic([["lines", "landscape"]]) | lower.subplot_mosaic([["cost"]])
        draw_lines(axes["lines"], fit, picture)
        if picture.surface is not None:
            draw_landscape(axes["landscape"], fit, picture, picture.surface)
        elif picture.grid is not None:
            draw_grid(axes["landscape"], fit, picture, picture.grid)
        explain_looks(upper, axes["lines"], picture)
    elif picture.curve is not None:
        figure = new_figure(13.0, 10.4)
        axes = figure.subplot_mosaic([["lines", "lines"], ["cost", "coefficients"]])
        draw_lines(axes["lines"], fit, picture)
        axes["lines"].legend(title="after so many iterations", loc="best")
    elif picture.span is not None:
        figure = new_figure(13.0, 5.6)
        axes = figure.subplot_mosaic([["lines", "cost"]])
        draw_lines(axes["lines"], fit, picture)
        explain_looks(figure, axes["lines"], picture)
    elif picture.terms:
        figure = new_figure(13.0, 5.6)
        axes = figure.subplot_mosaic([["cost", "coefficients"]])
    else:
        figure = new_figure(7.5, 5.0)
        axes = figure.subplot_mosaic([["cost"]])
    draw_cost(axes["cost"], fit, picture)
    set_title(figure, _title(fit, picture), _facts(fit))
    if "coefficients" in axes:
        draw_coefficients(figure, axes["coefficients"], fit, picture)
    return figure


def draw_cost(axes: Axes, fit: Fit, picture: Picture) -> None:
    """Draw the cost against the iteration, with the optimum as a line."""
    finite = np.isfinite(picture.costs)
    iterations, costs = picture.iterations[finite], picture.costs[finite]
    last = int(picture.iterations[-1])
    drawn = [costs]
    marker = "o" if last <= LINEAR_UP_TO else None
    axes.plot(iterations, costs, color=BLUE, marker=marker, label="cost", zorder=3)
    if picture.validation is not None:
        held = picture.validation[finite]
        axes.plot(iterations, held, color=VERMILION, linestyle=(0, (5, 2)), label="cost on the rows held out", zorder=3)
        drawn.append(held[np.isfinite(held)])
        _mark_best_validation(axes, fit)
    iteration_axis(axes, last)
    best = fit.optimum.cost
    positive_axis(axes, np.concatenate(drawn), [] if best is None else [best])
    if best is not None:
        low, _ = axes.get_ylim()
        below = "" if best >= low else " (below the frame)"
        axes.axhline(
            best, color=BLACK, linestyle=(0, (5, 3)), linewidth=1.2, label=f"optimum: {label_number(best)}{below}"
        )
    _mark_one_percent(axes, fit, picture)
    axes.set_ylabel(f"cost{cost_unit(fit.loss, shown(fit.target))}")
    axes.set_title("The cost at each iteration" if fit.diverged else "The cost on its way down")
    axes.legend(loc="best")


def _mark_one_percent(axes: Axes, fit: Fit, picture: Picture) -> None:
    """Mark the first iteration that is within 1 % of the optimum."""
    reached = fit.learning_rate.iterations_to_1_percent
    if reached is None or reached > picture.iterations[-1]:
        return
    cost = float(np.interp(reached, picture.iterations, picture.costs))
    # A perfect fit's cost is nothing to take a share of.
    of = "of it " if fit.optimum.gap_measure == fit.optimum.cost else "of the start's gap "
    axes.plot(
        [reached], [cost], color=GREEN, marker="D", linestyle="none", markersize=7, zorder=4,
        label=f"within 1 % {of}after {count_of(reached, 'iteration')}",
    )  # fmt: skip


def _mark_best_validation(axes: Axes, fit: Fit) -> None:
    """Mark the iteration with the lowest cost on the rows held out."""
    held = fit.holdout
    if held is None or held.best_iteration is None or held.best_cost is None:
        return
    kept = ", kept" if held.patience is not None else ""
    axes.plot(
        [held.best_iteration], [held.best_cost], color=VERMILION, marker="s", linestyle="none", markersize=7, zorder=4,
        label=f"its lowest, after {count_of(held.best_iteration, 'iteration')}{kept}",
    )  # fmt: skip


def _title(fit: Fit, picture: Picture) -> str:
    names = [shown(name) for name in fit.features]
    if len(names) > _MOST_NAMED:
        names = [*names[: _MOST_NAMED - 1], f"{len(names) - _MOST_NAMED + 1} more columns"]
    return f"{shown(fit.target)} from {', '.join(names)}" if names else f"{shown(fit.target)}, the intercept alone"


def _facts(fit: Fit) -> list[str]:
    rate = f"learning rate {label_number(fit.learning_rate.given, 6)}"
    return [count_of(fit.rows.used, "row"), rate, _ending(fit)]


def _ending(fit: Fit) -> str:
    iterations = count_of(fit.descent.iterations, "iteration")
    if fit.descent.stopped is Stopped.DIVERGED:
        return f"diverged after {iterations}"
    if fit.learning_rate.behaviour is Behaviour.UNSTABLE:
        return f"unstable, {iterations}"
    if fit.descent.converged:
        return f"converged, {iterations}"
    left = fit.optimum.relative_gap
    gap = "" if left is None else f", {numbers.percent(left)} above the optimum"
    return f"not converged after {iterations}{gap}"
