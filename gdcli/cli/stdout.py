"""stdout as a stream of text: its encoding, escapes for control characters on a terminal, and closed pipes."""

import sys

from gdcli.base.names import harmless
from gdcli.base.patterns import pattern
from gdcli.cli.failures import stdout_error
from gdcli.cli.terminal import table_encoding

_COLOURS = pattern(r"(\x1b\[[0-9;]*m)")


class Stdout:
    """stdout as a stream of text that notices a closed pipe.

    With ``finish_files`` a closed pipe is remembered and raised only by :meth:`finish`, so that files are completed
    first. ``for_people`` keeps to the characters of the locale; for programs the text is UTF-8 in any locale.
    """

    def __init__(self, for_people: bool, finish_files: bool = False) -> None:
        self.terminal = sys.stdout is not None and sys.stdout.isatty()
        self.encoding = table_encoding(sys.stdout) if for_people else "utf-8"
        self._finish_files = finish_files
        self._gone: BrokenPipeError | None = None
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding=self.encoding, errors="backslashreplace", newline="\n")

    def write(self, text: str) -> int:
        """Write data, or drop them if the reader has gone; return their length.

        A terminal gets control characters as escapes.
        """
        return self._put(harmless(text) if self.terminal else text)

    def draw(self, text: str) -> int:
        """Write text that is meant for a terminal, colors and all; return its length."""
        if self.terminal:
            text = "".join(part if i % 2 else harmless(part) for i, part in enumerate(_COLOURS.split(text)))
        return self._put(text)

    def _put(self, text: str) -> int:
        if sys.stdout is not None and self._gone is None:
            try:
                sys.stdout.write(text)
            except OSError as error:
                self._take(error)
        return len(text)

    def flush(self) -> None:
        """Flush the text written so far."""
        if sys.stdout is not None and self._gone is None:
            try:
                sys.stdout.flush()
            except OSError as error:
                self._take(error)

    def finish(self) -> None:
        """Flush, and raise the BrokenPipeError that was remembered."""
        self.flush()
        if self._gone is not None:
            raise self._gone

    def _take(self, error: OSError) -> None:
        if not isinstance(error, BrokenPipeError):
            raise stdout_error(error) from error
        if not self._finish_files:
            raise error
        self._gone = error
