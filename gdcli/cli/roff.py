"""Roff, the language of man pages: texts escaped, and pages of Markdown turned into it."""

import re
from collections.abc import Iterator
from itertools import groupby

from gdcli.base.patterns import pattern

_CELL = pattern(r"(?<!\\)\|")
_SPAN = pattern(r"`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)]+)\)")


def escape(text: str) -> str:
    """A text that roff prints as it is: no control line, no escape, and hyphens that can be pasted."""
    text = " ".join(text.split()) if "\n" in text else text
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def code_block(lines: list[str]) -> list[str]:
    """The lines of roff that show ``lines`` as they are, indented."""
    return [".PP", ".RS 4", ".nf", *map(escape, lines), ".fi", ".RE"]


def from_markdown(page: str) -> list[str]:
    """The lines of roff for a Markdown page without its title: headings, paragraphs, lists, tables, code."""
    body = page.partition("\n")[2]
    lines = [".SH DESCRIPTION"]
    for part in re.split(r"(^```.*?^```$)", body, flags=re.DOTALL | re.MULTILINE):
        if part.startswith("```"):
            lines += code_block(part.splitlines()[1:-1])
        else:
            for paragraph in re.split(r"\n\s*\n", part.strip("\n")):
                lines += _paragraph(paragraph.splitlines())
    return lines


def _paragraph(lines: list[str]) -> list[str]:
    first = lines[0] if lines else ""
    if first.startswith("#"):
        return [f".SH {escape(first.lstrip('# '))}"]
    if first.startswith("|"):
        return [word for row in _rows(lines) for word in (".TP", row[0] or "\\&", " · ".join(row[1:]))]
    if first.startswith("- "):
        return [word for item in _items(lines) for word in (".IP \\(bu 2", _spans(item))]
    if first.startswith("    "):
        return code_block([line.strip() for line in lines])
    return [".PP", _spans(" ".join(lines))] if first else []


def _rows(lines: list[str]) -> Iterator[list[str]]:
    """The cells of a table's rows, without its heading."""
    for line in lines[2:]:
        yield [_spans(cell.strip().replace("\\|", "|")) for cell in _CELL.split(line)[1:-1]]


def _items(lines: list[str]) -> Iterator[str]:
    """The items of a list, each in one line."""
    count = 0
    numbered = [(count := count + line.startswith("- "), line.removeprefix("- ").strip()) for line in lines]
    for _, item in groupby(numbered, key=lambda one: one[0]):
        yield " ".join(text for _, text in item)


def _spans(text: str) -> str:
    """A text of Markdown with its code and strong words in bold, and addresses behind the names of links."""
    done, place = "", 0
    for found in _SPAN.finditer(text):
        code, strong, name, address = found.groups()
        bold = code or strong
        done += escape(text[place : found.start()])
        done += f"\\fB{escape(bold)}\\fR" if bold else f"{escape(name)} <{escape(address)}>"
        place = found.end()
    return done + escape(text[place:])
