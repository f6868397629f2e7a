"""How fast a descent comes closer, in the numbers that the verdict puts into words.

Along an eigenvector of the Hessian, plain gradient descent multiplies the distance to the optimum by 1 − η·λ per
iteration. All numbers here follow from that, with λmax = 2/largest_stable and λmin = λmax/condition_number. The same
holds for Newton's method, with all λ equal to 1.
"""

import math

from gdcli.fitting.results import Fit
from gdcli.report import numbers as digits
from gdcli.report.sentences import is_plain

# Converged: gap at most this share of the measure, and the scaled slopes within this share of the optimum's.
CONVERGED_GAP, _CONVERGED_SLOPES = 1e-6, 0.01

# More than a few iterations, and more than a fifth, is worth another command.
_WORTHWHILE_FACTOR, _WORTHWHILE_ITERATIONS = 1.2, 2


def better_rate(fit: Fit) -> float | None:
    """The best learning rate, rounded; None if it is unknown, automatic, or hardly faster than the one given."""
    rate = fit.learning_rate
    if rate.best is None or rate.best_iterations is None or rate.automatic:
        return None
    reached = rate.iterations_to_1_percent
    worthwhile = _WORTHWHILE_FACTOR * rate.best_iterations + _WORTHWHILE_ITERATIONS
    return digits.rounded_rate(rate.best) if reached is None or reached > worthwhile else None


def quickest(fit: Fit) -> tuple[float, int | None]:
    """The learning rate to go on with, and the iterations from the start that it needs to converge.

    The rate is the one given or the best one. The iterations are None if unknown. The best rate is the first within 1
    %, which is not always the first to converge.
    """
    given, better = fit.descent.learning_rate, better_rate(fit)
    as_given = _enough(fit, given, changed=False)
    if better is None:
        return given, as_given
    as_better = _enough(fit, better, changed=True)
    if as_given is not None and as_better is not None and as_given < as_better:
        return given, as_given
    return better, as_better


def _enough(fit: Fit, rate: float, *, changed: bool) -> int | None:
    """How many iterations from the start converge at a rate, by the slowest direction; None if unknown.

    No direction shrinks more slowly than f = max |1 − η·λ|: gap_k ≤ gap₀ f²ᵏ and ‖θ_k − θ*‖ ≤ ‖θ₀ − θ*‖ fᵏ. A
    descent at the same rate goes on from where this one ended, which is the tighter bound.
    """
    if changed and (not fit.trace or fit.trace[0].iteration != 0):
        return None
    steepest, flattest = steepest_factor(fit, rate), _flattest_factor(fit, rate)
    slopes = _slope_error(fit, at_start=changed)
    gap = fit.trace[0].gap if changed else fit.optimum.gap
    if steepest is None or flattest is None or slopes is None or gap is None or fit.optimum.gap_measure <= 0:
        return None
    factor = max(steepest, flattest)
    if not 0 < factor < 1:
        return 1 if factor == 0 else None
    needed = max(
        math.log(max(gap / fit.optimum.gap_measure / CONVERGED_GAP, 1.0)) / 2,
        math.log(max(slopes / _CONVERGED_SLOPES, 1.0)),
    )
    return math.ceil(needed / -math.log(factor)) + (0 if changed else fit.descent.iterations)


def _slope_error(fit: Fit, *, at_start: bool) -> float | None:
    """‖θ − θ*‖/‖θ*‖ over the slopes, standardized (as in the file where it is descended on unscaled)."""
    error = size = 0.0
    start = dict(zip(fit.trace_terms, fit.trace[0].slopes, strict=True)) if at_start else {}
    for term in fit.coefficients:
        if term.value is None or term.optimum is None or term.standardized is None:
            return None
        if not term.value and term.optimum:
            return None  # a slope still at zero does not tell its scale
        scale = 1.0 if fit.descent.scale == "none" or not term.value else term.standardized / term.value
        here = start[term.term] if at_start else term.value
        error += (scale * (here - term.optimum)) ** 2
        size += (scale * term.optimum) ** 2
    return math.sqrt(error / size) if size else 0.0


def gap_share(fit: Fit) -> float | None:
    """The gap to the minimum as a share of the cost that it is measured by (0.01 is 1 %); None if unknown."""
    gap, measure = fit.optimum.gap, fit.optimum.gap_measure
    if gap is None:
        return None
    if gap == 0:
        return 0.0
    return gap / measure if measure > 0 else None


def steepest_factor(fit: Fit, rate: float) -> float | None:
    """|1 − η·λmax| of plain gradient descent at the given rate η; None for other descents, or if λmax is unknown."""
    limit = fit.learning_rate.largest_stable
    return None if limit is None or not is_plain(fit) else abs(1 - 2 * rate / limit)


def _flattest_factor(fit: Fit, rate: float) -> float | None:
    """|1 − η·λmin| of plain gradient descent."""
    limit, condition = fit.learning_rate.largest_stable, fit.learning_rate.condition_number
    if limit is None or condition is None or not is_plain(fit):
        return None
    return abs(1 - 2 * rate / (limit * condition))
