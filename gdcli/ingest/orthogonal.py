"""The terms of ``poly()`` of all rows: from the powers of the pass to polynomials that are orthogonal over the rows."""

from typing import TYPE_CHECKING

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.base.records import replace
from gdcli.data.expressions.nodes import PolyTerm
from gdcli.engine.triangle import Triangle, lanes_at, together
from gdcli.ingest.aggregate import Aggregate, Points
from gdcli.ingest.powers import powers_of
from gdcli.ingest.read import Dataset

if TYPE_CHECKING:
    from gdcli.engine.mixing import Mixture
    from gdcli.ingest.grouped import Grouped


def with_orthogonal(reading: Dataset) -> Dataset:
    """The dataset with each ``poly()`` made orthogonal in its triangles, and its coefficients in the design.

    Rows that are kept hold powers still. Raises DataError for a column with too few different values for its degree.
    """
    powers = powers_of(reading.design.computed)
    if not powers or not reading.reduced.complete:
        return reading
    from gdcli.engine.mixing import orthogonal

    computed, reduced = dict(reading.design.computed), reading.reduced
    whole = reading.fitted if reduced.grouped is None else _fitted(reading, reduced.grouped)
    for name, columns in powers.items():
        if not name.endswith(f" {len(columns)})"):
            raise DataError(f"{quoted(columns[0].name)} is a part of {quoted(name)}, which is fitted as a whole")
        mixture = orthogonal(whole, columns)
        if mixture is None:
            raise DataError(
                f"{quoted(reading.design.source)}: {quoted(name)} needs more than {len(columns)} different values, "
                "which its column does not have: give a lower degree"
            )
        reduced = _mixed(reduced, mixture)
        for column, coefficients in zip(columns, mixture.coefficients.tolist(), strict=True):
            term = computed[column.name]
            assert isinstance(term.numbers, PolyTerm)
            numbers = term.numbers._replace(coefficients=tuple(coefficients))
            computed[column.name] = replace(term, numbers=numbers)
    return replace(reading, reduced=reduced, design=replace(reading.design, computed=computed))


def _fitted(reading: Dataset, grouped: "Grouped") -> Triangle:
    """The rows of all groups, without those of a file that is held out."""
    step = 1 if reading.test is None else grouped.folds
    return together(lanes_at(grouped.triangle, range(0, len(grouped.triangle.count), step)))


def _mixed(reduced: Aggregate, mixture: "Mixture") -> Aggregate:
    from gdcli.engine.mixing import mixed_triangle

    def points(some: Points | None) -> Points | None:
        return None if some is None else replace(some, X=mixture.of_rows(some.X, some.columns))

    def fold(triangle: Triangle) -> Triangle:
        return mixed_triangle(triangle, mixture) if triangle.count else triangle

    grouped = reduced.grouped
    if grouped is not None:
        grouped = replace(grouped, triangle=mixed_triangle(grouped.triangle, mixture))
    return replace(
        reduced,
        folds=tuple(map(fold, reduced.folds)),
        grouped=grouped,
        head=points(reduced.head),
        points=points(reduced.points),
    )
