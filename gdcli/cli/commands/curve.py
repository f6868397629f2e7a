"""``gdfit curve``: parse → run → report."""

from typing import Any

import click
from click.core import ParameterSource

from gdcli.base.errors import ExitCode, UsageError
from gdcli.cli import options
from gdcli.cli.fit_options import typed_command
from gdcli.cli.help import Command
from gdcli.cli.options import option
from gdcli.cli.types import Count, Number, ParamType

CURVE = "Curve"

EXAMPLES = (
    ("gdfit curve --poly 0,0,1 --start 10 --lr 0.1 --lr 0.4 --lr 2 -n 5", "down y = x² with three rates"),
    ("gdfit curve --f x^2-3x", "down a curve as one writes it"),
    ("gdfit curve --poly=-1,0,1", "down y = x² - 1 with four rates that suit it"),
    ("gdfit curve --poly 0,1,-2,0.3,1 --start 3 -n 50", "a curve with two minima"),
    ("gdfit curve --poly 0,0,1 -n 100 --format csv -o steps.csv", "every step in a file"),
)


class Coefficients(ParamType[tuple[float, ...]]):
    """Numbers separated by commas."""

    name = "coefficients"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """The numbers, or fail as wrong usage."""
        if isinstance(value, tuple):
            return value
        number, cells = Number(), str(value).split(",")
        if not all(cell.strip() for cell in cells):
            self.fail(f"{value!r} lacks a number: give c0,c1,c2 for c0 + c1 x + c2 x², such as 0,0,1.", param, ctx)
        return tuple(number.convert(cell.strip(), param, ctx) for cell in cells)


class Expression(ParamType[tuple[float, ...]]):
    """A polynomial in x."""

    name = "expression"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """The coefficients, or fail as wrong usage."""
        from gdcli.engine.polynomial_text import parse_polynomial

        if isinstance(value, tuple):
            return value
        try:
            return parse_polynomial(str(value))
        except UsageError as error:
            self.fail(f"{error}.", param, ctx)


curve_options = options.bundle(
    option(
        "--poly", "polynomial", metavar="C0,C1,…", type=Coefficients(), group=CURVE, common=True,
        help="Coefficients of the curve, lowest power first: 0,0,1 is y = x².",
    ),
    option(
        "--f", "expression", metavar="EXPRESSION", type=Expression(), group=CURVE, common=True,
        help="The curve as a polynomial in x, instead of --poly: 'x^2 - 3x', '(x-1)^2 (x+2)'.",
    ),
    option(
        "--start", metavar="X", type=Number(), default="10", show_default=True, group=CURVE, common=True,
        help="Begin at this x.",
    ),
    option(
        "--lr", "rates", metavar="RATE", type=Number(positive=True), multiple=True, group=CURVE, common=True,
        help="Learning rate; repeatable.  [default: a slow, a good, an overshooting and a diverging one]",
    ),
    option(
        "-n", "--iterations", metavar="N", type=Count(0), default=10, show_default=True, group=CURVE, common=True,
        help="Number of steps.",
    ),
)  # fmt: skip


@click.command("curve", cls=Command, examples=EXAMPLES)
@curve_options
@options.output_options
@options.plot_options
@options.quiet_option
@options.digits_option
@click.pass_context
def command(context: click.Context, /, **values: Any) -> int:
    """Walk down a curve by gradient descent: x, y and slope at each step, for one learning rate beside another, and
    what becomes of each. The curve is a polynomial.
    """
    from gdcli.cli.output import Output
    from gdcli.cli.progress import Narrator, start_collecting
    from gdcli.fitting.curve import walk_down
    from gdcli.report.curve import curve_report

    if (values["polynomial"] is None) == (values["expression"] is None):
        raise click.UsageError("Say which curve: --f 'x^2 - 3x', or its coefficients, --poly 0,-3,1; one of the two.")
    polynomial = values["polynomial"] or values["expression"]
    output = Output.of(context, values)
    start_collecting()
    with Narrator(output.quiet) as narrator:
        curve = walk_down(polynomial, values["start"], values["rates"], values["iterations"], narrator)
    fewer = context.get_parameter_source("digits") is ParameterSource.DEFAULT
    typed = typed_command(context) if output.is_page else None
    output.write(curve_report(curve, output.digits, fewer=fewer, typed=typed))
    return ExitCode.OK
