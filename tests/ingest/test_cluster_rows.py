"""Losses that need the rows, on a real cluster that keeps them: the bits of one machine, and those of a plain loop."""

import csv
import io
import os
import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gdcli.api import fit_data as fit
from gdcli.api import run_fit
from gdcli.base.errors import DataError
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import TraceRow, TraceShape
from tests.conftest import Done
from tests.ingest.clusters import bits, table

distributed = pytest.importorskip("distributed", reason="Dask is not installed")


def counted(rows: int = 600, seed: int = 0) -> str:
    """Return :func:`tests.ingest.clusters.table` with a count, two classes and weights instead of notes."""
    random = np.random.default_rng(seed + 50)
    names, *cells = csv.reader(io.StringIO(table(rows, seed, note=False)))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*names, "count", "sold", "answer", "w", "amount"])
    for when, size, kind, note, y in cells:
        z = float(size) + (kind == "p")
        sold = int(random.random() < 1 / (1 + np.exp(-z)))
        row = [when, size, kind, note, y, random.poisson(np.exp(0.3 * z)), sold, ["no", "yes"][sold]]
        writer.writerow([*row, random.integers(0, 4), random.gamma(2.0, np.exp(0.3 * z))])
    return out.getvalue()


ASKED: dict[str, dict[str, Any]] = {
    "huber with its usual δ, weighted": {"target": "y", "loss": "huber", "weights": "w"},
    "logistic by Newton's method": {"target": "sold", "loss": "logistic", "optimizer": "newton", "iterations": 6},
    "classes of text": {"target": "answer", "loss": "logistic", "l2": 0.01},
    "poisson with a searched rate": {"target": "count", "loss": "poisson", "learning_rate": "auto"},
    "folds": {"target": "sold", "loss": "logistic", "cv": 3, "l2": 0.01},
    "gamma": {"target": "amount", "loss": "gamma", "learning_rate": "auto"},
    "a quantile": {"target": "y", "loss": "quantile:0.9", "weights": "w"},
    "a holdout and filled gaps": {"target": "y", "loss": "huber:2", "holdout": 0.3, "missing": "mean"},
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_a_loss_that_needs_the_rows_finds_the_bits_of_one_machine(
    asked: dict[str, Any], address: str, csv_file: Callable[..., str], small: Callable[..., None]
) -> None:
    small(4000)
    paths = [csv_file(counted(150, i), f"{i}.csv") for i in range(2)]
    options = {"features": ["when", "size", "kind"], "iterations": 8, **asked}
    assert bits(fit(paths, dask=address, **options)) == bits(fit(paths, **options))


def test_groups_of_several_blocks_are_added_up_in_the_order_of_one_machine(
    address: str, csv_file: Callable[..., str], small: Callable[..., None]
) -> None:
    small(60_000, 3)  # blocks of some 800 rows, which are not joined to longer ones
    path, options = csv_file(counted(5000)), {**LOGISTIC, "iterations": 3}
    there, here = (run_fit([path], FitOptions.of(dask=dask, **options)) for dask in (address, None))
    assert bits(there) == bits(here)


def test_a_logistic_fit_on_a_cluster_is_the_plain_loop(
    address: str, csv_file: Callable[..., str], small: Callable[..., None]
) -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(400, 2))
    y = (random.random(400) < 1 / (1 + np.exp(-x @ [1.0, -2.0]))).astype(float)
    rows = "\n".join(f"{a!r},{b!r},{c:g}" for a, b, c in zip(*x.T.tolist(), y.tolist(), strict=True))
    small(2000)
    path = csv_file(f"a,b,y\n{rows}\n")
    found = fit(path, target="y", loss="logistic", scale="none", learning_rate=0.5, iterations=15, dask=address)
    X, theta = np.column_stack([np.ones(400), x]), np.zeros(3)
    for _ in range(15):
        theta = theta - 0.5 * X.T @ (1 / (1 + np.exp(-X @ theta)) - y) / 400
    np.testing.assert_allclose([found.intercept.value, *(c.value for c in found.coefficients)], theta, rtol=1e-12)


class Recorder:
    """Does something at the third iteration."""

    def __init__(self, then: Callable[[], object]) -> None:
        self.then = then

    def begin(self, shape: TraceShape) -> None:
        pass

    def wants(self, number: int) -> bool:
        return number == 3

    def record(self, row: TraceRow) -> None:
        if row.iteration == 3:
            self.then()


LOGISTIC = {"target": "sold", "features": ("when", "size", "kind"), "loss": "logistic", "iterations": 8}


def test_a_worker_killed_during_the_descent_costs_time_not_the_answer(
    cluster: Any, address: str, csv_file: Callable[..., str], small: Callable[..., None]
) -> None:
    killed: list[int] = []

    def kill() -> None:
        killed.append(next(iter(cluster.workers.values())).pid)
        os.kill(killed[0], signal.SIGKILL)

    small(4000)
    path = csv_file(counted())
    there = run_fit([path], FitOptions.of(dask=address, **LOGISTIC), [Recorder(kill)])
    assert killed
    assert killed[0] not in [worker.pid for worker in cluster.workers.values()]
    assert bits(there) == bits(run_fit([path], FitOptions.of(**LOGISTIC)))


def test_rows_that_were_lost_and_cannot_be_read_again_are_an_error(
    cluster: Any, address: str, csv_file: Callable[..., str], small: Callable[..., None]
) -> None:
    def kill() -> None:
        os.truncate(path, 3000)
        for worker in list(cluster.workers.values()):
            os.kill(worker.pid, signal.SIGKILL)

    small(4000)
    path = csv_file(counted())
    with pytest.raises(DataError, match="is of 3,000 bytes there"):
        run_fit([path], FitOptions.of(dask=address, **LOGISTIC), [Recorder(kill)])


def test_no_rows_stay_on_the_workers_however_a_fit_ends(
    address: str, csv_file: Callable[..., str], small: Callable[..., None]
) -> None:
    def fail() -> None:
        raise OSError("the disk is full")

    small(4000)
    path = csv_file(counted())
    run_fit([path], FitOptions.of(dask=address, **LOGISTIC))
    with pytest.raises(OSError, match="the disk is full"):
        run_fit([path], FitOptions.of(dask=address, **LOGISTIC), [Recorder(fail)])
    with distributed.Client(address, set_as_default=False) as client:
        assert client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--batch-size", "5"), "leave out --batch-size"),
        (("--loss", "huber", "--memory", "1M"), "--memory is about this"),
    ],
)
def test_what_needs_the_rows_here_is_refused_with_the_reason(
    words: tuple[str, ...], said: str, address: str, csv_file: Callable[..., str], gdfit: Callable[..., Done]
) -> None:
    done = gdfit(csv_file(table()), "-t", "y", "--dask", address, *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
