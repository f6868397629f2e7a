"""Fit records made by hand, and the samples as tables."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gdcli.engine.descent import Stopped
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.results import Coefficient, Descent, Fit, LearningRate, Optimum, TraceRow
from gdcli.ingest.counts import RowCounts
from gdcli.report.fit import fit_report
from gdcli.report.paper import Page
from gdcli.report.writers import as_table

SHRINKING = (1.0, 0.9, 0.5, 0.1, 0.002)  # what is left of the start's gap at iterations 0, 1, 10, 100, 1000


def a_fit(terms: tuple[str, ...] = ("sqft", "beds", "baths"), **changes: Any) -> Fit:
    """A fit on housing prices that is not converged; ``changes`` replace fields of Fit and of its parts, by name."""
    optimum, measure = 6142952690.0631075, 6142952690.0631075
    slopes = [145.45696075620788 * (-170.0) ** i for i in range(len(terms))]
    rows = tuple(
        TraceRow(
            iteration, tuple(m * (1 - left) for m in slopes), 15907.3 * (1 - left), optimum * (1 + left), optimum * left
        )
        for iteration, left in zip((0, 1, 10, 100, 1000), SHRINKING, strict=True)
    )
    last = rows[-1]
    not_reported: dict[str, Any] = {field.name: None for field in fields(Fit)}
    known: dict[str, Any] = {
        "version": "0.1.0",
        "files": ("housing.csv",),
        "target": "price",
        "features": terms,
        "loss": "squared",
        "reference_levels": {},
        "rows": RowCounts(932, 932, 0, {}),
        "intercept": Coefficient("(intercept)", last.intercept, 15907.3),
        "coefficients": tuple(
            Coefficient(term, last.slopes[i], slopes[i], (-1) ** i * 0.8 / (i + 1)) for i, term in enumerate(terms)
        ),
        "cost": last.cost,
        "rmse": last.cost**0.5,
        "r2": 0.6423275426631181,
        "optimum": Optimum(optimum, optimum * 0.002, 0.002, measure),
        "descent": Descent("gd", 0.01, 1000, False, Stopped.ITERATIONS, "standard", None),
        "learning_rate": LearningRate(
            given=0.01,
            automatic=False,
            behaviour=Behaviour.MONOTONE,
            largest_stable=0.3920271590886532,
            best=0.334308169444178,
            iterations_to_1_percent=388,
            best_iterations=11,
            condition_number=12.2,
            slowest=(("sqft", 0.78), ("baths", -0.46), ("beds", -0.42)),
        ),
        "trace": rows,
        "trace_terms": terms,
        "left_out": (),
        "collinear": (),
    }
    return changed(Fit(**not_reported | known), **changes)


def changed(fit: Fit, **changes: Any) -> Fit:
    """Replace fields of the fit, and of its descent, learning rate and optimum, whichever has them."""
    if "given" in changes:
        fit = replace(fit, descent=replace(fit.descent, learning_rate=changes["given"]))
    for part in ("descent", "learning_rate", "optimum"):
        record = getattr(fit, part)
        own = {name: changes.pop(name) for name in list(changes) if hasattr(record, name) and not hasattr(fit, name)}
        fit = replace(fit, **{part: replace(record, **own)})
    return replace(fit, **changes)


def a_diverged_fit(**changes: Any) -> Fit:
    fit = a_fit()
    rows = tuple(
        TraceRow(k, tuple((-7.0) ** k * m for m in (1.0, 200.0, 3e4)), (-7.0) ** k * 10, 7e10 * 49.0**k, 7e10 * 49.0**k)
        for k in range(5)
    )
    none = {"value": None, "standardized": None}
    diverged = changed(
        fit,
        intercept=replace(fit.intercept, value=None) if fit.intercept else None,
        coefficients=tuple(replace(c, **none) for c in fit.coefficients),
        cost=None,
        rmse=None,
        r2=None,
        trace=rows,
        gap=None,
        relative_gap=None,
        iterations=4,
        stopped=Stopped.DIVERGED,
        given=0.5,
        behaviour=Behaviour.UNSTABLE,
        iterations_to_1_percent=None,
    )
    return changed(diverged, **changes)


def again(learning_rate: float, iterations: int | None = None) -> str:
    more = "" if iterations is None else f" -n {iterations}"
    return f"gdfit housing.csv --target price --lr {learning_rate:g}{more}"


def report(fit: Fit, width: int = 80, terminal: bool = True, encoding: str = "utf-8", **options: Any) -> str:
    """The table of the report on a page of that kind, as bytes would be decoded."""
    digits = options.pop("digits", 6)
    text = as_table(fit_report(fit, digits, again, **options), Page(width if terminal else None, encoding))
    return text.encode(encoding).decode(encoding)


@pytest.fixture(name="a_fit")
def fixture_a_fit() -> Callable[..., Fit]:
    return a_fit


@pytest.fixture(name="a_diverged_fit")
def fixture_a_diverged_fit() -> Callable[..., Fit]:
    return a_diverged_fit


@pytest.fixture(name="changed")
def fixture_changed() -> Callable[..., Fit]:
    return changed


@pytest.fixture(name="again")
def fixture_again() -> Callable[..., str]:
    return again


@pytest.fixture(name="report")
def fixture_report() -> Callable[..., str]:
    return report


@pytest.fixture(scope="session")
def housing(sample_data: Path) -> pd.DataFrame:
    """The prices of 932 houses."""
    return pd.read_csv(sample_data / "housing.csv")


@pytest.fixture(scope="session")
def penguins(sample_data: Path) -> pd.DataFrame:
    """344 penguins, with cells missing."""
    return pd.read_csv(sample_data / "penguins.csv")
