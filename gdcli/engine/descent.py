"""The loop: a generator of steps. What to step with and when to stop are values passed in.

θ may be one point (p,) or a stack of them (…, p) that descend side by side; then costs and rates are stacks too.
"""

from collections.abc import Callable, Iterator
from enum import Enum
from typing import NamedTuple

import numpy as np

from gdcli.engine.arrays import Array, PerLane, over_columns
from gdcli.engine.objective import Objective, Point
from gdcli.engine.optimizers import Optimizer, OptimizerState
from gdcli.engine.schedules import Schedule

# A cost this many times the starting cost does not come back.
DIVERGENCE_FACTOR = 1e6


class Stopped(Enum):
    """Why a descent ended; the value is the word in the JSON."""

    ITERATIONS = "iterations"
    TOLERANCE = "tolerance"
    PATIENCE = "patience"
    DIVERGED = "diverged"
    INTERRUPTED = "interrupted"


class Step(NamedTuple):
    """Iteration k: θ after k updates, the cost and gradient *at* that θ; ``stopped`` is set on the last one.

    ``state`` is the optimizer's, before it goes on from there, and ``learning_rate`` the rate with which it does. Of
    lanes the last one has arrays (…): why each lane ``stopped``, and at which iteration it has ``ended``.
    """

    iteration: int
    theta: Array
    cost: Array
    gradient: Array
    stopped: PerLane
    state: OptimizerState = ()
    learning_rate: float | Array = 0.0
    ended: PerLane = None

    @property
    def point(self) -> Point:
        """θ, the cost and the gradient."""
        return Point(self.theta, self.cost, self.gradient)


Search = Callable[[Step, float | Array], float | Array]
"""Maps a step, and the rate that the schedule has for it, to the rate with which the descent goes on from there."""


def as_scheduled(step: Step, learning_rate: float | Array) -> float | Array:
    """The schedule's ``learning_rate``, unchanged."""
    return learning_rate


Proximal = Callable[[Array, float | Array], Array]
"""Maps θ (…, p) after an update, and its learning rate, to θ: the step of a penalty that has no gradient."""


def unchanged(theta: Array, learning_rate: float | Array) -> Array:
    """θ unchanged: the proximal step of a cost without corners."""
    return theta


Advance = Callable[[Step], tuple[int, Array, OptimizerState]]
"""Maps a step to the iteration of the next one, with θ and the optimizer's state there."""


class StopRule(NamedTuple):
    """A ``reason`` to stop, and the ``test`` of a step: whether it is the last one, of all lanes or of each (…)."""

    reason: Stopped
    test: Callable[[Step], PerLane]


class _Ends:
    """The ends of lanes: which are still ``running``, why each has stopped, and at which iteration."""

    def __init__(self, lanes: tuple[int, ...]) -> None:
        self.running = np.ones(lanes, dtype=bool)
        self._stopped, self._ended = np.full(lanes, None, dtype=object), np.zeros(lanes, dtype=np.int64)

    def seen(self, step: Step, stop_rules: tuple[StopRule, ...]) -> Step:
        """The step with the rate 0 in lanes that have ended: they stay where they are. Complete if all have."""
        for reason, test in stop_rules:
            ending = test(step) & self.running
            if ending.any():
                self._stopped[ending], self._ended[ending] = reason, step.iteration
                self.running &= ~ending
        if self.running.all():
            return step
        if not self.running.any():
            return step._replace(stopped=self._stopped, ended=self._ended)
        return step._replace(learning_rate=np.where(over_columns(self.running), step.learning_rate, 0.0))


def descend(
    objective: Objective,
    optimizer: Optimizer,
    schedule: Schedule,
    theta: Array,
    stop_rules: tuple[StopRule, ...],
    state: OptimizerState | None = None,
    proximal: Proximal = unchanged,
    search: Search = as_scheduled,
    advance: Advance | None = None,
) -> Iterator[Step]:
    """Yield the steps 0 (the start), 1, 2 … up to the one that a stop rule says is the last, which carries its reason.

    ``schedule`` maps the iteration to its learning rate; ``state`` is the optimizer's if it goes on from an earlier
    descent. ``proximal`` follows each update; ``search`` may correct the schedule's rate. ``advance`` replaces the one
    update from a step to the next. Without a stop rule the steps never end. Lanes end one by one, and stay where they
    ended until all have.
    """

    def updated(step: Step) -> tuple[int, Array, OptimizerState]:
        update, after = optimizer.step(step.point, step.state, step.learning_rate)
        return step.iteration + 1, proximal(step.theta + update, step.learning_rate), after

    advance = advance or updated
    state = optimizer.init(theta) if state is None else state
    ends = _Ends(theta.shape[:-1]) if theta.ndim > 1 else None
    iteration = 0
    while True:
        step = Step(iteration, *objective.at(theta), None, state)
        step = step._replace(learning_rate=search(step, schedule(iteration)))
        if ends is None:
            for reason, test in stop_rules:
                if test(step):
                    step = step._replace(stopped=reason)
                    break
        else:
            step = ends.seen(step, stop_rules)
        yield step
        if step.stopped is not None:
            return
        iteration, theta, state = advance(step)


def after(iterations: int) -> StopRule:
    """The rule that stops at iteration number ``iterations``."""
    return StopRule(Stopped.ITERATIONS, lambda step: step.iteration >= iterations)


def when(asked: Callable[[], bool], reason: Stopped) -> StopRule:
    """The rule that stops for ``reason`` as soon as ``asked()`` is true; the request comes from outside the loop."""
    return StopRule(reason, lambda step: asked())


def below(tolerance: float, steepest: Callable[[Array, Array], Array] = lambda theta, gradient: gradient) -> StopRule:
    """The rule that stops if the Euclidean norm of the scaled problem's gradient is below the tolerance.

    ``steepest`` of (θ, gradient) is the shortest subgradient, where the cost has corners.
    """

    def near(step: Step) -> PerLane:
        slope = steepest(step.theta, step.gradient)
        return np.sqrt(np.vecdot(slope, slope)) < tolerance

    return StopRule(Stopped.TOLERANCE, near)


def divergence(smallest_scale: PerLane) -> StopRule:
    """The rule that stops if the cost is not finite, or far above the starting cost.

    The first cost that is tested is the starting one. ``smallest_scale`` (…) stands in for it if it is practically zero
    (in squared scaled units).
    """
    limit: PerLane = None

    def lost(step: Step) -> PerLane:
        nonlocal limit
        if limit is None:
            limit = DIVERGENCE_FACTOR * np.maximum(step.cost, smallest_scale)
        return np.logical_not(step.cost <= limit)

    return StopRule(Stopped.DIVERGED, lost)
