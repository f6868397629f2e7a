"""How each column of the first block is read: as numbers, as dates, or as text; or what is doubtful about it."""

import re
from collections.abc import Collection, Iterable, Mapping

import numpy as np

from gdcli.base.errors import CellError
from gdcli.base.patterns import pattern
from gdcli.base.records import record
from gdcli.data.columns import missing_words, require
from gdcli.data.dates import ISO, parse_dates
from gdcli.data.doubts import (
    TextColumn,
    is_iso,
    many_levels,
    no_number,
    not_a_date,
    odd_cell,
    odd_dates,
    odd_row,
    odd_texts,
)
from gdcli.data.number_format import PLAIN_NUMBERS, NumberFormat
from gdcli.data.proposals import DoubtError, OpenQuestion
from gdcli.data.table import Block, Coded

_THOUSANDS = pattern(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+", re.ASCII)

# From so many rows on, a category has two rows per level.
_FEW_ROWS = 10


@record
class Judged:
    """The columns to read as ``text``, the format of each column of ``dates``, and all ``words`` for a missing cell.

    In ``dotted`` columns each dot may be a thousands separator.
    """

    text: frozenset[str]
    dates: Mapping[str, str]
    words: frozenset[str]
    dotted: tuple[str, ...] = ()


def judge_columns(question: OpenQuestion, names: Collection[str]) -> Judged:
    """The decision how to read the columns ``names``, by the first block. Raises DoubtError if one is doubtful."""
    block, options = question.block, question.options
    words = missing_words(options)
    given = parse_dates(options.dates, question.names)
    for name in given:
        require(name, question.names, question.source)
    given = {name: how for name, how in given.items() if name in names}
    forced = frozenset(options.categorical).intersection(names) - given.keys()
    roles = {options.target or "": "target", options.weights or "": "weights column"}

    def column(name: str, texts: Coded) -> TextColumn:
        return TextColumn(name, texts, block, words, roles.get(name, ""))

    try:
        texts, odd = _texts(block, [name for name in names if name not in given], forced, given, words)
    except CellError as error:
        raise (odd_row(error, question) if error.reason else error) from None
    _raise_first(odd_cell(column(name, found)) for name, found in odd.items())
    dates, categories = dict[str, str](), dict[str, TextColumn]()
    for name, found in texts.items():
        judged = column(name, found)
        if name in given:
            _raise(not_a_date(judged, given[name]))
            dates[name] = given[name]
        elif name in forced or (options.classes and name == options.target):
            categories[name] = judged
        elif is_iso(judged):
            dates[name] = ISO
        else:
            _raise(odd_dates(judged) or odd_texts(judged))
            categories[name] = judged
    for name, judged in categories.items():
        if judged.role and not (options.classes and name == options.target):
            raise no_number(judged, name in options.categorical)
    _check_levels(question, [one for one in categories.values() if not one.role])
    return Judged(frozenset(categories), dates, words, _dotted(question, names, words))


def _dotted(question: OpenQuestion, names: Collection[str], words: frozenset[str]) -> tuple[str, ...]:
    """The columns of a semicolon file with dots in numbers, each of them before three digits: 1.234, never 1.5."""
    block = question.block
    if block.separator != ";" or block.numbers != PLAIN_NUMBERS:
        return ()
    table = block.head().table([], names, words)
    dotted = {name: [level for level in found.levels if "." in level] for name, found in table.text.items()}
    return tuple(name for name, some in dotted.items() if len(some) > 1 and all(map(_THOUSANDS.fullmatch, some)))


def _raise(doubt: Exception | None) -> None:
    if doubt is not None:
        raise doubt


def _raise_first(doubts: "Iterable[tuple[int, DoubtError] | None]") -> None:
    """Raise the doubt about the first row; a trial has to see the rows of all."""
    found = sorted((doubt for doubt in doubts if doubt is not None), key=lambda one: one[0])
    if found:
        first = found[0][1]
        first.rows = tuple(row for _, doubt in found for row in doubt.rows)
        raise first


def _check_levels(question: OpenQuestion, columns: Iterable[TextColumn]) -> None:
    """Raise DoubtError for categories with too many levels, or with less than two rows for each."""
    most, named = question.options.max_levels, question.options.categorical
    wide: dict[str, list[str]] = {}
    rows = 0
    for column in columns:
        levels = [level for level, count in zip(column.texts.levels, column.counts, strict=True) if count]
        cells = sum(column.counts)
        if len(levels) > most or (cells >= _FEW_ROWS and 2 * len(levels) > cells and column.name not in named):
            wide[column.name], rows = levels, max(rows, cells)
    if wide:
        raise many_levels(wide, question.source, rows, most, question.block.whole)


def _texts(
    block: Block, free: Collection[str], forced: frozenset[str], dated: Collection[str], words: frozenset[str]
) -> tuple[dict[str, Coded], dict[str, Coded]]:
    """The text columns; and the number columns of which a cell is no number, as texts, to be judged.

    A number column is one with numbers in more than half of its cells that have a value.
    """
    free = [name for name in free if name not in forced]
    other = dict.fromkeys([*forced, *dated])
    # A look at the first rows usually settles it; the whole block is then read as what it seems to be.
    in_head = _text_among(block.head(), free, words) if free else frozenset()
    seems_text = [name for name in free if name in in_head]
    numbers, seen = [name for name in free if name not in in_head], [*seems_text, *other]
    suspects = block.suspects(numbers, seen, words)
    table = block.table([name for name in numbers if name not in suspects], [*suspects, *seen], words)
    numeric = {
        name: found for name, found in table.text.items() if name not in other and _mostly_numbers(found, block.numbers)
    }
    texts = {name: table.text[name] for name in [*free, *other] if name in table.text and name not in numeric}
    return texts, {} if block.skips else numeric


def _text_among(block: Block, names: Collection[str], words: frozenset[str]) -> frozenset[str]:
    table = block.table([], names, words)
    return frozenset(name for name, column in table.text.items() if not _mostly_numbers(column, block.numbers))


def _mostly_numbers(column: Coded, form: NumberFormat) -> bool:
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.levels))
    numbers = np.array(form.are_numbers(column.levels), dtype=bool)
    return 2 * int(counts[numbers].sum()) > int(counts.sum()) or not counts.sum()
