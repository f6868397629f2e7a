"""gdfit: fit regression by gradient descent.

>>> from gdcli import fit
>>> result = fit("housing.csv", target="price", learning_rate=0.01)

The names are imported when first used, so that ``gdfit --help`` loads neither NumPy nor pandas.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gdcli.fitting import fit as fit
    from gdcli.model import load_model as load_model
    from gdcli.reduced import draws as draws
    from gdcli.summarizing import summarize as summarize

_HOMES = {
    "draws": "gdcli.reduced",
    "fit": "gdcli.fitting",
    "load_model": "gdcli.model",
    "summarize": "gdcli.summarizing",
}

__all__ = ["__version__", "draws", "fit", "load_model", "summarize"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
