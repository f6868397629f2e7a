"""Expressions of columns: Python's own arithmetic and calendar say what their values are."""

import json
import math
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import numpy as np
import pytest

from gdcli.data.expressions.computed import computed_of, joined_levels, split_level, with_computed
from gdcli.data.expressions.functions import FUNCTIONS
from gdcli.data.expressions.nodes import Name, text_of
from gdcli.data.expressions.parser import DEEPEST, ExpressionError, parse_expression
from gdcli.data.expressions.r_formula import parse_formula
from gdcli.data.expressions.stored import StoredComputed, StoredPolynomial, computed_from
from gdcli.data.expressions.terms import terms_in
from gdcli.data.expressions.values import values_of
from gdcli.data.table import Coded, Table

PLAIN = ("1 - 2 - x", "8/4/x", "-x^2", "2^-x", "2^3^x", "-x + 5", "x - -z", "x*-2", "-2*-z^2", "+x - +z")
X, Z = np.array([1.5, -2.0, 3.0]), np.array([2.0, 3.0, -1.0])


def drawn(draw: random.Random, depth: int) -> str:
    """A random expression of x and z, with parentheses here and there."""
    if not depth:
        return draw.choice(["x", "z", "2", "0.5", "3"])
    left, right = (drawn(draw, draw.randrange(depth)) for _ in range(2))
    text = draw.choice([f"{left} + {right}", f"{left} - {right}", f"{left}*{right}", f"{left}/{right}", f"-{left}"])
    powers = [f"({left})^2", f"{left}^2^1", f"2^-({right})", f"-{draw.choice('xz')}^2"]
    return draw.choice([text, text, f"({text})", draw.choice(powers)])


def test_an_expression_has_the_value_that_python_gives_it() -> None:
    draw = random.Random(4)
    for text in (*PLAIN, *(drawn(draw, 4) for _ in range(200))):
        node = parse_expression(text)
        found = values_of(node, {"x": X, "z": Z}, 3)
        with np.errstate(all="ignore"):
            expected = eval(text.replace("^", "**"), {"x": X, "z": Z}) + np.zeros(3)
        np.testing.assert_allclose(found, expected, rtol=1e-13, err_msg=text)
        assert values_of(parse_expression(text_of(node)), {"x": X, "z": Z}, 3).tolist() == pytest.approx(
            found.tolist(), nan_ok=True
        )


def test_what_stands_side_by_side_is_not_nested() -> None:
    many = " + ".join(["x"] * 2 * DEEPEST)
    assert values_of(parse_expression(many), {"x": np.ones(1)}, 1) == [2 * DEEPEST]
    deepest = "(" * (DEEPEST - 1) + "x" + ")" * (DEEPEST - 1)
    parse_expression(deepest)
    with pytest.raises(ExpressionError, match="nested"):
        parse_expression(f"({deepest})")


@pytest.mark.parametrize("name", ["x", "living area", "c`d", "`", "a``b", "é.1", "1st", "log(x)", "a:b", "\\"])
def test_the_text_of_a_name_is_read_as_that_name(name: str) -> None:
    assert parse_expression(text_of(Name(name))) == Name(name)


def test_an_interaction_has_at_most_six_factors() -> None:
    assert [term.name for term in terms_in(parse_expression("a:b:c:d:e:f"))] == ["a:b:c:d:e:f"]
    with pytest.raises(ExpressionError, match="at most 6 factors"):
        terms_in(parse_expression("a:b:c:d:e:f:g"))


def test_a_combination_of_levels_is_taken_apart_again() -> None:
    parts = ["".join(part) for size in range(4) for part in product(":\\a", repeat=size)]
    for one, other in product(parts, parts):
        assert split_level(joined_levels([one, other])) == (one, other)


def test_a_combination_lacks_what_one_of_its_categories_lacks() -> None:
    text = {"p": Coded(np.array([0, 1, -1, 0, -1]), ("a", "b")), "q": Coded(np.array([1, -1, 0, 0, -1]), ("c", "d"))}
    (term,) = terms_in(parse_expression("p:q"))
    found = with_computed(Table(5, {}, text), [computed_of(term, text)]).text["p:q"]
    assert [None if code < 0 else found.levels[code] for code in found.codes] == ["a:d", None, None, "a:c", None]


def test_a_term_is_missing_where_a_cell_is_and_infinite_where_it_has_no_value() -> None:
    (term,) = terms_in(parse_expression("log(x)"))
    table = Table(5, {"x": np.array([1.0, np.nan, 0.0, -1.0, np.inf])}, {})
    assert with_computed(table, [computed_of(term, ())]).numeric["log(x)"].tolist() == pytest.approx(
        [0.0, math.nan, math.inf, math.inf, math.inf], nan_ok=True
    )


def test_the_parts_of_a_time_are_those_of_the_calendar() -> None:
    draw, epoch = random.Random(3), datetime(1970, 1, 1, tzinfo=UTC)
    times = [epoch + timedelta(seconds=draw.randrange(-(10**10), 10**10)) for _ in range(500)]
    times += [epoch + timedelta(hours=hours) for hours in range(-200, 200)]  # hours are no exact parts of a day
    days = np.array([(time - epoch) / timedelta(days=1) for time in times])
    parts: dict[str, Callable[[datetime], int]] = {
        "year": lambda time: time.year,
        "month": lambda time: time.month,
        "weekday": lambda time: time.isoweekday(),
        "hour": lambda time: time.hour,
    }
    for name, part in parts.items():
        assert FUNCTIONS[name].value(days).tolist() == [part(time) for time in times], name


@pytest.mark.parametrize(
    ("right", "intercept"),
    [
        ("x", True),
        ("x + 0", False),
        ("0 + x", False),
        ("x - 1", False),
        ("x - 0", True),
        ("x + 1", True),
        ("x - 1 + 1", True),
    ],
)
def test_a_formula_has_an_intercept_unless_it_is_taken_away(right: str, intercept: bool) -> None:
    assert parse_formula(f"y ~ {right}").intercept is intercept


@pytest.mark.parametrize(
    ("right", "features"),
    [("a - (b - c)", ("a", "c")), ("a + b - b", ("a",)), ("a + -b + b", ("a", "b"))],
)
def test_what_is_taken_away_twice_is_there(right: str, features: tuple[str, ...]) -> None:
    assert parse_formula(f"y ~ {right}").features == features


def test_rows_without_a_value_are_named_by_their_lines_among_other_bad_rows(
    gdfit: Callable[..., Any], csv_file: Callable[..., str]
) -> None:
    path = csv_file("x,y\n1,1\n2,2,2\n0,3\n-1,4\n3,5\n4,7\n9,8\n")
    done = gdfit(path, "-t", "y", "-x", "log(x)", "--on-bad-row", "skip")
    assert done.code == 0
    assert "skipped 3 bad rows" in done.err
    for line, cell in ((4, 0), (5, -1)):
        assert f"line {line}, column 'x': log(x) has no value for {cell}" in done.err


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize(
    ("words", "row", "told"),
    [
        (("-x", "log(x)", "--weights", "w"), (3, 4, -2), "column 'w': a weight is not negative"),
        (("-x", "log(x)", "-x", "w", "--missing", "error"), (3, 4, None), "column 'w': the cell has no value"),
        (("-x", "log(x)", "-x", "w", "--categorical", "w"), (3, 4, "k" * 1001), "column 'w': 'kkk"),
    ],
    ids=["weight", "gap", "level"],
)
def test_a_row_is_named_by_its_line_behind_rows_that_are_skipped(
    gdfit: Callable[..., Any], csv_file: Callable[..., str], kind: str, words: tuple[str, ...], row: Any, told: str
) -> None:
    rows = [(1, 1, 1), ("oops", 2, 1), (0, 3, 1), (-1, 4, 1), (2, 7, 1), row, (5, 6, 1), (4, 9, 1), (7, 7, 1)]
    if kind == "csv":
        path = csv_file("x,y,w\n" + "".join(",".join("" if c is None else str(c) for c in one) + "\n" for one in rows))
    else:
        lines = [json.dumps(dict(zip("xyw", one, strict=True))) for one in rows]
        path = csv_file("\n".join(lines) + "\n", "data.jsonl")
    done = gdfit(path, "-t", "y", *words, "--on-bad-row", "skip")
    assert done.code == 1
    assert f"line {7 if kind == 'csv' else 6}, {told}" in done.err


@pytest.mark.parametrize(
    ("term", "polynomial"),
    [
        ("poly(x, 2)[1]", None),
        ("log(x)", StoredPolynomial(0.0, 1.0)),
        ("poly(x, 2)[1]", StoredPolynomial(0.0, 0.0)),
        ("poly(x, 2)[1]", StoredPolynomial(0.0, -1.0)),
        ("poly(x, 2)[1]", StoredPolynomial(0.0, 1.0, (1.0, 2.0))),
    ],
)
def test_a_stored_polynomial_that_does_not_fit_is_refused(term: str, polynomial: StoredPolynomial | None) -> None:
    assert computed_from([StoredComputed("poly(x, 2)[1]", (), StoredPolynomial(0.0, 1.0))])
    with pytest.raises(ValueError, match="polynomial"):
        computed_from([StoredComputed(term, (), polynomial)])
