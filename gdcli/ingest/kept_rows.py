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
        """What the rows take."""
        return self.X.nbytes + self.Y.nbytes + (0 if self.weights is None else self.weights.nbytes)


T = TypeVar("T")


class RowGroup(Protocol):
    """The kept rows of a group of blocks, wherever they are."""

    def ask(self, question: "Callable[[Sequence[KeptRows]], T]") -> "Callable[[], T]":
        """Have a question about the rows answered where they are, and return what waits for the answer."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class LocalRows:
    """A group in this process."""

    blocks: tuple[KeptRows, ...]

    def ask(self, question: "Callable[[Sequence[KeptRows]], T]") -> "Callable[[], T]":
        """See :class:`RowGroup`; the answer is found when it is called for."""
        return partial(question, self.blocks)


def asked(groups: "Sequence[RowGroup]", question: "Callable[[Sequence[KeptRows]], T]") -> "list[T]":
    """Return every group's answer, in order; those that are elsewhere work at the same time."""
    answers = [group.ask(question) for group in groups]
    return [answer() for answer in answers]
