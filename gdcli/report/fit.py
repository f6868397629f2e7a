"""The report on a fit: what the writers of all formats need of it, each part made when it is asked for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gdcli.fitting.results import Fit
from gdcli.report.advice import RateCommand
from gdcli.report.paper import Page
from gdcli.report.report import Report, Sheet

if TYPE_CHECKING:
    from gdcli.report.page.contents import TypedCommand
    from gdcli.report.screen import Screen, StyledLine, TableColumn


def fit_report(
    fit: Fit,
    digits: int = 6,
    command: RateCommand | None = None,
    *,
    iterations: bool = True,
    every: bool = False,
    typed: "TypedCommand | None" = None,
) -> Report:
    """The report on a fit. ``command`` words the user's command line with another rate (see ``verdict``).

    Without ``iterations`` the text has no table of them, because ``PlainLines`` has written them; if ``every`` K-th was
    asked for, each has its line, alike or not. ``typed`` is the command line for a lesson page.
    """

    def document() -> dict[str, Any]:
        from gdcli.report.fit_document import fit_document

        return fit_document(fit)

    def sheet() -> Sheet | None:
        from gdcli.report.fit_document import fit_sheet

        return fit_sheet(fit)

    def columns() -> "list[TableColumn]":
        from gdcli.report.fit_document import fit_columns

        return fit_columns(fit, digits)

    def screen(page: Page) -> "Screen":
        from gdcli.report.fit_screen import fit_screen
        from gdcli.report.iteration_table import iteration_lines

        table = iteration_lines(fit, page, digits, every=every, advise=command is not None) if iterations else []
        return fit_screen(fit, page, digits, table)

    def verdict_of_fit(page: Page) -> "Sequence[StyledLine]":
        from gdcli.report.verdict import verdict, verdict_lines

        return verdict_lines(verdict(fit, command), page)

    def chart(page: Page) -> str:
        from gdcli.report.chart import chart_of_fit

        return chart_of_fit(fit, page, page.colors is not None)

    def picture(kind: str) -> bytes:
        from gdcli.report.plots import PAGE, picture_of_fit

        if kind != PAGE:
            return picture_of_fit(fit, kind)
        from gdcli.report.page.contents import page_of_fit

        return page_of_fit(fit, report, typed)

    drawn = fit.picture is not None
    report = Report(
        document=document,
        sheet=sheet,
        columns=columns,
        screen=screen,
        verdict=verdict_of_fit,
        chart=chart if drawn else None,
        picture=picture if drawn else None,
    )
    return report
