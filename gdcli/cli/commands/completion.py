"""``gdfit completion``: the script that makes a shell complete gdfit's words."""

import sys
from pathlib import Path

import click

from gdcli.base.errors import ExitCode
from gdcli.cli.completion.answers import SHELLS
from gdcli.cli.help import Command
from gdcli.cli.model_options import output_option

SCRIPTS = Path(__file__).parents[1] / "completion"

WHERE = {
    "bash": "put this line into ~/.bashrc:  source <(gdfit completion bash)",
    "zsh": "put this line into ~/.zshrc, below compinit:  source <(gdfit completion zsh)",
    "fish": "write it where fish looks:  gdfit completion fish > ~/.config/fish/completions/gdfit.fish",
}

EXAMPLES = (
    ("source <(gdfit completion bash)", "in ~/.bashrc"),
    ("source <(gdfit completion zsh)", "in ~/.zshrc, below the line with compinit"),
    ("gdfit completion fish -o ~/.config/fish/completions/gdfit.fish", "once"),
)


@click.command("completion", cls=Command, examples=EXAMPLES)
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(SHELLS))
@output_option
def command(shell: str, output: str | None) -> int:
    """Write the script that lets a shell complete commands, options, files and the column names of the file that was
    typed before: gdfit housing.csv --target p<TAB>.
    """
    from gdcli.cli.output import Output
    from gdcli.cli.progress import Narrator

    destination = Output.of(click.get_current_context(), {"output": output})
    script = (SCRIPTS / f"gdfit.{shell}").read_text(encoding="utf-8")
    destination.write_text(script)
    if destination.path is None and sys.stdout is not None and sys.stdout.isatty():
        with Narrator() as narrator:
            narrator.note(f"to have it in every shell, {WHERE[shell]}")
    return ExitCode.OK
