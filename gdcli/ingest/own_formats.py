"""The formats of gdfit's own files: summaries, which are inputs, and models, which are refused as data."""

from typing import TYPE_CHECKING, NoReturn

from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.base.names import quoted, shell_word
from gdcli.data.csv.options import CsvOptions
from gdcli.data.formats import PEEK_BYTES, Format
from gdcli.data.streams import Stream

if TYPE_CHECKING:
    from gdcli.ingest.summary import Summary

_SUMMARY = "gdfit.summary/"

# A longer summary would keep the person waiting.
_MOST_BYTES = 1 << 20


def _is_own(start: bytes, options: CsvOptions) -> bool:
    """Whether a file that begins so is one of gdfit's own."""
    return start.lstrip().startswith(b"{") and b'"gdfit.' in start[:PEEK_BYTES]


def is_summary(start: bytes, options: CsvOptions | None = None) -> bool:
    """Whether a file that begins with the bytes ``start`` is a summary; ``options`` have no say in it."""
    return start.lstrip().startswith(b"{") and f'"{_SUMMARY}'.encode() in start[:PEEK_BYTES]


def is_model_file(path: str) -> bool:
    """Whether a path leads to a regular file on this disk that is a model; False for a pipe or a URL."""
    import os

    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            start = file.read(PEEK_BYTES)
    except (OSError, ValueError):
        return False
    return _is_own(start, CsvOptions()) and not is_summary(start)


def _open(stream: Stream, options: CsvOptions, listener: Listener) -> "Summary":
    from gdcli.ingest.summary import load_summary

    return load_summary(stream.read_all(), stream.name)


def _column_names(stream: Stream, options: CsvOptions) -> tuple[str, ...]:
    """The columns of a summary, if it is short."""
    import json

    content = json.loads(stream.text.read(_MOST_BYTES))
    return tuple(str(column["name"]) for column in content["columns"])


def _refuse_model(stream: Stream, options: CsvOptions, listener: Listener) -> NoReturn:
    use = f"gdfit predict {shell_word(stream.name)} FILE"
    raise DataError(f"{quoted(stream.name)} is a gdfit model, not data; to use it: {use}")


SUMMARY = Format("a gdfit summary", is_summary, _open, _column_names, refuses=())

MODEL = Format("a gdfit model", _is_own, _refuse_model, refuses=())
