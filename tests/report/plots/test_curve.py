"""What is on a curve's picture is the curve and the walks down it."""

import numpy as np
import pytest

from gdcli.fitting.curve import walk_down
from gdcli.report.plots.curve import draw_curve


def labelled(axes, label):
    return next(line for line in axes.get_lines() if line.get_label() == label)


def test_each_rate_has_a_panel_with_the_curve_and_its_steps():
    curve = walk_down([0, 0, 1], 10, [0.1, 0.4, 2], 5)
    panels = draw_curve(curve).axes
    assert len(panels) == 3
    for axes, walk in zip(panels, curve.walks, strict=True):
        x, y = labelled(axes, "the curve").get_data()
        assert y == pytest.approx(np.square(x))
        x, y = labelled(axes, "steps").get_data()
        assert x.tolist() == walk.x[: len(x)].tolist()
        assert y.tolist() == walk.y[: len(x)].tolist()
        assert labelled(axes, "start").get_xydata().tolist() == [[10, 100]]
        assert labelled(axes, "minimum").get_xydata().tolist() == [[0, 0]]
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")
    assert labelled(panels[0], "steps").get_xdata() == pytest.approx([10, 8, 6.4, 5.12, 4.096, 3.2768])


def test_titles_say_the_rate_and_what_became_of_it():
    figure = draw_curve(walk_down([0, 0, 1], 10, [0.1, 0.4, 2], 5))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [
        "learning rate 0.1: on its way to x = 0\n5 steps",
        "learning rate 0.4: at the minimum, x = 0\n5 steps",
        "learning rate 2: ever further from x = 0\n5 steps, 3 of them in view",
    ]
    assert figure.get_suptitle().startswith("y = x², slope y' = 2x; start at x = 10\n")


def test_steps_in_view_are_inside_the_frame_and_the_next_one_leads_out():
    axes = draw_curve(walk_down([0, 0, 1], 10, [2], 10)).axes[0]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    x, y = labelled(axes, "steps").get_data()
    inside = (left <= x) & (x <= right) & (bottom <= y) & (y <= top)
    assert inside.tolist() == [True] * (len(x) - 1) + [False]


@pytest.mark.parametrize(
    ("polynomial", "start", "rates", "steps"),
    [
        ([0, 0, 1], 10, [], 10),
        ([0, 1, -2, 0.3, 1], 3, [], 50),
        ([0, 0, 0, 1], 2, [0.01, 0.1, 0.3, 0.9, 3], 50),
        ([0, 0, 0, 0, 1], 10, [0.001], 1000),
        ([3], 10, [0.1], 5),
        ([0, 1], 0, [0.1, 1e6], 5),
        ([0, 0, -1], 0, [0.1], 5),
        ([0, 0, 1], 0, [0.1], 0),
        ([0, 0, 1e300], 1e-3, [0.1, 1e-310], 5),
        ([0, 0, 1], 1e150, [0.1, 5.0], 500),
        ([1] * 20, 1, [0.01], 5),
        ([0, 0, 1], 10, list(np.linspace(0.1, 1.2, 11)), 5),
    ],
    ids=str,
)
def test_every_walk_has_a_picture_in_which_no_text_covers_another(assert_apart, polynomial, start, rates, steps):
    curve = walk_down(polynomial, start, rates, steps)
    figure = draw_curve(curve)
    assert len(figure.axes) == len(curve.walks)
    assert_apart(figure)
