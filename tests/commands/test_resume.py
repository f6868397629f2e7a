"""--resume: the descent goes on from where a saved model stands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gdcli.api import fit_data as fit
from gdcli.base.errors import DataError, UsageError
from gdcli.fitting.results import Fit
from gdcli.ingest.summarize import summarize_data as summarize
from gdcli.models.model_file import model_as_json


@pytest.fixture
def table(csv_file: Callable[..., str]) -> Callable[..., str]:
    """A timestamp, a size, a text column, weights."""

    def write(name: str = "data.csv", rows: int = 60, seed: int = 1) -> str:
        random = np.random.default_rng(seed)
        lines = ["when,size,kind,w,price"]
        for i in range(rows):
            when, size, kind = 1_700_000_000 + int(random.integers(0, 10**7)), float(random.normal()), "abc"[i % 3]
            price = 5 * size + 3.0 * (kind == "b") + (when - 1.7e9) / 1e6 + float(random.normal())
            lines.append(f"{when},{size!r},{kind},{random.choice([0.5, 1, 2])},{price!r}")
        return csv_file("\n".join(lines) + "\n", name)

    return write


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Fit], str]:
    """Save the model of a fit and return its path."""

    def save(result: Fit) -> str:
        path = tmp_path / "model.json"
        path.write_text(model_as_json(result), encoding="utf-8")
        return str(path)

    return save


def numbers(result: Fit) -> list[float]:
    rows = [*result.coefficients, *([] if result.intercept is None else [result.intercept])]
    found = [row.value for row in rows]
    assert None not in found
    return [value for value in found if value is not None] + [result.cost or 0.0]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"learning_rate": 0.1},
        {"scale": "minmax"},
        {"scale": "none", "features": ["size", "kind"]},
        {"intercept": False},
        {"weights": "w"},
        {"features": ["when"]},
        {"start": {"size": 3.0}},
    ],
    ids=str,
)
def test_three_hundred_and_seven_hundred_iterations_are_a_thousand(
    table: Callable[..., str], saved: Callable[[Fit], str], options: dict[str, Any]
) -> None:
    path = table()
    whole = fit(path, target="price", iterations=1000, **options)
    model = saved(fit(path, target="price", iterations=300, **options))
    again = {name: value for name, value in options.items() if name != "start"}
    rest = fit(path, target="price", iterations=700, resume=model, **again)
    assert numbers(rest) == pytest.approx(numbers(whole), rel=1e-12)
    assert rest.state.iteration == whole.state.iteration == 1000
    assert rest.state.theta == pytest.approx(whole.state.theta, rel=1e-12, abs=1e-14)
    assert rest.descent.iterations == 700
    assert [c.optimum for c in rest.coefficients] == [c.optimum for c in whole.coefficients]


def test_steps_of_one_add_up(table: Callable[..., str], saved: Callable[[Fit], str]) -> None:
    path = table()
    result = fit(path, target="price", iterations=0)
    for _ in range(5):
        result = fit(path, target=None, iterations=1, resume=saved(result))
    assert numbers(result) == pytest.approx(numbers(fit(path, target="price", iterations=5)), rel=1e-12)
    assert result.state.iteration == 5


def test_target_columns_and_rate_are_the_models_where_none_are_given(
    table: Callable[..., str], saved: Callable[[Fit], str]
) -> None:
    path = table()
    options: dict[str, Any] = {"features": ["size", "kind"], "learning_rate": 0.2}
    model = saved(fit(path, target="price", iterations=30, **options))
    rest = fit(path, target=None, resume=model, iterations=70)
    assert rest.target == "price"
    assert rest.features == ("size", "kind")
    assert rest.descent.learning_rate == 0.2
    assert numbers(rest) == pytest.approx(numbers(fit(path, target="price", iterations=100, **options)), rel=1e-12)
    assert fit(path, target=None, resume=model, learning_rate=0.01).descent.learning_rate == 0.01


def test_the_first_row_of_the_trace_is_where_the_model_stands(
    table: Callable[..., str], saved: Callable[[Fit], str]
) -> None:
    path = table()
    first = fit(path, target="price", iterations=40)
    rest = fit(path, target=None, resume=saved(first), iterations=5)
    assert rest.trace[0].iteration == 0
    assert rest.trace[0].slopes == pytest.approx(tuple(c.value for c in first.coefficients), rel=1e-12)


def test_a_summary_of_the_same_rows_is_the_same_data(table: Callable[..., str], saved: Callable[[Fit], str]) -> None:
    path = table()
    model = saved(fit(path, target="price", iterations=30))
    rest = fit(summarize(path), target=None, resume=model, iterations=70)
    assert numbers(rest) == pytest.approx(numbers(fit(path, target="price", iterations=100)), rel=1e-12)


def test_a_holdout_of_the_same_rows_goes_on_too(table: Callable[..., str], saved: Callable[[Fit], str]) -> None:
    path = table()
    options: dict[str, Any] = {"target": "price", "holdout": 0.3, "seed": 4}
    model = saved(fit(path, iterations=30, **options))
    rest, whole = fit(path, iterations=70, resume=model, **options), fit(path, iterations=100, **options)
    assert numbers(rest) == pytest.approx(numbers(whole), rel=1e-12)
    assert rest.holdout is not None
    assert whole.holdout is not None
    assert rest.holdout.cost == pytest.approx(whole.holdout.cost, rel=1e-12)
    with pytest.raises(DataError, match="the model was fitted to other data"):
        fit(path, target="price", resume=model)


# --- what does not fit


def test_other_rows_are_refused(table: Callable[..., str], saved: Callable[[Fit], str]) -> None:
    model = saved(fit(table(), target="price", iterations=30))
    message = "--resume: the model was fitted to other data; for new rows fit all of them again"
    for other in (table("more.csv", rows=61), table("other.csv", seed=2), [table(), table("again.csv", seed=3)]):
        with pytest.raises(DataError, match=message):
            fit(other, target="price", resume=model)


def test_the_same_columns_with_another_target_value_are_other_rows(
    table: Callable[..., str], saved: Callable[[Fit], str]
) -> None:
    path = Path(table())
    model = saved(fit(path, target="price", iterations=30))
    lines = path.read_text().splitlines()
    cells = [line.split(",") for line in lines[1:3]]
    cells[0][-1], cells[1][-1] = cells[1][-1], cells[0][-1]  # the same means and deviations
    path.write_text("\n".join([lines[0], *(",".join(row) for row in cells), *lines[3:]]) + "\n")
    with pytest.raises(DataError, match="other data"):
        fit(path, target="price", resume=model)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"target": "size"}, UsageError, "the model predicts 'price', so --resume cannot fit 'size'"),
        ({"scale": "minmax"}, UsageError, "the model was fitted with --scale standard: give the same"),
        ({"intercept": False}, UsageError, "the model was fitted with an intercept"),
        ({"weights": "w"}, UsageError, "the model was fitted without weights"),
        ({"start": {"size": 1.0}}, UsageError, "--start has no place"),
        ({"cv": 3}, UsageError, "--resume has no place"),
        (
            {"features": ["size"]},
            DataError,
            r"the model has other terms than these data: kind\[b\], kind\[c\], w, when",
        ),
        ({"categorical": "w"}, DataError, "the model has other terms than these data"),
    ],
)
def test_other_options_are_refused(
    table: Callable[..., str],
    saved: Callable[[Fit], str],
    options: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    path = table()
    model = saved(fit(path, target="price", iterations=30))
    with pytest.raises(error, match=message):
        fit(path, **{"target": "price", "resume": model} | options)


# --- the command line


def test_a_nightly_descent_goes_on_in_place(
    gdfit: Callable[..., Any], table: Callable[..., str], tmp_path: Path
) -> None:
    path, model = table(), tmp_path / "m.json"
    assert gdfit(path, "-t", "price", "--lr", "0.05", "-n", "300", "--save", model, "-q") == (0, "", "")
    done = gdfit(path, "--resume", model, "-n", "700", "--save", model, "--format", "json", "-q")
    assert (done.code, done.err) == (0, "")
    document = json.loads(done.out)
    assert document["descent"]["learning_rate"] == 0.05
    whole = json.loads(gdfit(path, "-t", "price", "--lr", "0.05", "-n", "1000", "--format", "json").out)
    assert [c["value"] for c in document["coefficients"]] == pytest.approx(
        [c["value"] for c in whole["coefficients"]], rel=1e-12
    )
    assert json.loads(model.read_text())["state"]["iteration"] == 1000


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--resume", "missing.json"], 1, "cannot read 'missing.json': no such file"),
        (["--resume", "data.csv"], 1, "'data.csv' is not a gdfit model"),
        (["--resume", "m.json", "-t", "size"], 2, "the model predicts 'price'"),
        (["--resume", "m.json", "-o", "m.json"], 2, "--output m.json would overwrite the model to resume."),
        (["--resume", "m.json", "--start", "size=1"], 2, "--start has no place"),
        (["--resume", "m.json", "--cv", "3"], 2, "--resume has no place"),
        (["--resume", "s.json"], 1, "is a summary"),
    ],
)
def test_what_cannot_be_resumed_is_an_error(
    gdfit: Callable[..., Any],
    table: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    args: list[str],
    code: int,
    message: str,
) -> None:
    table()
    monkeypatch.chdir(tmp_path)
    gdfit("data.csv", "-t", "price", "--save", "m.json", "-q")
    gdfit("summarize", "data.csv", "-o", "s.json", "-q")
    before = (tmp_path / "m.json").read_bytes()
    done = gdfit("data.csv", *args)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert (tmp_path / "m.json").read_bytes() == before


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("descent.learning_rate", "fast"), ("descent.learning_rate", None), ("descent.scale", "odd"), ("cost", "x"),
        ("left_out", 5), ("state.theta", []), ("state.iteration", -1), ("descent", None),
    ],
)  # fmt: skip
def test_a_damaged_model_is_no_fault_of_gdfits(
    gdfit: Callable[..., Any], table: Callable[..., str], saved: Callable[[Fit], str], place: str, value: Any
) -> None:
    path = table()
    model = Path(saved(fit(path, target="price", iterations=3)))
    document = json.loads(model.read_text())
    *above, last = place.split(".")
    node = document
    for name in above:
        node = node[name]
    node[last] = value
    model.write_text(json.dumps(document))
    done = gdfit(path, "--resume", model)
    assert (done.code, done.out) == (1, "")
    assert "damaged" in done.err
    assert "fault in gdfit" not in done.err


def test_the_rate_that_is_advised_for_a_model_without_one_continues_it(
    gdfit: Callable[..., Any], table: Callable[..., str], saved: Callable[[Fit], str]
) -> None:
    path = table()
    whole = fit(path, target="price", iterations=6, learning_rate=0.02)
    model = Path(saved(fit(path, target="price", iterations=3, learning_rate=0.02)))
    document = json.loads(model.read_text())
    document["descent"]["learning_rate"] = None
    model.write_text(json.dumps(document))
    refused = gdfit(path, "--resume", model, "-n", 3)
    assert refused.code == 1
    assert "give one with --lr" in refused.err
    done = gdfit(path, "--resume", model, "-n", 3, "--lr", 0.02, "--format", "json")
    assert json.loads(done.out)["cost"] == whole.cost


def test_words_for_missing_cells_that_are_given_take_the_place_of_the_models(
    gdfit: Callable[..., Any], csv_file: Callable[..., str], tmp_path: Path
) -> None:
    table, model = "x,y\n-9,1\n1,2\n2,4\n3,5\n4,9\n", tmp_path / "m.json"
    assert gdfit(csv_file(table), "-t", "y", "--na", "-9", "-n", "5", "-q", "--save", model).code == 0
    other = csv_file(table.replace("-9", "-8"), "other.csv")
    done = gdfit(other, "--resume", model, "--na", "-8", "-q", "--format", "json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["rows"]["dropped"] == 1
    assert "fitted to other data" in gdfit(other, "--resume", model, "-q").err
