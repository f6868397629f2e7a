"""What a description says of each column: figures against pandas, judgements against the fit's own errors."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gdcli import describe, fit, summarize
from gdcli.base.errors import DataError, UsageError
from gdcli.report.describe import describe_report
from gdcli.report.paper import Page
from gdcli.report.writers import as_table

SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"

MESSY = "id,when,kind,price,amount,const,note,gap,flag,all_empty\n" + "".join(
    f"{i},2024-01-{i % 28 + 1:02d},{'abc'[i * i % 3]},CHF {3 * i},{i * 37 % 101 / 8},7,note number {i},"
    f"{'' if i % 3 else i},{i % 2},\n"
    for i in range(1, 201)
)


def by_name(found):
    return {one.name: one for one in found.columns}


@pytest.fixture
def messy(tmp_path):
    path = tmp_path / "messy.csv"
    path.write_text(MESSY)
    return path


@pytest.mark.parametrize("file", ["housing.csv", "penguins.csv", "flights.csv.gz"])
def test_the_figures_are_those_of_pandas(file):
    frame = pd.read_csv(SAMPLES / file)
    found = by_name(describe(SAMPLES / file, max_levels=5000))
    assert list(found) == list(frame.columns)
    for name, column in frame.items():
        figures = found[name].figures
        assert (figures.count, figures.missing) == (column.count(), column.isna().sum())
        if found[name].kind == "number":
            assert (figures.minimum, figures.maximum) == (column.min(), column.max())
            np.testing.assert_allclose([figures.mean, figures.sd], [column.mean(), column.std()], rtol=1e-12)
        elif found[name].kind == "category":
            assert dict(figures.values) == column.value_counts().to_dict()


def test_blocks_merge_into_the_figures_of_all_rows_and_threads_change_nothing(tmp_path, blocks_of):
    rng, n = np.random.default_rng(5), 40_000
    frame = pd.DataFrame({"x": rng.normal(1e6, 3, n), "n": np.arange(1, n + 1), "kind": rng.choice(["a", "b"], n)})
    path = tmp_path / "long.csv"
    frame.to_csv(path, index=False)
    blocks_of(path.stat().st_size // 4)
    found = by_name(describe(path, jobs=2))
    assert found == by_name(describe(path, jobs=1))
    for name in ("x", "n"):
        figures, column = found[name].figures, frame[name]
        np.testing.assert_allclose([figures.mean, figures.sd], [column.mean(), column.std()], rtol=1e-11)
    assert (found["n"].figures.first, found["n"].figures.last) == (1, n)
    assert dict(found["kind"].figures.values) == frame["kind"].value_counts().to_dict()


def test_each_column_is_what_a_fit_makes_of_it(messy):
    found = by_name(describe(messy))
    kinds = {name: one.kind for name, one in found.items()}
    assert kinds == {
        **dict.fromkeys(["id", "amount", "const", "gap", "flag", "all_empty"], "number"),
        "when": "date",
        "kind": "category",
        "price": "doubtful",
        "note": "doubtful",
    }
    assert found["all_empty"].figures.count == 0


def test_a_doubt_is_the_error_of_the_fit_and_its_advice_works(messy, gdfit):
    doubts = {one.name: one.doubt for one in describe(messy).columns if one.doubt}
    assert list(doubts) == ["price", "note"]
    with pytest.raises(DataError) as caught:
        fit(messy, target="amount", features=["id", "price"])
    assert doubts["price"].split(": ")[:2] == str(caught.value).split(": ")[:2]
    assert "--exclude note" in doubts["note"]
    assert "--categorical price --max-levels 200" in doubts["price"]
    done = gdfit(
        "describe", messy, "--categorical", "price", "--max-levels", "200", "--exclude", "note", "--format", "json"
    )
    kinds = {one["name"]: one["type"] for one in json.loads(done.out)["columns"]}
    assert kinds["price"] == "category"


def test_the_last_line_is_the_fit_without_useless_columns(messy, gdfit):
    done = gdfit("describe", messy, "-t", "amount", "--exclude", "note,price")
    assert done.code == 0
    command = done.out.splitlines()[-1]
    for name in ("id", "const", "gap", "all_empty"):
        assert f"--exclude {name}" in command
    assert "--exclude flag" not in command
    assert gdfit(*shlex.split(command)[1:]).code == 0


@pytest.mark.parametrize(
    ("column", "note"),
    [
        ("id", "numbers the rows, 1 to 200, like an identifier: --exclude id"),
        ("when", "dates in ISO 8601, read as days since 1970-01-01"),
        ("const", "is constant, so it says nothing: --exclude const"),
        ("gap", "lacks 67.0 % of its values: --missing mean fills them, --exclude gap"),
        ("all_empty", "has no values: --exclude all_empty"),
        ("flag", "has two values, 0, 1: --loss logistic fits the probability"),
        ("price", "'CHF 3' looks like a number with signs around it (CHF)"),
        ("kind", "baseline 'a'"),
    ],
)
def test_a_note_says_what_is_to_be_known(messy, gdfit, column, note):
    done = gdfit("describe", messy, "-t", "flag")
    assert any(line.startswith(f"{column}: ") and note in line for line in done.out.splitlines())


def test_every_machine_format_has_every_column(messy, gdfit):
    document = json.loads(gdfit("describe", messy, "--format", "json").out)
    assert document["schema"] == "gdfit.describe/1"
    assert document["rows"] == {"read": 200, "complete": 0, "skipped": 0}
    names = [one["name"] for one in document["columns"]]
    assert gdfit("describe", messy, "--format", "csv", "-o", messy.with_name("d.csv")).code == 0
    table = pd.read_csv(messy.with_name("d.csv"))
    assert list(table["column"]) == names
    assert table.set_index("column").loc["amount", "mean"] == document["columns"][4]["mean"]
    assert gdfit("describe", messy, "--format", "markdown").out.count("\n") == len(names) + 2


def test_a_summary_says_the_same_of_its_columns(messy):
    options = {"exclude": ["note", "price", "gap", "all_empty"]}
    rows, summary = by_name(describe(messy, **options)), by_name(describe(summarize(messy, **options)))
    for name, one in summary.items():
        assert one.kind == rows[name].kind
        ours, theirs = one.figures, rows[name].figures
        assert (ours.count, ours.minimum, ours.maximum) == (theirs.count, theirs.minimum, theirs.maximum)
        if one.kind == "category":
            assert ours.values == theirs.values
        else:
            np.testing.assert_allclose([ours.mean, ours.norm], [theirs.mean, theirs.norm], rtol=1e-12)


def test_a_gap_in_a_summary_that_keeps_gaps_is_no_value(messy):
    options = {"features": ["gap", "amount"], "missing": "mean"}
    found = by_name(describe(summarize(messy, **options), missing="mean"))["gap"].figures
    column = pd.read_csv(messy)["gap"]
    assert (found.count, found.missing) == (66, 134)
    np.testing.assert_allclose([found.mean, found.sd], [column.mean(), column.std()], rtol=1e-12)


def test_a_cell_that_no_first_block_shows_is_counted_and_placed(tmp_path):
    rows = [f"{i % 1000},{'long' * 100}\n" for i in range(30_000)]
    rows[27_000] = f"oops,{'long' * 100}\n"
    path = tmp_path / "late.csv"
    path.write_text("x,y\n" + "".join(rows))
    found = by_name(describe(path))["x"]
    assert found.figures.odd == 1
    assert found.figures.count == 29_999
    assert "line 27002" in found.doubt
    assert "'oops'" in found.doubt


def test_an_infinite_cell_is_told_and_the_others_are_described(tmp_path, gdfit):
    path = tmp_path / "inf.csv"
    path.write_text("a,b,y\n1,2,3\n2,inf,5\n3,-Infinity,8\n5,5,9\n")
    done = gdfit("describe", path, "-t", "y")
    assert done.code == 0
    assert "line 3, column 'b': the value 'inf' is infinite; to treat it as missing: --na inf" in done.out
    assert "A fit refuses 1 column as it is: b." in done.out
    found = by_name(describe(path))
    assert (found["b"].figures.count, found["b"].figures.odd, found["b"].figures.mean) == (2, 2, 3.5)
    assert found["a"].figures.mean == 2.75
    fitted = gdfit("fit", path, "-t", "y")
    assert fitted.code == 1
    assert "the value 'inf' is infinite" in fitted.err


def test_each_column_with_odd_cells_has_its_own_place(tmp_path):
    rows = [f"{i % 1000},{i % 10},2024-01-{i % 28 + 1:02d},{'long' * 100}\n" for i in range(30_000)]
    rows[27_000] = f"oops,3,2024-01-01,{'long' * 100}\n"
    rows[28_000] = f"1,ouch,2024-01-01,{'long' * 100}\n"
    rows[29_000] = f"1,3,someday,{'long' * 100}\n"
    path = tmp_path / "late.csv"
    path.write_text("x,z,day,y\n" + "".join(rows))
    doubts = {one.name: one.doubt for one in describe(path).columns}
    for name, line, cell in (("x", 27002, "oops"), ("z", 28002, "ouch"), ("day", 29002, "someday")):
        assert f"line {line}, column '{name}': '{cell}' is no" in doubts[name]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b,y\n1,2,3\n", "A fit needs at least 2 rows in which 'y' has a value."),
        ("a,b,y\n1,2,3\n2,3,\n", "A fit needs at least 2 rows in which 'y' has a value."),
        ("a,b,y\n1,,3\n,3,5\n2,,7\n5,,8\n,4,2\n", "fill the gaps with --missing mean"),
    ],
)
def test_no_fit_is_advised_that_has_too_few_rows(tmp_path, gdfit, text, told):
    path = tmp_path / "few.csv"
    path.write_text(text)
    done = gdfit("describe", path, "-t", "y")
    assert told in done.out
    assert "gdfit" not in done.out
    assert gdfit("fit", path, "-t", "y").code == 1
    if "--missing" in told:
        assert gdfit("fit", path, "-t", "y", "--missing", "mean").code == 0


def test_no_fit_is_advised_of_columns_that_are_all_constant(tmp_path, gdfit):
    path = tmp_path / "constant.csv"
    path.write_text("a,b\n1,2\n1,2\n")
    assert "Each column is constant or empty" in gdfit("describe", path).out


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"target": "prise"}, DataError, "Did you mean 'price'"),
        ({"target": "id", "features": "id"}, UsageError, "is the target"),
        ({"features": "zz*"}, DataError, "no column like 'zz\\*'"),
    ],
)
def test_wrong_columns_are_the_errors_of_a_fit(messy, options, error, told):
    with pytest.raises(error, match=told):
        describe(messy, **options)


def test_on_a_narrow_page_figures_go_before_columns_and_notes_wrap(messy, monkeypatch):
    monkeypatch.chdir(messy.parent)
    report = describe_report(describe("messy.csv"), lambda useless: "gdfit messy.csv")
    lines = as_table(report, Page(60)).splitlines()
    assert max(map(len, lines)) <= 60
    assert any(line.startswith("amount") for line in lines)
    assert len(as_table(report, Page(None)).splitlines()) < len(lines)


def test_a_category_of_more_levels_than_are_counted_says_none(gdfit, tmp_path):
    path = tmp_path / "many.csv"
    path.write_text("k,v\n" + "".join(f"a{i % 10_001},{i % 7}\n" for i in range(30_003)))
    done = gdfit("describe", path, "-t", "v", "--max-levels", "20000", "--format", "json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["columns"][0]["type"] == "category"
    assert "many" in next(
        line for line in gdfit("describe", path, "--max-levels", "20000").out.splitlines() if "k " in line
    )


def test_sums_of_a_product_in_a_summary_are_not_told_as_counts_of_levels(gdfit, tmp_path):
    path, summary = tmp_path / "a.csv", tmp_path / "s.json"
    path.write_text("kind,x,y\na,-5,1\nb,2,2\na,-7,4\nb,9,8\n")
    assert gdfit("summarize", path, "-x", "kind:x,kind,y", "-o", summary).code == 0
    columns = {one["name"]: one for one in json.loads(gdfit("describe", summary, "--format", "json").out)["columns"]}
    assert columns["kind:x"]["count"] == 4
    assert not columns["kind:x"]["levels"]
    assert {one["level"]: one["count"] for one in columns["kind"]["levels"]} == {"a": 2, "b": 2}


@pytest.mark.parametrize("unit", ["e300", "e-300"])
def test_numbers_too_extreme_to_square_are_described_and_refused_as_a_fit_refuses_them(gdfit, tmp_path, unit):
    path = tmp_path / "far.csv"
    path.write_text(f"x,y\n1{unit},1\n2{unit},2\n4{unit},4\n")
    [x, _] = json.loads(gdfit("describe", path, "--format", "json").out)["columns"]
    assert [x["mean"], x["sd"]] == pytest.approx([float(f"{7 / 3}{unit}"), float(f"{(7 / 3) ** 0.5}{unit}")], rel=1e-14)
    done, fit = gdfit("describe", path), gdfit(path, "-t", "y")
    assert "A fit refuses 1 column as it is: x." in done.out
    assert fit.code == 1
    assert x["note"] in fit.err
    assert "A fit, at the best rate:" in gdfit("describe", path, "--exclude", "x").out


def test_standard_input_is_called_by_its_name():
    description = describe(pd.DataFrame({"a": [1, 2]}))
    for files, told in ((("-",), "standard input: 2 rows"), (("a.csv", "-"), "a.csv, standard input: 2 rows")):
        report = describe_report(replace(description, files=files), lambda useless: "gdfit")
        assert as_table(report, Page(None)).startswith(told)


def test_texts_of_equally_many_cells_stand_in_the_order_of_levels(csv_file, gdfit):
    assert (
        "a 2, 9 1, 10 1, b 1" in gdfit("describe", csv_file("k,y\nb,1\na,2\n10,3\na,4\n9,5\n"), "--format", "csv").out
    )
