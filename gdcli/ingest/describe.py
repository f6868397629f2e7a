"""Descriptions of tables: what a fit would make of each column, in one pass, judged by the code that a fit uses."""

from collections.abc import Generator, Sequence
from contextlib import closing

from gdcli.base.errors import DataError, UsageError
from gdcli.base.listener import Listener
from gdcli.base.names import quoted
from gdcli.base.parallel import merge_all, ordered_map
from gdcli.base.records import record, replace
from gdcli.data.columns import ColumnOptions, choose, require
from gdcli.data.decision import design_of_readable
from gdcli.data.design import Design
from gdcli.data.name_lists import with_names
from gdcli.data.proposals import OpenQuestion
from gdcli.data.source import Source
from gdcli.data.table import Block
from gdcli.ingest.description import ColumnDescription, Description
from gdcli.ingest.figures import Described, Figures, are_mostly_numbers, described_block, merged_blocks
from gdcli.ingest.inputs import Inputs, name_of_input
from gdcli.ingest.read import InputData, ReadOptions, open_source
from gdcli.ingest.sizes import size_fault
from gdcli.ingest.summary import Summary
from gdcli.ingest.summary_figures import described_summary


def run_describe(
    data: Sequence[InputData], columns: ColumnOptions, options: ReadOptions, listener: Listener | None = None
) -> Description:
    """The description of each column, by one pass over the data. Raises DataError, UsageError.

    Columns have the roles of a fit if ``columns`` names a target, else those of a summary.
    """
    if not data:
        raise UsageError("there is nothing to read: give a path, or a list of them that is not empty")
    listener = listener or Listener()
    columns = replace(columns, summary=columns.target is None)
    plan: list[_Judged] = []
    with closing(_blocks(data, options, listener)) as blocks:
        found = merge_all(ordered_map(_described, _judged(blocks, columns, plan), options.jobs), merged_blocks)
    if found is None or not plan:
        raise DataError(f"{quoted(name_of_input(data[0]))} has a header but no rows")
    return plan[0].description(tuple(map(name_of_input, data)), found)


def _blocks(
    data: Sequence[InputData], options: ReadOptions, listener: Listener
) -> Generator[tuple[Source, Block], None, None]:
    inputs = Inputs(listener)
    for item in data:
        source = open_source(item, options, listener, inputs)
        with closing(source.blocks()) as blocks:
            for block in blocks:
                listener.reading(*source.progress())
                yield source, block


@record
class _Judged:
    """What the first block said: the names of all columns, the design of those that can be read, and the doubts.

    ``doubtful`` are the columns in doubt that a fit would refuse; most of one's texts are numbers if its value is True.
    """

    names: tuple[str, ...]
    roles: dict[str, str]
    design: Design
    doubts: dict[str, str]
    target: str | None
    named: bool
    doubtful: dict[str, bool]

    def description(self, files: tuple[str, ...], found: Described) -> Description:
        """The description, given all figures."""
        columns = tuple(self._column(name, found.columns.get(name, Figures())) for name in self.names)
        return Description(files, self.target, found.read, found.complete, found.skipped, columns, self.named)

    def _column(self, name: str, figures: Figures) -> ColumnDescription:
        doubt = self.doubts.get(name, "") or (figures.place if figures.odd else "")
        kind = "number"
        if name in self.doubts:
            kind = "doubtful"
        elif name in self.design.dates:
            kind = "date"
        elif name in self.design.text:
            kind = "category"
        role = self.roles.get(name, "left out")
        if role == "left out":
            return ColumnDescription(name, role, "", figures)
        if kind == "number" and not doubt and figures.count:
            doubt = size_fault(name, max(abs(figures.minimum), abs(figures.maximum)))
        return ColumnDescription(name, role, kind, figures, doubt, self.design.dates.get(name))


def _judged(
    blocks: Generator[tuple[Source, Block], None, None], columns: ColumnOptions, plan: "list[_Judged]"
) -> "Generator[tuple[Block, _Judged], None, None]":
    """Yield the blocks, each with what the first one said, which is put into ``plan``."""
    for source, block in blocks:
        if not plan:
            plan.append(_judge(source, block, columns))
        for name in plan[0].names:
            require(name, source.names, source.name)
        yield block, plan[0]


def _judge(source: Source, block: Block, columns: ColumnOptions) -> _Judged:
    summary: Summary | None = block.summary
    names = source.names
    meant = with_names(columns, names, source.name)
    picked = choose(names if columns.weights is None else (*names, columns.weights), source.name, meant)
    # Of terms that are computed the columns are described.
    features = picked.columns_of(picked.features)
    target = next(iter(picked.columns_of([picked.target])), None)
    meant = replace(meant, target=target)
    roles = dict.fromkeys(features, "feature" if target is not None else "column")
    roles |= {name: "target" for name in (target,) if name is not None}
    roles |= {name: "weights" for name in (columns.weights,) if name is not None}
    doubts: dict[str, str] = {}
    if summary is not None:
        chosen: Design | None = summary.design(columns)
    else:
        left_out = tuple(name for name in names if name not in roles)
        asked = replace(meant, features=(), exclude=left_out)
        question = OpenQuestion(block, names, frozenset(source.unnamed), source.name, asked)
        chosen, doubts = design_of_readable(question)
    if chosen is None:
        chosen = Design(source.name, None, (), None, frozenset(), (), frozenset({""}), meant.missing, meant.max_levels)
    roles = {name: role for name, role in roles.items() if name not in chosen.ignored}
    texts = block.table([], list(doubts), chosen.missing_words).text if doubts else {}
    doubtful = {name: are_mostly_numbers(texts[name], block) for name in doubts}
    return _Judged(tuple(dict.fromkeys(names)), roles, chosen, doubts, target, bool(columns.features), doubtful)


def _described(part: tuple[Block, _Judged]) -> Described:
    block, judged = part
    summary: Summary | None = block.summary
    if summary is not None:
        return described_summary(summary, judged.design)
    return described_block(block, judged.design, judged.doubtful)
