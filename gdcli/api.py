"""The Python functions: keywords become options, and options a result."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gdcli.base.listener import Listener
from gdcli.data.paths import matched
from gdcli.fitting.fit import Recorder, fit_reading
from gdcli.fitting.options import FitOptions, with_formula
from gdcli.fitting.results import Fit
from gdcli.ingest.noted import read_noted
from gdcli.ingest.read import InputData

if TYPE_CHECKING:
    from gdcli.data.group_keys import Key
    from gdcli.fitting.group_results import GroupFits
    from gdcli.fitting.groups import GroupRecorders
    from gdcli.fitting.start import Start


def fit_data(data: "InputData | Sequence[InputData]", *, target: str | None = None, **options: Any) -> Fit:
    """The fit of a path (or a pattern such as ``sales-*.csv``), a DataFrame, a summary, or a list of them.

    ``options`` are the fields of the records of :class:`FitOptions`, ``formula`` in place of the target, and
    ``resume``, the path of a model to go on from.
    """
    several: Sequence[Any] = matched(data if isinstance(data, list | tuple) else [data])
    for name in ("features", "exclude", "categorical", "dates", "na", "l2", "l1"):
        value = options.get(name, ())
        options[name] = (value,) if isinstance(value, str | int | float) else tuple(value)
    asked, starts = parse_options({"target": target, **options})
    return run_fit(several, asked, start=starts.get(()))


def run_groups(
    data: Sequence[InputData],
    options: FitOptions,
    recorders: "GroupRecorders | None" = None,
    listener: Listener | None = None,
    starts: "Mapping[Key, Start]" = MappingProxyType({}),
    with_memory: bool = False,
) -> "GroupFits":
    """Read the data and fit each group, ``with_memory`` of its optimizer for a model. Raises DataError and UsageError;
    divergence is a result, not an error.
    """
    from gdcli.fitting.groups import fit_groups

    listener = listener or Listener()
    if options.checks.inference:
        from gdcli.fitting.inference import require_scipy

        require_scipy()
    with read_noted(data, options.columns, options.reading, listener) as reading:
        return fit_groups(reading, options, listener, recorders, starts, with_memory)


def parse_options(values: Mapping[str, Any]) -> "tuple[FitOptions, Mapping[Key, Start]]":
    """The options of a fit by their names, and where each group's descent begins, that of all rows with the key ().

    With ``resume`` the options left out are the model's, from which it goes on; without it there are no starts.
    """
    path = values.get("resume")
    values = with_formula({name: value for name, value in values.items() if name != "resume"})
    if path is None:
        return FitOptions.of(**values), {}
    from gdcli.models.resume import resumed

    values, starts = resumed(path, values)
    return FitOptions.of(**values), starts


def run_fit(
    data: Sequence[InputData],
    options: FitOptions,
    recorders: Sequence[Recorder] = (),
    listener: Listener | None = None,
    start: "Start | None" = None,
) -> Fit:
    """Read the data and descend. Raises DataError and UsageError; divergence is a result, not an error."""
    listener = listener or Listener()
    # What few fits need is imported where it is needed: a fit from a summary takes hardly longer than the imports.
    if options.checks.inference:
        from gdcli.fitting.inference import require_scipy

        require_scipy()
    with read_noted(data, options.columns, options.reading, listener) as reading:
        return fit_reading(reading, options, recorders, listener, start)
