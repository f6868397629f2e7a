"""Which words mean a missing cell, and tables where they are values."""

import csv
from pathlib import Path

import numpy as np
import pytest

from gdcli import fit

P20 = Path(__file__).parent.parent / "cases" / "p20_na.csv"


@pytest.mark.parametrize("word", ["NAN", "Na", "na", "Null", "NULL", "none", "N/a", "#n/a", "-NAN", "<na>"])
def test_words_for_missing_count_in_capitals_and_in_small_letters(tmp_path: Path, word: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"x,kind,y\n1,a,2\n2,b,4\n{word},a,5\n3,{word},7\n4,b,7\n")
    assert fit(str(path), target="y").rows.dropped_by_column == {"x": 1, "kind": 1}


def test_na_is_a_value_where_it_is_kept() -> None:
    with P20.open(newline="") as file:
        rows = list(csv.DictReader(file))
    continents = sorted({row["continent"] for row in rows})
    assert "NA" in continents
    design = [[1.0, float(row["gdp"]), *(float(row["continent"] == name) for name in continents[1:])] for row in rows]
    expected = np.linalg.lstsq(np.array(design), np.array([float(row["life"]) for row in rows]), rcond=None)[0]
    found = fit(str(P20), target="life", features=["continent", "gdp"], keep_na=True)
    assert found.rows.dropped == 0
    optimum = {c.term: c.optimum for c in found.coefficients}
    assert optimum["gdp"] == pytest.approx(expected[1])
    assert optimum["continent[NA]"] == pytest.approx(expected[2 + continents[1:].index("NA")])
    assert fit(str(P20), target="life", features=["continent", "gdp"]).rows.dropped == 3
    assert fit(str(P20), target="life", features=["continent", "gdp"], keep_na=True, na=["NA"]).rows.dropped == 3
