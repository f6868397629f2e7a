"""A saved model keeps how the files were written that it was fitted to, and rows that no model can use are refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gdcli.base.errors import DataError
from gdcli.models.model_file import load_model

X = np.array([1000.5, 2000.25, 1234567.0, -7.75, 40.0])
Y = np.array([3.5, 4.25, 1500.0, -1.0, 2.0])


def german(value: float) -> str:
    """Return a number with thousands dots and a decimal comma."""
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


TABLES: dict[str, tuple[list[str], bytes]] = {
    "decimal and thousands": (
        ["--decimal", ",", "--thousands", "."],
        ("x;y\n" + "".join(f"{german(x)};{german(y)}\n" for x, y in zip(X, Y, strict=True))).encode(),
    ),
    "no header": (["--no-header"], "".join(f"{x},{y}\n" for x, y in zip(X, Y, strict=True)).encode()),
    "skipped rows": (
        ["--skip-rows", "2"],
        ("title\nmade, by, us\nx,y\n" + "".join(f"{x},{y}\n" for x, y in zip(X, Y, strict=True))).encode(),
    ),
    "comments": (
        ["--comment", "//"],
        ("// a\nx,y\n// b\n" + "".join(f"{x},{y}\n" for x, y in zip(X, Y, strict=True))).encode(),
    ),
    "encoding": (
        ["--encoding", "utf-16-le"],
        ("x,y\n" + "".join(f"{x},{y}\n" for x, y in zip(X, Y, strict=True))).encode("utf-16-le"),
    ),
    "quotes": (
        ["--quotechar", "'"],
        ("x,y,t\n" + "".join(f"'{x}',{y},'a,''b'\n" for x, y in zip(X, Y, strict=True))).encode(),
    ),
    "separator": (["--sep", "^"], ("x^y\n" + "".join(f"{x}^{y}\n" for x, y in zip(X, Y, strict=True))).encode()),
    "missing words": (
        ["--na", "-9", "--keep-na"],
        ("x,y\n-9,1\n" + "".join(f"{x},{y}\n" for x, y in zip(X, Y, strict=True)) + "2,-9\n").encode(),
    ),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("by", [False, True])
def test_a_model_reads_later_files_as_the_one_it_was_fitted_to(
    gdfit: Callable[..., Any], tmp_path: Path, name: str, by: bool
) -> None:
    said, text = TABLES[name]
    path, model = str(tmp_path / "x.csv"), str(tmp_path / "m.json")
    if by:  # a constant column, which makes one group of all rows
        head = "utf-16-le" if name == "encoding" else "utf-8"
        mark = {"decimal and thousands": ";", "separator": "^"}.get(name, ",")
        lines = text.decode(head).split("\n")
        first = 2 if name == "skipped rows" else 0
        named = [i for i in range(first, len(lines)) if lines[i] and not lines[i].startswith("//")]
        for i in named:
            title = i == named[0] and name != "no header"
            lines[i] += f"{mark}{'g' if title else 'all'}"
        text = "\n".join(lines).encode(head)
    Path(path).write_bytes(text)
    target, feature = ("x2", "x1") if name == "no header" else ("y", "x")
    group = ["--by", "x3" if name == "no header" else "g"] if by else []
    done = gdfit(path, "-t", target, "-x", feature, "--lr", "auto", "--save", model, "-q", *group, *said)
    assert done.code == 0, done.err
    # R² by NumPy's least squares on the numbers themselves.
    found = np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), Y, rcond=None)
    r2 = 1 - float(found[1][0]) / float(((Y - Y.mean()) ** 2).sum())
    scored = gdfit("score", model, path, "--format", "json", "-q")
    assert scored.code == 0, scored.err
    assert json.loads(scored.out)["r2"] == pytest.approx(r2, rel=1e-9)
    predicted = gdfit("predict", model, path, "--only", "-q")
    assert predicted.code == 0, predicted.err
    values = [float(cell) for cell in predicted.out.split() if cell not in (f"{target}_predicted", '""')]
    expected = found[0][0] * X + found[0][1]
    assert values[: len(X)] == pytest.approx(list(expected), rel=1e-9)
    if not by:
        again = gdfit(path, "--resume", model, "--lr", "auto", "-n", "5", "--format", "csv", "-q")
        assert again.code == 0, again.err
        assert float(again.out.splitlines()[1].split(",")[2]) == pytest.approx(float(found[0][0]), rel=1e-9)


def test_the_command_line_wins_over_the_model(
    gdfit: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, ours, theirs = (str(tmp_path / name) for name in ("m.json", "ours.csv", "theirs.csv"))
    Path(ours).write_bytes(TABLES["decimal and thousands"][1])
    Path(theirs).write_text("x,y\n1000.5,3.5\n")
    monkeypatch.setenv("GDFIT_DECIMAL", ",")  # what the environment says is said, too
    assert gdfit(ours, "-t", "y", "--lr", "auto", "--thousands", ".", "--save", model, "-q").code == 0
    assert json.loads(Path(model).read_text())["csv"] == {"decimal": ",", "thousands": "."}
    there = gdfit("predict", model, ours, "--only", "-q").out.splitlines()[1]
    assert gdfit("predict", model, theirs, "--only", "--decimal", ".", "-q").out.splitlines()[1] == there


def test_a_header_can_be_said_of_a_file_for_a_model_without(gdfit: Callable[..., Any], tmp_path: Path) -> None:
    model, plain, headed = (str(tmp_path / name) for name in ("m.json", "plain.csv", "headed.csv"))
    Path(plain).write_text("1,2\n2,4\n3,6\n")
    Path(headed).write_text("x1\n4\n")
    assert gdfit(plain, "--no-header", "-t", "x2", "--lr", "auto", "--save", model, "-q").code == 0
    done = gdfit("predict", model, headed, "--header", "--only", "-q")
    assert (done.code, done.out.splitlines()[0]) == (0, "x2_predicted")
    assert float(done.out.splitlines()[1]) == pytest.approx(8.0)


def test_rows_of_json_have_no_decimal_comma_whatever_the_model_was_fitted_to(
    gdfit: Callable[..., Any], tmp_path: Path
) -> None:
    model, path, lines = (str(tmp_path / name) for name in ("m.json", "x.csv", "x.jsonl"))
    Path(path).write_text("x;y\n1,5;3\n2,5;5\n3,5;7\n")
    Path(lines).write_text('{"x": 4.5}\n')
    assert gdfit(path, "-t", "y", "--lr", "auto", "--decimal", ",", "--sep", ";", "--save", model, "-q").code == 0
    done = gdfit("predict", model, lines, "-q")
    assert json.loads(done.out)["y_predicted"] == pytest.approx(9.0)


def test_a_model_of_before_has_said_nothing_and_a_damaged_one_is_refused(
    model_file: Callable[..., str], tmp_path: Path
) -> None:
    path = model_file({"x": 2.0})
    content = json.loads(Path(path).read_text())
    content.pop("csv", None)
    Path(path).write_text(json.dumps(content))
    assert load_model(path).csv == {}
    for damaged in ([], {"decimal": 1}, {"decimal": "ab"}, {"header": 0}, {"on_bad_row": "skip"}, {"skip_rows": True}):
        Path(path).write_text(json.dumps(content | {"csv": damaged}))
        with pytest.raises(DataError, match="damaged or was edited by hand: csv"):
            load_model(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,kind,y\n,a,1\n", "line 2, column 'x': the cell is empty"),
        ("x,kind,y\n\n-,a,1\n", "line 3, column 'x': '-' is not a number; "),
        ("x,kind,y\nNA,a,1\n", "line 2, column 'x': 'NA' means a missing value"),
        ("x,kind,y\n1,c,1\n", "line 2, column 'kind': 'c' is none of the texts that the model knows: a, b"),
        ('x,kind,y\n"1,5",a,1\n"2,5",b,1\n', "line 2, column 'x': '1,5' is not a number: --decimal , reads it as 1.5"),
    ],
)
def test_rows_of_which_none_can_be_used_are_an_error_that_names_the_first_cell(
    gdfit: Callable[..., Any], model_file: Callable[..., str], tmp_path: Path, text: str, message: str
) -> None:
    model = model_file({"x": 2.0, "kind": {"a": 0.0, "b": 1.0}}, target="y")
    path = tmp_path / "x.csv"
    path.write_text(text)
    for command in ("predict", "score"):
        done = gdfit(command, model, str(path))
        assert done.code == 1
        assert message in done.err
        assert len(done.err.splitlines()) <= 2
    output = tmp_path / "out.csv"
    assert gdfit("predict", model, str(path), "-o", str(output)).code == 1
    assert not output.exists()


def test_a_score_names_the_target_that_is_missing(
    gdfit: Callable[..., Any], model_file: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("x,y\n1,?\n2,?\n")
    done = gdfit("score", model_file({"x": 2.0}, target="y"), str(path))
    assert done.code == 1
    assert "line 2, column 'y': '?' is not a number" in done.err


def test_a_file_that_lacks_columns_tells_how_the_model_reads_it(gdfit: Callable[..., Any], tmp_path: Path) -> None:
    model, path, plain = (str(tmp_path / name) for name in ("m.json", "x.csv", "plain.csv"))
    Path(path).write_bytes(TABLES["skipped rows"][1])
    Path(plain).write_text("x\n1\n2\n3\n4\n")
    assert gdfit(path, "-t", "y", "--lr", "auto", "--skip-rows", "2", "--save", model, "-q").code == 0
    done = gdfit("predict", model, plain)
    assert done.code == 1
    assert "has no column 'x'" in done.err
    assert "The model reads files with --skip-rows 2" in done.err
    assert gdfit("predict", model, plain, "--skip-rows", "0", "-q").code == 0
