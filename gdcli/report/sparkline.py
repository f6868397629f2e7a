"""A row of block characters that draws numbers, for terminals."""

import math
from collections.abc import Sequence

from gdcli.base.records import record

BLOCKS, ASCII_BLOCKS = "▁▂▃▄▅▆▇█", "_.:-=+*#"

# From two decades on the lower one would be flat on a linear scale.
_LOGARITHMIC_FROM = 100.0


@record
class Sparkline:
    """``text`` has one character per number; ``logarithmic`` says how they are scaled."""

    text: str
    logarithmic: bool


def sparkline(values: Sequence[float], *, unicode: bool = True) -> Sparkline:
    """A row of block characters for the numbers, from their smallest to their largest.

    What is not finite stands at the top. The scale is logarithmic if positive numbers span enough decades.
    """
    blocks = BLOCKS if unicode else ASCII_BLOCKS
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return Sparkline(blocks[-1] * len(values), False)
    low, high = min(finite), max(finite)
    logarithmic = low > 0 and high / low >= _LOGARITHMIC_FROM
    if logarithmic:
        low, high = math.log(low), math.log(high)
    top = len(blocks) - 1

    def level(value: float) -> int:
        if not math.isfinite(value):
            return top
        height = math.log(value) if logarithmic else value
        return round(top * ((height / 2 - low / 2) / (high / 2 - low / 2))) if high > low else 0

    return Sparkline("".join(blocks[level(value)] for value in values), logarithmic)


def sampled(values: Sequence[float], most: int) -> list[float]:
    """At most ``most`` ≥ 2 of the values, evenly spaced, with the first and the last."""
    if len(values) <= most:
        return list(values)
    return [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]
