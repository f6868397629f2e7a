"""Huber's δ beside what rounding explains: residuals of 1e-17 are zeros."""

import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gdcli.api import fit_data as fit
from gdcli.base.errors import DataError
from tests.conftest import Done

CASES = Path(__file__).parents[1] / "cases"


@pytest.mark.parametrize(
    ("name", "target", "slope"), [("p12_tenths", "y", 0.1), ("p12_ms", "y", 0.002), ("p12_ms", "t", 500.0)]
)
def test_residuals_that_are_rounding_are_refused_with_a_delta_that_works(
    gdfit: Callable[..., Done], name: str, target: str, slope: float
) -> None:
    words = [CASES / f"{name}.csv", "-t", target, "--optimizer", "newton", "-n", 5, "--format", "csv"]
    for loss in ("huber", "huber:1e-20"):
        done = gdfit(*words, "--loss", loss)
        assert (done.code, done.out) == (1, "")
        assert "rounding" in done.err
        advised = shlex.split(done.err)[-1]
        again = gdfit(*words, "--loss", advised)
        assert again.code == 0
        assert float(again.out.splitlines()[1].split(",")[1]) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("loss", ["huber", "huber:1e-3"])
def test_noise_of_a_thousandth_of_a_second_beside_a_target_in_seconds_since_1970_is_no_rounding(loss: str) -> None:
    rng = np.random.default_rng(1)
    x = np.arange(60.0)
    frame = pd.DataFrame({"x": x, "y": np.round(1.7e9 + 7.0 * x + 0.001 * rng.normal(size=60), 3)})
    found = fit(frame, target="y", loss=loss, optimizer="newton", iterations=50)
    assert found.coefficients[0].optimum == pytest.approx(7.0, abs=1e-4)


def test_milliseconds_without_noise_are_rounding() -> None:
    x = np.arange(60.0)
    frame = pd.DataFrame({"x": x, "y": 1.7e12 + x / 3.0})
    with pytest.raises(DataError, match=r"zero up to rounding, so give DELTA, as in huber:1\.7e\+12"):
        fit(frame, target="y", loss="huber")


def test_residuals_that_are_zero_are_refused_too() -> None:
    x = np.arange(40.0)
    frame = pd.DataFrame({"x": x, "y": 3.0 * x + np.where(np.arange(40) < 30, 0.0, 1e-9)})
    assert fit(frame, target="y", loss="huber", optimizer="newton").parameter is not None
    frame["y"] = 0.0
    with pytest.raises(DataError, match=r"residuals are zero, so give DELTA, as in huber:1$"):
        fit(frame, target="y", loss="huber")
