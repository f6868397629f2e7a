"""What is on a sweep's picture is what the sweep says."""

import numpy as np
import pytest

from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.options import FitOptions
from gdcli.fitting.sweep import run_sweep
from gdcli.report.plots import canvas
from gdcli.report.plots.sweep import draw_sweep

KNOWN = {}  # with its data, so that no others come to have their id


def swept(data, *rates, **options):
    """Sweep and draw, what many tests look at once."""
    key = id(data), rates, repr(options)
    if key not in KNOWN:
        sweep = run_sweep([data], FitOptions.of(**{"target": "price", **options}), rates)
        KNOWN[key] = data, sweep, draw_sweep(sweep)
    _, sweep, figure = KNOWN[key]
    return sweep, figure, *figure.axes


def known_by(axes, gid):
    return next(line for line in axes.get_lines() if line.get_gid() == gid)


def test_the_cost_curve_of_each_rate_is_drawn(housing):
    sweep, _, costs, _ = swept(housing)
    for i, rate in enumerate(sweep.rates):
        x, y = known_by(costs, f"rate {i}").get_data()
        assert list(zip(x, y, strict=True)) == list(rate.costs)
    assert costs.get_ylabel() == "cost (price²)"
    assert costs.get_xlabel() == "iteration (log scale from 1 on)"


def test_a_diverging_rate_leaves_the_frame_and_the_others_keep_it(housing):
    sweep, _, costs, _ = swept(housing)
    low, high = costs.get_ylim()
    lost = max(sweep.rates[-1].costs, key=lambda at: at[1])[1]
    assert sweep.rates[-1].diverged_at is not None
    assert low < sweep.optimum.cost < sweep.rates[0].costs[0][1] < high < lost


def test_each_rate_stands_at_the_iterations_it_needs_with_the_sign_of_its_behaviour(housing):
    sweep, figure, _, rates = swept(housing)
    signs = {Behaviour.MONOTONE: "o", Behaviour.OSCILLATING: "^", Behaviour.UNSTABLE: "X"}
    figure.draw_without_rendering()
    names = {tick.get_loc(): tick.label1.get_text() for tick in rates.yaxis.get_major_ticks()}
    for i, rate in enumerate(sweep.rates):
        point = known_by(rates, f"rate {i}")
        (x,), (y,) = point.get_data()
        assert x == rate.learning_rate
        assert point.get_marker() == signs[rate.behaviour]
        if rate.iterations_to_1_percent is None:
            assert names[y] == "never"
        else:
            assert y == rate.iterations_to_1_percent
    assert {rate.behaviour for rate in sweep.rates} == set(signs)


def test_the_end_of_stable_is_a_line_and_the_best_a_star(housing):
    sweep, figure, _, rates = swept(housing)
    limit = [line for line in rates.get_lines() if set(line.get_xdata()) == {sweep.largest_stable}]
    assert len(limit) == 1
    (x,), (y,) = known_by(rates, "best").get_data()
    assert (x, y) == (sweep.best, sweep.best_iterations)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "stable left of 0.392" in legend
    assert "best of all: 0.3343" in legend
    assert "0.3343: oscillating, the best of these" in legend
    assert "0.412: diverged at 83" in legend


def test_a_colour_is_the_same_in_both_panels(housing):
    sweep, _, costs, rates = swept(housing)
    for i in range(len(sweep.rates)):
        assert known_by(costs, f"rate {i}").get_color() == known_by(rates, f"rate {i}").get_color()


RATES = {
    "seven": (), "one": (0.01,), "unstable ones": (1.0, 2.0), "three": (0.001, 0.01, 0.1),
    "twelve": tuple(np.geomspace(1e-4, 0.9, 12)), "fifty": tuple(np.geomspace(1e-6, 1, 50)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "iterations"),
    [*((name, 1000) for name in RATES), ("seven", 0), ("fifty", 0), ("one", 15), ("three", 15), ("twelve", 15)],
)
def test_no_text_covers_another(assert_apart, housing, name, iterations):
    _, figure, *_ = swept(housing, *RATES[name], iterations=iterations)
    assert_apart(figure)


def test_an_unstable_rate_is_drawn_like_no_best_one(housing):
    _, _, costs, _ = swept(housing, 1.0, 2.0)
    assert {line.get_linewidth() for line in costs.get_lines() if line.get_gid()} == {1.8}


def test_a_perfect_fit_has_its_sweep_drawn():
    import pandas as pd

    frame = pd.DataFrame({"x": range(5), "price": range(1, 11, 2)})
    _, figure, costs, _ = swept(frame)
    assert "(below the frame)" in costs.get_title(loc="left")
    canvas.render_figure(figure, ".svg")


def test_what_an_l1_penalty_leaves_unknown_is_not_drawn(housing):
    sweep, figure, _, rates = swept(housing, 1e-4, 0.1, l1=(0.3,))
    figure.draw_without_rendering()
    assert not [line for line in rates.get_lines() if line.get_gid() == "best"]
    assert "best" not in " ".join(text.get_text() for text in figure.texts)
    top = max(tick.get_loc() for tick in rates.yaxis.get_major_ticks())
    (label,) = [t.label1.get_text() for t in rates.yaxis.get_major_ticks() if t.get_loc() == top]
    assert label == "later"
    assert known_by(rates, "rate 0").get_ydata()[0] == top
    assert known_by(rates, "rate 1").get_ydata()[0] == sweep.rates[1].iterations_to_1_percent
