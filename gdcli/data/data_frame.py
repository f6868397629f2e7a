"""A DataFrame as a source of rows."""

from collections.abc import Collection, Generator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gdcli.base.errors import NotNumericError
from gdcli.base.names import quoted
from gdcli.data.py_objects import numbers_of, texts_of, without_absent
from gdcli.data.source import RowWriter, Source
from gdcli.data.table import Block, Coded, Table

if TYPE_CHECKING:
    import pandas as pd

_FRAME_ROWS = 1 << 16

_HEAD_ROWS = 1000


class FrameSource(Source):
    """A pandas DataFrame."""

    def __init__(self, frame: "pd.DataFrame", name: str = "DataFrame") -> None:
        self._frame = frame
        self.name = name
        self.names = tuple(str(column) for column in frame.columns)

    def blocks(self) -> Generator[Block, None, None]:
        """Yield slices of the frame."""
        for start in range(0, len(self._frame), _FRAME_ROWS):
            rows = self._frame.iloc[start : start + _FRAME_ROWS]
            yield FrameBlock(rows, self.name, start, self.names)

    def rewriter(self, columns: Sequence[str], only: bool, classes: tuple[str, str] | None) -> RowWriter:
        """The writer of the rows as CSV; see :class:`gdcli.data.source.Source`."""
        from gdcli.data.csv.rewrite import rewriter_of_cells

        return rewriter_of_cells(self, columns, only, classes)


class FrameBlock(Block):
    """Consecutive rows of a frame, beginning with row ``start``."""

    def __init__(self, frame: "pd.DataFrame", name: str, start: int, names: tuple[str, ...]) -> None:
        self._frame, self._name, self._start = frame, name, start
        self._place = {column: i for i, column in enumerate(names)}

    def table(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Table:
        """The named columns, parsed; see :class:`gdcli.data.table.Block`."""
        return Table(
            rows=len(self._frame),
            numeric={name: self._numbers(name, missing) for name in numeric},
            text={name: self._texts(name, missing) for name in text},
        )

    @property
    def whole(self) -> bool:
        """Whether no further block can follow."""
        return len(self._frame) < _FRAME_ROWS

    def head(self) -> Block:
        """A block of the first few rows."""
        return FrameBlock(self._frame.iloc[:_HEAD_ROWS], self._name, self._start, tuple(self._place))

    def where(self, place: int) -> str:
        """The number of a row for a message; rows count from 0."""
        return f"{self._name}, row {self._start + place}"

    def _numbers(self, name: str, missing: frozenset[str]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        import pandas as pd

        column = self._frame.iloc[:, self._place[name]]
        if pd.api.types.is_bool_dtype(column):
            raise NotNumericError(f"{self._name}, column {quoted(name)}: True and False are not numbers")
        if not pd.api.types.is_numeric_dtype(column):
            numbers, faults = numbers_of(column.astype(object).tolist(), missing)
            if faults:
                fault = faults[0]
                raise fault.kind(f"{self.where(fault.row)}, column {quoted(name)}: {fault.reason}")
            return numbers
        numbers = without_absent(np.array(column.to_numpy(dtype=np.float64, na_value=np.nan)), missing)
        infinite = np.flatnonzero(np.isinf(numbers))
        if len(infinite):
            raise NotNumericError(f"{self.where(int(infinite[0]))}, column {quoted(name)}: the value is infinite")
        return numbers

    def _texts(self, name: str, missing: frozenset[str]) -> Coded:
        column = self._frame.iloc[:, self._place[name]]
        return texts_of(column.astype(object).tolist(), missing)
