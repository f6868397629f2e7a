"""Rows kept from the pass, for losses and batches that need them, in this process or on a worker."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeVar

from gdcli.base.records import field, record, replace
from gdcli.data.group_keys import Key
from gdcli.engine.arrays import Array
from gdcli.engine.column import Column
from gdcli.ingest.row_store import Pages


@record(eq=False)
class KeptRows:
    """The rows of a block: ``X`` (n, q), the values of ``columns`` minus their ``shift`` (q,), in C order; ``Y``
    (n, k), the values of the columns of the ``target``, unshifted; ``weights`` (n,) or None. The shift is close to the
    mean.

    A missing cell is 0 in ``X``, and an indicator column marks it. Rows of weight 0 are left out. The rows of fold i
    are ``bounds[i]`` to ``bounds[i + 1]``. With ``--by`` fold i of a group counts as fold ``place[key] · folds + i``.
    ``pages`` are the parts of a file that hold the matrices that are not in memory.
    """

    columns: tuple[Column, ...]
    X: Array
    shift: Array
    target: tuple[Column, ...]
    Y: Array
    weights: Array | None
    bounds: tuple[int, ...]
    pages: tuple[Pages, ...]
    place: Mapping[Key, int] = field(default_factory=dict)
    folds: int = 1

    def of_group(self, key: Key) -> "KeptRows | None":
        """The rows of one ``--by`` group; None if the block has no row of it."""
        first = self.place.get(key, -1) * self.folds
        if first < 0 or self.bounds[first] == self.bounds[first + self.folds]:
            return None
        start, stop = self.bounds[first], self.bounds[first + self.folds]
        return replace(
            self,
            X=self.X[start:stop],
            Y=self.Y[start:stop],
            weights=None if self.weights is None else self.weights[start:stop],
            bounds=tuple(bound - start for bound in self.bounds[first : first + self.folds + 1]),
            pages=tuple(pages.following(start) for pages in self.pages),
            place={},
        )

    @property
    def bytes(self) -> int:
        """The bytes of memory that the rows take."""
        return self.X.nbytes + self.Y.nbytes + (0 if self.weights is None else self.weights.nbytes)


T = TypeVar("T")


class RowGroup(Protocol):
    """Rows kept from 64 consecutive blocks, in this process or on a worker."""

    def ask(self, question: "Callable[[Sequence[KeptRows]], T]") -> "Callable[[], T]":
        """The function that waits for the answer to a question and returns it. The process with the rows answers."""
        ...


@record(eq=False)
class LocalRows:
    """A row group in this process."""

    blocks: tuple[KeptRows, ...]

    def ask(self, question: "Callable[[Sequence[KeptRows]], T]") -> "Callable[[], T]":
        """See :class:`RowGroup`; the answer is computed when it is waited for."""
        return partial(question, self.blocks)


@record(eq=False)
class RowsOfGroup:
    """The rows of one ``--by`` group among those of a row group, in this process or on a worker."""

    rows: RowGroup
    key: Key

    def ask(self, question: "Callable[[Sequence[KeptRows]], T]") -> "Callable[[], T]":
        """See :class:`RowGroup`."""
        return self.rows.ask(partial(_ask_of_group, key=self.key, question=question))


def _ask_of_group(blocks: "Sequence[KeptRows]", key: Key, question: "Callable[[Sequence[KeptRows]], T]") -> T:
    """The answer of the rows of one group."""
    return question([found for rows in blocks if (found := rows.of_group(key)) is not None])


def rows_of_group(rows: RowGroup, key: Key) -> RowGroup:
    """The rows of one ``--by`` group among those of a row group; they stay in the same process."""
    if isinstance(rows, LocalRows):
        return LocalRows(tuple(found for block in rows.blocks if (found := block.of_group(key)) is not None))
    return RowsOfGroup(rows, key)


def ask_all(groups: "Sequence[RowGroup]", question: "Callable[[Sequence[KeptRows]], T]") -> "list[T]":
    """The answers of all groups, in order; groups on workers compute theirs at the same time."""
    answers = [group.ask(question) for group in groups]
    return [answer() for answer in answers]
