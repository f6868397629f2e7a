"""Numbers in a text: the digits of all cells at once, through NumPy.

They become integers eight at a time (D. Lemire, *Number parsing at a gigabyte per second*, 2021), those before and
after the decimal mark by themselves. An integer below 2⁵³ divided by a power of ten up to 10²² is the nearest double
(W. D. Clinger, *How to read floating point numbers accurately*, 1990). One below 2⁶⁴ is divided with a significand of
64 bits, and the result rounded once more: the nearest double too, unless the first rounding ended halfway between two.
"""

import numpy as np

from gdcli.data.csv.quotes import Places
from gdcli.engine.arrays import Array, NDArray

Words = NDArray[np.uint64]

# Bytes before the first cell, so that there are so many before the end of each.
PAD = bytes(64)

_MOST_DIGITS = 19

_U = np.uint64
_ZEROS, _SIXES, _HIGH = _U(0x3030303030303030), _U(0x0606060606060606), _U(0xF0F0F0F0F0F0F0F0)
_PAIRS, _OUTER, _INNER = _U(0x000000FF000000FF), _U(100 + (1000000 << 32)), _U(1 + (10000 << 32))
_TEN, _EIGHT, _SIXTEEN, _HALF = _U(10), _U(8), _U(16), _U(32)

# The bytes of a word that hold its last k characters, k = 0 … 8.
LAST = np.array([(1 << 64) - (1 << 8 * (8 - k)) for k in range(9)], dtype=_U)
_POWERS = np.array([10**k for k in range(_MOST_DIGITS + 1)], dtype=_U)
_EXACT_POWERS = np.array([10.0**k for k in range(_MOST_DIGITS + 1)])
_TWO_53 = _U(1 << 53)

# Whether a longdouble has a significand of 64 bits, the last eleven of which a double drops.
_HAS_64_BITS = np.finfo(np.longdouble).nmant == 63
_DROPPED, _HALFWAY = _U(0x7FF), _U(0x400)


def words_of(text: bytes) -> Words:
    """The eight bytes from each place of a text on, the first of them the lowest."""
    return np.ndarray((len(text) - 7,), np.dtype("<u8"), text, strides=(1,))


def numbers_at(text: bytes, starts: Places, marks: Places, ends: Places) -> tuple[Array, NDArray[np.bool_]]:
    """The numbers (n,) between places of a text, and a mask of those that are other than digits with a sign and a mark.

    ``marks`` are the places of decimal marks, or ``ends`` where there is none. The text begins with ``PAD``.
    """
    words = words_of(text)
    negative = np.frombuffer(text, np.uint8)[starts] == ord("-") if b"-" in text else None
    before = marks - starts
    if negative is not None:
        before -= negative
    after = ends - marks
    after -= 1
    np.maximum(after, 0, out=after)
    wrong = np.zeros(len(starts), dtype=_U)
    integers = _integers(words, marks, before, wrong)
    if after.any():
        integers *= _POWERS.take(after, mode="clip")
        integers += _integers(words, ends, after, wrong)
    digits = before + after
    wrong &= _HIGH
    odd = wrong != 0
    if digits.min(initial=1) < 1 or digits.max(initial=1) > _MOST_DIGITS:
        odd |= (digits < 1) | (digits > _MOST_DIGITS)
    values = integers.astype(np.float64)
    powers = _EXACT_POWERS.take(after, mode="clip")
    values /= powers
    if integers.max(initial=_U(0)) >= _TWO_53:
        long = np.flatnonzero(integers >= _TWO_53)
        values[long], odd_too = _divided(integers[long], powers[long])
        odd[long] |= odd_too
    if negative is not None:
        np.negative(values, out=values, where=negative)
    return values, odd


def _integers(words: Words, ends: Places, lengths: Places, wrong: Words) -> Words:
    """The integers (n,) that end before ``ends`` and have ``lengths`` digits. Where one has other characters ``wrong``
    gets bits among ``_HIGH``.
    """
    most = int(lengths.max(initial=0))
    if most <= 8:
        return _eight(words, ends - 8, lengths, wrong)
    found = _eight(words, ends - 8, np.minimum(lengths, 8), wrong)
    for k in (8, 16):
        longer = np.flatnonzero(lengths > k)
        if len(longer):
            part = np.zeros(len(longer), dtype=_U)
            rest = np.minimum(lengths[longer] - k, 8)
            found[longer] += _eight(words, ends[longer] - (k + 8), rest, part) * _POWERS[k]
            wrong[longer] |= part
    return found


def _eight(words: Words, places: Places, lengths: Places, wrong: Words) -> Words:
    """The integers (n,) of the last ``lengths`` of the eight characters at ``places``."""
    word = words[places]
    word ^= _ZEROS
    word &= LAST.take(lengths)
    wrong |= word
    wrong |= word + _SIXES
    tens = word * _TEN
    word >>= _EIGHT
    tens += word
    found = tens & _PAIRS
    found *= _OUTER
    tens >>= _SIXTEEN
    tens &= _PAIRS
    tens *= _INNER
    found += tens
    found >>= _HALF
    return found


def _divided(integers: Words, powers: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Integers from 2⁵³ on divided by powers of ten, and a mask of the quotients that may be the wrong one of two."""
    if not _HAS_64_BITS:
        return np.zeros(len(integers)), np.ones(len(integers), dtype=bool)
    quotients = integers.astype(np.longdouble) / powers
    significands = quotients.view(_U)[::2]
    return quotients.astype(np.float64), (significands & _DROPPED) == _HALFWAY
