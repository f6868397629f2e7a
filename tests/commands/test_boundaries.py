"""What stands just on a boundary, and options that have to hold together."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gdcli.api import fit_data as fit
from gdcli.base import parallel
from gdcli.base.errors import DataError
from gdcli.data.csv import chunks

Run = Callable[..., Any]


@pytest.fixture
def noisy_line(csv_file: Callable[..., str]) -> str:
    random = np.random.default_rng(5)
    x, z = random.normal(size=(2, 60))
    y = 2 * x - 0.5 * z + random.normal(size=60)
    rows = zip(x.tolist(), z.tolist(), (random.random(60) < 0.5).tolist(), y.tolist(), strict=True)
    return csv_file(
        "x,z,w,g,y\n" + "".join(f"{a!r},{b!r},{i % 3},{'pq'[c]},{d!r}\n" for i, (a, b, c, d) in enumerate(rows))
    )


# --- figures on which the same bits on every machine depend


def test_the_sizes_that_the_order_of_sums_depends_on_are_those_that_are_promised() -> None:
    assert parallel.SECTION == 64
    assert chunks.BLOCK_BYTES == 8 * 1024 * 1024


# --- weights of 0


def test_rows_of_weight_0_are_as_good_as_gone_in_every_group(gdfit: Run, csv_file: Run, noisy_line: str) -> None:
    lines = Path(noisy_line).read_text().splitlines()
    kept = [lines[0], *(line for line in lines[1:] if line.split(",")[2] != "0")]
    # A group whose first rows do not count, and whose values lie outside those of the others.
    early = [f"{1e6 + i},-50,0,r,1e9" for i in range(3)]
    late = [f"{i}.25,{i % 4},1,r,{i * i}" for i in range(9)]
    whole = csv_file("\n".join([lines[0], *early, *lines[1:], *late]) + "\n", "whole.csv")
    less = csv_file("\n".join([*kept, *late]) + "\n", "less.csv")
    for scale in ("standard", "minmax"):
        words = ("-t", "y", "-x", "x", "-x", "z", "--weights", "w", "--by", "g", "--scale", scale, "-q", "--format")
        both = [gdfit(path, *words, "csv") for path in (whole, less)]
        assert both[0].code == both[1].code == 0
        groups = [sorted(line for line in one.out.splitlines()) for one in both]
        assert groups[0] == groups[1]
        assert {line[0] for line in groups[0] if not line.startswith("g,")} == {"p", "q", "r"}


def test_a_level_that_comes_after_rows_of_weight_0_is_constant_in_their_group(
    gdfit: Run, csv_file: Run, blocks_of: Callable[[int], None]
) -> None:
    header = "x,kind,w,g,y"
    others = [f"{i},{'ab'[i % 2]},1,p,{i * i % 7}" for i in range(20)]
    early = [f"{i},a,0,q,{i}" for i in range(3)]
    late = [f"{i},late,1,q,{3 * i + i % 2}" for i in range(12)]
    whole = csv_file("\n".join([header, *early, *others, *late]) + "\n", "whole.csv")
    less = csv_file("\n".join([header, *others, *late]) + "\n", "less.csv")
    blocks_of(60)
    for scale in ("standard", "minmax"):
        words = ("-t", "y", "--weights", "w", "--by", "g", "-q", "--format", "csv", "--scale", scale, "-n", "5")
        found = [sorted(gdfit(path, *words).out.splitlines()) for path in (whole, less)]
        assert found[0] == found[1]
        assert any(line.startswith("q,x,") for line in found[0])


# --- going on from a model


def test_what_is_said_of_rates_when_a_fit_goes_on_is_what_a_start_there_is_told(
    tmp_path: Path, noisy_line: str
) -> None:
    from gdcli.models.model_file import model_as_json

    first = fit(noisy_line, target="y", features=["x", "z"], iterations=7)
    model = tmp_path / "m.json"
    model.write_text(model_as_json(first))
    values = {c.term: c.value for c in first.coefficients} | {"c": first.intercept.value}
    resumed = fit(noisy_line, target="y", features=["x", "z"], resume=str(model), iterations=300)
    started = fit(noisy_line, target="y", features=["x", "z"], start=values, iterations=300)
    assert resumed.learning_rate.best == pytest.approx(started.learning_rate.best, rel=1e-6)
    assert resumed.learning_rate.best_iterations == started.learning_rate.best_iterations
    assert resumed.learning_rate.largest_stable == pytest.approx(started.learning_rate.largest_stable, rel=1e-12)
    gained = resumed.learning_rate.iterations_to_1_percent
    assert gained in (started.learning_rate.iterations_to_1_percent, started.learning_rate.iterations_to_1_percent + 7)
    assert gained != fit(noisy_line, target="y", features=["x", "z"]).learning_rate.iterations_to_1_percent


def test_the_forecast_of_a_descent_that_goes_on_knows_its_velocity(gdfit: Run, tmp_path: Path, noisy_line: str) -> None:
    model, trace = tmp_path / "m.json", tmp_path / "trace.csv"
    words = (noisy_line, "-t", "y", "-x", "x", "-x", "z", "--optimizer", "momentum:0.9", "--lr", "0.01", "-q")
    assert gdfit(*words, "-n", 12, "--save", model).code == 0
    done = gdfit(*words, "-n", 300, "--resume", model, "--trace", trace, "--format", "json")
    found = json.loads(done.out)
    rows = np.genfromtxt(trace, delimiter=",", names=True)
    outside = np.flatnonzero(rows["cost"] > 1.01 * found["optimum"]["cost"])
    forecast = found["learning_rate"]["iterations_to_1_percent"]
    assert forecast == outside[-1] + 1
    assert forecast != json.loads(gdfit(*words, "--format", "json").out)["learning_rate"]["iterations_to_1_percent"]


# --- decimal commas and thousands


def test_a_decimal_comma_is_no_separator_however_often_it_is_in_the_header(gdfit: Run, csv_file: Run) -> None:
    path = csv_file("size, net, of all;y\n1,5;2,5\n2,5;3,25\n3,5;5\n4,5;5,5\n")
    found = json.loads(gdfit(path, "-t", "y", "--decimal", ",", "-q", "--format", "json").out)
    slope, intercept = np.polyfit([1.5, 2.5, 3.5, 4.5], [2.5, 3.25, 5, 5.5], 1)
    assert [c["term"] for c in found["coefficients"]] == ["size, net, of all"]
    assert found["coefficients"][0]["optimum"] == pytest.approx(slope, rel=1e-12)
    assert found["intercept"]["optimum"] == pytest.approx(intercept, rel=1e-12)


@pytest.mark.parametrize("cell", ["1,23,456", "12,34", "1,2345", "1234,567", ",123", "1,,234"])
def test_thousands_that_are_not_in_threes_are_no_number(gdfit: Run, csv_file: Run, cell: str) -> None:
    path = csv_file(f'x;y\n1;"{cell}"\n2;3\n3;5\n')
    done = gdfit(path, "-t", "y", "-x", "x", "--thousands", ",", "--sep", ";")
    assert done.code == 1
    assert "line 2" in done.err
    assert cell in done.err


# --- classes, wildcards, levels


def test_the_classes_1_and_1_0_are_one(gdfit: Run, csv_file: Run) -> None:
    random = np.random.default_rng(2)
    x = random.normal(size=50)
    event = random.random(50) < 1 / (1 + np.exp(-x))
    costs = []
    for yes in (["1"], ["1", "1.0"]):
        cells = [yes[i % len(yes)] if e else "0" for i, e in enumerate(event)]
        path = csv_file("x,y\n" + "".join(f"{a!r},{b}\n" for a, b in zip(x.tolist(), cells, strict=True)))
        done = gdfit(path, "-t", "y", "--loss", "logistic", "-q", "--format", "json")
        assert done.code == 0, done.err
        costs.append(json.loads(done.out)["cost"])
    assert costs[0] == costs[1]
    slopes = {}
    for word in ("1", "1.0", "01", "0", "0.0", "-0"):
        done = gdfit(path, "-t", "y", "--loss", "logistic", "--event", word, "-q", "--format", "json")
        assert done.code == 0, done.err
        slopes[word] = json.loads(done.out)["coefficients"][0]["value"]
    assert slopes["1"] == slopes["1.0"] == slopes["01"] == pytest.approx(-slopes["0"], rel=1e-9)
    assert slopes["0"] == slopes["0.0"] == slopes["-0"]


def test_eight_files_of_a_pattern_are_read_in_sorted_order(gdfit: Run, csv_file: Run, tmp_path: Path) -> None:
    for name in "gbhaecfd":
        csv_file(f"x,y\n1,{ord(name)}\n2,5\n", f"part-{name}.csv")
    done = gdfit(str(tmp_path / "part-*.csv"), "-t", "y", "-q", "--format", "json")
    assert [Path(path).name for path in json.loads(done.out)["files"]] == [f"part-{name}.csv" for name in "abcdefgh"]


@pytest.mark.parametrize(("length", "code"), [(1000, 0), (1001, 1)])
def test_a_level_may_have_a_thousand_characters_and_no_more(gdfit: Run, csv_file: Run, length: int, code: int) -> None:
    path = csv_file("kind,y\n" + "".join(f"{'k' * length if i % 2 else 'b'},{i}\n" for i in range(6)))
    done = gdfit(path, "-t", "y", "-q")
    assert done.code == code
    assert ("line 3, column 'kind': 'kkk" in done.err) == ("1,001 characters" in done.err) == (code == 1)


@pytest.mark.parametrize(("length", "code"), [(1000, 0), (1001, 1)])
def test_a_name_may_have_a_thousand_characters_and_no_more(gdfit: Run, csv_file: Run, length: int, code: int) -> None:
    done = gdfit(csv_file(f"{'x' * length},y\n1,2\n2,3\n3,5\n"), "-t", "y", "-q")
    assert done.code == code
    assert ("1,001 characters" in done.err) == (code == 1)


# --- verdicts on their boundary


def test_within_1_percent_at_the_very_last_iteration_is_within(gdfit: Run, noisy_line: str) -> None:
    words = (noisy_line, "-t", "y", "-x", "x", "-x", "z", "--format", "json", "-q")
    reached = json.loads(gdfit(*words).out)["learning_rate"]["iterations_to_1_percent"]
    said = (
        (reached - 1, f"; it would be within 1 % at {reached}, 1 more."),
        (reached, f"(within 1 % since {reached})."),
    )
    for iterations, sentence in said:
        found = json.loads(gdfit(*words, "-n", iterations).out)
        assert (found["optimum"]["gap"] <= 0.01 * found["optimum"]["gap_measure"]) is (iterations == reached)
        assert sentence in " ".join(gdfit(*words[:-3], "-n", iterations).out.split())


def test_an_advised_command_keeps_a_number_of_iterations_that_is_larger(gdfit: Run, noisy_line: str) -> None:
    words = (noisy_line, "-t", "y", "-x", "x", "-x", "z", "--lr", "1e-6", "-n")
    few, many = gdfit(*words, 100).out, gdfit(*words, 20000).out
    advised = [next(line for line in text.splitlines() if line.startswith("  gdfit")) for text in (few, many)]
    assert " -n 20000 " in f"{advised[1]} "
    assert " -n 20000 " not in advised[0]


def test_a_start_at_the_optimum_is_within_at_once_and_needs_no_step(gdfit: Run, noisy_line: str) -> None:
    words = (noisy_line, "-t", "y", "-x", "x", "-x", "z", "--format", "json", "-q")
    best = json.loads(gdfit(*words).out)
    values = {c["term"]: c["optimum"] for c in best["coefficients"]} | {"c": best["intercept"]["optimum"]}
    start = [word for name, value in values.items() for word in ("--start", f"{name}={value!r}")]
    for optimizer in ("gd", "momentum:0.9"):
        found = json.loads(gdfit(*words, *start, "--optimizer", optimizer).out)
        rate = found["learning_rate"]
        assert (rate["iterations_to_1_percent"], rate["best_iterations"]) == (0, 0)
        assert rate["best"] == pytest.approx(rate["largest_stable"] / 2, rel=1e-15)
        assert found["cost"] == pytest.approx(best["optimum"]["cost"], rel=1e-12)
        assert found["descent"]["converged"] is True


@pytest.mark.parametrize("optimizer", ["gd", "momentum:0.9", "nesterov:0.5"])
@pytest.mark.parametrize(("rate", "code"), [("0.1", 0), ("5", 3)])
def test_a_start_at_a_perfect_fit_stays_there_at_a_rate_that_is_stable(
    gdfit: Run, csv_file: Run, optimizer: str, rate: str, code: int
) -> None:
    path = csv_file("x,y\n1,1\n2,3\n3,5\n5,9\n")
    words = ("--start", "x=2", "--start", "c=-1", "--optimizer", optimizer, "--lr", rate)
    done = gdfit(path, "-t", "y", *words, "--format", "json", "-q")
    found = json.loads(done.out) if done.out else None
    assert done.code == code
    if found is not None and code == 0:
        assert (found["cost"], found["descent"]["converged"]) == (0.0, True)
        assert found["learning_rate"]["iterations_to_1_percent"] == 0


def test_of_equal_validation_costs_the_first_is_kept_and_patience_counts_from_it(gdfit: Run, csv_file: Run) -> None:
    path = csv_file("x,y\n" + "".join(f"{i},{2 * i - 1}\n" for i in range(12)))
    words = (
        "--start",
        "x=2",
        "--start",
        "c=-1",
        "--scale",
        "none",
        "--lr",
        "1e-6",
        "--holdout",
        "0.3",
        "--patience",
        "4",
    )
    found = json.loads(gdfit(path, "-t", "y", *words, "-n", "50", "--format", "json", "-q").out)
    assert found["holdout"]["cost"] == found["holdout"]["best_cost"] == 0.0
    assert (found["descent"]["stopped"], found["descent"]["iterations"], found["holdout"]["kept"]) == ("patience", 4, 0)
    folds = ("--cv", "3", *words[: words.index("--holdout")])
    found = json.loads(gdfit(path, "-t", "y", *folds, "-n", "50", "--format", "json", "-q").out)["cross_validation"]
    assert (found["best_mean"], found["best_iteration"]) == (0.0, 0)
    chosen = gdfit(path, "-t", "y", *folds, "--lr", "3e-6", "-n", "50", "--format", "json", "-q")
    assert json.loads(chosen.out)["descent"]["learning_rate"] == 1e-6


def test_what_is_rounding_at_a_perfect_start_is_no_divergence_yet(gdfit: Run, csv_file: Run) -> None:
    path = csv_file("x,y\n" + "".join(f"{x!r},{3 * x + 0.3!r}\n" for x in (0.1, 0.2, 0.3, 0.7, 1.1)))
    words = ("--start", "x=3", "--start", "c=0.3", "--lr", "1.5", "-n", "20", "--format", "json", "-q")
    done = gdfit(path, "-t", "y", *words)  # the cost is four times as large after each iteration
    found = json.loads(done.out)
    assert (done.code, found["descent"]["stopped"]) == (3, "iterations")
    assert 1e6 * found["trace"][0]["cost"] < found["trace"][-1]["cost"] < 1e-18


# --- what is out of range


@pytest.mark.parametrize("more", [(), ("--by", "g")], ids=["all", "groups"])
@pytest.mark.parametrize(
    ("largest", "extreme"), [(1e152, None), (1.001e152, "large"), (1e-152, None), (9.99e-153, "small")]
)
def test_a_column_whose_squares_are_no_doubles_is_refused(
    gdfit: Run, csv_file: Run, more: tuple[str, ...], largest: float, extreme: str | None
) -> None:
    path = csv_file("x,y,g\n" + "".join(f"{i / 16 * largest!r},{i * i % 7},u\n" for i in range(1, 17)))
    done = gdfit(path, "-t", "y", "-x", "x", *more)
    assert done.code == (0 if extreme is None else 1), done.err
    assert (f"the values of 'x' are too {extreme} to compute with" in done.err) is (extreme is not None)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--loss", "huber:0"), "huber"),
        (("--loss", "huber:-1"), "huber"),
        (("--loss", "quantile:1"), "quantile"),
        (("--l2", "-0.5"), "--l2"),
        (("--l1", "-1e-9"), "--l1"),
    ],
)
def test_a_parameter_out_of_its_range_is_wrong_usage(gdfit: Run, noisy_line: str, words: Any, named: str) -> None:
    done = gdfit(noisy_line, "-t", "y", *words)
    assert (done.code, done.out) == (2, "")
    assert named in done.err


def test_a_model_of_two_equal_classes_is_refused(gdfit: Run, tmp_path: Path, noisy_line: str) -> None:
    model = tmp_path / "m.json"
    done = gdfit(noisy_line, "-t", "g", "-x", "x", "--loss", "logistic", "-q", "--save", model)
    assert done.code == 0, done.err
    content = json.loads(model.read_text())
    assert content["classes"] == ["p", "q"]
    model.write_text(json.dumps(content | {"classes": ["q", "q"]}))
    done = gdfit("predict", model, noisy_line)
    assert (done.code, done.out) == (1, "")
    assert "m.json" in done.err


@pytest.mark.parametrize("delta", [0, -1.5])
def test_a_model_whose_delta_is_not_above_0_is_refused(
    gdfit: Run, tmp_path: Path, noisy_line: str, delta: float
) -> None:
    model = tmp_path / "m.json"
    assert gdfit(noisy_line, "-t", "y", "-x", "x", "--loss", "huber:1", "-q", "--save", model).code == 0
    content = json.loads(model.read_text())
    assert content["delta"] == 1.0
    model.write_text(json.dumps(content | {"delta": delta}))
    done = gdfit("predict", model, noisy_line)
    assert (done.code, done.out) == (1, "")
    assert "m.json" in done.err


def test_a_summary_whose_deviation_is_larger_than_its_range_is_refused(
    gdfit: Run, tmp_path: Path, noisy_line: str
) -> None:
    path = tmp_path / "s.json"
    assert gdfit("summarize", noisy_line, "-o", path, "-q").code == 0
    content = json.loads(path.read_text())
    triangle = content["triangle"]
    for row in (1, 2):  # the first entry of row i is of column i itself
        forged = json.loads(json.dumps(content))
        column = triangle["columns"][row - 1][0]
        width = triangle["maximum"][row - 1] - triangle["minimum"][row - 1]
        forged["triangle"]["R"][row][0] = 1.5 * width * triangle["weight"] ** 0.5
        path.write_text(json.dumps(forged))
        with pytest.raises(DataError, match=f"the numbers of '{column}' contradict each other"):
            fit(path, target="y")
