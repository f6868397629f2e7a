"""Sources of rows: a CSV file or stdin, and a DataFrame."""

from collections.abc import Collection, Generator
from typing import TYPE_CHECKING

import numpy as np

from gdcli.data.chunks import cut
from gdcli.data.dialect import read_header
from gdcli.data.stream import Stream
from gdcli.data.table import Block, Coded, Table
from gdcli.data.values import is_number, stripped
from gdcli.errors import CellError, NotNumericError
from gdcli.text import quoted

if TYPE_CHECKING:
    import pandas as pd

_FRAME_ROWS = 1 << 16
_HEAD_ROWS = 1000


class CsvSource:
    """An open CSV file, compressed or not; its header is read on opening."""

    def __init__(self, stream: Stream, separator: str | None = None) -> None:
        self._stream = stream
        self._header = read_header(self._stream.text, self._stream.name, separator)
        self.name = self._stream.name
        self.dialect = self._header.dialect
        self.names = self.dialect.names
        self.unnamed = self.dialect.unnamed

    def blocks(self) -> Generator[Block, None, None]:
        """Yield the blocks of rows, and close the file."""
        from gdcli.data.cells import CsvBlock

        try:
            for chunk in cut(self._stream.text, self.name, self._header):
                yield CsvBlock(chunk, self.dialect)
        finally:
            self._stream.close()

    def progress(self) -> tuple[int, int | None]:
        """Return the bytes taken from the disk so far, and of how many."""
        return self._stream.position(), self._stream.size


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
            yield _FrameBlock(self._frame.iloc[start : start + _FRAME_ROWS], self.name, start, self.names)

    def progress(self) -> tuple[int, int | None]:
        """Nothing is read from a disk."""
        return 0, None


class _FrameBlock:
    def __init__(self, frame: "pd.DataFrame", name: str, start: int, names: tuple[str, ...]) -> None:
        self._frame, self._name, self._start = frame, name, start
        self._place = {column: i for i, column in enumerate(names)}

    def table(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Table:
        return Table(
            rows=len(self._frame),
            numeric={name: self._numbers(name, missing) for name in numeric},
            text={name: self._texts(name, missing) for name in text},
        )

    def head(self) -> Block:
        return _FrameBlock(self._frame.iloc[:_HEAD_ROWS], self._name, self._start, tuple(self._place))

    def where(self, row: int) -> str:
        return f"{self._name}, row {self._start + row}"

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
