"""Blocks read by NumPy alone: to the nearest double, as Python reads them, and only where that is sure."""

import math
import random
import struct
from decimal import Decimal
from fractions import Fraction

import pytest

from gdcli.data.csv.chunks import Chunk
from gdcli.data.csv.dialect import Dialect
from gdcli.data.csv.plain import parse_plain
from gdcli.data.csv.unsure import UnsureError
from gdcli.data.table import Table

WORDS = frozenset({"", "NA"})


@pytest.fixture(autouse=True)
def slices_of_a_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gdcli.data.csv.plain._SLICE", 1 << 12)


def read(text: str, numeric: str = "ab", texts: str = "", separator: str = ",", names: str = "ab") -> Table:
    """The columns of a text whose columns have names of one letter."""
    dialect = Dialect(separator, '"', b"\n", tuple(names), frozenset())
    return parse_plain(Chunk("data.csv", text.encode(), 2, 0), dialect, numeric, texts, WORDS)


def written(seed: int) -> list[str]:
    """Numbers of up to 22 digits with the mark anywhere, and those of which Python writes seventeen."""
    draw = random.Random(seed)
    found = []
    for _ in range(3000):
        digits = "".join(draw.choices("0123456789", k=draw.randint(1, 22)))
        mark = draw.randint(0, len(digits))
        found += [
            f"{digits[:mark]}.{digits[mark:]}",
            f"-{digits}",
            repr(draw.uniform(-1, 1)),
            str(draw.getrandbits(64)),
        ]
    return found


def bits(values: list[float]) -> list[bytes]:
    return [struct.pack("d", value) for value in values]


def test_numbers_of_digits_become_the_nearest_doubles() -> None:
    numbers = written(1)
    table = read("".join(f"{one},{other}\n" for one, other in zip(numbers, reversed(numbers), strict=True)))
    assert bits(table.numeric["a"].tolist()) == bits([float(one) for one in numbers])
    assert bits(table.numeric["b"].tolist()) == bits([float(one) for one in reversed(numbers)])


def test_a_number_just_beside_the_middle_of_two_doubles_goes_to_the_nearer_one() -> None:
    draw = random.Random(2)
    numbers = []
    for _ in range(400):
        below = draw.uniform(1, 10)
        middle = (Decimal(below) + Decimal(math.nextafter(below, math.inf))) / 2
        numbers += [str(middle)[:20], str(middle)[:19] + draw.choice("123456789")]  # nineteen digits
    table = read("".join(f"{one},1\n" for one in numbers))
    for text, value in zip(numbers, table.numeric["a"].tolist(), strict=True):
        others = (math.nextafter(value, math.inf), math.nextafter(value, 0.0))
        assert all(abs(Fraction(value) - Fraction(text)) <= abs(Fraction(other) - Fraction(text)) for other in others)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_texts_gaps_and_what_is_more_than_digits_are_read_where_they_stand(end: str) -> None:
    rows = ["1,x", ",", "NA,x y", " 2.5 ,Zürich", "1e3,a text of more than twenty-four characters", "-.5,x", "+4,NA"]
    table = read(end.join(rows * 200), "a", "b")
    expected = [1.0, math.nan, math.nan, 2.5, 1000.0, -0.5, 4.0] * 200
    assert [None if math.isnan(one) else one for one in table.numeric["a"].tolist()] == [
        None if math.isnan(one) else one for one in expected
    ]
    column = table.text["b"]
    found = [None if code < 0 else column.levels[code] for code in column.codes.tolist()]
    assert found == [row.split(",")[1] if row.split(",")[1] not in WORDS else None for row in rows] * 200


def test_separators_line_ends_and_marks_in_quotes_are_text() -> None:
    table = read('1,"a,b"\n"2.5","say ""x"""\n3,"1.5,-2"\n4,"two\nlines"\n', "a", "b")
    assert table.numeric["a"].tolist() == [1.0, 2.5, 3.0, 4.0]
    found = [table.text["b"].levels[code] for code in table.text["b"].codes]
    assert found == ["a,b", 'say "x"', "1.5,-2", "two\nlines"]


def test_long_texts_are_told_apart_by_their_beginnings() -> None:
    column = read("".join(f"{k},{k % 3}{'x' * 80}\n" for k in range(7)), "a", "b").text["b"]
    assert [column.levels[code] for code in column.codes] == [f"{k % 3}{'x' * 80}" for k in range(7)]


@pytest.mark.parametrize("text", ["1,x\ry\n", '1,x\n2,a"b"c\n', '1,"x\n2,y\n'])
def test_texts_with_line_ends_or_quotes_of_another_meaning_are_left_to_the_others(text: str) -> None:
    with pytest.raises(UnsureError):
        read(text, "a", "b")


def two_texts_of_one_key() -> tuple[str, str]:
    """Two texts of sixteen characters that the sum of the parser's key does not tell apart."""
    mixer, letters = 0x9E3779B97F4A7C15, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
    draw = random.Random(0)
    while True:
        ends = ["".join(draw.choices(letters, k=8)) for _ in range(2)]
        change = 0
        for end in ends:
            change ^= int.from_bytes(end.encode(), "little") * mixer % 2**64
        pairs = [[(c, chr(ord(c) ^ byte)) for c in letters if chr(ord(c) ^ byte) in letters]
                 for byte in change.to_bytes(8, "little")]  # fmt: skip
        if all(pairs):
            return "".join(one[0][0] for one in pairs) + ends[0], "".join(one[0][1] for one in pairs) + ends[1]


def test_texts_whose_keys_agree_are_told_apart() -> None:
    texts = two_texts_of_one_key()
    assert texts[0] != texts[1]
    column = read("".join(f"{k},{texts[k % 2]}\n" for k in range(9)), "a", "b").text["b"]
    assert [column.levels[code] for code in column.codes] == [texts[k % 2] for k in range(9)]


@pytest.mark.parametrize(
    "text",
    ["1,2\n3\n", "1,2\n3,4,5\n", "1,2\n\n3,4\n", "1,2\n3,x\n", "1,2\n3,--4\n", "1,2\n3,.\n", "1,2\n3,1.2.3\n",
     "1,2\n3,inf\n", "1,2\ra,b\n", "1,2\n3,\0\n", '1,2\n3,"4\n', '1,2\n3,4"\n', "1,2\na,b\n"],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_others(text: str) -> None:
    with pytest.raises(UnsureError):
        read(text)


def test_a_number_that_means_a_missing_cell_is_none_however_it_is_written() -> None:
    dialect = Dialect(",", '"', b"\n", ("a", "b"), frozenset())
    table = parse_plain(
        Chunk("data.csv", b"-999,1\n-999.0,2\n3,-9.99e2\n", 2, 0), dialect, "ab", "", frozenset({"-999"})
    )
    assert [math.isnan(one) for one in table.numeric["a"]] == [True, True, False]
    assert [math.isnan(one) for one in table.numeric["b"]] == [False, False, True]


def test_a_quote_that_does_not_close_is_left_to_the_others() -> None:
    with pytest.raises(UnsureError):
        read('x\n"y\n', "", "a", names="a")


@pytest.mark.parametrize("text", ["1\n \n2\n", "1\n\n2\n", "1\n\t\n"])
def test_a_line_of_blanks_is_left_to_the_others_where_there_is_one_column(text: str) -> None:
    with pytest.raises(UnsureError):
        read(text, "a", names="a")


def test_empty_lines_at_the_end_are_no_rows() -> None:
    assert read("1,2\n3,4\n\n\n").rows == 2
    assert read("1,2\r\n3,4\r\n\r\n").rows == 2
