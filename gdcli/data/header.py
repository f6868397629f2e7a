"""The column names of a file without reading the file: for completion, between two keystrokes.

NumPy and pandas are not loaded for it, and what cannot be read quickly has no names.
"""

import json
import os
import stat
from typing import Any

from gdcli.base.errors import GdfitError
from gdcli.data.csv.dialect import open_table
from gdcli.data.csv.options import CsvOptions
from gdcli.data.formats import PEEK_BYTES, FileKind, is_own, kind_of
from gdcli.data.jsonl.lines import lines_of, names_of
from gdcli.data.streams import Readable, Stream, open_stream

# A longer header or summary would keep the person waiting.
_MOST_BYTES = 1 << 20

# Objects name their keys again and again: a few tell.
_FEW_BYTES = 1 << 16

_SUMMARY = "gdfit.summary/"


def column_names(path: str, **options: Any) -> tuple[str, ...]:
    """Return the names of the columns of a file, or of a summary; none where they cannot be read quickly.

    ``options`` are those of :class:`CsvOptions`, as words.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would take its data away, or wait for them
            return ()
        reading = CsvOptions(**{**options, "skip_rows": int(options.get("skip_rows", 0))})
        stream = open_stream(path, reading.encoding)
        try:
            start = stream.peek(PEEK_BYTES)
            kind = kind_of(start, path, reading)
            if kind is FileKind.PARQUET:
                return _in_schema(stream)
            stream.text = text = _Beginning(stream.text, _MOST_BYTES)
            if is_own(start):
                return _summarised(text.read(_MOST_BYTES))
            if kind is FileKind.JSON_LINES:
                return _in_objects(text.read(_FEW_BYTES))
            names = open_table(stream, reading).dialect.names
            return names if text.left else ()
        finally:
            stream.close()
    except (GdfitError, OSError, ValueError, LookupError, TypeError, RecursionError):
        return ()


def _summarised(text: bytes) -> tuple[str, ...]:
    """Return the columns of a summary; none of another JSON file."""
    content = json.loads(text)
    if not str(content.get("schema")).startswith(_SUMMARY):
        return ()
    return tuple(str(column["name"]) for column in content["columns"])


def _in_objects(text: bytes) -> tuple[str, ...]:
    """Return the keys of the first JSON lines; the last one may be cut off."""
    lines = lines_of(text.decode("utf-8", "replace"), 1)
    return names_of(line.content for line in lines if line.content is not None)


def _in_schema(stream: Stream) -> tuple[str, ...]:
    from gdcli.data.arrow import open_parquet

    return tuple(open_parquet(stream).schema_arrow.names)


class _Beginning:
    """The first bytes of a stream; ``left`` is how many more may be read."""

    def __init__(self, stream: Readable, most: int) -> None:
        self._stream, self.left = stream, most

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none past the limit."""
        data = self._stream.read(min(size, self.left))
        self.left -= len(data)
        return data
