"""The argument and the options that the commands on a saved model share."""

from collections.abc import Callable

import click

from gdcli.cli.options import INPUT, OUTPUT, F, bundle, csv_options, option
from gdcli.cli.types import Count, file_type

model_argument: Callable[[F], F] = click.argument("model", metavar="MODEL", type=file_type())

reading_options: Callable[[F], F] = bundle(
    csv_options,
    option(
        "--header", "header", is_flag=True, default=None, flag_value=True, group=INPUT,
        help="Read the first line as a header, though the model was fitted with --no-header.",
    ),
    option(
        "--jobs", metavar="N", type=Count(1), group=INPUT, common=True,
        help="Number of threads; the result is the same for any.  [default: all cores that gdfit may use]",
    ),
)  # fmt: skip

output_option: Callable[[F], F] = option(
    "-o", "--output", metavar="FILE", type=file_type(), group=OUTPUT, common=True,
    help="Write the result to a file, whole or not at all.",
)  # fmt: skip
