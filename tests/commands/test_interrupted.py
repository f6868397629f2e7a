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


def test_after_a_request_to_stop_no_cross_validation_runs_and_all_end_with_the_same_row(interrupted_fit, points):
    model = points.with_name("model.json")
    done, rows = interrupted_fit(40, words=("--cv", "3", "--save", model))
    assert not model.exists()
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


@pytest.fixture
def groups(csv_file):
    rows = [f"{g},{x},{x * x + 1}" for g in "abcd" for x in range(6)]
    return csv_file("\n".join(["g,x,y", *rows]) + "\n")


def interrupting(monkeypatch, module, call, iteration):
    """Let a signal come just before an iteration of the ``call``-th descent of a module."""
    calls = []

    def interrupted(*given, **more):
        calls.append(None)
        for step in descend(*given, **more):
            if len(calls) == call and step.iteration == iteration - 1:
                signal.raise_signal(signal.SIGINT)
            yield step

    monkeypatch.setattr(f"{module}.descend", interrupted)


def test_groups_fitted_before_a_request_to_stop_are_reported_and_traced(gdfit, groups, tmp_path, monkeypatch):
    interrupting(monkeypatch, "gdcli.fitting.fit", 2, 7)
    trace, model = tmp_path / "trace.csv", tmp_path / "model.json"
    words = (groups, "-t", "y", "--by", "g", "-n", "20", "--lr", "0.1", "--trace", trace, "--save", model)
    done = gdfit(*words, "--format", "json")
    found = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 130
    assert [one["group"]["g"] for one in found] == ["a", "b"]
    assert [(one["descent"]["stopped"], one["descent"]["iterations"]) for one in found] == [
        ("iterations", 20), ("interrupted", 7),
    ]  # fmt: skip
    rows = [tuple(line.split(",")[:2]) for line in trace.read_text().splitlines()[1:]]
    assert rows == [("a", str(k)) for k in range(21)] + [("b", str(k)) for k in range(8)]
    assert not model.exists()


def test_a_request_to_stop_groups_says_how_many_are_left(gdfit, groups, monkeypatch):
    interrupting(monkeypatch, "gdcli.fitting.fit", 1, 3)
    done = gdfit(groups, "-t", "y", "--by", "g", "-n", "20", "--l2", "0.1")
    assert done.code == 130
    assert "1 group, 6 rows: 1 not there yet.\nInterrupted: 3 groups more were not begun." in done.out


def test_groups_side_by_side_end_with_the_iteration_of_a_request_to_stop(gdfit, groups, monkeypatch):
    interrupting(monkeypatch, "gdcli.fitting.side_by_side", 1, 5)
    # Plain descents have no iteration to stop at: they are at their end at once.
    done = gdfit(groups, "-t", "y", "--by", "g", "-n", "1000", "--optimizer", "momentum", "--format", "json")
    found = [json.loads(line)["descent"] for line in done.out.splitlines()]
    assert done.code == 130
    assert [(one["stopped"], one["iterations"]) for one in found] == [("interrupted", 5)] * 4


def test_a_request_to_stop_sweeps_of_groups_begins_no_further_group(gdfit, groups, monkeypatch):
    interrupting(monkeypatch, "gdcli.fitting.sweep", 2, 5)
    done = gdfit("sweep", groups, "-t", "y", "--by", "g", "-n", "100", "--format", "json")
    assert done.code == 130
    found = [json.loads(line) for line in done.out.splitlines()]
    assert [(one["group"]["g"], one["interrupted"]) for one in found] == [("a", False), ("b", True)]
