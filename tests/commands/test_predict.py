"""``fit --save`` and ``predict`` as processes: exit code, stdout and stderr, each on its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

POINTS = b"x,y\n0,1\n1,3.5\n2,5\n3,7.5\n4,9\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "points.csv").write_bytes(POINTS)
    return tmp_path


# --- fit --save


def test_save_writes_the_model_beside_the_result(folder: Path, shell: Callable[..., Any]) -> None:
    done = shell("gdfit points.csv -t y --format json --save model.json")
    assert done.code == 0
    assert done.err == ""
    result, model = json.loads(done.out), json.loads((folder / "model.json").read_text())
    assert model["intercept"] == result["intercept"]["value"]
    assert [term["coefficient"] for term in model["terms"]] == [c["value"] for c in result["coefficients"]]


def test_save_gives_the_same_bytes_for_file_and_stdin_but_for_the_name(folder: Path, shell: Callable[..., Any]) -> None:
    done = shell("""gdfit points.csv -t y -q --save a.json; gdfit points.csv -t y -q --save b.json --jobs 1
        gdfit -t y -q --save c.json < points.csv; cmp a.json b.json
        diff <(grep -v '"files"' a.json) <(grep -v '"files"' c.json)""")
    assert done == (0, "", "")


@pytest.mark.parametrize("old", [None, "old"])
def test_save_writes_nothing_after_divergence(old: str | None, folder: Path, shell: Callable[..., Any]) -> None:
    if old is not None:
        (folder / "model.json").write_text(old)
    done = shell("gdfit points.csv -t y --lr 50 --format json --save model.json > result.json")
    assert done.code == 3
    assert "rate" in done.err
    assert json.loads((folder / "result.json").read_text())["cost"] is None
    left = sorted(path.name for path in folder.iterdir())
    assert left == sorted(["points.csv", "result.json", *(["model.json"] if old else [])])
    assert old is None or (folder / "model.json").read_text() == old


def test_save_is_complete_when_the_reader_of_stdout_has_gone(folder: Path, shell: Callable[..., Any]) -> None:
    done = shell("gdfit points.csv -t y --trace - -n 20000 --save model.json | head -1")
    assert done == (0, "iteration,m,c,cost\n", "")
    assert json.loads((folder / "model.json").read_text())["descent"]["iterations"] == 20000


def test_save_happens_though_strict_is_not_met(folder: Path, shell: Callable[..., Any]) -> None:
    done = shell("gdfit points.csv -t y -n 2 -q --strict --save model.json")
    assert (done.code, done.out) == (4, "")
    assert json.loads((folder / "model.json").read_text())["descent"]["converged"] is False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--save points.csv", "--save points.csv would overwrite an input."),
        ("--save m.json -o m.json", "--output and --save are the same file, m.json."),
        ("--save ./m.csv --trace m.csv", "--trace and --save are the same file, ./m.csv."),
        ("--save -", "--save writes a model to a file: give it a name."),
    ],
)
def test_save_to_a_file_that_is_used_otherwise_is_wrong_usage(
    options: str, message: str, folder: Path, shell: Callable[..., Any]
) -> None:
    done = shell(f"gdfit points.csv -t y {options}")
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert [path.name for path in folder.iterdir()] == ["points.csv"]
    assert (folder / "points.csv").read_bytes() == POINTS


def test_save_to_a_folder_that_is_not_there_fails_before_the_work(folder: Path, shell: Callable[..., Any]) -> None:
    done = shell("gdfit points.csv -t y --save gone/model.json")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: cannot write 'gone/model.json': no folder ")


def test_a_model_where_data_are_expected_offers_predict(folder: Path, shell: Callable[..., Any]) -> None:
    shell("gdfit points.csv -t y -q --save model.json")
    for command in ("gdfit model.json -t y", "gdfit points.csv model.json -t y"):
        done = shell(command)
        assert (done.code, done.out) == (1, "")
        assert "'model.json' is a gdfit model, not data; to use it: gdfit predict model.json" in done.err


# --- predict


@pytest.fixture
def line(folder: Path, model_file: Callable[..., str]) -> Path:
    """A model ŷ = 1.5 + 2x, beside the points."""
    model_file({"x": 2.0}, target="y")
    return folder


def test_predict_reads_a_file_or_stdin(line: Path, shell: Callable[..., Any]) -> None:
    expected = "x,y,y_predicted\n0,1,1.5\n1,3.5,3.5\n2,5,5.5\n3,7.5,7.5\n4,9,9.5\n"
    for command in (
        "gdfit predict model.json points.csv",
        "gdfit predict model.json < points.csv",
        "gdfit predict model.json - < points.csv",
        "gzip -k points.csv; gdfit predict model.json points.csv.gz",
    ):
        assert shell(command) == (0, expected, "")


def test_predict_writes_a_file_whole(line: Path, shell: Callable[..., Any]) -> None:
    assert shell("gdfit predict model.json points.csv --only -o p.csv && cat p.csv") == (
        0,
        "y_predicted\n1.5\n3.5\n5.5\n7.5\n9.5\n",
        "",
    )


def test_predict_leaves_no_file_after_an_error(line: Path, shell: Callable[..., Any]) -> None:
    done = shell("gdfit predict model.json points.csv bad.csv -o p.csv", b"")
    assert (done.code, done.out) == (1, "")
    assert done.err == "Error: cannot read 'bad.csv': no such file\n"
    done = shell("printf 'x,y\\n1,2\\n1\\n' > bad.csv; gdfit predict model.json points.csv bad.csv -o p.csv")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: 'bad.csv', line 3: 1 field where the header has 2")
    assert sorted(path.name for path in line.iterdir()) == ["bad.csv", "model.json", "points.csv"]


def test_rows_without_prediction_are_a_note_that_quiet_silences(line: Path, shell: Callable[..., Any]) -> None:
    rows = b"x\n1\n?\n"
    expected = "x,y_predicted\n1,3.5\n?,\n"
    assert shell("gdfit predict model.json", rows) == (
        0,
        expected,
        "note: 1 of 2 rows could not be predicted ('x' 1)\n",
    )
    assert shell("gdfit predict model.json -q", rows) == (0, expected, "")


def test_strict_exits_with_4_after_the_whole_output(line: Path, shell: Callable[..., Any]) -> None:
    message = "Error: --strict: 1 of 2 rows could not be predicted ('x' 1)\n"
    for quiet in ("", "-q"):
        done = shell(f"gdfit predict model.json --strict {quiet}", b"x\n?\n1\n")
        assert done == (4, "x,y_predicted\n?,\n1,3.5\n", message)
    assert shell("gdfit predict model.json --strict", b"x\n1\n") == (0, "x,y_predicted\n1,3.5\n", "")
    done = shell("gdfit predict model.json --strict -o p.csv || cat p.csv", b"x\n?\n1\n")
    assert done == (0, "x,y_predicted\n?,\n1,3.5\n", message)


def test_a_reader_who_closes_early_is_no_error(line: Path, shell: Callable[..., Any]) -> None:
    done = shell("(echo x; seq 100000) > many.csv; gdfit predict model.json many.csv | head -2")
    assert done == (0, "x,y_predicted\n1,3.5\n", "")


MEASURED = """import resource, sys
from functools import partial
from gdcli.cli import main
from gdcli.data.csv import chunks, source
source.cut = partial(chunks.cut, block_bytes=1 << 20)
code = main(["predict", "model.json", "--jobs", "2"])
print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def test_memory_does_not_grow_with_the_file(line: Path, shell: Callable[..., Any]) -> None:
    (line / "measured.py").write_text(MEASURED)
    peaks = []
    for rows in (20_000, 60_000):  # 20 MB and 60 MB, in blocks of 1 MiB: more than are held at a time
        write = f"print('x,y'); [print('1.25,' + 'y' * 990) for _ in range({rows})]"
        done = shell(f'"$PYTHON" -c "{write}" | "$PYTHON" measured.py > /dev/null')
        code, peak = done.err.split()
        assert (done.code, code, done.out) == (0, "0", "")
        peaks.append(int(peak))
    assert peaks[1] < 1.2 * peaks[0]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            "points.csv model.json",
            1,
            "'points.csv' is not a gdfit model: it does not begin like JSON; the model is named",
        ),
        ("gone.json points.csv", 1, "Error: cannot read 'gone.json': no such file"),
        ("model.json gone.csv", 1, "Error: cannot read 'gone.csv': no such file"),
        (
            "model.json model.json",
            1,
            "Error: 'model.json' is a gdfit model, not data; to use it: gdfit predict model.json FILE",
        ),
        ("model.json", 1, "Error: no data on standard input"),
        ("", 2, "Missing argument 'MODEL'"),
        ("model.json points.csv -o points.csv", 2, "--output points.csv would overwrite an input."),
        ("model.json points.csv -o model.json", 2, "--output model.json would overwrite an input."),
        ("model.json - -", 2, "'-' is standard input, which can be read once only."),
        ("model.json points.csv --sep ab", 2, "a separator is one character"),
        ("model.json points.csv --encoding nonsense", 2, "there is no text encoding 'nonsense'"),
        ("model.json points.csv --column y", 1, "'points.csv' has a column 'y' already; name another with --column"),
    ],
)
def test_wrong_arguments_are_an_error_without_output(
    arguments: str, code: int, message: str, line: Path, shell: Callable[..., Any]
) -> None:
    done = shell(f"gdfit predict {arguments}")
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert "Traceback" not in done.err
    assert (line / "points.csv").read_bytes() == POINTS


def test_help_of_each_command_has_an_example(shell: Callable[..., Any]) -> None:
    for command in ("predict", "score", "export"):
        done = shell(f"gdfit {command} --help")
        assert (done.code, done.err) == (0, "")
        assert f"gdfit {command} model.json" in done.out


def test_export_and_the_help_of_predict_load_no_pandas(line: Path, shell: Callable[..., Any]) -> None:
    program = "import sys; from gdcli.cli import main; main(sys.argv[1:]); print('pandas' in sys.modules)"
    done = shell(f"""for words in "predict --help" "export model.json --to sql"; do
        "$PYTHON" -c "{program}" $words | tail -1; done""")
    assert done == (0, "False\nFalse\n", "")
