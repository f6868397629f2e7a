"""The start of a descent that goes on where an earlier one ended."""

from collections.abc import Mapping, Sequence

import numpy as np

from gdcli.base.errors import DataError
from gdcli.base.names import listed
from gdcli.base.records import record, replace
from gdcli.engine import spectrum as spectra
from gdcli.engine.column import Column
from gdcli.engine.optimizers import OptimizerState
from gdcli.fitting.options import FitOptions
from gdcli.fitting.problem import Problem
from gdcli.fitting.results import DescentState

# The same rows give the same means, deviations and cost up to the rounding of another machine.
_SAME = 1e-9


@record
class Start:
    """The end of an earlier descent: its state, its last learning rate, and its cost in the cost's units."""

    state: DescentState
    rate: float
    cost: float

    def on(self, problem: Problem) -> "Start":
        """The start itself, whose state is on a problem's scale already."""
        return self


@record
class GroupStart:
    """The end of one group's earlier descent: its ``slopes`` by term and its ``intercept``, in the units of the file,
    and the optimizer's ``memory``, with the scaled parameters ``theta`` that belong to it (both empty if it has none).
    """

    slopes: Mapping[Column, float]
    intercept: float
    memory: tuple[tuple[float, ...], ...]
    theta: tuple[float, ...]
    iteration: int
    rate: float
    cost: float

    def on(self, problem: Problem) -> Start:
        """The start on a problem's scale. Raises DataError for coefficients of other terms."""
        scaling, terms = problem.scaling, problem.terms.columns
        odd = [term.label for term, slope in self.slopes.items() if slope and term not in terms]
        if odd:
            raise DataError(f"--resume: the model has other terms than these data: {listed(sorted(odd), 5)}")
        m = np.array([self.slopes.get(term, 0.0) for term in terms])
        theta = self.theta or tuple(scaling.to_scaled(m, self.intercept).tolist())
        if len(theta) != len(problem.start):
            raise DataError("--resume: the model has another number of terms than these data")
        state = DescentState(
            terms=tuple((term.name, term.level) for term in terms),
            center=tuple(scaling.center.tolist()),
            scale=tuple(scaling.scale.tolist()),
            target_scale=scaling.target_scale,
            theta=theta,
            iteration=self.iteration,
            optimizer=self.memory,
            levels={},
            missing_words=(),
            missing="",
            weights=None,
        )
        return Start(state, self.rate, self.cost)


def continued(problem: Problem, start: Start | GroupStart, options: FitOptions) -> Problem:
    """The problem with the earlier descent's parameters as its start. Raises DataError if the data differ."""
    start = start.on(problem)
    state, scaling = start.state, problem.scaling
    terms = tuple((term.name, term.level) for term in problem.terms.columns)
    if terms != state.terms:
        odd = [name if level is None else f"{name}[{level}]" for name, level in set(terms) ^ set(state.terms)]
        which = listed(sorted(odd), 5) or "another order"
        raise DataError(f"--resume: the model has other terms than these data: {which}")
    ours = np.array([*scaling.center, *scaling.scale, scaling.target_scale])
    theirs = np.array([*state.center, *state.scale, state.target_scale])
    theta = np.array(state.theta)
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
        before=state.iteration,
        trial=start.rate,  # it was accepted here, so a search accepts it again
        state=_memory(state.optimizer, options.descent.optimizer.rule.init(theta)),
    )


def _memory(rows: Sequence[Sequence[float]], like: OptimizerState) -> OptimizerState:
    """The optimizer's memory. Raises DataError if it does not have its initial form."""
    if [len(row) for row in rows] != [len(row) for row in like]:
        raise DataError("the model is damaged or was edited by hand: its optimizer's memory is not complete")
    return tuple(np.array(row) for row in rows)
