"""The note on powers of a column that are nearly collinear: poly() fits the same curve in a few iterations."""

import numpy as np

from gdcli.base.names import quoted, shell_word
from gdcli.data.design import Design
from gdcli.data.expressions.nodes import Binary, Constant, Name, PolyTerm, text_of, ungrouped
from gdcli.engine.column import Column
from gdcli.engine.triangle import Triangle

# Two columns with this correlation have a condition number of 6 or more between them, three powers one in the hundreds.
_NEARLY = 0.95

_HIGHEST = 20


def note_of_powers(triangle: Triangle, design: Design) -> str:
    """The note on the first feature with a power that is nearly collinear with it or another; "" if there is none."""
    for base, powers in _powers(design).items():
        columns = [column for column in (Column(base), *map(Column, powers)) if column in triangle.columns]
        if len(columns) < 2 or columns[0] != Column(base):
            continue
        places = [1 + triangle.columns.index(column) for column in columns]
        centered = triangle.R[1:, places].astype(np.float64)
        norms = np.linalg.norm(centered, axis=0)
        with np.errstate(all="ignore"):
            correlations = np.abs(centered.T @ centered / np.outer(norms, norms))
        np.fill_diagonal(correlations, 0.0)
        i, j = np.unravel_index(np.argmax(np.nan_to_num(correlations)), correlations.shape)
        if correlations[i, j] > _NEARLY:
            one, other = sorted((int(i), int(j)))
            of = base if base in design.computed else text_of(Name(base))
            poly = shell_word(f"poly({of}, {max(powers.values())})")
            return (
                f"{quoted(columns[one].name)} and {quoted(columns[other].name)} are nearly collinear (correlation "
                f"{correlations[i, j]:.4f}), which slows the descent down: -x {poly} in their place fits the same "
                "curve in a few iterations"
            )
    return ""


def _powers(design: Design) -> dict[str, dict[str, int]]:
    """The names and exponents of the whole powers of each feature, by the feature."""
    found: dict[str, dict[str, int]] = {}
    for name in design.features:
        node = design.computed[name].numbers if name in design.computed else None
        if isinstance(node, Binary) and node.operator == "^" and isinstance(node.right, Constant):
            base, exponent = ungrouped(node.left), node.right.value
            key = base.column if isinstance(base, Name) else text_of(base)
            if 2 <= exponent <= _HIGHEST and exponent == int(exponent) and not isinstance(base, PolyTerm):
                found.setdefault(key, {})[name] = int(exponent)
    return found
