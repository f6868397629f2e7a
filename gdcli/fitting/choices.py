"""Words of the command line that stand for a loss, an optimizer, a schedule or a learning rate, parsed once.

Each choice keeps its ``word``, which results and models quote as it was given.
"""

import math
from enum import Enum
from typing import Any

from gdcli.base.errors import UsageError
from gdcli.base.records import NamedTuple, record
from gdcli.engine.arrays import Array
from gdcli.engine.catalog import SQUARED
from gdcli.engine.losses import parse_loss
from gdcli.engine.losses.contract import Domain, Loss
from gdcli.engine.optimizers import OPTIMIZERS, NewtonDirection, Optimizer, OptimizerKind, parse_optimizer
from gdcli.engine.schedules import CONSTANT, SCHEDULES, Schedule, constant, later, parse_schedule


class RateRule(Enum):
    """How a learning rate is found if none is given: the best one by forecast, or one for each iteration by search."""

    AUTO = "auto"
    SEARCH = "search"


class LossChoice(NamedTuple):
    """A loss, and its parameter if one was given (None: the loss's default for the data)."""

    word: str
    kind: type[Loss]
    parameter: float | None

    @classmethod
    def of(cls, word: str) -> "LossChoice":
        """The loss choice that a word names. Raises UsageError for an unknown word."""
        return cls(word, *parse_loss(word))

    @property
    def needs_rows(self) -> bool:
        """Whether the loss is computed from the rows; a squared error needs only their triangle."""
        return self.kind.name != SQUARED

    @property
    def classes(self) -> bool:
        """Whether the target has two classes."""
        return self.kind.domain is Domain.CLASSES


@record
class OptimizerChoice:
    """An optimizer with its parameters."""

    word: str
    name: str
    parameters: tuple[float, ...]

    @classmethod
    def of(cls, word: str) -> "OptimizerChoice":
        """The optimizer choice that a word names. Raises UsageError for an unknown word."""
        return cls(word, *parse_optimizer(word))

    @property
    def rule(self) -> Optimizer:
        """The optimizer itself, without a problem's Newton direction."""
        return OPTIMIZERS[self.name](*self.parameters)

    def on(self, newton: NewtonDirection, intercept: bool) -> Optimizer:
        """The optimizer for a problem with this ``newton`` direction; ``intercept``: θ begins with one."""
        return OPTIMIZERS[self.name](*self.parameters, newton=newton, intercept=intercept)

    @property
    def kind(self) -> OptimizerKind:
        """The optimizer's kind: what its updates depend on."""
        return self.rule.kind

    @property
    def plain(self) -> bool:
        """Whether it is plain gradient descent."""
        return self.kind is OptimizerKind.GRADIENT


@record
class ScheduleChoice:
    """A schedule with its parameters."""

    word: str
    name: str
    parameters: tuple[float, ...]

    @classmethod
    def of(cls, word: str) -> "ScheduleChoice":
        """The schedule choice that a word names. Raises UsageError for an unknown word."""
        return cls(word, *parse_schedule(word))

    @property
    def constant(self) -> bool:
        """Whether the rate stays the same."""
        return self.name == CONSTANT

    def rates(self, first: float | Array, iterations: int, before: int = 0) -> Schedule:
        """The schedule from its ``first`` rate, over ``iterations`` after the ``before`` done already."""
        rates = SCHEDULES[self.name].wrap(constant(first), before + iterations, *self.parameters)
        return later(rates, before) if before else rates


def rate_of(value: Any) -> float | RateRule:
    """The learning rate that a value means: a number above 0, or the word of a rule. Raises UsageError."""
    if value in ("auto", "search"):
        return RateRule(value)
    if isinstance(value, int | float) and math.isfinite(value) and value > 0:
        return value
    raise UsageError(f"the learning rate is a number above 0, 'auto' or 'search', not {value!r}")
