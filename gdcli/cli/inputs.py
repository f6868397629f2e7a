"""FILE arguments: standard input, wildcards, a command misspelt."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from gdcli.base.errors import DataError
from gdcli.base.names import STDIN, quoted, shell_word
from gdcli.cli.group import near_command

if TYPE_CHECKING:
    pass


def input_files(context: click.Context, files: tuple[str, ...]) -> tuple[str, ...]:
    """The files to read, wildcards replaced; without FILE that is "-", standard input.

    Raises UsageError if that is a terminal, or if '-' is given twice.
    """
    from gdcli.data.paths import matched

    if [*(files or [STDIN]), context.params.get("test")].count(STDIN) > 1:
        raise click.UsageError("'-' is standard input, which can be read once only.")
    if not files and sys.stdin is not None and sys.stdin.isatty():
        raise click.UsageError("Give a FILE, or pipe data into gdfit.")
    if sys.stdin is None and (not files or STDIN in files):
        raise DataError("no data on standard input")
    if files:
        meant = near_command(files[0])
        if meant is not None and not os.path.exists(files[0]):
            raise DataError(f"cannot read {quoted(files[0])}: no such file. Did you mean the command 'gdfit {meant}'?")
        check_no_column(context, files)
    return tuple(matched(files)) or (STDIN,)


def check_no_column(context: click.Context, files: Sequence[str]) -> None:
    """Raise UsageError for a column's name among the files: ``-x sqft beds`` takes one column only."""
    missing = [path for path in files if path != STDIN and not os.path.lexists(path)]
    if not missing or "features" not in context.params:
        return
    from gdcli.cli.completion.columns import names_in_header

    for path in files:
        names = names_in_header(path, context.params) if path not in missing else ()
        for word in missing:
            if word in names:
                feature, target = (f"{option} {shell_word(word)}" for option in ("-x", "-t"))
                predict = f" ({target} to predict it)" if context.params.get("target", word) is None else ""
                raise click.UsageError(f"{quoted(word)} is a column of {quoted(path)}, no file: {feature}{predict}")


def typed_words(context: click.Context, name: str) -> bool:
    """Whether the parameter's value comes from the command line."""
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE
