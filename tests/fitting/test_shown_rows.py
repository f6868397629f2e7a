"""Which iterations a table shows, and what recorders are handed."""

from collections.abc import Callable
from typing import Any

import pytest

from gdcli import fit
from gdcli.api import run_fit
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import TraceRow, TraceShape
from gdcli.fitting.trace import thinned

TEXT = "x,y\n1,2\n2,3\n3,7\n4,5\n"


def shown(csv_file: Callable[..., str], **options: Any) -> list[int]:
    return [row.iteration for row in fit(csv_file(TEXT), target="y", **options).trace]


@pytest.mark.parametrize("iterations", [0, 1, 2, 29, 30])
def test_up_to_30_iterations_all_are_shown(csv_file: Callable[..., str], iterations: int) -> None:
    assert shown(csv_file, iterations=iterations) == list(range(iterations + 1))


@pytest.mark.parametrize("iterations", [31, 47, 100, 999, 1000, 1001, 12_345])
def test_beyond_about_20_are_shown_always_the_first_and_the_last(csv_file: Callable[..., str], iterations: int) -> None:
    rows = shown(csv_file, iterations=iterations)
    assert 10 <= len(rows) <= 25
    assert rows[:3] == [0, 1, 2]
    assert rows[-1] == iterations
    assert rows == sorted(set(rows))
    assert {5, 10, 20} < set(rows)


def test_twice_as_many_rows_are_chosen_where_that_gives_up_to_24() -> None:
    dense = [0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 7000]
    assert len(dense) == 24
    assert thinned(7000) == dense
    assert thinned(7001) == [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 7001]


@pytest.mark.parametrize(
    ("iterations", "every", "expected"),
    [
        (10, 3, [0, 3, 6, 9, 10]),
        (9, 3, [0, 3, 6, 9]),
        (5, 100, [0, 5]),
        (0, 7, [0]),
        (40, 1, list(range(41))),
    ],
)
def test_each_kth_is_shown_where_that_is_asked(
    csv_file: Callable[..., str], iterations: int, every: int, expected: list[int]
) -> None:
    assert shown(csv_file, iterations=iterations, every=every) == expected


@pytest.mark.parametrize("iterations", [200, 5000, 10**6, 10**9])
def test_a_descent_that_stops_early_still_shows_its_rows_from_first_to_last(
    csv_file: Callable[..., str], iterations: int
) -> None:
    result = fit(csv_file(TEXT), target="y", learning_rate=0.1, iterations=iterations, tolerance=1e-9)
    rows = [row.iteration for row in result.trace]
    assert 30 < result.descent.iterations < 200
    assert rows[:3] == [0, 1, 2]
    assert rows[-1] == result.descent.iterations
    assert len(rows) >= 8


@pytest.mark.parametrize("iterations", [1, 5, 12])
def test_a_descent_that_diverges_shows_its_rows_up_to_there(csv_file: Callable[..., str], iterations: int) -> None:
    assert shown(csv_file, learning_rate=1.4, iterations=iterations) == list(range(iterations + 1))


class Recorder:
    """Wants some iterations and keeps what it is given."""

    def __init__(self, every: int) -> None:
        self.every, self.rows = every, list[TraceRow]()

    def begin(self, *known: Any) -> None:
        self.begun = not self.rows

    def wants(self, iteration: int) -> bool:
        return iteration % self.every == 0

    def record(self, row: TraceRow) -> None:
        self.rows.append(row)


@pytest.mark.parametrize(("every", "expected"), [(1, list(range(8))), (3, [0, 3, 6, 7]), (7, [0, 7]), (50, [0, 7])])
def test_a_recorder_is_handed_what_it_wants_and_the_last(
    csv_file: Callable[..., str], every: int, expected: list[int]
) -> None:
    recorder = Recorder(every)
    result = run_fit([csv_file(TEXT)], FitOptions.of(target="y", iterations=7), [recorder])
    assert [row.iteration for row in recorder.rows] == expected
    assert recorder.begun
    assert recorder.rows[-1] == result.trace[-1]


def test_recorders_do_not_change_the_descent(csv_file: Callable[..., str]) -> None:
    recorders = [Recorder(1), Recorder(4)]
    with_them = run_fit([csv_file(TEXT)], FitOptions.of(target="y", iterations=50), recorders)
    assert with_them == run_fit([csv_file(TEXT)], FitOptions.of(target="y", iterations=50))
    assert [row for row in recorders[0].rows if row.iteration in (0, 4, 8)] == recorders[1].rows[:3]


class Interrupting(Recorder):
    """Ctrl-C at iteration 40, once: when it is asked whether it wants the row, or while it takes it."""

    def __init__(self, moment: str) -> None:
        super().__init__(20)
        self.moment, self.interrupted = moment, False

    def interrupt(self, moment: str, iteration: int) -> None:
        if moment == self.moment and iteration == 40 and not self.interrupted:
            self.interrupted = True
            raise KeyboardInterrupt

    def wants(self, iteration: int) -> bool:
        self.interrupt("wants", iteration)
        return super().wants(iteration)

    def record(self, row: TraceRow) -> None:
        self.interrupt("before", row.iteration)
        super().record(row)
        self.interrupt("after", row.iteration)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_interruption_while_a_row_is_written_is_raised_as_it_may_be_half_written(
    csv_file: Callable[..., str], moment: str
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_fit([csv_file(TEXT)], FitOptions.of(target="y", iterations=10**7), [Interrupting(moment)])


def test_an_interrupted_descent_returns_what_it_has_and_no_row_twice(csv_file: Callable[..., str]) -> None:
    before, interrupting, behind = Recorder(20), Interrupting("wants"), Recorder(20)
    recorders = [before, interrupting, behind]
    result = run_fit([csv_file(TEXT)], FitOptions.of(target="y", iterations=10**7), recorders)
    whole = fit(csv_file(TEXT), target="y", iterations=40)
    assert result.descent.stopped.value == "interrupted"
    assert result.descent.iterations == 40
    assert result.coefficients == whole.coefficients
    assert result.trace[-1] == whole.trace[-1]
    assert len({row.iteration for row in result.trace}) == len(result.trace)
    for recorder in (before, behind):
        assert [row.iteration for row in recorder.rows] == [0, 20, 40]


def test_recorders_are_told_how_much_each_term_matters(csv_file: Callable[..., str]) -> None:
    shapes: list[TraceShape] = []

    class Listening(Recorder):
        def begin(self, *known: TraceShape) -> None:
            shapes.extend(known)

    text = "a,b,y\n" + "".join(f"{i},{i * i % 7 / 1000},{2 * i - 100 * (i * i % 7) + i % 3}\n" for i in range(12))
    options = FitOptions.of(target="y", optimizer="newton", iterations=1)
    found = run_fit([csv_file(text)], options, [Listening(1)])
    assert shapes[0].importance == pytest.approx([abs(one.standardized or 0.0) for one in found.coefficients])
