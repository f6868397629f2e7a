"""The examples of README.md and of the topics: each command in a ``console`` block with what stands under it.

``python tests/docs.py --record [NAME…]`` runs them and writes what they print into the pages (``README``, or topics);
the diff is then the review.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOPICS = ROOT / "gdcli" / "cli" / "topics"
PAGES = {"README": ROOT / "README.md"} | {path.stem: path for path in sorted(TOPICS.glob("*.md"))}
BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
PROGRAMS = {"mlr": "Miller (mlr)", "jq": "jq"}


def examples(page: Path) -> list[tuple[str, str]]:
    """The (command, expected output) of each example of a page."""
    return [example for block in BLOCK.findall(page.read_text(encoding="utf-8")) for example in examples_of(block)]


def examples_of(block: str) -> list[tuple[str, str]]:
    """The (command, expected output) of each example of a block."""
    parts = [part.partition("\n") for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(command, output) for command, _, output in parts]


def folder_for(name: str, parent: Path) -> Path:
    """A folder to run a page's examples in: like the clone's root for README, the sample data for a topic."""
    shutil.copytree(ROOT / "sample_data", parent / "sample_data")
    return parent if name == "README" else parent / "sample_data"


def lacking(command: str) -> str | None:
    """A program that the command needs and that is not installed."""
    for program, name in PROGRAMS.items():
        if re.search(rf"\b{program}\b", command) and shutil.which(program) is None:
            return name
    return None


def printed(command: str, folder: Path, programs: Path) -> str:
    """What a command prints, stdout and stderr, without blanks at the ends of lines; ``programs`` has gdfit."""
    path = f"{programs}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "80", "LC_ALL": "C.UTF-8"}
    environment = {name: value for name, value in environment.items() if not name.startswith("GDFIT_")}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return trimmed(done.stdout)


def trimmed(text: str) -> str:
    """A text without blanks at the ends of its lines."""
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def record(name: str) -> None:
    """Run a page's examples and write what they print into it."""
    with tempfile.TemporaryDirectory() as parent:
        folder, programs = folder_for(name, Path(parent)), Path(sys.executable).parent

        def rerun(block: re.Match[str]) -> str:
            found = "".join(
                f"$ {command}\n{printed(command, folder, programs)}" for command, _ in examples_of(block[1])
            )
            return f"```console\n{found}```"

        page = PAGES[name]
        page.write_text(BLOCK.sub(rerun, page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] != ["--record"]:
        sys.exit(__doc__)
    for one in sys.argv[2:] or PAGES:
        record(one)
