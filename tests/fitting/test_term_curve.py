"""The picture of terms of one column is the curve over that column, through the rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli import fit

HOUSING = Path(__file__).parents[2] / "sample_data" / "housing.csv"


def drawn(features: list[str], **options: Any) -> Any:
    found = fit(HOUSING, target="price", features=features, iterations=50, picture=True, points=5000, **options)
    assert found.picture is not None
    return found, found.picture.curve


@pytest.mark.parametrize(
    "features", [["log(sqft)"], ["poly(sqft, 3)"], ["sqft", "sqft^2"], ["log10(sqft)", "exp(-sqft/1000)"]]
)
def test_the_last_curve_is_what_the_fit_predicts_over_the_column(features: list[str]) -> None:
    found, curve = drawn(features)
    frame = pd.read_csv(HOUSING)
    values = {
        "log(sqft)": np.log,
        "sqft": lambda x: x,
        "sqft^2": np.square,
        "log10(sqft)": np.log10,
        "exp(-sqft/1000)": lambda x: np.exp(-x / 1000),
    }
    assert curve.column == "sqft"
    assert curve.x[0] < frame["sqft"].min() < frame["sqft"].max() < curve.x[-1]
    assert curve.points == pytest.approx(frame[["sqft", "price"]].to_numpy(), rel=1e-9)
    assert len(curve.lines) == len(found.picture.lines)
    if features[0].startswith("poly"):
        other = fit(HOUSING, target="price", features=["sqft", "sqft^2", "sqft^3"], optimizer="newton")
        m = [one.optimum for one in other.coefficients]
        expected = other.intercept.optimum + sum(m[i] * curve.x ** (i + 1) for i in range(3))
        converged = drawn(features, optimizer="newton")[1]
        assert converged.lines[-1] == pytest.approx(expected, rel=1e-6)
        return
    expected = found.intercept.value + sum(one.value * values[one.term](curve.x) for one in found.coefficients)
    assert curve.lines[-1] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("features", [["sqft"], ["sqft", "beds"], ["log(sqft)", "beds"], ["C(beds)"], ["sqft/beds"]])
def test_terms_of_several_columns_or_of_categories_have_no_curve(features: list[str]) -> None:
    assert drawn(features)[1] is None
