"""The score of a model of log(y) in the scale of y itself, by Duan's smearing.

exp(ẑ) is the median of y where the errors of z = log y are symmetric, and too low as its mean. Duan's smearing
multiplies it by the mean of exp(z − ẑ) over the rows, whatever the errors' distribution (J. Am. Stat. Assoc. 78, 1983).
One pass knows that factor only at its end, so the sums are those of which the errors are made.
"""

import math

import numpy as np

from gdcli.base.records import record
from gdcli.data.expressions.computed import Computed
from gdcli.data.expressions.nodes import Call, text_of
from gdcli.engine.arrays import Array

# ln y is so many times the logarithm; that of log1p is of y + 1.
_LOGARITHMS = {"log": 1.0, "log1p": 1.0, "log2": math.log(2.0), "log10": math.log(10.0)}


@record
class OwnScale:
    """The score in the scale of ``name``: predictions are exp(ẑ) times the ``smearing`` factor; ``r2`` is None if the
    target is constant.
    """

    name: str
    smearing: float
    rmse: float
    r2: float | None


def _logarithm(target: Computed | None) -> Call | None:
    """The logarithm that a target is, or None."""
    node = None if target is None else target.numbers
    return node if isinstance(node, Call) and node.function in _LOGARITHMS else None


def smearing_sums(target: Computed | None, prediction: Array, z: Array, w: Array) -> tuple[float, ...]:
    """The sums Σw exp(z − ẑ), Σwy, Σwy², Σwyŷ and Σwŷ² with ŷ = exp(ẑ), which add up over blocks.

    () if the target is no logarithm.
    """
    if (call := _logarithm(target)) is None:
        return ()
    factor = _LOGARITHMS[call.function]
    with np.errstate(over="ignore", invalid="ignore"):
        y, fitted = np.exp(factor * z), np.exp(factor * prediction)
        ratio = np.exp(factor * (z - prediction))
        return tuple(float((w * values).sum()) for values in (ratio, y, y * y, y * fitted, fitted * fitted))


def own_scale(target: Computed | None, sums: tuple[float, ...], weight: float) -> OwnScale | None:
    """The score in the scale of y for a target log(y); None if the target is no logarithm, or a sum overflows.

    ``sums`` are those of ``smearing_sums`` over all rows, ``weight`` is Σw.
    """
    if (call := _logarithm(target)) is None:
        return None
    ratio, y, squares, products, fitted = (value / weight for value in sums)
    error = max(squares - 2.0 * ratio * products + ratio * ratio * fitted, 0.0)
    variance = squares - y * y
    if not math.isfinite(error):
        return None
    return OwnScale(text_of(call.of), ratio, math.sqrt(error), 1.0 - error / variance if variance > 0 else None)
