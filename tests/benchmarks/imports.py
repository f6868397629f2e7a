"""What each command imports, and how long that takes: `python -X importtime`, the least of some runs."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

HOUSING = "sample_data/housing.csv"

COMMANDS = {
    "--help": ["--help"],
    "fit": ["fit", HOUSING, "-t", "price"],
    "fit --format json": ["fit", HOUSING, "-t", "price", "--format", "json"],
    "sweep": ["sweep", HOUSING, "-t", "price"],
    "summarize": ["summarize", HOUSING],
    "describe": ["describe", HOUSING],
    "curve": ["curve", "--poly", "0,0,1"],
}

PACKAGES = ("gdcli", "numpy", "click", "rich", "pandas")

RUNS = 7

# Milliseconds of gdfit's own modules that a fit may take.
AIM = 15.0

_LINE = re.compile(r"import time: +(\d+) \| +\d+ \| +(\S+)")


def imports_table(root: Path) -> str:
    """Milliseconds by package for each command, as Markdown."""
    lines = [
        f"### Milliseconds of importing, by package (gdcli in a fit: at most {AIM:g})",
        "",
        f"| command | {' | '.join(PACKAGES)} | others | modules of gdcli |",
        f"|---|{'---:|' * (len(PACKAGES) + 2)}",
    ]
    for name, args in COMMANDS.items():
        runs = [_run(args, root) for _ in range(RUNS)]
        times = [min(run[package] for run, _ in runs) for package in (*PACKAGES, "")]
        lines.append(f"| `gdfit {name}` | {' | '.join(f'{each:.1f}' for each in times)} | {runs[0][1]} |")
    return "\n".join(lines) + "\n"


def _run(args: list[str], root: Path) -> tuple[Counter[str], int]:
    """Milliseconds by package ("" for others) of one run, and the number of gdfit's own modules."""
    command = [sys.executable, "-X", "importtime", "-m", "gdcli", *args]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    times: Counter[str] = Counter()
    ours = 0
    for microseconds, module in _LINE.findall(done.stderr):
        package = module.partition(".")[0]
        times[package if package in PACKAGES else ""] += int(microseconds) / 1000
        ours += package == "gdcli"
    return times, ours


if __name__ == "__main__":
    print(imports_table(Path(__file__).resolve().parents[2]))
