"""What is said of text columns: one note, with the number of levels and the baseline of each."""

from collections.abc import Callable

import pytest

from tests.conftest import Done

TABLE = "kind,place,size,y\n" + "".join(
    f"{'abc'[i % 3]},{'north' if i % 2 else 'south'},{'SML'[i // 2 % 3]},{i * i % 7}\n" for i in range(18)
)

Run = Callable[..., Done]


def told(done: Done) -> list[str]:
    return [line.removeprefix("note: ") for line in done.err.splitlines() if "text" in line]


@pytest.mark.parametrize("command", [(), ("sweep",), ("--cv", "3"), ("--l2", "0", "--l2", "1", "--cv", "2")])
def test_the_levels_and_the_baseline_of_a_text_column_are_told_once(
    gdfit: Run, csv_file: Callable[..., str], command: tuple[str, ...]
) -> None:
    words = (*command, csv_file(TABLE), "-t", "y", "-x", "kind", "-n", "20")
    assert told(gdfit(*words)) == ["'kind' is text: 3 levels, compared with 'a'"]
    assert told(gdfit(*words, "-q")) == []


def test_several_text_columns_share_a_line(gdfit: Run, csv_file: Callable[..., str]) -> None:
    header, *rows = TABLE.splitlines()
    path = csv_file(
        "\n".join([f"more,still,{header}", *(f"{'pq'[i % 2]},{'pq'[i // 9]},{row}" for i, row in enumerate(rows))])
    )
    first = "'more' is text: 2 levels, compared with 'p'; 'still' is text: 2 levels, compared with 'p'"
    third = "'kind' is text: 3 levels, compared with 'a'"
    assert told(gdfit(path, "-t", "y", "-n", "5")) == [f"{first}; {third}; and 2 text columns more"]


def test_the_first_text_column_of_a_fit_without_an_intercept_has_no_baseline(
    gdfit: Run, csv_file: Callable[..., str]
) -> None:
    done = gdfit(csv_file(TABLE), "-t", "y", "-x", "kind", "-x", "place", "--no-intercept", "-n", "5")
    first = "'kind' is text: 3 levels, each with a coefficient of its own"
    assert told(done) == [f"{first}; 'place' is text: 2 levels, compared with 'north'"]


def test_groups_share_a_baseline_or_have_their_own(gdfit: Run, csv_file: Callable[..., str]) -> None:
    rows = "".join(f"{g},{'xyz'[(i % 2) + (g == 'b')]},{i * i % 5}\n" for g in "ab" for i in range(6))
    own = gdfit(csv_file("g,kind,y\n" + rows), "-t", "y", "--by", "g")
    assert told(own) == ["'kind' is text: 3 levels, compared with the first of the group"]
    same = gdfit(csv_file("g,kind,y\n" + rows.replace("z", "x")), "-t", "y", "--by", "g")
    assert told(same) == ["'kind' is text: 2 levels, compared with 'x'"]
