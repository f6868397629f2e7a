"""JSON lines give what the CSV of the same table gives; what is no table in them is refused by its line."""

import bz2
import gzip
import io
import json
import lzma
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import zstandard

from gdcli.api import fit_data as fit
from gdcli.base.errors import CellError, DataError, UsageError
from gdcli.data.csv.chunks import BLOCK_BYTES, cut
from gdcli.data.csv.dialect import Header
from gdcli.data.jsonl.source import LINES, JsonLinesBlock
from gdcli.fitting.results import Fit

ROWS: list[dict[str, Any]] = [
    {"x": 1, "kind": "a", "y": 2},
    {"y": 3.5, "x": -2.5e-1, "kind": "b"},
    {"x": "3", "kind": "größer", "y": 7},
    {"x": None, "kind": "b", "y": 5},
    {"kind": "a", "y": 1.25, "x": 4},
    {"x": 5, "y": 6},
    {"x": 7, "kind": True, "y": 4},
    {"x": 8, "kind": " a ", "y": "NA"},
    {"x": 9, "kind": False, "y": 3},
]
CSV = "x,kind,y\n1,a,2\n-0.25,b,3.5\n3,größer,7\n,b,5\n4,a,1.25\n5,,6\n7,True,4\n8, a ,NA\n9,False,3\n"


def written(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def same(result: Fit, other: Fit) -> bool:
    return replace(result, files=()) == replace(other, files=())


def many(n: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(5)
    rows: list[dict[str, Any]] = []
    for i in range(n):
        x, z = random.normal(), int(random.integers(0, 10**6))
        rows.append({"x": x, "z": z, "k": random.choice(["p", "q", "r"]), "y": 3 * x - z / 10**5 + random.normal()})
        if i % 7 == 3:
            rows[-1].pop("z")
    return rows


# --- the same as CSV


def test_objects_give_what_the_csv_of_the_same_table_gives(csv_file: Callable[..., str]) -> None:
    lines, table = csv_file(written(ROWS), "rows.jsonl"), csv_file(CSV)
    from_lines, from_table = (fit(path, target="y", iterations=9) for path in (lines, table))
    assert [c.term for c in from_lines.coefficients] == ["x", "kind[True]", "kind[a]", "kind[b]", "kind[größer]"]
    assert same(from_lines, from_table)


@pytest.mark.parametrize(
    "text",
    [
        written(ROWS).replace("\n", "\r\n"),
        "\n  \n" + written(ROWS).replace("\n", "\n\n"),
        written(ROWS).rstrip("\n"),
        "\ufeff" + written(ROWS),
        "".join(f"  {json.dumps(row)}\t\n" for row in ROWS),
        written([{"x": row.get("x"), "kind": row.get("kind"), "y": row["y"]} for row in ROWS]),
    ],
    ids=["CRLF", "blank lines", "no last line end", "byte-order mark", "blanks and escapes", "nulls"],
)
def test_how_the_lines_are_written_does_not_matter(csv_file: Callable[..., str], text: str) -> None:
    assert same(fit(csv_file(text, "b.ndjson"), target="y"), fit(csv_file(written(ROWS), "a.jsonl"), target="y"))


def test_an_encoding_is_read_as_in_csv(csv_file: Callable[..., str]) -> None:
    plain = fit(csv_file(written(ROWS)), target="y")
    assert same(fit(csv_file(written(ROWS).encode("utf-16"), "16.jsonl"), target="y"), plain)
    assert same(fit(csv_file(written(ROWS).encode("latin-1"), "1.jsonl"), target="y", encoding="latin-1"), plain)
    with pytest.raises(CellError, match=r"1.jsonl', line 3: byte 0xF6 at \d+ is not UTF-8"):
        fit(csv_file(written(ROWS).encode("latin-1"), "1.jsonl"), target="y")


def test_numbers_keep_every_bit(csv_file: Callable[..., str]) -> None:
    y = [0.1, 1 / 3, 2**53 + 1, 123456789012345678901234567890, 5e-324, 1.7976931348623157e308, -0.0]
    path = csv_file("".join(f'{{"y": {value!r}}}\n' for value in y))
    from gdcli.data.csv.options import CsvOptions
    from gdcli.data.jsonl.source import JsonLinesSource
    from gdcli.data.streams import open_stream

    (block,) = JsonLinesSource(open_stream(path), CsvOptions()).blocks()
    assert block.table(["y"], [], frozenset()).numeric["y"].tolist() == [float(value) for value in y]


def test_the_last_of_equal_keys_counts(csv_file: Callable[..., str]) -> None:
    doubled = written(ROWS).replace('{"x": 1,', '{"x": 99, "x": 1,')
    assert same(fit(csv_file(doubled, "b.jsonl"), target="y"), fit(csv_file(written(ROWS), "a.jsonl"), target="y"))


def test_words_and_numbers_that_mean_missing_are_those_of_the_options(csv_file: Callable[..., str]) -> None:
    rows = [{"x": 1, "y": 1}, {"x": -999, "y": 2}, {"x": "?", "y": 3}, {"x": 4, "y": 9}, {"x": "-999.0", "y": 3}]
    result = fit(csv_file(written(rows)), target="y", na=("?", "-999"))
    assert (result.rows.used, dict(result.rows.dropped_by_column)) == (2, {"x": 3})


# --- blocks, threads, compression


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


def test_blocks_threads_and_compression_change_no_bit(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks_of(5000)
    rows = many(900)
    text = written(rows).encode()
    expected = fit(csv_file(text, "plain.jsonl"), target="y", jobs=1)
    for name, compress in COMPRESSORS.items():
        assert same(fit(csv_file(compress(text), f"x.{name}"), target="y", jobs=3), expected)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(compress(text))))
        assert same(fit("-", target="y", jobs=2), expected)
    used = [row for row in rows if "z" in row]
    X = np.array([[row["x"], row["z"], row["k"] == "q", row["k"] == "r", 1.0] for row in used])
    solution, *_ = np.linalg.lstsq(X, np.array([row["y"] for row in used]), rcond=None)
    found = [*(c.optimum for c in expected.coefficients), expected.intercept.optimum]  # type: ignore[union-attr]
    terms = [c.term for c in expected.coefficients]
    assert terms == ["x", "z", "k[q]", "k[r]"]
    assert found == pytest.approx(solution.tolist(), rel=1e-9)


# --- columns that come late


def test_a_block_that_is_full_to_the_byte_may_be_followed_by_another() -> None:
    line = b'{"x": 1, "y": 2}\n'
    first = line.rjust(BLOCK_BYTES)
    for text, sizes in ((first + line, [BLOCK_BYTES, len(line)]), (first[1:], [BLOCK_BYTES - 1])):
        chunks = [*cut(io.BytesIO(text), "x.jsonl", Header(LINES, b"", b"", 0, 0))]
        assert [len(chunk.text) for chunk in chunks] == sizes
        assert JsonLinesBlock(chunks[0], ("x", "y"), skip=False).whole == (len(chunks) == 1)


def test_a_key_that_comes_late_is_an_error_unless_the_columns_are_chosen(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None]
) -> None:
    blocks_of(2000)
    rows = many(300)
    early = fit(csv_file(written(rows), "a.jsonl"), target="y", features=("x", "z"))
    rows[217]["new"] = 5
    path = csv_file(written(rows), "b.jsonl")
    with pytest.raises(CellError, match=r"b.jsonl', line 218: the column 'new' begins here.*--feature"):
        fit(path, target="y")
    assert same(fit(path, target="y", features=("x", "z")), early)


def test_a_key_that_comes_within_the_first_block_is_a_column_like_any_other(csv_file: Callable[..., str]) -> None:
    rows = [{"y": i, "x": i * i} for i in range(6)]
    rows[4]["late"] = rows[5]["late"] = 1
    assert fit(csv_file(written(rows)), target="y").rows.used == 2


# --- what is refused


WRONG = {
    "cut off": ('{"x": 1, "y": 2}\n{"x": 1, "y"\n', "line 2: broken JSON: expecting ':' delimiter at character 13"),
    "over several lines": ('{\n "x": 1,\n "y": 2\n}\n', "line 1: broken JSON: .* an object on each line is wanted"),
    "two on a line": ('{"x": 1, "y": 2}\n\n{"x": 1} {"x": 2}', "line 3: more follows after the value at character 9"),
    "a list": ('{"x": 1, "y": 2}\n[1, 2]\n', "line 2: this is no object"),
    "a bare number": ('{"x": 1, "y": 2}\n17\n', "line 2: this is no object"),
    "NaN": ('{"x": 1, "y": 2}\n{"x": NaN, "y": 1}\n', "line 2: there is NaN, which is not JSON: null is"),
    "Infinity": ('{"x": 1, "y": 2}\n{"x": -Infinity, "y": 1}\n', "line 2: there is -Infinity"),
    "too large a number": ('{"x": 1, "y": 2}\n{"x": 1e999, "y": 1}\n', "line 2, column 'x': the value 'inf' is infin"),
    "thousands of digits": (f'{{"x": 1, "y": 2}}\n{{"x": {"9" * 5000}}}\n', r"line 2: exceeds the limit \(4300 digits"),
    "a list in a cell": ('{"x": 1, "y": 2}\n{"x": [], "y": 1}', "line 2, column 'x': there is a list.*--exclude x"),
    "an object in a cell": ('{"x": 1, "y": 2}\n{"x": {"a": 1}, "y": 1}', "line 2, column 'x': there is an object"),
    "deep nesting": ('{"x": 1, "y": 2}\n{"x": ' + "[" * 200_000, "line 2: the JSON is nested too deeply"),
    "half a character": (r'{"x": "\ud800", "y": 2}', "line 1, column 'x': .* holds half a character"),
    "text among numbers": (
        '{"x":1,"y":2}\n{"x":2,"y":2}\n{"x":"b","y":1}',
        "line 3, column 'x': 'b' is not a num.*--na",
    ),
    "true among numbers": ('{"x":1,"y":2}\n{"x":2,"y":2}\n{"x":true,"y":1}', "column 'x': 'True' is not a number"),
    "an array": ('[{"x": 1, "y": 2}]', r"is a JSON array: .*jq -c '.\[\]'"),
    "an array of lines": ('\n[\n{"x": 1, "y": 2},\n{"x": 1, "y": 2}\n]', "is a JSON array"),
    "an empty array": ("[]", "is a JSON array"),
    "a raw line end in a text": ('{"x": 1, "y": 2}\n{"x": "a\nb", "y": 2}', "line 2: broken JSON: unterminated string"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_what_is_no_table_is_refused_by_its_line(csv_file: Callable[..., str], text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        fit(csv_file(text), target="y")


def test_a_nested_value_in_a_column_that_is_not_used_does_no_harm(csv_file: Callable[..., str]) -> None:
    rows = [row | {"deep": {"a": [1, 2]}} for row in ROWS]
    path = csv_file(written(rows), "deep.jsonl")
    assert same(fit(path, target="y", exclude="deep"), fit(csv_file(written(ROWS), "flat.jsonl"), target="y"))


def test_bad_lines_are_skipped_and_counted_when_asked_for(
    gdfit: Callable[..., Any], csv_file: Callable[..., str]
) -> None:
    good = [{"x": i, "y": i * i, "k": "ab"[i % 2]} for i in range(20)]
    lines = written(good).splitlines()
    lines[3:3] = ['{"x": 1, "y":', '{"x": "oops", "y": 1, "k": "a"}', "[]", '{"x": 1, "y": 1, "k": {}}']
    path = csv_file("\n".join(lines), "bad.jsonl")
    done = gdfit(path, "-t", "y", "--on-bad-row", "skip", "--format", "json")
    clean = gdfit(csv_file(written(good), "good.jsonl"), "-t", "y", "--format", "json")
    assert done.code == 0
    found, expected = json.loads(done.out), json.loads(clean.out)
    assert found["rows"] == {"read": 20, "used": 20, "dropped": 0, "dropped_by_column": {}, "skipped": 4, "filled": {}}
    assert found["coefficients"] == expected["coefficients"]
    assert "skipped 4 bad rows: " in done.err
    assert "line 4: broken JSON" in done.err
    assert "line 5, column 'x': 'oops' is not a number" in done.err


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("--comment", "#"), "--comment"),
        (("--no-header",), "--no-header"),
        (("--skip-rows", "1"), "--skip-rows"),
        (("--decimal", ","), "--decimal"),
        (("--thousands", ","), "--thousands"),
        (("--quotechar", "'"), "--quotechar"),
    ],
)
def test_options_for_csv_text_are_wrong_usage(
    gdfit: Callable[..., Any], csv_file: Callable[..., str], words: tuple[str, ...], name: str
) -> None:
    path = csv_file(written(ROWS), "rows.jsonl")
    done = gdfit(path, "-t", "y", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"Error: '{path}' is JSON lines, where {name} means nothing: leave it out\n"
    with pytest.raises(UsageError, match="JSON lines"):
        fit(path, target="y", decimal=",")


def test_numbers_as_they_are_written_elsewhere_are_no_advice_to_use_options_for_csv(
    csv_file: Callable[..., str],
) -> None:
    path = csv_file('{"x": "1,5", "y": 1}\n{"x": "2,5", "y": 3}\n{"x": "3,5", "y": 4}\n')
    with pytest.raises(DataError, match=r"'1,5' looks like a number, but is a text: ") as caught:
        fit(path, target="y")
    assert "--decimal" not in str(caught.value)
    assert fit(path, target="y", categorical="x").rows.used == 3


def test_a_csv_header_that_begins_with_a_bracket_stays_csv(csv_file: Callable[..., str]) -> None:
    assert fit(csv_file("[x],[y]\n1,2\n2,3\n3,5\n"), target="[y]").features == ("[x]",)


# --- among other inputs, and on other commands


def test_json_lines_and_csv_are_read_together(csv_file: Callable[..., str]) -> None:
    half, rest = (
        csv_file(written(ROWS[:4])),
        csv_file("y,kind,x\n" + "1.25,a,4\n6,,5\n4,True,7\nNA,a,8\n3,False,9\n", "b.csv"),
    )
    both = fit([half, rest], target="y", iterations=5)
    whole = fit(csv_file(CSV, "whole.csv"), target="y", iterations=5)
    assert both.rows == whole.rows
    assert [c.optimum for c in both.coefficients] == pytest.approx([c.optimum for c in whole.coefficients], rel=1e-12)
    with pytest.raises(DataError, match=r"c.jsonl' lacks kind, unlike"):
        fit([half, csv_file('{"x": 1, "y": 2}', "c.jsonl")], target="y")


@pytest.fixture
def model(gdfit: Callable[..., Any], csv_file: Callable[..., str]) -> str:
    """A model of y = 2x + 1."""
    path = csv_file("x,y\n0,1\n1,3\n2,5\n", "line.csv")
    saved = path.replace("line.csv", "line.json")
    assert gdfit(path, "-t", "y", "--optimizer", "newton", "-n", 1, "--save", saved, "-q").code == 0
    return saved


def test_predict_adds_a_key_to_each_line_and_changes_nothing_else(
    gdfit: Callable[..., Any], csv_file: Callable[..., str], model: str
) -> None:
    text = '{"x":1,"more":{"a":[1,2]}}\n\n  { "x" : 2.50 , "ü": "\\u00fc" }\t\r\n{"x":null}\n{}\n{"x":"3","late":1}'
    done = gdfit("predict", model, csv_file(text, "new.jsonl"))
    assert done.code == 0
    assert "2 of 5 rows could not be predicted ('x' 2)" in done.err
    lines = done.out.splitlines()
    assert [line.partition(', "y_predicted"')[0] for line in lines] == [
        '{"x":1,"more":{"a":[1,2]}',
        '{ "x" : 2.50 , "ü": "\\u00fc"',
        '{"x":null',
        '{"y_predicted": null}',
        '{"x":"3","late":1',
    ]
    found = [json.loads(line)["y_predicted"] for line in lines]
    assert [value is None for value in found] == [False, False, True, True, False]
    assert [found[0], found[1], found[4]] == pytest.approx([3, 6, 7], rel=1e-12)
    only = gdfit("predict", model, csv_file(text, "new.jsonl"), "--only", "--column", 'a"b')
    assert [json.loads(line) for line in only.out.splitlines()] == [{'a"b': value} for value in found]


def test_predict_leaves_out_lines_that_are_no_objects_when_asked_for(
    gdfit: Callable[..., Any], csv_file: Callable[..., str], model: str
) -> None:
    path = csv_file('{"x": 1}\nbroken\n{"x": "no number"}\n{"x": 2}\n')
    done = gdfit("predict", model, path, "--on-bad-row", "skip")
    assert [json.loads(line)["x"] for line in done.out.splitlines()] == [1, "no number", 2]
    assert "skipped 1 bad row" in done.err
    assert gdfit("predict", model, path).code == 1


def test_predict_refuses_a_key_that_is_there_and_a_mixture_of_forms(
    gdfit: Callable[..., Any], csv_file: Callable[..., str], model: str
) -> None:
    lines, table = csv_file('{"x": 1, "y_predicted": 2}', "a.jsonl"), csv_file("x\n1\n", "b.csv")
    assert "has a column 'y_predicted' already" in gdfit("predict", model, lines).err
    done = gdfit("predict", model, table, csv_file('{"x": 1}', "a.jsonl"))
    assert done.code == 1
    assert "a.jsonl' is JSON lines and" in done.err


def test_columns_are_completed_from_the_first_lines(
    gdfit: Callable[..., Any], csv_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = csv_file(written(ROWS) + '{"more": 1}\n{"cut": 1, "off')
    monkeypatch.setenv("_GDFIT_COMPLETE", "zsh")
    names = [line.split("\t")[1] for line in gdfit(path, "-t", "").out.splitlines()]
    assert names == ["x", "kind", "y", "more"]
