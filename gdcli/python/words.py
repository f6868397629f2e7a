"""Error texts in the words of a Python program: ``l2=0.1`` where the command line says ``--l2 0.1``."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from gdcli.base.errors import GdfitError
from gdcli.base.patterns import pattern

_OPTION = pattern(r"(?<![\w-])(--[a-z][a-z0-9-]*|-[tnx])(?: ('[^']*'|\S(?=[\s;]|$)|[^\s,;:()]+))?")

_NUMBER = pattern(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")

# What follows the name of an option that is named without a value.
_PROSE = frozenset(
    {
        *("and", "are", "as", "at", "but", "by", "can", "counts", "finds", "for", "goes", "has", "holds", "if", "in"),
        *("is", "it", "knows", "leaves", "means", "names", "needs", "of", "or", "says", "shows", "so", "takes", "that"),
        *("the", "to", "too", "was", "which", "with"),
    }
)


@contextmanager
def in_python_words() -> Iterator[None]:
    """Context in which errors name keywords instead of options."""
    try:
        yield
    except GdfitError as error:
        error.args = (python_words(str(error)), *error.args[1:])
        raise


def python_words(text: str) -> str:
    """The message with keywords of Python, ``l2=0.1``, instead of options of the command line, ``--l2 0.1``."""
    return _OPTION.sub(_keyword, text)


def _keyword(found: "re.Match[str]") -> str:
    word, value = found[1], found[2]
    option = _options().get(word)
    if option is None:
        return found[0]
    name: str = max(option.opts, key=len).lstrip("-").replace("-", "_")
    rest = f" {value}" if value else ""
    if option.is_flag:
        return (f"{option.name}=False" if option.flag_value is False else f"{name}=True") + rest
    if value is None or not _is_value(value, option):
        return f"{name}{rest}"
    end = value[len(value.rstrip(".")) :] if not value.startswith("'") else ""
    return f"{name}={_literal(value.removesuffix(end) if end else value)}{end}"


def _is_value(value: str, option: Any) -> bool:
    choices = getattr(option.type, "choices", None)
    if choices is not None:
        return value.rstrip(".") in choices
    return value not in _PROSE


def _literal(value: str) -> str:
    """A shell word as Python writes it; numbers and placeholders (COLUMN) as they are."""
    if _NUMBER.fullmatch(value) or (value.isupper() and value.isascii()):
        return value
    return repr(value[1:-1] if value.startswith("'") and value.endswith("'") and len(value) > 1 else value)


@cache
def _options() -> dict[str, Any]:
    """The options of all commands that Python has functions of, those of a fit first."""
    import click

    from gdcli.cli.group import group

    found: dict[str, Any] = {}
    for command in ("fit", "sweep", "score", "summarize", "curve"):
        of_command = group.get_command(click.Context(group), command)
        for param in of_command.params if of_command is not None else ():
            if isinstance(param, click.Option):
                for name in param.opts:
                    found.setdefault(name, param)
    return found
