"""Which columns are used and how, and what is said about those that cannot be."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gdcli.api import fit_data as fit
from gdcli.api import run_fit
from gdcli.base.errors import CellError, DataError, GdfitError, NotNumericError, UsageError
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import Fit

HOUSES = (
    "price,sqft,kind,city\n100,50,flat,Bonn\n150,80,house,Köln\n120,60,flat,Bonn\n210,99,house,Köln\n90,45,room,Ulm\n"
)


def terms(result: Fit) -> list[str]:
    return [c.term for c in result.coefficients]


# Roles.


def test_all_columns_but_the_target_are_features_in_the_files_order(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file(HOUSES), target="price", iterations=0)
    assert result.features == ("sqft", "kind", "city")
    assert terms(result) == ["sqft", "kind[house]", "kind[room]", "city[Köln]", "city[Ulm]"]
    assert result.reference_levels == {"kind": "flat", "city": "Bonn"}


@pytest.mark.parametrize(
    ("options", "features"),
    [
        ({"features": "sqft"}, ("sqft",)),
        ({"features": ["city", "sqft"]}, ("sqft", "city")),
        ({"features": ["sqft", "sqft"]}, ("sqft",)),
        ({"exclude": "city"}, ("sqft", "kind")),
        ({"exclude": ["city", "kind"]}, ("sqft",)),
        ({"features": ["sqft", "kind"], "exclude": "city"}, ("sqft", "kind")),
        ({"weights": "sqft"}, ("kind", "city")),
    ],
)
def test_features_are_those_named_less_those_excluded(
    csv_file: Callable[..., str], options: dict[str, Any], features: tuple[str, ...]
) -> None:
    assert fit(csv_file(HOUSES), target="price", iterations=0, **options).features == features


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": "sqft", "exclude": "sqft"}, "'sqft' is both a --feature and to --exclude"),
        ({"features": "price"}, "'price' is the target, so it cannot be a --feature"),
        ({"weights": "price"}, "'price' is the target, so it cannot hold the --weights"),
        ({"weights": "sqft", "features": "sqft"}, "'sqft' holds the --weights, so it cannot be a --feature"),
    ],
)
def test_a_column_in_two_roles_is_wrong_usage(
    csv_file: Callable[..., str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        fit(csv_file(HOUSES), target="price", **options)
    assert message in str(caught.value)


@pytest.mark.parametrize("role", ["target", "features", "exclude", "categorical", "weights"])
@pytest.mark.parametrize(
    ("given", "meant"), [("sqtf", "sqft"), ("SQFT", "sqft"), ("prize", "price"), ("citty", "city")]
)
def test_an_unknown_column_asks_whether_another_was_meant_and_lists_them(
    csv_file: Callable[..., str], role: str, given: str, meant: str
) -> None:
    with pytest.raises(DataError) as caught:
        fit(csv_file(HOUSES), **{"target": "price", role: given})
    assert f"has no column '{given}'. Did you mean '{meant}'? Columns: price, sqft, kind, city" in str(caught.value)


def test_a_name_like_no_other_is_not_compared(csv_file: Callable[..., str]) -> None:
    with pytest.raises(DataError, match=r"has no column 'zzzzzz'. Columns: price"):
        fit(csv_file(HOUSES), target="zzzzzz")


def test_without_a_target_the_columns_are_listed(csv_file: Callable[..., str]) -> None:
    with pytest.raises(GdfitError, match=r"--target COLUMN.*price, sqft, kind, city"):
        run_fit([csv_file(HOUSES)], FitOptions.of(target=None))


def test_a_column_named_twice_is_an_error_only_where_it_is_used(csv_file: Callable[..., str]) -> None:
    path = csv_file("x,x,z,y\n1,2,3,4\n2,3,5,1\n3,3,3,3\n")
    with pytest.raises(DataError, match=r"2 columns named 'x' \(columns 1, 2\)"):
        fit(path, target="y")
    assert fit(path, target="y", exclude="x", iterations=0).features == ("z",)


# Text or numbers.


@pytest.mark.parametrize(
    ("cells", "numeric"),
    [
        (["1", "2", "3", "4", "5"], True),
        (["a", "b", "a", "b", "c"], False),
        (["1", "2", "a", "b", "b"], False),
        (["1", "1", "a", "a", "NA"], False),  # half of those that have a value is not most
        (["NA", "NA", "", "3", "4"], True),
        (["NA", "NA", "", "a", "b"], False),
        (["True", "False", "True", "True", "False"], False),
        (["1e5", "-.5", "+3", "4.", "007"], True),
    ],
)
def test_a_column_is_numeric_where_most_cells_that_have_a_value_are_numbers(
    csv_file: Callable[..., str], cells: list[str], numeric: bool
) -> None:
    text = "x,y\n" + "".join(f"{cell},{i * i}\n" for i, cell in enumerate(cells))
    assert ("x" in terms(fit(csv_file(text), target="y", iterations=0))) is numeric


def test_a_column_of_mostly_numbers_names_the_first_that_is_none(csv_file: Callable[..., str]) -> None:
    with pytest.raises(NotNumericError, match="line 3, column 'x': 'a' is not a number"):
        fit(csv_file("x,y\n1,2\na,3\n3,4\nb,5\n5,6\n"), target="y")


def test_the_kind_is_decided_on_the_whole_first_block_not_on_its_first_rows(csv_file: Callable[..., str]) -> None:
    # 64 KiB of numbers and then more texts; and the other way round
    numbers, texts = "".join(f"{i % 40},{i}\n" for i in range(9000)), "".join(f"t{i % 9},{i}\n" for i in range(10_000))
    assert "x[t1]" in terms(fit(csv_file("x,y\n" + numbers + texts), target="y", iterations=0, max_levels=60))
    many = "".join(f"{i % 40},{i}\n" for i in range(20_000))
    with pytest.raises(NotNumericError, match="line 2, column 'x': 't0' is not a number"):
        fit(csv_file("x,y\n" + texts + many), target="y")


def test_a_column_that_turns_to_text_in_a_later_block_is_an_error(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None]
) -> None:
    blocks_of(40)
    with pytest.raises(NotNumericError, match=r"line 22, column 'x': 'a' is not a number.*--categorical x"):
        fit(csv_file("x,y\n" + "1,2\n2,3\n" * 10 + "a,1\n" * 40), target="y")


def test_numbers_in_a_later_block_of_a_text_column_are_levels(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None]
) -> None:
    blocks_of(40)
    result = fit(csv_file("x,y\n" + "a,2\nb,3\n" * 10 + "1,1\n2,5\n" * 20), target="y", iterations=0)
    assert result.reference_levels == {"x": "1"}
    assert terms(result) == ["x[2]", "x[a]", "x[b]"]


@pytest.mark.parametrize("size", [1, 25, 100_000])
def test_a_level_first_seen_in_the_last_row_gets_its_column_and_may_be_the_reference(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], size: int
) -> None:
    blocks_of(size)
    text = "x,kind,y\n" + "".join(f"{i},{'pq'[i % 2]},{i * i % 7}\n" for i in range(30)) + "30,a,1\n"
    result = fit(csv_file(text), target="y", iterations=0)
    assert (result.reference_levels, terms(result)) == ({"kind": "a"}, ["x", "kind[p]", "kind[q]"])


def test_a_level_that_stands_in_dropped_rows_only_has_no_column(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("kind,x,y\na,1,2\nb,2,3\nc,3,NA\na,4,5\nb,9,1\n"), target="y", iterations=0)
    assert terms(result) == ["kind[b]", "x"]


@pytest.mark.parametrize("column", ["price", "sqft"])
def test_a_target_or_weights_of_text_are_an_error_with_an_example(csv_file: Callable[..., str], column: str) -> None:
    role = "target" if column == "price" else "weights column"
    text = HOUSES.replace("price", "_").replace("sqft", "_").replace("kind", column).replace("city", "other", 1)
    options = {"target": "price"} if column == "price" else {"target": "y", "weights": "sqft"}
    with pytest.raises(DataError, match=rf"the {role} '{column}' is text \(for example '(flat|house|room)'\)"):
        fit(csv_file(text.replace("_,_", "x,y")), **options)


@pytest.mark.parametrize("cells", [["True", "False"], ["0a", "1b"], ["Zürich", "Bonn"]])
def test_the_example_of_a_text_target_is_one_of_its_cells(csv_file: Callable[..., str], cells: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        fit(csv_file(f"x,y\n1,{cells[0]}\n2,{cells[1]}\n"), target="y")
    assert any(f"for example '{cell}'" in str(caught.value) for cell in cells)


@pytest.mark.parametrize("options", [{"categorical": "price"}, {"weights": "sqft", "categorical": "sqft"}])
def test_the_target_and_the_weights_cannot_be_categorical(
    csv_file: Callable[..., str], options: dict[str, Any]
) -> None:
    with pytest.raises(DataError, match="so it cannot be --categorical"):
        fit(csv_file(HOUSES), target="price", **options)


def test_a_single_column_that_is_target_and_categorical_is_an_error(csv_file: Callable[..., str]) -> None:
    with pytest.raises(DataError, match="so it cannot be --categorical"):
        fit(csv_file("y\n1\n2\n3\n"), target="y", categorical="y")


# Too many levels.


def many_levels(rows: int = 120, **columns: Callable[[int], str]) -> str:
    lines = [",".join([*columns, "y"])]
    lines += [",".join([*(cell(i) for cell in columns.values()), str(i * i % 17)]) for i in range(rows)]
    return "\n".join(lines) + "\n"


def test_too_many_levels_look_like_an_identifier(csv_file: Callable[..., str]) -> None:
    with pytest.raises(DataError) as caught:
        fit(csv_file(many_levels(id=lambda i: f"k{i}", x=str)), target="y")
    message = str(caught.value)
    assert "column 'id' has 120 different texts (looks like an identifier)" in message
    assert "--exclude id" in message
    assert "--max-levels 120 --categorical id" in message


@pytest.mark.parametrize(
    ("date", "spelling"),
    [
        (lambda i: f"{i % 28 + 1}/{i // 28 + 1}/2024", "%d/%m/%Y"),
        (lambda i: f"{i // 60:02}:{i % 60:02}", "%H:%M"),
        (lambda i: f"{i % 28 + 1:02}.{i // 28 + 1:02}.2024", "%d.%m.%Y"),
    ],
)
def test_dates_in_another_spelling_are_refused_with_their_format(
    csv_file: Callable[..., str], date: Callable[[int], str], spelling: str
) -> None:
    path = csv_file(many_levels(day=date))
    with pytest.raises(DataError, match=f"line 2, column 'day': .* looks like a date or a time.*day:{spelling}"):
        fit(path, target="y")
    assert terms(fit(path, target="y", dates=f"day:{spelling}", iterations=0)) == ["day"]


def test_all_columns_of_too_many_levels_stand_in_one_message(csv_file: Callable[..., str]) -> None:
    text = many_levels(
        id=lambda i: f"k{i}", kind=lambda i: "abc"[i % 3], day=lambda i: f"on {i // 28 + 1:02}-{i % 28 + 1:02}"
    )
    with pytest.raises(DataError) as caught:
        fit(csv_file(text), target="y")
    assert "'id' has 120" in str(caught.value)
    assert "'day' has 120" in str(caught.value)
    assert "'kind'" not in str(caught.value)
    assert "--exclude id --exclude day" in str(caught.value)
    assert fit(csv_file(text), target="y", exclude=["id", "day"], iterations=0).features == ("kind",)


def test_a_column_of_exactly_the_most_levels_is_not_named_beside_one_of_too_many(csv_file: Callable[..., str]) -> None:
    text = many_levels(id=lambda i: f"k{i}", region=lambda i: f"r{i % 50}")
    with pytest.raises(DataError) as caught:
        fit(csv_file(text), target="y")
    assert "'region'" not in str(caught.value)
    assert "--max-levels 120" in str(caught.value)


@pytest.mark.parametrize(
    ("levels", "limit", "accepted"), [(50, 50, True), (51, 50, False), (60, 60, True), (3, 2, False)]
)
@pytest.mark.parametrize("size", [50, 100_000])
def test_the_limit_of_levels_is_exact_over_all_blocks(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], size: int, levels: int, limit: int, accepted: bool
) -> None:
    blocks_of(size)
    text = many_levels(kind=lambda i: f"k{i % levels:03}")
    if accepted:
        found = fit(csv_file(text), target="y", max_levels=limit, categorical="kind", iterations=0)
        assert len(terms(found)) == levels - 1
    else:
        with pytest.raises(DataError, match=f"has {'[0-9]+' if size == 50 else levels} different texts"):
            fit(csv_file(text), target="y", max_levels=limit, categorical="kind")


def test_the_hint_of_too_many_levels_works_when_it_is_followed(csv_file: Callable[..., str]) -> None:
    path = csv_file(many_levels(rows=60, id=lambda i: f"k{i}"))
    with pytest.raises(DataError) as caught:
        fit(path, target="y")
    most = int(str(caught.value).rsplit("--max-levels ", 1)[1].split()[0])
    assert len(terms(fit(path, target="y", max_levels=most, categorical="id", iterations=0))) == 59


# Missing cells.


@pytest.mark.parametrize("column", ["x", "kind"])
def test_missing_cells_can_be_refused(csv_file: Callable[..., str], column: str) -> None:
    cells = {"x": "3,b,", "kind": "3,,4"}[column].replace("3,b,", ",b,4") if column == "x" else "3,,4"
    with pytest.raises(CellError, match=f"line 4, column '{column}': the cell has no value"):
        fit(csv_file(f"x,kind,y\n1,a,2\n2,b,3\n{cells}\n4,a,4\n"), target="y", missing="error")


def test_a_missing_target_drops_the_row_even_where_missing_cells_are_refused(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("x,y\n1,2\n2,\n3,5\n4,4\n"), target="y", missing="error")
    assert (result.rows.used, result.rows.dropped_by_column) == (3, {"y": 1})


def test_dropped_rows_are_told_in_one_note_by_column(csv_file: Callable[..., str], notes: Any) -> None:
    path = csv_file("x,z,y\n1,2,3\nNA,,4\n,5,NA\n4,4,4\n5,1,2\n,1,2\n")
    run_fit([path], FitOptions.of(target="y"), (), notes)
    assert notes.notes == ["dropped 3 of 6 rows with missing values ('x' 3, 'z' 1, 'y' 1)"]


def test_counts_of_dropped_rows_add_up_over_blocks(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None]
) -> None:
    random = np.random.default_rng(0)
    lacking = random.random((500, 3)) < 0.2
    rows = [["" if lacking[i, j] else str(i * (j + 1) % 13) for j in range(3)] for i in range(500)]
    blocks_of(60)
    result = fit(csv_file("a,b,y\n" + "".join(",".join(row) + "\n" for row in rows)), target="y", iterations=0)
    assert result.rows.read == 500
    assert result.rows.dropped == lacking.any(axis=1).sum()
    assert result.rows.dropped_by_column == dict(zip("aby", lacking.sum(axis=0).tolist(), strict=True))


def test_all_rows_dropped_is_an_error_that_names_the_column(csv_file: Callable[..., str]) -> None:
    with pytest.raises(
        DataError, match=r"no row of .* has a value in every column: column 'z' lacks all of its values"
    ):
        fit(csv_file("x,z,y\n1,,2\n2,NA,3\n3,,4\n"), target="y")


@pytest.mark.parametrize("text", ["x,y\n1,2\n", "x,y\n1,2\n2,NA\n", "x,y\n1,2\n,3\n"])
def test_one_usable_row_is_an_error(csv_file: Callable[..., str], text: str) -> None:
    with pytest.raises(DataError, match="has 1 usable row: a fit needs at least 2"):
        fit(csv_file(text), target="y")


# Weights.


@pytest.mark.parametrize("size", [1, 100_000])
def test_a_negative_weight_is_an_error_naming_its_line(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], size: int
) -> None:
    blocks_of(size)
    with pytest.raises(CellError, match=r"line 4, column 'w': a weight is not negative, this one is -0.5"):
        fit(csv_file("x,y,w\n1,2,1\n2,3,0\n3,4,-0.5\n4,4,1\n"), target="y", weights="w")


def test_a_missing_weight_drops_the_row(csv_file: Callable[..., str]) -> None:
    result = fit(csv_file("x,y,w\n1,2,1\n2,3,\n3,4,2\n4,4,1\n"), target="y", weights="w")
    assert result.rows.dropped_by_column == {"w": 1}


def test_weights_of_zero_only_leave_no_usable_row(csv_file: Callable[..., str]) -> None:
    with pytest.raises(DataError, match="has 0 usable rows with a weight above 0"):
        fit(csv_file("x,y,w\n1,2,0\n2,3,0\n3,4,0\n"), target="y", weights="w")


def test_whole_weights_give_the_optimum_of_repeated_rows(csv_file: Callable[..., str]) -> None:
    rows = [(1, 2, 3), (2, 3, 1), (3, 7, 2), (4, 5, 4)]
    weighted = fit(
        csv_file("x,y,w\n" + "".join(f"{x},{y},{w}\n" for x, y, w in rows), "w.csv"), target="y", weights="w"
    )
    repeated = fit(csv_file("x,y\n" + "".join(f"{x},{y}\n" * w for x, y, w in rows)), target="y")
    assert weighted.coefficients[0].optimum == pytest.approx(repeated.coefficients[0].optimum, rel=1e-13)
    assert weighted.optimum.cost == pytest.approx(repeated.optimum.cost, rel=1e-13)
    assert weighted.rows.used == 4


# Several files.


def test_columns_may_stand_in_another_order_in_the_second_file(csv_file: Callable[..., str]) -> None:
    first = csv_file("x,kind,y\n1,a,2\n2,b,3\n3,a,7\n", "1.csv")
    second = csv_file("y;x;kind\n5;4;b\n4;5;c\n1;6;c\n", "2.csv")
    together = csv_file("x,kind,y\n1,a,2\n2,b,3\n3,a,7\n4,b,5\n5,c,4\n6,c,1\n", "both.csv")
    apart, whole = fit([first, second], target="y", iterations=30), fit(together, target="y", iterations=30)
    assert apart.files == (first, second)
    assert apart.rows == whole.rows
    for a, b in zip(apart.coefficients, whole.coefficients, strict=True):
        assert a.term == b.term
        assert a.value == pytest.approx(b.value, rel=1e-12)
        assert a.optimum == pytest.approx(b.optimum, rel=1e-12)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("x,z,y", "'2.csv' lacks kind and also has z"),
        ("x,y", "lacks kind"),
        ("x,kind,y,w", "also has w"),
        ("x,kind,y,y", "repeats columns|also has y"),
    ],
)
def test_a_second_file_of_other_columns_is_an_error(
    csv_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any, header: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    csv_file("x,kind,y\n1,a,2\n2,b,3\n3,a,7\n", "1.csv")
    csv_file(header + "\n" + ",".join("1" * (header.count(",") + 1)) + "\n", "2.csv")
    with pytest.raises(DataError, match=message):
        fit(["1.csv", "2.csv"], target="y")


def test_a_bad_cell_in_the_second_file_names_that_file(csv_file: Callable[..., str]) -> None:
    first, second = csv_file("x,y\n1,2\n2,3\n", "1.csv"), csv_file("y,x\n1,2\n2,oops\n", "2.csv")
    with pytest.raises(NotNumericError, match=r"2\.csv', line 3, column 'x': 'oops'"):
        fit([first, second], target="y")


def test_files_without_rows_among_others_change_nothing(csv_file: Callable[..., str]) -> None:
    empty, full = csv_file("x,y\n", "1.csv"), csv_file("x,y\n1,2\n2,3\n3,7\n", "2.csv")
    alone = fit(full, target="y", iterations=9)
    for files in ([full, empty], [empty, full], [empty, full, empty]):
        assert fit(files, target="y", iterations=9).coefficients == alone.coefficients


# Options.


@pytest.mark.parametrize(
    "options",
    [
        {"learning_rate": 0},
        {"learning_rate": -0.1},
        {"learning_rate": float("nan")},
        {"learning_rate": float("inf")},
        {"learning_rate": "fast"},
        {"iterations": -1},
        {"iterations": 10.5},
        {"tolerance": 0},
        {"tolerance": float("nan")},
        {"scale": "robust"},
        {"scale": "minmax", "intercept": False},
        {"missing": "ignore"},
        {"every": 0},
        {"jobs": 0},
        {"start": {"sqft": float("nan")}},
        {"start": {"c": float("inf")}},
        {"max_levels": 0},
    ],
    ids=str,
)
def test_impossible_options_are_wrong_usage(csv_file: Callable[..., str], options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        fit(csv_file(HOUSES), target="price", **options)


def test_a_start_for_an_unknown_term_asks_whether_another_was_meant(csv_file: Callable[..., str]) -> None:
    with pytest.raises(DataError, match=r"no term 'kind\[hause\]'. Did you mean 'kind\[house\]'\? Terms: sqft, kind"):
        fit(csv_file(HOUSES), target="price", start={"kind[hause]": 1.0})


@pytest.mark.parametrize("name", ["m", "c", "(intercept)"])
def test_a_start_may_use_the_letters_of_the_formula(csv_file: Callable[..., str], name: str) -> None:
    result = fit(csv_file("x,y\n1,2\n2,3\n3,7\n"), target="y", start={name: 5.0}, iterations=0)
    found = result.trace[0].slopes[0] if name == "m" else result.trace[0].intercept
    assert found == pytest.approx(5.0, rel=1e-14)


@pytest.mark.parametrize("start", [{"m": 1.0}, {"c": 1.0}])
def test_letters_that_mean_nothing_here_are_no_terms(csv_file: Callable[..., str], start: dict[str, float]) -> None:
    intercept = "c" not in start
    with pytest.raises(DataError, match="--start: there is no term"):
        fit(csv_file(HOUSES), target="price", start=start, intercept=intercept)


@pytest.mark.parametrize("size", [1e100, 1e200, 1e308])
def test_a_start_far_away_gives_numbers_or_an_error(csv_file: Callable[..., str], size: float) -> None:
    try:
        result = fit(csv_file("x,y\n1,2\n2,3\n3,7\n"), target="y", start={"x": size}, iterations=3)
    except GdfitError:
        return
    assert result.trace
