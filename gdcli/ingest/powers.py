"""The powers that a pass keeps for the terms of ``poly()``: which columns they are, and what they are relative to."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from gdcli.base.records import replace
from gdcli.data.design import Design
from gdcli.data.expressions.computed import Computed
from gdcli.data.expressions.nodes import PolyTerm, Powers, text_of
from gdcli.engine.column import Column
from gdcli.engine.triangle import Triangle

if TYPE_CHECKING:
    from gdcli.engine.mixing import Mixture


def powers_of(computed: Mapping[str, Computed]) -> dict[str, tuple[Column, ...]]:
    """The columns of each ``poly()`` among the computed terms, by its text as ``poly(x, 2)``; the first power first."""
    found: dict[str, dict[int, Column]] = {}
    for name, term in computed.items():
        node = term.numbers
        if isinstance(node, PolyTerm):
            found.setdefault(text_of(Powers(node.of, node.degree)), {})[node.which] = Column(name)
    return {name: tuple(columns[i] for i in sorted(columns)) for name, columns in found.items()}


def mixtures_of(design: Design) -> "tuple[Mixture, ...]":
    """The mixture of powers, one for each ``poly()`` of a design, that makes its orthogonal polynomials.

    A ``poly()`` whose coefficients are not known yet has none.
    """
    found = []
    for columns in powers_of(design.computed).values():
        nodes = [design.computed[column.name].numbers for column in columns]
        coefficients = [node.coefficients for node in nodes if isinstance(node, PolyTerm)]
        if all(coefficients):
            from gdcli.engine.mixing import Mixture

            found.append(Mixture(columns, np.array(coefficients)))
    return tuple(found)


def as_powers(term: Computed | None) -> Computed | None:
    """The term in a form that can be compared between tables: a ``poly()`` loses its origin, scale and coefficients,
    which depend on the table.

    Other terms, and None (a plain column), stay as they are.
    """
    if term is None or not isinstance(term.numbers, PolyTerm):
        return term
    return replace(term, numbers=term.numbers._replace(center=0.0, scale=1.0, coefficients=()))


def moved_to_origins(triangle: Triangle, theirs: Mapping[str, Computed], ours: Mapping[str, Computed]) -> Triangle:
    """The triangle with its powers, computed with the origins and scales in ``theirs``, moved to those in ``ours``."""
    from gdcli.engine.mixing import mixed_triangle, moved_powers

    for name, columns in powers_of(theirs).items():
        old, new = theirs[columns[0].name].numbers, (ours[columns[0].name].numbers if columns[0].name in ours else None)
        if not isinstance(old, PolyTerm) or not isinstance(new, PolyTerm):
            continue
        if (old.center, old.scale) != (new.center, new.scale) and name in powers_of(ours):
            offset, factor = (old.center - new.center) / new.scale, old.scale / new.scale
            triangle = mixed_triangle(triangle, moved_powers(columns, offset, factor))
    return triangle
