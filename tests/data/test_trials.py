"""Trials of advice on a long block: a part of its rows, among them all that are in doubt."""

import pytest

from gdcli.data import proposals
from gdcli.data.csv.block import CsvBlock
from tests.data.test_advice import follow

ROWS = 6_000


@pytest.fixture(autouse=True)
def short_trials(monkeypatch):
    assert proposals._TRIAL_ROWS == 10_000
    monkeypatch.setattr(proposals, "_TRIAL_ROWS", ROWS // 3)


@pytest.fixture
def long(tmp_path):
    """A file of many rows, in which some cells are replaced: {row: (x, y)}."""

    def write(odd):
        path = tmp_path / "long.csv"
        cells = (odd.get(i, (str(i), str(i % 7))) for i in range(ROWS))
        path.write_text("x,y\n" + "".join(f"{x},{y}\n" for x, y in cells))
        return path

    return write


def test_the_whole_block_is_read_three_times_at_most_and_each_trial_reads_a_part(long, gdfit, monkeypatch):
    path = long({4_001: ("abc", "1")})
    whole = path.stat().st_size - len("x,y\n")
    read = []
    table = CsvBlock.table

    def counted(self, *asked):
        if self._last is None or self._last[0] != (frozenset(asked[0]), frozenset(asked[1]), asked[2]):
            read.append(len(self.chunk.text))
        return table(self, *asked)

    monkeypatch.setattr(CsvBlock, "table", counted)
    done = gdfit("fit", path, "-t", "y")
    assert "line 4003, column 'x': 'abc' is not a number" in done.err
    assert "--na abc" in done.err
    assert read.count(whole) <= 3
    assert len(read) > 3
    assert all(size < whole / 2 for size in read if size != whole)


@pytest.mark.parametrize(
    "odd",
    [
        {4_001: ("abc", "1")},
        {7: ('"1,234"', "1")},
        {2_345: ("abc", "1"), 5_998: ("3", "unknown")},  # of which each trial has to see both
        {2_345: ("abc", "1"), 5_998: ("def", "1"), 5_999: ("ghi", "1")},
    ],
)
def test_what_is_advised_by_a_part_of_the_rows_works_on_all(long, gdfit, odd):
    ends = follow(gdfit, ["fit", str(long(odd)), "-t", "y", "-n", "3"])
    assert ends
    for words, done in ends:
        assert done.code == 0, (words, done.err)


def test_advice_on_two_columns_is_given_at_once(long, gdfit):
    done = gdfit("fit", long({2_345: ("abc", "1"), 5_998: ("3", "unknown")}), "-t", "y")
    assert "--na abc --na unknown" in done.err


def test_the_levels_of_a_part_are_not_taken_for_all(long, gdfit):
    odd = {i: (f"a{i}" if i % 3 else str(i), "1") for i in range(0, ROWS, 2)}
    done = gdfit("fit", long({**odd, 5: ("zz", "1")}), "-t", "y")
    assert "--max-levels" not in done.err
