"""A process that has imported gdfit and forks for each command line, which then takes 0.04 s instead of 0.4 s.

``python fork_server.py FOLDER`` serves until its standard input ends. It writes FOLDER/gdfit, a program that lends its
arguments, environment, folder, limits and open files to a fork, passes signals on to it, and ends as the fork does.
A command whose environment changes what Python itself does while it starts is started from scratch.
"""

import fcntl
import gc
import marshal
import os
import resource
import selectors
import signal
import socket
import sys
import traceback
import warnings
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[1]
NAME = "gdfit"
# What Python reads once, when it starts; the locales that it treats alike.
AT_START = ("PYTHONIOENCODING", "PYTHONUNBUFFERED", "PYTHONUTF8", "PYTHONWARNINGS", "PYTHONHASHSEED")
ALIKE = (None, "", "C", "POSIX", "C.UTF-8", "C.utf8")
LIMITS = (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)
MOST_FILES = 32
HIGH = 512  # above every open file
MOST_BYTES = 1 << 17

# The program of the folder: no module of Python's own beyond those that are built in, as it is to start in 0.015 s.
CLIENT = r"""#!{python} -IS
import _signal, _socket, marshal, os, resource, sys

def is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True

numbers = [number for number in sorted({{0, 1, 2, *map(int, os.listdir("/proc/self/fd"))}}) if is_open(number)]
connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
connection.connect({address!r})
environment = dict(os.environ)
umask = os.umask(0)
os.umask(umask)
limits = [resource.getrlimit(limit) for limit in {limits!r}]
request = marshal.dumps((sys.argv[1:], os.getcwd(), environment, umask, limits, numbers))
files = b"".join(number.to_bytes(4, sys.byteorder) for number in numbers)
connection.sendmsg([request], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
answer = connection.recv(64)
if answer == b"cold":
    environment["PYTHONPATH"] = {root!r}
    os.execve({python!r}, [{python!r}, "-m", "gdcli", *sys.argv[1:]], environment)
for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
    _signal.signal(number, lambda number, frame: os.kill(int(answer), number))
code = int(connection.recv(64) or 1)
if code < 0:
    _signal.signal(-code, _signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""


def prepare() -> None:
    """Import what command lines usually need, the way that gdfit itself imports it."""
    from gdcli.cli import main

    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    for words in (["fit", "--help"], ["fit", str(ROOT / "sample_data" / "housing.csv"), "-t", "price", "--lr", "auto"]):
        if code := main(words):
            sys.exit(f"the fork server cannot run gdfit: exit {code}")
    gc.collect()
    gc.freeze()


def read_at_start(environment: Mapping[str, str]) -> tuple[str | None, ...]:
    """What Python reads of the environment when it starts."""
    locale = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG")
    return (None if locale in ALIKE else locale, *(environment.get(name) for name in AT_START))


def serve(folder: Path) -> None:
    """Fork for each request; tell how the fork ended; kill what is left of it if nobody asks any more."""
    at_start = read_at_start(os.environ)
    prepare()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(folder / "socket"))
    listener.listen(64)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(0, selectors.EVENT_READ)
    client = CLIENT.format(python=sys.executable, address=str(folder / "socket"), limits=LIMITS, root=str(ROOT))
    (folder / "client").write_text(client)
    (folder / "client").chmod(0o755)
    (folder / "client").rename(folder / NAME)
    children: dict[int, tuple[int, socket.socket]] = {}  # by the descriptor of the process
    while True:
        for key, _ in selector.select():
            if key.fileobj == 0:
                for process, _connection in children.values():
                    end(process)
                return
            if key.fileobj is listener:
                connection = listener.accept()[0]
                if process := answer(connection, listener, at_start):
                    descriptor = os.pidfd_open(process)
                    children[descriptor] = process, connection
                    selector.register(descriptor, selectors.EVENT_READ)
                    selector.register(connection, selectors.EVENT_READ, descriptor)
            elif isinstance(key.fileobj, int) and key.fd in children:
                process, connection = children.pop(key.fd)
                status = os.waitpid(process, 0)[1]
                end(process)
                selector.unregister(key.fd)
                os.close(key.fd)
                if connection.fileno() >= 0:
                    selector.unregister(connection)
                    tell(connection, os.waitstatus_to_exitcode(status))
                    connection.close()
            elif key.fileobj is children.get(key.data, (0, None))[1]:  # whoever asked has gone
                end(children[key.data][0])
                selector.unregister(key.fileobj)
                key.fileobj.close()


def end(process: int) -> None:
    """Kill what runs in the process group."""
    try:
        os.killpg(process, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def tell(connection: socket.socket, code: int) -> None:
    """Send a number to whoever asked, if it is still there."""
    try:
        connection.send(str(code).encode())
    except OSError:
        return


def answer(connection: socket.socket, listener: socket.socket, at_start: tuple[str | None, ...]) -> int | None:
    """Fork for one request and return the process's number; None if the command is to start from scratch."""
    message, files = receive(connection)
    words, folder, environment, umask, limits, numbers = message
    if read_at_start(environment) != at_start:
        connection.send(b"cold")
        connection.close()
        process = None
    elif process := os.fork():
        tell(connection, process)
    else:
        listener.close()
        connection.close()
        become(words, folder, environment, umask, limits, dict(zip(numbers, files, strict=True)))
    for number in files:
        os.close(number)
    return process


def receive(connection: socket.socket) -> tuple[Any, list[int]]:
    """A request and the files that came with it."""
    files = array("i")
    data, ancillary, _, _ = connection.recvmsg(MOST_BYTES, socket.CMSG_LEN(MOST_FILES * files.itemsize))
    for _level, _kind, content in ancillary:
        files.frombytes(content)
    return marshal.loads(data), list(files)


def become(
    words: list[str], folder: str, environment: dict[str, str], umask: int, limits: list[Any], files: dict[int, int]
) -> NoReturn:
    """Be a process like one that has just started, and run gdfit."""
    os.setpgid(0, 0)
    os.chdir(folder)
    os.umask(umask)
    os.environ.clear()
    os.environ.update(environment)
    copies = {number: fcntl.fcntl(at, fcntl.F_DUPFD, HIGH) for number, at in files.items()}
    os.closerange(0, HIGH)
    for number, at in copies.items():
        os.dup2(at, number)
        os.close(at)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin, sys.stdout, sys.stderr = (stream(number, mode) for number, mode in enumerate("rww"))
    for limit, value in zip(LIMITS, limits, strict=True):
        resource.setrlimit(limit, value)
    sys.argv = [NAME, *words]
    warnings.simplefilter("error")
    try:
        from gdcli.__main__ import main

        main()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def stream(number: int, mode: str) -> Any:
    """A standard stream as Python makes it; None if it is closed."""
    try:
        os.fstat(number)
    except OSError:
        return None
    first = (sys.__stdin__, sys.__stdout__, sys.__stderr__)[number]
    assert first is not None
    found = open(number, mode, encoding=first.encoding, errors=first.errors, closefd=False)  # noqa: SIM115  # for ever
    if mode == "w":
        found.reconfigure(line_buffering=number == 2 or os.isatty(number))
    return found


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
