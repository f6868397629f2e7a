"""Real-world mess: each file gives the right answer or a refusal that names the place and the way out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gdcli.api import fit_data as fit
from gdcli.base.errors import CellError, DataError, UsageError
from gdcli.ingest.summarize import run_summarize
from gdcli.ingest.summarize import summarize_data as summarize
from gdcli.ingest.summary import Summary
from tests.conftest import Done, Notes

MESSY = Path(__file__).resolve().parents[1] / "reference" / "messy"
# (numeric columns with their (minimum, maximum), text columns with their levels, rows read, rows without a gap)
Read = tuple[dict[str, tuple[float, float]], dict[str, list[str]], int, int]
ABC: dict[str, tuple[float, float]] = {"a": (1, 1), "b": (2, 2), "c": (3, 3)}
UNICODE: Read = ({"a": (1, 4), "b": (2, 5)}, {"c": ["3", "ʤ"]}, 2, 2)
ONCE: Read = ({"b": (2, 8), "c": (3, 9)}, {"a": ["1", "7", "Once upon \na time"]}, 3, 3)

# Each of the 27 files: the options that read it, and what is read; or the error that says what to do.
FILES: dict[str, tuple[dict[str, Any], Read | str]] = {
    "agate_test_utf16_little.csv": ({}, UNICODE),
    "csvkit_bad.csv": ({}, "line 2: 4 fields where the header has 3.*I'm too long"),
    "csvkit_bad_skip_lines.csv": ({}, "line 5: 4 fields where the header has 3"),
    "csvkit_blanks.csv": ({}, "no row of .* has a value in every column"),
    "csvkit_date_like_number.csv": ({}, ({"a": (4.5, 4.5)}, {}, 1, 1)),
    "csvkit_mac_newlines.csv": ({}, ({"b": (2, 5), "c": (3, 6)}, {"a": ["1", "Once upon\ra time"]}, 2, 2)),
    "csvkit_null_byte.csv": ({}, "line 2: there is a NUL byte in this row"),
    "csvkit_optional_quote_characters.csv": ({}, (ABC, {}, 1, 1)),
    "csvkit_sniff_limit.csv": ({}, (ABC, {}, 1, 1)),
    "csvkit_test_empty_columns_long_row.csv": ({}, "line 2: 4 fields where the header has 3"),
    "csvkit_test_extra_header.csv": ({}, "line 2: 3 fields where the header has 4"),
    "csvkit_test_header_newline.csv": (
        {},
        ({}, {"start \t\n\x0b\x0c\r end": ["d"], "b": ["e"], "c": ["f"]}, 1, 1),
    ),
    "csvkit_test_latin1.csv": ({}, "line 3: byte 0xA9 at 16 is not UTF-8; .*--encoding latin-1"),
    "csvkit_test_locale.csv": ({}, "column 'a': '1,7' looks like a number .* --decimal , "),
    "csvkit_test_numeric_date_format.csv": ({}, ({"a": (20121231, 20140102)}, {}, 2, 2)),
    "csvkit_test_utf16_big.csv": ({}, UNICODE),
    "csvkit_test_utf8_bom.csv": ({}, ({"foo": (1, 4), "bar": (2, 5)}, {"baz": ["3", "ʤ"]}, 2, 2)),
    "spectrum_comma_in_quotes.csv": (
        {},
        (
            {"zip": (8123, 8123)},
            {"first": ["John"], "last": ["Doe"], "address": ["120 any st."], "city": ["Anytown, WW"]},
            1,
            1,
        ),
    ),
    "spectrum_empty.csv": ({}, ({"a": (2, 2), "b": (3, 3), "c": (4, 4)}, {}, 2, 1)),
    "spectrum_escaped_quotes.csv": ({}, ({"a": (1, 3)}, {"b": ["4", 'ha "ha" ha']}, 2, 2)),
    "spectrum_json.csv": (
        {},
        ({"key": (1, 1)}, {"val": ['{"type": "Point", "coordinates": [102.0, 0.5]}']}, 1, 1),
    ),
    "spectrum_location_coordinates.csv": (
        {},
        (
            {"Contact Phone Number": (2095257564, 2095257564)},
            {
                "Location Coordinates": ["37\ufffd36'37.8\"N 121\ufffd2'17.9\"W"],
                "Cities": ["Modesto"],
                "Counties": ["Stanislaus"],
            },
            1,
            1,
        ),
    ),
    "spectrum_newlines.csv": ({"categorical": "a"}, ONCE),
    "spectrum_newlines_crlf.csv": ({"categorical": "a"}, ONCE),
    "spectrum_quotes_and_newlines.csv": ({}, ({"a": (1, 3)}, {"b": ["4", 'ha \n"ha" \nha']}, 2, 2)),
    "spectrum_simple_crlf.csv": ({}, (ABC, {}, 1, 1)),
    "spectrum_utf8.csv": ({}, UNICODE),
}


def content(summary: Summary) -> Read:
    """What was read, from the triangle."""
    triangle = summary.reduced.triangle
    extremes = zip(triangle.minimum.tolist(), triangle.maximum.tolist(), strict=True)
    numeric = {c.name: found for c, found in zip(triangle.columns, extremes, strict=True) if c.level is None}
    texts: dict[str, list[str]] = {}
    for column in triangle.columns:
        if column.level is not None:
            texts.setdefault(column.name, []).append(column.level)
    return numeric, texts, summary.reduced.read, summary.reduced.complete


def test_the_table_has_every_file_of_the_folder() -> None:
    assert sorted(FILES) == sorted(path.name for path in MESSY.glob("*.csv"))
    assert len(FILES) == 27


@pytest.mark.parametrize("name", FILES)
def test_a_messy_file_gives_the_right_table_or_a_clear_refusal(name: str) -> None:
    options, expected = FILES[name]
    if isinstance(expected, str):
        with pytest.raises(DataError, match=expected):
            summarize(MESSY / name, **options)
    else:
        assert content(summarize(MESSY / name, **options)) == expected


def test_decimal_commas_and_dots_between_thousands_are_read_with_their_options() -> None:
    found = content(summarize(MESSY / "csvkit_test_locale.csv", decimal=",", thousands=".", exclude="c"))
    assert found == ({"a": (1.7, 1.7), "b": (200_000_000, 200_000_000)}, {}, 1, 1)


def test_bad_rows_are_skipped_when_asked_counted_and_named_by_line(notes: Notes) -> None:
    from gdcli.data.columns import ColumnOptions
    from gdcli.data.csv.options import CsvOptions
    from gdcli.ingest.read import ReadOptions

    columns = ColumnOptions(target=None, features=("column_a", "column_b"), summary=True)
    reading = ReadOptions(CsvOptions(on_bad_row="skip"))
    summary = run_summarize([str(MESSY / "csvkit_bad.csv")], columns, reading, notes)
    assert content(summary)[2:] == (1, 1)
    assert summary.reduced.skipped.count == 2
    assert len(notes.warnings) == 1
    assert "skipped 2 bad rows" in notes.warnings[0]
    assert "line 2: 4 fields" in notes.warnings[0]
    assert "line 3: 2 fields" in notes.warnings[0]


# Numbers written elsewhere.

XY = np.array([[1.5, 2000.25], [2.5, 1234567.0], [-3.25, 7.0], [4.0, 12.5]])


def expected_xy() -> Any:
    design = np.column_stack([np.ones(4), XY[:, 0]])
    return np.linalg.lstsq(design, XY[:, 1], rcond=None)[0]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("x;y\n1,5;2.000,25\n2,5;1.234.567\n-3,25;7,0\n4;12,5\n", {"decimal": ",", "thousands": "."}),
        ('x,y\n"1,5","2.000,25"\n"2,5",1.234.567\n"-3,25",7\n4,"12,5"\n', {"decimal": ",", "thousands": "."}),
        ('x,y\n1.5,"2,000.25"\n2.5,"1,234,567"\n-3.25,7.0\n4,12.5\n', {"thousands": ","}),
        ("x;y\n1,5;2 000,25\n2,5;1 234 567\n-3,25;7\n4;12,5\n", {"decimal": ",", "thousands": " "}),
        ("x;y\n1,5;2\xa0000,25\n2,5;1\xa0234\xa0567\n-3,25;7\n4;12,5\n", {"decimal": ",", "thousands": r"\xa0"}),
        ("x,y\n1.5,2’000.25\n2.5,1’234’567\n-3.25,7\n4,12.5\n", {"thousands": "’"}),
        ("sep=;\nx;y\n1.5;2000.25\n2.5;1234567\n-3.25;7\n4;12.5\n", {"skip_rows": 1, "separator": ";"}),
        ("x;y\n1,5;2000,25\n2,5;1234567\n-3,25;7\n4;12,5\n", {"decimal": ","}),
        ("x  y\n1.5   2000.25\n 2.5 1234567\n-3.25\t7.0  \n4    12.5\n", {}),
        ("x y\n1.5 2000.25\n2.5 1234567\n-3.25 7.0\n4 12.5\n", {}),
        ("x  y\n1,5   2000,25\n2,5  1234567\n-3,25   7\n4  12,5\n", {"separator": "blanks", "decimal": ","}),
        ("Report of today\nby me\n\nx,y\n1.5,2000.25\n2.5,1234567\n-3.25,7.0\n4,12.5\n", {"skip_rows": 2}),
        ("Report\r\nby me\r\nx,y\r\n1.5,2000.25\r\n2.5,1234567\r\n-3.25,7.0\r\n4,12.5\r\n", {"skip_rows": 2}),
        ("'x','y'\n'1.5','2000.25'\n2.5,1234567\n-3.25,7.0\n4,12.5", {"quotechar": "'"}),
        ("x;y;;\n1.5;2000.25;;\n2.5;1234567;;\n-3.25;7.0;;\n4;12.5;;\n;;;\n;;;\n", {}),
        ("x,y\n1.5,2000.25\nx,y\n2.5,1234567\n-3.25,7.0\nx,y\n4,12.5\n", {"on_bad_row": "skip"}),
        ("x,y\n1.5,2000.25\n2.5,1234567,9\n2.5,1234567\n-3.25,7.0\nTotal\n4,12.5\n", {"on_bad_row": "skip"}),
    ],
)
@pytest.mark.parametrize("size", [9, 1 << 20])
def test_every_notation_gives_the_same_line(
    csv_file: Callable[..., str],
    blocks_of: Callable[[int], None],
    text: str,
    options: dict[str, Any],
    size: int,
) -> None:
    blocks_of(size)
    result = fit(csv_file(text), target="y", iterations=0, **options)
    c, m = expected_xy()
    assert result.coefficients[0].term == "x"
    assert result.coefficients[0].optimum == pytest.approx(m, rel=1e-12)
    assert result.intercept is not None
    assert result.intercept.optimum == pytest.approx(c, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("x;y\n1,5;2\n2,5;3\n", {}, r"line 2, column 'x': '1,5' looks like a number .*--decimal , "),
        ('x,y\n"1,500",2\n"2,500,000",3\n', {}, r"column 'x': '1,500' .*: --thousands , reads it as 1500;"),
        ("x;y\n1\u202f500;2\n2\u202f500;3\n", {}, r"column 'x': .*--thousands \$'\\xe2\\x80\\xaf'"),
        ("x;y\n1.000.000;2\n2.000.500;3\n", {}, r"'1.000.000' .*--decimal , --thousands \."),
        (
            "x;y\n1,5;2\n1.7;3\n2,5;9\n",
            {"decimal": ",", "thousands": "."},
            r"line 3, column 'x': '1.7' is not a number",
        ),
        ("x,y\n1,2\n2,3\nx,y\n3,4\n", {}, "line 4: the header is repeated here.*--on-bad-row skip"),
        ("x,y\n1,2\n2,3\n\nu,v,w\n3,4,5\n", {}, "line 5: 3 fields where the header has 2"),
        ("x,y\n1,2\n2,3\n\nu,v\n3,4\n", {}, "line 5, column 'x': 'u' is not a number"),
        ("My report\nx,y\n1,2\n2,3\n", {"features": "x"}, "has no column"),
        ("x,y\n1,2;;\n2,3;;\n", {}, "column 'y'|'y' is text"),
        ("x;y\n1;2;;\n2;3;;\n", {}, "line 2: 4 fields where the header has 2"),
        ("x,y\n1,2\n", {"skip_rows": 9}, "no header line after 9 skipped ones"),
    ],
)
def test_what_would_be_read_wrongly_is_refused(
    csv_file: Callable[..., str], text: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        fit(csv_file(text), target="y", **options)


def test_the_cells_of_a_table_without_header_are_x1_x2(csv_file: Callable[..., str], notes: Notes) -> None:
    result = fit(csv_file("1,2\n2,4\n3,7\n"), target="x2", header=False, iterations=0)
    assert result.rows.read == 3
    assert [c.term for c in result.coefficients] == ["x1"]
    assert result.coefficients[0].optimum == pytest.approx(2.5, rel=1e-12)


def test_a_header_that_looks_like_data_is_a_warning_that_names_the_option(
    gdfit: Callable[..., Done], csv_file: Callable[..., str]
) -> None:
    done = gdfit("summarize", csv_file("1,2\n2,4\n3,7\n"), "-q")
    assert done.code == 0
    assert "the first line looks like data, as it holds 1, 2" in done.err
    assert "--no-header" in done.err
    assert gdfit("summarize", csv_file("1,2\n2,4\n3,7\n"), "-q", "--no-header").err == ""


@pytest.mark.parametrize(
    "options",
    [
        {"decimal": "."} | {"thousands": "."},
        {"decimal": "x"},
        {"decimal": ",,"},
        {"thousands": "3"},
        {"quotechar": ""},
        {"quotechar": ",", "separator": ","},
        {"on_bad_row": "ignore"},
        {"skip_rows": -1},
    ],
)
def test_options_that_make_no_sense_are_wrong_usage(csv_file: Callable[..., str], options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        fit(csv_file("x,y\n1,2\n2,4\n"), target="y", **options)


def test_bad_cells_are_skipped_only_in_columns_of_numbers(csv_file: Callable[..., str], notes: Notes) -> None:
    text = "x,kind,y\n" + "".join(f"{i},{'ab'[i % 2]},{i * i}\n" for i in range(9)) + "oops,a,3\n1,b,1e999\n"
    path = csv_file(text)
    with pytest.raises(CellError, match="line 11, column 'x': 'oops' is not a number"):
        fit(path, target="y")
    result = fit(path, target="y", on_bad_row="skip", iterations=0)
    assert (result.rows.read, result.rows.used, result.rows.skipped) == (9, 9, 2)
    x = np.arange(9.0)
    optimum = np.linalg.lstsq(np.column_stack([np.ones(9), x, x % 2]), x * x, rcond=None)[0]
    assert [c.optimum for c in result.coefficients] == pytest.approx(optimum[1:], rel=1e-10, abs=1e-12)


def test_predict_reads_and_writes_by_the_same_options(gdfit: Callable[..., Done], csv_file: Callable[..., str]) -> None:
    model = csv_file("", "model.json")
    train = csv_file("x;y\n1,5;2,0\n2,5;4,0\n3,5;6,0\n", "train.csv")
    assert gdfit(train, "-t", "y", "--lr", "auto", "--decimal", ",", "--save", model, "-q").code == 0
    rows = csv_file("title\nx;z\n1,5;'a;b'\n1;2;3;4\n2,5;c\n", "rows.csv")
    options = ("--decimal", ",", "--skip-rows", "1", "--quotechar", "'", "--on-bad-row", "skip", "-q")
    done = gdfit("predict", model, rows, *options)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "x;z;y_predicted"
    assert lines[1].startswith("1,5;'a;b';")
    assert [float(line.rsplit(";", 1)[1]) for line in lines[1:]] == pytest.approx([2.0, 4.0], rel=1e-3)
    assert "skipped 1 bad row: " in done.err
    assert "line 4: 4 fields" in done.err
    scored = gdfit("score", model, train, "--decimal", ",", "--format", "json")
    assert scored.code == 0
    assert gdfit("score", model, train).code == 0  # the model keeps the decimal comma


def test_bad_rows_of_several_short_files_are_counted_together(csv_file: Callable[..., str]) -> None:
    first, second = csv_file("x,y\n1,2\n2,3\n3,5,6\n4,9\n"), csv_file("x,y\n7\n5,2\n", "other.csv")
    rows = fit([first, second], target="y", on_bad_row="skip", iterations=0).rows
    assert (rows.read, rows.used, rows.skipped) == (4, 4, 2)


@pytest.mark.parametrize("form", ["{}%", "{} %", "${}", "{} €", "({})", "{}-", "\u2212{}", "$1,{}00.25"])
def test_numbers_with_signs_around_them_are_no_categories_unless_told_so(
    csv_file: Callable[..., str], form: str
) -> None:
    cells = [form.format(i) for i in range(1, 5)]
    text = "x;y\n" + "".join(f"{cell};{i * i}\n" for i, cell in enumerate(cells))
    path = csv_file(text)
    with pytest.raises(
        DataError,
        match=r"column 'x': .* looks like a number (with signs around it|written in another way).*--categorical x",
    ):
        fit(path, target="y")
    result = fit(path, target="y", categorical="x", iterations=0)
    assert len(result.coefficients) == 3


@pytest.mark.parametrize("cells", ["a%,b%,c%", "(a),(b),(c)", "10-20,20-30,30-", "65+,18+,30+", "A-,B-,C-"])
def test_texts_with_such_signs_stay_categories(csv_file: Callable[..., str], cells: str) -> None:
    text = "x,y\n" + "".join(f"{cell},{i * i}\n" for i, cell in enumerate(cells.split(",")))
    assert len(fit(csv_file(text), target="y", iterations=0).coefficients) == 2
