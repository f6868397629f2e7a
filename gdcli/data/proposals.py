"""Proposals: options that would read a table which is refused, each tried on its first block before it is worded."""

from collections.abc import Callable, Collection, Sequence
from enum import Enum, auto
from typing import Any

from gdcli.base.errors import DataError, GdfitError
from gdcli.base.names import shell_word
from gdcli.base.records import record, replace
from gdcli.data.columns import ColumnOptions
from gdcli.data.table import Block

# Proposals of a kind that are named; what a table needs in all; and the trials that a message is worth.
_NAMED = 3

_LONGEST = 40

_TRIALS = 120

# Rows of a longer block, beside those in doubt, that each trial reads: 0.1 s.
_TRIAL_ROWS = 10_000

# Characters of a value that a message shows whole.
_LONGEST_VALUE = 120

# The share of the rows that has to stay.
_LEAST_KEPT = 0.5

_REPEATABLE = {"--na": "na", "--exclude": "exclude", "--categorical": "categorical", "--date": "dates"}

_CSV = {
    "--sep": "separator",
    "--decimal": "decimal",
    "--thousands": "thousands",
    "--quotechar": "quotechar",
    "--comment": "comment",
    "--on-bad-row": "on_bad_row",
}


class ProposalEffect(Enum):
    """What a proposal does with the cells in doubt: reads them, leaves out their rows, keeps them as text, or leaves
    out their column.
    """

    READS = auto()
    DROPS = auto()
    TEXT = auto()
    OMITS = auto()


@record
class Proposal:
    """Options to add to a command line, and their ``meaning``, a sentence in which {} stands for them.

    An option is a (flag, value); the value None means that the flag is to be removed.
    """

    options: tuple[tuple[str, str | None], ...]
    meaning: str
    effect: ProposalEffect = ProposalEffect.READS

    def __str__(self) -> str:
        words = " ".join(
            f"without {flag}" if value is None else f"{flag} {shell_word(value)}" for flag, value in self.options
        )
        return self.meaning.replace("{}", words, 1)

    @property
    def can_be_pasted(self) -> bool:
        """Whether a message shows the options as they are: whole and printable."""
        return all(
            value is None or flag == "--thousands" or (value.isprintable() and len(value) <= _LONGEST_VALUE)
            for flag, value in self.options
        )

    @property
    def drops(self) -> bool:
        """Whether the proposal leaves rows out: it gives --na or --on-bad-row."""
        return any(flag in ("--na", "--on-bad-row") for flag, _ in self.options)

    def same_as(self, other: "Proposal") -> bool:
        """Whether both proposals give the same flags, perhaps with other values."""
        return {flag for flag, _ in self.options} == {flag for flag, _ in other.options}

    def with_options_of(self, other: "Proposal") -> "Proposal | None":
        """This proposal with the options of another one added; None if the two contradict each other."""
        ours = {flag for flag, _ in self.options}
        added = tuple(option for option in other.options if option not in self.options)
        if any(flag in ours and flag not in _REPEATABLE for flag, _ in added):
            return None
        read = {value for flag, value in (*self.options, *added) if flag == "--categorical"}
        if read & {value for flag, value in (*self.options, *added) if flag == "--exclude"}:
            return None
        # What reads a cell must not leave out others unsaid.
        tells = (
            added and other.effect is ProposalEffect.DROPS and self.effect is ProposalEffect.READS and not self.drops
        )
        left = ", and others as missing" if any(flag == "--na" for flag, _ in added) else ", and leaves other rows out"
        return replace(self, options=self.options + added, meaning=self.meaning + (left if tells else ""))


class DoubtError(DataError):
    """A table that cannot be read as it is asked for. ``about`` tells one doubt from another, ``reason`` is the message
    up to its advice, ``proposals`` are not tried yet, and ``otherwise`` is the advice if none of them helps. The
    ``columns`` are those in doubt, none if it is the table; ``rows`` are those that a trial on a part of the block has
    to see.
    """

    def __init__(
        self,
        about: object,
        reason: str,
        proposals: tuple[Proposal, ...] = (),
        otherwise: str = "",
        kind: type[DataError] = DataError,
        columns: Collection[str] = (),
        rows: Sequence[int] = (),
    ) -> None:
        super().__init__(reason)
        self.columns, self.rows = tuple(columns), tuple(rows)
        self.about, self.reason, self.proposals, self.otherwise, self.kind = about, reason, proposals, otherwise, kind

    def error(self, helpful: list[Proposal]) -> DataError:
        """The error to raise: the reason, and the ``helpful`` proposals as advice; ``otherwise`` if there are none."""
        advice = "; ".join(map(str, helpful)) or self.otherwise
        return self.kind(f"{self.reason}: {advice}" if advice else self.reason)


@record
class OpenQuestion:
    """A table's first block and names, and the options of its columns, before it is decided how to read them."""

    block: Block
    names: tuple[str, ...]
    unnamed: frozenset[str]
    source: str
    options: ColumnOptions

    def with_(self, proposal: Proposal) -> "OpenQuestion | None":
        """The question with a proposal's options added; None if they mean nothing for this table's format."""
        options, csv = self.options, dict[str, str | None]()
        for flag, value in proposal.options:
            if field := _REPEATABLE.get(flag):
                several: dict[str, Any] = {field: (*getattr(options, field), value)}
                options = replace(options, **several)
            elif flag == "--max-levels":
                options = replace(options, max_levels=int(value or 0))
            elif flag == "--missing":
                options = replace(options, missing=value or "")
            elif flag == "--loss":
                options = replace(options, classes=True)
            elif flag == "--skip-rows":
                found = None if options.by else self.block.below(int(value or 0) + 1)
                if found is None:
                    return None
                others = Proposal(tuple(one for one in proposal.options if one[0] != flag), "")
                return replace(self, block=found[0], names=found[1], unnamed=found[2]).with_(others)
            elif flag in _CSV:
                csv[_CSV[flag]] = value
        if not csv:
            return replace(self, options=options)
        block = None if options.by else self.block.reread(csv)
        if block is None:
            return None
        if "separator" in csv:
            names = tuple(name for name in self.names if name not in self.unnamed)
            return replace(self, block=block, names=names, unnamed=frozenset(), options=options)
        return replace(self, block=block, options=options)


Attempt = Callable[[OpenQuestion], "float | DoubtError"]
"""The share of the rows that a question leaves, or the next doubt. Raises GdfitError for what is no doubt."""


def advised(question: OpenQuestion, doubt: DoubtError, attempt: Attempt) -> DataError:
    """The error of a doubt, with those of its proposals as advice that help when tried.

    Dropping rows is advised only if no other proposal reads them, leaving out a column only if nothing else helps.
    """
    if doubt.columns:
        rows = max(_TRIAL_ROWS, 2 * question.options.max_levels)  # no column with as many levels seems an identifier
        question = replace(question, block=question.block.sample(doubt.rows, rows))
    trial = _Trial(question, attempt)
    helpful: list[Proposal] = []
    for proposal in doubt.proposals:
        known = [one.effect for one in helpful]
        if (proposal.effect is ProposalEffect.DROPS and ProposalEffect.READS in known) or (
            proposal.effect is ProposalEffect.OMITS and known
        ):
            continue
        if known.count(proposal.effect) < _NAMED and (found := trial.completed(proposal, (doubt.about,))):
            helpful.append(found)
    return doubt.error(helpful)


class _Trial:
    """Trials of proposals on a question, up to a largest number."""

    def __init__(self, question: OpenQuestion, attempt: Attempt) -> None:
        self._question, self._attempt, self._left = question, attempt, _TRIALS

    def completed(self, proposal: Proposal, before: tuple[object, ...]) -> Proposal | None:
        """A proposal with all further options that the table needs, None if it does not help. ``before`` are the doubts
        that it is to answer: none of them may come again.
        """
        self._left -= 1
        if self._left < 0 or len(proposal.options) > _LONGEST or not proposal.can_be_pasted:
            return None
        try:
            question = self._question.with_(proposal)
            answer = None if question is None else self._attempt(question)
        except GdfitError:
            return None
        if answer is None:
            return None
        if not isinstance(answer, DoubtError):
            return None if proposal.drops and answer < _LEAST_KEPT else proposal
        if answer.about in before:
            return None
        for more in answer.proposals:
            both = proposal.with_options_of(more)
            # What drops all the rows in doubt stands for itself.
            if (
                more.effect is ProposalEffect.DROPS
                and proposal.effect in (ProposalEffect.DROPS, ProposalEffect.TEXT)
                and not more.same_as(proposal)
            ):
                continue
            if both is not None and (found := self.completed(both, (*before, answer.about))) is not None:
                return found
        return None
