"""The functions of expressions, by their names."""

from collections.abc import Callable

import numpy as np

from gdcli.base.records import record
from gdcli.engine.arrays import Array

# C(x): its argument's values are categories. I(x): its argument is arithmetic, as in R's formulas.
CATEGORIES, IDENTITY = "C", "I"

_DAY_IN_MICROSECONDS = 86_400_000_000


@record
class Function:
    """A function of a column's numbers (n,), not finite for a number outside its domain; ``of_dates``: for dates only.

    ``back`` is its inverse, by which a curve is drawn over the column; None if it has none.
    """

    value: Callable[[Array], Array]
    of_dates: bool = False
    back: Callable[[Array], Array] | None = None


def _microseconds(days: Array) -> "np.ndarray[tuple[int], np.dtype[np.datetime64]]":
    """The time (n,) of days since 1970-01-01, to the microsecond; NaT for what is no time of these years."""
    far = ~(np.abs(days) < 1e6 * 365)
    whole = np.where(far, 0.0, np.rint(days * _DAY_IN_MICROSECONDS))
    times: np.ndarray[tuple[int], np.dtype[np.datetime64]] = whole.astype("int64").astype("datetime64[us]")
    times[far] = np.datetime64("NaT")
    return times


def _year(days: Array) -> Array:
    return _counted(_microseconds(days).astype("datetime64[Y]")) + 1970.0


def _month(days: Array) -> Array:
    return _counted(_microseconds(days).astype("datetime64[M]")) % 12 + 1.0


def _weekday(days: Array) -> Array:
    # 1970-01-01 was a Thursday, the fourth day of ISO 8601's week.
    return (_counted(_microseconds(days).astype("datetime64[D]")) + 3.0) % 7 + 1.0


def _hour(days: Array) -> Array:
    return _counted(_microseconds(days).astype("datetime64[h]")) % 24


def _counted(times: "np.ndarray[tuple[int], np.dtype[np.datetime64]]") -> Array:
    """The units since 1970-01-01, NaN for NaT."""
    found: Array = np.where(np.isnat(times), np.nan, times.astype("int64").astype(np.float64))
    return found


FUNCTIONS: dict[str, Function] = {
    "log": Function(np.log, back=np.exp),
    "log2": Function(np.log2, back=np.exp2),
    "log10": Function(np.log10, back=lambda z: np.power(10.0, z)),
    "log1p": Function(np.log1p, back=np.expm1),
    "exp": Function(np.exp),
    "sqrt": Function(np.sqrt, back=np.square),
    "abs": Function(np.abs),
    "hour": Function(_hour, of_dates=True),
    "weekday": Function(_weekday, of_dates=True),
    "month": Function(_month, of_dates=True),
    "year": Function(_year, of_dates=True),
}
