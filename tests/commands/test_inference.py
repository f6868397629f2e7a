"""--inference on the command line: the second table, the sentences, and every format."""

import csv
import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len

from gdcli.api import fit_data as fit
from gdcli.fitting.results import Fit
from gdcli.report.fit import fit_report
from gdcli.report.numbers import p_value
from gdcli.report.paper import Page
from gdcli.report.writers import as_table


def beside_text_note(err: str) -> str:
    """What stderr has beside the note that a column is text."""
    return "".join(line for line in err.splitlines(keepends=True) if " is text: " not in line)


FIVE = ["std_error", "t", "p", "low", "high"]


@pytest.fixture
def data(csv_file: Callable[..., str]) -> str:
    random = np.random.default_rng(7)
    x, z = random.normal(size=(2, 80))
    kind = random.choice(["a", "b"], 80)
    y = 3 * x + 0.1 * z + (kind == "b") + random.normal(size=80)
    rows = zip(x.tolist(), z.tolist(), kind.tolist(), y.tolist(), strict=True)
    return csv_file("x,z,kind,y\n" + "".join(f"{a!r},{b!r},{c},{d!r}\n" for a, b, c, d in rows))


def table(text: str) -> list[list[str]]:
    """The cells of the table of coefficients, numbers without separators of thousands."""
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("term "))
    end = next(i for i in range(at, len(lines)) if not lines[i].strip() or lines[i].startswith(("Left out", "Each is")))
    return [re.split(r"\s{2,}", line.replace(",", "")) for line in lines[at:end]]


def shown(result: Fit, width: int) -> str:
    return as_table(fit_report(result), Page(width))


def flat(text: str) -> str:
    return " ".join(text.split())


def test_json_has_five_more_keys_on_each_coefficient_and_the_rest_by_itself(
    gdfit: Callable[..., Any], data: str
) -> None:
    done = gdfit(data, "-t", "y", "--inference", "--lr", "auto", "--format", "json")
    assert (done.code, beside_text_note(done.err)) == (0, "")
    document = json.loads(done.out)
    assert [list(c) for c in document["coefficients"]] == [["term", "value", "optimum", "standardized", *FIVE]] * 3
    assert list(document["intercept"]) == ["value", "optimum", *FIVE]
    assert list(document["inference"])[:8] == [
        "residual_sd", "degrees_of_freedom", "r2", "adjusted_r2", "f", "f_p", "f_degrees_of_freedom", "confidence",
    ]  # fmt: skip
    assert document["inference"]["applies"] is True
    assert document["inference"]["degrees_of_freedom"] == 76
    for c in (*document["coefficients"], document["intercept"]):
        assert c["low"] < c["optimum"] < c["high"]
        assert c["t"] == pytest.approx(c["optimum"] / c["std_error"])


def test_json_without_it_has_none_of_them(gdfit: Callable[..., Any], data: str) -> None:
    document = json.loads(gdfit(data, "-t", "y", "--format", "json").out)
    assert list(document["coefficients"][0]) == ["term", "value", "optimum", "standardized"]
    assert list(document["intercept"]) == ["value", "optimum"]


@pytest.mark.parametrize(("form", "separator"), [("csv", ","), ("tsv", "\t")])
def test_csv_and_tsv_have_five_more_columns(gdfit: Callable[..., Any], data: str, form: str, separator: str) -> None:
    done = gdfit(data, "-t", "y", "--inference", "--format", form)
    assert (done.code, beside_text_note(done.err)) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.out), delimiter=separator))
    assert list(rows[0]) == ["term", "coefficient", "optimum", "standardized", *FIVE]
    document = json.loads(gdfit(data, "-t", "y", "--inference", "--format", "json").out)
    for row, c in zip(rows, [*document["coefficients"], document["intercept"]], strict=True):
        assert [float(row[name]) for name in FIVE] == [c[name] for name in FIVE]


def test_markdown_has_five_more_columns(gdfit: Callable[..., Any], data: str) -> None:
    lines = gdfit(data, "-t", "y", "--inference", "--format", "markdown").out.splitlines()
    assert lines[0] == "| term | coefficient | optimum | standardized | std_error | t | p | low | high |"
    assert {line.count("|") for line in lines} == {10}
    assert " <1e-16 |" in lines[2]


def test_the_coefficients_have_the_figures_and_the_whole_fits_are_under_them(
    gdfit: Callable[..., Any], data: str
) -> None:
    done = gdfit(data, "-t", "y", "--inference", "--lr", "auto")
    assert (done.code, beside_text_note(done.err)) == (0, "")
    header, _, *rows = table(done.out)
    assert header == ["term", "coefficient", "std error", "t", "p", "95 % interval", "effect (sd)"]
    document = json.loads(gdfit(data, "-t", "y", "--inference", "--lr", "auto", "--format", "json").out)
    assert [row[0] for row in rows] == ["x", "kind = b", "z", "(intercept)"]
    x, z, kind = document["coefficients"]
    for row, c in zip(rows, [x, kind, z, document["intercept"]], strict=True):
        assert float(row[1]) == pytest.approx(c["optimum"], rel=1e-5)
        assert float(row[2]) == pytest.approx(c["std_error"], rel=1e-2)
        assert float(row[3]) == pytest.approx(c["t"], rel=1e-2)
        low, high = re.findall(r"-?[\d.]+", " ".join(row[5:]))[:2]
        assert (float(low), float(high)) == pytest.approx((c["low"], c["high"]), rel=1e-2)
    whole = document["inference"]
    assert re.search(
        rf"^R² {whole['r2']:.6f}, adjusted {whole['adjusted_r2']:.6f}   residual SD [\d.]+ on 76 degrees of freedom   "
        r"F [\d.]+ on 3 and 76, p <1e-16   all 80 rows used$",
        done.out,
        re.MULTILINE,
    )
    assert "belong to the minimum" not in done.out


def test_figures_that_are_not_the_descents_say_whose_they_are_and_how_to_get_there(
    gdfit: Callable[..., Any], data: str
) -> None:
    done = gdfit(data, "-t", "y", "--inference", "-n", "20")
    assert done.code == 0
    sentence = (
        r"Errors, t, p and intervals belong to the minimum, not to the coefficients of the descent, "
        r"which are up to [\d.]+ standard errors away from it\. "
        r"--lr (?P<lr>[\d.]+) -n (?P<n>\d+) brings them there\."
    )
    found = re.search(sentence, done.out)
    assert found
    again = gdfit(data, "-t", "y", "--inference", "--lr", found["lr"], "-n", found["n"], "--format", "json")
    assert json.loads(again.out)["inference"]["applies"] is True


def test_more_iterations_are_named_where_the_rate_is_good_enough(gdfit: Callable[..., Any], data: str) -> None:
    args = (data, "-t", "y", "--inference", "--lr", "auto")
    found = re.search(r"away from it\. -n (\d+) brings them there\.", gdfit(*args, "-n", "3").out)
    assert found
    assert json.loads(gdfit(*args, "-n", found[1], "--format", "json").out)["inference"]["applies"] is True


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"holdout": 0.5, "patience": 1, "seed": 3, "learning_rate": 0.4},
            "Without --patience they would come closer.",
        ),
        ({"tolerance": 0.1}, "A smaller --tol brings them closer."),
        ({"scale": "none", "features": ["far"]}, "No practical number of iterations brings them there."),
    ],
)
def test_the_way_there_depends_on_what_stopped_the_descent(
    csv_file: Callable[..., str], options: dict[str, Any], sentence: str
) -> None:
    random = np.random.default_rng(1)
    x, noise = random.normal(size=(2, 40))
    y = x + noise
    rows = zip(x.tolist(), (1e6 + x).tolist(), y.tolist(), strict=True)
    path = csv_file("x,far,y\n" + "".join(f"{a!r},{b!r},{c!r}\n" for a, b, c in rows))
    options = {"features": ["x"]} | options
    if options["features"] == ["far"]:
        options["learning_rate"] = 1e-14
    result = fit(path, target="y", inference=True, **options)
    assert result.inference is not None
    assert not result.inference.applies
    assert sentence in as_table(fit_report(result), Page())


def test_collinear_terms_are_blank_and_a_sentence_says_why(
    gdfit: Callable[..., Any], csv_file: Callable[..., str]
) -> None:
    path = csv_file("x,xx,z,y\n" + "".join(f"{i},{2 * i},{i * i % 7},{i + i % 3}\n" for i in range(12)))
    done, plain = gdfit(path, "-t", "y", "--inference"), gdfit(path, "-t", "y")
    assert done.code == 0
    assert [len(row) - len(usual) for row, usual in zip(table(done.out)[2:], table(plain.out)[2:], strict=True)] == [
        0,
        0,
        5,
        0,
    ]
    assert "Collinear terms have no standard errors of their own, nor has the intercept beside them" in done.out
    document = json.loads(gdfit(path, "-t", "y", "--inference", "--format", "json").out)
    assert [c["p"] is None for c in document["coefficients"]] == [True, True, False]


def test_a_perfect_fit_says_that_there_is_nothing_to_judge_by(
    gdfit: Callable[..., Any], csv_file: Callable[..., str]
) -> None:
    done = gdfit(csv_file("x,y\n1,3\n2,5\n3,7\n4,9\n"), "-t", "y", "--inference")
    assert done.code == 0
    assert "The least-squares fit is perfect: no residual is left to judge by." in done.out
    assert "nan" not in done.out
    assert "inf" not in done.out.replace("(intercept)", "")


def test_after_divergence_the_json_has_the_optimums_figures_and_the_table_none(
    gdfit: Callable[..., Any], data: str
) -> None:
    done = gdfit(data, "-t", "y", "--inference", "--lr", "9", "--format", "json")
    assert done.code == 3
    document = json.loads(done.out)
    assert document["inference"]["applies"] is False
    assert document["coefficients"][0]["value"] is None
    assert document["coefficients"][0]["std_error"] > 0
    assert "std error" not in gdfit(data, "-t", "y", "--inference", "--lr", "9").out


def test_too_few_rows_are_a_warning(gdfit: Callable[..., Any], csv_file: Callable[..., str]) -> None:
    done = gdfit(csv_file("x,y\n1,3\n2,5\n"), "-t", "y", "--inference", "--format", "csv", "-q")
    assert done.code == 0
    assert done.err.splitlines()[1:] == ["warning: no inference: 2 rows leave no degree of freedom for 2 coefficients"]
    assert done.out.startswith("term,coefficient,optimum,standardized\n")


def test_without_scipy_it_is_wrong_usage(gdfit: Callable[..., Any], data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    done = gdfit(data, "-t", "y", "--inference")
    assert done == (2, "", "Error: --inference needs scipy: pip install 'gdfit[stats]'\n")
    assert gdfit(data, "-t", "y", "-q").code == 0


def test_a_narrow_terminal_leaves_out_the_interval_then_t_then_the_standard_error(data: str) -> None:
    result = fit(data, target="y", inference=True, iterations=30)
    headers = [" ".join(table(shown(result, width))[0]).strip() for width in range(140, 36, -1)]
    assert list(dict.fromkeys(headers)) == [
        "term coefficient minimum at off std error t p 95 % interval effect (sd)",
        "term coefficient minimum at off std error t p 95 % interval",
        "term coefficient minimum at std error t p 95 % interval",
        "term coefficient minimum at std error p 95 % interval",
        "term coefficient minimum at std error p",
        "term coefficient std error p",
        "term coefficient p",
    ]
    assert "Left out at 40 columns: " in flat(shown(result, 40))
    assert "; a pipe and --format csv have all." in flat(shown(result, 40))


@pytest.mark.parametrize("width", [30, 50, 80])
def test_no_line_of_it_is_wider_than_the_terminal_and_none_is_cut(data: str, width: int) -> None:
    text = shown(fit(data, target="y", inference=True), width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "…" not in text.replace(" … ", "")


def test_without_unicode_the_report_is_ascii(data: str) -> None:
    result = fit(data, target="y", inference=True, iterations=5)
    text = as_table(fit_report(result), Page(encoding="ascii"))
    assert text.isascii()
    assert "R^2 0." in text


def test_hostile_names_act_on_nothing(gdfit: Callable[..., Any], data: str) -> None:
    path = Path(data)
    path.write_text(path.read_text().replace("x,z,kind", "\x1b[31mx,[red]z,kind", 1))
    for form in ("table", "json", "markdown"):
        done = gdfit(path, "-t", "y", "--inference", "--format", form, "-n", "5")
        assert done.code == 0
        assert "\x1b" not in done.out


@pytest.mark.parametrize(
    ("p", "text"),
    [(1.0, "1.0000"), (0.0312, "0.0312"), (0.001, "0.0010"), (0.00099, "9.9e-4"), (4.7e-9, "4.7e-9"),
     (2e-16, "2.0e-16"), (9e-17, "<1e-16"), (0.0, "<1e-16")],
)  # fmt: skip
def test_p_values_are_short_and_never_zero(p: float, text: str) -> None:
    assert p_value(p) == text
