"""The man pages: of commands in section 1, with the text of ``--help-all``; of topics in section 7."""

from pathlib import Path

import click

from gdcli import __version__
from gdcli.cli.environment import variables_text
from gdcli.cli.group import COMMANDS, DEFAULT, group
from gdcli.cli.help import Command, Option
from gdcli.cli.roff import code_block, escape, from_markdown
from gdcli.cli.topics import TOPICS, topic_text

DESCRIPTION = "fit regression by gradient descent"

EXIT_STATUS = (
    ("0", "Done."),
    ("1", "The data, or a file, cannot be used."),
    ("2", "Wrong usage."),
    ("3", "The learning rate is unstable, or the descent diverged."),
    ("4", "A demand was not met: --strict, --min-r2 …; the full result is still printed."),
    ("129, 130, 143", "Interrupted because the terminal was closed; by Ctrl-C; by SIGTERM."),
)


def write_pages(folder: Path) -> list[Path]:
    """Write ``gdfit.1``, a page for each command and one for each topic into a folder, and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {f"{page_name(name)}.1": page(name) for name in (None, *COMMANDS)}
    pages |= {f"{page_name(name)}.7": topic_page(name) for name in TOPICS}
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in pages]


def page_name(name: str | None) -> str:
    """The name of a command's or a topic's page, such as ``gdfit-fit``; None stands for ``gdfit`` itself."""
    return "gdfit" if name is None else f"gdfit-{name}"


def topic_page(name: str) -> str:
    """The man page of a topic, in roff."""
    others = ["gdfit(1)", *(f"{page_name(other)}(7)" for other in TOPICS if other != name)]
    lines = [
        *_heading(page_name(name), 7, TOPICS[name]),
        *from_markdown(topic_text(name)),
        *_section("SEE ALSO", _references(others)),
    ]
    return "\n".join(lines) + "\n"


def page(name: str | None) -> str:
    """The man page of a command in roff; None stands for ``gdfit``: the page of ``fit`` with the list of commands."""
    with group.make_context("gdfit", [], resilient_parsing=True) as root:
        command = group.get_command(root, name or DEFAULT)
        assert isinstance(command, Command)
        with command.make_context(name or DEFAULT, [], parent=root, resilient_parsing=True) as ctx:
            return _page(name, command, ctx)


def _page(name: str | None, command: Command, ctx: click.Context) -> str:
    path = "gdfit" if name is None else ctx.command_path
    lines = [
        *_heading(page_name(name), 1, DESCRIPTION if name is None else COMMANDS[name][1]),
        *_section("SYNOPSIS", f"\\fB{escape(path)}\\fR {escape(' '.join(command.collect_usage_pieces(ctx)))}"),
    ]
    if name is None:
        lines += [".br", "\\fBgdfit\\fR COMMAND [OPTIONS] ..."]
    lines += _section("DESCRIPTION", escape(" ".join((command.help or "").split())))
    if name is None:
        lines += [".SH COMMANDS"]
        for other, (_, text) in COMMANDS.items():
            lines += [".TP", f"\\fBgdfit\\-{other}\\fR(1)", escape(text)]
    lines += [".SH EXAMPLES"]
    for line, text in command.examples:
        lines += [".PP", f"{escape(text[0].upper() + text[1:])}:", *code_block([line])]
    lines += [".SH OPTIONS", *_options(command, ctx)]
    if environment := variables_text(command):
        lines += _section("ENVIRONMENT", escape(environment))
    lines += [".SH EXIT STATUS"]
    for code, text in EXIT_STATUS:
        lines += [".TP", f"\\fB{code}\\fR", escape(text)]
    others = [f"{page_name(other)}(1)" for other in (None, *COMMANDS) if other != name]
    others += [f"{page_name(topic)}(7)" for topic in TOPICS]
    lines += _section("SEE ALSO", _references(others))
    return "\n".join(lines) + "\n"


def _options(command: Command, ctx: click.Context) -> list[str]:
    """The options, under the titles of the help."""
    groups: dict[str, list[str]] = {}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is not None and isinstance(param, click.Option):
            title = param.group if isinstance(param, Option) else "Help"
            groups.setdefault(title, []).extend([".TP", f"\\fB{escape(record[0])}\\fR", escape(record[1])])
    return [line for title, lines in groups.items() for line in (f".SS {title}", *lines)]


def _heading(title: str, section: int, meaning: str) -> list[str]:
    return [
        "'\\\" -*- coding: UTF-8 -*-",
        f'.TH {title.upper()} {section} "" "gdfit {__version__}" "gdfit"',
        *_section("NAME", f"{escape(title)} \\- {escape(meaning.rstrip('.'))}"),
    ]


def _references(pages: list[str]) -> str:
    """The names of pages, each with its section, as in ``gdfit-sweep(1)``."""
    return ", ".join(f"\\fB{escape(name[:-3])}\\fR{name[-3:]}" for name in pages)


def _section(title: str, text: str) -> list[str]:
    return [f".SH {title}", text]
