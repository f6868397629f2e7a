"""What each command imports, and how long that takes: `python -X importtime`, of each module the least of some runs."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HOUSING = "sample_data/housing.csv"

MODEL = ".bench/housing.model.json"

COMMANDS = {
    "--version": ["--version"],
    "--help": ["--help"],
    "fit": ["fit", HOUSING, "-t", "price"],
    "fit --format json": ["fit", HOUSING, "-t", "price", "--format", "json"],
    "sweep": ["sweep", HOUSING, "-t", "price"],
    "predict": ["predict", MODEL, HOUSING],
    "score": ["score", MODEL, HOUSING],
    "summarize": ["summarize", HOUSING],
    "describe": ["describe", HOUSING],
    "curve": ["curve", "--poly", "0,0,1"],
    "completion of a column": [HOUSING, "--target", "p"],
}

# What makes gdfit complete the words typed, in place of running them.
COMPLETING = {"completion of a column": {"_GDFIT_COMPLETE": "zsh"}}

PACKAGES = ("gdcli", "numpy", "click", "rich", "pandas")

RUNS = 7

# Milliseconds of gdfit's own modules that a command may take.
AIMS = {"fit": 15.0}

_LINE = re.compile(r"import time: +(\d+) \| +\d+ \| +(\S+)")


class Imports(NamedTuple):
    """Milliseconds of importing by package ("" for others), and the number of gdfit's own modules."""

    times: dict[str, float]
    modules: int


def imports_of_commands(root: Path) -> dict[str, Imports]:
    """The imports of each command."""
    save = ["fit", HOUSING, "-t", "price", "-q", "--save", MODEL]
    subprocess.run([sys.executable, "-m", "gdcli", *save], cwd=root, check=True, capture_output=True)
    found: dict[str, dict[str, float]] = {name: {} for name in COMMANDS}
    for _ in range(RUNS):
        for name, args in COMMANDS.items():
            least = found[name]
            for module, time in _run(args, COMPLETING.get(name, {}), root).items():
                least[module] = min(time, least.get(module, time))
    return {name: _by_package(times) for name, times in found.items()}


def _by_package(modules: dict[str, float]) -> Imports:
    times = dict.fromkeys((*PACKAGES, ""), 0.0)
    for module, time in modules.items():
        package = module.partition(".")[0]
        times[package if package in PACKAGES else ""] += time
    return Imports(times, sum(module.partition(".")[0] == "gdcli" for module in modules))


def imports_table(found: dict[str, Imports]) -> str:
    """Milliseconds by package for each command, as Markdown."""
    aims = ", ".join(f"{name}: at most {aim:g}" for name, aim in AIMS.items())
    lines = [
        f"### Milliseconds of importing, by package (gdcli in a {aims})",
        "",
        f"| command | {' | '.join(PACKAGES)} | others | modules of gdcli |",
        f"|---|{'---:|' * (len(PACKAGES) + 2)}",
    ]
    for name, (times, modules) in found.items():
        lines.append(f"| `gdfit {name}` | {' | '.join(f'{each:.1f}' for each in times.values())} | {modules} |")
    return "\n".join(lines) + "\n"


def _run(args: list[str], variables: dict[str, str], root: Path) -> dict[str, float]:
    """The milliseconds of each module in one run, which reads gdfit's bytecode, as of an installed gdfit."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GDFIT_"))}
    command = [sys.executable, "-X", "importtime", "-m", "gdcli", *args]
    done = subprocess.run(
        command,
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
        env=environment | variables,
    )
    return {module: int(microseconds) / 1000 for microseconds, module in _LINE.findall(done.stderr)}


if __name__ == "__main__":
    print(imports_table(imports_of_commands(Path(__file__).resolve().parents[2])))
