"""Clusters that read many small blocks in small groups."""

from collections.abc import Callable, Iterator
from functools import partialmethod
from typing import Any

import pytest

from tests.ingest.clusters import started
from tests.tables import table

__all__ = ["address", "cluster", "small", "table"]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, blocks_of: Callable[[int], None]) -> Callable[..., None]:
    """Let files be read in blocks of so many bytes, so many of which are a group."""
    from gdcli.data.csv.ranges import CsvFile

    first = CsvFile.__init__  # a smaller size does not add to that of an earlier call

    def shrink(size: int = 700, group: int = 3) -> None:
        blocks_of(size)
        monkeypatch.setattr(CsvFile, "__init__", partialmethod(first, block_bytes=size))
        monkeypatch.setattr("gdcli.ingest.remote.SECTION", group)
        monkeypatch.setattr("gdcli.base.parallel.SECTION", group)

    return shrink


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    with started(2) as found:
        yield found


@pytest.fixture
def address(cluster: Any) -> str:
    return str(cluster.scheduler_address)
