"""The cost curve in the terminal: what it shows, how wide it is, and which characters it uses."""

import re
import types

import pytest
from rich.cells import cell_len

from gdcli.api import run_fit
from gdcli.base.errors import UsageError
from gdcli.fitting.curve import walk_down
from gdcli.fitting.options import FitOptions
from gdcli.fitting.sweep import run_sweep
from gdcli.report.chart import chart_of_curve, chart_of_fit, chart_of_sweep, require_plotext
from gdcli.report.numbers import tick
from gdcli.report.paper import Page


def fitted(data, **options):
    return run_fit([data], FitOptions.of(target="price", picture=True, **options))


def frame_of(chart):
    """What stands left of the frame and in it, line by line."""
    lines = chart.splitlines()
    top, bottom = (i for i, line in enumerate(lines) if re.fullmatch(r" +[┌└+][─┬+-]+[┐┘+]", line))
    left = re.search(r"\S", lines[top]).start()
    return [(line[:left], line[left + 1 : -1]) for line in lines[top + 1 : bottom]]


def test_the_axis_goes_from_the_minimum_to_the_start(housing):
    fit = fitted(housing)
    labels = [label.strip() for label, _ in frame_of(chart_of_fit(fit, Page())) if label.strip()]
    assert labels[0] == tick(fit.picture.costs[0])
    assert labels[-1] == tick(fit.optimum.cost)
    assert len(labels) == 5


def test_the_curve_falls_from_the_upper_left_to_the_lower_right(housing):
    rows = [row for _, row in frame_of(chart_of_fit(fitted(housing), Page(80, "ascii")))]
    first = [row.find("*") for row in rows]
    assert first[0] == 0
    assert first == sorted(first)


def test_the_words_above_say_what_is_drawn_and_on_which_scales(housing):
    chart = chart_of_fit(fitted(housing), Page())
    assert " ".join(chart.splitlines()[:2]) == (
        "cost (price²) against iteration, cost and iteration on log scales; ─── the minimum, 6.14e9"
    )
    short = chart_of_fit(fitted(housing, iterations=5), Page())
    assert short.startswith("cost (price²) against iteration; ─── the minimum, 6.14e9\n")
    assert short.splitlines()[-1].split() == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize(("last", "named"), [(100, "0 1 10 100"), (130, "0 1 10 130"), (1500, "0 1 10 100 1,500")])
def test_a_power_of_ten_that_is_close_to_the_last_iteration_gives_way_to_it(housing, last, named):
    assert chart_of_fit(fitted(housing, iterations=last), Page(80)).splitlines()[-1].split() == named.split()


@pytest.mark.parametrize("width", [20, 33, 40, 79, 80, 81, 200, None])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_no_line_is_wider_than_the_terminal_or_80_columns(housing, width, encoding):
    fit = fitted(housing)
    lines = chart_of_fit(fit, Page(width, encoding)).splitlines()
    widths = [cell_len(line) for line in lines]
    assert max(widths) <= min(width or 80, 80)
    assert len(lines) > 16
    if (width or 80) >= 80:
        assert max(widths) == 80


def test_a_terminal_too_narrow_has_no_chart(housing):
    assert chart_of_fit(fitted(housing), Page(15)) == ""


@pytest.mark.parametrize("rate", [0.01, 0.5])
def test_without_unicode_there_is_nothing_but_ascii(housing, rate):
    chart = chart_of_fit(fitted(housing.rename(columns={"price": "prix €"}).assign(price=housing["price"])), Page())
    assert not chart.isascii()
    frame = housing.rename(columns={"price": "€"})
    fit = run_fit([frame], FitOptions.of(target="€", picture=True, learning_rate=rate))
    chart = chart_of_fit(fit, Page(80, "ascii"))
    assert chart.isascii()
    assert chart.startswith("cost (\\u20ac^2) against iteration")
    sweep = run_sweep([frame], FitOptions.of(target="€"), [])
    assert chart_of_sweep(sweep, Page(80, "ascii")).isascii()
    assert chart_of_curve(walk_down([0, 0, 1]), Page(80, "ascii")).isascii()


def test_colour_is_there_only_when_asked_for(housing):
    fit = fitted(housing)
    assert "\x1b" not in chart_of_fit(fit, Page())
    coloured = chart_of_fit(fit, Page(), colour=True)
    assert "\x1b[38;5" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).split() == chart_of_fit(fit, Page()).split()


def test_a_diverging_fit_is_drawn_to_its_end(housing):
    fit = fitted(housing, learning_rate=0.5)
    labels = [label.strip() for label, _ in frame_of(chart_of_fit(fit, Page())) if label.strip()]
    assert labels[0] == tick(fit.picture.costs[-1])


def test_each_rate_of_a_sweep_has_its_sign(housing):
    sweep = run_sweep([housing], FitOptions.of(target="price"), [])
    chart = chart_of_sweep(sweep, Page())
    words = chart[: chart.index("┌")]
    for i, rate in enumerate(sweep.rates, 1):
        assert f"{i}={rate.learning_rate:.6g}" in words
        assert any(str(i) in row for _, row in frame_of(chart))
    top = float(frame_of(chart)[0][0])
    assert top <= 30 * sweep.rates[0].costs[0][1]  # the diverging one leaves the frame


def test_a_curve_is_drawn_as_its_height_after_each_step():
    words = chart_of_curve(walk_down([1, 0, 1], 10, [0.1, 0.4], 5), Page(70)).splitlines()[:2]
    assert words == [
        "y against step, y on a log scale; ─── the lowest minimum, 1",
        "learning rates 1=0.1, 2=0.4",
    ]
    below = chart_of_curve(walk_down([0, 0, 1], 10, [0.1, 0.4], 5), Page(70))
    assert " ".join(below.splitlines()[:2]).startswith(
        "y against step, y on a log scale; the lowest minimum, 0, is below the frame"
    )
    assert "minimum" not in chart_of_curve(walk_down([0, 1], 10, [0.1], 5), Page(70))


@pytest.mark.parametrize(
    ("polynomial", "start", "rates", "steps"),
    [([3], 10, [0.1], 5), ([0, 0, 1], 0, [0.1], 0), ([0, 0, 1], 1e150, [5.0], 50), ([0, -1], 1, [0.1, 2.0], 3)],
    ids=str,
)
def test_odd_walks_have_a_chart(polynomial, start, rates, steps):
    assert len(chart_of_curve(walk_down(polynomial, start, rates, steps), Page()).splitlines()) > 16


@pytest.mark.parametrize("iterations", [0, 1, 19, 20, 21, 999, 12345])
def test_the_last_iteration_is_named(housing, iterations):
    line = chart_of_fit(fitted(housing, iterations=iterations), Page()).splitlines()[-1]
    assert line.split()[0] == "0"
    assert line.split()[-1] == f"{iterations:,}"


@pytest.mark.parametrize("found", [None, types.ModuleType("plotext")], ids=["missing", "version 6"])
def test_without_plotext_5_the_pip_command_is_named(monkeypatch, found):
    monkeypatch.setitem(__import__("sys").modules, "plotext", found)
    with pytest.raises(UsageError, match=r"^--chart needs plotext 5: pip install 'gdfit\[plot\]'$"):
        require_plotext()
