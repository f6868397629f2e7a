"""Every command in every format, with names that are hostile to it, read back by the parsers that people use."""

import csv
import io
import json
import re

import pandas as pd
import pytest

from gdcli.cli import main

NAMES = (
    "a\rb", "c\nd", "e\r\nf", 'g"h', "i,j", "k\tl", "m;n", "o|p", "=1+2", "'q", "<b>&amp;", "\u202egnp.exe", "größe",
    "x\x1b[2Jy", "z\u2028z", '"', "`r`", "[s](t)", "%d", "\\n", "#u",
)  # fmt: skip
SEPARATORS = {"csv": ",", "tsv": "\t"}
TERMS = [*NAMES, "(intercept)"]


@pytest.fixture
def result(tmp_path, monkeypatch, capsysbinary):
    """Run gdfit in this process, in an empty folder, and return what it writes to stdout."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        code = main([str(arg) for arg in args])
        written = capsysbinary.readouterr()
        assert code == 0, written.err
        return written.out.decode()

    return run


@pytest.fixture
def table(tmp_path):
    """Rows whose columns have the hostile names, and two groups of them called so too, beside a model of them."""
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([*NAMES, "group", "y"])
    for row in range(60):
        cells = [(row * (7 + i) + i * i) % (11 + i) for i in range(len(NAMES))]
        writer.writerow([*cells, ("a\rb", 'c,"d"\n')[row % 2], sum(cells) + row % 3])
    path = tmp_path / "t.csv"
    path.write_text(stream.getvalue(), newline="")
    return path


def parsed(text, separator):
    """The rows by two parsers that have to agree; a bare CR is an end of a row to the second one."""
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    frame = pd.read_csv(io.StringIO(text, newline=""), sep=separator, header=None, dtype=str, keep_default_na=False)
    assert frame.to_numpy().tolist() == rows
    return rows


@pytest.mark.parametrize("form", SEPARATORS)
def test_a_fit_gives_its_names_back(result, table, form):
    header, *rows = parsed(result(table, "-t", "y", "--exclude", "group", "--format", form), SEPARATORS[form])
    assert [row[0] for row in rows] == TERMS
    assert all(float(row[1]) == float(repr(float(row[1]))) for row in rows)
    assert {len(row) for row in rows} == {len(header)} == {4}


@pytest.mark.parametrize("form", SEPARATORS)
def test_groups_give_their_names_back(result, table, form):
    header, *rows = parsed(result(table, "-t", "y", "--by", "group", "--format", form), SEPARATORS[form])
    assert [(row[0], row[1]) for row in rows] == [(group, term) for group in ("a\rb", 'c,"d"') for term in TERMS]
    assert header[:3] == ["group", "term", "coefficient"]


@pytest.mark.parametrize("name", NAMES)
def test_the_column_of_the_groups_may_be_called_anything(result, tmp_path, name):
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([[name, "x", "y"], ["a", 1, 2], ["a", 2, 3], ["a", 3, 5]])
    (tmp_path / "g.csv").write_text(stream.getvalue(), newline="")
    assert parsed(result("g.csv", "-t", "y", f"--by={name}", "--format", "csv"), ",")[0][0] == name


@pytest.mark.parametrize("ending", SEPARATORS)
def test_a_trace_gives_its_names_back(result, table, ending):
    trace = table.with_name(f"trace.{ending}")
    result(table, "-t", "y", "--exclude", "group", "-n", "3", "-q", "--trace", trace)
    with open(trace, newline="") as stream:
        header, *rows = parsed(stream.read(), SEPARATORS[ending])
    assert header == ["iteration", *(f"m[{name}]" for name in NAMES), "c", "cost"]
    assert [row[0] for row in rows] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("form", ["csv", "tsv"])
@pytest.mark.parametrize("command", ["sweep", "score"])
def test_a_result_of_numbers_is_a_header_and_rows_of_as_many(result, table, form, command):
    before = ["-t", "y", "--exclude", "group"]
    result(table, *before, "--save", "m.json", "-q")
    words = ["sweep", table, *before] if command == "sweep" else ["score", "m.json", table]
    header, *rows = parsed(result(*words, "--format", form), SEPARATORS[form])
    assert {len(row) for row in rows} == {len(header)}


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_a_curve_is_a_header_and_rows_of_as_many(result, form):
    header, *rows = parsed(result("curve", "--poly", "0,0,1", "-n", "2", "--format", form), SEPARATORS[form])
    assert header == ["learning_rate", "iteration", "x", "y", "slope"]
    assert {len(row) for row in rows} == {5}


@pytest.mark.parametrize("column", NAMES)
def test_predictions_stand_beside_the_names_as_they_were(result, table, column):
    result(table, "-t", "y", "--exclude", "group", "--save", "m.json", "-q")
    header, *rows = parsed(result("predict", "m.json", table, f"--column=p{column}"), ",")
    assert header == [*NAMES, "group", "y", f"p{column}"]
    assert len(rows) == 60


@pytest.mark.parametrize("more", [(), ("--by", "group")])
def test_json_gives_the_names_back(result, table, more):
    text = result(table, "-t", "y", "--exclude", *(("group",) if not more else ("=1+2",)), *more, "--format", "json")
    documents = [json.loads(line) for line in text.splitlines()] if more else [json.loads(text)]
    wanted = [name for name in NAMES if not more or name != "=1+2"]
    assert [[c["term"] for c in document["coefficients"]] for document in documents] == [wanted] * len(documents)


@pytest.mark.parametrize("more", [("--exclude", "group"), ("--by", "group")])
def test_markdown_has_a_line_per_row_and_as_many_cells_in_each(result, table, more):
    lines = result(table, "-t", "y", *more, "--format", "markdown").split("\n")
    assert lines.pop() == ""
    assert len(lines) == 2 + len(TERMS) * (1 if "--exclude" in more else 2)
    assert len({len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in lines}) == 1
    assert all(line.isprintable() for line in lines)
