"""pyarrow, which is an extra, and its columns as ours."""

import importlib
import sys
from typing import Any

import numpy as np

from gdcli.data.objects import texts_of
from gdcli.data.table import Coded


def arrow_module(name: str) -> Any:
    """Import a module of pyarrow. Raises ImportError where there is none."""
    if sys.modules.get("pyarrow", sys) is None:  # hidden by gdcli.cli.main
        del sys.modules["pyarrow"]
    return importlib.import_module(name)


def coded_texts(column: Any, missing: frozenset[str]) -> Coded:
    """Return a chunked array as texts: each different value is made one once."""
    import pyarrow

    try:
        encoded = column if pyarrow.types.is_dictionary(column.type) else column.dictionary_encode()
    except pyarrow.ArrowNotImplementedError:
        return texts_of(column.to_pylist(), missing)
    encoded = encoded.combine_chunks()
    if isinstance(encoded, pyarrow.ChunkedArray):  # no rows
        return Coded(np.empty(0, dtype=np.intp), ())
    levels = texts_of(encoded.dictionary.to_pylist(), missing)
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return Coded(np.append(levels.codes, -1)[codes], levels.levels)
