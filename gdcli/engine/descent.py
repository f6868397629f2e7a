"""The loop: a generator of steps. What to step with and when to stop are values passed in.

θ may be one point (p,) or a stack of them (…, p) that descend side by side; then costs and rates are stacks too.
"""

import math
from collections.abc import Callable, Iterator
from enum import Enum
from typing import NamedTuple

from gdcli.engine.arrays import Array
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

    ``state`` is the optimizer's, before it goes on from there, and ``learning_rate`` the rate with which it does.
    """

    iteration: int
    theta: Array
    cost: Array
    gradient: Array
    stopped: Stopped | None
    state: OptimizerState = ()
    learning_rate: float | Array = 0.0

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

StopRule = Callable[[Step], Stopped | None]
"""Sees a step and says why it is the last one, or None."""


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
    """Yield the steps 0 (the start), 1, 2 … until a stop rule gives a reason; the last step carries this reason.

    ``schedule`` maps the iteration to its learning rate; ``state`` is the optimizer's if it goes on from an earlier
    descent. ``proximal`` follows each update; ``search`` may correct the schedule's rate. ``advance`` replaces the one
    update from a step to the next. Without a stop rule the steps never end.
    """

    def updated(step: Step) -> tuple[int, Array, OptimizerState]:
        update, after = optimizer.step(step.point, step.state, step.learning_rate)
        return step.iteration + 1, proximal(step.theta + update, step.learning_rate), after

    advance = advance or updated
    state = optimizer.init(theta) if state is None else state
    iteration = 0
    while True:
        step = Step(iteration, *objective.at(theta), None, state)
        step = step._replace(learning_rate=search(step, schedule(iteration)))
        for rule in stop_rules:
            stopped = rule(step)
            if stopped is not None:
                yield step._replace(stopped=stopped)
                return
        yield step
        iteration, theta, state = advance(step)


def after(iterations: int) -> StopRule:
    """The rule that stops at iteration number ``iterations``."""

    def rule(step: Step) -> Stopped | None:
        return Stopped.ITERATIONS if step.iteration >= iterations else None

    return rule


def when(asked: Callable[[], bool], reason: Stopped) -> StopRule:
    """The rule that stops for ``reason`` as soon as ``asked()`` is true; the request comes from outside the loop."""

    def rule(step: Step) -> Stopped | None:
        return reason if asked() else None

    return rule


def below(tolerance: float, steepest: Callable[[Array, Array], Array] = lambda theta, gradient: gradient) -> StopRule:
    """The rule that stops if the Euclidean norm of the scaled problem's gradient is below the tolerance.

    ``steepest`` of (θ, gradient) is the shortest subgradient, where the cost has corners.
    """

    def rule(step: Step) -> Stopped | None:
        slope = steepest(step.theta, step.gradient)
        return Stopped.TOLERANCE if math.sqrt(slope @ slope) < tolerance else None

    return rule


def divergence(smallest_scale: float) -> StopRule:
    """The rule that stops if the cost is not finite, or far above the starting cost.

    ``smallest_scale`` stands in for a starting cost that is practically zero (in squared scaled units).
    """
    limit = math.inf

    def rule(step: Step) -> Stopped | None:
        nonlocal limit
        if step.iteration == 0:
            limit = DIVERGENCE_FACTOR * max(float(step.cost), smallest_scale)
        return None if step.cost <= limit else Stopped.DIVERGED

    return rule
