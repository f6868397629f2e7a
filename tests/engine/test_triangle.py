"""The one-pass summary of rows: the same for one block, many, one row each, and whatever merges."""

from collections.abc import Sequence

import numpy as np
import pytest

from gdcli.engine.column import Column
from gdcli.engine.qr import triangularize
from gdcli.engine.triangle import Triangle, fill, from_columns, from_rows, merge, select

NAMES = [Column("a"), Column("b"), Column("c")]


def numeric(count: int) -> list[Column]:
    return [Column(f"x{i}") for i in range(count)]


def gram(X: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return AᵀWA of A = [1, X] over the rows, in extended precision."""
    A = np.column_stack([np.ones(len(X)), X]).astype(np.longdouble)
    return A.T @ A if weights is None else A.T @ (A * weights[:, np.newaxis])


def unshifted(triangle: Triangle) -> np.ndarray:
    """Return RᵀR of the columns as in the file, in extended precision."""
    R = triangle.R.astype(np.longdouble)
    R[:, 1:] += R[:, :1] * triangle.shift
    return R.T @ R


def size(X: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the norms of the columns of [1, X], as the outer product that a Gram matrix is judged against."""
    norms = np.sqrt(np.diagonal(gram(X, weights)))
    return np.outer(norms, norms)


def relative_error(triangle: Triangle, X: np.ndarray, weights: np.ndarray | None = None) -> float:
    scale = size(X, weights)
    return float((np.abs(unshifted(triangle) - gram(X, weights)) / np.where(scale > 0, scale, 1)).max())


def in_blocks(X: np.ndarray, columns: Sequence[Column], cuts: Sequence[int]) -> Triangle:
    parts = np.split(X, cuts)
    total = from_rows(parts[0], columns)
    for part in parts[1:]:
        total = merge(total, from_rows(part, columns))
    return total


def data(n: int, q: int = 3, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(size=(n, q)) * np.logspace(-3, 4, q) + np.linspace(-50, 2000, q)


@pytest.mark.parametrize("n", [1, 2, 4, 512, 513, 1023, 1024, 1300, 20_000])
@pytest.mark.parametrize("q", [1, 3, 31, 32])
def test_a_triangle_has_the_lengths_and_angles_of_its_rows(n: int, q: int) -> None:
    X = data(n, q)
    assert relative_error(from_rows(X, numeric(q)), X) < 1e-14
    assert relative_error(from_columns(tuple(X.T), numeric(q)), X) < 1e-14


def test_columns_with_gaps_give_the_triangle_of_their_rows() -> None:
    X = data(9000, 31)
    X[::7, 2], X[::5, 30], X[:, 4] = np.nan, np.nan, np.nan
    X = np.asfortranarray(X)
    one, other = from_rows(X, numeric(31)), from_columns(tuple(X.T), numeric(31))
    assert one.columns == other.columns
    np.testing.assert_array_equal(one.R, other.R)
    np.testing.assert_array_equal([one.shift, one.minimum, one.maximum], [other.shift, other.minimum, other.maximum])
    filled = np.where(np.isnan(X), one.shift[[i for i, c in enumerate(one.columns) if c.level is None]], X)
    assert relative_error(fill(other, numeric(31), {}), filled) < 1e-14


@pytest.mark.parametrize("n", [1, 2, 40, 600, 3000])
@pytest.mark.parametrize("q", [1, 3, 33])
def test_a_triangle_is_one_with_a_non_negative_diagonal(n: int, q: int) -> None:
    R = from_rows(data(n, q), numeric(q)).R
    # More columns than rows never need a square of columns; small ones are squares all the same.
    assert R.shape == (q + 1 if q < 32 else min(n, q + 1), q + 1)
    assert (np.tril(R, -1) == 0).all()
    assert (np.diagonal(R) >= 0).all()


@pytest.mark.parametrize(("n", "q"), [(1100, 3), (300, 3), (300, 20), (700, 40)])
@pytest.mark.parametrize("pieces", ["two", "many", "one row each", "uneven", "with empty ones"])
def test_a_split_that_is_merged_equals_the_whole(pieces: str, n: int, q: int) -> None:
    X = data(n, q, seed=1)
    cuts = {
        "two": [n // 2],
        "many": list(range(17, n, 17)),
        "one row each": list(range(1, n)) if n < 1000 else list(range(1, 300)),
        "uneven": [1, 2, n - 1],
        "with empty ones": [0, 0, n // 3, n // 3, n, n],
    }[pieces]
    merged, whole = in_blocks(X, numeric(q), cuts), from_rows(X, numeric(q))
    assert np.abs(unshifted(merged) - unshifted(whole)).max() <= 1e-12 * np.abs(unshifted(whole)).max()
    assert float((np.abs(unshifted(merged) - unshifted(whole)) / size(X)).max()) < 1e-12
    assert merged.count == whole.count == n
    assert merged.weight == whole.weight == n
    assert merged.minimum.tolist() == X.min(axis=0).tolist()
    assert merged.maximum.tolist() == X.max(axis=0).tolist()
    np.testing.assert_allclose(merged.mean.astype(float), X.mean(axis=0), rtol=1e-13)


def centred(triangle: Triangle) -> np.ndarray:
    """Return the scatter matrix Σ(x−µ)(x−µ)ᵀ."""
    return triangle.R[1:, 1:].T @ triangle.R[1:, 1:]


@pytest.mark.parametrize("pieces", [1, 2, 50, 999])
def test_columns_far_from_zero_keep_their_digits_through_merging(pieces: int) -> None:
    random = np.random.default_rng(2)
    X = np.column_stack([1.7e9 + random.integers(0, 1000, 1000), 2000 + random.integers(0, 30, 1000) / 1.0])
    X = X[np.argsort(X[:, 0])]  # so that every block has another mean
    merged = in_blocks(X, NAMES[:2], list(np.linspace(0, 1000, pieces + 1).astype(int)[1:-1]))
    exact = X.astype(np.longdouble) - X.astype(np.longdouble).mean(axis=0)
    norms = np.sqrt((exact**2).sum(axis=0))
    assert float((np.abs(centred(merged) - exact.T @ exact) / np.outer(norms, norms)).max()) < 1e-14


def test_a_merge_is_relative_to_the_left_ones_shift() -> None:
    left, right = from_rows(data(50), NAMES), from_rows(data(70, seed=3) + 1e6, NAMES)
    assert merge(left, right).shift.tolist() == left.shift.tolist()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_merging_blocks_with_shifts_a_million_apart_loses_nothing(order: tuple[int, int]) -> None:
    parts = [data(50), data(70, seed=3) + 1e6]
    X = np.vstack([parts[i] for i in order])
    merged = merge(from_rows(parts[order[0]], NAMES), from_rows(parts[order[1]], NAMES))
    assert relative_error(merged, X) < 1e-15


def test_merging_goes_in_any_grouping() -> None:
    X = data(90)
    a, b, c = (from_rows(part, NAMES) for part in np.split(X, 3))
    left, right = merge(merge(a, b), c), merge(a, merge(b, c))
    assert float((np.abs(unshifted(left) - unshifted(right)) / size(X)).max()) < 1e-15


@pytest.mark.parametrize("side", ["left", "right", "both"])
def test_an_empty_part_changes_not_a_bit(side: str) -> None:
    whole, none = from_rows(data(40), NAMES), from_rows(np.empty((0, 3)), NAMES)
    merged = {"left": merge(none, whole), "right": merge(whole, none), "both": merge(merge(none, whole), none)}[side]
    assert merged.R.tolist() == whole.R.tolist()
    assert merged.shift.tolist() == whole.shift.tolist()
    assert (merged.count, merged.weight) == (40, 40.0)


def test_two_empty_parts_merge_into_an_empty_one() -> None:
    none = merge(from_rows(np.empty((0, 3)), NAMES), from_rows(np.empty((0, 3)), NAMES))
    assert (none.count, none.weight, none.R.any()) == (0, 0.0, False)


def indicators(texts: Sequence[str]) -> tuple[np.ndarray, list[Column]]:
    levels = sorted(set(texts))
    return np.array([[float(text == level) for level in levels] for text in texts]).reshape(len(texts), -1), [
        Column("kind", level) for level in levels
    ]


def text_block(texts: Sequence[str], x: np.ndarray) -> Triangle:
    """A block of x, the indicators that it needs, and y = x²."""
    if not texts:
        return from_rows(np.empty((0, 2)), [Column("x"), Column("y")])
    flags, columns = indicators(texts)
    return from_rows(np.column_stack([x, flags, x**2]), [Column("x"), *columns, Column("y")])


TEXTS = {
    "a late level sorts last": [["a", "b", "a"], ["a", "b", "z"]],
    "a late level sorts first": [["m", "n", "m"], ["a", "m", "n"]],
    "a late level sorts between": [["a", "z", "a"], ["m", "z", "a"]],
    "no level in common": [["a", "b", "a"], ["c", "d", "c"]],
    "the second part lacks a level": [["a", "b", "c"], ["a", "a", "a"]],
    "late levels in every part": [["b"], ["a"], ["c"], ["b", "d"]],
    "an empty part first": [[], ["a", "b"], ["c"]],
    "an empty part in between": [["a", "b"], [], ["c", "b"]],
}


@pytest.mark.parametrize("parts", TEXTS.values(), ids=TEXTS)
def test_a_level_first_seen_late_is_a_column_of_zeros_before(parts: list[list[str]]) -> None:
    texts = [text for part in parts for text in part]
    x = np.linspace(3.0, 4.0, len(texts))
    merged, at = None, 0
    for part in parts:
        block = text_block(part, x[at : at + len(part)])
        merged = block if merged is None else merge(merged, block)
        at += len(part)
    assert merged is not None
    flags, levels = indicators(texts)
    assert sorted(merged.columns, key=str) == sorted([Column("x"), *levels, Column("y")], key=str)
    merged = select(merged, [Column("x"), *levels, Column("y")])
    X = np.column_stack([x, flags, x**2])
    assert relative_error(merged, X) < 1e-15
    assert merged.minimum.tolist() == X.min(axis=0).tolist()
    assert merged.maximum.tolist() == X.max(axis=0).tolist()


def test_levels_of_two_text_columns_stay_with_their_column() -> None:
    def block(first: str, second: str) -> Triangle:
        return from_rows(np.array([[1.0, 1.0, 5.0]]), [Column("p", first), Column("q", second), Column("y")])

    merged = merge(block("z", "a"), block("b", "c"))
    assert merged.columns == (Column("p", "b"), Column("p", "z"), Column("q", "a"), Column("q", "c"), Column("y"))
    assert relative_error(merged, np.array([[0.0, 1, 1, 0, 5], [1.0, 0, 0, 1, 5]])) < 1e-15


def test_columns_in_another_order_on_the_right_are_put_in_the_lefts() -> None:
    X = data(20)
    merged = merge(from_rows(X[:9], NAMES), from_rows(X[9:, [2, 0, 1]], [NAMES[2], NAMES[0], NAMES[1]]))
    assert merged.columns == tuple(NAMES)
    assert relative_error(merged, X) < 1e-15


@pytest.mark.parametrize("n", [30, 700])
def test_whole_weights_count_rows_so_often(n: int) -> None:
    X, weights = data(n, seed=4), np.random.default_rng(4).integers(1, 5, n)
    weighted = from_rows(X, NAMES, weights.astype(float))
    repeated = np.repeat(X, weights, axis=0)
    assert relative_error(weighted, repeated) < 1e-14
    assert weighted.weight == weights.sum()
    assert weighted.count == n  # but the degrees of freedom come from the rows


def test_a_row_of_weight_zero_does_not_count_at_all() -> None:
    X = data(40, seed=5)
    X[::4] = 1e30
    weights = np.where(np.arange(40) % 4 == 0, 0.0, 2.0)
    weighted = from_rows(X, NAMES, weights)
    alone = from_rows(X[weights > 0], NAMES, weights[weights > 0])
    assert weighted.R.tolist() == alone.R.tolist()
    assert weighted.maximum.tolist() == alone.maximum.tolist()
    assert (weighted.count, weighted.weight) == (30, 60.0)


def test_rows_of_weight_zero_only_are_no_rows() -> None:
    none = from_rows(data(5), NAMES, np.zeros(5))
    assert (none.count, none.weight) == (0, 0.0)
    assert merge(none, from_rows(data(3), NAMES)).count == 3


def test_weighted_parts_merge_into_the_weighted_whole() -> None:
    X, weights = data(900, seed=6), np.random.default_rng(6).uniform(0, 3, 900)
    merged = from_rows(X[:1], NAMES, weights[:1])
    for start, end in ((1, 2), (2, 300), (300, 899), (899, 900)):
        merged = merge(merged, from_rows(X[start:end], NAMES, weights[start:end]))
    assert relative_error(merged, X, weights) < 1e-14
    np.testing.assert_allclose(merged.mean.astype(float), np.average(X, axis=0, weights=weights), rtol=1e-13)


@pytest.mark.parametrize("order", [[0], [2], [0, 1], [1, 0], [2, 0], [0, 1, 2], [2, 1, 0], [1, 2, 0]])
@pytest.mark.parametrize("n", [2, 3, 50, 2000])
def test_selecting_columns_equals_reducing_them_alone(n: int, order: list[int]) -> None:
    X = data(n, seed=7)
    chosen = select(from_rows(X, NAMES), [NAMES[i] for i in order])
    assert chosen.columns == tuple(NAMES[i] for i in order)
    assert relative_error(chosen, X[:, order]) < 1e-14
    assert chosen.minimum.tolist() == X[:, order].min(axis=0).tolist()


def test_selecting_many_columns_in_reverse_equals_reducing_them_alone() -> None:
    X = data(300, 50, seed=8)
    columns = numeric(50)
    chosen = select(from_rows(X, columns), columns[::-1][:45])
    assert relative_error(chosen, X[:, ::-1][:, :45]) < 1e-14


def test_no_columns_leave_the_number_of_rows() -> None:
    chosen = select(from_rows(data(9), NAMES), [])
    assert chosen.R.astype(float).tolist() == [[3.0]]


def scatter_error(triangle: Triangle, X: np.ndarray, factors: np.ndarray) -> float:
    """Return how far Σ(x−µ)(x−µ)ᵀ of the rows ``X * factors`` is off, as a share of the columns' norms."""
    exact = X.astype(np.longdouble) - X.astype(np.longdouble).mean(axis=0)
    norms = np.sqrt((exact**2).sum(axis=0))
    found = centred(triangle) / np.outer(factors, factors)
    return float((np.abs(found - exact.T @ exact) / np.outer(norms, norms)).max())


@pytest.mark.parametrize("power", [-500, -300, -100, 100, 300, 500])  # of two: 1e-150 … 1e150, without rounding
@pytest.mark.parametrize("n", [10, 3000])
def test_huge_and_tiny_magnitudes_lose_nothing(n: int, power: int) -> None:
    X, factor = data(n, seed=9), np.ldexp(np.ones(3, np.longdouble), power)
    merged = merge(from_rows(X[:5] * 2.0**power, NAMES), from_rows(X[5:] * 2.0**power, NAMES))
    assert scatter_error(merged, X, factor) < 1e-14


@pytest.mark.parametrize("n", [200, 2000])
def test_a_huge_and_a_tiny_column_stand_side_by_side(n: int) -> None:
    X, factors = data(n, seed=10), np.ldexp(np.ones(3, np.longdouble), [-500, 0, 500])
    assert scatter_error(from_rows((X * factors).astype(float), NAMES), X, factors) < 1e-14


@pytest.mark.parametrize("n", [5, 600])
def test_a_column_of_zeros_is_one_in_the_triangle(n: int) -> None:
    X = data(n)
    X[:, 1] = 0.0
    triangle = from_rows(X, NAMES)
    assert triangle.R[:, 2].astype(float).tolist() == [0.0] * 4
    assert triangle.constant.tolist() == [False, True, False]


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9 + 0.1, 1e-200, -3.0])
@pytest.mark.parametrize("n", [2, 7, 5000])
def test_a_constant_column_is_known_to_be_one(n: int, value: float) -> None:
    X = data(n)
    X[:, 2] = value
    merged = in_blocks(X, NAMES, [1, n // 2])
    assert merged.constant.tolist() == [False, False, True]
    assert float(merged.mean[2]) == pytest.approx(value, rel=1e-15)


def test_a_column_that_differs_in_its_last_bit_is_not_constant() -> None:
    X = data(1000)
    X[:, 2] = 0.1
    X[-1, 2] = np.nextafter(0.1, 1)
    assert from_rows(X, NAMES).constant.tolist() == [False, False, False]


def test_more_columns_than_rows_leave_zero_rows_below() -> None:
    X = data(4, 10)
    R = from_rows(X, numeric(10)).R
    assert np.abs(R[5:]).max() < 1e-9 * np.abs(R).max()
    assert relative_error(from_rows(X, numeric(10)), X) < 1e-15


@pytest.mark.parametrize("dependent", [(0, 1), (0, 1, 2)])
@pytest.mark.parametrize("n", [20, 2000])
def test_dependent_columns_keep_lengths_and_angles(n: int, dependent: tuple[int, ...]) -> None:
    X = data(n)
    for i in dependent:
        X[:, i] = (i + 1) * X[:, 0]
    assert relative_error(from_rows(X, NAMES), X) < 1e-14


def test_the_rows_handed_in_are_left_as_they_were() -> None:
    X, weights = data(600), np.full(600, 2.0)
    before = X.copy()
    from_rows(X, NAMES, weights)
    np.testing.assert_array_equal(X, before)
    assert (weights == 2.0).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (512, 3), (513, 3), (1024, 3), (4096, 33), (10_000, 2)])
def test_triangularize_keeps_the_gram_matrix(shape: tuple[int, int]) -> None:
    A = np.random.default_rng(11).normal(size=shape)
    R = triangularize(A)
    assert R.shape == (shape[1], shape[1])
    np.testing.assert_allclose((R.T @ R).astype(float), A.T @ A, rtol=1e-12, atol=1e-12 * shape[0])


@pytest.mark.skipif(np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps, reason="needs extended precision")
@pytest.mark.parametrize(("rows", "columns", "extended"), [(512, 32, True), (512, 33, False), (513, 32, False)])
def test_up_to_512_rows_of_32_columns_are_reduced_in_extended_precision(
    rows: int, columns: int, extended: bool
) -> None:
    A = np.random.default_rng(1).normal(size=(rows, columns))
    R, wide = triangularize(A).astype(np.longdouble), A.astype(np.longdouble)
    error = float(np.abs(R.T @ R - wide.T @ wide).max() / rows)
    assert (error < 1e-18) is extended
