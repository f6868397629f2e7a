r"""The grammar of expressions. A text becomes a tree of nodes; nothing is executed.

    sum      = product (("+" | "-") product)*
    product  = pair (("*" | "/") pair)*
    pair     = signed (":" signed)*                 interactions, as in R
    signed   = "-" signed | "+" signed | power
    power    = atom (("^" | "**") signed)?
    atom     = number | name | "`" name "`" | function "(" sum ")" | "poly(" sum "," degree ")" | "(" sum ")"

Python's own parser would read ``a + b^2`` as ``(a + b)^2``, has no ``:``, and changes some letters of names; so these
forty lines do without it.
"""

from gdcli.base.names import did_you_mean, quoted
from gdcli.base.patterns import pattern
from gdcli.base.records import NamedTuple
from gdcli.data.expressions.functions import CATEGORIES, FUNCTIONS, IDENTITY
from gdcli.data.expressions.nodes import (
    ALL,
    BINDS,
    NEGATIVE,
    POLY,
    Binary,
    Call,
    Constant,
    Group,
    Name,
    Negative,
    Node,
    PolyTerm,
    Powers,
)

# Characters of an expression, at most.
LONGEST = 1000

# Numbers, names and signs of an expression, at most.
_MOST_TOKENS = 300

# Parentheses within parentheses, signs before signs and powers of powers, at most.
DEEPEST = 40

# The degree of poly(), at most.
HIGHEST = 20

_TOKEN = pattern(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d][\w.]*)|`(?P<quoted>(?:[^`]|``)+)`"
    r"|(?P<sign>\*\*|[-+*/^:(),\[\]~.]))"
)


class ExpressionError(ValueError):
    """A text is no expression; says why."""


class _Token(NamedTuple):
    kind: str
    text: str


def parse_expression(text: str) -> Node:
    """The tree of an expression. Raises ExpressionError."""
    if len(text) > LONGEST:
        raise ExpressionError(f"it has more than {LONGEST:,} characters")
    reader = _Reader(_tokens(text))
    found = reader.expression(0)
    if reader.token.text or reader.token.kind != "end":
        raise ExpressionError(f"{quoted(reader.token.text)} is not expected there")
    return found


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(f"{quoted(text[at:].strip()[0])} has no meaning in it")
        kind = match.lastgroup or ""
        found.append(_Token(kind, match[kind]))
        at = match.end()
    if len(found) > _MOST_TOKENS:
        raise ExpressionError(f"it has more than {_MOST_TOKENS} parts")
    return found


class _Reader:
    """Reads tokens by the precedence of their operators."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    @property
    def token(self) -> _Token:
        """The next token."""
        return self._tokens[self._at] if self._at < len(self._tokens) else _Token("end", "")

    def expression(self, least: int) -> Node:
        """An expression whose operators bind more tightly than ``least``."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(f"it is nested more than {DEEPEST} deep")
        found = self._first()
        while self.token.kind == "sign":
            operator = "^" if self.token.text == "**" else self.token.text
            if BINDS.get(operator, 0) <= least:
                break
            self._at += 1
            # A power takes all that follows it, -2 in 10^-2 too; the others go from left to right.
            right = self.expression(NEGATIVE - 1 if operator == "^" else BINDS[operator])
            found = Binary(operator, found, right)
        self._depth -= 1
        return found

    def _first(self) -> Node:
        kind, text = self.token
        self._at += 1
        if kind == "number":
            value = float(text)
            if value > 1e300:
                raise ExpressionError(f"{text} is too large")
            return Constant(value)
        if kind == "quoted":
            return Name(text.replace("``", "`"))
        if kind == "name":
            return self._call(text) if self.token.text == "(" and self.token.kind == "sign" else Name(text)
        if kind == "sign" and text == ALL:
            return Name(ALL)
        if kind == "sign" and text == "(":
            found = self.expression(0)
            self._expect(")")
            return Group(found)
        if kind == "sign" and text in "+-":
            of = self.expression(NEGATIVE)
            return Negative(of) if text == "-" else of
        raise ExpressionError("it ends too early" if kind == "end" else f"{quoted(text)} is not expected there")

    def _call(self, function: str) -> Node:
        self._at += 1
        if function not in (*FUNCTIONS, CATEGORIES, IDENTITY, POLY):
            known = (*FUNCTIONS, CATEGORIES, POLY)
            raise ExpressionError(
                f"there is no function {quoted(function)}.{did_you_mean(function, known)} Functions: {', '.join(known)}"
            )
        of = self.expression(0)
        found: Node = Group(of) if function == IDENTITY else Call(function, of)
        if function == POLY:
            self._expect(",")
            found = Powers(of, self._natural(HIGHEST))
        self._expect(")")
        if isinstance(found, Powers) and self.token.text == "[":
            self._at += 1
            which = self._natural(found.degree)
            self._expect("]")
            return PolyTerm(found.of, found.degree, which)
        return found

    def _natural(self, most: int) -> int:
        kind, text = self.token
        if kind != "number" or not text.isdigit() or not 1 <= int(text) <= most:
            raise ExpressionError(f"a degree is a whole number from 1 to {most}: {POLY}(x, 2)")
        self._at += 1
        return int(text)

    def _expect(self, sign: str) -> None:
        if self.token.text != sign:
            raise ExpressionError(
                f"{quoted(sign)} is missing" + (f" before {quoted(self.token.text)}" if self.token.text else "")
            )
        self._at += 1
