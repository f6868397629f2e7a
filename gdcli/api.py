"""The Python functions: keywords become options, and options a result."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from gdcli.base.listener import Listener
from gdcli.data.paths import matched
from gdcli.fitting.fit import Recorder, fit_reading
from gdcli.fitting.options import FitOptions
from gdcli.fitting.results import Fit
from gdcli.ingest.read import InputData, read_noted

if TYPE_CHECKING:
    pass


def fit(data: "InputData | Sequence[InputData]", *, target: str, **options: Any) -> Fit:
    """Fit a linear regression by gradient descent.

    ``data`` is a path (or a pattern such as ``sales-*.csv``), a DataFrame, or a list of them; ``options`` are the
    fields of :class:`FitOptions`.
    """
    several: Sequence[Any] = matched(data if isinstance(data, list | tuple) else [data])
    for name in ("features", "exclude", "categorical", "dates", "na", "l2", "l1"):
        value = options.get(name, ())
        options[name] = (value,) if isinstance(value, str | int | float) else tuple(value)
    return run_fit(several, FitOptions(target=target, **options))


def run_fit(
    data: Sequence[InputData],
    options: FitOptions,
    recorders: Sequence[Recorder] = (),
    listener: Listener | None = None,
) -> Fit:
    """Read the data and descend. Raises DataError and UsageError; divergence is a result, not an error."""
    listener = listener or Listener()
    # What few fits need is imported where it is needed: a fit from a summary takes hardly longer than the imports.
    if options.inference:
        from gdcli.fitting.inference import require_scipy

        require_scipy()
    resume = None
    if options.resume is not None:
        from gdcli.models.model_file import load_model
        from gdcli.models.resume import options_from_model, resume_from

        model = load_model(options.resume)
        options, resume = options_from_model(model, options), partial(resume_from, model)
    with read_noted(data, options.columns, options.reading, listener) as reading:
        return fit_reading(reading, options, recorders, listener, resume)
