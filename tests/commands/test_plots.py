"""`--plot` and `--chart` on the command line: files, streams, exit codes, and what is missing."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import gdcli

ROOT = Path(gdcli.__file__).parents[1]
FIRST_BYTES = {"png": b"\x89PNG\r\n", "svg": b"<?xml", "pdf": b"%PDF-"}


@pytest.fixture
def command(tmp_path, monkeypatch, gdfit):
    """Run gdfit in an empty folder; return its exit code and what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return gdfit


@pytest.fixture
def points(tmp_path):
    return write_points(tmp_path)


def write_points(folder):
    path = folder / "points.csv"
    noise = [0.1, -0.2, 0.05, 0.15, -0.1, 0.0, 0.2, -0.15, -0.05, 0.1]
    path.write_text("x,y\n" + "".join(f"{i},{2 * i + 1 + e}\n" for i, e in enumerate(noise)))
    return path


def as_process(code, folder, **environment):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=folder, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, check=False,
    )  # fmt: skip


COMMANDS = {
    "fit": ("points.csv", "-t", "y", "--lr", "0.3"),
    "sweep": ("sweep", "points.csv", "-t", "y"),
    "curve": ("curve", "--poly", "0,0,1", "-n", "5"),
}


# --- the file


@pytest.mark.parametrize(("name", "ending"), [("fit", "png"), ("curve", "svg"), ("curve", "pdf"), ("curve", "PNG")])
def test_the_ending_says_what_kind_of_picture_is_written(command, points, name, ending):
    shown = command(*COMMANDS[name])
    path = points.parent / f"picture.{ending}"
    assert command(*COMMANDS[name], "--plot", path.name) == shown
    assert shown[0] == 0
    assert path.read_bytes().startswith(FIRST_BYTES[ending.lower()])


# Each kind of file, and each command's drawing, which no other command has.
DRAWN = (("fit", "png"), ("fit", "svg"), ("fit", "pdf"), ("sweep", "svg"), ("curve", "svg"))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder with pictures, drawn by a process that differs from this one in all that should not matter."""
    folder = tmp_path_factory.mktemp("drawn")
    write_points(folder)
    code = "import sys; from gdcli.cli import main; "
    for name, kind in DRAWN:
        code += f"assert main({[*COMMANDS[name], '-q', '--plot', f'{name}.{kind}']!r}) == 0; "
    code += "print(*{'matplotlib', 'matplotlib.pyplot'} & {*sys.modules})"
    done = as_process(code, folder, PYTHONHASHSEED="1", TZ="Etc/GMT+5")
    # Never pyplot, which would choose a window system.
    assert (done.returncode, done.stdout, done.stderr) == (0, "matplotlib\n", "")
    return folder


@pytest.mark.parametrize(("name", "kind"), DRAWN)
def test_the_same_input_gives_the_same_bytes(drawn, command, points, name, kind):
    assert command(*COMMANDS[name], "-q", "--plot", f"{name}.{kind}")[0] == 0
    assert (points.parent / f"{name}.{kind}").read_bytes() == (drawn / f"{name}.{kind}").read_bytes()


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("path", ["picture.gif", "picture", "-", "png", "picture.png.txt"])
def test_another_ending_is_wrong_usage(command, points, name, path):
    code, out, err = command(*COMMANDS[name], "--plot", path)
    assert (code, out) == (2, "")
    assert f"--plot {path}: its name must end in one of .png .svg .pdf" in err
    assert os.listdir(points.parent) == ["points.csv"]


def test_what_is_no_regular_file_gets_a_png(command, shell, tmp_path):
    assert command(*COMMANDS["curve"], "-q", "--plot", "/dev/null") == (0, "", "")
    assert shell(f"gdfit {shlex.join(COMMANDS['curve'])} -q --plot /dev/stdout | cat > drawn").code == 0
    assert (tmp_path / "drawn").read_bytes().startswith(FIRST_BYTES["png"])


@pytest.mark.parametrize("name", ["fit", "sweep"])
def test_the_path_is_checked_before_any_work(command, points, name):
    points.rename(points.parent / "data.png")
    args = [arg.replace("points.csv", "data.png") for arg in COMMANDS[name]]
    assert command(*args, "--plot", "data.png")[0] == 2
    code, out, err = command(*args, "--plot", "no/such.png")
    assert (code, out) == (1, "")
    assert err.startswith("Error: cannot write 'no/such.png': no folder")
    code, out, err = command(*args, "--plot", "a.png", "-o", "a.png")
    assert (code, out) == (2, "")
    assert "--output and --plot are the same file, a.png." in err


def test_after_divergence_the_picture_shows_what_happened(command, points):
    code, _, _ = command("points.csv", "-t", "y", "--lr", "1.5", "--plot", "a.png")
    assert code == 3
    assert (points.parent / "a.png").read_bytes().startswith(FIRST_BYTES["png"])


def test_an_error_leaves_the_old_picture_as_it_was(command, points):
    (points.parent / "a.png").write_text("old")
    (points.parent / "bad.csv").write_text("x,y\n1,2\n3\n")
    for args in (("bad.csv", "-t", "y"), ("points.csv", "-t", "z")):
        assert command(*args, "--plot", "a.png")[0] == 1
        assert (points.parent / "a.png").read_text() == "old"
    assert sorted(os.listdir(points.parent)) == ["a.png", "bad.csv", "points.csv"]


def test_the_picture_is_complete_before_stdout_gets_the_result(shell, points):
    done = shell(f"gdfit {shlex.join(COMMANDS['curve'])} --plot a.svg > /dev/full")
    assert done.code == 1
    assert "no space left" in done.err
    assert (points.parent / "a.svg").read_text().endswith("</svg>\n")


def test_a_summary_is_drawn_without_points_and_a_note_says_so(command, points):
    assert command("summarize", "points.csv", "-o", "s.json", "-q")[0] == 0
    code, _, err = command("s.json", "-t", "y", "--lr", "0.3", "--plot", "a.png")
    assert code == 0
    assert "note: a summary holds no rows: the picture shows the lines without points\n" in err
    assert "summary holds" not in command("s.json", "-t", "y", "--lr", "0.3", "--chart")[2]


# --- the chart


@pytest.mark.parametrize("name", COMMANDS)
def test_the_chart_stands_between_the_table_and_the_verdict(command, points, name):
    _, table, _ = command(*COMMANDS[name])
    code, out, err = command(*COMMANDS[name], "--chart")
    assert (code, err) == (0, "")
    *above, verdict = table.split("\n\n")
    assert out.startswith("\n\n".join(above))
    assert out.endswith("\n\n" + verdict)
    chart = out[len("\n\n".join(above)) :].removesuffix(verdict)
    assert "┌───" in chart
    assert max(len(line) for line in chart.splitlines() if "│" in line) == 80


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("form", ["json", "csv", "tsv", "markdown"])
def test_a_chart_with_another_format_is_wrong_usage(command, points, name, form):
    code, out, err = command(*COMMANDS[name], "--chart", "--format", form)
    assert (code, out) == (2, "")
    assert "--chart goes under the table" in err


def test_a_chart_beside_a_trace_on_stdout_is_wrong_usage(command, points):
    code, out, err = command(*COMMANDS["fit"], "--chart", "--trace", "-")
    assert (code, out) == (2, "")
    assert "--chart goes under the table" in err


@pytest.mark.parametrize("name", COMMANDS)
def test_a_table_that_goes_to_a_file_takes_the_chart_along(command, points, name):
    _, shown, _ = command(*COMMANDS[name], "--chart")
    assert command(*COMMANDS[name], "--chart", "-o", "result.txt") == (0, "", "")
    assert (points.parent / "result.txt").read_text() == shown


def test_quiet_leaves_no_chart(command, points):
    assert command(*COMMANDS["fit"], "--chart", "-q") == (0, "", "")


def test_under_iterations_printed_as_lines_there_is_a_chart_too(command, points):
    code, out, _ = command(*COMMANDS["fit"], "--chart", "-n", "1500", "--every", "1")
    assert code == 0
    assert re.search(r"(?m)^ *1500 ", out).start() < out.index("term") < out.index("┌───")


def test_a_diverging_fit_has_a_chart_too(command, points):
    code, out, _ = command("points.csv", "-t", "y", "--lr", "1.5", "--chart")
    assert code == 3
    assert "┌───" in out


def test_in_an_ascii_locale_the_chart_is_ascii(points):
    code = f"from gdcli.cli import main; main({[*COMMANDS['fit'], '--chart']!r})"
    done = as_process(code, points.parent, LC_ALL="C")
    assert done.stdout.isascii()
    assert "+-----" in done.stdout


# --- what is missing, and what is not needed


@pytest.mark.parametrize("args", [("missing.csv", "-t", "y"), ("sweep", "missing.csv", "-t", "y"), COMMANDS["curve"]])
@pytest.mark.parametrize(
    ("option", "package", "message"),
    [
        (("--plot", "a.png"), "matplotlib", "Error: --plot needs matplotlib: pip install 'gdfit[plot]'\n"),
        (("--chart",), "plotext", "Error: --chart needs plotext 5: pip install 'gdfit[plot]'\n"),
    ],
)
def test_without_the_extra_one_line_names_the_pip_command_before_data_are_read(
    command, monkeypatch, args, option, package, message
):
    monkeypatch.setitem(sys.modules, package, None)
    assert command(*args, *option) == (2, "", message)


def test_nothing_is_imported_for_pictures_that_are_not_asked_for(points):
    lines = [[*words, "-q"] for words in COMMANDS.values()]
    code = f"import sys; from gdcli.cli import main\nfor line in {lines!r}: main(line)\nprint(*sys.modules, sep='\\n')"
    loaded = {module.split(".")[0] for module in as_process(code, points.parent).stdout.split()}
    assert "gdcli" in loaded
    assert loaded.isdisjoint({"matplotlib", "plotext", "PIL"})


def test_the_users_own_style_changes_nothing(command, points, monkeypatch):
    import matplotlib as mpl

    assert command(*COMMANDS["curve"], "-q", "--plot", "a.png")[0] == 0
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "figure.dpi": 10, "text.parse_math": True}):
        assert command(*COMMANDS["curve"], "-q", "--plot", "b.png")[0] == 0
        assert mpl.rcParams["font.size"] == 30
    assert (points.parent / "a.png").read_bytes() == (points.parent / "b.png").read_bytes()
