"""Gradient descent written out over the rows, in extended precision, and nothing of gdfit's own."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

MISSING = {"", "NA"}


class Iteration(NamedTuple):
    """Slopes and intercept in the units of the file, and the mean squared error there."""

    m: np.ndarray
    c: np.longdouble
    cost: np.longdouble


class Rows(NamedTuple):
    """``X`` (n, p) over the terms ``names``, ``y`` and ``weights`` (n,), all in extended precision."""

    names: tuple[str, ...]
    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None


def read_rows(
    path: str | Path,
    target: str,
    features: Sequence[str] = (),
    text: Sequence[str] = (),
    weights: str | None = None,
    all_levels: bool = False,
) -> Rows:
    """Read a CSV with Python's csv module; rows with a missing cell are dropped, the first level is left out."""
    with open(path, newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    chosen = [name for name in table[0] if name not in (target, weights) and (not features or name in features)]
    used = [*chosen, target, *([weights] if weights else [])]
    table = [row for row in table if not any(row[name] in MISSING for name in used)]
    names: list[str] = []
    columns: list[np.ndarray] = []
    for name in chosen:
        if name in text:
            for level in sorted({row[name] for row in table})[0 if all_levels else 1 :]:
                names.append(f"{name}[{level}]")
                columns.append(np.array([row[name] == level for row in table], dtype=np.longdouble))
        else:
            names.append(name)
            columns.append(np.array([float(row[name]) for row in table], dtype=np.longdouble))
    y = np.array([float(row[target]) for row in table], dtype=np.longdouble)
    w = np.array([float(row[weights]) for row in table], dtype=np.longdouble) if weights else None
    return Rows(tuple(names), np.column_stack(columns), y, w)


def article(X: Sequence[float], y: Sequence[float], learning_rate: float, iterations: int) -> Iterator[Iteration]:
    """The article's function for one feature; each row has the cost at that row's m and c."""
    X, y = np.array(X), np.array(y)
    N = float(len(y))
    m = c = 0.0
    for iteration in range(iterations + 1):
        y_current = (m * X) + c
        cost = sum([data**2 for data in (y - y_current)]) / N
        yield Iteration(np.array([m]), c, cost)
        if iteration < iterations:
            m_gradient = -(2 / N) * sum(X * (y - y_current))
            c_gradient = -(2 / N) * sum(y - y_current)
            m = m - (learning_rate * m_gradient)
            c = c - (learning_rate * c_gradient)


def descend_rows(
    rows: Rows,
    learning_rate: float,
    iterations: int,
    scale: str = "standard",
    intercept: bool = True,
    start: tuple[Sequence[float], float] | None = None,
) -> Iterator[Iteration]:
    """Descend over the rows, in extended precision."""
    X, y = rows.X, rows.y
    n, p = X.shape
    w = np.ones(n, dtype=np.longdouble) if rows.weights is None else rows.weights
    N, counted = w.sum(), np.longdouble((w > 0).sum())
    center, width, target_width = np.zeros(p, np.longdouble), np.ones(p, np.longdouble), np.longdouble(1)
    mean = (w @ X) / N

    def deviation(values: np.ndarray) -> np.longdouble:
        difference = values - (w @ values) / N
        return np.sqrt((w @ difference**2) / N * counted / (counted - 1))

    def root_mean_square(values: np.ndarray) -> np.longdouble:
        return np.sqrt((w @ values**2) / N)

    if scale == "standard" and intercept:
        center, width = mean, np.array([deviation(X[:, j]) for j in range(p)])
    elif scale == "standard":
        width = np.array([root_mean_square(X[:, j]) for j in range(p)])
    elif scale == "minmax":
        center, width = X[w > 0].min(axis=0), X[w > 0].max(axis=0) - X[w > 0].min(axis=0)
    if scale != "none":
        target_width = deviation(y) if intercept else root_mean_square(y)
    scaled, target = (X - center) / width, y / target_width
    m, c = (np.array(start[0], np.longdouble), np.longdouble(start[1])) if start else (np.zeros(p, np.longdouble), 0)
    slopes, offset = m * width / target_width, (c + m @ center) / target_width
    rate = np.longdouble(learning_rate)
    for _ in range(iterations + 1):
        residual = target - scaled @ slopes - offset
        m = slopes * target_width / width
        c = offset * target_width - m @ center
        yield Iteration(m, c, (w @ residual**2) / N * target_width**2)
        slopes = slopes + rate * 2 / N * (scaled.T @ (w * residual))
        if intercept:
            offset = offset + rate * 2 / N * (w @ residual)
