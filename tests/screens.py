"""What people see of each command on a terminal, in plain text, as somebody has looked at it.

``python tests/screens.py --record [NAME…]`` writes tests/report/screens anew: the diff is then the review.
"""

import os
import pty
import shutil
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCREENS = ROOT / "tests" / "report" / "screens"
WIDTH = 80

# The width and the locale if they are not the usual ones.
NARROW, WIDE, ASCII = {"COLUMNS": "40"}, {"COLUMNS": "120"}, {"LC_ALL": "C"}

LINES: dict[str, tuple[str, dict[str, str]]] = {
    "one-feature": ("housing.csv --target price -x sqft --lr 0.1 -n 20 --every 5", {}),
    "one-feature-narrow": ("housing.csv --target price -x sqft --lr 0.1 -n 20 --every 5", NARROW),
    "several-features": ("housing.csv --target price --lr 0.01", {}),
    "several-features-narrow": ("housing.csv --target price --lr 0.01", NARROW),
    "several-features-wide": ("housing.csv --target price --lr 0.01", WIDE),
    "several-features-ascii": ("housing.csv --target price --lr 0.01", ASCII),
    "alike": ("housing.csv -t price -x sqft --lr auto", {}),
    "not-there": ("housing.csv -t price --lr 0.01 -n 3", {}),
    "diverged": ("housing.csv -t price -x sqft --lr 1.2", {}),
    "diverged-ascii": ("housing.csv -t price -x sqft --lr 1.2", ASCII),
    "unstable": ("housing.csv -t price -x sqft --lr 1.2 -n 3", {}),
    "three-digits": ("housing.csv -t price --lr auto -n 20 --digits 3", {}),
    "unscaled": ("housing.csv -t price --scale none --lr 1e-8 -n 5", {}),
    "no-intercept": ("housing.csv -t price --no-intercept --weights beds --lr auto -n 50", {}),
    "momentum": ("housing.csv -t price --optimizer momentum --lr auto -n 100", {}),
    "adam": ("housing.csv -t price --optimizer adam -n 50 --lr 0.1", {}),
    "schedule": ("housing.csv -t price --schedule cosine --lr 0.3 -n 50", {}),
    "inference": ("housing.csv -t price -x sqft --lr auto -n 3 --inference", {}),
    "inference-far": ("housing.csv -t price --inference", {}),
    "inference-wide": ("housing.csv -t price --inference", {"COLUMNS": "140"}),
    "logistic": ("penguins.csv -t sex -x bill_length_mm -x body_mass_g --loss logistic", {}),
    "logistic-one": ("penguins.csv -t sex -x body_mass_g --loss logistic --lr auto -n 50", {}),
    "huber": ("housing.csv -t price --loss huber --lr auto", {}),
    "poisson": ("housing.csv -t beds -x sqft --loss poisson --lr search -n 30", {}),
    "gamma": ("housing.csv -t price -x sqft -x beds --loss gamma --optimizer newton -n 30", {}),
    "quantile": ("housing.csv -t price -x sqft -x beds --loss quantile:0.9 --lr 0.1 -n 50", {}),
    "batches": ("housing.csv -t price --batch-size 64 --epochs 5 --schedule cosine --lr 0.1", {}),
    "holdout": ("housing.csv -t price --holdout 0.2 --lr auto -n 30", {}),
    "patience": ("penguins.csv -t body_mass_g --holdout 0.4 --patience 3 --lr 0.1", {}),
    "folds": ("housing.csv -t price --cv 5 --lr auto -n 50", {}),
    "penalties": ("housing.csv -t price --cv 5 --l2 0.01 --l2 0.1 --l2 1 --lr auto -n 50", {}),
    "lasso": ("housing.csv -t price --l1 0.05 --lr 0.1 -n 100", {}),
    "explain": ("housing.csv -t price -x sqft --explain -n 1 --lr 0.1", {}),
    "chart": ("housing.csv -t price -x sqft --lr 0.1 -n 20 --every 10 --chart", {}),
    "missing": ("penguins.csv -t body_mass_g -x bill_length_mm -x sex --lr auto -n 10", {}),
    "sweep": ("sweep housing.csv -t price", {}),
    "sweep-one-feature": ("sweep housing.csv -t price -x sqft", {}),
    "sweep-narrow": ("sweep housing.csv -t price", NARROW),
    "sweep-lasso": ("sweep housing.csv -t price --l1 0.05 --lr 0.01 --lr 0.1 --lr 0.6 -n 100", {}),
    "by": ("housing.csv -t price --by type -x sqft -x beds --lr 0.02 -n 200", {}),
    "by-narrow": ("housing.csv -t price --by type -x sqft -x beds --lr 0.02 -n 200", NARROW),
    "by-diverged": ("housing.csv -t price --by type -x sqft --lr 1.2 -n 50", {}),
    "by-every": ("housing.csv -t price --by type -x sqft -x beds --lr auto -n 20 --every 10", {}),
    "by-every-narrow": ("housing.csv -t price --by type -x sqft -x beds --lr auto -n 20 --every 10", NARROW),
    "by-explain": ("housing.csv -t price --by type -x sqft -n 1 --explain", {}),
    "by-tested": ("housing.csv -t price --by type -x sqft --lr auto --test recent.csv", {}),
    "sweep-by": ("sweep housing.csv -t price -x sqft --by type --lr 0.01 --lr 0.1 --lr 1.2 -n 100", {}),
    "curve": ("curve --poly 0,0,1 --start 10 --lr 0.1 --lr 0.4 --lr 2 -n 5", {}),
    "curve-two-minima": ("curve --poly 1,-1,-3,0,1 --start 2 --lr 0.05 -n 20", {}),
    "describe": ("describe penguins.csv", {}),
    "summarize": ("summarize housing.csv -o all.json", {}),
    "summarize-narrow": ("summarize housing.csv -o all.json", NARROW),
    "summarize-missing": ("summarize penguins.csv --missing mean -o birds.json", {}),
    "summarize-dropped": ("summarize penguins.csv -o birds.json", {}),
    "score": ("score model.json housing.csv", {}),
    "score-narrow": ("score model.json housing.csv", NARROW),
    "score-classes": ("score classes.json penguins.csv", {}),
    "scores": ("score model.json other.json housing.csv", {}),
}

# What has to be there before.
BEFORE = (
    "housing.csv -t price --lr auto -q --save model.json",
    "housing.csv -t price -x sqft --lr auto -q --save other.json",
    "penguins.csv -t sex -x body_mass_g --loss logistic --lr auto -n 50 -q --save classes.json",
)


def read_to_end(screen: int) -> bytes:
    """All bytes of a pseudo-terminal, until its other end is closed."""
    found = b""
    while True:
        try:
            piece = os.read(screen, 65536)
        except OSError:  # what Linux says when the other end is closed
            return found
        if not piece:
            return found
        found += piece


def prepare(folder: Path) -> None:
    """Put the sample data into a folder."""
    for name in ("housing.csv", "penguins.csv"):
        shutil.copy(ROOT / "sample_data" / name, folder)
    header, *rows = (folder / "housing.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "recent.csv").write_text("".join([header, *rows[-40:]]), encoding="utf-8")


def environment_of(name: str) -> dict[str, str]:
    """What a screen is drawn with."""
    return {"NO_COLOR": "1", "COLUMNS": str(WIDTH), "LC_ALL": "C.UTF-8", "TERM": "dumb"} | LINES[name][1]


def draw(words: list[str], folder: Path, environment: dict[str, str]) -> str:
    """What gdfit writes on a terminal, stdout and stderr."""
    outer, inner = pty.openpty()
    attributes = termios.tcgetattr(inner)
    attributes[1] &= ~termios.OPOST  # line ends as they are written
    termios.tcsetattr(inner, termios.TCSANOW, attributes)
    process = subprocess.Popen(
        [sys.executable, "-m", "gdcli", *words], cwd=folder, stdin=inner, stdout=inner, stderr=inner,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    os.close(inner)
    screen = read_to_end(outer)
    process.wait()
    os.close(outer)
    return screen.decode()


def record(names: list[str]) -> None:
    """Write what the commands show."""
    SCREENS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        for line in BEFORE:
            draw(line.split(), folder, {})
        for one in names:
            text = draw(LINES[one][0].split(), folder, environment_of(one))
            (SCREENS / f"{one}.txt").write_text(f"$ gdfit {LINES[one][0]}\n{text}", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] != ["--record"]:
        sys.exit(__doc__)
    record(sys.argv[2:] or list(LINES))
