"""A cluster of Dask's: the workers of a scheduler that runs somewhere, or processes started here for the while.

A task is a group of blocks (see :mod:`gdcli.runs`); its triangle comes back. Rows that are kept stay where they were
read, and what is asked of them comes back. Dask is imported only where it is used.
"""

import logging
import os
import re
import signal
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from gdcli import __version__
from gdcli.errors import DataError, UsageError
from gdcli.listener import Listener
from gdcli.runs import Numbered, Position, Promise, Run, reduced_elsewhere, run_there
from gdcli.text import quoted

if TYPE_CHECKING:
    from gdcli.reduced import KeptRows, Reduced
    from gdcli.reduction import Reduction

T = TypeVar("T")

LOCAL = "local:"
# A scheduler that does not answer within so many seconds is not there; nor are workers that do not come.
PATIENCE = 5
# When all workers are gone, some may come back within so many seconds.
_RETURN = 60
# So many groups for each thread of the workers are under way: none waits for work, and few are lost to a wrong guess.
_AHEAD = 3
# Where no answer arrives for so many seconds, it is asked whether there is anybody left to give it.
_LOOK = 20.0
# What may differ between here and there at the price of the last digits, and what may not.
_PACKAGES = {"gdfit": "gdfit", "python": "Python", "numpy": "NumPy", "pandas": "pandas"}
_LOGGERS = ("distributed", "tornado", "asyncio")
_SILENCE = logging.CRITICAL + 1


def check_address(address: str) -> None:
    """Raise UsageError where this is no address of a cluster."""
    if re.match(r"local(:|$)", address) and not re.fullmatch(r"local:[1-9]\d{0,3}", address):
        raise UsageError(f"--dask {address}: for N processes on this machine write local:N, such as local:4")
    if not address or any(letter.isspace() for letter in address):
        raise UsageError(
            f"--dask takes a scheduler's address, such as tcp://host:8786, or local:N, not {quoted(address)}"
        )


def reduced_on(
    client: Any, reduction: "Reduction", inputs: Iterator[Numbered], size: int | None, listener: Listener
) -> "Reduced | None":
    """Reduce all inputs, of so many bytes, on a cluster. Raises DataError.

    Rows that are kept stay on the workers, as long as the client is connected.
    """

    def submit(reduction: "Reduction", inputs: Sequence[Numbered], start: Position, size: int) -> Promise:
        run = client.submit(_task, reduction, inputs, start, size, pure=False)
        return cast("Promise", run) if reduction.sampling.store is None else _Parted(client, run)

    return reduced_elsewhere(
        reduction, inputs, submit, lambda: _AHEAD * _threads(client), lambda done: listener.reading(done, size)
    )


class _There:
    """A group whose rows are on a worker. If it dies, Dask has another one read them again."""

    def __init__(self, client: Any, run: Any) -> None:
        self._client, self._run = client, run

    def ask(self, question: Callable[[Sequence["KeptRows"]], T]) -> Callable[[], T]:
        """See :class:`gdcli.reduced.Group`."""
        return partial(_awaited, self._client, self._client.submit(_answer, self._run, question, pure=False))


def _answer(run: Run, question: Callable[[Sequence["KeptRows"]], T]) -> T:
    if run.reduced is None:  # the rows went with their worker, and could not be read again
        raise DataError(run.lost)
    return question(run.kept)


def _awaited(client: Any, answer: Any) -> Any:
    """Wait for an answer as long as there are workers."""
    while True:
        try:
            return answer.result(timeout=_LOOK)
        except TimeoutError:
            _threads(client)


class _Parted:
    """The promise of a run whose rows stay where they are read."""

    def __init__(self, client: Any, run: Any) -> None:
        self._client, self._run = client, run
        self._rest = client.submit(Run.without_rows, run, pure=False)

    def result(self) -> Run:
        """See :class:`gdcli.runs.Promise`."""
        rest: Run = self._rest.result()
        return rest.with_rows(_There(self._client, self._run))

    def cancel(self) -> None:
        """See :class:`gdcli.runs.Promise`."""
        self._client.cancel([self._rest, self._run])

    def add_done_callback(self, function: Callable[[Any], object], /) -> None:
        """See :class:`gdcli.runs.Promise`."""
        self._rest.add_done_callback(function)


def _task(reduction: "Reduction", inputs: Sequence[Numbered], start: Position, size: int) -> Run:
    """What a worker does."""
    from distributed import get_worker

    found = run_there(reduction, inputs, start, size)
    if not found.strange:
        return found
    where = f"worker {get_worker().address}: {found.lost}"
    return replace(
        found, lost=f"{where}\nWith --dask every worker reads the files itself, under the same path as here."
    )


@contextmanager
def connected(address: str, listener: Listener) -> Iterator[Any]:
    """Give a client of the cluster, whose workers have what they need. Raises DataError."""
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise DataError("--dask needs the package of that name: pip install 'gdfit[dask]'") from None
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        stack.enter_context(_in_our_words(address))
        client = _client(address, stack)
        _check_workers(client, listener)
        yield client


def _client(address: str, stack: ExitStack) -> Any:
    from distributed import Client

    if address.startswith(LOCAL):
        return stack.enter_context(_local_client(int(address.removeprefix(LOCAL))))
    try:
        return stack.enter_context(Client(address, timeout=PATIENCE, set_as_default=False))
    except Exception as error:  # what answers there may be anything
        asked = "is it running? (dask scheduler)" if isinstance(error, OSError) else " ".join(str(error).split())
        raise DataError(f"no Dask scheduler answers at {quoted(address)}: {asked}") from None


@contextmanager
def _local_client(processes: int) -> Iterator[Any]:
    """Give the client of so many processes on this machine, one thread each, that end with the block."""
    from tempfile import TemporaryDirectory

    from distributed import Client, LocalCluster

    with ExitStack() as stack:
        with _signals_are_for_us():
            folder = stack.enter_context(TemporaryDirectory(prefix="gdfit-dask-", ignore_cleanup_errors=True))
            cluster = LocalCluster(
                n_workers=processes,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # else it would take port 8787 all the same
                silence_logs=_SILENCE,
                local_directory=folder,
            )
            stack.enter_context(cluster)
        client = stack.enter_context(Client(cluster, set_as_default=False))
        try:
            yield client
        except BaseException:  # nobody waits for what they are doing
            _kill(cluster)
            raise


def _kill(cluster: Any) -> None:
    """End the worker processes at once; asked to, they would first finish their tasks."""
    for nanny in cluster.workers.values():
        nanny.auto_restart = False
        if nanny.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(nanny.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


@contextmanager
def _signals_are_for_us() -> Iterator[None]:
    """Keep signals such as Ctrl-C, which a terminal sends to all its processes, from those that start in this block.

    They are ended by us. A signal that arrives meanwhile waits for the end of the block.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # started later, it would let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own remarks off stderr: what matters is said in our words."""
    known = [name for name in logging.root.manager.loggerDict if name.startswith(tuple(f"{top}." for top in _LOGGERS))]
    loggers = [logging.getLogger(name) for name in (*_LOGGERS, *known)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(_SILENCE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _check_workers(client: Any, listener: Listener) -> None:
    """Raise DataError where there are no workers or they lack gdfit, and warn where their numbers may differ."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise DataError("the scheduler has no workers: start some with dask worker ADDRESS") from None
    found = client.get_versions(packages=["gdfit"])
    here = found["client"]["packages"]
    alike: dict[str, list[str]] = {}
    for address, there in sorted(found["workers"].items()):
        alike.setdefault(_differences(there["packages"], here), []).append(address)
    for differences, addresses in alike.items():
        if not differences:
            continue
        message = f"{_workers(addresses)} {'has' if len(addresses) == 1 else 'have'} {differences}"
        if "gdfit" in differences:
            raise DataError(f"{message}; on every machine: {_install()}")
        listener.warn(f"{message}: the last digits may differ")


def _differences(there: Mapping[str, str | None], here: Mapping[str, str | None]) -> str:
    """Name the packages that are others there than here."""
    if there.get("gdfit") is None:
        return "no gdfit"
    return ", ".join(
        f"{said} {there.get(name) or 'not at all'} (here {here[name]})"
        for name, said in _PACKAGES.items()
        if there.get(name) != here[name]
    )


def _workers(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
    return f"{'worker' if len(addresses) == 1 else 'workers'} {addresses[0]}{more}"


def _install() -> str:
    return f"pip install 'gdfit[dask]=={__version__}'"


def _threads(client: Any) -> int:
    """Return how many groups the workers can reduce at a time, now. Raises DataError where all have gone for good."""
    threads: dict[str, int] = client.nthreads()
    if not threads:
        try:
            client.wait_for_workers(1, timeout=_RETURN)
        except TimeoutError:
            raise DataError("all workers of the cluster are gone: their logs may tell why") from None
    return max(sum(threads.values()), 1)


@contextmanager
def _in_our_words(address: str) -> Iterator[None]:
    """Turn what goes wrong on a cluster into DataError."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker
    from distributed.comm import CommClosedError

    try:
        yield
    except KilledWorker as error:
        raise DataError(
            f"workers of {address} died {error.allowed_failures + 1} times over the same blocks: have they enough "
            "memory? Their logs may tell"
        ) from None
    except ModuleNotFoundError as error:
        raise DataError(
            f"a worker of {address} lacks the package {error.name}; on every machine: {_install()}"
        ) from None
    except (CancelledError, CommClosedError):
        raise DataError(f"lost the connection to the scheduler at {address}") from None
