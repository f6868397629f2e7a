"""What gdfit answers to the shells' completion scripts."""

import bz2
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gdcli.base.errors import UsageError
from gdcli.cli.completion.answers import SHELLS, answer, encode_answer
from gdcli.cli.completion.typed import inside_quotes, split_typed
from gdcli.cli.group import COMMANDS
from gdcli.ingest.header import column_names

ROOT = Path(__file__).resolve().parents[3]
BREAKS = " \t\n\"'@><=;|&(:"


def answered(shell, *arguments):
    return [tuple(line.split("\t"))[:2] for line in answer(shell, arguments).splitlines()]


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "words", "current", "taken"),
    [
        ("gdfit a.csv --target p", ("gdfit", "a.csv", "--target"), "p", 0),
        ("gdfit  ", ("gdfit",), "", 0),
        ("gdfit 'odd names.csv' -t \"it's", ("gdfit", "odd names.csv", "-t"), "it's", 0),
        (r"gdfit odd\ na", ("gdfit",), "odd na", 0),
        (r'gdfit "a\"b\c', ("gdfit",), 'a"b\\c', 0),
        (r"gdfit 'a\b", ("gdfit",), "a\\b", 0),
        ("gdfit --target=pr", ("gdfit",), "--target=pr", 9),
        ("gdfit --target='a b", ("gdfit",), "--target=a b", 9),
        (r"gdfit a\:b:c", ("gdfit",), "a:b:c", 4),
        ("gdfit ''", ("gdfit",), "", 0),
        ("gdfit '' x", ("gdfit", ""), "x", 0),
        ("gdfit x\\", ("gdfit",), "x", 0),
    ],
)
def test_a_line_is_cut_as_the_shell_would(line, words, current, taken):
    typed = split_typed(line, BREAKS)
    assert (typed.words, typed.current, typed.taken) == (words, current, taken)


@pytest.mark.parametrize("option", ["-t", "--target", "-x", "--feature", "--exclude", "--categorical", "--weights"])
def test_every_option_that_takes_a_column_completes_to_the_columns(in_folder, option):
    (in_folder / "a.csv").write_text("price,sqft,preis\n1,2,3\n")
    assert answered("zsh", "a.csv", option, "pr") == [("plain", "price"), ("plain", "preis")]
    if option not in ("-t", "--target"):
        assert answered("zsh", "summarize", "a.csv", option, "s") == [("plain", "sqft")]


def test_every_column_option_of_every_command_is_completed():
    from gdcli.cli.group import group
    from gdcli.cli.types import ColumnName

    for name in COMMANDS:
        for param in group.get_command(None, name).params:
            if param.metavar in ("COLUMN", "COL"):
                assert isinstance(param.type, ColumnName), (name, param.opts)


def test_a_column_already_given_is_not_offered_again(in_folder):
    (in_folder / "a.csv").write_text("price,sqft,beds\n1,2,3\n")
    assert answered("zsh", "a.csv", "-x", "sqft", "-x", "") == [("plain", "price"), ("plain", "beds")]


def test_the_last_name_of_a_list_is_completed(in_folder):
    in_folder.joinpath("a.csv").write_text("price,sqft,beds,baths\n")
    assert answered("zsh", "a.csv", "-x", "sqft,be") == [("plain", "sqft,beds")]
    assert [one[1] for one in answered("zsh", "a.csv", "-x", "sqft,b")] == ["sqft,beds", "sqft,baths"]
    in_folder.joinpath("b.csv").write_text('sqft,"a,b",bath\n')
    assert answered("zsh", "b.csv", "-x", "a,") == [("plain", "a,b")]


def test_standard_input_is_not_read_for_its_columns(in_folder, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"beds,baths\n1,2\n")))
    assert answered("zsh", "-", "-t", "b") == []


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("log(pr", ["log(price", "log(preis"]),
        ("sqft:pr", ["sqft:price", "sqft:preis"]),
        ("log(`living", ["log(`living area`"]),
        ("`living area`:sq", ["`living area`:sqft"]),
        ("`living area`:`liv", ["`living area`:`living area`"]),
        ("2*sq", ["2*sqft"]),
        ("y ~ sq", ["y ~ sqft"]),
        ("sqx", []),
    ],
)
def test_a_name_within_an_expression_is_completed(in_folder, typed, completed):
    (in_folder / "a.csv").write_text("price,sqft,preis,living area\n1,2,3,4\n")
    for option in ("-x", "-t", "--formula"):
        assert [word for _, word in answered("zsh", "a.csv", option, typed)] == completed
    assert answered("zsh", "a.csv", "--exclude", typed) == []


def test_the_header_is_read_by_the_separator_and_encoding_given(in_folder):
    (in_folder / "a.csv").write_bytes("größe,a:höhe\n1,2:3\n".encode("latin-1"))
    assert answered("zsh", "--encoding", "latin-1", "a.csv", "-x", "") == [("plain", "größe"), ("plain", "a:höhe")]
    assert answered("zsh", "a.csv", "--sep", ":", "--encoding=latin-1", "-x", "h") == [("plain", "höhe")]
    assert answered("zsh", "a.csv", "-x", "") == []


def test_the_first_file_that_has_columns_gives_them(in_folder):
    (in_folder / "model.json").write_text('{"schema": "gdfit.model/1"}')
    (in_folder / "-a.csv").write_text("price,sqft\n1,2\n")
    assert answered("fish", "score", "model.json", "missing.csv", "./-a.csv", "--weights", "p") == [("plain", "price")]


@pytest.mark.parametrize(
    ("shell", "arguments", "expected"),
    [
        ("bash", ("gdfit a.csv --target=p", BREAKS), ("plain", "price")),
        ("bash", ("gdfit a.csv --target=p", " "), ("plain", "--target=price")),
        ("bash", ("gdfit a.csv -t a", BREAKS), ("plain", "a b:c")),
        ("bash", (r"gdfit a.csv -t a\ b:", BREAKS), ("plain", "c")),
        ("bash", ("gdfit a.csv -t 'a b:", BREAKS), ("ready", "a b:c")),
        ("zsh", ("a.csv", "--target=p"), ("plain", "price")),
        ("fish", ("a.csv", "--target=p"), ("plain", "--target=price")),
        ("fish", ("a.csv", "-t", "'a"), ("plain", "a b:c")),
    ],
)
def test_an_answer_is_what_the_shell_inserts(in_folder, shell, arguments, expected):
    (in_folder / "a.csv").write_text("price,a b:c\n1,2\n")
    assert answered(shell, *arguments) == [expected]


def test_a_name_that_could_act_on_the_terminal_is_not_offered(in_folder):
    (in_folder / "a.csv").write_text('"a\x1b[2J","b\nc",d\n1,2,3\n')
    assert answered("fish", "a.csv", "-t", "") == [("plain", "d")]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_commands_are_offered_with_their_meaning(shell):
    lines = answer(shell, ("gdfit ", BREAKS) if shell == "bash" else ("",)).splitlines()
    found = {line.split("\t")[1]: line.split("\t")[2] for line in lines if line.startswith("plain")}
    assert found.keys() == COMMANDS.keys()
    assert found["sweep"] == "Compare learning rates side by side."


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_each_shell_is_printed_and_says_where_to_put_it(gdfit, shell):
    done = gdfit("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert f"gdfit completion {shell}" in "".join(line for line in done.out.splitlines() if line.startswith("#"))


def test_on_a_terminal_it_is_said_too(monkeypatch, capfd):
    from gdcli.cli import main
    from gdcli.cli.commands import completion

    class Terminal(type(sys.stdout)):
        def isatty(self):
            return True

    with open(os.devnull, "wb") as nowhere, Terminal(nowhere) as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        assert main(["completion", "zsh"]) == 0
    assert capfd.readouterr().err == f"note: to have it in every shell, {completion.WHERE['zsh']}\n"


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_the_header_of_a_compressed_file_is_read(csv_file, compress):
    path = csv_file(compress(b'"a ""b""",c\n' + b"1,2\n" * 10**5), "a.csv.z")
    assert column_names(path) == ('a "b"', "c")


def test_the_columns_of_a_summary_are_read(csv_file, gdfit, tmp_path):
    summary = tmp_path / "s.json"
    assert gdfit("summarize", csv_file("b,a,kind\n1,2,x\n3,5,y\n4,4,x\n"), "-o", summary, "-q").code == 0
    assert column_names(str(summary)) == ("b", "a", "kind")


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"a\0b,c\n", b'"open,b\n1,2\n', b"\xff\xfe", b"\x1f\x8bbroken", b"{not json", b"[1]",
     b'{"a":' * 100_000,
     b"{" * 3000, json.dumps({"schema": "gdfit.summary/1", "columns": 3}).encode(), b"x," * (1 << 20), b"a\xff,b\n"],
)  # fmt: skip
def test_what_cannot_be_read_has_no_columns(csv_file, content):
    assert column_names(csv_file(content)) in ((), ("[1]",), ("{not json",), ("{" * 3000,))


def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert column_names(str(tmp_path / "pipe")) == ()
    assert column_names(str(tmp_path)) == column_names(str(tmp_path / "missing")) == ()


def test_completing_loads_neither_numpy_nor_pandas_nor_rich(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b'"a",b\n1,2\n'))
    code = (
        "import sys; from gdcli.cli import main; main(); print(sorted({'numpy', 'pandas', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "a.csv.gz", "--target", ""],
        capture_output=True, text=True, cwd=tmp_path, timeout=60,
        env={**os.environ, "_GDFIT_COMPLETE": "zsh", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.splitlines() == ["plain\ta\t", "plain\tb\t", "[]"]


@pytest.mark.parametrize(
    ("shell", "arguments"), [("bash", []), ("bash", ["x"]), ("zsh", []), ("fish", []), ("tcsh", ["x"]), ("", ["a"])]
)
def test_what_no_script_of_ours_asks_is_wrong_usage(shell, arguments):
    with pytest.raises(UsageError, match="_GDFIT_COMPLETE is set"):
        answer(shell, arguments)


def test_a_word_that_is_no_text_comes_back_as_it_was():
    assert encode_answer(answer("zsh", [os.fsdecode(b"a\xff")])) == b"file\ta\xff\t\n"


@pytest.mark.parametrize("quote", ["'", '"'])
@pytest.mark.parametrize("name", ["a'b", "'", 'a"', "!!", "$x`y`\\", "ends in \\", 'it\'s "q"'])
def test_inside_quotes_a_text_is_what_bash_reads(name, quote):
    inside = inside_quotes(name, quote)
    line = f"printf %s {quote}{inside}{'' if inside.endswith(quote) else quote}"
    assert subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60).stdout == name


def test_the_ending_of_a_file_to_write_is_completed_behind_its_dot():
    kinds = ["lesson.png", "lesson.svg", "lesson.pdf", "lesson.html"]
    assert answered("fish", "sweep", "a.csv", "--plot", "lesson.") == [("plain", name) for name in kinds]
    assert answered("fish", "a.csv", "--plot", "../out/les.h") == [("plain", "../out/les.html")]
    assert answered("fish", "a.csv", "--trace", "t.c") == [("plain", "t.csv")]
    assert answered("fish", "a.csv", "--plot", "lesson") == [("file", "lesson")]
    assert answered("fish", "a.csv", "--plot", "./") == [("file", "./")]
