"""Models and summaries that earlier versions wrote load for ever, and say what they said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

WRITTEN = Path(__file__).parents[1] / "reference" / "written"

# Each model of a file in that folder, rows for it, and what a calculation by hand gives.
MODELS: list[tuple[str, str, list[float]]] = [
    ("model", "x\n10\n", [21.0]),  # y = 2x + 1
    ("groups", "g,x\na,10\nb,10\n", [21.0, -8.0]),  # a: 2x + 1, b: 2 - x
    ("logistic", "x\n1\n0\n", [3 / 4, 1 / 3]),  # the shares of yes among the rows
    ("dates", "day,kind\n2020-01-11,v\n", [31.0]),  # 2 a day from 2020-01-01 on, v is 10 above u
    ("german", "a\n10,5\n", [20.0]),  # b = 2a - 1, decimal commas, which the model remembers
]


@pytest.mark.parametrize(("name", "rows", "expected"), MODELS, ids=[name for name, *_ in MODELS])
def test_a_model_predicts_what_it_did(
    gdfit: Callable[..., Any], csv_file: Callable[..., str], name: str, rows: str, expected: list[float]
) -> None:
    done = gdfit("predict", WRITTEN / f"{name}.json", csv_file(rows), "--only")
    assert done.code == 0, done.err
    assert [float(line) for line in done.out.splitlines()[1:]] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("name", "features"), [("summary", ["x"]), ("levels", ["g", "x"])])
def test_a_summary_gives_the_least_squares_of_its_rows(
    gdfit: Callable[..., Any], name: str, features: list[str]
) -> None:
    words = [word for feature in features for word in ("-x", feature)]
    done = gdfit(WRITTEN / f"{name}.json", "-t", "y", *words, "--optimizer", "newton", "--format", "csv", "-q")
    assert done.code == 0, done.err
    found = [float(line.split(",")[1]) for line in done.out.splitlines()[1:]]
    if name == "summary":
        A, y = np.array([[1, 1], [2, 1], [3, 1], [4, 1], [6, 1.0]]), np.array([3, 5, 7, 9, 13.0])
    else:
        A = np.array([[0, 1, 1], [0, 2, 1], [0, 4, 1], [1, 1, 1], [1, 3, 1], [1, 4, 1.0]])
        y = np.array([3, 5, 9, 1, -1, -2.0])
    assert found == pytest.approx(np.linalg.lstsq(A, y, rcond=None)[0].tolist(), rel=1e-9)


def test_a_saved_descent_goes_on_where_it_stopped(gdfit: Callable[..., Any], csv_file: Callable[..., str]) -> None:
    data = csv_file("x,y\n1,3\n2,5\n3,7\n4,9\n6,13\n")
    whole = gdfit(data, "-t", "y", "--optimizer", "momentum", "--lr", "0.1", "-n", "8", "--trace", "-")
    rest = gdfit(data, "-t", "y", "--resume", WRITTEN / "momentum.json", "-n", "3", "--trace", "-")
    assert rest.code == 0, rest.err
    last = [[float(cell) for cell in text.out.splitlines()[-1].split(",")[1:]] for text in (whole, rest)]
    assert last[1] == pytest.approx(last[0], rel=1e-12)
