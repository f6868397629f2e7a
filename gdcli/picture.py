"""The numbers of a fit's picture: what was gathered of the descent, some of the points, and the cost as a surface."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdcli.engine.triangle import Array

# Lines are drawn after so many iterations: 0, then each power of ten, and the last.
_LINES_BASE = 10


@dataclass(frozen=True, slots=True)
class Surface:
    """The cost over slope m and intercept c of a fit with one term, exactly and in the units of the file:

        cost(m, c) = cost* + (Δc + µ·Δm)² + s²·Δm²      Δm = m − m*, Δc = c − c*

    with the mean µ and the variance s² (over n, weighted) of the term's column, and in s² what the penalty A·β² adds
    to the curvature. Without an intercept Δc = 0.
    """

    slope: float
    intercept: float
    cost: float
    mean: float
    variance: float

    def gap(self, m: Array | float, c: Array | float) -> Array:
        """Return how far the cost at m and c is above the optimum's, in squared target units."""
        dm, dc = np.asarray(m) - self.slope, np.asarray(c) - self.intercept
        gap: Array = (dc + self.mean * dm) ** 2 + self.variance * dm**2
        return gap

    def level(self, gap: float, corners: int) -> tuple[Array, Array]:
        """Return the m and c (corners,) on which the gap has this value: an ellipse, closed."""
        angle = np.linspace(0.0, 2.0 * np.pi, corners)
        radius = np.sqrt(gap)
        dm = radius * np.cos(angle) / np.sqrt(self.variance)
        return self.slope + dm, self.intercept + radius * np.sin(angle) - self.mean * dm


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A descent at k of its iterations: the first hundred, then ever fewer, and the last.

    ``costs`` and ``gaps`` (k,) are in squared target units, ``slopes`` (k, p) and ``intercepts`` (k,) in file units;
    ``standardized`` (k, p) are the slopes times their column's standard deviation over the target's (over 1 for a
    constant target), and ``standardized_optimum`` (p,) the optimum's. ``validation`` (k,) are the costs on the rows
    held out. With one term there are the smallest and the largest value of its column, the cost's ``surface``, and
    ``points`` (n, 2), a random sample of the rows fitted: term and target. None is what does not exist.
    """

    terms: tuple[str, ...]
    iterations: NDArray[np.int64]
    costs: Array
    gaps: Array
    slopes: Array
    intercepts: Array | None
    standardized: Array
    standardized_optimum: Array
    validation: Array | None
    span: tuple[float, float] | None
    surface: Surface | None
    points: Array | None

    @property
    def lines(self) -> list[int]:
        """The places of iterations 0, 1, 10, 100 … and the last."""
        wanted, power, last = [0], 1, int(self.iterations[-1])
        while power < last:
            wanted.append(power)
            power *= _LINES_BASE
        places = np.searchsorted(self.iterations, [*wanted, last])
        return sorted(set(places.tolist()))
