"""The parts of an expression, and their text, which is read again as the same expression."""

from collections.abc import Iterator

from gdcli.base.patterns import pattern
from gdcli.base.records import NamedTuple, record
from gdcli.engine.column import Column

# A name that needs no backquotes.
PLAIN_NAME = pattern(r"[^\W\d][\w.]*")

POLY = "poly"

# The feature that stands for all columns that have no other role.
ALL = "."

# How tightly the operators bind, as in R: the loosest first.
BINDS = {"+": 1, "-": 1, "*": 2, "/": 2, ":": 3, "^": 5}
NEGATIVE = 4


@record
class Constant:
    """A number."""

    value: float


@record
class Name:
    """A column."""

    column: str


@record
class Negative:
    """A minus sign before an expression."""

    of: "Node"


@record
class Binary:
    """An operator between two expressions: one of ``+ - * / ^``, or ``:`` for the interaction of two terms."""

    operator: str
    left: "Node"
    right: "Node"


@record
class Group:
    """An expression in parentheses."""

    of: "Node"


@record
class Call:
    """A function of an expression."""

    function: str
    of: "Node"


@record
class Powers:
    """``poly(of, degree)`` as it is written: one term for each degree."""

    of: "Node"
    degree: int


class PolyTerm(NamedTuple):
    """One term of ``poly(of, degree)``: Σ coefficientsᵢ uⁱ with u = (of − center)/scale."""

    of: "Node"
    degree: int
    which: int
    center: float = 0.0
    scale: float = 1.0
    coefficients: tuple[float, ...] = ()


Node = Constant | Name | Negative | Binary | Group | Call | Powers | PolyTerm


def text_of(node: Node) -> str:
    """The text of an expression, with blanks around ``+`` and ``-`` only."""
    match node:
        case Constant(value):
            return str(int(value)) if value < 1e15 and value == int(value) else repr(value)
        case Name(column):
            return column if PLAIN_NAME.fullmatch(column) else "`" + column.replace("`", "``") + "`"
        case Negative(of):
            return f"-{text_of(of)}"
        case Group(of):
            return f"({text_of(of)})"
        case Call(function, of):
            return f"{function}({text_of(of)})"
        case Powers(of, degree):
            return f"{POLY}({text_of(of)}, {degree})"
        case PolyTerm(of, degree, which):
            return Column(text_of(Powers(of, degree)), str(which)).label
        case Binary(operator, left, right):
            sign = f" {operator} " if operator in "+-" else operator
            return f"{text_of(left)}{sign}{text_of(right)}"


def operands_of(node: Node) -> tuple[Node, ...]:
    """The expressions directly inside a node; none for a number or a column."""
    match node:
        case Constant() | Name():
            return ()
        case Binary(_, left, right):
            return (left, right)
        case Negative(of) | Group(of) | Call(_, of) | Powers(of, _) | PolyTerm(of):
            return (of,)


def nodes_of(node: Node) -> Iterator[Node]:
    """Yield a node and all expressions inside it, at any depth."""
    yield node
    for part in operands_of(node):
        yield from nodes_of(part)


def columns_of(node: Node) -> tuple[str, ...]:
    """The columns of an expression, in the order in which they appear."""
    return tuple(dict.fromkeys(part.column for part in nodes_of(node) if isinstance(part, Name)))


def ungrouped(node: Node) -> Node:
    """An expression without the parentheses around it."""
    while isinstance(node, Group):
        node = node.of
    return node
