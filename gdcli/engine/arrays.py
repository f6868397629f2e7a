"""Array types of the numerics."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Mask = NDArray[np.bool_]

# longdouble; float64 in many lanes and in wide triangles, where longdouble would double the memory to no use.
Extended = NDArray[np.floating]

# A number, or an array (…) of one for each lane. (No checker of types tells the two apart by the shape of the others.)
PerLane = Any


def over_columns(values: PerLane) -> Array:
    """A number, or those of lanes (…), for arrays (…, p)."""
    return np.asarray(values)[..., np.newaxis]


def single(values: PerLane) -> PerLane:
    """The number of one lane as Python's; arrays as they are."""
    return values.item() if np.ndim(values) == 0 else values
