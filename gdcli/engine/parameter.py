"""The numbers in a word of the command line, such as the 0.9 of ``momentum:0.9``."""

import math
from collections.abc import Callable

from gdcli.base.records import record


@record
class Parameter:
    """One number in a word of the command line: ``wanted`` says in words which numbers it ``allows``.

    ``default`` is NaN if the number has to be given. ``whole``: the number is a count.
    """

    name: str
    wanted: str
    allows: Callable[[float], bool]
    default: float = math.nan
    whole: bool = False

    def read(self, text: str) -> float | int:
        """The number in a text. Raises ValueError or OverflowError if the text is no number that is allowed."""
        number = int(text) if self.whole else float(text)
        if not (math.isfinite(number) and self.allows(number)):
            raise ValueError(text)
        return number
