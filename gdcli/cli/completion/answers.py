"""The answers to the shells' completion scripts (``gdfit.bash`` and others beside this): the words that may stand at
the cursor.

The script runs gdfit with the shell's name in the variable _GDFIT_COMPLETE and what was typed as arguments. An answer
is a line of three fields between tabs: what it is, the word, and its meaning. A ``plain`` word is to be quoted as the
shell needs it, a ``ready`` one fits behind the quote that is open already (zsh and fish see to that themselves), and
``file`` leaves the names of files to the shell.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from textwrap import shorten
from typing import Any

from gdcli.base.errors import UsageError
from gdcli.base.records import replace
from gdcli.cli.completion.typed import Typed, inside_quotes, split_typed

VARIABLE = "_GDFIT_COMPLETE"

SHELLS = ("bash", "zsh", "fish")

_LONGEST = 70


def answer(shell: str, arguments: Sequence[str]) -> str:
    """The text that answers a shell's script, a line for each word that may stand at the cursor.

    Raises UsageError for a question that no script asks.
    """
    from click.shell_completion import ShellComplete

    from gdcli.cli.group import group

    typed = _typed(shell, arguments)
    engine = ShellComplete(group, {}, "gdfit", VARIABLE)
    items = engine.get_completions(list(typed.words), typed.current)
    return "".join("\t".join(fields) + "\n" for fields in _fields(shell, typed, items))


def encode_answer(text: str) -> bytes:
    """The bytes of an answer in the locale's encoding. Undecodable bytes of file names come back as they were; lines
    that the locale cannot write are left out.
    """
    found = b""
    for line in text.splitlines(keepends=True):
        with suppress(UnicodeEncodeError):
            found += os.fsencode(line)
    return found


def _typed(shell: str, arguments: Sequence[str]) -> Typed:
    """The words typed after the command's name."""
    if shell not in SHELLS or not arguments or (shell == "bash" and len(arguments) != 2):
        raise UsageError(f"{VARIABLE} is set, by which only gdfit's completion scripts ask: unset it to run gdfit")
    if shell == "bash":
        typed = split_typed(*arguments)
        return replace(typed, words=typed.words[1:])
    *words, current = arguments
    if shell == "fish":
        current = split_typed(current).current
    return Typed(tuple(words), current, 0)


def _fields(shell: str, typed: Typed, items: Sequence[Any]) -> Iterator[tuple[str, str, str]]:
    """Yield kind, word and meaning of each answer. A value behind ``--target=`` is answered with that before it."""
    name, sign, _ = typed.current.partition("=")
    before = name + sign if sign and name.startswith("-") else ""
    for item in items:
        word = before + str(item.value)
        word = word[len(before) :] if shell == "zsh" else word[typed.taken :]
        if item.type != "plain":
            yield "file", word, ""
        elif word.isprintable():
            meaning = shorten(item.help or "", _LONGEST, placeholder=" …")
            yield ("ready", inside_quotes(word, typed.quote), meaning) if typed.quote else ("plain", word, meaning)
