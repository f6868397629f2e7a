"""Regular expressions that are compiled when they are first used: most commands use few of them."""

import re
from typing import AnyStr, cast


def pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What ``re.compile`` gives, except that a mistake in ``text`` shows when it is used."""
    return cast("re.Pattern[AnyStr]", _Later(text, flags))


class _Later:
    """An expression not yet compiled. Its methods, once asked for, are attributes, as fast as the expression's own."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> object:
        found: object = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, found)
        return found
