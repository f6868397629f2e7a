"""The format of CSV text: whatever is nothing else."""

from typing import TYPE_CHECKING

from gdcli.base.listener import Listener
from gdcli.data.csv.dialect import open_table, remarks
from gdcli.data.csv.options import CsvOptions
from gdcli.data.formats import Format
from gdcli.data.streams import Readable, Stream

if TYPE_CHECKING:
    from gdcli.data.csv.source import CsvSource

# A longer header would keep the person waiting.
_MOST_BYTES = 1 << 20


def _open(stream: Stream, options: CsvOptions, listener: Listener) -> "CsvSource":
    """The source of an open file; the listener is told its separator, if it is no comma."""
    from gdcli.data.csv.source import CsvSource

    source = CsvSource(stream, options)
    note, warning = remarks(source.name, source.header, options)
    if note is not None:
        listener.note(note)
    if warning is not None:
        listener.warn(warning)
    return source


def _column_names(stream: Stream, options: CsvOptions) -> tuple[str, ...]:
    """The names in the header, if it is short."""
    stream.text = text = _Beginning(stream.text, _MOST_BYTES)
    names = open_table(stream, options).dialect.names
    return names if text.left else ()


class _Beginning:
    """The first bytes of a stream; ``left`` is how many more may be read."""

    def __init__(self, stream: Readable, most: int) -> None:
        self._stream, self.left = stream, most

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes, none past the limit."""
        data = self._stream.read(min(size, self.left))
        self.left -= len(data)
        return data


CSV = Format("CSV", lambda start, options: True, _open, _column_names, refuses=())
