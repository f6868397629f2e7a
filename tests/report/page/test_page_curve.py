"""The page of a curve walks as the terminal does, and says the same of it."""

from collections.abc import Callable
from typing import Any

import pytest

from gdcli.fitting.curve import walk_down
from gdcli.report.curve_verdict import curve_verdict

PARABOLA = (0.0, 0.0, 1.0)

LENGTHS = (0, 1, 4, 30)

# A curve for each kind of end: reached, approaching, stuck, unsettled, falling, diverged.
CURVES = {
    "a parabola": (PARABOLA, 10, (0.1, 0.4, 0.5, 0.9, 1, 2)),
    "two minima": ((0, 1, -2, 0.3, 1), 3, (0.0044, 0.018, 0.039, 0.048, 0.2)),
    "a cubic": ((0, -1, 0, 1), 0.2, (0.05, 0.4, 1, 3)),
    "an inflection": ((0, 0, 0, 1), 2, (0.01, 0.3)),
    "a maximum": ((0, 0, -1), 0, (0.1,)),
    "a flat curve": ((5,), 1, (0.1,)),
    "a flat bottom": ((1, -4, 6, -4, 1), 3, (0.01, 0.5)),
}


def test_the_parabola_of_the_lesson_goes_where_arithmetic_says(page: Callable[..., Any]) -> None:
    opened = page("curve", "--poly", "0,0,1", "--lr", "0.1", "--lr", "0.4", "--lr", "2", address="#lr=0.4&k=5")
    # x is multiplied by 1 - 2 lr in each step.
    found = opened.run("return [0.1, 0.4, 2].map((rate) => lesson.upTo(rate).path.map(({ x }) => x))")
    for rate, path in zip((0.1, 0.4, 2), found, strict=True):
        assert path == pytest.approx([10 * (1 - 2 * rate) ** k for k in range(6)], rel=1e-12)
    assert "Arrived" in opened.text(".verdict")
    assert opened.run("return lesson.command()") == "gdfit curve --poly 0,0,1 --start 10 --lr 0.4 -n 5"


@pytest.mark.parametrize("name", CURVES)
def test_what_becomes_of_a_walk_is_said_as_in_the_terminal(name: str, page: Callable[..., Any]) -> None:
    polynomial, start, rates = CURVES[name]
    words = [word for rate in rates for word in ("--lr", rate)]
    opened = page("curve", f"--poly={','.join(map(str, polynomial))}", "--start", start, *words, "-n", 30)
    found = opened.run(
        """return arguments[0].map((k) => arguments[1].map((lr) => {
             lesson.set({ k, lr });
             return [...lesson.verdict(), ...lesson.upTo(lr).path.map(({ x }) => x)];
           }))""",
        LENGTHS,
        rates,
    )
    for n, walks in zip(LENGTHS, found, strict=True):
        curve = walk_down(polynomial, start, rates, n)
        for walk, (said, *x) in zip(curve.walks, walks, strict=True):
            assert said == curve_verdict(curve, walk)
            assert x == pytest.approx(walk.x.tolist(), rel=1e-12)


def test_the_start_is_dragged_along_the_curve(page: Callable[..., Any]) -> None:
    from selenium.webdriver import ActionChains

    opened = page("curve", "--poly", "0,0,1")
    handle = opened.all("circle.handle")[0]
    ActionChains(opened.browser, 20).drag_and_drop_by_offset(handle, -120, 0).perform()
    opened.wait("return lesson.state.start < 9")
    start = opened.run("return lesson.state.start")
    assert start > 0
    opened.wait(f"return location.hash.includes('x={start:g}')")


def test_the_command_of_a_curve_is_pasted(page: Callable[..., Any], gdfit: Callable[..., Any]) -> None:
    import shlex

    opened = page("curve", "--poly=-1,0,1", "--start", "-3", address="#lr=0.2&k=4&x=-2.5")
    words = shlex.split(opened.run("return lesson.command()"))
    last = gdfit(*words[1:], "--format", "csv").out.splitlines()[-1].split(",")
    assert last[:2] == ["0.2", "4"]
    assert float(last[2]) == pytest.approx(opened.run("return lesson.walk.path[4].x"), rel=1e-12)
