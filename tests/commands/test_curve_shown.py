"""What people and programs get to see of a walk."""

import csv
import io
import itertools
import json
import math
import re

import pytest
from rich.cells import cell_len

from gdcli.fitting.curve import walk_down
from gdcli.report.curve import curve_report
from gdcli.report.curve_shape import format_shape, polynomial_text
from gdcli.report.curve_verdict import curve_verdict
from gdcli.report.paper import Page
from gdcli.report.writers import WRITERS

ARTICLE = ("--poly", "0,0,1", "--start", "10", "--lr", "0.1", "--lr", "0.4", "--lr", "2", "-n", "5")


def text_of(curve, form):
    return WRITERS[form](curve_report(curve), Page())


def said(*coefficients: float, start: float = 10, lr: float, n: int = 10) -> str:
    curve = walk_down(coefficients, start, [lr], n)
    return curve_verdict(curve, curve.walks[0])


def table(text: str) -> list[list[str]]:
    """The cells of the rows under the header ``step``."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if re.match(r" *step ", line))
    rows = itertools.takewhile(lambda line: re.match(r" *(step|─+|[\d,]+)( |$|─)", line), lines[first:])
    return [line.split() for line in rows if "──" not in line and " steps; " not in line]


# --- the verdict


def test_coming_closer_tells_what_is_left_of_the_distance():
    assert said(0, 0, 1, lr=0.1, n=5) == (
        "Comes closer to the minimum at x = 0 from one side: after 5 steps 32.8 % of the distance is left. "
        "Near it each step multiplies the distance by 0.8."
    )


def test_overshooting_tells_how_often():
    assert said(0, 0, 1, lr=0.9).startswith("Comes closer to the minimum at x = 0, stepping over it 10 times: after 10")
    assert "stepping over it once" in said(0, 0, 1, lr=0.9, n=1)
    assert "after 1 step " in said(0, 0, 1, lr=0.9, n=1)


def test_arrival_tells_the_step():
    assert said(0, 0, 1, lr=0.4) == (
        "Reaches the minimum at x = 0 from one side: within 0.1 % of the start's distance from step 5 on. "
        "Near it each step multiplies the distance by 0.2."
    )


def test_an_unstable_rate_does_not_settle_however_few_steps_it_took():
    assert said(0, 0, 1, lr=2, n=4) == (
        "Does not settle at the minimum at x = 0: 810 away after 4 steps, 10 at the start. "
        "Near it each step multiplies the distance by -3. Rates below 1 are stable there."
    )


def test_divergence_tells_where_it_ended_and_which_rates_are_stable():
    assert said(0, 0, 1, lr=2) == (
        "Diverges in steps that overshoot and grow: at step 7 y = 4.78297e+08. "
        "Near the minimum at x = 0 each step multiplies the distance by -3. Rates below 1 are stable there."
    )


def test_a_rate_too_large_for_the_start_only_is_told_from_one_too_large_for_the_minimum():
    assert said(0, 0, -1, 0, 1, lr=0.1).endswith(
        "Near x = 0.707107 rates below 0.5 are stable, but from x = 10 the slope is too steep for this rate."
    )
    assert said(0, 0, 0, 0, 1, lr=0.1).endswith("From x = 10 the slope is too steep for this rate.")


def test_a_local_minimum_is_told_from_the_lowest_one():
    text = said(0, 1, -2, 0.3, 1, start=3, lr=0.018, n=100)
    assert text.startswith("Reaches a local minimum at x = 0.695808 (not the lowest one, which is at x = -1.21623)")
    text = said(0, 1, -2, 0.3, 1, start=3, lr=0.039, n=100)
    assert text.startswith("Leaps out of the valley of x = 0.695808 and reaches the lowest minimum at x = -1.21623")


def test_a_minimum_beside_an_abyss_is_only_a_local_one():
    text = said(0, -3, 0, 1, start=2, lr=0.1, n=50)
    assert text.startswith("Reaches a local minimum at x = 1 (to the left the curve falls without end) from one side")


def test_leaping_over_the_hill_into_the_abyss_is_told():
    assert said(0, -3, 0, 1, start=2, lr=0.4, n=50).startswith(
        "Leaps out of the valley of the minimum at x = 1 and falls without end to the left"
    )


@pytest.mark.parametrize(
    ("coefficients", "start", "words"),
    [
        ((0, 1), 10, "Falls without end to the left, where the curve has no minimum: at step 10 y = 5."),
        ((0, -1), 10, "Falls without end to the right, where the curve has no minimum: at step 10 y = -15."),
        ((0, 0, -1), 10, "Falls without end to the right, where the curve has no minimum"),
        ((0, 0, -1), -10, "Falls without end to the left, where the curve has no minimum"),
        ((0, 0, 0, 1), 10, "Leaps over the inflection at x = 0 and falls without end to the left"),
        ((0, 0, -1, 0, 1), 0, "Stuck at the maximum at x = 0, where the slope is 0: no rate leads away from it."),
        (
            (0, 0, 0, 1),
            0,
            "Stuck at the inflection at x = 0, where the slope is 0, though the curve falls on to the left",
        ),
        (
            (0, 0, 0, -1),
            0,
            "Stuck at the inflection at x = 0, where the slope is 0, though the curve falls on to the right",
        ),
        ((5,), 10, "The curve is flat: its slope is 0 everywhere, and no rate moves x."),
        ((0, 0, 1), 0, "Starts at the minimum at x = 0, where the slope is 0, and stays."),
        ((0, 0, 2, 0, -1), -1.5, "Falls without end to the left"),
        ((0, 0, 1), 1e200, "Cannot start: at x = 1e+200 y or its slope is too large for a number."),
    ],
)
def test_where_there_is_no_way_to_a_minimum_the_verdict_says_why(coefficients, start, words):
    assert said(*coefficients, start=start, lr=0.5).startswith(words)


def test_a_walk_towards_an_inflection_is_not_called_a_success():
    assert said(0, 0, 0, 1, lr=0.01) == (
        "Creeps towards the inflection at x = 0 in ever smaller steps: the slope is 0 there, though the curve falls on "
        f"to the left. After 10 steps x = {walk_down([0, 0, 0, 1], 10, [0.01]).walks[0].x[-1]:.6g}."
    )


def test_landing_on_a_minimum_by_chance_is_told():
    # 0.25 + 0.8 × 0.9375 = 1, where y'' = 8
    assert said(0, 0, -2, 0, 1, start=0.25, lr=0.8).endswith(
        "a lucky hit at step 1, for near it this rate is unstable."
    )


def test_a_factor_next_to_one_is_not_rounded_to_one():
    assert said(0, 0, 1, lr=1e-6).endswith("Near it each step multiplies the distance by 0.999998.")
    assert said(0, 0, 1e-18, 0, 1, lr=1e-3).endswith("Near it each step multiplies the distance by almost 1.")
    assert said(0, 0, 1, lr=1).endswith("by -1. Rates below 1 are stable there.")


@pytest.mark.parametrize(
    ("coefficients", "what"), [((0, 0, 1), "the minimum at x = 0"), ((0, 0, 0, 1), "the inflection at x = 0")]
)
def test_without_a_step_the_verdict_tells_what_lies_downhill(coefficients, what):
    assert said(*coefficients, lr=0.1, n=0) == f"No step taken: downhill of x = 10 lies {what}."


@pytest.mark.parametrize("coefficients", [(0, 0, 1), (0, 1), (0, 0, 0, 1)])
def test_a_rate_too_small_to_move_x_is_not_called_an_approach_or_a_fall(coefficients):
    assert said(*coefficients, lr=1e-20) == "Does not move: lr * slope is so small that x = 10 stays the same number."


def test_a_minimum_whose_height_is_too_large_for_a_number_is_still_told():
    shape = walk_down([1, 3, 0.66, 7.2e-15, 2e-179], -1.5, [0.1], 0).shape
    assert format_shape(shape)[0].endswith("where y or y'' is too large for a number.")
    assert [point.x < -1e100 for point in shape.lowest] == [True]


def test_numbers_too_large_are_told_without_infinities():
    text = said(0, 0, 1, lr=1e308)
    assert text.startswith("Diverges with its first step: at step 1 the numbers are too large to compute with.")
    assert "inf" not in text


# --- the lines above the table


@pytest.mark.parametrize(
    ("coefficients", "unicode", "ascii_"),
    [
        ([0, 0, 1], "y = x², slope y' = 2x", "y = x^2, slope y' = 2x"),
        ([1, -1, -0.5], "y = -0.5x² - x + 1, slope y' = -x - 1", "y = -0.5x^2 - x + 1, slope y' = -x - 1"),
        ([0, 0, 0, 0.3], "y = 0.3x³, slope y' = 0.9x²", "y = 0.3x^3, slope y' = 0.9x^2"),
        ([0, 1e-9], "y = 1e-09·x, slope y' = 1e-09", "y = 1e-09*x, slope y' = 1e-09"),
        ([0], "y = 0, slope y' = 0", "y = 0, slope y' = 0"),
    ],
)
def test_the_curve_and_its_slope_are_written_as_on_a_blackboard(coefficients, unicode, ascii_):
    curve = walk_down(coefficients, 10, [0.1], 0)
    assert polynomial_text(curve, Page()) == f"{unicode}; start at x = 10"
    assert polynomial_text(curve, Page(encoding="ascii")) == f"{ascii_}; start at x = 10"


def test_each_minimum_is_told_with_its_rates():
    shape = walk_down([0, 1, -2, 0.3, 1], 3, [0.1], 0).shape
    assert format_shape(shape) == [
        "Lowest minimum at x = -1.21623, y = -2.5263, where y'' = 11.5613: near it rates below 0.172991 (2/y'') are "
        "stable, and 0.0864958 (1/y'') is best.",
        "Local minimum at x = 0.695808, y = 0.0629729, where y'' = 3.06224: near it rates below 0.653117 (2/y'') are "
        "stable, and 0.326559 (1/y'') is best.",
    ]


def test_a_stable_limit_is_never_rounded_up():
    shape = walk_down([0, 0, 1.5], 1, [0.1], 0).shape  # 2/3
    assert "rates below 0.666 (" in format_shape(shape, 3)[0]


def test_a_curve_without_a_minimum_is_told():
    assert format_shape(walk_down([0, 0, 0, 1], 1, [0.1], 0).shape) == [
        "There is no minimum: the curve falls without end to the left."
    ]
    assert format_shape(walk_down([3], 1, [0.1], 0).shape) == ["The curve is flat: its slope is 0 everywhere."]


# --- the table


def test_the_table_shows_x_y_and_slope_of_each_step(curve):
    done = curve(*ARTICLE)
    assert (done.code, done.err) == (0, "")
    rows = table(done.out)
    assert rows[0] == ["step", *["x", "y", "slope"] * 3]
    assert [row[0] for row in rows[1:]] == ["0", "1", "2", "3", "4", "5"]
    numbers = [[float(cell.replace(",", "")) for cell in row[1:]] for row in rows[1:]]
    assert [row[0] for row in numbers] == [10, 8, 6.4, 5.12, 4.096, 3.2768]
    assert [row[3] for row in numbers] == [10, 2, 0.4, 0.08, 0.016, 0.0032]
    assert [row[6] for row in numbers] == [10, -30, 90, -270, 810, -2430]
    assert [row[1] for row in numbers] == pytest.approx([100, 64, 40.96, 26.2144, 16.777216, 10.73741824], rel=1e-5)
    assert [row[8] for row in numbers] == [20, -60, 180, -540, 1620, -4860]


@pytest.mark.parametrize("n", ["5", "10", "30", "1000"])
def test_three_rates_fit_eighty_columns_with_all_that_belongs_to_them(on_terminal, n):
    done = on_terminal(*ARTICLE[:-1], n)
    assert (done.code, done.err) == (0, "")
    assert max(map(cell_len, done.out.splitlines())) <= 80
    assert table(done.out)[0] == ["step", *["x", "y", "slope"] * 3]
    assert "Left out" not in done.out


@pytest.mark.parametrize(
    ("columns", "header", "missing"),
    [
        (120, ["step", *["x", "y", "slope"] * 4], None),
        (80, ["step", *["x", "y"] * 4], "slope."),
        (50, ["step", *["x"] * 4], "y and slope."),
        (25, ["step", *["x"] * 2], "y, slope, lr 0.9 and lr 1.1."),
        (10, ["step", "x"], None),
    ],
)
def test_what_does_not_fit_is_left_out_by_whole_columns_and_a_line_says_so(on_terminal, columns, header, missing):
    done = on_terminal("--poly", "0,0,1", columns=columns)
    assert done.code == 0
    assert table(done.out)[0] == header
    text = " ".join(done.out.split())
    if missing is not None:
        assert f"Left out to fit {columns} columns: {missing}" in text
    assert ("Left out" in text) == (columns < 120)
    if columns >= 25:
        assert max(map(cell_len, done.out.splitlines())) <= columns
    assert "…" not in done.out


def test_digits_that_were_asked_for_do_not_give_way(on_terminal):
    done = on_terminal("--poly", "0.1,0.1,1.1", "--lr", "0.1", "--lr", "0.4", "--digits", "9", columns=60)
    assert table(done.out)[0] == ["step", "x", "y", "x", "y"]
    assert table(done.out)[1][1] == "10.0000000"


def test_a_long_walk_is_thinned_and_keeps_the_end_of_each_walk(curve):
    done = curve("--poly", "0,0,1", "--lr", "0.01", "--lr", "2", "-n", "1000")
    steps = [row[0] for row in table(done.out)[1:]]
    assert (steps[0], steps[-1]) == ("0", "1,000")
    assert "7" in steps
    assert 15 <= len(steps) <= 25
    assert f"{len(steps)} of 1,001 steps; --format csv has all." in done.out


def test_off_a_terminal_a_table_is_as_wide_as_it_needs(curve):
    done = curve("--poly", "0,0,1", *(f"--lr=0.{i:02}" for i in range(1, 41)))
    assert table(done.out)[0] == ["step", *["x", "y", "slope"] * 40]
    assert "Left out" not in done.out


def test_where_unicode_cannot_be_written_all_is_ascii(curve):
    done = curve("--poly", "0,1e-9,1", LC_ALL="C")
    assert done.code == 0
    assert done.out.isascii()
    assert "y = x^2 + 1e-09*x" in done.out
    assert "--- lr 0.1 ---" in done.out


def test_after_its_end_a_walk_has_blank_cells(curve):
    done = curve("--poly", "0,0,1", "--lr", "2", "--lr", "0.1", "-n", "9")
    assert [len(row) for row in table(done.out)[1:]] == [7] * 8 + [4] * 2


# --- the machine formats


def test_json_has_the_contracts_keys_and_the_numbers_to_the_last_bit():
    curve = walk_down([0, 0, 1], 10, [0.1, 0.4, 2], 5)
    document = json.loads(text_of(curve, "json"))
    assert document["schema"] == "gdfit.curve/1"
    assert (document["polynomial"], document["start"], document["iterations"]) == ([0.0, 0.0, 1.0], 10.0, 5)
    assert document["minima"] == [
        {"x": 0.0, "y": 0.0, "curvature": 2.0, "largest_stable": 1.0, "best": 0.5, "lowest": True}
    ]
    assert [rate["learning_rate"] for rate in document["rates"]] == [0.1, 0.4, 2.0]
    assert [rate["behaviour"] for rate in document["rates"]] == ["monotone", "monotone", "unstable"]
    assert [rate["stopped"] for rate in document["rates"]] == ["iterations"] * 3
    for rate, walk in zip(document["rates"], curve.walks, strict=True):
        assert [step["iteration"] for step in rate["steps"]] == [0, 1, 2, 3, 4, 5]
        assert [step["x"] for step in rate["steps"]] == walk.x.tolist()
        assert [step["y"] for step in rate["steps"]] == walk.y.tolist()
        assert [step["slope"] for step in rate["steps"]] == walk.slope.tolist()
        assert rate["verdict"] == curve_verdict(curve, walk)


def test_json_of_a_curve_with_a_flat_minimum_has_null_for_its_rates():
    document = json.loads(text_of(walk_down([0, 0, 0, 0, 1], 10, [0.001]), "json"))
    assert document["minima"][0]["largest_stable"] is None
    assert document["minima"][0]["best"] is None
    assert document["rates"][0]["behaviour"] is None


def test_csv_has_a_row_per_rate_and_iteration():
    curve = walk_down([0, 0, 1], 10, [0.1, 2], 9)
    rows = list(csv.DictReader(io.StringIO(text_of(curve, "csv"))))
    assert list(rows[0]) == ["learning_rate", "iteration", "x", "y", "slope"]
    assert [(row["learning_rate"], row["iteration"]) for row in rows] == [
        *(("0.1", str(k)) for k in range(10)),
        *(("2", str(k)) for k in range(8)),
    ]
    assert [float(row["x"]) for row in rows] == [*curve.walks[0].x, *curve.walks[1].x]
    assert text_of(curve, "tsv") == text_of(curve, "csv").replace(",", "\t")


@pytest.mark.parametrize("coefficients", [[0, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 1], [0, 1e300]])
def test_no_format_has_nan_or_infinity(coefficients):
    curve = walk_down(coefficients, 10, [0.1, 1e200, 1e308], 20)
    document = json.loads(text_of(curve, "json"), parse_constant=pytest.fail)
    assert any(step["x"] is None or step["y"] is None for rate in document["rates"] for step in rate["steps"])
    for text in (text_of(curve, "csv"), text_of(curve, "markdown"), text_of(curve, "json")):
        assert not re.search(r"\b(nan|inf|infinity)\b", text, re.IGNORECASE)
    for row in csv.DictReader(io.StringIO(text_of(curve, "csv"))):
        assert all(row[name] == "" or math.isfinite(float(row[name])) for name in ("x", "y", "slope"))


def test_markdown_is_the_whole_table():
    lines = text_of(walk_down([0, 0, 1], 10, [0.1, 2], 2), "markdown").splitlines()
    assert lines == [
        "| step | x (lr 0.1) | y (lr 0.1) | slope (lr 0.1) | x (lr 2) | y (lr 2) | slope (lr 2) |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| 0 | 10.0 | 100.00 | 20.0 | 10 | 100 | 20 |",
        "| 1 | 8.0 | 64.00 | 16.0 | -30 | 900 | -60 |",
        "| 2 | 6.4 | 40.96 | 12.8 | 90 | 8,100 | 180 |",
    ]
