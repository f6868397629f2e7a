"""Every command in every format, with names that are hostile to it, read back by the parsers that people use."""

import csv
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import pandas as pd
import pytest

from gdcli.base.names import printable
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


class Table(HTMLParser):
    """A parser of one ``<table>``: its rows of texts, the style of each cell, and all tags with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.styles, self.tags, self.open, self.between = [], [], set(), [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.tags |= {(tag, name) for name, _ in attributes} or {(tag, None)}
        if tag == "tr":
            self.rows.append([])
            self.styles.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
            self.styles[-1].append(dict(attributes).get("style"))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("th", "td"):
            self.rows[-1][-1] += data
        else:
            self.between += data


@pytest.fixture
def html(result):
    """Run gdfit with ``--format html`` and return the table that a parser finds."""

    def run(*args):
        found = Table(result(*args, "--format", "html"))
        assert found.between.strip() == ""
        assert {tag for tag, _ in found.tags} == {"table", "thead", "tbody", "tr", "th", "td"}
        assert {name for _, name in found.tags} <= {None, "style"}
        assert {len(row) for row in found.rows} == {len(found.rows[0])}
        return found

    return run


def test_html_gives_the_names_back_as_text(html, table):
    found = html(table, "-t", "y", "--exclude", "group")
    assert found.rows[0] == ["term", "coefficient", "optimum", "standardized"]
    assert [row[0] for row in found.rows[1:]] == [*map(printable, NAMES), "(intercept)"]


def test_html_gives_the_names_of_groups_back_as_text(html, table):
    found = html(table, "-t", "y", "--by", "group")
    assert [row[:2] for row in found.rows[1:]] == [
        [printable(group), printable(term)] for group in ("a\rb", 'c,"d"') for term in TERMS
    ]


def test_html_has_its_numbers_on_the_right_and_its_names_on_the_left(html, table):
    for command in ([table, "-t", "y", "--by", "group"], [table, "-t", "y", "--exclude", "group", "--inference"]):
        found = html(*command)
        assert len({tuple(styles) for styles in found.styles}) == 1
        for column, style in zip(zip(*found.rows[1:], strict=True), found.styles[0], strict=True):
            numbers = all(re.fullmatch(r"<?-?[\d.,e+-]*", cell) for cell in column)
            assert style == ("text-align: right" if numbers else None), column


def test_every_command_with_a_result_writes_html(html, result, table):
    before = [table, "-t", "y", "--exclude", "group"]
    result(*before, "--save", "m.json", "-q")
    assert html("sweep", *before).rows[0][:3] == ["lr", "behaviour", "cost"]
    assert ["measure", "value"] in html("score", "m.json", table).rows
    assert html("curve", "--poly", "0,0,1", "--lr", "0.1", "-n", "2").rows[0] == [
        "step", "x (lr 0.1)", "y (lr 0.1)", "slope (lr 0.1)",
    ]  # fmt: skip


def test_the_numbers_of_html_are_those_of_csv_as_people_read_them(html, result, table):
    words = (table, "-t", "y", "--exclude", "group", "--lr", "auto")
    exact = list(csv.reader(io.StringIO(result(*words, "--format", "csv"), newline="")))
    rounded = html(*words, "--digits", "12").rows
    for row, cells in zip(exact[1:], rounded[1:], strict=True):
        assert float(cells[1]) == pytest.approx(float(row[1]), rel=1e-10, abs=1e-10)


TOY = """
import sys
from gdcli.report.writers import WRITERS
WRITERS["toy"] = lambda report, page: f"{len(report.columns())} columns, {report.sheet().header[0]}\\n"
from gdcli.cli import main
for words in sys.stdin.read().splitlines():
    assert main([*words.split(), "--format", "toy"]) == 0, words
"""


def test_another_format_is_one_function_and_one_line(tmp_path):
    (tmp_path / "t.csv").write_text("x,kind,y\n" + "".join(f"{i},{'ab'[i % 2]},{i * 3 + i % 5}\n" for i in range(12)))
    lines = ["t.csv -t y", "t.csv -t y --by kind", "sweep t.csv -t y", "curve --poly 0,0,1 --lr 0.1", "t.csv -t y -o o"]
    done = subprocess.run(
        [sys.executable, "-c", TOY], input="\n".join(lines), capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.splitlines() == ["4 columns, term", "7 columns, kind", "6 columns, learning_rate",
                                        "4 columns, learning_rate"]  # fmt: skip
    assert (tmp_path / "o").read_text() == "4 columns, term\n"
    shown = subprocess.run(
        [sys.executable, "-c", TOY.partition("for words")[0] + "main(['--help'])"],
        capture_output=True, text=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    assert "markdown, html or toy." in " ".join(shown.stdout.split())
