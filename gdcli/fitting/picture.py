"""Gathering the numbers of a picture during the descent."""

from collections.abc import Sequence

import numpy as np

from gdcli.base.listener import Listener
from gdcli.base.records import NamedTuple, record, replace
from gdcli.data.design import Design
from gdcli.engine.arrays import Array, NDArray
from gdcli.engine.losses.contract import Link
from gdcli.engine.scaling import standard_deviations
from gdcli.fitting.lesson import Lesson, lesson_of
from gdcli.fitting.options import FitOptions
from gdcli.fitting.problem import Problem
from gdcli.fitting.results import TraceRow, TraceShape
from gdcli.fitting.term_curve import TermCurve, curve_terms
from gdcli.ingest.aggregate import Points
from gdcli.ingest.plan import fold_of
from gdcli.ingest.read import Dataset

# Lines are drawn at iteration 0, at each power of ten, and at the last iteration.
_LINES_BASE = 10


class Scales(NamedTuple):
    """The shift and the divisor of a term's column, and the divisor of the target, on the scaled problem."""

    center: float
    scale: float
    unit: float

    def of(self, m: Array | float, c: Array | float) -> tuple[Array, Array]:
        """The slope and the intercept on the scaled problem for m and c in file units."""
        slope, intercept = np.asarray(m), np.asarray(c)
        return slope * self.scale / self.unit, (intercept + self.center * slope) / self.unit


@record(eq=False)
class CostGrid:
    """The cost of all rows on a grid of the scaled problem, for a loss whose contours are no ellipses.

    ``costs`` (b, a) are in the cost's units, over slopes (a,) and intercepts (b,). ``optimum`` is the place of the
    minimum, None if there is none.
    """

    slopes: Array
    intercepts: Array
    costs: Array
    optimum: tuple[float, float] | None
    scales: Scales


@record
class Surface:
    """The cost over slope m and intercept c of a fit with one term, exactly and in the units of the file:

        cost(m, c) = cost* + (Δc + µ·Δm)² + s²·Δm²      Δm = m − m*, Δc = c − c*

    with the mean µ and the variance s² (over n, weighted) of the term's column, and in s² what the penalty A·β² adds
    to the curvature. Without an intercept Δc = 0. ``scales`` lead to the coordinates in which the descent steps.
    """

    slope: float
    intercept: float
    cost: float
    mean: float
    variance: float
    scales: "Scales"

    @property
    def scaled(self) -> "Surface":
        """This surface over the scaled slope and intercept, for which steps are at right angles to contours."""
        center, scale, unit = self.scales
        slope, intercept = self.scales.of(self.slope, self.intercept)
        mean, variance = (self.mean - center) / scale, self.variance / scale**2
        return Surface(float(slope), float(intercept), self.cost / unit**2, mean, variance, Scales(0.0, 1.0, 1.0))

    def gap(self, m: Array | float, c: Array | float) -> Array:
        """The gap of the cost at m and c above the optimum's cost, in squared target units."""
        dm, dc = np.asarray(m) - self.slope, np.asarray(c) - self.intercept
        gap: Array = (dc + self.mean * dm) ** 2 + self.variance * dm**2
        return gap

    def level(self, gap: float, corners: int) -> tuple[Array, Array]:
        """The m and c (corners,) on which the gap has this value: an ellipse, closed."""
        angle = np.linspace(0.0, 2.0 * np.pi, corners)
        radius = np.sqrt(gap)
        dm = radius * np.cos(angle) / np.sqrt(self.variance)
        return self.slope + dm, self.intercept + radius * np.sin(angle) - self.mean * dm


@record(eq=False)
class Picture:
    """A descent at k of its iterations: the first hundred, then ever fewer, and the last.

    ``costs`` and ``gaps`` (k,) are in squared target units, ``slopes`` (k, p) and ``intercepts`` (k,) in file units;
    ``standardized`` (k, p) are the slopes times their column's standard deviation over the target's (over 1 for a
    constant target), and ``standardized_optimum`` (p,) the optimum's. ``validation`` (k,) are the costs on the rows
    held out. With one term there are the smallest and the largest value of its column, the cost's ``surface``, or for
    losses that need the rows its ``grid``, and ``points`` (n, 2), a random sample of the rows fitted: term and target.
    ``lesson`` stands for all rows of a squared error. ``curve`` is there if all terms are computed from one column: its
    ``lines`` are those of the iterations in ``lines``. Fields that do not exist are None.
    """

    terms: tuple[str, ...]
    iterations: NDArray[np.int64]
    costs: Array
    gaps: Array
    slopes: Array
    intercepts: Array | None
    standardized: Array
    standardized_optimum: Array
    validation: Array | None
    span: tuple[float, float] | None
    surface: Surface | None
    points: Array | None
    lesson: Lesson | None = None
    curve: TermCurve | None = None
    grid: CostGrid | None = None

    @property
    def lines(self) -> list[int]:
        """The places of iterations 0, 1, 10, 100 … and the last."""
        wanted, power, last = [0], 1, int(self.iterations[-1])
        while power < last:
            wanted.append(power)
            power *= _LINES_BASE
        places = np.searchsorted(self.iterations, [*wanted, last])
        return sorted(set(places.tolist()))


# Rows of a picture: more only blacken it.
MOST_POINTS = 5000

# Points on a side of a grid of costs, and losses computed for all of it.
_FEWEST_ON_A_SIDE, _MOST_ON_A_SIDE, _MOST_LOSSES = 15, 41, 2e8

# Around the path so much of its extent is on the grid, which is so many times as broad as it is high.
_AROUND, _BROAD = 0.3, 1.3

# Rows of a page, which holds their numbers.
MOST_IN_PAGE = 1000

# Every iteration up to ALL_UP_TO, then _PER_DECADE per decade: below 400 for a billion iterations.
ALL_UP_TO = 100

_PER_DECADE = 40


def chosen_iterations(last: int) -> list[int]:
    """The numbers of the iterations that a picture shows, all powers of ten among them.

    Those beyond the first hundred are even and odd in turn, so that an oscillation is seen on both sides.
    """
    chosen = list(range(min(last, ALL_UP_TO) + 1))
    i = 1
    while chosen[-1] < last:
        iteration = round(ALL_UP_TO * 10 ** (i / _PER_DECADE))
        chosen.append(min(iteration + (iteration - i) % 2, last))
        i += 1
    return chosen


class PictureRecorder:
    """A recorder of the rows that a picture shows; ``last`` is the largest number that a row may have."""

    def __init__(self, last: int) -> None:
        self._chosen = frozenset(chosen_iterations(last))
        self._rows: list[TraceRow] = []

    def begin(self, shape: TraceShape) -> None:
        """Nothing to prepare."""

    def wants(self, number: int) -> bool:
        """Whether the picture shows the row of this number."""
        return number in self._chosen

    def record(self, row: TraceRow) -> None:
        """Keep a row."""
        self._rows.append(row)

    def picture(self, problem: Problem, reading: Dataset, options: FitOptions, listener: Listener) -> Picture:
        """The picture of a descent that has ended."""
        rows, terms = self._rows, problem.terms.columns
        best = problem.minimum
        to_standard = standard_deviations(problem.triangle)[:-1] / (problem.target_deviation or 1.0)
        slopes = np.array([row.slopes for row in rows], dtype=np.float64).reshape(len(rows), len(terms))
        single = len(terms) == 1
        identity = options.model.loss.kind.link is Link.IDENTITY
        curve = curve_terms(reading.design, terms) if identity else None
        told = 0 if curve is None else curve.known
        sampled = single or curve is not None
        points = sample_points(problem, reading.design, reading.reduced.points, options, told) if sampled else None
        if sampled and points is None and options.show.points:
            listener.note("a summary holds no rows: the picture shows the lines without points")
        with np.errstate(over="ignore", invalid="ignore"):
            standardized = slopes * to_standard
        picture = Picture(
            terms=problem.labels,
            iterations=np.array([row.iteration for row in rows]),
            costs=np.array([row.cost for row in rows]),
            gaps=np.array([row.gap for row in rows], dtype=np.float64),
            slopes=slopes,
            intercepts=np.array([row.intercept for row in rows], dtype=np.float64) if options.model.intercept else None,
            standardized=standardized,
            standardized_optimum=np.full(len(terms), np.nan) if best is None else best.slopes * to_standard,
            validation=None
            if not options.checks.holds_out
            else np.array([row.validation for row in rows], dtype=np.float64),
            span=(float(problem.triangle.minimum[0]), float(problem.triangle.maximum[0])) if single else None,
            # Only a squared error has contours that are ellipses.
            surface=_surface(problem) if single and not problem.penalty.l1 and not problem.needs_rows else None,
            grid=_grid(problem, rows) if single and problem.needs_rows else None,
            points=points if single else None,
            lesson=None if problem.needs_rows else lesson_of(problem, points if single else None),
        )
        if curve is None:
            return picture
        at, triangle = picture.lines, problem.triangle
        span = float(triangle.minimum[curve.known]), float(triangle.maximum[curve.known])
        intercepts = np.zeros(len(rows)) if picture.intercepts is None else picture.intercepts
        return replace(picture, curve=curve.curve(span, slopes[at], intercepts[at], points))


def _surface(problem: Problem) -> Surface:
    triangle, optimum = problem.triangle, problem.optimum
    return Surface(
        slope=float(optimum.slopes[0]),
        intercept=optimum.intercept,
        cost=optimum.cost,
        mean=float(triangle.mean[0]),
        # A·Σβ² in file units: the slope on the scaled problem is m·scale/target_scale.
        variance=float(triangle.R[1, 1] ** 2 / triangle.weight + problem.penalty.l2 * problem.scaling.scale[0] ** 2),
        scales=_scales(problem),
    )


def _scales(problem: Problem) -> Scales:
    scaling = problem.scaling
    return Scales(float(scaling.center[0]), float(scaling.scale[0]), float(scaling.target_scale))


def _grid(problem: Problem, rows: Sequence[TraceRow]) -> CostGrid | None:
    """The cost around the path; None without an intercept, of a path that is lost, or of too many rows."""
    side = min(int((_MOST_LOSSES / max(problem.triangle.count, 1)) ** 0.5), _MOST_ON_A_SIDE)
    finite = [row for row in rows if row.intercept is not None and np.isfinite([*row.slopes, row.intercept]).all()]
    if side < _FEWEST_ON_A_SIDE or not finite:
        return None
    scales, best = _scales(problem), problem.minimum
    path = np.array([scales.of(row.slopes[0], row.intercept or 0.0) for row in finite])
    optimum = None
    if best is not None:
        slope, intercept = scales.of(float(best.slopes[0]), best.intercept)
        optimum = (float(slope), float(intercept))
        path = np.vstack([path, optimum])
    middle, half = (path.max(0) + path.min(0)) / 2, (0.5 + _AROUND) * float(np.ptp(path, axis=0).max() or 1.0)
    slopes = np.linspace(middle[0] - _BROAD * half, middle[0] + _BROAD * half, side)
    intercepts = np.linspace(middle[1] - half, middle[1] + half, side)
    with np.errstate(over="ignore", invalid="ignore"):
        costs = [[float(problem.objective.value(np.array([v, u]))) for u in slopes] for v in intercepts]
    return CostGrid(slopes, intercepts, np.array(costs) * problem.cost_scale, optimum, scales)


def sample_points(
    problem: Problem, design: Design, found: Points | None, options: FitOptions, term: int = 0
) -> Array | None:
    """A term and the target (n, 2) in those rows of the sample ``found`` that were fitted; None without a sample."""
    if found is None:
        return None
    x = problem.values(problem.terms.columns[term], found.columns, found.X)
    rows = np.column_stack([x, problem.targets(design.predicted, found.columns, found.X)])
    if options.checks.holds_out:
        rows = rows[fold_of(found.draws, options.checks.cuts) == 0]
    return rows if len(rows) else None
