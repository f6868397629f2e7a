"""Whatever happens at whatever moment, a file that gdfit writes is the old one or the new one, whole."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

MOMENTS = Path(__file__).with_name("moments.py")
ROOT = MOMENTS.parents[2]
OLD = "old\n"
CODES = {"SIGKILL": -9, "SIGINT": 130, "SIGTERM": 143, "ENOSPC": 1}
FIT = ("points.csv", "-t", "y", "-n", "20", "--jobs", "1")
NAMED = ("-o", "result.json", "--save", "model.json", "--trace", "trace.csv")
COMMANDS = {
    "fit": ("result.json,model.json,trace.csv", *FIT, "--format", "json", *NAMED),
    "plot": ("plot.svg", "curve", "--poly", "0,0,1", "-n", "5", "--plot", "plot.svg"),
    "summarize": ("summary.json", "summarize", "points.csv", "-o", "summary.json"),
    "predict": ("predicted.csv", "predict", "saved.json", "points.csv", "-o", "predicted.csv"),
}


def is_whole(name: str, text: str | None, new: str) -> bool:
    """Whether a file is the old one, the new one, or what an interrupted descent rightly leaves."""
    if text in (OLD, new):
        return True
    if text is None:
        return False
    if name == "trace.csv":  # the iterations up to the interruption
        return text.endswith("\n") and new.startswith(text)
    return name == "result.json" and json.loads(text)["descent"]["stopped"] == "interrupted"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_file_is_the_old_or_the_new_one_at_every_moment(program, points, command):
    listed, *words = COMMANDS[command]
    folder = points.parent
    # A picture takes long to draw, and is written as the others are: one fault is enough.
    faults = ["SIGTERM"] if command == "plot" else ["SIGKILL", "SIGINT/SIGTERM", "ENOSPC"]
    if command == "predict":
        assert program(*FIT, "--save", "saved.json", "-q").code == 0
    done = subprocess.run(
        [sys.executable, str(MOMENTS), ",".join(faults), str(folder), listed, *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "SOURCE_DATE_EPOCH": "0"},
        timeout=300,
    )
    assert done.stderr == ""
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"faults"')]
    for fault in faults:
        *runs, last = [one for one in told if one["faults"] == fault]
        assert (last["code"], last["rest"], last["fault"]) == (0, [], None)
        assert OLD not in last["files"].values()
        assert len(runs) >= 4 * len(last["files"])
        for one in runs:
            assert one["code"] == CODES.get(one["fault"], 0)
            for name, text in one["files"].items():
                assert is_whole(name, text, last["files"][name]), (fault, name, text)
            if one["fault"] != "SIGKILL":  # the run after a kill cleans up
                assert one["rest"] == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(mount, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("no file system may be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


WRITES = [["-n", "5000", "--trace", "disk/trace.csv"], ["-n", "3000", "--every", "1", "-o", "disk/result.txt"]]


@pytest.mark.parametrize("words", WRITES)
def test_a_disk_that_fills_up_keeps_the_old_file_and_no_other(program, points, small_disk, words):
    target = points.parent / words[-1]
    target.write_text(OLD)
    done = program("points.csv", "-t", "y", "-q", *words)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"Error: cannot write '{words[-1]}': no space left on device\n"
    assert target.read_text() == OLD
    assert os.listdir(small_disk) == [target.name]


@pytest.mark.parametrize("option", ["-o", "--save", "--trace", "--plot"])
def test_a_disk_that_is_read_only_is_refused_before_the_work(program, points, small_disk, option):
    name = {"--plot": "disk/a.svg", "--trace": "disk/a.csv"}.get(option, "disk/a")
    (points.parent / name).write_text(OLD)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True, capture_output=True)
    done = program("points.csv", "-t", "y", "-q", option, name)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"Error: cannot write '{name}': ")
    assert done.err.count("\n") == 1
    assert (points.parent / name).read_text() == OLD
    assert os.listdir(small_disk) == [Path(name).name]
