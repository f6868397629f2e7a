"""Folds and descents written out over the rows, in extended precision, and nothing of gdfit's own."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MISSING = ("", "NA")


@dataclass
class Table:
    """The complete rows of some files: terms by column, and the draw (n,) that decides on each row's fold."""

    names: list[str]
    X: np.ndarray
    y: np.ndarray
    w: np.ndarray
    draws: np.ndarray


def documented_draws(seed: int, file: int, block: int, rows: int) -> np.ndarray:
    """What the documentation of ``gdcli.draws`` says, word for word."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, block, file])).random(rows)


def block_of_each_row(path: str, block_bytes: int) -> list[int]:
    """Blocks end with the first row that ends at or after a multiple of the block's size, counted from the header."""
    _, *lines = Path(path).read_bytes().splitlines(keepends=True)
    found, block, end = [], 0, 0
    starts = {}
    for line in lines:
        starts.setdefault(block, end)
        found.append(block)
        end += len(line)
        limit = (starts[block] // block_bytes + 1) * block_bytes
        if end >= limit:
            block += 1
    return found


def read_table(
    paths: Sequence[str],
    target: str,
    text: Sequence[str] = (),
    weights: str | None = None,
    seed: int = 0,
    block_bytes: int = 8 << 20,
    draw: Callable[[int, int, int, int], np.ndarray] = documented_draws,
) -> Table:
    """Read CSV files; each row draws a number, and then those with a missing cell are dropped."""
    rows: list[dict[str, str]] = []
    drawn: list[float] = []
    for file, path in enumerate(paths):
        with open(path, newline="", encoding="utf-8") as stream:
            found = list(csv.DictReader(stream))
        blocks = np.array(block_of_each_row(path, block_bytes))
        for block in range(blocks.max() + 1):
            drawn += draw(seed, file, block, int((blocks == block).sum())).tolist()
        rows += found
    complete = [not any(row[name] in MISSING for name in rows[0]) for row in rows]
    draws = np.array(drawn)[complete]
    rows = [row for row, whole in zip(rows, complete, strict=True) if whole]
    names: list[str] = []
    columns: list[np.ndarray] = []
    for name in rows[0]:
        if name in (target, weights):
            continue
        if name in text:
            for level in sorted({row[name] for row in rows})[1:]:
                names.append(f"{name}[{level}]")
                columns.append(np.array([row[name] == level for row in rows], dtype=np.longdouble))
        else:
            names.append(name)
            columns.append(np.array([float(row[name]) for row in rows], dtype=np.longdouble))
    y = np.array([float(row[target]) for row in rows], dtype=np.longdouble)
    w = np.array([float(row[weights]) if weights else 1.0 for row in rows], dtype=np.longdouble)
    return Table(names, np.column_stack(columns), y, w, draws)


def fold_of(draws: np.ndarray, folds: int) -> np.ndarray:
    """The k-th of K folds has the rows that drew a number from k/K to below (k + 1)/K."""
    return np.array([sum(draw >= i / folds for i in range(1, folds)) for draw in draws])


@dataclass
class Descended:
    """At each iteration (k,): slopes (k, p) and intercept in file units, the cost, and that of the rows held out."""

    m: np.ndarray
    c: np.ndarray
    costs: np.ndarray
    validation: np.ndarray


Loss = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def squares(z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The loss of each row and its derivative by the prediction z."""
    return (y - z) ** 2, 2 * (z - y)


def huber(z: np.ndarray, y: np.ndarray, delta: float = 5.0) -> tuple[np.ndarray, np.ndarray]:
    r = np.abs(z - y)
    return np.where(r <= delta, r * r / 2, delta * (r - delta / 2)), np.clip(z - y, -delta, delta)


def logistic(z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.log1p(np.exp(z)) - y * z, 1 / (1 + np.exp(-z)) - y


def poisson(z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.exp(z) - y + y * (np.log(np.maximum(y, 1)) - z), np.exp(z) - y  # of counts


def quantile(z: np.ndarray, y: np.ndarray, tau: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    return np.where(y >= z, tau * (y - z), (tau - 1) * (y - z)), np.where(z > y, 1 - tau, -tau)


def gamma(z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return y / np.exp(z) - 1 + z - np.log(y), 1 - y / np.exp(z)


def descend(
    table: Table,
    held: np.ndarray,
    rate: float,
    iterations: int,
    scale: str = "standard",
    loss: Loss = squares,
    l2: float = 0.0,
    l1: float = 0.0,
) -> Descended:
    """Fit the rows that are not ``held`` by a plain loop, scaled by themselves alone; validate on the others.

    The target is scaled where the loss is of its difference from the prediction.
    """
    X, y, w = table.X[~held], table.y[~held], table.w[~held]
    counted = w > 0
    N, n = w.sum(), np.longdouble(counted.sum())
    p = X.shape[1]

    def deviation(values: np.ndarray) -> np.longdouble:
        apart = values - (w @ values) / N
        return np.sqrt((w @ apart**2) / N * n / (n - 1))

    center, width = np.zeros(p, np.longdouble), np.ones(p, np.longdouble)
    unit = deviation(y) if loss in (squares, huber, quantile) else np.longdouble(1)
    divisor = np.longdouble(1) if loss is quantile else unit  # squares grow with the unit's square, a quantile's as it
    constant = X[counted].min(axis=0) == X[counted].max(axis=0)
    for j in np.flatnonzero(~constant):
        if scale == "standard":
            center[j], width[j] = (w @ X[:, j]) / N, deviation(X[:, j])
        else:
            center[j], width[j] = X[counted, j].min(), np.ptp(X[counted, j])
    Z = np.where(constant, 0.0, (X - center) / width)
    m, c = np.zeros(p, np.longdouble), np.longdouble(0)
    found = []
    for _ in range(iterations + 1):
        slopes = np.where(constant, 0.0, m * unit / width)
        offset = c * unit - slopes @ center
        weight = table.w[held]
        value, slope = loss(X @ slopes + offset, y)
        missed, _ = loss(table.X[held] @ slopes + offset, table.y[held])
        found.append((slopes, offset, (w @ value) / N, (weight @ missed) / weight.sum()))
        pull = w * slope / divisor / N
        m, c = m - rate * (Z.T @ pull + 2 * l2 * m), c - rate * pull.sum()
        m = np.sign(m) * np.maximum(np.abs(m) - rate * l1, 0)
    m_all, c_all, costs, validation = zip(*found, strict=True)
    return Descended(np.array(m_all), np.array(c_all), np.array(costs), np.array(validation))
