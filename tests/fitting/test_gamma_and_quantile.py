"""Gamma and quantile regression against statsmodels and linear programming, and what is said of what is not known."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from gdcli.api import fit_data as fit
from gdcli.base.errors import DataError, UsageError

STACKLOSS = Path(__file__).parents[1] / "reference" / "stackloss.csv"
FEATURES = ["AIRFLOW", "WATERTEMP", "ACIDCONC"]

# statsmodels 0.15.0: GLM(y, X, family=Gamma(link=Log())).fit(tol=1e-14), intercept first; deviance / 21 rows.
GAMMA = [-0.9238064769361649, 0.03505623960889776, 0.06230109697784979, 0.0026650420023988865]
GAMMA_DEVIANCE = 0.025787952503825144

# statsmodels 0.15.0: QuantReg(y, X).fit(q=τ, p_tol=1e-10), intercept first; its interior point has about 9 digits.
QUANTILES = {
    0.5: [-39.68986082634183, 0.83188396838122, 0.5739133937461247, -0.06086952801317125],
    0.9: [-58.543319456644895, 0.7929515142194532, 1.3054332868047709, 0.038179152020603624],
}


def lowest_pinball(X: np.ndarray, y: np.ndarray, tau: float, w: np.ndarray) -> tuple[np.ndarray, float]:
    """The minimum of Σw·pinball / Σw as a linear program: y = Xθ + u − v with u, v ≥ 0 (Koenker & Bassett 1978)."""
    n, p = X.shape
    cost = np.concatenate([np.zeros(p), tau * w, (1 - tau) * w])
    equations = np.hstack([X, np.eye(n), -np.eye(n)])
    found = linprog(cost, A_eq=equations, b_eq=y, bounds=[(None, None)] * p + [(0, None)] * (2 * n))
    return found.x[:p], float(found.fun / w.sum())


def values_of(result: Any) -> list[float]:
    return [result.intercept.value, *(c.value for c in result.coefficients)]


def test_gamma_on_stackloss_has_the_coefficients_and_the_deviance_of_statsmodels() -> None:
    result = fit(str(STACKLOSS), target="STACKLOSS", loss="gamma", optimizer="newton", iterations=30)
    assert values_of(result) == pytest.approx(GAMMA, rel=1e-9)
    assert [result.intercept.optimum, *(c.optimum for c in result.coefficients)] == pytest.approx(GAMMA, rel=1e-9)
    assert result.cost == pytest.approx(GAMMA_DEVIANCE / 2, rel=1e-9)
    assert result.descent.converged


def test_a_searched_rate_comes_to_the_gamma_optimum() -> None:
    result = fit(str(STACKLOSS), target="STACKLOSS", loss="gamma", learning_rate="auto", iterations=3000)
    assert values_of(result) == pytest.approx(GAMMA, rel=1e-5)
    assert result.learning_rate.searched


@pytest.mark.parametrize("y", [0.0, -2.0])
def test_gamma_refuses_a_target_that_is_not_above_zero(y: float) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [1.0, y, 2.0]})
    with pytest.raises(DataError, match=f"--loss gamma is for numbers above 0: 'y' goes down to {y:g}"):
        fit(frame, target="y", loss="gamma")


def test_the_linear_program_is_what_statsmodels_solves() -> None:
    table = pd.read_csv(STACKLOSS)
    X, y = np.column_stack([np.ones(len(table)), table[FEATURES]]), table["STACKLOSS"].to_numpy(dtype=float)
    for tau, expected in QUANTILES.items():
        assert lowest_pinball(X, y, tau, np.ones(len(y)))[0].tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("tau", QUANTILES)
def test_a_falling_rate_comes_to_the_quantile_of_statsmodels(tau: float) -> None:
    result = fit(
        str(STACKLOSS),
        target="STACKLOSS",
        loss=f"quantile:{tau}",
        learning_rate=0.1,
        schedule="cosine",
        iterations=6_000,
    )
    table = pd.read_csv(STACKLOSS)
    X, y = np.column_stack([np.ones(len(table)), table[FEATURES]]), table["STACKLOSS"].to_numpy(dtype=float)
    _, lowest = lowest_pinball(X, y, tau, np.ones(len(y)))
    assert lowest * (1 - 1e-12) <= result.cost <= lowest * 1.001
    assert values_of(result)[:3] == pytest.approx(QUANTILES[tau][:3], rel=0.05)


@pytest.mark.parametrize("penalty", [{}, {"l2": 0.05}, {"l1": 0.05}])
def test_the_weighted_cost_of_a_quantile_is_its_definition(penalty: dict[str, float]) -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"x": rng.normal(size=300), "w": rng.integers(1, 4, size=300).astype(float)})
    frame["y"] = 5.0 * frame["x"] + 100.0 * rng.exponential(size=300)
    options = {"target": "y", "features": ["x"], "weights": "w", "loss": "quantile:0.8", "schedule": "cosine"}
    result = fit(frame, **options, learning_rate=0.1, iterations=1200, **penalty)
    c, m = values_of(result)
    residual = (frame["y"] - c - m * frame["x"]).to_numpy()
    w = frame["w"].to_numpy()
    pinball = float(w @ np.where(residual >= 0, 0.8 * residual, -0.2 * residual) / w.sum())
    added = 0.0
    if penalty:  # which is of the standardised slope, in the cost's units: the target's standard deviation
        deviation = {
            name: float(np.sqrt(w @ (frame[name] - w @ frame[name] / w.sum()) ** 2 / w.sum() * 300 / 299))
            for name in ("x", "y")
        }
        beta = m * deviation["x"] / deviation["y"]
        added = deviation["y"] * (penalty.get("l2", 0.0) * beta**2 + penalty.get("l1", 0.0) * abs(beta))
    else:
        _, lowest = lowest_pinball(np.column_stack([np.ones(300), frame["x"]]), frame["y"].to_numpy(), 0.8, w)
        assert lowest * (1 - 1e-12) <= result.cost <= lowest * 1.0001
        assert w @ (residual <= 0) / w.sum() == pytest.approx(0.8, abs=0.01)
    assert result.cost == pytest.approx(pinball + added, rel=1e-9)


def test_what_is_not_known_of_a_quantile_is_null(gdfit: Callable[..., Any]) -> None:
    done = gdfit(STACKLOSS, "-t", "STACKLOSS", "--loss", "quantile:0.9", "--format", "json")
    document = json.loads(done.out)
    assert (document["loss"], document["tau"], document["delta"]) == ("quantile", 0.9, None)
    assert set(document["optimum"].values()) == {None}
    assert document["intercept"]["optimum"] is None
    rate = document["learning_rate"]
    assert [rate[key] for key in ("behaviour", "largest_stable", "best", "iterations_to_1_percent")] == [None] * 4
    assert document["descent"]["converged"] is False
    assert "warning" not in done.err


def test_the_report_on_a_quantile_does_not_claim_that_it_has_no_minimum(gdfit: Callable[..., Any]) -> None:
    out = gdfit(STACKLOSS, "-t", "STACKLOSS", "--loss", "quantile:0.9").out
    assert "quantile loss, τ = 0.9 ·" in out
    assert "how close it came is not known" in out
    assert "no minimum" not in out
    assert "--schedule cosine" in out
    settled = gdfit(STACKLOSS, "-t", "STACKLOSS", "--loss", "quantile:0.9", "--schedule", "cosine")
    assert (settled.code, "keeps stepping" in settled.out) == (0, False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"learning_rate": "auto"}, "--lr auto: the slope of --loss quantile jumps"),
        ({"learning_rate": "search"}, "--lr search: the slope of --loss quantile jumps"),
        ({"optimizer": "newton"}, "--optimizer newton needs a curvature"),
        ({"loss": "quantile:1"}, "quantile:TAU takes a number between 0 and 1, not '1'"),
        ({"loss": "gamma:2"}, "the loss gamma takes no parameter"),
        ({"inference": True}, "--inference is for --loss squared only"),
    ],
)
def test_what_a_loss_cannot_have_is_refused_with_the_reason(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        fit(str(STACKLOSS), **{"target": "STACKLOSS", "loss": "quantile", **options})
    assert words in str(caught.value)


def test_score_measures_gammas_deviance_and_the_coverage_of_a_quantile(
    gdfit: Callable[..., Any], tmp_path: Path
) -> None:
    table, model = pd.read_csv(STACKLOSS), tmp_path / "m.json"
    X, y = np.column_stack([np.ones(len(table)), table[FEATURES]]), table["STACKLOSS"].to_numpy(dtype=float)
    gdfit(STACKLOSS, "-t", "STACKLOSS", "--loss", "gamma", "--optimizer", "newton", "-n", 30, "-q", "--save", model)
    document = json.loads(gdfit("score", model, STACKLOSS, "--format", "json").out)
    assert document["mean_deviance"] == pytest.approx(GAMMA_DEVIANCE, rel=1e-9)
    assert document["rmse"] == pytest.approx(float(np.sqrt(np.mean((y - np.exp(X @ GAMMA)) ** 2))), rel=1e-7)
    assert document["coverage"] is None
    gdfit(STACKLOSS, "-t", "STACKLOSS", "--loss", "quantile:0.9", "-q", "--save", model)
    saved = json.loads(model.read_text())
    theta = np.array([saved["intercept"], *(term["coefficient"] for term in saved["terms"])])
    document = json.loads(gdfit("score", model, STACKLOSS, "--format", "json").out)
    assert document["coverage"] == pytest.approx(np.mean(y <= X @ theta))
    assert document["cost"] == pytest.approx(np.maximum(0.9 * (y - X @ theta), -0.1 * (y - X @ theta)).mean())
    assert "of the rows are not above the prediction" in gdfit("score", model, STACKLOSS).out


def test_score_leaves_out_targets_that_the_loss_is_not_for(gdfit: Callable[..., Any], tmp_path: Path) -> None:
    model, rows = tmp_path / "m.json", tmp_path / "rows.csv"
    rows.write_text("x,y\n1,2\n2,3\n3,5\n")
    gdfit(rows, "-t", "y", "--loss", "gamma", "--optimizer", "newton", "-q", "--save", model)
    rows.write_text("x,y\n1,2\n2,0\n3,-5\n3,5\n")
    document = json.loads(gdfit("score", model, rows, "--format", "json").out)
    assert document["rows"]["used"] == 2
    assert document["rows"]["dropped_by_column"] == {"y": 2}


def test_a_model_file_whose_tau_is_no_share_is_damaged(gdfit: Callable[..., Any], tmp_path: Path) -> None:
    model = tmp_path / "m.json"
    gdfit(STACKLOSS, "-t", "STACKLOSS", "--loss", "quantile:0.9", "-q", "--save", model)
    model.write_text(model.read_text().replace('"tau": 0.9', '"tau": 1.5'))
    done = gdfit("predict", model, STACKLOSS)
    assert (done.code, "tau is not a number between 0 and 1" in done.err) == (1, True)
