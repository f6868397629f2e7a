"""``export``: the expressions are run, in SQLite, Python and Miller, and give what ``predict`` gives."""

import csv
import io
import json
import math
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from gdcli.errors import DataError
from gdcli.exporting import EXPORTERS, as_miller, as_python, as_sql
from gdcli.model import Model

needs_miller = pytest.mark.skipif(shutil.which("mlr") is None, reason="Miller (mlr) is not installed")

# Columns and texts that each language has to quote in its own way.
ODD = {
    "living area": 0.1,
    'say "hi"': -2.25,
    "it's": 1e-17,
    "größe µ²": 3.0000000000000004,
    "na}me {x": 1e20,
    "back\\slash\\t": -0.3,
    "select": 7.0,
    "50%$": 1.5,
    "a,b;c": -1.0,
    "type": {"Condo": 0.0, "O'Hara": 12.5, 'the "Villa"': -3.75, "größer": 0.1, "a\\b\\n": 4.0, "; DROP TABLE t": -8.0},
    "zip code": {"01": 0.0, "1": 2.0, "1.0": -4.0, "1e0": 8.0},
}
NUMBERS = [name for name, slope in ODD.items() if isinstance(slope, float)]
ROWS = [
    {
        **{name: (i * 7.13 - 20.0) * (j + 1) if (i + j) % 5 else float(i - j) for j, name in enumerate(NUMBERS)},
        "type": list(ODD["type"])[i % 6],
        "zip code": list(ODD["zip code"])[i % 4],
    }
    for i in range(24)
]


@pytest.fixture
def odd_model(make_model: Callable[..., Model]) -> Model:
    return make_model(ODD, intercept=-1234.5678901234567)


def as_csv(rows: list[dict[str, Any]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def sqlite(model: Model, rows: list[dict[str, Any]]) -> list[float | None]:
    database = sqlite3.connect(":memory:")
    texts = {name for name, slope in ODD.items() if isinstance(slope, Mapping)}
    columns = ['"' + name.replace('"', '""') + ('" TEXT' if name in texts else '" REAL') for name in rows[0]]
    database.execute(f"CREATE TABLE t ({', '.join(columns)})")
    marks = ", ".join("?" * len(columns))
    database.executemany(f"INSERT INTO t VALUES ({marks})", [list(row.values()) for row in rows])
    found = [value for (value,) in database.execute(f"SELECT {as_sql(model)} FROM t ORDER BY rowid")]
    database.close()
    return found


def python(model: Model, rows: list[dict[str, Any]]) -> list[float | None]:
    expression = compile(as_python(model), "model", "eval")
    found = [eval(expression, {"row": row}) for row in rows]
    return [None if math.isnan(value) else value for value in found]


def miller(model: Model, rows: list[dict[str, Any]], *options: str) -> list[float | None]:
    program = f'$predicted = {as_miller(model)}; $* = {{"predicted": $predicted}}'
    done = subprocess.run(
        ["mlr", "--icsv", "--ocsv", "--headerless-csv-output", *options, "put", program],
        input=as_csv(rows).encode(), capture_output=True, check=True,
    )  # fmt: skip
    # A cell that says NaN is a number to Miller, and gives NaN.
    return [float(line) if line not in ("", "NaN") else None for line in done.stdout.decode().splitlines()]


RUNNERS = [
    pytest.param(sqlite, id="sql"),
    pytest.param(python, id="python"),
    pytest.param(miller, id="mlr", marks=needs_miller),
]


def predictions(model: Model, rows: list[dict[str, Any]], predicted: Callable[..., Any]) -> list[float | None]:
    lines = predicted(model, as_csv(rows), only=True).text.decode().splitlines()[1:]
    return [None if line == '""' else float(line) for line in lines]


def by_hand(row: Mapping[str, Any]) -> float:
    total = -1234.5678901234567
    for name, slope in ODD.items():
        total += slope[row[name]] if isinstance(slope, Mapping) else slope * row[name]
    return total


@pytest.mark.parametrize("run", RUNNERS)
def test_an_expression_gives_the_predictions(
    run: Callable[..., list[float]], odd_model: Model, predicted: Callable[..., Any]
) -> None:
    found, expected = run(odd_model, ROWS), predictions(odd_model, ROWS, predicted)
    assert expected == [by_hand(row) for row in ROWS]
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("run", RUNNERS)
def test_what_has_no_prediction_has_none_in_any_language(
    run: Callable[..., list[float | None]], odd_model: Model, predicted: Callable[..., Any]
) -> None:
    lacking: list[tuple[str, Any]] = [(name, None) for name in ODD]
    lacking += [("type", "condo"), ("type", "Hut"), ("zip code", "01.0"), ("zip code", "2")]
    rows = [ROWS[1], *({**ROWS[1], name: cell} for name, cell in lacking)]
    expected = predictions(odd_model, rows, predicted)
    assert expected[0] is not None
    assert expected[1:] == [None] * len(lacking)
    assert run(odd_model, rows)[1:] == expected[1:]


@pytest.mark.parametrize("run", RUNNERS)
def test_a_number_that_means_missing_gives_none(
    run: Callable[..., list[float | None]], make_model: Callable[..., Model], predicted: Callable[..., Any]
) -> None:
    model = make_model({"x": 2.0, "z": 1.0}, words=["", "-999", "0"])
    rows = [{"x": x, "z": z} for x in (1.0, -999.0, 0.0) for z in (5.0, -999.0)]
    expected = predictions(model, rows, predicted)
    assert expected == [8.5, None, None, None, None, None]
    assert run(model, rows) == expected


@pytest.mark.parametrize("run", [RUNNERS[1], RUNNERS[2]])
def test_languages_of_text_read_cells_as_predict_does(
    run: Callable[..., list[float | None]], make_model: Callable[..., Model], predicted: Callable[..., Any]
) -> None:
    model = make_model({"x": 2.0, "kind": {"a": 0.0, "b": 1.0}})
    rows = [{"x": x, "kind": " b "} for x in ("1", " 2.5 ", "+3", "-007", "1e2", ".5", "NA", "nan", "")]
    expected = predictions(model, rows, predicted)
    assert expected == [4.5, 7.5, 8.5, -11.5, 202.5, 3.5, None, None, None]
    assert run(model, rows) == expected


@needs_miller
def test_miller_reads_tab_separated_files_and_says_nothing_for_a_field_that_is_not_there(
    make_model: Callable[..., Model], tmp_path: Path
) -> None:
    path = tmp_path / "data.tsv"
    path.write_text("y\tx\n1\t2\n")
    for columns, expected in (({"x": 2.0}, "5.5\n"), ({"x": 2.0, "gone": 1.0}, "\n")):
        program = f"print {as_miller(make_model(columns))}"
        done = subprocess.run(["mlr", "--itsv", "--ocsv", "put", "-q", program, path], capture_output=True, check=True)
        assert done.stdout.decode() == expected


@pytest.mark.parametrize("run", RUNNERS)
def test_a_model_without_intercept_begins_with_its_first_term(
    run: Callable[..., list[float]], make_model: Callable[..., Model]
) -> None:
    for slopes in ({"x": -2.0, "z": 0.5}, {"z": -0.5}):
        model = make_model(slopes, intercept=None)
        rows = [{"x": 3.0, "z": 4.0}]
        assert run(model, rows) == [sum(slope * rows[0][name] for name, slope in slopes.items())]


@pytest.mark.parametrize("run", RUNNERS)
def test_a_model_without_features_is_its_intercept(
    run: Callable[..., list[float]], make_model: Callable[..., Model]
) -> None:
    assert run(make_model({}, intercept=-2.5), [{"x": 1.0}]) == [-2.5]


def test_expressions_are_short_where_names_are_plain(make_model: Callable[..., Model]) -> None:
    model = make_model({"sqft": 2.0, "beds": -0.5, "type": {"a": 0.0, "b": 1e16}})
    assert as_sql(model) == (
        '1.5e0 + 2.0e0 * "sqft" - 0.5e0 * "beds" + CASE "type" WHEN \'a\' THEN 0.0e0 WHEN \'b\' THEN 1e+16 END'
    )
    assert as_miller(model) == (
        '1.5 + 2.0 * (is_numeric(float(strip(${sqft}))) ? float(strip(${sqft})) : "")'
        ' - 0.5 * (is_numeric(float(strip(${beds}))) ? float(strip(${beds})) : "")'
        ' + (strip(${type}) == "a" ? 0.0 : strip(${type}) == "b" ? 1e+16 : "")'
    )
    assert as_python(model) == (
        "1.5 + 2.0 * float('nan' if row['sqft'] in (missing := {None, '', 'NA', 'NaN', 'nan', 'null'})"
        " else row['sqft'])"
        " - 0.5 * float('nan' if row['beds'] in missing else row['beds'])"
        " + {'a': 0.0, 'b': 1e+16}.get(str(row['type']).strip(), float('nan'))"
    )


HOSTILE = "'] + __import__('os').system('touch pwned') + row['"


def test_a_name_is_never_code(make_model: Callable[..., Model], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    model = make_model({HOSTILE: 2.0, "t": {HOSTILE: 1.0, "x": 0.0}}, words=["", HOSTILE + "!"])
    assert python(model, [{HOSTILE: 3, "t": HOSTILE}]) == [1.5 + 6.0 + 1.0]
    assert not Path("pwned").exists()


@needs_miller
def test_a_name_is_never_code_for_miller(make_model: Callable[..., Model], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    names = ['x"] . system("touch pwned") . $*["', '${x} . system("touch pwned")', "\\", '\\"', "\\1 \\. \\t", "é\t\n"]
    model = make_model({name: float(i + 1) for i, name in enumerate(names)}, intercept=None)
    assert miller(model, [{name: 10.0**i for i, name in enumerate(names)}]) == [654321.0]
    levels = make_model({"t": {name: float(i + 1) for i, name in enumerate(names)}}, intercept=0.0)
    assert miller(levels, [{"t": name} for name in names[:-1]]) == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert not Path("pwned").exists()


@needs_miller
def test_every_printable_ascii_character_can_stand_in_a_name(make_model: Callable[..., Model]) -> None:
    names = [f"a{chr(code)}b" for code in range(32, 127)]
    for name in names:
        model = make_model({name: 2.0, "t": {name: 1.0, "x": 0.0}})
        assert miller(model, [{name: 3.0, "t": name}]) == [8.5], name


@pytest.mark.parametrize(
    ("language", "name"), [("sql", "a\0b"), ("mlr", "a\x01b"), ("sql", "\udcff"), ("mlr", "\udcff")]
)
def test_a_name_that_a_language_cannot_hold_is_refused(
    language: str, name: str, make_model: Callable[..., Model]
) -> None:
    for slopes in ({name: 1.0}, {"t": {name: 1.0}}):
        with pytest.raises(DataError, match="has no way to write"):
            EXPORTERS[language](make_model(slopes))


def test_export_writes_the_expression_alone(shell: Callable[..., Any], model_file: Callable[..., str]) -> None:
    model_file({"x": 2.0})
    expected = '1.5e0 + 2.0e0 * "x"\n'
    assert shell("gdfit export model.json --to sql") == (0, expected, "")
    assert shell("gdfit export model.json --to sql -o model.sql && cat model.sql") == (0, expected, "")
    done = shell("""sqlite3() { "$PYTHON" -c 'import sqlite3, sys
print(sqlite3.connect(":memory:").execute(sys.argv[1]).fetchone()[0])' "$1"; }
sqlite3 "SELECT $(gdfit export model.json --to sql) FROM (SELECT 3 AS x)" """)
    assert done == (0, "7.5\n", "")


@pytest.mark.parametrize(
    ("options", "message"), [("--to fortran", "'fortran' is not one of"), ("", "Missing option '--to'")]
)
def test_a_language_has_to_be_one_of_three(
    options: str, message: str, shell: Callable[..., Any], model_file: Callable[..., str]
) -> None:
    model_file({"x": 2.0})
    done = shell(f"gdfit export model.json {options}")
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_the_output_of_an_export_cannot_be_the_model(shell: Callable[..., Any], model_file: Callable[..., str]) -> None:
    path = Path(model_file({"x": 2.0}))
    done = shell("gdfit export model.json --to sql -o model.json")
    assert (done.code, done.out) == (2, "")
    assert "--output model.json would overwrite an input." in done.err
    assert json.loads(path.read_text())["schema"] == "gdfit.model/1"
