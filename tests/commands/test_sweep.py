"""`gdfit sweep`: several learning rates in one pass, one row each."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from gdcli.api import fit_data as fit
from gdcli.cli.group import group
from gdcli.engine.spectrum import Behaviour
from gdcli.fitting.options import FitOptions
from gdcli.fitting.sweep import run_sweep

HOUSING = str(Path(__file__).parents[2] / "sample_data" / "housing.csv")
FEATURES = ("sqft", "beds", "baths")
OPTIONS = FitOptions.of(target="price", features=FEATURES)


def plain_costs(rate: float, iterations: int) -> list[float]:
    """The article's loop on the standardised columns, rows and all; costs in squared dollars."""
    frame = pd.read_csv(HOUSING)
    X = frame[["sqft", "beds", "baths"]].to_numpy(float)
    y = frame["price"].to_numpy(float)
    s = y.std(ddof=1)
    Z = np.column_stack([np.ones(len(y)), (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)])
    theta, costs = np.zeros(4), []
    for _ in range(iterations + 1):
        error = y / s - Z @ theta
        costs.append(float((error**2).mean()) * s**2)
        theta = theta + rate * (2 / len(y)) * Z.T @ error
    return costs


@pytest.mark.parametrize("rate", [0.001, 0.05, 0.3])
def test_each_rate_of_a_sweep_descends_as_a_plain_loop_over_the_rows(rate: float) -> None:
    sweep = run_sweep([HOUSING], FitOptions.of(target="price", features=FEATURES, iterations=50), [0.01, rate])
    found = next(one for one in sweep.rates if one.learning_rate == rate)
    costs = plain_costs(rate, 50)
    assert found.cost == pytest.approx(costs[50], rel=1e-11)
    assert [cost for _, cost in found.costs] == pytest.approx([costs[k] for k, _ in found.costs], rel=1e-11)


def test_without_rates_seven_are_shown_one_oscillating_one_diverging_and_the_best_marked() -> None:
    sweep = run_sweep([HOUSING], OPTIONS, [])
    assert len(sweep.rates) == 7
    behaviours = [rate.behaviour for rate in sweep.rates]
    assert Behaviour.OSCILLATING in behaviours
    assert Behaviour.MONOTONE in behaviours
    assert behaviours.count(Behaviour.UNSTABLE) == 1
    assert [rate.learning_rate for rate in sweep.rates] == sorted(rate.learning_rate for rate in sweep.rates)
    assert sum(rate.best for rate in sweep.rates) == 1
    assert next(rate for rate in sweep.rates if rate.best).learning_rate == sweep.best
    lost = next(rate for rate in sweep.rates if rate.behaviour is Behaviour.UNSTABLE)
    assert lost.diverged_at is not None
    assert lost.cost is None
    assert max(cost for _, cost in lost.costs) <= 1e6 * lost.costs[0][1]


def test_divergence_is_noticed_at_the_iteration_at_which_a_plain_loop_passes_a_million_times_the_start() -> None:
    sweep = run_sweep([HOUSING], OPTIONS, [0.7])
    costs = plain_costs(0.7, 200)
    first = next(k for k, cost in enumerate(costs) if not cost <= 1e6 * costs[0])
    assert sweep.rates[0].diverged_at == first


def test_the_forecast_of_each_rate_is_the_iteration_at_which_a_fit_gets_within_one_percent() -> None:
    sweep = run_sweep([HOUSING], OPTIONS, [0.01, 0.1, 0.4])
    for rate in sweep.rates:
        assert rate.iterations_to_1_percent is not None
        result = fit(HOUSING, target="price", features=FEATURES, learning_rate=rate.learning_rate, every=1)
        optimum = result.optimum.cost
        first = next(row.iteration for row in result.trace if row.gap is not None and row.gap <= 0.01 * optimum)
        assert rate.iterations_to_1_percent == first


def run(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(group, ["sweep", HOUSING, "--target", "price", "-x", "sqft", *args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_a_diverging_rate_is_a_row_and_no_failure() -> None:
    code, out, err = run("--lr", "5", "--lr", "0.1", "-n", "100")
    assert code == 0
    assert re.search(r"^5 +diverges +never +∞, stopped at \d+ ", out, re.MULTILINE)
    assert err == ""


def test_where_every_rate_is_unstable_none_is_marked_as_the_best() -> None:
    code, out, _ = run("--lr", "5", "--lr", "6")
    assert code == 0
    assert "fastest " not in out
    assert "gets there first" not in out
    assert "0.5 is the fastest" in out
    _, out, _ = run("--lr", "5", "--lr", "6", "--format", "json")
    assert [rate["best"] for rate in json.loads(out)["rates"]] == [False, False]


def test_json_holds_every_rate_with_its_cost_curve() -> None:
    code, out, _ = run("--format", "json", "--lr", "0.1", "--lr", "5")
    assert code == 0
    found = json.loads(out)
    assert found["schema"] == "gdfit.sweep/1"
    assert [rate["learning_rate"] for rate in found["rates"]] == [0.1, 5.0]
    assert found["rates"][1]["cost"] is None
    assert found["rates"][0]["costs"][0]["iteration"] == 0


def test_csv_has_one_row_per_rate_and_empty_cells_for_what_does_not_exist() -> None:
    code, out, _ = run("--format", "csv", "--lr", "0.1", "--lr", "5")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["learning_rate"] for row in rows] == ["0.1", "5.0"]
    assert rows[1]["cost"] == ""
    assert rows[0]["best"] == "true"


def test_the_table_is_never_cut_on_a_narrow_terminal_and_complete_in_a_pipe() -> None:
    _, out, _ = run("--lr", "0.1", "--lr", "0.5")
    lines = out.splitlines()
    assert lines[0] == "price from sqft: 2 learning rates"
    assert re.split(r"\s{2,}", lines[3]) == ["lr", "within 1 % after", "cost at the end", "cost on its way"]


def test_rates_that_read_alike_are_one_row_and_the_fastest_is_said_once() -> None:
    # One feature: 1/λmax, half the largest stable rate, is the fastest, too: two rates that differ in the fifth digit.
    done = CliRunner().invoke(group, ["sweep", HOUSING, "-t", "price", "-x", "sqft"])
    firsts = re.findall(r"^(\d\S*)  ", done.output, re.MULTILINE)
    assert firsts.count("0.5") == 1
    assert len(set(firsts)) == len(firsts) == 6
    assert "0.5 is the fastest: 1 iteration to within 1 %. Rates below" in done.output


def test_rates_that_were_given_are_shown_with_the_digits_that_tell_them_apart() -> None:
    given = [word for rate in ("0.3", "0.5", "0.50000001") for word in ("--lr", rate)]
    done = CliRunner().invoke(group, ["sweep", HOUSING, "-t", "price", "-x", "sqft", *given])
    assert re.findall(r"^(\d\S*)  ", done.output, re.MULTILINE) == ["0.3", "0.5", "0.50000001"]


@pytest.mark.parametrize("rate", ["nan", "inf", "0", "-1", "auto"])
def test_a_rate_that_is_none_is_wrong_usage(rate: str) -> None:
    code, out, err = run("--lr", rate)
    assert code == 2
    assert out == ""
    assert "--lr" in err


@pytest.mark.parametrize("option", ["--l1", "--l2"])
def test_a_sweep_has_one_penalty(option: str) -> None:
    code, out, err = run(option, "0.1", option, "1")
    assert (code, out) == (2, "")
    assert f"give {option} once" in err


# --- other optimizers, losses and validation


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "momentum:0.8"},
        {"optimizer": "adam"},
        {"optimizer": "newton"},
        {"schedule": "inverse:0.01"},
        {"l1": (0.05,)},
        {"loss": "huber:20000"},
        {"loss": "gamma"},
        {"l2": (0.1,), "cv": 3},
        {"loss": "huber:20000", "cv": 3},
    ],
    ids=lambda options: " ".join(options),
)
def test_each_rate_of_a_sweep_is_the_fit_with_that_rate(options: dict) -> None:
    common = {"target": "price", "features": FEATURES, "iterations": 60} | options
    sweep = run_sweep([HOUSING], FitOptions.of(**common), (0.05, 0.2))
    for row in sweep.rates:
        alone = fit(HOUSING, **common, learning_rate=row.learning_rate)
        if alone.cost is None:  # it diverged
            assert (row.cost, row.diverged_at) == (None, alone.descent.iterations)
            continue
        assert row.cost == pytest.approx(alone.cost, rel=1e-12)
        assert row.behaviour is alone.learning_rate.behaviour
        assert row.converged == alone.descent.converged
        found = alone.cross_validation
        assert (row.validation is None) == (found is None)
        if found is not None:
            assert row.validation == pytest.approx(found.mean, rel=1e-12)
            assert row.validation_error == pytest.approx(found.standard_error, rel=1e-12)


def test_a_sweep_by_group_is_a_sweep_over_the_rows_of_each(tmp_path: Path) -> None:
    _, out, _ = run("--by", "type", "-n", "50", "--lr", "0.1", "--lr", "0.3", "--format", "json")
    documents = [json.loads(line) for line in out.splitlines()]
    frame = pd.read_csv(HOUSING)
    assert [one["group"]["type"] for one in documents] == sorted(frame["type"].unique())
    for one in documents:
        path = tmp_path / "one.csv"
        frame[frame["type"] == one["group"]["type"]].to_csv(path, index=False)
        alone = run_sweep([str(path)], FitOptions.of(target="price", features=("sqft",), iterations=50), (0.1, 0.3))
        assert [rate["cost"] for rate in one["rates"]] == pytest.approx([rate.cost for rate in alone.rates], rel=1e-12)
        assert one["best"] == pytest.approx(alone.best, rel=1e-6)


def test_a_sweep_by_group_has_a_row_for_each_group_and_rate() -> None:
    _, out, _ = run("--by", "type", "--cv", "2", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0])[:2] == ["type", "learning_rate"]
    assert {row["type"] for row in rows} == {"Condo", "Multi_Family", "Residential"}
    assert all(float(row["validation_cost"]) > 0 for row in rows if row["behaviour"] != "unstable" and row["cost"])


def test_a_rate_that_swings_out_again_is_not_within_one_percent() -> None:
    frame = pd.read_csv(HOUSING).query("type == 'Condo'")
    X, y = frame[["sqft", "beds", "baths", "latitude", "longitude"]].to_numpy(float), frame["price"].to_numpy(float)
    Z = np.column_stack([np.ones(len(y)), (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)])
    delta = 40_000.0

    def costs(rate: float) -> np.ndarray:
        theta, found = np.zeros(Z.shape[1]), []
        for _ in range(501):
            size = np.abs(y - Z @ theta)
            found.append(np.where(size <= delta, size**2 / 2, delta * (size - delta / 2)).mean())
            theta = theta + rate / len(y) * Z.T @ np.clip(y - Z @ theta, -delta, delta)
        return np.array(found)

    options = FitOptions.of(target="price", loss=f"huber:{delta:g}", iterations=500)
    sweep = run_sweep([frame], options, (0.4, 0.95))
    minimum = sweep.optimum.cost
    settled, swinging = (costs(rate) <= 1.01 * minimum for rate in (0.4, 0.95))
    assert swinging.any()
    assert not swinging[-1]
    assert settled[-1]
    assert [rate.iterations_to_1_percent for rate in sweep.rates] == [int(np.flatnonzero(~settled)[-1]) + 1, None]
    assert [rate.best for rate in sweep.rates] == [True, False]


def test_costs_keep_their_digits_beside_that_of_an_unstable_rate(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("g,x,y\na,1,3\na,2,5\na,3,6\na,4,9\n")
    words = [
        "sweep",
        str(path),
        "-t",
        "y",
        "--by",
        "g",
        "--lr",
        "0.5",
        "--lr",
        "1.05",
        "-n",
        "50",
        "--format",
        "markdown",
    ]
    rates = [line for line in CliRunner().invoke(group, words).stdout.splitlines() if line.startswith("| a ")]
    assert len(rates) == 2
    assert "0.175000" in rates[0]  # Σ(y − 1 − 1.9x)² / 4 = 0.7 / 4


def test_a_sweep_by_group_has_the_words_of_one_sweep_and_keeps_a_group_that_lacks_rows_in_a_fold(
    tmp_path: Path,
) -> None:
    path = tmp_path / "own.csv"
    rows = [f"{g},{x},{y}" for g in "ab" for x, y in enumerate((3, 5, 6, 9, 11, 12))]
    path.write_text("\n".join(["g,x,y", *rows, "c,1,1", "c,3,2"]) + "\n")
    words = ["sweep", str(path), "-t", "y", "--by", "g", "--cv", "3", "--lr", "0.5", "--lr", "1.05"]
    done = CliRunner().invoke(group, words)
    table = [re.split(r"\s{2,}", line) for line in done.stdout.splitlines()[3:] if re.match(r"[abcg]  ", line)]
    assert table[0] == ["g", "lr", "within 1 % after", "cost at the end", "validation", "cost on its way"]
    assert [row[:3] for row in table[1:]] == [
        [g, *of] for g in "abc" for of in (["0.5", "fastest"], ["1.05", "diverges"])
    ]
    assert re.search(
        r"warning: no validation: --cv 3 leaves fold \d without a row: make fewer folds \(.*g=c", done.stderr
    )
    found = [json.loads(line) for line in CliRunner().invoke(group, [*words, "--format", "json"]).stdout.splitlines()]
    assert [one["rates"][0]["validation_cost"] is None for one in found][-1]
    assert found[-1]["rates"][0]["cost"] == pytest.approx(0.0, abs=1e-12)  # a line through two points
