"""``--missing mean``: missing numbers get their column's mean, missing texts a level of their own, in one pass."""

import csv
import gzip
import io
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli import draws, load_model
from gdcli.api import fit_data as fit
from gdcli.api import run_fit
from gdcli.base.errors import CellError, DataError, UsageError
from gdcli.fitting.options import FitOptions
from gdcli.ingest.summarize import summarize_data as summarize
from tests.conftest import Done, Notes

N = 2000
TERMS = ("a", "b", "kind[v]", "kind[w]", "kind[(missing)]", "year")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Gaps everywhere: ``a`` from the start, ``b`` late only, ``year`` (far from zero) not in the first rows."""
    rng = np.random.default_rng(20)
    found = pd.DataFrame(
        {
            "a": rng.normal(3.0, 2.0, N),
            "b": rng.uniform(-1.0, 1.0, N),
            "kind": rng.choice(list("uvw"), N),
            "year": 1e6 + rng.normal(0.0, 5.0, N),
            "w": rng.uniform(0.0, 2.0, N),
        }
    )
    found["y"] = 2 * found.a - found.b + (found.kind == "v") + 0.3 * (found.year - 1e6) + rng.normal(0.0, 1.0, N)
    at = np.arange(N)
    found.loc[rng.random(N) < 0.2, "a"] = np.nan
    found.loc[(rng.random(N) < 0.1) & (at > N // 2), "b"] = np.nan
    found.loc[rng.random(N) < 0.15, "kind"] = None
    found.loc[(at < 600) | (rng.random(N) < 0.1), "year"] = np.nan
    found.loc[rng.random(N) < 0.05, "y"] = np.nan
    found.loc[rng.random(N) < 0.03, "w"] = 0.0
    return found


@pytest.fixture
def path(table: pd.DataFrame, tmp_path: Path, blocks_of: Callable[[int], None]) -> str:
    """The table as CSV text that is read in some twenty blocks."""
    found = str(tmp_path / "gaps.csv")
    table.to_csv(found, index=False)
    blocks_of(6000)
    return found


def means_of(rows: pd.DataFrame, weighted: bool = False) -> dict[str, float]:
    """The means of the cells that have a value."""
    found = {}
    for name in ("a", "b", "year"):
        known = rows[rows[name].notna()]
        found[name] = float(np.average(known[name], weights=known.w if weighted else None))
    return found


def design(rows: pd.DataFrame, means: dict[str, float]) -> np.ndarray:
    """A column of ones and the terms, filled. (Less a million: else NumPy loses digits where gdfit keeps them.)"""
    kind = rows.kind.fillna("(missing)")
    levels = [(kind == level).astype(float) for level in ("v", "w", "(missing)")]
    numbers = [rows[name].fillna(means[name]) for name in ("a", "b")]
    return np.column_stack([np.ones(len(rows)), *numbers, *levels, rows.year.fillna(means["year"]) - 1e6])


def optimum(rows: pd.DataFrame, weighted: bool = False) -> np.ndarray:
    X, root = design(rows, means_of(rows, weighted)), np.sqrt(rows.w if weighted else np.ones(len(rows)))
    theta: np.ndarray = np.linalg.lstsq(X * np.asarray(root)[:, None], rows.y * root, rcond=None)[0]
    return theta


def with_target(table: pd.DataFrame) -> pd.DataFrame:
    return table[table.y.notna()]


def slopes(result: Any) -> list[float]:
    assert tuple(c.term for c in result.coefficients) == TERMS
    return [c.optimum for c in result.coefficients]


def test_the_optimum_is_that_of_rows_filled_with_means_and_the_cells_are_counted(
    path: str, table: pd.DataFrame, notes: Notes
) -> None:
    rows = with_target(table)
    result = run_fit([path], FitOptions.of(target="y", exclude=("w",), missing="mean"), listener=notes)
    assert slopes(result) == pytest.approx(optimum(rows)[1:], rel=1e-10)
    counts = {name: int(rows[name].isna().sum()) for name in ("a", "b", "kind", "year")}
    assert result.rows.filled == counts
    lost = N - len(rows)
    assert (result.rows.read, result.rows.used, result.rows.dropped_by_column) == (N, N - lost, {"y": lost})
    assert notes.notes[0] == f"dropped {lost} of 2,000 rows with missing values ('y' {lost})"
    assert notes.notes[1].startswith(f"filled {sum(counts.values()):,} missing cells ('year' {counts['year']}, 'a' ")
    assert result.reference_levels == {"kind": "u"}


def test_with_weights_the_means_are_weighted(path: str, table: pd.DataFrame) -> None:
    result = fit(path, target="y", weights="w", missing="mean")
    assert slopes(result) == pytest.approx(optimum(with_target(table), weighted=True)[1:], rel=1e-9)
    assert result.state.means == pytest.approx(means_of(with_target(table), weighted=True), rel=1e-13)


def test_the_bits_are_the_same_for_any_jobs_and_from_gz_and_a_frame_agrees(
    path: str, table: pd.DataFrame, tmp_path: Path
) -> None:
    packed = tmp_path / "gaps.csv.gz"
    packed.write_bytes(gzip.compress(Path(path).read_bytes()))
    options: dict[str, Any] = {"target": "y", "exclude": "w", "missing": "mean", "iterations": 20}
    first, *others = [fit(one, jobs=jobs, **options) for one, jobs in ((path, 1), (path, 3), (str(packed), 2))]
    for other in others:
        assert (other.coefficients, other.cost) == (first.coefficients, first.cost)
    assert slopes(fit(table, **options)) == pytest.approx(slopes(first), rel=1e-11)


@pytest.mark.parametrize("scale", ["standard", "minmax", "none"])
def test_every_scale_has_the_same_optimum(path: str, table: pd.DataFrame, scale: str) -> None:
    result = fit(path, target="y", exclude=["w", "year"], missing="mean", scale=scale, iterations=0)
    rows = with_target(table)
    X = design(rows, means_of(rows))[:, :-1]
    found = [c.optimum for c in result.coefficients]
    assert found == pytest.approx(np.linalg.lstsq(X, rows.y, rcond=None)[0][1:], rel=1e-9)


def descended(X: np.ndarray, y: np.ndarray, rate: float, iterations: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Plain descent on standardised columns; slopes last, on the scaled problem, with what scaled them."""
    centre, width, unit = X[:, 1:].mean(axis=0), X[:, 1:].std(axis=0, ddof=1), y.std(ddof=1)
    Z = np.column_stack([X[:, 0], (X[:, 1:] - centre) / width])
    theta = np.zeros(X.shape[1])
    for _ in range(iterations):
        theta -= rate * -2.0 / len(y) * Z.T @ (y / unit - Z @ theta)
    return theta, np.array([centre, width]), unit


def cost_elsewhere(train: pd.DataFrame, held: pd.DataFrame, rate: float, iterations: int) -> float:
    means = means_of(train)
    theta, (centre, width), unit = descended(design(train, means), train.y.to_numpy(), rate, iterations)
    X = design(held, means)
    prediction = unit * (theta[0] + (X[:, 1:] - centre) / width @ theta[1:])
    return float(np.mean((held.y - prediction) ** 2))


@pytest.fixture
def small(table: pd.DataFrame, tmp_path: Path) -> tuple[str, pd.DataFrame]:
    """Some rows that are one block, so that their folds are known from ``draws``."""
    rows = table.iloc[500:900].reset_index(drop=True)
    path = str(tmp_path / "small.csv")
    rows.to_csv(path, index=False)
    return path, rows


def test_a_fold_is_filled_with_the_means_of_the_rows_it_is_validated_against(
    small: tuple[str, pd.DataFrame],
) -> None:
    path, rows = small
    result = fit(path, target="y", exclude="w", missing="mean", cv=4, iterations=60, learning_rate=0.1, seed=3)
    assert result.cross_validation is not None
    known, fold = rows.y.notna(), np.floor(draws(3, 0, 0, len(rows)) * 4)
    expected = [cost_elsewhere(rows[known & (fold != i)], rows[known & (fold == i)], 0.1, 60) for i in range(4)]
    assert result.cross_validation.costs == pytest.approx(expected, rel=1e-9)
    # The means of all rows would be others.
    assert abs(means_of(rows[known])["a"] - means_of(rows[known & (fold != 0)])["a"]) > 1e-2


def test_rows_held_out_are_filled_with_the_means_of_the_others_and_so_is_the_model(
    small: tuple[str, pd.DataFrame],
) -> None:
    path, rows = small
    result = fit(path, target="y", exclude="w", missing="mean", holdout=0.3, iterations=60, learning_rate=0.1, seed=3)
    known, held = rows.y.notna(), draws(3, 0, 0, len(rows)) >= 0.7
    assert result.holdout is not None
    assert result.holdout.cost == pytest.approx(cost_elsewhere(rows[known & ~held], rows[known & held], 0.1, 60))
    assert result.state.means == pytest.approx(means_of(rows[known & ~held]), rel=1e-13)


def test_other_losses_fill_their_rows_too(path: str, table: pd.DataFrame) -> None:
    rows = with_target(table)[with_target(table).w > 0]
    result = fit(path, target="y", weights="w", missing="mean", loss="huber:1", iterations=3, learning_rate="search")
    X, y, w = design(rows, means_of(rows, weighted=True)), rows.y.to_numpy(), rows.w.to_numpy()
    found = slopes(result)
    theta = np.array([0.0, *found])
    theta[0] = np.average(y - X @ theta, weights=w)
    for _ in range(200):  # the intercept alone, by reweighting
        residual = y - X @ theta
        theta[0] += np.average(residual, weights=w / np.maximum(np.abs(residual), 1.0))
    residual = y - X @ theta
    gradient = (w * np.clip(residual, -1.0, 1.0)) @ X / w.sum()
    assert gradient == pytest.approx(np.zeros(len(theta)), abs=1e-9)


@pytest.mark.parametrize("check", [{"holdout": 0.3}, {"cv": 4}])
def test_other_losses_validate_on_rows_filled_with_the_means_of_the_others(
    small: tuple[str, pd.DataFrame], check: dict[str, Any]
) -> None:
    path, _ = small
    common: dict[str, Any] = {"target": "y", "exclude": "w", "missing": "mean", "iterations": 60, **check}
    # So large a δ makes Huber's loss half the squared one.
    huber = fit(path, loss="huber:1e6", learning_rate=0.2, **common)
    squared = fit(path, learning_rate=0.1, **common)
    found = [2 * cost for cost in validated(huber)]
    assert found == pytest.approx(validated(squared), rel=1e-9)


def validated(result: Any) -> list[float]:
    return [result.holdout.cost] if result.holdout else list(result.cross_validation.costs)


def test_a_column_without_any_value_is_left_out(csv_file: Callable[..., str], notes: Notes) -> None:
    path = csv_file("x,none,kind,y\n1,,,2\n2,NA,,3\n4,,,9\n")
    result = run_fit([path], FitOptions.of(target="y", categorical=("kind",), missing="mean"), listener=notes)
    assert [c.term for c in result.coefficients] == ["x"]
    assert "left out 'none': it has no value in any row" in notes.notes
    assert "left out 'kind': it is '(missing)' in every row" in notes.notes


def test_a_column_with_one_value_and_gaps_is_constant(csv_file: Callable[..., str], notes: Notes) -> None:
    path = csv_file("x,same,y\n1,0.1,2\n2,,3\n4,0.1,9\n5,0.1,1\n")
    result = run_fit([path], FitOptions.of(target="y", missing="mean"), listener=notes)
    assert [c.term for c in result.coefficients] == ["x"]
    assert "left out 'same': it is 0.1 in every row" in notes.notes
    through = fit(path, target="y", missing="mean", intercept=False)
    X = np.column_stack([[1.0, 2, 4, 5], np.full(4, 0.1)])
    found = [c.optimum for c in through.coefficients]
    assert found == pytest.approx(np.linalg.lstsq(X, np.array([2.0, 3, 9, 1]), rcond=None)[0])


def test_a_column_without_a_value_in_a_fold_s_training_rows_has_no_effect_there(csv_file: Callable[..., str]) -> None:
    fold = np.floor(draws(0, 0, 0, 12) * 2)
    lines = [f"{i},{i * i if one == 0 else ''},{i + i % 3}" for i, one in enumerate(fold)]
    path = csv_file("x,z,y\n" + "\n".join(lines) + "\n")
    for scale in ("standard", "minmax"):
        result = fit(path, target="y", missing="mean", cv=2, iterations=4000, learning_rate="auto", scale=scale)
        alone = fit(path, target="y", features="x", cv=2, iterations=4000, learning_rate="auto", scale=scale)
        assert result.cross_validation is not None
        assert alone.cross_validation is not None
        assert result.cross_validation.costs[0] == pytest.approx(alone.cross_validation.costs[0], rel=1e-6)


def test_a_real_text_like_the_level_of_missing_cells_is_refused(csv_file: Callable[..., str]) -> None:
    path = csv_file("kind,y\na,2\n(missing),3\n,5\nb,1\na,3\n")
    with pytest.raises(CellError, match=r"line 3, column 'kind': the text '\(missing\)' .* --na '\(missing\)'"):
        fit(path, target="y", missing="mean")
    result = fit(path, target="y", missing="mean", na="(missing)")
    assert result.rows.filled == {"kind": 2}
    assert [c.term for c in result.coefficients] == ["kind[b]", "kind[(missing)]"]


def test_a_policy_that_there_is_not_is_wrong_usage(csv_file: Callable[..., str]) -> None:
    for run in (fit, summarize):
        with pytest.raises(UsageError, match="one of drop, error, mean"):
            run(csv_file("x,y\n1,2\n2,3\n"), missing="median", **({"target": "y"} if run is fit else {}))


# Summaries.


def test_summaries_keep_the_gaps_and_merge_to_the_same_fit(path: str, table: pd.DataFrame, tmp_path: Path) -> None:
    rows = with_target(table)
    halves = []
    for i, part in enumerate((rows.iloc[:700], rows.iloc[700:])):
        part.to_csv(tmp_path / f"{i}.csv", index=False)
        summarize(str(tmp_path / f"{i}.csv"), missing="mean", weights="w").save(tmp_path / f"{i}.json")
        halves.append(str(tmp_path / f"{i}.json"))
    for data in (halves, [halves[0], str(tmp_path / "1.csv")], [str(tmp_path / "0.csv"), halves[1]]):
        result = fit(data, target="y", weights="w", missing="mean", iterations=0)
        assert slopes(result) == pytest.approx(optimum(rows, weighted=True)[1:], rel=1e-9)
        assert result.rows.filled == {name: int(rows[name].isna().sum()) for name in ("a", "b", "kind", "year")}


def test_a_column_without_a_value_survives_in_a_summary(csv_file: Callable[..., str], tmp_path: Path) -> None:
    first, second = csv_file("x,y\n,1\n,2\n"), csv_file("x,y\n1e6,4\n1000001,5\n,3\n1000003,9\n", "more.csv")
    summarize(first, missing="mean").save(tmp_path / "s.json")
    found = json.loads((tmp_path / "s.json").read_text())["triangle"]
    assert (found["minimum"][0], found["maximum"][0]) == (None, None)
    x = np.array([4 / 3, 4 / 3, 0, 1, 4 / 3, 3])
    expected = np.polyfit(x, [1, 2, 4, 5, 3, 9], 1)[0]
    for data in ([str(tmp_path / "s.json"), second], [second, str(tmp_path / "s.json")]):
        result = fit(data, target="y", missing="mean", iterations=0)
        assert result.coefficients[0].optimum == pytest.approx(expected, rel=1e-9)


def test_a_summary_is_not_fitted_as_if_its_gaps_were_otherwise(csv_file: Callable[..., str], tmp_path: Path) -> None:
    path = csv_file("x,z,kind,y\n1,,a,2\n2,1,,3\n3,2,b,\n4,5,b,4\n5,5,a,1\n")
    for policy in ("mean", "drop"):
        summarize(path, missing=policy).save(tmp_path / f"{policy}.json")
    mean, drop = str(tmp_path / "mean.json"), str(tmp_path / "drop.json")
    with pytest.raises(DataError, match="--missing mean and lacks cells of z, kind: give --missing mean here too"):
        fit(mean, target="x", exclude="y")
    with pytest.raises(DataError, match="holds 1 row without 'y', which cannot be the target"):
        fit(mean, target="y", missing="mean")
    with pytest.raises(DataError, match="without the rows that lack a cell of z, kind, y"):
        fit(drop, target="x", missing="mean")
    assert fit(mean, target="x", missing="mean").rows.filled == {"z": 1, "kind": 1, "y": 1}
    summarize(csv_file("kind,y\n(missing),2\na,3\n", "t.csv")).save(tmp_path / "t.json")
    with pytest.raises(DataError, match="is what --missing mean calls missing cells"):
        fit(str(tmp_path / "t.json"), target="y", missing="mean")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update(missing="median"), "no policy 'median'"),
        (lambda s: s.update(missing="drop"), "levels and kinds"),
        (lambda s: s["rows"].update(filled={}), "the gaps and their counts"),
        (lambda s: s["triangle"]["minimum"].__setitem__(0, None), "'x' contradict each other"),
        (lambda s: s["triangle"]["maximum"].__setitem__(2, None), "maximum is not a number"),
    ],
)
def test_a_damaged_summary_of_gaps_is_refused(
    csv_file: Callable[..., str], tmp_path: Path, change: Callable[[Any], None], message: str
) -> None:
    summarize(csv_file("x,y\n1,2\n,3\n3,4\n"), missing="mean").save(tmp_path / "s.json")
    content = json.loads((tmp_path / "s.json").read_text())
    change(content)
    (tmp_path / "s.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=message):
        fit(str(tmp_path / "s.json"), target="y", missing="mean")


# Groups.


def test_each_group_is_filled_with_its_own_means(gdfit: Callable[..., Done], path: str, table: pd.DataFrame) -> None:
    rows = with_target(table)
    rows = rows[rows.kind.notna()]
    words = ("--by", "kind", "-x", "a", "-x", "b", "-x", "year", "--weights", "w", "--missing", "mean")
    done = gdfit(path, "-t", "y", *words, "--format", "csv", "-n", 5)
    assert done.code == 0
    assert "filled" in done.err
    found = {(row["kind"], row["term"]): float(row["optimum"]) for row in csv.DictReader(io.StringIO(done.out))}
    for kind, part in rows.groupby("kind"):
        means, root = means_of(part, weighted=True), np.sqrt(part.w.to_numpy())
        X = design(part, means)[:, [0, 1, 2, 6]]
        expected = np.linalg.lstsq(X * root[:, None], part.y * root, rcond=None)[0]
        assert [found[kind, name] for name in ("a", "b", "year")] == pytest.approx(expected[1:], rel=1e-8)


def test_a_group_s_rows_are_predicted_with_its_means(
    gdfit: Callable[..., Done], csv_file: Callable[..., str], tmp_path: Path
) -> None:
    lines = "g,x,z,y\np,1,,1\np,2,,2.1\np,6,,6\np,,,3\nq,10,3,7\nq,20,4,1\nq,,9,5\nq,30,1,2\nq,60,,8\n"
    model = tmp_path / "m.json"
    words = ("--by", "g", "--lr", "auto", "-n", 3000, "--missing", "mean", "--save", model, "-q")
    assert gdfit(csv_file(lines), "-t", "y", *words).code == 0
    done = gdfit("predict", model, csv_file("g,x,z\np,,7\np,3,\nq,,\nq,30,4.25\nr,,1\nq,?,1\n", "new.csv"), "--only")
    found = done.out.split()[1:]
    assert float(found[0]) == pytest.approx(float(found[1]))  # 3 is the mean of 1, 2, 6; z says nothing in p
    assert float(found[2]) == pytest.approx(float(found[3]))
    assert found[4:] == ['""', '""']
    assert "note: filled 4 missing cells ('x' 2, 'z' 2)\n" in done.err  # in r, of which nothing is known, none


# Models.


@pytest.fixture
def model(csv_file: Callable[..., str], gdfit: Callable[..., Done], tmp_path: Path) -> str:
    path = csv_file("x,kind,y\n1,a,2\n2,,3\n,a,5\n6,b,4\n7,b,9\n-999,a,1\n4,,4\n", "train.csv")
    words = ("--missing", "mean", "--na", -999, "--lr", "auto", "-n", 5000, "--save", tmp_path / "m.json", "-q")
    assert gdfit(path, "-t", "y", *words).code == 0
    return str(tmp_path / "m.json")


NEW = "x,kind\n4,b\n,b\n-999.0,b\n4,\n,NA\n4,c\noops,b\n1e999,b\n"


def test_predict_fills_what_is_missing_but_not_what_is_no_number(
    gdfit: Callable[..., Done], csv_file: Callable[..., str], model: str
) -> None:
    done = gdfit("predict", model, csv_file(NEW), "--only")
    found = done.out.split()[1:]
    assert found[0] == found[1] == found[2]  # the mean is (1 + 2 + 6 + 7 + 4) / 5 = 4
    assert found[3] == found[4] != found[0]
    assert found[5:] == ['""'] * 3
    assert "note: filled 5 missing cells ('x' 3, 'kind' 2)" in done.err
    assert "3 of 8 rows could not be predicted ('x' 2, 'kind' 1, unknown: 'c')" in done.err


def test_a_frame_is_predicted_alike(model: str) -> None:
    found = load_model(model).predict(pd.DataFrame({"x": [4.0, None, 4.0, np.inf], "kind": ["b", "b", None, "b"]}))
    assert found[0] == found[1] != found[2]
    assert np.isnan(found[3])


def test_score_fills_features_but_not_the_target(
    gdfit: Callable[..., Done], csv_file: Callable[..., str], model: str
) -> None:
    path = csv_file("x,kind,y\n4,b,1\n,b,1\n3,,\n?,a,2\n")
    rows = json.loads(gdfit("score", model, path, "--format", "json").out)["rows"]
    assert (rows["used"], rows["dropped_by_column"], rows["filled"]) == (2, {"x": 1, "y": 1}, {"x": 1, "kind": 1})


def exported(gdfit: Callable[..., Done], model: str, language: str) -> str:
    return gdfit("export", model, "--to", language).out.strip()


def predictions(gdfit: Callable[..., Done], model: str, path: str) -> list[float]:
    return [float(cell) for cell in gdfit("predict", model, path, "--only").out.split()[1:]]


def test_exported_python_fills_the_same(gdfit: Callable[..., Done], csv_file: Callable[..., str], model: str) -> None:
    expression = exported(gdfit, model, "python")
    path = csv_file("\n".join(NEW.splitlines()[:6]) + "\n")
    path = csv_file(Path(path).read_text().replace("-999.0", "-999"))
    with open(path, newline="") as stream:
        found = [eval(expression, {"row": row}) for row in csv.DictReader(stream)]
    assert found == predictions(gdfit, model, path)
    for x, kind in ((None, None), (float("nan"), float("nan")), (-999, "")):
        assert eval(expression, {"row": {"x": x, "kind": kind}}) == found[-1]


def test_exported_sql_fills_null(gdfit: Callable[..., Done], csv_file: Callable[..., str], model: str) -> None:
    import sqlite3

    rows: Sequence[tuple[float | None, str | None]] = [(4, "b"), (None, "b"), (-999, "b"), (4, None), (None, "NA")]
    with sqlite3.connect(":memory:") as base:
        base.execute("CREATE TABLE t (x REAL, kind TEXT)")
        base.executemany("INSERT INTO t VALUES (?, ?)", [*rows, (4, "c")])
        found = [
            value for (value,) in base.execute(f"SELECT {exported(gdfit, model, 'sql:sqlite')} FROM t ORDER BY rowid")
        ]
    path = csv_file("\n".join(NEW.splitlines()[:6]) + "\n")
    assert found[:-1] == pytest.approx(predictions(gdfit, model, path), rel=1e-14)
    assert found[-1] is None


def test_exported_miller_fills_empty_fields(
    gdfit: Callable[..., Done], csv_file: Callable[..., str], model: str
) -> None:
    import shutil

    if shutil.which("mlr") is None:
        pytest.skip("Miller (mlr) is not installed")
    path = csv_file(NEW)
    words = ["mlr", "--icsv", "--ocsv", "--headerless-csv-output", "put", "-q"]
    done = subprocess.run(
        [*words, f'emit {{"p": {exported(gdfit, model, "mlr")}}}', path], capture_output=True, text=True, check=True
    )
    found = done.stdout.splitlines()
    path = csv_file("\n".join(NEW.splitlines()[:6]) + "\n")
    assert [float(cell) for cell in found[:5]] == pytest.approx(predictions(gdfit, model, path), rel=1e-14)
    assert found[5:7] == ["", ""]


def test_resuming_needs_the_same_policy_and_then_goes_on(gdfit: Callable[..., Done], path: str, tmp_path: Path) -> None:
    first, words = tmp_path / "m.json", (path, "-t", "y", "--exclude", "w")
    assert gdfit(*words, "--missing", "mean", "-n", 10, "--save", first, "-q").code == 0
    done = gdfit(*words, "--resume", first)
    assert done.code == 2
    assert "fitted with --missing mean: give the same" in done.err
    on = gdfit(*words, "--missing", "mean", "--resume", first, "-n", 5, "--format", "csv").out
    whole = gdfit(*words, "--missing", "mean", "-n", 15, "--format", "csv").out
    for one, other in zip(csv.DictReader(io.StringIO(on)), csv.DictReader(io.StringIO(whole)), strict=True):
        assert float(one["coefficient"]) == pytest.approx(float(other["coefficient"]), rel=1e-9)


def test_explain_and_picture_show_filled_rows(gdfit: Callable[..., Done], csv_file: Callable[..., str]) -> None:
    path = csv_file("x,y\n1,2\n,3\n5,8\n6,7\n")
    shown = gdfit(path, "-t", "y", "-n", 1, "--scale", "none", "--missing", "mean", "--explain").out
    assert any(line.split()[:2] == ["4.00000", "3.00000"] for line in shown.splitlines())
    result = run_fit([path], FitOptions.of(target="y", missing="mean", picture=True, points=9))
    assert result.picture is not None
    assert result.picture.points is not None
    assert sorted(result.picture.points.tolist()) == [[1, 2], [4, 3], [5, 8], [6, 7]]
    assert result.picture.span == (1, 6)


def test_the_counts_are_in_the_table_and_in_json(gdfit: Callable[..., Done], csv_file: Callable[..., str]) -> None:
    path = csv_file("x,z,y\n1,,2\n,3,3\n5,,8\n6,1,\n7,1,2\n")
    shown = " ".join(gdfit(path, "-t", "y", "--missing", "mean").out.split())
    assert "4 of 5 rows used" in shown
    assert "1 row dropped for missing cells (y 1); 3 missing cells filled (x 1, z 2)" in shown
    for command in ("fit", "sweep"):
        done = gdfit(command, path, "-t", "y", "--missing", "mean", "--format", "json")
        assert json.loads(done.out)["rows"]["filled"] == {"x": 1, "z": 2}
