"""The losses: each in a file of its own, and the registry of all."""

import math

from gdcli.base.errors import UsageError
from gdcli.engine.catalog import unknown
from gdcli.engine.losses.contract import Loss
from gdcli.engine.losses.gamma import Gamma
from gdcli.engine.losses.huber import Huber
from gdcli.engine.losses.logistic import Logistic
from gdcli.engine.losses.poisson import Poisson
from gdcli.engine.losses.quantile import Quantile
from gdcli.engine.losses.squared import Squared

LOSSES: dict[str, type[Loss]] = {loss.name: loss for loss in (Squared, Huber, Quantile, Logistic, Poisson, Gamma)}


def parse_loss(word: str) -> tuple[type[Loss], float | None]:
    """The loss of ``name`` or ``name:PARAMETER``, and the parameter if one is given. Raises UsageError."""
    name, colon, text = word.partition(":")
    if name not in LOSSES:
        raise unknown("loss", name)
    loss = LOSSES[name]
    if not colon:
        return loss, None
    form = loss.parameter_form
    if form is None:
        raise UsageError(f"the loss {name} takes no parameter, so leave out ':{text}'")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < form.limit:
        raise UsageError(f"{name}:{form.word} takes {form.wanted}, not {text!r}")
    return loss, value


def parameter_keys() -> list[str]:
    """The JSON keys of the parameters of all losses, each once."""
    forms = [loss.parameter_form for loss in LOSSES.values()]
    return list(dict.fromkeys(form.key for form in forms if form is not None))


def parameters_as_json(name: str, parameter: float | None) -> dict[str, float | None]:
    """The parameters of all losses by their JSON keys: that of the loss of this name, and None for the others'."""
    form = LOSSES[name].parameter_form
    return dict.fromkeys(parameter_keys()) | ({} if form is None else {form.key: parameter})


def measure_keys() -> list[str]:
    """The JSON keys of the measures of all losses, each once."""
    return list(dict.fromkeys(measure.key for loss in LOSSES.values() for measure in loss.measures))
