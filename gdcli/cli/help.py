"""Help in titled groups: the options that most people need, and with ``--help-all`` the rest."""

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

import click
from click.core import ParameterSource

from gdcli.base.errors import UsageError
from gdcli.cli.command_line import given_words, keep_words, parse
from gdcli.cli.environment import give_variables, given_variables, variables_text

_WIDEST = 100

_NAME_COLUMN = 30

_HELP_ALL = "gdcli.help_all"

Example = tuple[str, str]
"""A command line, and what it does."""


class Option(click.Option):
    """An option in a titled group of the help; only ``common`` ones are shown without ``--help-all``."""

    def __init__(self, *args: Any, group: str = "Other", common: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group
        self.common = common

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """The option's name for a message; the environment variable's name if that gave the value."""
        if ctx is not None and self.name and ctx.get_parameter_source(self.name) is ParameterSource.ENVIRONMENT:
            return f"'{self.envvar}'"
        return super().get_error_hint(ctx)


class Command(click.Command):
    """A command with examples and grouped options in its help.

    If it ``listens``, its options can come from environment variables too.
    """

    def __init__(self, *args: Any, examples: Sequence[Example] = (), listens: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        if listens:
            give_variables(self.params)
        self.params.append(help_all_option())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse and return the words left over. Raises UsageError if an option of a single value is given twice.

        (Click would take the last.)
        """
        args = self._translated(ctx, args)
        if not ctx.resilient_parsing:
            _check_given_once(self, args)
        return super().parse_args(ctx, args)

    def _translated(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The words with the names of other programs replaced, also among those that are remembered."""
        from gdcli.cli.foreign_names import translated

        before = given_words(ctx)
        command = before[: len(before) - len(args)]
        words = translated(args, self, command)
        keep_words(ctx, [*command, *words])
        return words

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and return its result; a usage error also names the options from the environment."""
        try:
            return super().invoke(ctx)
        except (UsageError, click.UsageError) as error:
            given = given_variables(ctx)
            if not given:
                raise
            message = error.format_message() if isinstance(error, click.UsageError) else str(error)
            raise UsageError(f"{message}\nFrom the environment: {' '.join(given)}") from error

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write usage, text, examples and options."""
        self.format_usage(ctx, formatter)
        write_body(self, ctx, formatter)


def _check_given_once(command: click.Command, args: Sequence[str]) -> None:
    options = [param for param in command.params if isinstance(param, click.Option)]
    given = Counter(one.option for one in parse(args, options) if one.option is not None)
    for option, times in given.items():
        if times > 1 and not (option.multiple or option.is_flag):
            raise click.UsageError(f"{max(option.opts, key=len)} is given {times} times: give it once.")


def help_all_option() -> click.Option:
    """The option ``--help-all``."""
    return click.Option(
        ["--help-all"], is_flag=True, is_eager=True, expose_value=False, callback=_show_all,
        help="Show all options and exit.",
    )  # fmt: skip


def _show_all(ctx: click.Context, param: click.Parameter, given: bool) -> None:
    if given and not ctx.resilient_parsing:
        ctx.meta[_HELP_ALL] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


def write_body(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the help that follows the usage line: text, examples and options."""
    command.format_help_text(ctx, formatter)
    if isinstance(command, Command):
        write_examples(command.examples, formatter)
    write_options(command, ctx, formatter)


def write_examples(examples: Sequence[Example], formatter: click.HelpFormatter) -> None:
    """Write the examples, each a line to paste under the sentence that says what it does."""
    if not examples:
        return
    with formatter.section("Examples"):
        for line, meaning in examples:
            formatter.write(f"{'':>{formatter.current_indent}}# {meaning}\n")
            formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def write_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the options group by group; those that are not common only with ``--help-all``."""
    everything = bool(ctx.meta.get(_HELP_ALL))
    groups: dict[str, list[tuple[str, str]]] = {}
    own: list[tuple[str, str]] = []
    hidden = 0
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if not isinstance(param, click.Option) or record is None:
            continue
        if not isinstance(param, Option):
            own.append(record)
        elif param.common or everything:
            groups.setdefault(param.group, []).append(record)
        else:
            hidden += 1
    groups["Help"] = own
    names = [name for records in groups.values() for name, _ in records]
    widest = min(_NAME_COLUMN, formatter.width * 2 // 5)
    width = max((len(name) for name in names if len(name) <= widest), default=0)
    for title, records in groups.items():
        with formatter.section(title):
            formatter.write_dl([(name.ljust(width), text) for name, text in records], col_max=widest)
    if everything and (text := variables_text(command)):
        with formatter.section("Environment"):
            formatter.write_text(text)
    if hidden:
        formatter.write(f"\n--help-all shows {hidden} more options.\n")


def help_width() -> int:
    """The width of help texts in columns. (``shutil.get_terminal_size`` loads every compression library.)"""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        width = int(columns)
    else:
        try:
            width = os.get_terminal_size(1).columns or 80
        except OSError:
            width = 80
    return max(20, min(width, _WIDEST) - 2)
