"""--batch-size and --epochs: the path against a plain loop over the order that is documented, and what goes with it.

The order (gdcli/engine/stochastic.py): stream(i, block) is NumPy's Philox with the seed as its key and the counter
[0, i, block, epoch]; blocks come in the order stream(2, 0).permutation(blocks), the rows of each in the order
stream(1, block).permutation(rows).
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli.api import fit_data as fit
from gdcli.api import run_fit
from gdcli.base.errors import DataError, UsageError
from gdcli.base.listener import Listener
from gdcli.engine.descent import Stopped
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import Fit
from gdcli.ingest.summarize import summarize_data as summarize
from gdcli.models.model_file import model_as_json

ROWS, BLOCK_ROWS = 2000, 700
SEED = 3
RATE = 0.02
DELTA = 1.5


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """DataFrames come in blocks of 700 rows."""
    monkeypatch.setattr("gdcli.data.data_frame._FRAME_ROWS", BLOCK_ROWS)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    random = np.random.default_rng(8)
    x, far = random.normal(size=ROWS), 2000 + random.normal(size=ROWS) * 5
    z = 0.7 * x + 0.1 * (far - 2000)
    return pd.DataFrame(
        {
            "x": x,
            "far": far,
            "w": random.choice([0.5, 1.0, 3.0], ROWS),
            "y": 4 + 2 * z + random.standard_t(3, ROWS),
            "answer": random.random(ROWS) < 1 / (1 + np.exp(-z)),
            "count": random.poisson(np.exp(0.5 * z)),
            "amount": random.gamma(2.0, np.exp(0.3 * z)),
        }
    )


def documented_order(seed: int, epoch: int) -> np.ndarray:
    """The rows of an epoch, for blocks of 700 rows."""

    def stream(i: int, block: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=seed, counter=[0, i, block, epoch]))

    starts = list(range(0, ROWS, BLOCK_ROWS))
    sizes = [min(BLOCK_ROWS, ROWS - start) for start in starts]
    blocks = stream(2, 0).permutation(len(starts))
    return np.concatenate([starts[b] + stream(1, b).permutation(sizes[b]) for b in blocks])


# Of each loss its target, and its derivative by z for a target y; both in file units.
LOSSES: dict[str, tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]] = {
    "squared": ("y", lambda z, y: 2 * (z - y)),
    f"huber:{DELTA}": ("y", lambda z, y: np.clip(z - y, -DELTA, DELTA)),
    "logistic": ("answer", lambda z, y: 1 / (1 + np.exp(-z)) - y),
    "poisson": ("count", lambda z, y: np.exp(z) - y),
    "gamma": ("amount", lambda z, y: 1 - y * np.exp(-z)),
    "quantile:0.3": ("y", lambda z, y: np.where(z > y, 0.7, -0.3)),
}


def plain_loop(
    frame: pd.DataFrame, loss: str, weighted: bool, size: int, epochs: int, l2: float = 0.0, l1: float = 0.0
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield at the start and at the end of each epoch the iteration and c, m[x], m[far]."""
    target, slope_of = LOSSES[loss]
    y = frame[target].to_numpy(dtype=float)
    w = frame["w"].to_numpy() if weighted else np.ones(ROWS)
    X = frame[["x", "far"]].to_numpy()
    mean = w @ X / w.sum()

    def deviation(values: np.ndarray) -> np.ndarray:
        return np.sqrt(w @ (values - w @ values / w.sum()) ** 2 / w.sum() * ROWS / (ROWS - 1))

    sd = np.array([deviation(X[:, 0]), deviation(X[:, 1])])
    unit = float(deviation(y)) if target == "y" else 1.0
    A = np.column_stack([np.ones(ROWS), (X - mean) / sd])
    theta, k = np.zeros(3), 0

    def in_file_units() -> np.ndarray:
        m = theta[1:] * unit / sd
        return np.array([theta[0] * unit - m @ mean, *m])

    yield k, in_file_units()
    for epoch in range(epochs):
        order = documented_order(SEED, epoch)
        for start in range(0, ROWS, size):
            rows = order[start : start + size]
            slope = w[rows] * slope_of(A[rows] @ theta * unit, y[rows])
            gradient = ROWS / w.sum() / len(rows) * slope @ A[rows] / (1.0 if loss.startswith("quantile") else unit)
            gradient[1:] += 2 * l2 * theta[1:]
            theta = theta - RATE * gradient
            theta[1:] = np.sign(theta[1:]) * np.maximum(np.abs(theta[1:]) - RATE * l1, 0)
            k += 1
        yield k, in_file_units()


def on_batches(data: Any, **options: Any) -> Fit:
    given: dict[str, Any] = {"features": ["x", "far"], "target": "y", "batch_size": 64, "learning_rate": RATE}
    return fit(data, **{**given, "seed": SEED, **options})


def path_of(result: Fit) -> list[tuple[int, np.ndarray]]:
    return [(row.iteration, np.array([row.intercept, *row.slopes])) for row in result.trace]


def assert_same_path(found: Fit, expected: Iterator[tuple[int, np.ndarray]]) -> None:
    for (k, here), (plain_k, there) in zip(path_of(found), expected, strict=True):
        assert k == plain_k
        np.testing.assert_allclose(here, there, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("size", [1, 64, 300, 1999, 5000])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_path_is_that_of_a_plain_loop_over_the_documented_order(
    frame: pd.DataFrame, small_blocks: None, size: int, weighted: bool
) -> None:
    found = on_batches(frame, batch_size=size, epochs=2, weights="w" if weighted else None)
    assert_same_path(found, plain_loop(frame, "squared", weighted, size, 2))
    assert found.descent.iterations == 2 * -(-ROWS // size)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("weighted", [False, True])
def test_each_loss_goes_the_way_of_the_plain_loop(
    frame: pd.DataFrame, small_blocks: None, loss: str, weighted: bool
) -> None:
    found = on_batches(frame, loss=loss, target=LOSSES[loss][0], epochs=3, weights="w" if weighted else None)
    assert_same_path(found, plain_loop(frame, loss, weighted, 64, 3))


@pytest.mark.parametrize(("loss", "l2", "l1"), [("squared", 0.3, 0.8), ("logistic", 0.01, 0.02)])
def test_penalties_pull_at_each_batch(frame: pd.DataFrame, small_blocks: None, loss: str, l2: float, l1: float) -> None:
    found = on_batches(frame, loss=loss, target=LOSSES[loss][0], epochs=3, l2=l2, l1=l1)
    assert_same_path(found, plain_loop(frame, loss, False, 64, 3, l2, l1))
    assert on_batches(frame, epochs=3, l1=5.0).coefficients[0].value == 0


def test_the_cost_at_the_end_of_an_epoch_is_that_of_all_rows(frame: pd.DataFrame) -> None:
    for row in on_batches(frame, epochs=2).trace:
        errors = frame["y"] - (row.intercept + frame[["x", "far"]].to_numpy() @ np.array(row.slopes))
        assert row.cost == pytest.approx(float(np.mean(errors**2)), rel=1e-12)


def test_filled_cells_count_with_their_mean(frame: pd.DataFrame, small_blocks: None) -> None:
    gaps = frame.assign(far=frame["far"].where(np.arange(ROWS) % 7 > 0))
    filled = gaps.assign(far=gaps["far"].fillna(gaps["far"].mean()))
    found, expected = on_batches(gaps, epochs=2, missing="mean"), on_batches(filled, epochs=2)
    for (_, here), (_, there) in zip(path_of(found), path_of(expected), strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-9, atol=1e-12)


def test_one_batch_of_all_rows_is_the_descent_on_all_rows(frame: pd.DataFrame) -> None:
    whole = on_batches(frame, batch_size=None, iterations=20, learning_rate=0.1)
    for size in (ROWS, 10 * ROWS):
        found = on_batches(frame, batch_size=size, epochs=20, learning_rate=0.1)
        assert found.descent.iterations == 20
        for (k, here), (same, there) in zip(path_of(found), path_of(whole), strict=True):
            assert k == same
            np.testing.assert_allclose(here, there, rtol=1e-10, atol=1e-12)


RECIPES = [("gd", 0.1), ("momentum", 0.01), ("nesterov", 0.01), ("adagrad", 0.3), ("rmsprop", 0.02), ("adam", 0.02)]


@pytest.mark.parametrize(("word", "rate"), RECIPES)
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_each_optimizer_comes_near_the_optimum_with_a_rate_that_falls(
    frame: pd.DataFrame, word: str, rate: float, loss: str
) -> None:
    options = {"optimizer": word, "learning_rate": rate, "schedule": "cosine", "epochs": 30, "loss": loss}
    found = on_batches(frame, target=LOSSES[loss][0], **options)
    assert found.optimum.relative_gap is not None
    assert found.optimum.relative_gap < 1e-4
    assert (found.learning_rate.behaviour, found.learning_rate.largest_stable) == (None, None)


# --- the order goes on, whatever happens around it


def text_table(frame: pd.DataFrame) -> str:
    """Several kinds of columns, with a level that begins late and missing cells."""
    kind = np.where(np.arange(ROWS) > 1500, "late", np.where(frame["x"] > 0, "a", "b"))
    table = frame.assign(kind=kind)
    table.loc[::17, "far"] = np.nan
    return table.to_csv(index=False)


BITS: dict[str, Any] = {"target": "answer", "loss": "logistic", "exclude": ["y", "count"], "weights": "w"}


def test_neither_jobs_nor_memory_change_a_bit(
    frame: pd.DataFrame, csv_file: Callable[..., str], blocks_of: Callable[[int], None]
) -> None:
    blocks_of(60_000)
    path = csv_file(text_table(frame))
    options = {**BITS, "batch_size": 50, "epochs": 4, "learning_rate": 0.1}
    whole = fit(path, **options, jobs=1)
    for jobs, memory in ((3, None), (1, 0), (3, "20K")):
        again = fit(path, **options, jobs=jobs, memory=memory)
        assert (again.state, again.trace) == (whole.state, whole.trace)
    assert fit(path, **options, seed=1).state != whole.state


@pytest.mark.parametrize("first", [5, 40, 41, 100])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_a_resumed_descent_is_the_uninterrupted_one_to_the_last_bit(
    frame: pd.DataFrame,
    csv_file: Callable[..., str],
    blocks_of: Callable[[int], None],
    tmp_path: Path,
    first: int,
    loss: str,
) -> None:
    blocks_of(60_000)
    path = csv_file(text_table(frame))
    options = {**BITS, "loss": loss, "target": LOSSES[loss][0], "exclude": ["count"], "optimizer": "momentum"}
    options |= {"batch_size": 50, "learning_rate": 0.01, "seed": 7, "schedule": "inverse:0.1"}
    whole = fit(path, iterations=120, **options)
    part = fit(path, iterations=first, **options)
    model = tmp_path / "model.json"
    model.write_text(model_as_json(part), encoding="utf-8")
    rest = fit(path, target=None, exclude=["count"], weights="w", iterations=120 - first, resume=str(model))
    assert rest.state == whole.state
    assert rest.cost == whole.cost
    assert rest.descent.batches == whole.descent.batches
    # Rows stand where the epochs end, whatever the start.
    ends = {first + row.iteration: row.cost for row in rest.trace[1:]}
    assert ends == {row.iteration: row.cost for row in whole.trace if row.iteration > first}


def test_to_resume_is_to_keep_the_batches_and_their_order(frame: pd.DataFrame, tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    model.write_text(model_as_json(on_batches(frame, epochs=1)), encoding="utf-8")
    again: dict[str, Any] = {"target": None, "resume": str(model)}
    with pytest.raises(UsageError, match="fitted with --batch-size 64"):
        fit(frame, **again, batch_size=32)
    with pytest.raises(UsageError, match="fitted with --seed 3"):
        fit(frame, **again, seed=4)
    damaged = json.loads(model.read_text())
    damaged["descent"]["batch_size"] = "many"
    model.write_text(json.dumps(damaged))
    with pytest.raises(DataError, match="damaged"):
        fit(frame, **again)
    model.write_text(model_as_json(on_batches(frame, batch_size=None, iterations=3)), encoding="utf-8")
    with pytest.raises(UsageError, match="fitted without --batch-size"):
        fit(frame, **again, batch_size=32)


class AskedToStop(Listener):
    """Asks to stop at the first news of the descent's second epoch."""

    def __init__(self) -> None:
        self.asked = False

    def descending(self, done: int, total: int, what: str = "iteration") -> None:
        self.asked = done > 32

    def defer_interrupts(self) -> AbstractContextManager[Callable[[], bool]]:
        return nullcontext(lambda: self.asked)


def test_a_request_to_stop_is_heard_within_an_epoch(frame: pd.DataFrame, small_blocks: None) -> None:
    options = FitOptions.of(target="y", features=("x", "far"), batch_size=64, epochs=50, seed=SEED)
    found = run_fit([frame], options, listener=AskedToStop())
    assert found.descent.stopped is Stopped.INTERRUPTED
    last = found.descent.iterations
    assert 32 < last < 64
    assert [row.iteration for row in found.trace] == [0, 32, last]
    exact = run_fit(
        [frame], FitOptions.of(target="y", features=("x", "far"), batch_size=64, iterations=last, seed=SEED)
    )
    assert found.trace == exact.trace


def test_a_descent_that_diverges_says_so_quietly(frame: pd.DataFrame) -> None:
    found = on_batches(frame, learning_rate=50.0, epochs=400)
    assert found.diverged
    assert found.descent.iterations == 32


def test_patience_counts_epochs(frame: pd.DataFrame) -> None:
    found = on_batches(frame, learning_rate=0.2, epochs=400, holdout=0.3, patience=3)
    assert found.holdout is not None
    assert found.descent.stopped is Stopped.PATIENCE
    in_epoch = -(-(ROWS - found.holdout.rows) // 64)
    assert found.descent.iterations == found.holdout.kept + 3 * in_epoch
    assert found.state.iteration == found.holdout.kept == found.holdout.best_iteration


def test_an_epoch_is_of_the_rows_that_are_not_held_out(frame: pd.DataFrame) -> None:
    found = on_batches(frame, epochs=5, holdout=0.3)
    assert found.holdout is not None
    assert found.descent.batches is not None
    in_epoch = -(-(ROWS - found.holdout.rows) // 64)
    assert (found.descent.batches.in_epoch, found.descent.iterations) == (in_epoch, 5 * in_epoch)


# --- how long, and what does not go together


def test_epochs_without_batches_are_iterations(frame: pd.DataFrame) -> None:
    by_epochs, by_iterations = (
        on_batches(frame, batch_size=None, epochs=7),
        on_batches(frame, batch_size=None, iterations=7),
    )
    assert by_epochs.trace == by_iterations.trace
    assert by_epochs.descent.batches is None


def test_iterations_may_end_within_an_epoch(frame: pd.DataFrame) -> None:
    found = on_batches(frame, iterations=70)
    assert [row.iteration for row in found.trace] == [0, 32, 64, 70]
    assert on_batches(frame, epochs=0).trace == found.trace[:1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "newton"}, "first-order optimizers"),
        ({"learning_rate": "auto"}, "no best rate is known for batches"),
        ({"learning_rate": "search"}, "give one, such as --lr 0.01"),
        ({"cv": 3}, "--cv is for descents on all rows"),
        ({"explain": True}, "--explain is for descents on all rows"),
        ({"batch_size": 0}, "a batch has 1 row or more"),
        ({"epochs": 2, "iterations": 50}, "two ways to say how long"),
        ({"epochs": -1}, "the number of epochs is 0 or more"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_refused(frame: pd.DataFrame, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        on_batches(frame, **options)


def test_a_summary_has_no_rows_to_cut(frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="--batch-size"):
        on_batches(summarize(frame[["x", "far", "y"]]))


# --- the command


@pytest.fixture
def path(frame: pd.DataFrame, csv_file: Callable[..., str]) -> str:
    return csv_file(frame[["x", "far", "y"]].to_csv(index=False))


def test_the_table_has_the_ends_of_epochs_and_says_what_a_batch_is(gdfit: Callable[..., Any], path: str) -> None:
    done = gdfit(path, "-t", "y", "--batch-size", 64, "--epochs", 5, "--every", 2)
    assert done.code == 0
    table = done.out.split("\n\n")[1].splitlines()[2:]
    assert [line.split()[0] for line in table] == ["0", "64", "128", "160"]
    assert "batches  of 64 rows, 32 to an epoch, in an order from seed 0" in done.out
    assert "after 160 iterations (5 epochs)" in done.out
    assert "--schedule cosine" in done.out


def test_the_trace_has_a_row_for_each_epoch(gdfit: Callable[..., Any], path: str) -> None:
    done = gdfit(path, "-t", "y", "--batch-size", 1000, "-n", 5, "--trace", "-", "--schedule", "inverse:0.5")
    rows = [line.split(",") for line in done.out.splitlines()]
    assert [row[0] for row in rows[1:]] == ["0", "2", "4", "5"]
    assert [float(row[-1]) for row in rows[1:]] == pytest.approx([0.01, 0.01 / 2, 0.01 / 3, 0.01 / 3.5])


def test_json_tells_the_batches(gdfit: Callable[..., Any], path: str) -> None:
    done = gdfit(path, "-t", "y", "--batch-size", 64, "-n", 48, "--seed", 9, "--format", "json")
    descent = json.loads(done.out)["descent"]
    assert (descent["batch_size"], descent["epochs"], descent["seed"]) == (64, 1.5, 9)
    descent = json.loads(gdfit(path, "-t", "y", "--epochs", 2, "--format", "json").out)["descent"]
    assert (descent["iterations"], descent["batch_size"], descent["epochs"]) == (2, None, None)


def test_the_command_line_says_how_long_before_the_environment(
    gdfit: Callable[..., Any], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def iterations(*words: object) -> int:
        done = gdfit(path, "-t", "y", *words, "--format", "json")
        return int(json.loads(done.out)["descent"]["iterations"])

    assert gdfit(path, "-t", "y", "--epochs", 3, "-n", 1000).code == 2
    monkeypatch.setenv("GDFIT_ITERATIONS", "7")
    assert iterations("--epochs", 3) == 3
    monkeypatch.setenv("GDFIT_EPOCHS", "5")
    assert (iterations("-n", 4), iterations("--epochs", 3), iterations()) == (4, 3, 5)


def test_the_command_to_paste_says_how_long_as_it_was_said(gdfit: Callable[..., Any], path: str) -> None:
    for option in ("--epochs", "-n"):
        done = gdfit(path, "-t", "y", option, 5)
        pasted = done.out.splitlines()[-1].split()
        assert pasted.count(option) == 1
        again = gdfit(*pasted[1:])
        assert (again.code, "Converged" in again.out) == (0, True)


def test_divergence_on_batches_offers_a_tenth_of_the_rate(gdfit: Callable[..., Any], path: str) -> None:
    done = gdfit(path, "-t", "y", "--batch-size", 64, "--lr", 50)
    assert done.code == 3
    assert "Diverged by iteration 32" in done.out
    assert "--lr 5" in done.out
