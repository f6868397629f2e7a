"""--holdout, --patience and --cv on the command line: exit codes, stdout, stderr, and every format."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gdcli.api import fit_data as fit
from gdcli.base.records import replace
from gdcli.fitting.results import Fit
from gdcli.report.fit import fit_report
from gdcli.report.paper import Page
from gdcli.report.writers import as_table


def beside_text_note(err: str) -> str:
    """What stderr has beside the note that a column is text."""
    return "".join(line for line in err.splitlines(keepends=True) if " is text: " not in line)


@pytest.fixture
def data(noisy: Callable[..., str]) -> str:
    return noisy(missing=False)


def header_of(text: str, first: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.startswith(first + " "))


def shown(result: Fit, width: int) -> str:
    """The report on a terminal of some width."""
    return as_table(fit_report(result), Page(width))


def flat(text: str) -> str:
    return " ".join(text.split())


# --- holdout


def test_a_holdout_puts_validation_beside_the_cost(gdfit: Callable[..., Any], data: str) -> None:
    done = gdfit(data, "-t", "y", "-x", "x", "--holdout", "0.3", "-n", "40")
    assert (done.code, beside_text_note(done.err)) == (0, "")
    assert header_of(done.out, "iteration") == ["iteration", "m", "c", "cost", "validation", "above", "min", "%"]
    held = fit(data, target="y", features="x", holdout=0.3, iterations=40).holdout
    assert held is not None
    assert f"all 60 rows used, {held.rows} of them held out" in done.out
    assert re.search(r"^validation  [\d.]+ at iteration 40, the last and the lowest$", done.out, re.MULTILINE)


def test_validation_is_in_the_json_and_in_every_kind_of_trace(
    gdfit: Callable[..., Any], data: str, tmp_path: Path
) -> None:
    args = (data, "-t", "y", "-x", "x", "--holdout", "0.3", "--seed", "4", "-n", "40", "--format", "json")
    traces = {}
    for ending in ("csv", "tsv", "jsonl"):
        done = gdfit(*args, "--trace", tmp_path / f"t.{ending}", "-q")
        assert (done.code, beside_text_note(done.err)) == (0, "")
        traces[ending] = (tmp_path / f"t.{ending}").read_text()
    document = json.loads(done.out)
    assert document["holdout"] == {
        "share": 0.3,
        "file": None,
        "seed": 4,
        "rows": document["holdout"]["rows"],
        "cost": document["trace"][-1]["validation_cost"],
        "best_iteration": 40,
        "best_cost": document["trace"][-1]["validation_cost"],
        "patience": None,
        "kept": 40,
    }
    assert list(document["trace"][0]) == ["iteration", "m", "c", "cost", "validation_cost"]
    rows = list(csv.DictReader(io.StringIO(traces["csv"])))
    assert list(rows[0]) == ["iteration", "m", "c", "cost", "validation_cost"]
    assert float(rows[-1]["validation_cost"]) == document["holdout"]["cost"]
    assert traces["tsv"].replace("\t", ",") == traces["csv"]
    lines = [json.loads(line) for line in traces["jsonl"].splitlines()]
    assert [line["validation_cost"] for line in lines] == [float(row["validation_cost"]) for row in rows]


def test_without_a_holdout_nothing_changes(gdfit: Callable[..., Any], data: str) -> None:
    done = gdfit(data, "-t", "y", "-x", "x", "-n", "3", "--format", "json", "--seed", "9")
    document = json.loads(done.out)
    assert (document["holdout"], document["cross_validation"], document["inference"]) == (None, None, None)
    assert list(document["trace"][0]) == ["iteration", "m", "c", "cost"]
    assert header_of(gdfit(data, "-t", "y", "-x", "x", "-n", "3").out, "iteration")[3:] == ["cost", "above", "min", "%"]


def test_many_iterations_come_as_lines_with_their_validation_cost(gdfit: Callable[..., Any], data: str) -> None:
    args = (data, "-t", "y", "-x", "x", "--holdout", "0.3", "-n", "1500")
    done = gdfit(*args, "--every", "1")
    assert (done.code, beside_text_note(done.err)) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].split() == ["iteration", "m", "c", "cost", "validation", "above", "min", "%"]
    assert len({len(line) for line in lines[:1502]}) == 1
    document = json.loads(gdfit(*args, "--format", "json").out)
    last = lines[1501].split()
    assert int(last[0]) == 1500
    assert float(last[4]) == pytest.approx(document["holdout"]["cost"], rel=1e-5)
    assert float(last[5]) / 100 * document["optimum"]["cost"] == pytest.approx(document["optimum"]["gap"], rel=1e-2)


def test_a_narrow_terminal_leaves_out_the_gap_then_c_then_validation(data: str) -> None:
    result = fit(data, target="y", features="x", holdout=0.3, iterations=20)
    found = [tuple(header_of(shown(result, width), "iteration")) for width in range(90, 20, -1)]
    assert list(dict.fromkeys(found)) == [
        ("iteration", "m", "c", "cost", "validation", "above", "min", "%", "log", "scale"),
        ("iteration", "m", "c", "cost", "validation", "above", "min", "%"),
        ("iteration", "m", "c", "cost", "validation"),
        ("iteration", "m", "cost", "validation"),
        ("iteration", "m", "cost"),
        ("iteration", "cost"),
    ]
    texts = (flat(shown(result, width)) for width in range(40, 20, -1))
    narrow = next(text for text in texts if "validation and" in text)
    assert "Without c, validation and above min %; --trace FILE has all" in narrow


def test_patience_says_when_it_ran_out_and_which_iteration_is_kept(gdfit: Callable[..., Any], data: str) -> None:
    args = (data, "-t", "y", "--exclude", "w", "--holdout", "0.4", "--patience", "7", "--lr", "0.05", "-n", "5000")
    document = json.loads(gdfit(*args, "--format", "json").out)
    kept, last = document["holdout"]["kept"], document["descent"]["iterations"]
    assert (document["descent"]["stopped"], last) == ("patience", kept + 7)
    done = gdfit(*args)
    assert (done.code, beside_text_note(done.err)) == (0, "")
    assert re.search(
        rf"^. (Nearly|Not) there.*: [\d.,]+ % above the minimum at iteration {kept}, kept for the lowest validation "
        rf"cost; stopped at {last}, after 7 iterations without a lower one\.",
        done.out,
        re.MULTILINE,
    )
    assert re.search(
        rf"^validation  [\d.]+ at iteration {kept}, the lowest, which is kept; [\d.]+ at iteration {last}, the last$",
        done.out,
        re.MULTILINE,
    )
    # It stopped on purpose: no advice to go on.
    assert "enough to converge" not in done.out
    assert "What takes long" not in done.out
    assert gdfit(*args, "--strict", "-q").code == 4


# --- cross-validation


def test_a_cross_validation_is_a_table_with_a_row_per_fold(gdfit: Callable[..., Any], data: str) -> None:
    args = (data, "-t", "y", "--exclude", "w", "--cv", "4", "--lr", "0.05", "-n", "300")
    found = json.loads(gdfit(*args, "--format", "json").out)["cross_validation"]
    assert list(found) == [
        "folds", "seed", "rows", "iterations", "costs", "mean", "standard_error",
        "best_iteration", "best_costs", "best_mean", "best_standard_error", "penalties",
    ]  # fmt: skip
    assert sum(found["rows"]) == 60
    assert np.mean(found["costs"]) == pytest.approx(found["mean"])
    done = gdfit(*args)
    assert (done.code, beside_text_note(done.err)) == (0, "")
    lines = done.out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("fold "))
    assert lines[at].split() == ["fold", "rows", "cost", "at", "300", "cost", "at", str(found["best_iteration"])]
    table = [line.split() for line in lines[at + 2 : at + 9]]
    assert [row[:2] for row in table[:4]] == [[str(i + 1), str(rows)] for i, rows in enumerate(found["rows"])]
    assert [float(row[2]) for row in table[:4]] == pytest.approx(found["costs"], rel=1e-4)
    assert [float(row[3]) for row in table[:4]] == pytest.approx(found["best_costs"], rel=1e-4)
    assert table[4] == []
    assert table[5][0] == "mean"
    assert table[6][:2] == ["std", "error"]
    assert re.search(
        rf"^4-fold cross-validation \(seed 0\): validation cost [\d.]+ ± [\d.]+ \(standard error\) at iteration 300; "
        rf"lowest [\d.]+ ± [\d.]+ at iteration {found['best_iteration']}\.$",
        done.out,
        re.MULTILINE,
    )


def test_one_column_is_enough_where_the_last_iteration_is_the_best(data: str) -> None:
    result = fit(data, target="y", features="x", cv=3, iterations=20)
    text = as_table(fit_report(result), Page(encoding="ascii"))
    assert header_of(text, "fold") == ["fold", "rows", "cost", "at", "20"]
    assert " +- " in text
    assert "(standard error) at iteration 20, the last and lowest." in text
    assert header_of(shown(result, 20), "fold") == ["fold", "cost", "at", "20"]


def test_a_fold_that_diverges_is_named(csv_file: Callable[..., str]) -> None:
    from gdcli.fitting.results import CrossValidation
    from gdcli.report.validation import format_cross_validation

    found = CrossValidation(3, 0, (5, 5, 5), 10, (1.0, None, 2.0), None, None, 0, (3.0, 3.0, 3.0), 3.0, 0.0)
    assert format_cross_validation(found, Page()) == [
        "3-fold cross-validation (seed 0): without the rows of fold 2 the descent diverged."
    ]
    found = replace(found, costs=(None, None, 2.0))
    assert "without the rows of 2 of 3 folds" in format_cross_validation(found, Page())[0]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--holdout", "1.5"], 2, "--holdout keeps a share between 0 and 1 of the rows, not 1.5"),
        (["--holdout", "half"], 2, "'half' is not a number"),
        (["--patience", "5"], 2, "--patience needs --holdout"),
        (["--holdout", "0.2", "--patience", "0"], 2, "0 is less than 1"),
        (["--cv", "1"], 2, "1 is less than 2"),
        (["--cv", "3", "--holdout", "0.2"], 2, "choose one"),
        (["--cv", "3", "--seed", "-1"], 2, "-1 is less than 0"),
        (["--cv", "60"], 1, "without a row: make fewer folds"),
        (["--holdout", "0.000001"], 1, "holds out no row"),
    ],
)
def test_what_cannot_be_is_an_error(
    gdfit: Callable[..., Any], data: str, args: list[str], code: int, message: str
) -> None:
    done = gdfit(data, "-t", "y", *args)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
