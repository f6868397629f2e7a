"""The report on a result, from which the writers of all formats take their part. Every command makes one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gdcli.base.records import record

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gdcli.report.paper import Page
    from gdcli.report.screen import Screen, StyledLine, TableColumn


@record
class Sheet:
    """Columns of values, equally long and each under its ``header``, for programs: numbers to the last bit, None for
    missing values.
    """

    header: Sequence[str]
    columns: Sequence[Iterable[Any]]


def sheet_of(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Sheet:
    """The sheet of a few rows of values."""
    return Sheet(header, [*zip(*rows, strict=True)])


def group_headers(by: Sequence[str], others: Sequence[str]) -> list[str]:
    """The headers of the group columns ``by`` in a table with ``others``: ``by[NAME]`` for a name that is taken."""
    found: list[str] = []
    for name in by:
        while name in others or name in found:
            name = f"by[{name}]"
        found.append(name)
    return found


@record
class Report:
    """Functions that make the parts of a report, each called by the formats that need it.

    ``document`` is the JSON object, or one for each group. ``sheet`` is None if there is no result (after divergence).
    ``columns`` are the cells that people read, for a table outside a terminal: names as in the file, numbers rounded;
    none if there is no result. ``screen`` is the report on a page, ``verdict`` the lines that end it, and ``chart`` the
    text between the two; ``picture`` is a file of one of the kinds of pictures. The last two are None if there is
    nothing to draw.
    """

    document: Callable[[], Mapping[str, Any] | Iterable[Mapping[str, Any]]]
    sheet: Callable[[], Sheet | None]
    columns: "Callable[[], Sequence[TableColumn]]"
    screen: "Callable[[Page], Screen | ConsoleRenderable]"
    verdict: "Callable[[Page], Sequence[StyledLine]] | None" = None
    chart: "Callable[[Page], str] | None" = None
    picture: Callable[[str], bytes] | None = None
