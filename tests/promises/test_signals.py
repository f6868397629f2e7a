"""Ctrl-C and SIGTERM end gdfit with 130 and 143, and leave nothing half-written."""

import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from gdcli.base.errors import Interrupted
from gdcli.cli import signals
from tests.processes import environment

SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def half_written(folder):
    return [name for name in os.listdir(folder) if name.endswith(".gdfit-tmp")]


def descends(folder):
    """Whether the trace, a temporary file as yet, has grown."""
    return any(os.path.getsize(os.path.join(folder, name)) for name in half_written(folder))


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_while_reading_nothing_is_written(started, tmp_path, number, code):
    process = started(tmp_path, "-t", "y", "--trace", "trace.csv", "-o", "result", stdin=subprocess.PIPE)
    process.stdin.write("x,y\n1,2\n")
    process.stdin.flush()
    wait_for(lambda: half_written(tmp_path))
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (code, "", "Interrupted.\n")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_while_descending_the_result_so_far_is_written(started, points, number, code):
    folder = points.parent
    args = ["points.csv", "-t", "y", "-n", "1000000000", "--trace", "trace.csv", "--format", "json"]
    process = started(folder, *args, scratch=number == signal.SIGINT)
    wait_for(lambda: descends(folder))
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    found = json.loads(out)
    assert found["descent"]["stopped"] == "interrupted"
    reached = f"note: --trace trace.csv has the iterations up to {found['descent']['iterations']:,}, where the descent"
    assert (process.returncode, err) == (code, f"{reached} was interrupted\nInterrupted.\n")
    rows = list(csv.reader(io.StringIO((folder / "trace.csv").read_text())))
    assert int(rows[-1][0]) == found["descent"]["iterations"] == len(rows) - 2
    assert sorted(os.listdir(folder)) == ["points.csv", "trace.csv"]


def test_while_descending_the_table_says_that_it_was_interrupted(started, points):
    process = started(points.parent, "points.csv", "-t", "y", "-n", "1000000000", "--trace", "trace.csv")
    wait_for(lambda: descends(points.parent))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("where the descent was interrupted\nInterrupted.\n")
    assert "Interrupted" in out
    assert "(intercept)" in out


def processes_of(process):
    """The processes that a process has started, and those have."""
    children = []
    for thread in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{thread}/children") as stream:
            children += [int(child) for child in stream.read().split()]
    return children + [other for child in children for other in processes_of(child)]


def is_running(process):
    try:
        with open(f"/proc/{process}/stat") as stream:
            return stream.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="there is no /proc to look at")
def test_workers_started_for_the_while_end_too(started, points):
    pytest.importorskip("distributed", reason="Dask is not installed")
    process = started(
        points.parent, "points.csv", "-t", "y", "--loss", "huber", "-n", "1000000", "--dask", "local:1", scratch=True
    )
    assert process.stderr.readline().startswith("note: huber")  # the workers have the rows
    others = processes_of(process.pid)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "Interrupted.\n")
    assert len(others) >= 2  # the worker, and Python's own that watches what is shared
    wait_for(lambda: not any(map(is_running, others)))


def test_while_starting_there_is_no_traceback(started, points):
    for delay in (0.05, 0.1, 0.15, 0.2, 0.3, 0.4):
        process = started(points.parent, "points.csv", "-t", "y", "-n", "1000000000", scratch=True)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        # Before gdfit's first line has run, the signal is Python's or the system's.
        assert process.returncode in (130, -signal.SIGINT, 1)
        if process.returncode == 130:
            assert err == "Interrupted.\n"


def test_an_ignored_signal_stays_ignored(started, points):
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    args = ["points.csv", "-t", "y", "-n", "1000000000", "--trace", "trace.csv"]
    process = started(points.parent, *args, scratch=True, preexec_fn=ignore)
    wait_for(lambda: descends(points.parent))
    process.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143


def test_after_kill_the_next_run_to_the_same_name_cleans_up(started, program, points):
    args = ["points.csv", "-t", "y", "-n", "1000000000", "--trace", "trace.csv"]
    process = started(points.parent, *args, scratch=True)
    wait_for(lambda: descends(points.parent))
    process.kill()
    process.communicate(timeout=60)
    assert half_written(points.parent)
    assert program("points.csv", "-t", "y", "--trace", "trace.csv", "-q").code == 0
    assert sorted(os.listdir(points.parent)) == ["points.csv", "trace.csv"]


def test_a_held_signal_is_told_of_and_a_second_one_raised():
    with signals.raise_interrupts():
        with signals.defer_interrupts() as asked:
            assert not asked()
            signal.raise_signal(signal.SIGTERM)
            assert asked()
            with pytest.raises(Interrupted):
                signal.raise_signal(signal.SIGINT)
        assert signals.last_exit_code() == 130
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGTERM)


def test_a_signal_of_an_earlier_block_is_not_told_of_again():
    with signals.raise_interrupts(), pytest.raises(Interrupted):
        signal.raise_signal(signal.SIGTERM)
    with signals.defer_interrupts() as asked:
        assert not asked()


INTERRUPTED_IMPORT = """
import os, sys

class Interrupting:
    number, left = int(sys.argv[1]), int(sys.argv[2])

    def find_spec(self, name, path=None, target=None):
        Interrupting.left -= 1
        if Interrupting.left == 0:
            os.kill(os.getpid(), Interrupting.number)

sys.meta_path.insert(0, Interrupting())
sys.argv = ["gdfit", *sys.argv[3:]]
from gdcli.__main__ import main
main()
"""


@pytest.mark.parametrize("moment", random.Random(13).sample(range(5, 330), 6))
def test_while_importing_a_signal_ends_the_process_without_a_traceback(points, moment):
    number, code = SIGNALS[moment % 3]
    words = [str(int(number)), str(moment), "points.csv", "-t", "y"]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_IMPORT, *words], cwd=points.parent, capture_output=True, env=environment()
    )
    # Before gdfit's first line has run, the system ends the process.
    assert (done.returncode, done.stdout, done.stderr) in [(code, b"", b"Interrupted.\n"), (-number, b"", b"")]


def test_an_error_that_a_signal_led_to_is_an_interruption():
    with signals.raise_interrupts():
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGHUP)
        cause = signals.cause_of(ImportError("numpy is damaged"))
    assert isinstance(cause, Interrupted)
    assert cause.exit_code == 129


def test_a_signal_that_arrives_where_python_drops_exceptions_is_raised_again():
    class Garbage:
        def __del__(self):
            signal.raise_signal(signal.SIGTERM)

    def collect():
        Garbage()
        time.sleep(0.5)

    with signals.raise_interrupts(), pytest.raises(Interrupted) as found:
        collect()
    assert found.value.exit_code == 143


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="there is no /proc to look at")
@pytest.mark.parametrize("ready", [False, True], ids=["while the workers start", "while they work"])
def test_no_folder_of_the_workers_stays(started, points, tmp_path, monkeypatch, ready):
    pytest.importorskip("distributed", reason="Dask is not installed")
    folder = tmp_path / "temporary"
    folder.mkdir()
    args = ["points.csv", "-t", "y", "--loss", "huber", "-n", "1000000", "--dask", "local:1"]
    monkeypatch.setenv("TMPDIR", str(folder))
    process = started(points.parent, *args, scratch=True)
    wait_for(lambda: os.listdir(folder))
    if ready:
        process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (143, "Interrupted.\n")
    assert os.listdir(folder) == []
