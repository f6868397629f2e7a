"""Model files: what a fit writes into them, and what is refused when one is read."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gdcli
from gdcli.base.errors import DataError
from gdcli.base.schema import LARGEST_FILE
from gdcli.models.model import Model
from gdcli.models.model_file import load_model, model_as_json
from tests.models.handwritten import model_content

# --- what is written


@pytest.fixture(scope="module")
def penguins(sample_data: Path) -> pd.DataFrame:
    return pd.read_csv(sample_data / "penguins.csv")


@pytest.fixture
def saved(sample_data: Path, tmp_path: Path) -> Callable[..., str]:
    """Fit the penguins and save the model."""

    def run(name: str = "penguins.json", **options: Any) -> str:
        chosen = {"target": "body_mass_g", "learning_rate": "auto", "iterations": 200, **options}
        path = tmp_path / name
        path.write_text(model_as_json(gdcli.fit(str(sample_data / "penguins.csv"), **chosen)), encoding="utf-8")
        return str(path)

    return run


@pytest.mark.parametrize("intercept", [True, False])
def test_a_saved_model_predicts_what_its_coefficients_say(
    intercept: bool, saved: Callable[..., str], penguins: pd.DataFrame
) -> None:
    path = saved(intercept=intercept)
    content = json.loads(Path(path).read_text())
    total = np.full(len(penguins), content["intercept"] or 0.0)
    for term in content["terms"]:
        column = penguins[term["column"]]
        total = total + term["coefficient"] * (column if term["level"] is None else column == term["level"])
    used = [name for name in penguins.columns if name != "body_mass_g"]
    expected = np.where(penguins[used].isna().any(axis=1), math.nan, total)
    found = gdcli.load_model(path).predict(penguins.drop(columns="body_mass_g"))
    np.testing.assert_allclose(found, expected, rtol=1e-14, equal_nan=True)
    assert np.isnan(found).sum() == penguins[used].isna().any(axis=1).sum() > 0


def test_the_cost_of_a_fit_is_that_of_its_predictions(saved: Callable[..., str], penguins: pd.DataFrame) -> None:
    path = saved()
    error = gdcli.load_model(path).predict(penguins) - penguins["body_mass_g"].to_numpy()
    assert np.nanmean(error**2) == pytest.approx(json.loads(Path(path).read_text())["cost"], rel=1e-9)


def test_the_scaled_state_is_the_coefficients_in_other_units(saved: Callable[..., str]) -> None:
    content = json.loads(Path(saved()).read_text())
    state = content["state"]
    slopes = np.array(state["theta"][1:]) * state["target_scale"] / np.array(state["scale"])
    np.testing.assert_allclose(slopes, [term["coefficient"] for term in content["terms"]], rtol=1e-12)
    intercept = state["theta"][0] * state["target_scale"] - slopes @ np.array(state["center"])
    assert intercept == pytest.approx(content["intercept"], rel=1e-9)
    assert state["iteration"] == content["descent"]["iterations"] == 200


def test_the_same_fit_gives_the_same_bytes(saved: Callable[..., str]) -> None:
    assert Path(saved("one.json")).read_bytes() == Path(saved("two.json")).read_bytes()


def test_a_model_tells_how_it_came_about(saved: Callable[..., str], sample_data: Path) -> None:
    content = json.loads(Path(saved(learning_rate=0.01, na=("-1",))).read_text())
    assert content["schema"] == "gdfit.model/1"
    assert content["version"] == gdcli.__version__
    assert content["files"] == [str(sample_data / "penguins.csv")]
    assert content["target"] == "body_mass_g"
    assert content["levels"]["sex"] == ["female", "male"]
    assert content["reference_levels"]["sex"] == "female"
    assert content["missing"]["policy"] == "drop"
    assert {"", "NA", "-1"} <= set(content["missing"]["words"])
    assert content["rows"]["read"] == 344
    assert content["descent"]["learning_rate"] == 0.01
    assert content["descent"]["converged"] is False
    assert content["learning_rate"]["behaviour"] == "monotone"


def test_names_from_other_languages_stay_readable_and_terminal_codes_do_not(csv_file: Callable[..., str]) -> None:
    path = csv_file("größe,\x9b31m,y\n1,2,3\n2,1,4\n4,4,9\n5,1,7\n")
    text = model_as_json(gdcli.fit(path, target="y"))
    assert '"größe"' in text
    assert "\\u009b31m" in text
    assert load_model(csv_file(text, "model.json")).columns == ("größe", "\x9b31m")


def test_a_constant_column_is_not_needed_to_predict(csv_file: Callable[..., str]) -> None:
    path = csv_file("x,k,t,y\n1,5,a,1\n2,5,a,3\n3,5,a,2\n")
    model = load_model(csv_file(model_as_json(gdcli.fit(path, target="y")), "model.json"))
    assert model.columns == ("x",)
    assert model.predict(pd.DataFrame({"x": [1.0]})).shape == (1,)


def test_a_fit_that_diverged_is_no_model(csv_file: Callable[..., str]) -> None:
    fit = gdcli.fit(csv_file("x,y\n1,2\n2,4\n3,7\n"), target="y", learning_rate=50.0)
    with pytest.raises(ValueError, match="diverged"):
        model_as_json(fit)


# --- frames


def test_a_frame_is_predicted_like_a_file_whatever_its_types(make_model: Callable[..., Model]) -> None:
    model = make_model({"x": 2.0, "t": {"a": 0.0, "1": 10.0}}, intercept=0.0)
    frames = {
        "numbers": pd.DataFrame({"x": [1, 2, 3, 4], "t": ["a", "1", "b", None]}),
        "texts": pd.DataFrame({"x": ["1", " 2 ", "3", "NA"], "t": ["a", 1, "b", "a"]}),
        "other texts": pd.DataFrame({"x": ["1", "2.0", "abc", ""], "t": [" a", "1", "a", "a"]}),
        "nullable": pd.DataFrame({"x": pd.array([1, 2, None, 4], dtype="Int64"), "t": ["a", "1", "a", "z"]}),
        "categories": pd.DataFrame({"x": [1, 2, np.inf, np.nan], "t": pd.Categorical(["a", "1", "a", "a"])}),
    }
    for name, frame in frames.items():
        np.testing.assert_array_equal(model.predict(frame), [2.0, 14.0, math.nan, math.nan], err_msg=name)


def test_frames_without_rows_or_columns_that_count_are_predicted_too(make_model: Callable[..., Model]) -> None:
    assert make_model({"x": 2.0}).predict(pd.DataFrame({"x": []})).shape == (0,)
    np.testing.assert_array_equal(make_model({}).predict(pd.DataFrame({"q": [1, 2]})), [1.5, 1.5])
    with pytest.raises(DataError, match="'DataFrame' has no column 'x'"):
        make_model({"x": 2.0}).predict(pd.DataFrame({"q": [1]}))


# --- what is refused


@pytest.fixture
def content() -> dict[str, Any]:
    return model_content({"x": 2.0, "t": {"a": 0.0, "b": 1.0}})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it does not begin like JSON"),
        (b"a,b\n1,2\n", "it does not begin like JSON"),
        (b"\x80\x04\x95cposix\nsystem\n", "it does not begin like JSON"),
        (b"[1, 2]", "it does not begin like JSON"),
        (b'{"schema": "gdfit.model/1", ', "it is not complete JSON"),
        (b'{"schema": "gdfit.model/1", "x": NaN}', "it is not complete JSON"),
        (b'{"schema": "gdfit.model/1", "x": Infinity}', "it is not complete JSON"),
        (b'{"x": "\xff"}', "it is not complete JSON"),
        (b'{"a":' * 100_000, "it is not complete JSON"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "it is not complete JSON"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "it is not complete JSON"),
        (b"{}", "it has no schema"),
        (b'{"schema": null}', "it has no schema"),
        (b'{"schema": "gdfit.model/2"}', r"its schema is 'gdfit\.model/2'"),
        (b'{"schema": "gdfit.summary/1"}', "it is a summary, which gdfit fits like a CSV file"),
        (b'{"schema": ["gdfit.model/1"]}', "its schema is"),
        (b'{"schema": "gdfit.model/1"}', "damaged or was edited by hand: 'loss' is missing"),
        (b'{"schema": "' + b"x" * 10_000 + b'"}', "its schema is"),
    ],
)
def test_what_is_no_model_is_refused_in_one_line(data: bytes, message: str, csv_file: Callable[..., str]) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load_model(csv_file(data, "model.json"))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def _changed(content: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    *parents, last = path.split(".")
    place: Any = content
    for name in parents:
        place = place[int(name) if name.isdigit() else name]
    if value is KeyError:
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = value
    return content


MISSING = [
    *("loss", "target", "intercept", "terms", "levels", "missing", "weights", "state", "cost"),
    *("terms.0.column", "terms.0.level", "terms.0.coefficient"),
    *("state.theta", "state.center", "state.scale", "state.target_scale", "state.iteration", "state.optimizer"),
]
WRONG = [
    ("loss", "logistic"), ("loss", ["squared"]), ("target", 5), ("target", None),
    ("intercept", "1.5"), ("intercept", True), ("intercept", {}),
    ("terms", {}), ("terms", "abc"), ("terms", None), ("terms.0", 5), ("terms.0", []),
    ("terms.0.column", 1), ("terms.0.column", None), ("terms.0.level", "a"), ("terms.0.level", 5),
    ("terms.0.coefficient", "1"), ("terms.0.coefficient", None), ("terms.0.coefficient", [1.0]),
    ("terms.0.coefficient", True), ("terms.1.level", "zzz"), ("terms.1.level", None), ("terms.1.column", "unknown"),
    ("levels", []), ("levels", {}), ("levels.t", "ab"), ("levels.t", [1, 2]), ("levels.t", {"a": 1}),
    ("missing", []), ("missing.words", "NA"), ("missing.words", [None]), ("missing.policy", 3), ("weights", 5),
    ("state", []), ("state.theta", [0.0]), ("state.theta", ["0", "0", "0"]), ("state.center", None),
    ("state.scale", [0.0, 1.0]), ("state.scale", [-1.0, 1.0]), ("state.scale", [1.0]), ("state.target_scale", 0),
    ("state.target_scale", "x"), ("state.iteration", -1), ("state.iteration", 1.5), ("state.iteration", True),
    ("state.optimizer", {}), ("state.optimizer", [5]), ("cost", None), ("cost", "x"), ("left_out", "x"),
    ("penalty", {"l2": 0.0, "l1": -1.0}), ("penalty", {"l2": -1.0, "l1": 0.0}),
    ("descent", None), ("descent.scale", "log"), ("descent.scale", None), *((name, KeyError) for name in MISSING),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), WRONG, ids=[f"{p}={getattr(v, '__name__', v)}" for p, v in WRONG])
def test_a_wrong_value_anywhere_is_refused(
    path: str, value: Any, content: dict[str, Any], csv_file: Callable[..., str]
) -> None:
    file = csv_file(json.dumps(_changed(content, path, value)), "model.json")
    with pytest.raises(DataError, match=r"model\.json' is damaged or was edited by hand: ") as caught:
        load_model(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400])
def test_a_number_out_of_range_is_refused(number: str, content: dict[str, Any], csv_file: Callable[..., str]) -> None:
    text = json.dumps(content).replace('"coefficient": 2.0', f'"coefficient": {number}')
    with pytest.raises(DataError, match="damaged or was edited by hand"):
        load_model(csv_file(text, "model.json"))


def test_a_term_that_is_there_twice_is_refused(content: dict[str, Any], csv_file: Callable[..., str]) -> None:
    content["terms"].append(content["terms"][0])
    for name, more in (("theta", 0.0), ("center", 0.0), ("scale", 1.0)):
        content["state"][name].append(more)
    with pytest.raises(DataError, match="a term is there twice"):
        load_model(csv_file(json.dumps(content), "model.json"))


def test_a_name_that_acts_on_a_terminal_is_shown_as_an_escape(csv_file: Callable[..., str], content: Any) -> None:
    content["terms"][1]["column"] = "\x1b[31m\nred"
    with pytest.raises(DataError) as caught:
        load_model(csv_file(json.dumps(content), "model.json"))
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    with path.open("wb") as file:
        file.write(b"{")
        file.truncate(LARGEST_FILE + 2)
    with pytest.raises(DataError, match=f"it is larger than {LARGEST_FILE >> 20} MiB"):
        load_model(str(path))
    with pytest.raises(DataError, match=f"it is larger than {LARGEST_FILE >> 20} MiB"):
        load_model("/dev/zero")


@pytest.mark.parametrize(
    ("name", "reason"), [("gone.json", "no such file"), (".", "is a directory"), ("a\0b", "embedded null byte")]
)
def test_a_file_that_cannot_be_opened_is_an_error_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        load_model(name)


def test_a_model_of_many_terms_and_levels_loads_at_once(csv_file: Callable[..., str]) -> None:
    levels = {f"level {i}": float(i) for i in range(20_000)}
    model = load_model(csv_file(json.dumps(model_content({"t": levels})), "model.json"))
    np.testing.assert_array_equal(model.predict(pd.DataFrame({"t": ["level 7", "level"]})), [8.5, math.nan])


def test_only_what_is_known_is_used_and_more_does_no_harm(
    content: dict[str, Any], csv_file: Callable[..., str]
) -> None:
    content["future"] = {"__class__": "os.system", "deep": [[[[]]]]}
    model = load_model(csv_file(json.dumps(content), "model.json"))
    np.testing.assert_array_equal(model.predict(pd.DataFrame({"x": [1.0], "t": ["b"]})), [4.5])
