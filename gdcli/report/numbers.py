"""Numbers as people read them: columns of one common format, percents, counts, learning rates.

Thousands are separated. Decimal points of a column stand under each other: its numbers are fixed, or all of them
scientific if fixed would take more than ``SPARE`` characters beyond the digits asked for.
"""

import math
from collections.abc import Sequence

from gdcli.base.patterns import pattern

# 12 characters at six digits: a cost of 1e11 squared dollars or a slope of 0.00001 still stand as they are.
SPARE = 6

# Significant digits that a small number keeps if a larger one beside it sets the decimals.
FEWEST_DIGITS = 3

# A tenth of the gap that counts as converged, in percent. Smaller gaps are all shown alike.
SMALLEST_PERCENT = 1e-5

# Below this a p-value is the rounding of a distribution function.
SMALLEST_P = 1e-16

# From here on percents are scientific: the descent is on its way out.
_LARGEST_PERCENT = 1e7

# A rate this close to the limit is the limit: 2/λmax comes with rounding of its own.
_STRICTLY = 1e-9

_ROUNDING = 1e-14

# As many as tell a number from every other of few digits.
_ALL_DIGITS = 30

_EXACT_COUNT, _SMALLEST_TICK = 10_000_000, 1e-4

# The part of a number that stands left of its decimal point; of an exponent the zeros and the plus that say nothing.
_WHOLE, _POWER = pattern(r"[^.e]*"), pattern(r"e\+?(-?)0*(?=\d)")

_LARGE_NUMBERS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def finite(value: float | None) -> float | None:
    """A number as JSON has it: None if it is not finite."""
    return float(value) if value is not None and math.isfinite(value) else None


def column(values: Sequence[float | None], digits: int, *, relative: bool = False) -> list[str]:
    """The numbers as texts of one length with the same number of decimals; None is blank.

    ``digits`` is the number of significant digits of the smallest number, or with ``relative`` of the largest: one
    quantity on its way from iteration to iteration.
    """
    sizes = _sizes(values)
    decimals = _decimals(min(sizes), max(sizes), digits, relative) if sizes else 0
    return aligned([_cell(value, digits, decimals) for value in values])


def mixed(values: Sequence[float | None], digits: int) -> list[str]:
    """Different quantities as strings of one length, each to its own ``digits``, decimal points aligned."""
    sizes = _sizes(values)
    most = _decimals(min(sizes), max(sizes), digits, False) if sizes else 0
    if most is None:
        return column(values, digits)
    own = [digits - 1 - _exponent(abs(v), digits) if v is not None and math.isfinite(v) and v else 0 for v in values]
    return aligned([_cell(v, digits, min(max(own[i], 0), most)) for i, v in enumerate(values)])


def aligned(cells: Sequence[str]) -> list[str]:
    """The cells with blanks at both ends, so that their decimal points stand under each other."""
    before = [len(_WHOLE.match(cell)[0]) for cell in cells]  # type: ignore[index]
    left = max(before, default=0)
    cells = [" " * (left - own) + cell for own, cell in zip(before, cells, strict=True)]
    longest = max(map(len, cells), default=0)
    return [cell.ljust(longest) for cell in cells]


def number(value: float, digits: int) -> str:
    """The number as text for a sentence, such as ``13,859.4``, to about ``digits`` significant digits."""
    return mixed([value], digits)[0]


def without_zeros(value: float, digits: int) -> str:
    """The number as text to ``digits`` significant digits, without zeros at the end of its decimals."""
    text = number(value, digits).strip()
    return text.rstrip("0").removesuffix(".") if "." in text and "e" not in text else text


def decimal(value: float, decimals: int) -> str:
    """A number of magnitude 1, such as R², as text with that many decimals, and thousands separated."""
    return _cell(value, decimals, decimals)


def percents(shares: Sequence[float | None]) -> list[str]:
    """Shares (0.01 is 1 %) in percent, without the sign, three digits each, decimal points aligned."""
    return aligned(["" if share is None else _percent(100.0 * share) for share in shares])


def percent(share: float) -> str:
    """A share for a sentence: ``1.32 %``, ``less than 0.00001 %``, ``1.20e9 %``."""
    return _percent(100.0 * share).replace("<", "less than ") + " %"


def p_value(p: float) -> str:
    """A p-value: ``0.0312``, ``4.7e-5``, ``<1e-16`` if it is smaller than its rounding error."""
    if p < SMALLEST_P:
        return f"<{_short_power(f'{SMALLEST_P:.0e}')}"
    return f"{p:.4f}" if p >= 1e-3 else _short_power(f"{p:.1e}")


def count(number: int) -> str:
    """A count to the unit, ``12,345``; from ten million on ``about 32 million``, ``about 3.2 billion``."""
    return f"{number:,}" if number < _EXACT_COUNT else f"about {rough(number)}"


def rough(number: float) -> str:
    """A number ≥ 0 to two digits, large ones in words: ``750``, ``12,000``, ``3.2 billion``, ``3.2e17``."""
    rounded = float(f"{number:.1e}")
    for size, name in _LARGE_NUMBERS:
        if size <= rounded < 1000 * size:
            return f"{rounded / size:g} {name}"
    return f"{rounded:,.0f}" if rounded < _EXACT_COUNT else _short_power(f"{rounded:g}")


def tick(value: float) -> str:
    """A number beside an axis, to three digits: ``800,000``, ``7.8e10``."""
    plain = value == 0 or _SMALLEST_TICK <= abs(value) < _EXACT_COUNT
    return f"{float(f'{value:.3g}'):,.10g}" if plain else _short_power(f"{value:.3g}")


def rate(learning_rate: float) -> str:
    """A learning rate as a person would type it, all its digits kept."""
    text = repr(float(learning_rate))
    return text.removesuffix(".0")


def rounded_below(value: float, digits: int = 3) -> float:
    """The largest number of ``digits`` significant digits below ``value`` > 0, such as a rate below a limit."""
    exact, exponent = f"{value * (1 - _STRICTLY):.{_ALL_DIGITS}e}".split("e")
    return float(f"{exact[: digits + 1]}e{exponent}")


def rounded_rate(value: float, digits: int = 3) -> float:
    """A rate rounded to ``digits`` digits, never above ``value``: a rate just above the largest stable one diverges."""
    nearest = float(f"{value:.{digits - 1}e}")
    return nearest if nearest <= value * (1 + _ROUNDING) else rounded_below(value, digits)


def rounded_up(number: int) -> int:
    """``number`` rounded up to two significant digits, such as a number of iterations."""
    unit = int(10 ** max(len(str(number)) - 2, 0))
    return -(-number // unit) * unit


def _decimals(smallest: float, largest: float, digits: int, relative: bool) -> int | None:
    """The number of decimals for a column, None for scientific."""
    top, low = _exponent(largest, digits), _exponent(smallest, digits)
    width = digits + SPARE
    before = max(top, 0) + 1
    room = width - before - 1 if before < width else 0
    fewest = max(0, min(digits, FEWEST_DIGITS) - 1 - low)  # the least that the smallest asks for
    own = max(0, digits - 1 - top)  # what the largest asks for
    if before > width or own > room:
        return None
    if relative:
        return max(own, fewest) if fewest <= min(own + FEWEST_DIGITS, room) else own
    full = max(0, digits - 1 - low)
    return min(full, room) if fewest <= room else None


def _cell(value: float | None, digits: int, decimals: int | None) -> str:
    if value is None:
        return ""
    if not math.isfinite(value):
        return str(value)
    if decimals is None and value == 0:
        return "0"
    text = _short_power(f"{value:.{digits - 1}e}") if decimals is None else f"{value:,.{decimals}f}"
    # A negative number too small to show is no "-0.000".
    return text.removeprefix("-") if text.startswith("-") and not text.strip("-0.") else text


def _short_power(text: str) -> str:
    """``7.8e9`` for ``7.8e+09``."""
    return _POWER.sub(r"e\1", text)


def _sizes(values: Sequence[float | None]) -> list[float]:
    return [abs(v) for v in values if v is not None and math.isfinite(v) and v != 0]


def _percent(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    if value == 0:
        return "0"
    if value >= _LARGEST_PERCENT:
        return _short_power(f"{value:.{FEWEST_DIGITS - 1}e}")
    if value < SMALLEST_PERCENT:
        return f"<{SMALLEST_PERCENT:.5f}"
    return f"{value:,.{max(0, FEWEST_DIGITS - 1 - _exponent(value, FEWEST_DIGITS))}f}"


def _exponent(value: float, digits: int) -> int:
    """The power of ten of ``value`` > 0 after rounding to ``digits`` digits."""
    return int(f"{value:.{digits - 1}e}".partition("e")[2])
