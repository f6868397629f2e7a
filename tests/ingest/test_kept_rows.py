"""Rows that are kept: in memory or in a file without a name, less a shift, and shared by the folds."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli.api import fit_data as fit
from gdcli.base.errors import DataError, UsageError
from gdcli.data.memory import size_of
from gdcli.engine.losses.contract import Loss
from gdcli.engine.losses.logistic import Logistic
from gdcli.engine.losses.poisson import Poisson
from gdcli.engine.losses.squared import Squared
from gdcli.engine.row_objective import RowObjective
from gdcli.engine.row_sums import Role, RowBlock, RowSums
from gdcli.ingest.kept_rows import KeptRows
from gdcli.ingest.row_store import RowStore


@pytest.fixture
def big(tmp_path: Path, blocks_of: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> str:
    """Several blocks of several tasks, with a level that the first of them lacks, and a column far from zero."""
    blocks_of(1 << 20)
    monkeypatch.setattr("gdcli.engine.row_sums.LOSS_SLICE_ROWS", 4096)
    rng = np.random.default_rng(5)
    n = 50_000
    when = 1.6e9 + np.sort(rng.uniform(0, 1000, n)).round(3)
    kind = np.where(np.arange(n) < n // 2, rng.choice(["a", "b"], n), rng.choice(["a", "late"], n))
    x = rng.normal(size=n).round(6)
    z = 0.002 * (when - 1.6e9 - 500) + x + (kind == "late")
    frame = pd.DataFrame({"when": when, "x": x, "kind": kind, "y": rng.random(n) < 1 / (1 + np.exp(-z))})
    path = tmp_path / "big.csv"
    frame.to_csv(path, index=False)
    return str(path)


OPTIONS: dict[str, Any] = {"target": "y", "loss": "logistic", "optimizer": "newton", "iterations": 6}


def test_rows_in_a_file_give_the_same_bits_for_any_number_of_jobs(big: str) -> None:
    whole = fit(big, **OPTIONS, jobs=1)
    for memory, jobs in (("200k", 1), ("200k", 3), (0, 2), ("700k", 2), ("2G", 2)):
        again = fit(big, **OPTIONS, memory=memory, jobs=jobs)
        assert again.state == whole.state
        assert again.trace == whole.trace


def test_coefficients_of_a_column_far_from_zero_and_a_late_level_are_those_of_a_plain_newton_loop(big: str) -> None:
    frame = pd.read_csv(big)
    columns = [frame["when"] - 1.6e9, frame["x"], frame["kind"] == "b", frame["kind"] == "late"]
    X = np.column_stack([np.ones(len(frame)), *columns]).astype(float)
    y, theta = frame["y"].to_numpy(dtype=float), np.zeros(5)
    for _ in range(12):
        p = 1 / (1 + np.exp(-X @ theta))
        theta -= np.linalg.solve((X * (p * (1 - p))[:, None]).T @ X, X.T @ (p - y))
    found = {c.term: c for c in fit(big, **OPTIONS, memory="500k").coefficients}
    for term, expected in zip(("when", "x", "kind[b]", "kind[late]"), theta[1:], strict=True):
        assert found[term].optimum == pytest.approx(expected, rel=1e-9)
        assert found[term].value == pytest.approx(expected, rel=1e-6)


def test_the_file_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = RowStore(100)
    first, second = np.arange(12.0).reshape(4, 3), np.arange(30.0).reshape(10, 3)
    kept, pages = store.keep(first)
    assert kept is first
    assert pages is None
    kept, pages = store.keep(second)
    assert pages is not None
    assert list(tmp_path.iterdir()) == []
    np.testing.assert_array_equal(kept, second)
    pages.drop(3, 7)
    np.testing.assert_array_equal(kept, second)
    third, _ = store.keep(second * 2)  # in the file too, after the other
    store.close()
    np.testing.assert_array_equal(third, second * 2)
    np.testing.assert_array_equal(kept, second)


def test_rows_stay_in_memory_as_long_as_there_is_room_for_the_blocks_in_work() -> None:
    X = np.arange(12.0).reshape(4, 3)
    store = RowStore(9 * X.nbytes, blocks=3)  # of each of three the text and the numbers
    in_file = [store.keep(X + i)[1] is not None for i in range(5)]
    assert in_file == [False, False, False, True, True]
    store.close()


def test_a_full_disk_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> object:
        return open("/dev/full", "wb+", buffering=0)

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    store = RowStore(0)
    with pytest.raises(DataError, match=r"No space left on device; give another folder in TMPDIR, or .* --memory"):
        store.keep(np.ones((5, 2)))
    store.close()


@pytest.mark.parametrize(
    ("word", "expected"), [("500", 500), ("50M", 50_000_000), ("1.5GB", 1_500_000_000), ("2 k", 2000), (7, 7)]
)
def test_sizes(word: str | int, expected: int) -> None:
    assert size_of(word) == expected


@pytest.mark.parametrize("word", ["", "-1", "M", "1X", "1e3", "nan"])
def test_other_words_are_no_sizes(word: str) -> None:
    with pytest.raises(UsageError, match="a size of memory is a number with K, M, G or T"):
        size_of(word)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", [Squared(), Logistic(), Poisson()], ids=lambda loss: loss.name)
@pytest.mark.parametrize("intercept", [False, True])
def test_the_objective_is_that_of_the_scaled_columns(loss: Loss, weighted: bool, intercept: bool) -> None:
    rng = np.random.default_rng(8)
    X = rng.normal(size=(20_000, 4))
    y = (rng.random(20_000) < 0.4).astype(float)
    weights = rng.uniform(0.5, 2.0, 20_000) if weighted else np.ones(20_000)
    # Three terms: the second has no column here, the third is column 0.
    offset, factor = np.array([0.3, -0.2, 1.5]), np.array([2.0, -0.5])
    scaled = np.column_stack([0.3 + 2.0 * X[:, 2], np.full(20_000, -0.2), 1.5 - 0.5 * X[:, 0]])
    A = np.column_stack([np.ones(20_000), scaled]) if intercept else scaled
    block = RowBlock(
        X,
        y,
        weights if weighted else None,
        offset[np.newaxis],
        np.array([0, 2]),
        np.array([2, 0]),
        factor[np.newaxis],
        np.array([Role.FITTED], np.int8),
    )
    scale = np.array([1.7])
    sums = RowSums([block], loss, intercept, scale, jobs=2)
    objective = RowObjective([sums], np.array([weights.sum()]), np.zeros(1), scale)
    theta = rng.normal(size=A.shape[1]) * 0.4
    z = 1.7 * (A @ theta)
    value, slope = loss.value_and_slope(z, y)
    _, cost, gradient = objective.at(theta)
    assert float(cost) == pytest.approx(weights @ value / weights.sum() / 1.7**2, rel=1e-12)
    np.testing.assert_allclose(gradient, A.T @ (weights * slope) / weights.sum() / 1.7, rtol=1e-10, atol=1e-13)
    curvature = weights * loss.curvature(z, y)
    expected = (A * curvature[:, None]).T @ A / weights.sum()
    np.testing.assert_allclose(objective.hessian(theta), expected, rtol=1e-10, atol=1e-13)
    found = np.empty((2, 3))
    block.scaled(np.array([5, 3]), 2.0, found)
    np.testing.assert_allclose(found, 2.0 * scaled[[5, 3]], rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-9, 0.1, 5.0, 300.0, 900.0])
def test_the_sum_of_logistic_losses_is_that_of_each(scale: float) -> None:
    rng = np.random.default_rng(1)
    z = rng.normal(size=1003) * scale
    y = (rng.random(1003) < 0.5).astype(float)
    separated = (z > 0).astype(float)
    for target in (y, separated):
        expected = np.logaddexp(0.0, np.where(target == 1, -z, z))
        total, slope = Logistic().total_and_slope(z.copy(), target, None)
        assert total == pytest.approx(expected.sum(), rel=1e-12)
        np.testing.assert_allclose(slope, Logistic().value_and_slope(z, target)[1], rtol=1e-12, atol=1e-15)


def test_a_group_is_there_though_its_first_fold_is_empty() -> None:
    X = np.arange(4.0).reshape(4, 1)
    place = {("a",): 0, ("b",): 1, ("none",): 2}
    kept = KeptRows((), X, np.zeros(1), (), X, None, (0, 0, 3, 4, 4, 4, 4), (), place, folds=2)
    a, b = kept.of_group(("a",)), kept.of_group(("b",))
    assert a is not None
    assert b is not None
    assert (a.X.tolist(), a.bounds) == ([[0.0], [1.0], [2.0]], (0, 0, 3))
    assert (b.X.tolist(), b.bounds) == ([[3.0]], (0, 1, 1))
    assert kept.of_group(("none",)) is kept.of_group(("unknown",)) is None
