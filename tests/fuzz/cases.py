"""Files × options as hypothesis strategies: tables written by rule, and messy files with more gone wrong."""

import csv
import gzip
import io
import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import strategies as st
from reference import Question

ROOT = Path(__file__).resolve().parents[2]
MESSY = sorted((ROOT / "tests" / "reference" / "messy").glob("*.csv"))
HOUSING = (ROOT / "sample_data" / "housing.csv").read_bytes().splitlines(keepends=True)
PLAIN = "x,z,kind,y\n" + "".join(f"{i},{i * i % 7}.5,{'abc'[i % 3]},{3 * i + i % 2}\n" for i in range(9))
NUMBERS = "a;b;y\n" + "".join(f"{i / 3:.3f};{(i * 5) % 11};{2 * i - 1}\n" for i in range(12))
CLEAN = (b"".join(HOUSING[:25]), PLAIN.encode(), NUMBERS.encode())
OBJECTS = "".join(
    json.dumps({"x": i, "z": i * i % 7 / 3, "kind": "abc"[i % 3], "new": i % 2 == 0, "y": f"{3 * i + i % 2}"}) + "\n"
    for i in range(11)
).encode()
BASES = (*(path.read_bytes() for path in MESSY), *CLEAN * 10, *[OBJECTS] * 10)

# What a table may hold that a terminal, a spreadsheet, a shell, Rich or a parser would act upon.
HOSTILE = (
    *("\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x9b2J", "\a\b", "[bold]x[/bold]", "[/]", "[link=http://a]b[/link]"),
    *("=1+2", "@SUM(A1)", "+x", "-x", "=cmd|' /C calc'!A0", "$(reboot)", "`id`", "; rm x", "--help", "-t", "{0}"),
    *("a\nb", "a\rb", 'say "hi"', "it's", "a,b", "a;b", "a|b", "a\tb", "\u202eoverridden", "\u2028", "\ufeff", "日本"),
    *("x[y]", "m[x]", "(intercept)", "c", "iteration", "cost", "\\n", "\\", "e\u0301", "\U0001f600", "column2", "y=1"),
)  # fmt: skip
CELLS = (
    "",
    " ",
    "NA",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "1e999",
    "1e-320",
    "1e308",
    "-0",
    "+5",
    ".5",
    "5.",
    "1_000",
    "0x1F",
)
MORE_CELLS = (
    "1,5",
    "1.234,5",
    "1 000",
    "١٢",
    "True",
    "false",
    "2024-01-02",
    "12:30",
    "1e5",
    "1d5",
    "1E+2",
    "999",
    "999.0",
)
NAMES = ("x", "z", "a b", "price", "naïve", "x1", "X", "0", "1.5")

_numbers = st.one_of(
    st.integers(-9, 9).map(str),
    st.floats(-1e4, 1e4, allow_nan=False).map(lambda value: repr(round(value, 3))),
    st.integers(2000, 2030).map(str),
    st.sampled_from(("1e4", "-2.5e-3", "12345", "0.1", "7.0")),
)


@dataclass(frozen=True)
class Case:
    """A command line and the file that it reads. ``question`` is what a fit in JSON answers, where that is clear."""

    content: bytes
    args: tuple[str, ...]
    question: Question | None

    @property
    def command(self) -> str:
        return f"gdfit {shlex.join(self.args)}"


@st.composite
def tables(draw: st.DrawFn) -> tuple[bytes, list[str]]:
    """Tables that a careful program writes, in any dialect, with names and cells that are not careful."""
    width, height = draw(st.integers(2, 5)), draw(st.sampled_from((8, 5, 11, 14, 2, 1, 0)))
    name = (
        st.one_of(st.sampled_from(NAMES), st.sampled_from(HOSTILE)) if draw(st.booleans()) else st.sampled_from(NAMES)
    )
    unique = draw(st.integers(0, 9)) > 0
    names = draw(st.lists(name, min_size=width, max_size=width, unique_by=str.strip if unique else None))
    columns = [draw(_column(height)) for _ in range(width)]
    if draw(st.integers(0, 9)):  # a column that can be a target
        columns[-1] = draw(st.lists(_numbers, min_size=height, max_size=height))
    separator = draw(st.sampled_from(",,,;\t|"))
    out = io.StringIO()
    writer = csv.writer(
        out,
        delimiter=separator,
        lineterminator=draw(st.sampled_from(("\n", "\n", "\r\n", "\r"))),
        quoting=draw(st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL))),
    )
    writer.writerow(names)
    for row in zip(*columns, strict=True):
        writer.writerow(row)
        if draw(st.integers(0, 30)) == 0:
            out.write("\n")
    text = out.getvalue()
    if draw(st.integers(0, 5)) == 0:
        text = text.rstrip("\r\n")
    encoding = draw(st.sampled_from(("utf-8",) * 6 + ("utf-8-sig", "utf-16")))
    content = text.encode(encoding, errors="replace")
    return (gzip.compress(content, mtime=0) if draw(st.integers(0, 20)) == 0 else content), names


@st.composite
def _column(draw: st.DrawFn, height: int) -> list[str]:
    cells: st.SearchStrategy[str] = draw(
        st.sampled_from((_numbers, _numbers, _numbers, st.sampled_from("abc"), st.sampled_from(HOSTILE), st.just("7")))
    )
    column = draw(st.lists(cells, min_size=height, max_size=height))
    if height and draw(st.integers(0, 5)) == 0:
        column[draw(st.integers(0, height - 1))] = draw(st.sampled_from(CELLS + MORE_CELLS))
    return column


def _insert(draw: st.DrawFn, content: bytes) -> bytes:
    at = draw(st.integers(0, len(content)))
    odd = st.one_of(
        st.sampled_from((b'"', b'""', b"\0", b"\r", b"\n", b",", b";;", b"\t", b" ", b"\xff", b"\xef\xbb\xbf", b"|")),
        st.sampled_from(HOSTILE + CELLS + MORE_CELLS).map(lambda text: text.encode()),
    )
    return content[:at] + draw(odd) + content[at:]


def _delete(draw: st.DrawFn, content: bytes) -> bytes:
    at = draw(st.integers(0, len(content)))
    return content[:at] + content[at + draw(st.integers(1, 8)) :]


def _overwrite(draw: st.DrawFn, content: bytes) -> bytes:
    at = draw(st.integers(0, max(0, len(content) - 1)))
    return content[:at] + bytes([draw(st.integers(0, 255))]) + content[at + 1 :]


def _cut_off(draw: st.DrawFn, content: bytes) -> bytes:
    return content[: draw(st.integers(0, len(content)))]


def _repeat_line(draw: st.DrawFn, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    at, to = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines)))
    return b"".join(lines[:to] + [lines[at]] * draw(st.integers(1, 3)) + lines[to:])


def _other_ends(draw: st.DrawFn, content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n").replace(
        b"\n", draw(st.sampled_from((b"\r\n", b"\r", b"\n\n", b" \n", b",\n")))
    )


def _other_separator(draw: st.DrawFn, content: bytes) -> bytes:
    one, other = draw(st.tuples(st.sampled_from(b",;\t"), st.sampled_from(b",;\t| ")))
    return content.replace(bytes([one]), bytes([other]))


def _other_cell(draw: st.DrawFn, content: bytes) -> bytes:
    pieces = content.split(b",")
    pieces[draw(st.integers(0, len(pieces) - 1))] = draw(st.sampled_from(HOSTILE + CELLS + MORE_CELLS)).encode()
    return b",".join(pieces)


def _before(draw: st.DrawFn, content: bytes) -> bytes:
    first = (b"\n\n", b"# a comment\n", b"Title;;;\n", b"\xef\xbb\xbf", b"\xff\xfe", b'{"', b"PAR1", b"\x1f\x8b", b"\r")
    return draw(st.sampled_from(first)) + content


def _encoded(draw: st.DrawFn, content: bytes) -> bytes:
    text = content.decode("utf-8", errors="replace")
    return text.encode(draw(st.sampled_from(("utf-16", "utf-16-le", "cp1252", "utf-32"))), errors="replace")


def _compressed(draw: st.DrawFn, content: bytes) -> bytes:
    packed = gzip.compress(content, mtime=0)
    return packed if draw(st.booleans()) else packed[: draw(st.integers(0, len(packed)))]


MUTATIONS: tuple[Callable[[st.DrawFn, bytes], bytes], ...] = (
    *(_insert, _delete, _overwrite, _cut_off, _repeat_line, _other_ends, _other_separator, _other_cell, _before),
    *(_encoded, _compressed),
)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[bytes, list[str]]:
    """One of the messy files, or a clean one, after up to four mutations."""
    content = draw(st.sampled_from(BASES))
    for change in draw(st.lists(st.sampled_from(MUTATIONS), max_size=draw(st.integers(1, 4)))):
        content = change(draw, content)
    if content.startswith(b"{"):
        return content, ["x", "z", "kind", "new", "y"]
    header = content.decode("utf-8", errors="ignore").lstrip().splitlines()[:1] or [""]
    cells = header[0].replace(";", ",").replace("\t", ",").replace("|", ",").split(",")
    names = [cell.strip().strip('"') for cell in cells if "\0" not in cell]
    return content, sorted(names, key=lambda name: name in ("price", "y"))  # what can be a target stands last


_FIT_OPTIONS: tuple[tuple[str, ...], ...] = (
    *(("--lr", rate) for rate in ("auto", "0.1", "5", "1e-300", "1e300", "nan", "-1", "x")),
    *(("--optimizer", name) for name in ("momentum", "nesterov:0.5", "adagrad", "rmsprop", "adam", "newton", "gd:9")),
    *(("--schedule", name) for name in ("inverse:0.1", "exponential:0.9", "step:0.5:3", "cosine", "step")),
    *(("--tol", "1e-3"), ("--start", "x=3"), ("--start", "no such=3"), ("--start", "x"), ("--trace", "-")),
    *(("--trace", "trace.csv"), ("--trace", "trace.jsonl"), ("--save", "model.json"), ("--every", "2")),
    *(("--digits", "17"), ("--explain",), ("-q",), ("--strict",), ("--inference",), ("--chart",), ("-o", "result.txt")),
    *(("--cv", "3"), ("--holdout", "0.3"), ("--holdout", "0.3", "--patience", "2"), ("--holdout", "7")),
    *(("--missing", "error"), ("--max-levels", "2"), ("--jobs", "3"), ("-o", "no/folder"), ("-o", "data.csv")),
)  # fmt: skip
# Another cost, or another way to read: the reference knows neither.
_OTHER_COSTS: tuple[tuple[str, ...], ...] = (
    *(("--loss", word) for word in ("huber", "huber:0.5", "logistic", "poisson", "squared", "hinge")),
    *(("--loss", "logistic", "--event", "a"), ("--loss", "logistic", "--lr", "auto")),
    *(("--loss", "poisson", "--lr", "search"), ("--l2", "0", "--l2", "1", "--cv", "2"), ("--l2", "-1")),
    *(("--loss", "huber", "--memory", "0"), ("--loss", "logistic", "--optimizer", "newton", "--l2", "0.1")),
    *(("--l2", "0.1"), ("--l1", "0.2"), ("--l1", "0.2", "--l2", "1e9"), ("--by", "no such")),
    *(("--lr", "search"), ("--by", "kind"), ("--by", "x"), ("--plot", "picture.svg"), ("--memory", "lots")),
)  # fmt: skip
_OTHER_READING: tuple[tuple[str, ...], ...] = (
    *(("--no-header",), ("--skip-rows", "1"), ("--skip-rows", "999")),
    *(("--decimal", ","), ("--decimal", ",", "--thousands", ".")),
    *(("--thousands", ","), ("--quotechar", "'"), ("--on-bad-row", "skip"), ("--sep", "blanks"), ("--sep", "tab")),
)  # fmt: skip
# These choose other rows, or make the run write no JSON.
_OTHER_ROWS = {"--holdout", "--missing"}
FORMATS = ("json", "json", "json", "table", "csv", "tsv", "markdown")


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A file and a command line for it."""
    content, names = draw(st.one_of(tables(), mutated()))
    command = draw(st.sampled_from(("fit",) * 9 + ("sweep", "curve", "summarize", "predict", "score")))
    question, args = draw(_questions(names))
    if command in ("predict", "score"):
        return Case(content, (command, "a-model.json", "data.csv"), None)
    if command == "summarize":
        named = [word for name in question.exclude for word in ("--exclude", name)]
        return Case(content, ("summarize", "data.csv", *named), None)
    form = draw(st.sampled_from(FORMATS))
    if command == "sweep":
        return Case(content, ("sweep", "data.csv", *args, "-n", "10", "--format", form), None)
    if command == "curve":
        return Case(content, ("curve", "data.csv", *args, "-n", "5", "--format", "json"), None)
    steps = draw(st.sampled_from(("5", "0", "1", "40", "-3")) if draw(st.integers(0, 4)) == 0 else st.just("5"))
    extra = draw(st.lists(st.sampled_from(_FIT_OPTIONS), max_size=2 if draw(st.booleans()) else 0))
    other = (
        draw(st.sampled_from((None, None, *_OTHER_COSTS, *_OTHER_READING))) if draw(st.integers(0, 2)) == 0 else None
    )
    words = tuple(word for one in (*extra, other or ()) for word in one)
    if "--jobs" not in words:
        words += ("--jobs", "1")
    line = ("data.csv", *args, "-n", steps, "--format", form, *words)
    return Case(content, line, question if form == "json" and not other and not _OTHER_ROWS & {*words} else None)


@st.composite
def _questions(draw: st.DrawFn, names: list[str]) -> tuple[Question, tuple[str, ...]]:
    """What to fit, also as options."""
    name = st.sampled_from(names or ["x"])
    target = st.just(names[-1]) if names and draw(st.integers(0, 5)) else name
    question = Question(target=draw(target) if draw(st.integers(0, 15)) else draw(st.sampled_from(HOSTILE)))
    args = ["-t", question.target]
    if draw(st.booleans()):
        return question, tuple(args)
    for kind in draw(st.lists(st.sampled_from(("x", "x", "exclude", "categorical", "na", "weights")), max_size=3)):
        if kind == "x":
            question, args = replace(question, features=(*question.features, draw(name))), [*args, "-x"]
            args.append(question.features[-1])
        elif kind == "exclude":
            question = replace(question, exclude=(*question.exclude, draw(name)))
            args += ["--exclude", question.exclude[-1]]
        elif kind == "categorical":
            question = replace(question, categorical=(*question.categorical, draw(name)))
            args += ["--categorical", question.categorical[-1]]
        elif kind == "na":
            question = replace(question, na=(*question.na, draw(st.sampled_from(("999", "7", "a", "-", "?", "[/]")))))
            args += ["--na", question.na[-1]]
        elif question.weights is None:
            question = replace(question, weights=draw(name))
            args += ["--weights", str(question.weights)]
    if draw(st.integers(0, 3)) == 0:
        question, args = replace(question, fill=True), [*args, "--missing", "mean"]
    if draw(st.integers(0, 3)) == 0:
        question, args = replace(question, intercept=False), [*args, "--no-intercept"]
    if draw(st.integers(0, 5)) == 0:
        args += ["--scale", draw(st.sampled_from(("none", "minmax") if question.intercept else ("none",)))]
    if draw(st.integers(0, 9)) == 0:
        question = replace(question, separator=draw(st.sampled_from((";", ",", "\t", "|", " ", ":"))))
        args += ["--sep", str(question.separator)]
    if draw(st.integers(0, 9)) == 0:
        question = replace(question, encoding=draw(st.sampled_from(("latin-1", "cp1252", "utf-16"))))
        args += ["--encoding", question.encoding]
    return question, tuple(args)
