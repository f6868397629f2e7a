"""Run a case and say what is wrong with how it went."""

import contextlib
import csv
import gzip
import io
import json
import os
import re
import resource
import subprocess
import sys
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from cases import PLAIN, Case
from reference import Answer, Unclear, answer

DOCUMENTED = {0, 1, 2, 3, 4, 130, 143}
MOST_LINES = 20
LONGEST_SECONDS, MOST_BYTES = 20.0, 300 << 20
# One case in so many is also run as a process of its own, which must answer the same.
SUBPROCESS_SHARE = 250
_ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]")
_WRITTEN = ("trace.csv", "trace.jsonl", "model.json", "result.txt", "picture.svg")


class Failure(AssertionError):  # noqa: N818  # of a case, not of the fuzzer
    """A case that went wrong."""


@dataclass(frozen=True)
class Run:
    """How a command ended."""

    code: int
    out: bytes
    err: bytes


@dataclass
class Tally:
    """What the cases were: exit codes, and what became of the comparison with the reference."""

    codes: Counter[int] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)
    processes: int = 0

    @property
    def cases(self) -> int:
        return self.codes.total()


def prepare(folder: Path) -> None:
    """Make the model that the cases of predict and score use."""
    (folder / "plain.csv").write_text(PLAIN)
    done = in_process(("plain.csv", "-t", "y", "-n", "5", "--save", "a-model.json", "-q"))
    if done.code:
        raise Failure(done.err.decode())


def in_process(args: tuple[str, ...]) -> Run:
    """Run gdfit here, with streams that hold bytes."""
    from gdcli.cli import main

    with contextlib.ExitStack() as stack:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        code = main(list(args))
        out.flush()
        err.flush()
        return Run(code, out.buffer.getvalue(), err.buffer.getvalue())  # type: ignore[attr-defined]


def in_a_process(args: tuple[str, ...]) -> Run:
    """Run gdfit as a process of its own, in this folder."""
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-m", "gdcli", *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": root, "COLUMNS": "80"},
        timeout=120,
    )
    return Run(done.returncode, done.stdout, done.stderr)


def check(case: Case, tally: Tally) -> None:
    """Run a case in the present folder, and raise Failure where something is wrong."""
    Path("data.csv").write_bytes(case.content)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    run = in_process(case.args)
    seconds = time.process_time() - start  # of work: the machine may be busy with other things
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    tally.codes[run.code] += 1
    try:
        _check_manners(case, run)
        if seconds > LONGEST_SECONDS or grown > MOST_BYTES:
            raise Failure(f"took {seconds:.0f} s and {grown >> 20} MiB")
        _check_written()
        if "--trace" not in case.args or "-" not in case.args:
            _check_format(case, run)
        if case.question is not None and run.code == 0 and run.out.startswith(b"{"):
            _check_answer(case, json.loads(run.out), tally)
        if zlib.crc32(case.content + case.command.encode()) % SUBPROCESS_SHARE == 0:
            tally.processes += 1
            _check_same(run, in_a_process(case.args))
    finally:
        for name in _WRITTEN:
            Path(name).unlink(missing_ok=True)


def check_run(run: Run) -> None:
    """Raise Failure where a command ended as none may."""
    if run.code not in DOCUMENTED:
        raise Failure(f"exit code {run.code} is not documented")
    err = run.err.decode()
    if "Traceback" in err or "fault in gdfit" in err:
        raise Failure(f"crashed: {err.strip()}")
    if err.count("\n") > MOST_LINES:
        raise Failure(f"{err.count(chr(10))} lines on stderr")
    if run.code in (1, 2) and "Error: " not in err:
        raise Failure(f"exit code {run.code} without an error on stderr: {err!r}")
    if found := _ACTING.search(err):
        raise Failure(f"stderr holds {found[0]!r}: {err!r}")


def _check_manners(case: Case, run: Run) -> None:
    check_run(run)
    if Path("data.csv").read_bytes() != case.content:
        raise Failure("the input was overwritten")


def _check_written() -> None:
    if left := [name for name in os.listdir(".") if name.endswith(".gdfit-tmp")]:
        raise Failure(f"left behind: {left}")
    for name in ("trace.jsonl", "model.json"):
        if os.path.exists(name):
            text = Path(name).read_text()
            for piece in text.splitlines() if name.endswith("l") else [text]:
                _strict_json(piece)


def _check_format(case: Case, run: Run) -> None:
    out = run.out.decode()
    form = case.args[case.args.index("--format") + 1] if "--format" in case.args else ""
    if case.args[0] == "summarize" or form == "json":
        for piece in out.splitlines() if "--by" in case.args else [out]:
            if piece:
                _strict_json(piece)
    elif form in ("csv", "tsv"):
        rows = list(csv.reader(io.StringIO(out, newline=""), delimiter="," if form == "csv" else "\t", strict=True))
        if len({len(row) for row in rows}) > 1:
            raise Failure(f"{form} with rows of several lengths")
    elif form == "table" and (found := _ACTING.search(out)):
        raise Failure(f"the table holds {found[0]!r}")
    elif form == "markdown":
        lines = [line for line in out.splitlines() if line.startswith("|")]
        if bool(out) != bool(lines) or _ACTING.search(out):
            raise Failure(f"this is no markdown: {out[:200]!r}")


def _strict_json(text: str) -> object:
    def refuse(word: str) -> None:
        raise Failure(f"JSON with {word}")

    try:
        return json.loads(text, parse_constant=refuse)
    except ValueError as error:
        raise Failure(f"this is no JSON: {error}: {text[:200]!r}") from None


def _check_answer(case: Case, found: dict, tally: Tally) -> None:
    assert case.question is not None
    content = case.content
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    try:
        expected = answer(content, case.question)
    except Unclear as reason:
        tally.compared[f"accepted, no reference: {reason}"] += 1
        return
    tally.compared["agrees" if expected.terms else "agrees in cost (collinear columns)"] += 1
    _compare(expected, found, case.question.intercept)


def _compare(expected: Answer, found: dict, intercept: bool) -> None:
    rows = found["rows"]
    if (rows["read"], rows["used"]) != (expected.read, expected.used):
        raise Failure(f"{rows['read']} rows read and {rows['used']} used, not {expected.read} and {expected.used}")
    if not abs(found["optimum"]["cost"] - expected.cost) <= expected.cost_tolerance:
        raise Failure(f"the optimum's cost is {found['optimum']['cost']}, not {expected.cost}")
    if expected.terms is None:
        return
    got = {one["term"]: one["optimum"] for one in found["coefficients"]}
    if intercept:
        got[""] = found["intercept"]["optimum"]
    if got.keys() != expected.terms.keys():
        raise Failure(f"the terms are {list(got)}, not {list(expected.terms)}")
    for name, value in expected.terms.items():
        if got[name] is None or not abs(got[name] - value) <= expected.tolerances[name]:
            raise Failure(f"the coefficient of {name or 'the intercept'!r} is {got[name]}, not {value}")


def _check_same(here: Run, there: Run) -> None:
    if here != there:
        raise Failure(f"a process of its own answers otherwise: {there}, and not {here}")
