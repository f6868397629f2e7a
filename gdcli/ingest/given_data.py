"""The data that the Python functions take: paths, frames of any library, columns, arrays."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gdcli.base.names import quoted
from gdcli.data.paths import matched

if TYPE_CHECKING:
    import pandas as pd

    from gdcli.data.table import Block
    from gdcli.ingest.read import InputData

_TAKEN = (
    "a path or a pattern, a DataFrame (pandas, polars), a table with Arrow's C stream (pyarrow, DuckDB), a dict of "
    "columns, a pair of arrays (X, y), a summary, or a list of them"
)

# The target's name in a pair of arrays, unless y has one.
_Y = "y"


def inputs_of(data: Any, target: str | None = None) -> "tuple[Sequence[InputData], str | None]":
    """The inputs that ``data`` stands for, and the target's name. Raises TypeError for data of another kind.

    The name is the given one; for a pair of arrays (X, y) without a given one it is y's.
    """
    if _is_pair(data):
        frame, name = _frame_of_arrays(data[0], data[1], target)
        return [frame], name
    several = data if isinstance(data, list) or type(data) is tuple else [data]
    if isinstance(data, list) and data and all(isinstance(item, int | float) for item in data):
        raise TypeError(_refused(data))
    return matched([_input(item) for item in several]), target


def _input(item: Any) -> "InputData":
    if isinstance(item, str | os.PathLike) or hasattr(type(item), "blocks"):
        return item  # type: ignore[no-any-return]  # a path, or a source such as a summary
    if isinstance(item, Mapping):
        return _columns(item)
    if _module(item) == "pandas" and hasattr(item, "columns"):
        return item  # type: ignore[no-any-return]
    if _module(item) == "polars" and hasattr(item, "collect"):
        item = item.collect()
    if hasattr(item, "__arrow_c_stream__") and (hasattr(item, "columns") or hasattr(item, "schema")):
        return _from_arrow(item)
    raise TypeError(_refused(item))


def row_blocks(data: Any, csv: Mapping[str, Any], check: Callable[[Sequence[str], str], None]) -> "Iterator[Block]":
    """Yield the blocks of all rows of ``data``, which may be an array X (n, p) of columns x1, x2 …, too.

    ``csv`` are options for files of text. ``check`` receives the names of each input's columns, and its own.
    """
    from contextlib import closing

    from gdcli.base.errors import DataError
    from gdcli.base.listener import Listener
    from gdcli.data.csv.options import CsvOptions
    from gdcli.ingest.inputs import Inputs
    from gdcli.ingest.read import ReadOptions, open_source

    options, listener = ReadOptions(CsvOptions.of({}, csv)), Listener()
    array = hasattr(data, "__array__") and not hasattr(data, "columns")
    for item in [_frame_of_rows(data)] if array else inputs_of(data)[0]:
        source = open_source(item, options, listener, Inputs(listener))
        if not source.has_rows:
            raise DataError(f"{quoted(source.name)} is a summary and holds no rows to predict")
        check(source.names, source.name)
        with closing(source.blocks()) as blocks:
            yield from blocks


def _refused(item: Any) -> str:
    kind = f"{type(item).__module__}.{type(item).__qualname__}".removeprefix("builtins.")
    arrays = "; arrays are given as a pair, (X, y)" if hasattr(item, "__array__") else ""
    return f"gdfit takes {_TAKEN}, not {kind}{arrays}"


def _module(item: Any) -> str:
    return type(item).__module__.partition(".")[0]


def _columns(columns: Mapping[Any, Any]) -> "pd.DataFrame":
    import pandas as pd

    try:
        return pd.DataFrame(dict(columns))
    except ValueError as error:
        raise TypeError(f"a dict of columns has a list of the same length for each name: {error}") from None


def _from_arrow(item: Any) -> "pd.DataFrame":
    """A frame of anything that streams Arrow's columns."""
    from gdcli.base.errors import DataError
    from gdcli.data.parquet.arrow import arrow_module

    try:
        arrow = arrow_module("pyarrow")
    except ImportError:
        raise DataError(f"a {type(item).__name__} comes by Arrow: pip install 'gdfit[parquet]' to read it") from None
    frame: pd.DataFrame = arrow.RecordBatchReader.from_stream(item).read_all().to_pandas()
    return frame


def _is_pair(data: Any) -> bool:
    """Whether these are arrays X, of rows, and y: the second one has numbers in one row, and is no path or table."""
    if type(data) is not tuple or len(data) != 2 or any(isinstance(part, str | os.PathLike | Mapping) for part in data):
        return False
    y = data[1]
    if isinstance(y, list | tuple):
        return not y or not isinstance(y[0], str | os.PathLike)
    return hasattr(y, "__array__") and getattr(y, "ndim", len(getattr(y, "shape", ()))) == 1


def _frame_of_arrays(X: Any, y: Any, target: str | None) -> "tuple[pd.DataFrame, str]":
    """A frame of rows X (n, p) or (n,) and the target y (n,), whose name is ``target``, its own, or ``y``."""
    import numpy as np
    import pandas as pd

    name = target or str(getattr(y, "name", None) or _Y)
    found: Any = _input(X) if hasattr(X, "columns") else _frame_of_rows(X)
    frame: pd.DataFrame = found.reset_index(drop=True)
    names = [str(column) for column in frame.columns]
    values = np.asarray(y)
    if values.ndim != 1 or len(values) != len(frame):
        raise TypeError(f"X has {len(frame)} rows, and y the shape {values.shape}: it takes a number for each row")
    if name in names:
        raise TypeError(f"X has a column {name!r}, which is the target's name: give another one, target=NAME")
    frame = frame.copy(deep=False)
    frame.columns = pd.Index(names)
    return frame.assign(**{name: values}), name


def _frame_of_rows(X: Any) -> "pd.DataFrame":
    """A frame of an array of rows X (n, p) or (n,), whose columns are x1, x2 …"""
    import numpy as np
    import pandas as pd

    rows = np.asarray(X)
    if rows.ndim == 1:
        rows = rows[:, np.newaxis]
    if rows.ndim != 2:
        raise TypeError(f"X has {rows.ndim} axes: it takes rows and columns")
    return pd.DataFrame(rows, columns=[f"x{j}" for j in range(1, rows.shape[1] + 1)])
