"""Each loss against its numerical derivative, its certified values, and a solver that shares no line with gdfit's."""

from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from gdcli.api import fit_data as fit
from gdcli.base.errors import DataError, UsageError
from gdcli.engine.losses.contract import Domain, Loss
from gdcli.engine.losses.gamma import Gamma
from gdcli.engine.losses.huber import Huber
from gdcli.engine.losses.logistic import Logistic
from gdcli.engine.losses.poisson import Poisson
from gdcli.engine.losses.quantile import Quantile
from gdcli.engine.losses.squared import Squared
from gdcli.fitting.results import Fit

REFERENCE = Path(__file__).parents[1] / "reference"
SAMPLE = Path(__file__).parents[2] / "sample_data"
# R's MASS::rlm run to convergence: intercept, AIRFLOW, WATERTEMP, ACIDCONC.
STACKLOSS = (-41.026485373295010, 0.829385770253855, 0.926059415548607, -0.127846317965416)
DELTA = 3.28245776686


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 2)) * [3.0, 0.2] + [50.0, 0.0]
    z = 0.3 * (X[:, 0] - 50.0) - 2.0 * X[:, 1] + 0.4
    return pd.DataFrame(
        {
            "a": X[:, 0],
            "b": X[:, 1],
            "number": 10.0 + z + rng.standard_t(2, size=400),
            "answer": np.where(rng.random(400) < 1 / (1 + np.exp(-z)), "yes", "no"),
            "count": rng.poisson(np.exp(0.5 * z)).astype(float),
            "w": rng.integers(0, 4, size=400).astype(float),
            "amount": rng.gamma(2.0, np.exp(0.5 * z)),
        }
    )


TARGETS = {"huber:0.8": "number", "logistic": "answer", "poisson": "count", "gamma": "amount"}


def mean_loss(word: str, theta: np.ndarray, frame: pd.DataFrame, weights: np.ndarray) -> float:
    """The cost by its definition, with the columns as they are but for a shift of a."""
    z = theta[0] + theta[1] * (frame["a"].to_numpy() - 50.0) + theta[2] * frame["b"].to_numpy()
    if word == "logistic":
        y = (frame["answer"] == "yes").to_numpy()
        losses = np.where(y, np.logaddexp(0.0, -z), np.logaddexp(0.0, z))
    elif word == "poisson":
        y = frame["count"].to_numpy()
        losses = np.exp(z) - y * z - y + y * np.log(np.maximum(y, 1e-300))
    elif word == "gamma":
        ratio = frame["amount"].to_numpy() * np.exp(-z)
        losses = ratio - 1.0 - np.log(ratio)
    else:
        r = np.abs(frame["number"].to_numpy() - z)
        losses = np.where(r <= 0.8, 0.5 * r * r, 0.8 * (r - 0.4))
    return float(weights @ losses / weights.sum())


def coefficients(result: Fit) -> list[float]:
    assert result.intercept is not None
    return [float(c.optimum or np.nan) for c in (result.intercept, *result.coefficients)]


@pytest.mark.parametrize(
    "loss", [Squared(), Huber(0.7), Quantile(0.3), Logistic(), Poisson(), Gamma()], ids=lambda loss: loss.name
)
def test_slope_and_curvature_are_the_numerical_derivatives(loss: Loss) -> None:
    z = np.linspace(-4.0, 4.0, 41) + 0.013  # clear of the corners of Huber's slope, and of the quantile's
    for y in (0.5, 1.0) if loss.domain is Domain.POSITIVE else (0.0, 1.0):
        y_s, h = np.full_like(z, y), 1e-5
        up, down = loss.value_and_slope(z + h, y_s), loss.value_and_slope(z - h, y_s)
        np.testing.assert_allclose(loss.value_and_slope(z, y_s)[1], (up[0] - down[0]) / (2 * h), atol=1e-8)
        np.testing.assert_allclose(loss.curvature(z, y_s), (up[1] - down[1]) / (2 * h), atol=1e-8)
        if loss.bound is not None:
            assert loss.curvature(z, y_s).max() <= loss.bound


def test_logistic_does_not_overflow_far_from_zero() -> None:
    value, slope = Logistic().value_and_slope(np.array([-800.0, 800.0]), np.array([1.0, 1.0]))
    assert value.tolist() == [800.0, 0.0]
    assert slope.tolist() == [-1.0, 0.0]


def test_huber_on_stackloss_has_the_certified_coefficients() -> None:
    result = fit(str(REFERENCE / "stackloss.csv"), target="STACKLOSS", loss=f"huber:{DELTA}", iterations=0)
    assert coefficients(result) == pytest.approx(STACKLOSS, rel=1e-10)


def test_poisson_on_doctor_visits_has_the_certified_coefficients() -> None:
    result = fit(
        str(SAMPLE / "doctor_visits.csv.gz"), target="mdvis", loss="poisson", optimizer="newton", iterations=10
    )
    found = {c.term: c.value for c in result.coefficients}
    assert result.intercept is not None
    assert result.intercept.value == pytest.approx(0.700352877227, rel=1e-7)
    assert found["lncoins"] == pytest.approx(-0.052535114675, rel=1e-7)
    assert result.descent.converged


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("word", TARGETS)
def test_the_optimum_is_that_of_an_independent_solver(frame: pd.DataFrame, word: str, weighted: bool) -> None:
    weights = frame["w"].to_numpy() if weighted else np.ones(len(frame))
    best = minimize(lambda t: mean_loss(word, t, frame, weights), np.zeros(3), method="BFGS", options={"gtol": 1e-7})
    result = fit(
        frame,
        target=TARGETS[word],
        features=["a", "b"],
        loss=word,
        weights="w" if weighted else None,
        iterations=0,
    )
    c, a, b = coefficients(result)
    np.testing.assert_allclose([c + 50.0 * a, a, b], best.x, rtol=1e-4, atol=1e-4)
    assert result.optimum.cost == pytest.approx(best.fun, rel=1e-9)


@pytest.mark.parametrize("optimizer", ["gd", "momentum", "newton"])
@pytest.mark.parametrize("word", TARGETS)
def test_a_descent_comes_to_the_optimum(frame: pd.DataFrame, word: str, optimizer: str) -> None:
    rate = 1.0 if optimizer == "newton" else 0.1
    options = {"loss": word, "features": ["a", "b"], "optimizer": optimizer, "learning_rate": rate}
    result = fit(frame, target=TARGETS[word], iterations=1500 if optimizer != "newton" else 25, **options)
    assert result.descent.converged
    for coefficient in result.coefficients:
        assert coefficient.value == pytest.approx(coefficient.optimum, rel=1e-3)


def test_the_first_step_is_that_of_a_plain_loop(frame: pd.DataFrame) -> None:
    X = frame[["a", "b"]].to_numpy()
    X = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    y = (frame["answer"] == "yes").to_numpy().astype(float)
    slope = 0.5 - y  # at a probability of ½
    result = fit(frame, target="answer", features=["a", "b"], loss="logistic", learning_rate=0.1, iterations=1)
    expected = -0.1 * np.array([slope.mean(), *(X.T @ slope / len(y))])
    np.testing.assert_allclose(result.state.theta, expected, rtol=1e-12)
    assert result.trace[0].cost == pytest.approx(np.log(2.0), rel=1e-15)


def test_one_over_the_bound_is_the_automatic_rate(frame: pd.DataFrame) -> None:
    X = frame[["a", "b"]].to_numpy()
    X = np.column_stack([np.ones(len(X)), (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)])
    largest = 0.25 * np.linalg.eigvalsh(X.T @ X / len(X)).max()
    result = fit(frame, target="answer", features=["a", "b"], loss="logistic", learning_rate="auto")
    assert result.learning_rate.given == pytest.approx(1.0 / largest, rel=1e-12)
    assert result.learning_rate.largest_stable == pytest.approx(2.0 / largest, rel=1e-12)
    assert result.learning_rate.bound
    poisson = fit(frame, target="count", features=["a", "b"], loss="poisson", iterations=1)
    assert poisson.learning_rate.largest_stable is None


def test_hubers_usual_delta_is_that_of_the_least_squares_residuals(frame: pd.DataFrame) -> None:
    X = np.column_stack([np.ones(len(frame)), frame[["a", "b"]]])
    residuals = frame["number"] - X @ np.linalg.lstsq(X, frame["number"].to_numpy(), rcond=None)[0]
    result = fit(frame, target="number", features=["a", "b"], loss="huber", iterations=0)
    assert result.parameter == pytest.approx(1.345 * np.median(np.abs(residuals)) / 0.6745, rel=1e-10)


def test_hubers_usual_delta_counts_a_row_as_often_as_its_weight_says(frame: pd.DataFrame) -> None:
    frame = frame.assign(w=np.arange(len(frame)) % 4)
    often = frame.loc[frame.index.repeat(frame["w"])].iloc[: frame["w"].sum()]
    X = np.column_stack([np.ones(len(often)), often[["a", "b"]]])
    residuals = often["number"] - X @ np.linalg.lstsq(X, often["number"].to_numpy(), rcond=None)[0]
    found = fit(frame, target="number", features=["a", "b"], weights="w", loss="huber", iterations=0)
    assert found.parameter == pytest.approx(1.345 * np.median(np.abs(residuals)) / 0.6745, rel=1e-10)


def test_the_second_class_in_order_is_the_event_unless_another_is_named(frame: pd.DataFrame) -> None:
    usual = fit(frame, target="answer", features=["a", "b"], loss="logistic", iterations=0)
    other = fit(frame, target="answer", features=["a", "b"], loss="logistic", event="no", iterations=0)
    numbers = fit(
        frame.assign(answer=(frame["answer"] == "yes") + 1.0),
        target="answer",
        features=["a", "b"],
        loss="logistic",
        iterations=0,
    )
    truth = fit(
        frame.assign(answer=frame["answer"] == "yes"),
        target="answer",
        features=["a", "b"],
        loss="logistic",
        iterations=0,
    )
    assert usual.classes == ("no", "yes")
    assert other.classes == ("yes", "no")
    assert numbers.classes == ("1", "2")
    assert truth.classes == ("False", "True")
    assert coefficients(other) == pytest.approx([-value for value in coefficients(usual)], rel=1e-6)
    assert coefficients(numbers) == pytest.approx(coefficients(usual), rel=1e-9)
    assert coefficients(truth) == pytest.approx(coefficients(usual), rel=1e-9)


def test_separated_classes_have_no_optimum() -> None:
    complete = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": ["a", "a", "b", "b"]})
    quasi = pd.DataFrame({"x": [1.0, 2.0, 3.0, 3.0, 4.0], "y": ["a", "a", "a", "b", "b"]})
    touching = pd.DataFrame({"x": [1.0, 2.0, 3.0, 2.5, 4.0], "y": ["a", "a", "a", "b", "b"]})
    for table in (complete, quasi):
        result = fit(table, target="y", loss="logistic")
        assert (result.optimum.cost, result.optimum.gap, result.coefficients[0].optimum) == (None, None, None)
        assert not result.descent.converged
        assert all(row.gap is None for row in result.trace)
    assert fit(table.assign(x=touching["x"]), target="y", loss="logistic").optimum.cost is not None


def test_a_count_that_is_always_zero_in_a_group_has_no_optimum() -> None:
    table = pd.DataFrame({"g": ["a", "a", "b", "b"], "y": [0.0, 0.0, 1.0, 2.0]})
    assert fit(table, target="y", loss="poisson", iterations=1).optimum.cost is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "number", "loss": "logistic"}, "two values"),
        ({"target": "number", "loss": "poisson"}, "counts"),
        ({"target": "answer", "loss": "logistic", "event": "maybe"}, "never 'maybe'"),
    ],
)
def test_a_target_that_the_loss_has_no_use_for_is_an_error(
    frame: pd.DataFrame, options: dict[str, str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        fit(frame.assign(number=frame["number"] - 20.0), **options)


@pytest.mark.parametrize(
    "options",
    [
        {"inference": True},
        {"explain": True},
        {"loss": "poisson", "learning_rate": "auto", "schedule": "cosine"},
        {"loss": "poisson", "learning_rate": "auto", "optimizer": "newton"},
        {"loss": "hinge"},
    ],
)
def test_what_other_losses_cannot_do_is_wrong_usage(frame: pd.DataFrame, options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        fit(frame, **{"target": "count", "loss": "huber", **options})


@pytest.mark.parametrize("word", TARGETS)
def test_held_out_rows_are_measured_with_the_same_loss(frame: pd.DataFrame, word: str) -> None:
    result = fit(frame, target=TARGETS[word], features=["a", "b"], loss=word, holdout=0.3, optimizer="newton")
    draws = np.random.Generator(np.random.Philox(key=0, counter=[0, 0, 0, 0])).random(len(frame))
    held = frame[draws >= 0.7]
    assert result.holdout is not None
    assert result.intercept is not None
    a, b = (float(c.value or np.nan) for c in result.coefficients)
    theta = np.array([float(result.intercept.value or 0.0) + 50.0 * a, a, b])
    assert result.holdout.cost == pytest.approx(mean_loss(word, theta, held, np.ones(len(held))), rel=1e-9)


def test_any_number_of_threads_gives_the_same_bits() -> None:
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"x": rng.normal(size=150_000), "y": rng.integers(0, 2, size=150_000)})
    one, two = (fit(table, target="y", loss="logistic", iterations=3, jobs=jobs) for jobs in (1, 2))
    assert one.state.theta == two.state.theta
    assert [row.cost for row in one.trace] == [row.cost for row in two.trace]


@pytest.mark.parametrize("z", [20.0, 30.0, 34.0, 700.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_log_loss_keeps_its_digits_far_from_the_boundary(z: float, y: float, sign: float) -> None:
    with localcontext(prec=700):
        exact = (1 + Decimal(sign * z).exp()).ln() - Decimal(y) * Decimal(sign * z)
    points, classes = np.array([sign * z]), np.array([y])
    assert Logistic().value_and_slope(points, classes)[0][0] == pytest.approx(float(exact), rel=1e-15, abs=0)
    for weights in (None, np.ones(1)):
        total, _ = Logistic().total_and_slope(points.copy(), classes, weights)
        assert total == pytest.approx(float(exact), rel=1e-15, abs=0)


@pytest.mark.parametrize("loss", [Huber(0.7), Huber(3.0), Logistic()])
def test_the_parabola_of_the_bound_and_that_of_the_curvature_above_lie_above_the_loss(loss: Loss) -> None:
    y = np.linspace(-2, 2, 9) if loss.name == "huber" else np.array([0.0, 1.0])
    for at in np.linspace(-9, 9, 37):
        here = np.full_like(y, at)
        value, slope = loss.value_and_slope(here, y)
        for curvature in (loss.bound, loss.curvature_above(here, y)):
            for step in np.linspace(-12, 12, 49):
                above = value + slope * step + 0.5 * curvature * step**2
                assert (loss.value_and_slope(here + step, y)[0] <= above + 1e-12 * (1 + np.abs(above))).all()
