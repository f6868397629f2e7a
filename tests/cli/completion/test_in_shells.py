"""Completion in real shells: what stands on the line after a tab, as the shell itself reads it."""

import pytest


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("gdfit housing.csv --target p\t", ["gdfit", "housing.csv", "--target", "price"]),
        ("gdfit housing.csv --target=p\t", ["gdfit", "housing.csv", "--target=price"]),
        ("gdfit sweep housing.csv -t price -x b\t", ["gdfit", "sweep", "housing.csv", "-t", "price", "-x", "beds"]),
        ("gdfit -x sq\t housing.csv", ["gdfit", "-x", "sq", "housing.csv"]),
        ("gdfit housing.csv --weights pr\t", ["gdfit", "housing.csv", "--weights", "price"]),
        ("gdfit housing.csv --targ\t", ["gdfit", "housing.csv", "--target"]),
        ("gdfit housing.csv --format j\t", ["gdfit", "housing.csv", "--format", "json"]),
        ("gdfit hous\t", ["gdfit", "housing.csv"]),
        ("gdfit predict hous\t", ["gdfit", "predict", "housing.csv"]),
        ("gdfit swe\t", ["gdfit", "sweep"]),
        ("gdfit housing.csv --output=hous\t", ["gdfit", "housing.csv", "--output=housing.csv"]),
        ("gdfit odd\t", ["gdfit", "odd names.csv"]),
        ("gdfit umlauts.csv -t gr\t", ["gdfit", "umlauts.csv", "-t", "größe"]),
    ],
)
def test_a_tab_completes(shell, typed, words):
    assert shell.words_after(typed) == words


@pytest.mark.parametrize(
    ("begun", "name"),
    [
        ("it", "it's 5\" wide"), ("'a", "a b"), ('"a', "a b"), ("a", "a b"), ("x", "x=y"),
        ("'$", "$cost"), (r"a\ ", "a b"),
    ],
)  # fmt: skip
def test_names_that_need_quotes_get_them(shell, begun, name):
    assert shell.words_after(f"gdfit 'odd names.csv' --target {begun}\t") == [
        "gdfit",
        "odd names.csv",
        "--target",
        name,
    ]


def test_several_columns_are_listed(shell):
    shell.screen = ""
    shell.type("gdfit housing.csv -x \t\t")
    shell.wait_for(lambda: all(name in shell.screen for name in ("price", "sqft", "beds")))
    assert shell.words_after("\x15gdfit") == ["gdfit"]


@pytest.mark.parametrize("file", ["missing.csv", "sqft", "/dev/zero"])
def test_what_has_no_header_has_no_columns_and_no_error(shell, file):
    assert shell.words_after(f"gdfit {file} --target p\t") == ["gdfit", file, "--target", "p"]
    assert "Error" not in shell.screen
    assert "Traceback" not in shell.screen
