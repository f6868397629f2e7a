"""The numbers in a word of the command line, such as the 0.9 of ``momentum:0.9``."""

import math
from collections.abc import Callable
from typing import NamedTuple


class Parameter(NamedTuple):
    """One number of a word. ``wanted`` says in words which numbers it ``allows``; ``whole``: a count.

    ``default`` is NaN if it has to be given.
    """

    name: str
    wanted: str
    allows: Callable[[float], bool]
    default: float = math.nan
    whole: bool = False

    def read(self, text: str) -> float | int:
        """The number in a text. Raises ValueError or OverflowError if it is none that is allowed."""
        number = int(text) if self.whole else float(text)
        if not (math.isfinite(number) and self.allows(number)):
            raise ValueError(text)
        return number
