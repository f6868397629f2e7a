"""The triangle of a fit's design columns, handed over so that a descent on all rows can be repeated anywhere."""

import numpy as np

from gdcli.base.records import record
from gdcli.engine.arrays import Array
from gdcli.engine.column import Column
from gdcli.engine.triangle import square
from gdcli.fitting.problem import Problem

# A start given in the file's units is scaled and back; what that adds is beyond these digits.
_START_DIGITS = 15


@record(eq=False)
class Lesson:
    """The rows of a squared error as numbers that stand for all of them, in the units of the file.

    ``R`` (q, q) is the triangle of the design ``columns`` and, last, the target, each less its mean, which is ``mean``
    + ``mean_low`` (q,); ``minimum`` and ``maximum`` (q,) are over the rows fitted. ``weight`` is the sum of their
    weights, ``count`` the number of rows of positive weight, and ``l2`` the penalty's weight. The descent began at
    ``start_slopes`` (q − 1,) and ``start_intercept``. ``points`` (n, 2) are a sample of the rows, term and target, None
    unless there is one term.
    """

    columns: tuple[Column, ...]
    R: Array
    mean: Array
    mean_low: Array
    minimum: Array
    maximum: Array
    weight: float
    count: int
    intercept: bool
    l2: float
    start_slopes: tuple[float, ...]
    start_intercept: float
    points: Array | None


def lesson_of(problem: Problem, points: Array | None) -> Lesson:
    """The lesson on a squared-error problem, with a sample of ``points`` (n, 2) or None."""
    triangle = problem.triangle
    mean = triangle.mean.astype(np.float64)
    slopes, intercept = problem.scaling.to_file(problem.start)
    return Lesson(
        columns=problem.terms.columns,
        R=square(triangle.R)[1:, 1:].astype(np.float64),
        mean=mean,
        mean_low=triangle.mean_from(mean).astype(np.float64),
        minimum=triangle.minimum,
        maximum=triangle.maximum,
        weight=triangle.weight,
        count=triangle.count,
        intercept=problem.scaling.intercept,
        l2=float(problem.penalty.l2),
        start_slopes=tuple(map(_written, slopes.tolist())),
        start_intercept=_written(float(intercept)),
        points=points,
    )


def _written(value: float) -> float:
    return float(f"{value:.{_START_DIGITS}g}")
