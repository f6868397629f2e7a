"""The functions of ``import gdcli``: data of any kind, keywords, results, errors in the words of Python."""

import pickle
import re
import subprocess
import sys
import warnings
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gdcli
from gdcli.cli.commands.fit import command as fit_command
from gdcli.cli.commands.sweep import command as sweep_command
from gdcli.cli.topics import topic_text
from gdcli.fitting.options import OPTION_NAMES
from gdcli.fitting.results import Fit
from gdcli.python.keywords import FitKeywords, SweepKeywords, TableKeywords
from gdcli.python.words import python_words

ROOT = Path(__file__).resolve().parents[2]
HOUSING = ROOT / "sample_data" / "housing.csv"


@pytest.fixture(scope="module")
def frame():
    return pd.read_csv(HOUSING)


def lstsq(frame, *features):
    A = np.column_stack([np.ones(len(frame)), *(frame[name] for name in features)])
    return np.linalg.lstsq(A, frame["price"], rcond=None)[0]


def as_polars(frame):
    return pytest.importorskip("polars").from_dict(frame.to_dict(orient="list"))


def as_duckdb(frame):
    duckdb = pytest.importorskip("duckdb")
    return duckdb.sql(f"select * from '{HOUSING}'")


KINDS = {
    "path": lambda frame: HOUSING,
    "text": lambda frame: str(HOUSING),
    "pandas": lambda frame: frame,
    "polars": as_polars,
    "lazy": lambda frame: as_polars(frame).lazy(),
    "pyarrow": lambda frame: pytest.importorskip("pyarrow").Table.from_pandas(frame),
    "duckdb": as_duckdb,
    "dict": lambda frame: {name: frame[name].tolist() for name in frame},
    "several": lambda frame: [frame.iloc[:400], frame.iloc[400:]],
    "summary": lambda frame: gdcli.summarize(frame),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_table_gives_the_least_squares_line(kind, frame):
    result = gdcli.fit(KINDS[kind](frame), target="price", features=["sqft", "beds"], lr="auto")
    found = [result.coef["(intercept)"], result.coef["sqft"], result.coef["beds"]]
    np.testing.assert_allclose(found, lstsq(frame, "sqft", "beds"), rtol=1e-8)


def test_arrays_are_a_pair_of_rows_and_targets(frame):
    expected = lstsq(frame, "sqft", "beds")
    X, y = frame[["sqft", "beds"]], frame["price"]
    for pair in ((X.to_numpy(), y.to_numpy()), (X.to_numpy().tolist(), y.tolist()), (X, y)):
        result = gdcli.fit(pair, lr="auto")
        np.testing.assert_allclose(list(result.coef.values()), [*expected[1:], expected[0]], rtol=1e-8)
    assert gdcli.fit((X, y), lr="auto").target == "price"
    assert gdcli.fit((X, y.to_numpy()), target="cost", lr="auto").target == "cost"
    assert list(gdcli.fit((X["sqft"].to_numpy(), y.to_numpy()), lr="auto").coef) == ["x1", "(intercept)"]


def test_columns_may_have_any_names(frame):
    odd = frame[["price", "sqft", "beds"]].set_axis([0, ("a", 1), 2.5], axis=1)
    result = gdcli.fit(odd, target=0, features=[("a", 1), 2.5], lr="auto")
    np.testing.assert_allclose(result.coef["('a', 1)"], lstsq(frame, "sqft", "beds")[1], rtol=1e-8)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (3, "not int"),
        (None, "not NoneType"),
        (np.zeros(3), r"not numpy.ndarray; arrays are given as a pair, \(X, y\)"),
        ([1, 2], "not list"),
        (object(), "not object"),
        ((np.zeros((3, 1)), np.zeros(4)), r"X has 3 rows, and y the shape \(4,\)"),
        ((np.zeros((3, 1, 1)), np.zeros(3)), "X has 3 axes"),
        (([[1.0]], []), r"X has 1 rows, and y the shape \(0,\)"),
        ({"a": [1, 2], "y": [1]}, "the same length"),
    ],
)
def test_everything_else_is_a_type_error_that_says_what_is_taken(data, told):
    with pytest.raises(TypeError, match=told):
        gdcli.fit(data, target="y")


def test_the_keywords_follow_the_options():
    known = FitKeywords.__optional_keys__
    aliases = {"feature", "date", "sep", "lr", "tol"}
    of_command = OPTION_NAMES & {param.name for param in fit_command.params}
    assert known - aliases == (of_command | {"resume", "picture", "points"}) - {"target"}
    on_command_line = {
        max(param.opts, key=len).lstrip("-").replace("-", "_"): param.name for param in fit_command.params if param.name
    }
    for name in aliases:
        assert name in on_command_line
    of_sweep = OPTION_NAMES & {param.name for param in sweep_command.params}
    assert SweepKeywords.__optional_keys__ - aliases == of_sweep - {"target"}
    assert TableKeywords.__optional_keys__ < known


def test_names_of_the_command_line_mean_the_same(frame):
    ours = gdcli.fit(HOUSING, target="price", feature="sqft", lr=0.1, tol=1e-3, sep=",")
    theirs = gdcli.fit(HOUSING, target="price", features=["sqft"], learning_rate=0.1, tolerance=1e-3, separator=",")
    assert ours == theirs


def test_none_stands_for_an_option_that_is_not_given(frame):
    left_out = dict.fromkeys(("features", "exclude", "categorical", "dates", "na", "weights", "sep", "tol", "test"))
    assert gdcli.fit(frame, target="price", **left_out) == gdcli.fit(frame, target="price")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"max_iter": 5}, "has no option 'max_iter'. It is called 'iterations' here."),
        ({"learnig_rate": 1}, "Did you mean 'learning_rate'"),
        ({"lr": 1, "learning_rate": 1}, "'learning_rate' under two names"),
        ({"learning_rate": 1, "lr": 1}, "'learning_rate' under two names"),
    ],
)
def test_a_keyword_that_is_none_is_a_type_error_with_the_one_meant(given, told):
    with pytest.raises(TypeError, match=re.escape(told)):
        gdcli.fit(HOUSING, target="price", **given)


@pytest.mark.parametrize(
    ("message", "python"),
    [
        ("--l2 takes a number of 0 or more", "l2 takes a number of 0 or more"),
        ("leave it out with --exclude id; or --missing mean", "leave it out with exclude='id'; or missing='mean'"),
        ("--thousands , reads it as 1000", "thousands=',' reads it as 1000"),
        ("--sep ';' --decimal ,", "sep=';' decimal=','"),
        ("add --cv K to choose", "add cv=K to choose"),
        ("give one, such as --lr 0.01", "give one, such as lr=0.01"),
        ("Give --scale standard.", "Give scale='standard'."),
        ("Use --lr 0.01. Or --exclude id.", "Use lr=0.01. Or exclude='id'."),
        ("--no-intercept, or -n 50", "intercept=False, or iterations=50"),
        ("--on-bad-row skip leaves such rows out", "on_bad_row='skip' leaves such rows out"),
        ("--categorical 'no. of beds'", "categorical='no. of beds'"),
        ("both a --feature and to --exclude: drop one", "both a feature and to exclude: drop one"),
        ("a --frobnicate x", "a --frobnicate x"),
    ],
)
def test_errors_speak_python(message, python):
    assert python_words(message) == python


def test_an_error_of_a_fit_names_keywords(tmp_path):
    path = tmp_path / "thousands.csv"
    path.write_text('y,a\n1,"1,000"\n2,"2,500"\n3,"3,000"\n')
    with pytest.raises(gdcli.DataError, match="thousands=',' reads it as 1000"):
        gdcli.fit(path, target="y")
    with pytest.raises(gdcli.UsageError, match="cv is for descents on all rows: leave out batch_size"):
        gdcli.fit(HOUSING, target="price", cv=3, batch_size=5)


def test_str_is_the_report_of_the_command_line_and_repr_is_one_line(gdfit, frame):
    result = gdcli.fit(str(HOUSING), target="price", features="sqft", lr="auto", iterations=20)
    shown = gdfit(HOUSING, "-t", "price", "-x", "sqft", "--lr", "auto", "-n", "20").out
    ours, theirs = str(result).splitlines(), shown.splitlines()
    assert {*ours[:9], *ours[10:]} <= set(theirs)  # the tenth names an option
    assert "\x1b" not in str(result)
    for one in (result, gdcli.sweep(frame, target="price"), gdcli.curve((0, 0, 1)), gdcli.describe(frame)):
        assert "\n" not in repr(one)
        assert len(repr(one)) < 200
        assert str(one).count("\n") > 5
        assert one._repr_html_().startswith("<pre")
    assert "<span" in result._repr_html_()


@pytest.mark.parametrize(("terms", "more"), [(3, ""), (4, ", …")])
def test_repr_shows_three_terms_and_says_if_there_are_more(terms, more):
    rows = {f"x{j}": [float(i * j % 7) for i in range(20)] for j in range(1, terms + 1)}
    result = gdcli.fit(rows | {"y": [float(i % 5) for i in range(20)]}, target="y")
    assert re.fullmatch(
        rf"<gdfit: y ~ x1=\S+, x2=\S+, x3=\S+?{more}; cost=\S+; 1000 iterations, (not )?converged>", repr(result)
    )


def test_several_files_to_test_on_are_a_type_error(frame):
    with pytest.raises(TypeError, match="test= takes one file or table, not 2"):
        gdcli.fit(frame, target="price", test=[frame, frame])


def test_the_trace_is_a_frame(frame):
    result = gdcli.fit(frame, target="price", features=["sqft", "beds"], lr=0.1, iterations=5, every=1)
    table = result.trace.to_frame()
    assert list(table.columns) == ["iteration", "m[sqft]", "m[beds]", "c", "cost", "gap"]
    assert table["iteration"].tolist() == [0, 1, 2, 3, 4, 5]
    m, b, c = table.iloc[-1][["m[sqft]", "m[beds]", "c"]]
    error = frame["price"] - (c + m * frame["sqft"] + b * frame["beds"])
    np.testing.assert_allclose(table["cost"].iloc[-1], (error**2).mean(), rtol=1e-10)


def test_the_trace_of_a_fit_without_terms_has_no_slope():
    found = gdcli.fit({"a": [1.0, 2.0, 4.0], "y": [1.0, 2.0, 6.0]}, formula="y ~ 1").trace.to_frame()
    assert list(found)[:3] == ["iteration", "c", "cost"]


def test_predict_save_load_and_score_agree(tmp_path, frame):
    result = gdcli.fit(frame, target="price", features=["sqft", "type"], lr="auto")
    predicted = result.predict(frame)
    result.save(tmp_path / "m.json")
    np.testing.assert_array_equal(gdcli.load_model(tmp_path / "m.json").predict(frame), predicted)
    rmse = float(np.sqrt(((predicted - frame["price"]) ** 2).mean()))
    for model in (result, tmp_path / "m.json", gdcli.load_model(tmp_path / "m.json")):
        for data in (frame, HOUSING, as_polars(frame)):
            np.testing.assert_allclose(gdcli.score(model, data).rmse, rmse, rtol=1e-12)
    with pytest.raises(TypeError, match="gdfit takes a path"):
        result.predict(5)


def test_a_model_predicts_rows_of_any_kind_that_a_fit_takes(tmp_path, frame):
    by_hand = gdcli.fit(frame, target="price", features=["sqft", "type"], lr="auto")
    by_hand.save(tmp_path / "m.json")
    model = gdcli.load_model(tmp_path / "m.json")
    wanted = model.predict(frame)
    assert wanted.shape == (932,)
    (tmp_path / "rows.jsonl").write_text(frame.to_json(orient="records", lines=True))
    for data in (
        HOUSING,
        str(HOUSING),
        as_polars(frame),
        frame[["sqft", "type"]].to_dict("list"),
        tmp_path / "rows.jsonl",
    ):
        np.testing.assert_array_equal(model.predict(data), wanted)
    np.testing.assert_array_equal(model.predict([frame[:900], frame[900:]]), wanted)
    with pytest.raises(gdcli.DataError, match="is a summary and holds no rows"):
        model.predict(gdcli.summarize(frame))
    with pytest.raises(gdcli.DataError, match="has no column 'sqft'"):
        model.predict({"type": ["Condo"]})


def test_a_fit_of_arrays_predicts_an_array() -> None:
    X = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 5.0], [4.0, 4.0]])
    found = gdcli.fit((X, X @ [2.0, -1.0] + 3.0), optimizer="newton")
    np.testing.assert_allclose(found.predict(X[:3]), X[:3] @ [2.0, -1.0] + 3.0, rtol=1e-12)
    alone = gdcli.fit((X[:, 0], 5 * X[:, 0]), optimizer="newton")
    np.testing.assert_allclose(alone.predict(np.array([7.0])), [35.0], rtol=1e-12)


def test_a_picture_is_drawn_from_the_data(tmp_path, frame):
    pytest.importorskip("matplotlib")
    gdcli.fit(frame, target="price", features="sqft", lr="auto").plot(tmp_path / "fit.SVG")
    assert (tmp_path / "fit.SVG").read_text().startswith("<?xml")
    with pytest.raises(gdcli.UsageError, match="ends in one of"):
        gdcli.fit(frame, target="price", features="sqft").plot(tmp_path / "fit.gif")


def test_divergence_is_a_result_and_a_warning(frame):
    with pytest.warns(gdcli.ConvergenceWarning, match="no convergence: Diverged at iteration"):
        result = gdcli.fit(frame, target="price", features="sqft", lr=3.0)
    assert result.coef == {"sqft": None, "(intercept)": None}
    assert "diverged" in repr(result)
    with pytest.raises(gdcli.DataError, match="diverged, so there is no model"):
        result.predict(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gdcli.fit(frame, target="price", features="sqft", lr=0.1)


def test_a_result_is_the_record_of_a_fit_and_can_be_pickled(frame):
    result = gdcli.fit(frame, target="price", features="sqft")
    assert isinstance(result, Fit)
    again = pickle.loads(pickle.dumps(result))
    assert [getattr(again, one.name) for one in fields(Fit)] == [getattr(result, one.name) for one in fields(Fit)]


def test_what_is_exported_is_documented_and_importing_it_loads_nothing():
    text = topic_text("python")
    public = set(gdcli.__all__) - {"__version__", "draws"}
    assert {name for name in public if name not in text} == set()
    code = "import gdcli, sys; gdcli.__version__; print({'numpy', 'pandas', 'click', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "set()\n"


def test_the_examples_of_the_page_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    space = {}
    for block in re.findall(r"```python\n(.*?)```", topic_text("python"), re.DOTALL):
        exec(block, space)
    assert "sqft" in capsys.readouterr().out


def test_groups_are_fitted_as_each_alone(tmp_path: Path) -> None:
    rows = [(3 * i % 7 + g * i, i % 5, "uv"[g]) for g in range(2) for i in range(20)]
    data = {name: [row[j] for row in rows] for j, name in enumerate(("y", "a", "g"))}
    found = gdcli.fit_by(data, target="y", by="g", lr="auto", l2=0.1)
    assert found.groups == (("u",), ("v",))
    for g in range(2):
        alone = gdcli.fit(
            {name: data[name][20 * g : 20 * g + 20] for name in ("y", "a")}, target="y", lr="auto", l2=0.1
        )
        assert found.slopes[g, 0] == pytest.approx(alone.coef["a"], rel=1e-10)
    with pytest.raises(TypeError, match="by='region'"):
        gdcli.fit_by(data, target="y")
    with pytest.raises(TypeError, match="fit_by"):
        gdcli.fit(data, target="y", by="g")


def test_a_sweep_takes_optimizers_and_folds() -> None:
    data = {"y": [float(3 * i % 7) for i in range(20)], "a": [float(i % 5) for i in range(20)]}
    found = gdcli.sweep(data, target="y", rates=(0.1,), optimizer="adam", cv=2)
    alone = gdcli.fit(data, target="y", lr=0.1, optimizer="adam", cv=2)
    assert found.rates[0].validation == pytest.approx(alone.cross_validation.mean, rel=1e-12)


ROWS = {"y": [1.0, 2.0, 4.0, 3.0], "x": [1.0, 2.0, 3.0, 5.0], "k": ["a", "a", "b", "b"]}


@pytest.mark.parametrize(
    ("function", "options", "told"),
    [
        (gdcli.fit, {"iterations": "10"}, "fit() takes iterations as a whole number, not '10'"),
        (gdcli.fit, {"iterations": True}, "fit() takes iterations as a whole number, not True"),
        (gdcli.fit, {"l2": "a"}, "fit() takes l2 as a number or a list of numbers, not 'a'"),
        (gdcli.fit, {"optimizer": 3}, "fit() takes optimizer as a text or None, not 3"),
        (gdcli.fit, {"inference": "no"}, "fit() takes inference as True or False, not 'no'"),
        (gdcli.fit, {"start": {"x": "a"}}, "fit() takes start as a dict of numbers, not dict"),
        (gdcli.fit_by, {"by": "k", "cv": "2"}, "fit_by() takes cv as a whole number or None, not '2'"),
        (gdcli.sweep, {"rates": ["a"]}, "sweep() takes rates as a number or a list of numbers, not ('a',)"),
    ],
)
def test_a_value_of_another_kind_is_a_type_error_that_says_what_is_taken(function, options, told) -> None:
    with pytest.raises(TypeError, match=re.escape(told)):
        function(ROWS, target="y", **options)


def test_numbers_may_be_those_of_numpy_and_one_stands_for_a_list_of_it() -> None:
    rows = {"y": [float(3 * i % 7) for i in range(20)], "x": [float(i % 5) for i in range(20)]}
    asked = {"iterations": np.int64(50), "tol": np.float32(0.5), "intercept": np.bool_(False)}
    found = gdcli.fit(rows, target="y", lr=np.array([0.1, 0.2]), l2=np.array([0.5, 1.0]), cv=2, **asked)
    given = {"iterations": 50, "tol": 0.5, "intercept": False}
    assert found.coef == gdcli.fit(rows, target="y", lr=[0.1, 0.2], l2=[0.5, 1.0], cv=2, **given).coef
    assert [one.learning_rate for one in gdcli.sweep(ROWS, target="y", features="x", rates=0.1).rates] == [0.1]
    assert gdcli.fit(rows, target="y", l2=np.array(0.5)).coef == gdcli.fit(rows, target="y", l2=0.5).coef
    assert len(gdcli.curve("x^2", rates=0.1, iterations=3).walks) == 1
    with pytest.raises(TypeError, match=re.escape("curve() takes iterations as a whole number, not 2.5")):
        gdcli.curve("x^2", iterations=2.5)


def test_the_rates_of_groups_are_compared_and_drawn(tmp_path) -> None:
    data = {"y": [1.0, 2.0, 4.0, 9.0, 7.0, 5.0, 1.0], "x": [1.0, 2.0, 4.0, 1.0, 2.0, 3.0, 5.0], "k": list("aaabbbc")}
    found = gdcli.sweep_by(data, target="y", by="k", rates=[0.1, 0.5])
    assert repr(found) == "<gdfit sweep by k, 3 groups>"
    assert found.groups == (("a",), ("b",), ("c",))
    own = gdcli.sweep({name: values[:3] for name, values in data.items()}, target="y", features="x", rates=[0.1, 0.5])
    assert found.sweeps[0] is not None
    assert [rate.cost for rate in found.sweeps[0].rates] == pytest.approx([rate.cost for rate in own.rates], abs=1e-9)
    assert found.sweeps[2] is None
    assert "at least 2" in found.reasons[2]
    assert str(found).startswith("y from x, by k")
    pytest.importorskip("matplotlib")
    found.plot(tmp_path / "rates.svg")
    assert (tmp_path / "rates.svg").read_text().count("<svg") == 1
    with pytest.raises(TypeError, match="sweep_by"):
        gdcli.sweep(data, target="y", by="k")
    with pytest.raises(TypeError, match="by='region'"):
        gdcli.sweep_by(data, target="y")


def test_a_sweep_and_a_walk_are_drawn(tmp_path) -> None:
    pytest.importorskip("matplotlib")
    data = {"y": [1.0, 2.0, 4.0, 9.0], "x": [1.0, 2.0, 4.0, 1.0]}
    for name, found in (("sweep", gdcli.sweep(data, target="y")), ("curve", gdcli.curve("x^2 - 3x"))):
        found.plot(tmp_path / f"{name}.svg")
        assert (tmp_path / f"{name}.svg").read_text().count("<svg") == 1


def test_fits_of_groups_print_predict_save_draw_and_are_scored(tmp_path) -> None:
    data = {"y": [1.0, 2.0, 4.0, 9.0, 7.0, 5.0], "x": [1.0, 2.0, 4.0, 1.0, 2.0, 3.0], "k": list("aaabbb")}
    found = gdcli.fit_by(data, target="y", by="k", lr="auto")
    assert repr(found) == "<gdfit: y by k, 2 groups>"
    assert str(found).startswith("y from x, by k")
    assert "<pre" in found._repr_html_()
    found.save(tmp_path / "m.json")
    asked = {"x": [10.0, 10.0, 10.0], "k": ["a", "b", "c"]}
    for model in (found, found.model, gdcli.load_model(tmp_path / "m.json")):
        # y = x in a, and 11 - 2x in b.
        np.testing.assert_allclose(model.predict(pd.DataFrame(asked)), [10, -9, np.nan], atol=1e-9)
        assert gdcli.score(model, data).rmse == pytest.approx(0, abs=1e-9)
    found.plot(tmp_path / "groups.svg")
    assert (tmp_path / "groups.svg").read_text().count("<svg") == 1
    with pytest.raises(gdcli.DataError, match="diverged"):
        gdcli.fit_by(data, target="y", by="k", lr=9).save(tmp_path / "n.json")


@pytest.mark.parametrize("model", [5, None, {"x": 1}])
def test_a_score_of_no_model_is_a_type_error(model) -> None:
    with pytest.raises(TypeError, match="takes a model's path, a loaded model or a fit"):
        gdcli.score(model, ROWS)
