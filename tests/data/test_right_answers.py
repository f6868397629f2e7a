"""Tables that people had trouble with elsewhere, and the answers that are published or follow by hand."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import ROOT, Done

CASES = ROOT / "tests" / "cases"
NEWTON = ["--optimizer", "newton", "-n", "30"]

Run = Callable[..., Done]

# A command line, and the numbers of its terms; c is the intercept.
RIGHT: dict[str, tuple[str, dict[str, float]]] = {
    # 12, 13, 14 → 15, 18, 3: a slope of −6 through (13, 12).
    "blanks after a closing quote": ("p14_quotedblank.csv -t C", {"B": -6, "c": 90}),
    # The rows with both: 2 → 1, 3 → 2, 3 → 2.
    "gaps in either column": ("p23_nulls.csv -t y", {"x": 1, "c": -1}),
    # The normal equations of the six rows that have all values, within each category, in exact fractions.
    "a category with None, nan and an empty cell": (
        "p25_nonecat.csv -t y", {"g[b]": 145 / 444, "x": 297 / 148, "c": 215 / 222},
    ),
    "three rows and two features": ("p63_three.csv -t y", {"a": -1, "b": 3, "c": -4}),
    # Published: -9.508474576 and 3.457627119.
    "a constant target without an intercept": (
        "p66_const.csv -t label --no-intercept", {"a": -561 / 59, "b": 204 / 59},
    ),
    "a line through the origin": ("p67_gnuplot.dat --no-header -t x2", {"x1": 1, "c": 0}),
    "an intercept alone": ("p69_const.csv -t y", {"c": 1 / 3}),
    # Published.
    "an age and a pressure": ("p60_age.csv -t bp --scale none", {"age": 0.4547819, "c": 112.12629}),
    # In a 4 of 6, in b 4 of 7, in c 5 of 7 are 1: logarithms of odds.
    "texts against a class": (
        "p80_text.csv -t yN -x xA --loss logistic",
        {"xA[b]": math.log(2 / 3), "xA[c]": math.log(5 / 4), "c": math.log(2)},
    ),
    # Published, by R.
    "rates with exposure": (
        "p86_rate.csv -t y -x x --weights w --loss poisson", {"x": 0.4114909, "c": -1.0845508},
    ),
}  # fmt: skip


def fitted(gdfit: Run, words: list[str]) -> dict[str, Any]:
    done = gdfit(str(CASES / words[0]), *words[1:], "--format", "json")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def optimum(found: dict[str, Any]) -> dict[str, float]:
    values = {one["term"]: one["optimum"] for one in found["coefficients"]}
    return values if found["intercept"] is None else {**values, "c": found["intercept"]["optimum"]}


@pytest.mark.parametrize(("command", "expected"), RIGHT.values(), ids=RIGHT)
def test_a_table_has_its_right_answer(gdfit: Run, command: str, expected: dict[str, float]) -> None:
    how = NEWTON if "--loss" in command else ["--lr", "auto"]
    assert optimum(fitted(gdfit, [*command.split(), *how])) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    "words", [("p82_quasi.csv", "-t", "y", "--loss", "logistic"), ("p87_bikes.csv", "-t", "count", "--loss", "poisson")]
)
def test_what_has_no_optimum_has_one_with_a_penalty(gdfit: Run, words: tuple[str, ...]) -> None:
    assert {*optimum(fitted(gdfit, [*words, *NEWTON])).values()} == {None}
    penalized = optimum(fitted(gdfit, [*words, "--l2", "0.01", *NEWTON]))
    assert all(math.isfinite(value) for value in penalized.values())


def test_a_shift_of_a_feature_changes_no_slope_of_a_penalized_fit(gdfit: Run) -> None:
    slopes = [
        optimum(fitted(gdfit, [f"p84_shift{shift}.csv", "-t", "y", "--loss", "logistic", "--l2", "0.01", *NEWTON]))
        for shift in (0, 999)
    ]
    assert slopes[1]["c"] - slopes[0]["c"] == pytest.approx(-999 * slopes[0]["t"], rel=1e-9)
    assert {**slopes[0], "c": 0} == pytest.approx({**slopes[1], "c": 0}, rel=1e-9)


def test_equal_columns_without_a_header_predict_as_one(gdfit: Run, tmp_path: Path) -> None:
    model, path = str(tmp_path / "m.json"), str(CASES / "p42_nohead.csv")
    gdfit(path, "--no-header", "-t", "x3", "--optimizer", "newton", "--save", model)
    (tmp_path / "new.csv").write_text("8,8\n")
    done = gdfit("predict", model, str(tmp_path / "new.csv"))
    assert float(done.out.splitlines()[-1].rsplit(",", 1)[1]) == pytest.approx(32, rel=1e-9)


def test_all_indicators_with_an_intercept_predict_as_without_one_of_them(gdfit: Run) -> None:
    words = ["p54_onehot.csv", "-t", "y", "--lr", "auto"]
    full, fewer = optimum(fitted(gdfit, words)), optimum(fitted(gdfit, [*words, "--exclude", "pB"]))
    table = np.loadtxt(CASES / "p54_onehot.csv", delimiter=",", skiprows=1)
    A = np.column_stack([np.ones(len(table)), table[:, [0, 1, 3]]])
    expected = A @ np.linalg.lstsq(A, table[:, 4])[0]
    for found in (full, fewer):
        terms = [found.get(name, 0.0) for name in ("c", "inc", "pA", "pB", "pC")]
        np.testing.assert_allclose(np.column_stack([np.ones(len(table)), table[:, :4]]) @ terms, expected, rtol=1e-9)


def test_the_largest_stable_rate_of_an_age_is_two_over_the_largest_eigenvalue(gdfit: Run) -> None:
    age = np.loadtxt(CASES / "p60_age.csv", delimiter=",", skiprows=1)[:, 0]
    A = np.column_stack([age, np.ones(len(age))])
    limit = 2 / np.linalg.eigvalsh(2 * A.T @ A / len(age)).max()
    assert limit == pytest.approx(0.00047967, rel=1e-5)  # published
    found = fitted(gdfit, ["p60_age.csv", "-t", "bp", "--scale", "none", "--lr", "0.0004"])
    assert found["learning_rate"]["largest_stable"] == pytest.approx(limit, rel=1e-9)


def test_a_published_trace_is_followed(gdfit: Run) -> None:
    start = ["--start", "x=1", "--start", "(intercept)=1"]
    words = [CASES / "p62_two.csv", "-t", "y", "--scale", "none", "--lr", "0.005", "-n", "101", *start, "--trace", "-"]
    rows = {row.split(",")[0]: row.split(",")[1:3] for row in gdfit(*words).out.splitlines()}
    assert [float(value) for value in rows["1"]] == pytest.approx([2.49, 1.35], rel=1e-9)
    assert [float(value) for value in rows["101"]] == pytest.approx([9.339565, 2.797646], rel=1e-6)
