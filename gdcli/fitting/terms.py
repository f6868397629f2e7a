"""The design columns of a fit, chosen when all rows have been read."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.base.names import count_of, quoted
from gdcli.base.records import record
from gdcli.data.design import Design
from gdcli.data.expressions.computed import Computed, levels_of
from gdcli.data.expressions.nodes import Name, text_of
from gdcli.engine.column import Column, level_order
from gdcli.engine.triangle import Triangle

if TYPE_CHECKING:
    from gdcli.engine.mixing import Mixture

# Text columns that a note tells of one by one.
_MOST_TOLD = 3

# Characters of a level in that note.
_LONGEST_LEVEL = 40


@record
class Terms:
    """The design columns, the reference level of each text column, and the columns left out with their reasons.

    ``mixtures`` make the polynomials among them of the powers that rows are kept with.
    """

    columns: tuple[Column, ...]
    references: Mapping[str, str]
    left_out: Mapping[str, str]
    mixtures: "tuple[Mixture, ...]" = ()

    @property
    def levels(self) -> Mapping[str, Sequence[str]]:
        """The levels of each text column that is fitted, its reference level included."""
        found: dict[str, list[str]] = {}
        for name, level in self.columns:
            if level is not None:
                known = [self.references[name]] if name in self.references else []
                found.setdefault(name, known).append(level)
        return found


def categories(levels: Mapping[str, Sequence[str]], references: Mapping[str, str | None]) -> str:
    """The text of a note that names text columns with their levels and baselines; "" without any.

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


def tell_terms(
    design: Design,
    levels: Mapping[str, Sequence[str]],
    references: Mapping[str, str | None],
    left_out: Mapping[str, str],
    listener: Listener,
) -> None:
    """Note the design's text columns with their levels and baselines, and the columns left out with their reasons."""
    told = {name: found for name, found in levels.items() if name in references or name not in design.computed}
    if text := categories(told, references):
        listener.note(text)
    for name, reason in left_out.items():
        listener.note(f"left out {quoted(name)}: {reason}")


@record
class Coding:
    """How a term with categories is coded, as in R.

    ``compared`` are the places of those categories of the term that are compared with their first level. ``whole``: the
    term as a whole is compared with its first combination of levels.
    """

    term: Computed | None
    compared: tuple[int, ...]
    whole: bool

    def kept(self, levels: Sequence[str]) -> tuple[list[str], str | None]:
        """The levels, in order, that have a coefficient, and the baseline of a term compared as a whole (else None)."""
        if self.whole:
            return list(levels[1:]), levels[0]
        parts = {level: levels_of(self.term, level) for level in levels}
        first = {i: min((one[i] for one in parts.values()), key=level_order) for i in self.compared}
        return [level for level in levels if all(parts[level][i] != first[i] for i in self.compared)], None


def codings(design: Design, intercept: bool) -> dict[str, Coding]:
    """The coding of each feature with categories, by the feature's name.

    A category of a term is compared with its first level if the term without it is in the model too (for a category
    alone that is the intercept, or without one the first category of all). Otherwise it has all its levels, as in
    ``beds:type`` without ``beds``. If nothing is compared although the model has an intercept, the term as a whole is.
    """
    found: dict[str, Coding] = {}
    factors = {name: _factors(name, design) for name in design.features}
    present = {*factors.values(), *([frozenset[str]()] if intercept else [])}
    for name in design.features:
        if name not in design.text:
            continue
        term = design.computed.get(name)
        names = (name,) if term is None else term.factors
        categories = 1 if term is None else len(term.categories)
        compared = tuple(i for i in range(categories) if factors[name] - {names[i]} in present)
        alone = len(factors[name]) == categories
        found[name] = Coding(term, compared, alone and (categories == len(compared) == 1 or not compared))
        if alone and frozenset[str]() not in present:
            found[name] = Coding(term, compared, whole=False)
            present.add(frozenset[str]())
    return found


def compared_with_baseline(design: Design, intercept: bool) -> tuple[str, ...]:
    """The names of the features with categories that are compared as a whole with their first level."""
    return tuple(name for name, coding in codings(design, intercept).items() if coding.whole)


def has_compared_parts(design: Design, intercept: bool) -> bool:
    """Whether an interaction has no coefficient for the first level of one of its categories."""
    return any(coding.compared and not coding.whole for coding in codings(design, intercept).values())


def _factors(name: str, design: Design) -> frozenset[str]:
    return frozenset(design.computed[name].factors if name in design.computed else [text_of(Name(name))])


def terms_of(triangle: Triangle, design: Design, intercept: bool) -> Terms:
    """The design columns, chosen from the triangle of all rows."""
    constant = dict(zip(triangle.columns, triangle.constant.tolist(), strict=True))
    value = dict(zip(triangle.columns, triangle.minimum.tolist(), strict=True))
    known = dict(zip(triangle.columns, triangle.known.tolist(), strict=True))
    columns: list[Column] = []
    references: dict[str, str] = {}
    left_out: dict[str, str] = {}
    coded = codings(design, intercept)
    for name in design.features:
        if name in design.text:
            levels = [column.level or "" for column in triangle.columns if column.name == name]
            kept, baseline = coded[name].kept(levels)
            columns += [Column(name, level) for level in kept]
            if baseline is not None and kept:
                references[name] = baseline
            elif not kept:
                left_out[name] = f"it is {quoted(levels[0])} in every row"
        elif not known[Column(name)]:
            left_out[name] = "it has no value in any row"
        # Without an intercept a constant column does the work of one, unless it is zero.
        elif constant[Column(name)] and (intercept or value[Column(name)] == 0):
            left_out[name] = f"it is {value[Column(name)]:g} in every row"
        else:
            columns.append(Column(name))
    if not columns and not intercept:
        raise DataError("there is no feature left, and no intercept: nothing to fit")
    mixtures: tuple[Mixture, ...] = ()
    if design.computed:
        from gdcli.ingest.powers import mixtures_of

        mixtures = mixtures_of(design)
    return Terms(tuple(columns), references, left_out, mixtures)
