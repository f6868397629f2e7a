"""R's formulas, such as ``log(price) ~ log(sqft) + C(type)*beds - 1``: a target, features, and an intercept or none."""

from collections.abc import Iterable

from gdcli.base.errors import UsageError
from gdcli.base.names import quoted
from gdcli.base.patterns import pattern
from gdcli.base.records import NamedTuple, record
from gdcli.data.expressions.nodes import ALL, Binary, Constant, Group, Name, Negative, Node, columns_of, text_of
from gdcli.data.expressions.parser import ExpressionError, parse_expression
from gdcli.data.expressions.terms import Term, is_crossing, product_of, target_term, terms_in

# A tilde outside backquotes.
_TILDE = pattern(r"~(?=(?:[^`]*`[^`]*`)*[^`]*\Z)")


@record
class Formula:
    """The parts of an R formula. ``features`` are terms, or ``.`` for all columns other than those in ``exclude``."""

    target: str
    features: tuple[str, ...]
    exclude: tuple[str, ...]
    intercept: bool


def parse_formula(text: str) -> Formula:
    """The parts of an R formula such as ``y ~ a + b``. Raises UsageError if it is none."""
    sides = _TILDE.split(text)
    if len(sides) != 2 or not all(side.strip() for side in sides):
        raise UsageError(f"--formula is TARGET ~ TERMS, such as 'log(price) ~ log(sqft) + beds', not {quoted(text)}")
    try:
        target = target_term(parse_expression(sides[0]))
        return _formula(target, list(_summands(parse_expression(sides[1]), added=True)))
    except ExpressionError as error:
        raise UsageError(f"--formula {quoted(text)}: {error}") from None


class _Summand(NamedTuple):
    node: Node
    added: bool


def _summands(node: Node, added: bool) -> Iterable[_Summand]:
    """Yield what is added and what is taken away."""
    if isinstance(node, Binary) and node.operator in ("+", "-"):
        yield from _summands(node.left, added)
        yield from _summands(node.right, added == (node.operator == "+"))
    elif isinstance(node, Negative):
        yield from _summands(node.of, not added)
    elif isinstance(node, Group) and _is_sum(node.of):
        yield from _summands(node.of, added)
    else:
        yield _Summand(node, added)


def _formula(target: Term, summands: Iterable[_Summand]) -> Formula:
    terms: list[Term] = []
    exclude: list[str] = []
    intercept = True
    for node, added in summands:
        if isinstance(node, Constant) and node.value in (0.0, 1.0):
            intercept = added == (node.value == 1.0)
        elif added:
            terms += _terms(node)
        else:
            gone = _terms(node)
            terms = [term for term in terms if term not in gone]
            exclude += [term.plain for term in gone if term.plain is not None and _ALL_COLUMNS in terms]
    if not terms and not intercept:
        raise ExpressionError("there is neither a term nor an intercept in it: y ~ 1 fits the mean")
    if not terms:
        return Formula(target.plain or target.name, (), (_EVERY_COLUMN,), intercept)
    features = tuple(dict.fromkeys(ALL if term == _ALL_COLUMNS else term.name for term in terms))
    return Formula(target.plain or target.name, features, tuple(dict.fromkeys(exclude)), intercept)


_ALL_COLUMNS = Term((Name(ALL),))

# As a name with a star, which --exclude takes: the fit of y ~ 1 is of none.
_EVERY_COLUMN = "*"


def _terms(node: Node) -> list[Term]:
    """The terms of a summand: in a formula, sums within products are sums of terms."""
    if isinstance(node, Binary) and node.operator == ":":
        return [product_of(left, right) for left in _terms(node.left) for right in _terms(node.right)]
    if isinstance(node, Binary) and is_crossing(node):
        left, right = _terms(node.left), _terms(node.right)
        return [*left, *right, *(product_of(one, other) for one in left for other in right)]
    if isinstance(node, Group) and _is_sum(node.of):
        return [term for part in _summands(node.of, added=True) for term in _terms(part.node)]
    if isinstance(node, Binary) and node.operator == "/" and columns_of(node.left) and columns_of(node.right):
        raise ExpressionError(
            f"R reads {text_of(node)} as terms within terms: write I({text_of(node)}) for the quotient, or a + a:b"
        )
    if isinstance(node, Binary) and node.operator == "^" and isinstance(node.left, Group) and _is_sum(node.left.of):
        raise ExpressionError(
            f"R reads {text_of(node)} as interactions: write I({text_of(node)}) for the power, or a*b for a + b + a:b"
        )
    return terms_in(node)


def _is_sum(node: Node) -> bool:
    return isinstance(node, Binary) and (node.operator in "+-:" or is_crossing(node))
