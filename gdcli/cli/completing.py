"""What the shells' completion scripts (``scripts/``) ask: which words may stand where the cursor is.

The script runs gdfit with the shell's name in the variable _GDFIT_COMPLETE and what was typed as arguments. An answer
is a line of three fields between tabs: what it is, the word, and its meaning. ``plain`` words are to be inserted,
``quote`` ones in quotes (bash does not see that by itself), and ``file`` leaves the names of files to the shell.
"""

import re
from collections.abc import Iterator, Sequence
from textwrap import shorten
from typing import Any

from gdcli.cli.typed import Typed, split_typed

VARIABLE = "_GDFIT_COMPLETE"
SHELLS = ("bash", "zsh", "fish")
_LONGEST = 70
_BARE = re.compile(r"[\w.,/+%^-]+")


def answer(shell: str, arguments: Sequence[str]) -> str:
    """Return the lines that answer the script of a shell."""
    from click.shell_completion import ShellComplete

    from gdcli.cli.group import group

    typed = _typed(shell, arguments)
    engine = ShellComplete(group, {}, "gdfit", VARIABLE)
    items = engine.get_completions(list(typed.words), typed.current)
    return "".join("\t".join(fields) + "\n" for fields in _fields(shell, typed, items))


def _typed(shell: str, arguments: Sequence[str]) -> Typed:
    """Return what was typed after the command's name."""
    if shell == "bash":
        line, breaks = arguments
        typed = split_typed(line, breaks)
        return Typed(typed.words[1:], typed.current, typed.taken)
    *words, current = arguments
    if shell == "fish":
        current = split_typed(current).current
    return Typed(tuple(words), current, 0)


def _fields(shell: str, typed: Typed, items: Sequence[Any]) -> Iterator[tuple[str, str, str]]:
    """Yield kind, word and meaning. What belongs to the word but not to the value is ``--target=``, say."""
    name, sign, _ = typed.current.partition("=")
    before = name + sign if sign and name.startswith("-") else ""
    for item in items:
        word = before + str(item.value)
        word = word[len(before) :] if shell == "zsh" else word[typed.taken :]
        if item.type != "plain":
            yield "file", word, ""
        elif word.isprintable():
            quoted = shell == "bash" and not _BARE.fullmatch(word)
            yield "quote" if quoted else "plain", word, shorten(item.help or "", _LONGEST, placeholder=" …")
