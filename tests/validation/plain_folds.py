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


def descend(table: Table, held: np.ndarray, rate: float, iterations: int, scale: str = "standard") -> Descended:
    """Fit the rows that are not ``held`` by a plain loop, scaled by themselves alone; validate on the others."""
    X, y, w = table.X[~held], table.y[~held], table.w[~held]
    counted = w > 0
    N, n = w.sum(), np.longdouble(counted.sum())
    p = X.shape[1]

    def deviation(values: np.ndarray) -> np.longdouble:
        apart = values - (w @ values) / N
        return np.sqrt((w @ apart**2) / N * n / (n - 1))

    center, width, unit = np.zeros(p, np.longdouble), np.ones(p, np.longdouble), deviation(y)
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
        error, missed = table.y[~held] - X @ slopes - offset, table.y[held] - table.X[held] @ slopes - offset
        weight = table.w[held]
        found.append((slopes, offset, (w @ error**2) / N, (weight @ missed**2) / weight.sum()))
        residual = y / unit - Z @ m - c
        m, c = m + rate * 2 / N * (Z.T @ (w * residual)), c + rate * 2 / N * (w @ residual)
    m_all, c_all, costs, validation = zip(*found, strict=True)
    return Descended(np.array(m_all), np.array(c_all), np.array(costs), np.array(validation))
