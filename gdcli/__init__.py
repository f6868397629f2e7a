"""gdfit: fit regression by gradient descent.

>>> from gdcli import fit
>>> result = fit("housing.csv", target="price", learning_rate=0.01)

The names are imported when first used, so that ``gdfit --help`` loads neither NumPy nor pandas.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdcli.api import fit as fit
    from gdcli.ingest.plan import draws as draws
    from gdcli.ingest.summarize import summarize as summarize
    from gdcli.models.model_file import load_model as load_model

__version__ = "0.1.0"

_HOMES = {
    "draws": "gdcli.ingest.plan",
    "fit": "gdcli.api",
    "load_model": "gdcli.models.model_file",
    "summarize": "gdcli.ingest.summarize",
}

__all__ = ["__version__", "draws", "fit", "load_model", "summarize"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
