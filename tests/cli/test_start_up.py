"""What a command imports: importing pandas takes as long as reading a megabyte of text without it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOUSING = ROOT / "sample_data" / "housing.csv"

LOADED = """
import sys
from gdcli.cli import main
code = main()
print(code, *(name for name in ("numpy", "pandas", "pyarrow", "rich") if sys.modules.get(name)), file=sys.stderr)
"""


def loaded(*args: object) -> list[str]:
    """The exit code of a command, and which large modules it has imported at its end."""
    command = [sys.executable, "-c", LOADED, *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    return done.stderr.splitlines()[-1].split()


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
