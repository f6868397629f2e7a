"""Computed terms as text of another language, which is given by how it writes their parts."""

from collections.abc import Callable, Mapping, Sequence

from gdcli.base.records import record
from gdcli.data.expressions import nodes
from gdcli.data.expressions.computed import Computed, levels_of
from gdcli.data.expressions.functions import CATEGORIES
from gdcli.data.expressions.nodes import Node, columns_of, text_of

# Up to this exponent a power is written as a product.
_PRODUCTS = 4


@record
class TermWriter:
    """The functions that write the parts of a term in one language; each returns source text.

    ``literal(value)`` is a number. ``column(name)`` is a column's number, the language's missing value if the cell has
    none; ``operand(name)`` is the same to compute with. ``call(function, x)``, ``quotient(x, y)`` and ``power(x, y)``
    are missing values too where they are undefined. ``polynomial(u, coefficients)`` is Σ coefficientsᵢ uⁱ.
    ``by_text(column, choice, gap)`` is the text that ``choice`` has for the level in a column, ``gap`` (unless None)
    for a missing cell; ``by_number(x, choice)`` the one for a number. ``filled(columns, x, mean)`` is x, or ``mean`` if
    a cell of the columns is missing.
    """

    literal: Callable[[float], str]
    column: Callable[[str], str]
    operand: Callable[[str], str]
    call: Callable[[str, str], str]
    quotient: Callable[[str, str], str]
    power: Callable[[str, str], str]
    polynomial: Callable[[str, Sequence[float]], str]
    by_text: Callable[[str, Mapping[str, str], str | None], str]
    by_number: Callable[[str, Mapping[float, str]], str]
    filled: Callable[[Sequence[str], str, str], str]


def written_number(node: Node, write: TermWriter) -> str:
    """The source text of a numeric expression."""
    match node:
        case nodes.Constant(value):
            return write.literal(value)
        case nodes.Name(column):
            return write.operand(column)
        case nodes.Group(of):
            return written_number(of, write)
        case nodes.Negative(of):
            return f"({write.literal(-1.0)} * {written_number(of, write)})"
        case nodes.Call(function, of):
            return write.call(function, written_number(of, write))
        case nodes.PolyTerm(of, _, _, center, scale, coefficients):
            u = f"(({written_number(of, write)} - {_signed(center, write)}) / {write.literal(scale)})"
            return write.polynomial(u, coefficients)
        case nodes.Binary(operator, left, right):
            return _binary(operator, left, right, write)
    raise AssertionError(text_of(node))


def _signed(value: float, write: TermWriter) -> str:
    return write.literal(value) if value >= 0 else f"({write.literal(value)})"


def _binary(operator: str, left: Node, right: Node, write: TermWriter) -> str:
    first = written_number(left, write)
    if operator == "^" and isinstance(right, nodes.Constant) and right.value in range(1, _PRODUCTS + 1):
        return "(" + " * ".join([first] * int(right.value)) + ")"
    second = written_number(right, write)
    if operator == "/":
        return write.quotient(first, second)
    if operator == "^":
        return write.power(first, second)
    return f"({first} {'*' if operator == ':' else operator} {second})"


def written_effect(term: Computed, by_level: Mapping[str, float], missing: str | None, write: TermWriter) -> str:
    """The source text of what a term with categories adds: the number of its level, times its numbers if it has any.

    ``missing`` is the level of missing cells, None if they have no level.
    """
    entries = [(levels_of(term, level), write.literal(value)) for level, value in by_level.items() if level != missing]
    gap = None if missing is None else write.literal(by_level[missing])
    chosen = _chosen(term, term.categories, entries, gap, write)
    return chosen if term.numbers is None else f"({chosen} * {written_number(term.numbers, write)})"


def _chosen(
    term: Computed,
    categories: Sequence[Node],
    entries: Sequence[tuple[tuple[str, ...], str]],
    gap: str | None,
    write: TermWriter,
) -> str:
    """The text of the combination of levels: by the first category, and within it by the others."""
    node, *rest = categories
    within: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for levels, text in entries:
        within.setdefault(levels[0], []).append((levels[1:], text))
    choice = {level: _chosen(term, rest, found, gap, write) if rest else found[0][1] for level, found in within.items()}
    of = node.of if isinstance(node, nodes.Call) and node.function == CATEGORIES else node
    if isinstance(of, nodes.Name) and of.column in term.texts:
        return write.by_text(of.column, choice, gap)
    chosen = write.by_number(written_number(of, write), {float(level): text for level, text in choice.items()})
    return chosen if gap is None else write.filled(columns_of(of), chosen, gap)
