"""Records as JSON and back: what a file says wrongly is named by its path."""

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

import pytest

from gdcli.base.records import field, record
from gdcli.base.schema import dumps, from_json, to_json


class Kind(Enum):
    SMALL = "small"
    LARGE = "large"


class Part(NamedTuple):
    name: str
    size: int
    weight: float | None = None


@record
class Whole:
    parts: tuple[Part, ...]
    pair: tuple[str, float]
    kind: Kind
    sure: bool
    by_name: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


WHOLE = Whole((Part("a", 1), Part("b", 2, 0.1)), ("x", 1.0), Kind.LARGE, True, {"m": (0.1, 2.0)})


def test_a_record_comes_back_from_its_json_as_it_was() -> None:
    assert from_json(Whole, json.loads(dumps(to_json(WHOLE)))) == WHOLE


def test_a_field_with_a_default_may_be_missing_and_other_keys_are_ignored() -> None:
    content = to_json(WHOLE)
    del content["by_name"], content["parts"][1]["weight"]
    content["later"] = 5
    assert from_json(Whole, content) == Whole((Part("a", 1), Part("b", 2)), ("x", 1.0), Kind.LARGE, True)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_has_not_is_neither_written_nor_read(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps(to_json(Part("a", 1, number)))
    with pytest.raises(ValueError, match=r"^weight is not a number$"):
        from_json(Part, {"name": "a", "size": 1, "weight": number})


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_result_has_null_where_a_number_is_not_finite(number: float) -> None:
    result = {"parts": (Part("a", 1, number),), "kind": Kind.LARGE, "numbers": {"x": number, "y": 0.5}}
    assert to_json(result, nulls=True) == {
        "parts": [{"name": "a", "size": 1, "weight": None}],
        "kind": Kind.LARGE.value,
        "numbers": {"x": None, "y": 0.5},
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parts": 5}, "parts is not a list"),
        ({"parts": [5]}, "parts[0] is not an object"),
        ({"parts": [{"name": "a", "size": 1}, {"name": "b"}]}, "'parts[1].size' is missing"),
        ({"parts": [{"name": "a", "size": True}]}, "parts[0].size is not a count"),
        ({"parts": [{"name": "a", "size": -1}]}, "parts[0].size is not a count"),
        ({"pair": ["x"]}, "pair has the wrong size"),
        ({"pair": [1, 1]}, "pair[0] is not a text"),
        ({"kind": "huge"}, "'huge' is not a valid Kind"),
        ({"sure": 1}, "sure is not true or false"),
        ({"by_name": {"m\x1b": ["1"]}}, "by_name['m\\x1b'][0] is not a number"),
        ({"by_name": []}, "by_name is not an object"),
    ],
)
def test_a_wrong_value_is_named_by_its_path(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the message is compared below)
        from_json(Whole, to_json(WHOLE) | change)
    assert str(error.value) == message
