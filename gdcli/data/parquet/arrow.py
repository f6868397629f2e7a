"""A Parquet file opened by pyarrow, which is an extra, and the errors of that library in words."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import numpy as np

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.data.py_objects import texts_of
from gdcli.data.streams import Stream
from gdcli.data.table import Coded

_LONGEST_REASON = 300

# Bytes read at a time of a column: a row group may be as large as the file.
_BUFFER = 1 << 16

_IN_MEMORY = 64 << 20


def open_parquet(stream: Stream) -> Any:
    """The ``pyarrow.parquet.ParquetFile`` of a stream. Raises DataError if it cannot be read, or without pyarrow.

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
    """A context in which the errors of the library, which has several kinds for a damaged file, become DataErrors."""
    try:
        yield
    except (DataError, MemoryError):
        raise
    except Exception as error:
        reason = quoted(" ".join(str(error).split()).rstrip("."), _LONGEST_REASON)[1:-1]
        raise DataError(f"{quoted(name)} cannot be read as Parquet: {reason}") from None


def arrow_module(name: str) -> Any:
    """A module of pyarrow, imported. Raises ImportError if it is not installed."""
    if sys.modules.get("pyarrow", sys) is None:  # hidden by gdcli.cli.main
        del sys.modules["pyarrow"]
    return importlib.import_module(name)


def coded_texts(column: Any, missing: frozenset[str]) -> Coded:
    """The text column (codes and levels) of an Arrow chunked array; each distinct value is converted once."""
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
