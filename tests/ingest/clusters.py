"""Clusters of this machine, and tables to read on them."""

import dataclasses
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gdcli.fitting.results import Fit


def table(rows: int = 500, seed: int = 0, note: bool = True) -> str:
    """Return rows of all kinds: far from zero, text with quoted separators and line ends, a cell without value."""
    random = np.random.default_rng(seed)
    kind = np.where(np.arange(rows) > rows - 3, "late", random.choice(["p", '"q, r"', "s"], rows))
    when, size = 1.7e9 + random.integers(0, 10**6, rows), random.normal(size=rows)
    y = size * 3 + (kind == "p") + when / 1e5 + random.normal(size=rows)
    notes = np.where(random.random(rows) < 0.5, '"so\n1.7e9,2,p,3,4\nsaid ""he"""', "-") if note else np.full(rows, "-")
    lines = [
        f"{t},{x!r},{k},{n},{v!r}"
        for t, x, k, n, v in zip(when.tolist(), size.tolist(), kind.tolist(), notes.tolist(), y.tolist(), strict=True)
    ]
    lines[321 % rows] = f",{lines[321 % rows].split(',', 1)[1]}"
    return "when,size,kind,note,y\n" + "\n".join(lines) + "\n"


def bits(result: Fit) -> Fit:
    """Everything but the names of the files; equality of floats is equality of their bits here (none is NaN)."""
    return dataclasses.replace(result, files=())


def forking() -> Any:
    """A context in which Dask's workers are forks of a process that has imported Dask and pandas.

    They start, and start again, in a tenth of the time.
    """
    import dask

    return dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})


@contextmanager
def started(workers: int) -> Iterator[Any]:
    """A cluster of so many worker processes of one thread each."""
    from distributed import LocalCluster

    with (
        forking(),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            silence_logs=logging.CRITICAL + 1,
        ) as found,
    ):
        yield found
