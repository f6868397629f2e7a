"""What a refusal proposes: every option it names is pasted here, and has to work."""

import csv
import io
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT, Done

CASES = ROOT / "tests" / "cases"
MESSY = sorted((ROOT / "tests" / "reference" / "messy").glob("*.csv"))
Run = Callable[..., Done]

_VALUE = r"(?:\$?'[^']*'|\"[^\"]*\"|[^\s'\"])+"
_PASTED = re.compile(
    r"(?<!Error: )--(?:sep(?= blanks)|decimal|thousands|quotechar|on-bad-row|na|categorical|exclude|date|max-levels"
    rf"|skip-rows|loss|event|comment|missing) {_VALUE}(?: --[a-z-]+ {_VALUE})*"
)
_SINGLE = {"--sep", "--decimal", "--thousands", "--quotechar", "--on-bad-row", "--skip-rows", "--loss", "--max-levels"}
_LONGEST = 6


def proposals(message: str) -> list[list[str]]:
    """The options that a message proposes, as words of a command line."""
    found = []
    for text in _PASTED.findall(message):
        words = shlex.split(text)
        if len(words[-1]) > 1:
            words[-1] = words[-1].rstrip(";:,.)")
        found.append(words)
    return found


def pasted(words: list[str], more: list[str]) -> list[str]:
    """A command line with further options; one that is given once only takes the place of the old one."""
    kept = list(words)
    for flag in more[::2]:
        if flag in _SINGLE and flag in kept:
            at = kept.index(flag)
            del kept[at : at + 2]
    return kept + more


def reason(message: str) -> str:
    """A refusal without its advice."""
    error = next(line for line in message.splitlines() if line.startswith("Error:"))
    return re.split(r"[:;] (?:if |--)", error.removeprefix("Error: "))[0]


def follow(gdfit: Run, words: list[str], seen: tuple[str, ...] = ()) -> list[tuple[list[str], Done]]:
    """Paste whatever is proposed until it fits. Raises AssertionError where that leads nowhere."""
    done = gdfit(*words)
    assert "unexpected" not in done.err, (words, done.err)
    if done.code != 1:
        return [(words, done)]
    assert "Error:" in done.err
    said = reason(done.err)
    assert said not in seen, f"the advice leads back to: {said}"
    assert len(seen) < _LONGEST, seen
    ends = []
    for more in proposals(done.err):
        ends += follow(gdfit, pasted(words, more), (*seen, said))
    return ends


def check(ends: list[tuple[list[str], Done]]) -> None:
    """Whatever was followed to its end fits a table of which no more than half was dropped for it."""
    for words, done in ends:
        if done.code in (0, 3) and done.out.startswith("{") and {"--na", "--on-bad-row"} & set(words):
            rows = json.loads(done.out)["rows"]
            assert 2 * rows["used"] >= rows["read"] + rows.get("skipped", 0), words


def fit_words(path: Path | str, target: str, *more: str) -> list[str]:
    return [str(path), "-t", target, *more, "--lr", "auto", "-n", "50", "--format", "json"]


def coefficients(done: Done) -> dict[str, float]:
    found = json.loads(done.out)
    return {one["term"]: one["optimum"] for one in found["coefficients"]}


def cleaned(name: str, x: str, y: str, sep: str = ",", skip: int = 0, **marks: str) -> tuple[float, float]:
    """The line through the rows of a case whose two cells are numbers once the marks are replaced, by np.polyfit."""
    raw = (CASES / name).read_bytes()
    text = raw.decode("cp949" if name.startswith("p44") else "utf-8").split("\n", skip)[skip]
    pairs = []
    for row in csv.DictReader((line for line in io.StringIO(text) if not line.startswith("#")), delimiter=sep):
        cells = [row[x] or "", row[y] or ""]
        for mark, instead in marks.items():
            cells = [cell.replace({"comma": ",", "dot": "."}.get(mark, mark), instead) for cell in cells]
        try:
            pairs.append((float(cells[0]), float(cells[1])))
        except ValueError:
            continue
    data = np.array(pairs)
    slope, intercept = np.polyfit(data[:, 0] - data[0, 0], data[:, 1], 1)
    return float(slope), float(intercept - slope * data[0, 0])


# A case, its target and features, the advice that reads it, and the slope of its cells cleaned by hand.
READ = {
    "quoted thousands": ("p01_thousands.csv", "cost", "indicator", [], "--thousands ,", {"comma": ""}),
    "dots of thousands and decimal commas": (
        "p04_german.csv", "y", "x", [], "--decimal , --thousands .", {"dot": "", "comma": "."},
    ),
    "the wrong mark given": (
        "p04_german.csv", "y", "x", ["--decimal", ","], "--thousands .", {"dot": "", "comma": "."},
    ),
    "a few decimal commas": ("p06_deccomma.csv", "b", "a", [], "--decimal ,", {"comma": "."}),
    "values below a limit": ("p10_censored.csv", "conc", "flow", [], "--on-bad-row skip", {}),
    "rows of units": ("p30_units.csv", "A_c", "T_NOCT", [], "--on-bad-row skip", {}),
    "a title": ("p32_title.csv", "prezzo", "dist", [], "--skip-rows 1", {}),
    "lines above": ("p40_worldbank.csv", "2019", "2000", [], "--skip-rows 4", {}),
    "another encoding": (
        "p44_crime.csv", "천명당", "건수", ["--encoding", "cp949"], "--thousands ,", {"comma": ""},
    ),
}  # fmt: skip
_SEPARATORS = {"p04_german.csv": ";", "p06_deccomma.csv": ";", "p32_title.csv": ";"}
_ABOVE = {"p32_title.csv": 1, "p40_worldbank.csv": 4}


@pytest.mark.parametrize(("name", "target", "feature", "more", "advice", "marks"), READ.values(), ids=READ)
def test_the_first_advice_of_a_refusal_reads_the_table_right(
    gdfit: Run, name: str, target: str, feature: str, more: list[str], advice: str, marks: dict[str, str]
) -> None:
    words = fit_words(CASES / name, target, "-x", feature, *more)
    refused = gdfit(*words)
    assert refused.code == 1
    first = proposals(refused.err)[0]
    assert shlex.join(first).replace("'", "") == advice
    read = gdfit(*pasted(words, first))
    assert read.code == 0, read.err
    slope, _ = cleaned(name, feature, target, _SEPARATORS.get(name, ","), _ABOVE.get(name, 0), **marks)
    assert coefficients(read)[feature] == pytest.approx(slope, rel=1e-9)


@pytest.mark.parametrize(("name", "target", "feature", "more", "advice", "marks"), READ.values(), ids=READ)
def test_no_advice_that_is_followed_to_its_end_reads_wrong_numbers(
    gdfit: Run, name: str, target: str, feature: str, more: list[str], advice: str, marks: dict[str, str]
) -> None:
    slope, _ = cleaned(name, feature, target, _SEPARATORS.get(name, ","), _ABOVE.get(name, 0), **marks)
    for words, done in follow(gdfit, fit_words(CASES / name, target, "-x", feature, *more)):
        if done.code == 0 and not {"--na", "--categorical", "--exclude", "--date"} & {*words}:
            assert coefficients(done) == pytest.approx({feature: slope}, rel=1e-9), words


def test_a_sale_with_a_comma_is_read_and_not_left_out(gdfit: Run) -> None:
    # By hand: P2 is 650 and P3 3150 above P1, V 2800 below M.
    words = fit_words(CASES / "p03_sales.csv", "Price")
    refused = gdfit(*words)
    assert "line 9, column 'Price': '13,000'" in refused.err
    assert proposals(refused.err) == [["--thousands", ","]]
    found = coefficients(gdfit(*words, "--thousands", ","))
    assert found == pytest.approx({"Pay[V]": -2800, "Product[P2]": 650, "Product[P3]": 3150}, rel=1e-9)


@pytest.mark.parametrize(
    "form", ["CHF {}.00", "{} kg", "10.{} kmpl", "1.{}M", "{} %", "({})", "<0.{}", "1.{}D+03", "'{}.5", "{}th", "0x{}",
             '"=""{}"""', "~{}", "{}*", "\uff11{}", "{} ± 1", "${}", "{}k"],
)  # fmt: skip
@pytest.mark.parametrize("rows", [4, 80])
def test_text_that_means_a_number_is_never_a_category_by_itself(
    gdfit: Run, csv_file: Callable[..., str], form: str, rows: int
) -> None:
    cells = [form.format(10 + i % (rows // 2)) for i in range(rows)]
    path = csv_file("x,y\n" + "".join(f"{cell},{i}\n" for i, cell in enumerate(cells)))
    words = fit_words(path, "y")
    refused = gdfit(*words)
    assert refused.code == 1
    assert "line 2, column 'x': " in refused.err
    assert gdfit(*words, "--categorical", "x").code == 0


def test_the_cell_that_is_named_stands_on_the_line_that_is_named(gdfit: Run, csv_file: Callable[..., str]) -> None:
    lines = ["a,y", "$74,1", "$5,2", "$0.9,3"]
    message = gdfit(*fit_words(csv_file("\n".join(lines) + "\n"), "y")).err
    line, cell = re.search(r"line (\d+), column 'a': '([^']*)'", message).groups()  # type: ignore[union-attr]
    assert lines[int(line) - 1].startswith(cell)


@pytest.mark.parametrize(
    "words",
    [
        fit_words(CASES / "p08_chf.csv", "qty"),
        fit_words(CASES / "p16_oddcommas.csv", "y", "--sep", ";", "--thousands", ","),
        fit_words(CASES / "p20_na.csv", "life", "-x", "gdp", "-x", "continent"),
        fit_words(CASES / "p26_question.csv", "x3", "--no-header"),
        fit_words(CASES / "p34_comments.csv", "epsilon", "-x", "sigma"),
        fit_words(CASES / "p35_hashheader.csv", "M", "-x", "K"),
        fit_words(CASES / "p38_ragged.csv", "three"),
        fit_words(CASES / "p53_levels.csv", "y"),
        fit_words(CASES / "p88_three.csv", "y", "--loss", "logistic"),
        fit_words(CASES / "p90_yesno.csv", "y"),
        *(fit_words(CASES / case[0], case[1], "-x", case[2], *case[3]) for case in READ.values()),
    ],
    ids=lambda words: Path(words[0]).stem,
)
def test_every_advice_about_a_case_works_when_it_is_pasted(gdfit: Run, words: list[str]) -> None:
    ends = follow(gdfit, words)
    assert ends
    assert all(done.code in (0, 3) for _, done in ends), ends
    check(ends)


@pytest.mark.parametrize("path", MESSY, ids=lambda path: path.stem)
def test_every_advice_about_a_messy_file_works_when_it_is_pasted(gdfit: Run, path: Path) -> None:
    with path.open(encoding="latin-1", newline="") as stream:
        names = next(csv.reader(stream), [])
    for target in dict.fromkeys(name.strip() for name in [*names[:2], *names[-1:]] if name.isascii() and name.strip()):
        check(follow(gdfit, fit_words(path, target)))


# Text tables, their command lines, and the numbers that every pasted advice has to give: found by hand.
TO_PASTE = {
    "numbers in quotes of another kind": ("x,y\n'1',1\n'2',2\n'4',4\n'5',5\n", [], ["--quotechar", "'"], {"x": 1.0}),
    "quotes of another kind": (
        "n,y\n'a,b',1\n'c',2\n'a,b',3\n'c',4\n", [], ["--quotechar", "'"], {"n[c]": 1.0},
    ),
    "runs of blanks": ("x y\n1  2\n2   4\n3 6\n4   8\n", ["--sep", " "], ["--sep", "blanks"], {"x": 2.0}),
    "gaps all over": (
        "a,b,y\n1,,1\n,2,2\n3,,3\n,6,6\n", [], ["--missing", "mean"], {"a": 1.0, "b": 1.0},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "more", "advice", "expected"), TO_PASTE.values(), ids=TO_PASTE)
def test_the_cure_is_named_and_gives_the_right_numbers(
    gdfit: Run, csv_file: Callable[..., str], text: str, more: list[str], advice: list[str], expected: dict[str, float]
) -> None:
    words = fit_words(csv_file(text), "y", *more)
    refused = gdfit(*words)
    assert refused.code == 1
    assert advice in proposals(refused.err)
    assert coefficients(gdfit(*pasted(words, advice))) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("texts", [["gone", "lost", "shut"], ["gone", "lost", "shut", "void"]])
def test_up_to_three_texts_among_numbers_are_each_proposed_as_missing(
    gdfit: Run, csv_file: Callable[..., str], texts: list[str]
) -> None:
    rows = [*(f"{i},{2 * i + 1}" for i in range(20)), *(f"{text},7" for text in texts)]
    words = fit_words(csv_file("\n".join(["x,y", *rows]) + "\n"), "y")
    advice = [word for text in texts for word in ("--na", text)]
    found = proposals(gdfit(*words).err)
    assert [more for more in found if "--na" in more] == ([advice] if len(texts) == 3 else [])
    if len(texts) == 3:
        assert json.loads(gdfit(*words, *advice).out)["rows"]["used"] == 20


def test_columns_with_most_of_the_gaps_are_named_together(gdfit: Run, csv_file: Callable[..., str]) -> None:
    rows = [f"{'' if i % 4 else i},{i if i % 4 == 1 else ''},{i * i % 5},{i}" for i in range(12)]
    words = fit_words(csv_file("\n".join(["a,b,c,y", *rows]) + "\n"), "y")
    message = gdfit(*words).err.splitlines()[-1]
    assert message.endswith(
        "--missing mean fills the gaps; --exclude a --exclude b leaves out the columns with most of them"
    )
    for more in proposals(message):
        assert json.loads(gdfit(*words, *more).out)["rows"]["used"] == 12


def test_rows_that_mostly_go_are_not_left_without_advice(gdfit: Run, csv_file: Callable[..., str]) -> None:
    table = "a,b,y\n1,,1\n2,,2\n4,,3\n4,1,4\n5,3,7\n"
    assert (
        "('b' 3); --missing mean fills the gaps; --exclude b leaves out the column"
        in gdfit(*fit_words(csv_file(table), "y")).err
    )
    target_lacks = table.replace("a,b,y", "a,y,b")
    assert "--missing" not in gdfit(*fit_words(csv_file(target_lacks), "y")).err
    few = table.replace("2,,2\n4,,3", "2,1,2\n4,5,3")
    assert "--missing" not in gdfit(*fit_words(csv_file(few), "y")).err


@pytest.mark.parametrize("classes", ["ab", "abc"])
def test_a_loss_that_is_proposed_can_be_chosen(gdfit: Run, csv_file: Callable[..., str], classes: str) -> None:
    path = csv_file("x,g,y\n" + "".join(f"{i * i % 7},{i // 6},{classes[i % len(classes)]}\n" for i in range(12)))
    fit = gdfit(path, "-t", "y")
    end = ["--event", "a"] if len(classes) > 2 else []
    assert proposals(fit.err) == [["--loss", "logistic", *end]]
    assert gdfit(path, "-t", "y", *proposals(fit.err)[0], "-q").code == 0
    for words in (("sweep", path, "-t", "y"), (path, "-t", "y", "--by", "g")):
        assert proposals(gdfit(*words).err) == [["--loss", "logistic", *end]]
        assert gdfit(*words, *proposals(fit.err)[0], "-q").code == 0


CELLS = (
    "1",
    "2.5",
    "1,5",
    "1.234,5",
    "1 000",
    "13,000",
    "x",
    "?",
    "2024-01-02",
    "3/4/2024",
    "12:30",
    "5 kg",
    "$7",
    "NA",
)


@pytest.mark.parametrize("seed", range(30))
def test_every_advice_about_a_random_table_works_when_it_is_pasted(
    gdfit: Run, csv_file: Callable[..., str], seed: int
) -> None:
    random = np.random.default_rng(seed)
    rows = int(random.integers(4, 14))
    kinds = [random.choice(CELLS, size=2, replace=True) for _ in range(2)]
    lines = ["a;b;y"]
    for i in range(rows):
        cells = [str(kind[int(random.random() < 0.3)]) for kind in kinds]
        lines.append(";".join([*cells, str(i * i % 7)]))
    check(follow(gdfit, fit_words(csv_file("\n".join(lines) + "\n"), "y")))


def test_days_become_numbers_and_predict_reads_them_so(
    gdfit: Run, csv_file: Callable[..., str], tmp_path: Path
) -> None:
    # 117 a day: 1555, 1678, 1789; the mean is 1674 on the second day.
    model = str(tmp_path / "m.json")
    done = gdfit(*fit_words(CASES / "p50_dates.csv", "value", "--save", model))
    assert coefficients(done) == pytest.approx({"date": 117.0}, rel=1e-12)
    assert "note: read as days since 1970-01-01: 'date'" in done.err
    predicted = gdfit("predict", model, csv_file("date\n2016-01-18\n2016-01-18T12:00Z\n2016-01-18 01:00+01:00\n"))
    rows = [line.rsplit(",", 1)[1] for line in predicted.out.splitlines()[1:]]
    assert [float(row) for row in rows] == pytest.approx([1908, 1966.5, 1908], rel=1e-12)


def test_one_class_against_the_rest_is_scored_so(gdfit: Run, tmp_path: Path) -> None:
    model, path = str(tmp_path / "m.json"), str(CASES / "p88_three.csv")
    fit = [path, "-t", "y", "--loss", "logistic", "--event", "a", "--optimizer", "newton", "-n", "30", "--save", model]
    assert gdfit(*fit, "--format", "json").code == 0
    scored = json.loads(gdfit("score", model, path, "--format", "json").out)
    assert scored["rows"]["used"] == 5
    model_rate = [float(row.rsplit(",", 1)[1]) for row in gdfit("predict", model, path).out.splitlines()[1:]]
    assert sum(model_rate) == pytest.approx(2, rel=1e-6)  # the score equation of the intercept: two of five are a


def test_dots_that_may_be_thousands_are_warned_of(gdfit: Run, csv_file: Callable[..., str]) -> None:
    path = csv_file("a;y\n1.234;1\n2.500;2\n12.000;5\n900;1\n")
    done = gdfit(*fit_words(path, "y"))
    assert "if 1.234 means 1234: --decimal , --thousands ." in done.err
    slope = np.polyfit([1234, 2500, 12000, 900], [1, 2, 5, 1], 1)[0]
    again = gdfit(*fit_words(path, "y", "--decimal", ",", "--thousands", "."))
    assert coefficients(again)["a"] == pytest.approx(slope, rel=1e-9)
    assert "warning" not in gdfit(*fit_words(csv_file("a;y\n1.234;1\n2.500;2\n0.125;5\n"), "y")).err


def test_a_model_of_dates_is_not_exported(gdfit: Run, tmp_path: Path) -> None:
    model = str(tmp_path / "m.json")
    gdfit(*fit_words(CASES / "p50_dates.csv", "value", "--save", model))
    done = gdfit("export", model, "--to", "sql")
    assert done.code == 1
    assert "reads dates as days since 1970-01-01 ('date')" in done.err


@pytest.mark.parametrize(
    ("others", "told", "untold"),
    [
        ("-", "--thousands , --na - reads it as 1200, and others as missing", "5 %"),
        ("5 %", "--thousands , --on-bad-row skip reads it as 1200, and leaves other rows out", "--na"),
    ],
)
def test_an_advice_that_reads_a_cell_says_what_becomes_of_others_and_calls_no_value_missing(
    gdfit: Run, csv_file: Callable[..., str], others: str, told: str, untold: str
) -> None:
    path = csv_file('a,y\n"1,200",4\n' + f"{others},9\n" * 2 + "".join(f"{i},{i * i}\n" for i in range(6)))
    done = gdfit(*fit_words(path, "y"))
    assert told in done.err
    assert untold not in done.err
    again = gdfit(*fit_words(path, "y"), *proposals(done.err)[0])
    slope = np.polyfit([1200, *range(6)], [4, *(i * i for i in range(6))], 1)[0]
    assert coefficients(again)["a"] == pytest.approx(slope, rel=1e-9)
