"""The page in a real browser: what a person does with it, and what it says."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from gdcli.api import run_fit
from gdcli.base.records import field_names
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import ExplainedTerm
from gdcli.report import numbers
from gdcli.report.verdict import verdict
from tests.processes import ROOT

HOUSING = ROOT / "sample_data" / "housing.csv"

ONE = (HOUSING, "-t", "price", "-x", "sqft")


def state(opened: Any, name: str) -> Any:
    return opened.run(f"return lesson.state.{name}")


@pytest.mark.parametrize(
    ("address", "options"),
    [
        ("#lr=0.1&k=6", {"learning_rate": 0.1, "iterations": 6}),
        ("#lr=0.1&k=1000", {"learning_rate": 0.1, "iterations": 1000}),
        ("#lr=0.98&k=20", {"learning_rate": 0.98, "iterations": 20}),
        ("#lr=1.2&k=5", {"learning_rate": 1.2, "iterations": 5}),
        ("#lr=1.5&k=1000", {"learning_rate": 1.5, "iterations": 1000}),
        ("#lr=1e-7&k=900&scale=none", {"learning_rate": 1e-7, "iterations": 900, "scale": "none"}),
        ("#lr=4e-7&k=9&scale=none", {"learning_rate": 4e-7, "iterations": 9, "scale": "none"}),
        (
            "#lr=0.05&k=50&optimizer=momentum:0.9",
            {"learning_rate": 0.05, "iterations": 50, "optimizer": "momentum:0.9"},
        ),
        ("#lr=2&k=50&optimizer=momentum:0.9", {"learning_rate": 2, "iterations": 50, "optimizer": "momentum:0.9"}),
        ("#lr=0.01&k=200&optimizer=adam", {"learning_rate": 0.01, "iterations": 200, "optimizer": "adam"}),
        ("#lr=0.5&k=3&optimizer=newton", {"learning_rate": 0.5, "iterations": 3, "optimizer": "newton"}),
        ("#lr=0.2&k=7&l2=0.5", {"learning_rate": 0.2, "iterations": 7, "l2": (0.5,)}),
    ],
)
def test_the_verdict_is_the_terminals(address: str, options: dict[str, Any], page: Callable[..., Any]) -> None:
    def command(rate: float, iterations: int | None = None) -> str:
        return f"rate {rate:g}"

    fit = run_fit([str(HOUSING)], FitOptions.of(target="price", features=("sqft",), **options))
    said = verdict(fit, command)
    expected = [*said.sentences, *([] if said.command is None else [said.command])]
    found = page(*ONE, address=address).run("return lesson.verdict()")
    assert [re.sub(r"^gdfit .*--lr (\S+) .*", lambda m: f"rate {float(m[1]):g}", line) for line in found] == expected


@pytest.fixture
def one(page: Callable[..., Any]) -> Any:
    """The page of one feature."""
    return page(*ONE)


def test_the_page_asks_nothing_of_the_network_and_forbids_it(one: Any) -> None:
    one.settled()
    sent = [json.loads(entry["message"])["message"] for entry in one.browser.get_log("performance")]
    asked = {m["params"]["request"]["url"].split(":")[0] for m in sent if m["method"] == "Network.requestWillBeSent"}
    assert asked <= {"file", "data", "about", "blob"}
    text = one.path.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "://" not in text.split("<body>")[0]
    refused = one.browser.execute_async_script(
        "fetch('https://example.org/').then(() => arguments[0]('sent'), () => arguments[0]('refused'))"
    )
    assert refused == "refused"
    assert [
        entry for entry in one.browser.get_log("browser") if "Content Security Policy" not in entry["message"]
    ] == []


def test_no_name_is_declared_in_two_modules() -> None:
    found = [
        name
        for path in (ROOT / "gdcli" / "report" / "page").glob("*.js")
        for name in re.findall(r"^(?:export )?(?:async )?(?:const|let|function) (\w+)", path.read_text(), re.MULTILINE)
    ]
    assert sorted(found) == sorted(set(found))


def test_the_page_without_its_data_is_small(one: Any) -> None:
    text = one.path.read_bytes()
    data = re.search(rb'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    report = re.search(rb'<details id="report".*?</details>', text, re.DOTALL)
    assert data is not None
    assert report is not None
    assert len(text) - len(data[1]) - len(report[0]) <= 60_000


def test_a_rate_is_typed_and_a_wrong_one_is_left_alone(one: Any) -> None:
    box = one.all("input[aria-label='Learning rate, typed']")[0]
    box.clear()
    box.send_keys("0.25\n")
    assert state(one, "lr") == 0.25
    box.clear()
    box.send_keys("fast\n")
    assert state(one, "lr") == 0.25
    assert box.get_attribute("aria-invalid") == "true"


def test_the_keys_step_and_the_address_follows_and_leads_back(one: Any) -> None:
    body = one.all("body")[0]
    body.send_keys("\ue014" * 3 + "\ue012")  # right three times, left once
    assert state(one, "k") == 2
    one.wait("return location.hash.includes('k=2')")
    one.run("location.hash = '#lr=0.3&k=12&optimizer=momentum:0.5&scale=none&l2=0.1&m=5&c=7&with=0.1,0.2'")
    one.wait("return lesson.state.k === 12")
    chosen = one.run("return lesson.state")
    assert [chosen[name] for name in ("lr", "optimizer", "parameter", "scale", "l2", "m", "c", "kept")] == [
        0.3, "momentum", 0.5, "none", 0.1, [5], 7, [0.1, 0.2],
    ]  # fmt: skip
    one.settled()
    assert (
        one.run("return location.hash") == "#lr=0.3&k=12&optimizer=momentum:0.5&scale=none&l2=0.1&m=5&c=7&with=0.1,0.2"
    )


def test_an_address_that_means_nothing_changes_nothing(one: Any) -> None:
    one.at("#lr=-1&k=x&optimizer=constructor&scale=wide&l2=&m=1,2&with=&x=&n=0&__proto__=1")
    assert [state(one, name) for name in ("lr", "k", "optimizer", "scale")] == [0.01, 0, "gd", "standard"]
    assert state(one, "features") == [True]


def test_play_goes_on_until_it_is_paused(one: Any) -> None:
    one.run("document.querySelector('select[aria-label=Speed]').value = '100'")
    one.run("document.querySelector('select[aria-label=Speed]').dispatchEvent(new Event('change'))")
    play = one.all("button[aria-label=Play]")[0]
    play.click()
    one.wait("return lesson.state.k > 3")
    play.click()
    stopped = state(one, "k")
    one.settled()
    assert state(one, "k") == stopped
    assert play.get_attribute("aria-label") == "Play"


def test_the_start_is_dragged_on_the_contours_and_moved_by_keys(one: Any) -> None:
    from selenium.webdriver import ActionChains

    handle = one.all("circle.handle")[0]
    ActionChains(one.browser, 20).drag_and_drop_by_offset(handle, 40, -30).perform()
    one.wait("return lesson.state.m[0] > 0 && lesson.state.c > 0")
    one.settled()
    m = state(one, "m")[0]
    handle = one.all("circle.handle")[0]
    handle.send_keys("\ue012")  # left
    assert state(one, "m")[0] < m
    assert "--start sqft=" in one.run("return lesson.command()")


def test_the_pasted_command_does_what_the_page_shows(one: Any, gdfit: Callable[..., Any]) -> None:
    import shlex

    one.at("#lr=0.05&k=37&optimizer=momentum:0.8&scale=none&m=3&c=-2&lr=1e-7")
    words = shlex.split(one.run("return lesson.command()"))
    told = json.loads(gdfit(*words[1:], "--format", "json", "-q").out)
    found = one.run("const { m, c } = lesson.path.fileAt(lesson.k); return [m[0], c, lesson.path.costAt(lesson.k)]")
    assert found == pytest.approx(
        [told["coefficients"][0]["value"], told["intercept"]["value"], told["cost"]], rel=1e-9
    )


def test_the_arithmetic_of_a_step_is_that_of_explain(page: Callable[..., Any]) -> None:
    opened = page(HOUSING, "-t", "price", "-x", "sqft", "-x", "type", address="#lr=0.2&k=2")
    options = FitOptions.of(target="price", features=("sqft", "type"), learning_rate=0.2, explain=True)
    explanation = run_fit([str(HOUSING)], options).explanation
    assert explanation is not None
    step = explanation.steps[1]
    cells = opened.run(
        """const all = [...document.querySelectorAll("table")];
           const table = all.find((one) => /Arithmetic/.test(one.caption.textContent));
           return [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent))"""
    )
    shown = field_names(ExplainedTerm)[1:]
    columns = [numbers.column([getattr(term, name) for term in step.terms], 6) for name in shown]
    assert [row[1:] for row in cells] == [[cell.strip() for cell in row] for row in zip(*columns, strict=True)]
    assert f"after {numbers.number(step.cost_after, 6)}" in opened.text("#page").replace("\u00a0", " ")


def test_what_is_moved_by_keys_keeps_the_focus(one: Any) -> None:
    one.all("circle.handle")[0].send_keys("\ue014")  # right
    one.settled()
    assert one.run("return document.activeElement.getAttribute('class')") == "handle"
    one.at("#with=0.1,0.5")
    one.all("table button")[1].send_keys("\ue007")  # enter
    one.settled()
    assert one.run("return document.activeElement.textContent") == "0.1"


def test_a_page_of_a_resumed_fit_gives_a_command_that_stands_alone(
    page: Callable[..., Any], gdfit: Callable[..., Any], tmp_path: Any
) -> None:
    import shlex

    model = tmp_path / "model.json"
    gdfit(*ONE, "-n", "30", "--save", model, "-q")
    opened = page(HOUSING, "--resume", model, "-n", "30", address="#lr=0.1&k=9")
    words = shlex.split(opened.run("return lesson.command()"))
    told = json.loads(gdfit(*words[1:], "--format", "json", "-q").out)
    assert told["cost"] == pytest.approx(opened.run("return lesson.path.costAt(9)"), rel=1e-9)


def test_a_perfect_fit_is_drawn(page: Callable[..., Any], csv_file: Callable[..., str]) -> None:
    opened = page(csv_file("y,x\n1,2\n2,4\n3,6\n"), "-t", "y", address="#lr=0.1&k=500")
    assert "perfect fit" in opened.settled().text(".verdict")


@pytest.mark.parametrize(
    ("words", "address"),
    [
        (ONE, "#lr=1.7e308&k=1"),
        ((HOUSING, "-t", "price"), "#lr=1.7e308&k=1"),
        (("curve", "--poly", "0,0,1", "--start", "3", "--lr", "0.4"), "#lr=1.7e308&k=1"),
    ],
    ids=["one feature", "all features", "a curve"],
)
def test_a_step_beyond_all_numbers_is_drawn_far_away(
    words: tuple[object, ...], address: str, page: Callable[..., Any]
) -> None:
    opened = page(*words, address=address).settled()
    drawn = opened.run(
        "return [...document.querySelectorAll('svg *')].flatMap((e) => [...e.attributes]).map((a) => a.value)"
    )
    assert len(drawn) > 100
    assert [value for value in drawn if "NaN" in value or "Infinity" in value] == []


def test_every_control_has_a_name_and_the_keyboard_reaches_it(one: Any) -> None:
    nameless = one.run(
        """return [...document.querySelectorAll("button, input, select, [tabindex]")].filter((one) =>
             !(one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.length)).map(String)"""
    )
    assert nameless == []
    assert one.run("return document.querySelectorAll('[tabindex]:not([tabindex=\"0\"])').length") == 0
    assert one.run("return document.querySelector('[role=status]').getAttribute('aria-live')") == "polite"
    assert one.run("return document.documentElement.lang") == "en"


def test_hostile_names_and_cells_are_text(page: Callable[..., Any], csv_file: Callable[..., str]) -> None:
    attack = "</script></script ><img src=x onerror=alert(1)>"
    rows = "".join(f"{2 * i + i % 3},{i},{'</pre><b>' if i % 2 else '<!--'}\n" for i in range(20))
    opened = page(csv_file(f'y,"{attack}",t\n{rows}', "<i>&.csv"), "-t", "y", address="#lr=0.1&k=3")
    opened.settled()
    assert opened.run("return document.querySelectorAll('img, b, i').length") == 0
    assert attack in opened.text("#page table")
    assert attack in opened.text("#report")


def test_a_sweep_opens_with_its_rates_side_by_side(page: Callable[..., Any]) -> None:
    opened = page("sweep", *ONE, "--lr", "0.05", "--lr", "0.5", "--lr", "1.2", address="#lr=0.05&k=20")
    opened.settled()
    assert state(opened, "kept") == [0.05, 0.5, 1.2]
    rows = opened.run(
        """const all = [...document.querySelectorAll("table")];
           const table = all.find((one) => /side/.test(one.caption.textContent));
           return [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent))"""
    )
    assert [row[0] for row in rows] == ["0.05", "0.5", "1.2"]
    assert [row[1] for row in rows] == ["monotone", "monotone", "unstable"]
    assert [row[4] for row in rows] == ["33", "1", "never"]
    assert opened.run("return lesson.command()").startswith(f"gdfit {HOUSING} -t price -x sqft --lr 0.05 -n 20")


def test_a_loss_that_needs_rows_shows_its_recorded_descent_and_says_why(page: Callable[..., Any]) -> None:
    opened = page(HOUSING, "-t", "price", "-x", "sqft", "-x", "beds", "--loss", "huber", "-n", "500", address="#k=40")
    assert "Iteration 40 of 500" in opened.text(".verdict")
    assert "the learning rate cannot be changed here" in opened.text(".verdict")
    recorded = opened.run("return lesson.told.recorded.iterations")
    assert recorded[:101] == list(range(101))
    assert recorded[-1] == 500
    assert len(recorded) <= 400
    opened.all("body")[0].send_keys("\ue014")  # right
    assert "Iteration 41 of 500" in opened.text(".verdict")
    assert opened.all("input[aria-label='Learning rate, typed']") == []


def test_points_are_as_many_as_asked_for(page: Callable[..., Any]) -> None:
    assert page(*ONE, "--points", "0").run("return lesson.data.points") is None
    assert len(page(*ONE, "--points", "50").run("return lesson.data.points")) == 50


def rows_of_groups(opened: Any) -> list[list[str]]:
    found: list[list[str]] = opened.run(
        """const [table] = document.querySelectorAll("table");
           return [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent))"""
    )
    return found


def test_groups_stand_side_by_side_and_their_table_follows_the_iteration(
    page: Callable[..., Any], gdfit: Callable[..., Any]
) -> None:
    words = (HOUSING, "-t", "price", "-x", "sqft", "--by", "type", "--lr", "0.1", "-n", "30")
    opened = page(*words, address="#k=7")
    assert [one.text for one in opened.all(".groups h2")] == [
        "type = Condo", "type = Multi_Family", "type = Residential"
    ]  # fmt: skip
    trace = [line.split(",") for line in gdfit(*words, "--trace", "-", "-q").out.splitlines()]
    for k in (7, 8):
        expected = [[float(cell) for cell in line[2:]] for line in trace if line[1] == str(k)]
        shown = [[float(cell.replace(",", "")) for cell in (*row[3:], row[1])] for row in rows_of_groups(opened)]
        assert [pytest.approx(one, rel=1e-4) for one in expected] == shown
        opened.all("button[aria-label='One step']")[0].click()
        opened.settled()
    opened.run("lesson.go(0)")
    assert {row[3] for row in rows_of_groups(opened)} == {"0"}


def test_the_rates_of_groups_have_a_curve_each_and_a_table(page: Callable[..., Any]) -> None:
    opened = page("sweep", *ONE, "--by", "type", "--lr", "0.1", "--lr", "1.2", "-n", "30")
    assert [len(one.find_elements("css selector", "path.curve")) for one in opened.all(".groups .card")] == [2, 2, 2]
    assert [one.text for one in opened.all(".groups .key")] == ["0.1 (fastest)", "1.2"] * 3
    assert [row[0] for row in rows_of_groups(opened)] == ["type = Condo", "type = Multi_Family", "type = Residential"]
    assert {row[2] for row in rows_of_groups(opened)} == {"1"}
