"""Everything that a fit can be told."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

from gdcli.base.errors import UsageError
from gdcli.data.columns import ColumnOptions
from gdcli.data.csv.options import CSV_FIELDS, CsvOptions
from gdcli.data.memory import available, size_of
from gdcli.engine.catalog import ITERATIONS, SCALES, SQUARED
from gdcli.engine.descent import Search, as_scheduled
from gdcli.engine.line_search import Backtracking
from gdcli.engine.losses import parse_loss
from gdcli.engine.losses.contract import Domain, Loss
from gdcli.engine.optimizers import PLAIN_DESCENT, SEARCHED, Optimizer, Solve, optimizer_of
from gdcli.engine.penalty import Penalty
from gdcli.engine.quadratic import Valued
from gdcli.engine.schedules import CONSTANT, Schedule, parse_schedule, schedule_of
from gdcli.ingest.plan import Plan
from gdcli.ingest.read import ReadOptions
from gdcli.ingest.row_store import RowStore

# Each fold is a triangle of its own, merged with all others; more folds than this teach nothing more.
MOST_FOLDS = 100


@dataclass(frozen=True, slots=True)
class FitOptions:
    """Everything that a fit can be told, checked once; below this point it is trusted.

    ``loss``, ``optimizer``, ``schedule`` and ``learning_rate`` are those of the model with ``resume`` where they are
    None; else squared errors and plain descent at a constant rate, the optimiser's default. ``event`` is the class
    whose probability a logistic fit predicts, None for the second in sorted order. The rate is in the scaled feature
    space, ``auto`` takes the best one (1/L where only a bound L on the curvature is known, and searches where there is
    none), ``search`` finds one for each iteration by backtracking. ``tolerance`` stops the
    descent where the norm of the gradient of the scaled problem is below it. ``start`` gives terms' first values in
    file units; ``resume`` is the path of a model to go on from. ``every`` shows each so many iterations in the table,
    None thins them out geometrically. ``holdout`` keeps a share of the rows out of the fit, to stop on with
    ``patience``; ``cv`` makes so many folds. ``seed`` chooses them.
    ``l2`` and ``l1`` are the weights A and B of the penalty A·Σβ² + B·Σ|β| on the scaled problem, none being 0; of
    several values ``cv`` chooses. ``separator`` to ``on_bad_row`` are those of :class:`CsvOptions`, None: default.
    ``batch_size`` makes each iteration a batch of so many rows, in an order that ``seed`` chooses, too; ``epochs``
    takes the place of ``iterations``: passes over all rows, which are iterations unless there is a batch size.
    ``memory`` is how many bytes of rows stay in memory, also as text such as ``500M``; None is half of what is free.
    ``dask`` is the address of a cluster that reads the rows. ``picture`` gathers the numbers of a picture, with a
    sample of so many ``points``.
    """

    target: str | None
    features: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    weights: str | None = None
    categorical: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    na: tuple[str, ...] = ()
    keep_na: bool = False
    missing: str = "drop"
    max_levels: int = 50
    separator: str | None = None
    encoding: str | None = None
    header: bool | None = None
    skip_rows: int | None = None
    decimal: str | None = None
    thousands: str | None = None
    quotechar: str | None = None
    comment: str | None = None
    on_bad_row: str | None = None
    jobs: int | None = None
    memory: int | str | None = None
    dask: str | None = None
    intercept: bool = True
    loss: str | None = None
    event: str | None = None
    optimizer: str | None = None
    schedule: str | None = None
    learning_rate: float | Literal["auto", "search"] | None = None
    iterations: int = ITERATIONS
    epochs: int | None = None
    batch_size: int | None = None
    tolerance: float | None = None
    scale: str = "standard"
    l2: tuple[float, ...] = ()
    l1: tuple[float, ...] = ()
    start: Mapping[str, float] = field(default_factory=dict)
    every: int | None = None
    explain: bool = False
    resume: str | None = None
    inference: bool = False
    holdout: float | None = None
    patience: int | None = None
    cv: int | None = None
    seed: int = 0
    picture: bool = False
    points: int = 0

    def __post_init__(self) -> None:
        if self.resume is None:
            self._fill_in()
        self._check_loss()
        self._check_steps()
        self._check_batches()
        self._check_penalty()
        if not isinstance(self.iterations, int) or self.iterations < 0:
            raise UsageError(f"the number of iterations is 0 or more, not {self.iterations}")
        if self.max_levels < 1:
            raise UsageError(f"a text column has at least 1 level, so --max-levels cannot be {self.max_levels}")
        if not all(math.isfinite(value) for value in self.start.values()):
            raise UsageError("--start takes finite numbers only")
        if self.tolerance is not None and not (math.isfinite(self.tolerance) and self.tolerance > 0):
            raise UsageError(f"the tolerance is a number above 0, not {self.tolerance!r}")
        if self.scale not in SCALES:
            raise UsageError(f"the scaling is one of {', '.join(SCALES)}, not {self.scale!r}")
        if self.scale == "minmax" and not self.intercept:
            raise UsageError("--scale minmax shifts the columns, so it needs the intercept")
        if self.every is not None and self.every < 1:
            raise UsageError(f"--every shows each K-th iteration, K is 1 or more, not {self.every}")
        if self.resume is not None and self.start:
            raise UsageError("--resume goes on from where a model stands, so --start has no place")
        if self.resume is not None and self.cv is not None:
            raise UsageError("--cv begins each fold's descent at the start, so --resume has no place")
        if self.holdout is not None and not 0 < self.holdout < 1:
            raise UsageError(f"--holdout keeps a share between 0 and 1 of the rows, not {self.holdout}")
        if self.patience is not None and (self.patience < 1 or self.holdout is None):
            raise UsageError("--patience needs --holdout, and a number of iterations of 1 or more")
        if self.cv is not None and not 2 <= self.cv <= MOST_FOLDS:
            raise UsageError(f"--cv makes 2 to {MOST_FOLDS} folds, not {self.cv}")
        if self.cv is not None and self.holdout is not None:
            raise UsageError("--holdout and --cv are two ways to validate: choose one")
        if self.seed < 0:
            raise UsageError(f"the seed is 0 or more, not {self.seed}")
        _ = self.csv, self.columns  # which check themselves
        if self.memory is not None:
            size_of(self.memory)
            if self.dask is not None:
                raise UsageError("--memory is about this machine; with --dask the workers keep the rows: leave out one")
        _ = self.reading  # checks itself
        if self.jobs is not None and self.jobs < 1:
            raise UsageError(f"the number of jobs is 1 or more, not {self.jobs}")

    def _fill_in(self) -> None:
        """Set what a model to resume would say."""
        rate = self.optimizer_on().default_rate if self.learning_rate is None else self.learning_rate
        object.__setattr__(self, "loss", self.loss_word)
        object.__setattr__(self, "optimizer", self.optimizer or PLAIN_DESCENT)
        object.__setattr__(self, "schedule", self.schedule or CONSTANT)
        object.__setattr__(self, "learning_rate", rate)

    def _check_loss(self) -> None:
        loss = self._loss
        if self.event is not None and not self.predicts_classes and self.resume is None:
            raise UsageError("--event names a class: it needs --loss logistic")
        if not self.needs_rows:
            return
        for given, option in ((self.inference, "--inference"), (self.explain, "--explain")):
            if given:
                raise UsageError(f"{option} is for --loss squared only")
        if self.learning_rate == "auto" and (self.optimizer or PLAIN_DESCENT) != PLAIN_DESCENT:
            raise UsageError(
                f"--lr auto with --loss {loss.name} is for plain descent: give a rate for {self.optimizer}"
            )

    def _check_steps(self) -> None:
        rate, optimizer, constant = self.learning_rate, self.optimizer_on(), self.constant
        if rate not in ("auto", "search", None) and not (
            isinstance(rate, int | float) and math.isfinite(rate) and rate > 0
        ):
            raise UsageError(f"the learning rate is a number above 0, 'auto' or 'search', not {rate!r}")
        if rate == "search" and optimizer.name not in SEARCHED:
            raise UsageError(
                f"--lr search goes with the optimizers {' and '.join(SEARCHED)}, whose steps lead downhill"
            )
        if self.searching and parse_schedule(self.schedule or CONSTANT)[0] != CONSTANT:
            raise UsageError(f"--lr {rate} finds a rate for each iteration: leave out --schedule")
        if rate == "auto" and not optimizer.foreseen:
            raise UsageError(
                f"--lr auto takes the best rate, which is not known before the descent for {optimizer.name}: "
                f"give one, such as --lr {optimizer.default_rate:g}"
            )
        if rate == "auto" and not (constant or self.searching):
            raise UsageError(f"--lr auto takes the best constant rate: with --schedule {self.schedule} give one")
        if self.explain and not (optimizer.name == PLAIN_DESCENT and constant):
            raise UsageError(
                "--explain shows the arithmetic of plain descent: leave out --optimizer, --schedule, --lr search"
            )

    def _check_batches(self) -> None:
        if self.epochs is not None and self.iterations != ITERATIONS:
            raise UsageError("--epochs and --iterations are two ways to say how long: give one")
        if self.epochs is not None and self.epochs < 0:
            raise UsageError(f"the number of epochs is 0 or more, not {self.epochs}")
        if self.batch_size is None:
            return
        if self.batch_size < 1:
            raise UsageError(f"a batch has 1 row or more, not {self.batch_size}")
        optimizer = self.optimizer_on()
        if not optimizer.stochastic:
            raise UsageError(f"--batch-size is for first-order optimizers: {optimizer.name} needs all rows")
        if self.learning_rate in ("auto", "search"):
            why = (
                "no best rate is known for batches" if self.learning_rate == "auto" else "a batch cannot be searched on"
            )
            raise UsageError(f"--lr {self.learning_rate}: {why}, so give one, such as --lr {optimizer.default_rate:g}")
        for given, option in ((self.cv, "--cv"), (self.explain, "--explain"), (self.dask, "--dask")):
            if given:
                raise UsageError(f"{option} is for descents on all rows: leave out --batch-size")

    def _check_penalty(self) -> None:
        for name, values in (("l2", self.l2), ("l1", self.l1)):
            if not all(math.isfinite(value) and value >= 0 for value in values):
                raise UsageError(f"--{name} takes a number of 0 or more, not {min(values)}")
            if len(values) > 1 and self.cv is None:
                raise UsageError(
                    f"--{name} is given {len(values)} times: add --cv K to choose the best of them, or one"
                )
        if not any(self.penalties):
            return
        lasso = any(penalty.l1 for penalty in self.penalties)
        if self.inference:
            raise UsageError("--inference is about least squares, which a penalty pulls away from: leave out one")
        if self.explain:
            raise UsageError("--explain shows the arithmetic of least squares: leave out --l2 and --l1")
        if lasso and self.optimizer not in (None, PLAIN_DESCENT):
            raise UsageError(f"--l1 takes proximal steps, which go with the optimizer {PLAIN_DESCENT} only")
        if lasso and self.learning_rate == "auto" and not self.needs_rows:
            raise UsageError("--lr auto takes the best rate, which is not known with --l1: --lr search finds one")

    @property
    def penalties(self) -> tuple[Penalty, ...]:
        """Each value of A with each of B: those to choose from, in the order given."""
        pairs = product(self.l2 or (0.0,), self.l1 or (0.0,))
        return tuple(Penalty(l2, l1, self.intercept) for l2, l1 in dict.fromkeys(pairs))

    @property
    def penalty(self) -> Penalty:
        """What is added to the cost, where it is chosen."""
        return self.penalties[0]

    def optimizer_on(self, solve: Solve | None = None) -> Optimizer:
        """Return the optimiser, for a problem whose Hessian is inverted by ``solve``."""
        return optimizer_of(self.optimizer or PLAIN_DESCENT, solve)

    def rates(self, learning_rate: float, before: int = 0) -> Schedule:
        """Return the schedule from a first rate, for a descent that goes on after so many iterations ``before``."""
        return schedule_of(self.schedule or CONSTANT, learning_rate, self.iterations, before)

    def search_on(self, objective: Valued, optimizer: Optimizer) -> Search:
        """Return what corrects the schedule's rates: a new search for each descent, or nothing."""
        if not self.searching:
            return as_scheduled
        return Backtracking(objective, optimizer, self.penalty)

    @property
    def loss_word(self) -> str:
        """The word of the loss."""
        return self.loss or SQUARED

    @property
    def needs_rows(self) -> bool:
        """Whether the loss is one of the rows: of a squared error their triangle says all."""
        return self._loss.name != SQUARED

    @property
    def _loss(self) -> type[Loss]:
        return parse_loss(self.loss_word)[0]

    @property
    def predicts_classes(self) -> bool:
        """Whether the target has two classes."""
        return self._loss.domain is Domain.CLASSES

    @property
    def searching(self) -> bool:
        """Whether a rate is found for each iteration; ``auto`` does so where no bound on the curvature gives one."""
        return self.learning_rate == "search" or (self.learning_rate == "auto" and self._loss.bound is None)

    @property
    def keeps_rows(self) -> bool:
        """Whether the rows are to be kept: for the loss, or for batches of them."""
        return self.needs_rows or self.batch_size is not None

    @property
    def constant(self) -> bool:
        """Whether the learning rate stays the same."""
        return not self.searching and parse_schedule(self.schedule or CONSTANT)[0] == CONSTANT

    @property
    def columns(self) -> ColumnOptions:
        """The part that the design needs."""
        return ColumnOptions(
            self.target,
            self.features,
            self.exclude,
            self.weights,
            self.categorical,
            self.na,
            self.missing,
            self.max_levels,
            keep_na=self.keep_na,
            classes=self.predicts_classes,
            dates=self.dates,
        )

    @property
    def reading(self) -> ReadOptions:
        """The part that the sources need."""
        sampling = Plan(self.seed, self._cuts, self.points, self._store)
        return ReadOptions(self.csv, self.jobs, sampling, self.dask)

    @property
    def _store(self) -> RowStore | None:
        """Where the rows are to be kept."""
        if not self.keeps_rows:
            return None
        return RowStore(available() // 2 if self.memory is None else size_of(self.memory))

    @property
    def csv(self) -> CsvOptions:
        """The part that CSV text needs."""
        return CsvOptions.of({name: getattr(self, name) for name in CSV_FIELDS})

    @property
    def _cuts(self) -> tuple[float, ...]:
        """Where the draws of the rows are cut into folds; of a holdout the training rows come first."""
        if self.holdout is not None:
            return (1.0 - self.holdout,)
        return tuple(i / self.cv for i in range(1, self.cv)) if self.cv else ()
