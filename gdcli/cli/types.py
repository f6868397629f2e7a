"""The types of option values, with their checks and completions."""

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

import click

from gdcli.base.errors import UsageError

if TYPE_CHECKING:
    from click import ParamType as ParamType  # for others too
    from click.shell_completion import CompletionItem
else:

    class ParamType(click.ParamType):
        """Click's ParamType, made generic: before Click 8.4 it is not."""

        def __class_getitem__(cls, values: object) -> type:
            return cls


AUTO, SEARCH = "auto", "search"


class Number(ParamType[float]):
    """A finite number; ``positive`` ones only above zero. (``FloatRange`` takes nan and infinity.)"""

    name = "number"

    def __init__(self, positive: bool = False) -> None:
        self.positive = positive

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or fail as wrong usage."""
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
        """The rate, or the word."""
        return value if value in (AUTO, SEARCH) else super().convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """``auto`` if it begins with the incomplete word."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(AUTO)] if AUTO.startswith(incomplete) else []


class Word(ParamType[str]):
    """A word with a parameter, ``name:number``, whose names stand in a registry of the engine.

    The registry is imported only when a word is read or completed: help needs no NumPy.
    """

    def __init__(self, kind: str) -> None:
        self.name = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word, or fail as wrong usage."""
        _, parse = self._engine()
        try:
            parse(str(value))
        except UsageError as error:
            self.fail(f"{error}.", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """The names that begin so."""
        from click.shell_completion import CompletionItem

        names, _ = self._engine()
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]

    def _engine(self) -> tuple[Iterable[str], Callable[[str], Any]]:
        if self.name == "optimizer":
            from gdcli.engine.optimizers import OPTIMIZERS, parse_optimizer

            return OPTIMIZERS, parse_optimizer
        if self.name == "loss":
            from gdcli.engine.losses import LOSSES, parse_loss

            return LOSSES, parse_loss
        from gdcli.engine.schedules import SCHEDULES, parse_schedule

        return SCHEDULES, parse_schedule


class Size(ParamType[str]):
    """Bytes, as a number with K, M, G or T."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word, or fail as wrong usage."""
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
        """The number, or fail as wrong usage."""
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
        """The term and its number."""
        if isinstance(value, tuple):
            return cast("tuple[str, float]", value)
        term, sign, number = str(value).rpartition("=")
        if not (sign and term):
            self.fail(f"{value!r} is not of the form TERM=VALUE.", param, ctx)
        return term, Number().convert(number, param, ctx)


def file_type() -> ParamType[Any]:
    """The type of a file's name. Only its completion is Click's: files are checked where they are opened."""
    return click.Path(readable=False, allow_dash=True)
