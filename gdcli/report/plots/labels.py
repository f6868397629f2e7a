"""Names and numbers as they stand on pictures: literal, legible, and no longer than there is room for."""

import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from matplotlib.font_manager import findfont, fontManager, get_font
from matplotlib.ticker import Formatter

from gdcli.base.names import printable

FONT = "DejaVu Sans"  # comes with matplotlib

LONGEST_LABEL = 32

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

_LARGEST_PLAIN, _SMALLEST_PLAIN = 1e7, 1e-5

_GROUPED_FROM = 10_000

_LARGEST_COUNT, _SMALLEST_POWER = 1_000_000, 1000

# Fonts, if installed, for scripts that matplotlib's own font lacks.
_FURTHER_FONTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Source Han Sans", "WenQuanYi Zen Hei", "Hiragino Sans", "PingFang SC",
    "Yu Gothic", "Microsoft YaHei", "Malgun Gothic", "Arial Unicode MS", "Noto Sans", "Noto Sans Devanagari",
    "Noto Sans Thai", "Noto Emoji", "Symbola",
)  # fmt: skip


def shown(name: str, longest: int = LONGEST_LABEL) -> str:
    """A name from the file as a label of ``longest`` characters at most; characters that no font has become escapes."""
    text = printable(name)
    if not text.isascii():
        drawn = _drawable()
        text = "".join(c if ord(c) in drawn else c.encode("unicode_escape").decode("ascii") for c in text)
    if len(text) <= longest:
        return text
    tail = longest // 3
    return f"{text[: longest - tail - 1]}…{text[-tail:]}"


def label_number(value: float, digits: int = 3, scientific: bool | None = None) -> str:
    """A number for a label: ``1234``, ``12,345``, ``0.05``, ``6.14×10⁹``.

    ``scientific`` says whether it has a power of ten; None lets its size decide.
    """
    if scientific is None:
        scientific = not is_plain_number(value)
    if value == 0 or not scientific:
        text = _grouped(float(f"{value:.{digits - 1}e}"), 10).rstrip("0").rstrip(".")
    else:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        power = "10" + str(int(exponent)).translate(_SUPERSCRIPTS)
        text = power if mantissa == "1" else f"{mantissa}×{power}"
    return text.replace("-", "−")


def label_numbers(values: Sequence[float], digits: int = 3) -> list[str]:
    """The labels of numbers, either all of them with a power of ten or none."""
    scientific = not all(map(is_plain_number, values))
    return [label_number(value, digits, scientific) for value in values]


def is_plain_number(value: float) -> bool:
    """Whether a number's label has no power of ten."""
    return value == 0 or _SMALLEST_PLAIN <= abs(value) < _LARGEST_PLAIN


def _grouped(value: float, decimals: int) -> str:
    """A number with thousands set apart; four digits, which may be a year, are left together."""
    return f"{value:{',' if abs(value) >= _GROUPED_FROM else ''}.{decimals}f}"


class Numbers(Formatter):
    """Ticks on a linear axis with as many digits as tell them apart; large and small ones as ``6×10⁹``."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The label of one number; ``pos`` is not used."""
        return label_number(x)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """The labels of all ticks of an axis."""
        top = max((abs(v) for v in values), default=0.0)
        steps = [b - a for a, b in pairwise(values) if b > a]
        if not top or not steps:
            return [label_number(v) for v in values]
        # 1.0000001 steps of rounding are no digit.
        last = math.floor(math.log10(min(steps)) + 1e-6)
        step = min(steps) / 10.0**last
        last -= 0 if abs(step - round(step)) < 1e-6 else 1
        if _SMALLEST_PLAIN <= top < _LARGEST_PLAIN * 1.001:
            return [_grouped(_zero(v, last), max(0, -last)).replace("-", "−") for v in values]
        # 2, 4 … 10×10⁷ rather than 0.2, 0.4 … 1×10⁸.
        exponent = max(math.floor(math.log10(top * (1 - 1e-9))), last)
        power = "×10" + str(exponent).translate(_SUPERSCRIPTS)
        cells = [f"{_zero(v, last) / 10.0**exponent:.{max(0, exponent - last)}f}" for v in values]
        return [("0" if not float(cell) else cell + power).replace("-", "−") for cell in cells]


class CountTicks(Formatter):
    """Ticks that are counts."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The label of one count, as in all texts of gdfit."""
        return f"{x:,.0f}" if x < _LARGEST_PLAIN else label_number(x)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """The labels of all ticks of an axis; from a million on as powers of ten, for which there is room."""
        short = max(values, default=0) >= _LARGEST_COUNT
        return [label_number(v, scientific=True) if short and v >= _SMALLEST_POWER else self(v) for v in values]


class Decades(Formatter):
    """Ticks on a logarithmic axis."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The label of one number; ``pos`` is not used."""
        return label_number(x)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """The labels of an axis's ticks, all in scientific notation if one between the axis's limits needs it."""
        low, high = self.axis.get_view_interval()  # type: ignore[union-attr]
        scientific = not all(is_plain_number(value) for value in values if low <= value <= high)
        return [label_number(value, scientific=scientific) for value in values]


def _zero(value: float, last: int) -> float:
    return 0.0 if abs(value) < 10.0 ** (last - 2) else value


@cache
def further_fonts() -> tuple[str, ...]:
    """The installed fonts that may have characters that matplotlib's own font lacks."""
    known = {entry.name for entry in fontManager.ttflist}
    return tuple(name for name in _FURTHER_FONTS if name in known)


@cache
def _drawable() -> frozenset[int]:
    """The characters that one of the fonts has."""
    fonts = [get_font(findfont(name)) for name in (FONT, *further_fonts())]
    return frozenset(code for font in fonts for code in font.get_charmap())
