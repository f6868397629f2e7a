"""The report on a fit: what the writers of all formats need of it, each part made when it is asked for."""

from typing import TYPE_CHECKING

from gdcli.fitting.results import Fit
from gdcli.report.fit_document import fit_columns, fit_document, fit_sheet
from gdcli.report.paper import Page
from gdcli.report.report import Report
from gdcli.report.verdict import RateCommand

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gdcli.report.page.contents import TypedCommand


def fit_report(
    fit: Fit,
    digits: int = 6,
    command: RateCommand | None = None,
    *,
    iterations: bool = True,
    typed: "TypedCommand | None" = None,
) -> Report:
    """The report on a fit. ``command`` words the user's command line with another rate (see ``verdict``).

    Without ``iterations`` the text has no table of them, because ``PlainLines`` has written them. ``typed`` is the
    command line for a lesson page.
    """
    from gdcli.report.chart import chart_of_fit
    from gdcli.report.plots import PAGE, picture_of_fit

    def text(page: Page) -> "RenderableType":
        from gdcli.report.fit_screen import render_fit

        return render_fit(fit, page, digits=digits, command=command, iterations=iterations)

    def picture(kind: str) -> bytes:
        if kind != PAGE:
            return picture_of_fit(fit, kind)
        from gdcli.report.page.contents import page_of_fit

        return page_of_fit(fit, report, typed)

    drawn = fit.picture is not None
    report = Report(
        document=lambda: fit_document(fit),
        sheet=lambda: fit_sheet(fit),
        columns=lambda: fit_columns(fit, digits),
        text=text,
        chart=(lambda page: chart_of_fit(fit, page, page.colors is not None)) if drawn else None,
        picture=picture if drawn else None,
    )
    return report
