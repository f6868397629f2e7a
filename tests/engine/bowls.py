"""Quadratics to descend on, as explicit Hessians."""

from typing import NamedTuple

import numpy as np

from gdcli.engine.objective import Point
from gdcli.engine.spectrum import Spectrum

_UNKNOWN = np.float64(np.nan)


class Bowl(NamedTuple):
    """cost = ½(θ − θ*)ᵀH(θ − θ*) + 1, written out."""

    hessian: np.ndarray
    best: np.ndarray

    def at(self, theta: np.ndarray) -> Point:
        gradient = (theta - self.best) @ self.hessian
        return Point(theta, 0.5 * np.vecdot(theta - self.best, gradient) + 1.0, gradient)

    def value(self, theta: np.ndarray) -> np.ndarray:
        return self.at(theta).cost

    def gap(self, theta: np.ndarray) -> float:
        return float(self.at(theta).cost) - 1.0

    def newton(self, point: Point) -> np.ndarray:
        return self.spectrum.solve(point.gradient)

    @property
    def spectrum(self) -> Spectrum:
        """Of a start at zero."""
        values, vectors = np.linalg.eigh(self.hessian)
        return Spectrum(values[::-1], vectors.T[::-1], vectors.T[::-1] @ -self.best)


def slope(gradient: np.ndarray) -> Point:
    """A point of which nothing is known but its gradient."""
    return Point(np.zeros(gradient.shape), _UNKNOWN, gradient)


def bowl(eigenvalues: list[float], seed: int = 0) -> Bowl:
    """A bowl with these eigenvalues, turned any way, and its lowest point anywhere."""
    random = np.random.default_rng(seed)
    p = len(eigenvalues)
    turn = np.linalg.qr(random.normal(size=(p, p)))[0]
    return Bowl(turn @ np.diag(eigenvalues) @ turn.T, random.normal(size=p))


BOWLS = {
    "one parameter": bowl([2.0]),
    "round": bowl([1.0, 1.0, 1.0]),
    "condition number 3": bowl([3.0, 2.0, 1.5, 1.0], 1),
    "condition number 100": bowl([20.0, 5.0, 1.0, 0.2], 2),
    "condition number 1000": bowl([1.0, 0.1, 1e-3], 3),
}
