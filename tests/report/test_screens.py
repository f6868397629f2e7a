"""Each screen at 80 columns, and some at others, is the one that somebody has looked at (``tests/screens.py``)."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.screens import BEFORE, LINES, SCREENS, environment_of, prepare

NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")


def values(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in NUMBER.findall(text)]


@pytest.mark.parametrize("name", LINES)
def test_a_screen_is_the_one_that_was_looked_at(name: str, tmp_path: Path, terminal: Callable[..., Any]) -> None:
    prepare(tmp_path)
    line, _ = LINES[name]
    for before in BEFORE:
        made = before.split()
        if made[-1] in line.split():
            assert terminal(*made).code == 0
    expected = (SCREENS / f"{name}.txt").read_text(encoding="utf-8").partition("\n")[2]
    found = terminal(*line.split(), columns=int(environment_of(name)["COLUMNS"]), env=environment_of(name)).screen
    assert NUMBER.sub("#", found) == NUMBER.sub("#", expected)
    # The last digit that is shown may be another on another machine.
    assert values(found) == pytest.approx(values(expected), rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("name", LINES)
def test_no_line_of_a_screen_is_wider_than_its_terminal_but_a_command_to_paste(name: str) -> None:
    width = int(environment_of(name)["COLUMNS"])
    lines = (SCREENS / f"{name}.txt").read_text(encoding="utf-8").splitlines()[1:]
    assert [line for line in lines if len(line) > width and not line.startswith(("  gdfit ", "note: "))] == []
    assert all(line.isascii() for line in lines) or environment_of(name)["LC_ALL"] != "C"


def test_every_screen_that_is_kept_is_compared() -> None:
    assert {path.stem for path in SCREENS.glob("*.txt")} == set(LINES)


LONG = "a_column_whose_name_says_all_that_there_is_to_know_about_its_values_and_more"


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize(
    "line",
    ["-t y --by kind", "-t y --every 1 -n 1001", f"-t {LONG} -x y --every 1 -n 1001", "sweep -t y", f"sweep -t {LONG}",
     "-t y --inference --explain -n 1", "-t y --lr 9"],
)  # fmt: skip
def test_long_names_lose_their_middle_on_a_terminal_and_no_line_is_too_wide(
    line: str, columns: int, tmp_path: Path, terminal: Callable[..., Any]
) -> None:
    kinds = ("x" * 70 + "one", "x" * 70 + "two")
    rows = "".join(f"{i},{kinds[i % 2]},{(i * 7) % 5 + i}\n" for i in range(20))
    (tmp_path / "long.csv").write_text(f"{LONG},kind,y\n{rows}")
    words = line.split()
    words.insert(1 if words[0] == "sweep" else 0, "long.csv")
    screen = terminal(*words, columns=columns, env={"NO_COLOR": "1", "TERM": "dumb", "LC_ALL": "C.UTF-8"}).screen
    lines = [one for one in screen.splitlines() if not one.startswith(("  gdfit ", "note: ", "warning: "))]
    assert "Error:" not in screen
    assert max(map(len, lines)) <= columns, max(lines, key=len)
