"""The verdict in words: what the learning rate does, how far the descent got, and what to change.

Every sentence is made from the numbers of this fit and is left out where it would not be true of them. Along an
eigenvector of the Hessian, plain gradient descent multiplies the distance to the optimum by 1 − η·λ per iteration;
with λmax = 2/largest_stable and λmin = λmax/condition_number that is what the sentences on speed rest on. So it is for
Newton's method, where all λ are 1. Of other optimisers, and of a rate that changes, only what was forecast is said.
"""

import math
from typing import Protocol

from gdcli.engine.descent import Stopped
from gdcli.engine.spectrum import Behaviour
from gdcli.report import digits
from gdcli.report.words import (
    counted,
    how_long,
    is_plain,
    on_batches,
    on_the_bound,
    out_of_patience,
    roughly,
    unknown_distance,
    with_optimizer,
)
from gdcli.result import Fit
from gdcli.text import printable

# Lines that start so are commands to paste: not to be wrapped or worded further.
COMMAND_INDENT = "  "

# Converged: gap at most this share of the measure, and the scaled slopes within this share of the optimum's.
_CONVERGED_GAP, _CONVERGED_SLOPES = 1e-6, 0.01
# Below this the slow directions explain no wait that a person would notice.
_ILL_CONDITIONED = 100.0
# More than a few iterations, and more than a fifth, is worth another command.
_WORTHWHILE_FACTOR, _WORTHWHILE_ITERATIONS = 1.2, 2
# A minute or two of iterations on a few features; more is no advice.
_MOST_TO_ADVISE = 10_000_000
_DEFAULT_ITERATIONS = 1000
# An overshoot that keeps more than this share of the distance is what the descent waits for.
_SLOW_SWING = 0.9
_AT_THE_LIMIT = 1e-9
_MOST_SLOW_TERMS = 3
_AUTOMATIC_DIGITS = 4


class Command(Protocol):
    """Returns the user's own command line with another rate, ready to paste.

    ``iterations`` is given where that many are needed; a command that asks for more already keeps its own.
    """

    def __call__(self, learning_rate: float, iterations: int | None = None) -> str: ...


def verdict(fit: Fit, command: Command | None = None) -> list[str]:
    """Return the verdict as lines: sentences, and after some of them a command indented by ``COMMAND_INDENT``."""
    if fit.diverged:
        return _on_divergence(fit, command)
    lines = [_outcome(fit), _on_the_rate(fit) or on_the_bound(fit), _on_the_wait(fit), *_advice(fit, command)]
    return [line for line in lines if line]


# --- how far it got


def _outcome(fit: Fit) -> str:
    done = fit.descent
    why = f"after {how_long(fit)}" if done.iterations else "at the start"
    at = f"at iteration {digits.count(done.iterations)}"
    if done.stopped is Stopped.TOLERANCE:
        limit = "the tolerance" if done.tolerance is None else f"--tol {digits.rate(done.tolerance)}"
        why = f"stopped {at}, where the gradient's norm fell below {limit};"
    elif done.stopped is Stopped.PATIENCE:
        why = f"stopped {at}, {out_of_patience(fit)};"
    elif done.stopped is Stopped.INTERRUPTED:
        why = f"interrupted {at};"
    kept = _kept(fit)
    if kept < done.iterations:
        why = f"{why.rstrip(';')}; iteration {digits.count(kept)}, of the lowest validation cost, is kept, where"
    first = f"{'Converged' if done.converged else 'Not converged'}: {why} {_distance(fit)}"
    return ". ".join(part for part in (first.rstrip("; "), _within_one_percent(fit)) if part) + "."


def _kept(fit: Fit) -> int:
    """Return the iteration whose parameters are the result: the last, unless patience keeps a better one."""
    patient = fit.holdout is not None and fit.holdout.patience is not None
    return fit.holdout.kept if fit.holdout is not None and patient else fit.descent.iterations


def _stopped_early(fit: Fit) -> bool:
    """Whether the validation cost, not the optimum, is what the descent was for."""
    return fit.descent.stopped is Stopped.PATIENCE or _kept(fit) < fit.descent.iterations


def _distance(fit: Fit) -> str:
    """Say how far the cost is above its minimum, and where the slopes are further off than that tells."""
    share = _gap_share(fit)
    if share is None:
        return unknown_distance(fit)
    if fit.optimum.relative_gap is None:
        if share == 0:
            return "the fit is perfect, with a cost of zero"
        return f"{digits.percent(share)} of the start's gap is left; the optimum is a perfect fit, with a cost of zero"
    if share == 0:
        return "the cost is at its minimum"
    text = f"the cost is {digits.percent(share)} above its minimum"
    if not fit.descent.converged and share <= _CONVERGED_GAP:
        text += ", but the slopes are still more than 1 % off the optimum's"
    return text


def _within_one_percent(fit: Fit) -> str:
    reached, run = fit.learning_rate.iterations_to_1_percent, _kept(fit)
    if reached is None or run < fit.descent.iterations:
        return ""
    if reached == 0:
        return "The start was within 1 % already"
    if reached <= run:
        first = "first " if fit.learning_rate.behaviour is Behaviour.OSCILLATING and not is_plain(fit) else ""
        return f"It {first}came within 1 % at iteration {digits.count(reached)}"
    if reached > _MOST_TO_ADVISE:
        return f"It would come within 1 % after about {digits.rough(reached)} iterations"
    more = f", {digits.count(reached - run)} more than were run" if run else ""
    return f"It would come within 1 % at iteration {digits.count(reached)}{more}"


# --- what the rate does


def _on_the_rate(fit: Fit) -> str:
    rate = fit.learning_rate
    limit = rate.largest_stable
    if limit is None or rate.behaviour is None:
        return ""
    name = f"lr {_shown(rate.given, rate.automatic)}{with_optimizer(fit)}"
    stable = digits.rate(digits.rounded_below(limit))
    if rate.automatic:
        name += ", chosen as the one that comes within 1 % first,"
    if rate.behaviour is Behaviour.MONOTONE:
        text = f"{name} approaches the optimum without overshooting; rates up to {stable} are stable"
        return f"{text}. {_faster(fit)}".rstrip()
    if not is_plain(fit):
        text = f"{name} swings about the optimum, less each time: harmless, as it is below the largest stable rate"
        return f"{text} {stable}. {_faster(fit)}".rstrip()
    swing = _steepest_factor(fit, rate.given)
    if swing is None or swing <= _SLOW_SWING:
        how = "and comes back closer each time: harmless, as it is below the largest stable rate"
    else:
        how = f"and comes back only {digits.percent(1 - swing)} closer each time, just below the largest stable rate"
    return f"{name} overshoots along the steepest direction {how} {stable}. {_faster(fit)}".rstrip()


def _faster(fit: Fit) -> str:
    """Say which rate would be faster; where the wait is long and none is, say that."""
    rate = fit.learning_rate
    better = _better_rate(fit)
    if better is not None and rate.best_iterations is not None:
        return (
            f"lr {digits.rate(better)}, the best for this start, comes within 1 % after about "
            f"{roughly(rate.best_iterations)}."
        )
    reached = rate.iterations_to_1_percent
    if reached is not None and reached > fit.descent.iterations and not rate.automatic and rate.best is not None:
        return "No rate is much faster."
    return ""


def _better_rate(fit: Fit) -> float | None:
    """Return the best rate, rounded, where it is clearly faster than the one given."""
    rate = fit.learning_rate
    if rate.best is None or rate.best_iterations is None or rate.automatic:
        return None
    reached = rate.iterations_to_1_percent
    worthwhile = _WORTHWHILE_FACTOR * rate.best_iterations + _WORTHWHILE_ITERATIONS
    return digits.rounded_rate(rate.best) if reached is None or reached > worthwhile else None


# --- what it waits for


def _on_the_wait(fit: Fit) -> str:
    rate = fit.learning_rate
    condition = rate.condition_number
    if fit.descent.converged or condition is None or condition <= _ILL_CONDITIONED or _stopped_early(fit):
        return ""
    if rate.behaviour is None:  # then it may wait for its schedule
        return ""
    text = f"What takes long is a condition number of about {digits.rough(condition)}"
    if slowest := _direction(rate.slowest):
        text += f"; slowest: {slowest}"
    text += "."
    half_life = _half_life(fit)
    if half_life is not None:
        text += f" Along the flattest direction the distance halves about every {roughly(half_life)}."
    if fit.descent.scale != "standard":
        text += f" --scale standard usually needs far fewer iterations than --scale {fit.descent.scale}."
    return text


def _direction(slowest: tuple[tuple[str, float], ...]) -> str:
    """Return ``sqft against baths and beds`` for the dominant terms of an eigenvector and their weights."""
    dominant = [(printable(term), weight) for term, weight in slowest if abs(weight) >= abs(slowest[0][1]) / 2]
    dominant = dominant[:_MOST_SLOW_TERMS]
    if not dominant:
        return ""
    ahead = [term for term, weight in dominant if (weight > 0) == (dominant[0][1] > 0)]
    against = [term for term, weight in dominant if (weight > 0) != (dominant[0][1] > 0)]
    together = ahead[0] if len(ahead) == 1 else f"{ahead[0]} together with {' and '.join(ahead[1:])}"
    return f"{together} against {' and '.join(against)}" if against else together


def _half_life(fit: Fit) -> int | None:
    """Return the iterations that halve the distance along the flattest direction, at the rate given."""
    factor = _flattest_factor(fit, fit.learning_rate.given)
    if factor is None or not 0.5 < factor < 1:
        return None
    return math.ceil(math.log(0.5) / math.log(factor))


# --- what to change


def _advice(fit: Fit, command: Command | None) -> list[str]:
    done = fit.descent
    if done.converged or _stopped_early(fit):
        return []
    if done.stopped is Stopped.TOLERANCE:
        return ["A smaller --tol goes further."]
    if fit.learning_rate.searched:
        return ["More iterations (-n) bring it closer."]
    if fit.learning_rate.behaviour is None:
        return [on_batches(fit) or "More iterations (-n), or another rate, may bring it closer."]
    if not is_plain(fit):
        return ["More iterations (-n) bring it closer."]
    rate, enough = _quickest(fit)
    if enough is None and rate == done.learning_rate:
        return ["More iterations (-n) bring it closer."]
    if enough is None:
        return _with_command(fit, command, rate, None)
    if enough > _MOST_TO_ADVISE:
        return [
            f"At lr {_shown(rate, fit.learning_rate.automatic)} it may take {digits.rough(enough)} iterations to "
            "converge; the optimum beside the coefficients needs none."
        ]
    return _with_command(fit, command, rate, digits.rounded_up(enough))


def _quickest(fit: Fit) -> tuple[float, int | None]:
    """Return the rate to go on with, the one given or the best, and how many iterations from the start are enough.

    The best rate is the first within 1 %, which is not always the first to converge.
    """
    given, better = fit.descent.learning_rate, _better_rate(fit)
    as_given = _enough(fit, given, changed=False)
    if better is None:
        return given, as_given
    as_better = _enough(fit, better, changed=True)
    if as_given is not None and as_better is not None and as_given < as_better:
        return given, as_given
    return better, as_better


def _with_command(fit: Fit, command: Command | None, rate: float, enough: int | None) -> list[str]:
    """Return the advice for a rate and a number of iterations, and the command that takes it."""
    if fit.learning_rate.automatic:
        rate = digits.rounded_rate(rate, _AUTOMATIC_DIGITS)
    text = f"Try lr {_shown(rate)}"
    if enough is not None:
        text = f"At lr {_shown(rate)} about {roughly(enough)} {'is' if enough == 1 else 'are'} enough to converge"
    needed = enough or fit.learning_rate.best_iterations or 0
    more = needed if fit.descent.iterations < needed <= _MOST_TO_ADVISE else None
    return [text + (":" if command else "."), *_pasted(command, rate, more)]


def _enough(fit: Fit, rate: float, *, changed: bool) -> int | None:
    """Return how many iterations from the start converge at a rate, by the slowest direction; None if unknown.

    No direction shrinks more slowly than f = max |1 − η·λ|: gap_k ≤ gap₀ f²ᵏ and ‖θ_k − θ*‖ ≤ ‖θ₀ − θ*‖ fᵏ. A
    descent at the same rate goes on from where this one ended, which is the tighter bound.
    """
    if changed and (not fit.trace or fit.trace[0].iteration != 0):
        return None
    steepest, flattest = _steepest_factor(fit, rate), _flattest_factor(fit, rate)
    slopes = _slope_error(fit, at_start=changed)
    gap = fit.trace[0].gap if changed else fit.optimum.gap
    if steepest is None or flattest is None or slopes is None or gap is None or fit.optimum.gap_measure <= 0:
        return None
    factor = max(steepest, flattest)
    if not 0 < factor < 1:
        return 1 if factor == 0 else None
    needed = max(
        math.log(max(gap / fit.optimum.gap_measure / _CONVERGED_GAP, 1.0)) / 2,
        math.log(max(slopes / _CONVERGED_SLOPES, 1.0)),
    )
    return math.ceil(needed / -math.log(factor)) + (0 if changed else fit.descent.iterations)


def _slope_error(fit: Fit, *, at_start: bool) -> float | None:
    """Return ‖θ − θ*‖/‖θ*‖ over the slopes, standardised (as in the file where it is descended on unscaled)."""
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


# --- divergence


def _on_divergence(fit: Fit, command: Command | None) -> list[str]:
    rate = fit.learning_rate
    limit = rate.largest_stable
    ended = _how_it_diverged(fit)
    if limit is None:
        smaller = digits.rounded_rate(rate.given / 10)
        end = ":" if command else "."
        return [
            f"lr {_shown(rate.given)} is too large: {ended}.",
            f"Try a tenth of it, lr {_shown(smaller)}{end}",
            *_pasted(command, smaller, None),
        ]
    stable = digits.rate(digits.rounded_below(limit))
    name = f"lr {_shown(rate.given)}{with_optimizer(fit)}"
    if rate.given > limit * (1 + _AT_THE_LIMIT):
        first = f"{name} is above the largest stable rate {stable} for this data; {ended}."
    elif rate.behaviour is Behaviour.UNSTABLE:
        first = f"{name} is just too large for this data, where rates up to {stable} are stable; {ended}."
    else:
        first = f"{name} is below the largest stable rate {stable} for this data, and yet {ended}."
    return [first, *_way_out(fit, command, limit)]


def _how_it_diverged(fit: Fit) -> str:
    run = fit.descent.iterations
    if fit.descent.stopped is Stopped.DIVERGED:
        when = "at" if fit.descent.batches is None else "by"
        return f"the descent diverged {when} iteration {digits.count(run)}"
    stopped = "when interrupted" if fit.descent.stopped is Stopped.INTERRUPTED else "yet"
    return f"after {counted(run)} the descent has not diverged {stopped}, but at this rate it never settles"


def _way_out(fit: Fit, command: Command | None, limit: float) -> list[str]:
    rate = fit.learning_rate
    better = digits.rounded_rate(limit / 2 if rate.best is None else rate.best)
    needed = rate.best_iterations
    text = f"lr {digits.rate(better)} is stable"
    if needed is not None:
        text += f" and comes within 1 % of the minimum after about {roughly(needed)}"
    if fit.descent.scale != "standard" and (rate.condition_number or 0) > _ILL_CONDITIONED:
        text += f" (--scale standard usually needs far fewer than --scale {fit.descent.scale})"
    more = digits.rounded_up(needed) if needed and _DEFAULT_ITERATIONS < needed <= _MOST_TO_ADVISE else None
    return [text + (":" if command else "."), *_pasted(command, better, more)]


def _pasted(command: Command | None, rate: float, iterations: int | None) -> list[str]:
    if command is None:
        return []
    return [COMMAND_INDENT + (command(rate) if iterations is None else command(rate, iterations))]


# --- numbers


def _gap_share(fit: Fit) -> float | None:
    gap, measure = fit.optimum.gap, fit.optimum.gap_measure
    if gap is None:
        return None
    if gap == 0:
        return 0.0
    return gap / measure if measure > 0 else None


def _steepest_factor(fit: Fit, rate: float) -> float | None:
    """Return |1 − η·λmax| of plain gradient descent."""
    limit = fit.learning_rate.largest_stable
    return None if limit is None or not is_plain(fit) else abs(1 - 2 * rate / limit)


def _flattest_factor(fit: Fit, rate: float) -> float | None:
    """Return |1 − η·λmin| of plain gradient descent."""
    limit, condition = fit.learning_rate.largest_stable, fit.learning_rate.condition_number
    if limit is None or condition is None or not is_plain(fit):
        return None
    return abs(1 - 2 * rate / (limit * condition))


def _shown(rate: float, automatic: bool = False) -> str:
    """Return a rate as it was given; one that was computed, to fewer digits."""
    return digits.rate(digits.rounded_rate(rate, _AUTOMATIC_DIGITS) if automatic else rate)
