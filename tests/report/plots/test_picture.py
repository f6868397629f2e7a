"""The numbers of a picture: what is gathered of a descent, the points, and the cost as a surface."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from gdcli.api import run_fit
from gdcli.fitting.options import FitOptions
from gdcli.fitting.picture import chosen_iterations
from gdcli.ingest.summarize import summarize_data as summarize


def mean_squared_error(x, y, m, c, weights=None):
    return np.average((y - m * x - c) ** 2, weights=weights)


@pytest.mark.parametrize("last", [0, 1, 99, 100, 101, 107, 1000, 12345, 10**9])
def test_the_first_hundred_iterations_are_kept_then_ever_fewer_and_the_last(last):
    chosen = chosen_iterations(last)
    assert len(chosen) < 400
    assert chosen == sorted(set(chosen))
    assert chosen[-1] == last
    assert chosen[: min(last, 100) + 1] == list(range(min(last, 100) + 1))
    assert {10**i for i in range(10) if 10**i <= last} <= set(chosen)


def test_beyond_a_hundred_even_and_odd_iterations_take_turns():
    later = [k for k in chosen_iterations(10**6)[:-1] if k >= 100]
    assert all((a + b) % 2 for a, b in pairwise(later))


@pytest.mark.parametrize("rate", [0.01, 0.5])
def test_a_picture_holds_what_the_trace_holds(housing, all_rows, rate):
    fit = run_fit(
        [housing], FitOptions.of(target="price", learning_rate=rate, iterations=700, picture=True), [all_rows]
    )
    picture = fit.picture
    rows = [all_rows.rows[k] for k in picture.iterations]
    assert picture.iterations.tolist() == [row.iteration for row in rows]
    assert picture.iterations[-1] == all_rows.rows[-1].iteration
    assert picture.costs.tolist() == [row.cost for row in rows]
    assert picture.gaps.tolist() == [row.gap for row in rows]
    assert picture.intercepts.tolist() == [row.intercept for row in rows]
    assert [tuple(row) for row in picture.slopes.tolist()] == [row.slopes for row in rows]
    assert picture.terms == fit.trace_terms


def test_the_standardized_coefficients_end_as_those_of_the_fit(penguins):
    fit = run_fit([penguins], FitOptions.of(target="body_mass_g", picture=True))
    assert fit.picture.standardized[-1] == pytest.approx([c.standardized for c in fit.coefficients])
    ratio = [c.optimum / c.value for c in fit.coefficients]
    assert fit.picture.standardized_optimum == pytest.approx(fit.picture.standardized[-1] * ratio)


def test_a_fit_that_is_not_to_be_drawn_has_no_picture(housing):
    assert run_fit([housing], FitOptions.of(target="price")).picture is None


@pytest.mark.parametrize(
    "options",
    [{}, {"scale": "minmax"}, {"scale": "none", "learning_rate": 1e-8}, {"intercept": False}, {"weights": "beds"}],
    ids=str,
)
@pytest.mark.parametrize("feature", ["sqft", "latitude"])
def test_the_surface_is_the_cost_of_the_rows(housing, options, feature):
    if options.get("scale") == "none" and feature == "latitude":
        options = {**options, "learning_rate": 1e-4}
    fit = run_fit([housing], FitOptions.of(target="price", features=(feature,), iterations=5, picture=True, **options))
    surface, picture = fit.picture.surface, fit.picture
    x, y = housing[feature].to_numpy(float), housing["price"].to_numpy(float)
    weights = housing["beds"] if "weights" in options else None
    generator = np.random.default_rng(1)
    for share in (0.0, 1e-3, 1.0, 10.0):
        m = surface.slope + share * generator.normal() * y.std() / x.std()
        c = surface.intercept + (share * generator.normal() * y.std() if picture.intercepts is not None else 0.0)
        expected = mean_squared_error(x, y, m, c, weights)
        assert surface.cost + float(surface.gap(m, c)) == pytest.approx(expected, rel=1e-9)
    start = picture.intercepts[0] if picture.intercepts is not None else 0.0
    assert surface.cost + float(surface.gap(picture.slopes[0, 0], start)) == pytest.approx(picture.costs[0])


def test_a_level_is_where_the_rows_have_that_cost(penguins):
    known = penguins.dropna(subset=["year", "body_mass_g"])
    fit = run_fit([penguins], FitOptions.of(target="body_mass_g", features=("year",), picture=True))
    surface = fit.picture.surface
    for gap in (1.0, 1e5, 1e9):
        m, c = surface.level(gap, 60)
        assert (m[0], c[0]) == (pytest.approx(m[-1]), pytest.approx(c[-1]))
        costs = [mean_squared_error(known["year"], known["body_mass_g"], *at) for at in zip(m, c, strict=True)]
        assert np.array(costs) - surface.cost == pytest.approx(np.full(60, gap), rel=1e-6, abs=1e-5)


def test_lines_are_those_after_0_1_10_and_so_on_and_the_last(housing):
    def lines(**options):
        picture = run_fit([housing], FitOptions.of(target="price", features=("sqft",), picture=True, **options)).picture
        return picture.iterations[picture.lines].tolist()

    assert lines(iterations=1500) == [0, 1, 10, 100, 1000, 1500]
    assert lines(iterations=100) == [0, 1, 10, 100]
    assert lines(iterations=1) == [0, 1]
    assert lines(iterations=0) == [0]
    assert lines(learning_rate=1.2) == [0, 1, 10, 21]  # it diverges there


# --- the points


def with_points(data, count, **options):
    return run_fit(data, FitOptions.of(target="y", picture=True, points=count, **options)).picture.points


@pytest.fixture
def numbered(csv_file):
    """3,000 rows of x = 0, 1, 2 … and y = 2x, some without y."""
    lines = [f"{i},{'' if i % 10 == 3 else 2 * i}" for i in range(3000)]
    return csv_file("x,y\n" + "\n".join(lines) + "\n")


def test_points_are_rows_of_the_file_each_at_most_once(numbered):
    points = with_points([numbered], 500)
    assert points.shape == (500, 2)
    assert (points[:, 1] == 2 * points[:, 0]).all()
    assert len(set(points[:, 0])) == 500
    assert not (points[:, 0] % 10 == 3).any()
    assert 1000 < points[:, 0].mean() < 2000  # from all over the file


def test_all_points_are_taken_where_there_are_fewer(numbered):
    assert len(with_points([numbered], 5000)) == 2700


@pytest.mark.parametrize("jobs", [1, 4])
def test_the_points_do_not_depend_on_threads(numbered, blocks_of, jobs):
    blocks_of(2000)
    assert (with_points([numbered], 100, jobs=jobs) == with_points([numbered], 100, jobs=2)).all()


def test_the_seed_chooses_the_points(numbered):
    assert (with_points([numbered], 100, seed=1) != with_points([numbered], 100, seed=2)).any()


def test_a_row_without_weight_is_no_point():
    frame = pd.DataFrame({"x": range(100), "y": range(100), "w": [0, 1] * 50})
    assert (with_points([frame], 5000, weights="w")[:, 0] % 2 == 1).all()


def test_rows_held_out_are_no_points():
    frame = pd.DataFrame({"x": range(100), "y": [i % 7 for i in range(100)]})
    fit = run_fit([frame], FitOptions.of(target="y", picture=True, points=5000, holdout=0.3))
    assert len(fit.picture.points) == 100 - fit.holdout.rows
    assert fit.picture.validation[-1] == pytest.approx(fit.holdout.cost)


def test_a_text_column_of_two_levels_has_points_at_0_and_1(penguins):
    fit = run_fit([penguins], FitOptions.of(target="body_mass_g", features=("sex",), picture=True, points=5000))
    assert set(fit.picture.points[:, 0]) == {0.0, 1.0}


@pytest.fixture
def a_summary(numbered):
    return summarize(numbered)


def test_a_summary_has_no_points_and_a_note_says_so(a_summary, notes):
    fit = run_fit([a_summary], FitOptions.of(target="y", picture=True, points=5000), listener=notes)
    assert fit.picture.points is None
    assert fit.picture.surface is not None
    assert fit.picture.span == (0.0, 2999.0)
    assert notes.notes[-1] == "a summary holds no rows: the picture shows the lines without points"


def test_without_a_plot_nothing_is_said_of_points(a_summary, notes):
    before = list(notes.notes)
    run_fit([a_summary], FitOptions.of(target="y", picture=True), listener=notes)
    assert not any("summary holds" in note for note in notes.notes[len(before) :])
