"""A stream cut into blocks of whole rows, at places that depend on the text alone."""

import io
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdcli import fit
from gdcli.base.errors import CellError, GdfitError
from gdcli.data.csv import chunks
from gdcli.data.csv.chunks import Chunk, cut
from gdcli.data.csv.dialect import read_header
from gdcli.data.csv.options import CsvOptions
from gdcli.data.streams import _Counted


def blocks(data: bytes, size: int) -> list[Chunk]:
    """The blocks of a stream, which are those of a file, where the end of a block is looked for before it is read."""
    found = [
        list(cut(stream, "data.csv", read_header(stream, "data.csv", CsvOptions()), size))
        for stream in (io.BytesIO(data), _Counted(io.BytesIO(data), "data.csv", regular=True))
    ]
    assert [(block.text, block.first_line, block.place) for block in found[1]] == [
        (block.text, block.first_line, block.place) for block in found[0]
    ]
    return found[0]


def row_ends(body: str) -> list[int]:
    """Return the places after each line end outside quotes, by a state machine."""
    ends: list[int] = []
    state, i = "start", 0
    while i < len(body):
        if state == "quoted":
            if body[i] == '"' and body[i + 1 : i + 2] == '"':
                i += 1
            elif body[i] == '"':
                state = "plain"
        elif body[i] == "\n":
            ends.append(i + 1)
            state = "start"
        elif body[i] == ",":
            state = "start"
        elif state == "start" and body[i] == '"':
            state = "quoted"
        elif body[i] != " ":
            state = "plain"
        i += 1
    return ends


def expected_blocks(body: str, size: int) -> list[str]:
    """Cut at multiples of the size, each moved to the next line end outside quotes."""
    ends = row_ends(body)
    cuts = {next((end for end in ends if end >= multiple), len(body)) for multiple in range(size, len(body) + 1, size)}
    places = [0, *sorted(cuts | {len(body)})]
    return [body[a:b] for a, b in pairwise(places) if b > a]


BODIES = {
    "rows of one length": "1,2\n" * 50,
    "rows of many lengths": "".join(f"{'7' * (i % 13 + 1)},{i}\n" for i in range(60)),
    "no final newline": "1,2\n" * 20 + "3,4",
    "quoted newlines": 'a,"b\nc"\n' * 30,
    "a long quoted field": "1,2\n" * 5 + '3,"' + "x\n" * 100 + '"\n' + "4,5\n" * 5,
    "doubled quotes at line ends": 'a,"b""\n""c"\n' * 20,
    "quotes that open nothing": '5" pipe,b\n' * 30,
    "quotes after blanks": '1, "a\nb"\n' * 20,
    "a row longer than many blocks": "1,2\n" + "9" * 500 + ",2\n" + "3,4\n" * 9,
    "crlf": "1,2\r\n" * 40,
    "blank lines": "1,2\n\n\n3,4\n" * 20,
    "no rows": "",
}


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 16, 50, 199, 200, 201, 10_000])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_cuts_are_at_multiples_moved_to_the_next_row_end(body: str, size: int) -> None:
    assert [block.text.decode() for block in blocks(b"x,y\n" + body.encode(), size)] == expected_blocks(body, size)


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.text(alphabet='",\n a1', max_size=80), st.integers(1, 30))
def test_cuts_of_random_texts_are_where_the_state_machine_says(body: str, size: int) -> None:
    body = "1" + body  # so that the header line ends where it should
    assert [block.text.decode() for block in blocks(b"x,y\n" + body.encode(), size)] == expected_blocks(body, size)


@pytest.mark.parametrize("size", [1, 10, 64, 1000])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_blocks_joined_are_the_text(body: str, size: int) -> None:
    assert b"".join(block.text for block in blocks(b"x,y\n" + body.encode(), size)) == body.encode()


@pytest.mark.parametrize("size", [1, 10, 64, 1000])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_block_knows_its_first_line_and_its_place(body: str, size: int) -> None:
    text = "\n\nx,y\n" + body
    for block in blocks(text.encode(), size):
        assert text[block.place :].startswith(block.text.decode())
        assert block.first_line == text[: block.place].count("\n") + 1


def test_the_usual_blocks_are_of_8_mib() -> None:
    line = b"12345678901234567890123456789,1\n"  # 32 bytes, so that a block ends exactly at its size
    assert [len(block.text) for block in blocks(b"x,y\n" + line * 600_000, chunks.BLOCK_BYTES)] == [
        8 << 20,
        8 << 20,
        32 * 600_000 - (16 << 20),
    ]


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n", "\n \n"])
def test_lone_carriage_returns_end_rows_too(csv_file: Callable[..., str], ending: str) -> None:
    path = csv_file("x,y\r1,2\r2,3\r3,7\r4,5" + ending.replace("\n", "\r").replace("\r\r", "\r"))
    assert fit(path, target="y", iterations=0).rows.read == 4


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [13, 1000])
@pytest.mark.parametrize("final", [True, False])
def test_line_ends_and_block_sizes_change_nothing(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], newline: str, size: int, final: bool
) -> None:
    lines = ["x,kind,y", *(f'{i},"{"ab"[i % 2]}",{i * i % 11}' for i in range(30))]
    plain = fit(csv_file("\n".join(lines) + "\n", "plain.csv"), target="y", iterations=50)
    blocks_of(size)
    other = fit(csv_file(newline.join(lines) + newline * final, "other.csv"), target="y", iterations=50)
    assert other.rows == plain.rows
    assert [c.term for c in other.coefficients] == [c.term for c in plain.coefficients]
    for a, b in zip(other.coefficients, plain.coefficients, strict=True):
        assert a.value == pytest.approx(b.value, rel=1e-12)
        assert a.optimum == pytest.approx(b.optimum, rel=1e-12)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 20, 100, 10_000])
def test_the_line_of_a_bad_cell_is_right_in_any_block(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], newline: str, size: int
) -> None:
    lines = ["x,y", *(f"{i},{i}" for i in range(40))]
    lines[33] = "oops,3"
    blocks_of(size)
    with pytest.raises(CellError, match="line 34, column 'x': 'oops' is not a number"):
        fit(csv_file(newline.join(lines)), target="y", jobs=1)


@pytest.mark.parametrize("size", [1, 20, 100, 10_000])
def test_lines_inside_quotes_and_blank_lines_count(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], size: int
) -> None:
    text = 'x,note,y\n1,"a\nb\nc",2\n\n2,d,3\n   \n3,"e\n",4\n4,f,oops\n5,g,6\n'
    blocks_of(size)
    with pytest.raises(CellError, match="line 10, column 'y': 'oops'"):
        fit(csv_file(text), target="y", features="x")


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_first_of_several_bad_blocks_is_named(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], jobs: int
) -> None:
    lines = ["x,y", *(f"{i},{i}" for i in range(200))]
    for line in (50, 90, 130, 170):
        lines[line - 1] = f"oops{line},3"
    blocks_of(60)
    with pytest.raises(CellError, match="line 50, column 'x': 'oops50'"):
        fit(csv_file("\n".join(lines)), target="y", jobs=jobs)


@pytest.mark.parametrize("size", [1, 20, 10_000])
def test_a_quote_that_never_closes_is_an_error_naming_its_line(
    csv_file: Callable[..., str], blocks_of: Callable[[int], None], size: int
) -> None:
    blocks_of(size)
    with pytest.raises(CellError, match="line 4: the quote opened here is never closed"):
        fit(csv_file('x,y\n1,2\n2,3\n3,"4\n5,6\n7,8\n'), target="y")


@pytest.mark.parametrize("last", ['"abc', '"abc""', '"', ' "abc""', ' "abc', '"abc\n', ' "a""\n'])
def test_a_quote_that_never_closes_is_found_in_the_last_cell_too(csv_file: Callable[..., str], last: str) -> None:
    with pytest.raises(CellError, match="never closed"):
        fit(csv_file("x,y,z\n1,2,a\n2,3,b\n3,1,c\n4,5," + last), target="y")


def test_a_row_that_does_not_end_is_an_error_before_the_memory_does(
    csv_file: Callable[..., str], monkeypatch: pytest.MonkeyPatch, blocks_of: Callable[[int], None]
) -> None:
    monkeypatch.setattr(chunks, "LONGEST_ROW", 200_000)
    blocks_of(100)
    with pytest.raises(CellError, match=r"line 3: the quote opened here is not closed within"):
        fit(csv_file('x,y\n1,2\n2,"3\n' + "4,5\n" * 200_000), target="y")


class Dribble(io.RawIOBase):
    """A raw stream that hands out so many bytes at a time, as a slow pipe does."""

    def __init__(self, data: bytes, step: int) -> None:
        self.data, self.step, self.at = data, step, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        part = self.data[self.at : self.at + min(self.step, len(buffer))]
        buffer[: len(part)] = part
        self.at += len(part)
        return len(part)


class Stdin:
    def __init__(self, data: bytes, step: int) -> None:
        self.buffer = io.BufferedReader(Dribble(data, step), 16)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes, int], None]]:
    def send(data: bytes, step: int) -> None:
        monkeypatch.setattr("sys.stdin", Stdin(data, step))

    return send


@pytest.mark.parametrize("step", [1, 7, 100, 4096])
@pytest.mark.parametrize("size", [30, 100_000])
def test_a_stream_that_comes_in_pieces_is_read_as_the_file(
    csv_file: Callable[..., str],
    blocks_of: Callable[[int], None],
    sent: Callable[[bytes, int], None],
    size: int,
    step: int,
) -> None:
    text = 'x,kind,y\n1,"a\nb",2\r\n2,é,3\n3,"""q""",7\n4,"a\nb",5\n' + "5,é,6\n" * 40
    blocks_of(size)
    whole = fit(csv_file(text), target="y", iterations=20)
    sent(text.encode(), step)
    pieces = fit("-", target="y", iterations=20)
    assert pieces.coefficients == whole.coefficients
    assert pieces.rows == whole.rows


@pytest.mark.parametrize("step", [1, 7, 100])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1", "utf-32"])
def test_other_encodings_in_pieces_are_read_as_the_file(
    csv_file: Callable[..., str], sent: Callable[[bytes, int], None], encoding: str, step: int
) -> None:
    data = "größe,y\n1,2\n2,3\n3,7\n".encode(encoding)
    given = {"encoding": "latin-1"} if encoding == "latin-1" else {}
    whole = fit(csv_file(data), target="y", iterations=5, **given)
    sent(data, step)
    assert fit("-", target="y", iterations=5, **given).coefficients == whole.coefficients
    assert whole.coefficients[0].term == "größe"


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(alphabet='",\n\r 1a', max_size=60), st.integers(1, 9))
def test_no_text_makes_the_cutting_hang_or_crash(text: str, size: int) -> None:
    try:
        found = blocks(text.encode(), size)
    except GdfitError:
        return
    assert b"".join(block.text for block in found) in text.encode()
