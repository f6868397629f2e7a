"""A wide table whose blocks hold fewer rows than columns: the same fit whatever reads it, and that of all rows."""

from collections.abc import Callable

import numpy as np

from gdcli import fit

ROWS, COLUMNS = 560, 260


def test_a_wide_table_in_many_blocks_is_fitted_as_one(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None]
) -> None:
    random = np.random.default_rng(9)
    X = random.integers(-99, 99, (ROWS, COLUMNS))
    y = X @ random.normal(size=COLUMNS) + random.normal(size=ROWS)
    lines = [",".join([*(f"x{j}" for j in range(COLUMNS)), "y"])]
    lines += [",".join([*map(str, row), repr(value)]) for row, value in zip(X.tolist(), y.tolist(), strict=True)]
    path = csv_file("\n".join(lines) + "\n")
    blocks_of(60_000)
    one, several = (fit(path, target="y", jobs=jobs, iterations=3, cv=2) for jobs in (1, 3))
    assert one == several
    best = np.linalg.lstsq(np.column_stack([X, np.ones(ROWS)]), y)[0]
    found = [coefficient.optimum for coefficient in one.coefficients]
    np.testing.assert_allclose(found, best[:-1], rtol=1e-9, atol=1e-12)
