"""The commands with other losses: fit, predict, score, export, and what needs rows."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli.engine.losses.logistic import area_under_curve

ROWS = 60
Run = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(11)
    x = rng.normal(size=ROWS)
    answer = np.where(rng.random(ROWS) < 1 / (1 + np.exp(-x)), "yes", "no, never")
    table = pd.DataFrame({"x": x, "answer": answer, "visits": rng.poisson(np.exp(0.4 * x))})
    table.to_csv(tmp_path / "t.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(gdfit: Callable[..., Any], folder: Path) -> Run:
    """Run a command line in a folder that holds t.csv."""

    def checked(line: str, code: int = 0) -> Any:
        done = gdfit(*line.split())
        assert done.code == code, done.err
        return done

    return checked


def logistic_model(run: Run) -> tuple[float, float]:
    """Save a logistic model; return c and m."""
    run("t.csv -t answer -x x --loss logistic --optimizer newton -n 15 -q --save m.json")
    model = json.loads(Path("m.json").read_text())
    return model["intercept"], model["terms"][0]["coefficient"]


def test_the_table_says_what_is_fitted(run: Run) -> None:
    result = run("t.csv -t answer -x x --loss logistic --lr auto")
    assert result.out.startswith("logit P(answer = yes) = m · x + c\nt.csv, 60 rows · logistic loss · lr auto (4) · ")
    assert "RMSE" not in result.out
    assert "by the bound on the curvature" in result.out
    assert "the event is 'yes'" in result.err


def test_json_names_the_loss_and_the_event(run: Run) -> None:
    document = json.loads(run("t.csv -t answer -x x --loss logistic --lr auto --format json").out)
    assert (document["loss"], document["event"]) == ("logistic", "yes")
    assert (document["rmse"], document["r2"]) == (None, None)
    assert document["learning_rate"]["largest_stable_is_bound"] is True


def test_predict_writes_probabilities_or_classes(run: Run) -> None:
    c, m = logistic_model(run)
    x = pd.read_csv("t.csv")["x"]
    expected = 1 / (1 + np.exp(-(c + m * x)))
    probabilities = [float(line) for line in run("predict m.json t.csv --only").out.splitlines()[1:]]
    np.testing.assert_allclose(probabilities, expected, rtol=1e-12)
    classes = run("predict m.json t.csv --only --as class").out.splitlines()[1:]
    assert classes == ["yes" if p >= 0.5 else '"no, never"' for p in expected]


def test_score_measures_probabilities(run: Run) -> None:
    c, m = logistic_model(run)
    table = pd.read_csv("t.csv")
    z, y = (c + m * table["x"]).to_numpy(), (table["answer"] == "yes").to_numpy()
    p = 1 / (1 + np.exp(-z))
    pairs = [(a > b) + 0.5 * (a == b) for a in z[y] for b in z[~y]]
    document = json.loads(run("score m.json t.csv --format json").out)
    assert document["log_loss"] == pytest.approx(-np.log(np.where(y, p, 1 - p)).mean(), rel=1e-12)
    assert document["accuracy"] == pytest.approx(((p >= 0.5) == y).mean(), rel=1e-12)
    assert document["auc"] == pytest.approx(np.mean(pairs), rel=1e-12)
    assert "AUC" in run("score m.json t.csv").out


def test_score_of_a_poisson_model_has_the_mean_deviance(run: Run) -> None:
    run("t.csv -t visits -x x --loss poisson --optimizer newton -n 15 -q --save m.json")
    model = json.loads(Path("m.json").read_text())
    table = pd.read_csv("t.csv")
    mean = np.exp(model["intercept"] + model["terms"][0]["coefficient"] * table["x"])
    y = table["visits"]
    deviance = 2 * (y * np.log(np.maximum(y, 1e-300) / mean) - (y - mean)).mean()
    document = json.loads(run("score m.json t.csv --format json").out)
    assert document["mean_deviance"] == pytest.approx(deviance, rel=1e-12)
    assert document["rmse"] == pytest.approx(math.sqrt(((y - mean) ** 2).mean()), rel=1e-12)


def test_ties_count_half_in_the_area_and_one_class_has_none() -> None:
    ones = np.ones(4)
    assert area_under_curve(np.array([0.0, 0.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0, 0.0]), ones) == 0.375
    assert area_under_curve(np.arange(4.0), ones, ones) is None


@pytest.mark.parametrize("x", [-900.0, -1.0, 0.3, 900.0])
def test_the_exported_python_expression_gives_the_probability(run: Run, x: float) -> None:
    c, m = logistic_model(run)
    found = eval(run("export m.json --to python").out, {}, {"row": {"x": x}})
    expected = 1 / (1 + math.exp(-(c + m * x))) if abs(x) < 100 else float(m * x > 0)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_a_descent_goes_on_from_its_model(run: Run) -> None:
    run("t.csv -t answer -x x --loss logistic --lr 0.5 -n 20 -q --save half.json")
    run("t.csv --resume half.json -n 20 -q --save whole.json")
    run("t.csv -t answer -x x --loss logistic --lr 0.5 -n 40 -q --save once.json")
    whole, once = (json.loads(Path(name).read_text()) for name in ("whole.json", "once.json"))
    assert whole["state"]["theta"] == once["state"]["theta"]
    assert "--loss logistic" in run("t.csv --resume half.json --loss huber", 2).err


def test_a_summary_says_that_rows_are_needed(run: Run) -> None:
    run("summarize t.csv -x x -x visits -o s.json")
    result = run("s.json -t visits --loss poisson", 1)
    assert "holds no rows" in result.err
    assert "--loss" in result.err


def test_classes_are_asked_of_a_logistic_model_only(run: Run) -> None:
    run("t.csv -t visits -x x -q --save m.json")
    assert "predicts no classes" in run("predict m.json t.csv --as class", 2).err


def test_without_an_optimum_it_is_said_what_would_give_one(run: Run) -> None:
    Path("apart.csv").write_text("x,y\n" + "".join(f"{x},{int(x > 3)}\n" for x in range(1, 7)))
    said = run("apart.csv -t y --loss logistic -n 9").out
    assert "? Ended after 9 iterations: the cost has no minimum to converge to." in said
    assert "With a penalty, such as --l2 0.01, it has one." in said
    document = json.loads(run("apart.csv -t y --loss logistic -n 9 --format json").out)
    assert document["optimum"] == {"cost": None, "gap": None, "relative_gap": None, "gap_measure": None}
    penalised = run("apart.csv -t y --loss logistic --l2 0.01 -n 9 --format json")
    assert json.loads(penalised.out)["optimum"]["cost"] > 0
    assert "it has one" not in run("apart.csv -t y --loss logistic --l2 0.01 -n 9").out


def test_a_rate_above_the_bound_is_said_to_be_so_with_half_of_it_to_try(run: Run) -> None:
    asked = "t.csv -t answer -x x --loss logistic -n 3"
    # On the standardised column the curvature is at most ¼ of the larger eigenvalue of XᵀX/N, that of the intercept: 1.
    said = run(f"{asked} --lr 9").out
    assert "lr 9 is above 7.99, the bound on stable rates for this data." in said
    assert "Try lr 4:" in said
    assert "--lr 4\n" in said
    below = run(f"{asked} --lr 2").out
    assert "the bound on stable rates" not in below
    assert "Rates up to 7.99 are stable, by the bound on the curvature." in below
    assert "is chosen by the bound on the curvature, by which rates up to 7.99 are" in run(f"{asked} --lr auto").out


def test_one_batch_to_an_epoch_has_no_noise(run: Run) -> None:
    assert "noise" in run("t.csv -t answer -x x --loss logistic --epochs 2 --batch-size 5").out
    assert "noise" not in run("t.csv -t answer -x x --loss logistic --epochs 2 --batch-size 5000").out


@pytest.mark.parametrize(("loss", "rate"), [("gamma", "900"), ("poisson", "0.5"), ("gamma", "1e-9")])
def test_the_advised_command_of_a_loss_without_stable_rates_converges(
    gdfit: Callable, csv_file: Callable[..., str], loss: str, rate: str
) -> None:
    rows = [f"{x},{2000 + 300 * x + x * x % 70},{'ab'[x % 2]}" for x in range(40)]
    path = csv_file("\n".join(["x,y,g", *rows]) + "\n")
    done = gdfit(path, "-t", "y", "-x", "x", "--loss", loss, "--lr", rate)
    advised = [line.split() for line in done.out.splitlines() if line.startswith("  gdfit ")]
    assert [words[-2:] for words in advised] == [["--lr", "auto"]]
    assert "✓ Converged" in gdfit(*advised[0][1:]).out
    by = (path, "-t", "y", "-x", "x", "--loss", loss, "--by", "g", "--lr", rate)
    assert "--lr auto" in gdfit(*by).out
    assert gdfit(*by[:-1], "auto", "--strict").code == 0
    for other in (("--optimizer", "momentum"), ("--schedule", "cosine"), ("--batch-size", "8")):
        assert "--lr auto" not in gdfit(path, "-t", "y", "-x", "x", "--loss", loss, "--lr", rate, *other).out, other
