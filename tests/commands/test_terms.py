"""Terms on the command line: the fits are statsmodels', the predictions NumPy's, and messages say what is wrong."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdcli import load_model
from gdcli.api import fit_data as fit
from gdcli.base.errors import CellError
from gdcli.ingest.summarize import summarize_data as summarize
from tests.oracles.statsmodels_terms import MODELS

TESTS = Path(__file__).parents[1]
SAMPLE = TESTS.parent / "sample_data"
FITS = json.loads((TESTS / "reference" / "statsmodels_terms.json").read_text(encoding="utf-8"))

Gdfit = Callable[..., Any]


@pytest.mark.parametrize("number", range(len(MODELS)))
def test_coefficients_errors_and_predictions_are_those_of_statsmodels_formulas(
    number: int, gdfit: Gdfit, tmp_path: Path
) -> None:
    (file, formula, words), expected = MODELS[number], FITS[number]
    assert expected["formula"] == formula
    model = tmp_path / "m.json"
    done = gdfit(
        SAMPLE / file, *words, "--optimizer", "newton", "--inference", "--format", "json", "-q", "--save", model
    )
    assert done.code == 0, done.err
    document = json.loads(done.out)
    found = [*document["coefficients"], *([document["intercept"]] if document["intercept"] else [])]
    by_value = sorted((one["optimum"], one["std_error"]) for one in found)
    names = sorted(expected["coefficients"], key=lambda name: expected["coefficients"][name])
    assert [value for value, _ in by_value] == pytest.approx([expected["coefficients"][n] for n in names], rel=1e-9)
    assert [error for _, error in by_value] == pytest.approx([expected["errors"][n] for n in names], rel=1e-9)
    rows = pd.read_csv(SAMPLE / file).head(20)
    wanted = np.array(expected["predictions"], dtype=float)
    assert load_model(model).predict(rows) == pytest.approx(wanted, rel=1e-9, nan_ok=True)


def table(tmp_path: Path, text: str, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


ROWS = "y,a,b\n1,1,2\n3,2,5\n4,3,1\n8,4,7\n9,5,3\n"


def test_a_column_called_like_an_expression_goes_first(tmp_path: Path) -> None:
    path = table(tmp_path, "y,log(a),a\n1,7,1\n2,9,2\n4,8,3\n3,6,4\n")
    assert fit(path, target="y", features="log(a)").coefficients[0].optimum == pytest.approx(
        np.polyfit([7, 9, 8, 6], [1, 2, 4, 3], 1)[0]
    )


def test_a_name_with_blanks_or_signs_stands_in_backquotes(tmp_path: Path) -> None:
    path = table(tmp_path, "y,living area,c`d\n1,7,1\n2,9,2\n4,8,3\n3,6,5\n")
    fitted = fit(path, target="y", features=["log(`living area`)", "`c``d`^2"])
    assert [one.term for one in fitted.coefficients] == ["log(`living area`)", "`c``d`^2"]
    X = np.column_stack([np.log([7, 9, 8, 6]), np.array([1, 2, 3, 5]) ** 2, np.ones(4)])
    assert [one.optimum for one in fitted.coefficients] == pytest.approx(
        np.linalg.lstsq(X, [1, 2, 4, 3], rcond=None)[0][:2].tolist()
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-x", "log(a)"], "line 4, column 'a': log(a) has no value for 0; --on-bad-row skip leaves such rows out"),
        (["-x", "sqrt(a-1)"], "line 4, column 'a': sqrt(a - 1) has no value for 0"),
        (["-x", "log(b/a)"], "line 4, column 'b': b/a has no value for 1 and 0"),
        (["-t", "log(a)", "-x", "b"], "line 4, column 'a': log(a) has no value for 0"),
    ],
)
def test_a_logarithm_of_zero_is_an_error_with_its_line_column_and_value(
    words: list[str], message: str, gdfit: Gdfit, tmp_path: Path
) -> None:
    path = table(tmp_path, "y,a,b\n1,1,2\n3,2,5\n4,0,1\n8,4,7\n9,5,3\n")
    done = gdfit(path, *([] if "-t" in words else ["-t", "y"]), *words)
    assert (done.code, done.out) == (1, "")
    assert message in done.err
    skipped = gdfit(path, *([] if "-t" in words else ["-t", "y"]), *words, "--on-bad-row", "skip")
    assert skipped.code == 0
    assert "skipped 1 bad row" in skipped.err


def test_rows_without_a_logarithm_are_skipped_on_demand_and_have_no_prediction(gdfit: Gdfit, tmp_path: Path) -> None:
    path = table(tmp_path, "y,a\n1,1\n3,2\n4,0\n8,4\n9,-5\n7,3\n")
    fitted = fit(path, target="y", features="log(a)", on_bad_row="skip")
    slope, intercept = np.polyfit(np.log([1, 2, 4, 3]), [1, 3, 8, 7], 1)
    assert fitted.coefficients[0].optimum == pytest.approx(slope)
    assert (fitted.rows.used, fitted.rows.skipped) == (4, 2)
    gdfit(
        path, "-t", "y", "-x", "log(a)", "--on-bad-row", "skip", "--optimizer", "newton", "--save", tmp_path / "m.json"
    )
    done = gdfit("predict", tmp_path / "m.json", path, "--only")
    found = done.out.split("\n")[1:-1]
    assert [found[2], found[4]] == ['""', '""']
    assert float(found[1]) == pytest.approx(intercept + slope * math.log(2))
    assert "2 of 6 rows could not be predicted ('log(a)' 2)" in done.err


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ("log(aa)", "has no column 'aa', as in 'log(aa)'. Did you mean 'a'?"),
        ("logg(a)", "there is no function 'logg'. Did you mean 'log"),
        ("log(a", "it is no expression: ')' is missing"),
        ("a b", "has no column 'a b'"),
        ("C(a)^2", "C(a) stands for terms, not for a number to compute with"),
        ("poly(a, 0)", "a degree is a whole number from 1 to 20"),
        ("log(2)", "there is no column in it"),
        ("__import__('os')", "''' has no meaning in it"),
        ("a.__class__", "has no column 'a.__class__'"),
        ("(" * 60 + "a" + ")" * 60, "nested more than 40 deep"),
        ("+".join(["a"] * 400), "it has more than 300 parts"),
        ("hour(a)", "hour() takes a column of dates, which 'a' is not"),
        ("log(k)", "'log(k)' takes numbers, and 'k' is text"),
    ],
)
def test_what_is_no_expression_is_refused_in_one_line(feature: str, message: str, gdfit: Gdfit, tmp_path: Path) -> None:
    path = table(tmp_path, "y,a,k\n1,1,u\n3,2,u\n4,3,w\n8,4,w\n")
    done = gdfit(path, "-t", "y", "-x", feature)
    assert done.code == 1
    assert message in done.err
    assert done.err.count("\n") == 1


def test_powers_bind_as_in_r(tmp_path: Path) -> None:
    path = table(tmp_path, ROWS)
    a, b, y = np.array([1, 2, 3, 4, 5.0]), np.array([2, 5, 1, 7, 3.0]), np.array([1, 3, 4, 8, 9.0])
    for text, values in {
        "a + b^2": a + b**2,
        "-a^2*3": -(a**2) * 3,
        "2^a^0.5": 2 ** (a**0.5),
        "a - b - 1": a - b - 1,
        "a/b/2": a / b / 2,
        "10^-a": 10**-a,
        "(a*b)": a * b,
        "I(a*b) ": a * b,
        "log1p(a)*log2(8)": np.log1p(a) * 3,
    }.items():
        fitted = fit(path, target="y", features=text)
        assert fitted.coefficients[0].optimum == pytest.approx(np.polyfit(values, y, 1)[0], rel=1e-9), text


def test_the_parts_of_a_date_are_numbers_and_may_be_categories(tmp_path: Path) -> None:
    when = pd.date_range("2023-11-27 05:30", periods=60, freq="29h")
    y = np.random.default_rng(1).normal(size=60)
    frame = pd.DataFrame({"y": y, "t": when.strftime("%Y-%m-%d %H:%M")})
    path = table(tmp_path, frame.to_csv(index=False))
    parts = {"hour": when.hour, "weekday": when.isocalendar().day, "month": when.month, "year": when.year}
    for name, values in parts.items():
        slope = np.polyfit(np.asarray(values, dtype=float), y, 1)[0]
        fitted = fit(path, target="y", features=f"{name}(t)")
        assert fitted.coefficients[0].optimum == pytest.approx(slope, rel=1e-9), name
    fitted = fit(path, target="y", features="C(month(t))")
    means = pd.Series(y).groupby(np.asarray(when.month)).mean()
    assert [one.term for one in fitted.coefficients] == [f"C(month(t))[{m}]" for m in means.index[1:]]
    assert [one.optimum for one in fitted.coefficients] == pytest.approx((means - means.iloc[0]).iloc[1:].tolist())


def test_the_interaction_of_two_texts_alone_is_one_text_with_a_baseline(gdfit: Gdfit) -> None:
    done = gdfit(SAMPLE / "penguins.csv", "-t", "body_mass_g", "-x", "sex:species", "--format", "json", "-q")
    document = json.loads(done.out)
    frame = pd.read_csv(SAMPLE / "penguins.csv").dropna(subset=["sex", "body_mass_g"])
    means = frame.groupby(["sex", "species"])["body_mass_g"].mean()
    assert document["reference_levels"] == {"sex:species": "female:Adelie"}
    assert document["intercept"]["optimum"] == pytest.approx(means.iloc[0])
    found = [one["optimum"] for one in document["coefficients"]]
    assert found == pytest.approx((means - means.iloc[0]).iloc[1:].tolist())


def test_a_star_is_the_columns_and_their_product_and_a_note_says_so(gdfit: Gdfit) -> None:
    done = gdfit(SAMPLE / "housing.csv", "-t", "price", "-x", "beds*baths", "--format", "json")
    assert [one["term"] for one in json.loads(done.out)["coefficients"]] == ["beds", "baths", "beds:baths"]
    assert done.err.count("is the columns and their product, as in R; the product alone is 'beds:baths'") == 1


def test_levels_with_colons_and_backslashes_keep_apart(tmp_path: Path) -> None:
    rows = "".join(
        f"{i},{p},{q}\n" for i, (p, q) in enumerate([("a:b", "c"), ("a", "b:c"), ("a\\", ":c"), ("a", "c")] * 3)
    )
    fitted = fit(table(tmp_path, "y,p,q\n" + rows), target="y", features="p:q")
    assert len(fitted.coefficients) == 3


def test_the_target_s_columns_are_no_features_unless_they_are_chosen(tmp_path: Path) -> None:
    assert fit(table(tmp_path, ROWS), target="log(y)").features == ("a", "b")


def test_a_dot_is_all_columns_beside_other_terms(tmp_path: Path) -> None:
    assert fit(table(tmp_path, ROWS), target="y", features=[".", "a^2"]).features == ("a", "b", "a^2")


def test_a_summary_keeps_terms_as_columns(gdfit: Gdfit, tmp_path: Path) -> None:
    features = ["log(sqft)", "type:beds"]
    summarize(SAMPLE / "housing.csv", features=["log(price)", *features]).save(tmp_path / "s.json")
    ours = fit(tmp_path / "s.json", target="log(price)", features=features)
    rows = fit(SAMPLE / "housing.csv", target="log(price)", features=features)
    assert [one.term for one in ours.coefficients] == [one.term for one in rows.coefficients]
    assert [one.optimum for one in ours.coefficients] == pytest.approx([one.optimum for one in rows.coefficients])
    gdfit(tmp_path / "s.json", "-t", "log(price)", "--optimizer", "newton", "--save", tmp_path / "m.json")
    done = gdfit("predict", tmp_path / "m.json", SAMPLE / "housing.csv", "--only")
    assert done.code == 0
    assert len(done.out.split()) == 933
    refused = gdfit(tmp_path / "s.json", "-t", "log(price)", "-x", "sqft^2")
    assert "holds no rows to compute 'sqft^2' from: summarize its files again with -x 'sqft^2'" in refused.err


def test_missing_cells_are_filled_with_the_mean_of_the_term(tmp_path: Path) -> None:
    path = table(tmp_path, "y,a\n1,1\n3,\n4,3\n8,4\n9,5\n")
    logs = np.log([1, 3, 4, 5])
    x = np.array([logs[0], logs.mean(), *logs[1:]])
    fitted = fit(path, target="y", features="log(a)", missing="mean")
    assert fitted.coefficients[0].optimum == pytest.approx(np.polyfit(x, [1, 3, 4, 8, 9], 1)[0])
    assert fitted.state.means == {"log(a)": pytest.approx(logs.mean())}


def test_a_model_file_with_a_term_that_is_none_is_damaged_not_executed(gdfit: Gdfit, tmp_path: Path) -> None:
    path = table(tmp_path, ROWS)
    gdfit(path, "-t", "y", "-x", "log(a)", "--save", tmp_path / "m.json", "-q")
    content = json.loads((tmp_path / "m.json").read_text())
    for term in ("__import__('os').system('true')", "log(a)+", "a", "log( a )", "log(" * 50 + "a" + ")" * 50):
        content["computed"][0]["term"] = term
        (tmp_path / "m.json").write_text(json.dumps(content))
        done = gdfit("predict", tmp_path / "m.json", path)
        assert done.code == 1, term
        assert "is damaged or was edited by hand" in done.err


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        (
            "log(price) ~ log(sqft) + C(type)*beds - 1",
            ["-t", "log(price)", "--no-intercept", "-x", "log(sqft)", "-x", "C(type)*beds"],
        ),
        ("price ~ . - type", ["-t", "price", "--exclude", "type"]),
        ("price ~ 0 + (beds + baths):type", ["-t", "price", "--no-intercept", "-x", "beds:type", "-x", "baths:type"]),
        (
            "price ~ beds*baths - beds:baths + I(sqft/beds)",
            ["-t", "price", "-x", "beds", "-x", "baths", "-x", "sqft/beds"],
        ),
    ],
)
def test_a_formula_says_the_same_in_one_word(formula: str, words: list[str], gdfit: Gdfit) -> None:
    given = gdfit(SAMPLE / "housing.csv", "--formula", formula, "--format", "json", "-q")
    assert given.code == 0, given.err
    assert json.loads(given.out) == json.loads(gdfit(SAMPLE / "housing.csv", *words, "--format", "json", "-q").out)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("price ~ beds/baths", "write I(beds/baths) for the quotient"),
        ("price ~ (beds + baths)^2", "write I((beds + baths)^2) for the power"),
        ("price", "--formula is TARGET ~ TERMS"),
        ("price ~ beds ~ baths", "--formula is TARGET ~ TERMS"),
        ("price ~ beds +", "it ends too early"),
    ],
)
def test_a_formula_that_r_reads_in_another_way_is_refused(formula: str, message: str, gdfit: Gdfit) -> None:
    done = gdfit(SAMPLE / "housing.csv", "--formula", formula)
    assert done.code == 2
    assert message in done.err


@pytest.mark.parametrize("formula", ["price ~ 1", "price ~ beds - beds"])
def test_a_formula_of_no_term_fits_the_mean(formula: str, gdfit: Gdfit) -> None:
    done = gdfit(SAMPLE / "housing.csv", "--formula", formula, "--optimizer", "newton", "--format", "json", "-q")
    fit = json.loads(done.out)
    assert (fit["features"], fit["coefficients"]) == ([], [])
    prices = np.loadtxt(SAMPLE / "housing.csv", delimiter=",", skiprows=1, usecols=0)
    assert fit["intercept"]["value"] == pytest.approx(prices.mean(), rel=1e-12)


def test_a_formula_beside_a_target_is_refused(gdfit: Gdfit) -> None:
    done = gdfit(SAMPLE / "housing.csv", "--formula", "price ~ beds", "-t", "price")
    assert done.code == 2
    assert "--formula says the target and the features: leave out -t" in done.err


def test_a_summary_of_terms_is_called_by_its_file_s_name(gdfit: Gdfit, tmp_path: Path) -> None:
    summarize(SAMPLE / "housing.csv", features=["log(sqft)", "type:beds"]).save(tmp_path / "s.json")
    done = gdfit(tmp_path / "s.json", "-t", "price")
    assert (done.code, done.err.split("' has no column")[0].endswith("s.json")) == (1, True)


def test_what_shares_a_column_with_the_target_of_a_summary_is_no_feature_unless_chosen(tmp_path: Path) -> None:
    features = [".", "log(price)", "sqrt(price)", "log(sqft)"]
    summarize(SAMPLE / "housing.csv", features=features).save(tmp_path / "s.json")
    found = fit(tmp_path / "s.json", target="log(price)")
    assert set(found.features) == {"sqft", "beds", "baths", "type", "latitude", "longitude", "log(sqft)"}
    assert fit(tmp_path / "s.json", target="log(price)", features="sqrt(price)").features == ("sqrt(price)",)


def test_only_formats_that_can_skip_rows_are_told_to(gdfit: Gdfit, tmp_path: Path) -> None:
    frame = pd.DataFrame({"y": [1.0, 3, 4, 8], "a": [1.0, 2, 0, 4]})
    frame.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    done = gdfit(tmp_path / "t.jsonl", "-t", "y", "-x", "log(a)")
    assert "line 3, column 'a': log(a) has no value for 0; --on-bad-row skip leaves such rows out" in done.err
    assert gdfit(tmp_path / "t.jsonl", "-t", "y", "-x", "log(a)", "--on-bad-row", "skip").code == 0
    with pytest.raises(CellError, match=r"column 'a': log\(a\) has no value for 0$"):
        fit(frame, target="y", features="log(a)")


def test_an_interaction_in_each_group_is_that_of_its_rows_alone(gdfit: Gdfit, tmp_path: Path) -> None:
    words = ["-t", "log(body_mass_g)", "-x", "sex*bill_length_mm", "--optimizer", "newton", "--format", "json", "-q"]
    done = gdfit(SAMPLE / "penguins.csv", "--by", "species", *words)
    frame = pd.read_csv(SAMPLE / "penguins.csv")
    groups = [json.loads(line) for line in done.out.splitlines()]
    assert len(groups) == 3
    for group in groups:
        (species,) = group["group"].values()
        path = table(tmp_path, frame[frame["species"] == species].drop(columns="species").to_csv(index=False))
        alone = json.loads(gdfit(path, *words).out)
        found = {one["term"]: one["optimum"] for one in group["coefficients"]}
        expected = {one["term"]: one["optimum"] for one in alone["coefficients"]}
        assert found == pytest.approx(expected, rel=1e-9)


def test_a_model_whose_combinations_do_not_fit_its_categories_is_damaged(gdfit: Gdfit, tmp_path: Path) -> None:
    model = tmp_path / "m.json"
    gdfit(SAMPLE / "penguins.csv", "-t", "body_mass_g", "-x", "sex:species", "-x", "C(year)", "--save", model, "-q")
    good = model.read_text()
    assert gdfit("export", model, "--to", "python").code == 0
    for old, new in (("female:Gentoo", "female"), ('"2008"', '"two"')):
        assert old in good
        model.write_text(good.replace(old, new))
        done = gdfit("export", model, "--to", "python")
        assert done.code == 1
        assert "is damaged or was edited by hand" in done.err
