"""Formats of numbers: 1234.5, or 1.234,5 as in much of Europe."""

import re
from collections.abc import Iterable

from gdcli.base.patterns import pattern
from gdcli.base.records import record

_NUMBER = pattern(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity)", re.IGNORECASE | re.ASCII)


@record
class NumberFormat:
    """The ``decimal`` mark and the separator of ``thousands`` (None: there is none)."""

    decimal: str = "."
    thousands: str | None = None

    def is_number(self, text: str) -> bool:
        """Whether a cell is a number."""
        return self.value(text) is not None

    def are_numbers(self, texts: Iterable[str]) -> list[bool]:
        """Whether each of the cells is a number."""
        if self == PLAIN_NUMBERS:  # at once: they may be a million
            return [found is not None for found in map(_NUMBER.fullmatch, texts)]
        return [self.is_number(text) for text in texts]

    def value(self, text: str) -> float | None:
        """The number that a cell holds, or None.

        By the rule of pandas' parser (ASCII digits, no underscores), but thousands are separated everywhere or nowhere,
        and in threes: with ``.`` between them, 1.7 is no number.
        """
        if self.thousands is not None and self.thousands in text:
            whole, mark, rest = text.partition(self.decimal)
            if not re.fullmatch(rf"[+-]?\d{{1,3}}(?:{re.escape(self.thousands)}\d{{3}})+", whole, re.ASCII):
                return None
            text = whole.replace(self.thousands, "") + mark + rest
        if self.decimal != ".":
            text = "" if "." in text else text.replace(self.decimal, ".")
        return float(text) if _NUMBER.fullmatch(text) else None


PLAIN_NUMBERS = NumberFormat()

# How numbers are written, the likeliest first.
NUMBER_FORMATS = (
    PLAIN_NUMBERS,
    NumberFormat(","),
    NumberFormat(",", "."),
    NumberFormat(".", ","),
    NumberFormat(",", " "),
    NumberFormat(".", " "),
    NumberFormat(".", "'"),
    *(NumberFormat(decimal, mark) for mark in "\u00a0\u202f\u2019" for decimal in ",."),
)
