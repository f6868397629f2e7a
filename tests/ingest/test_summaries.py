"""A summary stands for its rows: every fit of it is the fit of the rows, however it came about."""

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gdcli
from gdcli.api import fit_data as fit
from gdcli.base.errors import DataError, GdfitError
from gdcli.fitting.results import Fit
from gdcli.ingest.summarize import summarize_data as summarize
from gdcli.ingest.summary import Summary, load_summary, summary_as_json

ROOT = Path(gdcli.__file__).parents[1]


def agree(one: Fit, other: Fit, within: float = 1e-12) -> None:
    """Compare all numbers of two fits. Coefficients by what they add to a prediction, in the target's deviations."""
    assert [c.term for c in one.coefficients] == [c.term for c in other.coefficients]
    for name in ("value", "optimum", "standardized"):
        a, b = ([getattr(c, name) for c in each.coefficients] for each in (one, other))
        assert a == pytest.approx(b, rel=within, abs=within * max(map(abs, b), default=0)), name
    assert one.cost == pytest.approx(other.cost, rel=within)
    assert one.r2 == pytest.approx(other.r2, rel=within, abs=within)
    assert one.optimum.cost == pytest.approx(other.optimum.cost, rel=within)
    assert one.reference_levels == other.reference_levels
    assert one.collinear == other.collinear
    for row, same in zip(one.trace, other.trace, strict=True):
        assert row.cost == pytest.approx(same.cost, rel=within)
        assert row.slopes == pytest.approx(same.slopes, rel=within, abs=within * max(map(abs, same.slopes), default=0))


FEATURES = [(), ("when",), ("size", "kind"), ("kind",), ("when", "price"), ("size",)]
CHOSEN = [
    (target, features)
    for target, features in itertools.product(["price", "size", "when"], FEATURES)
    if target not in features
]
HOW: list[dict[str, Any]] = [{}, {"scale": "minmax"}, {"intercept": False}, {"learning_rate": 0.3}]


# Each way to fit for every other choice of columns, so that each choice is fitted in two ways.
@pytest.mark.parametrize(
    ("target", "features", "options"),
    [(*chosen, options) for i, chosen in enumerate(CHOSEN) for j, options in enumerate(HOW) if (i + i // 4 + j) % 2],
)
def test_any_target_and_any_features_are_fitted_as_from_the_rows(
    table: Callable[..., str], target: str, features: tuple[str, ...], options: dict[str, Any]
) -> None:
    path = table()
    chosen: dict[str, Any] = {"target": target, "features": features, "iterations": 60, **options}
    agree(fit(summarize(path), **chosen), fit(path, **chosen))


@pytest.mark.parametrize("blocks", [None, 300])
def test_weights_are_in_the_summary(
    table: Callable[..., str], blocks_of: Callable[[int], None], blocks: int | None
) -> None:
    if blocks:
        blocks_of(blocks)
    path = table(missing=True)
    summary = summarize(path, weights="w")
    plain = fit(path, target="price", weights="w", iterations=60)
    agree(fit(summary, target="price", iterations=60), plain)
    agree(fit(summary, target="price", weights="w", iterations=60), plain)
    assert fit(summary, target="price").rows == plain.rows


def test_rows_incomplete_in_any_summarized_column_are_dropped_and_counted(table: Callable[..., str]) -> None:
    path = table(missing=True)
    summary = summarize(path)
    result = fit(summary, target="price", features="size", iterations=60)
    frame = pd.read_csv(path).dropna()
    agree(result, fit(frame, target="price", features="size", iterations=60))
    assert (result.rows.read, result.rows.used) == (50, len(frame))
    assert result.rows.dropped == 50 - len(frame) > 0
    assert set(result.rows.dropped_by_column) <= {"when", "size", "kind"}
    # Of fewer columns fewer rows are incomplete.
    narrow = fit(summarize(path, features=["size", "price"]), target="price", iterations=60)
    agree(narrow, fit(path, target="price", features="size", iterations=60))
    assert narrow.rows.used > result.rows.used


# --- merging


@pytest.fixture
def parts(table: Callable[..., str]) -> list[str]:
    """Three files with levels of their own, one of a single row, and means a year apart."""
    return [
        table("jan.csv", 30, 1, "bc", shift=0),
        table("feb.csv", 1, 2, "a", shift=3e7),
        table("mar.csv", 25, 3, "cd", shift=-4e7),
    ]


# With weights without the second, whose only row may have none.
@pytest.mark.parametrize(
    ("order", "weights"),
    [*((order, None) for order in itertools.permutations(range(3))), ((0, 2), "w"), ((2, 0), "w")],
)
def test_merged_summaries_are_the_summary_of_all_rows(
    parts: list[str], tmp_path: Path, order: tuple[int, ...], weights: str | None
) -> None:
    chosen: dict[str, Any] = {} if weights is None else {"weights": weights}
    whole = fit([parts[i] for i in sorted(order)], target="price", iterations=80, **chosen)
    saved = []
    for i in order:
        summarize(parts[i], **chosen).save(tmp_path / f"{i}.json")
        saved.append(str(tmp_path / f"{i}.json"))
    agree(fit(saved, target="price", iterations=80), whole)
    agree(fit(summarize(saved), target="price", iterations=80), whole)
    growing = summarize(saved[0])
    for one in saved[1:]:
        growing = summarize([growing, one])
    agree(fit(growing, target="price", iterations=80), whole)


@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_summary_stands_beside_csv_files_in_any_place(parts: list[str], tmp_path: Path, first: int) -> None:
    whole = fit(parts, target="price", iterations=80)
    mixed: list[Any] = list(parts)
    mixed[first] = summarize(parts[first])
    agree(fit(mixed, target="price", iterations=80), whole)
    agree(fit(summarize(mixed), target="price", iterations=80), whole)
    agree(
        fit([mixed[first], *(pd.read_csv(p) for p in parts if p != parts[first])], target="price", iterations=80), whole
    )


def test_features_that_a_csv_file_lacks_may_be_left_out_of_a_merge(
    table: Callable[..., str], csv_file: Callable[..., str]
) -> None:
    other = csv_file("size,price,extra\n1,2,3\n2,3,9\n4,1,1\n", "other.csv")
    with pytest.raises(DataError, match="has no column 'when'"):
        summarize([summarize(table()), other])
    with pytest.raises(DataError, match="differ in extra, kind, w, when: name the columns to keep with --feature"):
        summarize([summarize(table()), summarize(other)])
    both = summarize([summarize(table()), other], features=["size", "price"])
    agree(
        fit(both, target="price", iterations=50),
        fit(
            [pd.read_csv(table())[["size", "price"]], pd.read_csv(other)[["size", "price"]]],
            target="price",
            iterations=50,
        ),
    )


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ({"weights": "w"}, {}, "b.csv' was summarized without weights, but 'w' is asked for"),
        ({}, {"weights": "w"}, "b.csv' was summarized with the weights of 'w', but none are asked for"),
        ({}, {"categorical": ["w"]}, "b.csv' holds 'w' as text, .*a.csv' as numbers"),
        ({"categorical": ["w"]}, {}, "b.csv' holds 'w' as numbers, .*a.csv' as text"),
    ],
)
def test_summaries_that_do_not_fit_each_other_are_refused(
    table: Callable[..., str], one: dict[str, Any], other: dict[str, Any], message: str
) -> None:
    pair = [summarize(table("a.csv"), **one), summarize(table("b.csv", seed=2), **other)]
    with pytest.raises(DataError, match=message):
        fit(pair, target="price")
    if "w" in pair[0].names and "w" in pair[1].names:
        assert fit(pair, target="price", exclude="w").rows.used == 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "price", "weights": "w"}, "was summarized without weights, but 'w' is asked for"),
        ({"target": "prise"}, "has no column 'prise'. Did you mean 'price'"),
        ({"target": "kind"}, "the target 'kind' is text"),
        ({"target": "price", "categorical": "w"}, "holds 'w' as numbers: summarize it again with --categorical"),
        ({"target": "price", "features": "nope"}, "has no column 'nope'"),
        ({"target": None}, "say which column to predict"),
    ],
)
def test_what_a_summary_does_not_hold_cannot_be_fitted(
    table: Callable[..., str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(GdfitError, match=message):
        fit(summarize(table()), **options)


def test_a_weighted_summary_knows_no_other_weights(table: Callable[..., str]) -> None:
    with pytest.raises(DataError, match="with the weights of 'w', but 'size' is asked for"):
        fit(summarize(table(), weights="w"), target="price", weights="size")


# --- the file


def test_a_saved_summary_is_the_summary_to_the_last_bit(table: Callable[..., str], tmp_path: Path) -> None:
    summary = summarize(table(), weights="w")
    summary.save(tmp_path / "s.json")
    loaded = load_summary((tmp_path / "s.json").read_bytes(), "s.json")
    ours, theirs = summary.reduced.triangle, loaded.reduced.triangle
    assert (ours.R == theirs.R).all()
    assert theirs.R.dtype == np.longdouble
    assert (ours.columns, ours.weight, ours.count) == (theirs.columns, theirs.weight, theirs.count)
    for name in ("shift", "minimum", "maximum"):
        assert (getattr(ours, name) == getattr(theirs, name)).all()
    assert (loaded.names, loaded.text, loaded.weights) == (summary.names, summary.text, summary.weights)
    assert loaded.reduced.rows == summary.reduced.rows
    assert summary_as_json(loaded) == summary_as_json(summary)


def test_a_summary_holds_no_row_and_does_not_grow_with_them(table: Callable[..., str]) -> None:
    path = table(rows=3000)
    text = summary_as_json(summarize(path))
    assert len(text) < 5000
    frame = pd.read_csv(path)
    extremes = {repr(float(f(frame[name]))) for name in ("when", "size", "w", "price") for f in (min, max)}
    cells = {repr(value) for value in frame["price"]} | {repr(value) for value in frame["size"]}
    assert not [cell for cell in cells - extremes if cell in text]


def test_the_file_is_readable_json_a_matrix_row_per_line(table: Callable[..., str]) -> None:
    text = summary_as_json(summarize(table()))
    document = json.loads(text)
    assert list(document) == [
        "schema",
        "version",
        "files",
        "sources",
        "columns",
        "weights",
        "missing",
        "dates",
        "rows",
        "triangle",
    ]
    assert document["schema"] == "gdfit.summary/1"
    assert document["columns"][2] == {"name": "kind", "kind": "text", "levels": ["a", "b", "c"]}
    assert document["rows"] == {"read": 50, "used": 50, "dropped": 0, "dropped_by_column": {}, "filled": {}}
    lines = [line.strip().rstrip(",") for line in text.splitlines()]
    for row in document["triangle"]["R"]:
        assert json.dumps(row) in lines


def test_names_and_levels_may_be_anything(csv_file: Callable[..., str], tmp_path: Path) -> None:
    names = ["größe \u2028 x", 'a,"b"', "new\nline", "\x9b31m"]
    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(20, 4)), columns=names)
    frame["kind"] = ["\x1b[2J", "部屋"] * 10
    summarize(frame).save(tmp_path / "s.json")
    text = (tmp_path / "s.json").read_text(encoding="utf-8")
    assert all(c == "\n" or c.isprintable() for c in text)
    agree(
        fit(tmp_path / "s.json", target=names[0], iterations=20),
        fit(frame, target=names[0], iterations=20),
    )


@pytest.mark.parametrize("name", ["s.csv", "s.json.gz"])
def test_a_summary_is_known_by_its_content_whatever_its_name(
    table: Callable[..., str], tmp_path: Path, name: str
) -> None:
    import gzip

    text = summary_as_json(summarize(table())).encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    agree(fit(tmp_path / name, target="price"), fit(table(), target="price"))


def test_a_fit_from_a_summary_imports_no_pandas(table: Callable[..., str], tmp_path: Path) -> None:
    summarize(table()).save(tmp_path / "s.json")
    code = (
        "import sys; from gdcli.cli import main\n"
        "for options in ([], ['--format', 'json'], ['--inference']):\n"
        "    print(main(['s.json', '-t', 'price', *options]), 'pandas' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        env={"PYTHONPATH": str(ROOT), "PATH": ""}, check=False,
    )  # fmt: skip
    assert done.stdout.count("size") >= 3
    assert [line for line in done.stderr.splitlines() if not line.startswith("note: ")] == ["0 False"] * 3


def test_a_dataframe_is_summarized_too(table: Callable[..., str]) -> None:
    summary = summarize(pd.read_csv(table()))
    assert isinstance(summary, Summary)
    agree(fit(summary, target="price"), fit(table(), target="price"))


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("x,y\n", {}, "has a header but no rows"),
        ("x,y\n1,\n,2\n", {}, "no row of .* has a value in every column"),
        ("x,w\n1,0\n2,0\n", {"weights": "w"}, "has no row with a weight above 0"),
        ("x,y\n1,2\n", {"exclude": ["x", "y"]}, "no column is left to summarize"),
        ("x,y\n1,\n", {"missing": "error"}, "the cell has no value"),
    ],
)
def test_nothing_is_no_summary(csv_file: Callable[..., str], text: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        summarize(csv_file(text), **options)
