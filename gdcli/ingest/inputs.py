"""The inputs of a command, as it opens them: which rows come in twice, and which files grew meanwhile."""

import os
import stat
from datetime import UTC, datetime
from typing import Any

from gdcli.base.listener import Listener
from gdcli.base.names import count_of, listed, quoted
from gdcli.data.source import FileMark, Source

_NANO = 10**9

_LAST_SECOND = 253402300799  # of the year 9999

_MOST_NAMED = 3


class Inputs:
    """The inputs of a command, whose files are in ``marks``. Warns the listener of rows that count twice and of files
    that grew.
    """

    def __init__(self, listener: Listener) -> None:
        self.marks: list[FileMark] = []
        self._listener = listener
        self._holders: dict[object, str] = {}
        self._grown: list[str] = []
        self.fate = "count twice"  # that of rows which come in again

    def add(self, path: str, source: Source) -> None:
        """Add the next input: a file of rows, or a summary, which stands for the rows of others."""
        status = _status(path)
        own = [] if status is None or not source.has_rows else [_mark(path, status)]
        marks = [*own, *source.stands_for]
        keys: dict[object, str] = {} if status is None else {(status.st_dev, status.st_ino): path}
        keys |= {(os.path.basename(mark.name), mark.size, mark.modified): mark.name for mark in marks}
        twice = {name: self._holders[key] for key, name in keys.items() if key in self._holders}
        if twice:
            self._warn(path, {path: twice[path]} if path in twice else twice)
        self._holders = dict.fromkeys(keys, path) | self._holders
        self.marks += marks

    def grew(self, name: str) -> None:
        """Note a file that others wrote to while it was read."""
        self._grown.append(name)

    def tell_growth(self, rows: int) -> None:
        """Warn of each file that grew while it was read; ``rows`` is the number of rows read from all inputs."""
        for name in self._grown:
            self._listener.warn(f"{quoted(name)} grew while it was read: {count_of(rows, 'row')} read, no later ones")

    def _warn(self, path: str, twice: dict[str, str]) -> None:
        holder = next(iter(twice.values()))
        why = "it is given twice" if holder == path else f"{quoted(holder)} holds them too"
        self._listener.warn(f"the rows of {listed(map(quoted, twice), _MOST_NAMED)} {self.fate}: {why}")


def name_of_input(item: Any) -> str:
    """The name of an input: a path, the name of a source, or ``DataFrame``."""
    if isinstance(item, str | os.PathLike):
        return os.fspath(item)
    return str(item.name) if hasattr(type(item), "blocks") else "DataFrame"


def _status(path: str) -> os.stat_result | None:
    """The status of a regular file, None for everything else."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _mark(path: str, status: os.stat_result) -> FileMark:
    seconds, nanoseconds = divmod(status.st_mtime_ns, _NANO)
    time = datetime.fromtimestamp(min(max(seconds, 0), _LAST_SECOND), UTC)
    return FileMark(path, status.st_size, f"{time:%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z")
