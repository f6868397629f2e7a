"""The values that options may have, and which go together: one table; the first broken rule gives the message."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gdcli.base.errors import UsageError
from gdcli.base.records import NamedTuple
from gdcli.engine.catalog import CLASS_LOSS, ITERATIONS, SCALES
from gdcli.engine.optimizers import optimizers_that
from gdcli.fitting.choices import RateRule

if TYPE_CHECKING:
    from gdcli.fitting.options import FitOptions

# Each fold is a triangle of its own, merged with all others; more folds than this teach nothing more.
MOST_FOLDS = 100

_SEARCHED = " and ".join(optimizers_that(lambda kind: kind.memoryless))

_PROXIMAL = " or ".join(optimizers_that(lambda kind: kind.proximal))


class Rule(NamedTuple):
    """A combination of options that is refused: ``broken(options)`` is true, with the ``message`` to show.

    The message is a text, or a function of the options that returns one.
    """

    broken: "Callable[[FitOptions], object]"
    message: "str | Callable[[FitOptions], str]"


def check_together(options: "FitOptions") -> None:
    """Raise UsageError with the message of the first rule that is broken."""
    for broken, message in RULES:
        if broken(options):
            raise UsageError(message if isinstance(message, str) else message(options))
    _ = options.reading  # checks itself


def _word(options: "FitOptions") -> object:
    rate = options.descent.rate
    return rate.value if isinstance(rate, RateRule) else rate


def _auto(options: "FitOptions") -> bool:
    return options.descent.rate is RateRule.AUTO


def _search(options: "FitOptions") -> bool:
    return options.descent.rate is RateRule.SEARCH


def _default(options: "FitOptions") -> str:
    return f"such as --lr {options.descent.optimizer.rule.default_rate:g}"


def _penalized(options: "FitOptions") -> bool:
    return any(options.model.penalties)


def _lasso(options: "FitOptions") -> bool:
    return any(penalty.l1 for penalty in options.model.penalties)


def _no_penalty(values: Sequence[float]) -> bool:
    return not all(math.isfinite(value) and value >= 0 for value in values)


def _undecided(values: Sequence[float], options: "FitOptions") -> bool:
    return len(values) > 1 and options.checks.cv is None


_LOSS = (
    Rule(
        lambda o: o.model.event is not None and not o.model.loss.classes,
        f"--event names a class: it needs --loss {CLASS_LOSS}",
    ),
    Rule(lambda o: o.model.loss.needs_rows and o.checks.inference, "--inference is for --loss squared only"),
    Rule(lambda o: o.model.loss.needs_rows and o.show.explain, "--explain is for --loss squared only"),
    Rule(
        lambda o: not o.model.loss.kind.smooth and not o.descent.optimizer.kind.stochastic,
        lambda o: (
            f"--optimizer {o.descent.optimizer.name} needs a curvature, and --loss {o.model.loss.kind.name} has none: "
            "leave it out"
        ),
    ),
    Rule(
        lambda o: not o.model.loss.kind.smooth and (_auto(o) or _search(o)),
        lambda o: (
            f"--lr {_word(o)}: the slope of --loss {o.model.loss.kind.name} jumps, so it says nothing of good rates: "
            f"give one, {_default(o)}"
        ),
    ),
    Rule(
        lambda o: o.model.loss.needs_rows and _auto(o) and not o.descent.optimizer.plain,
        lambda o: (
            f"--lr auto with --loss {o.model.loss.kind.name} is for plain descent: give a rate for "
            f"{o.descent.optimizer.word}"
        ),
    ),
)

_STEPS = (
    Rule(
        lambda o: _search(o) and not o.descent.optimizer.kind.memoryless,
        f"--lr search goes with the optimizers {_SEARCHED}, whose steps lead downhill",
    ),
    Rule(
        lambda o: o.searching and not o.descent.schedule.constant,
        lambda o: f"--lr {_word(o)} finds a rate for each iteration: leave out --schedule",
    ),
    Rule(
        lambda o: _auto(o) and not o.descent.optimizer.kind.has_forecast,
        lambda o: (
            "--lr auto takes the best rate, which is not known before the descent for "
            f"{o.descent.optimizer.name}: give one, {_default(o)}"
        ),
    ),
    Rule(
        lambda o: _auto(o) and not (o.constant or o.searching),
        lambda o: f"--lr auto takes the best constant rate: with --schedule {o.descent.schedule.word} give one",
    ),
    Rule(
        lambda o: o.show.explain and not (o.descent.optimizer.plain and o.constant),
        "--explain shows the arithmetic of plain descent: leave out --optimizer, --schedule, --lr search",
    ),
)

_BATCHES = (
    Rule(
        lambda o: o.descent.epochs is not None and o.descent.iterations != ITERATIONS,
        "--epochs and --iterations are two ways to say how long: give one",
    ),
    Rule(
        lambda o: o.descent.epochs is not None and o.descent.epochs < 0,
        lambda o: f"the number of epochs is 0 or more, not {o.descent.epochs}",
    ),
    Rule(
        lambda o: o.descent.batch_size is not None and o.descent.batch_size < 1,
        lambda o: f"a batch has 1 row or more, not {o.descent.batch_size}",
    ),
    Rule(
        lambda o: o.descent.batch_size and not o.descent.optimizer.kind.stochastic,
        lambda o: f"--batch-size is for first-order optimizers: {o.descent.optimizer.name} needs all rows",
    ),
    Rule(
        lambda o: o.descent.batch_size and _auto(o),
        lambda o: f"--lr auto: no best rate is known for batches, so give one, {_default(o)}",
    ),
    Rule(
        lambda o: o.descent.batch_size and _search(o),
        lambda o: f"--lr search: a batch cannot be searched on, so give one, {_default(o)}",
    ),
    Rule(lambda o: o.descent.batch_size and o.checks.cv, "--cv is for descents on all rows: leave out --batch-size"),
    Rule(
        lambda o: o.descent.batch_size and o.show.explain,
        "--explain is for descents on all rows: leave out --batch-size",
    ),
    Rule(
        lambda o: o.descent.batch_size and o.machine.dask, "--dask is for descents on all rows: leave out --batch-size"
    ),
)

_PENALTY = (
    Rule(lambda o: _no_penalty(o.model.l2), lambda o: f"--l2 takes a number of 0 or more, not {min(o.model.l2)}"),
    Rule(
        lambda o: _undecided(o.model.l2, o),
        lambda o: f"--l2 is given {len(o.model.l2)} times: add --cv K to choose the best of them, or one",
    ),
    Rule(lambda o: _no_penalty(o.model.l1), lambda o: f"--l1 takes a number of 0 or more, not {min(o.model.l1)}"),
    Rule(
        lambda o: _undecided(o.model.l1, o),
        lambda o: f"--l1 is given {len(o.model.l1)} times: add --cv K to choose the best of them, or one",
    ),
    Rule(
        lambda o: _penalized(o) and o.checks.inference,
        "--inference is about least squares, which a penalty pulls away from: leave out one",
    ),
    Rule(
        lambda o: _penalized(o) and o.show.explain,
        "--explain shows the arithmetic of least squares: leave out --l2 and --l1",
    ),
    Rule(
        lambda o: _lasso(o) and not o.descent.optimizer.kind.proximal,
        f"--l1 takes proximal steps, which go with the optimizer {_PROXIMAL} only",
    ),
    Rule(
        lambda o: _lasso(o) and _auto(o) and not o.model.loss.needs_rows,
        "--lr auto takes the best rate, which is not known with --l1: --lr search finds one",
    ),
)

_THE_REST = (
    Rule(
        lambda o: not isinstance(o.descent.iterations, int) or o.descent.iterations < 0,
        lambda o: f"the number of iterations is 0 or more, not {o.descent.iterations}",
    ),
    Rule(
        lambda o: o.columns.max_levels < 1,
        lambda o: f"a text column has at least 1 level, so --max-levels cannot be {o.columns.max_levels}",
    ),
    Rule(lambda o: not all(map(math.isfinite, o.descent.start.values())), "--start takes finite numbers only"),
    Rule(
        lambda o: (
            o.descent.tolerance is not None and not (math.isfinite(o.descent.tolerance) and o.descent.tolerance > 0)
        ),
        lambda o: f"the tolerance is a number above 0, not {o.descent.tolerance!r}",
    ),
    Rule(
        lambda o: o.model.scale not in SCALES,
        lambda o: f"the scaling is one of {', '.join(SCALES)}, not {o.model.scale!r}",
    ),
    Rule(
        lambda o: o.model.scale == "minmax" and not o.model.intercept,
        "--scale minmax shifts the columns, so it needs the intercept",
    ),
    Rule(
        lambda o: o.show.every is not None and o.show.every < 1,
        lambda o: f"--every shows each K-th iteration, K is 1 or more, not {o.show.every}",
    ),
    Rule(
        lambda o: o.checks.holdout is not None and not 0 < o.checks.holdout < 1,
        lambda o: f"--holdout keeps a share between 0 and 1 of the rows, not {o.checks.holdout}",
    ),
    Rule(
        lambda o: o.checks.patience is not None and (o.checks.patience < 1 or not o.checks.holds_out),
        "--patience needs --holdout or --test, and a number of iterations of 1 or more",
    ),
    Rule(
        lambda o: o.checks.cv is not None and not 2 <= o.checks.cv <= MOST_FOLDS,
        lambda o: f"--cv makes 2 to {MOST_FOLDS} folds, not {o.checks.cv}",
    ),
    Rule(
        lambda o: o.checks.cv is not None and o.checks.holdout is not None,
        "--holdout and --cv are two ways to validate: choose one",
    ),
    Rule(
        lambda o: o.checks.test is not None and (o.checks.holdout is not None or o.checks.cv is not None),
        lambda o: (
            f"--test and {'--cv' if o.checks.holdout is None else '--holdout'} are two ways to validate: choose one"
        ),
    ),
    Rule(lambda o: o.descent.seed < 0, lambda o: f"the seed is 0 or more, not {o.descent.seed}"),
    Rule(
        lambda o: o.machine.memory is not None and o.machine.dask is not None,
        "--memory is about this machine; with --dask the workers keep the rows: leave out one",
    ),
    Rule(
        lambda o: o.machine.jobs is not None and o.machine.jobs < 1,
        lambda o: f"the number of jobs is 1 or more, not {o.machine.jobs}",
    ),
)

_CANDIDATES = (
    Rule(
        lambda o: o.descent.candidates and o.checks.cv is None,
        lambda o: (
            f"--lr is given {len(o.descent.candidates)} times: add --cv K to choose the best of them, or one; gdfit "
            "sweep compares them"
        ),
    ),
    Rule(
        lambda o: any(isinstance(rate, RateRule) for rate in o.descent.candidates),
        "--cv chooses between learning rates that are numbers: leave out 'auto' and 'search', or the others",
    ),
)

RULES = _LOSS + _STEPS + _BATCHES + _PENALTY + _THE_REST + _CANDIDATES
