"""The command line that a report offers is the user's own, with another rate."""

import shlex
import subprocess

import click
import pytest

from gdcli.base.names import shell_word
from gdcli.cli.command_line import parse, with_options
from gdcli.cli.commands.fit import command as fit

LR = {"learning_rate": ("--lr", "0.3")}
BOTH = {**LR, "iterations": ("-n", "50")}


@pytest.mark.parametrize(
    ("line", "changes", "expected"),
    [
        ("a.csv -t y", LR, "a.csv -t y --lr 0.3"),
        ("a.csv --lr 5 -t y", LR, "a.csv --lr 0.3 -t y"),
        ("a.csv --lr=5 -t y", LR, "a.csv --lr 0.3 -t y"),
        ("--lr 1 --lr 2 a.csv", LR, "--lr 0.3 a.csv"),
        ("fit a.csv -ty -n7", BOTH, "fit a.csv -t y -n 50 --lr 0.3"),
        ("a.csv --iterations=7", BOTH, "a.csv -n 50 --lr 0.3"),
        ("a.csv -qn7", BOTH, "a.csv -q -n 50 --lr 0.3"),
        ("a.csv -qn 7 --lr 9", BOTH, "a.csv -q -n 50 --lr 0.3"),
        ("-t y -- a.csv --lr 5", LR, "-t y --lr 0.3 -- a.csv --lr 5"),
        ("a.csv -x --lr --lr 5", LR, "a.csv -x --lr --lr 0.3"),
        ("a.csv -t --lr=5", LR, "a.csv -t --lr=5 --lr 0.3"),
        ("- -t y", LR, "- -t y --lr 0.3"),
        ("'my file.csv' -t 'the price' --strict", LR, "'my file.csv' -t 'the price' --strict --lr 0.3"),
    ],
)
def test_the_rate_is_replaced_or_added(line, changes, expected):
    assert with_options(shlex.split(line), fit, changes) == f"gdfit {expected}"


def test_words_are_cut_as_clicks_parser_cuts_them():
    options = [param for param in fit.params if isinstance(param, click.Option)]
    words = ["a.csv", "-qt", "y", "-n5", "--lr=1", "--tol", "-1", "--", "-x"]
    found = [(given.option.name if given.option else None, given.value) for given in parse(words, options)]
    assert found == [
        (None, None), ("quiet", None), ("target", "y"), ("iterations", "5"), ("learning_rate", "1"),
        ("tolerance", "-1"), (None, None),
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["a b", "", "it's", "a\nb", "\x1b[31m", "é\x07'\\", "$HOME", "\udcff\x01"])
def test_a_word_survives_the_shell_and_acts_on_no_terminal(word):
    quoted = shell_word(word)
    assert quoted.isprintable() or word.isprintable()
    done = subprocess.run(["bash", "-c", f"printf %s {quoted}"], capture_output=True, timeout=60)
    assert done.stdout == word.encode("utf-8", errors="surrogateescape")


def test_the_report_asks_for_more_iterations_only_where_there_are_too_few(program, points):
    few = program("points.csv", "-t", "y", "-n", "2", "--lr", "0.001").out
    assert "gdfit points.csv -t y -n " in few
    assert "gdfit points.csv -t y -n 2 " not in few


def test_a_word_is_quoted_where_the_standard_library_quotes_it():
    words = ["", *map(chr, range(0x20, 0x7F)), "é", "π", "²", "a b", "naïve.csv", "sales-2024.csv", "٣"]
    assert [shell_word(word) for word in words] == [shlex.quote(word) for word in words]
