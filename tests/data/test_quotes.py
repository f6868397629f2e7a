"""Where quoted fields are, against a state machine that looks at one character after the other."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdcli.data.csv.quotes import find_quoted


def quoted_stretches(text: str, separator: str = ",") -> list[tuple[int, int]]:
    """Return the places of the opening and closing quotes; the text's length where one never closes.

    RFC 4180, as pandas and Python's csv module read it: a quote opens a field at its start only (blanks may precede
    it), a doubled one inside stands for a quote, and what follows the closing one is plain text.
    """
    found: list[tuple[int, int]] = []
    state, opened, i = "start", 0, 0
    while i < len(text):
        character = text[i]
        if state == "quoted":
            if character == '"' and text[i + 1 : i + 2] == '"':
                i += 1
            elif character == '"':
                found.append((opened, i))
                state = "plain"
        elif character in (separator, "\n", "\r"):
            state = "start"
        elif state == "start" and character == '"':
            state, opened = "quoted", i
        elif character != " ":
            state = "plain"
        i += 1
    if state == "quoted":
        found.append((opened, len(text)))
    return found


def found_in(text: str, separator: str = ",") -> list[tuple[int, int]]:
    """Return what `find_quoted` finds; a doubled quote may close one stretch and open the next, which is the same."""
    marks = find_quoted(text.encode(), separator, '"')
    joined: list[tuple[int, int]] = []
    for opened, closed in zip(marks.opens.tolist(), marks.closes.tolist(), strict=True):
        if joined and joined[-1][1] == opened - 1:
            opened = joined.pop()[0]
        joined.append((opened, closed))
    return joined


@pytest.mark.parametrize("length", range(8))
def test_all_short_texts_are_read_as_the_state_machine_reads_them(length: int) -> None:
    for characters in product('",\na ' if length < 6 else '",a', repeat=length):
        text = "".join(characters)
        assert found_in(text) == quoted_stretches(text), repr(text)


@settings(derandomize=True, max_examples=500, deadline=None)
@given(st.text(alphabet='",\n a', max_size=40))
def test_random_texts_are_read_as_the_state_machine_reads_them(text: str) -> None:
    assert found_in(text) == quoted_stretches(text)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(['"a"', '""', '"x,y"', '"l\nm"', '"q""q"', "plain", "", ",", "\n", "\r\n"]), max_size=25)
)
def test_well_behaved_texts_are_read_as_the_state_machine_reads_them(parts: list[str]) -> None:
    text = "".join(parts)
    assert found_in(text) == quoted_stretches(text)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_the_separator_decides_what_the_start_of_a_field_is(separator: str) -> None:
    text = f'a{separator}"b,{separator}c"{separator}d,"e"{separator}"f"\n"g"'
    assert found_in(text, separator) == quoted_stretches(text, separator)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a,b\n", True),
        ('"a","b"\n', True),
        ('"a ""b"" c",1\n', True),
        ('"a"\r\n"b"\r\n', True),
        ('5" pipe,1\n', False),
        ('1, "a"\n', False),
        ('"a" ,1\n', False),
        ('"a"b,1\n', False),
    ],
)
def test_plain_means_that_every_quote_stands_beside_a_separator_or_line_end(text: str, plain: bool) -> None:
    assert find_quoted(text.encode(), ",", '"').plain is plain


def test_places_inside_are_those_between_an_opening_and_its_closing_quote() -> None:
    text = b'a,"b,c",d\n"e\nf",g\n'
    inside = find_quoted(text, ",", '"').inside(np.arange(len(text)))
    assert "".join("x" if flag else "." for flag in inside) == "..xxxx....xxxx....."[: len(text)]


def test_bytes_of_a_letter_beyond_ascii_are_not_quotes() -> None:
    assert found_in("é,ü\n") == []
    marks = find_quoted('"é,ü",1\n'.encode(), ",", '"')
    assert (marks.opens.tolist(), marks.closes.tolist()) == ([0], [6])
