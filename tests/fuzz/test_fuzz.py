"""A short share of ``make fuzz``; and that the fuzzer finds what it is there to find."""

from pathlib import Path

import numpy as np
import pytest
import run as fuzzer
from cases import Case
from check import Failure, Run, Tally, check
from reference import Question, Unclear, answer

QUIET = str.strip  # a `say` that says nothing


@pytest.fixture
def drawn(monkeypatch):
    """Let a family draw such cases only, so that a fault that few others meet is found among few."""

    def only(name, wanted):
        family = fuzzer.FAMILIES[name]
        monkeypatch.setitem(fuzzer.FAMILIES, name, family._replace(cases=lambda: family.cases().filter(wanted)))

    return only


def test_two_hundred_files_and_command_lines_are_answered_or_refused(drawn):
    tally = Tally()
    assert fuzzer.fuzz(150, 1, tally, QUIET, families=["tables"]) == []
    drawn("tables", lambda case: case.question is not None)
    assert fuzzer.fuzz(50, 1, tally, QUIET, families=["tables"]) == []
    assert tally.cases >= 200
    assert tally.compared["agrees"] >= 2


def test_sixty_inputs_in_pieces_and_archives_and_changing_files_lose_no_row():
    tally = Tally()
    assert fuzzer.fuzz(60, 1, tally, QUIET, families=["streams"]) == []
    assert len(tally.compared) >= 8


def test_a_planted_short_read_is_found(monkeypatch, drawn):
    from gdcli.data import streams as stream

    def short(self, size=-1, /):
        data = bytearray(size)
        return bytes(data[: self._piece(memoryview(data))])  # one piece, whether it is the last or not

    monkeypatch.setattr(stream._Counted, "read", short)
    drawn("streams", lambda case: not case.damage and case.content != case.text and 0 < sum(case.pieces[:1]) <= 2)
    [(case, complaint), *_] = fuzzer.fuzz(2000, 1, Tally(), QUIET, shrink=False, families=["streams"])
    assert complaint.startswith("Failure: ")
    assert case.command.startswith("gdfit ")


def test_a_planted_crash_is_found(monkeypatch):
    from gdcli.data.csv import dialect

    most_frequent = dialect._most_frequent

    def crash(header, *marks):
        assert "b" not in header
        return most_frequent(header, *marks)

    monkeypatch.setattr(dialect, "_most_frequent", crash)
    [(case, complaint), *_] = fuzzer.fuzz(500, 1, Tally(), QUIET, shrink=False, families=["tables"])
    assert complaint.startswith("Failure: crashed: Error: unexpected AssertionError")
    assert case.command.startswith("gdfit ")


def test_a_planted_wrong_coefficient_is_found(monkeypatch, drawn):
    from gdcli.report import fit_document as report

    document = report.fit_document

    def planted(fit):
        found = document(fit)
        for one in found["coefficients"]:
            one["optimum"] *= 1.001
        return found

    monkeypatch.setattr(report, "fit_document", planted)
    drawn("tables", lambda case: case.question is not None)
    [(_, complaint), *_] = fuzzer.fuzz(500, 1, Tally(), QUIET, shrink=False, families=["tables"])
    assert complaint.startswith("Failure: the coefficient of ")


@pytest.mark.parametrize("table", ["x,y\n1,2\n3\n", "x,y\n1,2\n3,inf\n", 'x,y\n"1"2,3\n', "x,y\n\0,2\n", "x,x\n1,2\n"])
def test_the_reference_abstains_where_a_table_is_not_plain(table):
    with pytest.raises(Unclear):
        answer(table.encode(), Question(target="y"))


def test_the_reference_solves_a_line_by_hand():
    # y = 2x + 1 and a level b that adds 5.
    found = answer(b"x;kind;y\n0;a;1\n1;a;3\n2;b;10\n3;b;12\n4;;99\n", Question(target="y"))
    assert (found.read, found.used) == (5, 4)
    assert found.terms == pytest.approx({"x": 2, "kind[b]": 5, "": 1}, abs=1e-12)
    assert found.cost == pytest.approx(0, abs=1e-20)


def test_the_reference_reads_json_lines():
    found = answer(b'{"x": 0, "y": 1}\n{"y": "3", "x": 1}\n\n{"x": 2}\n{"x": 3, "y": 7.0}\n', Question(target="y"))
    assert (found.read, found.used) == (4, 3)
    assert found.terms == pytest.approx({"x": 2, "": 1}, abs=1e-12)


def test_the_reference_weighs_rows_as_if_they_stood_there_more_than_once():
    table = [(0.0, 1.0, 1), (1.0, 2.5, 2), (2.0, 2.0, 3)]
    text = "x,y,w\n" + "".join(f"{x},{y},{w}\n" for x, y, w in table)
    x, y = np.array([(x, y) for x, y, w in table for _ in range(w)]).T
    slope, intercept = np.polyfit(x, y, 1)
    found = answer(text.encode(), Question(target="y", weights="w"))
    assert found.terms == pytest.approx({"x": slope, "": intercept}, rel=1e-12)


def test_an_overwritten_input_is_found(tmp_path, monkeypatch):
    def overwrite(args):
        Path("data.csv").write_text("gone")
        return Run(0, b"", b"")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("check.in_process", overwrite)
    with pytest.raises(Failure, match="the input was overwritten"):
        check(Case(b"x,y\n1,2\n", ("data.csv", "-t", "y"), None), Tally())
