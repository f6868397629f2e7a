"""Options from the environment: GDFIT_LR=0.05 stands for ``--lr 0.05`` where the command line does not say otherwise.

There is one for each option that takes a single value, but for the target and the formula: what to predict is never a
habit.
"""

from collections.abc import Mapping, Sequence

import click
from click.core import ParameterSource

_NOT_A_HABIT = {"target", "formula"}

# An option of several values whose variable gives one of them, or a few with blanks between.
_REPEATABLE = {"learning_rate"}


def give_variables(params: Sequence[click.Parameter]) -> None:
    """Set the environment variable of each option that takes a single value, except the target and the formula."""
    for param in params:
        takes_value = isinstance(param, click.Option) and not param.is_flag
        if takes_value and (not param.multiple or param.name in _REPEATABLE) and param.name not in _NOT_A_HABIT:
            param.envvar = "GDFIT_" + max(param.opts, key=len).strip("-").replace("-", "_").upper()


def variables(command: click.Command) -> Mapping[str, click.Parameter]:
    """The options of a command that have an environment variable, by its name."""
    return {param.envvar: param for param in command.params if isinstance(param.envvar, str)}


def given_variables(ctx: click.Context) -> list[str]:
    """The environment variables that gave this run an option, each as ``GDFIT_LR=0.05``."""
    return [
        f"{name}={param.resolve_envvar_value(ctx)}"
        for name, param in variables(ctx.command).items()
        if param.name and ctx.get_parameter_source(param.name) is ParameterSource.ENVIRONMENT
    ]


def variables_text(command: click.Command) -> str:
    """The section of the help on a command's environment variables; "" if it has none."""
    first, *others = variables(command) or [""]
    if not first:
        return ""
    option = max(variables(command)[first].opts, key=len)
    return f"{first}=VALUE stands for {option} VALUE, unless that is given; likewise {', '.join(others)}."
