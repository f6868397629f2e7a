"""gdfit: fit regression by gradient descent.

>>> from gdcli import fit
>>> result = fit("housing.csv", target="price", learning_rate=0.01)

The names are imported when first used, so that ``gdfit --help`` loads neither NumPy nor pandas.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdcli.base.errors import DataError as DataError
    from gdcli.base.errors import GdfitError as GdfitError
    from gdcli.base.errors import UsageError as UsageError
    from gdcli.ingest.plan import draws as draws
    from gdcli.models.model_file import load_model as load_model
    from gdcli.python.functions import ConvergenceWarning as ConvergenceWarning
    from gdcli.python.functions import curve as curve
    from gdcli.python.functions import describe as describe
    from gdcli.python.functions import fit as fit
    from gdcli.python.functions import fit_by as fit_by
    from gdcli.python.functions import score as score
    from gdcli.python.functions import summarize as summarize
    from gdcli.python.functions import sweep as sweep
    from gdcli.python.functions import sweep_by as sweep_by

__version__ = "0.1.0"

_HOMES = {
    **dict.fromkeys(("DataError", "GdfitError", "UsageError"), "gdcli.base.errors"),
    **dict.fromkeys(
        ("ConvergenceWarning", "curve", "describe", "fit", "fit_by", "score", "summarize", "sweep", "sweep_by"),
        "gdcli.python.functions",
    ),
    "draws": "gdcli.ingest.plan",
    "load_model": "gdcli.models.model_file",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
