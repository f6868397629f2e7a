"""Which terms a text means: ``a``, ``log(a)``, ``a:b``, ``a*b``, ``poly(a, 2)``."""

from collections.abc import Collection, Iterable, Sequence

from gdcli.base.errors import DataError
from gdcli.base.names import did_you_mean, listed, quoted
from gdcli.base.records import record
from gdcli.data.expressions.nodes import (
    PLAIN_NAME,
    Binary,
    Call,
    Group,
    Name,
    Node,
    PolyTerm,
    Powers,
    columns_of,
    nodes_of,
    text_of,
    ungrouped,
)

# Factors of an interaction, at most.
_MOST_FACTORS = 6


@record
class Term:
    """The product of its factors."""

    factors: tuple[Node, ...]

    @property
    def name(self) -> str:
        """The term's text, which parses to the same term."""
        return ":".join(map(text_of, self.factors))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the term is computed from."""
        return tuple(dict.fromkeys(name for node in self.factors for name in columns_of(node)))

    @property
    def plain(self) -> str | None:
        """The name of the column, if the term is a column as it is; None if it is computed."""
        node = self.factors[0]
        return node.column if len(self.factors) == 1 and isinstance(node, Name) else None


def terms_in(node: Node) -> list[Term]:
    """The terms that an expression stands for, none twice: ``a*b`` is three, a, b and a:b. Raises ExpressionError."""
    return list(dict.fromkeys(_terms(node)))


def _terms(node: Node) -> Iterable[Term]:
    if isinstance(node, Group) and isinstance(node.of, Binary) and node.of.operator == ":":
        return _terms(node.of)
    if isinstance(node, Binary) and node.operator == ":":
        return [product_of(left, right) for left in _terms(node.left) for right in _terms(node.right)]
    if is_crossing(node):
        assert isinstance(node, Binary)
        left, right = list(_terms(node.left)), list(_terms(node.right))
        return [*left, *right, *(product_of(one, other) for one in left for other in right)]
    if isinstance(node, Powers):
        _check_arithmetic(node.of)
        return [Term((PolyTerm(node.of, node.degree, which + 1),)) for which in range(node.degree)]
    return [Term((_factor(node),))]


def is_crossing(node: Node) -> bool:
    """Whether an expression is ``a*b`` as R means it: a product that has columns on both sides."""
    return (
        isinstance(node, Binary)
        and node.operator == "*"
        and bool(columns_of(node.left))
        and bool(columns_of(node.right))
    )


def product_of(left: Term, right: Term) -> Term:
    """The interaction of two terms. Raises ExpressionError."""
    from gdcli.data.expressions.parser import ExpressionError

    factors = tuple(dict.fromkeys([*left.factors, *right.factors]))
    if any(isinstance(factor, PolyTerm) for factor in factors):
        raise ExpressionError("poly() stands for itself: in an interaction write powers, as in x:z and x^2:z")
    if len(factors) > _MOST_FACTORS:
        raise ExpressionError(f"an interaction has at most {_MOST_FACTORS} factors")
    return Term(factors)


def _factor(node: Node) -> Node:
    from gdcli.data.expressions.functions import CATEGORIES

    inner = ungrouped(node)
    if isinstance(inner, PolyTerm):
        return inner
    if isinstance(inner, Call) and inner.function == CATEGORIES:
        _check_arithmetic(inner.of)
        return inner
    # a*b in parentheses is a number, without them more than one term.
    node = node if isinstance(inner, Binary) and is_crossing(inner) else inner
    _check_arithmetic(node)
    return node


def _check_arithmetic(node: Node) -> None:
    """Raise ExpressionError for what stands for terms, not for a number, within an expression."""
    from gdcli.data.expressions.functions import CATEGORIES
    from gdcli.data.expressions.parser import ExpressionError

    if not columns_of(node):
        raise ExpressionError("there is no column in it")
    for part in nodes_of(node):
        if isinstance(part, Binary) and part.operator == ":":
            raise ExpressionError(f"{text_of(part)} is a term of its own; the product of numbers is a*b")
        if isinstance(part, Powers | PolyTerm) or (isinstance(part, Call) and part.function == CATEGORIES):
            raise ExpressionError(f"{text_of(part)} stands for terms, not for a number to compute with")


def target_term(node: Node) -> Term:
    """The term that a target expression stands for. Raises ExpressionError if it is not one number per row."""
    node = ungrouped(node)
    _check_arithmetic(node)
    return Term((node,))


def read_terms(text: str, names: Sequence[str], source: str, target: bool = False) -> list[Term]:
    """The terms of a text such as ``log(a)*b``. A column with this very name goes first. Raises DataError.

    With ``target`` the text is one term.
    """
    if text in names:
        return [Term((Name(text),))]
    from gdcli.data.expressions.parser import ExpressionError, parse_expression

    try:
        node = parse_expression(text)
        found = [target_term(node)] if target else terms_in(node)
    except ExpressionError as error:
        raise DataError(_no_column(text, names, source, f", and it is no expression: {error}")) from None
    # A summary has terms among its columns.
    found = [Term((Name(term.name),)) if term.name in names else term for term in found]
    for term in found:
        for name in term.columns:
            if name not in names:
                raise DataError(_no_column_within(name, text, names, source))
    return found


def is_expression(text: str, names: Collection[str] | None = None) -> bool:
    """Whether a text is an expression, not just a column's name. With ``names`` only those are names of columns."""
    from gdcli.data.expressions.parser import ExpressionError, parse_expression

    try:
        node = parse_expression(text)
        return not isinstance(node, Name) and (names is None or all(name in names for name in columns_of(node)))
    except ExpressionError:
        return False


def seems_expression(text: str) -> bool:
    """Whether a text that is no column's name was meant as an expression."""
    return any(sign in text for sign in "()/^:+`") or is_expression(text)


def columns_in(text: str) -> tuple[str, ...]:
    """The names that a text may stand for: the text itself, then the columns in it if it is an expression."""
    from gdcli.data.expressions.parser import ExpressionError, parse_expression

    try:
        return (text, *columns_of(parse_expression(text)))
    except ExpressionError:
        return (text,)


def _no_column(text: str, names: Sequence[str], source: str, reason: str = "") -> str:
    hint = did_you_mean(text, names)
    if not reason or (hint and "(" not in text) or not seems_expression(text):
        return f"{quoted(source)} has no column {quoted(text)}.{hint} Columns: {listed(names, 20)}"
    signs = any(name in text and not PLAIN_NAME.fullmatch(name) for name in names)
    quotes = "; a name with blanks or signs stands in backquotes" if signs and "`" not in text else ""
    return f"{quoted(source)} has no column {quoted(text)}{reason}{quotes}"


def _no_column_within(name: str, text: str, names: Sequence[str], source: str) -> str:
    if text.strip() == name or ("(" not in text and did_you_mean(text, names)):
        return _no_column(text, names, source)
    hint = did_you_mean(name, names)
    return f"{quoted(source)} has no column {quoted(name)}, as in {quoted(text)}.{hint} Columns: {listed(names, 20)}"
