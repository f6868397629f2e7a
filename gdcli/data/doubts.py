"""Doubts about columns of the first block: what is odd about a text, on which line, and what might read it."""

from collections.abc import Collection, Mapping, Sequence
from itertools import compress

import numpy as np

from gdcli.base.errors import CellError, DataError, NotNumericError
from gdcli.base.names import quoted, shell_word
from gdcli.base.records import record
from gdcli.data.cells import LONGEST_PASTED, too_many_levels
from gdcli.data.csv.exact import COMMENT_MARKS
from gdcli.data.csv.options import BLANKS
from gdcli.data.dates import ISO, iso_days, looks_dated, reader_of, spellings_of
from gdcli.data.judge import formats_for, odd_number, odd_numbers
from gdcli.data.name_lists import parts_of
from gdcli.data.proposals import DoubtError, OpenQuestion, Proposal, ProposalEffect
from gdcli.data.table import Block, Coded
from gdcli.engine.catalog import CLASS_LOSS
from gdcli.engine.column import level_order

# Texts of a column of numbers that may each be named as missing.
_MOST_MISSING = 3

# Rows in doubt that a trial sees.
_MOST_ROWS = 100

_QUOTES = "'`"

_COMMA = ","

# Texts of a target that may be classes.
_MOST_CLASSES = 5


@record
class TextColumn:
    """A column of a block, read as ``texts``; ``words`` mean a missing cell.

    A column with a ``role`` (target, weights column) has to be numbers and cannot be left out; "" for a feature.
    """

    name: str
    texts: Coded
    block: Block
    words: frozenset[str]
    role: str = ""

    @property
    def counts(self) -> list[int]:
        """The number of cells of each level."""
        codes = self.texts.codes
        counts: list[int] = np.bincount(codes[codes >= 0], minlength=len(self.texts.levels)).tolist()
        return counts

    @property
    def numbers(self) -> list[str]:
        """The levels that are numbers in the block's number format."""
        return list(compress(self.texts.levels, self.block.numbers.are_numbers(self.texts.levels)))

    def first(self, levels: Collection[str]) -> tuple[int, str]:
        """The index of the first row whose level is among ``levels``, and that level."""
        wanted = np.array([level in levels for level in self.texts.levels] + [False])
        row = int(np.argmax(wanted[self.texts.codes]))
        return row, self.texts.levels[int(self.texts.codes[row])]

    def rows(self, levels: Collection[str]) -> list[int]:
        """The first row of each of some ``levels``, as indices in rising order, ``_MOST_ROWS`` at most."""
        wanted = set(levels)
        codes = self.texts.codes
        found = np.flatnonzero(np.array([level in wanted for level in self.texts.levels] + [False])[codes])
        _, first = np.unique(codes[found], return_index=True)
        rows: list[int] = np.sort(found[first])[:_MOST_ROWS].tolist()
        return rows

    def place(self, level: str) -> str:
        """The line and the column of the first cell that holds a level, for a message."""
        return f"{self.line(level)}, column {quoted(self.name)}"

    def line(self, level: str) -> str:
        """The line of the first cell that holds a level, for a message."""
        if not self.block.skips:
            return self.block.where(int(np.argmax(self.texts.codes == self.texts.levels.index(level))))
        table = self.block.table([], [self.name], self.words)  # once more, for the rows that are skipped
        texts = table.text[self.name]
        return self.block.where(table.place(int(np.argmax(texts.codes == texts.levels.index(level)))))

    @property
    def as_text(self) -> tuple[Proposal, ...]:
        """The one proposal to read the column as text; empty if it has a role."""
        if self.role:
            return ()
        return (Proposal((("--categorical", self.name),), "if the column is text: {}", ProposalEffect.TEXT),)

    @property
    def left_out(self) -> tuple[Proposal, ...]:
        """The one proposal to leave the column out; empty if it has a role."""
        if self.role:
            return ()
        return (Proposal((("--exclude", self.name),), "{} leaves the column out", ProposalEffect.OMITS),)


def odd_cell(column: TextColumn) -> tuple[int, DoubtError] | None:
    """The row of the first cell that is not a number, and the doubt about it; None if all cells are numbers."""
    numbers = column.numbers
    present = {level for level, count in zip(column.texts.levels, column.counts, strict=True) if count}
    odd = present.difference(numbers)
    if not odd:
        return None
    row, cell = column.first(odd)
    reads = _as_numbers(column, cell, numbers)
    many = sum(count for level, count in zip(column.texts.levels, column.counts, strict=True) if level in odd)
    drops = [Proposal((("--on-bad-row", "skip"),), "{} leaves such rows out", ProposalEffect.DROPS)]
    # A number with signs around it, such as 5 %, is a value that is there.
    signs = any(odd_number(text, column.block.numbers) for text in odd)
    if len(odd) <= _MOST_MISSING and not signs and all(len(text) <= LONGEST_PASTED for text in odd):
        missing = Proposal(
            tuple(("--na", text) for text in sorted(odd)), "if it means a missing value: {}", ProposalEffect.DROPS
        )
        drops.insert(0 if many > len(odd) else 1, missing)
    reason = f"{column.place(cell)}: {quoted(cell)} is not a number"
    proposals = (*reads, *drops, *column.as_text, *column.left_out)
    about, rows = (column.name, cell), column.rows(odd)
    return row, DoubtError(about, reason, proposals, kind=NotNumericError, columns=[column.name], rows=rows)


def odd_texts(column: TextColumn) -> DoubtError | None:
    """The doubt about a text column most of whose cells look like numbers; None if they do not."""
    odd = odd_numbers(column.texts.levels, column.counts, column.block.numbers)
    if not odd:
        return None
    _, cell = column.first(odd)
    reads = _as_numbers(column, cell, [text for text in odd if odd_number(text, column.block.numbers) == ""])
    otherwise = "write plain numbers" if column.role else ""
    reason = f"{column.place(cell)}: {_oddity(cell, column.block)}"
    proposals = (*reads, *column.as_text, *column.left_out)
    about, rows = (column.name, cell), column.rows(odd)
    return DoubtError(about, reason, proposals, otherwise, columns=[column.name], rows=rows)


def _oddity(cell: str, block: Block) -> str:
    """What is odd about a cell that means a number."""
    around = odd_number(cell, block.numbers)
    if not around:
        written = " written in another way" if block.separator else ", but is a text"
        return f"{quoted(cell)} looks like a number{written}"
    return f"{quoted(cell)} looks like a number with signs around it ({around})"


def _as_numbers(column: TextColumn, cell: str, others: Sequence[str]) -> list[Proposal]:
    """Proposals that read a cell as a number, the likeliest first."""
    block = column.block
    found = []
    for form in formats_for([cell, *others], block.numbers, block.separator == _COMMA):
        options: list[tuple[str, str | None]] = []
        if form.decimal != block.numbers.decimal:
            options.append(("--decimal", form.decimal))
        if form.thousands != block.numbers.thousands:
            options.append(("--thousands", form.thousands))
        found.append(Proposal(tuple(options), f"{{}} reads it as {form.value(cell):.15g}"))
    if len(cell) > 1 and cell[0] == cell[-1] and cell[0] in _QUOTES:
        found.append(Proposal((("--quotechar", cell[0]),), f"{{}} reads it as {cell[1:-1]}"))
    return found


def is_iso(column: TextColumn) -> bool:
    """Whether all texts of a column are dates or times in ISO 8601."""
    return bool(column.texts.levels) and all(iso_days(level) is not None for level in column.texts.levels)


def odd_dates(column: TextColumn) -> DoubtError | None:
    """The doubt about a text column of dates, not all of them in ISO 8601; None if most texts look like none."""
    levels = column.texts.levels
    if not levels or not looks_dated(levels):
        return None
    iso = [level for level in levels if iso_days(level) is not None]
    if 2 * len(iso) > len(levels):
        return not_a_date(column, ISO)
    _, cell = column.first(levels)
    reads = [
        Proposal((("--date", f"{column.name}:{spelling}"),), f"{{}} reads it as {_day(spelling, cell)}")
        for spelling in spellings_of(levels)
    ]
    reason = f"{column.place(cell)}: {quoted(cell)} looks like a date or a time"
    otherwise = "give its format with --date COLUMN:FORMAT"
    proposals = (*reads, *column.as_text, *column.left_out)
    return DoubtError((column.name, "date"), reason, proposals, otherwise, columns=[column.name])


def not_a_date(column: TextColumn, spelling: str) -> DoubtError | None:
    """The doubt about the first text that is no date in the column's format ``spelling``; None if all are dates."""
    read = reader_of(spelling)
    odd = [level for level in column.texts.levels if read(level) is None]
    if not odd:
        return None
    _, cell = column.first(odd)
    reads = [
        Proposal((("--date", f"{column.name}:{other}"),), f"{{}} reads it as {_day(other, cell)}")
        for other in spellings_of(column.texts.levels)
        if other != spelling
    ]
    few = sorted(text for text in odd if len(text) <= LONGEST_PASTED)
    drops = Proposal(tuple(("--na", text) for text in few), "if it means a missing value: {}", ProposalEffect.DROPS)
    how = "in ISO 8601" if spelling == ISO else f"by the format {quoted(spelling)}"
    return DoubtError(
        (column.name, cell),
        f"{column.place(cell)}: {quoted(cell)} is no date {how}, like others of the column",
        (*reads, *([drops] if len(odd) <= _MOST_MISSING else []), *column.as_text, *column.left_out),
        columns=[column.name],
        rows=column.rows(odd),
    )


def _day(spelling: str, text: str) -> str:
    """What a text is by a spelling, as ISO 8601 without braces."""
    from datetime import datetime

    found = datetime.strptime(text, spelling)
    if found.year == 1900 and not any(part in spelling for part in ("%Y", "%y", "%G")):
        return found.strftime("%H:%M:%S")
    return found.date().isoformat() if found.time() == found.min.time() else found.isoformat(" ")


def many_levels(wide: Mapping[str, Sequence[str]], source: str, rows: int, most: int, whole: bool) -> DoubtError:
    """The doubt about text columns that are no categories: too many levels, or hardly two rows of each."""
    omits = Proposal(
        tuple(("--exclude", name) for name in wide), "{} leaves " + _them(wide) + " out", ProposalEffect.OMITS
    )
    allowed: list[tuple[str, str | None]] = []
    longest = max(map(len, wide.values()))
    if longest > most:
        allowed.append(("--max-levels", str(longest)))
    allowed += [("--categorical", name) for name, levels in wide.items() if 2 * len(levels) > rows]
    keeps = Proposal(tuple(allowed), "{} keeps " + _them(wide), ProposalEffect.TEXT)
    reason = too_many_levels(source, wide, rows)
    proposals = (omits, keeps) if whole else (omits,)
    return DoubtError(("levels", *wide), reason, proposals, "choose columns with --feature", columns=wide)


def _them(columns: Collection[str]) -> str:
    return "it" if len(columns) == 1 else "them"


def no_number(column: TextColumn, forced: bool) -> DataError:
    """The error of a target or weights column that is text. A target of few texts is advised the loss for classes.

    ``forced``: the user gave the column as --categorical.
    """
    if forced:
        return DataError(f"{quoted(column.name)} is the {column.role}, so it cannot be --categorical")
    levels = [level for level, count in zip(column.texts.levels, column.counts, strict=True) if count]
    odd = [level for level in levels if not column.block.numbers.is_number(level)] or levels
    _, cell = column.first(odd)
    proposals = []
    if column.role == "target" and 2 <= len(levels) <= _MOST_CLASSES:
        options: list[tuple[str, str | None]] = [("--loss", CLASS_LOSS)]
        event = max(levels, key=level_order)
        if len(levels) > 2:
            event = min(levels, key=level_order)
            options.append(("--event", event))
        against = " against the rest" if len(levels) > 2 else ""
        proposals.append(Proposal(tuple(options), f"{{}} fits the probability of {quoted(event)}{against}"))
    reason = f"{column.line(cell)}: the {column.role} {quoted(column.name)} is text (for example {quoted(cell)})"
    about = (column.name, "text")
    return DoubtError(about, reason, tuple(proposals), "it has to be numbers", columns=[column.name])


def odd_row(error: CellError, question: OpenQuestion) -> DoubtError:
    """The doubt about a row that is none of the table: a title, a comment, a footer, or a part of a broken line."""
    below = tuple(
        Proposal((("--skip-rows", str(line - 1)),), f"{{}} begins the table on line {line}")
        for line in question.block.header_lines(())
    )
    comments = tuple(
        Proposal((("--comment", mark),), "{} leaves out lines that begin so")
        for mark in COMMENT_MARKS
        if f"--comment {shell_word(mark)}" in error.advice
    )
    quotes = tuple(
        Proposal((("--quotechar", mark),), "{} keeps what it encloses in one cell")
        for mark in _QUOTES
        if not any(mark in name for name in question.names)
    )
    blanks = Proposal((("--sep", BLANKS),), "{} takes several blanks for one")
    squeezed = (blanks,) if question.block.separator == " " else ()
    drops = Proposal((("--on-bad-row", "skip"),), "{} leaves such rows out", ProposalEffect.DROPS)
    proposals = (*comments, *below, *quotes, *squeezed, drops)
    return DoubtError(("row", error.reason), error.reason, proposals, error.advice, kind=CellError)


def header_below(error: DataError, question: OpenQuestion) -> DataError:
    """The doubt of a header that lacks a column, if a line below it has them all; else the error as it is."""
    options = question.options
    given = (options.target, *options.features, *options.exclude, *options.categorical, *options.by, options.weights)
    wanted = [part for name in given if name is not None for part in parts_of(name)]
    proposals = tuple(
        Proposal((("--skip-rows", str(line - 1)),), f"{{}} begins the table on line {line}, which has it")
        for line in question.block.header_lines(wanted)
    )
    return DoubtError("header", str(error), proposals) if wanted and proposals else error
