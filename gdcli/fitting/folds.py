"""The folds of a cross-validation side by side: a problem without each fold, judged by its rows."""

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np

from gdcli.base.errors import DataError
from gdcli.base.records import NamedTuple
from gdcli.engine.arrays import Array
from gdcli.engine.objective import Objective, Point
from gdcli.engine.optimizers import NewtonDirection
from gdcli.engine.penalty import Penalty, penalized
from gdcli.engine.quadratic import SquaredError
from gdcli.engine.scaling import stacked
from gdcli.engine.spectrum import Spectrum
from gdcli.engine.triangle import Triangle, merge
from gdcli.fitting.problem import Problem
from gdcli.ingest.read import Dataset


class Folds(NamedTuple):
    """The problems without each fold as functions of θ (candidates, folds, p): the ``objective``, the mean loss over
    the fold's rows (``judged``, in the cost's units), and the direction of ``newton``'s method.
    """

    objective: Objective
    judged: Callable[[Array], Array]
    newton: NewtonDirection


def lacking_rows(reading: Dataset) -> str | None:
    """The reason why there are too few rows for the folds, None if there are enough."""
    counts = [fold.count for fold in reading.reduced.folds]
    if not all(counts):
        return f"--cv {len(counts)} leaves fold {counts.index(0) + 1} without a row: make fewer folds"
    fewest = sum(counts) - max(counts)
    return f"--cv {len(counts)} leaves {fewest} row to fit: there are too few rows" if fewest < 2 else None


def training_rows(reading: Dataset) -> list[Triangle]:
    """The triangles of all rows but each fold's. Raises DataError for too few rows."""
    if reason := lacking_rows(reading):
        raise DataError(reason)
    folds = reading.reduced.folds
    return [reduce(merge, [*folds[:i], *folds[i + 1 :]]) for i in range(len(folds))]


def folds_of_triangles(
    reading: Dataset, problems: Sequence[Problem], penalty: Penalty, spectra: Sequence[Sequence[Spectrum]]
) -> Folds:
    """The folds of a squared error; ``spectra`` (candidates, folds) are for Newton's method only."""
    held = [problem.scaled(fold) for fold, problem in zip(reading.reduced.folds, problems, strict=True)]
    judged, scales = SquaredError(stacked(held)), np.array([problem.cost_scale for problem in problems])

    def newton(point: Point) -> Array:
        pairs = zip(spectra, point.gradient, strict=True)
        return np.array([[one.solve(own) for one, own in zip(*pair, strict=True)] for pair in pairs])

    objective = penalized(SquaredError(stacked([problem.data for problem in problems])), penalty)
    return Folds(objective, lambda theta: judged.value(theta) * scales, newton)
