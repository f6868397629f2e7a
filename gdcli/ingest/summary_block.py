"""A summary as the one block of its own, here and on the workers of a cluster."""

from collections.abc import Collection, Generator
from typing import TYPE_CHECKING

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.base.records import record
from gdcli.data.source import Place
from gdcli.data.table import Block, Table

if TYPE_CHECKING:
    from gdcli.ingest.summary import Summary


@record(eq=False)
class SummaryBlock(Block):
    """A whole summary as one block, which has no rows to parse."""

    of: "Summary"

    @property
    def summary(self) -> "Summary":
        """The summary that stands for the rows."""
        return self.of

    @property
    def whole(self) -> bool:
        """True: it is the only block."""
        return True

    def head(self) -> Block:
        """The block itself."""
        return self

    def where(self, place: int) -> str:
        """The name of the summary, for a message."""
        return quoted(self.of.name)

    def table(self, numeric: Collection[str], text: Collection[str], missing: frozenset[str]) -> Table:
        """Raise DataError: there are no rows to parse."""
        raise no_rows(self.of)


@record
class SummaryRange:
    """A summary as workers get it: one block, in no file; see :class:`gdcli.data.source.RangeReader`."""

    summary: "Summary"
    bytes: int = 0

    @property
    def start(self) -> Place:
        """The beginning of the one block."""
        return Place(0, 0, 0)

    def blocks(self, start: Place) -> Generator[tuple[Block, Place | None], None, None]:
        """Yield the summary itself as the only block."""
        yield SummaryBlock(self.summary), None

    def count_blocks(self) -> int:
        """1: a summary is one block."""
        return 1

    def guess(self, block: int) -> int:
        """0: the summary is the only block."""
        return 0


def no_rows(summary: "Summary") -> DataError:
    """The error of a command that needs rows but was given a summary."""
    return DataError(f"{quoted(summary.name)} is a summary, which holds no rows")
