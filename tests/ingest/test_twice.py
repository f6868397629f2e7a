"""Rows that come in twice are warned of: a file given twice, or beside a summary that holds it already."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gdcli.api import fit_data as fit
from gdcli.api import run_fit
from gdcli.fitting.options import FitOptions
from gdcli.ingest.summarize import summarize_data as summarize

TABLE = "x,y\n1,2\n2,3\n4,7\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, rows in {"a.csv": TABLE, "b.csv": "x,y\n5,1\n6,2\n"}.items():
        (tmp_path / name).write_text(rows)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def warned(gdfit: Callable[..., object], *words: str) -> list[str]:
    done = gdfit(*words)
    assert done.code == 0
    return [line.removeprefix("warning: ") for line in done.err.splitlines() if line.startswith("warning: the rows")]


@pytest.mark.parametrize("second", ["a.csv", "./a.csv", "link.csv", "hard.csv"])
def test_the_same_file_twice_is_a_warning(folder: Path, gdfit: Callable[..., object], second: str) -> None:
    os.symlink("a.csv", "link.csv")
    os.link("a.csv", "hard.csv")
    why = "it is given twice" if second == "a.csv" else "'a.csv' holds them too"
    found = warned(gdfit, "a.csv", "b.csv", second, "-t", "y", "-n", "1")
    assert found == [f"the rows of '{second}' count twice: {why}"]


def test_score_and_groups_warn_too(folder: Path, gdfit: Callable[..., object]) -> None:
    assert gdfit("a.csv", "-t", "y", "-n", "1", "--save", "m.json").code == 0
    assert warned(gdfit, "score", "m.json", "a.csv", "a.csv") == ["the rows of 'a.csv' count twice: it is given twice"]
    assert warned(gdfit, "a.csv", "a.csv", "-t", "y", "--by", "x", "-n", "1")


def test_other_files_are_no_cause_for_a_warning(folder: Path, gdfit: Callable[..., object]) -> None:
    assert warned(gdfit, "a.csv", "b.csv", "-t", "y", "-n", "1") == []
    assert warned(gdfit, "/dev/stdin", "a.csv", "-t", "y", "-n", "1", "--help") == []


@pytest.mark.parametrize("order", [("s.json", "a.csv"), ("a.csv", "s.json")])
def test_a_file_beside_the_summary_that_holds_it_is_a_warning(
    folder: Path, gdfit: Callable[..., object], order: tuple[str, str]
) -> None:
    assert gdfit("summarize", "a.csv", "b.csv", "-o", "s.json").code == 0
    found = warned(gdfit, *order, "-t", "y", "-n", "1")
    assert found == [f"the rows of 'a.csv' count twice: '{order[0]}' holds them too"]


def test_the_files_of_a_summary_are_known_through_all_that_it_was_merged_into(
    folder: Path, gdfit: Callable[..., object]
) -> None:
    assert gdfit("summarize", "a.csv", "-o", "s.json").code == 0
    assert warned(gdfit, "summarize", "s.json", "b.csv", "-o", "s.json") == []
    assert warned(gdfit, "summarize", "s.json", "b.csv", "-o", "t.json") == [
        "the rows of 'b.csv' count twice: 's.json' holds them too"
    ]
    assert warned(gdfit, "s.json", "t.json", "-t", "y", "-n", "1") == [
        "the rows of 'a.csv', 'b.csv' count twice: 's.json' holds them too"
    ]
    assert warned(gdfit, "s.json", "s.json", "-t", "y", "-n", "1") == [
        "the rows of 's.json' count twice: it is given twice"
    ]


def test_a_file_of_the_same_name_with_new_rows_is_no_cause_for_a_warning(
    folder: Path, gdfit: Callable[..., object]
) -> None:
    assert gdfit("summarize", "a.csv", "-o", "s.json").code == 0
    (folder / "a.csv").write_text("x,y\n9,9\n8,1\n")
    assert warned(gdfit, "summarize", "s.json", "a.csv", "-o", "s.json") == []


def test_a_summary_has_the_name_size_and_time_of_each_file(folder: Path) -> None:
    os.utime("a.csv", ns=(0, 1_700_000_000_123_456_789))
    summarize("a.csv").save("s.json")
    [source] = json.loads((folder / "s.json").read_text())["sources"]
    assert source == {"name": "a.csv", "size": len(TABLE), "modified": "2023-11-14T22:13:20.123456789Z"}


def test_a_summary_without_the_times_of_its_files_is_read_as_before(
    folder: Path, notes: object, gdfit: Callable[..., object]
) -> None:
    summarize("a.csv").save("s.json")
    content = json.loads((folder / "s.json").read_text())
    del content["sources"]
    (folder / "old.json").write_text(json.dumps(content))
    found = run_fit(["old.json", "a.csv"], FitOptions.of(target="y", iterations=1), (), notes)
    assert (found.rows.read, notes.warnings) == (6, [])
    assert fit("old.json", target="y").coefficients == fit("s.json", target="y").coefficients


@pytest.mark.parametrize("sources", [[{}], [{"name": "a", "size": -1, "modified": "x"}], ["a"], [{"name": 1}], 5])
def test_sources_of_another_form_are_damage(folder: Path, gdfit: Callable[..., object], sources: object) -> None:
    summarize("a.csv").save("s.json")
    content = json.loads((folder / "s.json").read_text()) | {"sources": sources}
    (folder / "s.json").write_text(json.dumps(content))
    done = gdfit("s.json", "-t", "y")
    assert done.code == 1
    assert "is damaged or was edited by hand" in done.err
