"""``gdfit FILE…`` is ``gdfit fit FILE…``; help, version, and the first word's completion."""

import os
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from gdcli import __version__
from gdcli.cli import group as group_module
from gdcli.cli import main
from gdcli.cli.group import COMMANDS, group, near_command, one_edit_apart
from gdcli.cli.help import Option

HEAVY = {"numpy", "pandas", "rich", "scipy"}


def helped(*args):
    done = CliRunner().invoke(group, args, terminal_width=98)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def test_help_shows_fifteen_common_options_examples_and_the_commands():
    text = helped("-h")
    fit = group.get_command(None, "fit")
    common = [param for param in fit.params if isinstance(param, Option) and param.common]
    rest = [param for param in fit.params if isinstance(param, Option) and not param.common]
    assert len(common) == 15
    assert all(param.opts[-1] in text for param in common)
    assert not any(f"  {param.opts[-1]} " in text for param in rest)
    assert f"--help-all shows {len(rest)} more options" in text
    assert "gdfit housing.csv --target price --lr 0.01" in text
    titles = [line for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert titles == ["Examples:", "Columns:", "Descent:", "Input:", "Output:", "Help:", "Commands:"]
    assert all(f"\n  {name} " in text for name in COMMANDS)


def test_every_way_to_ask_for_help_is_answered():
    assert helped("-h") == helped("--help")
    options = helped("-h").partition("Examples:")[2].partition("\nCommands:")[0]
    assert options in helped("fit", "-h")
    assert helped("some.csv", "--target", "y", "-h") == helped("fit", "--help")


def test_help_all_shows_every_option():
    text = helped("--help-all")
    for param in group.get_command(None, "fit").params:
        assert not isinstance(param, Option) or param.opts[-1] in text
    assert "more options" not in text
    assert "--max-levels" in helped("some.csv", "--help-all")


def test_every_option_of_the_help_has_a_text():
    for param in group.get_command(None, "fit").params:
        assert not isinstance(param, Option) or param.help


def test_help_fits_narrow_and_wide_terminals(capsys, monkeypatch):
    for columns in (40, 60, 80, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert main(["--help"]) == 0
        lines = capsys.readouterr().out.splitlines()
        to_paste = [line for line in lines if "housing.csv" in line or "| jq" in line]
        assert max(len(line) for line in lines if line not in to_paste) <= min(columns, 100)


def test_the_version_is_told():
    assert helped("--version") == f"gdfit {__version__}\n"


def test_help_loads_neither_numpy_nor_pandas_nor_rich():
    lines = [["-h"], ["--help-all"], ["--version"], ["fit", "-h"], ["--lr", "nan"]]
    loaded = f"sorted({HEAVY!r} & set(sys.modules))"
    code = f"import sys; from gdcli.cli import main\nfor line in {lines!r}: print('\\0', main(line), {loaded})"
    root = os.path.dirname(os.path.dirname(os.path.dirname(group_module.__file__)))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, timeout=60)
    assert re.findall(r"\0 (.*)\n", done.stdout) == ["0 []"] * 4 + ["2 []"]


def test_gdfit_alone_on_a_terminal_prints_help(terminal):
    done = terminal(columns=100)
    assert done.code == 0
    assert done.screen.startswith("Usage: gdfit [fit] [OPTIONS] [FILE]...")
    assert "Commands:" in done.screen


def test_no_file_on_a_terminal_is_wrong_usage(terminal):
    done = terminal("--target", "y")
    assert done.code == 2
    assert "Give a FILE, or pipe data into gdfit." in done.screen


@pytest.mark.parametrize(
    ("a", "b", "near"),
    [
        ("fit", "fit", True), ("fti", "fit", True), ("fi", "fit", True), ("fitt", "fit", True), ("git", "fit", True),
        ("it", "fit", True), ("tif", "fit", False), ("f", "fit", False), ("", "f", True), ("fit.csv", "fit", False),
        ("predcit", "predict", True), ("predtci", "predict", False), ("xpredict", "predict", True), ("ab", "ba", True),
        ("abc", "bac", True), ("abcd", "badc", False), ("a", "b", True), ("", "", True),
    ],
)  # fmt: skip
def test_one_edit_is_one_insertion_deletion_substitution_or_swap(a, b, near):
    assert one_edit_apart(a, b) is near
    assert one_edit_apart(b, a) is near


def test_a_missing_file_named_almost_like_a_command_asks_whether_that_was_meant(program, points):
    assert near_command("fti") == "fit"
    assert near_command("housing.csv") is None
    assert near_command("hlep") == "help"
    done = program("fti", points, "-t", "y")
    assert done == (1, "", "Error: cannot read 'fti': no such file. Did you mean the command 'gdfit fit'?\n")
    points.rename(points.with_name("fti"))
    assert program("fti", "-t", "y", "-q") == (0, "", "")


def completed(capsys, monkeypatch, *words):
    monkeypatch.setenv("_GDFIT_COMPLETE", "zsh")
    assert main(words) == 0
    return [tuple(line.split("\t")[:2]) for line in capsys.readouterr().out.splitlines()]


def test_the_first_word_completes_to_commands_options_and_files(capsys, monkeypatch):
    assert completed(capsys, monkeypatch, "--ta") == [("plain", "--target")]
    assert completed(capsys, monkeypatch, "--ver") == [("plain", "--version")]
    assert completed(capsys, monkeypatch, "fi") == [("plain", "fit"), ("file", "fi")]
    assert completed(capsys, monkeypatch, "hou") == [("file", "hou")]
    assert ("plain", "--help-all") in completed(capsys, monkeypatch, "--h")


@pytest.mark.parametrize("first", ["housing.csv", "fit", "--quiet"])
def test_the_words_after_the_first_complete_as_those_of_fit(capsys, monkeypatch, first):
    assert completed(capsys, monkeypatch, first, "--sca") == [("plain", "--scale")]
    assert completed(capsys, monkeypatch, first, "--format", "j") == [("plain", "json")]
    assert completed(capsys, monkeypatch, first, "--lr", "") == [("plain", "auto")]
    assert completed(capsys, monkeypatch, first, "--output", "x") == [("file", "x")]


def test_a_command_is_imported_when_it_is_used():
    code = "import sys, gdcli.cli.group; print('gdcli.cli.commands.fit' in sys.modules)"
    root = os.path.dirname(os.path.dirname(os.path.dirname(group_module.__file__)))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, timeout=60)
    assert done.stdout == "False\n"
