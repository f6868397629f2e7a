"""The design columns of a fit, chosen when all rows have been read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gdcli.base.errors import DataError
from gdcli.base.names import count_of, quoted
from gdcli.data.design import Design
from gdcli.engine.column import Column
from gdcli.engine.triangle import Triangle

# Text columns that a note tells of one by one.
_MOST_TOLD = 3

# Characters of a level in that note.
_LONGEST_LEVEL = 40


@dataclass(frozen=True, slots=True)
class Terms:
    """The design columns, the reference level of each text column, and the columns left out with their reasons."""

    columns: tuple[Column, ...]
    references: Mapping[str, str]
    left_out: Mapping[str, str]

    @property
    def levels(self) -> Mapping[str, Sequence[str]]:
        """The levels of each text column that is fitted, its reference among them."""
        found: dict[str, list[str]] = {}
        for name, level in self.columns:
            if level is not None:
                known = [self.references[name]] if name in self.references else []
                found.setdefault(name, known).append(level)
        return found


def categories(levels: Mapping[str, Sequence[str]], references: Mapping[str, str | None]) -> str:
    """A note of the text columns with their levels and baselines, empty without any.

    The reference of a column is None if each group of rows has its own.
    """
    told = []
    for name, found in list(levels.items())[:_MOST_TOLD]:
        if name not in references:
            compared = "each with a coefficient of its own"
        elif (baseline := references[name]) is None:
            compared = "compared with the first of the group"
        else:
            compared = f"compared with {quoted(baseline, _LONGEST_LEVEL)}"
        told.append(f"{quoted(name)} is text: {count_of(len(found), 'level')}, {compared}")
    if len(levels) > _MOST_TOLD:
        told.append(f"and {count_of(len(levels) - _MOST_TOLD, 'text column')} more")
    return "; ".join(told)


def compared_with_baseline(design: Design, intercept: bool) -> tuple[str, ...]:
    """The text columns whose levels are compared with a baseline: without an intercept all but the first, as in R.

    All levels of the first take the place of the intercept. All levels of two would be collinear.
    """
    text = [name for name in design.features if name in design.text]
    return tuple(text if intercept else text[1:])


def terms_of(triangle: Triangle, design: Design, intercept: bool) -> Terms:
    """Choose the design columns from the triangle of all rows."""
    constant = dict(zip(triangle.columns, triangle.constant.tolist(), strict=True))
    value = dict(zip(triangle.columns, triangle.minimum.tolist(), strict=True))
    known = dict(zip(triangle.columns, triangle.known.tolist(), strict=True))
    columns: list[Column] = []
    references: dict[str, str] = {}
    left_out: dict[str, str] = {}
    compared = compared_with_baseline(design, intercept)
    for name in design.features:
        if name in design.text:
            levels = [column for column in triangle.columns if column.name == name]
            if name not in compared:
                columns += levels
            elif len(levels) < 2:
                left_out[name] = f"it is {quoted(levels[0].level or '')} in every row"
            else:
                references[name] = levels[0].level or ""
                columns += levels[1:]
        elif not known[Column(name)]:
            left_out[name] = "it has no value in any row"
        # Without an intercept a constant column does the work of one, unless it is zero.
        elif constant[Column(name)] and (intercept or value[Column(name)] == 0):
            left_out[name] = f"it is {value[Column(name)]:g} in every row"
        else:
            columns.append(Column(name))
    if not columns and not intercept:
        raise DataError("there is no feature left, and no intercept: nothing to fit")
    return Terms(tuple(columns), references, left_out)
