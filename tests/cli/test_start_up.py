"""What a command imports: importing pandas takes as long as reading a megabyte of text without it."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOUSING = ROOT / "sample_data" / "housing.csv"

LOADED = """
import sys
before = set(sys.modules)
from gdcli.cli import main
code = main()
print(code, *(name for name, module in sys.modules.items() if module and name not in before), file=sys.stderr)
"""

LARGE = ("numpy", "pandas", "pyarrow", "rich")


@cache
def modules(*args: object) -> list[str]:
    """The exit code of a command, and all modules that it has imported at its end."""
    command = [sys.executable, "-c", LOADED, *map(str, args)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False, env=environment)
    return done.stderr.splitlines()[-1].split()


def loaded(*args: object) -> list[str]:
    """The exit code of a command, and which large modules it has imported at its end."""
    code, *names = modules(*args)
    return [code, *(name for name in LARGE if name in names)]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("start") / "model.json"
    assert loaded(HOUSING, "-t", "price", "-q", "--save", path) == ["0", "numpy"]
    return path


@pytest.mark.parametrize(
    "args",
    [
        ("fit", HOUSING, "-t", "price"),
        ("fit", HOUSING, "-t", "price", "--by", "type"),
        ("sweep", HOUSING, "-t", "price"),
    ],
)
def test_a_command_on_a_small_file_needs_no_pandas(args):
    assert {*loaded(*args)} - {"rich"} == {"0", "numpy"}


def test_predicting_a_small_file_needs_no_pandas_nor_rich(model):
    assert loaded("predict", model, HOUSING) == ["0", "numpy"]


def test_scoring_a_small_file_needs_no_pandas(model):
    assert {*loaded("score", model, HOUSING)} - {"rich"} == {"0", "numpy"}


@pytest.mark.parametrize("form", ["json", "csv", "tsv"])
def test_only_a_table_needs_rich(form):
    assert loaded(HOUSING, "-t", "price", "--format", form) == ["0", "numpy"]


def test_a_small_file_of_json_lines_needs_no_pandas(tmp_path):
    rows = [{"x": i, "kind": "ab"[i % 2], "y": 3 * i + i % 2} for i in range(20)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert loaded(tmp_path / "rows.jsonl", "-t", "y", "--format", "json") == ["0", "numpy"]


def test_a_large_file_and_many_small_ones_are_worth_pandas(tmp_path):
    large = "x,y\n" + "".join(f"{i},{i * i % 1000}.25\n" for i in range(120_000))
    (tmp_path / "large.csv").write_text(large)
    assert "pandas" in loaded(tmp_path / "large.csv", "-t", "y", "-q")
    small = large[: 1 << 18].rpartition("\n")[0]
    for number in range(5):
        (tmp_path / f"{number}.csv").write_text(small)
    files = [tmp_path / f"{number}.csv" for number in range(5)]
    assert "pandas" not in loaded(*files[:2], "-t", "y", "-q")
    assert "pandas" in loaded(*files, "-t", "y", "-q")


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
    code, *names = modules("fit", HOUSING, "--target", "price")
    assert (code, set(UNUSED[what].split()) & set(names)) == ("0", set())


@pytest.mark.parametrize("args", [("--version",), ("--help",), ("help", "losses"), ("completion", "bash")])
def test_what_needs_no_data_imports_no_room_that_reads_or_computes(args):
    code, *names = modules(*args)
    rooms = {name.split(".")[1] for name in names if name.startswith("gdcli.")}
    assert (code, rooms - {"base", "cli", "engine", "report"}) == ("0", set())
    assert {name for name in names if name.startswith("gdcli.engine.")} <= {"gdcli.engine.catalog"}
