"""Terms computed from the columns of a table: numbers, categories, and the products of both."""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from gdcli.base.errors import CellError, DataError
from gdcli.base.names import quoted, shell_word
from gdcli.base.records import record, replace
from gdcli.data.expressions.nodes import Binary, Call, Name, Node, PolyTerm, columns_of, nodes_of, text_of
from gdcli.data.expressions.terms import Term
from gdcli.data.table import BadRow, Block, Coded, Table
from gdcli.engine.arrays import Array, NDArray

if TYPE_CHECKING:
    from gdcli.data.expressions.values import TermFault


@record
class Computed:
    """A term that is computed: the product of its ``numbers`` (None: 1) and the indicators of its ``categories``.

    ``factors`` are the names of all its factors, those of the categories first; ``texts`` the columns of text.
    """

    name: str
    numbers: Node | None
    categories: tuple[Node, ...] = ()
    factors: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The expressions whose product the term is: its numbers, if it has any, and its categories."""
        return self.categories if self.numbers is None else (self.numbers, *self.categories)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the term is computed from."""
        return tuple(dict.fromkeys(name for node in self.nodes for name in columns_of(node)))

    @property
    def is_polynomial(self) -> bool:
        """Whether the term is one of ``poly()``."""
        return isinstance(self.numbers, PolyTerm)


def computed_of(term: Term, text: Collection[str]) -> Computed:
    """The term split into numbers and categories. Its factors that are columns of ``text`` or C(…) are categories."""
    categories = tuple(node for node in term.factors if _is_category(node, text))
    numbers = [node for node in term.factors if node not in categories]
    product = None
    for node in numbers:
        product = node if product is None else Binary(":", product, node)
    texts = tuple(name for name in term.columns if name in text)
    return Computed(term.name, product, categories, tuple(map(text_of, [*categories, *numbers])), texts)


def _is_category(node: Node, text: Collection[str]) -> bool:
    from gdcli.data.expressions.functions import CATEGORIES

    return (isinstance(node, Call) and node.function == CATEGORIES) or (isinstance(node, Name) and node.column in text)


def check_kinds(term: Computed, text: Collection[str], dates: Collection[str]) -> None:
    """Raise DataError if a number is wanted of a column of text, or a part of a date of one without dates."""
    from gdcli.data.expressions.functions import FUNCTIONS

    of = [node.of for node in term.categories if isinstance(node, Call) and not isinstance(node.of, Name)]
    for node in of if term.numbers is None else [term.numbers, *of]:
        for column in columns_of(node):
            if column in text:
                raise DataError(f"{quoted(text_of(node))} takes numbers, and {quoted(column)} is text")
        for part in nodes_of(node):
            dated = isinstance(part, Call) and FUNCTIONS[part.function].of_dates
            if isinstance(part, Call) and dated and not (isinstance(part.of, Name) and part.of.column in dates):
                raise DataError(_no_date(part))


def _no_date(call: Call) -> str:
    name = text_of(call.of)
    advice = ""
    if isinstance(call.of, Name):
        advice = f"; dates in another spelling than 2016-01-15 are read with --date {shell_word(call.of.column)}:FORMAT"
    return f"{call.function}() takes a column of dates, which {quoted(name)} is not{advice}"


def with_computed(table: Table, terms: Iterable[Computed]) -> Table:
    """A table with computed terms as further columns: numbers, categories, or both under one name.

    A number is NaN if a cell is missing, and infinite if there is no such value.
    """
    from gdcli.data.expressions.values import categories_of, values_of

    numeric, text = dict(table.numeric), dict(table.text)
    for term in terms:
        if term.numbers is not None:
            values = values_of(term.numbers, table.numeric, table.rows)
            columns = [table.numeric[name] for name in columns_of(term.numbers)]
            lost = np.logical_or.reduce([~np.isfinite(column) for column in (values, *columns)])
            if lost.any():
                missing = np.logical_or.reduce([np.isnan(column) for column in columns])
                values = np.where(missing, np.nan, np.where(lost, np.inf, values))
            numeric[term.name] = values
        if term.categories:
            found = [categories_of(node, table.numeric, table.text, table.rows) for node in term.categories]
            text[term.name] = found[0] if len(found) == 1 else _combined_categories(found)
    return replace(table, numeric=numeric, text=text)


def _combined_categories(found: Iterable[Coded]) -> Coded:
    """Each row's combination of levels, −1 if one of them is missing."""
    codes, levels = np.zeros(0, dtype=np.intp), [""]
    for number, one in enumerate(found):
        own = one.codes.astype(np.intp)
        names = [joined_levels([level]) for level in one.levels]
        if not number:
            codes, levels = own, names
            continue
        codes = np.where((codes < 0) | (own < 0), -1, codes * len(names) + own)
        there = np.unique(codes[codes >= 0])
        levels = [f"{levels[i]}:{names[j]}" for i, j in zip(*divmod(there, max(len(names), 1)), strict=True)]
        codes = np.where(codes < 0, -1, np.searchsorted(there, codes))
    return Coded(codes, tuple(levels))


def joined_levels(levels: Iterable[str]) -> str:
    """The name of a combination of levels: the levels joined by colons. A colon within a level gets a backslash."""
    return ":".join(level.replace("\\", "\\\\").replace(":", "\\:") for level in levels)


def split_level(level: str) -> tuple[str, ...]:
    """The levels that ``joined_levels`` joined into one text."""
    parts, part, escaped = [], "", False
    for character in level:
        if not escaped and character == ":":
            parts.append(part)
            part = ""
        elif escaped or character != "\\":
            part += character
        escaped = character == "\\" and not escaped
    return (*parts, part)


def levels_of(term: Computed | None, level: str) -> tuple[str, ...]:
    """The level of each category of a term, from the term's joined level. A column (None) has one category."""
    return split_level(level) if term is not None and len(term.categories) > 1 else (level,)


def check_values(table: Table, terms: Iterable[Computed], block: Block) -> Table:
    """The table, without the rows in which a computed term has no finite value if bad rows are skipped.

    Raises CellError for the first such row otherwise.
    """
    from gdcli.data.expressions.functions import CATEGORIES
    from gdcli.data.expressions.values import values_of

    faults: dict[int, str] = {}
    for term in terms:
        for node in term.nodes:
            of = node.of if isinstance(node, Call) and node.function == CATEGORIES else node
            if isinstance(of, Name):
                continue
            for fault in _faults(of, table, values_of(of, table.numeric, table.rows)):
                faults.setdefault(fault.row, _place(table, block, fault))
                if not block.skips:
                    advice = "" if block.skips is None else "; --on-bad-row skip leaves such rows out"
                    raise CellError(faults[fault.row] + advice, faults[fault.row])
    if not faults:
        return table
    good = np.ones(table.rows, dtype=bool)
    good[list(faults)] = False
    bad = tuple(BadRow(table.place(row), reason) for row, reason in sorted(faults.items()))
    return _only(table, good, bad)


def _faults(node: Node, table: Table, values: Array) -> "Iterable[TermFault]":
    """Yield a fault for each row in which an expression has no value."""
    from gdcli.data.expressions.values import first_fault

    start = 0
    while start < table.rows:
        columns = {name: table.numeric[name][start:] for name in columns_of(node)}
        found = first_fault(node, columns, values[start:])
        if found is None:
            return
        yield found._replace(row=start + found.row)
        start += found.row + 1


def _place(table: Table, block: Block, fault: "TermFault") -> str:
    return f"{block.where(table.place(fault.row))}, column {quoted(fault.column)}: {fault.reason}"


def _only(table: Table, good: NDArray[np.bool_], bad: tuple[BadRow, ...]) -> Table:
    return replace(
        table,
        rows=int(np.count_nonzero(good)),
        numeric={name: values[good] for name, values in table.numeric.items()},
        text={name: Coded(found.codes[good], found.levels) for name, found in table.text.items()},
        skipped=(*table.skipped, *bad),
    )


def placed(term: Computed, block_numbers: Mapping[str, Array], rows: int) -> Computed:
    """The term with a centre and a scale for its ``poly()``; any other term unchanged.

    They are about the middle and half the range of the numbers in the first block, rounded so that similar tables
    get the same ones. ``block_numbers`` maps columns to numbers (n,) of that block, which has n = ``rows``.
    """
    from gdcli.data.expressions.values import values_of

    node = term.numbers
    if not isinstance(node, PolyTerm) or node.coefficients:
        return term
    values = values_of(node.of, block_numbers, rows)
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    half = (high - low) / 2 or max(abs(low), 1.0)
    scale = float(2.0 ** np.ceil(np.log2(half)))
    center = float(np.rint((low + high) / 2 / scale * 16)) * scale / 16
    return replace(term, numbers=node._replace(center=center, scale=scale))
