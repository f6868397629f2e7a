"""The output options, checked once: where the result goes, and in which form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import click
from click.core import ParameterSource

from gdcli.base.atomic import check_writable, ending_of, is_special, same_file
from gdcli.base.names import printable
from gdcli.cli.drawing import Drawing
from gdcli.cli.failures import check_stdout
from gdcli.cli.options import DIGITS, TRACE_ENDINGS

STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Output:
    """``path`` is None where the result goes to stdout; a ``trace`` there takes the result's place."""

    format: str
    path: str | None
    trace: str | None
    save: str | None
    drawing: Drawing
    every: int | None
    digits: int
    quiet: bool
    strict: bool

    @classmethod
    def of(cls, context: click.Context, values: Mapping[str, Any], inputs: Sequence[str]) -> "Output":
        """Take the options of a command, and refuse what contradicts itself or could not be written later.

        A command need not have those on traces, digits and strictness.
        """
        output = cls(
            format=values["format"],
            path=None if values["output"] == STDOUT else values["output"],
            trace=values.get("trace"),
            save=values.get("save"),
            drawing=Drawing.of(values, values["format"] == "table" and values.get("trace") != STDOUT),
            every=values.get("every"),
            digits=values.get("digits") or DIGITS,
            quiet=values["quiet"],
            strict=values.get("strict") or False,
        )
        if output.trace_on_stdout and context.get_parameter_source("format") is ParameterSource.COMMANDLINE:
            raise click.UsageError("--trace - writes CSV to stdout instead of the result: give it without --format.")
        output._check_paths(inputs)
        if output.trace_on_stdout or (output.has_result and output.path is None):
            check_stdout()
        return output

    @property
    def trace_on_stdout(self) -> bool:
        """Whether the trace takes the result's place."""
        return self.trace == STDOUT

    @property
    def trace_path(self) -> str | None:
        """The file that the trace is written to."""
        return None if self.trace_on_stdout else self.trace

    @property
    def trace_ending(self) -> str:
        """What the trace's name says about its format; CSV where it cannot say anything (/dev/null, a pipe)."""
        ending = ending_of(self.trace or "")
        return ending if ending in TRACE_ENDINGS else TRACE_ENDINGS[0]

    @property
    def files(self) -> dict[str, str]:
        """The files to be written, by their option."""
        all_files = {
            "--output": self.path, "--trace": self.trace_path, "--save": self.save, "--plot": self.drawing.path,
        }  # fmt: skip
        return {name: path for name, path in all_files.items() if path is not None}

    @property
    def has_result(self) -> bool:
        """Whether there is a result to write, on stdout or to a file. ``--quiet`` is about the screen."""
        return self.path is not None or not (self.trace_on_stdout or (self.quiet and self.format == "table"))

    @property
    def has_table(self) -> bool:
        """Whether that result is a table."""
        return self.has_result and self.format == "table"

    @property
    def table_on_stdout(self) -> bool:
        """Whether a table is what stdout gets."""
        return self.has_table and self.path is None

    def check_kept(self, what: str, path: str) -> None:
        """Raise UsageError where an output other than a model would overwrite ``path``, which the command reads."""
        for name, written in self.files.items():
            if name != "--save" and same_file(written, path):
                raise click.UsageError(f"{name} {printable(written)} would overwrite {what}.")

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
            check_writable(path)
