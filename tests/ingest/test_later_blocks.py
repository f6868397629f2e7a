"""What is wrong in a later block ends the run: no row is lost without a word."""

import gzip
from collections.abc import Callable, Iterator
from itertools import islice

import pytest
import zstandard

from gdcli import fit, summarize
from gdcli.base.errors import DataError
from gdcli.base.parallel import ordered_map

ROWS = 2000
TABLE = "x,y\n" + "".join(f"{i % 97},{i * 7919 % 10007}\n" for i in range(ROWS))
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "zst": zstandard.compress}
several_jobs = pytest.mark.parametrize("jobs", [1, 3])


@several_jobs
def test_an_error_of_the_items_comes_after_the_results_before_it(jobs: int) -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise DataError("the archive is cut")

    results = ordered_map(lambda item: item * 10, items(), jobs)
    found = list(islice(results, 5))
    with pytest.raises(DataError, match="the archive is cut"):
        next(results)
    assert found == [0, 10, 20, 30, 40]


@several_jobs
@pytest.mark.parametrize("kind", COMPRESSORS)
@pytest.mark.parametrize("left", [0.97, 0.5])
def test_a_cut_archive_is_an_error(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], jobs: int, kind: str, left: float
) -> None:
    data = COMPRESSORS[kind](TABLE.encode())
    path = csv_file(data[: int(left * len(data))], f"cut.csv.{kind}")
    blocks_of(500)
    with pytest.raises(DataError, match=r"cut\.csv"):
        fit(path, target="y", jobs=jobs)
    with pytest.raises(DataError, match=r"cut\.csv"):
        summarize(path, jobs=jobs)


@several_jobs
@pytest.mark.parametrize("loss", ["squared", "huber"])
def test_a_bad_row_in_the_fourth_block_is_named_by_its_line(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], jobs: int, loss: str
) -> None:
    lines = TABLE.splitlines(keepends=True)
    size = len(TABLE) // 10
    bad = next(i for i in range(len(lines)) if len("".join(lines[:i])) > 3.5 * size)
    lines[bad] = "1,2,3\n"
    blocks_of(size)
    with pytest.raises(DataError, match=rf"line {bad + 1}\b"):
        fit(csv_file("".join(lines)), target="y", jobs=jobs, loss=loss)
