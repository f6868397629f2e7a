"""The types of option values, with their checks and completions."""

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

import click

from gdcli.base.errors import UsageError
from gdcli.engine.catalog import ENTRIES, unknown

if TYPE_CHECKING:
    from click import ParamType as ParamType  # for others too
    from click.shell_completion import CompletionItem
else:

    class ParamType(click.ParamType):
        """Click's ParamType, made generic: before Click 8.4 it is not."""

        def __class_getitem__(cls, values: object) -> type:
            return cls


AUTO, SEARCH = "auto", "search"


class ColumnName(click.types.StringParamType):
    """The name of a column, which a shell completes from the header of the file already typed."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem[Any]]":
        """The columns that begin with the incomplete word."""
        from click.shell_completion import CompletionItem

        from gdcli.cli.completion.columns import begun_columns

        return [CompletionItem(one) for one in begun_columns(ctx, param, incomplete)]


class Number(ParamType[float]):
    """A finite number; ``positive`` ones only above zero. (``FloatRange`` takes nan and infinity.)"""

    name = "number"

    def __init__(self, positive: bool = False) -> None:
        self.positive = positive

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. Fails as wrong usage if it is none."""
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number.", param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        if self.positive and number <= 0:
            self.fail(f"{value!r} is not above zero.", param, ctx)
        return number


class Rate(Number):
    """A learning rate: a finite number above zero, ``auto`` or ``search``."""

    name = "rate"

    def __init__(self) -> None:
        super().__init__(positive=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The rate as a number, or the word as it is. Fails as wrong usage."""
        return value if value in (AUTO, SEARCH) else super().convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """The word ``auto`` if it begins with the incomplete word."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(AUTO)] if AUTO.startswith(incomplete) else []


class Word(ParamType[str]):
    """A word with parameters, ``name:number``, whose names stand in the engine's catalog.

    The engine is imported only when there is a parameter to check: a name alone needs no NumPy.
    """

    def __init__(self, kind: str) -> None:
        self.name = kind
        self.entries = {entry.name: entry for entry in ENTRIES[kind]}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word as it is. Fails as wrong usage if its name or its parameters are unknown."""
        word = str(value)
        name = word.partition(":")[0]
        try:
            if name not in self.entries:
                raise unknown(self.name, name)
            if self.entries[name].syntax != word:
                _check(self.name, word)
        except UsageError as error:
            self.fail(f"{error}.", param, ctx)
        return word

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """The names that begin with the incomplete word, each with its meaning."""
        from click.shell_completion import CompletionItem

        return [
            CompletionItem(entry.name, help=f"{entry.syntax}: {entry.meaning}" if entry.suffix else entry.meaning)
            for entry in self.entries.values()
            if entry.name.startswith(incomplete)
        ]


def _check(kind: str, word: str) -> None:
    """Raise UsageError for a word whose parameters are none of its name's."""
    if kind == "loss":
        from gdcli.engine.losses import parse_loss

        parse_loss(word)
    elif kind == "optimizer":
        from gdcli.engine.optimizers import parse_optimizer

        parse_optimizer(word)
    else:
        from gdcli.engine.schedules import parse_schedule

        parse_schedule(word)


class Size(ParamType[str]):
    """A number of bytes, as a number with K, M, G or T."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it is. Fails as wrong usage if it is no size."""
        from gdcli.data.memory import size_of

        try:
            size_of(str(value))
        except UsageError as error:
            self.fail(f"{error}.", param, ctx)
        return str(value)


class Count(ParamType[int]):
    """A whole number from ``smallest`` to ``largest``. (``IntRange`` would write its limits into the help.)"""

    name = "count"

    def __init__(self, smallest: int, largest: int | None = None) -> None:
        self.smallest, self.largest = smallest, largest

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The whole number. Fails as wrong usage if it is none, or out of range."""
        try:
            number = int(value)
        except ValueError:
            self.fail(f"{value!r} is not a whole number.", param, ctx)
        if number < self.smallest:
            self.fail(f"{number} is less than {self.smallest}.", param, ctx)
        if self.largest is not None and number > self.largest:
            self.fail(f"{number} is more than {self.largest}.", param, ctx)
        return number


class Assignment(ParamType[tuple[str, float]]):
    """``TERM=NUMBER``, split at the last equals sign: a term may hold others."""

    name = "assignment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """The term and its number. Fails as wrong usage."""
        if isinstance(value, tuple):
            return cast("tuple[str, float]", value)
        term, sign, number = str(value).rpartition("=")
        if not (sign and term):
            self.fail(f"{value!r} is not of the form TERM=VALUE.", param, ctx)
        return term, Number().convert(number, param, ctx)


class FileName(click.Path):
    """A file's name; files are checked where they are opened. Behind a dot, the ``endings`` complete it."""

    def __init__(self, endings: Callable[[], Iterable[str]]) -> None:
        super().__init__(readable=False, allow_dash=True)
        self._endings = endings

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """The name with each ending that it may be on the way to; if there is none, Click's answer for files."""
        from click.shell_completion import CompletionItem

        name, dot, begun = incomplete.rpartition(".")
        endings = [
            one for one in self._endings() if dot and name and not name.endswith("/") and one[1:].startswith(begun)
        ]
        return [CompletionItem(name + one) for one in endings] or super().shell_complete(ctx, param, incomplete)


def file_type(endings: Callable[[], Iterable[str]] = tuple) -> ParamType[Any]:
    """The type of a file's name, which may have to end in one of the ``endings``."""
    return FileName(endings)
