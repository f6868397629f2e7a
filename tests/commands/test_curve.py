"""`gdfit curve` as a command: options, streams, exit codes."""

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from gdcli.cli.group import group

PARABOLA = ("--poly", "0,0,1")


@pytest.mark.parametrize("words", [("--poly=-1,0,1",), ("--poly", "-1,0,1"), ("--poly", " -1, 0 ,1.0 ")])
def test_a_negative_first_coefficient_and_blanks_are_taken(curve, words):
    done = curve(*words, "--format", "json")
    assert (done.code, done.err) == (0, "")
    document = json.loads(done.out)
    assert document["polynomial"] == [-1.0, 0.0, 1.0]
    assert document["start"] == 10.0
    assert document["iterations"] == 10
    assert [rate["learning_rate"] for rate in document["rates"]] == [0.1, 0.4, 0.9, 1.1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Say which curve: --f"),
        (("--poly=",), "lacks a number"),
        (("--poly", " "), "lacks a number"),
        (("--poly", "1,,2"), "lacks a number"),
        (("--poly", "1,2,"), "lacks a number"),
        (("--poly", "1,two"), "'two' is not a number"),
        (("--poly", "1;2"), "'1;2' is not a number"),
        (("--poly", "nan"), "'nan' is not a finite number"),
        (("--poly", "1,-inf"), "'-inf' is not a finite number"),
        (("--poly", "1e999"), "'1e999' is not a finite number"),
        (("--poly", "0,0,1e308"), "overflow"),
        (("--poly", ",".join("1" * 60)), "60 coefficients is too long: at most 51"),
        ((*PARABOLA, "--lr", "0"), "'0' is not above zero"),
        ((*PARABOLA, "--lr", "-0.1"), "'-0.1' is not above zero"),
        ((*PARABOLA, "--lr", "nan"), "'nan' is not a finite number"),
        ((*PARABOLA, "--start", "inf"), "'inf' is not a finite number"),
        ((*PARABOLA, "--start", "ten"), "'ten' is not a number"),
        ((*PARABOLA, "-n", "-1"), "-1 is less than 0"),
        ((*PARABOLA, "-n", "1.5"), "'1.5' is not a whole number"),
        ((*PARABOLA, "--digits", "0"), "0 is less than 1"),
        ((*PARABOLA, "--format", "xml"), "'xml' is not one of"),
        ((*PARABOLA, "data.csv"), "unexpected extra argument"),
    ],
)
def test_wrong_usage_is_exit_2_and_says_what_is_wrong(curve, words, message):
    done = curve(*words)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "words",
    [
        (*PARABOLA, "--lr", "2", "-n", "100"),
        (*PARABOLA, "--lr", "1e308"),
        (*PARABOLA, "--start", "1e300"),
        ("--poly", "0,0,-1"),
        ("--poly", "0,0,0,0,1", "--lr", "1"),
        ("--poly", "5"),
        ("--poly", "0,1"),
    ],
)
def test_a_walk_that_comes_to_no_good_end_is_a_result_and_no_failure(curve, words):
    done = curve(*words)
    assert (done.code, done.err) == (0, "")
    assert done.out


def test_stdin_is_never_touched(started_curve):
    reader, writer = os.pipe()  # nothing comes, and it does not end
    done = started_curve(*PARABOLA, stdin=reader)
    out, err = done.communicate(timeout=60)
    os.close(writer)
    os.close(reader)
    assert (done.returncode, err) == (0, "")
    assert out


@pytest.mark.parametrize("form", ["table", "json", "csv", "tsv", "markdown"])
def test_a_file_gets_what_stdout_would_get(curve, tmp_path: Path, form):
    on_stdout = curve(*PARABOLA, "--format", form)
    to_file = curve(*PARABOLA, "--format", form, "-o", "walk.out")
    assert (to_file.code, to_file.out, to_file.err) == (0, "", "")
    assert (tmp_path / "walk.out").read_bytes() == on_stdout.out.encode()
    assert os.listdir(tmp_path) == ["walk.out"]


def test_a_file_that_cannot_be_written_is_exit_1(curve):
    done = curve(*PARABOLA, "-o", "no/such/folder/walk.csv")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: cannot write 'no/such/folder/walk.csv'")


def test_quiet_silences_the_table_but_no_machine_format(curve):
    assert curve(*PARABOLA, "-q") == (0, "", "")
    assert curve(*PARABOLA, "-q", "--format", "csv") == curve(*PARABOLA, "--format", "csv")


def test_a_reader_that_has_enough_is_no_error(started_curve):
    process = started_curve(*PARABOLA, "-n", "5000", "--format", "csv")
    assert process.stdout.readline() == "learning_rate,iteration,x,y,slope\n"
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60) == 0
    process.stderr.close()


def test_ctrl_c_ends_a_long_walk_with_130(started_curve):
    process = started_curve(*PARABOLA, "-n", "100000000")
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "Interrupted.\n")


def test_help_has_every_option_and_examples_that_run(tmp_path, monkeypatch):
    runner = CliRunner()
    shown = runner.invoke(group, ["curve", "-h"])
    assert (shown.exit_code, shown.stderr) == (0, "")
    for option in ("--poly", "--start", "--lr", "-n, --iterations", "--format", "-o, --output", "-q, --quiet"):
        assert option in shown.stdout
    assert "--digits" in runner.invoke(group, ["curve", "--help-all"]).stdout
    examples = [line.split()[1:] for line in shown.stdout.splitlines() if line.startswith("  gdfit curve")]
    assert len(examples) >= 3
    monkeypatch.chdir(tmp_path)
    assert [runner.invoke(group, words).exit_code for words in examples] == [0] * len(examples)


def test_the_command_is_listed_in_the_help_of_gdfit():
    shown = CliRunner().invoke(group, ["-h"])
    assert re.search(r"\n  curve +Walk down a polynomial", shown.stdout)
