"""``gdfit fit --by``: one fit per group; parse → run → report."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from gdcli.base.errors import ExitCode

if TYPE_CHECKING:
    from gdcli.cli.output import Output
    from gdcli.fitting.group_results import GroupFits

# The options that mean the same for many groups side by side; all others belong to a single fit.
_SHARED = frozenset(
    {
        "files", "target", "features", "exclude", "categorical", "dates", "max_levels", "weights", "intercept", "by",
        "learning_rate", "iterations", "tolerance", "optimizer", "schedule", "scale", "na", "keep_na", "missing",
        "separator", "encoding", "header", "skip_rows", "decimal", "thousands", "quotechar", "comment", "jobs",
        "format", "output", "quiet", "color", "save", "digits", "strict",
    }
)  # fmt: skip


def check_options(context: click.Context) -> None:
    """Refuse the options that make no sense with groups, unless they ask for what is so anyway."""
    for param in context.command.params:
        name = param.name or ""
        given = context.get_parameter_source(name) not in (None, ParameterSource.DEFAULT)
        if given and name not in _SHARED and context.params.get(name) != param.get_default(context):
            raise click.UsageError(
                f"--by fits many groups side by side, without {param.opts[-1]}: drop one of the two."
            )


def run(inputs: Sequence[str], values: Mapping[str, Any], output: "Output") -> int:
    """Fit each group, write the result, and return the exit code."""
    from gdcli.cli.fit_options import fit_values
    from gdcli.cli.progress import Narrator
    from gdcli.cli.results import Destination
    from gdcli.fitting.groups import fit_groups
    from gdcli.fitting.options import FitOptions

    options = FitOptions.of(**fit_values(values))
    with Narrator(output.quiet) as narrator:
        fits = fit_groups(inputs, values["by"], options, narrator)
    if output.save is not None and not fits.diverged:
        from gdcli.base.atomic import whole_file
        from gdcli.models.group_model import groups_model_as_json

        with whole_file(output.save) as stream:
            stream.write(groups_model_as_json(fits))
    Destination(output.format, output.path, output.quiet).write(
        lambda console: _print(fits, console, output.digits), lambda form: _text(fits, form, output.digits)
    )
    return _exit_code(fits, output)


def _print(fits: "GroupFits", console: Any, digits: int) -> None:
    from gdcli.report.groups import print_groups

    print_groups(fits, console, digits)


def _text(fits: "GroupFits", form: str, digits: int) -> str:
    from gdcli.report import groups as report

    if form == "json":
        return report.groups_as_json(fits)
    if form == "markdown":
        return report.groups_as_markdown(fits, digits)
    return report.groups_as_csv(fits, "\t" if form == "tsv" else ",")


def _exit_code(fits: "GroupFits", output: "Output") -> int:
    """Say on stderr what stdout does not say, and return the exit code."""
    from gdcli.base.names import count_of
    from gdcli.cli.failures import say
    from gdcli.fitting.group_results import Verdict
    from gdcli.report.groups import format_divergence

    if fits.diverged:
        if not output.table_on_stdout:
            say("Error: " + "\n".join(format_divergence(fits)))
        return ExitCode.DIVERGED
    slow = fits.having(Verdict.NOT_CONVERGED)
    if output.strict and slow:
        say(f"Error: --strict: {count_of(len(slow), 'group')} of {len(fits.groups):,} not converged")
        return ExitCode.UNMET
    if slow and not output.quiet and output.format != "table":
        say(f"note: {count_of(len(slow), 'group')} of {len(fits.groups):,} not converged")
    return ExitCode.OK
