"""Computed terms in the files of models and summaries: texts and numbers, of which nothing is ever executed."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from gdcli.base.names import quoted
from gdcli.base.patterns import pattern
from gdcli.base.records import record, replace
from gdcli.base.schema import to_json
from gdcli.data.expressions.computed import Computed, computed_of, levels_of
from gdcli.data.expressions.nodes import Call, Name, PolyTerm
from gdcli.data.expressions.parser import ExpressionError, parse_expression
from gdcli.data.expressions.terms import Term, target_term, terms_in
from gdcli.engine.column import MISSING

# The text of a number as a level: what its shortest form in Python is.
NUMBER_TEXT = pattern(r"-?[0-9]{1,20}(\.[0-9]{1,20})?(e[+-][0-9]{1,3})?")


@record
class StoredPolynomial:
    """A term of ``poly()``: Σ coefficientsᵢ uⁱ with u = (x − center)/scale; without coefficients the power itself."""

    center: float
    scale: float
    coefficients: tuple[float, ...] = ()


@record
class StoredComputed:
    """A computed term in a file, and which of its columns hold text."""

    term: str
    text_columns: tuple[str, ...] = ()
    polynomial: StoredPolynomial | None = None


def computed_as_json(computed: Mapping[str, Computed]) -> dict[str, Any]:
    """The entry ``computed`` of a JSON file, with all computed terms; an empty dict if there are none."""
    found = []
    for name, term in computed.items():
        node, polynomial = term.numbers, None
        if isinstance(node, PolyTerm):
            polynomial = StoredPolynomial(node.center, node.scale, node.coefficients)
        found.append(to_json(StoredComputed(name, term.texts, polynomial)))
    return {"computed": found} if found else {}


def check_stored_levels(term: Computed, levels: Iterable[str]) -> None:
    """Raise ValueError for a level that the term cannot have: not one part per category, or a part that is no number
    where the category is one of numbers.
    """
    for level in levels:
        parts = levels_of(term, level)
        if level != MISSING and len(parts) != len(term.categories):
            raise ValueError(f"the level {quoted(level)} is none of {quoted(term.name)}")
        for node, part in zip(term.categories, parts, strict=False):
            numeric = isinstance(node, Call) and not (isinstance(node.of, Name) and node.of.column in term.texts)
            if numeric and level != MISSING and not NUMBER_TEXT.fullmatch(part):
                raise ValueError(f"the level {quoted(part)} of {quoted(term.name)} is no number")


def computed_from(stored: Iterable[StoredComputed]) -> dict[str, Computed]:
    """The computed terms of a file, by name. Raises ValueError."""
    return {one.term: _computed(one) for one in stored}


def _computed(stored: StoredComputed) -> Computed:
    found = _term(stored.term)
    term = computed_of(found, stored.text_columns)
    if found.plain is not None or set(term.texts) != set(stored.text_columns):
        raise ValueError(f"the computed term {quoted(stored.term)} does not fit its columns")
    node, polynomial = term.numbers, stored.polynomial
    if (polynomial is not None) != isinstance(node, PolyTerm):
        raise ValueError(f"the polynomial of {quoted(stored.term)} is not complete")
    if polynomial is None or not isinstance(node, PolyTerm):
        return term
    if polynomial.scale <= 0 or len(polynomial.coefficients) not in (0, node.degree + 1):
        raise ValueError(f"the polynomial of {quoted(stored.term)} does not fit its degree")
    placed = node._replace(center=polynomial.center, scale=polynomial.scale, coefficients=polynomial.coefficients)
    return replace(term, numbers=placed)


def _term(text: str) -> Term:
    """The one term that a text is the name of. Raises ValueError."""
    node = parse_expression(text)
    candidates = terms_in(node)
    with suppress(ExpressionError):
        candidates.append(target_term(node))  # where a*b is a number
    for found in candidates:
        if found.name == text:
            return found
    raise ValueError(f"{quoted(text)} is not the name of a term")
