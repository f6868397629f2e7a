"""``score``: the measures, against NumPy's arithmetic on the same rows."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gdcli.base.errors import CellError, DataError
from gdcli.base.listener import Listener
from gdcli.cli import main
from gdcli.engine.catalog import DEMAND_ENTRIES, DemandEntry
from gdcli.engine.losses import LOSSES
from gdcli.ingest.read import ReadOptions
from gdcli.models.model import Model
from gdcli.models.model_file import load_model, model_of
from gdcli.models.score import Demands, Score, score_files, score_models
from gdcli.report.paper import Page
from gdcli.report.score import score_report
from gdcli.report.writers import WRITERS
from tests.models.handwritten import model_content

SLOPES = {"x": 2.0, "kind": {"a": 0.0, "b": -1.0}}


def text_of(score, form, demands=None, digits=6):
    return WRITERS[form](score_report(score, demands or Demands(), digits), Page())


@pytest.fixture
def model(make_model: Callable[..., Model]) -> Model:
    return make_model(SLOPES, intercept=0.5, target="y")


@pytest.fixture
def scored(csv_file: Callable[..., str], model: Model) -> Callable[..., Score]:
    def run(*texts: str, weights: str | None = None, jobs: int = 1) -> Score:
        files = [csv_file(text, f"data{i}.csv") for i, text in enumerate(texts)]
        return score_files(model, "model.json", files, weights, ReadOptions(jobs=jobs), Listener())

    return run


class Rows:
    """Random rows as CSV, and the measures that NumPy finds for them."""

    def __init__(self, n: int, offset: float = 0.0, seed: int = 5) -> None:
        chance = np.random.default_rng(seed)
        self.x, self.b = chance.normal(size=n) * 10, chance.random(n) < 0.4
        self.y = offset + 2 * self.x + chance.normal(size=n)
        self.w = chance.integers(0, 4, size=n) * 0.5
        self.error = 0.5 + 2.0 * self.x - self.b - self.y

    @property
    def text(self) -> str:
        return self.part(0, len(self.x))

    def part(self, start: int, end: int) -> str:
        cells = [self.x.tolist(), np.where(self.b, "b", "a").tolist(), self.y.tolist(), self.w.tolist()]
        rows = zip(*(column[start:end] for column in cells), strict=True)
        return "x,kind,y,w\n" + "".join(f"{x!r},{kind},{y!r},{w!r}\n" for x, kind, y, w in rows)

    def measures(self, w: Any = None) -> list[float]:
        w = np.ones(len(self.x)) if w is None else w
        mean = np.average(self.y, weights=w)
        cost = np.average(self.error**2, weights=w)
        mae, bias = np.average(np.abs(self.error), weights=w), np.average(self.error, weights=w)
        return [cost, np.sqrt(cost), mae, 1 - cost / np.average((self.y - mean) ** 2, weights=w), bias]


def measures(score: Score) -> list[float | None]:
    return [score.cost, score.rmse, score.mae, score.r2, score.mean_error]


def test_the_measures_are_those_of_numpy(scored: Callable[..., Score]) -> None:
    rows = Rows(500)
    score = scored(rows.text)
    np.testing.assert_allclose(np.array(measures(score), dtype=float), rows.measures(), rtol=1e-12)
    assert (score.rows.read, score.rows.used, score.rows.dropped) == (500, 500, 0)


def test_weights_count_where_they_are_asked_for(scored: Callable[..., Score]) -> None:
    rows = Rows(300)
    np.testing.assert_allclose(
        np.array(measures(scored(rows.text, weights="w")), dtype=float), rows.measures(rows.w), rtol=1e-12
    )


def test_a_target_far_from_zero_keeps_its_digits(scored: Callable[..., Score], blocks_of: Any) -> None:
    blocks_of(1000)
    rows = Rows(400, offset=1e9)
    centred = rows.y - 1e9
    expected = 1 - np.sum(rows.error**2) / np.sum((centred - centred.mean()) ** 2)
    assert scored(rows.text).r2 == pytest.approx(expected, rel=1e-9)


def test_blocks_and_files_merge_to_the_measures_of_the_whole(scored: Callable[..., Score], blocks_of: Any) -> None:
    rows = Rows(400)
    whole = measures(scored(rows.text))
    for size in (1, 300, 5000):
        blocks_of(size)
        np.testing.assert_allclose(
            np.array(measures(scored(rows.part(0, 130), rows.part(130, 400))), dtype=float),
            np.array(whole, dtype=float),
            rtol=1e-12,
        )


def test_the_result_is_the_same_to_the_last_bit_for_any_number_of_threads(
    scored: Callable[..., Score], blocks_of: Any
) -> None:
    blocks_of(600)
    text = Rows(1000).text
    assert len({tuple(measures(scored(text, weights="w", jobs=jobs))) for jobs in (1, 2, 5)}) == 1


@pytest.mark.parametrize("block", [1, 10_000])
def test_rows_that_cannot_be_used_are_counted_by_column(
    block: int, scored: Callable[..., Score], blocks_of: Any
) -> None:
    blocks_of(block)
    text = "x,kind,y,w\n1,a,2.5,1\n,a,1,1\n2,zzz,NA,1\n3,b,?,1\n4,a,8.5,\n"
    score = scored(text, weights="w")
    assert (score.rows.read, score.rows.used, score.rows.dropped) == (5, 1, 4)
    assert dict(score.rows.dropped_by_column) == {"y": 2, "x": 1, "kind": 1, "w": 1}
    assert measures(score) == [0.0, 0.0, 0.0, None, 0.0]
    without = scored(text)
    assert (without.rows.used, dict(without.rows.dropped_by_column)) == (2, {"y": 2, "x": 1, "kind": 1})


@pytest.mark.parametrize("block", [1, 10_000])
def test_there_is_no_r2_for_a_constant_target(block: int, scored: Callable[..., Score], blocks_of: Any) -> None:
    blocks_of(block)
    score = scored("x,kind,y\n" + "".join(f"{i},a,0.1\n" for i in range(9)))
    assert score.r2 is None
    assert score.mean_error == pytest.approx(0.5 + 2 * 4 - 0.1)


def test_a_prediction_by_the_mean_has_r2_zero_and_a_worse_one_less(scored: Callable[..., Score]) -> None:
    # ŷ = 0.5 in each row
    assert scored("x,kind,y\n0,a,0\n0,a,1\n").r2 == 0.0
    assert scored("x,kind,y\n0,a,10\n0,a,11\n").r2 == pytest.approx(1 - (9.5**2 + 10.5**2) / 0.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,kind,y\n", "there is a header but no row to score"),
        ("x,kind,y\n1,a,\n,b,2\n", r"no row can be scored; rows without a usable value: 'x' 1, 'y' 1"),
    ],
)
def test_nothing_to_score_is_an_error(text: str, message: str, scored: Callable[..., Score]) -> None:
    with pytest.raises(DataError, match=message):
        scored(text)


def test_weights_that_are_all_zero_are_an_error(scored: Callable[..., Score]) -> None:
    with pytest.raises(DataError, match="all weights are 0"):
        scored("x,kind,y,w\n1,a,1,0\n", weights="w")


def test_a_negative_weight_is_an_error_with_its_line(scored: Callable[..., Score]) -> None:
    with pytest.raises(CellError, match=r"line 3, column 'w': a weight is not negative, this one is -2"):
        scored("x,kind,y,w\n1,a,1,1\n1,a,1,-2\n", weights="w")


def test_a_demand_that_is_not_met_is_named_with_its_numbers(scored: Callable[..., Score]) -> None:
    score = scored("x,kind,y\n0,a,0\n0,a,1\n")  # RMSE 0.5, R² 0
    assert score.unmet(Demands(max_rmse=0.5, min_r2=0.0)) == []
    assert score.unmet(Demands(max_rmse=0.4, min_r2=0.1)) == [
        "RMSE 0.5 is above --max-rmse 0.4",
        "R² 0.0 is below --min-r2 0.1",
    ]


def test_a_constant_target_meets_no_demand_on_r2(scored: Callable[..., Score]) -> None:
    assert scored("x,kind,y\n0,a,0\n").unmet(Demands(min_r2=-9.0)) == [
        "there is no R² for --min-r2 -9.0, as the target is constant"
    ]


def test_json_has_every_number_to_its_last_digit(scored: Callable[..., Score]) -> None:
    score = scored(Rows(50).text)
    document = json.loads(text_of(score, "json", Demands(max_rmse=1e-9)))
    assert document["schema"] == "gdfit.score/1"
    assert [document[name] for name in ("cost", "rmse", "mae", "r2", "mean_error")] == measures(score)
    counts = {"read": 50, "used": 50, "dropped": 0, "dropped_by_column": {}, "skipped": 0, "filled": {}}
    assert document["rows"] == counts
    limits = {entry.name: None for entry in DEMAND_ENTRIES}
    assert document["demands"] == {**limits, "max_rmse": 1e-9, "met": False}
    assert (document["target"], document["model"], document["weights"]) == ("y", "model.json", None)


def test_csv_is_a_header_and_one_row(scored: Callable[..., Score]) -> None:
    score = scored("x,kind,y\n0,a,0\n")
    assert list(csv.reader(io.StringIO(text_of(score, "csv")))) == [
        ["rows_read", "rows_used", "cost", "rmse", "mae", "r2", "mean_error"],
        ["1", "1", "0.25", "0.5", "0.5", "", "0.5"],
    ]
    assert text_of(score, "tsv").splitlines()[1] == "1\t1\t0.25\t0.5\t0.5\t\t0.5"


def test_an_overflow_is_null_in_json_and_empty_in_csv(scored: Callable[..., Score]) -> None:
    score = scored("x,kind,y\n0,a,1e200\n0,a,-1e200\n")
    document = json.loads(text_of(score, "json"))
    assert (document["cost"], document["rmse"], document["r2"]) == (None, None, None)
    assert document["mae"] == 1e200
    assert text_of(score, "csv").splitlines()[1] == "2,2,,,1e+200,,0.0"


def test_the_report_says_what_was_used_and_what_the_sign_of_the_bias_means(scored: Callable[..., Score]) -> None:
    score = scored("x,kind,y\n0,a,0\n0,a,1\n,a,1\n")
    heading = f"{score.files[0]}, 2 of 3 rows"
    assert text_of(score, "table").splitlines() == [
        "y as predicted by model.json",
        heading,
        "",
        "rows               2  used of 3 rows; no usable value in 1 (x 1)",
        "RMSE        0.500000",
        "MAE         0.500000",
        "mean error  0.000000  prediction minus target",
        "R²          0.000000",
        "cost        0.250000  mean squared error",
        "",
        "residuals (target minus prediction)",
        "      min  1st quartile    median  3rd quartile       max",
        "─" * 57,
        "-0.500000     -0.250000  0.000000      0.250000  0.500000",
    ]


def test_markdown_is_a_table(scored: Callable[..., Score]) -> None:
    lines = text_of(scored("x,kind,y\n0,a,0\n0,a,1\n"), "markdown", digits=3).splitlines()
    assert lines == [
        "| measure | value |",
        "| --- | ---: |",
        "| rows | 2 |",
        "| RMSE | 0.500 |",
        "| MAE | 0.500 |",
        "| mean error | 0.000 |",
        "| R² | 0.000 |",
        "| cost | 0.250 |",
    ]


def test_score_prints_a_report_and_exits_0(shell: Callable[..., Any], model_file: Callable[..., str]) -> None:
    model_file(SLOPES, intercept=0.5, target="y")
    done = shell("printf 'x,kind,y\\n0,a,0\\n0,a,1\\n' > d.csv; gdfit score model.json d.csv")
    assert done.code == 0
    assert done.out.startswith("y as predicted by model.json\nd.csv, 2 rows\n\nrows               2  all used\n")
    assert done.err == ""


def test_an_unmet_demand_exits_with_4_after_the_whole_result(
    shell: Callable[..., Any], model_file: Callable[..., str]
) -> None:
    model_file(SLOPES, intercept=0.5, target="y")
    done = shell("gdfit score model.json --max-rmse 0.1 --min-r2 0.5 --format csv", b"x,kind,y\n0,a,0\n0,a,1\n")
    assert done.code == 4
    assert done.out == "rows_read,rows_used,cost,rmse,mae,r2,mean_error\n2,2,0.25,0.5,0.5,0.0,0.0\n"
    assert done.err == "Error: RMSE 0.5 is above --max-rmse 0.1; R² 0.0 is below --min-r2 0.5\n"


def test_quiet_leaves_the_alarm_alone(shell: Callable[..., Any], model_file: Callable[..., str]) -> None:
    model_file(SLOPES, intercept=0.5, target="y")
    rows = b"x,kind,y\n0,a,0\n0,a,1\n"
    met, unmet = (shell(f"gdfit score model.json -q --max-rmse {limit}", rows) for limit in ("1", "0.1"))
    assert met == (0, "", "")
    assert unmet == (4, "", "Error: RMSE 0.5 is above --max-rmse 0.1\n")


def test_score_needs_the_target_column(shell: Callable[..., Any], model_file: Callable[..., str]) -> None:
    model_file(SLOPES, intercept=0.5, target="y")
    done = shell("gdfit score model.json", b"x,kind,Y\n0,a,0\n")
    assert (done.code, done.out) == (1, "")
    assert done.err == "Error: 'standard input' has no column 'y'. Did you mean 'Y'? Columns: x, kind, Y\n"


def test_a_summary_has_no_rows_to_score_or_to_predict(
    shell: Callable[..., Any], model_file: Callable[..., str]
) -> None:
    model_file(SLOPES, intercept=0.5, target="y")
    done = shell("gdfit summarize -q -o d.json && gdfit score model.json d.json", b"x,kind,y\n0,a,0\n1,b,1\n2,a,5\n")
    assert done == (1, "", "Error: 'd.json' is a summary, which holds no rows\n")
    assert shell("gdfit predict model.json d.json") == (
        1,
        "",
        "Error: 'd.json' is a summary, which holds no rows\n",
    )


def test_every_measure_has_a_limit_and_every_limit_a_measure() -> None:
    own = {measure.key for loss in LOSSES.values() for measure in loss.measures}
    assert {entry.key for entry in DEMAND_ENTRIES} == own | {"rmse", "mae", "r2", "mean_error", "cost"}
    better = {measure.key for loss in LOSSES.values() for measure in loss.measures if measure.share} | {"r2"}
    assert {entry.key for entry in DEMAND_ENTRIES if entry.sense == "min"} == better


@pytest.mark.parametrize("entry", DEMAND_ENTRIES, ids=lambda entry: entry.name)
def test_a_limit_is_kept_at_the_measure_itself_and_broken_beyond(
    entry: DemandEntry, csv_file: Callable[..., str]
) -> None:
    loss = {"coverage": "quantile", "mean_deviance": "poisson"} | dict.fromkeys(
        ("log_loss", "accuracy", "auc"), "logistic"
    )
    chosen = loss.get(entry.key, "squared")
    rows = csv_file("x,y\n" + "".join(f"{i},{int(i * 7 % 5 > 2)}\n" for i in range(20)))
    path = f"{rows}.json"
    assert main([rows, "-t", "y", "--loss", chosen, "-n", "40", "--save", path, "-q"]) == 0
    score = score_files(load_model(path), "m", [rows], None, ReadOptions(), Listener())
    value = score.value(entry.key)
    assert value is not None
    away = -1e-9 if entry.sense == "max" else 1e-9
    assert score.unmet(Demands(**{entry.name: value})) == []
    (told,) = score.unmet(Demands(**{entry.name: value + away}))
    assert entry.option in told
    assert entry.label in told


def test_residuals_are_told_by_numpys_quartiles(csv_file: Callable[..., str]) -> None:
    rows = csv_file("x,y\n" + "".join(f"{i},{i * i % 17}\n" for i in range(31)))
    assert main([rows, "-t", "y", "--lr", "auto", "--save", f"{rows}.json", "-q"]) == 0
    score = score_files(load_model(f"{rows}.json"), "m", [rows], None, ReadOptions(), Listener())
    x = np.arange(31.0)
    y = x * x % 17
    slope, intercept = np.polyfit(x, y, 1)
    expected = np.quantile(y - intercept - slope * x, [0, 0.25, 0.5, 0.75, 1])
    assert score.residuals is not None
    np.testing.assert_allclose(score.residuals[:5], expected, atol=1e-4)
    assert not score.residuals.sampled


def test_several_models_are_scored_as_each_alone_in_one_pass(csv_file: Callable[..., str]) -> None:
    rows = csv_file("x,z,y\n" + "".join(f"{i},{i % 3},{i * i % 17}\n" for i in range(31)))
    models = {}
    for name in ("x", "z"):
        assert main([rows, "-t", "y", "-x", name, "--lr", "auto", "--save", f"{rows}.{name}.json", "-q"]) == 0
        models[name] = load_model(f"{rows}.{name}.json")
    together = score_models(models, [rows], None, ReadOptions(), Listener())
    alone = [score_files(one, name, [rows], None, ReadOptions(), Listener()) for name, one in models.items()]
    assert together == alone


def test_a_comparison_names_the_best_and_the_model_that_misses_a_limit(
    program: Callable[..., Any], csv_file: Callable[..., str]
) -> None:
    rows = csv_file("x,z,y\n" + "".join(f"{i},{i % 3},{3 * i + i % 2}\n" for i in range(31)))
    for name in ("x", "z"):
        program(rows, "-t", "y", "-x", name, "--lr", "auto", "--save", f"{rows}.{name}.json", "-q")
    program(rows, "-t", "y", "--no-intercept", "-x", "z", "--save", f"{rows}.0.json", "-q")
    done = program("score", f"{rows}.z.json", f"{rows}.0.json", f"{rows}.x.json", rows, "--max-mae", "1")
    assert done.code == 4
    assert done.out.splitlines()[-1].endswith(".x.json")
    assert f"{rows}.z.json: MAE" in done.err
    assert f"{rows}.x.json: MAE" not in done.err
    document = program("score", f"{rows}.z.json", f"{rows}.x.json", rows, "--format", "json").out
    assert [json.loads(line)["model"] for line in document.splitlines()] == [f"{rows}.z.json", f"{rows}.x.json"]


def test_a_limit_of_another_loss_is_wrong_usage(program: Callable[..., Any], csv_file: Callable[..., str]) -> None:
    rows = csv_file("x,y\n0,1\n1,2\n2,4\n")
    program(rows, "-t", "y", "--save", f"{rows}.json", "-q")
    done = program("score", f"{rows}.json", rows, "--min-auc", "0.5")
    assert (done.code, done.out) == (2, "")
    assert "--min-auc is for models of --loss logistic" in done.err


def test_a_row_at_the_quantile_itself_is_covered(csv_file: Callable[..., str]) -> None:
    model = model_of(model_content({"x": 1.0}, intercept=0.0) | {"loss": "quantile", "tau": 0.5}, "m.json")
    found = score_files(model, "m.json", [csv_file("x,price\n1,1\n2,2\n3,4\n4,1\n")], None, ReadOptions(), Listener())
    assert found.measures["coverage"] == 0.75
