"""stdout carries the result and nothing else; files are complete before it."""

import csv
import io
import json
import os

import pytest

from tests.processes import Done


@pytest.fixture
def run_here(points, monkeypatch, capfd):
    """Run a command line in this process, in the folder of the points."""
    from gdcli.cli import main

    monkeypatch.chdir(points.parent)

    def run(*words):
        code = main([str(word) for word in words])
        return Done(code, *capfd.readouterr())

    return run


def test_the_result_is_on_stdout_and_notes_are_on_stderr(program, points):
    points.write_text(points.read_text().replace(",", ";"))
    done = program("points.csv", "-t", "y", "--format", "json")
    assert done.code == 0
    assert json.loads(done.out)["target"] == "y"
    assert done.err == "note: 'points.csv': the separator is the semicolon (--sep sets it)\n"


def test_quiet_leaves_only_errors_and_machine_formats(program, points):
    points.write_text(points.read_text().replace(",", ";"))
    assert program(points, "-t", "y", "-q") == (0, "", "")
    done = program(points, "-t", "y", "-q", "--format", "csv", "-n", "3")
    assert (done.code, done.err) == (0, "")
    assert [row[0] for row in csv.reader(io.StringIO(done.out))] == ["term", "x", "(intercept)"]
    assert program(points, "-t", "z", "-q").err.startswith("Error: ")


def test_the_commands_name_may_be_left_out(program, points):
    assert program(points, "-t", "y") == program("fit", points, "-t", "y")
    assert program("--target", "y", points) == program(points, "-t", "y")
    assert program("--", points.name, "-t").code == 1


@pytest.mark.parametrize("args", [(), ("-",)])
def test_stdin_is_read_where_no_file_is_named(program, points, args):
    from_stdin = program(*args, "-t", "y", "--format", "csv", stdin=points.read_bytes())
    assert from_stdin == program(points, "-t", "y", "--format", "csv")
    assert from_stdin.code == 0


def test_no_arguments_at_all_read_stdin_too(program, points):
    done = program(stdin=points.read_bytes())
    assert (done.code, done.out) == (2, "")
    assert "--target" in done.err
    assert "x, y" in done.err


@pytest.mark.parametrize("line", ["gdfit -t y < /dev/null", "gdfit -t y <&-", "gdfit <&-", "gdfit - -t y <&-"])
def test_empty_or_closed_stdin_is_an_error(shell, line):
    assert shell(line) == (1, "", "Error: no data on standard input\n")


def test_with_a_file_stdin_is_never_touched(shell, points):
    done = shell("{ gdfit points.csv -t y -q; cat; } <<< untouched")
    assert done == (0, "untouched\n", "")


@pytest.mark.parametrize("words", [("-", "-"), ("--test", "-"), ("-", "--test", "-")])
def test_stdin_cannot_be_read_twice(program, words):
    done = program(*words, "-t", "y", stdin="x,y\n1,2\n")
    assert (done.code, done.out) == (2, "")
    assert "once only" in done.err


@pytest.mark.parametrize("form", ["table", "json", "csv", "tsv", "markdown"])
def test_output_writes_to_a_file_what_stdout_would_get(run_here, points, form):
    shown = run_here(points, "-t", "y", "--format", form)
    args = (points, "-t", "y", "--format", form)
    done = run_here(*args, "-o", "result")
    assert done == (0, "", shown.err)
    written = (points.parent / "result").read_text()
    assert "\x1b" not in written
    if form != "table":  # its advice quotes the command line
        assert written == shown.out


def test_a_dash_as_output_is_stdout(program, points):
    args = (points, "-t", "y", "--format", "json")
    assert program(*args, "-o", "-") == program(*args)
    assert os.listdir(points.parent) == ["points.csv"]


def test_quiet_is_about_the_screen_and_not_about_a_file(run_here, points):
    assert run_here(points, "-t", "y", "-q", "-o", "result") == (0, "", "")
    assert "(intercept)" in (points.parent / "result").read_text()


def test_the_trace_has_every_iteration(run_here, points):
    done = run_here(points, "-t", "y", "-n", "50", "--trace", "trace.csv", "--format", "json")
    assert done.code == 0
    rows = list(csv.DictReader(io.StringIO((points.parent / "trace.csv").read_text())))
    assert [int(row["iteration"]) for row in rows] == list(range(51))
    assert list(rows[0]) == ["iteration", "m", "c", "cost"]
    assert float(rows[-1]["cost"]) == json.loads(done.out)["cost"]


def test_the_trace_as_tsv_and_json_lines_holds_the_same(run_here, points):
    run_here(points, "-t", "y", "-n", "5", "--trace", "t.csv", "-q")
    run_here(points, "-t", "y", "-n", "5", "--trace", "t.tsv", "-q")
    run_here(points, "-t", "y", "-n", "5", "--trace", "t.JSONL", "-q")
    comma, tab, lines = ((points.parent / name).read_text() for name in ("t.csv", "t.tsv", "t.JSONL"))
    assert tab.replace("\t", ",") == comma
    assert [json.loads(line)["m"]["x"] for line in lines.splitlines()] == [
        float(row["m"]) for row in csv.DictReader(io.StringIO(comma))
    ]


def test_a_trace_on_stdout_stands_instead_of_the_result(program, points):
    program(points, "-t", "y", "-n", "7", "--trace", "trace.csv", "-q")
    expected = (points.parent / "trace.csv").read_text()
    assert program(points, "-t", "y", "-n", "7", "--trace", "-") == (0, expected, "")
    assert program(points, "-t", "y", "-n", "7", "--trace", "-", "-q") == (0, expected, "")
    assert program(points, "-t", "y", "-n", "7", "--trace", "-", "-o", "table") == (0, expected, "")
    assert "(intercept)" in (points.parent / "table").read_text()


def test_a_trace_on_stdout_and_a_format_contradict_each_other(run_here, points):
    for form in ("json", "table"):
        done = run_here(points, "-t", "y", "--trace", "-", "--format", form)
        assert (done.code, done.out) == (2, "")
        assert "--trace - writes CSV to stdout" in done.err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--trace", "trace.txt"], "must end in one of .csv .tsv .jsonl"),
        (["-o", "points.csv"], "--output points.csv would overwrite an input"),
        (["-o", "./link.csv"], "--output ./link.csv would overwrite an input"),
        (["--trace", "points.csv"], "--trace points.csv would overwrite an input"),
        (["-o", "a.csv", "--trace", "./a.csv"], "--output and --trace are the same file"),
    ],
)
def test_files_that_cannot_be_meant_are_wrong_usage(run_here, points, args, message):
    before = points.read_bytes()
    (points.parent / "link.csv").symlink_to("points.csv")
    done = run_here("points.csv", "-t", "y", *args)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert points.read_bytes() == before


@pytest.mark.parametrize(
    "line",
    ["{} -t y -o points.csv", "{} -t y --trace points.csv", "{} -t y --save points.csv", "summarize {} -o points.csv",
     "predict m.json {} -o points.csv", "score m.json {} --format json -o points.csv"],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["file://", "simplecache::file://"])
def test_an_input_by_its_address_is_not_overwritten_either(run_here, points, line, scheme):
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    before = points.read_bytes()
    assert run_here("points.csv", "-t", "y", "-n", "1", "--save", "m.json", "-q").code == 0
    done = run_here(*line.format(scheme + str(points)).split())
    assert (done.code, done.out) == (2, "")
    assert "points.csv would overwrite an input" in done.err
    assert points.read_bytes() == before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # fsspec leaves its cache open
@pytest.mark.parametrize("scheme", ["file://", "simplecache::file://", "filecache::file://", "blockcache::file://"])
def test_an_address_of_a_file_fits_as_its_path_does(run_here, points, tmp_path, monkeypatch, scheme):
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    words = ["-t", "y", "--format", "csv"]
    assert run_here(scheme + str(points), *words) == run_here("points.csv", *words)


def test_an_unwritable_file_is_known_before_the_data_are_read(run_here, points):
    done = run_here("missing.csv", "-t", "y", "-o", "no/result")
    assert done == (1, "", f"Error: cannot write 'no/result': no folder '{points.parent}/no'\n")


def test_dev_null_takes_a_trace_and_a_result(program, points):
    assert program(points, "-t", "y", "--trace", "/dev/null", "-o", "/dev/null") == (0, "", "")


def test_dev_stdout_is_stdout(program, points):
    expected = program(points, "-t", "y", "--format", "json").out
    assert program(points, "-t", "y", "--format", "json", "-o", "/dev/stdout") == (0, expected, "")


def test_an_error_leaves_old_files_and_no_new_ones(run_here, points):
    (points.parent / "trace.csv").write_text("old")
    points.write_text(points.read_text() + "oops,1\n")
    done = run_here(points, "-t", "y", "--trace", "trace.csv", "-o", "result")
    assert (done.code, done.out) == (1, "")
    assert "'oops'" in done.err
    assert (points.parent / "trace.csv").read_text() == "old"
    assert sorted(os.listdir(points.parent)) == ["points.csv", "trace.csv"]


@pytest.mark.parametrize("form", ["table", "csv", "json", "markdown"])
def test_a_reader_that_closes_early_is_no_error(shell, points, form):
    done = shell(f"gdfit points.csv -t y --format {form} --trace trace.csv | head -1")
    assert (done.code, done.err) == (0, "")
    assert done.out.count("\n") == 1
    assert (points.parent / "trace.csv").read_text().count("\n") == 1002


@pytest.mark.parametrize("args", ["--trace -", "--every 1", "--trace - -o result", "--every 1 --trace t.csv"])
def test_a_reader_that_closes_while_iterations_come_is_no_error(shell, points, args):
    done = shell(f"gdfit points.csv -t y -n 4000 {args} | head -1")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("iteration")
    if "-o" in args:
        assert "(intercept)" in (points.parent / "result").read_text()
    if "t.csv" in args:
        assert (points.parent / "t.csv").read_text().count("\n") == 4002


def test_a_reader_that_never_reads_is_no_error(shell, points):
    assert shell("gdfit points.csv -t y | true") == (0, "", "")
    assert shell("gdfit --help | true") == (0, "", "")
    assert shell("gdfit --version | true") == (0, "", "")


def test_a_full_stdout_is_an_error_without_a_traceback(shell, points):
    done = shell("gdfit points.csv -t y > /dev/full")
    assert done == (1, "", "Error: cannot write standard output: no space left on device\n")
    assert shell("gdfit points.csv -t y --trace - -n 90000 > /dev/full") == done
    assert shell("gdfit --help > /dev/full").code == 1


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "2>/dev/full"])
def test_a_closed_stream_is_an_error_only_where_the_result_would_go_there(shell, points, closed):
    points.write_text(points.read_text().replace(",", ";"))
    lost = closed.startswith(">&-")
    assert shell(f"gdfit points.csv -t y -o result {closed}").code == 0
    assert shell(f"gdfit points.csv -t y -q {closed}").code == 0
    assert shell(f"gdfit points.csv -t y {closed}").code == lost
    assert shell(f"gdfit curve --poly 0,0,1 --format json {closed}").code == lost
    assert shell(f"gdfit missing.csv -t y {closed}").code == 1


def test_a_closed_stdout_is_noticed_before_the_work(shell, points):
    done = shell("gdfit points.csv -t y --save m.json >&-")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "-o FILE" in done.err
    assert not points.with_name("m.json").exists()


@pytest.mark.parametrize(("iterations", "first"), [(1000, "y = m"), (1001, "iteration")])
def test_up_to_a_thousand_iterations_are_in_the_table(gdfit, points, iterations, first):
    assert gdfit(points, "-t", "y", "-n", iterations, "--every", 1).out.startswith(first)


def test_many_iterations_come_as_plain_lines_before_the_rest(program, points):
    done = program(points, "-t", "y", "-n", "3000", "--every", "2")
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert lines[0].split() == ["iteration", "m", "c", "cost", "above", "min", "%"]
    assert [int(line.split()[0]) for line in lines[1:1502]] == list(range(0, 3001, 2))
    assert len({len(line) for line in lines[:1502]}) == 1
    assert lines[1502] == ""
    assert lines[1503].startswith("y = m · x + c")
    assert program(points, "-t", "y", "-n", "3000", "--every", "2", "-o", "result") == (0, "", "")
    assert (points.parent / "result").read_text().splitlines()[:1504] == lines[:1504]
    assert program(points, "-t", "y", "-n", "3000", "--every", "2", "-q") == (0, "", "")


def test_machine_formats_are_utf_8_in_any_locale(program, points):
    points.write_text(points.read_text().replace("x", "größe", 1), encoding="utf-8")
    usual = program(points, "-t", "y", "--format", "csv")
    latin = program(points, "-t", "y", "--format", "csv", env={"PYTHONIOENCODING": "latin-1"})
    assert "größe" in usual.out
    assert latin == usual


def test_tables_keep_to_the_characters_of_the_locale(program, points):
    points.write_text(points.read_text().replace("x", "größe", 1), encoding="utf-8")
    done = program(points, "-t", "y", env={"LC_ALL": "C"})
    assert done.code == 0
    assert done.out.isascii()
    assert "gr\\xf6\\xdfe" in done.out
