"""Words that stand where they do not belong are told where they do."""

import shlex

import pytest

from gdcli.cli.types import Assignment


@pytest.fixture
def houses(points):
    """A table of three columns."""
    path = points.with_name("houses.csv")
    path.write_text("price,sqft,no. of beds\n1,2,3\n2,4,4\n3,7,5\n5,8,8\n")
    return path


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("houses.csv -t price -x sqft 'no. of beds'", "is a column of 'houses.csv', no file: -x 'no. of beds'"),
        ("-t price -x sqft 'no. of beds' houses.csv", "-x 'no. of beds'"),
        ("houses.csv price", "'price' is a column of 'houses.csv', no file: -x price (-t price to predict it)"),
        ("sweep houses.csv -t price -x sqft price", "-x price"),
        ("summarize houses.csv sqft", "-x sqft"),
    ],
)  # fmt: skip
def test_a_column_among_the_files_is_told_its_option(program, houses, line, told):
    done = program(*shlex.split(line))
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith(f"{told}\n")


@pytest.mark.parametrize("line", ["houses.csv beds -t price", "beds -t price", "houses.csv . -t price"])
def test_other_names_are_files(program, houses, line):
    assert program(*line.split()).code == 1


def test_a_file_called_like_a_column_is_a_file(program, houses):
    houses.with_name("sqft").write_bytes(houses.read_bytes())
    assert program("houses.csv", "sqft", "-t", "price", "-q").code == 0


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("houses.csv -t price --target sqft", "--target"), ("houses.csv -tprice -t price", "--target"),
        ("houses.csv -t price -qn5 -n 5", "--iterations"), ("houses.csv -t price -o a -o b", "--output"),
        ("curve --poly 0,0,1 --start 1 --start=2", "--start"), ("export m.json --to sql --to sql", "--to"),
        ("houses.csv -t price --lr 1 --lr 2", "--lr"),
    ],
)  # fmt: skip
def test_an_option_of_one_value_is_given_once(program, houses, line, option):
    done = program(*shlex.split(line))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"Error: {option} is given 2 times")
    assert ("gdfit sweep" in done.err) == (option == "--lr")


def test_a_term_may_hold_an_equals_sign_of_its_own():
    assert Assignment().convert("kind[a=b]=2", None, None) == ("kind[a=b]", 2.0)


def test_flags_and_repeatable_options_may_be_repeated(program, houses):
    line = ["houses.csv", "-q", "-q", "-x", "sqft", "-x", "no. of beds", "-t", "price", "--", "-t"]
    done = program(*line)
    assert (done.code, done.err) == (1, "Error: cannot read '-t': no such file\n")


def test_without_a_target_the_usage_is_wrong_and_the_columns_are_listed(program, houses):
    done = program("houses.csv")
    assert (done.code, done.out) == (2, "")
    assert "price, sqft, no. of beds" in done.err


def test_choices_are_listed_on_one_line(program):
    done = program("export", "m.json")
    assert done.code == 2
    assert "\\t" not in done.err
    assert "Choose from: sql, " in done.err.splitlines()[-1]
