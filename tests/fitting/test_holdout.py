"""Rows held out: their cost at every iteration, scaling by the others alone, and patience."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gdcli.api import fit_data as fit
from gdcli.api import run_fit
from gdcli.base.errors import DataError, UsageError
from gdcli.engine.descent import Stopped
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import Fit
from tests.oracles.folds import descend, documented_draws, read_table

RATE, ITERATIONS = 0.05, 80


def all_slopes(result: Fit) -> list[float | None]:
    return [c.value for c in (*result.coefficients, result.intercept) if c is not None]


@pytest.mark.parametrize("block_bytes", [8 << 20, 1500])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_every_iteration_and_its_validation_cost_are_those_of_a_plain_loop_over_the_training_rows(
    noisy: Callable[..., str],
    blocks_of: Callable[[int], None],
    everything: Any,
    scale: str,
    weighted: bool,
    block_bytes: int,
) -> None:
    blocks_of(block_bytes)
    paths = [noisy("a.csv", 40, 1, weighted=weighted), noisy("b.csv", 25, 2, weighted=weighted)]
    chosen: dict[str, Any] = {"weights": "w"} if weighted else {"exclude": ("w",)}
    options = FitOptions.of(
        target="y", holdout=0.3, seed=5, learning_rate=RATE, iterations=ITERATIONS, scale=scale, **chosen
    )
    result = run_fit(paths, options, [everything])
    table = read_table(paths, "y", ["kind"], "w" if weighted else None, seed=5, block_bytes=block_bytes)
    if not weighted:
        table.X = table.X[:, [name != "w" for name in table.names]]
    held = table.draws >= 0.7
    plain = descend(table, held, RATE, ITERATIONS, scale)
    assert everything.shape.validation
    assert [row.iteration for row in everything.rows] == list(range(ITERATIONS + 1))
    validation = np.array([row.validation for row in everything.rows])
    np.testing.assert_allclose(validation, plain.validation.astype(float), rtol=1e-11)
    np.testing.assert_allclose([row.cost for row in everything.rows], plain.costs.astype(float), rtol=1e-11)
    slopes = np.array([row.slopes for row in everything.rows])
    np.testing.assert_allclose(slopes, plain.m.astype(float), rtol=1e-9, atol=1e-11)
    assert result.holdout is not None
    assert result.holdout.rows == int((table.w[held] > 0).sum())
    assert result.holdout.best_iteration == int(plain.validation.argmin())
    assert result.holdout.best_cost == pytest.approx(float(plain.validation.min()), rel=1e-11)
    assert result.holdout.cost == pytest.approx(float(plain.validation[-1]), rel=1e-11)
    assert (result.holdout.kept, result.holdout.patience) == (ITERATIONS, None)


@pytest.mark.parametrize("scale", ["standard", "minmax", "none"])
def test_what_is_held_out_does_not_touch_the_fit_by_a_single_bit(csv_file: Callable[..., str], scale: str) -> None:
    random = np.random.default_rng(8)
    x, z, noise = random.normal(size=(3, 50))
    held = documented_draws(0, 0, 0, 50) >= 0.8
    assert 3 < held.sum() < 20

    def write(name: str, x: np.ndarray) -> str:
        y = 2 * x - z + noise
        rows = zip(x.tolist(), z.tolist(), y.tolist(), strict=True)
        return csv_file("x,z,y\n" + "".join(f"{a!r},{b!r},{c!r}\n" for a, b, c in rows), name)

    options: dict[str, Any] = {"target": "y", "holdout": 0.2, "scale": scale, "iterations": 50, "jobs": 1}
    calm = fit(write("calm.csv", x), **options)
    wild = fit(write("wild.csv", np.where(held, x * 1e3, x)), **options)
    assert all_slopes(calm) == all_slopes(wild)
    assert calm.state == wild.state
    assert calm.optimum == wild.optimum
    assert calm.holdout is not None
    assert wild.holdout is not None
    assert calm.holdout.cost != wild.holdout.cost


def test_the_fit_is_that_of_a_file_of_the_training_rows_alone(noisy: Callable[..., str]) -> None:
    path = noisy(missing=False)
    header, *lines = Path(path).read_text().splitlines()
    kept = documented_draws(2, 0, 0, len(lines)) < 0.75
    part = Path(path).with_name("part.csv")
    part.write_text("\n".join([header, *(line for line, keep in zip(lines, kept, strict=True) if keep)]) + "\n")
    options: dict[str, Any] = {"target": "y", "iterations": 40, "weights": "w"}
    result, alone = fit(path, holdout=0.25, seed=2, **options), fit(part, **options)
    assert all_slopes(result) == pytest.approx(all_slopes(alone), rel=1e-11)
    assert [c.optimum for c in result.coefficients] == pytest.approx([c.optimum for c in alone.coefficients], rel=1e-10)
    assert result.r2 == pytest.approx(alone.r2, rel=1e-12)
    assert [c.standardized for c in result.coefficients] == pytest.approx(
        [c.standardized for c in alone.coefficients], rel=1e-11
    )


# --- patience


def test_patience_stops_after_so_many_iterations_without_a_better_one_and_keeps_the_best(
    noisy: Callable[..., str], everything: Any
) -> None:
    options = FitOptions.of(target="y", exclude=("w",), holdout=0.4, patience=7, learning_rate=0.05, iterations=5000)
    result = run_fit([noisy(missing=False)], options, [everything])
    validation = [row.validation for row in everything.rows]
    best = int(np.argmin(validation))
    assert result.descent.stopped is Stopped.PATIENCE
    assert 0 < best < 4000
    assert result.descent.iterations == best + 7 == everything.rows[-1].iteration
    assert result.holdout is not None
    assert (result.holdout.kept, result.holdout.best_iteration) == (best, best)
    assert result.holdout.cost == result.holdout.best_cost == validation[best]
    assert tuple(c.value for c in result.coefficients) == everything.rows[best].slopes
    assert result.intercept is not None
    assert result.intercept.value == everything.rows[best].intercept
    assert result.cost == everything.rows[best].cost
    assert result.state.iteration == best


def test_patience_that_does_not_run_out_still_keeps_the_best(noisy: Callable[..., str], everything: Any) -> None:
    options = FitOptions.of(target="y", exclude=("w",), holdout=0.4, patience=5000, learning_rate=0.05, iterations=600)
    result = run_fit([noisy(missing=False)], options, [everything])
    best = int(np.argmin([row.validation for row in everything.rows]))
    assert result.descent.stopped is Stopped.ITERATIONS
    assert result.descent.iterations == 600 > best
    assert result.holdout is not None
    assert result.holdout.kept == best
    assert tuple(c.value for c in result.coefficients) == everything.rows[best].slopes


def test_without_patience_the_last_iteration_is_the_result(noisy: Callable[..., str], everything: Any) -> None:
    options = FitOptions.of(target="y", exclude=("w",), holdout=0.4, learning_rate=0.05, iterations=600)
    result = run_fit([noisy(missing=False)], options, [everything])
    assert result.holdout is not None
    assert result.holdout.kept == 600 != result.holdout.best_iteration
    assert tuple(c.value for c in result.coefficients) == everything.rows[-1].slopes


def test_the_lowest_cost_may_be_at_an_iteration_where_the_tolerance_stops(points_on_a_line: str) -> None:
    result = fit(points_on_a_line, target="y", holdout=0.3, patience=10, tolerance=1e-3, learning_rate=0.3)
    assert result.descent.stopped is Stopped.TOLERANCE
    assert result.holdout is not None
    assert result.holdout.kept == result.holdout.best_iteration == result.descent.iterations


def test_after_divergence_there_is_no_validation_cost(points_on_a_line: str) -> None:
    result = fit(points_on_a_line, target="y", holdout=0.3, learning_rate=5)
    assert result.holdout is not None
    assert (result.holdout.cost, result.holdout.best_cost, result.holdout.best_iteration) == (None, None, None)


@pytest.fixture
def points_on_a_line(csv_file: Callable[..., str]) -> str:
    return csv_file("x,y\n" + "".join(f"{i},{2 * i + 1}\n" for i in range(20)))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"holdout": 0.0}, UsageError, "between 0 and 1"),
        ({"holdout": 1.0}, UsageError, "between 0 and 1"),
        ({"holdout": float("nan")}, UsageError, "between 0 and 1"),
        ({"patience": 5}, UsageError, "--patience needs --holdout"),
        ({"holdout": 0.2, "patience": 0}, UsageError, "1 or more"),
        ({"holdout": 1e-9}, DataError, "holds out no row of 20"),
        ({"holdout": 0.99999}, DataError, "leaves 0 of 20 rows to fit"),
    ],
)
def test_holdouts_that_cannot_be_made_are_refused(
    points_on_a_line: str, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        fit(points_on_a_line, target="y", **options)
