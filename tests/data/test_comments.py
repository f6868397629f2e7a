"""Lines that are no rows: comments, marks of the file's end, what spreadsheets say about separators."""

import gzip
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gdcli.api import fit_data as fit
from gdcli.base.errors import DataError, UsageError
from gdcli.data.csv.chunks import cut
from gdcli.data.csv.comments import masked, without_comments
from gdcli.data.csv.dialect import Dialect, open_table
from gdcli.data.csv.options import CsvOptions
from gdcli.data.streams import open_stream
from gdcli.ingest.header import column_names

CASES = Path(__file__).parent.parent / "cases"
COMMENTED = Dialect(",", '"', b"\n", ("a", "b"), frozenset(), comment="#")


def slopes(path: object, **options: Any) -> dict[str, float]:
    """Return the optimum's slopes and intercept."""
    found = fit(str(path), learning_rate="auto", **options)
    assert found.intercept is not None
    return {c.term: c.optimum or 0.0 for c in (*found.coefficients, found.intercept)}


def spelled_out(text: str) -> str:
    """Empty the comments of a text, character by character."""
    out, quoted, i = "", False, 0
    while i < len(text):
        starts_line = i == 0 or text[i - 1] == "\n"
        if not quoted and starts_line and text[i] == "#":
            while i < len(text) and text[i] != "\n":
                i += 1
            continue
        if quoted and text[i : i + 2] == '""':
            out, i = out + '""', i + 2
            continue
        if text[i] == '"' and (quoted or starts_line or text[i - 1] == ","):
            quoted = not quoted
        out, i = out + text[i], i + 1
    return out


def test_comments_are_found_as_by_a_walk_over_the_characters() -> None:
    drawn = random.Random(5)
    commented = 0
    for _ in range(20_000):
        text = "".join(drawn.choice('##"",\n\nab') for _ in range(drawn.randrange(1, 24)))
        found = without_comments(text.encode(), COMMENTED).decode()
        assert found == spelled_out(text), repr(text)
        assert len(masked(text.encode(), COMMENTED)) == len(text)
        commented += found != text
    assert commented > 5_000


def test_blocks_end_at_the_same_rows_whatever_quotes_are_in_comments(tmp_path: Path) -> None:
    rows = [f'"{i}\n# no comment {i}",{i}' if i % 3 == 0 else f"{i},{i}" for i in range(200)]
    commented = [line for i, row in enumerate(rows) for line in ([f'# don"t, "{i}', row] if i % 2 else [row])]
    plain, marked = tmp_path / "plain.csv", tmp_path / "marked.csv"
    plain.write_text("a,b\n" + "\n".join(rows) + "\n")
    marked.write_text("# above\na,b\n" + "\n".join(commented) + "\n")
    texts = []
    for path, size in ((plain, 1 << 20), (marked, 1 << 20), (marked, 100), (marked, 37)):
        stream = open_stream(str(path))
        header = open_table(stream, CsvOptions(comment="#"))
        blocks = list(cut(stream.text, "x", header, size))
        stream.close()
        assert sum(block.size for block in blocks) + header.size == path.stat().st_size
        texts.append([line for block in blocks for line in block.text.decode().split("\n") if line])
    assert texts[0] == texts[1] == texts[2] == texts[3]


def test_comments_between_the_rows_and_above_the_header_are_left_out(tmp_path: Path) -> None:
    # Least squares on the four rows without comments.
    import numpy as np

    x, y = np.array([3.1, 3.2, 32.0, 4.0]), np.array([12.0, 3.2, 3.1, 5.0])
    slope, intercept = np.linalg.lstsq(np.column_stack([x, np.ones(4)]), y, rcond=None)[0]
    options: dict[str, Any] = {"target": "epsilon", "features": "sigma", "comment": "#"}
    assert slopes(CASES / "p34_comments.csv", **options) == pytest.approx({"sigma": slope, "(intercept)": intercept})
    above = tmp_path / "above.csv"
    above.write_text("# one, two, 3\n\n# four\n" + (CASES / "p34_comments.csv").read_text())
    assert slopes(above, **options) == slopes(CASES / "p34_comments.csv", **options)


def test_a_comment_above_a_first_line_of_numbers_names_the_columns(gdfit: Callable[..., Any], tmp_path: Path) -> None:
    import numpy as np

    x, y = np.array([2.0, 8, 5, 3]), np.array([456.0, 253, 350, 410])
    slope, intercept = np.linalg.lstsq(np.column_stack([x, np.ones(4)]), y, rcond=None)[0]
    path = str(CASES / "p35_hashheader.csv")
    options: dict[str, Any] = {"target": "M", "features": "K", "comment": "#"}
    assert slopes(path, **options) == pytest.approx({"K": slope, "(intercept)": intercept})
    done = gdfit(path, "-t", "M", "-x", "K", "--lr", "auto", "--comment", "#", "--format", "csv")
    assert "its column names stand in the comment above the rows" in done.err
    assert column_names(path, comment="#") == ("N", "M", "K")
    assert slopes(path, **(options | {"target": "x2", "features": "x3", "header": False})) == pytest.approx(
        {"x3": slope, "(intercept)": intercept}
    )
    gnuplot = tmp_path / "gnuplot.dat"
    gnuplot.write_text("# 'x'   y \n 1   2\n 2   4.5\n# don't\n 3   6\n")
    assert column_names(str(gnuplot), comment="#") == ("'x'", "y")
    assert slopes(gnuplot, target="y", comment="#")["'x'"] == pytest.approx(2.0)


@pytest.mark.parametrize("above", ["# a title", "# 1, 2", "# x, x", "# x,", "# a, b, c", "#"])
def test_any_other_comment_names_no_columns(tmp_path: Path, above: str) -> None:
    path = tmp_path / "years.csv"
    path.write_text(f"{above}\n2019,2020\n1,2\n2,4\n3,7\n")
    assert column_names(str(path), comment="#") == ("2019", "2020")


def test_a_comment_names_no_columns_where_a_line_of_names_follows_or_there_is_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "named.csv"
    path.write_text("# first, second\nx,y\n1,2\n2,4\n")
    assert column_names(str(path), comment="#") == ("x", "y")
    path.write_text("# first, second\n1,2\n2,4\n")
    assert column_names(str(path), comment="#", header=False) == ("x1", "x2")


def test_the_fit_is_the_same_to_the_last_bit_from_file_archive_and_any_number_of_threads(tmp_path: Path) -> None:
    drawn = random.Random(1)
    lines = ["# made up", "# x, y, long"]
    for i in range(25_000):
        x = drawn.gauss(0, 1)
        lines.append(f"{x:.17g},{2 * x + drawn.gauss(0, 1):.17g},{'-' * 700}")
        if i % 1000 == 0:
            lines.append('# a comment,"with quotes')
    lines[2] = '0,1,""'
    text = "\n".join(lines).encode() + b"\n\x1a"
    assert len(text) > 2 * (8 << 20)
    path, archive = tmp_path / "x.csv", tmp_path / "x.csv.gz"
    path.write_bytes(text)
    archive.write_bytes(gzip.compress(text, 1))
    options: dict[str, Any] = {"target": "y", "features": "x", "comment": "#", "learning_rate": "auto"}
    fits = [fit(str(path), **options, jobs=1), fit(str(path), **options, jobs=2), fit(str(archive), **options)]
    assert {found.rows.read for found in fits} == {25_000}
    assert len({(found.cost, found.coefficients, found.intercept) for found in fits}) == 1


def test_predictions_stand_beside_the_rows_without_the_comments(gdfit: Callable[..., Any], tmp_path: Path) -> None:
    path, model = tmp_path / "x.csv", str(tmp_path / "m.json")
    path.write_text("# note\n# x, y\n1,2\n# between\n2,4\n3,6\n")
    assert gdfit(str(path), "-t", "y", "--lr", "auto", "--comment", "#", "--save", model, "-q").code == 0
    done = gdfit("predict", model, str(path), "--comment", "#")
    assert done.code == 0
    head, *rows = done.out.splitlines()
    assert head == "x, y,y_predicted"
    assert [row.rsplit(",", 1)[0] for row in rows] == ["1,2", "2,4", "3,6"]


@pytest.mark.parametrize("comment", ["", " #", "\t", '"', "a\nb"])
def test_what_begins_no_comment_is_wrong_usage(comment: str) -> None:
    with pytest.raises(UsageError, match="--comment"):
        CsvOptions(comment=comment)


def test_a_file_of_comments_alone_has_no_header(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("# one\n\n# two")
    with pytest.raises(DataError, match="no header line: it holds nothing but blank lines and comments"):
        fit(str(path), target="y", comment="#")
    path.write_text("x,y\n# one\n# two")
    with pytest.raises(DataError, match="has a header but no rows"):
        fit(str(path), target="y", comment="#")


def test_a_ctrl_z_ends_a_file_and_is_text_elsewhere(tmp_path: Path) -> None:
    # exit 2.05 and 0 by hand; the texts \x1aA and B are two levels.
    assert slopes(CASES / "p37_sub.csv", target="y") == pytest.approx({"exit": 2.05, "(intercept)": 0.0}, abs=1e-12)
    assert slopes(CASES / "p37_subquote.csv", target="y", features="id") == pytest.approx(
        {"id": 2.05, "(intercept)": 0.0}, abs=1e-12
    )
    path = tmp_path / "x.csv"
    path.write_bytes(b"x,y\n1,2\n\x1a\n2,3\n")
    with pytest.raises(DataError, match="line 3"):
        fit(str(path), target="y")


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("sep=;\nx;y\n1;2\n2;4\n3;7\n", {}),
        ('"sep=;"\r\nx;y\r\n1;2\r\n2;4\r\n3;7\r\n', {}),
        ("SEP=\t\r\nx\ty\r\n1\t2\r\n2\t4\r\n3\t7\r\n", {}),
        ("\n# made by\nsep=^\n\nx^y\n1^2\n2^4\n3^7\n", {"comment": "#"}),
        ("sep=,\nx;y\n1;2\n2;4\n3;7\n", {"separator": ";"}),
        ("sep=;\n1;2\n2;4\n3;7\n", {"header": False}),
    ],
)
def test_a_line_that_names_the_separator_is_obeyed(tmp_path: Path, text: str, options: dict[str, Any]) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode())
    names = ("x1", "x2") if "header" in options else ("x", "y")
    # By hand: (1, 2), (2, 4), (3, 7) lie around -2/3 + 2.5 x.
    expected = {names[0]: 2.5, "(intercept)": -2 / 3}
    assert slopes(path, target=names[1], **options) == pytest.approx(expected)
    assert column_names(str(path), **(options | {"header": options.get("header", True)})) == names


@pytest.mark.parametrize(("header", "options"), [("{x},{y}", {}), ('{"x},y}', {}), ('{"x":,y', {"separator": ","})])
def test_a_header_that_begins_with_a_brace_is_csv_where_it_is_no_json(
    tmp_path: Path, header: str, options: dict[str, Any]
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"{header}\n1,2\n2,4\n3,7\n")
    x, y = header.split(",")
    assert column_names(str(path), **options) == (x, y)
    assert slopes(path, target=y, **options)[x] == pytest.approx(2.5)
