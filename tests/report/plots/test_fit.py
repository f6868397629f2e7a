"""What is on a fit's picture is what the fit says: the axes' data are read back and compared with trace and rows."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Polygon

from gdcli.report.plots import canvas, labels
from gdcli.report.plots.coefficients import MOST_NAMED_PATHS


def labelled(axes, start):
    """The line whose label begins so."""
    return next(line for line in axes.get_lines() if str(line.get_label()).startswith(start))


def known_by(axes, gid):
    return next(line for line in axes.get_lines() if line.get_gid() == gid)


def data_of(line):
    return [np.asarray(values, dtype=float) for values in line.get_data()]


# --- the cost


@pytest.mark.parametrize("rate", [0.01, 0.5])
@pytest.mark.parametrize("features", [("sqft",), ()])
def test_the_cost_is_drawn_at_each_iteration_of_the_picture(drawn, housing, rate, features):
    seen = drawn(housing, target="price", features=features, learning_rate=rate)
    axes = seen.panel("cost (price²)")
    iterations, costs = data_of(labelled(axes, "cost"))
    assert iterations.tolist() == seen.fit.picture.iterations.tolist()
    assert costs.tolist() == seen.fit.picture.costs.tolist()
    assert set(labelled(axes, "optimum").get_ydata()) == {seen.fit.optimum.cost}
    low, high = axes.get_ylim()
    assert low < seen.fit.optimum.cost < costs.max() < high


def test_iteration_0_is_in_view_on_a_logarithmic_axis_that_says_what_it_is(drawn, housing):
    axes = drawn(housing, target="price").panel("cost")
    assert axes.get_xscale() == "symlog"
    assert axes.get_xlabel() == "iteration (log scale from 1 on)"
    assert axes.get_xlim()[0] < 0
    assert axes.xaxis.get_ticklocs().tolist() == [0, 1, 10, 100, 1000]
    assert axes.get_yscale() == "log"


def test_few_iterations_are_evenly_spaced(drawn, housing):
    axes = drawn(housing, target="price", iterations=12, learning_rate=0.001).panel("cost")
    assert (axes.get_xscale(), axes.get_xlabel()) == ("linear", "iteration")
    assert axes.get_yscale() == "linear"


def test_the_first_iteration_within_1_percent_is_marked(drawn, housing):
    seen = drawn(housing, target="price")
    (iteration,), (cost,) = data_of(labelled(seen.panel("cost"), "within 1 % of it after 388 iterations"))
    assert iteration == seen.fit.learning_rate.iterations_to_1_percent == 388
    assert cost == pytest.approx(1.01 * seen.fit.optimum.cost, rel=1e-3)


def test_a_perfect_fit_says_that_the_optimum_is_below_the_frame(drawn):
    axes = drawn(pd.DataFrame({"x": range(5), "y": range(1, 11, 2)}), target="y", learning_rate=0.3).panel("cost")
    assert labelled(axes, "optimum").get_label() == "optimum: 0 (below the frame)"
    assert labelled(axes, "within 1 % of the start's gap after 3 iterations")


def test_the_cost_on_rows_held_out_is_drawn_beside(drawn, housing):
    seen = drawn(housing, target="price", holdout=0.2, patience=10, learning_rate=0.1)
    axes = seen.panel("cost")
    _, held = data_of(labelled(axes, "cost on the rows held out"))
    assert held.tolist() == seen.fit.picture.validation.tolist()
    (best,), (cost,) = data_of(labelled(axes, "its lowest"))
    assert (best, cost) == (seen.fit.holdout.best_iteration, seen.fit.holdout.best_cost)
    assert labelled(axes, "its lowest").get_label().endswith(", kept")


# --- one term


def test_lines_are_drawn_through_the_points(drawn, housing):
    seen = drawn(housing, target="price", features=("sqft",))
    picture, axes = seen.fit.picture, seen.panel("price")
    assert np.column_stack(data_of(known_by(axes, "points"))).tolist() == picture.points.tolist()
    assert sorted(map(tuple, picture.points)) == sorted(map(tuple, housing[["sqft", "price"]].to_numpy(float)))
    for place in picture.lines:
        x, y = data_of(labelled(axes, f"{picture.iterations[place]:,}"))
        assert y == pytest.approx(picture.slopes[place, 0] * x + picture.intercepts[place])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("sqft", "price")
    assert "all 932 points" in axes.get_title(loc="left")


def test_a_contour_is_where_the_rows_have_the_cost_on_its_scale(drawn, housing):
    seen = drawn(housing, target="price", features=("sqft",))
    axes = seen.panel("intercept c on the scaled problem")
    assert axes.get_xlabel() == "slope m on the scaled problem"
    x, y = housing["sqft"].to_numpy(float), housing["price"].to_numpy(float)
    levels = {patch.get_gid(): patch for patch in axes.patches if isinstance(patch, Polygon)}
    bar = next(a for a in axes.figure.axes if a.get_ylabel() == "cost (price²)" and a is not axes)
    ticks = [text.get_text() for text in bar.get_yticklabels()]
    assert ticks[0] == labels.label_number(seen.fit.optimum.cost)
    assert len(levels) >= 5
    for i, name in enumerate(sorted(levels, key=lambda gid: int(gid.split()[1]))):
        costs = [np.mean((y - m * x - c) ** 2) for m, c in in_file_units(seen.fit, levels[name].get_xy()[::15])]
        assert costs == pytest.approx([costs[0]] * len(costs))
        assert labels.label_number(costs[0]) == ticks[i + 1]
        assert levels[name].get_facecolor()[:3] != axes.get_facecolor()[:3]


def in_file_units(fit, places):
    """Slope and intercept in the units of the file, for places on the scaled problem."""
    center, scale, unit = fit.state.center[0], fit.state.scale[0], fit.state.target_scale
    return [(u * unit / scale, v * unit - center * u * unit / scale) for u, v in places]


def test_steps_stand_at_right_angles_to_contours_and_are_seen_so(drawn, housing):
    seen = drawn(housing, target="price", features=("sqft",), learning_rate=0.01)
    axes = seen.panel("intercept")
    assert axes.get_aspect() == 1.0
    surface, path = seen.fit.picture.surface.scaled, np.column_stack(data_of(known_by(axes, "path")))
    here, step, small = path[3], path[4] - path[3], 1e-6
    slope = [surface.gap(*(here + small * e)) - surface.gap(*(here - small * e)) for e in np.eye(2)]
    assert step[0] * slope[1] == pytest.approx(step[1] * slope[0], rel=1e-4)


def test_in_file_units_the_axes_say_so(drawn, housing):
    seen = drawn(housing, target="price", features=("sqft",), scale="none", learning_rate=1e-8)
    axes = seen.panel("intercept c (price)")
    assert axes.get_xlabel() == "slope m (price per sqft)"
    assert axes.get_aspect() == "auto"


def test_the_contour_through_the_start_is_one_of_them(drawn, housing):
    seen = drawn(housing, target="price", features=("sqft",))
    picture = seen.fit.picture
    gaps = [
        picture.surface.gap(*in_file_units(seen.fit, patch.get_xy()[:1])[0])
        for patch in seen.panel("intercept").patches
        if isinstance(patch, Polygon)
    ]
    assert min(abs(gap / picture.gaps[0] - 1) for gap in gaps) < 1e-9


def test_the_path_walks_from_the_start_to_the_optimum(drawn, housing):
    seen = drawn(housing, target="price", features=("sqft",))
    picture, axes = seen.fit.picture, seen.panel("intercept")
    m, c = data_of(known_by(axes, "path"))
    path = np.array(in_file_units(seen.fit, zip(m, c, strict=True)))
    assert path == pytest.approx(np.column_stack([picture.slopes[:, 0], picture.intercepts]), rel=1e-9, abs=1e-6)
    best = in_file_units(seen.fit, [np.ravel(data_of(labelled(axes, "optimum")))])[0]
    assert best == pytest.approx((seen.fit.coefficients[0].optimum, seen.fit.intercept.optimum))
    for place in picture.lines:
        at = np.ravel(data_of(labelled(axes, f"{picture.iterations[place]:,}")))
        assert at.tolist() == [m[place], c[place]]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert left < m.min() < m.max() < right
    assert bottom < c.min() < c.max() < top


def test_probabilities_are_a_curve_between_points_that_do_not_hide_each_other(drawn, penguins):
    rows = penguins.dropna(subset=["sex", "body_mass_g"])
    seen = drawn(rows, target="sex", features=("body_mass_g",), loss="logistic", learning_rate=0.5, iterations=100)
    picture, axes = seen.fit.picture, seen.panel("P(sex = male)")
    x, y = data_of(known_by(axes, "points"))
    assert sorted(x) == sorted(rows["body_mass_g"])
    assert np.abs(y - np.round(y)).max() <= 0.06
    assert sorted(zip(x, np.round(y), strict=True)) == sorted(
        zip(rows["body_mass_g"], (rows["sex"] == "male").astype(float), strict=True)
    )
    for place in picture.lines:
        x, y = data_of(labelled(axes, f"{picture.iterations[place]:,}"))
        assert y == pytest.approx(1 / (1 + np.exp(-(picture.slopes[place, 0] * x + picture.intercepts[place]))))


@pytest.mark.parametrize("weights", [None, "year"])
def test_the_cost_around_the_path_is_that_of_the_rows(drawn, penguins, weights):
    rows = penguins.dropna(subset=["sex", "body_mass_g"])
    seen = drawn(
        rows,
        target="sex",
        features=("body_mass_g",),
        loss="logistic",
        learning_rate=0.5,
        iterations=20,
        weights=weights,
    )
    grid, x, y = seen.fit.picture.grid, rows["body_mass_g"].to_numpy(float), (rows["sex"] == "male").to_numpy(float)
    for i, j in ((0, 0), (3, 17), (-1, 9)):
        [(m, c)] = in_file_units(seen.fit, [(grid.slopes[j], grid.intercepts[i])])
        z = m * x + c
        losses = np.log1p(np.exp(z)) - y * z
        assert grid.costs[i, j] == pytest.approx(np.average(losses, weights=None if weights is None else rows[weights]))
    best = in_file_units(seen.fit, [grid.optimum])[0]
    assert best == pytest.approx((seen.fit.coefficients[0].optimum, seen.fit.intercept.optimum))


@pytest.mark.parametrize("kind", [".svg"])
def test_a_picture_of_thirty_points_is_small_and_its_words_are_words(drawn, housing, kind):
    for options in ({"target": "price"}, {"target": "beds", "loss": "poisson", "learning_rate": 0.1}):
        seen = drawn(housing.head(30), features=("sqft",), iterations=200, **options)
        text = canvas.render_figure(seen.figure, kind).decode()
        assert len(text) < 100_000
        assert ">slope m on the scaled problem</text>" in text


def test_without_an_intercept_the_path_is_on_a_parabola_of_the_cost(drawn, housing):
    seen = drawn(housing, target="price", features=("sqft",), intercept=False)
    axes = next(a for a in seen.figure.subfigs[0].axes if a.get_xlabel().startswith("slope m"))
    x, y = housing["sqft"].to_numpy(float), housing["price"].to_numpy(float)
    m, costs = data_of(axes.get_lines()[0])
    assert costs[::40] == pytest.approx([np.mean((y - slope * x) ** 2) for slope in m[::40]])
    m, costs = data_of(axes.get_lines()[1])
    assert (m.tolist(), costs.tolist()) == (seen.fit.picture.slopes[:, 0].tolist(), seen.fit.picture.costs.tolist())


def test_a_path_on_its_way_out_is_followed_as_far_as_the_frame(drawn, housing):
    seen = drawn(housing, target="price", features=("sqft",), learning_rate=1.2)
    axes = seen.panel("intercept")
    m, _ = data_of(known_by(axes, "path"))
    left, right = axes.get_xlim()
    inside = (m > left) & (m < right)
    assert 3 < len(m) < len(seen.fit.picture.iterations)
    assert inside[:-1].all()
    assert not inside[-1]
    lines = seen.panel("price")
    assert not any(line.get_label() == "21" for line in lines.get_lines())
    legend = seen.figure.subfigs[0].legends[0]
    assert "21 (out of view)" in [text.get_text() for text in legend.get_texts()]
    assert "diverged after 21 iterations" in seen.figure.get_suptitle()


# --- several terms


def test_each_standardized_coefficient_is_drawn_and_named_at_its_end(drawn, penguins):
    seen = drawn(penguins, target="body_mass_g")
    picture, axes = seen.fit.picture, seen.panel("standardized coefficient")
    names = {text.get_text(): text for text in axes.texts}
    for i, term in enumerate(picture.terms):
        iterations, values = data_of(labelled(axes, term))
        assert iterations.tolist() == picture.iterations.tolist()
        assert values.tolist() == picture.standardized[:, i].tolist()
        assert names[term].get_color() == labelled(axes, term).get_color()
        _, (best,) = data_of(known_by(axes, f"optimum {i}"))
        assert best == picture.standardized_optimum[i]
        end = axes.transAxes.inverted().transform(axes.transData.transform((1.0, values[-1])))[1]
        assert names[term].xy[1] == pytest.approx(end)
    assert "(sd of body_mass_g per sd)" in axes.get_ylabel()


def test_of_many_terms_the_largest_are_named_and_the_others_are_grey(drawn, many_terms):
    seen = drawn(many_terms, target=many_terms.columns[-1], learning_rate=0.05)
    picture, axes = seen.fit.picture, seen.panel("standardized coefficient")
    grey = [line for line in axes.get_lines() if line.get_color() == canvas.PALE]
    assert len(axes.texts) == MOST_NAMED_PATHS
    assert len(grey) == 24 - MOST_NAMED_PATHS
    largest = np.argsort(-np.abs(picture.standardized[-1]))[:MOST_NAMED_PATHS]
    drawn_grey = {line.get_ydata()[-1] for line in grey}
    assert not drawn_grey & set(picture.standardized[-1][largest])
    assert axes.get_title(loc="left") == "The coefficients, the 12 largest of 24 by name"


def test_an_optimum_far_out_of_the_frame_is_named_with_its_value(drawn):
    generator = np.random.default_rng(3)
    x = generator.normal(size=200)
    frame = pd.DataFrame({"a": x, "b": x + 1e-4 * generator.normal(size=200)})
    frame["y"] = 1000 * (frame["a"] - frame["b"]) + x + 0.01 * generator.normal(size=200)
    texts = [text.get_text() for text in drawn(frame, target="y").panel("standardized").texts]
    assert len(texts) == 2
    assert all("(optimum " in text for text in texts)


def test_colours_repeat_only_with_another_line_style(drawn, many_terms):
    axes = drawn(many_terms, target=many_terms.columns[-1]).panel("standardized")
    named = [line for line in axes.get_lines() if len(line.get_xdata()) > 1 and line.get_color() in canvas.COLOURS]
    assert len(named) == MOST_NAMED_PATHS
    assert len({(line.get_color(), str(line.get_linestyle()), line._unscaled_dash_pattern) for line in named}) == 12
    assert len({(line.get_color(), line.get_marker()) for line in named}) == len(canvas.COLOURS)


def test_the_way_out_of_a_diverging_descent_is_drawn_on_a_logarithmic_scale(drawn, housing):
    axes = drawn(housing, target="price", learning_rate=0.5).panel("standardized")
    assert axes.get_yscale() == "symlog"
    assert axes.get_ylabel().endswith("log scale beyond ±1")


# --- names


def test_names_stand_as_they_are(drawn):
    frame = pd.DataFrame({"$x_1^2$": range(9), "cost\x1b[1m $": [1, 3, 2, 5, 4, 6, 9, 7, 8]})
    seen = drawn(frame, target="cost\x1b[1m $")
    axes = seen.panel("cost\\x1b[1m $")
    assert axes.get_xlabel() == "$x_1^2$"
    assert not axes.xaxis.label.get_parse_math()
    canvas.render_figure(seen.figure, ".png")


@pytest.mark.parametrize("name", ["价格", "y\U0010fffd", "ñandú", "ціна"])
def test_a_character_without_a_glyph_is_escaped(drawn, name):
    seen = drawn(pd.DataFrame({"x": range(9), name: range(9)}), target=name)
    canvas.render_figure(seen.figure, ".png")  # a missing glyph would be a warning, and so an error
    if name in ("ñandú", "ціна"):
        assert labels.shown(name) == name


def test_a_long_name_is_shortened_in_its_middle():
    assert labels.shown("a" * 32) == "a" * 32
    short = labels.shown("a" * 30 + "b" * 30)
    assert len(short) == 32
    assert short.startswith("aaa")
    assert short.endswith("bbb")
    assert "…" in short


# --- everything has its place


CASES = {
    "one term": ("housing", {"target": "price", "features": ("sqft",)}),
    "one term that diverges": ("housing", {"target": "price", "features": ("sqft",), "learning_rate": 1.2}),
    "one term, unscaled": (
        "housing",
        {"target": "price", "features": ("sqft",), "scale": "none", "learning_rate": 1e-8},
    ),
    "one term, lost at once": (
        "housing",
        {"target": "price", "features": ("sqft",), "scale": "none", "learning_rate": 1.0},
    ),
    "one term far from zero": ("penguins", {"target": "body_mass_g", "features": ("year",)}),
    "one term without an intercept": ("housing", {"target": "price", "features": ("sqft",), "intercept": False}),
    "two levels": ("penguins", {"target": "body_mass_g", "features": ("sex",), "learning_rate": 0.3, "iterations": 9}),
    "no iteration": ("housing", {"target": "price", "features": ("sqft",), "iterations": 0}),
    "several terms": ("penguins", {"target": "body_mass_g"}),
    "several terms, no iteration": ("housing", {"target": "price", "iterations": 0}),
    "several terms that diverge": ("housing", {"target": "price", "learning_rate": 0.5}),
    "many terms": ("many_terms", {"target": "the $target$\n", "learning_rate": 0.05}),
    "many iterations": ("housing", {"target": "price", "features": ("sqft",), "iterations": 20000}),
}


@pytest.mark.parametrize("name", CASES)
def test_no_text_covers_another_or_leaves_the_picture(drawn, assert_apart, request, name):
    data, options = CASES[name]
    assert_apart(drawn(request.getfixturevalue(data), **options).figure)


@pytest.mark.parametrize(
    "frame",
    [
        {"x": [1, 2, 3, 4], "y": [5, 5, 5, 5]},
        {"x": [0, 0, 0, 0], "y": [1, 2, 3, 4]},
        {"x": [1, 2], "y": [0, 0]},
        {"x": [1e-12, 2e-12, 3e-12], "y": [1e15, 3e15, 2e15]},
        {"x": [1e9, 1e9 + 1, 1e9 + 2], "y": [1e-15, 3e-15, 2e-15]},
    ],
    ids=["constant target", "intercept alone", "zero", "tiny x, huge y", "far x, tiny y"],
)
@pytest.mark.parametrize("rate", [0.3, 1.5])
def test_odd_data_have_a_picture_too(drawn, assert_apart, frame, rate):
    assert_apart(drawn(pd.DataFrame(frame), target="y", learning_rate=rate).figure)
