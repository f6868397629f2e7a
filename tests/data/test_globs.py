"""Wildcards in quotes mean what the shell would make of them; a file that is really called so wins."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gdcli.api import fit_data as fit
from gdcli.base.errors import DataError
from gdcli.ingest.summarize import summarize_data as summarize

JANUARY = "x,y\n1,2\n2,3\n3,7\n"
FEBRUARY = "y,x\n5,4\n1,5\n2,6\n"
BOTH = "x,y\n1,2\n2,3\n3,7\n4,5\n5,1\n6,2\n"


@pytest.fixture
def sales(csv_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder, the current one, with two months of sales and something else."""
    csv_file(FEBRUARY, "sales-2024-02.csv")
    csv_file(JANUARY, "sales-2024-01.csv")
    csv_file("a,b\n1,2\n", "other.csv")
    csv_file(JANUARY, ".sales-2024-00.csv")
    csv_file(BOTH, "both of them.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("pattern", ["sales-2024-*.csv", "sales-2024-0?.csv", "sales-2024-0[12].csv", "**/s*.csv"])
def test_a_pattern_stands_for_its_files_in_sorted_order(gdfit: Callable, sales: Path, pattern: str) -> None:
    done = gdfit(pattern, "-t", "y", "--format", "json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["files"] == ["sales-2024-01.csv", "sales-2024-02.csv"]
    both = json.loads(gdfit("both of them.csv", "-t", "y", "--format", "json").out)
    assert json.loads(done.out)["intercept"]["optimum"] == pytest.approx(both["intercept"]["optimum"], rel=1e-12)


def test_every_command_that_reads_files_takes_a_pattern(gdfit: Callable, sales: Path) -> None:
    assert gdfit("both of them.csv", "-t", "y", "--save", "model.json", "-q").code == 0
    words = "sales*.csv"
    assert json.loads(gdfit("sweep", words, "-t", "y", "--format", "json").out)["rows"]["read"] == 6
    assert json.loads(gdfit("summarize", words, "-q").out)["files"] == ["sales-2024-01.csv", "sales-2024-02.csv"]
    assert json.loads(gdfit("score", "model.json", words, "--format", "json").out)["rows"]["read"] == 6
    assert len(gdfit("predict", "model.json", words).out.splitlines()) == 7
    groups = gdfit("sales-2024-0[1].csv", "-t", "y", "--by", "x", "--format", "json")
    assert "sales-2024-01.csv" in groups.err  # each group has one row, which is too few


def test_patterns_and_names_stand_side_by_side_in_the_order_given(gdfit: Callable, sales: Path) -> None:
    done = gdfit("both of them.csv", "sales-*-02.csv", "sales-*-01.csv", "-t", "y", "--format", "json")
    assert json.loads(done.out)["files"] == ["both of them.csv", "sales-2024-02.csv", "sales-2024-01.csv"]


def test_a_file_that_is_really_called_so_wins(gdfit: Callable, sales: Path, csv_file: Callable[..., str]) -> None:
    csv_file(JANUARY, "[sales].csv")
    csv_file(JANUARY, "sales-2024-*.csv")
    for name in ("[sales].csv", "sales-2024-*.csv"):
        done = gdfit(name, "-t", "y", "--format", "json")
        assert json.loads(done.out)["files"] == [name]
        assert json.loads(done.out)["rows"]["read"] == 3


def test_a_match_called_dash_is_a_file_and_not_standard_input(
    gdfit: Callable, sales: Path, csv_file: Callable[..., str]
) -> None:
    csv_file(JANUARY, "-")
    assert json.loads(gdfit("[-]", "-t", "y", "--format", "json").out)["files"] == ["./-"]


@pytest.mark.parametrize("pattern", ["sales-2025-*.csv", "[.csv", "nowhere/*", "[a-z]"])
def test_a_pattern_that_matches_nothing_is_one_line_and_exit_1(gdfit: Callable, sales: Path, pattern: str) -> None:
    done = gdfit(pattern, "-t", "y")
    assert (done.code, done.out) == (1, "")
    assert done.err == f"Error: cannot read '{pattern}': no such file, and none that it matches\n"


def test_a_model_is_one_file_and_no_pattern(gdfit: Callable, sales: Path) -> None:
    assert gdfit("both of them.csv", "-t", "y", "--save", "model.json", "-q").code == 0
    done = gdfit("predict", "mod*.json", "both of them.csv")
    assert done.code == 1
    assert "cannot read 'mod*.json': no such file" in done.err


def test_the_output_must_not_be_a_file_that_a_pattern_matches(gdfit: Callable, sales: Path) -> None:
    done = gdfit("sales*.csv", "-t", "y", "-o", "sales-2024-02.csv")
    assert done.code == 2
    assert "overwrite" in done.err
    assert (sales / "sales-2024-02.csv").read_text() == FEBRUARY


def test_python_takes_patterns_too(sales: Path) -> None:
    for data in ("sales-2024-*.csv", Path("sales-2024-*.csv"), ["sales-2024-01.csv", "sales-*-02.csv"]):
        assert fit(data, target="y", iterations=1).files == ("sales-2024-01.csv", "sales-2024-02.csv")
    assert summarize("sales-2024-*.csv").files == ("sales-2024-01.csv", "sales-2024-02.csv")
    with pytest.raises(DataError, match="none that it matches"):
        fit("nothing-*.csv", target="y")


def test_columns_are_completed_from_the_first_file_that_a_pattern_matches(
    gdfit: Callable, sales: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_GDFIT_COMPLETE", "zsh")
    assert gdfit("sales-*.csv", "-t", "").out == "plain\tx\t\nplain\ty\t\n"
    assert gdfit("nothing-*.csv", "-t", "").out == ""
