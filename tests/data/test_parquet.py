"""Parquet gives what the CSV of the same table gives, in blocks that no row group and no thread changes."""

import datetime as dt
import decimal
import gzip
import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partialmethod
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gdcli.api import fit_data as fit
from gdcli.base.errors import CellError, DataError
from gdcli.data.parquet.source import ParquetSource
from gdcli.data.source import OtherFileError, Place
from gdcli.data.streams import open_stream
from gdcli.fitting.results import Fit

Y = [1.0, 3.0, 2.0, 5.0, 4.0, 7.5]
HALF = decimal.Decimal("0.50")


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[..., str]:
    """Write a table of columns, and return the file's path."""

    def write(columns: dict[str, Any], name: str = "data.parquet", **options: Any) -> str:
        pq.write_table(pa.table(columns), tmp_path / name, **options)
        return str(tmp_path / name)

    return write


def same(result: Fit, other: Fit) -> bool:
    return replace(result, files=()) == replace(other, files=())


SAME: dict[str, tuple[pa.Array, str]] = {
    "integers": (pa.array([1, 2, 3, 5, 8, 13]), "1 2 3 5 8 13"),
    "small integers": (pa.array([1, 2, 3, 5, 8, 255], pa.uint8()), "1 2 3 5 8 255"),
    "integers with nulls": (pa.array([1, None, 3, 5, 8, 13], pa.int32()), "1  3 5 8 13"),
    "floats with nulls and NaN": (pa.array([0.1, None, 0.3, 1e-9, float("nan"), -5.5]), "0.1  0.3 1e-9  -5.5"),
    "half floats": (pa.array(np.array([1, 2.5, 3, 5, 8, 13], dtype=np.float16)), "1 2.5 3 5 8 13"),
    "decimals": (pa.array([HALF, None, HALF * 3, HALF, HALF * 7, HALF]), "0.5  1.5 0.5 3.5 0.5"),
    "bools": (pa.array([True, False, None, True, False, True]), "True False  True False True"),
    "texts": (pa.array(["x", "y", None, "z", " x ", ""]), "x y  z x "),
    "large texts": (pa.array(["x", "y", None, "z", "x", "NA"], pa.large_string()), "x y  z x NA"),
    "categories": (pa.array(["b", "a", None, "b", "c", "a"]).dictionary_encode(), "b a  b c a"),
    "numbers as texts": (pa.array(["1", " 2", "3.5", "NA", "5e1", "6"]), "1 2 3.5 NA 5e1 6"),
    "dates": (pa.array([dt.date(2024, 1, 1 + i % 2) for i in range(6)]), "2024-01-01 2024-01-02 " * 3),
}


@pytest.mark.parametrize(("column", "cells"), SAME.values(), ids=SAME)
def test_a_column_gives_what_the_csv_of_its_values_gives(
    parquet: Callable[..., str], csv_file: Callable[..., str], column: pa.Array, cells: str
) -> None:
    rows = zip(cells.split(" "), Y, strict=False)
    text = "a,y\n" + "".join(f"{cell},{y}\n" for cell, y in rows)
    assert same(fit(parquet({"a": column, "y": Y}), target="y"), fit(csv_file(text), target="y"))


def test_integers_as_categories_stay_integers_beside_a_null(parquet: Callable[..., str]) -> None:
    path = parquet({"a": pa.array([1, 1, None, 2, 2, 2]), "y": Y})
    result = fit(path, target="y", categorical="a")
    assert [c.term for c in result.coefficients] == ["a[2]"]


def test_an_instant_is_a_number_of_days_and_a_column_of_nulls_has_no_value(parquet: Callable[..., str]) -> None:
    moments = pa.array([dt.datetime(2024, 1, 1 + i % 2) for i in range(6)], pa.timestamp("ns", "UTC"))
    result = fit(parquet({"a": moments, "y": Y}), target="y")
    days = np.array([19723.0 + i % 2 for i in range(6)])  # since 1970-01-01, by the calendar
    slope, _ = np.polyfit(days - 19723, Y, 1)
    assert [c.term for c in result.coefficients] == ["a"]
    assert result.coefficients[0].optimum == pytest.approx(slope, abs=1e-9)
    with pytest.raises(DataError, match="column 'a' lacks all of its values"):
        fit(parquet({"a": pa.nulls(6), "y": Y}), target="y")


# --- blocks, row groups, threads


def large(n: int = 150_000) -> dict[str, Any]:
    random = np.random.default_rng(3)
    x, k = random.normal(size=n), random.choice(["p", "q"], n)
    k[-1] = "late"
    z = np.where(random.random(n) < 0.01, np.nan, random.integers(0, 50, n))
    return {"unused": [["nested"]] * n, "x": x, "z": z, "k": k, "y": 2 * x - z + (k == "q") + random.normal(size=n)}


def test_row_groups_threads_and_the_way_of_reading_change_no_bit(
    parquet: Callable[..., str], csv_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = large()
    options: dict[str, Any] = {"target": "y", "features": ("x", "z", "k"), "cv": 3}
    expected = fit(parquet(columns), jobs=1, **options)
    for size in (9_973, 65_536, 150_000):
        assert same(fit(parquet(columns, f"{size}.parquet", row_group_size=size), jobs=3, **options), expected)
    content = Path(parquet(columns)).read_bytes()
    assert same(fit(csv_file(gzip.compress(content), "data.parquet.gz"), jobs=2, **options), expected)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert same(fit("-", jobs=2, **options), expected)
    as_it_likes = partialmethod(pq.ParquetFile.iter_batches, batch_size=10_007)
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", lambda self, batch_size, **kw: as_it_likes.__get__(self)(**kw))
    assert same(fit(parquet(columns), jobs=2, **options), expected)

    kept = ~np.isnan(columns["z"])
    levels = [(columns["k"] == level)[kept] for level in ("p", "q")]
    X = np.column_stack([columns["x"][kept], columns["z"][kept], *levels, np.ones(kept.sum())])
    solution, *_ = np.linalg.lstsq(X, columns["y"][kept], rcond=None)
    assert expected.rows.used == kept.sum()
    assert [c.term for c in expected.coefficients] == ["x", "z", "k[p]", "k[q]"]
    assert expected.intercept is not None
    found = [*(c.optimum for c in expected.coefficients), expected.intercept.optimum]
    assert found == pytest.approx(solution.tolist(), rel=1e-9)


def test_only_the_columns_that_are_used_are_read(parquet: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    iter_batches = pq.ParquetFile.iter_batches

    def spy(self: Any, *, columns: Any, **options: Any) -> Any:
        asked.update(columns)
        return iter_batches(self, columns=columns, **options)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", spy)
    fit(parquet(large(1000)), target="y", features=("x",), weights="z")
    assert asked == {"x", "y", "z"}


def test_a_fault_far_down_names_its_row(parquet: Callable[..., str]) -> None:
    x = np.zeros(70_000)
    x[69_000] = np.inf
    with pytest.raises(CellError, match=r"data.parquet', row 69001, column 'x': the value is infinite"):
        fit(parquet({"x": x, "y": np.arange(70_000.0)}), target="y")
    cells = [*map(str, range(69_999)), "oops"]
    with pytest.raises(CellError, match=r"row 70000, column 'x': 'oops' is not a number"):
        fit(parquet({"x": cells, "y": np.arange(70_000.0)}), target="y")


# --- what is refused


@pytest.mark.parametrize(
    "column",
    [pa.array([[1]] * 6), pa.array([{"a": 1}] * 6), pa.array([b"x"] * 6), pa.array([b"xy"] * 6, pa.binary(2))],
    ids=["list", "struct", "binary", "fixed binary"],
)
def test_a_kind_that_is_neither_number_nor_text_is_refused_where_it_is_used(
    parquet: Callable[..., str], column: pa.Array
) -> None:
    path = parquet({"x": Y[::-1], "a": column, "y": Y})
    with pytest.raises(CellError, match=r"column 'a': .* is neither a number nor a text.*--exclude a"):
        fit(path, target="y")
    assert fit(path, target="y", exclude="a").features == ("x",)


def test_options_for_text_are_wrong_usage(gdfit: Callable[..., Any], parquet: Callable[..., str]) -> None:
    path = parquet({"x": Y[::-1], "y": Y})
    for words in (("--sep", ","), ("--on-bad-row", "skip"), ("--encoding", "latin-1"), ("--decimal", ",")):
        done = gdfit(path, "-t", "y", *words)
        assert done.code == 2
        assert done.err.startswith(f"Error: '{path}' is Parquet, where {words[0]}")


def test_a_damaged_file_is_one_line_and_exit_1(
    gdfit: Callable[..., Any], parquet: Callable[..., str], csv_file: Callable[..., str]
) -> None:
    path = parquet({"x": np.arange(1000.0), "y": np.arange(1000.0) ** 2}, compression="snappy")
    content = Path(path).read_bytes()
    middle = len(content) // 4
    damages = (
        content[:4],
        content[:9000],
        content[:-8] + b"\0" * 8,
        content[:200] + b"\xff" * middle + content[200 + middle :],
    )
    for damaged in damages:
        done = gdfit(csv_file(damaged, "damaged.parquet"), "-t", "y")
        assert (done.code, done.out) == (1, "")
        assert "damaged.parquet' cannot be read as Parquet: " in done.err
        assert done.err.count("\n") == 1


def test_without_pyarrow_the_extra_is_named(
    gdfit: Callable[..., Any], parquet: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = parquet({"x": Y[::-1], "y": Y})
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    done = gdfit(path, "-t", "y")
    assert (done.code, done.err) == (1, f"Error: '{path}' is Parquet: pip install 'gdfit[parquet]' to read it\n")


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(Y)] * 3, names=["a", "a", "y"])
    pq.write_table(table, tmp_path / "twice.parquet")
    with pytest.raises(DataError, match="more than one column named 'a'"):
        fit(tmp_path / "twice.parquet", target="y")


def test_a_table_without_rows_says_so(parquet: Callable[..., str]) -> None:
    with pytest.raises(DataError, match="has a header but no rows"):
        fit(parquet({"x": pa.array([], pa.float64()), "y": pa.array([], pa.float64())}), target="y")


# --- among other inputs, and on other commands


def test_parquet_csv_and_json_lines_are_read_together(
    parquet: Callable[..., str], csv_file: Callable[..., str]
) -> None:
    table = parquet({"x": [1, 2], "k": ["a", "b"], "y": [1.5, 2]})
    text, lines = (
        csv_file("y,k,x\n7,a,3\n5,c,4\n"),
        csv_file('{"y": 3, "k": "b", "x": 5}\n{"y": 4, "k": "a", "x": 7}\n', "a.jsonl"),
    )
    whole = fit(csv_file("x,k,y\n1,a,1.5\n2,b,2\n3,a,7\n4,c,5\n5,b,3\n7,a,4\n", "whole.csv"), target="y")
    both = fit([table, text, lines], target="y")
    assert both.rows == whole.rows
    assert [c.optimum for c in both.coefficients] == pytest.approx([c.optimum for c in whole.coefficients], rel=1e-12)
    with pytest.raises(DataError, match="lacks k, unlike"):
        fit([text, parquet({"x": Y, "y": Y}, "other.parquet")], target="y")


def test_predict_writes_the_rows_as_csv(
    gdfit: Callable[..., Any], parquet: Callable[..., str], csv_file: Callable[..., str], tmp_path: Path
) -> None:
    saved = tmp_path / "line.json"
    train = csv_file("x,y\n0,1\n1,3\n2,5\n", "line.csv")
    assert gdfit(train, "-t", "y", "--optimizer", "newton", "-n", 1, "--save", saved, "-q").code == 0
    path = parquet(
        {
            "x": pa.array([1, None, 2**60], pa.int64()),
            "a,b": ['q"', None, "c\nd"],
            "f": [0.1, float("nan"), 1e300],
            "t": [True, False, None],
        }
    )
    done = gdfit("predict", saved, path)
    assert "1 of 3 rows could not be predicted ('x' 1)" in done.err
    numbers = [
        float(line.rpartition(",")[2] or "nan")
        for line in done.out.splitlines()[1:]
        if line != '1152921504606846976,"c'
    ]
    assert numbers == pytest.approx([3, float("nan"), 2**61 + 1], nan_ok=True, rel=1e-12)
    assert done.out.startswith('x,"a,b",f,t,y_predicted\n1,"q""",0.1,True,')
    assert '\n,,,False,\n1152921504606846976,"c\nd",1e+300,,' in done.out
    # Rows of CSV and of Parquet in one output, in the order of the first.
    other = csv_file('t;f;"a,b";x\nTrue;7;z;1\n', "other.csv")
    assert gdfit("predict", saved, path, other).out.splitlines()[-1].startswith("1,z,7,True,")
    assert gdfit("predict", saved, other, path).out.splitlines()[1:3][1].startswith('True;0.1;"q""";1;')
    assert gdfit("predict", saved, path, "--only").out.count("\n") == 4
    assert "has a column 'x' already" in gdfit("predict", saved, path, "--column", "x").err


def test_score_reads_parquet(gdfit: Callable[..., Any], parquet: Callable[..., str], tmp_path: Path) -> None:
    saved, path = tmp_path / "model.json", parquet({"x": Y[::-1], "y": Y})
    assert gdfit(path, "-t", "y", "--optimizer", "newton", "-n", 1, "--save", saved, "-q").code == 0
    score = json.loads(gdfit("score", saved, path, "--format", "json").out)
    slope, intercept = np.polyfit(Y[::-1], Y, 1)
    assert score["rmse"] == pytest.approx(np.sqrt(np.mean((slope * np.array(Y[::-1]) + intercept - Y) ** 2)), rel=1e-9)


def test_columns_are_completed_from_the_schema(
    gdfit: Callable[..., Any], parquet: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = parquet({"price": Y, "sqft": Y})
    monkeypatch.setenv("_GDFIT_COMPLETE", "zsh")
    assert gdfit(path, "-t", "").out == "plain\tprice\t\nplain\tsqft\t\n"


def test_reading_csv_does_not_load_pyarrow(csv_file: Callable[..., str]) -> None:
    import subprocess

    code = "import sys; from gdcli.cli import main; main(sys.argv[1:]); assert 'pandas' in sys.modules; "
    code += "sys.exit(bool(sys.modules.get('pyarrow')))"
    large = "x,y\n" + "".join(f"{k}e1,{k % 7}\n" for k in range(150_000))  # worth pandas
    words = [csv_file(large), "-t", "y", "-q"]
    assert subprocess.run([sys.executable, "-c", code, *words], check=False).returncode == 0


@pytest.mark.parametrize("group", [1, 7, 30, 1000])
def test_a_file_is_read_from_any_block_on_whatever_its_row_groups(parquet: Callable[..., str], group: int) -> None:
    x = np.random.default_rng(5).normal(size=101)
    path = parquet({"x": x, "kind": ["a", "b", None] * 33 + ["c", "a"]}, row_group_size=group)
    source = ParquetSource(open_stream(path), 8)
    found = source.for_workers()
    assert found is not None
    assert (found.count_blocks(), found.start, found.guess(0)) == (13, Place(0, 0, 1), 0)
    whole = [block.table(["x"], ["kind"], frozenset()) for block in source.blocks()]
    assert np.concatenate([table.numeric["x"] for table in whole]).tolist() == x.tolist()
    for first in range(13):
        start = Place(first, found.guess(first), 0)
        places = [start.at]
        for expected, (block, after) in zip(whole[first:], found.blocks(start), strict=True):
            table = block.table(["x"], ["kind"], frozenset())
            assert (table.rows, table.numeric["x"].tolist()) == (expected.rows, expected.numeric["x"].tolist())
            assert table.text["kind"].codes.tolist() == expected.text["kind"].codes.tolist()
            places.append(found.bytes if after is None else after.at)
        assert places == [*map(found.guess, range(first, 13)), found.bytes]


def test_another_file_under_the_path_of_one_for_workers_is_told(parquet: Callable[..., str], tmp_path: Path) -> None:
    path = parquet({"x": Y})
    found = ParquetSource(open_stream(path)).for_workers()
    assert found is not None
    parquet({"x": Y * 9})
    with pytest.raises(OtherFileError, match="bytes here"):
        next(found.blocks(found.start))
    (tmp_path / "data.parquet").unlink()
    with pytest.raises(OtherFileError, match="no such file"):
        next(found.blocks(found.start))


def test_a_compressed_file_is_refused_for_workers(parquet: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress(Path(parquet({"x": Y})).read_bytes()))
    with pytest.raises(DataError, match="is compressed, so the workers of a cluster cannot read it in parts"):
        ParquetSource(open_stream(str(tmp_path / "a.parquet.gz"))).for_workers()
