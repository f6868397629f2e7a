"""`--explain`: the arithmetic on the board adds up, from the printed numbers alone."""

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from gdcli.cli.group import group

HOUSING = str(Path(__file__).parents[2] / "sample_data" / "housing.csv")


def board(*args: str) -> str:
    arguments = [HOUSING, "--target", "price", "-x", "sqft", "-x", "beds", "--explain", "--digits", "12", *args]
    result = CliRunner().invoke(group, arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def parameters(text: str) -> list[dict[str, list[float]]]:
    """The parameter tables: for each iteration {name: [value, mean(error*x), gradient, lr*gradient, new]}."""
    found = []
    for part in text.split("\nIteration ")[1:]:
        table = part.split("parameter")[1].split("cost before")[0]
        rows = [line.split() for line in table.splitlines()[2:] if line.strip()]
        found.append({row[0]: [float(cell.replace(",", "")) for cell in row[1:]] for row in rows})
    return found


def costs(text: str) -> list[tuple[float, float]]:
    return [
        (float(a.replace(",", "")), float(b.replace(",", "")))
        for a, b in re.findall(r"cost before (\S+), after (\S+)", text)
    ]


@pytest.mark.parametrize("scale", [("--lr", "0.1"), ("--scale", "minmax", "--lr", "0.1")])
def test_the_printed_arithmetic_adds_up(scale: tuple[str, ...]) -> None:
    text = board(*scale)
    assert "worked out on scaled columns: (value - " in text
    tables = parameters(text)
    assert len(tables) == 3
    for table in tables:
        for value, mean, gradient, step, new in table.values():
            assert gradient == pytest.approx(-2 * mean, rel=1e-9)
            assert step == pytest.approx(0.1 * gradient, rel=1e-9)
            assert new == pytest.approx(value - step, rel=1e-9, abs=1e-9)
    for now, then in pairwise(tables):
        assert [row[4] for row in now.values()] == pytest.approx([row[0] for row in then.values()])
    printed = costs(text)
    assert [after for _, after in printed[:-1]] == pytest.approx([before for before, _ in printed[1:]])


def test_unscaled_it_is_the_articles_arithmetic_in_file_units() -> None:
    text = board("--scale", "none", "--lr", "1e-7", "-n", "2")
    assert "in the units of the file" in text
    frame = pd.read_csv(HOUSING)
    X, y = frame[["sqft", "beds"]].to_numpy(float), frame["price"].to_numpy(float)
    m, c = np.zeros(2), 0.0
    for table, (before, after) in zip(parameters(text), costs(text), strict=True):
        error = y - X @ m - c
        assert before == pytest.approx((error**2).mean(), rel=1e-9)
        gradient = -2 / len(y) * np.append(X.T @ error, error.sum())
        assert [row[2] for row in table.values()] == pytest.approx(gradient, rel=1e-9)
        m, c = m - 1e-7 * gradient[:2], c - 1e-7 * gradient[2]
        assert [row[4] for row in table.values()] == pytest.approx([*m, c], rel=1e-9)
        assert after == pytest.approx(((y - X @ m - c) ** 2).mean(), rel=1e-9)


def test_the_errors_shown_are_those_of_the_first_rows() -> None:
    text = board("--scale", "none", "--lr", "1e-7", "-n", "1")
    rows = text.split("\nIteration 1\n")[1].split("The first 5 of 932 rows")[0].splitlines()[2:]
    frame = pd.read_csv(HOUSING).head(5)
    assert [float(row.split()[-1].replace(",", "")) for row in rows] == pytest.approx(frame["price"].tolist())


def test_it_is_for_people_only() -> None:
    result = CliRunner().invoke(group, [HOUSING, "--target", "price", "--explain", "--format", "json"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "--explain" in result.stderr
