"""Tables at the edge of sense: twenty thousand columns, and cells and names that are longer than a block."""

from collections.abc import Callable

import pytest

from gdcli.api import fit_data as fit
from gdcli.base.errors import CellError, DataError
from gdcli.base.names import listed
from gdcli.data import memory as room
from gdcli.data.csv.block import CsvBlock

COLUMNS = 20_000
BLOCK = 1 << 18
LENGTH = 300_000
ROWS = "".join(f"{i % 7},{'ab'[i % 2]},{3 * (i % 7) + i % 2}\n" for i in range(40))


@pytest.fixture(autouse=True)
def small(blocks_of: Callable[[int], None]) -> None:
    """Blocks that a long cell does not fit into."""
    blocks_of(BLOCK)


@pytest.fixture
def twenty_thousand_columns(csv_file: Callable[..., str]) -> str:
    header = ",".join(["y", *(f"x{i}" for i in range(1, COLUMNS))])
    row = ",".join(["1.5"] * (COLUMNS - 3))
    return csv_file("\n".join([header, *(f"{2 * i + 1},{i},{row},7" for i in range(4))]) + "\n")


def test_twenty_thousand_columns_are_refused_before_a_cell_is_read(
    twenty_thousand_columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(*_: object) -> None:
        raise AssertionError("cells were read")

    monkeypatch.setattr(CsvBlock, "table", parse)
    monkeypatch.setattr(room, "memory", lambda: 16 * 10**9)
    with pytest.raises(DataError, match=r"19,999 columns .* need 32 GB of memory, and there are 16 GB"):
        fit(twenty_thousand_columns, target="y")


def test_one_of_twenty_thousand_columns_is_fitted(twenty_thousand_columns: str) -> None:
    found = fit(twenty_thousand_columns, target="y", features="x1", iterations=1)
    assert found.intercept is not None
    assert found.coefficients[0].optimum == pytest.approx(2)
    assert found.intercept.optimum == pytest.approx(1)


@pytest.mark.parametrize("cell", ["q" * LENGTH, '"' + "q,\n" * (LENGTH // 3) + '"'], ids=["plain", "quoted"])
def test_a_text_longer_than_a_block_is_no_level(csv_file: Callable[..., str], cell: str) -> None:
    with pytest.raises(CellError, match=r"line 42, column 't': .*too long .*--exclude t") as caught:
        fit(csv_file(f"x,t,y\n{ROWS}3,{cell},9\n"), target="y")
    assert len(str(caught.value)) < 500


def test_a_text_longer_than_a_block_in_a_column_that_is_not_used_does_no_harm(csv_file: Callable[..., str]) -> None:
    found = fit(csv_file(f"x,t,y\n{ROWS}3,{'q' * LENGTH},9\n"), target="y", features="x")
    assert found.rows.used == 41


def test_a_number_longer_than_a_block_is_a_number(csv_file: Callable[..., str]) -> None:
    rows = "".join(f"{i},{2 * i}\n" for i in range(9))
    found = fit(csv_file(f"x,y\n{rows}0.5{'0' * LENGTH},1\n"), target="y")
    assert found.coefficients[0].optimum == pytest.approx(2)


@pytest.mark.parametrize("cell", ["q" * LENGTH, "1" * LENGTH], ids=["text", "too many digits"])
def test_a_numeric_cell_longer_than_a_block_that_cannot_be_used_is_named_and_shortened(
    csv_file: Callable[..., str], cell: str
) -> None:
    with pytest.raises(CellError, match=r"line 42, column 'x'") as caught:
        fit(csv_file(f"x,t,y\n{ROWS}{cell},a,9\n"), target="y")
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("name", ["h" * LENGTH, "7" * LENGTH], ids=["text", "number"])
def test_a_name_longer_than_a_block_is_refused(csv_file: Callable[..., str], name: str) -> None:
    with pytest.raises(DataError, match=rf"of {LENGTH:,} characters, is too long .* which column 2 has") as caught:
        fit(csv_file(f"x,{name},y\n{ROWS}"), target="y")
    assert len(str(caught.value)) < 500


def test_long_names_are_shortened_where_they_are_listed() -> None:
    assert listed(["a" * 120, "b" * 121, "\n" * 200]) == f"{'a' * 120}, {'b' * 120}…, {chr(92) + 'n'}" + (
        r"\n" * 59 + "…"
    )
