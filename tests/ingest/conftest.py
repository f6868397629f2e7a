"""Tables to summarize, and clusters that read many small blocks in small groups."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from tests.ingest.clusters import started


@pytest.fixture
def table(csv_file: Callable[..., str]) -> Callable[..., str]:
    """Write a table: a column far from zero, a text column, weights, missing cells; levels and means differ by seed."""

    def write(
        name: str = "data.csv",
        rows: int = 50,
        seed: int = 1,
        levels: str = "abc",
        missing: bool = False,
        shift: float = 0,
    ) -> str:
        random = np.random.default_rng(seed)
        lines = ["when,size,kind,w,price"]
        for i in range(rows):
            when, size = (
                1_700_000_000 + shift + int(random.integers(0, 10**6)),
                float(random.normal()) * 5 + shift / 1e6,
            )
            kind = levels[i % len(levels)]
            price = 3 * size + ord(kind) + (when - 1.7e9) / 1e5 + float(random.normal())
            cells = [str(when), repr(size), kind, str(random.choice([0, 0.5, 1, 2])), repr(price)]
            if missing and random.random() < 0.15:
                cells[random.integers(0, 3)] = random.choice(["", "NA"])
            lines.append(",".join(cells))
        return csv_file("\n".join(lines) + "\n", name)

    return write


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, blocks_of: Callable[[int], None]) -> Callable[..., None]:
    """Let files be read in blocks of so many bytes, so many of which are a group."""
    from gdcli.data.csv.ranges import CsvFile

    def shrink(size: int = 700, group: int = 3) -> None:
        blocks_of(size)
        monkeypatch.setattr("gdcli.data.csv.source.CsvFile", partial(CsvFile, block_bytes=size))
        monkeypatch.setattr("gdcli.ingest.remote.GROUP", group)
        monkeypatch.setattr("gdcli.base.parallel.GROUP", group)

    return shrink


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    with started(2) as found:
        yield found


@pytest.fixture
def address(cluster: Any) -> str:
    return str(cluster.scheduler_address)
