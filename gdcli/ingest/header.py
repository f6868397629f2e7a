"""The column names of a file without reading the file: for completion, between two keystrokes.

NumPy and pandas are not loaded for it. A file that cannot be read quickly has no names.
"""

import os
import stat
from typing import Any

from gdcli.base.errors import GdfitError
from gdcli.data.csv.options import CsvOptions
from gdcli.data.streams import open_stream
from gdcli.ingest.formats import format_of


def column_names(path: str, **options: Any) -> tuple[str, ...]:
    """The column names of a file or summary; an empty tuple if they cannot be read quickly, or not at all.

    ``options`` are fields of :class:`CsvOptions`, as texts from the command line.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would take its data away, or wait for them
            return ()
        csv = CsvOptions(**{**options, "skip_rows": int(options.get("skip_rows", 0))})
        stream = open_stream(path, csv.encoding)
        try:
            return format_of(stream, csv).column_names(stream, csv)
        finally:
            stream.close()
    except (GdfitError, OSError, ValueError, LookupError, TypeError, RecursionError):
        return ()
