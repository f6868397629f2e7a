"""Rows kept from the pass, for losses and batches that need them, in this process or on a worker."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from gdcli.engine.arrays import Array
from gdcli.engine.column import Column
from gdcli.ingest.row_store import Pages


@dataclass(frozen=True, slots=True, eq=False)
class KeptRows:
    """All rows of a block: ``X`` (n, q) over ``columns`` less their ``shift`` (q,), close to the mean, in C order;
    ``Y`` (n, k) over the columns of the ``target``, as they are; ``weights`` (n,) or None.

    A cell without a value is 0 there, and an indicator column tells where. Rows of weight 0 are left out. Those of fold
    i lie between ``bounds[i]`` and ``bounds[i + 1]``. ``pages`` are those of the matrices that are in a file.
    """

    columns: tuple[Column, ...]
    X: Array
    shift: Array
    target: tuple[Column, ...]
    Y: Array
    weights: Array | None
    bounds: tuple[int, ...]
    pages: tuple[Pages, ...]

    @property
    def bytes(self) -> int:
        """The bytes of memory that the rows take."""
        return self.X.nbytes + self.Y.nbytes + (0 if self.weights is None else self.weights.nbytes)


T = TypeVar("T")


class RowGroup(Protocol):
    """Rows kept from 64 consecutive blocks, in this process or on a worker."""

    def ask(self, question: "Callable[[Sequence[KeptRows]], T]") -> "Callable[[], T]":
        """Put a question to the process that holds the rows; the function returned waits for the answer."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class LocalRows:
    """A row group in this process."""

    blocks: tuple[KeptRows, ...]

    def ask(self, question: "Callable[[Sequence[KeptRows]], T]") -> "Callable[[], T]":
        """See :class:`RowGroup`; the answer is computed when it is waited for."""
        return partial(question, self.blocks)


def ask_all(groups: "Sequence[RowGroup]", question: "Callable[[Sequence[KeptRows]], T]") -> "list[T]":
    """The answers of all groups, in order; groups on workers compute theirs at the same time."""
    answers = [group.ask(question) for group in groups]
    return [answer() for answer in answers]
