"""Text after a closing quote: no writer of CSV means it, so the cell is not used."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gdcli.api import fit_data as fit
from gdcli.base.errors import CellError, DataError
from tests.conftest import Done

ROWS = "1,2,a\n2,4,b\n3,7,a\n"


@pytest.mark.parametrize(
    ("row", "features", "message"),
    [
        ('"1"2,3,a\n', ["x"], "line 5, column 'x': text follows the quote that closes the cell"),
        ('1,"3"0,a\n', ["x"], "line 5, column 'y'"),
        ('1,3,"a"b\n', ["t"], "line 5, column 't'"),
        ('\n1,3,"a\nb" c\n', ["t"], "line 6, column 't'"),
        ('1,"3" "0",a\n', ["x"], "line 5, column 'y'"),
    ],
)
def test_text_after_a_closing_quote_is_an_error_with_its_line_where_it_is_used(
    tmp_path: Path, row: str, features: list[str], message: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("x,y,t\n" + ROWS + row + ROWS)
    with pytest.raises(CellError, match=message):
        fit(str(path), target="y", features=features)
    skipping: dict[str, Any] = {"target": "y", "features": features, "on_bad_row": "skip"}
    assert fit(str(path), **skipping).rows.skipped == 1


def test_lines_that_a_carriage_return_ends_are_counted_too(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b'x,y\r1,2\r\r"1"2,3\r4,5\r')
    with pytest.raises(CellError, match="line 4, column 'x': text follows the quote that closes the cell"):
        fit(str(path), target="y")


def test_blanks_after_a_closing_quote_and_text_in_other_columns_stop_no_fit(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('x,y,t\n"1"  ,2,a\n2,"4" ,"b"b\n3,7,a\n')
    found = fit(str(path), target="y", features="x", learning_rate="auto")
    assert found.coefficients[0].optimum == pytest.approx(2.5)


@pytest.mark.parametrize("block_bytes", [12, 10**6])
def test_text_after_a_closing_quote_is_warned_of_in_columns_that_are_not_used(
    tmp_path: Path, gdfit: Callable[..., Done], blocks_of: Callable[[int], None], block_bytes: int
) -> None:
    blocks_of(block_bytes)
    path = tmp_path / "x.csv"
    path.write_text("x,y,t\n" + ROWS + '4,8,"a"b\n' + ROWS + '5,9,"c"d\n')
    err = gdfit(path, "-t", "y", "-x", "x", "-q", "--jobs", "1").err
    assert [line for line in err.splitlines() if "quote" in line] == [
        f"warning: '{path}', line 5, column 't', which is not used: text follows the quote that closes the cell, and "
        "others may be cut wrongly"
    ]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ('"a"b,y', "line 1, column 'ab': text follows the quote that closes the name; put all of it in quotes"),
        ('x,"y" "z"\r', "line 1, column 'y \"z\"': text follows the quote"),
        ('\n"p, q","r"s', "line 2, column 'rs': text follows the quote"),
    ],
)
def test_text_after_the_closing_quote_of_a_name_is_an_error(tmp_path: Path, header: str, message: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"{header}\n1,2\n2,4\n3,7\n", newline="")
    with pytest.raises(DataError, match=message):
        fit(str(path), target="y")


def test_blanks_after_the_closing_quote_of_a_name_are_none_of_it(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('"x, m" , "y" \n1,2\n2,4\n3,7\n')
    found = fit(str(path), target="y")
    assert found.features == ("x, m",)
