"""What ``--by`` shows of each group besides its line: rows of another file, iterations, and their arithmetic."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

GROUPS = ("u", "v", "w")


def rows_of(seed: int, groups: str, kinds: str, n: int) -> list[str]:
    """Rows y, x, kind, group; the groups take turns, and so do the kinds."""
    random = np.random.default_rng(seed)
    return [
        f"{random.normal() + 2 * i % 7:.4f},{random.normal():.4f},{kinds[i // len(groups) % len(kinds)]},"
        f"{groups[i % len(groups)]}"
        for i in range(n)
    ]


HEAD = "y,x,kind,g"


@pytest.fixture
def files(csv_file: Callable[..., str]) -> tuple[str, str]:
    """A file of the groups u, v and w, and one to test on, which has no row of w, and two of a group of its own."""
    # v has no kind q to fit, but one to test on.
    fitted = [row.replace(",q,v", ",p,v") for row in rows_of(1, "uvw", "ppq", 54)]
    train = csv_file("\n".join([HEAD, *fitted]) + "\n", "train.csv")
    return train, csv_file("\n".join([HEAD, *rows_of(2, "uv", "pq", 14), "1,2,p,z", "3,4,p,z"]) + "\n", "test.csv")


def mean_squared_error(path: str, group: str, coefficient: dict[str, float]) -> tuple[int, float]:
    """The rows of a group in a file, and their mean squared error with these coefficients."""
    with open(path) as file:
        found = [row for row in csv.DictReader(file) if row["g"] == group]
    predicted = [
        coefficient["(intercept)"] + coefficient["x"] * float(row["x"]) + coefficient["kind[q]"] * (row["kind"] == "q")
        for row in found
    ]
    return len(found), float(np.mean((np.array([float(row["y"]) for row in found]) - predicted) ** 2))


WORDS = ("-t", "y", "--by", "g", "--lr", "0.1", "-n", "7")


@pytest.mark.parametrize("options", [(), ("--optimizer", "adam"), ("--missing", "mean"), ("--l2", "0.1")], ids=" ".join)
def test_each_group_is_judged_on_its_rows_of_another_file(
    gdfit: Callable, files: tuple[str, str], options: tuple[str, ...]
) -> None:
    train, test = files
    done = gdfit(train, *WORDS, *options, "--test", test, "--format", "csv")
    assert done.code == 0, done.err
    assert "2 rows of" in done.err
    assert "test nothing, as no row fitted is of their group (1 group: g=z)" in done.err
    rows = list(csv.DictReader(done.out.splitlines()))
    assert {row["g"] for row in rows} == {*GROUPS}
    alone = list(csv.DictReader(gdfit(train, *WORDS, *options, "--format", "csv", "-q").out.splitlines()))
    for g in GROUPS:
        own = [row for row in rows if row["g"] == g]
        coefficients = {row["term"]: float(row["coefficient"]) for row in own}
        without = {row["term"]: float(row["coefficient"]) for row in alone if row["g"] == g}
        assert coefficients == pytest.approx(without, rel=1e-10)
        if g == "w":
            assert {(row["validation_rows"], row["validation_cost"]) for row in own} == {("", "")}
            continue
        tested, error = mean_squared_error(test, g, coefficients)
        assert {int(row["validation_rows"]) for row in own} == {tested}
        # v predicts rows of kind q as those of p, as its model does: it has no coefficient there.
        assert float(own[0]["validation_cost"]) == pytest.approx(error, rel=1e-9)


def test_a_group_without_rows_to_test_on_says_so_in_every_format(gdfit: Callable, files: tuple[str, str]) -> None:
    train, test = files
    words = (train, *WORDS, "--test", test)
    table = gdfit(*words).out
    assert re.search(r"g +fitted +held out .* validation +R² +verdict", table)
    assert re.search(r"No validation for g=w: no row of '.*test.csv' is of this group\.", table)
    documents = {one["group"]["g"]: one for one in map(json.loads, gdfit(*words, "--format", "json").out.splitlines())}
    assert documents["u"]["holdout"]["file"] == test
    assert documents["u"]["holdout"]["rows"] == 7
    assert documents["w"]["holdout"] is None
    assert documents["w"]["reason"].endswith("is of this group")
    assert documents["w"]["coefficients"][0]["value"] is not None
    trace = list(csv.DictReader(gdfit(*words, "--trace", "-", "-q").out.splitlines()))
    assert {row["validation_cost"] == "" for row in trace if row["g"] == "w"} == {True}
    last = {row["g"]: row["validation_cost"] for row in trace if row["iteration"] == "7"}
    assert float(last["u"]) == pytest.approx(documents["u"]["holdout"]["cost"], rel=1e-12)
    assert json.loads(gdfit(*words, "--patience", "1", "--format", "json").out.splitlines()[2])["group"] == {"g": "w"}


def test_a_level_that_no_row_fitted_has_is_refused_as_for_one_fit(
    gdfit: Callable, files: tuple[str, str], csv_file: Callable[..., str]
) -> None:
    other = csv_file(f"{HEAD}\n1,2,new,u\n", "other.csv")
    done = gdfit(files[0], *WORDS, "--test", other)
    assert done.code == 1
    assert "no row fitted has 'new' in 'kind'" in done.err


def test_iterations_of_each_group_are_those_of_its_fit(gdfit: Callable, files: tuple[str, str]) -> None:
    train, _ = files
    done = gdfit(train, *WORDS, "-x", "x", "--every", "7")
    blocks = done.out.split("g = ")[1:]
    assert [block[0] for block in blocks] == [*GROUPS]
    fits = list(map(json.loads, gdfit(train, *WORDS, "-x", "x", "--every", "7", "--format", "json").out.splitlines()))
    for block, fit in zip(blocks, fits, strict=True):
        assert [row["iteration"] for row in fit["trace"]] == [0, 7]
        shown = re.search(r"\n +7 +(\S+) +(\S+) +(\S+)", block)
        assert shown is not None
        last = fit["trace"][-1]
        assert [float(cell) for cell in shown.groups()] == pytest.approx(
            [last["m"]["x"], last["c"], last["cost"]], 1e-4
        )
    # The table of groups, and the verdict, come last.
    assert re.search(r"3 groups, 54 rows: .*\n", done.out.rpartition("verdict")[2])


def test_the_arithmetic_of_each_group_starts_with_the_gradient_of_its_rows(
    gdfit: Callable, files: tuple[str, str]
) -> None:
    train, _ = files
    done = gdfit(train, *WORDS, "-x", "x", "--explain", "--scale", "none")
    blocks = done.out.split("g = ")[1:]
    assert len(blocks) == len(GROUPS)
    with open(train) as file:
        rows = list(csv.DictReader(file))
    for g, block in zip(GROUPS, blocks, strict=True):
        y, x = (np.array([float(row[name]) for row in rows if row["g"] == g]) for name in "yx")
        line = re.search(r"\nx +0 +(\S+) +(\S+) ", block)
        assert line is not None
        assert float(line[2]) == pytest.approx(-2 * float(np.mean(y * x)), rel=1e-4)
        assert block.count("Iteration ") == 3


@pytest.mark.parametrize("words", [("--every", "3"), ("--explain",)], ids=" ".join)
def test_twelve_groups_are_shown_and_the_rest_is_counted(
    gdfit: Callable, csv_file: Callable[..., str], words: tuple[str, ...]
) -> None:
    rows = [f"{i % 5 + g},{i % 5},g{g:02}" for g in range(15) for i in range(6)]
    done = gdfit(csv_file("\n".join(["y,a,g", *rows]) + "\n"), "-t", "y", "--by", "g", "-n", "3", *words)
    assert re.findall(r"\ng = (g\d\d)", done.out) == [f"g{g:02}" for g in range(12)]
    assert "3 groups more, not shown here." in done.out
    assert len(re.findall(r"\ng\d\d ", done.out)) == 15


def test_a_polynomial_of_groups_does_not_look_at_the_file_to_test_on(
    gdfit: Callable, files: tuple[str, str], tmp_path: Path
) -> None:
    train, test = files
    words = (train, "-t", "y", "-x", "poly(x, 2)", "--by", "g", "--format", "csv", "-q")
    alone, tested = (gdfit(*words, *more).out.splitlines() for more in ((), ("--test", test)))
    assert len(alone) == len(tested) == 10
    for one, other in zip(alone[1:], tested[1:], strict=True):
        assert float(one.split(",")[-5]) == pytest.approx(float(other.split(",")[-7]), rel=1e-9), (one, other)


@pytest.fixture
def fifteen(csv_file: Callable[..., str]) -> str:
    """A file of fifteen groups, and one too small for a sweep."""
    rows = [f"{i % 5 * (g + 1) + i % 2},{i % 5},g{g:02}" for g in range(15) for i in range(6)]
    return csv_file("\n".join(["y,a,g", *rows, "1,2,lonely"]) + "\n")


@pytest.mark.parametrize("rates", [(), ("--lr", "0.1", "--lr", "5")], ids=["own rates", "the same rates"])
def test_a_sweep_draws_twelve_groups_and_counts_the_rest(
    gdfit: Callable, fifteen: str, tmp_path: Path, rates: tuple[str, ...]
) -> None:
    pytest.importorskip("matplotlib")
    words = ("sweep", fifteen, "-t", "y", "--by", "g", "-n", "20", *rates)
    if rates:  # twelve panels take long to draw
        done = gdfit(*words, "--plot", tmp_path / "p.svg", "-q")
        assert done.code == 0, done.err
        drawn = (tmp_path / "p.svg").read_text()
        assert sorted(set(re.findall(r">(g\d\d)<", drawn))) == [f"g{g:02}" for g in range(12)]
        assert "4 groups more, not drawn" in drawn
        assert ">0.1<" in drawn
        assert ">5<" in drawn
    pytest.importorskip("plotext")
    chart = gdfit(*words, "--chart").out
    assert re.findall(r"\ng = (g\d\d)\n", chart) == [f"g{g:02}" for g in range(12)]
    assert "\n4 groups more, not drawn.\n" in chart


@pytest.mark.parametrize("command", ["fit", "sweep"])
def test_a_page_of_groups_has_twelve_of_them_and_the_whole_report(
    gdfit: Callable, fifteen: str, tmp_path: Path, command: str
) -> None:
    path = tmp_path / "page.html"
    done = gdfit(command, fifteen, "-t", "y", "--by", "g", "--lr", "0.1", "-n", "3", "--plot", path, "-q")
    assert done.code == 0, done.err
    page = path.read_text()
    told = json.loads(page.partition('id="data">')[2].partition("</script>")[0])["groups"]
    assert [one["name"] for one in told["shown"]] == [f"g = g{g:02}" for g in range(12)]
    assert told["left"] == 4
    assert {len(one["curves"]) for one in told["shown"]} == {1}
    assert "g14" in page.partition('id="report"')[2].partition("</details>")[0]
