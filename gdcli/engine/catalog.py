"""Names, syntax and defaults that help and checks need before NumPy is loaded."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

SCALES = ("standard", "minmax", "none")

ITERATIONS = 1000
