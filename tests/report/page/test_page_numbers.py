"""In the browser every number is the one of the trace: the descent is repeated from the triangle, exactly."""

import csv
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.processes import ROOT

SAMPLES = ROOT / "sample_data"

# All iterations, and what the forecast says, with the settings in the address.
PATH = """
const path = lesson.path, columns = lesson.data.columns.length, rows = [];
for (let k = 0; k <= path.last; k++) {
  const { m, c } = path.fileAt(k);
  rows.push([...m, ...(lesson.data.intercept ? [c] : []), path.costAt(k)]);
}
const { forecast, problem } = lesson;
return {
  rows, largest_stable: forecast.limit, best: forecast.best, best_iterations: forecast.bestIterations,
  iterations_to_1_percent: lesson.reached, behaviour: forecast.behaviour(lesson.state.lr),
  minimum: problem.minimum.cost,
};
"""

# Settings, as in the address and on the command line: those of the issue on all data would take minutes.
SETTINGS = {
    "housing, gd, standard": ("housing", "lr=0.1"),
    "housing, momentum, standard, ridge": ("housing", "lr=0.05&optimizer=momentum:0.9&l2=0.1"),
    "one feature, nesterov, unscaled": ("one", "lr=1e-7&optimizer=nesterov:0.8&scale=none"),
    "housing, adam, unscaled": ("housing", "lr=0.5&optimizer=adam&scale=none"),
    "housing, newton": ("housing", "lr=0.3&optimizer=newton"),
    "penguins, gd, standard, ridge": ("penguins", "lr=0.1&l2=0.1"),
    "penguins, momentum, standard": ("penguins", "lr=0.05&optimizer=momentum:0.9"),
    "penguins, adam": ("penguins", "lr=0.01&optimizer=adam"),
    "penguins, gd, minmax": ("penguins", "lr=0.1&scale=minmax"),
    "years, gd, unscaled": ("years", "lr=1.5e-7&scale=none"),
    "years, momentum": ("years", "lr=0.05&optimizer=momentum:0.5"),
    "years, newton, unscaled": ("years", "lr=0.5&optimizer=newton&scale=none"),
    "years, an unstable rate": ("years", "lr=0.9"),
    "collinear, gd": ("collinear", "lr=0.1"),
    "collinear, nesterov, unscaled": ("collinear", "lr=0.001&optimizer=nesterov:0.9&scale=none"),
    "collinear, gd, ridge": ("collinear", "lr=0.1&l2=0.05"),
    "far from zero and equal but for rounding, gd": ("far", "lr=0.1"),
    "without an intercept, gd": ("origin", "lr=0.2"),
}


def written(name: str, folder: Path) -> list[str]:
    """The command line's words for data of a kind."""
    random = np.random.default_rng(6)
    if name in ("housing", "penguins"):
        target = {"housing": "price", "penguins": "body_mass_g"}[name]
        return [str(SAMPLES / f"{name}.csv"), "-t", target]
    if name == "one":
        return [str(SAMPLES / "housing.csv"), "-t", "price", "-x", "sqft"]
    if name == "origin":
        return [str(SAMPLES / "housing.csv"), "-t", "price", "-x", "sqft", "-x", "beds", "--no-intercept"]
    path = folder / f"{name}.csv"
    if path.exists():
        return [str(path), "-t", "y"]
    if name == "years":
        year, x = 1900 + np.arange(120), random.normal(3, 2, 120).round(3)
        y = (0.3 * year - 500 + 2 * x + random.normal(0, 4, 120)).round(2)
        rows = zip(y, year, x, strict=True)
        path.write_text("y,year,x\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    elif name == "far":
        a, rounding = 1.7e9 + random.integers(0, 1000, 60), np.spacing(1.7e9) * random.integers(0, 2, 60)
        y = ((a - 1.7e9) / 100 + random.normal(0, 1, 60)).round(2)
        rows = zip(y.tolist(), a.tolist(), (a + rounding).tolist(), strict=True)
        path.write_text("y,a,b\n" + "".join(",".join(map(repr, row)) + "\n" for row in rows))
    else:
        a, b = random.normal(0, 10, 80).round(2), random.normal(5, 2, 80).round(2)
        y = (a + 2 * b + random.normal(0, 1, 80)).round(2)
        rows = zip(y, a, b, (a + 2 * b).round(2), strict=True)
        path.write_text("y,a,b,both\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    return [str(path), "-t", "y"]


def options_of(address: str) -> list[str]:
    names = {"lr": "--lr", "optimizer": "--optimizer", "scale": "--scale", "l2": "--l2"}
    return [word for part in address.split("&") for word in (names[part.split("=")[0]], part.split("=")[1])]


def rows_of(trace: Path) -> list[list[float]]:
    with trace.open(newline="") as file:
        return [[float(cell) for cell in row[1:]] for row in list(csv.reader(file))[1:]]


def furthest(found: Sequence[Sequence[float]], expected: Sequence[Sequence[float]]) -> float:
    """The largest difference, relative to the largest number of its column."""
    a, b = np.array(found, dtype=float), np.array(expected, dtype=float)
    assert a.shape == b.shape
    size = np.abs(b).max(axis=0)
    return float((np.abs(a - b).max(axis=0) / np.where(size > 0, size, 1.0)).max())


@pytest.mark.parametrize("case", SETTINGS)
def test_the_page_repeats_the_trace(
    case: str, page: Any, gdfit: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    name, address = SETTINGS[case]
    words, options = written(name, folder), options_of(address)
    # The page is written at other settings: nothing of the descent itself is taken over.
    opened = page(*words, address=f"#{address}")
    trace = tmp_path / "trace.csv"
    done = gdfit(*words, *options, "--trace", trace, "--format", "json", "-q")
    told = json.loads(done.out)
    rows = rows_of(trace)
    found = opened.run(PATH)
    assert len(rows) == 1001 or told["descent"]["stopped"] == "diverged"
    assert furthest(found["rows"], rows) <= 1e-12
    rate = told["learning_rate"]
    assert found["behaviour"] == rate["behaviour"]
    assert found["minimum"] == pytest.approx(told["optimum"]["cost"], rel=1e-12)
    assert found["iterations_to_1_percent"] == rate["iterations_to_1_percent"]
    assert found["best_iterations"] == rate["best_iterations"]
    if rate["largest_stable"] is not None:
        assert found["largest_stable"] == pytest.approx(rate["largest_stable"], rel=1e-13)
        assert found["best"] == pytest.approx(rate["best"], rel=1e-6)


def test_a_choice_of_features_is_the_fit_of_these_features(
    page: Any, gdfit: Callable[..., Any], tmp_path: Path
) -> None:
    words = written("housing", tmp_path)
    opened = page(*words, address="#lr=0.1&x=0,3")
    trace = tmp_path / "trace.csv"
    gdfit(*words, "-x", "sqft", "-x", "type", "--lr", "0.1", "--trace", trace, "-q")
    rows = rows_of(trace)
    assert furthest(opened.run(PATH)["rows"], rows) <= 1e-12


def test_numbers_are_those_of_rows_of_which_the_page_has_none(
    page: Any, gdfit: Callable[..., Any], tmp_path: Path
) -> None:
    # Descent over the rows themselves, in NumPy, from a start that only the page knows.
    data = np.genfromtxt(SAMPLES / "housing.csv", delimiter=",", names=True, usecols=(0, 1))
    x, y = data["sqft"], data["price"]
    opened = page(str(SAMPLES / "housing.csv"), "-t", "price", "-x", "sqft", address="#lr=0.2&m=300&c=-50000&n=40")
    scaled, unit = (x - x.mean()) / x.std(ddof=1), y.std(ddof=1)
    b, c = 300 * x.std(ddof=1) / unit, (-50000 + 300 * x.mean()) / unit
    for _ in range(40):
        error = y / unit - b * scaled - c
        b, c = b + 0.4 * (error * scaled).mean(), c + 0.4 * error.mean()
    found = opened.run(PATH)["rows"][-1]
    slope = b * unit / x.std(ddof=1)
    assert found[:2] == pytest.approx([slope, c * unit - slope * x.mean()], rel=1e-9)
    assert math.isclose(found[2], ((y - found[0] * x - found[1]) ** 2).mean(), rel_tol=1e-12)
