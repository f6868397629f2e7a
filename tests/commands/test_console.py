"""Notes, warnings and progress on stderr; colour and width of what goes to a terminal."""

import gc
import io
import re
import subprocess
import sys

import pandas as pd
import pytest

from gdcli.api import run_groups
from gdcli.cli import progress
from gdcli.cli.progress import Narrator, in_bytes, in_time
from gdcli.cli.terminal import table_encoding, terminal_columns
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import TraceShape
from gdcli.report import screen
from gdcli.report.paper import Page
from gdcli.report.report import Report
from gdcli.report.writers import as_table

COLOUR = re.compile(r"\x1b\[[0-9;]*m")

ERASED = "\r\x1b[K"


class Clock:
    """A time that passes only when told."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


class Screen:
    """All that stderr got so far."""

    def __init__(self, capsys):
        self.capsys, self.text = capsys, ""

    def getvalue(self):
        self.text += self.capsys.readouterr().err
        return self.text


@pytest.fixture
def stderr(capsys, monkeypatch):
    """A terminal of 60 columns as stderr."""
    monkeypatch.setattr(progress, "progress_width", lambda: 59)
    return Screen(capsys)


def test_notes_and_warnings_go_to_stderr(capsys):
    with Narrator() as narrator:
        narrator.note("dropped 3 rows")
        narrator.warn("a \x1b[31mname\x1b[0m")
    assert capsys.readouterr() == ("", "note: dropped 3 rows\nwarning: a \\x1b[31mname\\x1b[0m\n")


def test_quiet_silences_notes_and_progress_and_no_warnings(stderr, clock):
    with Narrator(quiet=True) as narrator:
        clock.now += 10
        narrator.note("dropped 3 rows")
        narrator.reading(10**6, 10**9)
        narrator.warn("look here")
    assert stderr.getvalue() == "warning: look here\n"


def test_progress_waits_half_a_second_and_then_tells_bytes_rate_and_time_left(stderr, clock):
    with Narrator() as narrator:
        narrator.reading(0, 100_000_000)
        clock.now += 0.4
        narrator.reading(8_000_000, 100_000_000)
        assert stderr.getvalue() == ""
        clock.now += 0.6
        narrator.reading(20_000_000, 100_000_000)
        assert stderr.getvalue() == f"{ERASED}reading 20.0 MB of 100 MB, 20.0 MB/s, 0:04 left"


def test_progress_of_unknown_size_tells_bytes_and_rate(stderr, clock):
    with Narrator() as narrator:
        narrator.reading(0, None)
        clock.now += 1
        narrator.reading(1_500, None)
    assert stderr.getvalue().startswith(f"{ERASED}reading 1.5 kB, 1.5 kB/s\r")


def test_iterations_follow_in_the_same_line(stderr, clock):
    with Narrator() as narrator:
        narrator.reading(0, 1000)
        clock.now += 1
        narrator.reading(1000, 1000)
        narrator.descending(0, 50_000)
        clock.now += 1
        narrator.descending(10_000, 50_000)
    shown = stderr.getvalue().split(ERASED)
    assert shown[1:3] == ["reading 1.0 kB of 1.0 kB, 1.0 kB/s", "iteration 10,000 of 50,000, 0:04 left"]


def test_garbage_is_collected_again_when_the_work_begins():
    with Narrator() as narrator:
        for begins in (lambda: narrator.reading(0, None), lambda: narrator.descending(0, 10)):
            gc.disable()
            begins()
            assert gc.isenabled()
            gc.unfreeze()


def test_the_line_is_redrawn_ten_times_a_second_at_most(stderr, clock):
    with Narrator() as narrator:
        narrator.descending(0, 1000)
        clock.now += 1
        for iteration in range(1000):
            clock.now += 0.001
            narrator.descending(iteration, 1000)
        assert 8 <= stderr.getvalue().count("\r") <= 11


def test_the_line_is_erased_at_the_end_and_before_a_note(stderr, clock):
    with Narrator() as narrator:
        narrator.descending(0, 10)
        clock.now += 1
        narrator.descending(1, 10)
        line = stderr.getvalue().removeprefix(ERASED)
        narrator.note("something")
        assert stderr.getvalue() == f"{ERASED}{line}{ERASED}note: something\n"
        clock.now += 1
        narrator.descending(2, 10)
    assert stderr.getvalue().endswith(f"iteration 2 of 10, 0:08 left{ERASED}")


def test_a_shorter_line_leaves_nothing_of_a_longer_one(stderr, clock):
    with Narrator() as narrator:
        narrator.descending(0, 1_000_000)
        clock.now += 1
        narrator.descending(999_999, 1_000_000)
        clock.now += 1
        narrator.descending(1_000_000, 1_000_000)
        longer, shorter = stderr.getvalue().split(ERASED)[1:]
    assert longer == "iteration 999,999 of 1,000,000, 0:00 left"
    assert shorter == "iteration 1,000,000 of 1,000,000"


def test_progress_is_never_wider_than_the_terminal(stderr, clock, monkeypatch):
    monkeypatch.setattr(progress, "progress_width", lambda: 12)
    with Narrator() as narrator:
        narrator.descending(0, 1_000_000)
        clock.now += 1
        narrator.descending(999_999, 1_000_000)
        assert stderr.getvalue() == f"{ERASED}iteration 99"


@pytest.fixture
def wide(stderr, monkeypatch):
    """A terminal of 80 columns as stderr, which understands colours."""
    monkeypatch.setattr(progress, "progress_width", lambda: 77)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "LC_ALL", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "table_encoding", lambda _: table_encoding(io.TextIOWrapper(io.BytesIO(), "utf-8")))
    return stderr


def drawn_at(done, total, clock):
    with Narrator() as narrator:
        narrator.descending(0, total)
        clock.now += 1
        narrator.descending(done, total)


def test_a_bar_is_as_long_as_the_share_that_is_done(wide, clock):
    drawn_at(500, 1000, clock)
    bar, text = COLOUR.sub("", wide.getvalue()).split(ERASED)[1].split(" ", 1)
    assert (bar, text) == ("━" * 11 + "╺" + "━" * 10, "iteration 500 of 1,000, 0:01 left")
    done = re.search(r"\x1b\[36m(━*)", wide.getvalue())
    assert len(done[1]) == 11


def test_without_colours_a_bar_ends_where_the_work_does(wide, clock, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    drawn_at(500, 1000, clock)
    assert wide.getvalue() == f"{ERASED}{'━' * 11:22} iteration 500 of 1,000, 0:01 left{ERASED}"


def test_under_lang_c_a_bar_is_ascii(wide, clock, monkeypatch):
    monkeypatch.setenv("LANG", "C")
    drawn_at(500, 1000, clock)
    assert wide.getvalue() == f"{ERASED}{'-' * 11:22} iteration 500 of 1,000, 0:01 left{ERASED}"


def test_work_without_a_known_end_has_no_bar(wide, clock):
    with Narrator() as narrator:
        narrator.reading(0, None)
        clock.now += 1
        narrator.reading(1_500, None)
    assert wide.getvalue() == f"{ERASED}reading 1.5 kB, 1.5 kB/s{ERASED}"


def test_rich_is_imported_when_the_first_bar_is_drawn_and_not_before():
    code = (
        "import sys\nfrom gdcli.cli import progress\nprogress.progress_width = lambda: 77\n"
        "narrator = progress.Narrator()\nfor wait in (10.0, 0.0):\n"
        "    progress._PATIENCE, narrator._next = wait, None\n"
        "    narrator.descending(1, 10)\n    print('rich.progress_bar' in sys.modules, 'rich' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\nTrue True\n"


def test_progress_steps_aside_where_iterations_are_printed(stderr, clock):
    with Narrator() as narrator:
        narrator.reading(0, 2)
        clock.now += 1
        narrator.reading(1, 2)
        narrator.begin(TraceShape(("x",)))
        assert stderr.getvalue().endswith(ERASED)
        before = stderr.getvalue()
        clock.now += 1
        narrator.descending(5, 10)
        assert not narrator.wants(5)
    assert stderr.getvalue() == before


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345, "12.3 kB"), (340_000, "340 kB"),
        (110_000_000, "110 MB"), (1.5e9, "1.5 GB"), (2e12, "2.0 TB"), (3e15, "3000 TB"),
    ],
)  # fmt: skip
def test_bytes_are_shown_in_units(count, shown):
    assert in_bytes(count) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (7.4, "0:07"), (59.6, "1:00"), (3661, "1:01:01")])
def test_times_are_shown_as_on_a_clock(seconds, shown):
    assert in_time(seconds) == shown


def test_a_table_for_a_file_is_as_wide_as_it_needs_and_has_no_colour(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    text = as_table(
        Report(dict, lambda: None, list, lambda page: screen.Screen([[screen.Span("[red]" + "x" * 500, "red")]])),
        Page(),
    )
    assert text == "[red]" + "x" * 500 + "\n"


def test_under_lc_all_c_a_table_is_ascii(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LANG", raising=False)
    assert table_encoding(stream) == "utf-8"
    for name in ("LANG", "LC_ALL"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "C")
            assert table_encoding(stream) == "ascii"
    monkeypatch.setenv("LANG", "C")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert table_encoding(stream) == "utf-8"


# --- in a pseudo-terminal


def test_a_terminal_gets_colour(terminal, points):
    done = terminal("points.csv", "-t", "y")
    assert done.code == 0
    assert COLOUR.search(done.screen)


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_color_and_a_dumb_terminal_get_none(terminal, points, env):
    done = terminal("points.csv", "-t", "y", env=env)
    assert done.code == 0
    assert "\x1b" not in done.screen
    assert "(intercept)" in done.screen


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("env", [{}, {"TERM": "dumb"}])
def test_a_table_keeps_to_the_terminals_width(terminal, points, columns, env):
    header, *rows = points.read_text().splitlines()
    wide = [f"{header},a_rather_long_name,another_rather_long_name"]
    points.write_text("\n".join(wide + [f"{row},{i % 3},{i % 4}" for i, row in enumerate(rows)]) + "\n")
    done = terminal("points.csv", "-t", "y", columns=columns, env=env)
    assert done.code == 0
    lines = COLOUR.sub("", done.screen).splitlines()
    assert max(len(line) for line in lines if "gdfit points.csv" not in line) <= columns
    header = next(line for line in lines if line.startswith("iteration "))
    assert ("another_rather_long_name" in header) == (columns == 200)


@pytest.mark.parametrize(
    "words",
    [
        ("points.csv", "-t", "y", "-n", "40"), ("points.csv", "-t", "y", "--cv", "2", "-n", "5"),
        ("points.csv", "-t", "y", "--inference"), ("points.csv", "-t", "y", "--lr", "9"),
        ("points.csv", "-t", "y", "-n", "1", "--explain"), ("sweep", "points.csv", "-t", "y"),
        ("curve", "--poly", "0,0,1", "-n", "4"), ("score", "model.json", "points.csv"),
    ],
)  # fmt: skip
def test_every_table_fits_a_narrow_terminal_of_a_c_locale(terminal, program, points, words):
    if words[0] == "score":
        assert program("points.csv", "-t", "y", "--save", "model.json", "-q").code == 0
    done = terminal(*words, streams="stdout", columns=40, env={"LC_ALL": "C", "NO_COLOR": "1"})
    assert done.code == (3 if "9" in words else 0)
    assert done.screen.isascii()
    assert "\x1b" not in done.screen
    lines = [line for line in done.screen.splitlines() if not line.startswith("  gdfit ")]
    assert 20 < max(len(line) for line in lines) <= 40


def test_columns_goes_before_what_the_terminal_says(terminal, points):
    done = terminal("points.csv", "-t", "y", columns=200, env={"COLUMNS": "40"})
    lines = COLOUR.sub("", done.screen).splitlines()
    assert max(len(line) for line in lines if "gdfit points.csv" not in line) <= 40


@pytest.mark.parametrize(("columns", "width"), [("0", 80), ("wide", 80), ("1", 1)])
def test_the_width_that_the_environment_says_is_above_zero(monkeypatch, columns, width):
    monkeypatch.setenv("COLUMNS", columns)
    assert terminal_columns() == width


def test_progress_is_shown_on_a_terminal_and_gone_in_the_end(terminal, points):
    done = terminal("points.csv", "-t", "y", "-n", "150000", streams="stderr")
    assert (done.code, done.err) == (0, "")
    assert re.search(r"\r\x1b\[K━+[╸╺]━* iteration [\d,]+ of 150,000, 0:0\d left", COLOUR.sub("", done.screen))
    assert done.screen.endswith(ERASED)
    assert "\r" not in done.out


def test_there_is_no_progress_off_a_terminal_nor_for_short_work(terminal, program, points):
    assert program("points.csv", "-t", "y", "-n", "100000").err == ""
    assert terminal("points.csv", "-t", "y", "-n", "10", streams="stderr").screen == ""
    assert terminal("points.csv", "-t", "y", "-n", "100000", streams="stderr", env={"TERM": "dumb"}).screen == ""


@pytest.mark.parametrize("args", [(), ("--format", "csv"), ("--format", "json"), ("--trace", "-"), ("--every", "1")])
def test_names_from_the_file_do_not_act_on_the_terminal(terminal, points, args):
    points.write_text(points.read_text().replace("x", "\x1b]0;title\x07\x1b[2J[red]", 1))
    done = terminal("points.csv", "-t", "y", "-n", "1500", *args, env={"NO_COLOR": "1"})
    assert done.code == 0
    assert "\x1b" not in done.screen.replace(ERASED, "")  # a slow machine may have shown progress
    assert "\x07" not in done.screen


def test_error_messages_do_not_act_on_the_terminal(terminal):
    done = terminal("\x1b[31mmissing\x1b[0m.csv", "-t", "y", streams="stdout stderr")
    assert done.code == 1
    assert "\x1b" not in done.screen
    done = terminal("--\x1b[31mx", streams="stdout stderr")
    assert done.code == 2
    assert "\x1b" not in done.screen


def test_the_progress_of_groups_counts_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    narrator = Narrator()
    monkeypatch.setattr(narrator, "_due", lambda phase, done: True)
    monkeypatch.setattr(narrator, "_draw", lambda text, done, total: drawn.append(text.partition(",")[0]))
    rows = "".join(f"{g},{x},{x * x}\n" for g in "ab" for x in range(5))
    data = pd.read_csv(io.StringIO(f"g,x,y\n{rows}"))
    with narrator:
        run_groups([data], FitOptions.of(target="y", by=("g",), l2=(0.1,), iterations=5), None, narrator)
    assert [text for text in drawn if not text.startswith("reading")] == ["group 1 of 2", "group 2 of 2"]
