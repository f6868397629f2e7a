"""The verdict in words: what the learning rate does, how far the descent got, and what to change.

Every sentence is made from the numbers of this fit and is left out where it would not be true of them. What the
sentences on speed rest on is in :mod:`gdcli.report.pace`. Of other optimizers, and of a rate that changes, only what
was forecast is said.
"""

from typing import Protocol

from gdcli.base.names import count_of, printable
from gdcli.engine.descent import Stopped
from gdcli.engine.losses import LOSSES
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.results import Fit
from gdcli.report import numbers as digits
from gdcli.report.pace import CONVERGED_GAP, better_rate, gap_share, half_life, quickest, steepest_factor
from gdcli.report.sentences import (
    above_bound,
    bound,
    counted,
    how_long,
    is_plain,
    on_batches,
    on_corners,
    on_the_bound,
    out_of_patience,
    roughly,
    unknown_distance,
    with_optimizer,
)

# Lines that start so are commands to paste: not to be wrapped or worded further.
COMMAND_INDENT = "  "

# Below this the slow directions explain no wait that a person would notice.
_ILL_CONDITIONED = 100.0

# A minute or two of iterations on a few features; more is no advice.
_MOST_TO_ADVISE = 10_000_000

_DEFAULT_ITERATIONS = 1000

# Share of the distance that one overshoot keeps. Above it the verdict says how little closer each one comes.
_SLOW_SWING = 0.9

_AT_THE_LIMIT = 1e-9

_MOST_SLOW_TERMS = 3

_AUTOMATIC_DIGITS = 4


class RateCommand(Protocol):
    """The user's own command line with another rate, ready to paste.

    ``iterations`` is given where that many are needed; a command that asks for more already keeps its own.
    """

    def __call__(self, learning_rate: float, iterations: int | None = None) -> str: ...


def verdict(fit: Fit, command: RateCommand | None = None) -> list[str]:
    """The verdict as lines: sentences, and after some of them a command indented by ``COMMAND_INDENT``."""
    if fit.diverged:
        return _on_divergence(fit, command)
    rate = _on_the_rate(fit) or on_the_bound(fit)
    lines = [_outcome(fit), _on_saturation(fit), rate, _on_the_wait(fit), *_advice(fit, command)]
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
    if fit.optimum.cost is None:
        return f"Not converged{' ' if why.startswith('a') else '; '}{why.rstrip(';')}: {unknown_distance(fit)}."
    first = f"{'Converged' if done.converged else 'Not converged'}: {why} {_distance(fit)}"
    return ". ".join(part for part in (first.rstrip("; "), _within_one_percent(fit)) if part) + "."


def _on_saturation(fit: Fit) -> str:
    if not fit.saturated:
        return ""
    coefficients = len(fit.coefficients) + (fit.intercept is not None)
    return f"A low cost is no merit of a fit with {count_of(coefficients, 'coefficient')} for as many rows or fewer."


def _kept(fit: Fit) -> int:
    """The iteration whose parameters are the result: the last, unless patience keeps a better one."""
    patient = fit.holdout is not None and fit.holdout.patience is not None
    return fit.holdout.kept if fit.holdout is not None and patient else fit.descent.iterations


def _stopped_early(fit: Fit) -> bool:
    """Whether the result was chosen by the validation cost, not by the distance to the optimum."""
    return fit.descent.stopped is Stopped.PATIENCE or _kept(fit) < fit.descent.iterations


def _distance(fit: Fit) -> str:
    """Say how far the cost is above its minimum, and how far off the slopes are if that is more."""
    share = gap_share(fit)
    if share is None:
        return unknown_distance(fit)
    if fit.optimum.relative_gap is None:
        if share == 0:
            return "the cost is at its minimum, zero" if fit.saturated else "the fit is perfect, with a cost of zero"
        best = "has" if fit.saturated else "is a perfect fit, with"
        return f"{digits.percent(share)} of the start's gap is left; the optimum {best} a cost of zero"
    if share == 0:
        return "the cost is at its minimum"
    text = f"the cost is {digits.percent(share)} above its minimum"
    if not fit.descent.converged and share <= CONVERGED_GAP:
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
    swing = steepest_factor(fit, rate.given)
    if swing is None or swing <= _SLOW_SWING:
        how = "and comes back closer each time: harmless, as it is below the largest stable rate"
    else:
        how = f"and comes back only {digits.percent(1 - swing)} closer each time, just below the largest stable rate"
    return f"{name} overshoots along the steepest direction {how} {stable}. {_faster(fit)}".rstrip()


def _faster(fit: Fit) -> str:
    """Say which rate would be faster; where the wait is long and none is, say that."""
    rate = fit.learning_rate
    better = better_rate(fit)
    if better is not None and rate.best_iterations is not None:
        return (
            f"lr {digits.rate(better)}, the best for this start, comes within 1 % after about "
            f"{roughly(rate.best_iterations)}."
        )
    reached = rate.iterations_to_1_percent
    if reached is not None and reached > fit.descent.iterations and not rate.automatic and rate.best is not None:
        return "No rate is much faster."
    return ""


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
    halves = half_life(fit)
    if halves is not None:
        text += f" Along the flattest direction the distance halves about every {roughly(halves)}."
    if fit.descent.scale != "standard":
        text += f" --scale standard usually needs far fewer iterations than --scale {fit.descent.scale}."
    return text


def _direction(slowest: tuple[tuple[str, float], ...]) -> str:
    """``sqft against baths and beds`` for the dominant terms of an eigenvector and their weights."""
    dominant = [(printable(term), weight) for term, weight in slowest if abs(weight) >= abs(slowest[0][1]) / 2]
    dominant = dominant[:_MOST_SLOW_TERMS]
    if not dominant:
        return ""
    ahead = [term for term, weight in dominant if (weight > 0) == (dominant[0][1] > 0)]
    against = [term for term, weight in dominant if (weight > 0) != (dominant[0][1] > 0)]
    together = ahead[0] if len(ahead) == 1 else f"{ahead[0]} together with {' and '.join(ahead[1:])}"
    return f"{together} against {' and '.join(against)}" if against else together


# --- what to change


def _advice(fit: Fit, command: RateCommand | None) -> list[str]:
    done = fit.descent
    if done.converged or _stopped_early(fit):
        return []
    if done.stopped is Stopped.TOLERANCE:
        return ["A smaller --tol goes further."]
    if not LOSSES[fit.loss].smooth and fit.descent.batches is None:
        return [on_corners(fit)]
    if fit.optimum.cost is None:
        # Both classes are there, so that no intercept runs away; slopes cannot with a penalty.
        return ["With a penalty, such as --l2 0.01, it has one."] if fit.classes and fit.penalty is None else []
    if fit.learning_rate.searched:
        return ["More iterations (-n) bring it closer."]
    limit = bound(fit)
    if limit is not None and above_bound(fit):
        return _with_command(fit, command, digits.rounded_rate(limit / 2), None)
    if fit.learning_rate.behaviour is None:
        return [on_batches(fit) or "More iterations (-n), or another rate, may bring it closer."]
    if not is_plain(fit):
        return ["More iterations (-n) bring it closer."]
    rate, enough = quickest(fit)
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


def _with_command(fit: Fit, command: RateCommand | None, rate: float, enough: int | None) -> list[str]:
    """The advice for a rate and a number of iterations, and the command that takes it."""
    if fit.learning_rate.automatic:
        rate = digits.rounded_rate(rate, _AUTOMATIC_DIGITS)
    text = f"Try lr {_shown(rate)}"
    if enough is not None:
        text = f"At lr {_shown(rate)} about {roughly(enough)} {'is' if enough == 1 else 'are'} enough to converge"
    needed = enough or fit.learning_rate.best_iterations or 0
    more = needed if fit.descent.iterations < needed <= _MOST_TO_ADVISE else None
    return [text + (":" if command else "."), *_pasted(command, rate, more)]


# --- divergence


def _on_divergence(fit: Fit, command: RateCommand | None) -> list[str]:
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
    if above_bound(fit):
        first = f"{name} is above {stable}, the bound on stable rates for this data; {ended}."
    elif rate.given > limit * (1 + _AT_THE_LIMIT):
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


def _way_out(fit: Fit, command: RateCommand | None, limit: float) -> list[str]:
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


def _pasted(command: RateCommand | None, rate: float, iterations: int | None) -> list[str]:
    if command is None:
        return []
    return [COMMAND_INDENT + (command(rate) if iterations is None else command(rate, iterations))]


# --- numbers


def _shown(rate: float, automatic: bool = False) -> str:
    """A rate as it was given; one that was computed, to fewer digits."""
    return digits.rate(digits.rounded_rate(rate, _AUTOMATIC_DIGITS) if automatic else rate)
