"""The result of a fit: frozen records with numbers in them, for others to word, print and draw.

Everything is in the units of the file unless a name says otherwise; costs and gaps are in squared target
units. A value that does not exist (a diverged coefficient, the forecast of an adaptive optimizer) is None.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gdcli.base.records import NamedTuple, field, record
from gdcli.engine.descent import Stopped
from gdcli.engine.inference import RowSpread
from gdcli.engine.spectrum import Behaviour
from gdcli.ingest.counts import RowCounts

if TYPE_CHECKING:
    from gdcli.data.expressions.computed import Computed
    from gdcli.fitting.picture import Picture


class Certainty(NamedTuple):
    """The certainty of an optimum's coefficient: standard error, t, p, and the 95 % interval; None if unknown."""

    std_error: float | None
    t: float | None
    p: float | None
    low: float | None
    high: float | None


@record
class Coefficient:
    """One slope, or the intercept.

    ``standardized`` is the slope times its column's standard deviation over the target's, whatever the scaling inside;
    None for the intercept. ``certainty`` is None unless inference was asked for.
    """

    term: str
    value: float | None
    optimum: float | None
    standardized: float | None = None
    certainty: Certainty | None = None


@record
class Inference:
    """The inference on the whole fit, at the least-squares optimum. R² and F as usual, None if undefined.

    ``applies`` says whether the descent came close enough (0.01 standard errors) for the figures to describe its
    coefficients too; otherwise they belong to the optimum's. ``iterations_to_apply`` is how many iterations from the
    start are enough for that at the rate given, ``best_iterations_to_apply`` at the best one; None if none are.
    """

    residual_sd: float
    degrees_of_freedom: int
    r2: float | None
    adjusted_r2: float | None
    f: float | None
    f_p: float | None
    f_degrees_of_freedom: int
    confidence: float
    applies: bool
    iterations_to_apply: int | None
    best_iterations_to_apply: int | None


@record
class Holdout:
    """The validation on rows kept out of the fit: a ``share`` of all, which ``seed`` chose, or those of a ``file``.

    Costs are mean losses over the ``rows`` held out.

    With ``patience`` the parameters of iteration ``kept`` are the result, the one of the lowest cost.
    """

    share: float | None
    seed: int | None
    file: str | None
    rows: int
    cost: float | None
    best_iteration: int | None
    best_cost: float | None
    patience: int | None
    kept: int


@record
class TriedPenalty:
    """A penalty and learning rate that were tried, with their ``mean`` validation cost at the last iteration.

    ``mean`` and its ``standard_error`` over the folds are None if a descent diverged.
    """

    l2: float
    l1: float
    mean: float | None
    standard_error: float | None
    learning_rate: float


@record
class CrossValidation:
    """The validation costs of each fold, at the last iteration and at the one of the lowest mean.

    ``mean`` and ``standard_error`` (sample sd over √folds) are over the folds; None if a fold diverged.
    ``penalties`` are those that the fit's was chosen from, if there were several.
    """

    folds: int
    seed: int
    rows: tuple[int, ...]
    iterations: int
    costs: tuple[float | None, ...]
    mean: float | None
    standard_error: float | None
    best_iteration: int | None
    best_costs: tuple[float | None, ...]
    best_mean: float | None
    best_standard_error: float | None
    penalties: tuple[TriedPenalty, ...] = ()


class PenaltyPart(NamedTuple):
    """The penalty in the cost, l2·Σβ² + l1·Σ|β| over the scaled slopes, and the ``mean_loss`` without it.

    ``mean_squared_error`` is the mean loss if the loss is the squared error, else None. Both are None after divergence.
    """

    l2: float
    l1: float
    mean_squared_error: float | None
    mean_loss: float | None = None


@record
class Optimum:
    """The minimum, and how far the descent ended from it. ``cost`` is None if there is no minimum.

    ``relative_gap`` is gap / cost, None for a perfect fit. Gaps are judged against ``gap_measure``:
    the cost at the optimum, or for a perfect fit the gap of the start; 0 if there is no optimum.
    """

    cost: float | None
    gap: float | None
    relative_gap: float | None
    gap_measure: float


@record
class BatchLayout:
    """Rows cut into batches of ``size``, ``in_epoch`` of them to a pass, in an order that the ``seed`` chooses."""

    size: int
    in_epoch: int
    seed: int


@record
class Descent:
    """The course of the descent. ``tolerance`` is None unless it was given.

    ``optimizer`` and ``schedule`` are the words that asked for them; ``learning_rate`` is the schedule's first, or
    the last one if it was searched. ``iterations`` were done of the number ``asked`` for; with ``batches`` an iteration
    saw one of them.
    """

    optimizer: str
    learning_rate: float
    iterations: int
    converged: bool
    stopped: Stopped
    scale: str
    tolerance: float | None
    schedule: str = "constant"
    batches: BatchLayout | None = None
    asked: int = 0


@record
class LearningRate:
    """The forecast of the learning rate from the spectrum, before the first step; None, or empty, if unknown.

    ``iterations_to_1_percent``: the first iteration from which on the gap is within 1 % of the measure, None if never.
    ``best_iterations`` is the same at the ``best`` rate. ``condition_number`` is λmax/λmin of the scaled problem over
    λ > 0. ``slowest`` are the terms that dominate the eigenvector in which most of the gap is left at the end, with
    their weights in it (largest first, unit length over all terms); the intercept's term is ``(intercept)``. Of a rate
    that is ``searched`` for each iteration the first trial is ``given``. With ``bound`` the largest stable rate is one
    that is certainly stable, from a bound: larger ones may be so too.
    """

    given: float
    automatic: bool
    behaviour: Behaviour | None
    largest_stable: float | None
    best: float | None
    iterations_to_1_percent: int | None
    best_iterations: int | None
    condition_number: float | None
    slowest: tuple[tuple[str, float], ...]
    searched: bool = False
    bound: bool = False


class TraceRow(NamedTuple):
    """The parameters after ``iteration`` updates, and the cost and gap *at those* parameters.

    ``learning_rate`` is that of the next update, given if it is not constant.
    """

    iteration: int
    slopes: tuple[float, ...]
    intercept: float | None
    cost: float
    gap: float | None
    validation: float | None = None
    learning_rate: float | None = None


class TraceShape(NamedTuple):
    """The facts about all iterations that are known before the first one, for recorders.

    ``terms`` names the slopes; ``validation`` says whether there is a validation cost, ``scheduled`` whether there is a
    learning rate. Gaps are judged against ``gap_measure`` (in squared target units, 0 if there is no optimum).
    ``importance`` is |standardized slope at the optimum| by term: it chooses the terms of a table that cannot hold all.
    ``by`` are the columns that tell groups apart, whose iterations follow each other.
    """

    terms: tuple[str, ...]
    intercept: bool = True
    validation: bool = False
    gap_measure: float = 0.0
    importance: tuple[float, ...] = ()
    scheduled: bool = False
    by: tuple[str, ...] = ()


@record
class ExplainedRow:
    """One row as the descent sees it: its columns, target, prediction, and error = target − prediction."""

    x: tuple[float, ...]
    target: float
    prediction: float
    error: float


@record
class ExplainedTerm:
    """One parameter's update: gradient = −2 mean(error · x), step = lr · gradient, updated = value − step."""

    term: str
    value: float
    mean_error_product: float
    gradient: float
    step: float
    updated: float


@record
class ExplainedStep:
    """One update, with the cost before and after it."""

    iteration: int
    rows: tuple[ExplainedRow, ...]
    terms: tuple[ExplainedTerm, ...]
    cost_before: float
    cost_after: float


@record
class Explanation:
    """The first updates of a fit, on the scaled problem (``scale``; the target was divided by ``target_scale``)."""

    scale: str
    target_scale: float
    learning_rate: float
    rows: int
    weighted: bool
    iterations: int
    terms: tuple[str, ...]
    steps: tuple[ExplainedStep, ...]


@record
class DescentState:
    """The state of a descent, in scaled units, from which it can be resumed or predict.

    ``terms`` are (column, level or None) beside their ``center`` and ``scale``; ``theta`` holds the intercept first,
    if there is one, after ``iteration`` updates in all. ``optimizer`` is its own memory. ``levels`` lists
    all levels of each text column, ``missing_words`` the cells that count as missing, and ``means`` their fills,
    by numeric column. ``dates`` are the numeric columns that hold dates, by their spelling. ``computed`` are the terms,
    and the target, that are computed from columns, by name. ``csv`` are the options given for CSV files.
    """

    terms: tuple[tuple[str, str | None], ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]
    target_scale: float
    theta: tuple[float, ...]
    iteration: int
    optimizer: tuple[tuple[float, ...], ...]
    levels: Mapping[str, tuple[str, ...]]
    missing_words: tuple[str, ...]
    missing: str
    weights: str | None
    means: Mapping[str, float] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)
    computed: "Mapping[str, Computed]" = field(default_factory=dict)
    # The same rows, written in another way, give the same fit.
    csv: Mapping[str, Any] = field(default_factory=dict, compare=False)


@record
class Fit:
    """A finished fit. ``intercept`` is None with ``--no-intercept``.

    ``features`` are the columns used, in the file's order; ``coefficients`` are their terms (a text column has
    one per level but the reference). ``reference_levels`` maps each text column to the level left out.
    ``trace`` holds the iterations that the table shows, ``trace_terms`` the names of its slopes. ``classes`` are those
    of a logistic fit, the event last; ``parameter`` is the loss's, None if it has none. ``rmse`` and ``r2`` are there
    for squared errors alone; without an intercept R² is uncentered. ``saturated``: there are as many coefficients as
    rows, or more, and no penalty. ``row_spread`` is what intervals of predictions need, if they exist.
    """

    version: str
    files: tuple[str, ...]
    target: str
    features: tuple[str, ...]
    loss: str
    reference_levels: Mapping[str, str]
    rows: RowCounts
    intercept: Coefficient | None
    coefficients: tuple[Coefficient, ...]
    cost: float | None
    rmse: float | None
    r2: float | None
    optimum: Optimum
    descent: Descent
    learning_rate: LearningRate
    trace: tuple[TraceRow, ...]
    trace_terms: tuple[str, ...]
    left_out: tuple[str, ...]
    collinear: tuple[tuple[str, ...], ...]
    state: DescentState
    inference: Inference | None = None
    holdout: Holdout | None = None
    cross_validation: CrossValidation | None = None
    picture: "Picture | None" = None
    explanation: Explanation | None = None
    penalty: PenaltyPart | None = None
    classes: tuple[str, str] | None = None
    parameter: float | None = None
    saturated: bool = False
    row_spread: RowSpread | None = None

    @property
    def diverged(self) -> bool:
        """Whether the exit code is 3: the descent diverged, or its rate is unstable, however few iterations ran."""
        return self.descent.stopped is Stopped.DIVERGED or self.learning_rate.behaviour is Behaviour.UNSTABLE


INTERCEPT = "(intercept)"
