"""Intervals of predictions, against statsmodels' ``get_prediction``.

The numbers were made by statsmodels 0.15.0 from sample_data/housing.csv (rows 0, 17, 400, 931):

    m = smf.ols("price ~ sqft + beds", h).fit()            # plain, 95 %
    m = smf.ols("price ~ sqft + C(type)", h).fit()         # levels, 90 %
    m = smf.wls("price ~ sqft + latitude + C(type)", h, weights=h["beds"]).fit()
    m = smf.ols("price ~ sqft + beds - 1", h).fit()        # origin
    m = smf.ols("price ~ 1", h).fit()                      # mean
    m.get_prediction(new).summary_frame(alpha=0.05)[["mean", "obs_ci_lower", "obs_ci_upper", "mean_ci_lower", …]]
"""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

HOUSING = Path(__file__).resolve().parents[2] / "sample_data" / "housing.csv"

# Prediction, interval of one new value, interval of the mean, for each row.
# fmt: off
STATSMODELS = {
    "plain": [
        [143657.0511, -18727.3535228, 306041.455722, 134302.729726, 153011.372473],
        [137042.279948, -25345.3912077, 299429.951103, 127631.424138, 146453.135757],
        [188185.754464, 25793.7632459, 350577.745682, 178700.646373, 197670.862554],
        [202484.579691, 40266.1661189, 364702.993263, 196686.117346, 208283.042035],
    ],
    "levels": [
        [131076.950845, -7001.66710597, 269155.568797, 123760.660333, 138393.241358],
        [117137.841784, -22049.1150023, 256324.79857, 98142.2551678, 136133.4284],
        [169353.510048, 31335.4283814, 307371.591714, 163286.036249, 175420.983846],
        [204024.306426, 66041.6109741, 342007.001878, 198823.574197, 209225.038656],
    ],
    "weighted": [
        [138071.059677, -163327.187244, 439469.306598, 128741.123323, 147400.996031],
        [121951.40401, -180785.866948, 424688.674969, 92018.1500485, 151884.657972],
        [148695.193775, -152720.730793, 450111.118344, 138810.657938, 158579.729613],
        [211848.548068, -89489.9474402, 513187.043576, 204704.785738, 218992.310398],
    ],
    "origin": [
        [118176.090744, -46840.1597451, 283192.341234, 114353.273901, 121998.907588],
        [111716.872378, -53305.509796, 276739.254553, 107637.948309, 115795.796448],
        [161657.658281, -3347.00723836, 326662.323801, 158372.746377, 164942.570186],
        [194278.662544, 29225.0813572, 359332.243731, 189088.704392, 199468.620696],
    ],
    "mean": [
        [246661.583691, -10814.9137679, 504138.08115, 238232.181597, 255090.985785],
        [246661.583691, -10814.9137679, 504138.08115, 238232.181597, 255090.985785],
        [246661.583691, -10814.9137679, 504138.08115, 238232.181597, 255090.985785],
        [246661.583691, -10814.9137679, 504138.08115, 238232.181597, 255090.985785],
    ],
}
# fmt: on

FITS = {
    "plain": (["-x", "sqft,beds"], "95"),
    "levels": (["-x", "sqft,type"], "90"),
    "weighted": (["-x", "sqft,latitude,type", "--weights", "beds"], "95"),
    "origin": (["-x", "sqft,beds", "--no-intercept"], "95"),
    "mean": (["--exclude", "*"], "95"),
}


@pytest.fixture
def new(tmp_path):
    lines = HOUSING.read_text().splitlines()
    path = tmp_path / "new.csv"
    path.write_text("\n".join([lines[0], *(lines[1 + i] for i in (0, 17, 400, 931))]) + "\n")
    return path


@pytest.fixture
def model(gdfit, tmp_path):
    def make(*options, data=HOUSING):
        path = tmp_path / "m.json"
        done = gdfit(data, "-t", "price", *options, "--optimizer", "newton", "-n", "20", "-q", "--save", path)
        assert done.code == 0, done.err
        return path

    return make


@pytest.mark.parametrize("name", FITS)
def test_intervals_are_those_of_statsmodels(gdfit, model, new, name):
    options, percent = FITS[name]
    done = gdfit("predict", model(*options), new, "--interval", percent, "--only")
    rows = list(csv.reader(io.StringIO(done.out)))
    ends = ("", "_low", "_high", "_mean_low", "_mean_high")
    assert rows[0] == [f"price_predicted{end}" for end in ends]
    np.testing.assert_allclose(np.array(rows[1:], dtype=float), STATSMODELS[name], rtol=1e-8)


def test_a_column_that_says_the_same_twice_changes_no_interval(gdfit, model, new, tmp_path):
    lines = HOUSING.read_text().splitlines()
    for path, rows in ((tmp_path / "twice.csv", lines), (tmp_path / "new2.csv", new.read_text().splitlines())):
        cells = [line.split(",") for line in rows]
        path.write_text(
            "\n".join([f"{rows[0]},again", *(f"{r},{2 * int(c[1])}" for r, c in zip(rows[1:], cells[1:], strict=True))])
        )
    once = gdfit("predict", model("-x", "sqft,beds"), new, "--interval", "95", "--only").out
    path = model("-x", "sqft,beds,again", data=tmp_path / "twice.csv")
    twice = gdfit("predict", path, tmp_path / "new2.csv", "--interval", "95", "--only").out
    ours, theirs = (np.array([row.split(",") for row in text.split()[1:]], dtype=float) for text in (once, twice))
    np.testing.assert_allclose(ours, theirs, rtol=1e-7)


def test_rows_keep_their_cells_and_one_without_a_prediction_has_no_interval(gdfit, model, tmp_path):
    path = tmp_path / "gap.csv"
    path.write_text("sqft,beds\n1000,2\n,3\n")
    done = gdfit("predict", model("-x", "sqft,beds"), path, "--interval", "95")
    lines = done.out.splitlines()
    assert lines[
        0
    ] == "sqft,beds,price_predicted,price_predicted_low,price_predicted_high,price_predicted_mean_low," + (
        "price_predicted_mean_high"
    )
    assert lines[1].startswith("1000,2,")
    assert lines[2] == ",3,,,,,"


def test_json_lines_have_a_key_for_each(gdfit, model, tmp_path):
    path = tmp_path / "new.jsonl"
    path.write_text('{"sqft": 1000, "beds": 2}\n{"sqft": null, "beds": 2}\n')
    first, second = map(
        json.loads, gdfit("predict", model("-x", "sqft,beds"), path, "--interval", "95").out.splitlines()
    )
    assert first["price_predicted_low"] < first["price_predicted_mean_low"] < first["price_predicted"]
    assert first["price_predicted"] < first["price_predicted_mean_high"] < first["price_predicted_high"]
    assert second["price_predicted_low"] is None


@pytest.mark.parametrize(
    ("options", "interval", "told"),
    [
        (["-x", "sqft", "--l2", "0.1", "--optimizer", "gd"], "95", "by least squares without penalty"),
        (["-x", "sqft", "--loss", "huber"], "95", "by least squares without penalty"),
        (["-x", "sqft"], "100", "between 0 and 100, not 100"),
    ],
)
def test_a_model_without_intervals_is_wrong_usage(gdfit, new, tmp_path, options, interval, told):
    path = tmp_path / "m.json"
    assert gdfit(HOUSING, "-t", "price", *options, "-n", "30", "-q", "--save", path).code == 0
    done = gdfit("predict", path, new, "--interval", interval)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


@pytest.mark.parametrize(
    "change", [{"mean": [1.0]}, {"weight": None}, {"degrees_of_freedom": 0}, {"factor": [[1.0], []]}]
)
def test_a_damaged_model_is_refused(gdfit, model, new, change):
    path = model("-x", "sqft,beds")
    content = json.loads(path.read_text())
    content["row_spread"] |= change
    path.write_text(json.dumps(content))
    done = gdfit("predict", path, new)
    assert done.code == 1
    assert "damaged" in done.err
