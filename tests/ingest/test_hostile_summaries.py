"""Broken, truncated, foreign and hostile summaries are refused with a message; nothing in them is executed."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gdcli import fit, summarize
from gdcli.base.errors import DataError, GdfitError
from gdcli.ingest.summary import load_summary, summary_as_json

DROP = object()


@pytest.fixture
def content(table: Callable[..., str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(summary_as_json(summarize(table(rows=20, missing=True))))
    return document


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., str]:
    """Fit a file of this content and return the message of the refusal."""

    def check(text: str | bytes) -> str:
        path = tmp_path / "s.json"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(DataError) as caught:
            fit(path, target="price", iterations=3)
        message = str(caught.value)
        assert "s.json" in message
        assert message.isprintable()
        assert len(message) < 1000
        return message

    return check


def test_every_truncation_is_refused(content: dict[str, Any], refused: Callable[..., str]) -> None:
    text = json.dumps(content)
    for length in range(40, len(text), 97):
        assert "is not a gdfit summary: it is not complete JSON" in refused(text[:length])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "gdfit.summary/2"}, "is not a gdfit summary (gdfit.summary/1): it says 'gdfit.summary/2'"),
        ({"schema": "gdfit.model/1"}, "is a gdfit model, not data; to use it: gdfit predict"),
        ({"schema": "gdfit.summary/\x1b[31m"}, "it says 'gdfit.summary/\\x1b[31m'"),
        ({"columns": DROP}, "is damaged or was edited by hand: 'columns' is missing"),
        ({"columns": []}, "the columns of the triangle are not those of the summary"),
        ({"columns": 5}, "damaged"),
        ({"columns": [{"name": 5, "kind": "numeric"}]}, "columns[0].name is not a text"),
        ({"files": "a.csv"}, "files is not a list"),
        ({"weights": 5}, "weights is not a text"),
        ({"rows": []}, "damaged"),
        ({"rows.read": -1}, "rows.read is not a count"),
        ({"rows.used": 1.5}, "rows.used is not a count"),
        ({"rows.dropped_by_column": {"x": True}}, "rows.dropped_by_column['x'] is not a count"),
        ({"triangle": None}, "damaged"),
        ({"triangle.count": 0}, "the counts of the rows do not fit each other"),
        ({"triangle.maximum": [0.0] * 7}, "the numbers of 'when' contradict each other"),
        ({"rows.read": 3}, "the counts of the rows do not fit each other"),
        ({"triangle.count": True}, "count is not a count"),
        ({"triangle.weight": -5}, "the counts do not fit the triangle"),
        ({"triangle.weight": "5"}, "weight is not a number"),
        ({"triangle.weight": 1e300}, "the counts do not fit the triangle"),
        ({"triangle.R": DROP}, "'triangle.R' is missing"),
        ({"triangle.R": [[1.0]]}, "R has the wrong size"),
        ({"triangle.R": [[1.0]] * 8}, "R has the wrong size"),
        ({"triangle.R_rounding": "x"}, "triangle.R_rounding is not a list"),
        ({"triangle.shift": [1.0]}, "shift has the wrong size"),
        ({"triangle.shift": ["__import__('os')"] * 7}, "shift is not a number"),
        ({"triangle.minimum": [None] * 7}, "minimum is not a number"),
        ({"triangle.columns": [["when", None]] * 7}, "the columns of the triangle are not those of the summary"),
        ({"triangle.columns": "abc"}, "damaged"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    content: dict[str, Any], refused: Callable[..., str], change: dict[str, Any], message: str
) -> None:
    for path, value in change.items():
        *above, last = path.split(".")
        place = content
        for name in above:
            place = place[name]
        if value is DROP:
            del place[last]
        else:
            place[last] = value
    assert message in refused(json.dumps(content))


def test_a_number_that_is_none_is_refused(content: dict[str, Any], refused: Callable[..., str]) -> None:
    for odd in ("NaN", "Infinity", "-Infinity", "1e999"):
        content["triangle"]["R"][1][0] = "ODD"
        text = json.dumps(content).replace('"ODD"', odd)
        assert "not complete JSON" in refused(text) or "triangle.R[1] is not a number" in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        b'{"schema": "gdfit.summary/1", \xff\xfe}',
        '{"schema": "gdfit.summary/1", "deep": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"schema": "gdfit.summary/1", "n": ' + "9" * 5000 + "}",
        '{"schema": "gdfit.summary/1"} trailing',
        '{"schema": "gdfit.summary/1"}',
    ],
    ids=["no UTF-8", "deep", "long number", "trailing", "empty"],
)
def test_hostile_json_is_refused(refused: Callable[..., str], text: str | bytes) -> None:
    refused(text)


def changes(value: Any) -> Iterator[Any]:
    """Return copies of a document in each of which one value is another one."""
    others = [None, True, -1, 0, 1e308, -1e308, 5e-324, 10**400, "x", [], {}, [[]]]
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                walk(node[key])

    walk(value)
    for node, key in places:
        kept = node[key]
        for other in others:
            node[key] = other
            yield copy.deepcopy(value)
        node[key] = kept


def test_whatever_value_is_changed_the_file_is_refused_or_fitted(table: Callable[..., str]) -> None:
    small = json.loads(summary_as_json(summarize(table(rows=6, levels="ab"), features=["size", "kind", "price"])))
    refusals = fitted = 0
    for document in changes(small):
        data = json.dumps(document).encode()
        if b'"gdfit.summary/1"' not in data[:200]:
            continue
        try:
            summary = load_summary(data, "s.json")
            fit(summary, target="price", iterations=3)
            fitted += 1
        except GdfitError as error:
            message = str(error)
            refusals += 1
        else:
            continue
        assert message.isprintable() or "\n" in message
    assert refusals > 500
    assert fitted > 10
