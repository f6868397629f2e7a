"""The validation cost of each iteration on another file, of which no row is fitted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gdcli
from gdcli.api import fit_data, run_fit
from gdcli.base.errors import DataError, UsageError
from gdcli.engine.descent import Stopped
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import Fit
from gdcli.ingest.summarize import summarize_data
from tests.oracles.folds import descend, huber, quantile, read_table, squares

RATE, ITERATIONS = 0.05, 60

WITH_WEIGHTS: dict[str, Any] = {"target": "y", "weights": "w", "learning_rate": RATE, "iterations": ITERATIONS}


@pytest.fixture
def files(noisy: Callable[..., str]) -> tuple[str, str]:
    """A file to fit and one to test on, each with missing cells and weights."""
    return noisy("train.csv", 60, 1), noisy("test.csv", 40, 2)


def figures(result: Fit) -> list[float | None]:
    return [result.cost, result.optimum.cost, *(value for c in result.coefficients for value in (c.value, c.optimum))]


@pytest.mark.parametrize("block_bytes", [8 << 20, 1500])
@pytest.mark.parametrize(
    ("loss", "function"),
    [("squared", squares), ("huber:5", huber), ("quantile:0.3", quantile)],
    ids=["squared", "huber", "quantile"],
)
def test_every_iteration_and_its_cost_on_the_other_file_are_those_of_a_plain_loop_over_the_first(
    files: tuple[str, str],
    blocks_of: Callable[[int], None],
    everything: Any,
    loss: str,
    function: Any,
    block_bytes: int,
) -> None:
    blocks_of(block_bytes)
    train, test = files
    result = run_fit([train], FitOptions.of(**WITH_WEIGHTS, loss=loss, test=test), [everything])

    def number_of_file(seed: int, file: int, block: int, rows: int) -> np.ndarray:
        return np.full(rows, float(file))

    table = read_table(files, "y", ["kind"], "w", block_bytes=block_bytes, draw=number_of_file)
    held = table.draws == 1
    plain = descend(table, held, RATE, ITERATIONS, loss=function)
    validation = np.array([row.validation for row in everything.rows])
    np.testing.assert_allclose(validation, plain.validation.astype(float), rtol=1e-10)
    np.testing.assert_allclose([row.cost for row in everything.rows], plain.costs.astype(float), rtol=1e-10)
    assert result.holdout is not None
    assert (result.holdout.file, result.holdout.share, result.holdout.seed) == (test, None, None)
    assert result.holdout.rows == int((table.w[held] > 0).sum())
    assert result.holdout.best_iteration == int(plain.validation.argmin())
    assert result.holdout.cost == pytest.approx(float(plain.validation[-1]), rel=1e-10)
    assert result.files == (train,)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loss": "huber:5"},
        {"scale": "minmax"},
        {"l2": (0.1,)},
        {"missing": "mean"},
        {"batch_size": 7, "epochs": 3},
        {"features": ("poly(x, 3)", "kind:n1")},
    ],
    ids=str,
)
def test_the_fit_is_that_without_the_other_file(files: tuple[str, str], options: dict[str, Any]) -> None:
    given = {"target": "y", "weights": "w", **options}
    train, test = files
    assert figures(fit_data(train, test=test, **given)) == pytest.approx(figures(fit_data(train, **given)), rel=1e-13)


def test_a_column_that_is_constant_among_the_rows_fitted_is_left_out_though_the_other_file_varies(
    csv_file: Callable[..., str],
) -> None:
    train = csv_file("x,z,y\n1,5,2\n2,5,4\n3,5,7\n", "train.csv")
    test = csv_file("x,z,y\n1,6,2\n2,8,3\n", "test.csv")
    result = fit_data(train, target="y", test=test)
    assert result.left_out == ("z",)


def test_missing_cells_of_the_other_file_get_the_mean_of_the_rows_fitted(csv_file: Callable[..., str]) -> None:
    train = csv_file("x,y\n1,2\n2,4\n6,9\n,5\n", "train.csv")
    test = csv_file("x,y\n,1\n4,7\n10,\n,3\n", "test.csv")
    result = fit_data(train, target="y", test=test, missing="mean", learning_rate=0.3, iterations=7)
    [slope], intercept = result.coefficients, result.intercept
    assert slope.value is not None
    assert intercept is not None
    assert intercept.value is not None
    x, y = np.array([3.0, 4.0, 3.0]), np.array([1.0, 7.0, 3.0])  # 3 is the mean of 1, 2 and 6
    assert result.holdout is not None
    assert result.holdout.rows == 3
    assert result.holdout.cost == pytest.approx(np.mean((y - slope.value * x - intercept.value) ** 2), rel=1e-13)


def test_a_summary_stands_for_either_file(files: tuple[str, str], tmp_path: Path) -> None:
    summaries = [str(tmp_path / "train.json"), str(tmp_path / "test.json")]
    for file, path in zip(files, summaries, strict=True):
        summarize_data(file, weights="w").save(path)
    costs = []
    for train in (files[0], summaries[0]):
        for test in (files[1], summaries[1]):
            result = fit_data(train, test=test, **WITH_WEIGHTS)
            assert result.holdout is not None
            costs.append(result.holdout.cost)
    assert costs == pytest.approx([costs[0]] * 4, rel=1e-11)
    with pytest.raises(DataError, match=r"test.json' is a summary and holds no rows, which every --loss but squared"):
        fit_data(files[0], test=summaries[1], loss="huber:5", **WITH_WEIGHTS)


def test_patience_watches_the_other_file_and_keeps_the_best(files: tuple[str, str], everything: Any) -> None:
    options = FitOptions.of(target="y", weights="w", learning_rate=RATE, iterations=5000, test=files[1], patience=7)
    result = run_fit([files[0]], options, [everything])
    validation = [row.validation for row in everything.rows]
    best = int(np.argmin(validation))
    assert 0 < best < 4000
    assert (result.descent.stopped, result.descent.iterations) == (Stopped.PATIENCE, best + 7)
    assert result.holdout is not None
    assert (result.holdout.kept, result.holdout.cost) == (best, validation[best])


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("x,k,y\n1,a,2\n2,d,3\n3,e,3\n", r"other.csv': no row fitted has 'd', 'e' in 'k', so .*--exclude k"),
        ("x,y\n1,2\n", r"other.csv' lacks k, unlike '.*train.csv"),
        ("x,k,z,y\n1,a,0,2\n", r"other.csv' also has z, unlike"),
        ("x,k,y\n1,a,oh\n", r"other.csv', line 2, column 'y': 'oh' is not a number"),
        ("x,k,y\n,a,1\n", r"no row of '.*other.csv', the file to test on, has a value in every column"),
        ("x,k,y\n", r"no row of '.*other.csv', the file to test on, has a value in every column"),
    ],
)
def test_a_file_that_does_not_fit_is_an_error_that_names_it(
    csv_file: Callable[..., str], test: str, message: str
) -> None:
    train, other = csv_file("x,k,y\n1,a,2\n2,b,4\n3,a,7\n4,b,8\n", "train.csv"), csv_file(test, "other.csv")
    with pytest.raises(DataError, match=message):
        fit_data(train, target="y", test=other)


def test_a_file_to_fit_without_rows_is_not_made_up_for_by_the_other(csv_file: Callable[..., str]) -> None:
    empty, test = csv_file("x,y\n", "empty.csv"), csv_file("x,y\n1,2\n2,3\n3,5\n", "test.csv")
    with pytest.raises(DataError, match=r"empty.csv' has a header but no rows"):
        fit_data(empty, target="y", test=test)
    gaps = csv_file("x,y\n,1\n2,\n", "gaps.csv")
    with pytest.raises(DataError, match=r"gaps.csv' has 0 usable rows: a fit needs at least 2"):
        fit_data(gaps, target="y", test=test)


@pytest.mark.parametrize("other", [{"holdout": 0.2}, {"cv": 3}])
def test_another_way_to_validate_beside_it_is_refused(files: tuple[str, str], other: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="--test"):
        FitOptions.of(target="y", test=files[1], **other)


def test_python_takes_data_of_every_kind_to_test_on() -> None:
    random = np.random.default_rng(3)
    X, X_test = random.normal(size=(30, 2)), random.normal(size=(20, 2))
    y, y_test = X @ [1.0, 2.0] + random.normal(size=30), X_test @ [1.0, 2.0] + random.normal(size=20)
    pair = gdcli.fit((X, y), test=(X_test, y_test), optimizer="newton")
    frames = [pd.DataFrame({"x1": a[:, 0], "x2": a[:, 1], "y": b}) for a, b in ((X, y), (X_test, y_test))]
    table = gdcli.fit(frames[0], target="y", test=frames[1], optimizer="newton")
    design = np.column_stack([X_test, np.ones(20)])
    least = np.linalg.lstsq(np.column_stack([X, np.ones(30)]), y, rcond=None)[0]
    expected = float(np.mean((y_test - design @ least) ** 2))
    for result in (pair, table):
        assert result.holdout is not None
        assert result.holdout.cost == pytest.approx(expected, rel=1e-11)
    with pytest.raises(TypeError, match="one file or table, not 2"):
        gdcli.fit(frames[0], target="y", test=frames)


def test_the_command_line_shows_the_costs_in_table_trace_and_json(
    gdfit: Callable[..., Any], files: tuple[str, str], tmp_path: Path
) -> None:
    train, test = files
    trace = str(tmp_path / "trace.csv")
    words = (train, "-t", "y", "--weights", "w", "--test", test, "-n", "20", "--lr", "0.1")
    shown = gdfit(*words, "--trace", trace)
    assert " validation " in shown.out
    assert f"of them held out: {test}" in " ".join(shown.out.split())
    costs = pd.read_csv(trace)["validation_cost"]
    document = json.loads(gdfit(*words, "--format", "json").out)
    assert len(costs) == 21
    assert document["holdout"]["file"] == test
    assert document["holdout"]["cost"] == document["trace"][-1]["validation_cost"] == costs.iloc[-1]
    assert (
        "'" + train + "' are both fitted and tested on: it is given twice"
        in gdfit(train, "-t", "y", "--test", train).err
    )
    assert "would overwrite an input" in gdfit(*words, "-o", test).err
    assert "read once only" in gdfit("-t", "y", "--test", "-").err
