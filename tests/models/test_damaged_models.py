"""Models with a value that is wrong, or that is not there: read or refused, never a fault of gdfit's."""

import copy
import json
import random
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gdcli.base.errors import DataError
from gdcli.base.schema import parse_json
from tests.conftest import Done

VALUES = [
    "x", "", "nan", "1e3", "\x00", True, None, -1, 0, 0.5, 1e308, 2**63, 10**400, float("nan"), [], {}, [1], [[1]],
    ["x", "x"], {"a": 1},
]  # fmt: skip

KINDS = {
    "gradient descent": [],
    "momentum": ["--optimizer", "momentum"],
    "batches": ["--batch-size", "4"],
    "groups": ["--by", "group"],
}

COMMANDS = [
    "data.csv --resume damaged.json -n 3", "predict damaged.json data.csv", "score damaged.json data.csv",
    "export damaged.json --to sql",
]  # fmt: skip

CASES = 40

Place = tuple[str | int, ...]


def places(value: Any, above: Place = ()) -> Iterator[Place]:
    """The way to each value within a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*above, key)
        yield from places(inner, (*above, key))


def damage(document: Any, draw: random.Random) -> tuple[Any, str]:
    """The document with another value in one place, or nothing there; and what was done, as text."""
    damaged = copy.deepcopy(document)
    *above, last = draw.choice(list(places(document)))
    node = damaged
    for key in above:
        node = node[key]
    if draw.random() < 0.1:
        del node[last]
        return damaged, f"no {above} {last}"
    node[last] = draw.choice(VALUES)
    return damaged, f"{above} {last}: {str(node[last])[:20]!r}"


@pytest.mark.parametrize("kind", KINDS)
def test_no_damage_to_a_model_is_a_fault_of_gdfits(
    gdfit: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{i},{'ab'[i % 2]},{'pq'[i // 2 % 2]},{2 * i + (i * 7 % 5) / 10}\n" for i in range(12))
    Path("data.csv").write_text(f"size,kind,group,y\n{rows}")
    words = ["data.csv", "-t", "y", "-x", "size", *([] if kind == "groups" else ["-x", "kind"]), *KINDS[kind]]
    assert gdfit(*words, "-n", "20", "-q", "--save", "model.json").code == 0
    document = json.loads(Path("model.json").read_text())
    draw, refused = random.Random(kind), 0
    for _ in range(CASES):
        damaged, what = damage(document, draw)
        Path("damaged.json").write_text(json.dumps(damaged))
        for command in (COMMANDS[0], draw.choice(COMMANDS[1:])):
            done = gdfit(*command.split(), "-q")
            assert done.code in (0, 1, 2, 3, 4), (what, command)
            assert "fault in gdfit" not in done.err, (what, command, done.err)
            assert done.err.count("\n") <= 5, (what, command, done.err)
            refused += done.code == 1
    assert refused > CASES / 2


@pytest.mark.parametrize("value", [b"[]", b'{"":[]}', b"[[[[]]]]", b"1,1,1,1"])
def test_more_values_than_any_model_has_are_refused_before_they_take_memory(value: bytes) -> None:
    document = b'{"schema": "gdfit.model/1", "x": [' + (value + b",") * (1 << 22) + b"0]}"
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="no model has so many values"):
            parse_json(document, "m.json", "model")
        assert tracemalloc.get_traced_memory()[1] < len(document)
    finally:
        tracemalloc.stop()
