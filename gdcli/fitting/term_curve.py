"""The curve of a fit over the one column that all of its terms are computed from."""

from collections.abc import Sequence

import numpy as np

from gdcli.base.records import record
from gdcli.data.design import Design
from gdcli.data.expressions.functions import FUNCTIONS
from gdcli.data.expressions.nodes import Call, Name, Node, PolyTerm, columns_of
from gdcli.data.expressions.values import values_of
from gdcli.engine.arrays import Array
from gdcli.engine.column import Column

# Places of a curve: more are not seen.
_PLACES = 201

_MARGIN = 0.02


@record
class TermCurve:
    """The predictions ``lines`` (k, n) at values ``x`` (n,) of a ``column``; sampled ``points`` (m, 2) or None."""

    column: str
    x: Array
    lines: Array
    points: Array | None


@record
class CurveTerms:
    """The terms of a fit, each a function of one ``column``, whose values follow from the term at place ``known``."""

    column: str
    nodes: tuple[Node, ...]
    known: int

    def column_values(self, values: Array) -> Array:
        """The values of the column, computed back from the ``values`` of the known term."""
        node = self.nodes[self.known]
        with np.errstate(all="ignore"):
            if isinstance(node, PolyTerm):
                constant, slope = node.coefficients[:2]
                return node.center + node.scale * ((values - constant) / slope)
            if isinstance(node, Call) and (back := FUNCTIONS[node.function].back) is not None:
                return back(values)
            return values

    def curve(self, span: tuple[float, float], slopes: Array, intercepts: Array, points: Array | None) -> TermCurve:
        """The predictions of k iterations, with slopes (k, p) and intercepts (k,), over the terms' column.

        ``span`` is the range of the known term, a little more of which is covered. ``points`` (m, 2) are the known term
        and the target in sampled rows, or None.
        """
        low, high = self.column_values(np.array(span)).tolist()
        pad = _MARGIN * (high - low)
        x = np.linspace(low - pad, high + pad, _PLACES)
        X = np.column_stack([values_of(node, {self.column: x}, len(x)) for node in self.nodes])
        x, X = x[np.isfinite(X).all(axis=1)], X[np.isfinite(X).all(axis=1)]
        with np.errstate(all="ignore"):
            lines = slopes @ X.T + intercepts[:, np.newaxis]
        if points is not None:
            points = np.column_stack([self.column_values(points[:, 0]), points[:, 1]])
        return TermCurve(self.column, x, lines, points)


def curve_terms(design: Design, columns: Sequence[Column]) -> CurveTerms | None:
    """The terms at ``columns`` as functions of one numeric column; None if they are not, or are just that column."""
    nodes = [_node(column, design) for column in columns]
    known = [node for node in nodes if node is not None]
    within = {name for node in known for name in columns_of(node)}
    if len(known) < len(columns) or len(within) != 1 or all(isinstance(node, Name) for node in known):
        return None
    (column,) = within
    telling = [i for i, node in enumerate(known) if _tells(node)]
    if not telling or column in design.dates:
        return None
    return CurveTerms(column, tuple(known), telling[0])


def _node(column: Column, design: Design) -> Node | None:
    if column.level is not None:
        return None
    return design.computed[column.name].numbers if column.name in design.computed else Name(column.name)


def _tells(node: Node) -> bool:
    """Whether the values of a rising function of a column tell those of the column."""
    if isinstance(node, PolyTerm):
        return node.which == 1 and isinstance(node.of, Name) and bool(node.coefficients)
    if isinstance(node, Call):
        return isinstance(node.of, Name) and FUNCTIONS[node.function].back is not None
    return isinstance(node, Name)
