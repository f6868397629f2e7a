"""A real cluster of two processes: it finds the bits of one machine, whatever happens to it, and fails in our words."""

import gzip
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest

from gdcli.api import fit_data as fit
from gdcli.api import run_fit
from gdcli.base.errors import DataError, Interrupted
from gdcli.base.listener import Listener
from gdcli.fitting.options import FitOptions
from tests.conftest import Done
from tests.ingest.clusters import bits, forking, started, table

distributed = pytest.importorskip("distributed", reason="Dask is not installed")

OPTIONS: dict[str, Any] = {"target": "y", "exclude": "note", "iterations": 5}
ASKED = FitOptions.of(target="y", exclude=("note",), iterations=5)


def on(address: str) -> FitOptions:
    return FitOptions.of(target="y", exclude=("note",), iterations=5, dask=address)


def test_a_cluster_finds_the_bits_of_one_machine(
    address: str, csv_file: Callable[..., str], small: Callable[..., None]
) -> None:
    small()
    paths = [csv_file(table(400, i), f"{i}.csv") for i in range(3)]
    assert bits(fit(paths, dask=address, **OPTIONS)) == bits(fit(paths, **OPTIONS))


def test_a_cluster_finds_the_bits_of_one_machine_in_parquet(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    monkeypatch.setattr("gdcli.data.parquet.source._LEAST_ROWS", 3)
    monkeypatch.setattr("gdcli.data.parquet.source._MOST_ROWS", 3)
    x = np.random.default_rng(3).normal(size=700)
    columns = {"when": x + 1.7e9, "size": x**2, "kind": [*"pqrs"] * 175, "note": ["-"] * 700, "y": 3 * x}
    paths = [str(tmp_path / f"{i}.parquet") for i in range(2)]
    for path in paths:  # 234 blocks each, in four sections
        parquet.write_table(pyarrow.table(columns), path, row_group_size=50)
    assert bits(fit(paths, dask=address, **OPTIONS)) == bits(fit(paths, **OPTIONS))


def test_the_scheduler_counts_its_workers_once_a_second_at_most_however_many_sections_there_are(
    address: str, csv_file: Callable[..., str], small: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    small()
    monkeypatch.setattr("gdcli.base.parallel.SECTION", 1)
    asked = []
    count = distributed.Client.nthreads
    monkeypatch.setattr(distributed.Client, "nthreads", lambda client: asked.append(monotonic()) or count(client))
    begun = monotonic()
    fit([csv_file(table(400, i), f"{i}.csv") for i in range(4)], dask=address, **OPTIONS)  # 160 sections
    assert 1 <= len(asked) <= 1 + (monotonic() - begun)


def test_progress_comes_from_the_cluster(
    address: str, csv_file: Callable[..., str], small: Callable[..., None]
) -> None:
    small()
    told: list[tuple[int, int | None]] = []
    listener = Listener()
    listener.reading = lambda done, total: told.append((done, total))  # type: ignore[method-assign]
    path = csv_file(table())
    run_fit([path], on(address), listener=listener)
    there = [done for done, total in told[1:] if total == os.path.getsize(path)]
    assert len(there) == len(told) - 1 > 3  # the first one is that of the block that the design is made from
    assert there == sorted(there)
    assert there[-1] == os.path.getsize(path) - len("when,size,kind,note,y\n")


class Killer(Listener):
    """Kills a worker process with SIGKILL once the first groups are there."""

    def __init__(self, cluster: Any) -> None:
        self.cluster, self.killed, self.waited = cluster, 0, 0

    def reading(self, done: int, total: int | None) -> None:
        self.waited += 1
        if self.waited == 5:
            self.killed = next(iter(self.cluster.workers.values())).pid
            os.kill(self.killed, signal.SIGKILL)


def test_a_worker_killed_in_the_middle_costs_time_not_the_answer(
    cluster: Any, address: str, csv_file: Callable[..., str], small: Callable[..., None]
) -> None:
    small(group=5)
    path = csv_file(table(1000))
    killer = Killer(cluster)
    there = run_fit([path], on(address), listener=killer)
    assert killer.killed
    assert killer.killed not in [worker.pid for worker in cluster.workers.values()]
    assert bits(there) == bits(run_fit([path], ASKED))


def test_what_is_interrupted_leaves_no_task_behind(
    address: str, csv_file: Callable[..., str], small: Callable[..., None]
) -> None:
    class Impatient(Listener):
        waited = 0

        def reading(self, done: int, total: int | None) -> None:
            self.waited += 1
            if self.waited == 3:
                raise Interrupted

    small()
    with pytest.raises(Interrupted):
        run_fit([csv_file(table(3000))], on(address), listener=Impatient())
    with distributed.Client(address, set_as_default=False) as client:
        assert client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) == 0


def test_an_address_reads_through_fsspec(address: str, csv_file: Callable[..., str]) -> None:
    path = csv_file(table())
    assert bits(fit(f"file://{path}", dask=address, **OPTIONS)) == bits(fit(path, **OPTIONS))


def test_a_file_that_a_worker_does_not_find_is_named_with_the_worker(
    address: str, csv_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = csv_file(table())
    monkeypatch.setattr("gdcli.data.csv.source.located", lambda path: f"{path}.elsewhere")
    monkeypatch.setattr(
        "gdcli.ingest.remote.RangePlan._blocks_of", lambda self, number: 1
    )  # a look at the file from here
    with pytest.raises(DataError, match=r"(?s)^worker tcp://127\.0\.0\.1:\d+: cannot read '.*data\.csv\.elsewhere'"):
        fit(path, dask=address, **OPTIONS)


@pytest.mark.parametrize(
    ("package", "version", "said"),
    [
        ("gdfit", None, r"^workers? tcp://127\.0\.0\.1:\d+( and 1 more)? ha(s|ve) no gdfit; on every machine: pip"),
        ("gdfit", "0.0.9", r"ha(s|ve) gdfit 0\.0\.9 \(here [\d.]+\); on every machine: pip install 'gdfit\[dask\]=="),
    ],
)
def test_workers_with_another_gdfit_are_named(
    address: str, csv_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch,
    package: str, version: str | None, said: str,
) -> None:  # fmt: skip
    _install(monkeypatch, package, version)
    with pytest.raises(DataError, match=said):
        fit(csv_file(table()), dask=address, **OPTIONS)


def test_workers_with_another_numpy_are_a_warning(
    address: str, csv_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch, notes: Any
) -> None:
    _install(monkeypatch, "numpy", "1.0")
    run_fit([csv_file(table())], on(address), listener=notes)
    assert len(notes.warnings) == 1
    assert "NumPy 1.0 (here " in notes.warnings[0]


def _install(monkeypatch: pytest.MonkeyPatch, package: str, version: str | None) -> None:
    """Let the workers say that they have another version of a package."""
    asked = distributed.Client.get_versions

    def get_versions(self: Any, *args: Any, **options: Any) -> Any:
        found = asked(self, *args, **options)
        for worker in found["workers"].values():
            worker["packages"][package] = version
        return found

    monkeypatch.setattr(distributed.Client, "get_versions", get_versions)


@pytest.mark.parametrize("command", ["fit", "sweep", "summarize"])
def test_a_command_prints_what_it_prints_on_one_machine(
    command: str, address: str, csv_file: Callable[..., str], gdfit: Callable[..., Done]
) -> None:
    words = (command, csv_file(table(100)), "-q", "--exclude", "note")
    words += () if command == "summarize" else ("-t", "y", "--format", "json")
    done = gdfit(*words, "--dask", address)
    assert done == gdfit(*words)
    assert (done.code, done.err) == (0, "")
    assert '"version"' in done.out


def test_a_cluster_for_the_while_prints_no_more(csv_file: Callable[..., str], gdfit: Callable[..., Done]) -> None:
    words = (csv_file(table(100)), "-t", "y", "--exclude", "note", "-n", "9")
    with forking():
        done = gdfit(*words, "--dask", "local:1")
    assert done._replace(out=done.out.replace(" --dask local:1", "")) == gdfit(*words)
    assert "gdfit " in done.out  # the command that would do better is for the same cluster


def test_a_scheduler_that_is_not_there_is_one_line(
    csv_file: Callable[..., str], gdfit: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gdcli.ingest.connection.CONNECT", 0.3)
    done = gdfit(csv_file(table()), "-t", "y", "--dask", "tcp://127.0.0.1:9")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith("Error: no Dask scheduler answers at 'tcp://127.0.0.1:9'")
    assert done.err.endswith(": is it one, is it running (dask scheduler)?\n")


def test_a_scheduler_without_workers_is_one_line(
    csv_file: Callable[..., str], gdfit: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gdcli.ingest.connection.CONNECT", 0.5)
    with started(0) as empty:
        done = gdfit(csv_file(table()), "-t", "y", "--dask", empty.scheduler_address)
    assert done.code == 1
    assert done.err == "Error: the scheduler has no workers: start some with dask worker ADDRESS\n"


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("local", 2, "for N processes on this machine write local:N"),
        ("local:0", 2, "for N processes on this machine write local:N"),
        ("", 2, "takes a scheduler's address"),
        ("somewhere", 1, "no Dask scheduler answers at 'somewhere': missing port number"),
        ("carrier://pigeon:1", 1, "unknown address scheme 'carrier'"),
    ],
)
def test_what_is_no_address_is_refused(
    address: str, code: int, said: str, csv_file: Callable[..., str], gdfit: Callable[..., Done]
) -> None:
    done = gdfit(csv_file(table()), "-t", "y", "--dask", address)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert done.err.count("\n") <= 2


LATIN = ("when,size,kind,note,y\n" + "1,2,é,-,3\n" * 9).encode("latin-1")
REFUSED: dict[str, tuple[bytes, tuple[str, ...], str]] = {
    "an archive": (gzip.compress(table().encode()), (), "is compressed, so the workers"),
    "another encoding": (LATIN, ("--encoding", "latin-1"), "is not UTF-8, so the workers"),
    "blanks": (b"size y\n1  2\n2  3\n4  4\n", (), "is separated by blanks, so the workers"),
    "JSON lines": (b'{"size": 1, "y": 2}\n{"size": 2, "y": 3}\n', (), "is neither CSV nor Parquet"),
    "threads": (table().encode(), ("--jobs", "2"), "--jobs counts threads here"),
}


@pytest.mark.parametrize(("content", "words", "said"), REFUSED.values(), ids=REFUSED)
def test_what_a_cluster_cannot_do_is_refused_with_the_reason(
    content: bytes, words: tuple[str, ...], said: str, address: str,
    csv_file: Callable[..., str], gdfit: Callable[..., Done],
) -> None:  # fmt: skip
    done = gdfit(csv_file(content), "-t", "y", "--dask", address, *words)
    assert done.code in (1, 2)
    assert said in done.err


def test_standard_input_is_refused_with_the_reason(
    address: str, gdfit: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(table().encode())))
    done = gdfit("-", "-t", "y", "--dask", address)
    assert done.code == 1
    assert "'standard input' can only be read from its beginning" in done.err
