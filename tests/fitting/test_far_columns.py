"""Columns far from zero, such as order numbers and time stamps, held to rational arithmetic on the same doubles."""

import csv
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from gdcli import draws
from gdcli.api import fit_data as fit
from gdcli.api import run_groups
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import Fit
from tests.oracles import exact

CASES = Path(__file__).parents[1] / "cases"
# Where the values begin, and how far they go from there.
STAMPS = {
    "years": (1950.0, 70),
    "seconds": (1.7e9, 10_000),
    "milliseconds": (1.7e12, 10_000),
    "milliseconds of a day": (1.7e12, 86_400_000),
    "nanoseconds": (1.7e18, 10_000_000),
}
ITERATIONS = (1, 10, 100)

Table = dict[str, np.ndarray]


def written(table: Table) -> str:
    rows = zip(*(column.tolist() for column in table.values()), strict=True)
    return "\n".join([",".join(table), *(",".join(map(repr, row)) for row in rows)]) + "\n"


def read(path: Path) -> Table:
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def as_fractions(table: Table) -> tuple[list[list[exact.Fraction]], list[exact.Fraction]]:
    return [exact.exactly(table[name]) for name in table if name != "y"], exact.exactly(table["y"])


def stamps(name: str, rows: int = 12) -> Table:
    """A far column, one close to zero that goes along with it, and a target that depends on both."""
    random = np.random.default_rng(11)
    begin, width = STAMPS[name]
    t = begin + random.integers(0, width, rows).astype(float)
    x = (3.0 * (t - begin) / width + random.normal(size=rows)).round(3)
    return {"t": t, "x": x, "y": (4.0 + 5.0 * (t - begin) / width - 2.0 * x + random.normal(size=rows)).round(3)}


def error(found: float | None, wanted: exact.Fraction) -> float:
    """The relative error."""
    assert found is not None
    return abs(float((exact.Fraction(found) - wanted) / wanted))


def assert_path(result: Fit, table: Table, rate: float, within: float = 1e-12) -> None:
    path = list(islice(exact.descent(*as_fractions(table), rate), max(ITERATIONS) + 1))
    rows = {row.iteration: row for row in result.trace}
    for k in ITERATIONS:
        slopes, intercept = path[k]
        found, wanted = [*rows[k].slopes, rows[k].intercept], [*slopes, intercept]
        assert max(map(error, found, wanted)) <= within, (k, found, list(map(float, wanted)))


# --- the path


@pytest.mark.parametrize("name", STAMPS)
def test_each_iteration_is_that_of_exact_arithmetic(csv_file: Callable[..., str], name: str) -> None:
    table = stamps(name)
    result = fit(csv_file(written(table)), target="y", learning_rate=0.25, iterations=100, every=1)
    assert_path(result, table, 0.25)


@pytest.mark.parametrize("name", STAMPS)
def test_each_iteration_over_the_rows_themselves_is_that_of_exact_arithmetic(
    csv_file: Callable[..., str], name: str
) -> None:
    # Huber's loss is half a squared error where no residual is as large as δ.
    table = stamps(name)
    path = csv_file(written(table))
    result = fit(path, target="y", loss="huber:1e6", learning_rate=0.5, iterations=100, every=1)
    assert_path(result, table, 0.25)


@pytest.mark.parametrize("name", STAMPS)
def test_each_group_descends_as_in_exact_arithmetic(csv_file: Callable[..., str], name: str) -> None:
    table = stamps(name, rows=20)
    table = {"g": np.arange(20) % 2, **table}
    for k in ITERATIONS:
        options = FitOptions.of(target="y", learning_rate=0.25, iterations=k, by=("g",))
        fits = run_groups([csv_file(written(table))], options)
        for g in (0, 1):
            rows = {column: values[table["g"] == g] for column, values in table.items() if column != "g"}
            slopes, intercept = next(islice(exact.descent(*as_fractions(rows), 0.25), k, None))
            found = [*fits.slopes[g].tolist(), float(fits.intercepts[g])]
            assert max(map(error, found, [*slopes, intercept])) <= 1e-12


@pytest.mark.parametrize("loss", ["squared", "huber:1e6"])
@pytest.mark.parametrize("name", STAMPS)
def test_the_cost_of_rows_held_out_is_that_of_exact_arithmetic(
    csv_file: Callable[..., str], name: str, loss: str
) -> None:
    table, half = stamps(name, rows=20), loss != "squared"
    held = draws(0, 0, 0, 20) >= 0.7
    path = csv_file(written(table))
    options = {"loss": loss, "learning_rate": 0.5 if half else 0.25, "iterations": 100, "every": 1, "holdout": 0.3}
    result = fit(path, target="y", **options)
    assert result.holdout is not None
    if result.holdout.rows != int(held.sum()):
        held = draws(0, 0, 0, 20) < 0.3
    assert result.holdout.rows == int(held.sum())
    training, others = ({column: values[rows] for column, values in table.items()} for rows in (~held, held))
    steps = list(islice(exact.descent(*as_fractions(training), 0.25), 101))
    found = {row.iteration: row.validation for row in result.trace}
    for k in ITERATIONS:
        assert error(found[k], exact.cost(*as_fractions(others), *steps[k]) / (2 if half else 1)) <= 1e-12


# --- the optimum


def assert_optimum(result: Fit, table: Table, within: float) -> None:
    slopes, intercept, cost = exact.least_squares(*as_fractions(table))
    for coefficient, wanted in zip(result.coefficients, slopes, strict=True):
        assert error(coefficient.optimum, wanted) <= within
    assert result.intercept is not None
    assert error(result.intercept.optimum, intercept) <= within
    total = float(np.mean((table["y"] - table["y"].mean()) ** 2))
    assert result.optimum.cost == pytest.approx(float(cost), rel=1e-9, abs=1e-24 * total)


@pytest.mark.parametrize("options", [{}, {"optimizer": "newton", "learning_rate": 1.0}, {"scale": "minmax"}], ids=str)
@pytest.mark.parametrize("name", ["p11_ids", "p11_ids2", "p11_ns", "p12_ms", "p65_ones"])
def test_a_table_with_a_far_column_has_its_exact_optimum(name: str, options: dict[str, object]) -> None:
    path = CASES / f"{name}.csv"
    result = fit(path, target="y", **options)
    table = {column: values for column, values in read(path).items() if len(set(values)) > 1}
    assert result.collinear == ()
    assert_optimum(result, table, 1e-11)


@pytest.mark.parametrize(
    "text",
    [
        "id,x,y\n100000000000001,4,3\n100000000000002,2,5\n100000000000003,2,4\n100000000000004,4,6\n"
        "100000000000005,1,8\n",
        "t,y\n1.7e18,1\n1700000000000001024,2\n1700000000000004096,4.5\n",
    ],
)
def test_few_rows_of_order_numbers_and_nanoseconds_arrive_at_their_exact_optimum(
    csv_file: Callable[..., str], text: str
) -> None:
    path = csv_file(text)
    result = fit(path, target="y", learning_rate="auto", iterations=500)
    assert_optimum(result, read(Path(path)), 1e-11)
    assert result.descent.converged
    for coefficient in result.coefficients:
        assert coefficient.value == pytest.approx(coefficient.optimum, rel=1e-9)


def test_the_p_value_of_a_far_column_is_that_of_the_column_less_its_start(csv_file: Callable[..., str]) -> None:
    table = read(CASES / "p11_ids2.csv")
    near = csv_file(written(table | {"id": table["id"] - 100000000000000}), "near.csv")
    far, wanted = fit(CASES / "p11_ids2.csv", target="y", inference=True), fit(near, target="y", inference=True)
    for one, other in zip(far.coefficients, wanted.coefficients, strict=True):
        assert one.certainty is not None
        assert other.certainty is not None
        assert one.certainty.p == pytest.approx(other.certainty.p, rel=1e-9)


@pytest.mark.parametrize("scale", ["standard", "minmax", "none"])
def test_a_far_column_in_each_group_has_its_exact_optimum(csv_file: Callable[..., str], scale: str) -> None:
    random = np.random.default_rng(3)
    n = 40
    table = {
        "g": np.arange(n) % 2,
        "id": 1e14 + random.permutation(n),
        "x": random.normal(size=n).round(3),
        "y": random.normal(size=n).round(3),
    }
    table["y"] += (table["id"] - 1e14) * 0.1 + table["x"]
    rate = 1e-30 if scale == "none" else 0.1
    fits = run_groups([csv_file(written(table))], FitOptions.of(target="y", scale=scale, learning_rate=rate, by=("g",)))
    for g in (0, 1):
        rows = {column: values[table["g"] == g] for column, values in table.items() if column != "g"}
        slopes, _, cost = exact.least_squares(*as_fractions(rows))
        assert max(map(error, fits.optimal_slopes[g].tolist(), slopes)) <= (1e-9 if scale != "none" else 1)
        assert error(float(fits.optimal_cost[g]), cost) <= 1e-9


# --- collinear up to rounding


@pytest.mark.parametrize("scale", ["standard", "minmax"])
@pytest.mark.parametrize("noise", [0, 1])
@pytest.mark.parametrize("far", [1e6, 1e9])
def test_columns_that_differ_by_the_rounding_of_far_values_are_collinear(
    csv_file: Callable[..., str], far: float, noise: int, scale: str
) -> None:
    random = np.random.default_rng(4)
    a = far + random.normal(size=200)
    b = a + 2 + noise * random.integers(-1, 2, 200) * np.spacing(far)
    table = {"a": a, "b": b, "x": random.normal(size=200), "y": random.normal(size=200)}
    path = csv_file(written(table))
    assert fit(path, target="y", iterations=0, scale=scale).collinear == (("a", "b"),)
    path = csv_file(written({"g": np.arange(200) % 3, **table}), "groups.csv")
    for slopes in run_groups([path], FitOptions.of(target="y", scale=scale, by=("g",))).optimal_slopes:
        assert slopes[0] == pytest.approx(slopes[1], rel=1e-6)  # they share what they explain


# --- no descent below the optimum


def random_table(seed: int) -> Table:
    """Columns near and far, some of which depend on each other, up to the rounding of their values or beyond it."""
    random = np.random.default_rng(seed)
    n, p = int(random.integers(4, 40)), int(random.integers(1, 5))
    columns = []
    for _ in range(p):
        center = random.choice([0.0, 2000.0, 1e6, 1.7e9, 1.7e12, 1e14, 1e15, 1.7e18])
        spread = random.choice([1.0, 100.0, 1e5]) * max(np.spacing(center), random.choice([1e-3, 1.0]))
        columns.append(center + spread * random.normal(size=n))
        if random.random() < 0.5:
            other = columns[int(random.integers(len(columns)))]
            noise = random.choice([0.0, 1.0, 10.0, 1e4]) * np.spacing(np.abs(other))
            columns.append(other + random.integers(-2, 3) + noise * random.integers(-1, 2, n))
    y = sum(random.normal() * (x - x.mean()) / (x.std() or 1.0) for x in columns) + random.normal(size=n)
    return {f"x{i}": column for i, column in enumerate(columns)} | {"y": np.asarray(y)}


@pytest.mark.parametrize("optimizer", ["gd", "momentum", "nesterov", "newton", "adam", "rmsprop"])
def test_no_descent_goes_below_the_optimum(csv_file: Callable[..., str], optimizer: str) -> None:
    for seed in range({"gd": 30, "momentum": 5, "nesterov": 5}.get(optimizer, 10)):
        table = random_table(seed)
        rate = {"newton": 0.5, "adam": 0.05, "rmsprop": 0.05}.get(optimizer, "auto")
        scale = ("standard", "minmax")[seed % 2]
        result = fit(
            csv_file(written(table)), target="y", optimizer=optimizer, learning_rate=rate, iterations=200,
            every=1, scale=scale, intercept=seed % 5 > 0 or scale == "minmax",
        )  # fmt: skip
        size = float(np.mean(table["y"] ** 2))
        lowest = min(row.cost for row in result.trace)
        assert result.optimum.cost is not None
        assert lowest >= result.optimum.cost * (1 - 1e-12) - 1e-28 * size, (seed, lowest, result.optimum.cost)
