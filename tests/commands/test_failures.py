"""Exceptions become messages and exit codes in one place."""

import json

import pytest

from gdcli.base.errors import DataError, ExitCode, Interrupted, UsageError
from gdcli.cli import failures, main
from gdcli.cli.commands import fit as fit_module


@pytest.fixture
def failing(monkeypatch, points):
    """Run gdfit in this process with a fit that raises."""

    def run(error):
        def fail(*args, **options):
            raise error

        monkeypatch.setattr(fit_module, "run", fail)
        return main([str(points), "-t", "y"])

    return run


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (DataError("no such thing"), 1, "Error: no such thing\n"),
        (UsageError("not both"), 2, "Error: not both\n"),
        (DataError("two\nlines"), 1, "Error: two\nlines\n"),
        (DataError("a \x1b[31mred\x1b[0m\tname\r"), 1, "Error: a \\x1b[31mred\\x1b[0m\\tname\\r\n"),
        (Interrupted(), 130, "Interrupted.\n"),
        (Interrupted(ExitCode.TERMINATED), 143, "Interrupted.\n"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (BrokenPipeError(), 0, ""),
        (MemoryError(), 1, "Error: not enough memory\n"),
        (RecursionError("maximum recursion depth"), 1, "Error: the input is nested too deeply\n"),
        (OSError(28, "No space left on device", "/tmp/x"), 1, "Error: '/tmp/x': no space left on device\n"),
        (OSError("odd"), 1, "Error: odd\n"),
        (SystemExit(4), 4, ""),
        (
            ValueError("bad\nthing"),
            1,
            "Error: unexpected ValueError: bad thing\n"
            "This is a fault in gdfit; GDFIT_DEBUG=1 shows where it happened.\n",
        ),
        (
            AssertionError(),
            1,
            "Error: unexpected AssertionError\nThis is a fault in gdfit; GDFIT_DEBUG=1 shows where it happened.\n",
        ),
    ],
)
def test_every_exception_ends_in_a_message_and_an_exit_code(failing, capsys, error, code, message):
    assert failing(error) == code
    assert capsys.readouterr() == ("", message)


def test_debugging_shows_where_it_happened(failing, capsys, monkeypatch):
    monkeypatch.setenv("GDFIT_DEBUG", "1")
    assert failing(ValueError("bad")) == 1
    error = capsys.readouterr().err
    assert error.startswith("Traceback (most recent call last)")
    assert error.endswith("GDFIT_DEBUG=1 shows where it happened.\n")


def test_a_message_is_never_endless(failing, capsys):
    failing(ValueError("x" * 100_000))
    assert len(capsys.readouterr().err) < 3000


def test_a_missing_stderr_is_no_error(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    failures.say("nobody hears")


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["--lr", "nan"], "'nan' is not a finite number"),
        (["--lr", "inf"], "'inf' is not a finite number"),
        (["--lr", "0"], "'0' is not above zero"),
        (["--lr", "-1"], "'-1' is not above zero"),
        (["--lr", "fast"], "'fast' is not a number"),
        (["-n", "-1"], "-1 is less than 0"),
        (["-n", "1.5"], "'1.5' is not a whole number"),
        (["--tol", "0"], "'0' is not above zero"),
        (["--every", "0"], "0 is less than 1"),
        (["--digits", "18"], "18 is more than 17"),
        (["--jobs", "0"], "0 is less than 1"),
        (["--start", "x"], "'x' is not of the form TERM=VALUE"),
        (["--start", "=1"], "'=1' is not of the form TERM=VALUE"),
        (["--start", "x=nan"], "'nan' is not a finite number"),
        (["--start", "x=1", "--start", "x=2"], "--start is given twice"),
        (["--scale", "wild"], "'wild' is not one of"),
        (["--missing", "guess"], "'guess' is not one of"),
        (["--format", "xml"], "'xml' is not one of"),
        (["--frobnicate"], "No such option"),
        (["--tol"], "requires an argument"),
    ],
)
def test_wrong_usage_is_exit_2(points, capsys, args, complaint):
    assert main([str(points), "-t", "y", *args]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert complaint in err
    assert "Error: " in err


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["--encoding", "klingon"], "'klingon'"),
        (["--sep", ",,"], "a separator is one character"),
        (["-x", "x", "--exclude", "x"], "both a --feature and to --exclude"),
        (["-x", "y"], "'y' is the target"),
        (["--scale", "minmax", "--no-intercept"], "--scale minmax"),
    ],
)
def test_wrong_usage_that_shows_later_is_exit_2_too(run_here, points, args, complaint):
    done = run_here(points, "-t", "y", *args)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: ")
    assert complaint in done.err


def test_a_missing_file_is_exit_1(points, capsys):
    assert main(["missing.csv", "-t", "y"]) == 1
    assert capsys.readouterr() == ("", "Error: cannot read 'missing.csv': no such file\n")


def test_an_unstable_rate_is_exit_3_with_a_way_out_in_every_format(run_here, points):
    args = (points.name, "-t", "y", "--lr", "5")
    table = run_here(*args)
    assert (table.code, table.err) == (3, "")
    explanation = table.out[table.out.index("Diverged") :]
    command = explanation.splitlines()[-1].strip()
    assert command.startswith("gdfit points.csv -t y --lr 0.")
    assert run_here(*args, "-q") == (3, "", f"Error: {explanation.rstrip()} -q\n")
    for form in ("csv", "tsv", "markdown"):
        done = run_here(*args, "--format", form, "-o", "result")
        assert (done.code, done.out) == (3, "")
        assert not (points.parent / "result").exists()
        assert done.err.startswith("Error: Diverged at iteration ")
        assert run_here(*args, "--format", form)[:2] == (3, "")
    assert run_here(*command.split()[1:]).code == 0


def test_after_divergence_json_and_trace_are_still_written(run_here, points):
    done = run_here(points.name, "-t", "y", "--lr", "5", "--format", "json", "--trace", "trace.csv")
    assert done.code == 3
    found = json.loads(done.out)
    assert found["coefficients"][0]["value"] is None
    assert found["coefficients"][0]["optimum"] is not None
    rows = (points.parent / "trace.csv").read_text().splitlines()
    assert len(rows) == found["descent"]["iterations"] + 2


def test_strict_is_exit_4_with_the_full_result(run_here, points):
    args = (points.name, "-t", "y", "-n", "3", "--format", "json")
    plain = run_here(*args)
    done = run_here(*args, "--strict")
    assert (plain.code, done.code) == (0, 4)
    assert done.out == plain.out
    assert done.err.startswith("Error: --strict: Not there yet: ")
    assert done.err.count("\n") == 1
    assert run_here(points.name, "-t", "y", "--strict", "--lr", "auto", "-q") == (0, "", "")
    assert run_here(points.name, "-t", "y", "--strict", "--lr", "5", "-q").code == 3


def test_a_target_with_decimal_commas_is_told_the_option_that_reads_them(run_here, points):
    points.write_text("x;y\n1;2,5\n2;4,75\n")
    done = run_here("points.csv", "-t", "y", "-q")
    assert (done.code, done.out) == (1, "")
    assert "column 'y': '2,5' looks like a number written in another way: --decimal , reads it as 2.5" in done.err
