"""Data on which a cost falls without end, against an exact check by linear programming."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gdcli.api import fit_data as fit
from tests.conftest import Done
from tests.oracles.separation import compared

CASES = Path(__file__).parents[1] / "cases"


@pytest.mark.parametrize(("loss", "count"), [("logistic", 80), ("poisson", 40)])
def test_every_table_without_an_optimum_is_known_and_no_other(loss: str, count: int) -> None:
    without, wrong = compared(loss, 81, count)
    assert count / 8 < without < 7 * count / 8
    assert wrong == []


@pytest.mark.parametrize(("name", "target"), [("p81_sep.csv", "s"), ("p81_sep6.csv", "y")])
@pytest.mark.parametrize("intercept", [[], ["--no-intercept"]])
def test_rows_of_zeros_hide_no_separation(
    gdfit: Callable[..., Done], name: str, target: str, intercept: list[str]
) -> None:
    done = gdfit(CASES / name, "-t", target, *intercept, "--loss", "logistic", "--optimizer", "newton", "-n", 30)
    assert "warning: the columns separate the two classes" in done.err


def test_one_separated_row_among_many_is_seen() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"x": rng.normal(size=20_000), "only": 0.0})
    frame["y"] = (rng.random(20_000) < 1 / (1 + np.exp(-frame["x"]))).astype(float)
    frame.loc[7, ["only", "y"]] = 1.0
    assert fit(frame, target="y", loss="logistic", optimizer="newton", iterations=1).optimum.cost is None
    for penalty in ({"l2": 1e-3}, {"l1": 1e-3}):
        assert fit(frame, target="y", loss="logistic", iterations=1, **penalty).optimum.cost is not None


def test_classes_that_overlap_by_a_millionth_are_not_separated() -> None:
    frame = pd.DataFrame({"x": [1.0, 2, 3, 4.000001, 4, 5, 6], "y": [0, 0, 0, 0, 1, 1, 1]})
    found = fit(frame, target="y", loss="logistic", optimizer="newton", iterations=60)
    assert found.optimum.cost is not None
    # At the optimum the gradient is zero: Σ (p − y) and Σ (p − y)·x, computed in the test.
    slope, c = found.coefficients[0].optimum, found.intercept.optimum
    residual = 1 / (1 + np.exp(-(slope * frame["x"] + c))) - frame["y"]
    assert abs(residual.sum()) < 1e-8
    assert abs((residual * frame["x"]).sum()) < 1e-7
