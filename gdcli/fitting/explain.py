"""The first iterations of a fit in numbers, as a teacher would write them on the board.

Everything follows from the triangle: with the errors e = y − ŷ of all rows, ∂cost/∂mⱼ = −2 · mean(e·xⱼ) and
∂cost/∂c = −2 · mean(e). Only the few rows that are shown one by one are rows of the file.
"""

from itertools import pairwise

import numpy as np

from gdcli.engine import schedules
from gdcli.engine.arrays import Array
from gdcli.engine.column import Column
from gdcli.engine.descent import Step, after, descend
from gdcli.engine.optimizers import GradientDescent
from gdcli.engine.quadratic import SquaredError
from gdcli.fitting.problem import Problem
from gdcli.fitting.results import INTERCEPT, ExplainedRow, ExplainedStep, ExplainedTerm, Explanation
from gdcli.ingest.aggregate import Points

EXPLAINED_ITERATIONS = 3


def explain(problem: Problem, head: Points | None, rate: float, iterations: int) -> Explanation:
    """The arithmetic of a fit's first few ``iterations`` on the scaled problem, row by row for those in ``head``."""
    steps = list(
        descend(
            SquaredError(problem.quadratic),
            GradientDescent(),
            schedules.constant(rate),
            problem.start,
            (after(min(EXPLAINED_ITERATIONS, iterations)),),
        )
    )
    scaling = problem.scaling
    X, y = _scaled(problem, head)
    return Explanation(
        scale=scaling.kind,
        target_scale=scaling.target_scale,
        learning_rate=rate,
        rows=problem.triangle.count,
        weighted=problem.triangle.weight != problem.triangle.count,
        iterations=iterations,
        terms=problem.labels,
        steps=tuple(_step(problem, X, y, now, then, rate) for now, then in pairwise(steps)),
    )


def _step(problem: Problem, X: Array, y: Array, now: Step, then: Step, rate: float) -> ExplainedStep:
    names = [*problem.labels, *([INTERCEPT] if problem.scaling.intercept else [])]
    first = 1 if problem.scaling.intercept else 0
    order = [*range(first, len(now.theta)), *range(first)]  # slopes first, then the intercept
    prediction = X @ now.theta[first:] + (now.theta[0] if first else 0.0)
    return ExplainedStep(
        iteration=then.iteration,
        rows=tuple(
            ExplainedRow(tuple(x), float(target), float(predicted), float(target - predicted))
            for x, target, predicted in zip(X.tolist(), y, prediction, strict=True)
        ),
        terms=tuple(
            ExplainedTerm(
                term=names[i],
                value=float(now.theta[place]),
                mean_error_product=float(now.gradient[place]) / -2.0,
                gradient=float(now.gradient[place]),
                step=float(rate * now.gradient[place]),
                updated=float(then.theta[place]),
            )
            for i, place in enumerate(order)
        ),
        cost_before=float(now.cost),
        cost_after=float(then.cost),
    )


def _scaled(problem: Problem, head: Points | None) -> tuple[Array, Array]:
    """The first rows' columns (k, p) and targets (k,) as the descent sees them; none from a summary."""
    p = len(problem.terms.columns)
    if head is None:
        return np.zeros((0, p)), np.zeros(0)

    def values(column: Column) -> Array:
        return problem.values(column, head.columns, head.X)

    X = np.column_stack([values(column) for column in problem.terms.columns]) if p else np.zeros((len(head.X), 0))
    scaled = problem.scaling.centered(X) / problem.scaling.scale
    return scaled, values(problem.triangle.columns[-1]) / problem.scaling.target_scale
