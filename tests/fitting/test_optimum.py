"""The least-squares column: collinear columns, perfect fits, constant targets, and columns that say nothing."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gdcli import fit
from gdcli.api import run_fit
from gdcli.base.errors import DataError
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import Fit


def as_csv(**columns: Any) -> str:
    rows = zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True)
    return ",".join(columns) + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


def values(result: Fit) -> list[float | None]:
    return [*(c.value for c in result.coefficients), *([result.intercept.value] if result.intercept else [])]


def optima(result: Fit) -> list[float | None]:
    return [*(c.optimum for c in result.coefficients), *([result.intercept.optimum] if result.intercept else [])]


def collinear_table(seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    a, b, d = random.integers(-9, 10, (3, 60)).astype(float)
    return {"a": a, "b": b, "sum": a + b, "d": d, "y": a - 3 * b + d + random.normal(size=60)}


@pytest.mark.parametrize("scale", ["standard", "minmax", "none"])
@pytest.mark.parametrize("intercept", [True, False])
def test_collinear_columns_have_the_optimum_that_descent_from_zero_goes_to(
    csv_file: Callable[..., str], scale: str, intercept: bool
) -> None:
    if scale == "minmax" and not intercept:
        scale = "none"
    path = csv_file(as_csv(**collinear_table()))
    result = fit(path, target="y", scale=scale, intercept=intercept, learning_rate="auto", iterations=3000)
    assert result.collinear == (("a", "b", "sum"),)
    assert result.descent.converged
    np.testing.assert_allclose(values(result), optima(result), rtol=1e-8)


@pytest.mark.parametrize("intercept", [True, False])
def test_the_optimum_of_collinear_columns_is_the_smallest_on_the_scaled_problem(
    csv_file: Callable[..., str], intercept: bool
) -> None:
    table = collinear_table(1)
    result = fit(csv_file(as_csv(**table)), target="y", intercept=intercept, iterations=0)
    X = np.column_stack([table[name] for name in ("a", "b", "sum", "d")])
    y, width = table["y"], X.std(axis=0, ddof=1) if intercept else np.sqrt((X**2).mean(axis=0))
    center = X.mean(axis=0) if intercept else np.zeros(4)
    least = np.linalg.lstsq((X - center) / width, y - (y.mean() if intercept else 0), rcond=1e-12)[0] / width
    np.testing.assert_allclose([c.optimum for c in result.coefficients], least, rtol=1e-10)
    if intercept:
        assert result.intercept.optimum == pytest.approx(y.mean() - least @ center, rel=1e-10)


def test_each_group_of_collinear_columns_is_named_in_a_note_of_its_own(
    csv_file: Callable[..., str], notes: Any
) -> None:
    random = np.random.default_rng(2)
    a, b, c, y = random.integers(0, 50, (4, 40)).astype(float)
    path = csv_file(as_csv(a=a, twice=2 * a, b=b, c=c, both=b - c, alone=random.integers(0, 9, 40), y=y))
    result = run_fit([path], FitOptions.of(target="y", iterations=3), (), notes)
    assert result.collinear == (("a", "twice"), ("b", "c", "both"))
    named = [note for note in notes.notes if "collinear" in note]
    assert len(named) == 2
    assert "a, twice" in named[0]
    assert "b, c, both" in named[1]
    assert not any("alone" in note for note in notes.notes)


def test_levels_that_repeat_another_column_are_collinear(csv_file: Callable[..., str]) -> None:
    path = csv_file("kind,flag,y\nx,0,1\ny,1,2\nx,0,4\ny,1,3\nz,0,5\nz,0,1\n")
    assert fit(path, target="y", iterations=3).collinear == (("kind[y]", "flag"),)


def test_a_hundred_times_more_columns_than_rows_are_fitted(csv_file: Callable[..., str]) -> None:
    random = np.random.default_rng(3)
    X, y = random.normal(size=(5, 100)), random.normal(size=5)
    path = csv_file(as_csv(**{f"x{i}": X[:, i] for i in range(100)}, y=y))
    result = fit(path, target="y", learning_rate="auto", iterations=200)
    assert result.optimum.cost <= 1e-24 * (y @ y)
    width = X.std(axis=0, ddof=1)
    least = np.linalg.lstsq((X - X.mean(axis=0)) / width, y - y.mean(), rcond=1e-12)[0] / width
    np.testing.assert_allclose([c.optimum for c in result.coefficients], least, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("offset", [0.0, 1e6, 1.7e9])
def test_columns_that_differ_a_little_are_not_collinear(csv_file: Callable[..., str], offset: float) -> None:
    random = np.random.default_rng(4)
    a = random.integers(0, 1000, 200).astype(float)
    b = a + random.integers(0, 2, 200)
    path = csv_file(as_csv(a=offset + a, b=offset + b, y=3 * a - 2 * b + random.integers(0, 5, 200)))
    result = fit(path, target="y", iterations=0)
    assert result.collinear == ()
    A = np.column_stack([a, b, np.ones(200)])
    exact = np.linalg.lstsq(A, 3 * a - 2 * b + (np.loadtxt(path, delimiter=",", skiprows=1)[:, 2] - 3 * a + 2 * b),
                            rcond=None)[0]  # fmt: skip
    np.testing.assert_allclose([c.optimum for c in result.coefficients], exact[:2], rtol=1e-9)


@pytest.mark.parametrize("offset", [0.0, 2000.0, 1.7e9])
def test_a_column_that_repeats_another_far_from_zero_is_collinear(csv_file: Callable[..., str], offset: float) -> None:
    random = np.random.default_rng(5)
    a, b = offset + random.normal(size=(2, 300)).round(3)
    result = fit(csv_file(as_csv(a=a, again=a, b=b, y=random.normal(size=300))), target="y", iterations=0)
    assert result.collinear == (("a", "again"),)


def test_a_perfect_fit_has_no_relative_gap(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("x,y\n1,3\n2,5\n3,7\n4,9\n"), target="y", learning_rate=0.3)
    assert result.optimum.relative_gap is None
    assert result.optimum.cost <= 1e-24 * 41
    # the measure is the start's gap: the mean square of the predictions that are still missing
    assert result.optimum.gap_measure == pytest.approx((9 + 25 + 49 + 81) / 4, rel=1e-12)
    assert result.descent.converged
    assert result.r2 == pytest.approx(1.0, abs=1e-12)
    assert result.learning_rate.iterations_to_1_percent is not None


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_whether_a_fit_is_perfect_does_not_depend_on_the_unit_of_the_target(
    csv_file: Callable[..., str], unit: float
) -> None:
    x = np.array([0.1, 0.2, 0.3, 0.7])
    perfect = fit(csv_file(as_csv(x=x, y=(2 * x + 1) * unit)), target="y")
    assert perfect.optimum.relative_gap is None
    near = fit(csv_file(as_csv(x=x, y=(2 * x + 1 + 1e-4 * x**2) * unit)), target="y")
    assert near.optimum.relative_gap is not None


def test_without_an_intercept_the_share_explained_is_of_the_mean_square(csv_file: Callable[..., str]) -> None:
    path = csv_file("x,y\n1,2\n2,4\n3,7\n")
    result = fit(path, target="y", intercept=False, optimizer="newton", learning_rate=1.0, iterations=1)
    # The slope is 31/14, the squared residuals are 69 - 31²/14 of 69.
    assert result.coefficients[0].value == pytest.approx(31 / 14, rel=1e-14)
    assert result.r2 == pytest.approx(961 / 966, rel=1e-14)


@pytest.mark.parametrize("scale", ["standard", "none"])
def test_the_forecast_of_a_perfect_fit_is_against_the_starts_gap(csv_file: Callable[..., str], scale: str) -> None:
    path = csv_file("x,y\n1,3\n2,5\n3,7\n4,9\n")
    options = {"target": "y", "scale": scale, "learning_rate": 0.05}
    forecast = fit(path, **options).learning_rate.iterations_to_1_percent
    assert fit(path, iterations=forecast, **options).optimum.gap <= 0.01 * 41
    assert fit(path, iterations=forecast - 1, **options).optimum.gap > 0.01 * 41


def test_a_start_at_a_perfect_optimum_has_converged(csv_file: Callable[..., str]) -> None:
    path = csv_file("x,y\n1,3\n2,5\n3,7\n4,9\n")
    result = fit(path, target="y", start={"x": 2.0, "c": 1.0})
    assert result.descent.converged
    assert result.learning_rate.iterations_to_1_percent == 0


def test_a_constant_target_is_fitted_by_the_intercept(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("x,y\n1,5\n2,5\n4,5\n"), target="y", learning_rate=0.4)
    assert result.coefficients[0].value == pytest.approx(0.0, abs=1e-12)
    assert result.intercept.value == pytest.approx(5.0, rel=1e-9)
    assert result.intercept.optimum == 5.0
    assert result.r2 is None
    assert result.coefficients[0].standardized is None
    assert result.descent.converged


def test_a_target_of_zeros_is_fitted_at_once(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("x,y\n1,0\n2,0\n4,0\n"), target="y")
    assert values(result) == [0.0, 0.0]
    assert result.cost == 0.0
    assert result.descent.converged
    assert result.r2 is None


@pytest.mark.parametrize("intercept", [True, False])
def test_every_number_of_a_result_is_finite_or_absent(csv_file: Callable[..., str], intercept: bool) -> None:
    for y in ("0,0,0", "5,5,5", "1,2,4", "1e-300,2e-300,4e-300", "1e100,2e100,4e100", "1e300,2e300,4e300"):
        text = "x,y\n" + "\n".join(f"{x},{v}" for x, v in zip((1, 2, 3), y.split(","), strict=True)) + "\n"
        try:
            result = fit(csv_file(text), target="y", intercept=intercept)
        except DataError:
            continue
        numbers = [result.cost, result.rmse, result.r2, result.optimum.cost, result.optimum.gap]
        numbers += [result.optimum.relative_gap, result.learning_rate.largest_stable, result.learning_rate.best]
        numbers += [*values(result), *optima(result)]
        assert all(math.isfinite(number) for number in numbers if number is not None), (y, numbers)


def test_only_the_target_is_left_fits_the_mean(csv_file: Callable[..., str], notes: Any) -> None:
    result = run_fit([csv_file("y\n1\n2\n6\n")], FitOptions.of(target="y", learning_rate=0.3), (), notes)
    assert result.coefficients == ()
    assert result.intercept.value == pytest.approx(3.0, rel=1e-9)
    assert result.intercept.optimum == 3.0
    assert result.cost == pytest.approx((4 + 1 + 9) / 3, rel=1e-9)
    assert result.r2 == pytest.approx(0.0, abs=1e-9)
    assert any("intercept only" in note for note in notes.notes)


def test_nothing_to_fit_without_a_feature_and_without_an_intercept(csv_file: Callable[..., str]) -> None:
    with pytest.raises(DataError, match="no feature left, and no intercept"):
        fit(csv_file("y\n1\n2\n6\n"), target="y", intercept=False)


@pytest.mark.parametrize("column", ["7", "text", "0.1", "0"])
def test_a_constant_column_is_left_out_with_a_note(csv_file: Callable[..., str], notes: Any, column: str) -> None:
    path = csv_file(f"x,same,y\n1,{column},2\n2,{column},3\n3,{column},7\n")
    result = run_fit([path], FitOptions.of(target="y"), (), notes)
    assert result.left_out == ("same",)
    assert [c.term for c in result.coefficients] == ["x"]
    assert result.features == ("x",)
    assert [note for note in notes.notes if "'same'" in note and column in note]


def test_a_column_that_is_constant_in_the_complete_rows_is_left_out(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("x,z,y\n1,5,2\n2,5,3\n3,9,NA\n4,5,7\n"), target="y")
    assert result.left_out == ("z",)


def test_a_column_that_is_constant_in_rows_of_positive_weight_is_left_out(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("x,z,y,w\n1,5,2,1\n2,5,3,1\n3,9,4,0\n4,5,7,2\n"), target="y", weights="w")
    assert result.left_out == ("z",)


def test_a_constant_column_does_the_work_of_an_intercept_where_there_is_none(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("x,one,y\n1,1,2\n2,1,3\n3,1,7\n4,1,8\n"), target="y", intercept=False, iterations=0)
    slope, offset = np.polyfit([1, 2, 3, 4], [2, 3, 7, 8], 1)
    assert [c.optimum for c in result.coefficients] == pytest.approx([slope, offset], rel=1e-13)


@pytest.mark.parametrize("magnitude", [1e-130, 1e-30, 1e30, 1e130])
@pytest.mark.parametrize("where", ["x", "y", "both"])
@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_the_unit_of_a_column_does_not_matter(
    csv_file: Callable[..., str], where: str, magnitude: float, scale: str
) -> None:
    x, y = np.array([1.0, 2.0, 3.0, 5.0]), np.array([2.0, 3.0, 7.0, 6.0])
    unit_x, unit_y = (magnitude if where in axes else 1.0 for axes in (("x", "both"), ("y", "both")))
    options = {"target": "y", "learning_rate": 0.1, "iterations": 50, "scale": scale}
    plain = fit(csv_file(as_csv(x=x, y=y)), **options)
    scaled = fit(csv_file(as_csv(x=x * unit_x, y=y * unit_y)), **options)
    assert scaled.coefficients[0].optimum == pytest.approx(plain.coefficients[0].optimum * unit_y / unit_x, rel=1e-12)
    assert scaled.coefficients[0].value == pytest.approx(plain.coefficients[0].value * unit_y / unit_x, rel=1e-10)
    assert scaled.intercept.value == pytest.approx(plain.intercept.value * unit_y, rel=1e-10)
    assert scaled.rmse == pytest.approx(plain.rmse * unit_y, rel=1e-10)
    assert scaled.r2 == pytest.approx(plain.r2, rel=1e-10)


@pytest.mark.parametrize("magnitude", ["1e-320", "1e-200", "1e-150", "1e150", "1e200", "1e307"])
@pytest.mark.parametrize("where", ["x", "y"])
@pytest.mark.parametrize("scale", ["standard", "minmax", "none"])
def test_a_column_too_large_or_too_small_to_square_gives_right_numbers_or_an_error(
    csv_file: Callable[..., str], where: str, magnitude: str, scale: str
) -> None:
    unit_x, unit_y = (float(magnitude) if where == axis else 1.0 for axis in "xy")
    text = as_csv(x=np.array([1.0, 2.0, 3.0, 5.0]) * unit_x, y=np.array([2.0, 3.0, 7.0, 6.0]) * unit_y)
    slope = np.polyfit([1, 2, 3, 5], [2, 3, 7, 6], 1)[0]
    try:
        result = fit(csv_file(text), target="y", scale=scale, iterations=5)
    except DataError:
        return
    wanted = slope * unit_y / unit_x
    assert result.coefficients[0].optimum == (pytest.approx(wanted, rel=1e-6) if math.isfinite(wanted) else None)


@pytest.mark.parametrize(("spread", "difference"), [(1000, 1e-3), (1000, 1e-5), (60_000, 1e-5), (86_400_000, 1e-7)])
def test_a_column_far_from_zero_does_not_make_others_collinear(
    csv_file: Callable[..., str], spread: int, difference: float
) -> None:
    random = np.random.default_rng(6)
    when = 1.7e12 + random.integers(0, spread, 500)  # milliseconds
    a, e, noise = random.normal(size=(3, 500))
    b = a + difference * e
    y = a - 2 * b + noise
    result = fit(csv_file(as_csv(when=when, a=a, b=b, y=y)), target="y", iterations=0)
    assert result.collinear == ()
    A = np.column_stack([(when - when.mean()) / when.std(), a, (b - a) / difference, np.ones(500)])
    t, along, apart, _ = np.linalg.lstsq(A, y, rcond=None)[0]
    assert result.coefficients[0].optimum == pytest.approx(t / when.std(), rel=1e-8, abs=1e-12)
    assert result.coefficients[2].optimum == pytest.approx(apart / difference, rel=1e-6)
    assert result.coefficients[1].optimum == pytest.approx(along - apart / difference, rel=1e-6)
