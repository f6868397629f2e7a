"""The limits that hold for every test do hold: memory, files, time, and no process left behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.guards import LARGEST_FILE, MOST_MEMORY

ROOT = Path(__file__).resolve().parents[1]


def pytest_on(folder: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a test with the guards of this suite, in a process of its own."""
    (folder / "conftest.py").write_text("from tests.guards import no_orphans, set_limits\nset_limits()\n")
    (folder / "test_planted.py").write_text(test)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", folder, *options, folder],
        capture_output=True, text=True, cwd=folder, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


ORPHAN = """
import subprocess
from tests import guards

guards.SECONDS_TO_END = 0.1

def test_it():
    # Its parent ends at once: it is nobody's child but this process's.
    subprocess.run(["sh", "-c", "sleep 300 & echo $! > process"], check=True)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="there is no /proc to look at")
def test_a_test_fails_that_leaves_a_process_running_and_the_process_is_ended(tmp_path: Path) -> None:
    done = pytest_on(tmp_path, ORPHAN)
    assert done.returncode == 1, done.stdout
    assert "left running: ['sleep 300']" in done.stdout
    left = Path("/proc", (tmp_path / "process").read_text().strip())
    assert not left.exists() or "Z" in (left / "stat").read_text().rpartition(")")[2].split()


def test_a_test_that_hangs_is_ended_and_named(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    assert float(pytestconfig.getini("timeout")) == 120
    began = time.monotonic()
    done = pytest_on(tmp_path, "import time\ndef test_it():\n    time.sleep(50)\n", "-o", "timeout=0.5")
    assert done.returncode == 1, done.stdout
    assert "test_planted.py::test_it - Failed: Timeout" in done.stdout
    assert time.monotonic() - began < 40


def test_what_a_test_starts_gets_no_more_memory_than_the_limit_nor_larger_files(tmp_path: Path) -> None:
    code = f"""
import os
for what, amount in (("bytes", {MOST_MEMORY}), ("a file", {LARGEST_FILE} + 1)):
    try:
        bytearray(amount) if what == "bytes" else os.truncate(os.open("a", os.O_RDWR | os.O_CREAT), amount)
    except (MemoryError, OSError) as error:
        print(what, type(error).__name__)
"""
    settings = {"cwd": tmp_path, "capture_output": True, "text": True, "check": True}
    # Python has the signal about a file that is too large ignored.
    done = subprocess.run([sys.executable, "-c", code], **settings)
    assert done.stdout == "bytes MemoryError\na file OSError\n"
