"""A Parquet file opened by pyarrow, which is an extra, and the errors of that library in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gdcli.data.arrow import arrow_module
from gdcli.data.stream import Stream
from gdcli.errors import DataError
from gdcli.text import quoted

_LONGEST_REASON = 300
# A row group may be as large as the file: its columns are read by pieces of so many bytes, not as a whole.
_BUFFER = 1 << 16


def opened(stream: Stream) -> Any:
    """Return the ``pyarrow.parquet.ParquetFile`` of a stream. Raises DataError where there is none, or no pyarrow.

    The index stands at the end: what cannot be read from there (stdin, a compressed file) is read into memory.
    """
    try:
        pyarrow, parquet = arrow_module("pyarrow"), arrow_module("pyarrow.parquet")
    except ImportError:
        raise DataError(f"{quoted(stream.name)} is Parquet: pip install 'gdfit[parquet]' to read it") from None
    with worded(stream.name):
        source = stream.file or pyarrow.BufferReader(stream.read_all())
        return parquet.ParquetFile(source, pre_buffer=False, buffer_size=_BUFFER, page_checksum_verification=True)


@contextmanager
def worded(name: str) -> Iterator[None]:
    """Word the errors of the library, which has several kinds for a damaged file."""
    try:
        yield
    except (DataError, MemoryError):
        raise
    except Exception as error:
        reason = quoted(" ".join(str(error).split()).rstrip("."), _LONGEST_REASON)[1:-1]
        raise DataError(f"{quoted(name)} cannot be read as Parquet: {reason}") from None
