"""``export``: the expressions are run, in SQLite, Python and Miller, and give what ``predict`` gives."""

import json
import math
import random
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gdcli.base.errors import DataError
from gdcli.engine.losses import LOSSES
from gdcli.models.export import EXPORTERS, as_miller, as_python
from gdcli.models.model import Model
from gdcli.models.model_file import model_of
from gdcli.models.sql_export import as_sql
from tests.models.engines import (
    NUMBER,
    EngineError,
    Run,
    as_csv,
    duckdb,
    mariadb,
    mariadb_run,
    miller,
    needs_miller,
    postgres,
    postgres_run,
    python,
    sqlite,
)  # fmt: skip
from tests.models.handwritten import model_content

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


@pytest.fixture(scope="session")
def psql() -> Iterator[Callable[[str], str]]:
    with postgres() as run:
        yield run


@pytest.fixture(scope="session")
def mysql() -> Iterator[Callable[[str], str]]:
    with mariadb() as run:
        yield run


ENGINES = (
    "python", pytest.param("mlr", marks=needs_miller), "sql:sqlite", "sql:duckdb", "sql:postgres", "sql:mysql",
)  # fmt: skip
TYPED = ("sql:duckdb", "sql:postgres")


@pytest.fixture(params=ENGINES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def run(language: str, request: pytest.FixtureRequest) -> Run:
    """Evaluate an exported expression in an engine of the language."""
    if language == "sql:postgres":
        return partial(postgres_run, request.getfixturevalue("psql"))
    if language == "sql:mysql":
        return partial(mariadb_run, request.getfixturevalue("mysql"))
    runs: dict[str, Run] = {"python": python, "mlr": miller, "sql:sqlite": sqlite, "sql:duckdb": duckdb}
    return runs[language]


def predictions(model: Model, rows: list[dict[str, Any]], predicted: Callable[..., Any]) -> list[float | None]:
    lines = predicted(model, as_csv(rows), only=True).text.decode().splitlines()[1:]
    return [None if line == '""' else float(line) for line in lines]


def by_hand(row: Mapping[str, Any]) -> float:
    total = -1234.5678901234567
    for name, slope in ODD.items():
        total += slope[row[name]] if isinstance(slope, Mapping) else slope * row[name]
    return total


def test_an_expression_gives_the_predictions(run: Run, odd_model: Model, predicted: Callable[..., Any]) -> None:
    found, expected = run(odd_model, ROWS), predictions(odd_model, ROWS, predicted)
    assert expected == [by_hand(row) for row in ROWS]
    assert found == pytest.approx(expected, rel=1e-12)


def test_what_has_no_prediction_has_none_in_any_language(
    run: Run, odd_model: Model, predicted: Callable[..., Any]
) -> None:
    lacking: list[tuple[str, Any]] = [(name, None) for name in ODD]
    lacking += [("type", "condo"), ("type", "Hut"), ("zip code", "01.0"), ("zip code", "2")]
    rows = [ROWS[1], *({**ROWS[1], name: cell} for name, cell in lacking)]
    expected = predictions(odd_model, rows, predicted)
    assert expected[0] is not None
    assert expected[1:] == [None] * len(lacking)
    assert run(odd_model, rows)[1:] == expected[1:]


def test_a_text_like_the_level_of_gaps_is_a_text_if_the_model_fills_none(
    run: Run, make_model: Callable[..., Model]
) -> None:
    model = make_model({"t": {"a": 0.0, "(missing)": 2.0}})
    assert run(model, [{"t": ""}, {"t": "a"}, {"t": "(missing)"}, {"t": "NA"}]) == [None, 1.5, 3.5, None]


def test_a_number_that_means_missing_gives_none(
    run: Run, make_model: Callable[..., Model], predicted: Callable[..., Any]
) -> None:
    model = make_model({"x": 2.0, "z": 1.0}, words=["", "-999", "0"])
    rows = [{"x": x, "z": z} for x in (1.0, -999.0, 0.0) for z in (5.0, -999.0)]
    expected = predictions(model, rows, predicted)
    assert expected == [8.5, None, None, None, None, None]
    assert run(model, rows) == expected


# What is read as a number, what is missing or no number, and what is so only for some readers.
CELLS = (
    *("1", "0", "-0", "+5", "-3.25", "007", "-007", "5.", ".5", "-.5e1", "1e5", "1E-3", "2.5e+2", "1e-400", "1e-320"),
    *(" 2.5", "2.5 ", "  -4  ", "\t8", "9007199254740993", "12345678901234567890123", "0.1", "1e308", "-1.7e308"),
    *("", " ", "NA", "nan", "NaN", "null", " NA ", "na", "None", "-999", "-999.0", "-9.99e2", " -999.00", "-999.5"),
    *("abc", "5 kg", "$5", "1,5", "1_0", "0x1F", "0b11", "0o17", "1d5", "1e", "e5", ".", "-", "+-1", "--5", "1 2"),
    *("inf", "-inf", "Infinity", "+inf", "1e999", "-1e999", "True", "false", "2024-01-02", "12:30", "\u0661", "1.5.2"),
)  # fmt: skip
LEVELS = {
    "Condo": 0.0, "condo": 1.0, "O'Hara": -2.5, 'the "Villa"': 4.0, "a\\b": 8.0, "01": 16.0, "1": 32.0, "1.0": 64.0,
    "größer": 128.0, "True": 256.0, "-999.0": 512.0, "x y": 1024.0, "\\1": 2048.0, "1e0": 4096.0, "0x1": 8192.0,
}  # fmt: skip
TEXTS = (
    *LEVELS,
    *(f" {level} " for level in LEVELS),
    "\tCondo",
    "CONDO",
    "",
    "NA",
    " NA ",
    "nan",
    "-999",
    "inf",
    "1.00",
)
ODD_WORDS = ("", "NA", "NaN", "nan", "null", "-999", "1_0", "inf")


# A sum that overflows is an error of these engines, and MySQL trims spaces alone.
UNLIKE = {"sql:postgres": [("e308", "e300")], "sql:mysql": [("e308", "e300"), ("\t", " ")]}


def odd_rows(count: int) -> list[dict[str, str]]:
    draw = random.Random(7)
    plain = ("1", "2.5", "-3e1")
    return [
        {"x": draw.choice(CELLS), "z": draw.choice(CELLS if i % 2 else plain), "kind": draw.choice(TEXTS)}
        for i in range(count)
    ]


def odd_content(**missing: Any) -> dict[str, Any]:
    levels = LEVELS | ({"(missing)": -7.0} if missing else {})
    content = model_content({"x": 2.0, "z": -0.5, "kind": levels}, words=ODD_WORDS)
    return content | {"missing": content["missing"] | missing}


@pytest.mark.parametrize("missing", [{}, {"policy": "mean", "means": {"x": 10.5, "z": -3.0}}], ids=["drop", "mean"])
def test_ten_thousand_odd_rows_are_read_as_predict_reads_them(
    run: Run, language: str, missing: Mapping[str, Any], predicted: Callable[..., Any]
) -> None:
    model = model_of(odd_content(**missing), "model.json")
    rows = odd_rows(10_000)
    for there, instead in UNLIKE.get(language, ()):
        rows = [{name: cell.replace(there, instead) for name, cell in row.items()} for row in rows]
    expected = predictions(model, rows, predicted)
    assert sum(value is not None for value in expected) > 1_000
    compared = [i for i, row in enumerate(rows) if not missing or language not in TYPED or plain_or_missing(row)]
    found = run(model, rows)
    assert len(found) == len(rows)
    assert len(compared) > 1_000
    wrong = [(rows[i], found[i], expected[i]) for i in compared if not agree(found[i], expected[i])]
    assert wrong[:3] == []


@pytest.mark.parametrize(("decimal", "thousands"), [(",", None), (",", "."), (".", ","), (".", " "), (",", "'")])
def test_numbers_are_read_as_the_files_of_the_model_write_them(
    run: Run, language: str, decimal: str, thousands: str | None, predicted: Callable[..., Any]
) -> None:
    said = {"decimal": decimal} if thousands is None else {"decimal": decimal, "thousands": thousands}
    model = model_of(model_content({"x": 2.0}, words=["", "-999"]) | {"csv": said}, "model.json")
    draw = random.Random(3)
    cells = ["1.234", "1,234", "1.234,5", "1,234.5", "1 234", "12'345'678", "-999,0", "-999.0", "1.23", "1,2,3", "1e3"]
    cells += ["".join(draw.choices("0123.,' -e", k=draw.randint(1, 9))).strip() or "7" for _ in range(2_000)]
    rows = [{"x": cell} for cell in cells]
    if language in ("sql:sqlite", "sql:mysql"):
        with pytest.raises(DataError, match="reads texts as numbers like"):
            run(model, rows)
        return
    if language in TYPED:  # a column of numbers is written in no way
        assert run(model, [{"x": "1234.5"}]) == [2470.5]
        return
    expected = predictions(model, rows, partial(predicted, decimal=decimal, thousands=thousands))
    wrong = [(row, a, b) for row, a, b in zip(cells, run(model, rows), expected, strict=True) if not agree(a, b)]
    assert wrong == []


@pytest.mark.parametrize(("decimal", "thousands"), [(",", None), (",", "."), (".", ","), (".", None)])
def test_numbers_that_are_no_texts_are_themselves_to_python(decimal: str, thousands: str | None) -> None:
    said = {"decimal": decimal} | ({} if thousands is None else {"thousands": thousands})
    model = model_of(model_content({"x": 2.0}, words=["", "-999"]) | {"csv": said}, "model.json")
    assert python(model, [{"x": 2.5}, {"x": 1234}, {"x": -999.0}, {"x": None}]) == [6.5, 2469.5, None, None]


def agree(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-300)


def plain_or_missing(row: Mapping[str, str]) -> bool:
    """Whether a column of numbers can hold the cells, or NULL for those that are missing."""
    cells = (row["x"].strip(), row["z"].strip())
    return all(cell in ODD_WORDS or NUMBER.fullmatch(cell) for cell in cells)


# What a model of each loss holds besides, and its prediction of z by hand; None where it is no double.
LINKS: dict[str, tuple[dict[str, Any], Callable[[float], float | None]]] = {
    "squared": ({}, lambda z: z),
    "huber": ({"delta": 1.5}, lambda z: z),
    "quantile": ({"tau": 0.9}, lambda z: z),
    "logistic": ({"classes": ["no", "yes"]}, lambda z: 1 / (1 + math.exp(-z)) if z > -700 else math.exp(max(z, -750))),
    "poisson": ({}, lambda z: math.exp(z) if z < 709.78 else None),
    "gamma": ({}, lambda z: math.exp(z) if z < 709.78 else None),
}


def test_every_loss_has_a_link_to_try() -> None:
    assert set(LINKS) == set(LOSSES)


@pytest.mark.parametrize("loss", LINKS)
def test_the_link_neither_overflows_nor_guesses(run: Run, loss: str, predicted: Callable[..., Any]) -> None:
    content, by_hand = LINKS[loss]
    model = model_of(model_content({"x": 1.0}, intercept=0.0) | {"loss": loss} | content, "model.json")
    cells = ("-1e300", "-800", "-740", "-30", "0", "0.5", "30", "700", "709", "710", "1e9", "NA", "")
    rows = [{"x": x} for x in cells]
    expected = [None if x in ("NA", "") else by_hand(float(x)) for x in cells]
    for values in (run(model, rows), predictions(model, rows, predicted)):
        assert [(x, a, b) for x, a, b in zip(cells, values, expected, strict=True) if not agree(a, b)] == []


def missing_column_errors() -> tuple[type[Exception], ...]:
    found = (KeyError, sqlite3.OperationalError, subprocess.CalledProcessError, EngineError)
    try:
        import duckdb
    except ImportError:
        return found
    return (*found, duckdb.BinderException)


def test_a_column_that_is_not_there_is_an_error(run: Run, make_model: Callable[..., Model]) -> None:
    for slopes in ({"x": 1.0, "gone": 2.0}, {"x": 1.0, "gone": {"a": 0.0, "b": 1.0}}):
        with pytest.raises(missing_column_errors()):
            run(make_model(slopes), [{"x": "3"}])


def test_standard_sql_runs_in_strict_engines_and_names_the_others(
    psql: Callable[[str], str], odd_model: Model, predicted: Callable[..., Any]
) -> None:
    assert "--to sql:sqlite" in as_sql(odd_model)
    expected = predictions(odd_model, ROWS, predicted)
    for run in (partial(postgres_run, psql), duckdb):
        assert run(odd_model, ROWS, language="sql") == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("language", ["sql:sqlite", "sql:duckdb", "sql:mysql"])
def test_columns_that_an_engine_takes_for_one_are_refused(language: str, make_model: Callable[..., Model]) -> None:
    with pytest.raises(DataError, match="cannot tell the columns 'Size' and 'size' apart"):
        EXPORTERS[language](make_model({"Size": 1.0, "size": 2.0}))


@pytest.mark.parametrize("language", ["sql:duckdb", "sql:postgres"])
def test_text_in_a_column_of_numbers_is_an_error_of_a_typed_engine(
    language: str, make_model: Callable[..., Model], request: pytest.FixtureRequest
) -> None:
    query = f"SELECT {EXPORTERS[language](make_model({'x': 2.0}))} FROM (SELECT CAST('5' AS VARCHAR) AS x) AS t"
    if language == "sql:postgres":
        with pytest.raises(EngineError, match="operator does not exist"):
            request.getfixturevalue("psql")(query)
    else:
        module = pytest.importorskip("duckdb", reason="DuckDB is not installed")
        with module.connect() as database, pytest.raises(module.BinderException):
            database.execute(query)


def test_a_server_without_backslash_escapes_reads_the_same_levels(
    mysql: Callable[[str], str], make_model: Callable[..., Model]
) -> None:
    model = make_model({"t": {"a\\": 1.0, "\\": 2.0, "b": 3.0}}, intercept=0.0)
    query = f"SELECT {EXPORTERS['sql:mysql'](model)} FROM (SELECT CHAR(97, 92 USING utf8mb4) AS t) AS t;"
    for mode in ("", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"):
        assert float(mysql(f"SET sql_mode = '{mode}'; {query}")) == 1.0


@needs_miller
def test_miller_reads_tab_separated_files(make_model: Callable[..., Model], tmp_path: Path) -> None:
    path = tmp_path / "data.tsv"
    path.write_text("y\tx\n1\t2\n")
    program = f"print {as_miller(make_model({'x': 2.0}))}"
    done = subprocess.run(["mlr", "--itsv", "--ocsv", "put", "-q", program, path], capture_output=True, check=True)
    assert done.stdout.decode() == "5.5\n"


def test_a_model_without_intercept_begins_with_its_first_term(run: Run, make_model: Callable[..., Model]) -> None:
    for slopes in ({"x": -2.0, "z": 0.5}, {"z": -0.5}):
        model = make_model(slopes, intercept=None)
        rows = [{"x": 3.0, "z": 4.0}]
        assert run(model, rows) == [sum(slope * rows[0][name] for name, slope in slopes.items())]


def test_a_model_without_features_is_its_intercept(run: Run, make_model: Callable[..., Model]) -> None:
    assert run(make_model({}, intercept=-2.5), [{"x": 1.0}]) == [-2.5]


def test_expressions_are_short_where_names_are_plain(make_model: Callable[..., Model]) -> None:
    model = make_model({"sqft": 2.0, "beds": -0.5, "type": {"a": 0.0, "b": 1e16}})
    assert as_sql(model).partition(" */ ")[2] == (
        '1.5e0 + 2.0e0 * "sqft" - 0.5e0 * "beds" + CASE TRIM("type") WHEN \'a\' THEN 0.0e0 WHEN \'b\' THEN 1e+16 END'
    )
    python_sum = "1.5 + 2.0 * number(row['sqft']) - 0.5 * number(row['beds'])"
    assert f"{python_sum} + {{'a': 0.0, 'b': 1e+16}}.get(text(row['type']), nan)" in as_python(model)


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
    done = shell("gdfit export model.json --to sql")
    assert (done.code, done.out.partition(" */ ")[2], done.err) == (0, '1.5e0 + 2.0e0 * "x"\n', "")
    assert shell("gdfit export model.json --to sql -o model.sql && cat model.sql") == done
    done = shell("""sqlite3() { "$PYTHON" -c 'import sqlite3, sys
print(sqlite3.connect(":memory:").execute(sys.argv[1]).fetchone()[0])' "$1"; }
sqlite3 "SELECT $(gdfit export model.json --to sql:sqlite) FROM (SELECT 3 AS x)" """)
    assert done == (0, "7.5\n", "")


@pytest.mark.parametrize(
    ("options", "message"), [("--to fortran", "'fortran' is not one of"), ("", "Missing option '--to'")]
)
def test_a_language_has_to_be_one_that_there_is(
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
