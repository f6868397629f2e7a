"""A DataFrame gives what the CSV of the same data gives."""

import dataclasses
import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli import fit
from gdcli.base.errors import CellError, DataError, NotNumericError
from gdcli.fitting.results import Fit

Y = [1.0, 3.0, 2.0, 5.0, 4.0, 7.5]


def comparable(result: Fit) -> Fit:
    return dataclasses.replace(result, files=())


def objects(*values: Any) -> "pd.Series[Any]":
    return pd.Series(values, dtype=object)


SAME: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "integers": ({"a": [1, 2, 3, 5, 8, 13]}, {}),
    "floats": ({"a": [0.1, 0.2, 0.3, 1e-9, 1e9, -5.5]}, {}),
    "floats with gaps": ({"a": [0.1, None, 0.3, np.nan, 1e9, -5.5]}, {}),
    "small integers": ({"a": np.array([1, 2, 3, 5, 8, 255], dtype=np.uint8)}, {}),
    "large integers": ({"a": objects(1, 2, 3, 4, 5, 10**30)}, {}),
    "bools": ({"a": [True, False, True, True, False, False]}, {}),
    "bools with gaps": ({"a": objects(True, False, None, True, False, False)}, {}),
    "nullable bools": ({"a": pd.array([True, False, None, True, False, False], dtype="boolean")}, {}),
    "nullable integers": ({"a": pd.array([1, 2, None, 4, 5, 9], dtype="Int64")}, {}),
    "nullable floats": ({"a": pd.array([1, 2, None, 4, 5, 9], dtype="Float64")}, {}),
    "texts": ({"a": ["x", "y", "x", "z", "z", "x"]}, {}),
    "texts with gaps": ({"a": ["x", None, "x", "z", "z", np.nan]}, {}),
    "texts that mean missing": ({"a": ["x", "NA", " null ", "z", "z", "x"]}, {}),
    "texts with blanks": ({"a": ["x", " x", "x ", "z", "z", "z"]}, {}),
    "objects of text": ({"a": objects("x", "y", None, "z", "z", "x")}, {}),
    "numbers as text": ({"a": objects("1", " 2", "3.5", "4", "5e1", "NA")}, {}),
    "mostly numbers in objects": ({"a": objects(1, 2.5, "3", "4", None, 9)}, {}),
    "texts and numbers": ({"a": objects("x", 1, "x", "y", 1, "y")}, {}),
    "categories": ({"a": pd.Categorical(["b", "a", "b", "c", "c", "a"])}, {}),
    "categories in an order": ({"a": pd.Categorical(list("bacbca"), categories=list("cba"), ordered=True)}, {}),
    "categories with gaps": ({"a": pd.Categorical(["b", "a", None, "c", "c", "a"])}, {}),
    "categories that never occur": ({"a": pd.Categorical(list("babaab"), categories=list("abcde"))}, {}),
    "categories of numbers": ({"a": pd.Categorical([1, 2, 3, 1, 2, 9])}, {}),
    "categories of bools": ({"a": pd.Categorical([True, False, True, True, False, False])}, {}),
    "a string dtype": ({"a": pd.array(["x", "y", None, "z", "z", "x"], dtype="string")}, {}),
    "codes as categories": ({"a": objects("01", "1", "01", "1", "2", "2")}, {"categorical": "a"}),
    "integers as categories": ({"a": [1, 2, 3, 1, 2, 10]}, {"categorical": "a"}),
    "a word for missing": ({"a": ["x", "?", "x", "z", "z", "x"]}, {"na": "?"}),
    "a number for missing": ({"a": [1, 2, 3, 4, 5, 999]}, {"na": "999"}),
    "a float for missing": ({"a": [1.5, 2, 3, 4, 5, -99]}, {"na": "-99"}),
    "a number for missing in texts": ({"a": objects("1", "2", "3", "4", "5", "999.0")}, {"na": "999"}),
    "weights": ({"a": [1, 2, 3, 4, 5, 6], "w": [1, 2, 0, 1, 0.5, 3]}, {"weights": "w"}),
    "weights with gaps": ({"a": [1, 2, 3, 4, 5, 6], "w": [1, 2, None, 1, 0.5, 3]}, {"weights": "w"}),
    "a repeated index": ({"a": [1, 2, 3, 5, 8, 13]}, {}),
    "names that are numbers": ({7: [1, 2, 3, 5, 8, 13]}, {}),
    "no feature": ({}, {}),
    "no intercept": ({"a": [1, 2, 3, 5, 8, 13], "b": list("xyxyxx")}, {"intercept": False}),
}


@pytest.mark.parametrize(("columns", "options"), SAME.values(), ids=SAME)
def test_a_frame_gives_what_its_csv_gives(
    csv_file: Callable[..., str], columns: dict[str, Any], options: dict[str, Any]
) -> None:
    frame = pd.DataFrame({**columns, "y": Y})
    frame.index = pd.Index([0] * len(frame))
    path = csv_file(frame.to_csv(index=False))
    from_frame, from_file = (fit(source, target="y", iterations=30, **options) for source in (frame, path))
    assert comparable(from_frame) == comparable(from_file)


WRONG: dict[str, Any] = {
    "a word": objects("1", "2", "3", "4", "5", "oops"),
    "an underscore": objects("1", "2", "3", "4", "5", "1_000"),
    "hexadecimal": objects("1", "2", "3", "4", "5", "0x10"),
    "wide digits": objects("1", "2", "3", "4", "5", "１２"),
    "True as text": objects("1", "2", "3", "4", "5", "True"),
    "True itself": objects(1, 2, 3, 4, 5, True),
    "True among floats": objects(1.5, 2, 3, 4, 5, np.True_),
    "a list": objects(1, 2, 3, 4, 5, [6]),
    "a date": objects(1, 2, 3, 4, 5, datetime.date(2024, 1, 1)),
}


@pytest.mark.parametrize("cells", WRONG.values(), ids=WRONG)
def test_what_is_not_a_number_in_a_frame_is_an_error_naming_row_and_column(cells: "pd.Series[Any]") -> None:
    with pytest.raises(NotNumericError, match=r"row 5, column 'a': .* (is|are) not (a number|numbers)"):
        fit(pd.DataFrame({"a": cells, "y": Y}), target="y")


@pytest.mark.parametrize("cell", [np.inf, -np.inf, "inf", "1e400"])
def test_an_infinite_value_in_a_frame_is_an_error_naming_row_and_column(cell: Any) -> None:
    with pytest.raises(CellError, match=r"row 4, column 'a': .*is infinite"):
        fit(pd.DataFrame({"a": objects(1, 2, 3, 4, cell, 6), "y": Y}), target="y")


def test_one_and_true_and_one_point_nought_are_three_levels(csv_file: Callable[..., str]) -> None:
    frame = pd.DataFrame({"a": objects(1, 1.0, True, "b", "b", "c"), "y": Y})
    from_frame, from_file = (
        fit(source, target="y", iterations=3) for source in (frame, csv_file(frame.to_csv(index=False)))
    )
    assert [c.term for c in from_frame.coefficients] == [c.term for c in from_file.coefficients]


def test_complex_numbers_are_not_numbers_to_fit() -> None:
    with pytest.raises(DataError):
        fit(pd.DataFrame({"x": [1, 2, 3, 4, 5, 6], "y": np.array(Y) + 1j}), target="y")


def test_a_frame_is_left_as_it_was() -> None:
    frame = pd.DataFrame({"a": objects("1", "NA", "3", "4", "5", "6"), "y": Y})
    before = frame.copy(deep=True)
    fit(frame, target="y", iterations=3)
    pd.testing.assert_frame_equal(frame, before)


def test_a_frame_of_several_blocks_gives_what_its_csv_gives(csv_file: Callable[..., str]) -> None:
    random = np.random.default_rng(0)
    n = 150_000
    frame = pd.DataFrame(
        {"a": random.integers(0, 1000, n), "k": random.choice(["p", "q"], n), "y": random.integers(0, 99, n)}
    )
    frame.loc[n - 1, "k"] = "late"
    frame.loc[70_000, "a"] = -5
    from_frame, from_file = (
        fit(source, target="y", iterations=30) for source in (frame, csv_file(frame.to_csv(index=False)))
    )
    assert from_frame.rows == from_file.rows
    for a, b in zip(from_frame.coefficients, from_file.coefficients, strict=True):
        assert a.term == b.term
        assert a.value == pytest.approx(b.value, rel=1e-12)


def test_a_bad_cell_in_the_second_block_of_a_frame_names_its_row() -> None:
    cells = np.arange(70_000).astype(object)
    cells[69_000] = "oops"
    with pytest.raises(NotNumericError, match="row 69000, column 'a': 'oops'"):
        fit(pd.DataFrame({"a": cells, "y": np.arange(70_000.0)}), target="y")


@pytest.mark.parametrize("frame", [pd.DataFrame({"a": [], "y": []}), pd.DataFrame({"y": []})])
def test_a_frame_without_rows_is_an_error(frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="has a header but no rows"):
        fit(frame, target="y")


def test_a_frame_with_two_columns_of_one_name_is_an_error() -> None:
    frame = pd.DataFrame([[1, 2, 3], [2, 5, 4], [3, 1, 1]], columns=["a", "a", "y"])
    with pytest.raises(DataError, match="2 columns named 'a'"):
        fit(frame, target="y")


def test_a_frame_and_a_file_are_fitted_together(csv_file: Callable[..., str]) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [2.0, 3.0]})
    both = fit([frame, csv_file("y,x\n7,3\n5,4\n")], target="y", iterations=9)
    whole = fit(csv_file("x,y\n1,2\n2,3\n3,7\n4,5\n", "whole.csv"), target="y", iterations=9)
    assert both.rows.used == 4
    assert both.coefficients[0].value == pytest.approx(whole.coefficients[0].value, rel=1e-13)


def test_an_unknown_column_of_a_frame_asks_whether_another_was_meant() -> None:
    with pytest.raises(DataError, match=r"has no column 'prise'. Did you mean 'price'"):
        fit(pd.DataFrame({"price": Y, "x": Y}), target="prise")
