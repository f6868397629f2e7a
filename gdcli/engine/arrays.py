"""Array types of the numerics."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray as NDArray
else:

    class NDArray:
        """NumPy's name for annotations, whose module takes a millisecond to import."""

        def __class_getitem__(cls, kind: object) -> type:
            return np.ndarray


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
