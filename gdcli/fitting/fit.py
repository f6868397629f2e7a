"""The fit: from the triangle of all rows to the result record.

source → design → triangle → (scaled problem → spectrum, optimum, descent) → Fit
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from gdcli import __version__
from gdcli.base.listener import Listener
from gdcli.base.names import count_of
from gdcli.base.records import NamedTuple, replace
from gdcli.engine.blas import WIDE
from gdcli.engine.descent import Step, Stopped, StopRule, after, below, descend, divergence, when
from gdcli.engine.inference import RowSpread, row_spread
from gdcli.engine.spectrum import AlongEigenvectors, Behaviour
from gdcli.fitting.learning_rate import learning_rate_of
from gdcli.fitting.options import FitOptions
from gdcli.fitting.prepare import prepare
from gdcli.fitting.problem import PERFECT, Problem, coefficients_of, converged, r2, row_of, shape_of
from gdcli.fitting.results import (
    INTERCEPT,
    BatchLayout,
    Coefficient,
    Descent,
    DescentState,
    Fit,
    LearningRate,
    Optimum,
    PenaltyPart,
    TraceRow,
    TraceShape,
)
from gdcli.fitting.trace import TableRows
from gdcli.ingest.read import Dataset

if TYPE_CHECKING:
    from gdcli.fitting.lanes import Choice, HoldoutWatch
    from gdcli.fitting.start import Start

# Progress is told this often.
_PROGRESS_STEP = 4096

# Terms of a fit whose model keeps what intervals of predictions need: numbers that grow with their square.
_MOST_SPREAD = 100


class Recorder(Protocol):
    """A receiver of the rows of a descent while it runs."""

    def begin(self, shape: TraceShape) -> None:
        """Receive what is known of all iterations before the first one."""
        ...

    def wants(self, number: int) -> bool:
        """Whether the row of this number is to be recorded; the last row is recorded in any case.

        Rows are numbered from 0, one for each iteration, or with batches one for the end of each epoch.
        """
        ...

    def record(self, row: TraceRow) -> None:
        """Receive one row."""
        ...


def fit_reading(
    reading: Dataset,
    options: FitOptions,
    recorders: Sequence[Recorder],
    listener: Listener,
    start: "Start | None" = None,
) -> Fit:
    """The fit of a dataset that was read already; with ``start`` the descent goes on from the end of an earlier one."""
    # An overflow on the way to infinity is what the divergence rule looks for, not a surprise.
    with np.errstate(over="ignore", invalid="ignore"):
        return _fit(reading, options, recorders, listener, start)


def _fit(
    reading: Dataset,
    options: FitOptions,
    recorders: Sequence[Recorder],
    listener: Listener,
    start: "Start | None",
) -> Fit:
    batches = _batches(reading, options)
    in_epoch = 1 if batches is None else batches.in_epoch
    if options.descent.epochs is not None:
        length = replace(options.descent, iterations=options.descent.epochs * in_epoch, epochs=None)
        options = replace(options, descent=length)
    choice: Choice | None = None
    if len(options.model.penalties) > 1 or options.descent.candidates:
        from gdcli.fitting.lanes import choose_by_folds

        choice = choose_by_folds(reading, options, listener)
        options = choice.options
    problem = prepare(reading, options, listener)
    if start is not None:
        from gdcli.fitting.start import continued

        problem = continued(problem, start, options)
    learning_rate = learning_rate_of(problem, options)
    last_row = -(-options.descent.iterations // in_epoch)
    keeper = TableRows(last_row, options.show.every)
    watch = drawing = None
    if options.checks.holds_out:
        from gdcli.fitting.lanes import HoldoutWatch

        watch = HoldoutWatch(problem, reading, options)
    if options.show.picture:
        from gdcli.fitting.picture import PictureRecorder

        drawing = PictureRecorder(last_row)
    recorders = [keeper, *recorders, *([] if drawing is None else [drawing])]
    for recorder in recorders:
        recorder.begin(shape_of(problem, watch is not None, not options.constant))
    last, stopped = _descend(problem, reading, learning_rate.given, options, recorders, watch, listener)
    outcome = _Outcome(problem, learning_rate, last, stopped, keeper.shown(), watch, batches)
    fit = _result(reading, options, outcome)
    if options.checks.cv is not None and stopped is not Stopped.INTERRUPTED:
        found = None if choice is None else choice.validation
        if found is None:
            from gdcli.fitting.lanes import Candidate, cross_validate

            candidate = Candidate(learning_rate.given, problem.penalty)
            (found,) = cross_validate(reading, problem, [candidate], options, listener)
        fit = replace(fit, cross_validation=replace(found, penalties=() if choice is None else choice.tried))
    if options.checks.inference and fit.inference is None:
        rows = count_of(problem.triangle.count, "row")
        listener.warn(f"no inference: {rows} leave no degree of freedom for {len(last.theta)} coefficients")
    return fit if drawing is None else replace(fit, picture=drawing.picture(problem, reading, options, listener))


def _batches(reading: Dataset, options: FitOptions) -> BatchLayout | None:
    """The batch layout of the training rows, or None for full-batch descent."""
    if options.descent.batch_size is None:
        return None
    fitted = reading.reduced.folds[0] if options.checks.holds_out else reading.reduced.triangle
    return BatchLayout(options.descent.batch_size, -(-fitted.count // options.descent.batch_size), options.descent.seed)


def _descend(
    problem: Problem,
    reading: Dataset,
    rate: float,
    options: FitOptions,
    recorders: Sequence[Recorder],
    watch: "HoldoutWatch | None",
    listener: Listener,
) -> tuple[Step, Stopped]:
    """Run the loop, hand out its rows, and return the last step and why it was the last."""
    # A request to stop waits for the end of an iteration, so that every recorder has the same last one.
    with listener.defer_interrupts() as asked:
        rules: list[StopRule] = [divergence(PERFECT * problem.mean_square / problem.cost_scale)]
        if watch is not None:
            rules.append(watch.rule)  # it has to see the last iteration, whoever else ends the descent there
        if options.descent.tolerance is not None:
            rules.append(below(options.descent.tolerance, problem.penalty.steepest))
        rules += [when(asked, Stopped.INTERRUPTED), after(options.descent.iterations)]
        optimizer = options.descent.optimizer.on(problem.newton_direction, options.model.intercept)
        rates = options.descent.rates(rate, problem.before)
        advance = None
        if options.descent.batch_size is not None:
            from gdcli.fitting.row_problem import batch_steps

            def pause(iteration: int) -> bool:
                listener.descending(iteration, options.descent.iterations)
                return asked()

            advance = batch_steps(problem, reading, options, optimizer, rates, pause)
        along = _along_eigenvectors(problem, options) if watch is None else None
        steps = descend(
            along or problem.objective,
            optimizer,
            rates,
            problem.start if along is None else np.zeros_like(problem.spectrum.distances),
            tuple(rules),
            problem.state,
            problem.penalty.proximal,
            options.search_on(problem.objective, optimizer, problem.penalty),
            advance,
        )

        def at_theta(step: Step) -> Step:
            return step if along is None else step._replace(theta=problem.start + along.theta(step.theta))

        def row(step: Step) -> TraceRow:
            validation = None if watch is None else watch.cost(step.theta)
            return row_of(problem, at_theta(step), validation, None if options.constant else float(step.learning_rate))

        last, stopped = _recorded(steps, row, recorders, options.descent.iterations, listener)
        return at_theta(last), stopped


def _along_eigenvectors(problem: Problem, options: FitOptions) -> AlongEigenvectors | None:
    """The squared error along the eigenvectors, of a wide problem that is descended on plainly: an iteration costs O(p)
    there instead of O(p²). None of others, whose bits it would change to no use, or for which it does not hold.
    """
    plain = options.descent.optimizer.plain and options.descent.batch_size is None and not options.searching
    if not plain or problem.needs_rows or problem.penalty or len(problem.terms.columns) <= WIDE:
        return None
    return AlongEigenvectors(problem.spectrum, problem.optimum.cost / problem.cost_scale)


def _recorded(
    steps: Iterator[Step],
    row: Callable[[Step], TraceRow],
    recorders: Sequence[Recorder],
    iterations: int,
    listener: Listener,
) -> tuple[Step, Stopped]:
    last = recorded = None
    wanting: list[Recorder] = []
    writing = False
    try:
        for number, last in enumerate(steps):
            wanting = [r for r in recorders if r.wants(number) or last.stopped]
            if wanting:
                found, writing = row(last), True
                for recorder in wanting:
                    recorder.record(found)
                recorded, writing = last, False
            if number % _PROGRESS_STEP == 0:
                listener.descending(last.iteration, iterations)
    except KeyboardInterrupt:
        if last is None or writing:  # nobody knows how much of the row is written: no file, rather than a torn one
            raise
        for recorder in recorders:
            if recorded is not last or recorder not in wanting:
                recorder.record(row(last))
        return last, Stopped.INTERRUPTED
    assert last is not None
    assert last.stopped is not None
    return last, last.stopped


class _Outcome(NamedTuple):
    """A descent that has ended."""

    problem: Problem
    learning_rate: LearningRate
    last: Step
    stopped: Stopped
    trace: tuple[TraceRow, ...]
    watch: "HoldoutWatch | None"
    batches: BatchLayout | None


def _result(reading: Dataset, options: FitOptions, outcome: _Outcome) -> Fit:
    chosen = reading.design
    problem, learning_rate, last, stopped, trace, watch, batches = outcome
    diverged = stopped is Stopped.DIVERGED or learning_rate.behaviour is Behaviour.UNSTABLE
    # Patience keeps the best parameters that it saw, not the last ones.
    kept = last if watch is None or options.checks.patience is None or watch.best is None else watch.best
    m, c = problem.scaling.to_file(kept.theta)
    cost = float(kept.cost) * problem.cost_scale
    loss = problem.mean_loss(kept.theta) if problem.penalty else cost
    error = None if problem.needs_rows else loss
    gap, best = problem.gap(kept.theta), problem.minimum
    coefficients = coefficients_of(problem, None if diverged else m)
    intercept = Coefficient(INTERCEPT, None if diverged else float(c), None if best is None else best.intercept)
    inference = explanation = None
    if options.checks.inference:
        from gdcli.fitting.inference import inference_of

        coefficients, intercept, inference = inference_of(problem, coefficients, intercept, options, learning_rate)
    if options.show.explain:
        from gdcli.fitting.explain import explain

        explanation = explain(problem, reading.reduced.head, learning_rate.given, options.descent.iterations)
    return Fit(
        version=__version__,
        files=reading.files,
        target=chosen.predicted,
        features=tuple(name for name in chosen.features if name not in problem.terms.left_out),
        loss=problem.loss,
        reference_levels=problem.terms.references,
        rows=reading.reduced.rows,
        intercept=intercept if options.model.intercept else None,
        coefficients=coefficients,
        cost=None if diverged else cost,
        rmse=None if diverged or error is None else math.sqrt(error),
        r2=None if diverged or error is None else r2(problem, error),
        optimum=Optimum(
            cost=None if best is None else best.cost,
            gap=None if diverged else gap,
            relative_gap=None if diverged or gap is None or best is None or problem.perfect else gap / best.cost,
            gap_measure=problem.gap_measure,
        ),
        descent=Descent(
            optimizer=options.descent.optimizer.word,
            learning_rate=float(last.learning_rate) if learning_rate.searched else learning_rate.given,
            iterations=last.iteration,
            asked=options.descent.iterations,
            converged=not diverged and converged(problem, kept.theta, gap),
            stopped=stopped,
            scale=options.model.scale,
            tolerance=options.descent.tolerance,
            schedule=options.descent.schedule.word,
            batches=batches,
        ),
        learning_rate=learning_rate,
        trace=trace,
        trace_terms=problem.labels,
        left_out=tuple(problem.terms.left_out),
        collinear=problem.collinear,
        state=_state(reading, problem, kept, options),
        saturated=problem.saturated,
        inference=inference,
        row_spread=_row_spread(problem, options),
        holdout=None if watch is None else watch.result(kept, diverged),
        explanation=explanation,
        penalty=None
        if not problem.penalty
        else PenaltyPart(
            float(problem.penalty.l2), float(problem.penalty.l1), *((None, None) if diverged else (error, loss))
        ),
        classes=problem.classes,
        parameter=problem.parameter,
    )


def _row_spread(problem: Problem, options: FitOptions) -> RowSpread | None:
    """What intervals of predictions need: of least squares without a penalty, if the terms are not too many."""
    if problem.needs_rows or problem.penalty or len(problem.terms.columns) > _MOST_SPREAD or problem.optimum is None:
        return None
    return row_spread(problem.triangle, problem.optimum, options.model.intercept)


def _state(reading: Dataset, problem: Problem, last: Step, options: FitOptions) -> DescentState:
    chosen, scaling = reading.design, problem.scaling
    levels: dict[str, list[str]] = {}
    for column in reading.reduced.triangle.columns:
        if column.name in chosen.text and column.name in chosen.features and column.name not in problem.terms.left_out:
            levels.setdefault(column.name, []).append(column.level or "")
    return DescentState(
        terms=tuple((term.name, term.level) for term in problem.terms.columns),
        center=tuple(scaling.center.tolist()),
        scale=tuple(scaling.scale.tolist()),
        target_scale=scaling.target_scale,
        theta=tuple(last.theta.tolist()),
        iteration=problem.before + last.iteration,
        optimizer=tuple(tuple(row) for row in np.atleast_2d(last.state).tolist() if row),
        levels={name: tuple(found) for name, found in levels.items()},
        missing_words=tuple(sorted(chosen.missing_words)),
        missing=chosen.missing,
        weights=chosen.weights,
        means={column.name: mean for column, mean in problem.means.items()} if chosen.fills else {},
        dates={name: spelling for name, spelling in chosen.dates.items() if name in chosen.columns},
        computed={name: one for name, one in chosen.computed.items() if name not in problem.terms.left_out},
        csv=options.csv.said,
    )
