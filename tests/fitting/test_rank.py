"""Columns that depend on each other: the optimum's cost is LAPACK's, and what they explain is shared."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from gdcli import fit
from gdcli.api import run_groups
from gdcli.fitting.options import FitOptions


def lowest_cost(X: np.ndarray, y: np.ndarray) -> float:
    """The mean squared residual of the least-squares fit with an intercept, by numpy's lstsq on centred columns."""
    centred, target = X - X.mean(axis=0), y - y.mean()
    solution = np.linalg.lstsq(centred, target, rcond=1e-9)[0]
    return float(((target - centred @ solution) ** 2).mean())


@pytest.mark.parametrize(("columns", "rank"), [(40, 30), (40, 1), (33, 32), (70, 35), (6, 3)])
@pytest.mark.parametrize("rows", [200, 37])
def test_the_optimal_cost_of_a_table_without_full_rank_is_lstsqs(columns: int, rank: int, rows: int) -> None:
    random = np.random.default_rng(columns + rank + rows)
    X = random.normal(size=(rows, rank)) @ random.normal(size=(rank, columns))
    y = X @ random.normal(size=columns) + random.normal(size=rows) + 5
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(columns)]).assign(y=y)
    found = fit(frame, target="y", iterations=0).optimum.cost
    assert found == pytest.approx(lowest_cost(X, y), rel=1e-8, abs=1e-12 * float(y.var()))


@pytest.mark.parametrize("columns", [40, 70])
def test_a_perfect_fit_of_dependent_columns_has_no_cost(columns: int) -> None:
    random = np.random.default_rng(columns)
    X = random.normal(size=(150, 20)) @ random.normal(size=(20, columns))
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(columns)]).assign(y=X[:, 0] - 2 * X[:, 1])
    assert fit(frame, target="y", iterations=0).optimum.cost <= 1e-24 * float(frame["y"].var())


@pytest.fixture
def seconds() -> pd.DataFrame:
    """Two clocks that differ by a rounding now and then, far from zero."""
    random = np.random.default_rng(1)
    a = 1.7e9 + random.integers(0, 10**6, 300).astype(float)
    b = a.copy()
    b[::7] = np.nextafter(b[::7], np.inf)
    size = random.normal(size=300)
    y = 3 * size - 1.16e-5 * (a - 1.7e9) + random.normal(size=300)
    return pd.DataFrame({"a": a, "b": b, "size": size, "g": np.where(np.arange(300) % 2, "p", "q"), "y": y})


def shared_slope(frame: pd.DataFrame) -> float:
    """Half of the slope of one clock alone."""
    X = np.column_stack([frame["a"] - frame["a"].mean(), frame["size"] - frame["size"].mean()])
    return float(np.linalg.lstsq(X, frame["y"] - frame["y"].mean(), rcond=None)[0][0]) / 2


def test_two_clocks_share_what_they_explain(seconds: pd.DataFrame) -> None:
    result = fit(seconds, target="y", features=["a", "b", "size"], iterations=0)
    expected = shared_slope(seconds)
    assert -7e-6 < expected < -5e-6
    assert [c.optimum for c in result.coefficients[:2]] == pytest.approx([expected] * 2, rel=1e-6)
    assert result.collinear == (("a", "b"),)


def test_two_clocks_share_what_they_explain_in_each_group(seconds: pd.DataFrame, csv_file: Callable[..., str]) -> None:
    path = csv_file(seconds.to_csv(index=False, float_format="%.17g"))
    groups = run_groups([path], FitOptions.of(target="y", features=("a", "b", "size"), by=("g",), iterations=0))
    expected = [shared_slope(seconds[seconds["g"] == name]) for name in ("p", "q")]
    slopes = np.asarray(groups.optimal_slopes)
    for found, value in zip(slopes, expected, strict=True):
        assert found[:2] == pytest.approx([value] * 2, rel=1e-6)
