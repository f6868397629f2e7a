"""Schedules: functions from the iteration to the learning rate. They compose by wrapping one another.

Row k of a descent has the rate with which it goes on to row k + 1; the first row is 0.
"""

import math
from collections.abc import Callable

from gdcli.base.errors import UsageError
from gdcli.base.records import record
from gdcli.engine.arrays import Array
from gdcli.engine.catalog import unknown
from gdcli.engine.parameter import Parameter

Schedule = Callable[[int], float | Array]

CONSTANT = "constant"


def constant(learning_rate: float | Array) -> Schedule:
    """One rate for every iteration; for a stack of descents, an array of them that broadcasts over θ."""

    def schedule(iteration: int) -> float | Array:
        return learning_rate

    return schedule


def inverse(rates: Schedule, decay: float) -> Schedule:
    """The schedule η/(1 + R·k), R being ``decay``: half the rate after 1/R iterations."""
    return lambda k: rates(k) / (1.0 + decay * k)


def exponential(rates: Schedule, factor: float) -> Schedule:
    """The schedule η·Rᵏ, R being ``factor``."""
    return lambda k: rates(k) * factor**k


def step(rates: Schedule, factor: float, every: int) -> Schedule:
    """The schedule η·R^⌊k/K⌋: times R (``factor``) after each K (``every``) iterations."""
    return lambda k: rates(k) * factor ** (k // every)


def cosine(rates: Schedule, iterations: int) -> Schedule:
    """η·½(1 + cos(π·k/n)): from η to 0 at iteration n, and 0 from there (Loshchilov & Hutter, SGDR, ICLR 2017)."""
    return lambda k: rates(k) * 0.5 * (1.0 + math.cos(math.pi * min(k / max(iterations, 1), 1.0)))


def later(rates: Schedule, by: int) -> Schedule:
    """The schedule ``rates`` as if begun ``by`` iterations ago: for a descent that is resumed."""
    return lambda k: rates(k + by)


@record
class ScheduleKind:
    """A schedule of the command line. ``wrap(rates, iterations, *parameters)`` is the schedule itself."""

    parameters: tuple[Parameter, ...]
    wrap: Callable[..., Schedule]


_FACTOR = Parameter("R", "a number above 0 and at most 1", lambda factor: 0.0 < factor <= 1.0)
_DECAY = Parameter("R", "a number above 0", lambda decay: decay > 0.0)
_EVERY = Parameter("K", "a whole number above 0", lambda every: every > 0, whole=True)

SCHEDULES: dict[str, ScheduleKind] = {
    CONSTANT: ScheduleKind((), lambda rates, n: rates),
    "inverse": ScheduleKind((_DECAY,), lambda rates, n, R: inverse(rates, R)),
    "exponential": ScheduleKind((_FACTOR,), lambda rates, n, R: exponential(rates, R)),
    "step": ScheduleKind((_FACTOR, _EVERY), lambda rates, n, R, K: step(rates, R, K)),
    "cosine": ScheduleKind((), lambda rates, n: cosine(rates, n)),
}


def parse_schedule(word: str) -> tuple[str, tuple[float, ...]]:
    """The schedule's name and its parameters, from a word such as ``name:R:K``. Raises UsageError for others."""
    name, *texts = word.split(":")
    if name not in SCHEDULES:
        raise unknown("schedule", name)
    wanted = SCHEDULES[name].parameters
    form = ":".join([name, *(parameter.name for parameter in wanted)])
    if len(texts) != len(wanted):
        raise UsageError(f"this schedule is written {form}, not {word!r}")
    numbers = []
    for parameter, text in zip(wanted, texts, strict=True):
        try:
            numbers.append(parameter.read(text))
        except (ValueError, OverflowError):
            raise UsageError(f"the {parameter.name} of {form} is {parameter.wanted}, not {text!r}") from None
    return name, tuple(numbers)
