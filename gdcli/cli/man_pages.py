"""The man pages, in roff (man 7), from the Click commands: what ``--help-all`` says."""

from pathlib import Path

import click

from gdcli import __version__
from gdcli.cli.environment import described
from gdcli.cli.group import COMMANDS, DEFAULT, group
from gdcli.cli.help import Command, Option

DESCRIPTION = "fit regression by gradient descent"

EXIT_STATUS = (
    ("0", "Done."),
    ("1", "The data, or a file, cannot be used."),
    ("2", "Wrong usage."),
    ("3", "The learning rate is unstable, or the descent diverged."),
    ("4", "A demand was not met: --strict, --min-r2 …; the full result is still printed."),
    ("130, 143", "Interrupted by Ctrl-C; by SIGTERM."),
)


def write_pages(folder: Path) -> list[Path]:
    """Write ``gdfit.1`` and a page for each command into a folder, and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in (None, *COMMANDS):
        path = folder / f"{page_name(name)}.1"
        path.write_text(page(name), encoding="utf-8")
        paths.append(path)
    return paths


def page_name(name: str | None) -> str:
    """Return the name of a command's page; that of the whole is None's."""
    return "gdfit" if name is None else f"gdfit-{name}"


def page(name: str | None) -> str:
    """Return the page of a command, or of the whole: that of ``fit``, with the list of commands."""
    with group.make_context("gdfit", [], resilient_parsing=True) as root:
        command = group.get_command(root, name or DEFAULT)
        assert isinstance(command, Command)
        with command.make_context(name or DEFAULT, [], parent=root, resilient_parsing=True) as ctx:
            return _page(name, command, ctx)


def _page(name: str | None, command: Command, ctx: click.Context) -> str:
    path = "gdfit" if name is None else ctx.command_path
    title, meaning = page_name(name), DESCRIPTION if name is None else COMMANDS[name][1].rstrip(".")
    lines = [
        "'\\\" -*- coding: UTF-8 -*-",
        f'.TH {title.upper()} 1 "" "gdfit {__version__}" "gdfit"',
        *_section("NAME", f"{_escaped(title)} \\- {_escaped(meaning)}"),
        *_section("SYNOPSIS", f"\\fB{_escaped(path)}\\fR {_escaped(' '.join(command.collect_usage_pieces(ctx)))}"),
    ]
    if name is None:
        lines += [".br", "\\fBgdfit\\fR COMMAND [OPTIONS] ..."]
    lines += _section("DESCRIPTION", _escaped(" ".join((command.help or "").split())))
    if name is None:
        lines += [".SH COMMANDS"]
        for other, (_, text) in COMMANDS.items():
            lines += [".TP", f"\\fBgdfit\\-{other}\\fR(1)", _escaped(text)]
    lines += [".SH EXAMPLES"]
    for line, text in command.examples:
        lines += [
            ".PP",
            f"{_escaped(text[0].upper() + text[1:])}:",
            ".PP",
            ".RS 4",
            ".nf",
            _escaped(line),
            ".fi",
            ".RE",
        ]
    lines += [".SH OPTIONS", *_options(command, ctx)]
    if environment := described(command):
        lines += _section("ENVIRONMENT", _escaped(environment))
    lines += [".SH EXIT STATUS"]
    for code, text in EXIT_STATUS:
        lines += [".TP", f"\\fB{code}\\fR", _escaped(text)]
    others = [page_name(other) for other in (None, *COMMANDS) if other != name]
    lines += _section("SEE ALSO", ", ".join(f"\\fB{_escaped(other)}\\fR(1)" for other in others))
    return "\n".join(lines) + "\n"


def _options(command: Command, ctx: click.Context) -> list[str]:
    """Return the options, under the titles of the help."""
    groups: dict[str, list[str]] = {}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is not None and isinstance(param, click.Option):
            title = param.group if isinstance(param, Option) else "Help"
            groups.setdefault(title, []).extend([".TP", f"\\fB{_escaped(record[0])}\\fR", _escaped(record[1])])
    return [line for title, lines in groups.items() for line in (f".SS {title}", *lines)]


def _section(title: str, text: str) -> list[str]:
    return [f".SH {title}", text]


def _escaped(text: str) -> str:
    """Return a text that roff prints as it is: no control line, no escape, and hyphens that can be pasted."""
    text = " ".join(text.split()) if "\n" in text else text
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text
