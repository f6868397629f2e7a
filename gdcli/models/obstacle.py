"""The obstacle to a prediction: the first unusable cell, its place, and the option that would read it."""

from collections.abc import Collection, Sequence

import numpy as np

from gdcli.base.errors import DataError
from gdcli.base.names import listed, quoted, shell_word
from gdcli.data.csv.options import CsvOptions
from gdcli.data.expressions.computed import Computed
from gdcli.data.expressions.values import first_fault
from gdcli.data.formats import OPTION_OF
from gdcli.data.judge import formats_for
from gdcli.data.table import Block, Table
from gdcli.models.model import Model


def first_obstacle(
    model: Model, block: Block, table: Table, also: Sequence[str] = (), classes: Collection[str] = ()
) -> str:
    """The message on the first cell of a block's first row that a prediction or a score cannot use; "" if it can.

    ``table`` is the parsed block. A score needs the columns ``also``, and a target that is one of ``classes`` unless
    there are none.
    """
    known = model.known_texts | ({model.target: classes} if classes else {})
    for name in (*model.columns, *model.features, *also):
        if name in table.text:
            column = table.text[name]
            level = None if column.codes[0] < 0 else column.levels[column.codes[0]]
            in_the_way = level is None or level not in known.get(name, [level])
        else:
            in_the_way = not np.isfinite(table.numeric[name][0])
        if in_the_way and name in model.computed:
            return f"{block.where(table.place(0))}: {_without_value(model.computed[name], table)}"
        if in_the_way:
            where = f"{block.where(table.place(0))}, column {quoted(name)}"
            return f"{where}: {_reason(name, block, model, known.get(name))}"
    return ""


def _without_value(term: Computed, table: Table) -> str:
    """Why a term has no value in the first row, although its columns have."""
    if term.numbers is not None and not np.isfinite(table.numeric[term.name][0]):
        fault = first_fault(term.numbers, table.numeric, table.numeric[term.name])
        return fault.reason if fault is not None and not fault.row else f"{quoted(term.name)} has no value"
    level = table.text[term.name].levels[table.text[term.name].codes[0]]
    return f"{quoted(term.name)} is {quoted(level)} there, which the model does not know"


def _reason(name: str, block: Block, model: Model, known: Collection[str] | None) -> str:
    missing = model.missing_words
    head = block.head()
    column = head.table([], [name], frozenset({""})).text[name]
    if column.codes[0] < 0:
        return "the cell is empty"
    cell = column.levels[column.codes[0]]
    if cell in missing:
        return f"{quoted(cell)} means a missing value"
    if spelling := model.dates.get(name):
        return f"{quoted(cell)} is no date as the model knows them here ({spelling})"
    if known is not None:
        return f"{quoted(cell)} is none of the texts that the model knows: {listed(sorted(known), 5)}"
    if (number := head.numbers.value(cell)) is not None:
        return f"{quoted(cell)} is {'infinite' if np.isinf(number) else 'what stands for a missing value'}"
    cells = [level for level in column.levels if level not in missing]
    ways = []
    for form in formats_for(cells, head.numbers, head.separator == ",") if head.separator else ():
        thousands = "" if form.thousands is None else f" --thousands {shell_word(form.thousands)}"
        ways.append(f"--decimal {shell_word(form.decimal)}{thousands} reads it as {form.value(cell):.12g}")
    return f"{quoted(cell)} is not a number{': ' if ways else ''}{', '.join(ways)}"


def refused(first: str, counts: str, csv: CsvOptions) -> DataError:
    """The error of a file without a usable row.

    ``first`` describes its first unusable cell, ``counts`` the rows that are unusable.
    """
    return reading_of_model(DataError(f"{first}; {counts}"), csv)


def reading_of_model(error: DataError, csv: CsvOptions) -> DataError:
    """The error with a line on the CSV options that came from the model; unchanged if none did."""
    said = [(OPTION_OF[name], getattr(csv, name)) for name in csv.inherited]
    if not said:
        return error
    words = " ".join(option if name is False else f"{option} {shell_word(str(name))}" for option, name in said)
    return type(error)(f"{error}\nThe model reads files with {words}, as it was fitted; options given here win.")
