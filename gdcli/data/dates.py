"""Dates and times as numbers: days since 1970-01-01 (UTC), with the time of day as their fraction.

ISO 8601 is read by itself, other spellings by a format of ``strptime``. A format without a date gives the fraction of a
day.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import product

import numpy as np

from gdcli.base.errors import UsageError
from gdcli.base.names import quoted
from gdcli.base.patterns import pattern
from gdcli.base.records import replace
from gdcli.data.table import Coded, Table
from gdcli.engine.arrays import Array

ISO = "iso"

_DAY = 86400

_EPOCH = date(1970, 1, 1).toordinal()

# Texts of a column that a format is tried on.
_SAMPLE = 1000

_ISO = pattern(
    r"(\d{4})-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?)?", re.ASCII
)

_MONTHS = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"

_TIME = r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?"

_LIKE = pattern(
    rf"(?:\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{1,4}}|\d{{1,2}}[-/.]\d{{4}}|\d{{1,2}}[-. ]?{_MONTHS}[-,. ]*\d{{2,4}}|"
    rf"(?:\d{{1,4}}[-. ])?{_MONTHS}[-,. ]*\d{{1,4}}(?:,? \d{{2,4}})?)(?:(?:[T ]|, ){_TIME}.*)?|{_TIME}",
    re.IGNORECASE | re.ASCII,
)

_DIGITS = frozenset("0123456789")

_DATES = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y"),
    *("%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y"),
    *("%b %d %Y", "%B %d %Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %y", "%d%b%Y", "%Y-%b-%d", "%d. %B %Y"),
)

_MONTHLY = ("%m/%Y", "%m.%Y", "%m-%Y", "%Y/%m", "%b %Y", "%B %Y", "%b-%Y", "%b-%y", "%b %y", "%Y %b", "%Y-%b")

_TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p")

_FORMATS = (
    *_DATES,
    *_MONTHLY,
    *_TIMES,
    *(f"{day}{gap}{time}" for day, gap, time in product(_DATES, (" ", "T", ", "), _TIMES)),
    *(f"{day} {time}{zone}" for day, time, zone in product(_DATES, _TIMES, ("%z", " %z"))),
)

_DAY_PARTS = ("%d", "%j", "%m", "%b", "%B", "%y", "%Y", "%x", "%c", "%G", "%u", "%U", "%W", "%V")


def iso_days(text: str) -> float | None:
    """The days since 1970-01-01 of a date or time in ISO 8601; a month is its first day. None for any other text."""
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        days = date(int(year), int(month), int(day or 1)).toordinal() - _EPOCH
    except ValueError:
        return None
    if int(hour or 0) > 23 or int(minute or 0) > 59 or int(second or 0) > 59:
        return None
    seconds = 3600 * int(hour or 0) + 60 * int(minute or 0) + int(second or 0) - _offset(zone)
    return (days * _DAY + seconds + float(f"0.{fraction or 0}")) / _DAY


def _offset(zone: str | None) -> int:
    """The seconds that a zone is ahead of UTC."""
    if zone in (None, "Z"):
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    seconds = 3600 * int(digits[:2]) + 60 * int(digits[2:])
    return -seconds if zone.startswith("-") else seconds


def days_by(spelling: str, text: str) -> float | None:
    """The days since 1970-01-01 of a date written in a format of ``strptime``; None if the text does not fit it."""
    try:
        found = datetime.strptime(text, spelling)
    except ValueError:
        return None
    since = datetime(1970, 1, 1) if any(part in spelling for part in _DAY_PARTS) else datetime(1900, 1, 1)
    if found.tzinfo is not None:
        found = found.astimezone(UTC).replace(tzinfo=None)
    passed: timedelta = found - since
    return passed.days + (passed.seconds + passed.microseconds / 1e6) / _DAY


def reader_of(spelling: str) -> Callable[[str], float | None]:
    """The function that turns a text into days since 1970-01-01, or None if it is no date of the spelling.

    A spelling is ``ISO`` or a format of ``strptime``.
    """
    return iso_days if spelling == ISO else partial(days_by, spelling)


def looks_dated(levels: Sequence[str]) -> bool:
    """Whether most of the texts look like dates or times, in whatever format."""
    some = levels[:: -(-len(levels) // 100) or 1]
    dated = [level for level in some if not _DIGITS.isdisjoint(level)]
    return 2 * sum(_LIKE.fullmatch(level) is not None or iso_days(level) is not None for level in dated) > len(some)


def spellings_of(levels: Sequence[str]) -> list[str]:
    """The usual formats of ``strptime`` that read all texts of a sample, the likeliest first; empty if none does."""
    some = levels[:: -(-len(levels) // _SAMPLE) or 1]
    fits = _FORMATS
    for sample in (some[:1], some[:5], some):
        fits = tuple(one for one in fits if all(days_by(one, text) is not None for text in sample))
    return list(fits)


def parse_dates(given: Iterable[str], names: Sequence[str]) -> dict[str, str]:
    """The date format of each column named by ``--date COLUMN:FORMAT``. Raises UsageError for an impossible one."""
    found = {}
    for one in given:
        parts = [(one[:at], one[at + 1 :]) for at, mark in enumerate(one) if mark == ":"]
        column, spelling = next((part for part in parts if part[0] in names), parts[0] if parts else (one, ""))
        if not spelling or (spelling != ISO and "%" not in spelling):
            raise UsageError(f"--date takes COLUMN:FORMAT, such as day:%d.%m.%Y, not {quoted(one)}")
        try:
            datetime.strptime("", spelling)
        except ValueError as error:
            if "does not match" not in str(error) and spelling != ISO:
                raise UsageError(f"--date {quoted(one)}: {error}") from None
        found[column] = spelling
    return found


def as_numbers(table: Table, dates: Mapping[str, str]) -> Table:
    """The table with its columns of dates, read as texts, turned into days since 1970-01-01.

    A day is NaN if the cell is missing, and +∞ if the text is no date. ``dates`` maps columns to their formats.
    """
    numeric, text = dict(table.numeric), dict(table.text)
    for name, spelling in dates.items():
        if name in text:
            numeric[name] = numbers_of_dates(text.pop(name), spelling)
    return replace(table, numeric=numeric, text=text)


def numbers_of_dates(column: Coded, spelling: str) -> Array:
    """The days (n,) since 1970-01-01 of a text column of dates: NaN if missing, +∞ if the text is no date."""
    read = reader_of(spelling)
    values = [read(level) for level in column.levels]
    lookup = np.array([np.inf if value is None else value for value in values] + [np.nan])
    days: Array = lookup[column.codes]
    return days
