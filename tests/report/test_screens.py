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
