"""A model of groups in the other languages: each engine chooses a row's coefficients by the texts of its group."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli.models.model_file import load_model
from tests.models.engines import Run, duckdb, miller, needs_miller, python, sqlite

WORDS = ["", "NA"]

ENGINES: dict[str, Run] = {"python": python, "sqlite": sqlite, "duckdb": duckdb, "mlr": miller}

# The intercept, the slope of x and that of kind q by group; the means of x where missing cells are filled.
GROUPS = {("north", "1"): (1.0, 2.0, 5.0), ("it's", "1"): (-3.0, 0.5, 0.0), ("north", "2"): (0.0, -1.25, -7.0)}
MEANS = {("north", "1"): 10.0, ("it's", "1"): 20.0, ("north", "2"): 30.0}


def groups_file(path: Path, loss: str, policy: str) -> Path:
    """Write a model of groups by region and year."""
    groups = [
        {"group": list(key), "intercept": c, "coefficients": [x, q]}
        | ({"means": [MEANS[key], 0.0]} if policy == "mean" else {})
        for key, (c, x, q) in GROUPS.items()
    ]
    content: dict[str, Any] = {
        "schema": "gdfit.groups/1", "loss": loss, "target": "y", "by": ["region", "year"], "groups": groups,
        "terms": [{"column": "x", "level": None}, {"column": "kind", "level": "q"}], "levels": {"kind": ["p", "q"]},
        "missing": {"policy": policy, "words": WORDS}, "classes": ["no", "yes"] if loss == "logistic" else None,
    }  # fmt: skip
    path.write_text(json.dumps(content))
    return path


ROWS = [
    {"region": region, "year": year, "x": x, "kind": kind}
    for region, year, x, kind in [
        ("north", "1", "3", "p"), ("north", "1", "3", "q"), ("north", "2", "4", "q"), (" it's ", "1", "-2.5", "q"),
        ("it's", "2", "1", "p"), ("south", "1", "1", "p"), ("", "1", "1", "p"), ("north", "NA", "1", "p"),
        ("north", "1", "NA", "p"), ("north", "1", "abc", "p"), ("north", "2", "1", "new"), ("north", "2", "", "q"),
    ]
]  # fmt: skip


def by_hand(row: dict[str, str], loss: str, policy: str) -> float:
    """The prediction of a row, NaN if it has none."""
    key = (row["region"].strip(), row["year"].strip())
    if key not in GROUPS or row["kind"] not in "pq" or row["x"] == "abc":
        return math.nan
    if row["x"] in WORDS and policy == "drop":
        return math.nan
    (c, m, q), x = GROUPS[key], MEANS[key] if row["x"] in WORDS else float(row["x"])
    z = c + m * x + q * (row["kind"] == "q")
    return 1 / (1 + math.exp(-z)) if loss == "logistic" else z


@pytest.mark.parametrize("policy", ["drop", "mean"])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("engine", ["predict", "python", "sqlite", "duckdb", pytest.param("mlr", marks=needs_miller)])
def test_each_row_gets_the_prediction_of_its_group(tmp_path: Path, engine: str, loss: str, policy: str) -> None:
    model = load_model(groups_file(tmp_path / "m.json", loss, policy))
    # A typed column of numbers has NULL for what is no number.
    rows = [row for row in ROWS if engine != "duckdb" or row["x"] != "abc"]
    expected = [by_hand(row, loss, policy) for row in rows]
    if engine == "predict":
        found = model.predict(pd.DataFrame(rows)).tolist()
    else:
        found = [math.nan if value is None else value for value in ENGINES[engine](model, rows)]
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_the_command_exports_the_groups_of_a_fit(
    gdfit: Callable[..., Any], csv_file: Callable[..., str], tmp_path: Path
) -> None:
    path = csv_file("y,x,g\n3,1,a\n5,2,a\n7,3,a\n1,1,b\n0,2,b\n-1,3,b\n")
    assert gdfit(path, "-t", "y", "--by", "g", "--lr", "auto", "--save", tmp_path / "m.json", "-q").code == 0
    expression = gdfit("export", tmp_path / "m.json", "--to", "python").out
    for group, expected in (("a", 21.0), ("b", -8.0)):  # 2x + 1, and 2 - x
        assert eval(expression, {}, {"row": {"x": 10, "g": group}}) == pytest.approx(expected)
    assert math.isnan(eval(expression, {}, {"row": {"x": 10, "g": "c"}}))
