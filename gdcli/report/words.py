"""Sentences that more than one kind of report needs."""

from collections.abc import Sequence

from gdcli.engine.optimizers import PLAIN, Newton
from gdcli.engine.schedules import CONSTANT
from gdcli.result import Fit

_MOST_NAMES = 6


def joined(names: Sequence[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def left_out(terms: Sequence[str], of: int, columns: Sequence[str], width: int) -> str:
    """Say which columns of the iterations did not fit: ``terms`` of so many, and other ``columns`` by name."""
    missing = list(terms)
    if missing and of > 1:
        named = (
            missing
            if len(missing) <= _MOST_NAMES
            else [*missing[: _MOST_NAMES - 1], f"{len(missing) - _MOST_NAMES + 1} more"]
        )
        missing = [f"{len(missing)} of {of} terms ({joined(named)})"]
    where = "--trace FILE and --format json have every term; a" if terms else "A"
    return (
        f"Left out to fit {width} columns: {joined([*missing, *columns])}. {where} wider terminal or a pipe shows all."
    )


def is_plain(fit: Fit) -> bool:
    """Whether every distance to the optimum is multiplied by 1 − η·λ in each iteration."""
    return fit.descent.optimizer in (PLAIN, Newton.name) and fit.descent.schedule == CONSTANT


def with_optimizer(fit: Fit) -> str:
    """Return `` with momentum:0.9`` for what follows a rate; nothing for plain gradient descent."""
    return "" if fit.descent.optimizer == PLAIN else f" with {fit.descent.optimizer}"
