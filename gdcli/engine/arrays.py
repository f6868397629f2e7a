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
