"""What a page is given to draw, read from its file without a browser."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Done


@pytest.fixture
def written(gdfit: Callable[..., Done], tmp_path: Path) -> Callable[..., tuple[str, dict[str, Any]]]:
    """Write a page; give its report and its data."""

    def write(*words: object) -> tuple[str, dict[str, Any]]:
        path = tmp_path / "page.html"
        done = gdfit(*words, "--plot", path, "-q")
        assert done.code in (0, 3), done.err
        text = path.read_text(encoding="utf-8")
        found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
        assert found is not None
        return text.split("<body>")[1], json.loads(found[1])

    return write


@pytest.mark.parametrize(("columns", "repeats"), [(150, True), (151, False)])
def test_a_page_repeats_the_descent_on_up_to_150_columns(
    written: Callable[..., Any], csv_file: Callable[..., str], columns: int, repeats: bool
) -> None:
    names = [f"x{j}" for j in range(columns)]
    rows = [",".join(str((i * i + i * j * j + j) % 997) for j in range(columns + 1)) for i in range(30)]
    _, contents = written(csv_file("\n".join([",".join(["y", *names]), *rows]) + "\n"), "-t", "y", "-n", "3")
    assert (contents["triangle"] is not None) is repeats
    assert (contents["recorded"] is None) is repeats
    assert ("150 columns" in (contents["reason"] or "")) is not repeats


def test_a_descent_that_goes_on_is_repeated_unless_it_has_momentum(
    written: Callable[..., Any], gdfit: Callable[..., Done], csv_file: Callable[..., str], tmp_path: Path
) -> None:
    path, model = csv_file("x,y\n" + "".join(f"{i},{i * i % 7}\n" for i in range(9))), tmp_path / "m.json"
    for optimizer, repeats in (("gd", True), ("momentum", False)):
        words = (path, "-t", "y", "--optimizer", optimizer, "--lr", "0.01", "-n", "5")
        assert gdfit(*words, "--save", model, "-q").code == 0
        _, contents = written(*words, "--resume", model)
        assert (contents["reason"] is None) is repeats


def test_the_page_of_a_sweep_offers_commands_of_fits(written: Callable[..., Any], csv_file: Callable[..., str]) -> None:
    path = csv_file("x,y\n" + "".join(f"{i},{i * i % 7}\n" for i in range(9)))
    _, contents = written("sweep", path, "-t", "y", "--lr", "0.1", "--lr", "0.2")
    assert contents["command"]["data"] == f"gdfit {path} -t y"


def test_sentences_are_paragraphs_and_rows_of_columns_are_not(
    written: Callable[..., Any], csv_file: Callable[..., str]
) -> None:
    report, _ = written(
        csv_file("x,y,kind\n" + "".join(f"{i},{i * i % 7},{'ab.'[i % 3]}\n" for i in range(9))), "-t", "y"
    )
    paragraphs = re.findall(r"<p>(.*?)</p>", report)
    assert any(line.startswith("Baseline: kind = ") for line in paragraphs)
    assert not any("  " in line.split(": ", 1)[-1] for line in paragraphs)
