"""``gdfit help``: a topic's page, or a command's help."""

import sys
from typing import TYPE_CHECKING, Any

import click

from gdcli.base.errors import ExitCode
from gdcli.base.names import did_you_mean, quoted
from gdcli.cli.group import COMMANDS
from gdcli.cli.help import Command, help_width
from gdcli.cli.topics import TOPICS, topic_text

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem
    from rich.console import Console, ConsoleOptions, RenderResult

_WIDEST = 100

EXAMPLES = (
    ("gdfit help", "the list of topics"),
    ("gdfit help losses", "what is minimized"),
    ("gdfit help sweep", "the help of a command"),
)


class Subject(click.types.StringParamType):
    """The name of a topic or of a command."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name of the topic or command; fails as wrong usage if there is none."""
        name = str(value).lower().replace("_", "-")
        if name not in {**TOPICS, **COMMANDS}:
            meant = did_you_mean(name, [*TOPICS, *COMMANDS])
            self.fail(f"{quoted(str(value))} is no topic.{meant} 'gdfit help' lists them.", param, ctx)
        return name

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem[Any]]":
        """The topics and commands that begin with the incomplete word, each with its meaning."""
        from click.shell_completion import CompletionItem

        meanings = TOPICS | {name: meaning for name, (_, meaning) in COMMANDS.items()}
        return [CompletionItem(name, help=text) for name, text in meanings.items() if name.startswith(incomplete)]


@click.command("help", cls=Command, examples=EXAMPLES)
@click.argument("subject", metavar="[TOPIC|COMMAND]", required=False, type=Subject())
@click.pass_context
def command(context: click.Context, subject: str | None) -> int:
    """Explain a topic, or list the topics; show the help of a command. The same texts are man pages: man gdfit-losses,
    man gdfit-sweep.
    """
    from gdcli.cli.output import TABLE, Output
    from gdcli.report.report import Report

    on_terminal = subject in TOPICS and sys.stdout is not None and sys.stdout.isatty()
    output = Output.of(context, {"output": None, "format": TABLE if on_terminal else ""})
    if on_terminal:
        output.write(Report(dict, lambda: None, list, lambda page: TopicPage(str(subject))))
    else:
        output.write_text(_text(context, subject))
    return ExitCode.OK


class TopicPage:
    """A topic's page as Rich shows Markdown, in styles that suit light and dark terminals."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        from rich.markdown import Markdown
        from rich.theme import Theme

        plain = Theme({"markdown.code": "bold", "markdown.code_block": "none", "markdown.h1.border": "dim"})
        page = Markdown(topic_text(self._name), code_theme="ansi_light", hyperlinks=False)
        with console.use_theme(plain):
            width = min(options.max_width, _WIDEST)
            yield from console.render(page, options.update(width=width, no_wrap=None, overflow=None))


def _text(context: click.Context, subject: str | None) -> str:
    if subject is None:
        return list_of_topics()
    if subject in TOPICS:
        return topic_text(subject)
    root = context.parent
    assert root is not None
    assert isinstance(root.command, click.Group)
    command = root.command.get_command(root, subject)
    assert command is not None
    with command.make_context(subject, [], parent=root, resilient_parsing=True) as ctx:
        return f"{ctx.get_help()}\n"


def list_of_topics() -> str:
    """The text that lists the topics, a line each."""
    formatter = click.HelpFormatter(width=help_width())
    formatter.write_usage("gdfit help", "TOPIC")
    with formatter.section("Topics"):
        formatter.write_dl(list(TOPICS.items()))
    formatter.write("\nOptions are explained by 'gdfit COMMAND -h', or --help-all; 'gdfit -h' lists the commands.\n")
    return formatter.getvalue()
