"""What a fit says about its learning rate, held to what fits at that rate then do."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli import fit
from gdcli.base.listener import Listener
from gdcli.engine.descent import Stopped
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.fit import fit_reading
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import Fit
from gdcli.ingest.noted import read_noted
from gdcli.ingest.read import Dataset
from tests.oracles.plain import descend_rows, read_rows


def table(kind: str) -> pd.DataFrame:
    random = np.random.default_rng(20)
    a, b, c = random.normal(size=(3, 80))
    columns = {
        "plain": [a, b, c],
        "off centre": [a + 2, b - 1, c + 0.5],
        "collinear": [a, b, 2 * a - b],
        "ill-conditioned": [a, b, a + 0.1 * c],
        "different scales": [0.1 * a, b, 3 * c],
    }[kind]
    X = np.round(np.column_stack(columns), 6)
    if kind == "collinear":
        X[:, 2] = 2 * X[:, 0] - X[:, 1]
    y = X @ [1.0, -2.0, 0.5] + 4 + random.normal(size=80)
    weight = random.choice([0.5, 1, 2], 80)
    return pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": y, "w": weight})


KINDS = ["off centre", "collinear", "ill-conditioned", "different scales"]
VARIANTS: dict[str, dict[str, Any]] = {
    "as usual": {},
    "unscaled": {"scale": "none"},
    "minmax": {"scale": "minmax"},
    "without intercept": {"intercept": False},
    "unscaled without intercept": {"scale": "none", "intercept": False},
    "weighted": {"weights": "w"},
    "with a start": {"start": {"a": 30.0, "c": -7.0}},
    "unscaled with a start": {"scale": "none", "start": {"a": -3.0, "b": 5.0}},
}


@cache
def reading_of(kind: str, weighted: bool) -> Dataset:
    """A table that is read once for all its descents."""
    options = options_of({"weights": "w"} if weighted else {})
    return read_noted([table(kind)], options.columns, options.reading, Listener())


def options_of(variant: dict[str, Any], **options: Any) -> FitOptions:
    return FitOptions.of(target="y", exclude=() if "weights" in variant else ("w",), **variant, **options)


def run(kind: str, variant: dict[str, Any], **options: Any) -> Fit:
    return fit_reading(reading_of(kind, "weights" in variant), options_of(variant, **options), (), Listener())


def gap_after(kind: str, variant: dict[str, Any], learning_rate: float, iterations: int) -> float:
    """Return the gap at the end of a run of so many iterations, as a share of the measure."""
    result = run(kind, variant, learning_rate=learning_rate, iterations=iterations)
    assert result.optimum.gap is not None
    return result.optimum.gap / result.optimum.gap_measure


@pytest.mark.parametrize("share", [0.2, 0.98], ids=lambda share: f"{share} of the largest stable")
@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_first_gets_within_1_percent_at_the_iteration_that_was_forecast(
    kind: str, variant: dict[str, Any], share: float
) -> None:
    rate = share * run(kind, variant, iterations=0).learning_rate.largest_stable
    forecast = run(kind, variant, learning_rate=rate, iterations=0).learning_rate.iterations_to_1_percent
    assert forecast is not None
    if forecast > 60_000:
        pytest.fail(f"the case takes {forecast} iterations: choose a shorter one")
    assert gap_after(kind, variant, rate, forecast) <= 0.01
    assert forecast == 0 or gap_after(kind, variant, rate, forecast - 1) > 0.01


@pytest.mark.parametrize("learning_rate", [0.01, 0.25])
@pytest.mark.parametrize(("file", "target", "text"), [
    ("housing.csv", "price", ["type"]), ("penguins.csv", "body_mass_g", ["species", "island", "sex"])
])  # fmt: skip
def test_the_forecast_holds_for_a_loop_over_the_rows(
    sample_data: Path, file: str, target: str, text: list[str], learning_rate: float
) -> None:
    rows = read_rows(sample_data / file, target, text=text)
    A = np.column_stack([np.ones(len(rows.y)), (rows.X - rows.X.mean(axis=0)) / rows.X.std(axis=0)]).astype(float)
    residual = rows.y - A @ np.linalg.lstsq(A, rows.y.astype(float), rcond=None)[0]
    limit = 1.01 * (residual @ residual) / len(rows.y)
    forecast = fit(sample_data / file, target=target, learning_rate=learning_rate).learning_rate.iterations_to_1_percent
    assert forecast is not None
    path = descend_rows(rows, learning_rate, forecast)
    assert next(k for k, iteration in enumerate(path) if iteration.cost <= limit) == forecast


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_best_rate_arrives_when_it_says_and_no_other_run_is_earlier(kind: str, variant: dict[str, Any]) -> None:
    said = run(kind, variant, iterations=0).learning_rate
    best, iterations = said.best, said.best_iterations
    assert iterations
    assert gap_after(kind, variant, best, iterations) <= 0.01
    for rate in (0.5 * best, 0.99 * best, best, 1.01 * best, 0.999 * said.largest_stable):
        if rate < said.largest_stable:
            assert gap_after(kind, variant, rate, iterations - 1) > 0.01


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("kind", ["collinear", "different scales"])
def test_the_automatic_rate_is_the_best_one(kind: str, variant: dict[str, Any]) -> None:
    automatic = run(kind, variant, learning_rate="auto", iterations=10)
    assert automatic.learning_rate.automatic
    assert automatic.learning_rate.given == automatic.learning_rate.best == automatic.descent.learning_rate
    assert automatic.learning_rate.iterations_to_1_percent == automatic.learning_rate.best_iterations
    by_hand = run(kind, variant, learning_rate=automatic.learning_rate.best, iterations=10)
    assert by_hand.coefficients == automatic.coefficients
    assert not by_hand.learning_rate.automatic


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("kind", ["off centre", "different scales"])
def test_a_rate_just_below_the_largest_stable_one_converges_and_one_just_above_diverges(
    kind: str, variant: dict[str, Any]
) -> None:
    largest = run(kind, variant, iterations=0).learning_rate.largest_stable
    below = run(kind, variant, learning_rate=0.99 * largest, iterations=4000)
    assert below.learning_rate.behaviour is Behaviour.OSCILLATING
    assert below.descent.converged
    assert not below.diverged
    above = run(kind, variant, learning_rate=1.01 * largest, iterations=4000)
    assert above.learning_rate.behaviour is Behaviour.UNSTABLE
    assert above.descent.stopped is Stopped.DIVERGED
    assert not above.descent.converged


def test_an_unstable_rate_is_one_however_far_it_ran(sample_data: Path) -> None:
    result = fit(sample_data / "housing.csv", target="price", learning_rate=1.0, iterations=2)
    assert result.descent.stopped is Stopped.ITERATIONS
    assert result.learning_rate.behaviour is Behaviour.UNSTABLE
    assert result.learning_rate.iterations_to_1_percent is None
    assert result.diverged
    assert not result.descent.converged
    assert (result.cost, result.r2, result.optimum.gap) == (None, None, None)
    assert [one.value for one in (*result.coefficients, result.intercept)] == [None] * (len(result.coefficients) + 1)


@pytest.mark.parametrize("learning_rate", [0.6, 1.5, 30.0, 1e10, 1e100, 1e200, 1e300])
def test_divergence_is_a_result_with_the_optimum_in_place(sample_data: Path, learning_rate: float) -> None:
    result = fit(sample_data / "housing.csv", target="price", features="sqft", learning_rate=learning_rate * 2)
    assert result.diverged
    assert result.descent.stopped is Stopped.DIVERGED
    assert [c.value for c in (*result.coefficients, result.intercept)] == [None, None]
    assert (result.cost, result.rmse, result.r2) == (None, None, None)
    assert (result.optimum.gap, result.optimum.relative_gap) == (None, None)
    rows = read_rows(sample_data / "housing.csv", "price", ["sqft"])
    slope, offset = np.polyfit(rows.X[:, 0].astype(float), rows.y.astype(float), 1)
    assert result.coefficients[0].optimum == pytest.approx(slope, rel=1e-10)
    assert result.intercept.optimum == pytest.approx(offset, rel=1e-10)
    assert result.trace[0].iteration == 0


@pytest.mark.parametrize(
    ("learning_rate", "behaviour"),
    [(0.4, Behaviour.MONOTONE), (0.6, Behaviour.OSCILLATING), (1.1, Behaviour.UNSTABLE)],
)
def test_one_standardised_feature_has_eigenvalues_known_by_hand(
    csv_file: Callable[..., str], learning_rate: float, behaviour: Behaviour
) -> None:
    # λ = 2 for the intercept and 2(n−1)/n for the slope
    result = fit(csv_file("x,y\n1,2\n2,3\n3,7\n4,5\n"), target="y", learning_rate=learning_rate, iterations=1)
    assert result.learning_rate.largest_stable == pytest.approx(1.0, rel=1e-14)
    assert result.learning_rate.condition_number == pytest.approx(4 / 3, rel=1e-13)
    assert result.learning_rate.behaviour is behaviour


def test_the_slowest_direction_of_nearly_equal_columns_is_their_difference() -> None:
    result = run("ill-conditioned", {}, learning_rate=0.2, iterations=2000)
    (first, one), (second, other) = result.learning_rate.slowest
    assert {first, second} == {"a", "c"}
    assert one * other < 0
    assert abs(one) == pytest.approx(abs(other), rel=0.1)


def test_converged_asks_for_the_slopes_too(csv_file: Callable[..., str]) -> None:
    # The gap is tiny long before the two nearly equal columns have found their shares.
    random = np.random.default_rng(21)
    a, noise = random.normal(size=(2, 500))
    text = "\n".join(f"{x!r},{x + 1e-4 * e!r},{x + e!r}" for x, e in zip(a.tolist(), noise.tolist(), strict=True))
    result = fit(csv_file("a,b,y\n" + text + "\n"), target="y", learning_rate=0.2, iterations=3000, start={})
    distance = max(abs(c.value - c.optimum) for c in result.coefficients)
    assert distance > 100
    assert not result.descent.converged


@pytest.mark.parametrize(("iterations", "converged"), [(20, False), (5000, True)])
def test_converged_is_said_when_it_has(sample_data: Path, iterations: int, converged: bool) -> None:
    path = sample_data / "housing.csv"
    result = fit(path, target="price", features=["sqft", "beds"], learning_rate=0.1, iterations=iterations)
    assert result.descent.converged is converged
