"""Where output goes while it comes: stdout, and the recorder that writes every iteration."""

import re
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

from gdcli.cli.failures import stdout_error
from gdcli.cli.terminal import table_encoding

if TYPE_CHECKING:
    from gdcli.fitting.results import TraceRow, TraceShape
    from gdcli.report.formats import TraceWriter
    from gdcli.report.plain_lines import PlainLines

# Controls, and the marks that turn the direction of what follows. Colours are Rich's: a name's escape is text by then.
_ACTING = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f]|\r(?!\n)|\x1b"
)

_COLOURS = re.compile(r"(\x1b\[[0-9;]*m)")


class Stdout:
    """stdout as a stream of text that notices a reader who has gone.

    A ``patient`` one remembers him and drops what else is written, because files are still to be completed;
    :meth:`finish` raises the BrokenPipeError then. ``for_people`` keeps to the characters of the locale; for programs
    the text is UTF-8 whatever the locale, so that it is the same everywhere.
    """

    def __init__(self, for_people: bool, patient: bool = False) -> None:
        self.terminal = sys.stdout is not None and sys.stdout.isatty()
        self.encoding = table_encoding(sys.stdout) if for_people else "utf-8"
        self._patient = patient
        self._gone: BrokenPipeError | None = None
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding=self.encoding, errors="backslashreplace", newline="\n")

    def write(self, text: str) -> int:
        """Write data, or drop them where nobody reads any more. On a terminal their control characters are shown."""
        return self._put(_harmless(text) if self.terminal else text)

    def draw(self, text: str) -> int:
        """Write text that is meant for a terminal, colours and all."""
        if self.terminal:
            text = "".join(part if i % 2 else _harmless(part) for i, part in enumerate(_COLOURS.split(text)))
        return self._put(text)

    def _put(self, text: str) -> int:
        if sys.stdout is not None and self._gone is None:
            try:
                sys.stdout.write(text)
            except OSError as error:
                self._take(error)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written so far."""
        if sys.stdout is not None and self._gone is None:
            try:
                sys.stdout.flush()
            except OSError as error:
                self._take(error)

    def finish(self) -> None:
        """Flush, and say now what was not said before."""
        self.flush()
        if self._gone is not None:
            raise self._gone

    def _take(self, error: OSError) -> None:
        if not isinstance(error, BrokenPipeError):
            raise stdout_error(error) from error
        if not self._patient:
            raise error
        self._gone = error


class TraceRecorder:
    """Writes every iteration to an open stream."""

    def __init__(self, stream: Any, kind: "type[TraceWriter]") -> None:
        self._stream = cast("TextIO", stream)
        self._kind = kind
        self._writer: TraceWriter | None = None

    def begin(self, shape: "TraceShape") -> None:
        """Write the header."""
        self._writer = self._kind(self._stream, shape)

    def wants(self, number: int) -> bool:
        """Every row is wanted."""
        return True

    def record(self, row: "TraceRow") -> None:
        """Write an iteration."""
        assert self._writer is not None
        self._writer.write(row)


class LinesRecorder:
    """Writes each K-th row as a plain line of fixed width."""

    def __init__(self, stream: Any, digits: int, width: int | None, every: int) -> None:
        self.stream = cast("TextIO", stream)
        self._digits, self._width, self._every = digits, width, every
        self._lines: PlainLines | None = None

    def begin(self, shape: "TraceShape") -> None:
        """Write the header."""
        from gdcli.report.plain_lines import PlainLines

        self._lines = PlainLines(self.stream, shape, self._digits, self._width)

    def wants(self, number: int) -> bool:
        """Each K-th row is wanted."""
        return number % self._every == 0

    def record(self, row: "TraceRow") -> None:
        """Write an iteration."""
        assert self._lines is not None
        self._lines.write(row)

    def finish(self) -> None:
        """Write which columns were left out, and a blank line."""
        assert self._lines is not None
        self._lines.finish()
        self.stream.write("\n")


def _harmless(text: str) -> str:
    return _ACTING.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
