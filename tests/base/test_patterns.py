"""Regular expressions that are compiled when they are first used."""

import re
import subprocess
import sys

import pytest

from gdcli.base.patterns import pattern


@pytest.mark.parametrize("method", ["match", "fullmatch", "search", "findall", "split"])
def test_a_pattern_finds_what_the_compiled_expression_finds(method: str) -> None:
    text, expression = "a1 b22 a3", r"(a)(\d+)"
    late, early = pattern(expression, re.IGNORECASE), re.compile(expression, re.IGNORECASE)
    for _ in range(2):
        found, wanted = getattr(late, method)(text), getattr(early, method)(text)
        assert repr(found) == repr(wanted)
    assert pattern(rb"\d").sub(b"x", b"a1") == b"ax"
    assert late.flags == early.flags


def test_a_pattern_is_compiled_once_and_not_before_it_is_used() -> None:
    code = (
        "import re; from gdcli.base.patterns import pattern; made = []; compiled = re.compile;"
        "re.compile = lambda *given: made.append(given) or compiled(*given);"
        "late = pattern('a+'); print(len(made)); [late.match('aa') for _ in range(3)]; print(len(made))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "0\n1\n"
