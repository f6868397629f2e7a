"""A cluster starts within bounds, is interrupted at once, fails with one line, and lets nobody else in."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.ingest import connection
from tests.conftest import Done
from tests.ingest.clusters import table

distributed = pytest.importorskip("distributed", reason="Dask is not installed")

PAGES = ("/", "/status", "/health", "/metrics", "/info/main/workers.html", "/json/identity.json")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """The client of a cluster for one run."""
    with connection.connect("local:1", Listener()) as found:
        yield found


class Ports(NamedTuple):
    """Where the processes of that cluster listen: to each other, and for HTTP."""

    secured: set[int]
    pages: set[int]


@pytest.fixture(scope="module")
def ports(client: Any) -> Ports:
    import psutil

    scheduler, nanny = client.cluster.scheduler, next(iter(client.cluster.workers.values()))
    secured = {port_of(node) for node in (scheduler.address, nanny.address, nanny.worker_address)}
    listening = {c.laddr for c in psutil.Process(nanny.pid).net_connections() if c.status == psutil.CONN_LISTEN}
    assert {address.ip for address in listening} == {"127.0.0.1"}
    pages = {scheduler.http_server.port} | {address.port for address in listening} - secured
    assert (len(secured), len(pages)) == (3, 2)
    return Ports(secured, pages)


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        yield server


def address_of(server: socket.socket) -> str:
    return f"tcp://127.0.0.1:{server.getsockname()[1]}"


def test_every_port_of_a_run_asks_for_its_certificate(ports: Ports) -> None:
    for port in ports.secured:
        for certificate in (True, False):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                assert received(port, stranger(certificate)) == b""


def stranger(certificate: bool) -> ssl.SSLContext:
    """Somebody who does not care whom they talk to, with the certificate of another run or none."""
    if certificate:
        security = distributed.security.Security.temporary()
        context: ssl.SSLContext = security.get_connection_args("client")["ssl_context"]
    else:
        context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def received(port: int, context: ssl.SSLContext) -> bytes:
    """What comes after a handshake; with TLS 1.3 a certificate is refused only then."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="dask-internal") as secured,
    ):
        return secured.recv(1)


def test_no_pages_are_served(ports: Ports) -> None:
    for port in ports.pages:
        assert {page(port, name)[0] for name in PAGES} == {404}
        assert json.loads(page(port, "/sitemap.json")[1])["paths"] in ([], ["/sitemap.json"])


def page(port: int, name: str) -> tuple[int, bytes]:
    http = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        http.request("GET", name)
        answer = http.getresponse()
        return answer.status, answer.read()
    finally:
        http.close()


def test_no_client_of_another_process_is_let_in(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT", 1.0)
    address = client.cluster.scheduler.address
    assert address.startswith("tls://127.0.0.1:")
    with pytest.raises(DataError, match="tls:// needs the files of certificates and key, which are not set"):
        connection._client(address)
    with pytest.raises(DataError, match="no Dask scheduler answers"):
        connection._client(address.replace("tls", "tcp"))
    other = distributed.security.Security.temporary()
    monkeypatch.setattr(connection, "_security", lambda address: other)
    with pytest.raises(DataError, match="and has it certificates of the same authority"):
        connection._client(address)


def test_certificates_from_the_environment_let_in(
    client: Any, csv_file: Callable[..., str], program: Callable[..., Done], tmp_path: Path
) -> None:
    security, env = client.cluster.security, {}
    for name, text in (
        ("CA_FILE", security.tls_ca_file),
        ("CLIENT__CERT", security.tls_client_cert),
        ("CLIENT__KEY", security.tls_client_key),
    ):
        (tmp_path / name).write_text(text)
        env[f"DASK_DISTRIBUTED__COMM__TLS__{name}"] = str(tmp_path / name)
    words = [csv_file(table(50)), "-t", "y", "--exclude", "note", "--format", "csv"]
    assert program(*words, "--dask", client.cluster.scheduler.address, env=env) == program(*words)


def test_certificates_that_are_not_there_are_named(tmp_path: Path) -> None:
    import dask

    names = {"ca-file": "ca.pem", "client.cert": "cert.pem", "client.key": "key.pem"}
    settings = {f"distributed.comm.tls.{name}": str(tmp_path / file) for name, file in names.items()}
    with dask.config.set(settings), pytest.raises(DataError) as raised:
        connection._client("tls://127.0.0.1:9")
    assert str(raised.value) == (
        "tls:// needs the files of certificates and key, which cannot be used: No such file or directory\n"
        "Set DASK_DISTRIBUTED__COMM__TLS__CA_FILE, DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT, "
        "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY."
    )


def test_too_few_files_allowed_is_one_line(
    csv_file: Callable[..., str], gdfit: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = pytest.importorskip("resource", reason="there are no limits here")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (95, 95))
    done = gdfit(csv_file(table(50)), "-t", "y", "--dask", "local:2")
    said = "Error: --dask local:2 needs 96 open files, and 95 are allowed here: ulimit -n 96\n"
    assert done == (1, "", said)


def test_a_server_of_another_kind_is_given_up_after_a_while(
    silent: socket.socket, csv_file: Callable[..., str], gdfit: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connection.CONNECT == 10
    monkeypatch.setattr(connection, "CONNECT", 0.3)
    began = time.monotonic()
    done = gdfit(csv_file(table(50)), "-t", "y", "--dask", address_of(silent))
    assert time.monotonic() - began < 5
    said = (
        f"no Dask scheduler answers at '{address_of(silent)}' within 0.3 s: is it one, is it running (dask scheduler)?"
    )
    assert done == (1, "", f"Error: {said}\n")


def test_workers_that_do_not_start_in_time_are_given_up_and_end(
    csv_file: Callable[..., str], gdfit: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    from multiprocessing import resource_tracker

    import psutil

    def running(process: Any) -> bool:
        try:
            return bool(process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    resource_tracker.ensure_running()
    before = set(psutil.Process().children())
    assert connection.START == 60
    monkeypatch.setattr(connection, "START", 0.01)
    done = gdfit(csv_file(table(50)), "-t", "y", "--dask", "local:2")
    said = "cannot start 2 processes on this machine within 0.01 s: start fewer"
    assert done == (1, "", f"Error: {said}\n")
    deadline = time.monotonic() + 60
    while any(map(running, set(psutil.Process().children()) - before)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(24, "Too many open files"), "Too many open files"),
        (RuntimeError("Cluster failed\n to start"), "Cluster failed to start"),
        (AssertionError(), "AssertionError"),
        (TimeoutError("no worker"), "no worker"),
    ],
)
def test_what_keeps_workers_from_starting_is_one_line(
    error: Exception, said: str, csv_file: Callable[..., str], gdfit: Callable[..., Done],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def fail(*args: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr(distributed, "LocalCluster", fail)
    done = gdfit(csv_file(table(50)), "-t", "y", "--dask", "local:1")
    assert done == (1, "", f"Error: cannot start 1 process on this machine: {said}\n")


def test_without_certificates_no_workers_start(
    csv_file: Callable[..., str], gdfit: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    done = gdfit(csv_file(table(50)), "-t", "y", "--dask", "local:1")
    said = "Error: --dask local:1 needs the package cryptography: pip install 'gdfit[dask]'\n"
    assert done == (1, "", said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_start_is_interrupted_at_once(
    number: int, silent: socket.socket, csv_file: Callable[..., str], started: Callable[..., Any], tmp_path: Path
) -> None:
    process = started(tmp_path, csv_file(table(50)), "-t", "y", "--dask", address_of(silent))
    with silent.accept()[0]:
        began = time.monotonic()
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert time.monotonic() - began < connection.CONNECT / 2
    assert (process.returncode, err) == (128 + number, "Interrupted.\n")


def test_an_end_that_hangs_is_given_up_and_leaves_no_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert connection._END == 5
    close, closing = connection._close, threading.Event()
    monkeypatch.setattr(connection, "_END", 0.3)
    monkeypatch.setattr(connection, "_close", lambda client: closing.wait(60))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with connection.connect("local:1", Listener()) as client:
        began = time.monotonic()
    assert time.monotonic() - began < 10
    assert list(tmp_path.iterdir()) == []
    closing.set()
    close(client)


def test_a_client_that_cannot_be_closed_does_not_keep_its_cluster_open() -> None:
    closed = []

    class Part:
        def __init__(self, name: str, cluster: "Part | None" = None) -> None:
            self.name, self.cluster = name, cluster

        def close(self) -> None:
            closed.append(self.name)
            raise OSError("it is gone")

    cluster = Part("cluster")
    connection._close(Part("client", cluster))
    assert closed == ["client", "cluster"]
    assert cluster.shutdown_on_close is False  # nor is it closed anew at the end of the process


def test_signals_are_kept_from_the_processes_that_a_start_starts() -> None:
    if not os.path.exists("/proc/self/status"):
        pytest.skip("there is no /proc to look at")
    show = ["grep", "SigBlk", "/proc/self/status"]
    found = connection._within(30, "", lambda: subprocess.run(show, capture_output=True, text=True, check=True))
    blocked = int(found.stdout.split()[1], 16)
    assert all(blocked >> (number - 1) & 1 for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_what_a_start_brings_too_late_is_undone() -> None:
    late, undone = threading.Event(), threading.Event()
    with pytest.raises(DataError, match="too late"):
        connection._within(0.05, "too late", lambda: late.wait(30), lambda value: undone.set())
    late.set()
    assert undone.wait(30)
