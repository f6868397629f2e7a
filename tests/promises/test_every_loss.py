"""Every loss of the registry goes everywhere: fits, folds, batches, files, predictions, scores, exports."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli.engine.losses import LOSSES
from gdcli.engine.losses.contract import Domain, Link, Loss

ROWS = 80

# The target for each domain, the predictions for each link.
TARGETS = {Domain.NUMBERS: "number", Domain.COUNTS: "count", Domain.POSITIVE: "amount", Domain.CLASSES: "answer"}
PREDICTED: dict[Link, Callable[[np.ndarray], np.ndarray]] = {
    Link.IDENTITY: lambda z: z,
    Link.LOGIT: lambda z: 1 / (1 + np.exp(-z)),
    Link.LOG: np.exp,
}

OPTIONS = ["--weights w", "--holdout 0.25", "--cv 3", "--l2 0.05", "--l1 0.02", "--optimizer adam", "--start c=1"]

every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
Run = Callable[..., str]


@pytest.fixture
def run(gdfit: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in a folder that holds t.csv; return its standard output."""
    rng = np.random.default_rng(17)
    x, b = rng.normal(size=(2, ROWS))
    z = 0.6 * x - 0.4 * b
    table = {
        "x": x,
        "b": b,
        "number": 3.0 + z + rng.standard_t(3, size=ROWS),
        "count": rng.poisson(np.exp(z)),
        "amount": rng.gamma(2.0, np.exp(z)),
        "answer": np.where(rng.random(ROWS) < 1 / (1 + np.exp(-z)), "yes", "no"),
        "w": rng.integers(1, 4, size=ROWS),
    }
    pd.DataFrame(table).to_csv(tmp_path / "t.csv", index=False)
    monkeypatch.chdir(tmp_path)

    def checked(line: str) -> str:
        done = gdfit(*line.split())
        assert done.code == 0, done.err
        return str(done.out)

    return checked


def fitted(loss: type[Loss], options: str = "") -> str:
    """A command line that fits a loss."""
    return f"t.csv -t {TARGETS[loss.domain]} -x x -x b --loss {loss.name} -n 20 --lr 0.05 -q {options}"


def saved(run: Run, loss: type[Loss], options: str = "") -> tuple[dict[str, Any], np.ndarray]:
    """The model of a loss, saved as m.json, and z of all rows by its coefficients."""
    run(fitted(loss, f"{options} --save m.json"))
    model, table = json.loads(Path("m.json").read_text()), pd.read_csv("t.csv")
    return model, model["intercept"] + sum(t["coefficient"] * table[t["column"]].to_numpy() for t in model["terms"])


@every_loss
@pytest.mark.parametrize("options", OPTIONS)
def test_the_cost_falls_and_the_json_has_it(run: Run, loss: type[Loss], options: str) -> None:
    document = json.loads(run(fitted(loss, f"{options} --format json")))
    assert document["loss"] == loss.name
    assert document["trace"][-1]["cost"] == document["cost"] < document["trace"][0]["cost"]
    if "--cv" in options:
        assert np.isfinite(document["cross_validation"]["costs"]).all()
    if "--holdout" in options:
        assert 0 < document["holdout"]["best_cost"] <= document["holdout"]["cost"]


@every_loss
def test_batches_lower_the_cost_too(run: Run, loss: type[Loss]) -> None:
    line = fitted(loss, "--batch-size 16 --format json").replace("-n 20", "--epochs 5")
    document = json.loads(run(line))
    assert document["cost"] < document["trace"][0]["cost"]


@every_loss
def test_the_trace_and_the_table_have_every_iteration_and_the_cost(run: Run, loss: type[Loss]) -> None:
    run(fitted(loss, "--trace trace.csv"))
    rows = pd.read_csv("trace.csv")
    assert rows["iteration"].tolist() == list(range(21))
    table = run(fitted(loss).replace("-q", "--every 20"))
    assert f"· {loss.name} loss" in table or loss.name == "squared"
    assert "squared error" not in table or loss.name == "squared"
    assert f"{rows['cost'].iloc[-1]:.5g}"[:5] in table


@every_loss
def test_what_is_saved_predicts_by_the_link(run: Run, loss: type[Loss]) -> None:
    model, z = saved(run, loss)
    assert model["loss"] == loss.name
    predictions = [float(cell) for cell in run("predict m.json t.csv --only").splitlines()[1:]]
    np.testing.assert_allclose(predictions, PREDICTED[loss.link](z), rtol=1e-12)


@every_loss
def test_a_score_of_the_rows_fitted_has_the_cost_of_the_fit_and_the_losss_own_measures(
    run: Run, loss: type[Loss]
) -> None:
    model, _ = saved(run, loss, "--weights w")
    score = json.loads(run("score m.json t.csv --weights w --format json"))
    assert score["cost"] == pytest.approx(model["cost"], rel=1e-9)
    own = [measure.key for measure in loss.measures]
    others = {measure.key for other in LOSSES.values() for measure in other.measures} - set(own)
    assert all(isinstance(score[key], float) for key in own)
    assert all(score[key] is None for key in others)
    header = next(csv.reader(io.StringIO(run("score m.json t.csv --format csv"))))
    assert header[7:] == own
    table = run("score m.json t.csv")
    assert all(measure.label in table and measure.remark in table for measure in loss.measures)
    assert loss.cost_name in table


@every_loss
def test_the_exported_expression_gives_the_predictions(run: Run, loss: type[Loss]) -> None:
    _, z = saved(run, loss)
    formula = eval(f"lambda row: {run('export m.json --to python')}")
    with open("t.csv", newline="", encoding="utf-8") as file:
        found = [formula(row) for row in csv.DictReader(file)]
    np.testing.assert_allclose(found, PREDICTED[loss.link](z), rtol=1e-12)
    for language in ("sql", "sql:sqlite", "sql:duckdb", "sql:postgres", "sql:mysql", "mlr"):
        assert ("exp(" in run(f"export m.json --to {language}").lower()) == (loss.link is not Link.IDENTITY)


@every_loss
def test_resuming_goes_on_as_if_it_had_never_stopped(run: Run, loss: type[Loss]) -> None:
    whole, _ = saved(run, loss)
    run(fitted(loss, "--save half.json").replace("-n 20", "-n 10"))
    run("t.csv --resume half.json -n 10 -q --save on.json")
    resumed = json.loads(Path("on.json").read_text())
    form = loss.parameter_form
    assert form is None or resumed[form.key] == whole[form.key] is not None
    assert [t["coefficient"] for t in resumed["terms"]] == pytest.approx(
        [t["coefficient"] for t in whole["terms"]], rel=1e-12
    )
    assert resumed["cost"] == pytest.approx(whole["cost"], rel=1e-12)


@every_loss
def test_a_picture_and_a_chart_are_drawn(run: Run, loss: type[Loss]) -> None:
    pytest.importorskip("matplotlib")
    run(fitted(loss, "--plot picture.svg"))
    assert "<svg" in Path("picture.svg").read_text()
