"""Tables of many columns: blocks of few rows are reduced together, in double precision, and refused where too wide."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli.api import fit_data as fit
from gdcli.api import run_fit
from gdcli.base.errors import DataError
from gdcli.engine.blas import WIDE
from gdcli.engine.column import Column
from gdcli.engine.triangle import from_rows
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import Fit

# What is wide here, but for a test or two: more than LAPACK takes together, and fast.
NARROW = 64
COLUMNS, ROWS = NARROW + 4, 180


@pytest.fixture
def low(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a table be wide that has more columns than ``NARROW``."""
    for module in ("engine.blas", "engine.qr", "engine.triangle", "fitting.problem", "fitting.fit"):
        monkeypatch.setattr(f"gdcli.{module}.WIDE", NARROW)


@pytest.fixture(scope="module")
def numbers() -> "tuple[np.ndarray, np.ndarray]":
    random = np.random.default_rng(3)
    X = random.normal(size=(ROWS, COLUMNS)).round(6) + 50
    return X, (X @ random.normal(size=COLUMNS) + 7 + random.normal(size=ROWS)).round(6)


@pytest.fixture
def path(numbers: "tuple[np.ndarray, np.ndarray]", csv_file: Callable[..., str]) -> str:
    X, y = numbers
    header = ",".join(["y", *(f"x{i}" for i in range(COLUMNS))])
    lines = [",".join(map(repr, row)) for row in np.column_stack([y, X]).tolist()]
    return csv_file("\n".join([header, *lines]) + "\n")


def wide_fit(path: str, jobs: int, holdout: float | None = None, scale: str = "standard") -> Fit:
    return fit(path, target="y", jobs=jobs, iterations=3, learning_rate=0.01, holdout=holdout, scale=scale)


@pytest.mark.usefixtures("low")
@pytest.mark.parametrize("size", [7_000, 10**9], ids=["blocks of ten rows", "one block"])
@pytest.mark.parametrize("scale", ["standard", "none"])
def test_the_optimum_of_a_wide_table_is_that_of_least_squares(
    path: str, numbers: "tuple[np.ndarray, np.ndarray]", blocks_of: Callable[[int], None], size: int, scale: str
) -> None:
    blocks_of(size)
    X, y = numbers
    expected = np.linalg.lstsq(np.column_stack([np.ones(ROWS), X]), y)[0]
    found = wide_fit(path, 2, scale=scale)
    assert found.intercept is not None
    np.testing.assert_allclose([c.optimum for c in found.coefficients], expected[1:], rtol=1e-9)
    assert found.intercept.optimum == pytest.approx(expected[0], rel=1e-8)


@pytest.mark.usefixtures("low")
def test_the_largest_stable_rate_of_a_wide_table_follows_from_its_correlations(
    path: str, numbers: "tuple[np.ndarray, np.ndarray]"
) -> None:
    X, _ = numbers
    hessian = 2 * (ROWS - 1) / ROWS * np.corrcoef(X.T)
    eigenvalues = np.append(np.linalg.eigvalsh(hessian), 2.0)  # the intercept's is 2
    found = wide_fit(path, 2).learning_rate
    assert found.largest_stable == pytest.approx(2 / eigenvalues.max(), rel=1e-10)
    assert found.condition_number == pytest.approx(eigenvalues.max() / eigenvalues.min(), rel=1e-9)


@pytest.mark.usefixtures("low")
@pytest.mark.parametrize("holdout", [None, 0.2])
def test_the_number_of_jobs_does_not_change_a_bit_of_a_wide_fit(
    path: str, blocks_of: Callable[[int], None], holdout: float | None
) -> None:
    blocks_of(7_000)
    assert wide_fit(path, 3, holdout) == wide_fit(path, 1, holdout)


def test_a_triangle_of_a_wide_table_takes_no_more_than_double_precision() -> None:
    X = np.random.default_rng(0).normal(size=(600, WIDE + 1))
    triangle = from_rows(X, [Column(f"x{i}") for i in range(X.shape[1])])
    assert triangle.R.dtype == np.float64
    centred = X - X.mean(axis=0)
    np.testing.assert_allclose(triangle.R[1:, 1:].T @ triangle.R[1:, 1:], centred.T @ centred, atol=1e-9)


def test_more_columns_than_are_reduced_in_extended_precision_are_fitted_too() -> None:
    random = np.random.default_rng(1)
    X = random.normal(size=(400, WIDE + 2))
    y = X @ random.normal(size=WIDE + 2) + 7 + random.normal(size=400)
    table = pd.DataFrame(X, columns=[f"x{i}" for i in range(WIDE + 2)]).assign(y=y)
    found = fit(table, target="y", iterations=1, learning_rate=0.01)
    expected = np.linalg.lstsq(np.column_stack([np.ones(400), X]), y)[0]
    np.testing.assert_allclose([c.optimum for c in found.coefficients], expected[1:], rtol=1e-9)


def test_short_blocks_of_rows_with_other_levels_weights_and_gaps_are_joined(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None]
) -> None:
    random = np.random.default_rng(5)
    x, w = random.normal(size=90).round(3), random.integers(0, 4, 90)
    kind = np.array(["a", "b", "c"])[np.sort(random.integers(0, 3, 90))]  # most blocks have one level only
    y = (2 * x + 3 * (kind == "b") - (kind == "c") + random.normal(size=90)).round(3)
    lines = [f"{a},{k},{b},{v}" for a, k, b, v in zip(x, kind, w, y, strict=True)]
    lines[40] = ",a,1,2"
    blocks_of(60)
    found = fit(csv_file("\n".join(["x,kind,w,y", *lines]) + "\n"), target="y", weights="w", iterations=0)
    kept = np.arange(90) != 40
    A = np.column_stack([np.ones(90), x, kind == "b", kind == "c"]) * np.sqrt(w)[:, np.newaxis]
    expected = np.linalg.lstsq(A[kept], (y * np.sqrt(w))[kept])[0]
    assert (found.rows.read, found.rows.dropped_by_column) == (90, {"x": 1})
    np.testing.assert_allclose([c.optimum for c in found.coefficients], expected[1:], rtol=1e-12)


@pytest.mark.parametrize("size", [400, 10**9], ids=["of many blocks together", "of the first block"])
def test_levels_that_do_not_fit_into_memory_are_refused_with_the_figure(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("gdcli.data.memory.memory", lambda: 2_000_000)
    blocks_of(size)
    path = csv_file("a,b,y\n" + "".join(f"a{i},b{i},{i}\n" for i in range(300)))
    with pytest.raises(
        DataError, match=r"columns \(each level of a text column is one\) need .* GB of memory"
    ) as error:
        run_fit([path], FitOptions.of(target="y", max_levels=10**6, categorical=("a", "b")))
    assert "--exclude" in str(error.value)


@pytest.mark.usefixtures("low")
@pytest.mark.parametrize(
    "options",
    [{}, {"intercept": False}, {"start": {"x1": 3.0}}, {"schedule": "exponential:0.9"}, {"learning_rate": 0.2}],
    ids=["plain", "without intercept", "from a start", "with a schedule", "unstable"],
)
@pytest.mark.parametrize("collinear", [False, True])
def test_the_iterations_of_a_wide_table_are_those_of_a_loop_over_its_rows(
    numbers: "tuple[np.ndarray, np.ndarray]", options: dict[str, Any], collinear: bool
) -> None:
    X, y = numbers
    if collinear:
        X = np.column_stack([X, X[:, 0] + X[:, 1]])
    table = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])]).assign(y=y)
    found = fit(table, **{"target": "y", "iterations": 12, "every": 1, "learning_rate": 0.01, **options})
    rate, intercept = options.get("learning_rate", 0.01), options.get("intercept", True)
    center = X.mean(axis=0) if intercept else np.zeros(X.shape[1])
    width = X.std(axis=0, ddof=1) if intercept else np.sqrt((X**2).mean(axis=0))
    unit = y.std(ddof=1) if intercept else np.sqrt((y**2).mean())
    A = np.column_stack([np.full(len(X), float(intercept)), (X - center) / width])
    theta = np.zeros(A.shape[1])
    theta[2] = options.get("start", {}).get("x1", 0.0) * width[1] / unit
    theta[0] = center[1] * options.get("start", {}).get("x1", 0.0) / unit
    assert len(found.trace) == 13
    for k, row in enumerate(found.trace):
        error = A @ theta - y / unit
        m = theta[1:] / width * unit
        np.testing.assert_allclose(row.cost, (error @ error) / len(y) * unit**2, rtol=1e-11)
        np.testing.assert_allclose(row.slopes, m, rtol=1e-9, atol=1e-9 * np.abs(m).max())
        theta = theta - rate * (0.9**k if "schedule" in options else 1.0) * 2 / len(y) * A.T @ error


@pytest.mark.usefixtures("low")
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("rows", [12, 69, 70, 71, 72, 73])
def test_a_table_with_about_as_many_columns_as_rows_has_the_shortest_solution(rows: int, intercept: bool) -> None:
    random = np.random.default_rng(rows)
    X, y = random.normal(size=(rows, 70)) + 5.0, random.normal(size=rows)
    table = pd.DataFrame(X, columns=[f"x{i}" for i in range(70)]).assign(y=y)
    result = fit(table, target="y", iterations=0, intercept=intercept)
    center = X.mean(axis=0) if intercept else np.zeros(70)
    width = np.sqrt(((X - center) ** 2).sum(axis=0))
    A, b = (X - center) / width, y - (y.mean() if intercept else 0.0)
    expected, _, rank, _ = np.linalg.lstsq(A, b, rcond=1e-12)
    left = b - A @ expected
    np.testing.assert_allclose([c.optimum for c in result.coefficients], expected / width, rtol=1e-6, atol=1e-9)
    assert result.optimum.cost == pytest.approx(float(left @ left) / rows, rel=1e-6, abs=1e-20)
    assert (result.collinear == ()) == (rank == 70)
