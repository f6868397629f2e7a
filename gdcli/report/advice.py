"""What to change about a descent, in sentences and the command that does it."""

from typing import Protocol

from gdcli.engine.descent import Stopped
from gdcli.engine.losses import LOSSES
from gdcli.engine.optimizers import PLAIN_DESCENT
from gdcli.engine.schedules import CONSTANT
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.results import Fit
from gdcli.report import numbers as digits
from gdcli.report.pace import quickest
from gdcli.report.sentences import (
    above_bound,
    bound,
    is_plain,
    on_batches,
    on_corners,
    roughly,
    stopped_early,
    with_optimizer,
)

# A minute or two of iterations on a few features; more is no advice.
MOST_TO_ADVISE = 10_000_000

# Below this the slow directions explain no wait that a person would notice.
ILL_CONDITIONED = 100.0

_DEFAULT_ITERATIONS = 1000

_AT_THE_LIMIT = 1e-9

_AUTOMATIC_DIGITS = 4

_MORE = "More iterations (-n) bring it closer."

SEARCHED = "Let --lr auto search a rate for each iteration"

Advice = tuple[list[str], str | None]


class RateCommand(Protocol):
    """The user's own command line with another learning rate (None: the automatic one), as text ready to paste.

    ``iterations`` replaces the number given if it is larger; None keeps the number given.
    """

    def __call__(self, learning_rate: float | None, iterations: int | None = None) -> str: ...


def advice_on(fit: Fit, command: RateCommand | None) -> Advice:
    """What to change about a descent that has not diverged: sentences, and a command to paste.

    There are no sentences if nothing is to be changed. The command is None if no command helps, or if ``command`` is
    None.
    """
    done = fit.descent
    if done.converged or stopped_early(fit):
        return [], None
    if done.stopped is Stopped.TOLERANCE:
        return ["A smaller --tol goes further."], None
    if not LOSSES[fit.loss].smooth and fit.descent.batches is None:
        return [on_corners(fit)], None
    if fit.optimum.cost is None:
        # Both classes are there, so that no intercept runs away; slopes cannot with a penalty.
        return (["With a penalty, such as --l2 0.01, it has one."] if fit.classes and fit.penalty is None else []), None
    limit = bound(fit)
    if limit is not None and above_bound(fit):
        return _with_command(fit, command, digits.rounded_rate(limit / 2), None)
    if searchable(fit):
        return [f"{SEARCHED}{':' if command else '.'}"], _pasted(command, None, None)
    if fit.learning_rate.behaviour is None and not fit.learning_rate.searched:
        return [on_batches(fit) or "More iterations (-n), or another rate, may bring it closer."], None
    if fit.learning_rate.searched or not is_plain(fit):
        return [_MORE], None
    rate, enough = quickest(fit)
    if enough is None and rate == done.learning_rate:
        return [_MORE], None
    if enough is not None and enough > MOST_TO_ADVISE:
        name = f"lr {shown_rate_of(rate, fit.learning_rate.automatic)}"
        text = f"At {name} it may take {digits.rough(enough)} iterations to converge"
        if done.scale != "standard":
            return [f"{text}; --scale standard usually needs far fewer than --scale {done.scale}."], None
        return [f"{text}."], None
    return _with_command(fit, command, rate, enough)


def _with_command(fit: Fit, command: RateCommand | None, rate: float, enough: int | None) -> Advice:
    """The advice for a rate and the iterations that it needs, and the command that takes it."""
    automatic = fit.learning_rate.automatic
    shown = digits.rounded_rate(rate, _AUTOMATIC_DIGITS) if automatic else rate
    needed = digits.rounded_up(enough) if enough else fit.learning_rate.best_iterations or 0
    end = ":" if command else "."
    if enough is None:
        text = f"Try lr {shown_rate_of(shown)}{end}"
    elif rate == fit.descent.learning_rate:
        text = f"At this rate {roughly(needed)} converge{'s' if enough == 1 else ''}{end}"
    else:
        text = f"The fastest, {shown_rate_of(shown)}, needs {digits.rough(needed)} to converge{end}"
    more = needed if fit.descent.iterations < needed <= MOST_TO_ADVISE else None
    return [text], _pasted(command, shown, more)


def way_out(fit: Fit, command: RateCommand | None) -> Advice:
    """Advice after divergence: a sentence on the rate, and a command with one that works, None without ``command``."""
    rate = fit.learning_rate
    limit, end = rate.largest_stable, ":" if command else "."
    name = f"lr {shown_rate_of(rate.given)}{with_optimizer(fit)}"
    if searchable(fit):
        return [f"{name} is too large. {SEARCHED}{end}"], _pasted(command, None, None)
    if limit is None:
        smaller = digits.rounded_rate(rate.given / 10)
        text = f"{name} is too large. Try a tenth of it, {shown_rate_of(smaller)}{end}"
        return [text], _pasted(command, smaller, None)
    stable = digits.rate(digits.rounded_below(limit))
    if above_bound(fit):
        first = f"{name} is above {stable}, the bound on stable rates here;"
    elif rate.given > limit * (1 + _AT_THE_LIMIT):
        first = f"{name} is too large: rates below {stable} are stable here, and"
    elif rate.behaviour is Behaviour.UNSTABLE:
        first = f"{name} is just too large: rates up to {stable} are stable here, and"
    else:
        first = f"{name} is below the largest stable rate {stable}, and yet too large;"
    better = digits.rounded_rate(limit / 2 if rate.best is None else rate.best)
    needed = rate.best_iterations
    text = f"{first} {digits.rate(better)} is {'stable' if rate.best is None else 'the best'}"
    if needed is not None:
        text += f", within 1 % after {roughly(needed)}"
    if fit.descent.scale != "standard" and (rate.condition_number or 0) > ILL_CONDITIONED:
        text += f" (--scale standard usually needs far fewer than --scale {fit.descent.scale})"
    more = digits.rounded_up(needed) if needed and _DEFAULT_ITERATIONS < needed <= MOST_TO_ADVISE else None
    return [text + end], _pasted(command, better, more)


def searchable(fit: Fit) -> bool:
    """Whether ``--lr auto`` searches each iteration's rate of such a descent, because no rate is known to be stable."""
    descent, loss = fit.descent, LOSSES[fit.loss]
    plain = descent.optimizer == PLAIN_DESCENT and descent.schedule == CONSTANT and descent.batches is None
    return plain and loss.smooth and loss.bound is None and not fit.learning_rate.searched


def _pasted(command: RateCommand | None, rate: float | None, iterations: int | None) -> str | None:
    if command is None:
        return None
    return command(rate) if iterations is None else command(rate, iterations)


def shown_rate_of(rate: float, automatic: bool = False) -> str:
    """A learning rate as text: all digits of one that was given, at most four of an ``automatic`` one."""
    return digits.rate(digits.rounded_rate(rate, _AUTOMATIC_DIGITS) if automatic else rate)
