"""``gdfit``: the group of commands; ``gdfit FILE…`` means ``gdfit fit FILE…``.

A command's module is imported when the command is used; until then only the table below is known.
"""

import sys
from importlib import import_module
from typing import Any

import click

from gdcli import __version__
from gdcli.base.names import likely, listed, or_listed, quoted
from gdcli.cli.command_line import keep_words
from gdcli.cli.help import help_all_option, write_body

DEFAULT = "fit"

COMMANDS: dict[str, tuple[str, str]] = {
    "fit": ("gdcli.cli.commands.fit", "Fit a regression and show how it gets there; 'fit' may be left out."),
    "describe": (
        "gdcli.cli.commands.describe",
        "Describe each column as a fit would read it: the page to look at before a fit.",
    ),
    "sweep": ("gdcli.cli.commands.sweep", "Compare learning rates side by side."),
    "curve": (
        "gdcli.cli.commands.curve",
        "Walk down a polynomial, step by step, with one learning rate beside another.",
    ),
    "summarize": (
        "gdcli.cli.commands.summarize",
        "Reduce a file to a few kilobytes that stand for it in every later fit.",
    ),
    "predict": ("gdcli.cli.commands.predict", "Add a saved model's predictions to the rows of a file."),
    "score": ("gdcli.cli.commands.score", "Measure how well a saved model predicts known values."),
    "export": ("gdcli.cli.commands.export", "Write a saved model as an expression of SQL, Python or Miller."),
    "help": ("gdcli.cli.commands.help", "Explain a topic: losses, input, validation …; 'gdfit help' lists them."),
    "completion": ("gdcli.cli.commands.completion", "Let bash, zsh or fish complete options and column names."),
}
"""Each command's module, which holds it under the name ``command``, and what it does in one line."""


class DefaultGroup(click.Group):
    """A group in which words that begin with no command belong to ``fit``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with ``fit`` in front if no command is named; return the words left over.

        Without any words on a terminal, show the help.
        """
        keep_words(ctx, args)
        own = {name for param in self.get_params(ctx) for name in param.opts}
        if args and args[0] not in COMMANDS and args[0] not in own:
            args = [DEFAULT, *args]
        elif not args and not ctx.resilient_parsing:
            args = ["--help"] if sys.stdin is not None and sys.stdin.isatty() else [DEFAULT]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command with this name, whose module is imported now; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        found: Any = import_module(COMMANDS[cmd_name][0]).command
        return found if isinstance(found, click.Command) else None

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help of ``fit``, for that is what most people come for, and the list of commands."""
        formatter.write_usage("gdfit", f"[{DEFAULT}] [OPTIONS] [FILE]...")
        formatter.write_usage("gdfit", "COMMAND [OPTIONS] ...", prefix=" " * len("Usage: "))
        with self._default(ctx) as default:
            write_body(default.command, default, formatter)
        with formatter.section("Commands"):
            formatter.write_dl([(name, meaning) for name, (_, meaning) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """The completions of the first word: commands, or what ``fit`` takes. (Click would import every command.)"""
        from click.shell_completion import CompletionItem

        commands = [(name, meaning) for name, (_, meaning) in COMMANDS.items() if name.startswith(incomplete)]
        found: dict[str, Any] = {name: CompletionItem(name, help=meaning) for name, meaning in commands}
        for item in click.Command.shell_complete(self, ctx, incomplete):
            found.setdefault(item.value, item)
        with self._default(ctx) as default:
            for item in default.command.shell_complete(default, incomplete):
                found.setdefault(item.value, item)
            items = list(found.values())
            for param in default.command.get_params(default):
                if isinstance(param, click.Argument) and not incomplete.startswith("-"):
                    items += param.shell_complete(default, incomplete)
        return items

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and return its result; for an unknown option raise UsageError with the likeliest ones."""
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            raise click.UsageError(self._unknown(error.option_name, error.ctx or ctx), error.ctx) from None

    def _unknown(self, name: str, ctx: click.Context) -> str:
        """The message for an unknown option: the commands that have it, or the likeliest ones of this command."""
        own = {option for param in ctx.command.get_params(ctx) for option in param.opts}
        others = [other for other in COMMANDS if name in self._options(ctx, other)]
        if others:
            return f"No such option {quoted(name)} of {ctx.command.name}; there is one of {listed(others)}."
        from gdcli.cli.foreign_names import synonyms_among

        meant = {option: option for option in own if len(option) > 2}
        meant = synonyms_among(own) | meant
        found = dict.fromkeys(meant[one] for one in likely(name, list(meant)))
        return f"No such option {quoted(name)}.{or_listed(found)}"

    def _options(self, ctx: click.Context, name: str) -> set[str]:
        command = self.get_command(ctx, name)
        return {option for param in command.params for option in param.opts} if command else set()

    def _default(self, ctx: click.Context) -> click.Context:
        command = self.get_command(ctx, DEFAULT)
        assert command is not None
        return command.make_context(DEFAULT, [], parent=ctx, resilient_parsing=True)


def near_command(word: str) -> str | None:
    """The command that ``word`` names or misspells by one edit; None if there is none."""
    return next((name for name in COMMANDS if one_edit_apart(word, name)), None)


def one_edit_apart(a: str, b: str) -> bool:
    """Whether at most one insertion, deletion, substitution or swap of neighbours leads from a to b."""
    if a == b:
        return True
    shorter, longer = sorted((a, b), key=len)
    if len(longer) - len(shorter) > 1:
        return False
    first = next((i for i, (x, y) in enumerate(zip(shorter, longer, strict=False)) if x != y), len(shorter))
    if len(shorter) != len(longer):
        return shorter[first:] == longer[first + 1 :]
    swapped = longer[first + 1 : first + 2] + longer[first : first + 1] + longer[first + 2 :]
    return shorter[first + 1 :] == longer[first + 1 :] or shorter[first:] == swapped


@click.group(
    cls=DefaultGroup,
    no_args_is_help=False,
    invoke_without_command=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "--version", prog_name="gdfit", message="%(prog)s %(version)s")
def group() -> None:
    """Fit regression by gradient descent."""


group.params.append(help_all_option())
