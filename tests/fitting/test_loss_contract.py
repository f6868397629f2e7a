"""What differs between losses is asked of the loss: one that is registered is fitted as what it is."""

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from gdcli.api import fit_data as fit
from gdcli.engine.catalog import LOSS_ENTRIES
from gdcli.engine.losses import LOSSES
from gdcli.engine.losses.contract import Domain, Link
from gdcli.engine.losses.huber import Huber
from gdcli.engine.losses.squared import Squared
from gdcli.models.export import _MILLER_LINKS, _PYTHON_LINKS
from gdcli.models.sql_export import DIALECTS


class Fair(Huber):
    """c²(|r|/c − ln(1 + |r|/c)): Fair's loss, whose parameter is always given."""

    name = "fair"

    def value_and_slope(self, z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        share = np.abs(z - y) / self.delta
        return self.delta**2 * (share - np.log1p(share)), (z - y) / (1.0 + share)

    def curvature(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.abs(z - y) / self.delta) ** 2

    curvature_above = curvature


class Cosh(Squared):
    """ln cosh r, which has no parameter."""

    name = "cosh"
    bound = 1.0

    def value_and_slope(self, z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.logaddexp(z - y, y - z) - np.log(2.0), np.tanh(z - y)

    def curvature(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 1.0 / np.cosh(z - y) ** 2

    curvature_above = curvature


class Undecided(Squared):
    """A loss that does not say what its target is."""

    name = "undecided"
    domain: ClassVar[Any] = "whatever"


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    x = rng.normal(size=200) * 3.0
    return pd.DataFrame({"x": x, "y": 2.0 * x - 7.0 + rng.standard_t(3, size=200)})


@pytest.mark.parametrize(("loss", "word"), [(Fair, "fair:0.8"), (Cosh, "cosh")])
def test_a_registered_loss_is_fitted_as_itself(
    loss: type[Squared], word: str, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LOSSES, loss.name, loss)
    found = fit(frame, target="y", loss=word, optimizer="newton", iterations=30)
    x, y, function = frame["x"].to_numpy(), frame["y"].to_numpy(), loss(0.8)
    expected = minimize(lambda t: function.value_and_slope(t[0] * x + t[1], y)[0].mean(), [0.0, 0.0], tol=1e-12)
    assert found.intercept is not None
    assert [found.coefficients[0].value, found.intercept.value] == pytest.approx(list(expected.x), rel=1e-5)
    assert found.loss == loss.name


def test_a_loss_that_does_not_say_what_its_target_is_is_not_fitted(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LOSSES, "undecided", Undecided)
    with pytest.raises(AssertionError, match="whatever"):
        fit(frame, target="y", loss="undecided")


def test_every_loss_says_what_its_target_is() -> None:
    assert {name: loss.domain for name, loss in LOSSES.items()} == {
        "squared": Domain.NUMBERS,
        "huber": Domain.NUMBERS,
        "quantile": Domain.NUMBERS,
        "logistic": Domain.CLASSES,
        "poisson": Domain.COUNTS,
        "gamma": Domain.POSITIVE,
    }


def test_help_and_completion_know_the_losses_that_there_are() -> None:
    forms = {name: loss.parameter_form for name, loss in LOSSES.items()}
    assert {entry.name: entry.suffix for entry in LOSS_ENTRIES} == {
        name: "" if form is None else f"[:{form.word}]" for name, form in forms.items()
    }
    assert {entry.name for entry in LOSS_ENTRIES if entry.classes} == {
        name for name, loss in LOSSES.items() if loss.domain is Domain.CLASSES
    }
    assert list(LOSSES) == [entry.name for entry in LOSS_ENTRIES]


def test_every_language_has_the_inverse_of_every_link() -> None:
    languages = [_PYTHON_LINKS, _MILLER_LINKS, *(dialect.links for dialect in DIALECTS.values())]
    assert all(set(links) == set(Link) for links in languages)
