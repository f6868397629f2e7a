"""Names of columns on the command line, which a shell completes from the header of the file already typed."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import click

from gdcli.base.errors import DataError
from gdcli.base.patterns import pattern
from gdcli.cli.command_line import Given, given_words, parse
from gdcli.data.expressions.nodes import PLAIN_NAME

# The options that take expressions of columns.
_EXPRESSIONS = ("target", "features", "formula")

# All of an expression up to its last name.
_SIGNS = pattern(r"(.*[-+*/^:(,~\s])[^-+*/^:(,~\s]*", re.DOTALL)

_READING = ("separator", "encoding", "quotechar", "decimal", "skip_rows", "comment")


def begun_columns(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The columns that begin with the incomplete word, from the first readable file typed.

    Those given already are left out.
    """
    given = _given(ctx)
    reading = {one.option.name: one.value for one in given if one.option and one.option.name in _READING}
    named = {one.value for one in given if one.option is param}
    for path in _paths(given):
        names = names_in_header(path, reading)
        if names:
            begun, last = _last_of_list(incomplete, names)
            found = [begun + n for n in names if n.startswith(last) and n not in named]
            return found or (_within_expression(incomplete, names) if param.name in _EXPRESSIONS else [])
    return []


def _last_of_list(incomplete: str, names: Sequence[str]) -> tuple[str, str]:
    """The parts of a list that are complete, with their comma, and the last one."""
    first, sign, last = incomplete.rpartition(",")
    whole = not sign or any(name.startswith(incomplete) for name in names)
    return ("", incomplete) if whole else (first + sign, last)


def _within_expression(incomplete: str, names: Sequence[str]) -> list[str]:
    """The expression with its last name completed; names that are no plain words stand in backquotes."""
    open_quote = incomplete.count("`") % 2 == 1
    signs = _SIGNS.fullmatch(incomplete)
    begun = incomplete[: incomplete.rindex("`")] if open_quote else signs[1] if signs else ""
    last = incomplete[len(begun) :]
    written = [name if PLAIN_NAME.fullmatch(name) else f"`{name.replace('`', '``')}`" for name in names]
    return [begun + name for name in written if begun and name.startswith(last)]


def names_in_header(path: str, options: Mapping[str, Any]) -> tuple[str, ...]:
    """The column names of a file; () if it cannot be read. ``options`` may hold CSV options for it."""
    from gdcli.ingest.header import column_names

    return column_names(path, **{name: options[name] for name in _READING if options.get(name) is not None})


def _given(ctx: click.Context) -> list[Given]:
    """The words typed for the command. (Click's own parser gives up where the last option has no value yet.)"""
    words = list(given_words(ctx))
    if words and words[0] == ctx.info_name:
        del words[0]
    return list(parse(words, [param for param in ctx.command.params if isinstance(param, click.Option)]))


def _paths(given: list[Given]) -> Iterator[str]:
    from gdcli.data.paths import matched

    for word in _files(given):
        with suppress(DataError):  # nothing matches
            yield from matched([os.path.expanduser(word)])


def _files(given: list[Given]) -> Iterator[str]:
    for one in given:
        if one.option is None:
            yield from one.words[1:] if one.words[0] == "--" else one.words[:1]
