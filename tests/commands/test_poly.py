"""poly(x, k): R's orthogonal polynomials, made of the one triangle, for every loss and however the rows are read."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli import fit, load_model, summarize
from gdcli.fitting.results import Fit
from tests.oracles import exact

TESTS = Path(__file__).parents[1]
SAMPLE = TESTS.parent / "sample_data"
NIST = TESTS / "reference" / "nist"

Gdfit = Callable[..., Any]

NAMES = ["poly(x, 3)[1]", "poly(x, 3)[2]", "poly(x, 3)[3]"]

RAW = ["(x-2010)/20", "((x-2010)/20)^2", "((x-2010)/20)^3", "z"]


def orthogonal(x: np.ndarray, degree: int, weights: np.ndarray | None = None) -> np.ndarray:
    """R's poly(): the QR factorization of the centred powers, each of length 1, the leading coefficients positive."""
    Q, R = np.linalg.qr(np.vander(x - x.mean(), degree + 1, increasing=True))
    found: np.ndarray = (Q * np.sign(np.diagonal(R)))[:, 1:]
    return found


def rows(n: int = 400) -> pd.DataFrame:
    """A cubic with noise, far from zero, and another column."""
    random = np.random.default_rng(5)
    x, z = np.sort(random.uniform(1990, 2030, n)), random.normal(size=n)
    u = (x - 2010) / 20
    y = 3 + u - 2 * u**2 + 4 * u**3 + z + random.normal(size=n)
    return pd.DataFrame({"y": y, "x": x.round(3), "z": z, "g": np.where(z > 0, "p", "q")})


def written(frame: pd.DataFrame, tmp_path: Path, name: str = "t.csv") -> Path:
    path = tmp_path / name
    frame.to_csv(path, index=False)
    return path


def optima(found: Fit) -> dict[str, float]:
    return {one.term: one.optimum for one in found.coefficients if one.optimum is not None}


def expected(frame: pd.DataFrame) -> np.ndarray:
    P = orthogonal(frame["x"].to_numpy(), 3)
    A = np.column_stack([P, frame["z"], np.ones(len(frame))])
    found: np.ndarray = np.linalg.lstsq(A, frame["y"].to_numpy(), rcond=None)[0]
    return found


def test_the_coefficients_are_those_of_r_s_orthogonal_polynomials(tmp_path: Path) -> None:
    frame = rows()
    found = fit(written(frame, tmp_path), target="y", features=["poly(x, 3)", "z"], optimizer="newton")
    assert list(optima(found)) == [*NAMES, "z"]
    assert list(optima(found).values()) == pytest.approx(expected(frame)[:4].tolist(), rel=1e-10)


def test_a_fit_to_filip_predicts_ten_digits_of_the_certified_polynomial(gdfit: Gdfit, tmp_path: Path) -> None:
    certified = json.loads((NIST / "filip.json").read_text(encoding="utf-8"))
    frame = pd.read_csv(NIST / "filip.csv")
    model = tmp_path / "m.json"
    done = gdfit(NIST / "filip.csv", "-t", "y", "-x", "poly(x, 10)", "--lr", "auto", "--save", model, "-q", "--strict")
    assert done.code == 0
    # The fit in rational numbers has the certified coefficients, which are too short for ten digits of predictions.
    powers = [[Fraction(x) ** i for x in map(str, frame["x"])] for i in range(1, 11)]
    slopes, intercept, _ = exact.least_squares(powers, [Fraction(y) for y in map(str, frame["y"])])
    expected_coefficients = [float(value) for value in certified["certified"]["coefficients"].values()]
    assert [float(value) for value in (intercept, *slopes)] == pytest.approx(expected_coefficients, rel=1e-13)
    for row, found in zip(zip(*powers, strict=True), load_model(model).predict(frame), strict=True):
        assert found == pytest.approx(float(intercept + exact.dot(slopes, row)), rel=1e-10)


def test_few_iterations_are_enough_where_raw_powers_take_thousands(tmp_path: Path) -> None:
    path = written(rows(), tmp_path)
    words = {"target": "y", "iterations": 25, "learning_rate": "auto"}
    assert fit(path, features="poly(x, 3)", **words).descent.converged
    assert not fit(path, features=["x", "x^2", "x^3"], **words).descent.converged


@pytest.mark.parametrize("options", [{"holdout": 0.2}, {"cv": 4}, {"weights": "w"}, {"missing": "mean"}, {"jobs": 2}])
def test_predictions_are_those_of_raw_powers_whatever_else_is_asked(options: dict[str, Any], tmp_path: Path) -> None:
    frame = rows().assign(w=np.arange(400) % 3)
    path = written(frame, tmp_path)
    poly = fit(path, target="y", features=["poly(x, 3)", "z"], optimizer="newton", **options)
    raw = fit(
        path,
        target="y",
        features=RAW,
        optimizer="newton",
        **options,
    )
    assert poly.cost == pytest.approx(raw.cost, rel=1e-9)
    assert optima(poly)["z"] == pytest.approx(optima(raw)["z"], rel=1e-9)
    if "cv" in options:
        assert poly.cross_validation is not None
        assert raw.cross_validation is not None
        assert poly.cross_validation.costs == pytest.approx(raw.cross_validation.costs, rel=1e-8)
    if "holdout" in options:
        assert poly.holdout is not None
        assert raw.holdout is not None
        assert poly.holdout.cost == pytest.approx(raw.holdout.cost, rel=1e-8)


@pytest.mark.parametrize("loss", ["huber:1.5", "logistic", "poisson"])
def test_losses_that_need_the_rows_fit_the_same_polynomials(loss: str, tmp_path: Path) -> None:
    frame = rows()
    frame["y"] = {"logistic": (frame["y"] > 3).astype(int), "poisson": frame["y"].abs().round()}.get(loss, frame["y"])
    path = written(frame, tmp_path)
    common: dict[str, Any] = {"target": "y", "loss": loss, "optimizer": "newton", "iterations": 30}
    poly = fit(path, features=["poly(x, 3)", "z"], **common)
    raw = fit(path, features=RAW, **common)
    assert poly.cost == pytest.approx(raw.cost, rel=1e-9)
    assert optima(poly)["z"] == pytest.approx(optima(raw)["z"], rel=1e-6)


def test_missing_cells_count_as_the_mean_of_each_polynomial(tmp_path: Path) -> None:
    frame = rows()
    frame.loc[::7, "x"] = np.nan
    found = fit(written(frame, tmp_path), target="y", features="poly(x, 2)", missing="mean", optimizer="newton")
    P = np.zeros((len(frame), 2))
    known = frame["x"].notna().to_numpy()
    P[known] = orthogonal(frame["x"].to_numpy()[known], 2)
    A = np.column_stack([P, np.ones(len(frame))])
    b = np.linalg.lstsq(A, frame["y"].to_numpy(), rcond=None)[0]
    assert list(optima(found).values()) == pytest.approx(b[:2].tolist(), rel=1e-9)
    assert list(found.state.means.values()) == pytest.approx([0.0, 0.0], abs=1e-12)


def test_groups_share_one_basis_and_have_their_own_fits(gdfit: Gdfit, tmp_path: Path) -> None:
    frame = rows()
    path, model = written(frame, tmp_path), tmp_path / "m.json"
    done = gdfit(path, "-t", "y", "-x", "poly(x, 2)", "--by", "g", "--lr", "auto", "-n", 9999, "--save", model, "-q")
    assert done.code == 0, done.err
    found = gdfit("predict", model, path, "--only").out.split()[1:]
    for name, own in frame.groupby("g"):
        u = (own["x"] - 2010) / 20
        values = np.polyval(np.polyfit(u, own["y"], 2), u)
        assert [float(found[i]) for i in own.index] == pytest.approx(values.tolist(), rel=1e-6), name


def test_summaries_of_parts_are_merged_although_their_powers_have_other_origins(tmp_path: Path) -> None:
    frame = rows()
    parts = [frame[frame["x"] < 2001], frame[frame["x"] >= 2001]]
    for i, part in enumerate(parts):
        summary = summarize(written(part, tmp_path, f"{i}.csv"), features=["y", "poly(x, 3)", "z"])
        summary.save(tmp_path / f"{i}.json")
    found = fit([tmp_path / "0.json", tmp_path / "1.json"], target="y", features=[*NAMES, "z"], optimizer="newton")
    assert list(optima(found).values()) == pytest.approx(expected(frame)[:4].tolist(), rel=1e-9)
    again = fit([tmp_path / "1.json", tmp_path / "0.csv"], target="y", features=["poly(x, 3)", "z"], optimizer="newton")
    assert list(optima(again).values()) == pytest.approx(expected(frame)[:4].tolist(), rel=1e-9)


def test_a_degree_that_the_values_do_not_determine_is_refused(gdfit: Gdfit, tmp_path: Path) -> None:
    path = written(pd.DataFrame({"y": [1, 2, 4, 3, 5, 7.0], "x": [1, 2, 3] * 2}), tmp_path)
    done = gdfit(path, "-t", "y", "-x", "poly(x, 3)")
    assert done.code == 1
    assert "'poly(x, 3)' needs more than 3 different values, which its column does not have" in done.err


def test_one_power_of_a_summarized_polynomial_is_no_feature(gdfit: Gdfit, tmp_path: Path) -> None:
    path, summary = written(rows(), tmp_path), tmp_path / "s.json"
    assert gdfit("summarize", path, "-x", "y", "-x", "poly(x, 3)", "-o", summary, "-q").code == 0
    done = gdfit(summary, "-t", "y", "-x", "poly(x, 3)[1]")
    assert done == (1, "", "Error: 'poly(x, 3)[1]' is a part of 'poly(x, 3)', which is fitted as a whole\n")


def test_a_note_on_nearly_collinear_powers_says_poly(gdfit: Gdfit, tmp_path: Path) -> None:
    frame = rows()
    path = written(frame, tmp_path)
    done = gdfit(path, "-t", "y", "-x", "x", "-x", "x^2", "-x", "x^3")
    correlation = np.corrcoef(frame["x"] ** 2, frame["x"] ** 3)[0, 1]
    assert correlation > 0.9999
    assert "are nearly collinear (correlation 1.0000), which slows the descent down: -x 'poly(x, 3)' in" in done.err
    centred = gdfit(path, "-t", "y", "-x", "(x-2010)", "-x", "(x-2010)^2")
    assert "collinear" not in centred.err
