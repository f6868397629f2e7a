"""The start of a descent that goes on where an earlier one ended."""

from collections.abc import Sequence

import numpy as np

from gdcli.base.errors import DataError
from gdcli.base.names import listed
from gdcli.base.records import record, replace
from gdcli.engine import spectrum as spectra
from gdcli.engine.column import Column
from gdcli.engine.optimizers import OptimizerState
from gdcli.fitting.options import FitOptions
from gdcli.fitting.problem import Problem

# The same rows give the same means, deviations and cost up to the rounding of another machine.
_SAME = 1e-9


@record
class Start:
    """The end of an earlier descent: ``slopes`` of its ``terms`` and the ``intercept``, in the units of the file.

    ``theta`` are the parameters in scaled units, the intercept first, and ``scaling`` the centre and the scale of each
    term and the target's scale; both are empty if they are not known, as of a group. ``memory`` is the optimizer's.
    ``rate`` is the last learning rate, ``cost`` in the cost's units.
    """

    terms: tuple[Column, ...]
    slopes: tuple[float, ...]
    intercept: float
    theta: tuple[float, ...]
    scaling: tuple[float, ...]
    memory: tuple[tuple[float, ...], ...]
    iteration: int
    rate: float
    cost: float


def continued(problem: Problem, start: Start, options: FitOptions) -> Problem:
    """The problem with the earlier descent's parameters as its start. Raises DataError if the data differ."""
    scaling, terms = problem.scaling, problem.terms.columns
    slopes = dict(zip(start.terms, start.slopes, strict=True))
    # A group has no slope for a term that it lacks.
    there = tuple(term for term, slope in slopes.items() if slope or term in terms or start.scaling)
    if there != terms:
        which = listed(sorted(term.label for term in {*there} ^ {*terms}), 5) or "another order"
        raise DataError(f"--resume: the model has other terms than these data: {which}")
    m = np.array([slopes[term] for term in terms])
    theta = np.array(start.theta) if start.theta else scaling.to_scaled(m, start.intercept)
    if len(theta) != len(problem.start):
        raise DataError("--resume: the model has another number of terms than these data")
    ours = np.array([*scaling.center, *scaling.scale, scaling.target_scale])
    theirs = np.array(start.scaling) if start.scaling else ours
    cost = float(problem.objective.value(theta)) * problem.cost_scale
    # A mean close to zero is judged against its deviation.
    slack = np.concatenate([scaling.scale, np.zeros(len(scaling.scale) + 1)])
    same_scaling = np.all(np.abs(ours - theirs) <= _SAME * (np.abs(theirs) + slack))
    if not same_scaling or abs(cost - start.cost) > _SAME * (problem.mean_square + cost):
        raise DataError("--resume: the model was fitted to other data; for new rows fit all of them again")
    distance = theta - problem.optimum.theta
    rank = len(problem.spectrum.eigenvalues)
    return replace(
        problem,
        start=theta,
        spectrum=spectra.spectrum(problem.quadratic, rank, distance),
        before=start.iteration,
        trial=start.rate,  # it was accepted here, so a search accepts it again
        state=_memory(start.memory, options.descent.optimizer.rule.init(theta)),
    )


def _memory(rows: Sequence[Sequence[float]], like: OptimizerState) -> OptimizerState:
    """The optimizer's memory. Raises DataError if it does not have its initial form."""
    if [len(row) for row in rows] != [len(row) for row in like]:
        raise DataError("the model is damaged or was edited by hand: its optimizer's memory is not complete")
    return tuple(np.array(row) for row in rows)
