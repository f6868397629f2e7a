"""``predict``: what goes in comes out unchanged, with one column more."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from gdcli.base.errors import CellError, DataError
from gdcli.models.model import Model
from gdcli.models.model_file import model_of
from tests.models.handwritten import model_content

# ŷ = 1.5 + 2·sqft, and 10 more in a villa
SLOPES = {"sqft": 2.0, "type": {"Condo": 0.0, "Villa": 10.0}}


@pytest.fixture
def model(make_model: Callable[..., Model]) -> Model:
    return make_model(SLOPES)


UNCHANGED = {
    "plain": (b"sqft,type\n1,Condo\n2.5,Villa\n", b"sqft,type,price_predicted\n1,Condo,3.5\n2.5,Villa,16.5\n"),
    "CRLF": (b"sqft,type\r\n1,Condo\r\n2,Villa\r\n", b"sqft,type,price_predicted\r\n1,Condo,3.5\r\n2,Villa,15.5\r\n"),
    "CR": (b"sqft,type\r1,Condo\r2,Villa\r", b"sqft,type,price_predicted\r1,Condo,3.5\r2,Villa,15.5\r"),
    "mixed line ends": (
        b"sqft,type\n1,Condo\r\n2,Villa\n3,Condo\r\n",
        b"sqft,type,price_predicted\n1,Condo,3.5\r\n2,Villa,15.5\n3,Condo,7.5\r\n",
    ),
    "no final line end": (b"sqft,type\n1,Condo\n2,Villa", b"sqft,type,price_predicted\n1,Condo,3.5\n2,Villa,15.5\n"),
    "CRLF without the final one": (b"sqft,type\r\n1,Condo", b"sqft,type,price_predicted\r\n1,Condo,3.5\r\n"),
    "a header alone": (b"sqft,type\n", b"sqft,type,price_predicted\n"),
    "a header without line end": (b"sqft,type", b"sqft,type,price_predicted\n"),
    "blank lines": (
        b"\n \r\nsqft,type\n\n1,Condo\n\n\n2,Villa\n \n",
        b"sqft,type,price_predicted\n1,Condo,3.5\n2,Villa,15.5\n",
    ),
    "quotes and blanks": (
        b'"sqft" , type\n"1",  Condo\n 2 ,"Villa"\n',
        b'"sqft" , type,price_predicted\n"1",  Condo,3.5\n 2 ,"Villa",15.5\n',
    ),
    "separators, quotes and line ends in quotes": (
        b'note,sqft,type\n"a, ""b""\nc",1,Condo\n"\r\n",2,Villa\n',
        b'note,sqft,type,price_predicted\n"a, ""b""\nc",1,Condo,3.5\n"\r\n",2,Villa,15.5\n',
    ),
    "a quote inside a cell": (
        b'sqft,type,note\n1,Condo,5" pipe\n2,Villa,6" pipe\n',
        b'sqft,type,note,price_predicted\n1,Condo,5" pipe,3.5\n2,Villa,6" pipe,15.5\n',
    ),
    "semicolons": (b"sqft;type;n\n1;Condo;a,b\n", b"sqft;type;n;price_predicted\n1;Condo;a,b;3.5\n"),
    "tabs, and a row of nothing but them": (
        b"sqft\ttype\n1\tCondo\n\t\n\n",
        b"sqft\ttype\tprice_predicted\n1\tCondo\t3.5\n\t\t\n",
    ),
    "a column without name": (b"sqft,,type\n1,,Condo\n", b"sqft,,type,price_predicted\n1,,Condo,3.5\n"),
    "columns of one name that are not needed": (
        b"n,sqft,n,type\n1,1,2,Condo\n",
        b"n,sqft,n,type,price_predicted\n1,1,2,Condo,3.5\n",
    ),
    "a byte-order mark": (
        b"\xef\xbb\xbfsqft,type\n1,Condo\n",
        b"sqft,type,price_predicted\n1,Condo,3.5\n",
    ),
    "other languages": (
        "größe,sqft,type\nßµ€,1,Condo\n".encode(),
        "größe,sqft,type,price_predicted\nßµ€,1,Condo,3.5\n".encode(),
    ),
}


@pytest.mark.parametrize(("given", "expected"), UNCHANGED.values(), ids=UNCHANGED)
def test_rows_come_out_as_they_went_in(
    given: bytes, expected: bytes, model: Model, predicted: Callable[..., Any]
) -> None:
    assert predicted(model, given).text == expected


@pytest.mark.parametrize(("given", "expected"), UNCHANGED.values(), ids=UNCHANGED)
@pytest.mark.parametrize("block", [1, 7, 16])
def test_the_size_of_the_blocks_and_the_number_of_threads_change_nothing(
    block: int, given: bytes, expected: bytes, model: Model, predicted: Callable[..., Any]
) -> None:
    for jobs in (1, 3):
        assert predicted(model, given, block=block, jobs=jobs).text == expected


def test_a_number_is_written_in_its_shortest_form(make_model: Callable[..., Model], predicted: Any) -> None:
    model = make_model({"x": 0.1}, intercept=None, target="y")
    text = predicted(model, "x\n3\n1e300\n1e-300\n0\n-2\n").text.decode()
    values = [line.split(",")[1] for line in text.splitlines()[1:]]
    assert values == [repr(0.1 * x) for x in (3.0, 1e300, 1e-300, 0.0, -2.0)]


def test_a_row_that_cannot_be_predicted_gets_an_empty_cell_and_is_counted(model: Model, predicted: Any) -> None:
    rows = ["1,Condo", ",Condo", "1,", "NA,Villa", "abc,Condo", "1,Castle", "1,Hut", "1, Villa ", "nan,Loft"]
    result = predicted(model, "sqft,type\n" + "\n".join(rows) + "\n")
    cells = [line.rsplit(",", 1)[1] for line in result.text.decode().splitlines()[1:]]
    assert cells == ["3.5", "", "", "", "", "", "", "13.5", ""]
    assert str(result.tally) == (
        "7 of 9 rows could not be predicted ('sqft' 4, 'type' 4, unknown: 'Castle', 'Hut', 'Loft')"
    )


def test_many_unknown_levels_are_not_all_named(model: Model, predicted: Any) -> None:
    text = "sqft,type\n" + "".join(f"1,level {i}\n" for i in range(50)) + "1,Condo\n"
    for block in (20, None):
        message = str(predicted(model, text, block=block).tally)
        assert message.endswith("('type' 50, unknown: 'level 0', 'level 1', 'level 10', …)")


@pytest.mark.parametrize(
    "cell", ["1_000", "0x10", "True", "inf", "-Infinity", "1e400", "12 000", "1,5", "2020-01-01", "٣"]
)
def test_what_is_no_finite_number_is_not_taken_for_one(cell: str, model: Model, predicted: Any) -> None:
    lines = predicted(model, f'sqft,type\n1,Condo\n"{cell}",Condo\n2,Condo\n').text.decode().splitlines()
    assert lines == ["sqft,type,price_predicted", "1,Condo,3.5", f'"{cell}",Condo,', "2,Condo,5.5"]


@pytest.mark.parametrize("cell", ["7", "+7", "007", "7.", " 7 ", "0.7e1", "70E-1"])
def test_a_number_counts_however_it_is_written(cell: str, model: Model, predicted: Any) -> None:
    for other in ("1", "?"):  # also in a column that holds something else
        text = predicted(model, f"sqft,type\n{cell},Condo\n{other},Condo\n").text.decode()
        assert text.splitlines()[1] == f"{cell},Condo,15.5"


def test_a_number_that_stands_for_a_missing_value_gives_no_prediction(
    make_model: Callable[..., Model], predicted: Any
) -> None:
    model = make_model({"x": 1.0}, intercept=0.0, target="y", words=["", "-999"])
    for other in ("1", "?"):
        result = predicted(model, f"x\n-999\n-999.0\n999\n{other}\n")
        assert result.text.decode().splitlines()[1:4] == ["-999,", "-999.0,", "999,999.0"]


def test_a_text_that_reads_like_the_level_of_gaps_is_a_text_to_a_model_that_fills_none(
    make_model: Callable[..., Model], predicted: Any
) -> None:
    model = make_model({"t": {"a": 0.0, "(missing)": 2.0}})
    result = predicted(model, "t,x\n,1\na,1\n(missing),1\n", only=True)
    assert result.text.decode().splitlines()[1:] == ['""', "1.5", "3.5"]


def test_a_sum_that_overflows_is_no_prediction(make_model: Callable[..., Model], predicted: Any) -> None:
    model = make_model({"x": 1e300, "z": -1e300}, target="y")
    result = predicted(model, "x,z\n1e300,0\n1e300,1e300\n0,0\n")
    assert result.text == b"x,z,y_predicted\n1e300,0,\n1e300,1e300,\n0,0,1.5\n"
    assert str(result.tally) == "2 of 3 rows could not be predicted"


def test_only_the_predictions_are_written_on_request(model: Model, predicted: Any) -> None:
    # An empty line would be no row to most readers.
    assert predicted(model, "sqft,type\n1,Condo\n,Condo\n", only=True).text == b'price_predicted\n3.5\n""\n'


def test_the_new_column_can_have_another_name_which_is_quoted_where_needed(model: Model, predicted: Any) -> None:
    text = "sqft,type\n1,Condo\n"
    assert predicted(model, text, column="guess").text.splitlines()[0] == b"sqft,type,guess"
    assert predicted(model, text, column='a,"b"').text.splitlines()[0] == b'sqft,type,"a,""b"""'
    assert predicted(model, text.replace(",", ";"), column="a,b").text.splitlines()[0] == b"sqft;type;a,b"


def test_a_name_that_exists_is_an_error_but_not_for_the_predictions_alone(model: Model, predicted: Any) -> None:
    text = "sqft,type,price_predicted\n1,Condo,9\n"
    with pytest.raises(DataError, match=r"has a column 'price_predicted' already; name another with --column"):
        predicted(model, text)
    assert predicted(model, text, only=True).text == b"price_predicted\n3.5\n"


def test_a_later_file_is_written_in_the_order_and_with_the_separator_of_the_first(model: Model, predicted: Any) -> None:
    first = "sqft,n,type\n1,a,Condo\n"
    others = ['type;sqft;n\r\n"Villa";2;b,c\r\nCondo;3;"d;""e"""\r\nCondo;4;" f"\r\n', "n\tsqft\ttype\n\t5\tVilla"]
    assert predicted(model, first, *others).text.decode() == (
        "sqft,n,type,price_predicted\n"
        "1,a,Condo,3.5\n"
        '2,"b,c","Villa",15.5\n'
        '3,"d;""e""",Condo,7.5\n'
        '4," f",Condo,9.5\n'
        "5,,Villa,21.5\n"
    )


def test_a_later_file_like_the_first_is_passed_on_unchanged(model: Model, predicted: Any) -> None:
    first, second = 'sqft,type\n1,"Condo"', '"sqft",type\n 2,"Villa"\n'
    assert predicted(model, first, second).text == b'sqft,type,price_predicted\n1,"Condo",3.5\n 2,"Villa",15.5\n'


def test_equal_names_keep_their_order_in_a_file_of_another_order(model: Model, predicted: Any) -> None:
    text = predicted(model, "n,sqft,n,type\n1,1,2,Condo\n", "sqft,n,type,n\n5,3,Condo,4\n").text
    assert text.splitlines()[2] == b"3,5,4,Condo,11.5"


def test_a_later_file_with_other_columns_is_an_error(model: Model, predicted: Any) -> None:
    with pytest.raises(DataError, match=r"data1\.csv' lacks n and also has m, unlike '.*data0\.csv'"):
        predicted(model, "sqft,type,n\n1,Condo,2\n", "sqft,type,m\n1,Condo,2\n")


def test_a_missing_feature_column_is_an_error_that_offers_a_similar_one(model: Model, predicted: Any) -> None:
    with pytest.raises(DataError, match=r"has no column 'sqft'\. Did you mean 'Sqft'\?"):
        predicted(model, "Sqft,type\n1,Condo\n")


def test_a_feature_column_that_is_there_twice_is_an_error(model: Model, predicted: Any) -> None:
    with pytest.raises(DataError, match=r"more than one column named 'sqft'"):
        predicted(model, "sqft,type,sqft\n1,Condo,2\n")


@pytest.mark.parametrize("row", ["1", "1,Condo,3"])
def test_a_row_of_another_width_is_an_error_with_its_line(row: str, model: Model, predicted: Any) -> None:
    with pytest.raises(CellError, match=r"line 3: \d fields? where the header has 2"):
        predicted(model, f"sqft,type\n1,Condo\n{row}\n1,Condo\n")


def test_a_quote_that_never_closes_is_an_error(model: Model, predicted: Any) -> None:
    with pytest.raises(CellError, match=r"line 3"):
        predicted(model, 'sqft,type\n1,Condo\n1,"Condo\n2,Villa\n')


@pytest.mark.parametrize(("encoding", "given"), [("utf-16", None), ("latin-1", "latin-1"), ("cp1252", "cp1252")])
def test_another_encoding_is_written_as_utf_8_and_a_note_says_so(
    encoding: str, given: str | None, model: Model, predicted: Any
) -> None:
    result = predicted(model, "sqft,type,größe\n1,Condo,ä\n".encode(encoding), encoding=given)
    assert result.text.decode() == "sqft,type,größe,price_predicted\n1,Condo,ä,3.5\n"
    assert len(result.notes) == 1
    assert result.notes[0].endswith("; its rows are written as UTF-8")


def test_bytes_that_are_not_utf_8_are_an_error_that_offers_the_option(model: Model, predicted: Any) -> None:
    with pytest.raises(CellError, match=r"--encoding latin-1"):
        predicted(model, "sqft,type,n\n1,Condo,ä\n".encode("latin-1"))


def test_a_model_without_features_predicts_its_intercept(make_model: Callable[..., Model], predicted: Any) -> None:
    model = make_model({}, intercept=4.25)
    assert predicted(model, "a\n1\n\nx\n").text == b"a,price_predicted\n1,4.25\nx,4.25\n"


def test_a_column_of_one_file_alone_keeps_its_quoted_empty_rows(
    make_model: Callable[..., Model], predicted: Any
) -> None:
    # pandas writes a missing value in a single column like this, for an empty line would be no row.
    model = make_model({"x": 1.0}, intercept=0.0, target="y")
    assert predicted(model, 'x\n1\n""\n2\n').text == b'x,y_predicted\n1,1.0\n"",\n2,2.0\n'


def test_random_files_come_out_unchanged(model: Model, predicted: Any) -> None:
    for seed in range(60):
        _check_random_file(random.Random(seed), model, predicted)


NUMBERS = ("1", "2.5", "-3e2", "NA", "", "?", "1e400", " 4 ", "True", "+7")
VALUES = dict(zip(NUMBERS, (1.0, 2.5, -300.0, None, None, None, None, 4.0, None, 7.0), strict=True))
NOTES = ("p", "q,q", "line\nbreak", "cr\r\nlf", 'say "hi"', "", ";|\t", "é", "x" * 20)


def _check_random_file(chance: random.Random, model: Model, predicted: Any) -> None:
    separator, newline = chance.choice(",;\t|"), chance.choice(["\n", "\r\n", "\r"])
    names = ["sqft", "type", "note"]
    chance.shuffle(names)
    given, expected = separator.join(names) + newline, separator.join([*names, "price_predicted"]) + newline
    unpredicted = 0
    for row in range(chance.randint(0, 12)):  # of which the first has a prediction: a file without any is an error
        cells = {
            "sqft": chance.choice(NUMBERS) if row else "1",
            "type": chance.choice(["Condo", " Villa ", "Hut", ""]) if row else "Condo",
            "note": chance.choice(NOTES),
        }
        x, effect = VALUES[cells["sqft"]], {"Condo": 0.0, "Villa": 10.0}.get(cells["type"].strip())
        prediction = "" if x is None or effect is None else repr(1.5 + 2.0 * x + effect)
        unpredicted += not prediction
        text = separator.join(_quoted(cells[name], separator, chance) for name in names)
        given += newline * chance.choice([0, 0, 0, 1]) + text + newline
        expected += text + separator + prediction + newline
    if chance.random() < 0.3 and len(given) > len(expected) // 2:
        given = given.removesuffix(newline)
    block, jobs = chance.choice([7, 23, 1 << 20]), chance.choice([1, 2])
    result = predicted(model, given, block=block, jobs=jobs, separator=separator)
    assert result.text.decode() == expected, given
    assert result.tally.unpredicted == unpredicted


def _quoted(cell: str, separator: str, chance: random.Random) -> str:
    if chance.random() < 0.2 or any(mark in cell for mark in (separator, '"', "\r", "\n")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


@pytest.mark.parametrize("others", ["", "1,0\n", "abc,0\n"])
def test_a_word_for_missing_that_reads_as_infinite_is_missing_beside_any_cells(
    others: str, predicted: Callable[..., Any]
) -> None:
    content = model_content({"x": 2.0}, words=["", "inf"])
    content["missing"] |= {"policy": "mean", "means": {"x": 10.0}}
    found = predicted(model_of(content, "model.json"), f"x,w\n,0\ninf,0\n-inf,0\n{others}", only=True)
    assert found.text.decode().splitlines()[1:4] == ["21.5", "21.5", '""']
