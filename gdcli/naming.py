"""The column names of a file without reading the file: for completion, between two keystrokes.

NumPy and pandas are not loaded for it, and what cannot be read quickly has no names.
"""

import json
import os
import stat
from typing import Any

from gdcli.data.csvoptions import CsvOptions
from gdcli.data.dialect import open_table
from gdcli.data.stream import Readable, open_stream
from gdcli.errors import GdfitError

# A longer header or summary would keep the person waiting.
_MOST_BYTES = 1 << 20
_SUMMARY = "gdfit.summary/"


def column_names(path: str, **options: Any) -> tuple[str, ...]:
    """Return the names in the header of a CSV file, or of a summary; none where it cannot be read.

    ``options`` are those of :class:`CsvOptions`, as words.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would take its data away, or wait for them
            return ()
        reading = CsvOptions(**{**options, "skip_rows": int(options.get("skip_rows", 0))})
        stream = open_stream(path, reading.encoding)
        try:
            start = stream.peek(1)
            stream.text = text = _Beginning(stream.text, _MOST_BYTES)
            if start == b"{":
                return _summarised(text.read(_MOST_BYTES))
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


class _Beginning:
    """The first bytes of a stream; ``left`` is how many more may be read."""

    def __init__(self, stream: Readable, most: int) -> None:
        self._stream, self.left = stream, most

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, none past the limit."""
        data = self._stream.read(min(size, self.left))
        self.left -= len(data)
        return data
