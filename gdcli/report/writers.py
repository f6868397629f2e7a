"""The formats of all results: each is a function that returns the text of a report.

Another format is a function here and its line in ``WRITERS``, from which ``--format`` takes its choices. Numbers of
machine formats round-trip (Python's shortest repr). What does not exist is null in JSON and an empty cell elsewhere;
NaN and infinity do not exist. Libraries are imported by the functions: help and completion load this module, too.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gdcli.base.names import printable
from gdcli.base.patterns import pattern

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from gdcli.report.paper import Page
    from gdcli.report.report import Report
    from gdcli.report.screen import Screen

# What GitHub's Markdown would act on inside a cell; an underscore only at the edge of a word.
_MARKDOWN = pattern(r"[\\`*<|~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|\](?=[(\[])")

_TO_THE_RIGHT = ' style="text-align: right"'


def as_table(report: "Report", page: "Page") -> str:
    """The report for people on a page: the screen, the chart if there is one, and last the verdict."""
    from gdcli.report.screen import Screen

    parts = [drawn(report.screen(page), page)]
    if report.chart is not None:
        parts.append(report.chart(page))
    if report.verdict is not None:
        parts.append(drawn(Screen(report.verdict(page)), page))
    return "\n".join(part for part in parts if part)


def drawn(part: "Screen | ConsoleRenderable", page: "Page") -> str:
    """A part of a report with the styles that the terminal understands. A plain screen needs no Rich."""
    from gdcli.report.screen import Screen

    if page.colors is None and isinstance(part, Screen):
        return part.plain()
    import io

    from rich.console import Console

    class Paper(io.StringIO):
        encoding = page.encoding

    paper = Paper()
    console = Console(
        file=paper,
        force_terminal=page.width is not None,
        color_system=page.colors,
        no_color=page.colors is None,
        width=page.width,
        height=25,  # of no use, but without it Rich takes a dumb terminal to be 80 columns wide
        legacy_windows=False,
    )
    console.print(part, soft_wrap=True, end="" if isinstance(part, Screen) else "\n")
    return paper.getvalue()


def as_json(report: "Report", page: "Page") -> str:
    """The document as JSON, a line for each key and for each object in a list; several documents take a line each."""
    from gdcli.base.schema import dumps

    document = report.document()
    if not isinstance(document, Mapping):
        return "".join(f"{dumps(one)}\n" for one in document)
    lines = []
    for key, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            items = ",\n    ".join(map(dumps, value))
            lines.append(f"  {dumps(key)}: [\n    {items}\n  ]")
        else:
            lines.append(f"  {dumps(key)}: {dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def as_csv(report: "Report", page: "Page") -> str:
    """The sheet as CSV; "" if there is no result."""
    return _delimited(report, ",")


def as_tsv(report: "Report", page: "Page") -> str:
    """The sheet as text separated by tabs; "" if there is no result."""
    return _delimited(report, "\t")


def as_markdown(report: "Report", page: "Page") -> str:
    """The columns as a Markdown table; "" if there is no result."""
    columns = report.columns()
    if not columns:
        return ""
    rule = ["---" if column.left else "---:" for column in columns]
    texts = [[_markdown(text) if column.left else text for text in column.cells] for column in columns]
    lines = [[_markdown(column.header) for column in columns], rule, *zip(*texts, strict=True)]
    return "".join(f"| {' | '.join(cell.strip() for cell in line)} |\n" for line in lines)


def as_html(report: "Report", page: "Page") -> str:
    """The columns as a ``<table>`` to paste into a page, numbers to the right; "" if there is no result."""
    from html import escape

    columns = report.columns()
    if not columns:
        return ""
    styles = ["" if column.left else _TO_THE_RIGHT for column in columns]

    def row(tag: str, cells: Any) -> Iterator[str]:
        yield "<tr>"
        for style, cell in zip(styles, cells, strict=True):
            yield f"<{tag}{style}>{escape(printable(cell.strip()))}</{tag}>"
        yield "</tr>\n"

    head = "".join(row("th", [column.header for column in columns]))
    body = "".join(
        part for cells in zip(*(column.cells for column in columns), strict=True) for part in row("td", cells)
    )
    return f"<table>\n<thead>\n{head}</thead>\n<tbody>\n{body}</tbody>\n</table>\n"


def _delimited(report: "Report", separator: str) -> str:
    from gdcli.report.delimited import as_delimited

    sheet = report.sheet()
    return "" if sheet is None else as_delimited(sheet.header, sheet.columns, separator)


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(lambda match: "\\" + match[0], printable(text))


WRITERS: "dict[str, Callable[[Report, Page], str]]" = {
    "table": as_table,
    "json": as_json,
    "csv": as_csv,
    "tsv": as_tsv,
    "markdown": as_markdown,
    "html": as_html,
}
