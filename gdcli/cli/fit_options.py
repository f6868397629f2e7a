"""The options of a fit from the values that Click gives."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from gdcli.cli.command_line import given_words
from gdcli.cli.inputs import typed_words
from gdcli.engine.catalog import ITERATIONS

if TYPE_CHECKING:
    from gdcli.report.advice import RateCommand as Again
    from gdcli.report.page.contents import TypedCommand


def fit_length(context: click.Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """The options ``iterations`` and ``epochs``: the one that counts as given, the other at its default.

    The command line goes before the environment. If the environment sets both, the epochs count. Raises UsageError if
    the command line gives both.
    """
    chosen = [name for name in ("iterations", "epochs") if values[name] is not None and typed_words(context, name)]
    if len(chosen) > 1:
        raise click.UsageError("--epochs and -n/--iterations are two ways to say how long: give one.")
    name = "iterations" if values["epochs"] is None or chosen == ["iterations"] else "epochs"
    other = {"epochs": None} if name == "iterations" else {"iterations": ITERATIONS}
    return {name: values[name]} | other


def fit_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of ``values`` that are options of a fit; one learning rate is a number, not a tuple, none is None."""
    from gdcli.fitting.options import OPTION_NAMES

    found = {name: value for name, value in values.items() if name in OPTION_NAMES}
    rates = found.get("learning_rate", ())
    return found if len(rates) > 1 else found | {"learning_rate": rates[0] if rates else None}


# What a lesson page says of a descent itself, and what is about the output alone.
_NOT_DATA = (
    "learning_rate", "rates", "iterations", "epochs", "tolerance", "optimizer", "schedule", "scale", "l2", "start",
    "resume", "plot", "most_points", "output", "trace", "save", "format", "quiet", "explain", "chart", "every",
    "digits", "strict", "inference",
)  # fmt: skip


def typed_command(context: click.Context) -> "TypedCommand":
    """The user's command line in the three forms that a lesson page needs."""
    from gdcli.cli.command_line import with_options
    from gdcli.report.page.contents import TypedCommand

    words, left_out = given_words(context), dict.fromkeys(_NOT_DATA, ())
    data = words[1:] if words[:1] in (("fit",), ("sweep",)) else words  # the page's own command is a fit
    return TypedCommand(
        typed=with_options(words, context.command, {}),
        data=with_options(data, context.command, left_out),
        bare=with_options(data, context.command, left_out | dict.fromkeys(("features", "exclude"), ())),
    )


def command_line(context: click.Context, values: Mapping[str, Any]) -> "Again":
    """A function that returns the user's command line with another rate (None: auto), and other iterations if given."""
    words = given_words(context)

    def again(learning_rate: float | None, iterations: int | None = None) -> str:
        from gdcli.cli.command_line import with_options
        from gdcli.report.numbers import rate

        changes = {"learning_rate": ("--lr", "auto" if learning_rate is None else rate(learning_rate))}
        name, flag = ("iterations", "-n") if values["epochs"] is None else ("epochs", "--epochs")
        if iterations is not None and iterations > values[name]:
            changes[name] = (flag, str(iterations))
        return with_options(words, context.command, changes)

    return again
