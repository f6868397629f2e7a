"""A file that changes while it is read is an error that says so; one that only grew is a warning with the rows read."""

import gzip
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gdcli.api import run_fit
from gdcli.base.errors import DataError
from gdcli.data.csv import source
from gdcli.fitting.options import FitOptions

HEADER, ROW = b"x,y\n", b"%04d,%04d\n"
TABLE = HEADER + b"".join(ROW % (i, 7 * i % 100) for i in range(2000))


@pytest.fixture
def while_read(monkeypatch: pytest.MonkeyPatch, blocks_of: Callable[[int], None]) -> Callable[..., None]:
    """Let something happen to the file after the first of many blocks is read, or after the last one."""

    def plan(change: Callable[[], object], after: str = "first") -> None:
        blocks_of(1000)
        cut = source.cut

        def changing(*args: object, **settings: object) -> object:
            chunks = cut(*args, **settings)
            if after == "first":
                yield next(chunks)
                change()
            yield from chunks
            if after == "last":
                change()

        monkeypatch.setattr(source, "cut", changing)

    return plan


def rewrite(path: str, content: bytes) -> Callable[[], object]:
    return lambda: Path(path).write_bytes(content)


def append(path: str, content: bytes) -> Callable[[], object]:
    def write() -> None:
        with open(path, "ab") as file:
            file.write(content)

    return write


def rows_of(path: str, notes: object) -> int:
    return run_fit([path], FitOptions.of(target="y", iterations=1, jobs=1), (), notes).rows.read


@pytest.mark.parametrize("after", ["first", "last"])
@pytest.mark.parametrize(
    ("content", "how"),
    [
        (TABLE[: len(TABLE) // 2], "shrank from [0-9,]+ to [0-9,]+ bytes"),
        (b"", "shrank from [0-9,]+ to 0 bytes"),
        (TABLE[:-5] + b"9999\n", "was written to"),
    ],
)
def test_a_file_that_is_written_anew_while_it_is_read_is_an_error(
    csv_file: Callable[..., str], while_read: Callable[..., None], notes: object, content: bytes, how: str, after: str
) -> None:
    path = csv_file(TABLE)
    while_read(rewrite(path, content), after)
    with pytest.raises(DataError, match=f"'{re.escape(path)}' {how} while it was read: read it again"):
        rows_of(path, notes)


def test_a_file_that_is_replaced_while_it_is_read_is_an_error(
    csv_file: Callable[..., str], while_read: Callable[..., None], notes: object
) -> None:
    path, other = csv_file(TABLE), csv_file(TABLE + b"5,5\n", "other.csv")
    while_read(lambda: os.replace(other, path))
    with pytest.raises(DataError, match="was replaced while it was read"):
        rows_of(path, notes)


def test_a_file_that_is_removed_while_it_is_read_is_read_to_its_end(
    csv_file: Callable[..., str], while_read: Callable[..., None], notes: object
) -> None:
    path = csv_file(TABLE)
    while_read(lambda: os.unlink(path))
    assert rows_of(path, notes) == 2000


def test_a_file_that_grew_is_a_warning_with_the_rows_read(
    csv_file: Callable[..., str], while_read: Callable[..., None], notes: object
) -> None:
    path = csv_file(TABLE)
    while_read(append(path, b"1,2\n"), "last")
    assert rows_of(path, notes) == 2000
    assert notes.warnings == [f"'{path}' grew while it was read: 2,000 rows read, no later ones"]


def test_a_file_that_grew_within_a_row_is_an_error(
    csv_file: Callable[..., str], while_read: Callable[..., None], notes: object
) -> None:
    path = csv_file(TABLE + b"5,1")  # it was to be 5,12
    while_read(append(path, b"2\n"), "last")
    with pytest.raises(DataError, match="grew while it was read"):
        rows_of(path, notes)


def test_a_file_that_shrinks_and_grows_again_is_an_error(
    csv_file: Callable[..., str], while_read: Callable[..., None], notes: object
) -> None:
    large = TABLE + TABLE.removeprefix(HEADER) * 20  # more than is read ahead
    path = csv_file(large)
    while_read(rewrite(path, large[: len(large) // 2]), "first")
    whole = source.cut

    def grows_again(*args: object, **settings: object) -> object:
        yield from whole(*args, **settings)
        Path(path).write_bytes(large * 2)

    source.cut = grows_again  # undone with the other change
    with pytest.raises(DataError, match="was written to while it was read"):
        rows_of(path, notes)


def test_a_compressed_file_and_standard_input_are_watched_too(
    csv_file: Callable[..., str], while_read: Callable[..., None], notes: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = csv_file(gzip.compress(TABLE))
    while_read(lambda: os.utime(path, (1, 1)))
    with pytest.raises(DataError, match=r"data.csv' was written to while it was read"):
        rows_of(path, notes)
    with open(path, encoding="latin-1") as stream:
        monkeypatch.setattr("sys.stdin", stream)
        os.utime(path, (2, 2))
        with pytest.raises(DataError, match="'standard input' was written to while it was read"):
            rows_of("-", notes)


def test_score_and_predict_and_groups_notice_it_too(
    csv_file: Callable[..., str], while_read: Callable[..., None], gdfit: Callable[..., object], tmp_path: Path
) -> None:
    path = csv_file(TABLE)
    model = tmp_path / "model.json"
    assert gdfit(path, "-t", "y", "-n", "1", "-q", "--save", model).code == 0
    while_read(append(path, b"3,2\n"), "last")
    for words in (["score", model, path], ["predict", model, path], [path, "-t", "y", "--by", "x", "-n", "1"]):
        rows = 2000 + (os.path.getsize(path) - len(TABLE)) // 4
        done = gdfit(*words)
        assert done.code == 0
        assert f"grew while it was read: {rows:,} rows read, no later ones" in done.err


def test_parquet_that_changes_while_it_is_read_is_an_error(tmp_path: Path, notes: object) -> None:
    import pyarrow
    from pyarrow import parquet

    from gdcli.data.csv.options import CsvOptions
    from gdcli.data.streams import open_stream
    from gdcli.ingest.formats import open_input

    path = tmp_path / "a.parquet"
    parquet.write_table(pyarrow.table({"x": [1.0, 2.0], "y": [3.0, 4.0]}), path)
    blocks = open_input(open_stream(str(path)), CsvOptions(), notes).blocks()
    next(blocks)
    append(str(path), b"more")()
    with pytest.raises(DataError, match="was written to while it was read"):
        next(blocks)
