"""One machine, one result: to the last bit for any number of jobs, for a file, its archives, stdin and many runs."""

import bz2
import dataclasses
import gzip
import io
import lzma
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

from gdcli import fit
from gdcli.fitting.results import Fit

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.compress,
}
OPTIONS: dict[str, Any] = {"target": "y", "iterations": 40, "learning_rate": 0.1, "categorical": "code"}


def table(rows: int = 900) -> bytes:
    random = np.random.default_rng(0)
    kind = np.where(np.arange(rows) > rows - 3, "late", random.choice(["p", '"q, r"', '"s\nt"'], rows))
    code = random.choice(["01", "1", "2"], rows)
    when, size = 1.7e9 + random.integers(0, 10**6, rows), random.normal(size=rows)
    y = size * 3 + (kind == "p") + when / 1e5 + random.normal(size=rows)
    lines = [
        f"{t},{x!r},{k},{c},{v!r}"
        for t, x, k, c, v in zip(when.tolist(), size.tolist(), kind.tolist(), code.tolist(), y.tolist(), strict=True)
    ]
    lines[321] = f",{lines[321].split(',', 1)[1]}"
    return ("when,size,kind,code,y\n" + "\n".join(lines) + "\n").encode()


def bits(result: Fit) -> Fit:
    """Everything but the names of the files; equality of floats is equality of their bits here (none is NaN)."""
    return dataclasses.replace(result, files=())


@pytest.fixture(params=[680, 10**9], ids=["seventy blocks", "one block"])
def path(request: pytest.FixtureRequest, csv_file: Callable[..., str], blocks_of: Callable[[int], None]) -> str:
    blocks_of(request.param)
    return csv_file(table())


@cache
def known(size: int) -> list[Fit]:
    """A place for the fit of one job, which is fitted once for each size of the blocks."""
    return []


@pytest.fixture
def plain(path: str, request: pytest.FixtureRequest) -> Fit:
    """The fit of the plain file by one job."""
    found = known(request.node.callspec.params["path"])
    if not found:
        found.append(bits(fit(path, jobs=1, **OPTIONS)))
    return found[0]


@pytest.mark.parametrize("jobs", [2, 3, None])
def test_the_number_of_jobs_does_not_change_a_bit(path: str, plain: Fit, jobs: int | None) -> None:
    assert bits(fit(path, jobs=jobs, **OPTIONS)) == plain


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_an_archive_does_not_change_a_bit(plain: Fit, csv_file: Callable[..., str], kind: str) -> None:
    archive = csv_file(COMPRESSORS[kind](table()), "other." + kind)
    assert bits(fit(archive, jobs=3, **OPTIONS)) == plain


def test_an_archive_of_many_members_does_not_change_a_bit(plain: Fit, csv_file: Callable[..., str]) -> None:
    data = table()
    members = b"".join(gzip.compress(data[i : i + 5000]) for i in range(0, len(data), 5000))
    assert bits(fit(csv_file(members, "other.gz"), **OPTIONS)) == plain


@pytest.mark.parametrize("encode", [bytes, gzip.compress])
def test_standard_input_does_not_change_a_bit(
    plain: Fit, monkeypatch: pytest.MonkeyPatch, encode: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(encode(table()))))
    assert bits(fit("-", jobs=2, **OPTIONS)) == plain


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b"\n\r\n  \n"], ids=["byte-order mark", "blank lines"])
def test_what_stands_before_the_header_does_not_change_a_bit(
    plain: Fit, csv_file: Callable[..., str], prefix: bytes
) -> None:
    assert bits(fit(csv_file(prefix + table(), "other.csv"), **OPTIONS)) == plain


def test_another_encoding_does_not_change_a_bit(plain: Fit, csv_file: Callable[..., str]) -> None:
    other = csv_file(table().decode().encode("utf-16"), "other.csv")
    assert bits(fit(other, **OPTIONS)) == plain


def test_many_runs_do_not_differ_in_a_bit(path: str, plain: Fit) -> None:
    assert all(bits(fit(path, jobs=3, **OPTIONS)) == plain for _ in range(4))


def test_other_columns_in_use_do_not_change_a_bit_of_those_kept(path: str) -> None:
    few = fit(path, features=["size"], **{**OPTIONS, "categorical": ()})
    again = fit(path, exclude=["when", "kind", "code"], **{**OPTIONS, "categorical": ()})
    assert bits(few) == bits(again)


def test_a_file_given_twice_counts_twice_and_keeps_the_optimum(path: str) -> None:
    once, twice = fit(path, **OPTIONS), fit([path, path], jobs=3, **OPTIONS)
    assert twice.rows.read == 2 * once.rows.read
    assert twice.files == (path, path)
    for a, b in zip(twice.coefficients, once.coefficients, strict=True):
        assert a.optimum == pytest.approx(b.optimum, rel=1e-9)
    assert bits(twice) == bits(fit([path, path], jobs=1, **OPTIONS))


def run(arguments: list[str], stdin: Any = None, **environment: str) -> str:
    code = (
        "import dataclasses, sys\nfrom gdcli import fit\n"
        "path, jobs = sys.argv[1], int(sys.argv[2])\n"
        "result = fit(path, target='y', iterations=40, learning_rate=0.1, categorical='code', jobs=jobs)\n"
        "for field in dataclasses.fields(result):\n"
        "    if field.name != 'files':\n"
        "        print(field.name, getattr(result, field.name))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        stdin=stdin,
        capture_output=True,
        check=True,
        env={**os.environ, **environment},
        cwd=Path(__file__).resolve().parents[2],
    )
    return done.stdout.decode()


def test_fresh_processes_and_a_real_pipe_do_not_differ_in_a_bit(csv_file: Callable[..., str]) -> None:
    # 9 MB: two blocks of the usual size
    rows = table().split(b"\n", 1)
    data = rows[0] + b"\n" + rows[1] * 175
    path = csv_file(data)
    plain = run([path, "1"], PYTHONHASHSEED="1")
    assert "Coefficient(" in plain
    archive = csv_file(gzip.compress(data, 1), "other.gz")
    with subprocess.Popen(["cat", archive], stdout=subprocess.PIPE) as cat:
        assert run(["-", "3"], cat.stdout, PYTHONHASHSEED="2", OPENBLAS_NUM_THREADS="2") == plain
