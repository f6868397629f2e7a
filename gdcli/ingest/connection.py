"""Connections to a Dask cluster: to a running scheduler, or to processes started here for one run.

Every start has a bound, can be interrupted, and fails with one line. What is started here talks over TLS, with a
certificate made for the run and held in memory, so that no other user of the machine can connect. Dask is imported
only when it is used.
"""

import logging
import os
import re
import signal
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from shutil import rmtree
from threading import Event, Thread
from time import monotonic
from typing import Any, TypeVar

from gdcli import __version__
from gdcli.base.errors import DataError, UsageError
from gdcli.base.listener import Listener
from gdcli.base.names import quoted

T = TypeVar("T")

LOCAL = "local:"

_TLS = "tls://"

_TLS_VARIABLES = ", ".join(
    f"DASK_DISTRIBUTED__COMM__TLS__{name}" for name in ("CA_FILE", "CLIENT__CERT", "CLIENT__KEY")
)

# Seconds within which a scheduler answers, and has workers.
CONNECT = 10.0

# Seconds within which processes on this machine start, and workers report their versions.
START = 60.0

# Seconds within which processes that start are ended when they are no longer wanted.
_END = 5.0

# Open files that a local cluster needs in this process, measured with room to spare: besides, and for each worker.
_FILES, _FILES_EACH = 64, 16

# Packages whose versions are compared with the workers': another gdfit is refused, the others may cost the last digits.
_PACKAGES = {"gdfit": "gdfit", "python": "Python", "numpy": "NumPy", "pandas": "pandas"}

_LOGGERS = ("distributed", "tornado", "asyncio")

_SILENCE = logging.CRITICAL + 1

# Dask listens for HTTP, without authentication, even if there is no dashboard: nothing is served there. So nobody sees
# what workers find out about themselves 100 times a second, either.
_NO_PAGES: dict[str, object] = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "10s",
}


def check_address(address: str) -> None:
    """Raise UsageError if this is no address of a cluster."""
    if re.match(r"local(:|$)", address) and not re.fullmatch(r"local:[1-9]\d{0,3}", address):
        raise UsageError(f"--dask {address}: for N processes on this machine write local:N, such as local:4")
    if not address or any(letter.isspace() for letter in address):
        raise UsageError(
            f"--dask takes a scheduler's address, such as tcp://host:8786, or local:N, not {quoted(address)}"
        )


@contextmanager
def connect(address: str, listener: Listener) -> Iterator[Any]:
    """A context with the Dask client of the cluster at an address; ``local:N`` starts N processes on this machine.

    Raises DataError without the package, if no cluster answers, or if its workers cannot run gdfit.
    """
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise DataError("--dask needs the package of that name: pip install 'gdfit[dask]'") from None
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        stack.enter_context(_translated_errors(address))
        client = stack.enter_context(
            _local_client(int(address.removeprefix(LOCAL))) if address.startswith(LOCAL) else _client(address)
        )
        _check_workers(client, listener)
        yield client


def _client(address: str) -> Any:
    from distributed import Client

    nobody = f"no Dask scheduler answers at {quoted(address)}"
    asked = "is it one, is it running (dask scheduler)"
    asked += ", and has it certificates of the same authority?" if address.startswith(_TLS) else "?"
    open_client = partial(Client, address, security=_security(address), timeout=CONNECT, set_as_default=False)
    try:
        return _within(CONNECT, f"{nobody} within {CONNECT:g} s: {asked}", open_client, Client.close)
    except DataError:
        raise
    except OSError:
        raise DataError(f"{nobody}: {asked}") from None
    except Exception as error:  # what answers there may be anything
        raise DataError(f"{nobody}: {' '.join(str(error).split())}") from None


def _security(address: str) -> Any:
    """Dask's own settings, from its environment variables and files. Raises DataError if tls:// lacks certificates."""
    from distributed.security import Security

    security = Security()
    if not address.startswith(_TLS):
        return security
    try:
        if security.get_connection_args("client")["ssl_context"] is not None:
            return security
        problem = "are not set"
    except (OSError, ValueError) as error:
        problem = f"cannot be used: {_reason(error)}"
    raise DataError(f"{_TLS} needs the files of certificates and key, which {problem}\nSet {_TLS_VARIABLES}.")


def _within(seconds: float, late: str, start: Callable[[], T], undo: Callable[[T], object] = lambda _: None) -> T:
    """The value of ``start``, or DataError(late) after that time; ``undo`` takes a value that comes later.

    It runs in a thread that is left behind if it hangs. The caller's thread waits, so that signals arrive there; the
    other one, and the processes it starts, get none: a terminal sends Ctrl-C to all of them, but they are ended by us.
    """
    outcome: Future[T] = Future()
    Thread(target=_run, args=(outcome, start, undo), name="gdfit: start of a cluster", daemon=True).start()
    try:
        return outcome.result(seconds)
    except TimeoutError:
        if outcome.done():  # an error of the start, of the same name
            raise
        raise DataError(late) from None
    finally:
        outcome.cancel()


def _run(outcome: "Future[T]", start: Callable[[], T], undo: Callable[[T], object]) -> None:
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        value = start()
    except BaseException as error:
        with suppress(InvalidStateError):
            outcome.set_exception(error)
        return
    try:
        outcome.set_result(value)
    except InvalidStateError:
        undo(value)


@contextmanager
def _local_client(processes: int) -> Iterator[Any]:
    """The client of worker processes on this machine, one thread each, that end with the block."""
    from tempfile import mkdtemp

    if find_spec("cryptography") is None:
        raise DataError(f"--dask {LOCAL}{processes} needs the package cryptography: pip install 'gdfit[dask]'")
    what = f"cannot start {processes} {'process' if processes == 1 else 'processes'} on this machine"
    _check_open_files(processes)
    _start_resource_tracker()
    nannies: list[Any] = []
    clients: list[Any] = []
    ended = Event()
    folder = mkdtemp(prefix="gdfit-dask-")
    start = partial(_start_workers, processes, folder, nannies, ended)
    try:
        try:
            clients.append(_within(START, f"{what} within {START:g} s: start fewer", start, _close))
        except DataError:
            raise
        except Exception as error:  # Dask passes on whatever happened in any of its parts
            raise DataError(f"{what}: {_reason(error)}") from None
        yield clients[0]
    finally:
        _carry_out(partial(_end, nannies, ended, clients, folder))


def _end(nannies: Sequence[Any], ended: Event, clients: Sequence[Any], folder: str) -> None:
    """End the processes at once, as their results are not needed, and remove their files."""
    until = monotonic() + _END
    _kill(nannies)
    while not ended.wait(0.05) and monotonic() < until:
        _kill(nannies)  # those that have just been started, too
    for client in clients:
        with suppress(Exception):  # it takes too long, or what it would close is gone
            _within(_END, "", partial(_close, client))
    rmtree(folder, ignore_errors=True)


def _carry_out(work: Callable[[], None]) -> None:
    """Do the work in a thread, out of reach of signals; one that arrives here is raised when the work is done."""
    thread = Thread(target=work, name="gdfit: end of a cluster", daemon=True)
    thread.start()
    try:
        thread.join()
    except BaseException:
        thread.join(2 * _END)
        raise


def _start_workers(processes: int, folder: str, nannies: list[Any], ended: Event) -> Any:
    """The client of new worker processes. Their nannies are added as they are made; ``ended`` is set at the end."""
    import dask
    from distributed import Client, LocalCluster, Nanny
    from distributed.security import Security

    def nanny(*args: Any, **options: Any) -> Any:
        nannies.append(Nanny(*args, **options))
        return nannies[-1]

    try:
        with dask.config.set({**_NO_PAGES, "temporary-directory": folder}):
            cluster = LocalCluster(
                n_workers=processes,
                threads_per_worker=1,
                processes=True,
                worker_class=nanny,
                host="127.0.0.1",
                security=Security.temporary(),
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # else it would take port 8787 all the same
                silence_logs=_SILENCE,
                local_directory=folder,
                death_timeout=START,
            )
        return Client(cluster, timeout=CONNECT, set_as_default=False)
    finally:
        ended.set()


def _close(client: Any) -> None:
    """Close the client and, whatever became of that, its cluster."""
    cluster = client.cluster
    # A close that takes too long is left to itself; when the process ends, Dask would begin another one, and fail.
    cluster.shutdown_on_close = False
    with suppress(Exception):
        client.close()
    with suppress(Exception):
        cluster.close()


def _kill(nannies: Sequence[Any]) -> None:
    """End the worker processes at once; asked to, they would first finish their tasks."""
    for nanny in nannies:
        nanny.auto_restart = False
        pid = nanny.pid
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def _check_open_files(processes: int) -> None:
    """Raise DataError if this process may not open the files that the workers need: Dask would wait for ever."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    limit, needed = resource.getrlimit(resource.RLIMIT_NOFILE)[0], _FILES + _FILES_EACH * processes
    if limit != resource.RLIM_INFINITY and limit < needed:
        raise DataError(
            f"--dask {LOCAL}{processes} needs {needed} open files, and {limit} are allowed here: ulimit -n {needed}"
        )


def _start_resource_tracker() -> None:
    """Start the process in which Python tidies up after the workers, while its warnings are off.

    Started by the first worker's start, it would unblock Ctrl-C there.
    """
    from multiprocessing import resource_tracker

    name = "PYTHONWARNINGS"
    before = os.environ.get(name)
    os.environ[name] = "ignore"
    try:
        resource_tracker.ensure_running()
    except OSError as error:
        raise DataError(f"cannot start processes on this machine: {_reason(error)}") from None
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _reason(error: BaseException) -> str:
    """The reason that the system gave, if it did, else Dask's."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.strerror:
            return found.strerror
        found = found.__cause__ or found.__context__
    return " ".join(str(error).split()) or type(error).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    """A context that keeps Dask's log off stderr: gdfit has its own errors and notes."""
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
    """Raise DataError if there are no workers or they lack gdfit, and warn if their numbers may differ."""
    try:
        client.wait_for_workers(1, timeout=CONNECT)
    except TimeoutError:
        raise DataError("the scheduler has no workers: start some with dask worker ADDRESS") from None
    late = f"the workers of the cluster do not say within {START:g} s which gdfit they have: are they overloaded?"
    found = _within(START, late, partial(client.get_versions, packages=["gdfit"]))
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
    """The packages whose versions differ between a worker and this process, as text."""
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


@contextmanager
def _translated_errors(address: str) -> Iterator[None]:
    """A context that turns the errors of a cluster into DataError."""
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
