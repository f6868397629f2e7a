"""Penalised least squares written out: plain coordinate descent on standardised columns."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

HOUSING = Path(__file__).resolve().parents[2] / "sample_data" / "housing.csv"
FEATURES = ("sqft", "beds", "baths", "latitude", "longitude")


class Standardized(NamedTuple):
    """The housing data: columns less their means over their sample deviations, the target over its own."""

    Z: np.ndarray
    t: np.ndarray
    widths: np.ndarray
    means: np.ndarray
    unit: float


def standardized() -> Standardized:
    table = pd.read_csv(HOUSING)
    X, y = table[list(FEATURES)].to_numpy(float), table["price"].to_numpy(float)
    means, widths, unit = X.mean(axis=0), X.std(axis=0, ddof=1), float(y.std(ddof=1))
    return Standardized((X - means) / widths, y / unit, widths, means, unit)


def solved(data: Standardized, l2: float, l1: float) -> np.ndarray:
    """The slopes (p,) of the smallest mean square + A·Σβ² + B·Σ|β|, by coordinate descent to rounding.

    For one slope at a time, ∂/∂βⱼ = 0 is βⱼ = S(rⱼ, B/2)/(Gⱼⱼ + A), with the soft threshold S (Friedman, Hastie,
    Höfling & Tibshirani, Pathwise coordinate optimization, Ann. Appl. Stat. 1, 2007).
    """
    n, p = data.Z.shape
    G, r = data.Z.T @ data.Z / n, data.Z.T @ (data.t - data.t.mean()) / n
    slopes = np.zeros(p)
    for _ in range(2000):
        for j in range(p):
            rest = r[j] - G[j] @ slopes + G[j, j] * slopes[j]
            slopes[j] = np.sign(rest) * max(abs(rest) - l1 / 2, 0.0) / (G[j, j] + l2)
    return slopes


def cost(data: Standardized, slopes: np.ndarray, c: float, l2: float, l1: float) -> float:
    """The penalised cost, in squared target units."""
    error = data.t - c - data.Z @ slopes
    return float((error**2).mean() + l2 * (slopes**2).sum() + l1 * np.abs(slopes).sum()) * data.unit**2


def descended(data: Standardized, l2: float, l1: float, rate: float, iterations: int) -> list[tuple[float, np.ndarray]]:
    """Intercept and slopes at every iteration of θ ← S(θ − η∇, η·B), from zero."""
    n = len(data.t)
    c, slopes, path = 0.0, np.zeros(data.Z.shape[1]), []
    for _ in range(iterations + 1):
        path.append((c, slopes))
        error = data.t - c - data.Z @ slopes
        moved = slopes - rate * (-2 / n * (data.Z.T @ error) + 2 * l2 * slopes)
        c, slopes = c + rate * 2 * error.mean(), np.sign(moved) * np.maximum(np.abs(moved) - rate * l1, 0.0)
    return path
