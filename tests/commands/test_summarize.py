"""``gdfit summarize``: exit codes, stdout and stderr; a summary on the command line of a fit."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gdcli


@pytest.fixture
def folder(table: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with jan.csv, feb.csv and some missing cells in the latter."""
    table("jan.csv", 30, 1, "ab")
    table("feb.csv", 40, 2, "bc", missing=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def values(done: Any) -> list[float]:
    return [c["value"] for c in json.loads(done.out)["coefficients"]]


def test_a_summary_is_written_and_a_note_counts_its_rows(gdfit: Callable[..., Any], folder: Path) -> None:
    done = gdfit("summarize", "jan.csv", "-o", "jan.summary.json")
    assert done == (0, "", "note: summarized 30 rows of 5 columns, none dropped\n")
    document = json.loads((folder / "jan.summary.json").read_text())
    assert (document["files"], document["rows"]["used"]) == (["jan.csv"], 30)


def test_dropped_rows_are_in_the_note(gdfit: Callable[..., Any], folder: Path) -> None:
    done = gdfit("summarize", "feb.csv", "-o", "feb.summary.json")
    rows = json.loads((folder / "feb.summary.json").read_text())["rows"]
    assert 0 < rows["dropped"] < 20
    counted = f"summarized {rows['used']} rows of 5 columns, dropped {rows['dropped']} of 40 rows"
    assert done.err.startswith(f"note: {counted} with missing values ('")
    assert done.err.count("\n") == 1


def test_without_output_the_json_is_on_stdout(gdfit: Callable[..., Any], folder: Path) -> None:
    done = gdfit("summarize", "jan.csv")
    assert (done.code, done.err) == (0, "note: summarized 30 rows of 5 columns, none dropped\n")
    assert gdfit("summarize", "jan.csv", "-q") == (0, done.out, "")
    assert gdfit("summarize", "jan.csv", "-q", "-o", "-") == (0, done.out, "")
    gdfit("summarize", "jan.csv", "-q", "-o", "s.json")
    assert (folder / "s.json").read_text() == done.out
    assert sorted(os.listdir(folder)) == ["feb.csv", "jan.csv", "s.json"]


def test_a_fit_of_a_summary_is_the_fit_of_its_rows(gdfit: Callable[..., Any], folder: Path) -> None:
    gdfit("summarize", "jan.csv", "-q", "-o", "s.json")
    for args in (["-t", "price"], ["-t", "size", "-x", "kind", "-x", "w"], ["-t", "price", "--no-intercept"]):
        from_summary = gdfit("s.json", *args, "--format", "json", "-q")
        assert (from_summary.code, from_summary.err) == (0, "")
        assert values(from_summary) == pytest.approx(values(gdfit("jan.csv", *args, "--format", "json")), rel=1e-12)
    assert "all 30 rows used" in gdfit("s.json", "-t", "price").out


def test_old_rows_and_new_ones_are_fitted_together(gdfit: Callable[..., Any], folder: Path) -> None:
    gdfit("summarize", "jan.csv", "-q", "-o", "old.json")
    args = ("-t", "price", "-q", "--format", "json")
    both = values(gdfit("jan.csv", "feb.csv", *args))
    assert values(gdfit("old.json", "feb.csv", *args)) == pytest.approx(both, rel=1e-12)
    assert values(gdfit("feb.csv", "old.json", *args)) == pytest.approx(both, rel=1e-12)


def test_a_summary_is_refreshed_in_place_night_after_night(
    gdfit: Callable[..., Any], folder: Path, table: Callable[..., str]
) -> None:
    nights = [table(f"{i}.csv", 10, 10 + i, "abcd"[i : i + 2]) for i in range(3)]
    gdfit("summarize", "jan.csv", "-q", "-o", "q.summary.json")
    for night in nights:
        done = gdfit("summarize", "q.summary.json", night, "-o", "q.summary.json")
        assert (done.code, done.out) == (0, "")
    assert done.err == "note: summarized 60 rows of 5 columns, none dropped\n"
    args = ("-t", "price", "-q", "--format", "json")
    expected = values(gdfit("jan.csv", *nights, *args))
    assert values(gdfit("q.summary.json", *args)) == pytest.approx(expected, rel=1e-12)


def test_an_input_that_is_no_summary_is_never_overwritten(gdfit: Callable[..., Any], folder: Path) -> None:
    gdfit("summarize", "jan.csv", "-q", "-o", "s.json")
    before = (folder / "jan.csv").read_bytes()
    (folder / "link.csv").symlink_to("jan.csv")
    for output in ("jan.csv", "./link.csv"):
        done = gdfit("summarize", "s.json", "jan.csv", "-o", output)
        assert (done.code, done.out) == (2, "")
        assert f"--output {output} would overwrite an input." in done.err
    assert (folder / "jan.csv").read_bytes() == before


def test_an_error_leaves_the_old_summary(gdfit: Callable[..., Any], folder: Path) -> None:
    gdfit("summarize", "jan.csv", "-q", "-o", "s.json")
    before = (folder / "s.json").read_bytes()
    (folder / "bad.csv").write_text((folder / "jan.csv").read_text() + "oops,1,a,1,2\n")
    done = gdfit("summarize", "s.json", "bad.csv", "-o", "s.json")
    assert (done.code, done.out) == (1, "")
    assert "'oops' is not a number" in done.err
    assert (folder / "s.json").read_bytes() == before
    assert sorted(os.listdir(folder)) == ["bad.csv", "feb.csv", "jan.csv", "s.json"]


def test_columns_may_be_chosen(gdfit: Callable[..., Any], folder: Path) -> None:
    def names(*args: str) -> list[tuple[str, str]]:
        document = json.loads(gdfit("summarize", "jan.csv", "-q", *args).out)
        return [(column["name"], column["kind"]) for column in document["columns"]]

    numeric = [("when", "numeric"), ("size", "numeric"), ("w", "numeric"), ("price", "numeric")]
    assert names("--exclude", "kind") == numeric
    assert names("-x", "size", "--feature", "price") == [numeric[1], numeric[3]]
    assert ("w", "text") in names("--categorical", "w")
    assert names("--weights", "w", "-x", "size") == [("size", "numeric")]
    document = json.loads(gdfit("summarize", "jan.csv", "-q", "--weights", "w").out)
    assert document["weights"] == "w"
    assert document["rows"]["used"] == 30 > document["triangle"]["count"]


def test_the_rows_of_a_pipe_are_summarized(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(gdcli.__file__).parents[1])}
    expected = json.loads(
        subprocess.run(
            [sys.executable, "-m", "gdcli", "summarize", "jan.csv"], capture_output=True, env=environment, check=True
        ).stdout
    )
    done = subprocess.run(
        [sys.executable, "-m", "gdcli", "summarize"],
        input=(folder / "jan.csv").read_bytes(), capture_output=True, env=environment, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["triangle"] == expected["triangle"]
    assert found["files"] == ["-"]
    again = subprocess.run(
        [sys.executable, "-m", "gdcli", "-t", "price", "--format", "csv"],
        input=done.stdout, capture_output=True, env=environment, check=True,
    )  # fmt: skip
    assert again.stdout.startswith(b"term,coefficient")


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["missing.csv"], 1, "Error: cannot read 'missing.csv': no such file\n"),
        (["jan.csv", "-o", "no/s.json"], 1, "Error: cannot write 'no/s.json': no folder"),
        (["jan.csv", "-x", "prise"], 1, "has no column 'prise'. Did you mean 'price'?"),
        (["jan.csv", "--weights", "kind"], 1, "the weights column 'kind' is text"),
        (["feb.csv", "--missing", "error"], 1, "the cell has no value; --missing drop leaves such rows out"),
        (["jan.csv", "--max-levels", "1"], 1, "column 'kind' has 2 different texts"),
        (["jan.csv", "-t", "price"], 2, "No such option '-t'"),
        (["jan.csv", "--format", "json"], 2, "No such option"),
        (["-", "-"], 2, "once only"),
    ],
)
def test_what_cannot_be_summarized_is_an_error(
    gdfit: Callable[..., Any], folder: Path, args: list[str], code: int, message: str
) -> None:
    done = gdfit("summarize", *args)
    assert (done.code, done.out) == (code, "")
    assert message in done.err


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--holdout", "0.2"], 1, "is a summary and holds no rows, which folds are made of"),
        (["--cv", "3"], 1, "is a summary and holds no rows, which folds are made of"),
        (["--weights", "w"], 1, "'s.json' was summarized without weights, but 'w' is asked for"),
        (["--categorical", "w"], 1, "summarize it again with --categorical"),
    ],
)
def test_what_needs_rows_says_so(
    gdfit: Callable[..., Any], folder: Path, args: list[str], code: int, message: str
) -> None:
    gdfit("summarize", "jan.csv", "-q", "-o", "s.json")
    done = gdfit("s.json", "-t", "price", *args)
    assert (done.code, done.out) == (code, "")
    assert message in done.err


def test_a_truncated_summary_is_refused(gdfit: Callable[..., Any], folder: Path) -> None:
    gdfit("summarize", "jan.csv", "-q", "-o", "s.json")
    text = (folder / "s.json").read_text()
    (folder / "s.json").write_text(text[: len(text) // 2])
    message = "Error: 's.json' is not a gdfit summary: it is not complete JSON\n"
    assert gdfit("s.json", "-t", "price") == (1, "", message)
    assert gdfit("summarize", "s.json", "jan.csv", "-o", "s.json") == (1, "", message)


def test_help_says_what_it_does_with_examples_to_paste(gdfit: Callable[..., Any]) -> None:
    done = gdfit("summarize", "--help")
    assert (done.code, done.err) == (0, "")
    assert "gdfit summarize q.summary.json new.csv -o q.summary.json" in done.out
    assert "  summarize  " in gdfit("--help").out


@pytest.mark.parametrize(
    ("file", "more", "said"),
    [
        ("jan.csv", [], "jan.csv: 30 rows of 5 columns, none dropped"),
        ("feb.csv", [], "of 40 rows with missing values"),
        ("feb.csv", ["--missing", "mean"], "missing cells ("),
    ],
)
def test_a_terminal_shows_what_was_summarized_and_a_fit_of_it_that_runs(
    terminal: Callable[..., Any], program: Callable[..., Any], folder: Path, file: str, more: list[str], said: str
) -> None:
    done = terminal("summarize", file, *more, "-o", "the rows.json", streams="stdout", env={"NO_COLOR": "1"})
    rows = json.loads((folder / "the rows.json").read_text())["rows"]
    assert (done.code, done.err) == (0, "")
    *screen, command = done.screen.splitlines()
    assert said in " ".join(screen)
    assert any(f"{rows['used']} rows of 5 columns" in line for line in screen)
    assert re.search(r"^kind +text +\d  \w, \w", "\n".join(screen), re.MULTILINE)
    words = shlex.split(command)
    assert words[:2] == ["gdfit", "the rows.json"]
    fitted = program(*words[1:], "-q", "--format", "csv")
    assert (fitted.code, fitted.err) == (0, "")


@pytest.mark.parametrize("where", [[], ["-o", "-"], ["-o", "/dev/stdout"]])
def test_a_terminal_that_gets_the_summary_gets_nothing_else(
    terminal: Callable[..., Any], folder: Path, where: list[str]
) -> None:
    done = terminal("summarize", "jan.csv", *where, streams="stdout")
    assert json.loads(done.screen)["rows"]["used"] == 30
    assert done.err == "note: summarized 30 rows of 5 columns, none dropped\n"


def test_quiet_leaves_out_the_screen(terminal: Callable[..., Any], folder: Path) -> None:
    assert terminal("summarize", "jan.csv", "-o", "s.json", "-q").screen == ""
    assert (folder / "s.json").exists()
