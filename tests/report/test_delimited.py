"""CSV text of results against Python's own reader and writer."""

import csv
import io
import math

import numpy as np
import pytest

from gdcli.report.delimited import as_delimited

HOSTILE = ["plain", "a,b", 'say "hi"', "two\nlines", "back\rhere", "tab\there", "", " ", "=1+2", "é"]


@pytest.mark.parametrize("separator", [",", "\t"])
def test_texts_of_any_kind_come_back_from_every_row(separator: str) -> None:
    texts = [HOSTILE[i % len(HOSTILE)] for i in range(9001)]  # more than are written at once
    written = as_delimited(["text", "number"], [texts, range(9001)], separator)
    found = list(csv.reader(io.StringIO(written, newline=""), delimiter=separator))
    assert found == [["text", "number"], *([text, str(i)] for i, text in enumerate(texts))]


def test_texts_without_marks_stand_as_they_are_though_others_in_their_column_need_quotes() -> None:
    assert as_delimited(["a", "b"], [["x", "y,z"], ["1", "2"]], ",") == 'a,b\nx,1\n"y,z",2\n'


def test_numbers_come_back_to_the_last_bit_whatever_stands_beside_them() -> None:
    numbers = np.random.default_rng(3).normal(size=5000) * 10.0 ** np.random.default_rng(4).integers(-300, 300, 5000)
    columns = {
        "alone": numbers.tolist(),
        "with none": [None, *numbers[1:].tolist()],
        "of NumPy": list(numbers),
        "mixed": [True, 7, *numbers[2:].tolist()],
    }
    rows = csv.DictReader(io.StringIO(as_delimited([*columns], [*columns.values()], ",")))
    for i, row in enumerate(rows):
        if i > 1:
            assert {float(cell) for cell in row.values()} == {float(numbers[i])}


def test_what_is_no_finite_number_is_an_empty_cell_and_truth_is_in_small_letters() -> None:
    odd = [math.nan, math.inf, -math.inf, None, 1e-7]
    assert as_delimited(["a", "b"], [odd, [True, False, np.float64(math.nan), None, 0.5]], ",").splitlines() == [
        "a,b", ",true", ",false", ",", ",", "1e-07,0.5",
    ]  # fmt: skip


@pytest.mark.parametrize("rows", [1, 4096, 4097])
def test_columns_of_different_lengths_are_an_error(rows: int) -> None:
    with pytest.raises(ValueError, match="zip"):
        as_delimited(["a", "b"], [[1] * rows, [1] * (rows - 1)], ",")
