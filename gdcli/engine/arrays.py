"""Array types of the numerics."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Mask = NDArray[np.bool_]

# NumPy's longdouble; float64 in triangles of wide tables, where it would double the memory to no use.
Extended = NDArray[np.longdouble]
