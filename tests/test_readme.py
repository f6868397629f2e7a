"""The README's examples are true: each command in a `console` block prints what stands under it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"^```console\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def examples() -> list[tuple[str, str]]:
    """Return (command, expected output) of each example."""
    found = []
    for block in BLOCKS:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sample data, as later examples use the files that earlier ones write."""
    path = tmp_path_factory.mktemp("readme") / "sample_data"
    shutil.copytree(ROOT / "sample_data", path)
    return path


@pytest.mark.parametrize(("command", "expected"), examples(), ids=[command for command, _ in examples()])
def test_an_example_prints_what_the_readme_says(command: str, expected: str, folder: Path) -> None:
    for program, name in {"mlr": "Miller (mlr)", "jq": "jq"}.items():
        if re.search(rf"\b{program}\b", command) and shutil.which(program) is None:
            pytest.skip(f"{name} is not installed")
    bin_folder = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "COLUMNS": "80", "LC_ALL": "C.UTF-8"}
    environment = {name: value for name, value in environment.items() if not name.startswith("GDFIT_")}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert NUMBER.sub("#", _trimmed(done.stdout)) == NUMBER.sub("#", _trimmed(expected)), done.stdout
    # Numbers in full agree between machines to about twelve digits.
    found = [float(number) for number in NUMBER.findall(done.stdout)]
    assert found == pytest.approx([float(number) for number in NUMBER.findall(expected)], rel=1e-9, abs=1e-9)


def test_there_are_examples() -> None:
    assert len(examples()) >= 8


def _trimmed(text: str) -> str:
    return "".join(line.rstrip() + "\n" for line in text.splitlines())
