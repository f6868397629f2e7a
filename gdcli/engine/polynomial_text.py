"""Polynomials as people write them, such as ``x^2 - 3x``, read as coefficients.

sum      = ["+" | "-"] product (("+" | "-") product)*
product  = power (["*" | "/"] power)*          3x, 2(x - 1) and x(x + 1) are products too
power    = atom (("^" | "**") whole number)?
atom     = number | "x" | "(" sum ")"
"""

import re

from gdcli.base.errors import UsageError
from gdcli.base.patterns import pattern
from gdcli.base.records import NamedTuple

# The degree, at most, and parentheses within parentheses.
_HIGHEST, _DEEPEST = 30, 50

_TOKEN = pattern(r"\s*((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|\*\*|\S)")

_SAME = str.maketrans({"−": "-", "–": "-", "·": "*", "×": "*", "X": "x"})

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


class _Token(NamedTuple):
    text: str
    at: int


def parse_polynomial(text: str) -> tuple[float, ...]:
    """The coefficients of a polynomial in x, the lowest power first. Raises UsageError with the place of the fault."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        plain = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: "^" + found[0].translate(_RAISED), text).translate(_SAME)
        self._tokens = [_Token(found[1], found.start(1)) for found in _TOKEN.finditer(plain)]
        self._end = _Token("", len(plain.rstrip()))
        self._plain, self._depth = plain, 0

    def whole(self) -> tuple[float, ...]:
        if not self._tokens:
            raise UsageError("the curve is empty: give a polynomial in x, such as x^2 - 3x")
        found = self._sum()
        if self._tokens:
            raise self._fault("something is too many here")
        while len(found) > 1 and not found[-1]:
            found.pop()
        return tuple(found)

    def _sum(self) -> list[float]:
        sign = -1.0 if self._taken("-") else 1.0
        if sign > 0:
            self._taken("+")
        total = [sign * c for c in self._product()]
        while self._next.text in ("+", "-"):
            sign = 1.0 if self._take().text == "+" else -1.0
            total = _added(total, [sign * c for c in self._product()])
        return total

    def _product(self) -> list[float]:
        total = self._power()
        while self._next.text not in ("", "+", "-", ")"):
            if self._next.text == "/":
                at = self._take()
                divisor = self._power()
                if len(divisor) > 1 or not divisor[0]:
                    raise self._fault("a polynomial is divided by numbers other than 0 only", at)
                total = [c / divisor[0] for c in total]
            else:
                self._taken("*")
                total = self._times(total, self._power())
        return total

    def _power(self) -> list[float]:
        base = self._atom()
        if self._next.text not in ("^", "**"):
            return base
        self._take()
        exponent = self._next
        if not exponent.text.isdecimal() or int(exponent.text) > _HIGHEST:
            raise self._fault(f"an exponent is a whole number from 0 to {_HIGHEST}")
        self._take()
        total = [1.0]
        for _ in range(int(exponent.text)):
            total = self._times(total, base)
        return total

    def _atom(self) -> list[float]:
        token = self._next
        if token.text == "x":
            self._take()
            return [0.0, 1.0]
        if token.text == "(":
            self._take()
            self._depth += 1
            if self._depth > _DEEPEST:
                raise self._fault("the parentheses are nested too deeply", token)
            inside = self._sum()
            if not self._taken(")"):
                raise self._fault("a closing parenthesis is missing")
            self._depth -= 1
            return inside
        if token.text[:1].isdecimal() or (token.text[:1] == "." and len(token.text) > 1):
            self._take()
            return [float(token.text)]
        if token.text.isalpha():
            raise self._fault("the variable is x")
        raise self._fault("a number, x or ( is missing")

    def _times(self, left: list[float], right: list[float]) -> list[float]:
        if len(left) + len(right) - 2 > _HIGHEST:
            raise self._fault(f"the degree is {_HIGHEST} at most")
        product = [0.0] * (len(left) + len(right) - 1)
        for i, a in enumerate(left):
            for j, b in enumerate(right):
                product[i + j] += a * b
        return product

    @property
    def _next(self) -> _Token:
        return self._tokens[0] if self._tokens else self._end

    def _take(self) -> _Token:
        return self._tokens.pop(0)

    def _taken(self, text: str) -> bool:
        found = self._next.text == text
        if found:
            self._take()
        return found

    def _fault(self, why: str, token: _Token | None = None) -> UsageError:
        token = token or self._next
        where = f"at {token.text!r}, character {token.at + 1}" if token.text else "at the end"
        return UsageError(f"{self._text!r}: {where}: {why}; such as x^2 - 3x")


def _added(left: list[float], right: list[float]) -> list[float]:
    size = max(len(left), len(right))
    return [a + b for a, b in zip(left + [0.0] * (size - len(left)), right + [0.0] * (size - len(right)), strict=True)]
