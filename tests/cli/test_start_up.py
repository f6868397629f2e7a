"""What a command imports: importing pandas takes as long as reading a megabyte of text without it."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOUSING = ROOT / "sample_data" / "housing.csv"

# One process runs several commands, of which the first is as it would be alone, and the others import no less.
LOADED = """
import os, sys
before = set(sys.modules)
from gdcli.cli import main
out, sys.stdout = sys.stdout, open(os.devnull, "w")
for words in eval(sys.argv[1]):
    code = main(words)
    print(code, *(name for name, module in sys.modules.items() if module and name not in before), file=out)
"""

LARGE = ("numpy", "pandas", "pyarrow", "rich")


class Imported(NamedTuple):
    """The exit code of a command, and all modules that its process has imported by then."""

    code: int
    names: list[str]

    @property
    def large(self) -> set[str]:
        """Which of the large modules are among them."""
        return set(LARGE) & set(self.names)


def run(*lines: tuple[object, ...]) -> list[Imported]:
    """What each of some commands has imported that one process runs, one after the other."""
    words = repr([list(map(str, line)) for line in lines])
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-c", LOADED, words],
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=True, env=environment,
    )  # fmt: skip
    told = [line.split() for line in done.stdout.splitlines()]
    return [Imported(int(code), names) for code, *names in told]


@cache
def of_tables() -> dict[str, Imported]:
    """Commands that print a table, a plain fit first."""
    lines = {
        "fit": ("fit", HOUSING, "--target", "price"),
        "fit --by": ("fit", HOUSING, "-t", "price", "--by", "type"),
        "sweep": ("sweep", HOUSING, "-t", "price"),
    }
    return dict(zip(lines, run(*lines.values()), strict=True))


@pytest.mark.parametrize("command", ["fit", "fit --by", "sweep"])
def test_a_command_on_a_small_file_needs_no_pandas(command):
    found = of_tables()[command]
    assert (found.code, found.large - {"rich"}) == (0, {"numpy"})


def test_what_writes_no_table_of_a_small_file_needs_no_pandas_nor_rich_and_a_score_no_pandas(tmp_path):
    rows = [{"x": i, "kind": "ab"[i % 2], "y": 3 * i + i % 2} for i in range(20)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = tmp_path / "model.json"
    *found, score = run(
        (HOUSING, "-t", "price", "-q", "--save", model),
        *((HOUSING, "-t", "price", "--format", form) for form in ("json", "csv", "tsv")),
        ("predict", model, HOUSING),
        (tmp_path / "rows.jsonl", "-t", "y", "--format", "json"),
        ("score", model, HOUSING),
    )
    assert [(each.code, each.large) for each in found] == [(0, {"numpy"})] * 6
    assert (score.code, score.large - {"rich"}) == (0, {"numpy"})


def test_a_large_file_of_odd_cells_and_many_small_ones_are_worth_pandas_and_one_of_digits_is_not(tmp_path):
    plain = "x,y\n" + "".join(f"{i},{i * i % 1000}.25\n" for i in range(120_000))
    (tmp_path / "plain.csv").write_text(plain)
    odd = plain.replace(".25\n", "e-1\n").replace(",", "e-3,").replace("xe-3,", "x,")
    (tmp_path / "odd.csv").write_text(odd)
    small = odd[: 1 << 18].rpartition("\n")[0]
    for number in range(5):
        (tmp_path / f"{number}.csv").write_text(small)
    files = [tmp_path / f"{number}.csv" for number in range(5)]
    lines = [[tmp_path / "plain.csv"], files[:2], files]
    *without, many = run(*((*each, "-t", "y", "-q") for each in lines))
    assert ["pandas" in each.names for each in (*without, many)] == [False, False, True]
    assert "pandas" in run((tmp_path / "odd.csv", "-t", "y", "-q"))[0].names


# What only some fits need, by what asks for it.
UNUSED = {
    "--cv, --holdout and --test": "gdcli.fitting.lanes gdcli.fitting.folds gdcli.engine.mixing",
    "--by": "gdcli.fitting.groups gdcli.ingest.grouped gdcli.report.groups",
    "--resume and --save": "gdcli.models gdcli.fitting.start",
    "--optimizer momentum": "gdcli.engine.momentum gdcli.engine.recurrence",
    "--lr search": "gdcli.engine.line_search",
    "--loss and --batch-size": "gdcli.ingest.kept_rows gdcli.ingest.row_store gdcli.fitting.row_problem mmap tempfile",
    "--inference": "gdcli.report.certainty scipy",
    "--formula and expressions": "gdcli.data.expressions.parser gdcli.data.expressions.values",
    "--plot and --chart": "gdcli.report.plots gdcli.report.chart matplotlib plotext",
    "--format json": "gdcli.report.fit_document gdcli.base.schema json",
    "--dask": "gdcli.ingest.remote gdcli.ingest.connection gdcli.data.csv.ranges dask distributed",
    "files to write": "gdcli.base.atomic",
    "summaries": "gdcli.ingest.summary gdcli.ingest.stored_summary",
    "large files": "gdcli.data.csv.fast pandas",
    "compressed files and URLs": "gdcli.data.ahead zstandard bz2 lzma fsspec urllib.parse",
    "Parquet and JSON": "gdcli.data.parquet.source gdcli.data.jsonl.source pyarrow",
    "nothing": "dataclasses pathlib numpy.typing decimal importlib.metadata",
}


@pytest.mark.parametrize("what", UNUSED)
def test_a_plain_fit_does_not_import_what_it_was_not_asked_for(what):
    found = of_tables()["fit"]
    assert (found.code, set(UNUSED[what].split()) & set(found.names)) == (0, set())


def test_what_needs_no_data_imports_no_room_that_reads_or_computes():
    for found in run(("--version",), ("--help",), ("help", "losses"), ("completion", "bash")):
        rooms = {name.split(".")[1] for name in found.names if name.startswith("gdcli.")}
        assert (found.code, rooms - {"base", "cli", "engine", "report"}) == (0, set())
        assert {name for name in found.names if name.startswith("gdcli.engine.")} <= {"gdcli.engine.catalog"}
