"""The few rows of a block of a wide table wait for those of others: the triangle is that of all rows in the end."""

import numpy as np
import pytest

from gdcli.engine.blas import WIDE
from gdcli.engine.column import MISSING, Column
from gdcli.engine.triangle import Triangle, from_rows, merge, reduced

Q = WIDE + 20
ROWS = 3 * Q + 50


def table(gaps: bool) -> np.ndarray:
    random = np.random.default_rng(7)
    X = random.normal(size=(ROWS, Q)) + 1000.0 * np.arange(Q)
    if gaps:
        X[random.random(ROWS) < 0.2, 4] = np.nan
        X[: ROWS // 2, 9] = np.nan  # it has no value where the shift is chosen
    return X


def in_blocks(X: np.ndarray, columns: list[Column], weights: np.ndarray | None, rows: int) -> Triangle:
    total = None
    for start in range(0, len(X), rows):
        some = slice(start, start + rows)
        w = None if weights is None else weights[some]
        one = from_rows(np.asfortranarray(X[some]), columns, w, wait=True)
        total = one if total is None else merge(total, one, wait=True)
    assert total is not None
    return total


@pytest.mark.parametrize("rows", [1, 37, Q, Q + 1])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("gaps", [False, True])
def test_rows_in_blocks_make_the_triangle_of_all(rows: int, weighted: bool, gaps: bool) -> None:
    length = 2 * Q if rows == 1 else ROWS
    X, columns = table(gaps)[:length], [Column(f"x{j}") for j in range(Q)]
    weights = np.random.default_rng(8).integers(0, 3, length).astype(float) if weighted else None
    found = reduced(in_blocks(X, columns, weights, rows))
    np.testing.assert_array_equal(found.R, np.triu(found.R))
    w = np.ones(length) if weights is None else weights
    place = [found.columns.index(column) for column in columns]
    less = np.column_stack([np.ones(length), np.nan_to_num(X - found.shift[place])])
    R = found.R[:, [0, *(1 + j for j in place)]]
    np.testing.assert_allclose(R.T @ R, (less * w[:, np.newaxis]).T @ less, atol=1e-9 * length)
    assert found.count == np.count_nonzero(w)
    assert found.weight == w.sum()
    mean = [np.average(x[~np.isnan(x)], weights=w[~np.isnan(x)]) for x in X.T]
    np.testing.assert_allclose(found.mean[place].astype(float), mean, rtol=1e-13)
    assert {column for column in found.columns if column.level is MISSING} == (
        {Column("x4", MISSING), Column("x9", MISSING)} if gaps else set()
    )


@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_rows_no_more_than_columns_are_reduced_in_the_end(blocks: int) -> None:
    X, columns = table(False)[: 10 * blocks], [Column(f"x{j}") for j in range(Q)]
    waiting = in_blocks(X, columns, None, 10)
    assert waiting.R.shape == (10 * blocks, Q + 1)
    found = reduced(waiting)
    np.testing.assert_array_equal(found.R, np.triu(found.R))
    np.testing.assert_allclose(found.R.T @ found.R, waiting.R.T @ waiting.R, atol=1e-9)
    assert (np.diagonal(found.R) >= 0).all()


def test_a_level_first_seen_late_is_zero_in_the_rows_that_wait() -> None:
    X, columns = table(False)[:40], [Column(f"x{j}") for j in range(Q)]
    level = Column("z", "late")
    late = np.column_stack([X[20:], np.ones(20)])
    one = from_rows(X[:20], columns, wait=True)
    found = reduced(merge(one, from_rows(late, [*columns, level], wait=True), wait=True))
    place = found.columns.index(level)
    indicator = np.r_[np.zeros(20), np.ones(20)]
    np.testing.assert_allclose(np.sum(found.R[:, 1 + place] ** 2), 20, rtol=1e-13)
    np.testing.assert_allclose(found.R[:, 0] @ found.R[:, 1 + place], indicator.sum(), rtol=1e-13)
