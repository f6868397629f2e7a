"""Through pyarrow JSON lines give what the careful way gives, to the last bit, or are left to that one."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdcli.api import fit_data as fit
from gdcli.base.errors import CellError, DataError
from gdcli.data.csv.chunks import Chunk
from gdcli.data.jsonl import fast as jsonfast
from gdcli.data.jsonl.source import JsonLinesBlock
from gdcli.data.table import Table

MISSING = frozenset({"NA", "", "-999"})
NUMBERS = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.just(-999)
SPELLED = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
TEXTS = st.none() | st.text(max_size=6) | st.sampled_from(["NA", " a ", "a", "1", "2020-01-01", "ü\0"])
ANYTHING = NUMBERS | TEXTS | st.booleans() | st.lists(st.integers(), max_size=1) | st.just({"x": 1})


@pytest.fixture(autouse=True)
def _also_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonfast, "LEAST_BYTES", 0)


def quick(text: bytes, names: tuple[str, ...], numeric: list[str], words: list[str]) -> Table | None:
    return jsonfast.quick_table(text, names, numeric, words, MISSING)


def careful(text: bytes, names: tuple[str, ...], numeric: list[str], words: list[str]) -> Table:
    return JsonLinesBlock(Chunk("a.jsonl", text, 1, 0), names, skip=False)._table(numeric, words, MISSING)


def agree(found: Table, other: Table) -> bool:
    """Bit by bit: also the sign of a zero."""
    return (
        (found.rows, found.skipped, found.late) == (other.rows, other.skipped, other.late)
        and all(found.numeric[name].tobytes() == other.numeric[name].tobytes() for name in other.numeric)
        and all(found.text[name].levels == other.text[name].levels for name in other.text)
        and all(np.array_equal(found.text[name].codes, other.text[name].codes) for name in other.text)
    )


def lines(*texts: str) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()


# --- what is accepted


@settings(derandomize=True, max_examples=80, deadline=None)
@given(
    st.lists(st.fixed_dictionaries({}, optional={"x": NUMBERS, "k": TEXTS, "z": ANYTHING}), min_size=1), st.booleans()
)
def test_records_are_read_to_the_same_bits_or_left_to_the_careful_way(rows: list[dict[str, Any]], plain: bool) -> None:
    text = lines(*(json.dumps(row, ensure_ascii=not plain) for row in rows))
    names = tuple(dict.fromkeys(key for row in rows for key in row))
    found = quick(text, names, [n for n in ("x",) if n in names], [n for n in ("k",) if n in names])
    if found is not None:
        assert agree(found, careful(text, names, list(found.numeric), list(found.text)))
        assert jsonfast.quick_names(text) == names


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.lists(SPELLED, min_size=1))
def test_numbers_however_spelled_are_the_nearest_floats(numbers: list[str]) -> None:
    text = lines(*(f'{{"x": {number}}}' for number in numbers))
    found = quick(text, ("x",), ["x"], [])
    expected = np.array([float(json.loads(number)) for number in numbers])
    if found is None:  # 0e400 is too big for pyarrow
        assert any(re.search(r"[eE]\+?\d{3}", number) or (number[0] == "-" and not float(number)) for number in numbers)
    else:
        assert found.numeric["x"].tobytes() == np.where(expected == -999, np.nan, expected).tobytes()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_flat_records_are_accepted(end: str, last: bool) -> None:
    text = f'{{"x": 0.1, "k": "gr\\u00f6\\u00dfer", "z": 1}}{end}{{"k": null, "x": 2}}{end if last else ""}'.encode()
    found = quick(text, ("x", "k", "z"), ["x"], ["k"])
    assert found is not None
    assert (found.rows, found.numeric["x"].tolist(), found.text["k"].levels) == (2, [0.1, 2.0], ("größer",))
    assert found.text["k"].codes.tolist() == [0, -1]


# --- what is left to the careful way


@pytest.mark.parametrize(
    "text",
    [
        lines('{"x": NaN}'),
        lines('{"x": 1}', '{"x": -Infinity}'),
        lines('{"x": 1, "z": NaN}'),
        lines('{"x": 1, "z": Infinity}'),
        lines('{"x": 1e400}'),
        lines('{"x": 1, "z": ' + "9" * 5000 + "}"),
        lines('{"x": -0}'),
        lines('{"x": "3"}'),
        lines('{"x": 3}', '{"x": "3"}'),
        lines('{"x": true}'),
        lines('{"x": 1, "x": 2}'),
        lines('{"x": 1, "\\u0078": 2}'),
        lines('{"x": 1, "z": {"x": 2}}'),
        lines('{"x": 1, "z": ' + "[" * 10**5 + "]" * 10**5 + "}"),
        lines('{"x": 1, "z": ' + '{"z": ' * 10**5 + "1" + "}" * 10**5 + "}"),
        lines('{"x": 1, "late": 2}'),
        lines('{"x": 1}', "", '{"x": 2}'),
        lines('{"x": 1}{"x": 2}', '{"x":', "3}"),
        lines('{"x": 1} {"x": 2}'),
        lines('{"x":', "3}"),
        lines('{"x": 1}', "7"),
        lines('{"x": 1}}'),
        lines('{"x": 1,}'),
        lines('{"x": 01}'),
        lines('{"x": 1} # {'),
        lines('{"x": 1, "z": "\\ud83d"}'),
        lines('{"x": 1, "z": "a\tb"}'),
        b'{"x": 1}\0\n{"x": 2}\n',
        b'{"x": 1, "z": "\xff"}\n',
        b"",
        b"\n",
    ],
)  # fmt: skip
def test_what_is_not_sure_is_left_to_the_careful_way(text: bytes) -> None:
    assert quick(text, ("x", "z"), ["x"], []) is None


def test_a_text_column_with_numbers_is_left_to_the_careful_way() -> None:
    assert quick(lines('{"k": "a"}', '{"k": 1.0}'), ("k",), [], ["k"]) is None
    assert quick(lines('{"k": true}'), ("k",), [], ["k"]) is None


# --- whole fits


def fitted(path: str, **options: Any) -> object:
    try:
        return replace(fit(path, target="y", **options), files=())
    except (CellError, DataError) as error:
        return str(error)


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize(
    "odd", ["", '{"x": "7", "y": 3, "k": "p"}', '{"x": 1, "y": [3]}', '{"x": 1, "y": 2', '{"new": 1}']
)
def test_a_fit_is_the_same_without_pyarrow(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, odd: str, jobs: int
) -> None:
    blocks_of(3000)
    random = np.random.default_rng(8)
    rows = [
        json.dumps({"x": float(x), "k": str(random.choice(["p", "q"])), "y": float(3 * x + random.normal())})
        for x in random.normal(size=300)
    ]
    path = csv_file(lines(*rows[:250], *([odd] if odd else []), *rows[250:]), "a.jsonl")
    found = [fitted(path, jobs=jobs), fitted(path, jobs=jobs, on_bad_row="skip")]
    monkeypatch.setattr(jsonfast, "_read", lambda *_: None)
    assert found == [fitted(path, jobs=jobs), fitted(path, jobs=jobs, on_bad_row="skip")]
