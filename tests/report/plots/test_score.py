"""The picture of a score: predictions against what happened."""

import numpy as np
import pandas as pd
import pytest

import gdcli
from gdcli.models.scored_rows import ScoredRows
from gdcli.report.plots.score import draw_score, roc_points


@pytest.fixture
def line():
    rng = np.random.default_rng(4)
    x = rng.uniform(0, 10, 60)
    return pd.DataFrame({"x": x, "y": 2 * x + rng.normal(size=60)})


@pytest.fixture
def classes():
    rng = np.random.default_rng(5)
    x = rng.normal(size=400)
    return pd.DataFrame({"x": x, "y": (rng.random(400) < 1 / (1 + np.exp(-2 * x))).astype(int)})


def test_the_points_are_the_predictions_beside_the_actual_values(line):
    fit = gdcli.fit(line, target="y", lr="auto")
    left, right = draw_score(gdcli.score(fit, line)).axes
    slope, intercept = np.polyfit(line["x"], line["y"], 1)
    predicted = intercept + slope * line["x"]
    np.testing.assert_allclose(left.collections[0].get_offsets(), np.column_stack([line["y"], predicted]), rtol=1e-4)
    expected = np.column_stack([predicted, line["y"] - predicted])
    np.testing.assert_allclose(right.collections[0].get_offsets(), expected, rtol=1e-4, atol=1e-4)
    assert left.get_xlim() == left.get_ylim()


def test_the_area_under_the_roc_curve_is_the_measure(classes):
    score = gdcli.score(gdcli.fit(classes, target="y", loss="logistic", optimizer="newton", iterations=9), classes)
    x, y = roc_points(score.sample)
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    np.testing.assert_allclose(np.trapezoid(y, x), score.measures["auc"], rtol=1e-12)


def test_rows_of_one_prediction_are_one_step_of_the_roc_curve():
    z, y, w = np.array([1.0, 1.0, 0.0, 2.0]), np.array([1.0, 0.0, 0.0, 1.0]), np.array([1.0, 1.0, 3.0, 1.0])
    x, found = roc_points(ScoredRows(np.zeros(4), z, z, y, w))
    np.testing.assert_allclose(x, [0, 0, 0.25, 1])
    np.testing.assert_allclose(found, [0, 0.5, 1, 1])


def test_calibration_is_the_share_of_events_in_groups_of_like_probability(classes):
    score = gdcli.score(gdcli.fit(classes, target="y", loss="logistic", optimizer="newton", iterations=9), classes)
    calibration = draw_score(score).axes[0]
    shares = calibration.containers[0].lines[0].get_ydata()
    order = np.argsort(score.sample.prediction)
    groups = [score.sample.y[order][40 * i : 40 * (i + 1)].mean() for i in range(10)]
    np.testing.assert_allclose(shares, groups, rtol=1e-12)


def test_a_picture_of_many_rows_says_that_it_is_a_sample(line):
    many = pd.concat([line] * 100, ignore_index=True)
    figure = draw_score(gdcli.score(gdcli.fit(line, target="y", lr="auto"), many))
    assert len(figure.axes[0].collections[0].get_offsets()) == 1000
    assert "a sample of 1,000 of 6,000 rows" in figure.get_suptitle()


def test_the_command_draws_a_small_file(gdfit, line, tmp_path):
    rows, model, picture = tmp_path / "d.csv", tmp_path / "m.json", tmp_path / "s.svg"
    line[:30].to_csv(rows, index=False)
    assert gdfit(rows, "-t", "y", "--lr", "auto", "--save", model, "-q").code == 0
    done = gdfit("score", model, rows, "--plot", picture)
    assert done.code == 0
    assert picture.read_text().count("<use") >= 60
    assert picture.stat().st_size < 100_000
    for refused in (
        ("score", model, rows, "--plot", tmp_path / "s.html"),
        ("score", model, model, rows, "--plot", picture),
    ):
        assert gdfit(*refused).code == 2
