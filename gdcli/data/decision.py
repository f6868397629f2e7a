"""How each column is read, decided from the first block; what is doubtful is an error with advice that was tried."""

from collections.abc import Collection
from typing import Any

from gdcli.base.errors import DataError, UsageError
from gdcli.base.names import quoted
from gdcli.base.records import replace
from gdcli.data.columns import ColumnOptions, choose
from gdcli.data.design import Design
from gdcli.data.doubts import header_below
from gdcli.data.expressions.computed import check_kinds, computed_of
from gdcli.data.judging import judge_columns
from gdcli.data.memory import check_room
from gdcli.data.name_lists import with_names
from gdcli.data.proposals import DoubtError, OpenQuestion, advised
from gdcli.data.table import Block


def design(
    block: Block, names: tuple[str, ...], unnamed: Collection[str], source: str, options: ColumnOptions
) -> Design:
    """Decide from the first block how each column is read. Raises DataError with advice that was tried on it."""
    question = OpenQuestion(block, names, frozenset(unnamed), source, options)
    try:
        return _decided(question)
    except DoubtError as doubt:
        raise advised(question, doubt, _attempt) from None


def design_of_readable(question: OpenQuestion) -> tuple[Design | None, dict[str, str]]:
    """The design of the columns that can be read, None if there are none; and the error of each of the others.

    The question excludes columns, but names no features. Raises DataError for a doubt about the table.
    """
    asked, doubts = question, dict[str, DoubtError]()
    chosen: Design | None = None
    while chosen is None and not (asked.options.summary and set(asked.names) <= set(asked.options.exclude)):
        try:
            chosen = _decided(asked)
        except DoubtError as doubt:
            if not doubt.columns:
                raise advised(asked, doubt, _attempt) from None
            doubts |= dict.fromkeys(doubt.columns, doubt)
            options = asked.options
            lost: dict[str, Any] = {"target": None, "summary": True} if options.target in doubt.columns else {}
            lost |= {"weights": None} if options.weights in doubt.columns else {}
            asked = replace(asked, options=replace(options, exclude=(*options.exclude, *doubt.columns), **lost))
    beside = chosen.features[:1] if chosen is not None else ()
    return chosen, {name: _alone(question, name, doubt, beside) for name, doubt in doubts.items()}


def _alone(question: OpenQuestion, name: str, doubt: DoubtError, beside: Collection[str]) -> str:
    """The error of one column without the others, so that its advice need not mend those.

    It stands ``beside`` one that can be read, as a column of its own could not be left out.
    """
    options = question.options
    if name == options.weights:
        return str(doubt)
    target = name if name == options.target else None
    exclude = tuple(other for other in question.names if other != name and other not in beside)
    alone = replace(options, target=target, summary=target is None, weights=None, exclude=exclude)
    asked = replace(question, options=alone)
    if len(doubt.columns) > 1:
        try:
            _decided(asked)
        except DoubtError as own:
            doubt = own
    return str(advised(asked, doubt, _attempt))


def _attempt(question: OpenQuestion) -> float | DoubtError:
    """The share of the first block's rows that a design reads, or what stands in its way."""
    try:
        rows = _decided(question).rows(question.block)
    except DoubtError as doubt:
        return doubt
    return rows.count / max(rows.read + len(rows.skipped), 1)


def _decided(question: OpenQuestion) -> Design:
    """The design of a question. Raises DoubtError."""
    block, names, source = question.block, question.names, question.source
    try:
        options = with_names(question.options, names, source)
        chosen = choose(names, source, options)
    except UsageError:
        raise
    except DataError as error:
        raise header_below(error, question) from None
    features = chosen.features
    if options.summary and not features:
        raise DataError(f"{quoted(source)}: no column is left to summarize")
    question = replace(question, options=options)
    check_room(source, sum(name not in question.unnamed for name in features))
    judged = judge_columns(question, chosen.columns_of([*features, chosen.target, options.weights]))
    empty = _empty_columns(block, [name for name in features if name in question.unnamed], judged.words)
    computed = {name: computed_of(term, judged.text) for name, term in chosen.computed.items()}
    for term in computed.values():
        check_kinds(term, judged.text, judged.dates)
    found = Design(
        source=source,
        target=chosen.target,
        features=tuple(name for name in features if name not in empty),
        weights=options.weights,
        text=judged.text.union(name for name, term in computed.items() if term.categories) - empty,
        ignored=tuple(name for name in features if name in empty),
        missing_words=judged.words,
        missing=options.missing,
        max_levels=options.max_levels,
        by=tuple(dict.fromkeys(options.by)),
        named=bool(options.features),
        dates=judged.dates,
        dotted=judged.dotted,
        computed=computed,
        crossed=chosen.crossed,
    )
    return found.placed(block)


def _empty_columns(block: Block, names: list[str], words: frozenset[str]) -> frozenset[str]:
    if not names:
        return frozenset()
    table = block.table([], names, words)
    return frozenset(name for name, column in table.text.items() if not (column.codes >= 0).any())
