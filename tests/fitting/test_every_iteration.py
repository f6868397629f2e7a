"""Every iteration against loops over the rows that know nothing of triangles."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from gdcli import fit
from gdcli.fitting.results import Fit
from tests.oracles.plain import Iteration, article, descend_rows, read_rows

# Of the largest value that a column takes on the path.
TOLERANCE = 1e-10


def largest_error(result: Fit, expected: Sequence[Iteration]) -> dict[str, float]:
    """Return by column the largest difference from the expected path, as a share of the largest value on it."""
    assert [row.iteration for row in result.trace] == list(range(len(expected)))
    found = np.array([[*row.slopes, row.intercept or 0.0, row.cost] for row in result.trace], dtype=np.longdouble)
    wanted = np.array([[*row.m, row.c, row.cost] for row in expected], dtype=np.longdouble)
    assert found.shape == wanted.shape
    top = np.abs(wanted).max(axis=0)
    error = np.abs(found - wanted).max(axis=0) / np.where(top > 0, top, 1)
    return dict(zip([*result.trace_terms, "c", "cost"], error.astype(float).tolist(), strict=True))


def assert_close(result: Fit, expected: Sequence[Iteration]) -> None:
    errors = largest_error(result, expected)
    assert max(errors.values()) <= TOLERANCE, errors


def random_line(seed: int, n: int, center: float, spread: float) -> tuple[list[float], list[float]]:
    random = np.random.default_rng(seed)
    x = center + spread * random.normal(size=n)
    y = 3.0 * x - 7.0 + random.normal(size=n)
    return x.tolist(), y.tolist()


def as_csv(**columns: Sequence[object]) -> str:
    lines = [",".join(columns)]
    lines += [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("x", "y", "learning_rate"),
    [
        pytest.param([1, 2, 3, 4, 5], [5, 7, 9, 11, 13], 0.08, id="the article's own numbers"),
        pytest.param(*random_line(1, 200, 0.0, 1.0), 0.1, id="centred"),
        pytest.param(*random_line(2, 500, 3.0, 1.0), 0.01, id="off centre"),
        pytest.param(*random_line(3, 64, -40.0, 2.0), 1e-4, id="far off centre, ill-conditioned"),
        pytest.param(*random_line(4, 30, 1e-3, 1e-4), 0.5, id="tiny feature"),
        pytest.param([0, 0, 1], [1, 2, 9], 0.85, id="overshoots"),
        pytest.param([2, 5], [1, 3], 0.03, id="two rows"),
        pytest.param(list(range(2, 2000)), [float(i % 7) for i in range(2, 2000)], 1e-7, id="two thousand rows"),
    ],
)
def test_unscaled_with_one_feature_every_iteration_is_the_articles(
    csv_file: Callable[..., str], x: list[float], y: list[float], learning_rate: float
) -> None:
    path = csv_file(as_csv(x=x, y=y))
    result = fit(path, target="y", learning_rate=learning_rate, iterations=300, scale="none", every=1)
    assert_close(result, list(article(x, y, learning_rate, 300)))


def test_the_costs_of_the_articles_example_fall_from_89_to_its_tenth_row(csv_file: Callable[..., str]) -> None:
    path = csv_file(as_csv(x=[1, 2, 3, 4, 5], y=[5, 7, 9, 11, 13]))
    result = fit(path, target="y", learning_rate=0.08, iterations=1, scale="none", every=1)
    # by hand: cost (25+49+81+121+169)/5; gradients -2/5·(5+14+27+44+65) and -2/5·45
    assert result.trace[0].cost == pytest.approx(89.0, rel=1e-15)
    assert result.trace[1].slopes[0] == pytest.approx(0.08 * 62.0, rel=1e-15)
    assert result.trace[1].intercept == pytest.approx(0.08 * 18.0, rel=1e-15)
    assert result.trace[1].cost == pytest.approx(((4.96 + 1.44 - 5) ** 2 + (2 * 4.96 + 1.44 - 7) ** 2
                                                  + (3 * 4.96 + 1.44 - 9) ** 2 + (4 * 4.96 + 1.44 - 11) ** 2
                                                  + (5 * 4.96 + 1.44 - 13) ** 2) / 5, rel=1e-13)  # fmt: skip


@pytest.mark.parametrize("learning_rate", [0.01, 0.2, 0.33])
@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_every_iteration_on_housing(sample_data: Path, scale: str, learning_rate: float) -> None:
    path = sample_data / "housing.csv"
    result = fit(path, target="price", learning_rate=learning_rate, iterations=300, scale=scale, every=1)
    rows = read_rows(path, "price", text=["type"])
    assert result.trace_terms == rows.names
    assert_close(result, list(descend_rows(rows, learning_rate, 300, scale)))


@pytest.mark.parametrize("learning_rate", [0.01, 0.2])
def test_every_iteration_on_penguins(sample_data: Path, learning_rate: float) -> None:
    path = sample_data / "penguins.csv"
    result = fit(path, target="body_mass_g", learning_rate=learning_rate, iterations=500, every=1)
    rows = read_rows(path, "body_mass_g", text=["species", "island", "sex"])
    assert result.trace_terms == rows.names
    assert_close(result, list(descend_rows(rows, learning_rate, 500)))


def test_every_iteration_on_housing_as_in_the_file(sample_data: Path) -> None:
    path = sample_data / "housing.csv"
    features = ["sqft", "beds", "baths"]
    options = {"target": "price", "features": features, "scale": "none", "learning_rate": 2e-7}
    result = fit(path, iterations=400, every=1, **options)
    assert_close(result, list(descend_rows(read_rows(path, "price", features), 2e-7, 400, "none")))


def year(random: np.random.Generator, n: int) -> np.ndarray:
    return random.integers(1990, 2025, n).astype(float)


def timestamp(random: np.random.Generator, n: int) -> np.ndarray:
    return 1.7e9 + random.integers(0, 86400 * 7, n)


def millisecond(random: np.random.Generator, n: int) -> np.ndarray:
    return 1.7e12 + random.integers(0, 86_400_000, n)


def latitude(random: np.random.Generator, n: int) -> np.ndarray:
    return np.round(38.6 + 0.01 * random.normal(size=n), 6)


@pytest.mark.parametrize("scale", ["standard", "minmax"])
@pytest.mark.parametrize("column", [year, timestamp, millisecond, latitude])
def test_every_iteration_on_columns_far_from_zero(
    csv_file: Callable[..., str], column: Callable[[np.random.Generator, int], np.ndarray], scale: str
) -> None:
    random = np.random.default_rng(5)
    far, near = column(random, 400), random.normal(size=400)
    y = 5.0 * (far - far.mean()) / far.std() + near + random.normal(size=400)
    path = csv_file(as_csv(far=far.tolist(), near=near.tolist(), y=y.tolist()))
    result = fit(path, target="y", learning_rate=0.1, iterations=300, scale=scale, every=1)
    assert_close(result, list(descend_rows(read_rows(path, "y"), 0.1, 300, scale)))


def test_every_iteration_where_the_target_is_far_from_zero(csv_file: Callable[..., str]) -> None:
    random = np.random.default_rng(6)
    x = random.normal(size=300)
    path = csv_file(as_csv(x=x.tolist(), y=(1e6 + x + 0.1 * random.normal(size=300)).tolist()))
    result = fit(path, target="y", learning_rate=0.05, iterations=300, every=1)
    assert_close(result, list(descend_rows(read_rows(path, "y"), 0.05, 300)))


@pytest.mark.parametrize("scale", ["standard", "minmax", "none"])
def test_every_iteration_with_weights(csv_file: Callable[..., str], scale: str) -> None:
    random = np.random.default_rng(7)
    a, b = random.normal(size=250), random.uniform(-1, 4, size=250)
    weight = random.choice([0.0, 0.25, 1.0, 7.5], size=250)
    a[weight == 0] += 50.0  # rows that must not count
    y = a - 2 * b + random.normal(size=250)
    path = csv_file(as_csv(a=a.tolist(), b=b.tolist(), weight=weight.tolist(), y=y.tolist()))
    result = fit(path, target="y", weights="weight", learning_rate=0.04, iterations=300, scale=scale, every=1)
    assert_close(result, list(descend_rows(read_rows(path, "y", weights="weight"), 0.04, 300, scale)))


@pytest.mark.parametrize("scale", ["standard", "none"])
def test_every_iteration_without_intercept(csv_file: Callable[..., str], scale: str) -> None:
    random = np.random.default_rng(8)
    a, kind = random.normal(2.0, 1.0, size=200), random.choice(["x", "y", "z"], size=200)
    y = 3 * a + (kind == "y") + random.normal(size=200)
    path = csv_file(as_csv(a=a.tolist(), kind=kind.tolist(), y=y.tolist()))
    result = fit(path, target="y", intercept=False, learning_rate=0.05, iterations=300, scale=scale, every=1)
    rows = read_rows(path, "y", text=["kind"], all_levels=True)
    assert result.trace_terms == rows.names == ("a", "kind[x]", "kind[y]", "kind[z]")
    assert result.intercept is None
    assert {row.intercept for row in result.trace} == {None}
    assert_close(result, list(descend_rows(rows, 0.05, 300, scale, intercept=False)))


def test_every_iteration_without_intercept_and_with_weights(csv_file: Callable[..., str]) -> None:
    random = np.random.default_rng(9)
    a, b, weight = random.normal(5.0, 1.0, size=90), random.normal(size=90), random.uniform(0.1, 2, size=90)
    path = csv_file(as_csv(a=a.tolist(), b=b.tolist(), y=(a + b + random.normal(size=90)).tolist(), w=weight.tolist()))
    result = fit(path, target="y", weights="w", intercept=False, learning_rate=0.1, iterations=200, every=1)
    assert_close(result, list(descend_rows(read_rows(path, "y", weights="w"), 0.1, 200, intercept=False)))


@pytest.mark.parametrize("scale", ["standard", "minmax", "none"])
def test_every_iteration_from_a_start_in_file_units(csv_file: Callable[..., str], scale: str) -> None:
    random = np.random.default_rng(10)
    a, b = random.normal(1.0, 2.0, size=120), random.normal(-3.0, 1.0, size=120)
    path = csv_file(as_csv(a=a.tolist(), b=b.tolist(), y=(2 * a + b + random.normal(size=120)).tolist()))
    start = {"a": -4.0, "b": 2.5, "c": 11.0}
    result = fit(path, target="y", start=start, learning_rate=0.03, iterations=200, scale=scale, every=1)
    assert result.trace[0].slopes == pytest.approx((-4.0, 2.5), rel=1e-14)
    assert result.trace[0].intercept == pytest.approx(11.0, rel=1e-14)
    expected = descend_rows(read_rows(path, "y"), 0.03, 200, scale, start=([-4.0, 2.5], 11.0))
    assert_close(result, list(expected))


def test_every_iteration_of_a_diverging_descent(csv_file: Callable[..., str]) -> None:
    x, y = random_line(11, 50, 0.0, 1.0)
    path = csv_file(as_csv(x=x, y=y))
    result = fit(path, target="y", learning_rate=1.2, iterations=15, every=1)
    assert_close(result, list(descend_rows(read_rows(path, "y"), 1.2, 15)))


def test_every_iteration_over_many_blocks(csv_file: Callable[..., str], blocks_of: Callable[[int], None]) -> None:
    random = np.random.default_rng(12)
    n = 3000
    when, size = timestamp(random, n), random.normal(size=n)
    kind = np.where(np.arange(n) == n - 1, "a late one", random.choice(["p", "q"], size=n))
    y = size + (when - when.mean()) / 1e5 + (kind == "q") + random.normal(size=n)
    path = csv_file(as_csv(when=when.tolist(), size=size.tolist(), kind=kind.tolist(), y=y.tolist()))
    blocks_of(1000)
    result = fit(path, target="y", learning_rate=0.1, iterations=200, every=1)
    rows = read_rows(path, "y", text=["kind"])
    assert result.trace_terms == rows.names == ("when", "size", "kind[p]", "kind[q]")
    assert_close(result, list(descend_rows(rows, 0.1, 200)))


def test_a_row_carries_the_gap_at_its_own_parameters(sample_data: Path) -> None:
    path = sample_data / "housing.csv"
    result = fit(path, target="price", features=["sqft", "beds"], learning_rate=0.05, iterations=40, every=1)
    rows = read_rows(path, "price", ["sqft", "beds"])
    A = np.column_stack([rows.X, np.ones(len(rows.y))]).astype(float)
    best = np.linalg.lstsq(A / A.max(axis=0), rows.y.astype(float), rcond=None)[0] / A.max(axis=0)
    for row in result.trace:
        difference = A @ (np.array([*row.slopes, row.intercept]) - best)
        assert row.gap == pytest.approx(difference @ difference / len(rows.y), rel=1e-9)


def test_the_summary_numbers_are_those_of_the_last_row(sample_data: Path) -> None:
    path = sample_data / "housing.csv"
    result = fit(path, target="price", learning_rate=0.05, iterations=77)
    rows = read_rows(path, "price", text=["type"])
    last = list(descend_rows(rows, 0.05, 77))[-1]
    variance = ((rows.y - rows.y.mean()) ** 2).mean()
    assert result.cost == pytest.approx(float(last.cost), rel=1e-12)
    assert result.rmse == pytest.approx(float(np.sqrt(last.cost)), rel=1e-12)
    assert result.r2 == pytest.approx(float(1 - last.cost / variance), rel=1e-12)
    for coefficient, slope, x in zip(result.coefficients, last.m, rows.X.T, strict=True):
        assert coefficient.value == pytest.approx(float(slope), rel=1e-9)
        standardized = slope * x.std(ddof=1) / rows.y.std(ddof=1)
        assert coefficient.standardized == pytest.approx(float(standardized), rel=1e-9)


def test_r2_without_intercept_is_uncentred(csv_file: Callable[..., str]) -> None:
    x, y = np.array([1.0, 2.0, 4.0, 7.0]), np.array([3.0, 3.0, 9.0, 13.0])
    path = csv_file(as_csv(x=x.tolist(), y=y.tolist()))
    result = fit(path, target="y", intercept=False, learning_rate=0.5, iterations=100)
    residual = y - x * (x @ y) / (x @ x)
    assert result.r2 == pytest.approx(1 - (residual @ residual) / (y @ y), rel=1e-12)
    assert result.coefficients[0].optimum == pytest.approx((x @ y) / (x @ x), rel=1e-14)
