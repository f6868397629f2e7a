"""An input format is added by its own module and one line of the registry: lines of cells in columns of fixed width."""

from collections.abc import Callable, Collection, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gdcli.api import fit_data as fit
from gdcli.base.errors import NotNumericError
from gdcli.base.listener import Listener
from gdcli.base.names import quoted
from gdcli.data.csv.options import CsvOptions
from gdcli.data.csv.rewrite import rewriter_of_cells
from gdcli.data.formats import Format
from gdcli.data.py_objects import numbers_of, texts_of
from gdcli.data.source import RowWriter, Source
from gdcli.data.streams import Stream
from gdcli.data.table import Block, Table
from gdcli.ingest import formats

WIDTH = 8

BLOCK_ROWS = 7


class FixedWidthBlock(Block):
    def __init__(self, source: "FixedWidthSource", start: int, lines: list[str]) -> None:
        self.source, self.start, self.lines = source, start, lines

    @property
    def whole(self) -> bool:
        return len(self.lines) < BLOCK_ROWS

    def head(self) -> Block:
        return FixedWidthBlock(self.source, self.start, self.lines[:3])

    def where(self, place: int) -> str:
        return f"{quoted(self.source.name)}, line {self.start + place + 1}"

    def table(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Table:
        cells = {name: [cell or None for cell in column] for name, column in self.columns().items()}
        numbers = {}
        for name in numeric:
            numbers[name], faults = numbers_of(cells[name], missing)
            if faults:
                raise NotNumericError(f"{self.where(faults[0].row)}, column {quoted(name)}: {faults[0].reason}")
        return Table(len(self.lines), numbers, {name: texts_of(cells[name], missing) for name in text})

    def columns(self) -> dict[str, list[str]]:
        rows = [cells_of(line, len(self.source.names)) for line in self.lines]
        return {name: [row[i] for row in rows] for i, name in enumerate(self.source.names)}


class FixedWidthSource(Source):
    def __init__(self, stream: Stream) -> None:
        text = b"".join(iter(lambda: stream.text.read(1 << 16), b""))
        stream.close()
        self.name = stream.name
        header, *self.lines = text.decode().splitlines()
        self.names = names_in(header)

    def blocks(self) -> Generator[Block, None, None]:
        for start in range(0, len(self.lines), BLOCK_ROWS):
            yield FixedWidthBlock(self, start + 1, self.lines[start : start + BLOCK_ROWS])

    def rewriter(self, column: str, only: bool, classes: tuple[str, str] | None) -> RowWriter:
        return rewriter_of_cells(self, column, only, classes)


def cells_of(line: str, count: int) -> list[str]:
    return [line[WIDTH * i : WIDTH * (i + 1)].strip() for i in range(count)]


def names_in(header: str) -> tuple[str, ...]:
    return tuple(cells_of(header[1:], (len(header) + WIDTH - 2) // WIDTH))


FIXED_WIDTH = Format(
    "fixed-width lines",
    sniff=lambda start, options: start.startswith(b"|"),
    open=lambda stream, options, listener: FixedWidthSource(stream),
    column_names=lambda stream, options: names_in(stream.text.read(256).decode().splitlines()[0]),
)

X = np.arange(20.0)
KIND = np.where(X % 3 == 0, "a", "b")
Y = 2.5 * X + np.where(KIND == "b", 4.0, 0.0) - 1 + np.sin(X)


def fixed_width() -> str:
    rows = [("x", "kind", "y"), *zip(X.tolist(), KIND.tolist(), Y.round(3).tolist(), strict=True)]
    lines = ["".join(f"{cell!s:<{WIDTH}}" for cell in row) for row in rows]
    return "|" + "\n".join(lines) + "\n"


@pytest.fixture
def path(csv_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(formats, "FORMATS", (FIXED_WIDTH, *formats.FORMATS))
    return csv_file(fixed_width(), "data.txt")


def predicted() -> Any:
    """The predictions of the least squares fit."""
    design = np.column_stack([np.ones(len(X)), X, KIND == "b"])
    return design @ np.linalg.lstsq(design, Y.round(3), rcond=None)[0]


def test_an_added_format_is_fitted(path: str) -> None:
    found = fit(path, target="y")
    assert found.optimum.cost == pytest.approx(np.mean((Y.round(3) - predicted()) ** 2), rel=1e-9)
    assert (found.rows.read, found.features) == (20, ("x", "kind"))


def test_rows_of_an_added_format_are_predicted_as_csv(path: str, tmp_path: Path, gdfit: Callable[..., Any]) -> None:
    model = tmp_path / "model.json"
    assert gdfit(path, "-t", "y", "--optimizer", "newton", "-n", "2", "--save", model, "-q").code == 0
    done = gdfit("predict", model, path)
    assert (done.code, done.err) == (0, "")
    header, *lines = done.out.splitlines()
    assert header == "x,kind,y,y_predicted"
    rows = [line.split(",") for line in lines]
    assert [row[:3] for row in rows] == [[str(x), k, str(y)] for x, k, y in zip(X, KIND, Y.round(3), strict=True)]
    assert [float(row[3]) for row in rows] == pytest.approx(list(predicted()), rel=1e-9)


def test_an_added_format_is_scored_summarized_and_grouped(path: str, tmp_path: Path, gdfit: Callable[..., Any]) -> None:
    summary = tmp_path / "s.json"
    assert gdfit("summarize", path, "-o", summary).code == 0
    assert fit(str(summary), target="y").optimum.cost == pytest.approx(fit(path, target="y").optimum.cost, rel=1e-12)
    assert gdfit(path, "-t", "y", "--by", "kind", "-q", "--format", "csv").out.count("\n") > 2


def test_columns_of_an_added_format_are_completed(
    path: str, gdfit: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_GDFIT_COMPLETE", "zsh")
    assert [line.split("\t")[1] for line in gdfit(path, "-t", "").out.splitlines()] == ["x", "kind", "y"]


def test_an_added_format_refuses_options_of_csv_and_clusters(path: str, gdfit: Callable[..., Any]) -> None:
    done = gdfit(path, "-t", "y", "--sep", ";")
    assert done.code == 2
    assert "is fixed-width lines, where --sep means nothing: leave it out" in done.err
    done = gdfit(path, "-t", "y", "--dask", "local:1")
    assert (done.code, done.out) == (1, "")
    assert "is neither CSV nor Parquet, and no other can --dask read" in done.err


def test_a_cell_that_is_no_number_is_named_where_it_stands(
    path: str, csv_file: Callable[..., str], gdfit: Callable[..., Any]
) -> None:
    broken = csv_file(fixed_width().replace("3.0  ", "3.0 m"), "broken.txt")
    done = gdfit(broken, "-t", "y")
    assert done.code == 1
    assert "broken.txt', line" in done.err
    assert "column 'x'" in done.err


def test_an_input_of_an_added_format_opens_through_the_registry(path: str) -> None:
    from gdcli.data.streams import open_stream

    source = formats.open_input(open_stream(path), CsvOptions(), Listener())
    assert source.names == ("x", "kind", "y")
