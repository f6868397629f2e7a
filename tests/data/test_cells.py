"""Cells: the fast and the careful way agree, nothing is misread silently, and errors say where."""

import contextlib
import csv
import io
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdcli.api import fit_data
from gdcli.base.errors import CellError, DataError, GdfitError, NotNumericError
from gdcli.data.csv import fast as cells
from gdcli.data.csv.block import CsvBlock
from gdcli.data.csv.chunks import Chunk
from gdcli.data.csv.dialect import Dialect
from gdcli.data.csv.exact import parse_carefully
from gdcli.data.csv.plain import parse_plain
from gdcli.data.csv.unsure import UnsureError
from gdcli.data.number_format import NumberFormat
from gdcli.data.table import Table

# What is read is looked at here, not what is fitted to it.
fit = partial(fit_data, iterations=1)

Columns = dict[str, list[Any]]
WORDS = frozenset({"", "NA", "NaN"})


def columns_of(table: Table) -> tuple[int, Columns]:
    """Return the number of rows, and the columns as lists; a missing cell is None."""
    found: Columns = {name: [None if math.isnan(v) else v for v in x.tolist()] for name, x in table.numeric.items()}
    for name, coded in table.text.items():
        found[name] = [None if code < 0 else coded.levels[code] for code in coded.codes.tolist()]
    return table.rows, found


def both_ways(
    text: str,
    names: Sequence[str],
    numeric: Sequence[str],
    texts: Sequence[str],
    missing: frozenset[str] = WORDS,
    separator: str = ",",
    newline: bytes = b"\n",
) -> list[tuple[int, Columns] | None]:
    """Parse a block fast and carefully; None where a way refuses. What is plain is read as it is carefully."""
    chunk = Chunk("data.csv", text.encode(), 2, 0)
    dialect = Dialect(separator, '"', newline, tuple(names), frozenset())
    found: list[tuple[int, Columns] | None] = []
    for way in (parse_plain, cells.parse_fast, parse_carefully):
        try:
            found.append(columns_of(way(chunk, dialect, numeric, texts, missing)))
        except (UnsureError, CellError):
            found.append(None)
    plain, fast, careful = found
    assert plain is None or plain == careful
    return [fast, careful]


def plain_read(text: str, names: Sequence[str], numeric: Sequence[str], texts: Sequence[str]) -> tuple[int, Columns]:
    """Read a block by Python's csv module alone."""
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), skipinitialspace=True) if row]
    assert all(len(row) == len(names) for row in rows)
    columns: Columns = {}
    for name in (*numeric, *texts):
        cell = [row[list(names).index(name)].strip() for row in rows]
        columns[name] = [None if c in WORDS else float(c) if name in numeric else c for c in cell]
    return len(rows), columns


TOKENS = {
    "numbers": ["1", "2.5", "-3e2", "1e5", ".5", "0", "007", "NA", "", ",", ",", ",", "\n", "\n", " "],
    "texts": ["a", "b", "1", "01", "1.0", "True", "NA", " NA ", ",", ",", ",", "\n", "\n", " "],
    "quotes": ['"a"', '"b,c"', '"d\ne"', '"f""g"', '""', '"', "h", ",", ",", ",", "\n", "\n", " "],
    "crlf": ['"a"', '"d\r\ne"', "1", "", ",", ",", ",", "\r\n", "\r\n"],
    "carriage returns": ['"a"', '"d\re"', "1", "", ",", ",", "\r", "\r\n", "\n"],
    "other characters": ["é", "\u00a0", "日本", "1", "\t", ",", ",", "\n", "\n", "１"],
    "two columns by and large": ["1,2\n", "a,3\n", "5,\n", ",x\n", "True,1e5\n", '"1","2"\n', "1,2,3\n", "4\n", "\n"],
}


@pytest.mark.parametrize("tokens", TOKENS.values(), ids=TOKENS)
def test_the_fast_and_the_careful_way_agree_where_both_accept(tokens: list[str]) -> None:
    @settings(derandomize=True, max_examples=50, deadline=None, database=None)
    @given(st.lists(st.sampled_from(tokens), max_size=16).map("".join), st.integers(1, 3), st.data())
    def check(text: str, width: int, data: st.DataObject) -> None:
        names = ["a", "b", "c"][:width]
        roles = data.draw(st.lists(st.sampled_from("nnntt-"), min_size=width, max_size=width))
        numeric = [name for name, role in zip(names, roles, strict=True) if role == "n"]
        texts = [name for name, role in zip(names, roles, strict=True) if role == "t"]
        fast, careful = both_ways(text, names, numeric, texts)
        assert fast is None or fast == careful

    check()


@pytest.mark.parametrize(
    "text", ['""a"', '""a"\n', '"a""', 'a"b"', '"a"b"c', '"', '""\n"', 'a\n""b"\nc', '"a\n""b"', '"""']
)
@pytest.mark.parametrize("names", ["a", "ab"])
def test_quotes_that_do_not_pair_are_read_alike_or_refused(text: str, names: str) -> None:
    fast, careful = both_ways(text, names, [], names[0])
    assert fast is None or fast == careful


@pytest.mark.parametrize("text", ["\u00a0", "1\n\u00a0\n", "\u2003\n2\n"])
def test_another_space_than_a_blank_or_a_tab_is_a_cell_that_holds_nothing(text: str) -> None:
    fast, careful = both_ways(text, ["a"], [], ["a"])
    assert fast == careful
    assert careful is not None
    assert careful[0] == len(text.splitlines())


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.integers(-(10**6), 10**6).map(str), st.floats(allow_nan=False, allow_infinity=False).map(repr)
            ),
            st.sampled_from(["a", "True", "01", "1", "1.0", "1e5", "x y", "é", 'q"q', "c,d", "NA", "", "l\nm", "0x1"]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_a_table_that_was_written_is_read_as_written(rows: list[tuple[str, str]]) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    expected = plain_read(file.getvalue(), "ab", "a", "b")
    fast, careful = both_ways(file.getvalue(), "ab", "a", "b")
    assert careful == expected
    assert fast in (None, expected)


@pytest.mark.parametrize("odd", ["True", "01", "1.0", "x y", "é", 'q"q', "c,d", "NA", " NA ", " id7 ", "", "\x7f"])
def test_a_column_of_texts_that_mostly_differ_is_read_as_written(odd: str) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows((i, odd if i % 7 == 3 else f"id{i}") for i in range(60))
    expected = plain_read(file.getvalue(), "ab", "a", "b")
    fast, careful = both_ways(file.getvalue(), "ab", "a", "b")
    assert fast == careful == expected


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.text(alphabet="0123456789+-.eExXnaifNAIF_ ", min_size=1, max_size=8))
def test_a_number_is_what_python_reads_too_or_is_refused(cell: str) -> None:
    for found in both_ways(f"5,x\n{cell},y\n", "ab", "a", "b"):
        if found is None:
            continue
        value = found[1]["a"][1]
        if value is None:
            assert cell.strip().lstrip("+-").lower() in ("", "na", "nan")
        else:
            assert value == float(cell)
            assert "_" not in cell


@pytest.mark.parametrize("exponent", [*range(-330, -300, 3), *range(-20, 20, 7), *range(290, 307, 3)])
def test_numbers_are_rounded_as_python_rounds_them(exponent: int) -> None:
    random = np.random.default_rng(exponent + 400)
    digits = ["".join(map(str, random.integers(0, 10, random.integers(1, 25)))) for _ in range(200)]
    written = [f"{d[0]}.{d[1:]}e{exponent}" for d in digits] + [f"{d}e{exponent - len(d)}" for d in digits]
    written += [repr(float(text)) for text in written]
    fast, careful = both_ways("".join(f"{text},0\n" for text in written), "ab", "a", "")
    assert fast is not None
    assert fast[1]["a"] == [float(text) for text in written]
    assert careful == fast


def test_numbers_of_any_length_and_form_are_read() -> None:
    written = ["1.", ".5", "+1", "-0", "1E5", "1e+05", "00012", "9" * 400 + "e-395", "0." + "3" * 500, "4.9e-324"]
    fast, careful = both_ways("".join(f"{text},0\n" for text in written), "ab", "a", "")
    assert fast == careful
    assert fast is not None
    assert fast[1]["a"] == [float(text) for text in written]


# What is not a number, in a column of numbers.

NOT_NUMBERS = ["oops", "1_000", "0x10", "１２", "1,5", "1 2", "1e", "--1", "1.2.3", "$5", "5%", "1/2", "1d5", "1L",
               "e5", "+", "-", "#5", "٣", "½", "1e5x", "True", "TRUE", "true", "False", "yes", "T"]  # fmt: skip

# A number with something around it is a value that is there: it is not proposed as missing.
WITH_SIGNS = {"1e", "1L", "1e5x", "$5", "5%", "#5"}


def column_with(cell: str, at: int, rows: int = 9) -> str:
    lines = [f'{i},"{cell}",{i}' if i == at else f"{i},{i}.5,{i * i}" for i in range(rows)]
    return "x,z,y\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize(("cell", "at"), [*((cell, 4) for cell in NOT_NUMBERS), ("oops", 0), ("True", 0), ("True", 8)])
def test_what_is_not_a_number_is_an_error_naming_file_line_column_and_value(
    csv_file: Callable[..., str], cell: str, at: int
) -> None:
    path = csv_file(column_with(cell, at))
    with pytest.raises(NotNumericError) as caught:
        fit(path, target="y")
    message = str(caught.value)
    assert path in message or "…" in message
    assert f"line {at + 2}, column 'z': '{cell}' is not a number" in message
    assert ("--na " in message) == (cell not in WITH_SIGNS)
    assert "--categorical z" in message


@pytest.mark.parametrize("size", [1, 40, 10_000])
@pytest.mark.parametrize("cell", ["True", "oops", "1_000"])
def test_what_is_not_a_number_is_found_in_any_block(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], cell: str, size: int
) -> None:
    blocks_of(size)
    with pytest.raises(NotNumericError, match=f"line 42, column 'z': '{cell}'"):
        fit(csv_file(column_with(cell, 40, 50)), target="y")


@pytest.mark.parametrize("size", [20, 10_000])
def test_a_block_of_nothing_but_true_in_a_column_of_numbers_is_an_error(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], size: int
) -> None:
    text = "x,y\n" + "".join(f"{i},{i}\n" for i in range(60)) + "True,1\n" * 50
    blocks_of(size)
    with pytest.raises(NotNumericError, match="line 62, column 'x': 'True'"):
        fit(csv_file(text), target="y")


@pytest.mark.parametrize("cell", ["inf", "-inf", "Infinity", "1e400", "-1e999", "+INF", "1.8e308"])
@pytest.mark.parametrize("column", ["x", "y"])
@pytest.mark.parametrize("size", [1, 10_000])
def test_an_infinite_value_is_an_error_naming_file_line_column_and_value(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], cell: str, column: str, size: int
) -> None:
    lines = [f"{i},{i + 1}" for i in range(20)]
    lines[12] = f"{cell},13" if column == "x" else f"12,{cell}"
    blocks_of(size)
    with pytest.raises(CellError) as caught:
        fit(csv_file("x,y\n" + "\n".join(lines)), target="y")
    assert f"line 14, column '{column}': the value '{cell}' is infinite" in str(caught.value)
    assert f"--na {cell}" in str(caught.value)


@pytest.mark.parametrize("word", ["inf", "-1e999"])
def test_an_infinite_value_can_be_called_missing(csv_file: Callable[..., str], word: str) -> None:
    result = fit(csv_file(f"x,y\n1,2\n{word},3\n3,5\n4,4\n"), target="y", na=word)
    assert (result.rows.read, result.rows.used, result.rows.dropped_by_column) == (4, 3, {"x": 1})


def test_values_whose_sum_overflows_are_not_infinite(csv_file: Callable[..., str]) -> None:
    path = csv_file("x,z,y\n1,1.5e308,2\n2,1.6e308,3\n3,1.7e308,5\n")
    assert fit(path, target="y", features="x", iterations=1).rows.used == 3
    with pytest.raises(DataError, match="'z'") as caught:
        fit(path, target="y")  # they cannot be squared
    assert "is infinite" not in str(caught.value)


# Numbers of fields.


def table_of(rows: int, width: int) -> list[str]:
    return [",".join(str((i + 1) * (j + 2) % 17) for j in range(width)) for i in range(rows)]


def wrong_row(line: str, change: str) -> str:
    return {
        "one too many": line + ",9",
        "an empty one too many": line + ",",
        "many too many": line + ",9" * 40,
        "one too few": line.rsplit(",", 1)[0],
    }[change]


CHANGES = ["an empty one too many", "many too many", "one too few"]
USED: list[dict[str, Any]] = [{}, {"features": ["a"]}, {"features": ["b", "c"]}, {"exclude": ["d"]}]


@pytest.mark.parametrize("options", USED, ids=["all columns", "the first", "some", "all but the last"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("at", "size"), [(0, 10_000), (7, 30), (19, 10_000), (19, 30)])
def test_a_row_with_another_number_of_fields_is_an_error_wherever_it_stands(
    csv_file: Callable[..., str],
    blocks_of: Callable[[int], None],
    at: int,
    size: int,
    change: str,
    options: dict[str, Any],
) -> None:
    lines = table_of(20, 5)
    lines[at] = wrong_row(lines[at], change)
    blocks_of(size)
    with pytest.raises(CellError, match=rf"line {at + 2}: \d+ fields? where the header has 5"):
        fit(csv_file("a,b,c,d,y\n" + "\n".join(lines) + "\n"), target="y", **options)


@pytest.mark.parametrize("options", USED, ids=["all columns", "the first", "some", "all but the last"])
@pytest.mark.parametrize("change", CHANGES)
def test_rows_that_all_have_another_number_of_fields_are_an_error(
    csv_file: Callable[..., str], change: str, options: dict[str, Any]
) -> None:
    lines = [wrong_row(line, change) for line in table_of(20, 5)]
    with pytest.raises(CellError, match=r"line 2: \d+ fields? where the header has 5"):
        fit(csv_file("a,b,c,d,y\n" + "\n".join(lines) + "\n"), target="y", **options)


def test_the_first_field_too_many_is_named(csv_file: Callable[..., str]) -> None:
    for row, which in (("3,4,5,6", "the first one too many is '5'"), ("3", "the last one is '3'")):
        with pytest.raises(CellError, match=which):
            fit(csv_file(f"x,y\n1,2\n{row}\n"), target="y")


@pytest.mark.parametrize("options", USED, ids=["all columns", "the first", "some", "all but the last"])
@pytest.mark.parametrize(("long", "short"), [(3, 9), (9, 3), (0, 19), (19, 0), (4, 5), (5, 4)])
def test_a_field_too_many_does_not_make_up_for_one_too_few(
    csv_file: Callable[..., str], long: int, short: int, options: dict[str, Any]
) -> None:
    lines = table_of(20, 5)
    lines[long], lines[short] = wrong_row(lines[long], "one too many"), wrong_row(lines[short], "one too few")
    with pytest.raises(CellError, match=rf"line {min(long, short) + 2}: \d fields"):
        fit(csv_file("a,b,c,d,y\n" + "\n".join(lines) + "\n"), target="y", **options)


@pytest.mark.parametrize("long", [2**16 - 1, 2**16, 2**17 - 2, 2**17 - 1, 2**17])
def test_a_field_too_many_is_found_where_pandas_begins_another_piece(long: int) -> None:
    # With low_memory pandas parses as many rows of four cells as the largest power of two below a quarter of 2^20; the
    # surplus field stands around the seams.
    row, rows, names = b"1,2,3,4\n", 2**17 + 2000, ("a", "b", "c", "d")
    text = row * long + b"1,2,3,4,5\n" + row * (rows - long)
    dialect = Dialect(",", '"', b"\n", names, frozenset())
    with pytest.raises(UnsureError):
        cells.parse_fast(Chunk("data.csv", text, 2, 0), dialect, names, [], WORDS)
    text = row * 7 + b"1,2,3\n" + text[8 * len(row) :]
    with pytest.raises(CellError, match="line 9: 3 fields"):
        CsvBlock(Chunk("data.csv", text, 2, 0), dialect).table(names, [], WORDS)


def test_a_separator_inside_quotes_is_no_field(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file('x,kind,y\n1,"a,b",2\n2,"a,b",3\n3,"c,",7\n4,",",5\n'), target="y")
    assert result.reference_levels == {"kind": ","}
    assert [c.term for c in result.coefficients] == ["x", "kind[a,b]", "kind[c,]"]


def test_a_separator_missing_beside_a_quoted_one_is_an_error(csv_file: Callable[..., str]) -> None:
    with pytest.raises(CellError, match="line 3: 2 fields where the header has 3"):
        fit(csv_file('x,kind,y\n1,a,2\n2,"a,3"\n3,c,7\n'), target="y")


@pytest.mark.parametrize("blank", ["", "   ", "\t"])
def test_blank_lines_are_no_rows(csv_file: Callable[..., str], blank: str) -> None:
    result = fit(csv_file(f"x,y\n{blank}\n1,2\n{blank}\n{blank}\n2,3\n3,5\n{blank}\n"), target="y")
    assert (result.rows.read, result.rows.used) == (3, 3)


def test_a_row_of_empty_cells_is_a_row(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("x,y\n1,2\n,\n2,3\n3,5\n"), target="y")
    assert (result.rows.read, result.rows.used, result.rows.dropped_by_column) == (4, 3, {"x": 1, "y": 1})


@pytest.mark.parametrize(
    ("text", "names", "newline", "rows"),
    [
        ('1\n""\n2\n', "a", b"\n", [["1"], [None], ["2"]]),
        ("1,x\r\r,y\r", "ab", b"\r", [["1", "x"], [None, "y"]]),
        ("\n1,2,u\n3,4,v\n", "a-b", b"\n", [["1", "u"], ["3", "v"]]),
        ("\r\n1,2,u\r\n\r\n3,4,v", "a-b", b"\n", [["1", "u"], ["3", "v"]]),
    ],
    ids=["a quoted nothing", "an empty cell behind a blank line", "a blank line first", "blank lines between"],
)
def test_blank_lines_and_rows_of_nothing_are_told_apart(
    text: str, names: str, newline: bytes, rows: list[list[str | None]]
) -> None:
    used = [name for name in names if name != "-"]
    expected = (len(rows), dict(zip(used, map(list, zip(*rows, strict=True)), strict=True)))
    fast, careful = both_ways(text, list(names), [], used, newline=newline)
    assert careful == expected
    assert fast == (None if newline == b"\r" else expected)  # lone CRs are left to the careful way


def test_a_header_that_comes_again_is_found_though_its_name_means_a_missing_cell() -> None:
    for names in (["NA", "b"], ["a", "NA"]):
        assert both_ways(f"x,y\n{','.join(names)}\n", names, [], names) == [None, None]


def test_a_cell_of_one_control_character_is_a_text_of_its_own() -> None:
    fast, careful = both_ways("\x7f\na\n\x7f\n", ["t"], [], ["t"])
    assert fast == careful == (3, {"t": ["\x7f", "a", "\x7f"]})


def test_thousands_are_proposed_only_with_the_decimal_mark_in_use() -> None:
    chunk, dialect = Chunk("data.csv", b"1\n1.234,5\n", 2, 0), Dialect(";", '"', b"\n", ("a",), frozenset())
    with pytest.raises(CellError, match=r"'1\.234,5' is not a number") as caught:
        parse_carefully(chunk, dialect, ["a"], [], WORDS)
    assert "--thousands" not in str(caught.value)


def test_a_missing_number_is_missing_with_its_thousands_separated_too() -> None:
    chunk = Chunk("data.csv", b"1,234\n-9,999\n", 2, 0)
    dialect = Dialect(";", '"', b"\n", ("a",), frozenset(), NumberFormat(".", ","))
    for way in (cells.parse_fast, parse_carefully):
        assert columns_of(way(chunk, dialect, ["a"], [], frozenset({"", "-9999"}))) == (2, {"a": [1234.0, None]})


# Texts.


@pytest.mark.parametrize("size", [1, 10_000])
def test_levels_are_the_files_text(csv_file: Callable[..., str], blocks_of: Callable[[int], None], size: int) -> None:
    codes = ["01", "1", "1.0", "1e0", "001", "+1"]
    text = "code,y\n" + "".join(f"{code},{i + j}\n" for j in range(2) for i, code in enumerate(codes))
    blocks_of(size)
    result = fit(csv_file(text), target="y", categorical="code", iterations=0)
    # Plain numbers come first, by their size and then their text; +1 and 1e0 are texts like any other.
    assert result.reference_levels == {"code": "001"}
    assert [c.term for c in result.coefficients] == [f"code[{code}]" for code in ("01", "1", "1.0", "+1", "1e0")]


@pytest.mark.parametrize("codes", [["01", "02"], ["1.1", "1.10"], ["100000", "1e5"], ["1", "2", "10"], ["0.5", ".5"]])
def test_numbers_taken_as_categories_keep_their_spelling(csv_file: Callable[..., str], codes: list[str]) -> None:
    text = "code,x,y\n" + "".join(f"{code},{j},{i + j * j}\n" for j in range(3) for i, code in enumerate(codes[::-1]))
    result = fit(csv_file(text), target="y", categorical="code", iterations=0)
    assert result.reference_levels == {"code": codes[0]}
    assert [c.term for c in result.coefficients] == [*(f"code[{level}]" for level in codes[1:]), "x"]


def test_a_level_is_the_same_in_a_block_of_numbers_and_in_one_of_texts(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None]
) -> None:
    text = "code,y\n" + "a,1\n1,2\nb,3\n" * 9 + "1,4\n1.5,5\n" * 9
    blocks_of(60)
    result = fit(csv_file(text), target="y", iterations=0)
    assert [result.reference_levels["code"], *(c.term for c in result.coefficients)] == [
        "1",
        "code[1.5]",
        "code[a]",
        "code[b]",
    ]


@pytest.mark.parametrize("line_end", ["\r\n", "\r", "\n"])
def test_a_line_end_inside_quotes_is_kept_in_every_block(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], line_end: str
) -> None:
    # The second block has a quote in the middle of a cell, which only the careful way reads.
    first, second = f'"a{line_end}b",1\nc,2\n' * 6, f'"a{line_end}b",3\n5" pipe,4\n' * 6
    blocks_of(len(first))
    result = fit(csv_file("kind,y\n" + first + second), target="y", iterations=0)
    assert len(result.coefficients) == 2  # 5" pipe, a…b, c
    assert result.state.levels["kind"] == ('5" pipe', f"a{line_end}b", "c")


def test_blanks_around_a_text_do_not_make_another_level(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file('kind,y\na,1\n a,2\na ,3\n"a ",4\nb,5\n\tb,6\n'), target="y", iterations=0)
    assert (result.reference_levels, [c.term for c in result.coefficients]) == ({"kind": "a"}, ["kind[b]"])


def test_true_and_false_are_texts(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("flag,y\nTrue,1\nFalse,2\nTrue,4\nFalse,7\n"), target="y", iterations=0)
    assert (result.reference_levels, [c.term for c in result.coefficients]) == ({"flag": "False"}, ["flag[True]"])


def test_spellings_of_true_stay_apart(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("flag,y\nTrue,1\nTRUE,2\ntrue,4\nTrue,7\nTRUE,3\ntrue,2\n"), target="y", iterations=0)
    assert [c.term for c in result.coefficients] == ["flag[True]", "flag[true]"]


# Missing cells.

MISSING = ["", " ", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "n/a", "#N/A", "<NA>", "-nan", "1.#QNAN", "-NaN",
           "#NA", "1.#IND", "-1.#IND", "-1.#QNAN", "#N/A N/A", " NA ", "\tnull", '"NA"', '" NA "', '""']  # fmt: skip


@pytest.mark.parametrize(
    ("word", "column"), [*((w, "x") for w in MISSING), *((w, "kind") for w in MISSING), ("", "y"), (" NA", "y")]
)
def test_a_missing_word_drops_the_row(csv_file: Callable[..., str], word: str, column: str) -> None:
    rows = [["1", "a", "2"], ["2", "b", "3"], ["5", "a", "9"], ["4", "b", "4"], ["8", "a", "1"]]
    rows[2][["x", "kind", "y"].index(column)] = word
    result = fit(csv_file("x,kind,y\n" + "".join(",".join(row) + "\n" for row in rows)), target="y")
    assert (result.rows.read, result.rows.used, result.rows.dropped) == (5, 4, 1)
    assert result.rows.dropped_by_column == {column: 1}


@pytest.mark.parametrize("word", ["-999", "?", "missing", " - ", "9 9"])
def test_more_missing_words_can_be_given(csv_file: Callable[..., str], word: str) -> None:
    text = f"x,kind,y\n1,a,2\n{word},b,3\n3,{word},5\n4,a,{word}\n5,b,6\n6,a,1\n"
    result = fit(csv_file(text), target="y", na=word)
    assert result.rows.dropped_by_column == {"x": 1, "kind": 1, "y": 1}
    assert result.rows.used == 3


def test_a_missing_number_is_missing_in_any_spelling_of_the_number(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("x,y\n1,2\n-999,3\n-999.0,5\n-9.99e2,1\n5,6\n6,1\n"), target="y", na="-999")
    assert result.rows.dropped_by_column == {"x": 3}


@pytest.mark.parametrize("quirk", ["", '5" pipe,1,1\n'])
def test_a_missing_number_is_missing_as_a_text_in_its_own_spelling_only(
    csv_file: Callable[..., str], quirk: str
) -> None:
    # the quirk makes the careful way read it: both must say the same
    text = "kind,x,y\na,1,2\n999,2,3\n999.0,3,5\nb,4,1\n9.99e2,5,6\na,6,1\nb,2,2\n" + quirk
    result = fit(csv_file(text), target="y", na="999.0", iterations=0)
    assert result.rows.dropped_by_column == {"kind": 1}
    assert {"999", "9.99e2"} < set(result.state.levels["kind"])


def test_the_result_counts_a_row_that_lacks_several_cells_for_each_column(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("x,z,y\n1,2,3\nNA,,4\n,5,NA\n4,4,4\n5,1,2\n"), target="y")
    assert (result.rows.read, result.rows.used, result.rows.dropped) == (5, 3, 2)
    assert result.rows.dropped_by_column == {"x": 2, "z": 1, "y": 1}


def test_a_missing_cell_in_a_column_that_is_not_used_drops_nothing(csv_file: Callable[..., str]) -> None:
    assert fit(csv_file("x,z,y\n1,,3\n2,,4\n3,5,9\n"), target="y", exclude="z").rows.dropped == 0


# Damage.


def test_a_nul_byte_is_an_error_naming_the_line(csv_file: Callable[..., str]) -> None:
    with pytest.raises(CellError, match="line 3: there is a NUL byte"):
        fit(csv_file(b"x,y\n1,2\n2\0,3\n3,5\n"), target="y")


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.binary(max_size=80))
def test_no_bytes_whatever_make_the_reader_crash(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random.csv"
    path.write_bytes(b"x,y\n1,2\n" + data)
    with contextlib.suppress(GdfitError):
        fit(path, target="y", iterations=1)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.text(alphabet='xy,;\t|"\n\r 1é\0', max_size=30))
def test_no_header_whatever_makes_the_reader_crash(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "random.csv"
    path.write_bytes(text.encode() + b"\n1,2\n2,3\n")
    with contextlib.suppress(GdfitError):
        fit(path, target="y", iterations=1)


@pytest.mark.parametrize(("cells_", "line"), [("1e400", 3), ("-1e999", 3)])
def test_a_number_too_large_for_a_double_is_infinite_also_among_digits_alone(cells_: str, line: int) -> None:
    chunk = Chunk("data.csv", f"1,2\n{cells_},3\n".encode(), 2, 0)
    with pytest.raises(NotNumericError, match=f"line {line}, column 'a': the value '{cells_}' is infinite"):
        parse_carefully(chunk, Dialect(",", '"', b"\n", ("a", "b"), frozenset()), ["a", "b"], [], WORDS)


def test_the_fast_way_is_not_sure_which_infinity_means_a_missing_cell() -> None:
    chunk = Chunk("data.csv", b"1,0\ninf,0\n-inf,0\n", 2, 0)
    dialect = Dialect(",", '"', b"\n", ("a", "b"), frozenset())
    with pytest.raises(UnsureError):
        cells.parse_inferred(chunk, dialect, ["a", "b"], [], frozenset({"", "inf"}))
    assert cells.parse_inferred(chunk, dialect, ["a", "b"], [], frozenset({""})).numeric["a"].tolist()[1] == math.inf
