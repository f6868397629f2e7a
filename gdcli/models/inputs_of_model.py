"""The columns that a model reads, and the table of a block with the terms computed from them."""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from gdcli.data.expressions.computed import Computed

if TYPE_CHECKING:
    from gdcli.data.table import Block, Table


def input_columns(names: Iterable[str], computed: Mapping[str, Computed]) -> tuple[str, ...]:
    """The names of the input columns behind some terms (or a target), each once and in order.

    A computed name stands for the columns that it is computed from, any other for itself.
    """
    return tuple(dict.fromkeys(c for n in names for c in (computed[n].columns if n in computed else [n])))


def read_terms_of(
    block: "Block",
    names: Iterable[str],
    text: Collection[str],
    computed: Mapping[str, Computed],
    missing: frozenset[str],
    dates: Mapping[str, str],
) -> "Table":
    """The table of a block with the named terms, and with all columns that they are computed from.

    Columns in ``text`` are read as text, all others as numbers; computed terms are added.
    """
    from gdcli.data.expressions.computed import with_computed
    from gdcli.data.lenient import read_leniently

    names = dict.fromkeys(names)
    needed = {name: computed[name] for name in names if name in computed}
    texts = {column for term in needed.values() for column in term.texts}
    texts |= {name for name in text if name not in computed}
    columns = input_columns(names, computed)
    table = read_leniently(
        block, [name for name in columns if name not in texts], [n for n in columns if n in texts], missing, dates
    )
    return with_computed(table, needed.values()) if needed else table
