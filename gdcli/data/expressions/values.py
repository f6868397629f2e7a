"""The values of an expression for the rows of a table, NumPy's own in every block."""

from collections.abc import Mapping

import numpy as np

from gdcli.base.records import NamedTuple
from gdcli.data.expressions.functions import CATEGORIES, FUNCTIONS
from gdcli.data.expressions.nodes import (
    Binary,
    Call,
    Constant,
    Group,
    Name,
    Negative,
    Node,
    PolyTerm,
    columns_of,
    operands_of,
    text_of,
)
from gdcli.data.table import Coded
from gdcli.engine.arrays import Array


class TermFault(NamedTuple):
    """A row in which an expression has no value, although its columns have: the column to blame, and the reason."""

    row: int
    column: str
    reason: str


def values_of(node: Node, columns: Mapping[str, Array], rows: int) -> Array:
    """The values (n,) of an expression; not finite if a cell is missing or if it has no value, as log(−1)."""
    with np.errstate(all="ignore"):
        return _value(node, columns, rows)


def _value(node: Node, columns: Mapping[str, Array], rows: int) -> Array:
    match node:
        case Constant(value):
            return np.full(rows, value)
        case Name(column):
            return columns[column]
        case Group(of):
            return _value(of, columns, rows)
        case Negative(of):
            return -_value(of, columns, rows)
        case Call(function, of):
            return FUNCTIONS[function].value(_value(of, columns, rows))
        case PolyTerm(of, _, which, center, scale, coefficients):
            return _polynomial((_value(of, columns, rows) - center) / scale, which, coefficients)
        case Binary(operator, left, right):
            return _combined(operator, _value(left, columns, rows), right, columns, rows)
    raise AssertionError(text_of(node))


def _combined(operator: str, left: Array, right: Node, columns: Mapping[str, Array], rows: int) -> Array:
    if operator == "^" and right == Constant(2.0):
        return left * left
    other = _value(right, columns, rows)
    match operator:
        case "+":
            return left + other
        case "-":
            return left - other
        case "/":
            return left / other
        case "^":
            found: Array = np.power(left, other)
            return found
    return left * other  # the interaction of two numbers is their product


def _polynomial(u: Array, which: int, coefficients: tuple[float, ...]) -> Array:
    """Σ coefficientsᵢ uⁱ by Horner's rule; the power alone where the coefficients are not known yet."""
    if not coefficients:
        found = u
        for _ in range(which - 1):
            found = found * u
        return found
    found = np.full(len(u), coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        found = found * u + coefficient
    return found


def categories_of(node: Node, numbers: Mapping[str, Array], texts: Mapping[str, Coded], rows: int) -> Coded:
    """The categories of a column of text, or of ``C(…)``: the distinct numbers of an expression, as texts."""
    of = node.of if isinstance(node, Call) and node.function == CATEGORIES else node
    if isinstance(of, Name) and of.column in texts:
        return texts[of.column]
    values = values_of(of, numbers, rows)
    known = np.isfinite(values)
    found, places = np.unique(values[known], return_inverse=True)
    codes = np.full(rows, -1, dtype=np.intp)
    codes[known] = places
    return Coded(codes, tuple(_level(value) for value in found.tolist()))


def _level(value: float) -> str:
    return text_of(Constant(value)) if value >= 0 else f"-{text_of(Constant(-value))}"


def first_fault(node: Node, columns: Mapping[str, Array], values: Array) -> TermFault | None:
    """The first row in which an expression has no finite value although all its columns have; None if there is none."""
    if np.isfinite(values).all():
        return None
    names = columns_of(node)
    known = np.logical_and.reduce([np.isfinite(columns[name]) for name in names]) if names else np.bool_(True)
    faults = np.flatnonzero(~np.isfinite(values) & known)
    if not len(faults):
        return None
    row = int(faults[0])
    cells = {name: columns[name][row : row + 1] for name in names}
    inner = _innermost(node, cells)
    where = columns_of(inner) or names
    given = " and ".join(f"{cells[name][0]:.15g}" for name in where)
    return TermFault(row, where[0] if where else "", f"{text_of(inner)} has no value for {given}")


def _innermost(node: Node, cells: Mapping[str, Array]) -> Node:
    """The smallest part of an expression that has no value in a row."""
    for part in operands_of(node):
        if not np.isfinite(values_of(part, cells, 1)).all():
            return _innermost(part, cells)
    return node
