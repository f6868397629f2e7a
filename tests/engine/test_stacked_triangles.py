"""The R of a triangle and of rows below it: RᵀR is the sum of both, whatever their shape."""

import numpy as np
import pytest

from gdcli.engine.qr import with_rows_below


def triangles(q: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    upper, lower = (np.linalg.qr(random.normal(size=(q + 3, q)), mode="r") for _ in range(2))
    return upper, lower


def check(upper: np.ndarray, lower: np.ndarray) -> None:
    before = upper.copy(), lower.copy()
    R = with_rows_below(upper, lower)
    np.testing.assert_array_equal(R, np.triu(R))
    scale = np.linalg.norm(np.vstack([upper, lower]), axis=0)
    scale[scale == 0] = 1.0
    together = (upper.T @ upper + lower.T @ lower) / scale / scale[:, np.newaxis]
    np.testing.assert_allclose(R.T @ R / scale / scale[:, np.newaxis], together, atol=1e-13)
    np.testing.assert_array_equal(upper, before[0])
    np.testing.assert_array_equal(lower, before[1])


@pytest.mark.parametrize("q", [1, 2, 63, 64, 65, 130, 300])
def test_any_number_of_columns(q: int) -> None:
    check(*triangles(q))


@pytest.mark.parametrize("zero", ["upper", "lower", "both", "columns of both", "rows of both"])
def test_zeros(zero: str) -> None:
    upper, lower = triangles(150)
    for name, side in (("upper", upper), ("lower", lower)):
        if zero in (name, "both"):
            side[:] = 0
        elif zero == "columns of both":
            side[:, [0, 5, 64, 70, 149]] = 0
        elif zero == "rows of both":
            side[[0, 5, 64, 70, 149]] = 0
    check(upper, lower)


def test_columns_of_all_sizes_keep_their_digits() -> None:
    upper, lower = triangles(150)
    sizes = 10.0 ** np.random.default_rng(1).uniform(-100, 100, 150)
    check(upper * sizes, lower * sizes)


def test_it_is_the_r_of_the_stack() -> None:
    upper, lower = triangles(200)
    expected = np.linalg.qr(np.vstack([upper, lower]), mode="r")
    np.testing.assert_allclose(np.abs(with_rows_below(upper, lower)), np.abs(expected), atol=1e-12)


@pytest.mark.parametrize("n", [1, 20, 64, 100, 150, 400])
@pytest.mark.parametrize("dense", [True, False], ids=["dense", "trapezium"])
def test_any_number_of_rows(n: int, dense: bool) -> None:
    upper, _ = triangles(150)
    rows = np.random.default_rng(2).normal(size=(n, 150))
    check(upper, rows if dense else np.triu(rows))


def test_any_number_of_threads_gives_the_same_bits() -> None:
    upper, _ = triangles(700)
    rows = np.random.default_rng(3).normal(size=(90, 700))
    alone = with_rows_below(upper, rows, 1)
    np.testing.assert_array_equal(with_rows_below(upper, rows, 3), alone)
    np.testing.assert_array_equal(with_rows_below(upper, rows, None), alone)
