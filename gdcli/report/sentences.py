"""Sentences that more than one kind of report needs."""

from collections.abc import Sequence

from gdcli.engine.descent import Stopped
from gdcli.engine.losses import LOSSES
from gdcli.engine.optimizers import OPTIMIZERS, PLAIN_DESCENT, parse_optimizer
from gdcli.engine.schedules import CONSTANT
from gdcli.fitting.results import Fit
from gdcli.report import numbers as digits

# Of the R² of a fit without an intercept, which statsmodels calls the same.
UNCENTERED = "uncentered"


def joined(names: Sequence[str]) -> str:
    """Names as a list in words: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def cost_unit(loss: str, target: str, square: str = "²") -> str:
    """The cost's unit with a blank before it, such as `` (price²)`` for the target ``price``; "" if it has none."""
    power = {0: None, 1: "", 2: square}[LOSSES[loss].degree]
    return "" if power is None else f" ({target}{power})"


def unknown_distance(fit: Fit) -> str:
    """The reason why no distance to the optimum is known, as a clause."""
    if not LOSSES[fit.loss].smooth:
        return "how close it came is not known, as the minimum of this loss is not computed"
    known = fit.optimum.cost is not None
    return "the distance to the minimum is not known" if known else "the cost has no minimum to converge to"


def on_the_bound(fit: Fit) -> str:
    """A sentence on the rates that a bound on the curvature calls stable; "" if the exact limit is known.

    If there is no bound for an automatic rate, it says that each iteration's rate was searched.
    """
    if fit.learning_rate.automatic and fit.learning_rate.searched:
        return f"The curvature of {fit.loss} has no bound to take a rate from: each iteration's was searched."
    limit = bound(fit)
    if limit is None:
        return ""
    stable = digits.rate(digits.rounded_below(limit))
    if fit.learning_rate.automatic:
        chosen = digits.rate(digits.rounded_rate(fit.learning_rate.given, 4))
        return f"lr {chosen} is chosen by the bound on the curvature, by which rates up to {stable} are stable."
    if above_bound(fit):
        return f"lr {digits.rate(fit.learning_rate.given)} is above {stable}, the bound on stable rates for this data."
    return f"Rates up to {stable} are stable, by the bound on the curvature."


def bound(fit: Fit) -> float | None:
    """The learning rate below which a bound on the curvature guarantees stability; None if the exact limit is known."""
    return fit.learning_rate.largest_stable if fit.learning_rate.bound else None


def above_bound(fit: Fit) -> bool:
    """Whether the rate is at or above the bound on the curvature, so that it may not be stable.

    False if the exact limit is known.
    """
    limit = bound(fit)
    return limit is not None and fit.learning_rate.given >= limit


def counted(iterations: int, asked: int = 0) -> str:
    """A number of iterations in words: ``1 iteration``, ``1,500 iterations``; ``3 of 1,000 iterations`` if more were
    ``asked`` for.
    """
    if iterations < asked:
        return f"{digits.count(iterations)} of {counted(asked)}"
    return f"{digits.count(iterations)} {'iteration' if iterations == 1 else 'iterations'}"


def roughly(iterations: int) -> str:
    """A number of iterations in words, a large one rounded: ``1 iteration``, ``21 million iterations``."""
    return f"{digits.rough(iterations)} {'iteration' if iterations == 1 else 'iterations'}"


def epochs(number: float) -> str:
    """A number of epochs in words: ``1 epoch``, ``2.5 epochs``."""
    return f"{number:.3g} {'epoch' if number == 1 else 'epochs'}"


def how_long(fit: Fit) -> str:
    """The length of a descent in words: ``3 of 150 iterations``, with batches ``150 iterations (2.5 epochs)``."""
    done, found = fit.descent.iterations, fit.descent.batches
    shown = counted(done, fit.descent.asked)
    return shown if found is None else f"{shown} ({epochs(done / found.in_epoch)})"


def out_of_patience(fit: Fit) -> str:
    """A clause on how long the validation cost has not improved, or that patience ran out if that is unknown."""
    if fit.holdout is None or fit.holdout.patience is None:
        return "where patience ran out"
    patience = fit.holdout.patience
    waited = counted(patience) if fit.descent.batches is None else epochs(patience)
    return f"after {waited} without a lower validation cost"


def batches(fit: Fit) -> str | None:
    """The size, number and order of the batches, in words; None if each iteration uses all rows."""
    found = fit.descent.batches
    if found is None:
        return None
    return f"of {found.size:,} rows, {found.in_epoch:,} to an epoch, in an order from seed {found.seed}"


def on_batches(fit: Fit) -> str:
    """Advice on how a descent on batches comes closer to the minimum; "" for other descents."""
    found = fit.descent.batches
    if found is None:
        return ""
    if fit.descent.schedule == CONSTANT and found.in_epoch > 1:
        return (
            "More epochs (--epochs) bring it closer, as far as the noise of the batches lets a constant rate; "
            "with one that falls, as by --schedule cosine, it settles."
        )
    return "More epochs (--epochs), or another rate, may bring it closer."


def on_corners(fit: Fit) -> str:
    """Advice on how a descent on a cost with corners comes closer to the minimum."""
    if fit.descent.schedule == CONSTANT:
        return (
            "At a constant rate the descent keeps stepping over it; with one that falls, as by --schedule cosine, it "
            "settles."
        )
    return "More iterations (-n), or another rate, may bring it closer."


def is_plain(fit: Fit) -> bool:
    """Whether this is plain gradient descent at a constant rate η: no momentum and no schedule.

    Each iteration then multiplies the distance to the optimum along an eigenvector by 1 − η·λ.
    """
    name, _ = parse_optimizer(fit.descent.optimizer)
    return OPTIMIZERS[name].kind.memoryless and fit.descent.schedule == CONSTANT


def with_optimizer(fit: Fit) -> str:
    """The optimizer as a phrase to follow a rate, such as `` with momentum:0.9``; "" for plain gradient descent."""
    return "" if fit.descent.optimizer == PLAIN_DESCENT else f" with {fit.descent.optimizer}"


def kept_iteration(fit: Fit) -> int:
    """The iteration whose parameters are the result: the last, unless patience keeps a better one."""
    patient = fit.holdout is not None and fit.holdout.patience is not None
    return fit.holdout.kept if fit.holdout is not None and patient else fit.descent.iterations


def stopped_early(fit: Fit) -> bool:
    """Whether the result was chosen by the validation cost, not by the distance to the optimum."""
    return fit.descent.stopped is Stopped.PATIENCE or kept_iteration(fit) < fit.descent.iterations
