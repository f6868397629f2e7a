"""Forecasts: what the spectrum tells about a learning rate before the first step. Unknown figures are None.

Plain descent and momentum are linear in the distance to the optimum of a squared error, so that all is known of them.
Adaptive steps are not.
"""

from typing import Protocol

from gdcli.engine import spectrum as spectra
from gdcli.engine.arrays import Array, PerLane
from gdcli.engine.spectrum import Spectrum


class Forecast(Protocol):
    """A forecast for a constant learning rate. Gaps are in squared scaled target units.

    ``largest_stable`` is the rate from which on the descent does not settle, ``condition_number`` λmax/λmin of the
    Hessian as the optimizer meets it. Of many lanes, or of several rates (…), each figure is an array (…), and −1 the
    count that does not exist; a figure that is known of none of them is None.
    """

    largest_stable: PerLane
    condition_number: PerLane

    def behaviour(self, learning_rate: PerLane) -> PerLane:
        """The behaviour of a rate; None if unknown."""
        ...

    def gaps(self, learning_rate: PerLane, iteration: int) -> Array | None:
        """The gap (…, r) along each eigenvector at an iteration; None if unknown."""
        ...

    def iterations_to(self, learning_rate: PerLane, gap: PerLane) -> PerLane:
        """The first iteration from which on the gap is at most ``gap``; None if unknown or never."""
        ...

    def best_rate(self, gap: PerLane) -> tuple[PerLane, PerLane]:
        """The rate that is first to come within ``gap`` and stay there, and the iteration from which on it does.

        Each is None if unknown.
        """
        ...


class PlainForecast:
    """The forecast of plain gradient descent: see ``spectrum``."""

    def __init__(self, spectrum: Spectrum) -> None:
        self._spectrum = spectrum
        self.largest_stable: PerLane = spectrum.largest_stable
        self.condition_number: PerLane = spectrum.condition_number

    def behaviour(self, learning_rate: PerLane) -> PerLane:
        return spectra.behaviour(self._spectrum, learning_rate)

    def gaps(self, learning_rate: PerLane, iteration: int) -> Array | None:
        return spectra.gaps(self._spectrum, learning_rate, iteration)

    def iterations_to(self, learning_rate: PerLane, gap: PerLane) -> PerLane:
        return spectra.iterations_to(self._spectrum, learning_rate, gap)

    def best_rate(self, gap: PerLane) -> tuple[PerLane, PerLane]:
        return spectra.best_rate(self._spectrum, gap)


class Unknown:
    """A forecast whose figures are None, except for the largest stable rate and the condition number if given."""

    def __init__(self, largest_stable: PerLane = None, condition_number: PerLane = None) -> None:
        self.largest_stable = largest_stable
        self.condition_number = condition_number

    def behaviour(self, learning_rate: PerLane) -> PerLane:
        return None

    def gaps(self, learning_rate: PerLane, iteration: int) -> Array | None:
        return None

    def iterations_to(self, learning_rate: PerLane, gap: PerLane) -> PerLane:
        return None

    def best_rate(self, gap: PerLane) -> tuple[PerLane, PerLane]:
        return None, None


UNKNOWN: Forecast = Unknown()


def limited(constant: Forecast) -> Forecast:
    """The forecast with only the largest stable rate and the condition number of ``constant``; the rest is None.

    That rate holds if the learning rate changes or steps are proximal: proximal steps converge below it as well
    (Combettes & Wajs, Multiscale Model. Simul. 4, 2005, theorem 3.4).
    """
    return Unknown(constant.largest_stable, constant.condition_number)
