"""The examples of each command's help, run as they stand."""

import gzip
import os
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from gdcli.cli.group import COMMANDS, group

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = [line for name in COMMANDS for line, _ in group.get_command(None, name).examples]

PROGRAMS = {"jq": "jq", "mlr": "Miller (mlr)", "sqlite3": "sqlite3", "zsh": "zsh"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, forked):
    """The files that the examples name."""
    folder = tmp_path_factory.mktemp("examples")
    housing = (ROOT / "sample_data" / "housing.csv").read_text()
    for name in ("housing", "tomorrow", "today", "homes", "new"):
        (folder / f"{name}.csv").write_text(housing)
    (folder / "new.csv.gz").write_bytes(gzip.compress(housing.encode()))
    sales = "amount,size,price\n" + "".join(f"{i * 7 % 13},{i},{3 * i + i % 3}\n" for i in range(40))
    (folder / "sales.csv").write_text(sales)
    (folder / "sales.csv.gz").write_bytes(gzip.compress(sales.encode()))
    pd.read_csv(ROOT / "sample_data" / "penguins.csv").to_parquet(folder / "data.parquet")
    (folder / "home" / ".config" / "fish" / "completions").mkdir(parents=True)
    programs = folder / "programs"
    programs.mkdir()
    (programs / "mail").write_text("#!/bin/sh\ncat > /dev/null\n")
    (programs / "mail").chmod(0o755)
    if shutil.which("sqlite3"):
        subprocess.run(["sqlite3", "sales.db", ".import --csv homes.csv text", _TYPED], cwd=folder, check=True)
    for line in (
        "gdfit housing.csv -t price --lr auto --save model.json -q",
        "gdfit housing.csv -t price -x sqft --lr auto --save old.json -q",
        "gdfit housing.csv -t price --loss huber --lr auto --save new.json -q",
        "gdfit summarize new.csv -o q.summary.json -q",
    ):
        assert run(line, folder, forked).returncode == 0
    return folder


_TYPED = """CREATE TABLE homes AS SELECT CAST(price AS REAL) price, CAST(sqft AS REAL) sqft, CAST(beds AS REAL) beds,
    CAST(baths AS REAL) baths, type, CAST(latitude AS REAL) latitude, CAST(longitude AS REAL) longitude FROM text"""


def run(line, folder, forked):
    path = f"{forked}:{folder / 'programs'}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HOME": str(folder / "home"), "LC_ALL": "C.UTF-8", "COLUMNS": "100"}
    shell = ["bash", "-c", f"set -o pipefail\n{line}"]
    if "completion zsh" in line:
        shell = ["zsh", "-f", "-c", f"autoload -Uz compinit && compinit -u -D && {line}"]
    return subprocess.run(
        shell, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_of_the_help_runs(line, folder, forked):
    for program, name in PROGRAMS.items():
        if re.search(rf"\b{program}\b", line) and shutil.which(program) is None:
            pytest.skip(f"{name} is not installed")
    done = run(line, folder, forked)
    # What follows || is there for the day when a demand is not met.
    assert (done.returncode, "Error" in done.stderr) == (0, "||" in line), done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_names_it(name):
    examples = group.get_command(None, name).examples
    assert examples
    assert any(f"gdfit {name} " in line or name == "fit" for line, _ in examples)
