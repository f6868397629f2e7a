"""The output of a command: the options that say where it goes and in which form, checked once, and the writing."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import combinations
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, cast

import click
from click.core import ParameterSource

from gdcli.base.names import printable
from gdcli.base.path_kinds import ending_of, is_special, same_file
from gdcli.base.records import field, record, replace
from gdcli.cli.failures import check_stdout, stdout_error
from gdcli.cli.options import DIGITS, TRACE_ENDINGS
from gdcli.cli.stdout import Stdout
from gdcli.cli.terminal import color_system, terminal_columns
from gdcli.report.writers import WRITERS, drawn

if TYPE_CHECKING:
    from gdcli.fitting.fit import Recorder
    from gdcli.report.paper import Page
    from gdcli.report.plain_lines import LinesRecorder
    from gdcli.report.report import Report
    from gdcli.report.screen import Screen
    from gdcli.report.trace import GroupTraces

STDOUT = "-"

TABLE = "table"

# Iterations in a table at most; more are printed as plain lines while they come.
LONGEST_TABLE = 1000


def _text_file(path: str) -> AbstractContextManager[TextIO]:
    from gdcli.base.atomic import whole_file

    return whole_file(path)


def _binary_file(path: str) -> AbstractContextManager[BinaryIO]:
    from gdcli.base.atomic import whole_file

    return whole_file(path, "wb")


@record(eq=False, frozen=False)
class Output:
    """``path`` is None for stdout; a ``trace`` there takes the result's place.

    ``format`` is a name in ``WRITERS``, or empty if the command has a text of its own. ``live`` fits print their
    iterations while they come. As a context manager an output removes unfinished files after a failure.
    """

    format: str
    path: str | None
    quiet: bool
    trace: str | None = None
    save: str | None = None
    plot: str | None = None
    points: int | None = None
    chart: bool = False
    every: int | None = None
    digits: int = DIGITS
    live: bool = False
    _stdout: Stdout | None = None
    _lines: "LinesRecorder | None" = None
    _files: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def of(cls, context: click.Context, values: Mapping[str, Any], inputs: Sequence[str] = ()) -> "Output":
        """The output that a command's options ask for; a command need not have all of these options.

        Raises UsageError for contradictions, and DataError for files that cannot be written.
        """
        output = cls(
            format=values.get("format", ""),
            path=None if values["output"] == STDOUT else values["output"],
            quiet=values.get("quiet", False),
            trace=values.get("trace"),
            save=values.get("save"),
            plot=values.get("plot"),
            points=values.get("most_points"),
            chart=values.get("chart", False),
            every=values.get("every"),
            digits=values.get("digits", DIGITS),
        )
        output._check_pictures()
        if output.trace_on_stdout and context.get_parameter_source("format") is ParameterSource.COMMANDLINE:
            raise click.UsageError("--trace - writes CSV to stdout instead of the result: give it without --format.")
        output._check_paths(inputs)
        if output.trace_on_stdout or (output.has_result and output.path is None):
            check_stdout()
        length = values.get("epochs") or values.get("iterations") or 0
        long = output.every is not None and length // output.every > LONGEST_TABLE
        output.live = output.has_table and long and not values.get("by")  # the groups' iterations come one by one
        return output

    # --- destinations

    @property
    def trace_on_stdout(self) -> bool:
        """Whether the trace takes the result's place."""
        return self.trace == STDOUT

    @property
    def trace_path(self) -> str | None:
        """The file that the trace is written to; None if there is no trace, or on stdout."""
        return None if self.trace_on_stdout else self.trace

    @property
    def files(self) -> dict[str, str]:
        """The files to be written, by the name of their option."""
        all_files = {"--output": self.path, "--trace": self.trace_path, "--save": self.save, "--plot": self.plot}
        return {name: path for name, path in all_files.items() if path is not None}

    @property
    def is_page(self) -> bool:
        """Whether the picture is a page for a browser."""
        if self.plot is None:
            return False
        from gdcli.report.plots import PAGE

        return ending_of(self.plot) == PAGE

    @property
    def has_result(self) -> bool:
        """Whether there is a result to write, on stdout or to a file. ``--quiet`` is about the screen."""
        return self.path is not None or not (self.trace_on_stdout or (self.quiet and self.format == TABLE))

    @property
    def has_table(self) -> bool:
        """Whether there is a result to write, and it is a table."""
        return self.has_result and self.format == TABLE

    @property
    def table_on_stdout(self) -> bool:
        """Whether stdout gets a table."""
        return self.has_table and self.path is None

    @property
    def has_screen(self) -> bool:
        """Whether a person at a terminal sees what became of a result that has no table and went to a file."""
        to_file = self.path is not None and not is_special(self.path)
        return to_file and not self.quiet and sys.stdout is not None and sys.stdout.isatty()

    @property
    def stdout(self) -> Stdout:
        """The stream of stdout, in the locale's encoding for a table, in UTF-8 for data."""
        if self._stdout is None:
            self._stdout = Stdout(for_people=self.table_on_stdout, finish_files=bool(self.files))
        return self._stdout

    # --- checks

    def check_kept(self, what: str, path: str) -> None:
        """Raise UsageError if an output other than a model would overwrite ``path``, which the command reads."""
        for name, written in self.files.items():
            if name != "--save" and same_file(written, path):
                raise click.UsageError(f"{name} {printable(written)} would overwrite {what}.")

    def _check_pictures(self) -> None:
        if self.plot is not None:
            from gdcli.report.plots import KINDS, PAGE, require_matplotlib

            endings = (*KINDS, PAGE)
            if ending_of(self.plot) not in endings and not is_special(self.plot):
                raise click.UsageError(
                    f"--plot {printable(self.plot)}: its name must end in one of {' '.join(endings)}."
                )
            if not self.is_page:
                require_matplotlib()
        if self.chart:
            if self.format != TABLE or self.trace_on_stdout:
                raise click.UsageError("--chart goes under the table: give it with the table format only.")
            from gdcli.report.chart import require_plotext

            require_plotext()

    def _check_paths(self, inputs: Sequence[str]) -> None:
        trace = self.trace_path
        if trace is not None and ending_of(trace) not in TRACE_ENDINGS and not is_special(trace):
            raise click.UsageError(
                f"--trace {printable(trace)}: its name must end in one of {' '.join(TRACE_ENDINGS)}."
            )
        if self.save == STDOUT:
            raise click.UsageError("--save writes a model to a file: give it a name.")
        for (one, path), (other, second) in combinations(self.files.items(), 2):
            if same_file(path, second):
                raise click.UsageError(f"{one} and {other} are the same file, {printable(second)}.")
        for name, path in self.files.items():
            if any(same_file(path, one) for one in inputs):
                raise click.UsageError(f"{name} {printable(path)} would overwrite an input.")
            from gdcli.base.atomic import check_writable

            check_writable(path)

    # --- a fit while it runs

    def __enter__(self) -> "Output":
        return self

    def __exit__(self, *exception: Any) -> None:
        self._files.__exit__(*exception)

    @property
    def shown(self) -> dict[str, Any]:
        """The options of a fit on the rows and points to record for the table and the pictures, by name."""
        every = None if self.live else self.every
        if self.plot is None and not self.chart:
            return {"every": every}
        return {"every": every, "picture": True, "points": self._points()}

    def _points(self) -> int:
        """The number of rows that the picture of one feature shows."""
        from gdcli.fitting.picture import MOST_IN_PAGE, MOST_POINTS

        if self.plot is None:
            return 0
        if self.points is not None:
            return self.points
        return MOST_IN_PAGE if self.is_page else MOST_POINTS

    @contextmanager
    def recorders(self, narrator: "Recorder") -> "Iterator[list[Recorder]]":
        """Yield the recorders that receive the iterations; the trace file is complete at the end of the block."""
        recorders: list[Recorder] = []
        if self.live:
            self._lines = self._live_lines()
            recorders.append(self._lines)
        with ExitStack() as files:
            if self.trace is not None:
                from gdcli.report.trace import TRACE_WRITERS, TraceRecorder

                stream = self._stdout_file() if self.trace_on_stdout else files.enter_context(_text_file(self.trace))
                recorders.append(TraceRecorder(stream, TRACE_WRITERS[self._trace_ending()]))
            if self.stdout.terminal and (self.trace_on_stdout or (self.live and self.path is None)):
                recorders.insert(0, narrator)
            yield recorders

    @contextmanager
    def group_recorders(self) -> "Iterator[GroupTraces | None]":
        """Yield the recorder of the groups' iterations, None without --trace; its file is complete at the end of the
        block.
        """
        with ExitStack() as files:
            if self.trace is None:
                yield None
                return
            from gdcli.report.trace import TRACE_WRITERS, GroupTraces

            stream = self._stdout_file() if self.trace_on_stdout else files.enter_context(_text_file(self.trace))
            yield GroupTraces(stream, TRACE_WRITERS[self._trace_ending()])

    def save_model(self, text: Callable[[], str]) -> None:
        """Write the model to the file of ``--save``, if it is given; ``text`` makes its JSON."""
        if self.save is not None:
            with _text_file(self.save) as stream:
                stream.write(text())

    def _live_lines(self) -> "LinesRecorder":
        from gdcli.report.plain_lines import LinesRecorder

        assert self.every is not None
        if self.path is not None:
            return LinesRecorder(self._files.enter_context(_text_file(self.path)), self.digits, None, self.every)
        width = terminal_columns() if self.stdout.terminal else None
        return LinesRecorder(self._stdout_file(), self.digits, width, self.every)

    def _trace_ending(self) -> str:
        """The ending that says the trace's format; CSV if the name has none (stdout, /dev/null, a pipe)."""
        ending = ending_of(self.trace or "")
        return ending if ending in TRACE_ENDINGS else TRACE_ENDINGS[0]

    def _stdout_file(self) -> TextIO:
        return cast("TextIO", self.stdout)

    # --- the result

    def write(self, report: "Report") -> None:
        """Write the picture and the result of a command. Files are complete before stdout gets the result."""
        if self.plot is not None and report.picture is not None:
            self._write_picture(report.picture)
        if self._lines is not None:
            self._lines.finish()
        if self.has_result:
            writer = WRITERS[self.format]
            self._put(writer(report if self.chart else replace(report, chart=None), self._page()))
        self._finish()

    def write_text(self, text: str) -> None:
        """Write the result of a command that is one text in one format."""
        self._put(text)
        self._finish()

    def write_screen(self, screen: "Callable[[Page], Screen]") -> None:
        """Draw on stdout's terminal what was written to a file."""
        from gdcli.report.paper import Page

        stdout = Stdout(for_people=True)
        page = Page(terminal_columns(), stdout.encoding, color_system(stdout.terminal))
        stdout.draw(drawn(screen(page), page))
        stdout.finish()

    @contextmanager
    def byte_stream(self) -> Iterator[Callable[[bytes], object]]:
        """Yield a function that writes the next bytes of a result, to stdout or to the output file.

        The file appears whole, at the end of the block.
        """
        if self.path is not None:
            with _binary_file(self.path) as stream:
                yield stream.write
            return
        raw = None if self.stdout.terminal else getattr(sys.stdout, "buffer", None)
        yield (lambda data: self.stdout.write(data.decode("utf-8"))) if raw is None else _guarded(raw.write)
        self.stdout.finish()

    def _finish(self) -> None:
        self._files.close()
        if self._stdout is not None:
            self._stdout.finish()

    def _page(self) -> "Page":
        from gdcli.report.paper import Page

        if not self.table_on_stdout:
            return Page()
        terminal = self.stdout.terminal
        return Page(terminal_columns() if terminal else None, self.stdout.encoding, color_system(terminal))

    def _put(self, text: str) -> None:
        if self.path is None:
            (self.stdout.draw if self.format == TABLE else self.stdout.write)(text)
        elif self._lines is not None:
            self._lines.stream.write(text)
        elif text:
            with _text_file(self.path) as stream:
                stream.write(text)

    def _write_picture(self, picture: Callable[[str], bytes]) -> None:
        from gdcli.report.plots import KINDS, PAGE

        assert self.plot is not None
        ending = ending_of(self.plot)
        drawn = picture(
            ending if ending in (*KINDS, PAGE) else KINDS[0]
        )  # the name of /dev/stdout or a pipe says no kind
        with _binary_file(self.plot) as stream:
            stream.write(drawn)


def _guarded(write: Callable[[bytes], object]) -> Callable[[bytes], object]:
    """The function ``write``, with its OSErrors as DataErrors about stdout. A BrokenPipeError passes."""

    def guarded(data: bytes) -> object:
        try:
            return write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise stdout_error(error) from error

    return guarded
