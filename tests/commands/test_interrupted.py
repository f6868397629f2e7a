"""A request to stop while the descent runs: every recorder ends with the same row, and nothing else begins."""

import json
import os
import signal

import pytest

from gdcli.engine.descent import descend
from gdcli.fitting.trace import TableRows


@pytest.fixture
def interrupted_fit(gdfit, points, monkeypatch):
    """Fit in this process; a signal comes when such an iteration is looked at. Return the end and the trace."""

    def run(*iterations, words=()):
        left = list(iterations)
        wants = TableRows.wants

        def interrupting(self, number):
            if left and number >= left[0]:
                left.pop(0)
                signal.raise_signal(signal.SIGINT)
            return wants(self, number)

        monkeypatch.setattr(TableRows, "wants", interrupting)
        trace = points.parent / "trace.csv"
        done = gdfit(points, "-t", "y", "-n", "1000", "--trace", trace, "--format", "json", *words)
        rows = [int(line.split(",")[0]) for line in trace.read_text().splitlines()[1:]] if trace.exists() else []
        return done, rows

    return run


def test_after_a_request_to_stop_no_cross_validation_runs_and_all_end_with_the_same_row(interrupted_fit):
    done, rows = interrupted_fit(40, words=("--cv", "3"))
    document = json.loads(done.out)
    assert done.code == 130
    assert document["descent"]["stopped"] == "interrupted"
    assert document["cross_validation"] is None
    last = document["descent"]["iterations"]
    assert 40 <= last <= 41
    assert document["trace"][-1]["iteration"] == last
    assert rows == list(range(last + 1))


@pytest.mark.parametrize("second", [40, 41])
def test_a_second_request_writes_no_row_twice(interrupted_fit, points, second):
    done, rows = interrupted_fit(40, second)
    assert done.code == 130
    assert rows == list(range(len(rows)))
    if done.out:
        assert json.loads(done.out)["trace"][-1]["iteration"] == rows[-1]
    assert [name for name in os.listdir(points.parent) if name.endswith(".gdfit-tmp")] == []


def test_requests_between_two_iterations_write_the_row_before_them_once(gdfit, points, monkeypatch):
    def interrupted(*given):
        for step in descend(*given):
            yield step
            if step.iteration == 40:
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("gdcli.fitting.fit.descend", interrupted)
    trace = points.parent / "trace.csv"
    done = gdfit(points, "-t", "y", "-n", "1000", "--trace", trace, "--format", "json")
    assert done.code == 130
    assert [int(line.split(",")[0]) for line in trace.read_text().splitlines()[1:]] == list(range(41))
    assert [row["iteration"] for row in json.loads(done.out)["trace"]][-2:] == [30, 40]
