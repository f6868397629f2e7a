"""How many threads BLAS may use: one, except for the triangle of all rows if it is worth more.

Blocks are reduced side by side, so that threads inside BLAS would only compete with them; and their number decides
on the last bit. When all rows are read a wide triangle has a fixed number of threads.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from gdcli.base.cores import usable_cores

# From so many columns on a table is wide.
WIDE = 256

# A fixed number, so that the result does not depend on how many cores there are beyond that.
_WIDE_THREADS = 2

# NumPy's own OpenBLAS in its two integer widths, then one of the system.
_PREFIXES_SUFFIXES = (("scipy_", "64_"), ("scipy_", ""), ("", "64_"), ("", ""))


@contextmanager
def threads_for(columns: int) -> Iterator[None]:
    """Context in which OpenBLAS runs two threads if a matrix has more ``columns`` than ``WIDE``.

    Nothing changes for narrower ones, on a single core, or if NumPy's BLAS is not an OpenBLAS.
    """
    library = _openblas() if columns > WIDE and usable_cores() >= _WIDE_THREADS else None
    if library is None:
        yield
        return
    get, set_to = library
    before = get()
    set_to(_WIDE_THREADS)
    try:
        yield
    finally:
        set_to(before)


@cache
def _openblas() -> tuple[Any, Any] | None:
    """OpenBLAS's functions that get and set the number of threads.

    Symbols are looked up in NumPy's own extension module, which finds those of the libraries that it needs.
    """
    try:
        library = ctypes.CDLL(np.linalg._umath_linalg.__file__)
    except (AttributeError, OSError):
        return None
    for prefix, suffix in _PREFIXES_SUFFIXES:
        names = (f"{prefix}openblas_{verb}_num_threads{suffix}" for verb in ("get", "set"))
        found = [getattr(library, name, None) for name in names]
        if all(found):
            return found[0], found[1]
    return None
