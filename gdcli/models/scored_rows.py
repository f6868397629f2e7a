"""A sample of scored rows, and the spread of their residuals."""

import numpy as np

from gdcli.base.records import NamedTuple
from gdcli.engine.arrays import Array


class Spread(NamedTuple):
    """The residuals, target − prediction: their extremes, and their quartiles (of a sample, if ``sampled``)."""

    minimum: float
    first_quartile: float
    median: float
    third_quartile: float
    maximum: float
    sampled: bool


class ScoredRows(NamedTuple):
    """A sample of k scored rows, chosen by ``draws``: arrays (k,), of which ``z`` are the linear predictions."""

    draws: Array
    z: Array
    prediction: Array
    y: Array
    weights: Array

    def smallest(self, most: int) -> "ScoredRows":
        """The sample of at most ``most`` rows, those with the smallest draws, in their order."""
        if len(self.draws) <= most:
            return self
        kept = np.sort(np.argpartition(self.draws, most)[:most])
        return ScoredRows(*(part[kept] for part in self))

    def with_(self, later: "ScoredRows") -> "ScoredRows":
        """The sample of the rows of both, as many as a sample may have at most."""
        both = ScoredRows(*(np.concatenate(parts) for parts in zip(self, later, strict=True)))
        return both.smallest(SAMPLE_ROWS)

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """The three quartiles of the residuals, target − prediction.

        Without weights they are interpolated, as by NumPy; with weights each is the first residual that reaches its
        share.
        """
        residual, shares = self.y - self.prediction, (0.25, 0.5, 0.75)
        if (self.weights == self.weights[0]).all():
            first, median, third = np.quantile(residual, shares).tolist()
            return first, median, third
        order = np.argsort(residual, kind="stable")
        reached = np.cumsum(self.weights[order])
        places = np.searchsorted(reached, np.asarray(shares) * reached[-1] * (1 - 1e-15))
        first, median, third = (float(residual[order[min(place, len(order) - 1)]]) for place in places.tolist())
        return first, median, third


# Rows of the sample that quartiles and pictures are made of: up to that many rows both are those of all.
SAMPLE_ROWS = 10_000

NO_ROWS = ScoredRows(*(np.empty(0) for _ in ScoredRows._fields))
