"""Nothing from a file acts on a terminal; colours come and go as they are asked for."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import sys
import termios
from pathlib import Path

import pytest

import gdcli

ENV = {**os.environ, "PYTHONPATH": str(Path(gdcli.__file__).parents[1]), "TERM": "xterm"}

# Overrides, isolates and marks of direction, and controls.
ACTING = "\u202e\u202d\u202a\u202b\u202c\u2066\u2067\u2068\u2069\u200e\u200f\u061c\x07\x9b\u2028"
NAME = f"a{ACTING}b"
KINDS = ("w", "u\u202ev")


@pytest.fixture
def odd(points):
    """A table whose column and group have names that act on a terminal."""
    path = points.with_name("odd.csv")
    rows = "".join(f"{i},{i * i % 7},{KINDS[i % 2]}\n" for i in range(12))
    path.write_text(f'"{NAME}",y,kind\n{rows}', newline="")
    return path


@pytest.mark.parametrize(
    ("form", "more"), [("table", ""), ("csv", ""), ("markdown", ""), ("table", "--by kind"), ("tsv", "--by kind")]
)
def test_a_fit_shows_no_name_that_acts(terminal, odd, form, more):
    screen = terminal("odd.csv", "-t", "y", "--format", form, *more.split()).screen
    assert not set(ACTING) & set(screen)
    assert "202e" in screen


@pytest.mark.parametrize(
    "line",
    ["predict m.json odd.csv", "odd.csv -t y --trace -", "summarize odd.csv", "export m.json --to python",
     "score m.json odd.csv --weights y", "odd.csv -t y --every 1 -n 1001", "odd.csv"],
)  # fmt: skip
def test_no_other_command_does(terminal, program, odd, line):
    assert program("odd.csv", "-t", "y", "--save", "m.json", "-q").code == 0
    screen = terminal(*line.split()).screen
    assert screen
    assert not set(ACTING) & set(screen)


@pytest.mark.parametrize(
    "line",
    ["odd.csv -t y --format csv -o", "odd.csv -t y -q --trace", "predict m.json odd.csv -o", "odd.csv -t y -o",
     "score m.json odd.csv --format json -o"],
)  # fmt: skip
def test_a_terminal_that_is_named_as_a_file_gets_none_either(terminal, program, odd, line):
    assert program("odd.csv", "-t", "y", "--save", "m.json", "-q").code == 0
    screen = terminal(*line.split(), "/dev/stdout", streams="stdin stdout").screen
    assert screen
    assert not set(ACTING) & set(screen)


def test_files_and_pipes_keep_the_names(program, odd):
    assert NAME in program("odd.csv", "-t", "y", "--format", "csv").out
    assert program("odd.csv", "-t", "y", "--format", "csv", "-o", "out.csv").code == 0
    assert NAME in odd.with_name("out.csv").read_text()


@pytest.mark.parametrize(
    ("option", "env", "coloured"),
    [
        ("auto", {}, False), ("auto", {"FORCE_COLOR": "1"}, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, True),
        ("never", {"FORCE_COLOR": "1"}, False),
    ],
)  # fmt: skip
def test_colours_off_a_terminal(program, points, option, env, coloured):
    plain = program("points.csv", "-t", "y", "--color", "never").out
    found = program("points.csv", "-t", "y", "--color", option, env=env).out
    assert ("\x1b[" in found) == coloured
    assert (found == plain) != coloured


@pytest.mark.parametrize(("option", "coloured"), [("auto", True), ("never", False)])
def test_colours_on_a_terminal(terminal, odd, option, coloured):
    for more in ([], ["--by", "kind"]):
        assert ("\x1b[1m" in terminal("odd.csv", "-t", "y", *more, "--color", option).screen) == coloured


def test_a_table_in_a_file_has_no_colour(program, points):
    assert program("points.csv", "-t", "y", "--color", "always", "-o", "table.txt").code == 0
    assert "\x1b" not in points.with_name("table.txt").read_text()


def as_seen(screen):
    """The lines that a terminal shows of what it got: nothing but text, colours, returns and erased ends of lines."""
    lines, at = [""], 0
    screen = re.sub(r"\x1b\[[0-9;]*m", "", screen)
    for part in re.findall(r"\x1b\[K|.|\n", screen.replace("\r\n", "\n\r")):
        if part == "\r":
            at = 0
        elif part == "\n":
            lines.append("")
        elif part == "\x1b[K":
            lines[-1] = lines[-1][:at]
        else:
            lines[-1] = lines[-1][:at] + part + lines[-1][at + 1 :]
            at += 1
    return lines


def test_ctrl_c_leaves_nothing_of_the_progress_line(points):
    process, outer = pty.fork()
    if process == 0:
        os.chdir(points.parent)
        os.execvpe("sh", ["sh", "-c", f"exec {sys.executable} -m gdcli points.csv -t y -n 1000000000 >result"], ENV)
    fcntl.ioctl(outer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    screen = ""
    while "iteration" not in screen:
        screen += os.read(outer, 65536).decode()
    os.write(outer, b"\x03")
    with contextlib.suppress(OSError):  # what Linux says when the other end is closed
        while piece := os.read(outer, 65536):
            screen += piece.decode()
    os.waitpid(process, 0)
    os.close(outer)
    assert "^C" in screen
    assert "━" in screen
    assert as_seen(screen) == ["Interrupted.", ""]
