"""Small random tables, and by linear programming whether their logistic or Poisson fit has an optimum.

``python tests/oracles/separation.py logistic 3000`` compares gdfit with that on so many tables.
"""

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from gdcli.api import fit_data as fit


class Table(NamedTuple):
    """The columns ``X`` (n, p), the target ``y`` (n,) and the weights (n,), None if there are none."""

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None
    intercept: bool

    @property
    def design(self) -> np.ndarray:
        """The columns with one of ones if there is an intercept."""
        return np.column_stack([np.ones(len(self.X)), self.X]) if self.intercept else self.X


def tables(loss: str, seed: int) -> Iterator[Table]:
    """Endless tables: of 0 and 1, of integers, of decimals; with collinear columns and rows of zeros among them."""
    rng = np.random.default_rng(seed)
    while True:
        n, p = int(rng.integers(4, 30)), int(rng.integers(1, 4))
        kinds = rng.integers(0, 2, (n, p)), rng.integers(-2, 3, (n, p)), rng.normal(size=(n, p)).round(1)
        X = kinds[rng.integers(3)].astype(float)
        if p > 1 and rng.random() < 0.25:
            X[:, -1] = 2.0 * X[:, 0] - (X[:, 1] if p > 2 else 0.0)
        if rng.random() < 0.3:
            X[rng.random(n) < 0.4] = 0.0
        z = X @ (rng.normal(size=p) * rng.choice([0.0, 1.0, 5.0]))
        noise = rng.logistic(size=n) if rng.random() < 0.6 else rng.choice([0.0, 0.3]) * rng.normal(size=n)
        y = (z + noise > 0).astype(float)
        if loss == "poisson":
            y = np.where(rng.random(n) < 0.5, y * rng.integers(1, 9, n), y)
        weights = rng.choice([0.5, 1.0, 3.0, 7.0], n) if rng.random() < 0.3 else None
        table = Table(X, y, weights, bool(rng.random() < 0.5))
        if (loss == "poisson" or len(set(y)) == 2) and table.design.any():
            yield table


def is_separated(table: Table) -> bool:
    """Whether some d has s·x·d ≥ 0 in all rows and > 0 in one, with s = 1 for the event and −1 for the other class."""
    toward = table.design * (2.0 * table.y - 1.0)[:, np.newaxis]
    return _largest_sum(toward, None) > 1e-6


def is_endless(table: Table) -> bool:
    """Whether some d has x·d ≤ 0 in all rows of count 0, < 0 in one of them, and x·d = 0 in all others."""
    zero = table.y == 0
    return bool(zero.any()) and _largest_sum(-table.design[zero], table.design[~zero]) > 1e-6


def _largest_sum(toward: np.ndarray, still: np.ndarray | None) -> float:
    """Return the largest sum of ``toward·d`` with each of its rows in 0 … 1, and ``still·d`` = 0."""
    n, p = toward.shape
    some = still is not None and len(still) > 0
    found = linprog(
        -toward.sum(axis=0),
        A_ub=np.vstack([toward, -toward]),
        b_ub=np.concatenate([np.ones(n), np.zeros(n)]),
        A_eq=still if some else None,
        b_eq=np.zeros(len(still)) if still is not None and some else None,
        bounds=[(None, None)] * p,
    )
    assert found.status == 0
    return float(-found.fun)


def has_optimum(loss: str, table: Table) -> bool:
    """Whether gdfit says that there is an optimum."""
    frame = pd.DataFrame(table.X, columns=[f"x{j}" for j in range(table.X.shape[1])]).assign(y=table.y)
    options: dict[str, Any] = {"optimizer": "newton", "iterations": 1, "intercept": table.intercept}
    if table.weights is not None:
        frame["w"], options["weights"] = table.weights, "w"
    return fit(frame, target="y", loss=loss, **options).optimum.cost is not None


def compared(loss: str, seed: int, count: int) -> tuple[int, list[int]]:
    """Return how many of so many tables have no optimum, and the places of those of which gdfit says otherwise."""
    exact, without, wrong = {"logistic": is_separated, "poisson": is_endless}[loss], 0, []
    for place, table in zip(range(count), tables(loss, seed), strict=False):
        endless = exact(table)
        without += endless
        if endless == has_optimum(loss, table):
            wrong.append(place)
    return without, wrong


if __name__ == "__main__":
    print(*compared(sys.argv[1], 0, int(sys.argv[2])))
