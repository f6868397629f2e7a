"""Measure what a cluster costs besides the work: `python tests/benchmarks/cluster.py [FILE [TARGET]]`.

A scheduler and two workers of one thread each are started as processes of their own, as a user starts them.

1. What starting them takes, which is no part of a fit.
2. Scheduling: 2,000 tasks (1 TB of text) that return a ready triangle of 10 features at once, through the code that
   plans, submits, confirms and merges sections; of the client and the scheduler, per task.
3. With a FILE: its fit there and with --jobs 2, in pairs, in seconds and in processor seconds of all processes; and
   the same without the floor, which no code of gdfit's can lower: what the processes take when they have nothing to
   do, and what the fit of a small file takes more there than here (the client imports Dask and connects).
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil

from gdcli.base.listener import Listener
from gdcli.base.parallel import SECTION
from gdcli.data.columns import ColumnOptions
from gdcli.data.csv.chunks import BLOCK_BYTES
from gdcli.data.source import Place
from gdcli.engine.column import Column
from gdcli.engine.triangle import from_rows
from gdcli.ingest import cluster as clusters
from gdcli.ingest.aggregate import Aggregate, Points
from gdcli.ingest.remote import Numbered, Position, Section

TASKS, FEATURES, PAIRS = 2000, 10, 3
BIN = Path(sys.executable).parent
SMALL = Path(__file__).resolve().parents[2] / "sample_data" / "housing.csv"

# Seconds for which the processes are watched doing nothing.
IDLE = 10.0

# As an installed gdfit: with bytecode.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GDFIT_"))}


class NoFile(NamedTuple):
    """A file of so many blocks that nobody reads."""

    count: int

    @property
    def bytes(self) -> int:
        return self.count * BLOCK_BYTES

    @property
    def start(self) -> Place:
        return Place(0, 0, 2)

    def count_blocks(self) -> int:
        return self.count

    def guess(self, block: int) -> int:
        return block * BLOCK_BYTES


def ready(found: Aggregate, reduction: object, inputs: list[Numbered], start: Position, size: int) -> Section:
    """The section, at once: a task of the true size, whose answer has the true size too."""
    last = inputs[0].reader.count_blocks()
    stop = min(start.place.block + size, last)
    end = Position(start.input, Place(stop, stop * BLOCK_BYTES, 0)) if stop < last else Position(1, Place(0, 0, 0))
    return Section(end, stop - start.place.block, found)


def aggregate() -> Aggregate:
    columns = tuple(Column(f"x{i}") for i in range(FEATURES + 1))
    X = np.random.default_rng(0).normal(size=(1000, FEATURES + 1))
    head = Points(columns, X[:5], np.zeros(5))
    return Aggregate((from_rows(X, columns),), 1000, 1000, head=head)


def processor(processes: list[psutil.Process]) -> float:
    """Processor seconds of the processes and of all that they started."""
    all_of_them = {child for one in processes for child in [one, *one.children(recursive=True)]}
    return sum(sum(one.cpu_times()[:2]) for one in all_of_them)


@contextmanager
def cluster(folder: str) -> Any:
    """A scheduler and two workers; gives a client, and the processes (the scheduler first)."""
    from distributed import Client

    address, quiet = f"{folder}/scheduler.json", {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    program = [sys.executable, "-m", "distributed.cli.dask_"]
    words = ["--scheduler-file", address, "--no-dashboard"]
    scheduler = [*program[:2], f"{program[2]}scheduler", *words, "--port", "0"]
    workers = [*program[:2], f"{program[2]}worker", *words, "--nworkers", "2", "--nthreads", "1"]
    started = [subprocess.Popen(each, cwd=folder, env=ENVIRONMENT, **quiet) for each in (scheduler, workers)]
    try:
        with Client(scheduler_file=address, timeout=60) as client:
            client.wait_for_workers(2)
            yield client, [psutil.Process(one.pid) for one in started]
    finally:
        for one in reversed(started):
            one.terminate()
        for one in started:
            one.wait()


def scheduling(client: Any, scheduler: psutil.Process) -> None:
    """Print what a task costs that takes no time."""
    from gdcli.data.design import Design
    from gdcli.ingest.one_pass import Reduction
    from gdcli.ingest.plan import Plan

    design = Design("x.csv", "x10", tuple(f"x{i}" for i in range(FEATURES)), None, frozenset(), (), frozenset({""}),
                    ColumnOptions("x10").missing, 50)  # fmt: skip
    reduction = Reduction(design, Plan())
    found = aggregate()
    clusters._task = partial(ready, found)
    for tasks in (20, TASKS):  # the first few to begin with, so that modules are imported and connections made
        before, wall, own = processor([scheduler]), time.perf_counter(), time.process_time()
        inputs = iter([Numbered(0, NoFile(tasks * SECTION))])
        whole = clusters.reduced_on(client, reduction, inputs, None, Listener())
        assert whole is not None
        assert whole.read == 1000 * tasks
        wall, own, theirs = time.perf_counter() - wall, time.process_time() - own, processor([scheduler]) - before
    print(
        f"{TASKS:,} tasks: {wall:.2f} s, {1e3 * wall / TASKS:.2f} ms each; processor: client "
        f"{1e3 * own / TASKS:.2f} ms, scheduler {1e3 * theirs / TASKS:.2f} ms each"
    )
    begun = time.process_time()
    whole = found
    for _ in range(TASKS):
        whole = reduction.merge(whole, found)
    print(f"of which merging in the client: {1e3 * (time.process_time() - begun) / TASKS:.3f} ms each")


class Cost(NamedTuple):
    """What a fit takes: seconds, and processor seconds of all processes."""

    wall: float
    processor: float


def fit(path: str, target: str, words: list[str], others: list[psutil.Process]) -> Cost:
    """The cost of a fit, with what the other processes did meanwhile."""
    command = [str(BIN / "gdfit"), path, "-t", target, "--format", "csv", "-q", *words]
    before, spent, wall = processor(others), resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    wall, after = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_CHILDREN)
    own = after.ru_utime + after.ru_stime - spent.ru_utime - spent.ru_stime
    return Cost(wall, own + processor(others) - before)


def idling(processes: list[psutil.Process]) -> float:
    """Processor seconds that the processes take in a second of doing nothing."""
    before, begun = processor(processes), time.perf_counter()
    time.sleep(IDLE)
    return (processor(processes) - before) / (time.perf_counter() - begun)


def compare(path: str, target: str, address: str, processes: list[psutil.Process]) -> None:
    """Print what a fit costs there and here."""
    there, here = ["--dask", address], ["--jobs", "2"]
    first = fit(str(SMALL), "price", there, processes)
    idle = idling(processes)
    small = min(work(fit(str(SMALL), "price", there, processes), idle) for _ in range(PAIRS))
    floor = small - min(fit(str(SMALL), "price", here, []).processor for _ in range(PAIRS))
    print(
        f"doing nothing takes the processes {idle:.2f} processor seconds a second; a small fit takes {floor:.2f} more "
        f"there than here, and the first one {work(first, idle) - small:.2f} more than later ones"
    )
    for _ in range(PAIRS):
        remote, local = fit(path, target, there, processes), fit(path, target, here, [])
        ratio = (work(remote, idle) - floor) / local.processor
        print(
            f"--dask {remote.wall:.2f} s, processor {remote.processor:.2f} s; --jobs 2 {local.wall:.2f} s, processor "
            f"{local.processor:.2f} s; ratios {remote.wall / local.wall:.2f}, "
            f"{remote.processor / local.processor:.2f}, without the floor {ratio:.2f}"
        )


def work(cost: Cost, idle: float) -> float:
    """Processor seconds without those of doing nothing meanwhile."""
    return cost.processor - idle * cost.wall


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        with cluster(folder) as (client, processes):
            starting = time.perf_counter() - begun
            print(f"starting a scheduler and two workers: {starting:.1f} s, processor {processor(processes):.1f} s")
            scheduling(client, processes[0])
            if len(sys.argv) > 1:
                compare(sys.argv[1], [*sys.argv[2:], "price"][0], client.scheduler_info()["address"], processes)


if __name__ == "__main__":
    main()
