"""Groups reduced elsewhere from guessed beginnings are, to the last bit, those that one machine reads in order.

Elsewhere is this process here, at once; what is sent and what comes back is pickled all the same.
"""

import os
import pickle
import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gdcli import fit, summarize
from gdcli.base.errors import DataError, GdfitError
from gdcli.base.listener import Listener
from gdcli.base.records import replace
from gdcli.data.csv import ranges as csvfile
from gdcli.data.csv.options import CsvOptions
from gdcli.data.csv.source import CsvSource
from gdcli.data.streams import open_stream
from gdcli.ingest import cluster
from gdcli.ingest.aggregate import Aggregate
from gdcli.ingest.one_pass import Reduction
from gdcli.ingest.remote import Numbered, Section, reduce_on_worker, reduced_elsewhere
from tests.ingest.clusters import bits, table

OPTIONS: dict[str, Any] = {"target": "y", "exclude": "note", "iterations": 5}


class Done:
    """A future that is done when it is given."""

    def __init__(self, found: Section) -> None:
        self.found, self.cancelled = found, False

    def result(self) -> Section:
        return self.found

    def cancel(self) -> None:
        self.cancelled = True

    def add_done_callback(self, function: Callable[[Any], object], /) -> None:
        function(self)


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch, small: Callable[..., None]) -> list[Done]:
    """Let this process be the cluster; the value are all runs that it was asked for."""
    small()
    given: list[Done] = []

    def submit(*task: Any) -> Done:
        found = reduce_on_worker(*pickle.loads(pickle.dumps(task)))
        given.append(Done(pickle.loads(pickle.dumps(found))))
        return given[-1]

    def reduced_on(
        address: str, reduction: Reduction, inputs: Iterator[Numbered], size: int, listener: Listener
    ) -> Aggregate | None:
        return reduced_elsewhere(reduction, inputs, submit, lambda: 4, lambda done: listener.reading(done, size))

    monkeypatch.setattr("gdcli.ingest.cluster.reduced_on", reduced_on)
    monkeypatch.setattr("gdcli.ingest.connection.connect", lambda address, listener: nullcontext())
    return given


TEXTS = {
    "unquoted": table(300, note=False).replace('"q, r"', "q"),
    "line ends in quotes": table(300),
    "CRLF": table(300).replace("\n", "\r\n"),
    "CR": table(300, note=False).replace("\n", "\r"),
    "no line end at the end": table(300).rstrip("\n"),
    "a mark at the beginning": "\ufeff" + table(300),
    "rows longer than blocks": table(60).replace(",-,", f",{'long ' * 400},"),
    "a last row longer than a block": table(50, note=False).rstrip("\n").replace(",late,-", f",late,{'long ' * 400}"),
    "one block": table(5, note=False),
    "blank lines": table(300, note=False).replace("\n", "\n\n"),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_cluster_finds_the_bits_of_one_machine(text: str, csv_file: Callable[..., str], asked: list[Done]) -> None:
    path = csv_file(text)
    assert bits(fit(path, dask="local:1", **OPTIONS)) == bits(fit(path, **OPTIONS))
    assert len(asked) >= len(text.encode()) // (3 * 700 * 4)


@pytest.mark.parametrize(
    "options",
    [
        {"cv": 3, "seed": 4},
        {"holdout": 0.3},
        {"weights": "size", "exclude": ("note", "when")},
        {"missing": "error", "exclude": ("note", "when")},
        {"missing": "mean", "cv": 3},
    ],
    ids=str,
)
def test_folds_and_weights_are_those_of_one_machine(csv_file: Callable[..., str], options: dict[str, Any]) -> None:
    text = table(300).replace(",-0.", ",0.").replace(",-1.", ",1.").replace(",-2.", ",2.").replace(",-3.", ",3.")
    path = csv_file(text)
    assert bits(fit(path, dask="local:1", **OPTIONS | options)) == bits(fit(path, **OPTIONS | options))


def test_lines_around_tell_a_row_end_from_a_line_end_in_quotes(csv_file: Callable[..., str], asked: list[Done]) -> None:
    path = csv_file(table())
    fit(path, dask="local:1", **OPTIONS)
    blocks = sum(run.found.parts for run in asked)
    assert len(table()) // 700 - 20 < blocks <= len(table()) // 700 + 1  # each block was read once
    assert not any(run.cancelled for run in asked)


def test_no_wrong_guess_changes_a_bit(csv_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    right, count = csvfile.BlockLocator.start_of, csvfile.BlockLocator.blocks.fget
    assert count is not None

    def guessed(self: csvfile.BlockLocator, block: int) -> int:
        return right(self, block) + (int(random.integers(-300, 300)) if block and random.random() < 0.3 else 0)

    counted = property(lambda self: max(count(self) + int(random.integers(-2, 3)), 1))
    paths = [csv_file(table(120, i), f"{i}.csv") for i in range(4)]
    plain = bits(fit(paths, **OPTIONS))
    monkeypatch.setattr("gdcli.data.csv.ranges.BlockLocator.start_of", guessed)
    monkeypatch.setattr("gdcli.data.csv.ranges.BlockLocator.blocks", counted)
    for _ in range(5):
        assert bits(fit(paths, dask="local:1", **OPTIONS)) == plain


def test_files_and_summaries_share_groups(csv_file: Callable[..., str], tmp_path: Path) -> None:
    files: list[Any] = [csv_file(table(rows, rows), f"{rows}.csv") for rows in (90, 5, 300, 33)]
    files.insert(2, summarize(csv_file(table(100, 7), "early.csv"), exclude="note"))
    files.insert(1, csv_file(table(1).split("\n")[0] + "\n", "header.csv"))
    assert bits(fit(files, dask="local:1", **OPTIONS)) == bits(fit(files, **OPTIONS))


def test_a_summary_is_made_the_same(csv_file: Callable[..., str], tmp_path: Path) -> None:
    path = csv_file(table())
    summarize(path, exclude="note", dask="local:1").save(tmp_path / "there.json")
    summarize(path, exclude="note").save(tmp_path / "here.json")
    assert (tmp_path / "there.json").read_bytes() == (tmp_path / "here.json").read_bytes()


@pytest.mark.parametrize("line", [3, 40, 480])
def test_a_bad_cell_is_named_as_on_one_machine(csv_file: Callable[..., str], line: int) -> None:
    lines = table(note=False).split("\n")
    lines[line - 1] = "1,oops,p,-,2"
    path = csv_file("\n".join(lines))
    with pytest.raises(GdfitError, match=f"line {line}, column 'size': 'oops'") as there:
        fit(path, dask="local:1", **OPTIONS)
    with pytest.raises(GdfitError) as here:
        fit(path, **OPTIONS)
    assert str(there.value) == str(here.value)


def test_skipped_rows_are_counted_and_the_first_three_named(csv_file: Callable[..., str], notes: Any) -> None:
    from gdcli.api import run_fit
    from gdcli.fitting.options import FitOptions

    lines = table().split("\n")
    rows = [i for i, line in enumerate(lines) if i > 300 and ",-," in line]
    for row in (rows[0], rows[1], rows[-60], rows[-30], rows[-1]):
        lines[row] = "1,2"
    path = csv_file("\n".join(lines))
    asked = {"target": "y", "exclude": ("note",), "iterations": 5, "on_bad_row": "skip"}
    here = run_fit([path], FitOptions.of(**asked), listener=notes)
    there = run_fit([path], FitOptions.of(**asked, dask="local:1"), listener=notes)
    assert bits(there) == bits(here)
    assert notes.warnings[1] == notes.warnings[0]
    assert "skipped 5 bad rows" in notes.warnings[0]
    assert "and 2 more" in notes.warnings[0]


def test_columns_that_differ_between_files_are_named(csv_file: Callable[..., str]) -> None:
    paths = [csv_file(table(), "a.csv"), csv_file("when,size,kind,y\n1,2,p,3\n", "b.csv")]
    with pytest.raises(GdfitError, match=r"b\.csv' lacks note, unlike .*a\.csv'"):
        fit(paths, dask="local:1", **OPTIONS)


def test_an_error_in_a_file_comes_before_that_of_the_next_file(csv_file: Callable[..., str]) -> None:
    paths = [csv_file(table(50) + "1,oops,p,-,2\n", "a.csv"), csv_file("when,size,kind,y\n1,2,p,3\n", "b.csv")]
    with pytest.raises(GdfitError, match="oops"):
        fit(paths, dask="local:1", **OPTIONS)


@pytest.mark.parametrize("how", ["was written to", "was replaced"])
def test_a_file_of_the_same_size_that_changes_while_workers_read_it_is_an_error(
    csv_file: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    path = Path(csv_file(table()))
    elsewhere = cluster.reduced_on

    def changed_meanwhile(*arguments: Any) -> Aggregate | None:
        found = elsewhere(*arguments)
        other = path if how == "was written to" else tmp_path / "other.csv"
        other.write_bytes(path.read_bytes().replace(b"1", b"2"))
        os.utime(other, ns=(0, 1))
        other.replace(path)
        return found

    monkeypatch.setattr(cluster, "reduced_on", changed_meanwhile)
    with pytest.raises(DataError, match=f"'{re.escape(str(path))}' {how} while it was read: read it again"):
        fit(str(path), dask="local:1", **OPTIONS)


def test_a_last_cut_within_the_last_row_begins_no_block(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b\n" + "1234567,1\n" * 5)
    file = CsvSource(open_stream(str(tmp_path / "data.csv")), CsvOptions()).for_workers()
    assert isinstance(file, csvfile.CsvFile)
    assert [replace(file, block_bytes=size).count_blocks() for size in (50, 45, 41, 40, 39)] == [1, 1, 1, 2, 2]
