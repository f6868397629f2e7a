"""A Parquet file opened by pyarrow, which is an extra, and the errors of that library in words."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from gdcli.data.arrow import arrow_module
from gdcli.data.stream import Stream
from gdcli.errors import DataError
from gdcli.text import quoted

_LONGEST_REASON = 300
# A row group may be as large as the file: its columns are read by pieces of so many bytes, not as a whole.
_BUFFER = 1 << 16
_IN_MEMORY = 64 << 20


def opened(stream: Stream) -> Any:
    """Return the ``pyarrow.parquet.ParquetFile`` of a stream. Raises DataError where there is none, or no pyarrow.

    The index stands at the end: what cannot be read from there (stdin, a compressed file) is copied first.
    """
    try:
        parquet = arrow_module("pyarrow.parquet")
    except ImportError:
        raise DataError(f"{quoted(stream.name)} is Parquet: pip install 'gdfit[parquet]' to read it") from None
    with worded(stream.name):
        source = stream.file or _copied(stream)
        return parquet.ParquetFile(source, pre_buffer=False, buffer_size=_BUFFER, page_checksum_verification=True)


def _copied(stream: Stream) -> IO[bytes]:
    """Copy a stream to memory, or to a temporary file without a name if it is large. Raises DataError."""
    copy = SpooledTemporaryFile(max_size=_IN_MEMORY, prefix="gdfit-")  # noqa: SIM115 (closed with the stream)
    with ExitStack() as closing:
        closing.callback(stream.close)
        closing.enter_context(copy)
        stream.close = closing.pop_all().close
    while data := stream.text.read(1 << 20):
        try:
            copy.write(data)
        except OSError as error:
            raise DataError(
                f"{quoted(stream.name)} does not fit into a temporary file: {error.strerror or error}; give another "
                "folder in TMPDIR, or the file itself uncompressed"
            ) from None
    copy.seek(0)
    return copy


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
