"""Everything that a fit can be told: small records of parsed values, which are trusted below this point."""

from collections.abc import Mapping
from itertools import product
from typing import Any, TypeVar

from gdcli.base.errors import UsageError
from gdcli.base.records import field, field_names, record
from gdcli.data.columns import ColumnOptions
from gdcli.data.csv.options import CSV_FIELDS, CsvOptions
from gdcli.data.memory import size_of
from gdcli.engine.arrays import Array
from gdcli.engine.catalog import ITERATIONS, SCALES, SQUARED
from gdcli.engine.descent import Search, as_scheduled
from gdcli.engine.objective import Objective
from gdcli.engine.optimizers import PLAIN_DESCENT, Optimizer
from gdcli.engine.penalty import Penalty
from gdcli.engine.schedules import CONSTANT, Schedule
from gdcli.fitting.choices import LossChoice, OptimizerChoice, RateRule, ScheduleChoice, rate_of
from gdcli.fitting.rules import check_together
from gdcli.ingest.plan import Plan
from gdcli.ingest.read import InputData, ReadOptions

OptionPart = TypeVar("OptionPart", "Machine", "ModelOptions", "DescentOptions", "Checks", "Show")


@record
class Machine:
    """The resources: ``jobs`` threads (None: all cores), ``memory`` bytes for kept rows (None: half of what is
    free), ``dask`` the address of a cluster that reads instead.
    """

    jobs: int | None = None
    memory: int | None = None
    dask: str | None = None


@record
class ModelOptions:
    """The cost to minimize. ``event`` is the class whose probability a logistic fit predicts, None for the second in
    order. ``l2`` and ``l1`` are the weights A and B of the penalty A·Σβ² + B·Σ|β| on the scaled problem: () is none,
    of several values ``cv`` chooses.
    """

    loss: LossChoice = field(default_factory=lambda: LossChoice.of(SQUARED))
    event: str | None = None
    l2: tuple[float, ...] = ()
    l1: tuple[float, ...] = ()
    intercept: bool = True
    scale: str = SCALES[0]

    @property
    def penalties(self) -> tuple[Penalty, ...]:
        """The penalties to choose from: each value of A with each of B, in the order given."""
        pairs = product(self.l2 or (0.0,), self.l1 or (0.0,))
        return tuple(Penalty(l2, l1, self.intercept) for l2, l1 in dict.fromkeys(pairs))

    @property
    def penalty(self) -> Penalty:
        """The penalty added to the cost, the first of several."""
        return self.penalties[0]


@record
class DescentOptions:
    """How the cost is minimized. The learning rate is that of the scaled problem; ``epochs`` are passes over all rows,
    instead of ``iterations``; ``batch_size`` rows make an iteration, in an order that ``seed`` chooses;
    ``tolerance`` stops at a gradient of that norm; ``start`` are first values of terms in the file's units. Of several
    ``candidates`` for the rate ``cv`` chooses.
    """

    optimizer: OptimizerChoice = field(default_factory=lambda: OptimizerChoice.of(PLAIN_DESCENT))
    schedule: ScheduleChoice = field(default_factory=lambda: ScheduleChoice.of(CONSTANT))
    learning_rate: float | RateRule | None = None
    iterations: int = ITERATIONS
    epochs: int | None = None
    batch_size: int | None = None
    tolerance: float | None = None
    start: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    candidates: tuple[float | RateRule, ...] = ()

    @property
    def rate(self) -> float | RateRule:
        """The learning rate: the optimizer's default if none is given."""
        return self.optimizer.rule.default_rate if self.learning_rate is None else self.learning_rate

    def rates(self, first: float | Array, before: int = 0) -> Schedule:
        """The schedule from its first rate, for a descent that has done ``before`` iterations."""
        return self.schedule.rates(first, self.iterations, before)


@record
class Checks:
    """How a fit is judged: ``holdout`` is the share of rows kept out of it, ``cv`` the number of folds.

    ``test`` is a file that is kept out of it, in place of such a share. With ``patience`` the descent stops after as
    many iterations without a lower cost on the rows held out.
    """

    holdout: float | None = None
    test: "InputData | None" = None
    patience: int | None = None
    cv: int | None = None
    inference: bool = False

    @property
    def holds_out(self) -> bool:
        """Whether rows are kept out of the fit."""
        return self.holdout is not None or self.test is not None

    @property
    def cuts(self) -> tuple[float, ...]:
        """The borders between folds, for a random draw per row in [0, 1), or [1, 2) in a test file; () without folds.

        With rows held out there is one border: rows drawn below it are the training rows.
        """
        if self.test is not None:
            return (1.0,)
        if self.holdout is not None:
            return (1.0 - self.holdout,)
        return tuple(i / self.cv for i in range(1, self.cv)) if self.cv else ()


@record
class Show:
    """The parts to show: each ``every``-th iteration (None: geometrically thinned), the arithmetic, the numbers of a
    ``picture`` with a sample of ``points`` rows.
    """

    every: int | None = None
    explain: bool = False
    picture: bool = False
    points: int = 0


@record
class FitOptions:
    """Everything that a fit can be told, by :meth:`of`."""

    columns: ColumnOptions
    csv: CsvOptions
    machine: Machine
    model: ModelOptions
    descent: DescentOptions
    checks: Checks
    show: Show

    @classmethod
    def of(cls, **values: Any) -> "FitOptions":
        """The options by their names, such as ``learning_rate=0.01, l2=(0.1,), separator=";"``; each is optional. Of
        several learning rates ``cv`` chooses one.

        Raises UsageError for a value without a meaning and for values that do not go together, TypeError for an unknown
        name.
        """
        values = with_formula(values)
        unknown = set(values) - OPTION_NAMES
        if unknown:
            raise TypeError(f"a fit has no option {min(unknown)!r}")
        values |= _one_or_more(values.get("learning_rate"))
        values = {name: _PARSERS[name](value) if name in _PARSERS else value for name, value in values.items()}
        model = _record(ModelOptions, values)
        options = cls(
            columns=ColumnOptions(
                **{"target": None} | {name: values[name] for name in _COLUMN_NAMES if name in values},
                classes=model.loss.classes,
            ),
            csv=CsvOptions.of({name: values.get(name) for name in CSV_FIELDS}),
            machine=_record(Machine, values),
            model=model,
            descent=_record(DescentOptions, values),
            checks=_record(Checks, values),
            show=_record(Show, values),
        )
        check_together(options)
        return options

    @property
    def searching(self) -> bool:
        """Whether a rate is found for each iteration; ``auto`` does so if no bound on the curvature gives one."""
        rate, unbounded = self.descent.rate, self.model.loss.kind.bound is None
        return rate is RateRule.SEARCH or (rate is RateRule.AUTO and unbounded)

    @property
    def constant(self) -> bool:
        """Whether the learning rate stays the same."""
        return not self.searching and self.descent.schedule.constant

    @property
    def reading(self) -> ReadOptions:
        """The options for reading the data."""
        plan = Plan(self.descent.seed, self.checks.cuts, self.show.points)
        keeps_rows = self.model.loss.needs_rows or self.descent.batch_size is not None
        machine = self.machine
        return ReadOptions(self.csv, machine.jobs, plan, machine.dask, keeps_rows, machine.memory, self.checks.test)

    def search_on(self, objective: Objective, optimizer: Optimizer, penalty: Penalty) -> Search:
        """The function that corrects the schedule's rates: a line search of its own per descent, or no correction."""
        if not self.searching:
            return as_scheduled
        from gdcli.engine.line_search import Backtracking

        return Backtracking(objective, optimizer, penalty)


def with_formula(values: dict[str, Any]) -> dict[str, Any]:
    """The option values with ``formula`` replaced by the target, features, exclusions and intercept that it states."""
    text = values.get("formula")
    given = {name: value for name, value in values.items() if name != "formula"}
    if text is None:
        return given
    for name, option in (("target", "-t"), ("features", "-x")):
        if given.get(name):
            raise UsageError(f"--formula says the target and the features: leave out {option}")
    from gdcli.data.expressions.r_formula import parse_formula

    meant = parse_formula(text)
    exclude = (*given.get("exclude", ()), *meant.exclude)
    intercept = meant.intercept and given.get("intercept", True)
    return given | {"target": meant.target, "features": meant.features, "exclude": exclude, "intercept": intercept}


def _record(kind: type[OptionPart], values: Mapping[str, Any]) -> OptionPart:
    """A record of this kind, its fields taken from the values of the same names."""
    return kind(**{name: values[name] for name in field_names(kind) if name in values})


def _one_or_more(rates: Any) -> dict[str, Any]:
    """The option values of a learning rate, or of several to choose from."""
    if not isinstance(rates, list | tuple):
        return {}
    several = tuple(dict.fromkeys(map(rate_of, rates)))
    return {"learning_rate": several[0] if several else None, "candidates": several if len(several) > 1 else ()}


def _or_default(parse: Any, default: str) -> Any:
    return lambda word: parse(default if word is None else word)


def _or_none(parse: Any) -> Any:
    return lambda value: None if value is None else parse(value)


# The parsers of options that are given as words.
_PARSERS = {
    "loss": _or_default(LossChoice.of, SQUARED),
    "optimizer": _or_default(OptimizerChoice.of, PLAIN_DESCENT),
    "schedule": _or_default(ScheduleChoice.of, CONSTANT),
    "learning_rate": _or_none(lambda rate: rate if isinstance(rate, RateRule) else rate_of(rate)),
    "memory": _or_none(size_of),
}

# What code says of columns, not the user of a fit.
_COLUMN_NAMES = frozenset(field_names(ColumnOptions)) - {"summary", "classes"}

OPTION_NAMES = _COLUMN_NAMES.union(
    CSV_FIELDS,
    ["formula"],
    *(field_names(kind) for kind in (Machine, ModelOptions, DescentOptions, Checks, Show)),
)
