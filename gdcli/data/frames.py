"""A DataFrame as a source of rows."""

from collections.abc import Callable, Collection, Generator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gdcli.data.numberformat import PLAIN, NumberFormat
from gdcli.data.table import Block, Coded, Table
from gdcli.data.values import is_number, stripped
from gdcli.errors import CellError, NotNumericError
from gdcli.text import quoted

if TYPE_CHECKING:
    import pandas as pd

_FRAME_ROWS = 1 << 16
_HEAD_ROWS = 1000


class FrameSource:
    """A pandas DataFrame."""

    def __init__(self, frame: "pd.DataFrame", name: str = "DataFrame") -> None:
        self._frame = frame
        self.name = name
        self.names = tuple(str(column) for column in frame.columns)
        self.unnamed: frozenset[str] = frozenset()

    def blocks(self) -> Generator[Block, None, None]:
        """Yield slices of the frame."""
        for start in range(0, len(self._frame), _FRAME_ROWS):
            rows = self._frame.iloc[start : start + _FRAME_ROWS]
            yield FrameBlock(rows, self.name, partial(_row_of, self.name, start), self.names)

    def progress(self) -> tuple[int, int | None]:
        """Nothing is read from a disk."""
        return 0, None


def _row_of(name: str, start: int, row: int) -> str:
    return f"{name}, row {start + row}"


class FrameBlock:
    """Some rows of a frame; ``place`` words where one of them is."""

    numbers: NumberFormat = PLAIN

    def __init__(self, frame: "pd.DataFrame", name: str, place: Callable[[int], str], names: tuple[str, ...]) -> None:
        self._frame, self._name, self.where = frame, name, place
        self._place = {column: i for i, column in enumerate(names)}

    def table(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Table:
        return Table(
            rows=len(self._frame),
            numeric={name: self._numbers(name, missing) for name in numeric},
            text={name: self._texts(name, missing) for name in text},
        )

    def head(self) -> Block:
        return FrameBlock(self._frame.iloc[:_HEAD_ROWS], self._name, self.where, tuple(self._place))

    def _numbers(self, name: str, missing: frozenset[str]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        import pandas as pd

        column = self._frame.iloc[:, self._place[name]]
        if pd.api.types.is_bool_dtype(column):
            raise NotNumericError(f"{self._name}, column {quoted(name)}: True and False are not numbers")
        if not pd.api.types.is_numeric_dtype(column):
            column = column.mask(column.astype(str).str.strip().isin(missing))
        values = pd.to_numeric(column, errors="coerce")
        truth = column.map(lambda cell: isinstance(cell, bool | np.bool_)) if column.dtype == object else False
        wrong = np.flatnonzero(((values.isna() & ~column.isna()) | truth).to_numpy(dtype=bool))
        if len(wrong):
            cell = quoted(str(column.iloc[wrong[0]]))
            raise NotNumericError(f"{self.where(int(wrong[0]))}, column {quoted(name)}: {cell} is not a number")
        numbers = np.array(values.to_numpy(dtype=np.float64, na_value=np.nan))
        absent = [float(word) for word in missing if is_number(word)]
        numbers[np.isin(numbers, absent)] = np.nan
        infinite = np.flatnonzero(np.isinf(numbers))
        if len(infinite):
            raise CellError(f"{self.where(int(infinite[0]))}, column {quoted(name)}: the value is infinite")
        return numbers

    def _texts(self, name: str, missing: frozenset[str]) -> Coded:
        column = self._frame.iloc[:, self._place[name]]
        # As texts first: 1, True and 1.0 are equal, but three levels.
        codes, levels = column.astype(object).where(column.notna(), None).map(str, na_action="ignore").factorize()
        return stripped(np.asarray(codes), [str(level) for level in levels], missing)
