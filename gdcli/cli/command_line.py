"""The user's own command line with some options changed, ready to paste."""

import sys
from collections.abc import Iterator, Mapping, Sequence

import click

from gdcli.base.names import shell_word
from gdcli.base.records import record

_WORDS = "gdcli.words"


def keep_words(ctx: click.Context, words: Sequence[str]) -> None:
    """Store the words after ``gdfit`` for ``given_words``."""
    ctx.meta[_WORDS] = tuple(words)


def given_words(ctx: click.Context) -> tuple[str, ...]:
    """The words after ``gdfit``, in which foreign names are replaced already."""
    words: tuple[str, ...] = ctx.meta.get(_WORDS, tuple(sys.argv[1:]))
    return words


@record
class Given:
    """One option, argument or ``--`` on the command line; ``option`` is None for the last two."""

    option: click.Option | None
    words: tuple[str, ...]
    value: str | None = None


def parse(words: Sequence[str], options: Sequence[click.Option]) -> Iterator[Given]:
    """The words split into options with their values, arguments and ``--``, as by Click (``-qn5`` is two options)."""
    by_name = {name: option for option in options for name in option.opts}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            yield Given(None, ("--", *rest))
            return
        if word.startswith("--"):
            name, sign, value = word.partition("=")
            option = by_name.get(name)
            if option is not None and not option.is_flag and not sign and rest:
                value = rest.pop(0)
                yield Given(option, (word, value), value)
            else:
                yield Given(option, (word,), value)
        elif word.startswith("-") and len(word) > 1:
            yield from _cluster(word, rest, by_name)
        else:
            yield Given(None, (word,))


def _cluster(word: str, rest: list[str], by_name: Mapping[str, click.Option]) -> Iterator[Given]:
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        option = by_name.get(f"-{letter}")
        if option is None or option.is_flag:
            yield Given(option, (f"-{letter}",))
        elif letters:
            yield Given(option, (f"-{letter}", letters), letters)
            return
        elif rest:
            value = rest.pop(0)
            yield Given(option, (f"-{letter}", value), value)


def with_options(words: Sequence[str], command: click.Command, changes: Mapping[str, tuple[str, ...]]) -> str:
    """A shell command: ``gdfit`` and the words, with some options changed.

    ``changes`` maps a parameter's name to the option and the value that replaces it, or is added if it is not among the
    words; () leaves it out.
    """
    options = [param for param in command.params if isinstance(param, click.Option)]
    left = dict(changes)
    result: list[str] = []
    behind: tuple[str, ...] = ()
    for given in parse(words, options):
        name = given.option.name if given.option is not None else None
        if given.option is None and given.words[0] == "--":
            behind = given.words
        elif name not in changes:
            result += given.words
        elif name in left:
            result += left.pop(name)
    for option in left.values():
        result += option
    return " ".join(shell_word(word) for word in ["gdfit", *result, *behind])
