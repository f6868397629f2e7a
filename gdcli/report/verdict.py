"""The verdict in words: how far the descent got, what the learning rate does, and what to change.

At most three lines of a terminal of 80 columns, and one command to paste. Every sentence is made from the numbers of
this fit and is left out if it would not be true of them, or if others say more. What the sentences on speed rest on is
in :mod:`gdcli.report.pace`. Of other optimizers, and of a rate that changes, only what was forecast is said.
"""

import math
from enum import Enum

from gdcli.base.names import count_of, printable
from gdcli.base.records import record
from gdcli.engine.descent import Stopped
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.results import Fit
from gdcli.report import numbers as digits
from gdcli.report.advice import ILL_CONDITIONED, MOST_TO_ADVISE, RateCommand, advice_on, shown_rate_of, way_out
from gdcli.report.pace import CONVERGED_GAP, better_rate, gap_share, steepest_factor
from gdcli.report.paper import Page
from gdcli.report.screen import BAD, COMMAND, GOOD, WARNING, Span, StyledLine
from gdcli.report.sentences import (
    counted,
    how_long,
    is_plain,
    kept_iteration,
    on_the_bound,
    out_of_patience,
    roughly,
    stopped_early,
    unknown_distance,
    with_optimizer,
)

# Lines of 80 columns, less the space under the mark, that all sentences together may take.
_MOST_LINES, _LINE = 3, Page(78)

# Share of the distance that one overshoot keeps: below the first it is not worth a word, above the other the verdict
# says how little closer each one comes.
_NO_SWING, _SLOW_SWING = 0.05, 0.9

_MOST_SLOW_TERMS = 3

# Within this share of the minimum a descent that has not converged is near.
NEAR = 0.01

# Digits of a cost that can be told from its minimum's.
_MOST_DIGITS = 15


class State(Enum):
    """The state in which a descent ended; its value is the text that the verdict begins with."""

    CONVERGED = "Converged"
    NEAR = "Nearly there"
    AWAY = "Not there yet"
    DIVERGED = "Diverged"
    UNKNOWN = "Ended"


# The mark of each state, and its colour.
MARKS = {
    State.CONVERGED: ("✓", GOOD),
    State.NEAR: ("≈", WARNING),
    State.AWAY: ("✗", BAD),
    State.DIVERGED: ("✗", BAD),
    State.UNKNOWN: ("?", WARNING),
}


@record
class FitVerdict:
    """Sentences, of which the first begins with the state, and a command to paste; None if there is none."""

    state: State
    sentences: tuple[str, ...]
    command: str | None = None

    @property
    def text(self) -> str:
        """The sentences as one paragraph, and the command under them."""
        return " ".join(self.sentences) + ("" if self.command is None else f"\n  {self.command}")


@record
class _Sentence:
    """A sentence, and how much it matters: if there is no room for all, those of a high rank are left out."""

    text: str
    rank: int


def verdict(fit: Fit, command: RateCommand | None = None) -> FitVerdict:
    """The verdict on a fit. It has a command only if ``command``, which words one, is given."""
    if fit.diverged:
        first, (advice, pasted) = _how_it_diverged(fit), way_out(fit, command)
        return FitVerdict(State.DIVERGED, (first, *advice), pasted)
    advice, pasted = advice_on(fit, command)
    found = [
        _Sentence(_outcome(fit), 0),
        _Sentence(_on_saturation(fit), 1),
        _Sentence(_on_the_rate(fit, advised=bool(advice)) or on_the_bound(fit), 5),
        _Sentence(_on_scaling(fit, " ".join(advice)), 2),
        *(_Sentence(text, rank) for text, rank in zip(_on_the_wait(fit), (3, 4), strict=False)),
        *(_Sentence(text, 1) for text in advice),
    ]
    return FitVerdict(state_of(fit), _in_three_lines([one for one in found if one.text]), pasted)


def verdict_lines(found: FitVerdict, page: Page) -> list[StyledLine]:
    """The lines of a verdict: a coloured mark, sentences broken between words, and the unbroken command to paste."""
    mark, color = MARKS[found.state]
    mark, name = page.shown(mark), found.state.value
    lines = page.wrapped(page.shown(f"{mark} {' '.join(found.sentences)}"), len(mark) + 1)
    begin = f"{mark} {name}"
    shown: list[StyledLine] = [[Span(line)] for line in lines]
    if lines[0].startswith(begin):
        shown[0] = [Span(begin, f"bold {color}"), Span(lines[0][len(begin) :])]
    if found.command is not None:
        shown.append([Span(f"  {page.shown(found.command)}", COMMAND)])
    return shown


def state_of(fit: Fit) -> State:
    """The state in which a descent ended; near the minimum if it is within 1 % and has not converged."""
    if fit.diverged:
        return State.DIVERGED
    if fit.descent.converged:
        return State.CONVERGED
    share = gap_share(fit)
    if share is None:
        return State.UNKNOWN
    return State.NEAR if share <= NEAR else State.AWAY


def _in_three_lines(found: list[_Sentence]) -> tuple[str, ...]:
    """The sentences that three lines hold, those of the lowest rank first; the first two ranks in any case."""
    kept = [one for one in found if one.rank <= 1]
    for one in sorted(found, key=lambda one: one.rank):
        more = [other for other in found if other in kept or other is one]
        if len(_LINE.wrapped(" ".join(other.text for other in more))) <= _MOST_LINES:
            kept = more
    return tuple(one.text for one in kept)


# --- how far it got


def _outcome(fit: Fit) -> str:
    done, state = fit.descent, state_of(fit)
    kept = kept_iteration(fit)
    after = f"after {how_long(fit)}" if done.iterations else "at the start"
    at = f"at iteration {digits.count(done.iterations)}"
    why = ""
    if done.stopped is Stopped.TOLERANCE:
        limit = "the tolerance" if done.tolerance is None else f"--tol {digits.rate(done.tolerance)}"
        after, why = at, f", where the gradient's norm fell below {limit}"
    elif done.stopped is Stopped.PATIENCE:
        after, why = at, f", stopped {out_of_patience(fit)}"
    elif done.stopped is Stopped.INTERRUPTED:
        after = f"when interrupted {at}"
    if kept < done.iterations:
        waited = out_of_patience(fit).replace("validation cost", "one")
        stopped = f"; stopped at {digits.count(done.iterations)}, {waited}"
        after = f"at iteration {digits.count(kept)}, kept for the lowest validation cost"
        why = stopped if done.stopped is Stopped.PATIENCE else ""
    if state is State.UNKNOWN:
        return f"{state.value} {after}{why}: {unknown_distance(fit)}."
    return f"{state.value}: {_distance(fit)} {after}{why}{_within_one_percent(fit)}."


def _on_saturation(fit: Fit) -> str:
    if not fit.saturated:
        return ""
    coefficients = len(fit.coefficients) + (fit.intercept is not None)
    return f"A low cost is no merit of a fit with {count_of(coefficients, 'coefficient')} for as many rows or fewer."


def _distance(fit: Fit) -> str:
    """Say how far the cost is above its minimum, and how far off the slopes are if that is more."""
    share = gap_share(fit)
    if share is None:
        return unknown_distance(fit)
    if fit.optimum.relative_gap is None:
        if share == 0:
            return "the cost is at its minimum, zero," if fit.saturated else "a perfect fit, with a cost of zero,"
        return f"{digits.percent(share)} of the start's gap to a perfect fit is left"
    if share == 0:
        return "exactly at the minimum"
    if fit.descent.converged:
        return f"at the minimum to {min(int(-math.log10(share)), _MOST_DIGITS)} digits"
    text = f"{digits.percent(share)} above the minimum"
    if share <= CONVERGED_GAP:
        text += ", the slopes still more than 1 % off,"
    return text


def _within_one_percent(fit: Fit) -> str:
    reached, run = fit.learning_rate.iterations_to_1_percent, kept_iteration(fit)
    if reached is None or run < fit.descent.iterations or fit.optimum.relative_gap == 0:
        return ""
    if reached == 0:
        return " (within 1 % from the start)"
    if reached <= run:
        known = fit.learning_rate.behaviour is Behaviour.OSCILLATING and not is_plain(fit)
        verb = "first within" if known else "within"
        since = "at" if known else "since"
        return f" ({verb} 1 % {since} {digits.count(reached)})"
    if fit.descent.converged:
        return ""
    if reached > MOST_TO_ADVISE:
        return f"; it would be within 1 % after about {digits.rough(reached)}"
    more = f", {digits.count(reached - run)} more" if run else ""
    return f"; it would be within 1 % at {digits.count(reached)}{more}"


# --- what the rate does


def _on_the_rate(fit: Fit, *, advised: bool) -> str:
    """Say what the rate does; and which one is fastest, unless that is ``advised``."""
    rate = fit.learning_rate
    limit = rate.largest_stable
    if limit is None or rate.behaviour is None:
        return ""
    automatic = " (auto)" if rate.automatic else ""
    name = f"lr {shown_rate_of(rate.given, rate.automatic)}{automatic}{with_optimizer(fit)}"
    stable = digits.rate(digits.rounded_below(limit))
    faster = _faster(fit, advised=advised)
    if rate.behaviour is Behaviour.MONOTONE:
        if rate.automatic:
            return ""
        slow = " but slow" if better_rate(fit) is not None else ""
        return f"{name} is safe{slow}: rates below {stable} are stable.{faster}"
    if not is_plain(fit):
        return f"{name} swings about the minimum, less each time, which is harmless below {stable}.{faster}"
    swing = steepest_factor(fit, rate.given)
    if swing is not None and swing > _SLOW_SWING:
        closer = digits.percent(1 - swing)
        return f"{name} comes back only {closer} closer at each step: from {stable} on rates are unstable.{faster}"
    if rate.automatic and (fit.descent.converged or (swing is not None and swing < _NO_SWING)):
        return ""
    fastest = " is the fastest. It" if rate.automatic else ""
    return f"{name}{fastest} overshoots slightly at each step, which is harmless below {stable}.{faster}"


def _faster(fit: Fit, *, advised: bool) -> str:
    """Say which rate would be faster; where the wait is long and none is, say that."""
    rate = fit.learning_rate
    better = better_rate(fit)
    if better is not None and rate.best_iterations is not None:
        if advised:
            return ""
        return f" The fastest, {digits.rate(better)}, is within 1 % after {roughly(rate.best_iterations)}."
    reached = rate.iterations_to_1_percent
    if reached is not None and reached > fit.descent.iterations and not rate.automatic and rate.best is not None:
        return " No rate is much faster."
    return ""


# --- what it waits for


def _on_scaling(fit: Fit, advised: str) -> str:
    if fit.descent.scale == "standard" or not _waits(fit) or "--scale" in advised:
        return ""
    return f"--scale standard usually needs far fewer iterations than --scale {fit.descent.scale}."


def _waits(fit: Fit) -> bool:
    """Whether slow directions explain why the descent is not there yet."""
    rate = fit.learning_rate
    ill = rate.condition_number is not None and rate.condition_number > ILL_CONDITIONED
    # Without a forecast it may wait for its schedule.
    return ill and not fit.descent.converged and not stopped_early(fit) and rate.behaviour is not None


def _on_the_wait(fit: Fit) -> list[str]:
    rate = fit.learning_rate
    if not _waits(fit) or rate.condition_number is None:
        return []
    slowest = _direction(rate.slowest)
    return [
        f"What takes long is a condition number of about {digits.rough(rate.condition_number)}.",
        *([f"Slowest: {slowest}."] if slowest else []),
    ]


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


# --- divergence


def _how_it_diverged(fit: Fit) -> str:
    run, rate = fit.descent.iterations, fit.learning_rate
    name = State.DIVERGED.value
    if fit.descent.stopped is Stopped.DIVERGED:
        at = f"{'at' if fit.descent.batches is None else 'by'} iteration {digits.count(run)}"
        plain = rate.behaviour is Behaviour.UNSTABLE and is_plain(fit)
        how = "each step overshot by more than the last" if plain else "the cost grew beyond all bounds"
        return f"{name} {at}: {how}."
    return f"{name}, if slowly: after {counted(run)} the steps grow, and at this rate never settle."
