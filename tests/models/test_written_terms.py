"""Terms in the other languages: what each engine computes of an exported model is what predict does, within 1e-12."""

import csv
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli.models.export import EXPORTERS
from gdcli.models.model import Model
from gdcli.models.model_file import load_model
from tests.models.engines import Results, Rows, Run, as_csv, miller, needs_miller, python, sqlite

TERMS = {
    "functions": ["log(a)", "log2(a)", "log10(b)", "log1p(a-1)", "exp(-a/3)", "sqrt(b)", "abs(a-b)"],
    "arithmetic": ["a/b", "a^2", "b^3", "a^0.5", "(a-3)^-1", "2^b", "(a + 2*b)^5", "-a*b"],
    "polynomials": ["poly(a, 4)", "poly(log(b), 2)"],
    "categories": ["C(k)", "p", "q"],
    "interactions": ["p*a", "p:q", "C(k):b", "a:b", "q:log(a)"],
}


def duckdb(model: Model, rows: Rows) -> Results:
    """Columns of numbers and of text, with NULL for what has no value."""
    module = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    table = pd.DataFrame(rows).replace("", np.nan).astype({"a": float, "b": float, "k": float})
    with module.connect() as database:
        database.register("t", table)
        return [value for (value,) in database.execute(f"SELECT {EXPORTERS['sql:duckdb'](model)} FROM t").fetchall()]


ENGINES: dict[str, Run] = {"python": python, "sql:sqlite": sqlite, "sql:duckdb": duckdb, "mlr": miller}


def frame(rows: int = 300) -> pd.DataFrame:
    """Numbers, whole numbers, and two texts."""
    random = np.random.default_rng(7)
    found = pd.DataFrame(
        {
            "a": random.uniform(0.5, 9, rows).round(3),
            "b": random.integers(1, 30, rows),
            "k": random.integers(0, 4, rows),
            "p": random.choice(["x", "y:z", "it's"], rows),
            "q": random.choice(["u", "v"], rows),
        }
    )
    return found.assign(y=lambda d: np.log(d["a"]) + d["b"] / 10 + (d["p"] == "x") * d["a"] + random.normal(size=rows))


ODD: list[dict[str, Any]] = [
    {"a": a, "b": b, "k": k, "p": p, "q": "u"}
    for a, b, k, p in itertools.product(["2.5", "0", "-1", "3", ""], ["4", "0"], ["1", "7"], ["x", "y:z", "new"])
]


@pytest.mark.parametrize("missing", ["drop", "mean"])
@pytest.mark.parametrize("kind", TERMS)
@pytest.mark.parametrize("engine", ["python", "sql:sqlite", "sql:duckdb", pytest.param("mlr", marks=needs_miller)])
def test_every_engine_computes_the_terms_that_predict_computes(
    engine: str, kind: str, missing: str, gdfit: Callable[..., Any], predicted: Callable[..., Any], tmp_path: Path
) -> None:
    table = frame()
    if missing == "mean":
        table.loc[::9, "a"] = np.nan
    if missing == "mean" and kind == "interactions":
        table = table.dropna()
    table.to_csv(tmp_path / "t.csv", index=False)
    words = [word for term in TERMS[kind] for word in ("-x", term)]
    done = gdfit(
        tmp_path / "t.csv", "-t", "y", *words, "-n", 50, "--lr", "auto", "--missing", missing, "--on-bad-row", "skip",
        "--save", tmp_path / "m.json", "-q",
    )  # fmt: skip
    assert done.code == 0, done.err
    model = load_model(tmp_path / "m.json")
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[:60]
    rows += [{**row, "y": "0"} for row in ODD]
    lines = predicted(model, as_csv(rows), only=True).text.decode().splitlines()[1:]
    expected = [None if line == '""' else float(line) for line in lines]
    found = ENGINES[engine](model, rows)
    scale = max(abs(value) for value in expected if value is not None)
    for row, ours, theirs in zip(rows, expected, found, strict=True):
        if ours is None:
            assert theirs is None, row
        else:
            assert theirs == pytest.approx(ours, rel=1e-12, abs=1e-12 * scale), row
