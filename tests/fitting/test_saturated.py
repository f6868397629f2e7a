"""Fits with as many coefficients as rows, with two text columns and no intercept, and those that are not converged."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Done

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases"
HOUSING = ROOT / "sample_data" / "housing.csv"
PENGUINS = ROOT / "sample_data" / "penguins.csv"


@pytest.mark.parametrize("form", ["table", "csv", "tsv", "json", "markdown"])
@pytest.mark.parametrize(("rows", "columns"), [(3, 2), (3, 4), (2, 1)])
def test_as_many_coefficients_as_rows_are_warned_of_in_every_format(
    gdfit: Callable[..., Done], csv_file: Callable[..., str], form: str, rows: int, columns: int
) -> None:
    values = np.random.default_rng(1).normal(size=(rows, columns + 1)).round(2)
    names = [*(f"x{j}" for j in range(columns)), "y"]
    path = csv_file("\n".join([",".join(names), *(",".join(map(str, row)) for row in values)]) + "\n")
    done = gdfit(path, "-t", "y", "--lr", "auto", "--format", form, "-q")
    assert done.code == 0
    assert f"warning: {columns + 1} coefficients for {rows} rows: such a fit says nothing about other rows" in done.err
    assert "is perfect" not in done.out
    penalized = gdfit(path, "-t", "y", "--lr", "auto", "--format", form, "-q", "--l2", "0.01")
    assert "coefficients for" not in penalized.err


def test_one_row_more_than_coefficients_is_not_warned_of(
    gdfit: Callable[..., Done], csv_file: Callable[..., str]
) -> None:
    assert "coefficients for" not in gdfit(csv_file("x,y\n1,2\n2,3\n3,5\n"), "-t", "y", "--lr", "auto").err


@pytest.mark.parametrize("form", ["csv", "tsv", "json", "markdown"])
def test_results_without_a_verdict_say_once_that_they_are_not_converged(gdfit: Callable[..., Done], form: str) -> None:
    words = [HOUSING, "-t", "price", "-x", "sqft", "--format", form]
    slow, there = gdfit(*words, "--lr", "0.001", "-n", "5"), gdfit(*words, "--lr", "auto")
    assert (slow.code, there.code) == (0, 0)
    assert [line for line in slow.err.splitlines() if "there" in line] == [slow.err.splitlines()[-1]]
    assert slow.err.splitlines()[-1].startswith("note: Not there yet: ")
    assert "there" not in there.err
    assert "there" not in gdfit(*words, "--lr", "0.001", "-n", "5", "-q").err
    assert "there" not in gdfit(*words[:-2], "--lr", "0.001", "-n", "5").err  # the table itself says it


def test_groups_that_are_not_converged_are_counted(gdfit: Callable[..., Done]) -> None:
    done = gdfit(PENGUINS, "-t", "body_mass_g", "-x", "bill_length_mm", "--by", "species", "-n", "3", "--format", "csv")
    assert done.err.splitlines()[-1] == "note: 3 groups of 3 not converged"


# R: lm(y ~ g - 1) prints 0.9941; with the constant it is 0.9356.
def test_r2_without_an_intercept_is_called_uncentered_wherever_it_stands(
    gdfit: Callable[..., Done], tmp_path: Path
) -> None:
    path, model = CASES / "p71_gender.csv", tmp_path / "m.json"
    words = [path, "-t", "y", "--no-intercept", "--lr", "auto", "--inference"]
    done = gdfit(*words, "--save", model)
    lines = [line for line in done.out.splitlines() if line.startswith("R²")]
    assert len(lines) == 1  # of the fit and of the inference, which are the same
    assert all("0.994" in line and ", uncentered" in line for line in lines)
    assert "uncentered" not in gdfit(path, "-t", "y", "--lr", "auto", "--inference").out
    document = json.loads(gdfit(*words, "--format", "json").out)
    assert document["r2"] == pytest.approx(0.9941, abs=5e-5)
    assert document["r2_uncentered"] is True
    assert json.loads(gdfit(path, "-t", "y", "--format", "json").out)["r2_uncentered"] is False
    score = [line for line in gdfit("score", model, path).out.splitlines() if line.startswith("R²")]
    assert float(score[0].split()[1]) == pytest.approx(0.9356, abs=5e-5)
    assert score[0].endswith("against the mean; that of the fit, without an intercept, is uncentered")
    groups = gdfit(PENGUINS, "-t", "body_mass_g", "-x", "bill_length_mm", "--no-intercept", "--by", "species")
    assert "R² (uncentered)" in groups.out


def test_without_an_intercept_only_the_first_text_column_keeps_all_levels(gdfit: Callable[..., Done]) -> None:
    words = [PENGUINS, "-t", "body_mass_g", "-x", "island", "-x", "sex", "-x", "bill_length_mm", "--no-intercept"]
    done = gdfit(*words, "--inference", "--lr", "auto", "--format", "csv", "-n", "20000")
    rows = {row["term"]: row for row in csv.DictReader(done.out.splitlines())}
    assert list(rows) == ["island[Biscoe]", "island[Dream]", "island[Torgersen]", "bill_length_mm", "sex[male]"]
    # The same from the cells, by NumPy: the standard errors are s·√diag((XᵀX)⁻¹).
    with PENGUINS.open() as stream:
        cells = [row for row in csv.DictReader(stream) if row["sex"] in ("female", "male") and row["bill_length_mm"]]
    X = np.array(
        [
            [
                *(row["island"] == name for name in ("Biscoe", "Dream", "Torgersen")),
                float(row["bill_length_mm"]),
                row["sex"] == "male",
            ]
            for row in cells
        ],
        dtype=float,
    )
    y = np.array([float(row["body_mass_g"]) for row in cells])
    theta, squares = np.linalg.lstsq(X, y)[:2]
    errors = np.sqrt(squares[0] / (len(y) - 5) * np.diag(np.linalg.inv(X.T @ X)))
    assert [float(row["optimum"]) for row in rows.values()] == pytest.approx(theta.tolist(), rel=1e-9)
    assert [float(row["std_error"]) for row in rows.values()] == pytest.approx(errors.tolist(), rel=1e-9)


def test_groups_without_an_intercept_keep_all_levels_of_the_first_text_column_too(gdfit: Callable[..., Done]) -> None:
    words = ["-t", "body_mass_g", "-x", "island", "-x", "sex", "--no-intercept", "--lr", "auto", "--format", "json"]
    groups = map(json.loads, gdfit(PENGUINS, *words, "--by", "species").out.splitlines())
    adelie = next(group for group in groups if group["group"] == {"species": "Adelie"})
    known = {each["term"]: each["optimum"] for each in adelie["coefficients"] if each["optimum"] is not None}
    assert sorted(known) == ["island[Biscoe]", "island[Dream]", "island[Torgersen]", "sex[male]"]


def test_groups_with_as_many_coefficients_as_rows_are_counted(
    gdfit: Callable[..., Done], csv_file: Callable[..., str]
) -> None:
    table = "g,x,y\na,1,2\na,2,3\nb,1,2\nb,2,5\nb,3,3\nc,4,1\nc,6,1\nd,1,1\n"  # d has too few rows
    done = gdfit(csv_file(table), "-t", "y", "--by", "g", "--lr", "auto", "-q", "--format", "csv")
    assert "warning: 2 of 4 groups have as many coefficients as rows: such fits say nothing" in done.err
    fewer = gdfit(csv_file(table), "-t", "y", "--by", "g", "--lr", "auto", "--no-intercept", "-q")
    assert "coefficients as rows" not in fewer.err
