"""Addresses such as s3://bucket/sales.csv are read like files, through fsspec."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gdcli import fit
from gdcli.base.errors import DataError
from tests.conftest import Done

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")

TEXT = b"size,price\n1,3\n2,5.5\n3,6\n4,9\n"
OPTIONS: dict[str, Any] = {"target": "price", "iterations": 5}


@pytest.fixture(autouse=True)
def memory() -> Iterator[Any]:
    """A file system in memory."""
    system = fsspec.filesystem("memory")
    system.pipe("/sales/a.csv", TEXT)
    system.pipe("/sales/b.csv", TEXT)
    yield system
    system.rm("/sales", recursive=True)


def test_an_address_is_read_like_a_file(csv_file: Callable[..., str]) -> None:
    here = fit(csv_file(TEXT), **OPTIONS)
    there = fit("memory://sales/a.csv", **OPTIONS)
    assert (there.coefficients, there.intercept) == (here.coefficients, here.intercept)
    assert there.files == ("memory://sales/a.csv",)


def test_an_address_may_hold_wildcards() -> None:
    assert fit("memory://sales/*.csv", **OPTIONS).rows.read == 8


def test_a_question_mark_in_an_address_is_no_wildcard(memory: Any) -> None:
    memory.pipe("/sales/c.csv?version=2", TEXT)
    memory.pipe("/sales/c.csv.version=2", TEXT)
    assert fit("memory://sales/c.csv?version=2", **OPTIONS).rows.read == 4


def test_a_file_whose_name_looks_like_an_address_goes_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory:/sales").mkdir(parents=True)
    (tmp_path / "memory:/sales/a.csv").write_bytes(TEXT * 1 + b"5,1\n")
    monkeypatch.chdir(tmp_path)
    assert fit("memory://sales/a.csv", **OPTIONS).rows.read == 5


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("memory://sales/none.csv", "no such file"),
        ("memory://sales/none*.csv", "no such file, and none that it matches"),
        ("carrier://pigeon.csv", "Protocol not known: carrier"),
    ],
)
def test_what_cannot_be_read_is_one_line(address: str, said: str, gdfit: Callable[..., Done]) -> None:
    assert gdfit(address, "-t", "price") == (1, "", f"Error: cannot read '{address}': {said}\n")


def test_the_package_that_a_kind_of_address_needs_is_named(
    gdfit: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec("s3fs") is not None:
        monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    done = gdfit("s3://bucket/sales.csv", "-t", "price")
    assert done.code == 1
    assert done.err == "Error: cannot read 's3://bucket/sales.csv': to read such addresses: pip install 'gdfit[url]'\n"


def test_without_fsspec_the_extra_is_named(gdfit: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fsspec", "fsspec.core"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    done = gdfit("memory://sales/a.csv", "-t", "price")
    assert done.code == 1
    assert "pip install 'gdfit[url]'" in done.err


def test_an_address_that_breaks_off_is_one_line(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        size = 1000

        def read(self, size: int = -1) -> bytes:
            raise RuntimeError("the line\nwas cut")

        def close(self) -> None:
            pass

    monkeypatch.setattr(type(memory), "_open", lambda self, *args, **options: Broken())
    with pytest.raises(DataError, match=r"^cannot read 'memory://sales/a\.csv': the line was cut$"):
        fit("memory://sales/a.csv", **OPTIONS)
