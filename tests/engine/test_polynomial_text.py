"""Polynomials as people write them, against NumPy's arithmetic."""

import numpy as np
import pytest

import gdcli
from gdcli.base.errors import UsageError
from gdcli.engine.polynomial_text import parse_polynomial

X = np.linspace(-2.5, 3.5, 13)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x^2 - 3x", X**2 - 3 * X),
        ("x**2-3*x", X**2 - 3 * X),
        ("x² − 3·x", X**2 - 3 * X),
        ("-x^4 + 2x^2", -(X**4) + 2 * X**2),
        ("(x-1)^2 (x+2)", (X - 1) ** 2 * (X + 2)),
        ("x(x + 1)/2", X * (X + 1) / 2),
        ("2(x)(3)", 6 * X),
        ("1e-3x^3 + .5", 1e-3 * X**3 + 0.5),
        ("+7", 7 + 0 * X),
        ("-(x - 2)", 2 - X),
        ("X¹⁰", X**10),
        ("x - x", 0 * X),
    ],
)
def test_a_polynomial_is_read_as_it_is_written(text, value):
    np.testing.assert_allclose(np.polynomial.Polynomial(parse_polynomial(text))(X), value, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ("x^2 - 3y", "at 'y', character 8", "the variable is x"),
        ("x^2 -", "at the end", "a number, x or ( is missing"),
        ("x^-1", "at '-', character 3", "an exponent is a whole number"),
        ("x^1.5", "at '1.5', character 3", "an exponent is a whole number"),
        ("1/x", "at '/', character 2", "divided by numbers"),
        ("1/0", "at '/', character 2", "divided by numbers"),
        ("(x + 1", "at the end", "a closing parenthesis is missing"),
        ("x + 1)", "at ')', character 6", "too many"),
        ("x^20 x^20", "at the end", "the degree is 30 at most"),
        ("sin(x)", "at 's', character 1", "the variable is x"),
        ("x = 3", "at '=', character 3", "a number, x or ( is missing"),
        ("(" * 60 + "x", "character 51", "nested too deeply"),
    ],
)
def test_a_fault_is_named_with_its_place(text, place, why):
    with pytest.raises(UsageError) as caught:
        parse_polynomial(text)
    assert place in str(caught.value)
    assert why in str(caught.value)


def test_the_curve_is_that_of_its_coefficients():
    assert str(gdcli.curve("x^2 - 3x")) == str(gdcli.curve((0, -3, 1)))


def test_the_command_takes_one_of_the_two(gdfit):
    given, same = gdfit("curve", "--f", "x^2 - 3x", "-n", "3"), gdfit("curve", "--poly", "0,-3,1", "-n", "3")
    assert given == same
    assert gdfit("curve").code == gdfit("curve", "--f", "x", "--poly", "0,1").code == 2
    refused = gdfit("curve", "--f", "x^2 - 3y")
    assert (refused.code, refused.out) == (2, "")
    assert "'x^2 - 3y': at 'y', character 8: the variable is x" in refused.err
