"""What programs read."""

import csv
import io
import json
import math
from dataclasses import replace

import pytest

from gdcli.engine.descent import Stopped
from gdcli.fitting.results import TraceRow, TraceShape
from gdcli.report.fit import fit_report
from gdcli.report.paper import Page
from gdcli.report.trace import TRACE_WRITERS
from gdcli.report.writers import WRITERS


def text_of(fit, form, digits=6):
    return WRITERS[form](fit_report(fit, digits), Page())


HOSTILE = ("=cmd()", 'a,"b"\tc', "line\nbreak", "[red]\x1b[31m", "größe|50 %s")

CONTRACT = {
    None: "schema version files target features loss reference_levels rows intercept coefficients cost rmse r2 "
    "optimum descent learning_rate trace",
    "rows": "read used dropped dropped_by_column",
    "intercept": "value optimum",
    "optimum": "cost gap relative_gap",
    "descent": "optimizer learning_rate iterations converged stopped",
    "learning_rate": "given behaviour largest_stable best iterations_to_1_percent",
}


@pytest.mark.parametrize("part", CONTRACT)
def test_json_has_the_keys_of_the_contract_first_and_in_its_order(a_fit, part):
    document = json.loads(text_of(a_fit(), "json"))
    keys = CONTRACT[part].split()
    assert list(document[part] if part else document)[: len(keys)] == keys


def test_json_gives_every_number_back_to_the_last_bit(a_fit):
    fit = a_fit()
    document = json.loads(text_of(fit, "json"))
    assert document["schema"] == "gdfit.fit/1"
    assert document["cost"] == fit.cost
    assert [c["value"] for c in document["coefficients"]] == [c.value for c in fit.coefficients]
    assert list(document["coefficients"][0]) == ["term", "value", "optimum", "standardized"]
    assert document["trace"][-1] == {
        "iteration": 1000,
        "m": dict(zip(fit.trace_terms, fit.trace[-1].slopes, strict=True)),
        "c": fit.trace[-1].intercept,
        "cost": fit.trace[-1].cost,
    }
    assert document["learning_rate"]["behaviour"] == "monotone"
    assert document["descent"]["stopped"] == "iterations"


def test_json_ends_with_a_newline_and_holds_no_nan(a_fit):
    rows = (TraceRow(0, (0.0, math.inf, math.nan), 0.0, math.inf, None),)
    text = text_of(a_fit(trace=rows, r2=math.nan), "json")
    assert text.endswith("}\n")
    document = json.loads(text, parse_constant=pytest.fail)
    assert document["r2"] is None
    assert document["trace"][0]["m"] == {"sqft": 0.0, "beds": None, "baths": None}
    assert document["trace"][0]["cost"] is None


def test_json_says_null_for_an_intercept_that_is_not_there(a_fit):
    fit = a_fit(intercept=None)
    document = json.loads(text_of(replace(fit, trace=tuple(row._replace(intercept=None) for row in fit.trace)), "json"))
    assert document["intercept"] is None
    assert document["trace"][0]["c"] is None


def test_json_after_divergence_has_null_values_and_the_optimum(a_diverged_fit):
    document = json.loads(text_of(a_diverged_fit(), "json"))
    assert document["intercept"] == {"value": None, "optimum": 15907.3}
    assert [c["value"] for c in document["coefficients"]] == [None] * 3
    assert all(c["optimum"] is not None for c in document["coefficients"])
    assert document["descent"]["stopped"] == "diverged"
    assert len(document["trace"]) == 5


def test_json_keeps_hostile_names_and_none_of_them_acts_on_a_terminal(a_fit):
    names = (*HOSTILE, "c1 \x9b31m", "\u2028", "\udcff")
    text = text_of(a_fit(names), "json")
    assert [c["term"] for c in json.loads(text)["coefficients"]] == list(names)
    assert all(c == "\n" or c.isprintable() for c in text)
    text.encode("utf-8")


@pytest.mark.parametrize(("form", "separator"), [("csv", ","), ("tsv", "\t")])
def test_csv_parses_back_to_the_same_names_and_numbers(a_fit, form, separator):
    fit = a_fit(HOSTILE)
    header, *rows = csv.reader(io.StringIO(text_of(fit, form), newline=""), delimiter=separator)
    assert header == ["term", "coefficient", "optimum", "standardized"]
    assert [row[0] for row in rows] == [*HOSTILE, "(intercept)"]
    assert [float(row[1]) for row in rows[:-1]] == [c.value for c in fit.coefficients]
    assert rows[-1][3] == ""


def test_csv_has_an_empty_cell_for_what_does_not_exist(a_fit):
    fit = a_fit(("x",), intercept=None)
    fit = replace(fit, coefficients=(replace(fit.coefficients[0], standardized=None, optimum=math.nan),))
    assert text_of(fit, "csv").splitlines()[1].endswith(",,")


def test_markdown_has_a_row_per_coefficient_and_escapes_what_would_act(a_fit):
    text = text_of(a_fit(("a|b", "*bold*", "new\nline", "type[Condo]", "bill_length_mm", "_x_")), "markdown", 4)
    lines = text.splitlines()
    assert lines[:2] == ["| term | coefficient | optimum | standardized |", "| --- | ---: | ---: | ---: |"]
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        r"| a\|b",
        r"| \*bold\*",
        r"| new\\nline",
        "| type[Condo]",
        "| bill_length_mm",
        r"| \_x\_",
        "| (intercept)",
    ]


def test_all_but_json_and_the_table_are_empty_after_divergence(a_diverged_fit):
    fit = a_diverged_fit()
    assert {text_of(fit, form) for form in ("csv", "tsv", "markdown", "html")} == {""}


def test_csv_of_an_unstable_rate_is_empty_however_far_it_ran(a_diverged_fit):
    assert text_of(a_diverged_fit(stopped=Stopped.ITERATIONS), "csv") == ""


# --- the trace


def written(ending, terms, rows, **options):
    stream = io.StringIO()
    writer = TRACE_WRITERS[ending](stream, TraceShape(tuple(terms), **options))
    for row in rows:
        writer.write(row)
    return stream.getvalue()


ROWS = [TraceRow(0, (0.0,), 0.0, 7.5, 1.0), TraceRow(1, (0.1,), 1e-300, 7.0, 0.5)]


def test_the_trace_of_one_feature_has_a_column_m():
    assert written(".csv", ["sqft"], ROWS) == "iteration,m,c,cost\n0,0.0,0.0,7.5\n1,0.1,1e-300,7.0\n"
    assert written(".tsv", ["sqft"], ROWS[:1]) == "iteration\tm\tc\tcost\n0\t0.0\t0.0\t7.5\n"
    assert written(".jsonl", ["sqft"], ROWS[:1]) == '{"iteration":0,"m":{"sqft":0.0},"c":0.0,"cost":7.5}\n'


def test_the_trace_of_several_features_names_each_column():
    row = TraceRow(3, (1.0, 2.0), 0.5, 4.0, None)
    assert written(".csv", ["a", "b"], [row]) == "iteration,m[a],m[b],c,cost\n3,1.0,2.0,0.5,4.0\n"


def test_the_trace_without_an_intercept_has_no_column_c_in_csv_and_null_in_json():
    row = TraceRow(3, (1.0,), None, 4.0, None)
    assert written(".csv", ["a"], [row], intercept=False) == "iteration,m,cost\n3,1.0,4.0\n"
    assert json.loads(written(".jsonl", ["a"], [row], intercept=False))["c"] is None


def test_the_trace_of_an_intercept_alone_has_no_column_m():
    row = TraceRow(3, (), 1.0, 4.0, None)
    assert written(".csv", [], [row]) == "iteration,c,cost\n3,1.0,4.0\n"
    assert json.loads(written(".jsonl", [], [row])) == {"iteration": 3, "m": {}, "c": 1.0, "cost": 4.0}


def test_the_trace_keeps_hostile_names_literally():
    row = TraceRow(0, (1.0,) * len(HOSTILE), 0.0, 1.0, None)
    header, _ = csv.reader(io.StringIO(written(".csv", HOSTILE, [row]), newline=""))
    assert header == ["iteration", *(f"m[{name}]" for name in HOSTILE), "c", "cost"]
    assert list(json.loads(written(".jsonl", HOSTILE, [row]))["m"]) == list(HOSTILE)


def test_the_trace_of_a_divergence_leaves_out_what_is_not_finite():
    row = TraceRow(9, (math.nan,), -math.inf, math.inf, None)
    assert written(".csv", ["x"], [row]).splitlines()[1] == "9,,,"
    line = json.loads(written(".jsonl", ["x"], [row]), parse_constant=pytest.fail)
    assert line == {"iteration": 9, "m": {"x": None}, "c": None, "cost": None}


def test_the_trace_writes_the_floats_of_numpy_as_numbers():
    numpy = pytest.importorskip("numpy")
    row = TraceRow(0, (numpy.float64(0.1),), numpy.float64(0.0), numpy.float64(7.5), None)
    assert written(".csv", ["x"], [row]).splitlines()[1] == "0,0.1,0.0,7.5"


@pytest.mark.parametrize("ending", TRACE_WRITERS)
def test_the_trace_gives_every_number_back_to_the_last_bit(ending):
    values = (1 / 3, 1e-17 + 1, 6142952690.0631075)
    text = written(ending, ["x"], [TraceRow(7, values[:1], values[1], values[2], None)]).splitlines()[-1]
    if ending == ".jsonl":
        line = json.loads(text)
        assert (line["m"]["x"], line["c"], line["cost"]) == values
    else:
        assert tuple(map(float, text.split("," if ending == ".csv" else "\t")[1:])) == values


def test_a_carriage_return_in_a_name_is_quoted_in_csv_and_the_trace(gdfit, csv_file, tmp_path):
    trace = tmp_path / "trace.csv"
    path = csv_file(b'"a\rb",kind,y\n1,"p\rq",2\n2,r,4\n4,r,5\n')
    done = gdfit(path, "-t", "y", "-n", "1", "--format", "csv", "--trace", trace)
    rows = list(csv.reader(io.StringIO(done.out, newline="")))
    assert [row[0] for row in rows] == ["term", "a\rb", "kind[r]", "(intercept)"]
    assert {len(row) for row in rows} == {4}
    assert next(csv.reader(io.StringIO(trace.read_bytes().decode(), newline=""))) == (
        ["iteration", "m[a\rb]", "m[kind[r]]", "c", "cost"]
    )
    assert done.out.startswith("term,coefficient,optimum,standardized\n")
