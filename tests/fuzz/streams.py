"""Inputs that arrive in pieces, as archives of several streams, damaged, or change while they are read.

Whatever the way, the result is that of the plain file, or an error: rows never get lost without a word.
"""

import bz2
import gzip
import io
import json
import lzma
import os
import shlex
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random
from unittest.mock import patch

import zstandard
from check import Failure, Run, Tally, check_run, in_process
from hypothesis import strategies as st

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": partial(gzip.compress, mtime=0),
    "bz2": bz2.compress,
    "xz": partial(lzma.compress, preset=0),
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}
WAYS = ("file", "pipe", "pipe that does not block", "socket that does not block")
DAMAGES = ("", "", "", "cut off", "a bit", "a tail")
CHANGES = ("grows", "grows within a row", "shrinks", "is written to", "is replaced")
COMMANDS = {
    "fit": ("-t", "y", "-n", "3", "--format", "json", "--jobs", "1"),
    "predict": ("predict", "s-model.json"),
    "summarize": ("summarize",),
}
SAID = b"while it was read"


@dataclass(frozen=True)
class StreamCase:
    """``text`` is the table, ``content`` what arrives of it: in such ``pieces``, or as a file that changes."""

    text: bytes
    content: bytes
    command_name: str
    way: str
    damage: str
    pieces: tuple[int, ...]
    block: int
    change: str = ""
    after: int = 0

    @property
    def args(self) -> tuple[str, ...]:
        return (*COMMANDS[self.command_name], "data.csv" if self.way == "file" else "-")

    @property
    def command(self) -> str:
        return f"gdfit {shlex.join(self.args)}  # {self}"


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    # Which numbers they are does not matter here, and hypothesis takes longer to draw each than gdfit to read it.
    random, count = Random(draw(st.integers(0, 1 << 32))), draw(st.integers(3, 80))
    rows = [(random.randint(-99, 9999), random.randint(0, 99), random.randint(-9, 999)) for _ in range(count)]
    text = "x,z,y\n" + "".join(f"{x},{z}.5,{y}\n" for x, z, y in rows)
    return text.encode() if draw(st.integers(0, 3)) else text.rstrip("\n").encode()


@st.composite
def stream_cases(draw: st.DrawFn) -> StreamCase:
    """Tables, the ways in which they arrive, and what goes wrong with them."""
    text, block = draw(tables()), draw(st.sampled_from((8 << 20, 10, 64, 300)))
    command = draw(st.sampled_from(("fit", "fit", "predict", "summarize")))
    if draw(st.integers(0, 3)) == 0:
        kind = draw(st.sampled_from(("plain", "plain", "gz", "zst")))
        change, after = draw(st.sampled_from(CHANGES)), draw(st.integers(0, 5))
        return StreamCase(text, COMPRESSORS[kind](text), command, "file", "", (), block, change, after)
    cuts = sorted(draw(st.lists(st.integers(1, len(text) - 1), max_size=4, unique=True)))
    pairs = zip([0, *cuts], [*cuts, len(text)], strict=True)
    kind = draw(st.sampled_from(tuple(COMPRESSORS)))
    streams = [COMPRESSORS[kind](text[start:stop]) for start, stop in pairs]
    damage = draw(st.sampled_from(DAMAGES)) if kind != "plain" else ""
    content = draw(_damaged(streams, damage))
    pieces = tuple(draw(st.lists(st.sampled_from((1, 2, 7, 50, 400, 9000)), min_size=1, max_size=6)))
    return StreamCase(text, content, command, draw(st.sampled_from(WAYS)), damage, pieces, block)


@st.composite
def _damaged(draw: st.DrawFn, streams: list[bytes], damage: str) -> bytes:
    content = b"".join(streams)
    if damage == "cut off":  # within a stream: one that is lacking as a whole leaves no trace
        which = draw(st.integers(0, len(streams) - 1))
        return b"".join(streams[:which]) + streams[which][: draw(st.integers(1, len(streams[which]) - 1))]
    if damage == "a bit":
        at = draw(st.integers(0, len(content) - 1))
        return content[:at] + bytes([content[at] ^ 1 << draw(st.integers(0, 7))]) + content[at + 1 :]
    if damage == "a tail":
        return content + draw(st.sampled_from((b"1,2,3\n", b"x", b"\0\0\0x", b"BZh9", b"\x1f\x8b", content[:5])))
    return content


def prepare_streams(folder: Path) -> None:
    """Make the model that the cases of predict use."""
    (folder / "plain.csv").write_text("x,z,y\n1,2,3\n2,7,4\n4,4,9\n5,1,2\n")
    if in_process(("plain.csv", "-t", "y", "-n", "5", "--save", "s-model.json", "-q")).code:
        raise Failure("there is no model")


def check_stream(case: StreamCase, tally: Tally) -> None:
    """Compare how a case went with how the plain file goes. Raises Failure."""
    with patch("gdcli.data.csv.source.cut", partial(_real_cut(), block_bytes=case.block)):
        Path("data.csv").write_bytes(case.text)
        expected = in_process((*COMMANDS[case.command_name], "data.csv"))
        check_run(expected)
        if case.change:
            run = _run_changing(case)
            _check_changed(case, run, expected)
            tally.compared[f"streams: a file that {case.change}"] += 1
        else:
            run = _delivered(case)
            _check_delivered(case, run, expected)
            tally.compared[f"streams: {case.way}{', damaged' if case.damage else ''}"] += 1
    check_run(run)
    tally.codes[run.code] += 1


def _real_cut() -> Callable[..., object]:
    from gdcli.data.csv.chunks import cut

    return cut


def _delivered(case: StreamCase) -> Run:
    Path("data.csv").write_bytes(case.content)
    if case.way == "file":
        return in_process(case.args)
    with _standard_input(case):
        return in_process(case.args)


@contextmanager
def _standard_input(case: StreamCase) -> Iterator[None]:
    """Let standard input be a pipe or a socket into which a thread puts the pieces."""
    if case.way.startswith("socket"):
        reader, writer = (end.detach() for end in socket.socketpair())
    else:
        reader, writer = os.pipe()
    os.set_blocking(reader, "not block" not in case.way)

    def send() -> None:
        rest = case.content
        try:
            for number, size in enumerate(cycle(case.pieces)):
                if not rest:
                    break
                os.write(writer, rest[:size])
                rest = rest[size:]
                if number % 50 == 3:
                    time.sleep(0.0005)
        except OSError:
            pass  # gdfit has seen enough
        finally:
            os.close(writer)

    thread = threading.Thread(target=send)
    stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(reader, "rb")))
    with stdin, patch.object(sys, "stdin", stdin):
        thread.start()
        yield
    thread.join()


def _check_delivered(case: StreamCase, run: Run, expected: Run) -> None:
    if case.damage and run.code == 1:
        return
    if case.damage in ("cut off", "a tail"):
        raise Failure(f"the damage was not noticed: {run}")
    _check_same_result(case, run, expected)


def _check_same_result(case: StreamCase, run: Run, expected: Run) -> None:
    if run.code != expected.code or _result(case, run) != _result(case, expected):
        raise Failure(f"another result than of the plain file: {run}, and not {expected}")


def _result(case: StreamCase, run: Run) -> object:
    if run.code or case.command_name == "predict":
        return run.out
    return {key: value for key, value in json.loads(run.out).items() if key not in ("files", "sources")}


def _run_changing(case: StreamCase) -> Run:
    """Run a case whose file changes when so many of its blocks have been read."""
    path = Path("data.csv")
    path.write_bytes(case.content)
    os.utime(path, (1, 1))  # a change a moment later has another time for certain
    cut = _real_cut()

    def changing(*args: object, **settings: object) -> Iterator[object]:
        chunks = cut(*args, block_bytes=case.block, **settings)
        for _ in range(case.after):
            for chunk in chunks:  # one of them
                yield chunk
                break
        _change(case, path)
        yield from chunks

    with patch("gdcli.data.csv.source.cut", changing):
        return in_process(case.args)


def _change(case: StreamCase, path: Path) -> None:
    if case.change.startswith("grows"):
        with path.open("ab") as file:
            file.write(b"\n1,2.5,3\n" if case.change == "grows" else b"\n1,2")
    elif case.change == "shrinks":
        path.write_bytes(case.content[: len(case.content) // 2])
    elif case.change == "is written to":
        path.write_bytes(case.content)
    else:
        Path("other.csv").write_bytes(case.content)
        os.replace("other.csv", path)


def _check_changed(case: StreamCase, run: Run, expected: Run) -> None:
    if expected.code:
        return
    if run.code == 0 and case.change.startswith("grows") and b"grew while it was read" in run.err:
        return
    if run.code != 1 or (case.change in ("is written to", "is replaced") and SAID not in run.err):
        raise Failure(f"the file {case.change} without a word: {run}, {expected}")
