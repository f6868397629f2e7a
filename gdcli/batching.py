"""The steps of a fit on batches of its rows."""

from collections.abc import Callable

import numpy as np

from gdcli.engine.losses import Squared
from gdcli.engine.optimizers import Optimizer
from gdcli.engine.schedules import Schedule
from gdcli.engine.stochastic import Batches, BatchSteps
from gdcli.problem import Problem
from gdcli.reading import Reading
from gdcli.reduced import asked
from gdcli.rowproblem import RowProblem
from gdcli.rowview import view_of
from gdcli.settings import FitOptions
from gdcli.targets import target_of


def batch_steps(
    problem: Problem,
    reading: Reading,
    options: FitOptions,
    optimizer: Optimizer,
    rates: Schedule,
    pause: Callable[[int], bool],
) -> BatchSteps:
    """Return what goes through the epochs of a problem; ``pause`` of the iteration says whether to stop there."""
    assert options.batch_size is not None
    penalty, pull = problem.penalty, None
    if penalty.l2:
        pull = np.zeros_like(problem.start)
        penalty.slopes(pull)[...] = 2.0 * penalty.l2
    view = view_of(problem, target_of(reading, options), [0])
    batches = Batches(
        blocks=[rows for found in asked(reading.reduced.groups, view.blocks) for rows in found],
        loss=problem.function if isinstance(problem, RowProblem) else Squared(),
        intercept=problem.scaling.intercept,
        weight=problem.triangle.weight,
        unit=problem.scaling.target_scale,
        size=options.batch_size,
        seed=options.seed,
    )
    return BatchSteps(batches, optimizer, rates, options.iterations, problem.before, penalty.proximal, pull, pause)
